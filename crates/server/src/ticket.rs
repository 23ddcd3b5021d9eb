//! [`Ticket`].

/// Names one request of one connection while it waits: the number of the connection in the
/// upper half, that of the request in the lower. It is the AsyncId on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ticket(pub(crate) u64);

impl Ticket {
    pub(crate) fn new(connection: u32, request: u32) -> Self {
        Self(u64::from(connection) << 32 | u64::from(request))
    }

    /// The number of its connection.
    pub(crate) fn connection(self) -> u32 {
        (self.0 >> 32) as u32
    }
}
