//! The server's only source of time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use smb::FileTime;

/// Tells the time; a test gives its own.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> FileTime;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> FileTime {
        SystemTime::now().into()
    }
}

/// A clock that moves when told.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: FileTime) -> Self {
        Self(AtomicU64::new(start.0))
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let steps = u64::try_from(by.as_nanos() / 100).unwrap_or(u64::MAX);
        self.0.fetch_add(steps, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> FileTime {
        FileTime(self.0.load(Ordering::Relaxed))
    }
}
