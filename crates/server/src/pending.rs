//! Requests that wait, whatever they wait for: data of a pipe, a break of somebody's oplock,
//! a lock, a change, a store ([MS-SMB2] 3.3.1.4 AsyncCommandList).
//!
//! A [`PendingRequest`] belongs to its connection and owns its message, its place in its
//! compound and the rest of that compound. Whoever makes it ready posts an
//! [`Outcome`](crate::outbox::Outcome) under its [`Ticket`] into the connection's outbox; the
//! connection finishes it.

use std::sync::Arc;

use smb::FileTime;
use smb::wire::{FileId, Header};
use tokio::time::Instant;

use crate::budget::Charge;
use crate::connection::{Compound, Done, Failure, Negotiated, Response};
use crate::file::File;
use crate::open::Open;
use crate::outbox::Outcome;
use crate::session::Session;
pub(crate) use crate::ticket::Ticket;
use crate::tree_connect::TreeConnect;

/// A request that has been admitted, without its message.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) header: Header,
    pub(crate) now: FileTime,
    pub(crate) session: Option<Arc<Session>>,
    pub(crate) tree_connect: Option<Arc<TreeConnect>>,
    /// The FileId of the compound so far, for related requests.
    pub(crate) related_file: Option<FileId>,
    /// The FileId that it names itself, for those behind it.
    pub(crate) named_file: Option<FileId>,
    /// The signature was present and verified.
    pub(crate) signature_valid: bool,
    /// Last of its frame.
    pub(crate) last: bool,
    /// Bytes of data that the answer to its frame has room for.
    pub(crate) room: usize,
    /// What it waits under, if it waits.
    pub(crate) ticket: Ticket,
    /// It builds on a request, but comes behind none.
    pub(crate) follows_nothing: bool,
    /// It has waited before.
    pub(crate) again: bool,
    pub(crate) negotiated: Option<Negotiated>,
}

/// What a request waits for.
#[derive(Clone)]
pub(crate) enum Wait {
    /// A place among those that a thread may execute at once for one connection, or the end
    /// of its execution there.
    Store,
    /// The other requests of the connection that work on the same open.
    Others,
    /// Memory for its answer.
    Memory,
    /// Data of a pipe.
    Pipe(Arc<Open>),
    /// The acknowledgement of a break, or the end of its time.
    Break(Arc<File>),
    /// A byte-range lock.
    Lock(Arc<Open>),
    /// A change of a directory.
    Change,
}

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
    /// `None` if that was refused.
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

/// What another thread made of a request.
pub(crate) struct Executed {
    /// As lent.
    pub(crate) bytes: Vec<u8>,
    /// A response of its own; the body is written behind a header that is not filled in.
    pub(crate) response: Response,
    pub(crate) result: Result<Done, Failure>,
}
