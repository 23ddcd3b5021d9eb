//! Requests that wait.

use super::{A, B, C, EXCLUSIVE, GRANTED, NOT_LOCKED, REFUSED, SHARED, UNLOCK, element};
use crate::file::Ticket;
use crate::file::lock::LockList;

#[test]
fn a_lock_that_comes_alone_waits() {
    let mut list = LockList::default();
    list.exclusive(A, 100, 50).unwrap();
    assert!(list.wait(B, (100, 50), EXCLUSIVE, 1));
    assert_eq!(list.count_of(B), 0, "not held yet");
    assert_eq!(list.release(B, 100, 50), NOT_LOCKED);
    assert_eq!(list.grants(A, 100, 50), [1]);
    assert_eq!((list.count_of(A), list.count_of(B)), (0, 1));
    assert_eq!(list.exclusive(A, 100, 50), REFUSED);
    list.assert_sound();
}

#[test]
fn without_a_ticket_nothing_waits() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 1).unwrap();
    assert_eq!(list.lock(B, &[element(0, 1, EXCLUSIVE)], None), REFUSED);
}

#[test]
fn an_open_waits_for_its_own_lock_too() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 10).unwrap();
    assert!(list.wait(A, (5, 10), EXCLUSIVE, 1));
    assert_eq!(list.grants(A, 0, 10), [1]);
}

#[test]
fn waits_are_granted_in_order_of_arrival() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 10).unwrap();
    assert!(list.wait(B, (0, 10), EXCLUSIVE, 1));
    assert!(list.wait(C, (0, 5), SHARED, 2));
    assert!(list.wait(A, (0, 5), EXCLUSIVE, 3));
    assert_eq!(list.grants(A, 0, 10), [1]);
    assert_eq!(list.grants(B, 0, 10), [2]);
    assert_eq!(list.grants(C, 0, 5), [3]);
}

#[test]
fn all_waits_that_go_together_are_granted_at_once() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 10).unwrap();
    assert!(list.wait(B, (0, 5), SHARED, 1));
    assert!(list.wait(C, (7, 9), EXCLUSIVE, 2));
    assert!(list.wait(C, (0, 9), SHARED, 3));
    assert!(list.wait(B, (9, 1), SHARED, 4));
    assert_eq!(list.grants(A, 0, 10), [1, 2, 3]);
    assert_eq!(list.grants(C, 7, 9), [4]);
}

#[test]
fn an_array_of_unlocks_is_done_before_waits_are_granted() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 10).unwrap();
    list.exclusive(A, 10, 10).unwrap();
    assert!(list.wait(B, (0, 20), EXCLUSIVE, 1));
    assert!(list.wait(C, (0, 10), EXCLUSIVE, 2));
    let both = [element(0, 10, UNLOCK), element(10, 10, UNLOCK)];
    let mut granted = Vec::new();
    list.unlock(A, &both, &mut granted).unwrap();
    assert_eq!(granted, [Ticket(1)], "the earlier one, which needs both");
}

#[test]
fn a_later_request_may_overtake_one_that_waits() {
    let mut list = LockList::default();
    list.share(A, 0, 10).unwrap();
    assert!(list.wait(B, (0, 20), EXCLUSIVE, 1));
    // Judged by held locks alone. Else A would wait for B, which waits for A.
    assert_eq!(list.share(A, 5, 1), GRANTED);
    assert_eq!(list.exclusive(C, 15, 5), GRANTED);
    assert!(list.grants(A, 0, 10).is_empty());
    assert!(list.grants(A, 5, 1).is_empty());
    assert_eq!(list.grants(C, 15, 5), [1]);
}

#[test]
fn a_cancelled_wait_ends_without_a_lock() {
    let mut list = LockList::default();
    list.exclusive(A, 0, 10).unwrap();
    assert!(list.wait(B, (0, 10), EXCLUSIVE, 1));
    assert!(list.wait(C, (0, 10), EXCLUSIVE, 2));
    assert!(list.cancel(Ticket(1)));
    assert!(!list.cancel(Ticket(1)));
    assert_eq!(list.grants(A, 0, 10), [2]);
    assert!(!list.cancel(Ticket(2)), "granted already");
    assert_eq!(list.count_of(B), 0);
}

#[test]
fn closing_releases_the_locks_and_ends_the_waits_of_that_open() {
    let mut list = LockList::default();
    for offset in 0..20 {
        list.exclusive([A, B][offset as usize % 2], offset, 1)
            .unwrap();
    }
    assert!(list.wait(A, (1, 1), EXCLUSIVE, 1));
    assert!(list.wait(C, (4, 1), EXCLUSIVE, 2));
    assert!(list.wait(C, (5, 1), EXCLUSIVE, 3));
    assert_eq!(list.closes(A), (vec![2], vec![1]));
    assert_eq!(
        (list.count_of(A), list.count_of(B), list.count_of(C)),
        (0, 10, 1)
    );
    assert_eq!(list.closes(A), (vec![], vec![]));
    assert_eq!(list.closes(C), (vec![], vec![3]));
    assert_eq!(list.closes(B), (vec![], vec![]));
    assert!(list.is_empty());
    list.assert_sound();
}
