//! A test for each rule. Many of them ask what smbtorture's smb2.lock asks.

mod cost;
mod waiting;

use smb::NtStatus;
use smb::wire::lock::LockElement;
use smb::wire::lock_flags;

use super::range::Range;
use super::{Access, LockList, Locked, Waiting, is_unlock};
use crate::file::Ticket;

pub(super) const SHARED: u32 = lock_flags::SMB2_LOCKFLAG_SHARED_LOCK;
pub(super) const EXCLUSIVE: u32 = lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK;
pub(super) const UNLOCK: u32 = lock_flags::SMB2_LOCKFLAG_UNLOCK;
pub(super) const NOW: u32 = lock_flags::SMB2_LOCKFLAG_FAIL_IMMEDIATELY;

const GRANTED: Result<Locked, NtStatus> = Ok(Locked::Granted);
const WAITS: Result<Locked, NtStatus> = Ok(Locked::Waits);
const REFUSED: Result<Locked, NtStatus> = Err(NtStatus::LOCK_NOT_GRANTED);
const CONFLICT: Result<(), NtStatus> = Err(NtStatus::FILE_LOCK_CONFLICT);
const NOT_LOCKED: Result<(), NtStatus> = Err(NtStatus::RANGE_NOT_LOCKED);
const INVALID: NtStatus = NtStatus::INVALID_PARAMETER;

/// Three opens.
const A: u32 = 1;
const B: u32 = 2;
const C: u32 = 3;

pub(super) fn element(offset: u64, length: u64, flags: u32) -> LockElement {
    LockElement {
        offset,
        length,
        flags,
    }
}

impl LockList {
    fn exclusive(&mut self, open: u32, offset: u64, length: u64) -> Result<Locked, NtStatus> {
        self.lock(open, &[element(offset, length, EXCLUSIVE | NOW)], None)
    }

    fn share(&mut self, open: u32, offset: u64, length: u64) -> Result<Locked, NtStatus> {
        self.lock(open, &[element(offset, length, SHARED | NOW)], None)
    }

    /// A lock that may wait.
    fn wait(&mut self, open: u32, range: (u64, u64), flags: u32, ticket: u64) -> bool {
        let range = element(range.0, range.1, flags);
        self.lock(open, &[range], Some(Ticket(ticket))) == WAITS
    }

    fn release(&mut self, open: u32, offset: u64, length: u64) -> Result<(), NtStatus> {
        self.unlock(open, &[element(offset, length, UNLOCK)], &mut Vec::new())
    }

    /// Unlocks; gives the tickets whose wait ended.
    fn grants(&mut self, open: u32, offset: u64, length: u64) -> Vec<u64> {
        let mut granted = Vec::new();
        let range = element(offset, length, UNLOCK);
        assert_eq!(self.unlock(open, &[range], &mut granted), Ok(()));
        numbers(granted)
    }

    /// Closes; gives the tickets granted to others and ended.
    fn closes(&mut self, open: u32) -> (Vec<u64>, Vec<u64>) {
        let (mut granted, mut ended) = (Vec::new(), Vec::new());
        self.close(open, &mut granted, &mut ended);
        (numbers(granted), numbers(ended))
    }

    fn read(&self, open: u32, offset: u64, length: u64) -> Result<(), NtStatus> {
        self.check(open, offset, length, Access::Read)
    }

    fn write(&self, open: u32, offset: u64, length: u64) -> Result<(), NtStatus> {
        self.check(open, offset, length, Access::Write)
    }

    /// The heights of the trees, after a look at all that must hold.
    pub(super) fn assert_sound(&mut self) -> (u8, u8) {
        let waiting = self.waiting.iter().map(|waiting| &waiting.lock);
        for lock in waiting {
            assert!(self.held.conflicts(lock), "whoever waits is held up");
            let same = |other: &&Waiting| other.lock.open == lock.open;
            let waits = self.waiting.iter().filter(same).count();
            assert_eq!(self.held.waiting_of(lock.open) as usize, waits);
        }
        assert_eq!(self.held.waiting() as usize, self.waiting.len());
        self.held.assert_sound()
    }
}

fn numbers(tickets: Vec<Ticket>) -> Vec<u64> {
    tickets.into_iter().map(|ticket| ticket.0).collect()
}

