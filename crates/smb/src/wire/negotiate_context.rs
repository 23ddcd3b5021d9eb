//! Negotiate contexts of dialect 3.1.1 ([MS-SMB2] 2.2.3.1, 2.2.4.1).

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Error, Utf16, codec};

/// Contexts accepted in one message. Eight types exist; the rest is room for the unknown.
pub const MAX_CONTEXTS: usize = 64;

/// Context types.
pub mod context_type {
    constants! { u16;
        SMB2_PREAUTH_INTEGRITY_CAPABILITIES = 0x0001,
        SMB2_ENCRYPTION_CAPABILITIES = 0x0002,
        SMB2_COMPRESSION_CAPABILITIES = 0x0003,
        SMB2_NETNAME_NEGOTIATE_CONTEXT_ID = 0x0005,
        SMB2_TRANSPORT_CAPABILITIES = 0x0006,
        SMB2_RDMA_TRANSFORM_CAPABILITIES = 0x0007,
        SMB2_SIGNING_CAPABILITIES = 0x0008,
        /// Not Microsoft's: Linux clients always send it.
        SMB2_POSIX_EXTENSIONS_AVAILABLE = 0x0100,
    }
}

/// HashAlgorithms: SHA-512, the only one.
pub const SHA_512: u16 = 0x0001;

/// One context, its data raw: a type of this module reads it, or nobody does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NegotiateContext<'a> {
    /// [`context_type`]. Open.
    pub context_type: u16,
    /// The data. At most 65534 bytes are written.
    pub data: &'a [u8],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    context_type: U16,
    data_length: U16,
    reserved: U32,
}

/// Reads `count` contexts from `offset`, which may not lie before `first`.
pub(super) fn read_list<'a>(
    message: &'a [u8],
    first: usize,
    offset: u32,
    count: u16,
) -> Result<Vec<NegotiateContext<'a>>, Error> {
    const WHAT: &str = "NegotiateContextList";
    let count = usize::from(count);
    if count > MAX_CONTEXTS {
        return Err(Error::Count {
            what: WHAT,
            count,
            limit: MAX_CONTEXTS,
        });
    }
    let mut contexts = Vec::with_capacity(count);
    let mut offset = offset as usize;
    for _ in 0..count {
        let head = codec::within(message, WHAT, first, offset, size_of::<Layout>())?;
        let (layout, _) = codec::prefix::<Layout>(WHAT, head)?;
        let data_offset = offset + size_of::<Layout>();
        let length = usize::from(layout.data_length.get());
        let data = codec::within(message, WHAT, first, data_offset, length)?;
        contexts.push(NegotiateContext {
            context_type: layout.context_type.get(),
            data,
        });
        offset = (data_offset + length).next_multiple_of(8);
    }
    Ok(contexts)
}

/// Appends the contexts, each at a multiple of eight from `start`, a body's first byte.
pub(super) fn write_list(out: &mut Vec<u8>, start: usize, contexts: &[NegotiateContext<'_>]) {
    for context in contexts {
        codec::align(out, start);
        let (data, data_length) = codec::clip(context.data);
        let layout = Layout {
            context_type: context.context_type.into(),
            data_length: data_length.into(),
            reserved: U32::ZERO,
        };
        codec::put(out, &layout);
        out.extend_from_slice(data);
    }
}

/// SMB2_PREAUTH_INTEGRITY_CAPABILITIES ([MS-SMB2] 2.2.3.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreauthIntegrityCapabilities<'a> {
    /// Hash algorithms, the best first.
    pub hash_algorithms: Vec<u16>,
    /// Random bytes.
    pub salt: &'a [u8],
}

impl<'a> PreauthIntegrityCapabilities<'a> {
    /// Reads the context's data.
    ///
    /// # Errors
    /// [`Error`] if it is shorter than its counts say.
    pub fn read(data: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "SMB2_PREAUTH_INTEGRITY_CAPABILITIES";
        let (counts, rest) = codec::prefix::<[U16; 2]>(WHAT, data)?;
        let hashes = usize::from(counts[0].get()) * 2;
        let salt = usize::from(counts[1].get());
        Ok(Self {
            hash_algorithms: codec::u16s(codec::within(rest, WHAT, 0, 0, hashes)?),
            salt: codec::within(rest, WHAT, 0, hashes, salt)?,
        })
    }

    /// The context's data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.hash_algorithms.len() * 2 + self.salt.len());
        let (salt, salt_length) = codec::clip(self.salt);
        codec::put_u16s(&mut out, &[self.hash_algorithms.len() as u16, salt_length]);
        codec::put_u16s(&mut out, &self.hash_algorithms);
        out.extend_from_slice(salt);
        out
    }
}

