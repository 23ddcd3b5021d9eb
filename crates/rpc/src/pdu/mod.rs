//! Connection-oriented PDUs, version 5.0 (C706 12.6, [MS-RPCE] 2.2.2).
//!
//! [`Header`] is common to all; the other types read from and write to whole fragments,
//! header included. An authentication verifier is measured (`auth_length`) but not
//! looked into: on a named pipe the identity is that of the SMB session.

mod bind;
mod call;
#[cfg(test)]
mod tests;

pub use bind::{
    Bind, BindAck, BindNak, ContextResult, NakReason, PresentationContext, ProviderReason,
    bind_time_features,
};
pub use call::{Fault, Request, Response};

/// Bytes of the common header.
pub const HEADER_SIZE: usize = 16;

/// Bytes of the authentication verifier before its auth_value (`sec_trailer`).
const SEC_TRAILER_SIZE: usize = 8;

/// Format label of the data representation: little-endian, ASCII, IEEE (C706 14.1).
const DATA_REPRESENTATION: [u8; 4] = [0x10, 0, 0, 0];

/// Why a fragment could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The fragment ends inside an item.
    #[error("fragment ends inside {0}")]
    Truncated(&'static str),
    /// frag_length or auth_length does not fit the fragment.
    #[error("frag_length {frag_length} with auth_length {auth_length}")]
    Length {
        /// frag_length.
        frag_length: u16,
        /// auth_length.
        auth_length: u16,
    },
    /// Not version 5.
    #[error("RPC version {0}.{1} where 5.0 is spoken")]
    Version(u8, u8),
    /// Not the little-endian data representation.
    #[error("data representation {0:02x?} where little-endian is spoken")]
    DataRepresentation([u8; 4]),
}

/// PTYPE (C706 12.6.1). Open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PacketType(pub u8);

#[allow(missing_docs)] // the specification's names say it all
impl PacketType {
    pub const REQUEST: Self = Self(0);
    pub const RESPONSE: Self = Self(2);
    pub const FAULT: Self = Self(3);
    pub const BIND: Self = Self(11);
    pub const BIND_ACK: Self = Self(12);
    pub const BIND_NAK: Self = Self(13);
    pub const ALTER_CONTEXT: Self = Self(14);
    pub const ALTER_CONTEXT_RESP: Self = Self(15);
    pub const AUTH3: Self = Self(16);
    pub const SHUTDOWN: Self = Self(17);
    pub const CO_CANCEL: Self = Self(18);
    pub const ORPHANED: Self = Self(19);
}

/// pfc_flags (C706 12.6.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// PFC_FIRST_FRAG.
    pub const FIRST: Self = Self(0x01);
    /// PFC_LAST_FRAG.
    pub const LAST: Self = Self(0x02);
    /// PFC_FIRST_FRAG and PFC_LAST_FRAG.
    pub const WHOLE: Self = Self(0x03);
    /// PFC_DID_NOT_EXECUTE.
    pub const DID_NOT_EXECUTE: Self = Self(0x20);
    /// PFC_OBJECT_UUID.
    pub const OBJECT_UUID: Self = Self(0x80);

    /// All bits of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The common header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// PTYPE.
    pub packet_type: PacketType,
    /// pfc_flags.
    pub flags: Flags,
    /// Bytes of the fragment, header included.
    pub frag_length: u16,
    /// Bytes of auth_value; 0 for no authentication verifier at all.
    pub auth_length: u16,
    /// call_id.
    pub call_id: u32,
}

impl Header {
    /// Reads the header at the start of `bytes`. Reading any fragment begins here: the
    /// lengths are checked against each other, not against `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut input = Input(bytes);
        let [version, minor_version, packet_type, flags] = input.array("header")?;
        let data_representation = input.array("header")?;
        let header = Self {
            packet_type: PacketType(packet_type),
            flags: Flags(flags),
            frag_length: input.u16("header")?,
            auth_length: input.u16("header")?,
            call_id: input.u32("header")?,
        };
        if version != 5 {
            return Err(Error::Version(version, minor_version));
        }
        if data_representation[0] != DATA_REPRESENTATION[0] {
            return Err(Error::DataRepresentation(data_representation));
        }
        if usize::from(header.frag_length) < HEADER_SIZE + header.verifier_size() {
            let Self {
                frag_length,
                auth_length,
                ..
            } = header;
            return Err(Error::Length {
                frag_length,
                auth_length,
            });
        }
        Ok(header)
    }

    /// Bytes of the authentication verifier at the end of the fragment, its own padding not
    /// counted.
    fn verifier_size(&self) -> usize {
        match self.auth_length {
            0 => 0,
            length => SEC_TRAILER_SIZE + usize::from(length),
        }
    }

    /// The body of `fragment`: behind the header, before the verifier.
    fn body<'a>(&self, fragment: &'a [u8]) -> Result<Input<'a>, Error> {
        let end = usize::from(self.frag_length) - self.verifier_size();
        fragment
            .get(HEADER_SIZE..end)
            .map(Input)
            .ok_or(Error::Truncated("fragment"))
    }

    /// Writes a header whose frag_length [`finish`] fills in.
    fn start(packet_type: PacketType, flags: Flags, call_id: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(&[5, 0, packet_type.0, flags.0]);
        out.extend_from_slice(&DATA_REPRESENTATION);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&call_id.to_le_bytes());
    }
}

/// Fills in frag_length of the fragment that is all of `out`. It fits: calls are cut to
/// max_xmit_frag, a bind_ack has at most 255 results, and a bind is as long as this end's
/// few offers make it.
fn finish(out: &mut [u8]) {
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX).to_le_bytes();
    out[8..10].copy_from_slice(&length);
}

/// A slice that only shrinks.
#[derive(Clone, Copy)]
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], Error> {
        let (head, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(Error::Truncated(what))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(what, N)?);
        Ok(bytes)
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, Error> {
        self.array(what).map(u16::from_le_bytes)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }
}
