//! Long buffers between uses, so that a connection that moves files neither asks the system
//! for memory with every request nor holds any while it waits.
//!
//! Each worker thread keeps a short one for what it reads and one for what it writes. Longer
//! ones are few, and shared by all threads: however many threads there are, what is kept
//! stays small beside what clients may hold.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, TryLockError};

/// Shorter buffers come from the allocator as fast.
const WORTH_KEEPING: usize = 32 * 1024;
/// Longest buffer that a thread keeps for itself.
const OWN: usize = 256 * 1024;
/// What is kept of longer ones, for reading and for writing: two with the largest payload.
const SHARED: usize = 2 * (8 * 1024 * 1024 + 128 * 1024);

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

static SHARED_INPUT: Shared = Shared(Mutex::new(Vec::new()));
static SHARED_OUTPUT: Shared = Shared(Mutex::new(Vec::new()));

/// Buffers longer than [`OWN`]. A thread that would have to wait for them does without.
struct Shared(Mutex<Vec<Vec<u8>>>);

impl Shared {
    fn take(&self, length: usize) -> Vec<u8> {
        let Some(mut kept) = self.lock() else {
            return Vec::new();
        };
        let fitting = kept
            .iter()
            .position(|buffer| fits(buffer.capacity(), length));
        fitting.map_or_else(Vec::new, |index| kept.swap_remove(index))
    }

    fn give(&self, buffer: Vec<u8>) {
        let Some(mut kept) = self.lock() else { return };
        // The newest stays: what is worked with now has its length.
        let mut held = buffer.capacity();
        let mut dropped = Vec::new();
        for index in (0..kept.len()).rev() {
            held += kept[index].capacity();
            if held > SHARED {
                held -= kept[index].capacity();
                dropped.push(kept.remove(index));
            }
        }
        kept.push(buffer);
        drop(kept);
        drop(dropped);
    }

    fn lock(&self) -> Option<MutexGuard<'_, Vec<Vec<u8>>>> {
        match self.0.try_lock() {
            Ok(kept) => Some(kept),
            Err(TryLockError::Poisoned(kept)) => Some(kept.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// Long enough, and not so much longer that what is charged for it would be too little.
fn fits(capacity: usize, length: usize) -> bool {
    (length..=length + length / 4).contains(&capacity)
}

/// An empty buffer: for `length` bytes, or without capacity.
pub(super) fn take_input(length: usize) -> Vec<u8> {
    if length < WORTH_KEEPING {
        return Vec::new();
    }
    if length > OWN {
        return SHARED_INPUT.take(length);
    }
    INPUT.with_borrow_mut(|own| match fits(own.capacity(), length) {
        true => std::mem::take(own),
        false => Vec::new(),
    })
}

/// Takes back a buffer for [`take_input`].
pub(super) fn give_input(mut buffer: Vec<u8>) {
    buffer.clear();
    match buffer.capacity() {
        WORTH_KEEPING..=OWN => INPUT.set(buffer),
        length if length > OWN && length <= SHARED => SHARED_INPUT.give(buffer),
        _ => {}
    }
}

/// A buffer of `length` bytes of any content: one that was given back with that length costs
/// nothing.
pub(super) fn take_output(length: usize) -> Vec<u8> {
    let mut buffer = if length > OWN {
        SHARED_OUTPUT.take(length)
    } else if length >= WORTH_KEEPING {
        OUTPUT.with_borrow_mut(|own| match fits(own.capacity(), length) {
            true => std::mem::take(own),
            false => Vec::new(),
        })
    } else {
        Vec::new()
    };
    if buffer.capacity() < length {
        // Zeroed pages come from the system, not from a loop.
        return vec![0; length];
    }
    buffer.resize(length, 0);
    buffer
}

/// Takes back a buffer for [`take_output`], at its full length.
pub(super) fn give_output(buffer: Vec<u8>) {
    match buffer.capacity() {
        WORTH_KEEPING..=OWN => OUTPUT.set(buffer),
        length if length > OWN && length <= SHARED => SHARED_OUTPUT.give(buffer),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_if_it_fits() {
        give_output(vec![7; 100_000]);
        assert_eq!(take_output(200_000).capacity(), 200_000, "too short");
        assert_eq!(take_output(50_000).capacity(), 50_000, "far too long");
        assert_eq!(take_output(90_000), [7; 90_000]);
        assert_eq!(take_output(90_000), [0; 90_000], "it was taken");
        give_input(vec![7; 100_000]);
        let input = take_input(100_000);
        assert_eq!((input.len(), input.capacity()), (0, 100_000));
        assert_eq!(take_input(100_000).capacity(), 0);
    }

    #[test]
    fn long_ones_are_few() {
        let shared = Shared(Mutex::default());
        for _ in 0..20 {
            shared.give(Vec::with_capacity(SHARED / 4));
        }
        assert_eq!(shared.0.lock().unwrap().len(), 4);
        shared.give(Vec::with_capacity(SHARED));
        assert_eq!(shared.0.lock().unwrap().len(), 1);
        assert_eq!(shared.take(SHARED).capacity(), SHARED);
        assert_eq!(shared.take(SHARED).capacity(), 0);
    }
}