#[test]
fn flags_are_one_kind_of_lock_perhaps_with_fail_immediately() {
    for flags in 0..0x40 {
        let mut list = LockList::default();
        let result = list.lock(A, &[element(0, 1, flags)], None);
        let kind = flags & !NOW;
        if kind == SHARED || kind == EXCLUSIVE {
            assert_eq!(result, GRANTED, "{flags:#x}");
        } else {
            assert_eq!(result, Err(INVALID), "{flags:#x}");
            assert!(list.is_empty());
        }
    }
    assert_eq!(LockList::default().lock(A, &[], None), Err(INVALID));
}

#[test]
fn unlock_flags_are_unlock_alone() {
    for flags in 0..0x40 {
        let mut list = LockList::default();
        list.exclusive(A, 0, 1).unwrap();
        let result = list.unlock(A, &[element(0, 1, flags)], &mut Vec::new());
        let expected = if flags == UNLOCK {
            Ok(())
        } else {
            Err(INVALID)
        };
        assert_eq!(result, expected, "{flags:#x}");
        assert_eq!(list.is_empty(), result.is_ok());
    }
    let nothing = LockList::default().unlock(A, &[], &mut Vec::new());
    assert_eq!(nothing, Err(INVALID));
}

#[test]
fn the_first_element_says_whether_it_is_an_unlock() {
    let [lock, unlock] = [EXCLUSIVE | NOW, UNLOCK].map(|flags| element(0, 1, flags));
    assert!(is_unlock(&[unlock, lock]));
    assert!(!is_unlock(&[lock, unlock]));
    assert!(!is_unlock(&[]));
}

#[test]
fn an_array_of_locks_must_not_wait() {
    let mut list = LockList::default();
    let ranges = [element(0, 1, SHARED | NOW), element(1, 1, SHARED)];
    assert_eq!(list.lock(A, &ranges, Some(Ticket(1))), Err(INVALID));
    assert!(list.is_empty());
}

#[test]
fn an_array_of_locks_is_all_or_nothing() {
    let mut list = LockList::default();
    list.exclusive(B, 10, 10).unwrap();
    let ranges = [(0, 10), (20, 5), (15, 1)].map(|(o, l)| element(o, l, EXCLUSIVE | NOW));
    assert_eq!(list.lock(A, &ranges, None), REFUSED);
    assert_eq!(list.count_of(A), 0);
    assert_eq!(list.exclusive(C, 0, 10), GRANTED);

    // The later element meets the earlier one of the same array.
    let ranges = [(50, 10), (55, 10)].map(|(o, l)| element(o, l, EXCLUSIVE | NOW));
    assert_eq!(list.lock(A, &ranges, None), REFUSED);

    let ranges = [
        element(50, 10, EXCLUSIVE | NOW),
        element(u64::MAX, 2, SHARED | NOW),
    ];
    let beyond = Err(NtStatus::INVALID_LOCK_RANGE);
    assert_eq!(list.lock(A, &ranges, None), beyond);
    assert_eq!((list.count_of(A), list.count()), (0, 2));
    list.assert_sound();
}

#[test]
fn what_is_undone_is_what_was_taken() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 10).unwrap();
    list.exclusive(B, 20, 1).unwrap();
    let ranges = [element(0, 10, SHARED | NOW), element(20, 1, SHARED | NOW)];
    assert_eq!(list.lock(A, &ranges, None), REFUSED);
    assert_eq!(list.read(B, 0, 1), CONFLICT, "still exclusive");
}

#[test]
fn locks_mixed_with_unlocks_lock_nothing() {
    let mut list = LockList::default();
    list.exclusive(A, 10, 10).unwrap();
    let ranges = [element(0, 10, EXCLUSIVE | NOW), element(10, 10, UNLOCK)];
    assert_eq!(list.lock(A, &ranges, None), Err(INVALID));
    assert_eq!(list.exclusive(A, 0, 10), GRANTED);
    assert_eq!(list.exclusive(A, 10, 10), REFUSED);
}

#[test]
fn an_array_of_unlocks_stays_done_up_to_its_error() {
    let mut list = LockList::default();
    let both = [element(0, 10, UNLOCK), element(10, 10, UNLOCK)];
    list.exclusive(A, 10, 10).unwrap();
    assert_eq!(list.unlock(A, &both, &mut Vec::new()), NOT_LOCKED);
    assert_eq!(list.count_of(A), 1, "stopped at the first");

    list.exclusive(A, 0, 10).unwrap();
    list.release(A, 10, 10).unwrap();
    let mut granted = Vec::new();
    assert!(list.wait(B, (0, 5), SHARED, 7));
    assert_eq!(list.unlock(A, &both, &mut granted), NOT_LOCKED);
    assert_eq!(granted, [Ticket(7)], "granted in spite of the error");
    assert_eq!(list.count_of(A), 0);

    list.exclusive(A, 20, 1).unwrap();
    let mixed = [element(20, 1, UNLOCK), element(30, 1, EXCLUSIVE | NOW)];
    assert_eq!(list.unlock(A, &mixed, &mut granted), Err(INVALID));
    assert_eq!(list.count_of(A), 0);
}

