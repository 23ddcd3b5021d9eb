//! The SMB2 header ([MS-SMB2] 2.2.1) and the small types used everywhere.

use std::{fmt, ops};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Error, codec};
use crate::NtStatus;

/// An SMB2 command ([MS-SMB2] 2.2.1.2). Open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Command(pub u16);

/// A dialect revision ([MS-SMB2] 2.2.3, 2.2.4). Open.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dialect(pub u16);

/// Flags of the header ([MS-SMB2] 2.2.1.2). Open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HeaderFlags(pub u32);

/// An open's identifier ([MS-SMB2] 2.2.14.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// Survives a reconnect if the open is durable.
    pub persistent: u64,
    /// Holds as long as the session.
    pub volatile: u64,
}

/// The header of every message. One type for the synchronous and the asynchronous
/// form: with [`HeaderFlags::ASYNC`] `async_id` counts and `tree_id` is 0, without it
/// the reverse. The reserved word of the synchronous form is not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Credits this request consumes; 0 in dialect 2.0.2.
    pub credit_charge: u16,
    /// The outcome, in a response. In a request the low half is ChannelSequence.
    pub status: NtStatus,
    /// The command.
    pub command: Command,
    /// Credits asked for (request) or granted (response).
    pub credits: u16,
    /// Flags.
    pub flags: HeaderFlags,
    /// Bytes from this header to the next one of the compound, 0 in the last.
    pub next_command: u32,
    /// Pairs a response with its request.
    pub message_id: u64,
    /// The tree connect; 0 in the asynchronous form.
    pub tree_id: u32,
    /// The pending operation; 0 in the synchronous form.
    pub async_id: u64,
    /// The session.
    pub session_id: u64,
    /// The signature, zero if not signed.
    pub signature: [u8; 16],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    protocol_id: [u8; 4],
    structure_size: U16,
    credit_charge: U16,
    status: U32,
    command: U16,
    credits: U16,
    flags: U32,
    next_command: U32,
    message_id: U64,
    // Synchronous: a reserved word, then TreeId. Asynchronous: AsyncId.
    tree_or_async: U64,
    session_id: U64,
    signature: [u8; 16],
}

const _: () = assert!(size_of::<Layout>() == Header::SIZE);

impl Header {
    /// Length in bytes.
    pub const SIZE: usize = 64;
    /// The first four bytes.
    pub const PROTOCOL_ID: [u8; 4] = *b"\xFESMB";
    /// Where Signature lies.
    pub const SIGNATURE: ops::Range<usize> = 48..64;

    /// Reads the header at the start of `message`.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::ProtocolId`] or [`Error::StructureSize`].
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "SMB2 header";
        let (layout, _) = codec::prefix::<Layout>(WHAT, message)?;
        if layout.protocol_id != Self::PROTOCOL_ID {
            return Err(Error::ProtocolId {
                what: WHAT,
                found: layout.protocol_id,
            });
        }
        let found = layout.structure_size.get();
        if usize::from(found) != Self::SIZE {
            return Err(Error::StructureSize {
                what: WHAT,
                expected: 64,
                found,
            });
        }
        let flags = HeaderFlags(layout.flags.get());
        let word = layout.tree_or_async.get();
        let (tree_id, async_id) = match flags.contains(HeaderFlags::ASYNC) {
            true => (0, word),
            false => ((word >> 32) as u32, 0),
        };
        Ok(Self {
            credit_charge: layout.credit_charge.get(),
            status: NtStatus(layout.status.get()),
            command: Command(layout.command.get()),
            credits: layout.credits.get(),
            flags,
            next_command: layout.next_command.get(),
            message_id: layout.message_id.get(),
            tree_id,
            async_id,
            session_id: layout.session_id.get(),
            signature: layout.signature,
        })
    }

    /// Appends the 64 bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    /// The 64 bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let tree_or_async = match self.flags.contains(HeaderFlags::ASYNC) {
            true => self.async_id,
            false => u64::from(self.tree_id) << 32,
        };
        let layout = Layout {
            protocol_id: Self::PROTOCOL_ID,
            structure_size: U16::new(64),
            credit_charge: self.credit_charge.into(),
            status: self.status.0.into(),
            command: self.command.0.into(),
            credits: self.credits.into(),
            flags: self.flags.0.into(),
            next_command: self.next_command.into(),
            message_id: self.message_id.into(),
            tree_or_async: tree_or_async.into(),
            session_id: self.session_id.into(),
            signature: self.signature,
        };
        zerocopy::transmute!(layout)
    }

    /// ChannelSequence of a request in dialect 3.x.
    pub fn channel_sequence(&self) -> u16 {
        self.status.0 as u16
    }

    /// Whether this is a response.
    pub fn is_response(&self) -> bool {
        self.flags.contains(HeaderFlags::SERVER_TO_REDIR)
    }
}

