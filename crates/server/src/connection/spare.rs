//! Long buffers between uses. Each worker thread keeps one for what it reads and one for
//! what it writes, so that a connection that moves files neither asks the system for
//! memory with every request nor holds any while it waits.

use std::cell::RefCell;

/// Shorter buffers come from the allocator as fast.
const WORTH_KEEPING: usize = 32 * 1024;
/// Longer ones are rare, and would be held for nothing.
const MOST_KEPT: usize = 8 * 1024 * 1024 + 128 * 1024;

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer, perhaps with capacity.
pub(super) fn take_input() -> Vec<u8> {
    INPUT.take()
}

/// Takes back a buffer for [`take_input`].
pub(super) fn give_input(mut buffer: Vec<u8>) {
    if (WORTH_KEEPING..=MOST_KEPT).contains(&buffer.capacity()) {
        buffer.clear();
        INPUT.set(buffer);
    }
}

/// A buffer of `length` bytes of any content, for `length` of at least [`WORTH_KEEPING`]:
/// one that was given back with that length costs nothing.
pub(super) fn take_output(length: usize) -> Vec<u8> {
    let mut buffer = if length >= WORTH_KEEPING {
        OUTPUT.take()
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
    if buffer.len() >= WORTH_KEEPING && buffer.capacity() <= MOST_KEPT {
        OUTPUT.set(buffer);
    }
}