#[test]
fn an_unlock_names_exactly_what_its_open_locked() {
    let mut list = LockList::default();
    list.exclusive(A, 10, 10).unwrap();
    for (offset, length) in [(10, 9), (10, 11), (9, 11), (11, 9), (10, 0), (0, 0)] {
        assert_eq!(list.release(A, offset, length), NOT_LOCKED);
    }
    assert_eq!(list.release(B, 10, 10), NOT_LOCKED);
    assert_eq!(list.release(A, 10, 10), Ok(()));
    assert_eq!(list.release(A, 10, 10), NOT_LOCKED);

    list.share(A, 110, 4).unwrap();
    list.share(A, 112, 4).unwrap();
    assert_eq!(list.release(A, 110, 6), NOT_LOCKED, "locks do not merge");
}

#[test]
fn shared_locks_stack_and_each_is_unlocked_for_itself() {
    let mut list = LockList::default();
    for open in [A, A, B, B] {
        assert_eq!(list.share(open, 0, 10), GRANTED);
    }
    assert_eq!(
        (list.count_of(A), list.count_of(B), list.count()),
        (2, 2, 4)
    );
    assert_eq!(list.release(A, 0, 10), Ok(()));
    assert_eq!(list.release(A, 0, 10), Ok(()));
    assert_eq!(list.release(A, 0, 10), NOT_LOCKED);
    assert_eq!(list.exclusive(A, 9, 1), REFUSED);
    list.assert_sound();
}

#[test]
fn a_shared_lock_stacks_on_the_exclusive_one_of_its_own_open_only() {
    let mut list = LockList::default();
    assert_eq!(list.exclusive(A, 0, 10), GRANTED);
    assert_eq!(list.share(A, 0, 10), GRANTED);
    assert_eq!(list.share(A, 5, 10), GRANTED);
    assert_eq!(list.share(B, 9, 1), REFUSED);
}

#[test]
fn an_exclusive_lock_stacks_on_nothing() {
    let mut list = LockList::default();
    list.share(A, 0, 10).unwrap();
    assert_eq!(list.exclusive(A, 9, 2), REFUSED);
    list.exclusive(A, 20, 4).unwrap();
    assert_eq!(list.exclusive(A, 20, 4), REFUSED);
    assert_eq!(list.exclusive(A, 22, 4), REFUSED);
    assert_eq!(list.exclusive(A, 24, 4), GRANTED);
}

#[test]
fn of_stacked_locks_the_exclusive_one_is_unlocked_first() {
    for (offset, length) in [(10, 10), (10, 0)] {
        let mut list = LockList::default();
        list.exclusive(A, offset, length).unwrap();
        list.share(A, offset, length).unwrap();
        assert_eq!(list.share(B, 5, 10), REFUSED);
        list.release(A, offset, length).unwrap();
        assert_eq!(list.share(B, 5, 10), GRANTED);
        assert_eq!(list.exclusive(B, 5, 10), REFUSED, "the shared one is left");
    }
}

#[test]
fn locks_conflict_by_open() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 4).unwrap();
    assert_eq!(list.exclusive(B, 2, 4), REFUSED);
    assert_eq!(list.share(B, 2, 4), REFUSED);
    assert_eq!(list.exclusive(B, 4, 4), GRANTED);
}

#[test]
fn a_lock_without_bytes_conflicts_with_what_reaches_over_its_offset() {
    let conflicts = [(9, 2), (9, 3)];
    let free = [
        (10, 0),
        (9, 1),
        (10, 1),
        (11, 1),
        (10, 2),
        (9, 0),
        (11, 0),
        (0, 0),
    ];
    for second in [A, B] {
        for (ranges, expected) in [(&conflicts[..], REFUSED), (&free[..], GRANTED)] {
            for &(offset, length) in ranges {
                let mut list = LockList::default();
                list.exclusive(A, 10, 0).unwrap();
                assert_eq!(list.exclusive(second, offset, length), expected);
                let mut list = LockList::default();
                list.exclusive(A, offset, length).unwrap();
                assert_eq!(list.exclusive(second, 10, 0), expected);
            }
        }
    }
}

