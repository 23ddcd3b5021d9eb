//! Byte-range locks of one file ([MS-SMB2] 3.3.5.14, [MS-FSA] 2.1.5.8, 2.1.5.9, 2.1.4.10).
//! It reads no clock and sends nothing: a call says what was granted and which waits ended.
//!
//! How locks are kept: shared and exclusive locks are two search trees, ordered by start.
//! Every node knows the furthest last byte below it, and the furthest of any other open
//! than that one's. A range meets a lock if the lock starts at or before the range's last
//! byte, and ends at or behind its first. So one walk down the tree answers "does a lock
//! (of another open) meet this range?": wherever it turns right, all locks to the left
//! start early enough, and their furthest last byte decides. Nothing has to be scanned,
//! however many locks overlap. The locks of one open form a list besides, so that closing
//! it visits no lock of another.

mod held;
mod range;
mod sequence;
mod tree;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use smb::NtStatus;
use smb::wire::lock::LockElement;
use smb::wire::lock_flags::{
    SMB2_LOCKFLAG_EXCLUSIVE_LOCK, SMB2_LOCKFLAG_FAIL_IMMEDIATELY, SMB2_LOCKFLAG_SHARED_LOCK,
    SMB2_LOCKFLAG_UNLOCK,
};

use super::Ticket;
use held::HeldLocks;
use range::Range;
#[allow(unused_imports)]
pub(crate) use sequence::{LockSequences, Sequence};

/// The locks of one file, and the requests that wait for one. A file without locks keeps
/// none of these: drop it when [`LockList::is_empty`].
///
/// A held lock takes at most 128 bytes. How many locks and waiting requests there may be is
/// for the caller's budget to say.
#[derive(Default)]
pub(crate) struct LockList {
    held: HeldLocks,
    /// In order of arrival. Each of them conflicts with a held lock.
    waiting: VecDeque<Waiting>,
}

/// A lock that was asked for.
#[derive(Clone, Copy)]
struct Wanted {
    open: u32,
    exclusive: bool,
    /// `None`: no bytes, at offset 0.
    range: Option<Range>,
}

struct Waiting {
    ticket: Ticket,
    lock: Wanted,
}

/// What became of a lock request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locked {
    /// All of its locks are held now.
    Granted,
    /// Its ticket comes back in `granted` or `ended`, unless it is cancelled.
    Waits,
}

/// What a request wants to do with a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    /// Everything that changes bytes: WRITE, truncation, zeroing, copying to.
    Write,
}

/// Is this array a series of unlocks ([MS-SMB2] 3.3.5.14)? The first element decides.
pub(crate) fn is_unlock(ranges: &[LockElement]) -> bool {
    let first = ranges.first();
    first.is_some_and(|first| first.flags & SMB2_LOCKFLAG_UNLOCK != 0)
}

impl LockList {
    /// Takes all of these locks or none ([MS-SMB2] 3.3.5.14.2). A lock that comes alone and
    /// without FAIL_IMMEDIATELY waits under `ticket` for its range to become free; without
    /// a ticket it fails instead.
    ///
    /// # Errors
    /// - INVALID_PARAMETER: no element, flags that are no kind of lock, or more than one
    ///   element of which one may wait; found before anything is locked.
    /// - INVALID_LOCK_RANGE: a range goes beyond byte 2^64 - 1.
    /// - LOCK_NOT_GRANTED: a range meets a lock that does not allow it, perhaps one that an
    ///   earlier element took.
    /// - INSUFFICIENT_RESOURCES: 2^32 - 1 locks are held.
    pub(crate) fn lock(
        &mut self,
        open: u32,
        ranges: &[LockElement],
        ticket: Option<Ticket>,
    ) -> Result<Locked, NtStatus> {
        let may_wait = wants_to_wait(ranges)?;
        for (done, element) in ranges.iter().enumerate() {
            let result = match Wanted::new(open, element) {
                Ok(lock) if self.held.conflicts(&lock) => match ticket {
                    Some(ticket) if may_wait => {
                        self.held.add_waiting(open);
                        self.waiting.push_back(Waiting { ticket, lock });
                        return Ok(Locked::Waits);
                    }
                    _ => Err(NtStatus::LOCK_NOT_GRANTED),
                },
                Ok(lock) => self.held.insert(&lock),
                Err(status) => Err(status),
            };
            if let Err(status) = result {
                self.undo(open, &ranges[..done]);
                return Err(status);
            }
        }
        Ok(Locked::Granted)
    }

