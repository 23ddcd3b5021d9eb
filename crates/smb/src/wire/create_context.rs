//! Create contexts ([MS-SMB2] 2.2.13.2, 2.2.14.2): a chain of names and data.

use std::fmt;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Error, codec};
use crate::{FileTime, Guid, NtStatus};

/// Contexts accepted in one message. A dozen kinds exist and none comes twice.
pub const MAX_CONTEXTS: usize = 64;

/// Bytes that the name of a context has at least ([MS-SMB2] 2.2.13.2).
pub const SHORTEST_NAME: usize = 4;

/// Names of the contexts that the specification defines.
pub mod name {
    macro_rules! names {
        ($($(#[$doc:meta])* $name:ident = $value:literal,)*) => {
            $($(#[$doc])* pub const $name: &[u8] = $value;)*
        };
    }

    names! {
        /// Extended attributes.
        SMB2_CREATE_EA_BUFFER = b"ExtA",
        /// A security descriptor.
        SMB2_CREATE_SD_BUFFER = b"SecD",
        /// A durable open.
        SMB2_CREATE_DURABLE_HANDLE_REQUEST = b"DHnQ",
        /// Reconnect to a durable open.
        SMB2_CREATE_DURABLE_HANDLE_RECONNECT = b"DHnC",
        /// Bytes to allocate.
        SMB2_CREATE_ALLOCATION_SIZE = b"AlSi",
        /// Maximal access.
        SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST = b"MxAc",
        /// A previous version.
        SMB2_CREATE_TIMEWARP_TOKEN = b"TWrp",
        /// The file's number on disk.
        SMB2_CREATE_QUERY_ON_DISK_ID = b"QFid",
        /// A lease, either version.
        SMB2_CREATE_REQUEST_LEASE = b"RqLs",
        /// A durable open, second version.
        SMB2_CREATE_DURABLE_HANDLE_REQUEST_V2 = b"DH2Q",
        /// Reconnect to a durable open, second version.
        SMB2_CREATE_DURABLE_HANDLE_RECONNECT_V2 = b"DH2C",
        /// Apple's extensions.
        AAPL = b"AAPL",
        /// The application instance.
        SMB2_CREATE_APP_INSTANCE_ID =
            b"\x45\xBC\xA6\x6A\xEF\xA7\xF7\x4A\x90\x08\xFA\x46\x2E\x14\x4D\x74",
        /// The application instance's version.
        SMB2_CREATE_APP_INSTANCE_VERSION =
            b"\xB9\x82\xD0\xB7\x3B\x56\x07\x4F\xA0\x7B\x52\x4A\x81\x16\xA0\x10",
        /// A shared virtual disk.
        SVHDX_OPEN_DEVICE_CONTEXT =
            b"\x9C\xCB\xCF\x9E\x04\xC1\xE6\x43\x98\x0E\x15\x8D\xA1\xF6\xEC\x83",
    }
}

/// One create context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateContext<'a> {
    /// Usually four bytes, never fewer: [`name`]. Open. At most 65534 bytes are written.
    pub name: &'a [u8],
    /// The data.
    pub data: &'a [u8],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    next: U32,
    name_offset: U16,
    name_length: U16,
    reserved: U16,
    data_offset: U16,
    data_length: U32,
}

const WHAT: &str = "SMB2_CREATE_CONTEXT";

/// The contexts of one message, in order: a chain as it was received, or a list to send.
/// Neither costs an allocation.
#[derive(Clone, Copy)]
pub struct CreateContexts<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    /// [`CreateContexts::read`] has walked it to its end.
    Chain(&'a [u8]),
    List(&'a [CreateContext<'a>]),
}

impl<'a> CreateContexts<'a> {
    /// Reads a chain that is `bytes` as a whole; empty bytes are an empty chain.
    ///
    /// # Errors
    /// [`Error`] if a context leaves the chain or has a name of fewer than [`SHORTEST_NAME`]
    /// bytes, or there are more than [`MAX_CONTEXTS`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut rest = bytes;
        for _ in 0..MAX_CONTEXTS {
            if rest.is_empty() {
                return Ok(Self(Form::Chain(bytes)));
            }
            (_, rest) = first(rest)?;
        }
        if rest.is_empty() {
            return Ok(Self(Form::Chain(bytes)));
        }
        Err(Error::Count {
            what: WHAT,
            count: MAX_CONTEXTS + 1,
            limit: MAX_CONTEXTS,
        })
    }

    /// Appends the chain. `out` must end at a multiple of eight from the header.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut previous: Option<usize> = None;
        for context in self.iter() {
            if let Some(previous) = previous {
                codec::align(out, previous);
                let next = (out.len() - previous) as u32;
                out[previous..previous + 4].copy_from_slice(&next.to_le_bytes());
            }
            previous = Some(out.len());
            context.write(out);
        }
    }

