//! [`Announcement`].

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the client has been told of an open. Before that, a break of its oplock would
/// name something that the client does not know.
pub(crate) struct Announcement {
    /// The open.
    pub(crate) id: u32,
    made: AtomicBool,
}

impl Announcement {
    pub(crate) fn of(id: u32) -> Self {
        Self {
            id,
            made: AtomicBool::new(false),
        }
    }

    /// The client knows the open: breaks may be sent.
    pub(crate) fn is_announced(&self) -> bool {
        self.made.load(Ordering::Acquire)
    }

    pub(crate) fn set_announced(&self) {
        self.made.store(true, Ordering::Release);
    }
}
