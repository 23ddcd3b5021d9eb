//! Every bound of the local socket, with its reason.

use std::time::Duration;

/// Bounds on what local callers can make the service hold.
#[derive(Clone, Debug)]
pub struct LocalLimits {
    /// Connections at once: far more than programs on one machine keep, few enough for the
    /// usual limit of descriptors.
    pub connections: usize,
    /// Of these, the last ones are for root and the service's own user, so that they get in
    /// whatever the others do.
    pub reserved: usize,
    /// Connections at once of one user other than those two.
    pub connections_per_user: usize,
    /// Lookups of users at once: each holds a thread, perhaps until a directory server
    /// answers.
    pub lookups: usize,
    /// A caller whose groups are not known after this long is turned away.
    pub lookup: Duration,
    /// A caller that has not bound after this long is dropped: programs bind at once.
    pub handshake: Duration,
    /// A caller from whom no complete request comes for this long is dropped, and has to
    /// connect again: places are few.
    pub idle: Duration,
    /// A caller that has not taken an answer completely after this long is dropped: until
    /// then the service holds it.
    pub write: Duration,
    /// Bytes of one request's stub: a few names, at most 1,024 characters each, and rows that
    /// a client sends along.
    pub max_request_stub: usize,
}

impl Default for LocalLimits {
    fn default() -> Self {
        Self {
            connections: 1_000,
            reserved: 100,
            connections_per_user: 200,
            lookups: 16,
            lookup: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(600),
            write: Duration::from_secs(60),
            max_request_stub: 128 * 1024,
        }
    }
}