    /// The contexts.
    pub fn iter(&self) -> impl Iterator<Item = CreateContext<'a>> + use<'a> {
        let (mut chain, list) = match self.0 {
            Form::Chain(bytes) => (bytes, &[][..]),
            Form::List(list) => (&[][..], list),
        };
        let of_chain = std::iter::from_fn(move || {
            // An empty chain ends it; others have been read before.
            let (context, rest) = first(chain).ok()?;
            chain = rest;
            Some(context)
        });
        of_chain.chain(list.iter().copied())
    }

    /// The first called `name`.
    pub fn find(&self, name: &[u8]) -> Option<CreateContext<'a>> {
        self.iter().find(|context| context.name == name)
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl Default for CreateContexts<'_> {
    fn default() -> Self {
        Self(Form::List(&[]))
    }
}

impl<'a> From<&'a [CreateContext<'a>]> for CreateContexts<'a> {
    fn from(list: &'a [CreateContext<'a>]) -> Self {
        Self(Form::List(list))
    }
}

impl PartialEq for CreateContexts<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for CreateContexts<'_> {}

impl fmt::Debug for CreateContexts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl CreateContext<'_> {
    /// Appends it as the last of a chain.
    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (name, name_length) = codec::clip(self.name);
        let (data, data_length) = codec::clip_long(self.data);
        let data_offset = match data {
            [] => 0,
            _ => (size_of::<Layout>() + name.len()).next_multiple_of(8),
        };
        let layout = Layout {
            next: U32::ZERO,
            name_offset: U16::new(size_of::<Layout>() as u16),
            name_length: name_length.into(),
            reserved: U16::ZERO,
            data_offset: U16::new(data_offset as u16),
            data_length: data_length.into(),
        };
        codec::put(out, &layout);
        out.extend_from_slice(name);
        if !data.is_empty() {
            codec::align(out, start);
            out.extend_from_slice(data);
        }
    }
}

/// The first context of a chain, and the chain behind it.
fn first(chain: &[u8]) -> Result<(CreateContext<'_>, &[u8]), Error> {
    const FIXED: usize = size_of::<Layout>();
    let (layout, _) = codec::prefix::<Layout>(WHAT, chain)?;
    let next = layout.next.get() as usize;
    // A context may not borrow from the one behind it.
    let own = match next {
        0 => chain,
        _ => codec::within(chain, WHAT, 0, 0, next)?,
    };
    let (name_offset, name_length) = (layout.name_offset.get(), layout.name_length.get());
    let (data_offset, data_length) = (layout.data_offset.get(), layout.data_length.get());
    let context = CreateContext {
        name: codec::within(own, WHAT, FIXED, name_offset.into(), name_length.into())?,
        data: codec::within(own, WHAT, FIXED, data_offset.into(), data_length as usize)?,
    };
    if context.name.len() < SHORTEST_NAME {
        return Err(Error::Truncated {
            what: "SMB2_CREATE_CONTEXT Name",
            needed: SHORTEST_NAME,
            available: context.name.len(),
        });
    }
    match next {
        0 => Ok((context, &[])),
        // `within` proved next <= chain.len(), and a context is no shorter than its head.
        _ if next < FIXED => Err(Error::OutOfBounds {
            what: WHAT,
            offset: next,
            length: FIXED,
            available: chain.len(),
        }),
        _ => Ok((context, &chain[next..])),
    }
}