macro_rules! commands {
    ($($name:ident = $value:literal,)*) => {
        impl Command {
            $(#[doc = concat!("SMB2 ", stringify!($name))] pub const $name: Self = Self($value);)*

            /// The specification's name, if there is one for this number.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    NEGOTIATE = 0, SESSION_SETUP = 1, LOGOFF = 2, TREE_CONNECT = 3, TREE_DISCONNECT = 4,
    CREATE = 5, CLOSE = 6, FLUSH = 7, READ = 8, WRITE = 9, LOCK = 10, IOCTL = 11,
    CANCEL = 12, ECHO = 13, QUERY_DIRECTORY = 14, CHANGE_NOTIFY = 15, QUERY_INFO = 16,
    SET_INFO = 17, OPLOCK_BREAK = 18,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "command 0x{:04X}", self.0),
        }
    }
}

impl Dialect {
    /// SMB 2.0.2.
    pub const SMB202: Self = Self(0x0202);
    /// SMB 2.1.
    pub const SMB210: Self = Self(0x0210);
    /// SMB 3.0.
    pub const SMB300: Self = Self(0x0300);
    /// SMB 3.0.2.
    pub const SMB302: Self = Self(0x0302);
    /// SMB 3.1.1.
    pub const SMB311: Self = Self(0x0311);
    /// The wildcard that answers an SMB1 NEGOTIATE: "2, and we shall see which".
    pub const WILDCARD: Self = Self(0x02FF);
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SMB202 => f.write_str("2.0.2"),
            Self::SMB210 => f.write_str("2.1"),
            Self::SMB300 => f.write_str("3.0"),
            Self::SMB302 => f.write_str("3.0.2"),
            Self::SMB311 => f.write_str("3.1.1"),
            Self::WILDCARD => f.write_str("2.???"),
            Self(other) => write!(f, "0x{other:04X}"),
        }
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl HeaderFlags {
    /// A response.
    pub const SERVER_TO_REDIR: Self = Self(0x0000_0001);
    /// The asynchronous form of the header.
    pub const ASYNC: Self = Self(0x0000_0002);
    /// Takes ids from the message before it in the compound.
    pub const RELATED: Self = Self(0x0000_0004);
    /// Signed.
    pub const SIGNED: Self = Self(0x0000_0008);
    /// The three bits of the I/O priority, dialect 3.1.1.
    pub const PRIORITY_MASK: Self = Self(0x0000_0070);
    /// A DFS operation.
    pub const DFS: Self = Self(0x1000_0000);
    /// A replay after a channel failed.
    pub const REPLAY: Self = Self(0x2000_0000);

    /// Whether every flag of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl ops::BitOr for HeaderFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ops::BitOrAssign for HeaderFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl ops::BitAnd for HeaderFlags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl ops::Not for HeaderFlags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl FileId {
    /// "The open of the message before me", in a related compound request; also "no
    /// file" in an IOCTL on the share.
    pub const ALL_ONES: Self = Self {
        persistent: u64::MAX,
        volatile: u64::MAX,
    };
}

/// [`FileId`] in a fixed part.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct RawFileId {
    persistent: U64,
    volatile: U64,
}

impl From<FileId> for RawFileId {
    fn from(id: FileId) -> Self {
        Self {
            persistent: id.persistent.into(),
            volatile: id.volatile.into(),
        }
    }
}

impl From<RawFileId> for FileId {
    fn from(id: RawFileId) -> Self {
        Self {
            persistent: id.persistent.get(),
            volatile: id.volatile.get(),
        }
    }
}
