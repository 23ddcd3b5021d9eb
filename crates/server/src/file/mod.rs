//! What several opens of one file share.

pub(crate) mod watch;

/// A request that waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Ticket(pub(crate) u64);