/// Data of the MxAc response ([MS-SMB2] 2.2.14.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaximalAccess {
    /// Whether `maximal_access` counts.
    pub query_status: NtStatus,
    /// [`access_mask`](super::access_mask).
    pub maximal_access: u32,
}

impl MaximalAccess {
    /// Reads the context's data.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn read(data: &[u8]) -> Result<Self, Error> {
        let ([status, access], _) = codec::prefix::<[U32; 2]>("MxAc response", data)?;
        Ok(Self {
            query_status: NtStatus(status.get()),
            maximal_access: access.get(),
        })
    }

    /// The context's data.
    pub fn to_bytes(&self) -> [u8; 8] {
        zerocopy::transmute!([U32::new(self.query_status.0), U32::new(self.maximal_access)])
    }
}

/// Data of the QFid response ([MS-SMB2] 2.2.14.2.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryOnDiskId {
    /// The file's number on its volume.
    pub disk_file_id: u64,
    /// The volume.
    pub volume_id: u64,
}

impl QueryOnDiskId {
    /// Reads the context's data.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn read(data: &[u8]) -> Result<Self, Error> {
        let ([file, volume, ..], _) = codec::prefix::<[U64; 4]>("QFid response", data)?;
        Ok(Self {
            disk_file_id: file.get(),
            volume_id: volume.get(),
        })
    }

    /// The context's data.
    pub fn to_bytes(&self) -> [u8; 32] {
        let (file, volume) = (U64::new(self.disk_file_id), U64::new(self.volume_id));
        zerocopy::transmute!([file, volume, U64::ZERO, U64::ZERO])
    }
}

/// Data of a lease, request and response, either version ([MS-SMB2] 2.2.13.2.8,
/// 2.2.13.2.10). Without `version_2` it is the first version, of 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// The client's name for the lease.
    pub lease_key: Guid,
    /// [`lease_state`](super::lease_state).
    pub lease_state: u32,
    /// [`lease_flags`](super::lease_flags).
    pub lease_flags: u32,
    /// ParentLeaseKey and Epoch, in the second version.
    pub version_2: Option<(Guid, u16)>,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct LeaseLayout {
    lease_key: [u8; 16],
    lease_state: U32,
    lease_flags: U32,
    lease_duration: U64,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct LeaseLayout2 {
    parent_lease_key: [u8; 16],
    epoch: U16,
    reserved: U16,
}

impl Lease {
    /// Reads the context's data; its length tells the version.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn read(data: &[u8]) -> Result<Self, Error> {
        let (first, rest) = codec::prefix::<LeaseLayout>("RqLs", data)?;
        let version_2 = match rest {
            [] => None,
            _ => {
                let (second, _) = codec::prefix::<LeaseLayout2>("RqLs version 2", rest)?;
                Some((Guid(second.parent_lease_key), second.epoch.get()))
            }
        };
        Ok(Self {
            lease_key: Guid(first.lease_key),
            lease_state: first.lease_state.get(),
            lease_flags: first.lease_flags.get(),
            version_2,
        })
    }

    /// The context's data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(52);
        let first = LeaseLayout {
            lease_key: self.lease_key.0,
            lease_state: self.lease_state.into(),
            lease_flags: self.lease_flags.into(),
            lease_duration: U64::ZERO,
        };
        codec::put(&mut out, &first);
        if let Some((parent, epoch)) = self.version_2 {
            let second = LeaseLayout2 {
                parent_lease_key: parent.0,
                epoch: epoch.into(),
                reserved: U16::ZERO,
            };
            codec::put(&mut out, &second);
        }
        out
    }
}

/// Data of AlSi ([MS-SMB2] 2.2.13.2.6): bytes to allocate.
///
/// # Errors
/// [`Error::Truncated`].
pub fn read_allocation_size(data: &[u8]) -> Result<u64, Error> {
    codec::prefix::<U64>("AlSi", data).map(|(size, _)| size.get())
}

/// Data of TWrp ([MS-SMB2] 2.2.13.2.7): the previous version's time.
///
/// # Errors
/// [`Error::Truncated`].
pub fn read_timewarp_token(data: &[u8]) -> Result<FileTime, Error> {
    codec::prefix::<U64>("TWrp", data).map(|(time, _)| FileTime(time.get()))
}