/// A context whose data is a count and that many 16-bit numbers.
macro_rules! list_context {
    ($(#[$doc:meta])* $name:ident, $what:literal, $(#[$field_doc:meta])* $field:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: Vec<u16>,
        }

        impl $name {
            /// Reads the context's data.
            ///
            /// # Errors
            /// [`Error`] if it is shorter than its count says.
            pub fn read(data: &[u8]) -> Result<Self, Error> {
                let (count, rest) = codec::prefix::<U16>($what, data)?;
                let length = usize::from(count.get()) * 2;
                Ok(Self { $field: codec::u16s(codec::within(rest, $what, 0, 0, length)?) })
            }

            /// The context's data.
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut out = Vec::with_capacity(2 + self.$field.len() * 2);
                codec::put_u16s(&mut out, &[self.$field.len() as u16]);
                codec::put_u16s(&mut out, &self.$field);
                out
            }
        }
    };
}

list_context! {
    /// SMB2_ENCRYPTION_CAPABILITIES ([MS-SMB2] 2.2.3.1.2).
    EncryptionCapabilities, "SMB2_ENCRYPTION_CAPABILITIES",
    /// Ciphers, the best first; in a response the one chosen, 0 if none suits.
    ciphers
}

list_context! {
    /// SMB2_SIGNING_CAPABILITIES ([MS-SMB2] 2.2.3.1.7).
    SigningCapabilities, "SMB2_SIGNING_CAPABILITIES",
    /// Signing algorithms, the best first; in a response the one chosen.
    signing_algorithms
}

/// SMB2_COMPRESSION_CAPABILITIES ([MS-SMB2] 2.2.3.1.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompressionCapabilities {
    /// 1 if compression may be chained.
    pub flags: u32,
    /// Compression algorithms, the best first.
    pub compression_algorithms: Vec<u16>,
}

impl CompressionCapabilities {
    /// Reads the context's data.
    ///
    /// # Errors
    /// [`Error`] if it is shorter than its count says.
    pub fn read(data: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "SMB2_COMPRESSION_CAPABILITIES";
        let ((count, _padding), rest) = {
            let (head, rest) = codec::prefix::<[U16; 2]>(WHAT, data)?;
            ((head[0].get(), head[1].get()), rest)
        };
        let (flags, rest) = codec::prefix::<U32>(WHAT, rest)?;
        let algorithms = codec::within(rest, WHAT, 0, 0, usize::from(count) * 2)?;
        Ok(Self {
            flags: flags.get(),
            compression_algorithms: codec::u16s(algorithms),
        })
    }

    /// The context's data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.compression_algorithms.len() * 2);
        codec::put_u16s(&mut out, &[self.compression_algorithms.len() as u16, 0]);
        out.extend_from_slice(&self.flags.to_le_bytes());
        codec::put_u16s(&mut out, &self.compression_algorithms);
        out
    }
}

/// SMB2_RDMA_TRANSFORM_CAPABILITIES ([MS-SMB2] 2.2.3.1.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RdmaTransformCapabilities {
    /// Transforms, the best first.
    pub rdma_transform_ids: Vec<u16>,
}

impl RdmaTransformCapabilities {
    /// Reads the context's data.
    ///
    /// # Errors
    /// [`Error`] if it is shorter than its count says.
    pub fn read(data: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "SMB2_RDMA_TRANSFORM_CAPABILITIES";
        // TransformCount, Reserved1, Reserved2.
        let (head, rest) = codec::prefix::<[U16; 4]>(WHAT, data)?;
        let length = usize::from(head[0].get()) * 2;
        let ids = codec::within(rest, WHAT, 0, 0, length)?;
        Ok(Self {
            rdma_transform_ids: codec::u16s(ids),
        })
    }

    /// The context's data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.rdma_transform_ids.len() * 2);
        codec::put_u16s(&mut out, &[self.rdma_transform_ids.len() as u16, 0, 0, 0]);
        codec::put_u16s(&mut out, &self.rdma_transform_ids);
        out
    }
}

/// SMB2_TRANSPORT_CAPABILITIES ([MS-SMB2] 2.2.3.1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportCapabilities {
    /// 1: the transport is secure, so SMB2 need not encrypt.
    pub flags: u32,
}

impl TransportCapabilities {
    /// Reads the context's data.
    ///
    /// # Errors
    /// [`Error::Truncated`] below four bytes.
    pub fn read(data: &[u8]) -> Result<Self, Error> {
        let (flags, _) = codec::prefix::<U32>("SMB2_TRANSPORT_CAPABILITIES", data)?;
        Ok(Self { flags: flags.get() })
    }

    /// The context's data.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.flags.to_le_bytes().to_vec()
    }
}

/// SMB2_NETNAME_NEGOTIATE_CONTEXT_ID ([MS-SMB2] 2.2.3.1.4): the whole data is the name
/// the client used for the server.
///
/// # Errors
/// [`Error::OddLength`].
pub fn read_net_name(data: &[u8]) -> Result<Utf16<'_>, Error> {
    Utf16::new(data)
}
