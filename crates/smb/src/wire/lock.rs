//! LOCK ([MS-SMB2] 2.2.26, 2.2.27).

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::header::RawFileId;
use super::{Error, FileId, Header, codec};

/// Ranges accepted in one request. Windows refuses no number, but no client known
/// sends more than a few; 64 ranges take 1.5 KiB.
pub const MAX_LOCKS: usize = 64;

/// LOCK request ([MS-SMB2] 2.2.26).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockRequest {
    /// LockSequenceNumber in the low four bits, LockSequenceIndex above; reserved in 2.0.2.
    pub lock_sequence: u32,
    /// The open.
    pub file_id: FileId,
    /// One to [`MAX_LOCKS`] ranges.
    pub locks: Vec<LockElement>,
}

/// SMB2_LOCK_ELEMENT ([MS-SMB2] 2.2.26.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockElement {
    /// First byte.
    pub offset: u64,
    /// Bytes; 0 is legal.
    pub length: u64,
    /// [`lock_flags`](super::lock_flags).
    pub flags: u32,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawLockElement {
    offset: U64,
    length: U64,
    flags: U32,
    reserved: U32,
}

// StructureSize counts the first element, so at least one is always there.
fixed!(Request, "LOCK request", 48 {
    lock_count: U16,
    lock_sequence: U32,
    file_id: RawFileId,
    first: RawLockElement,
});

impl LockRequest {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`]; no range or more than [`MAX_LOCKS`] is [`Error::Count`].
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "LOCK request Locks";
        let fixed = codec::body::<Request>(message)?;
        let count = usize::from(fixed.lock_count.get());
        if count == 0 || count > MAX_LOCKS {
            return Err(Error::Count {
                what: WHAT,
                count,
                limit: MAX_LOCKS,
            });
        }
        let first = Header::SIZE + size_of::<Request>() - size_of::<RawLockElement>();
        let length = count * size_of::<RawLockElement>();
        let mut bytes = codec::within(message, WHAT, first, first, length)?;
        let mut locks = Vec::with_capacity(count);
        for _ in 0..count {
            let (raw, rest) = codec::prefix::<RawLockElement>(WHAT, bytes)?;
            locks.push(LockElement {
                offset: raw.offset.get(),
                length: raw.length.get(),
                flags: raw.flags.get(),
            });
            bytes = rest;
        }
        Ok(Self {
            lock_sequence: fixed.lock_sequence.get(),
            file_id: fixed.file_id.into(),
            locks,
        })
    }

    /// Appends the body. Without a range the message is one that [`Self::read`]
    /// refuses; ranges beyond 65535 are left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        let locks = &self.locks[..self.locks.len().min(usize::from(u16::MAX))];
        let (first, rest) = match locks.split_first() {
            Some((first, rest)) => (*first, rest),
            None => (LockElement::default(), locks),
        };
        let fixed = Request {
            structure_size: U16::new(48),
            lock_count: U16::new(locks.len() as u16),
            lock_sequence: self.lock_sequence.into(),
            file_id: self.file_id.into(),
            first: first.into(),
        };
        codec::put(out, &fixed);
        for lock in rest {
            codec::put(out, &RawLockElement::from(*lock));
        }
    }
}

impl From<LockElement> for RawLockElement {
    fn from(lock: LockElement) -> Self {
        Self {
            offset: lock.offset.into(),
            length: lock.length.into(),
            flags: lock.flags.into(),
            reserved: U32::ZERO,
        }
    }
}

empty_message! {
    /// LOCK response ([MS-SMB2] 2.2.27).
    LockResponse, "LOCK response"
}
