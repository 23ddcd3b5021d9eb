//! A range of bytes, which may be empty.

use smb::NtStatus;

/// From `start` to `last`, both inclusive, so that byte 2^64 - 1 has room.
///
/// An empty range ends before it starts: `last` is `start` - 1. By the comparison of
/// [`Range::meets`] it conflicts with what reaches over its offset from both sides, and with
/// nothing that begins or ends there, as [MS-FSA] 2.1.4.10 has it. The empty range at 0
/// conflicts with nothing at all, and is no `Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) last: u64,
}

impl Range {
    pub(super) const ALL: Self = Self {
        start: 0,
        last: u64::MAX,
    };

    /// The range of a lock; `None` is the empty one at 0. Errs with INVALID_LOCK_RANGE if
    /// it has a byte beyond 2^64 - 1.
    pub(super) fn of_lock(offset: u64, length: u64) -> Result<Option<Self>, NtStatus> {
        let last = match (offset, length) {
            (0, 0) => return Ok(None),
            (_, 0) => offset - 1,
            _ => offset
                .checked_add(length - 1)
                .ok_or(NtStatus::INVALID_LOCK_RANGE)?,
        };
        Ok(Some(Self {
            start: offset,
            last,
        }))
    }

    /// The bytes that are read or written; `None` if there are none.
    pub(super) fn of_bytes(offset: u64, length: u64) -> Option<Self> {
        Some(Self {
            start: offset,
            last: offset.saturating_add(length.checked_sub(1)?),
        })
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.start <= other.last && other.start <= self.last
    }

    /// Meets whatever one of the two meets.
    pub(super) fn around(&self, other: &Self) -> Self {
        Self {
            start: self.start.min(other.start),
            last: self.last.max(other.last),
        }
    }
}
