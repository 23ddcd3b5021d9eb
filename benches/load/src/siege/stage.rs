//! [`Stage`]: what everybody in a siege knows.

use std::sync::atomic::{AtomicU8, Ordering};

// 0, where it starts: nobody attacks.
const ATTACK: u8 = 1;
const END: u8 = 2;

/// Where the siege is.
#[derive(Debug, Default)]
pub(super) struct Stage(AtomicU8);

/// Ends the siege when it is dropped.
pub(super) struct End<'a>(&'a Stage);

impl Stage {
    pub(super) fn begin_attack(&self) {
        self.0.store(ATTACK, Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.0.store(END, Ordering::Release);
    }

    pub(super) fn end_when_dropped(&self) -> End<'_> {
        End(self)
    }

    pub(super) fn is_attack(&self) -> bool {
        self.0.load(Ordering::Acquire) == ATTACK
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == END
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
