//! Requests that wait, whatever they wait for: data of a pipe, a break of somebody's oplock,
//! a lock, a change, a store ([MS-SMB2] 3.3.1.4 AsyncCommandList).
//!
//! A [`PendingRequest`] belongs to its connection and owns its message, its place in its
//! compound and the rest of that compound. Whoever makes it ready posts an
//! [`Outcome`] under its [`Ticket`](crate::ticket::Ticket) into the connection's outbox; the
//! connection finishes it.

use tokio::time::Instant;

use super::compound::Compound;
use crate::budget::Charge;
use crate::outcome::Outcome;
use crate::request::{Context, Wait};

/// A request that waits, with all that is needed to go on.
pub(crate) struct PendingRequest {
    pub(crate) context: Context,
    /// Its frame; empty while another thread executes it.
    pub(crate) bytes: Vec<u8>,
    /// Where its own message begins.
    pub(crate) at: usize,
    /// Length of its own message; the rest of the compound lies behind.
    pub(crate) length: usize,
    pub(crate) compound: Compound,
    pub(crate) wait: Wait,
    /// The open that it works on (its volatile FileId).
    pub(crate) works_on: Option<u64>,
    /// When the client is told that it waits; `None` once it has been told.
    pub(crate) interim_at: Option<Instant>,
    /// When it is tried again though nothing has happened.
    pub(crate) until: Option<Instant>,
    /// Credits that its next response grants.
    pub(crate) credits: u16,
    /// For itself, and for its bytes if they were too few to be charged while they came;
    /// `None` if that was refused, and while another thread executes it.
    pub(crate) charge: Option<Charge>,
    /// For its bytes, taken while they came.
    pub(crate) bytes_charge: Option<Charge>,
    /// If there is no memory for its answer by then, it is refused; `None` until it has waited
    /// for that.
    pub(crate) patience: Option<Instant>,
    /// Another thread executes it.
    pub(crate) running: bool,
    /// How it goes on, told while another thread still executed it.
    pub(crate) early: Option<Outcome>,
}

impl PendingRequest {
    /// The client has been told that it waits: the final response carries the AsyncId.
    pub(crate) fn is_async(&self) -> bool {
        self.interim_at.is_none()
    }

    /// It has waited long enough for memory.
    pub(crate) fn has_lost_patience(&self) -> bool {
        self.patience.is_some_and(|end| end <= Instant::now())
    }

    pub(crate) fn waits_for_store(&self) -> bool {
        matches!(self.wait, Wait::Store)
    }
}
