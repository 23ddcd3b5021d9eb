//! The transform header around encrypted messages ([MS-SMB2] 2.2.41).

use std::ops::Range;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Error, codec};

/// First four bytes of a compressed frame ([MS-SMB2] 2.2.42), which this project never
/// negotiates.
pub const COMPRESSION_PROTOCOL_ID: [u8; 4] = *b"\xFCSMB";

/// Flags: encrypted. In dialects 3.0 and 3.0.2 the field is EncryptionAlgorithm, where
/// 1 is AES-128-CCM: the same number.
pub const ENCRYPTED: u16 = 0x0001;

/// SMB2 TRANSFORM_HEADER ([MS-SMB2] 2.2.41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransformHeader {
    /// The authentication tag.
    pub signature: [u8; 16],
    /// 11 bytes count for CCM, 12 for GCM; the rest is 0.
    pub nonce: [u8; 16],
    /// Bytes behind this header.
    pub original_message_size: u32,
    /// [`ENCRYPTED`].
    pub flags: u16,
    /// The session whose key encrypts.
    pub session_id: u64,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    protocol_id: [u8; 4],
    signature: [u8; 16],
    nonce: [u8; 16],
    original_message_size: U32,
    reserved: U16,
    flags: U16,
    session_id: U64,
}

const _: () = assert!(size_of::<Layout>() == TransformHeader::SIZE);

impl TransformHeader {
    /// Length in bytes.
    pub const SIZE: usize = 52;
    /// The first four bytes.
    pub const PROTOCOL_ID: [u8; 4] = *b"\xFDSMB";
    /// Where Signature lies.
    pub const SIGNATURE: Range<usize> = 4..20;
    /// What the tag covers besides the message: Nonce to the end.
    pub const ASSOCIATED_DATA: Range<usize> = 20..52;

    /// Reads the header at the start of `frame`. Whether OriginalMessageSize and Flags
    /// agree with the frame is the caller's to check.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::ProtocolId`].
    pub fn read(frame: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "SMB2 TRANSFORM_HEADER";
        let (layout, _) = codec::prefix::<Layout>(WHAT, frame)?;
        if layout.protocol_id != Self::PROTOCOL_ID {
            return Err(Error::ProtocolId {
                what: WHAT,
                found: layout.protocol_id,
            });
        }
        Ok(Self {
            signature: layout.signature,
            nonce: layout.nonce,
            original_message_size: layout.original_message_size.get(),
            flags: layout.flags.get(),
            session_id: layout.session_id.get(),
        })
    }

    /// The 52 bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let layout = Layout {
            protocol_id: Self::PROTOCOL_ID,
            signature: self.signature,
            nonce: self.nonce,
            original_message_size: self.original_message_size.into(),
            reserved: U16::ZERO,
            flags: self.flags.into(),
            session_id: self.session_id.into(),
        };
        let mut bytes = [0; Self::SIZE];
        bytes.copy_from_slice(layout.as_bytes());
        bytes
    }

    /// Appends the 52 bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }
}
