//! What locks cost, in memory and in steps.

use super::{A, B, C, GRANTED, REFUSED};
use crate::file::lock::tree::Node;
use crate::file::lock::{LockList, Waiting};

#[test]
fn an_empty_list_has_taken_no_memory() {
    let mut list = LockList::default();
    assert_eq!(list.bytes(), 0);
    assert!(list.is_empty());
    list.exclusive(A, 0, 1).unwrap();
    assert!(!list.is_empty());
}

/// Locks of `count` opens in turn, `total` in all, in an order that is neither random nor
/// sorted, of all lengths, overlapping if they are shared.
fn filled(total: u64, opens: u64) -> LockList {
    let mut list = LockList::default();
    for number in 0..total {
        let (open, place) = ((10 + number % opens) as u32, number * 7_919 % total);
        if number % 2 == 0 {
            list.exclusive(open, place * 8, 8).unwrap();
        } else {
            let half = (1 << 40) + place;
            list.share(open, half, 1 + number * number % (1 << 20))
                .unwrap();
        }
    }
    list
}

#[test]
fn a_held_lock_takes_at_most_128_bytes() {
    assert_eq!(size_of::<Node>(), 64);
    assert_eq!(size_of::<Waiting>(), 40);
    // The worst case: every lock is of an open of its own.
    for (total, opens) in [(100_000, 1), (100_003, 100_003), (57_345, 57_345)] {
        let list = filled(total, opens);
        let each = list.bytes() / total as usize;
        assert!(each <= 128, "{each} bytes, {total} locks of {opens} opens");
    }
}

#[test]
fn memory_goes_back_while_some_locks_stay() {
    let mut list = filled(20_000, 5_000);
    list.exclusive(A, 1 << 50, 1).unwrap();
    for open in 10..5_010 {
        list.closes(open);
    }
    assert_eq!(list.count(), 1);
    assert!(list.bytes() < 8 << 10, "{} bytes", list.bytes());
    list.assert_sound();
}

#[test]
fn a_look_up_among_many_locks_takes_few_steps() {
    let mut sorted = LockList::default();
    for number in 0..100_000 {
        sorted.share(A, number, 100_000).unwrap();
    }
    for mut list in [sorted, filled(100_000, 3)] {
        let (shared, exclusive) = list.assert_sound();
        // An AVL tree is never higher than 1.45 log2 of its nodes.
        assert!(shared.max(exclusive) <= 24, "{shared}, {exclusive}");
    }
}

#[test]
fn locks_that_end_just_before_do_not_conflict() {
    // What defeats a scan of neighbours: many locks that start near and end too early,
    // among them one that starts far away and reaches over.
    let mut list = LockList::default();
    for number in 0..5_000 {
        list.share(A, number, 10_000 - number).unwrap();
    }
    assert_eq!(list.exclusive(B, 10_000, 1), GRANTED);
    assert_eq!(list.exclusive(B, 9_999, 1), REFUSED);
    list.release(B, 10_000, 1).unwrap();
    list.share(C, 2_500, 10_000).unwrap();
    assert_eq!(list.exclusive(B, 10_000, 1), REFUSED);
}