#[test]
fn a_lock_without_bytes_at_0_conflicts_with_nothing_and_counts() {
    let mut list = LockList::default();
    list.exclusive(A, 0, u64::MAX).unwrap();
    for open in [A, B, B] {
        assert_eq!(list.exclusive(open, 0, 0), GRANTED);
    }
    assert_eq!((list.count_of(B), list.count()), (2, 4));
    assert_eq!(list.release(C, 0, 0), NOT_LOCKED);
    list.release(B, 0, 0).unwrap();
    list.closes(A);
    assert_eq!((list.count_of(B), list.count()), (1, 1));
    list.release(B, 0, 0).unwrap();
    assert_eq!(list.release(B, 0, 0), NOT_LOCKED);
    assert!(list.is_empty());
}

#[test]
fn ranges_reach_to_the_last_byte_and_not_beyond() {
    let mut list = LockList::default();
    let beyond = NtStatus::INVALID_LOCK_RANGE;
    for (offset, length) in [(u64::MAX, 2), (u64::MAX, u64::MAX), (2, u64::MAX)] {
        assert_eq!(list.exclusive(A, offset, length), Err(beyond));
        let may_wait = [element(offset, length, SHARED)];
        assert_eq!(list.lock(A, &may_wait, Some(Ticket(1))), Err(beyond));
        assert_eq!(list.release(A, offset, length), Err(beyond));
    }
    assert!(list.is_empty());
    for offset in [(1 << 63) - 1, 1 << 63, u64::MAX] {
        assert_eq!(list.exclusive(A, offset, 1), GRANTED);
        assert_eq!(list.exclusive(B, offset, 1), REFUSED);
    }
    assert_eq!(list.exclusive(A, u64::MAX, 0), GRANTED);
    assert_eq!(list.exclusive(B, u64::MAX, 0), GRANTED);
    list.closes(A);
    list.closes(B);
    assert_eq!(list.exclusive(A, 1, u64::MAX), GRANTED);
    assert_eq!(list.exclusive(B, u64::MAX, 1), REFUSED);
    assert_eq!(list.exclusive(B, 0, 1), GRANTED);
}

#[test]
fn an_exclusive_lock_forbids_reads_and_writes_of_others() {
    let mut list = LockList::default();
    list.exclusive(A, 100, 100).unwrap();
    assert_eq!(
        (list.read(A, 0, 200), list.write(A, 0, 200)),
        (Ok(()), Ok(()))
    );
    assert_eq!(
        (list.read(B, 0, 101), list.write(B, 199, 9)),
        (CONFLICT, CONFLICT)
    );
    assert_eq!(
        (list.read(B, 0, 100), list.write(B, 200, 9)),
        (Ok(()), Ok(()))
    );
}

#[test]
fn a_shared_lock_forbids_writes_of_everybody() {
    let mut list = LockList::default();
    list.share(A, 100, 100).unwrap();
    assert_eq!(
        (list.read(A, 0, 200), list.write(A, 100, 1)),
        (Ok(()), CONFLICT)
    );
    assert_eq!(
        (list.read(B, 0, 200), list.write(B, 199, 1)),
        (Ok(()), CONFLICT)
    );
}

#[test]
fn no_bytes_conflict_with_nothing() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 10).unwrap();
    list.exclusive(A, 20, 0).unwrap();
    for offset in [0, 5, 9, 10, 19, 20, 21] {
        assert_eq!(
            (list.read(B, offset, 0), list.write(B, offset, 0)),
            (Ok(()), Ok(()))
        );
    }
    assert_eq!(
        list.read(B, 19, 2),
        CONFLICT,
        "bytes around a lock without bytes"
    );
    assert_eq!((list.read(B, 19, 1), list.read(B, 20, 1)), (Ok(()), Ok(())));
}

#[test]
fn bytes_beyond_the_last_offset_do_not_count() {
    let mut list = LockList::default();
    list.exclusive(A, u64::MAX, 1).unwrap();
    assert_eq!(list.read(B, u64::MAX - 1, u64::MAX), CONFLICT);
    assert_eq!(list.read(A, u64::MAX - 1, u64::MAX), Ok(()));
}

#[test]
fn a_range_without_bytes_at_0_is_none() {
    assert_eq!(Range::of_lock(0, 0), Ok(None));
    let all = Range::of_lock(0, u64::MAX).unwrap().unwrap();
    assert_eq!((all.start, all.last), (0, u64::MAX - 1));
}
