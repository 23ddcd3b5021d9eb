//! [`Usage`].

use super::{Budget, Resource};

/// What all peers together hold of a server, as its budgets count it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// File descriptors: of connections, open files, directories.
    pub descriptors: u32,
    /// Opens of files, directories and pipes.
    pub opens: u32,
    /// Byte-range locks, granted or waited for.
    pub locks: u32,
    /// Directories watched for changes.
    pub watchers: u32,
    /// Requests that wait.
    pub pending_requests: u32,
    /// Bytes of memory.
    pub bytes: u32,
    /// Connections.
    pub connections: u32,
    /// Logons begun and not finished.
    pub logons: u32,
}

impl Budget {
    /// What is held at this moment.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            descriptors: self.held(Resource::Descriptors),
            opens: self.held(Resource::Opens),
            locks: self.held(Resource::Locks),
            watchers: self.held(Resource::Watchers),
            pending_requests: self.held(Resource::PendingRequests),
            bytes: self.held(Resource::Bytes),
            connections: self.held(Resource::Connections),
            logons: self.held(Resource::Logons),
        }
    }
}