    /// Releases these locks one after the other ([MS-SMB2] 3.3.5.14.1). What was released
    /// before an error stays released. Waits that end with their lock granted are put into
    /// `granted`, with an error too.
    ///
    /// # Errors
    /// - INVALID_PARAMETER: no element, or one whose flags are not UNLOCK alone. The
    ///   specification lets a server ignore FAIL_IMMEDIATELY here; Samba refuses it, and
    ///   smbtorture wants it refused.
    /// - INVALID_LOCK_RANGE: a range goes beyond byte 2^64 - 1. Samba says RANGE_NOT_LOCKED.
    /// - RANGE_NOT_LOCKED: the open holds no lock of exactly this range.
    pub(crate) fn unlock(
        &mut self,
        open: u32,
        ranges: &[LockElement],
        granted: &mut Vec<Ticket>,
    ) -> Result<(), NtStatus> {
        if ranges.is_empty() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut released: Option<Range> = None;
        let result = ranges.iter().try_for_each(|element| {
            if element.flags != SMB2_LOCKFLAG_UNLOCK {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            let range = Range::of_lock(element.offset, element.length)?;
            // Of two locks of one range the exclusive one goes first ([MS-FSA] 2.1.5.9).
            let found = [true, false].into_iter().any(|exclusive| {
                self.held.remove(&Wanted {
                    open,
                    exclusive,
                    range,
                })
            });
            if !found {
                return Err(NtStatus::RANGE_NOT_LOCKED);
            }
            if let Some(range) = range {
                released = Some(released.map_or(range, |before| before.around(&range)));
            }
            Ok(())
        });
        self.grant_waiting(released, granted);
        result
    }

    /// Releases all locks of an open that is closed. Its own waiting requests are put into
    /// `ended` (they fail with RANGE_NOT_LOCKED), those of others that now hold their lock
    /// into `granted`. Costs nothing but a look-up for an open without locks and waits.
    pub(crate) fn close(&mut self, open: u32, granted: &mut Vec<Ticket>, ended: &mut Vec<Ticket>) {
        if self.held.waiting_of(open) > 0 {
            self.waiting.retain(|waiting| {
                let own = waiting.lock.open == open;
                if own {
                    ended.push(waiting.ticket);
                }
                !own
            });
        }
        let released = self.held.remove_all(open);
        self.grant_waiting(released, granted);
    }

    /// Ends a wait without a lock; false if there is no such wait (any more). It frees
    /// nobody else: waits are held up by locks only.
    pub(crate) fn cancel(&mut self, ticket: Ticket) -> bool {
        let found = self.waiting.iter().position(|one| one.ticket == ticket);
        let Some(waiting) = found.and_then(|index| self.waiting.remove(index)) else {
            return false;
        };
        self.held.remove_waiting(waiting.lock.open);
        true
    }

    /// May `open` read or write these bytes ([MS-FSA] 2.1.4.10 without LockIntent)?
    /// Exclusive locks of others forbid both; shared locks forbid writing, to their own open
    /// as well. No bytes at all conflict with nothing. Bytes beyond 2^64 - 1 do not count.
    ///
    /// # Errors
    /// FILE_LOCK_CONFLICT.
    pub(crate) fn check(
        &self,
        open: u32,
        offset: u64,
        length: u64,
        access: Access,
    ) -> Result<(), NtStatus> {
        let Some(range) = Range::of_bytes(offset, length) else {
            return Ok(());
        };
        let conflict = self.held.exclusive_of_others(open, &range)
            || access == Access::Write && self.held.shared(&range);
        if conflict {
            Err(NtStatus::FILE_LOCK_CONFLICT)
        } else {
            Ok(())
        }
    }

    /// Open.LockCount: how many locks this open holds.
    pub(crate) fn count_of(&self, open: u32) -> u32 {
        self.held.count_of(open)
    }

    /// Locks held in all.
    pub(crate) fn count(&self) -> u32 {
        self.held.count()
    }

    /// Is nothing held, and does nothing wait?
    pub(crate) fn is_empty(&self) -> bool {
        self.held.count() == 0 && self.waiting.is_empty()
    }

    /// What it takes besides itself.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.held.bytes() + self.waiting.capacity() * size_of::<Waiting>()
    }

    /// Releases what the first elements of a failed request took, by kind: an exclusive lock
    /// of the same range that the open held before stays. (Samba releases that one.)
    fn undo(&mut self, open: u32, taken: &[LockElement]) {
        for element in taken {
            let removed = Wanted::new(open, element).is_ok_and(|lock| self.held.remove(&lock));
            debug_assert!(removed, "it was taken a moment ago");
        }
    }

    /// Grants what no longer conflicts, now that locks within `released` are gone.
    ///
    /// A request is judged by the locks that are held, never by requests that wait: that is
    /// what [MS-FSA] 2.1.5.8 says and Samba does. A later request may
    /// therefore overtake one that waits, and an open can never wait for a request that
    /// waits for that same open. When locks go, those who wait are tried in order of
    /// arrival, so of two that want the same bytes the earlier one gets them.
    fn grant_waiting(&mut self, released: Option<Range>, granted: &mut Vec<Ticket>) {
        let Some(released) = released else {
            return;
        };
        let held = &mut self.held;
        self.waiting.retain(|waiting| {
            let lock = &waiting.lock;
            // What held it up is still there, if it was none of the released.
            if !lock.range.is_some_and(|range| range.meets(&released))
                || held.conflicts(lock)
                || held.insert(lock).is_err()
            {
                return true;
            }
            held.remove_waiting(lock.open);
            granted.push(waiting.ticket);
            false
        });
        if self.waiting.len() < self.waiting.capacity() / 4 {
            self.waiting.shrink_to(self.waiting.len() * 2);
        }
    }
}

/// Looks at the flags of a lock request. Says whether it may wait.
fn wants_to_wait(ranges: &[LockElement]) -> Result<bool, NtStatus> {
    let mut waits = false;
    for element in ranges {
        let kind = element.flags & !SMB2_LOCKFLAG_FAIL_IMMEDIATELY;
        if kind != SMB2_LOCKFLAG_SHARED_LOCK && kind != SMB2_LOCKFLAG_EXCLUSIVE_LOCK {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        waits |= kind == element.flags;
    }
    if ranges.is_empty() || ranges.len() > 1 && waits {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(waits)
}

impl Wanted {
    fn new(open: u32, element: &LockElement) -> Result<Self, NtStatus> {
        Ok(Self {
            open,
            exclusive: element.flags & SMB2_LOCKFLAG_EXCLUSIVE_LOCK != 0,
            range: Range::of_lock(element.offset, element.length)?,
        })
    }
}
