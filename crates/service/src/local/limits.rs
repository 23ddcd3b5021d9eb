//! Every bound of the local socket, with its reason.

use std::time::Duration;

use crate::srvsvc_pipe::MAX_REQUEST_STUB;

/// Bounds on what local callers can make the service hold.
#[derive(Clone, Debug)]
pub struct LocalLimits {
    /// Connections at once: far more than programs on one machine keep. Each may hold a request
    /// of 128 KiB, which no budget counts.
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
    /// Bytes of one request's stub.
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
            max_request_stub: MAX_REQUEST_STUB,
        }
    }
}

impl LocalLimits {
    /// Limits that fit so many descriptors: those that the server keeps back for its own
    /// machine. The same parts of fewer connections are reserved, and for one user.
    pub fn within(descriptors: usize) -> Self {
        let usual = Self::default();
        let connections = usual.connections.min(descriptors);
        let part = |whole: usize| (whole * connections).div_ceil(usual.connections);
        Self {
            connections,
            reserved: part(usual.reserved),
            connections_per_user: part(usual.connections_per_user),
            ..usual
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_descriptors_leave_everybody_his_part() {
        let of = |descriptors| {
            let limits = LocalLimits::within(descriptors);
            let parts = (limits.reserved, limits.connections_per_user);
            (limits.connections, parts)
        };
        assert_eq!(of(3_276), (1_000, (100, 200)));
        assert_eq!(of(51), (51, (6, 11)));
        assert_eq!(of(1), (1, (1, 1)));
    }
}
