//! The memory behind NetApiBufferAllocate and the answers (lmapibuf.h), with an account of
//! what is handed out: a foreign address is refused instead of trusted.

use std::alloc::{Layout, alloc_zeroed, dealloc, realloc};
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Enough for any type of C (`max_align_t`).
const ALIGNMENT: usize = 16;

/// Size by address. The address is stored inverted, so that a tool that looks for leaks by
/// searching memory for addresses does not take the account for an owner.
static ACCOUNT: Mutex<BTreeMap<usize, u32>> = Mutex::new(BTreeMap::new());

fn account() -> MutexGuard<'static, BTreeMap<usize, u32>> {
    // The map is consistent whenever the lock is free: nothing in between can panic.
    ACCOUNT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(address: *mut u8) -> usize {
    !address.addr()
}

/// `None` if the system cannot have so much (32-bit).
fn layout(size: u32) -> Option<Layout> {
    // A buffer of no bytes has an address of its own too.
    let size = usize::try_from(size).ok()?.max(1);
    Layout::from_size_align(size, ALIGNMENT).ok()
}

/// Zeroed memory; `None` if there is none.
pub(crate) fn allocate(size: u32) -> Option<NonNull<u8>> {
    let layout = layout(size)?;
    // SAFETY: the layout's size is at least 1.
    let buffer = NonNull::new(unsafe { alloc_zeroed(layout) })?;
    account().insert(key(buffer.as_ptr()), size);
    Some(buffer)
}

/// Frees it; false if it is not (or not any more) in the account.
pub(crate) fn free(address: *mut u8) -> bool {
    let Some(size) = account().remove(&key(address)) else {
        return false;
    };
    if let Some(layout) = layout(size) {
        // SAFETY: the account had the address, so it came from `allocate` or `reallocate` with
        // this layout, and nobody else has taken it out.
        unsafe { dealloc(address, layout) };
    }
    true
}

/// The size asked for; `None` if it is not in the account.
pub(crate) fn size(address: *mut u8) -> Option<u32> {
    account().get(&key(address)).copied()
}

/// Why a buffer keeps its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not in the account.
    Foreign,
    /// There is no memory.
    NoMemory,
}

/// Another size, not 0, for a buffer; what is new is zeroed. On refusal it stays as it was.
pub(crate) fn reallocate(address: *mut u8, new: u32) -> Result<NonNull<u8>, Refusal> {
    // Held throughout: no second caller may free what is being moved.
    let mut account = account();
    let old = *account.get(&key(address)).ok_or(Refusal::Foreign)?;
    let old_layout = layout(old).ok_or(Refusal::NoMemory)?;
    let new_layout = layout(new).ok_or(Refusal::NoMemory)?;
    // SAFETY: the account has the address, so it was allocated with this layout; the new size
    // is not 0 and, rounded up to the alignment, no more than isize::MAX, as `layout` has
    // checked.
    let moved = unsafe { realloc(address, old_layout, new_layout.size()) };
    let moved = NonNull::new(moved).ok_or(Refusal::NoMemory)?;
    account.remove(&key(address));
    account.insert(key(moved.as_ptr()), new);
    if let Some(grown @ 1..) = new_layout.size().checked_sub(old as usize) {
        // SAFETY: the bytes from the old size to the new one are inside the new allocation.
        unsafe { moved.add(old as usize).write_bytes(0, grown) };
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_lives_until_it_is_freed_once() {
        let buffer = allocate(100).unwrap().as_ptr();
        assert_eq!(buffer.addr() % ALIGNMENT, 0);
        assert_eq!(size(buffer), Some(100));
        // SAFETY: inside the buffer.
        assert!((0..100).all(|place| unsafe { buffer.add(place).read() } == 0));
        assert!(!free(buffer.wrapping_add(16)));
        assert!(free(buffer));
        assert_eq!(size(buffer), None);
        assert!(!free(buffer));
    }

    #[test]
    fn no_bytes_have_an_address() {
        let (one, other) = (allocate(0).unwrap(), allocate(0).unwrap());
        assert_ne!(one, other);
        assert_eq!(size(one.as_ptr()), Some(0));
        assert!(free(one.as_ptr()) && free(other.as_ptr()));
    }

    #[test]
    fn another_size_keeps_what_fits_and_zeroes_the_rest() {
        let buffer = allocate(4).unwrap();
        // SAFETY: inside the buffer.
        unsafe { buffer.write_bytes(7, 4) };
        let larger = reallocate(buffer.as_ptr(), 100_000).unwrap();
        assert_eq!(size(larger.as_ptr()), Some(100_000));
        // SAFETY: inside the buffer.
        let bytes = unsafe { std::slice::from_raw_parts(larger.as_ptr(), 100_000) };
        assert_eq!(&bytes[..4], [7; 4]);
        assert!(bytes[4..].iter().all(|byte| *byte == 0));
        let smaller = reallocate(larger.as_ptr(), 2).unwrap();
        assert_eq!(size(smaller.as_ptr()), Some(2));
        assert!(free(smaller.as_ptr()));
        let mut local = 0u8;
        assert_eq!(reallocate(&raw mut local, 2), Err(Refusal::Foreign));
        assert!(!free(&raw mut local));
    }
}
