//! One request on its way through the server, and how a handler leaves it.

use std::ops::Deref;
use std::sync::Arc;

use smb::crypto::{Cipher, SigningAlgorithm};
use smb::wire::{FileId, Header};
use smb::{FileTime, NtStatus};

use crate::application::Ending;
use crate::budget::{Charge, Cost};
use crate::file::File;
use crate::limits::{ANSWER_WITHOUT_CHARGE, MEMORY_RETRY};
use crate::open::Open;
use crate::session::Session;
use crate::share::StoreError;
use crate::ticket::Ticket;
use crate::tree_connect::TreeConnect;
use tokio::time::Instant;

/// What NEGOTIATE settled.
#[derive(Clone, Copy)]
pub(crate) struct Negotiated {
    pub(crate) dialect: u16,
    pub(crate) client_guid: smb::Guid,
    pub(crate) client_capabilities: u32,
    pub(crate) client_security_mode: u16,
    pub(crate) signing_algorithm: SigningAlgorithm,
    pub(crate) cipher: Option<Cipher>,
    /// Largest READ, WRITE, transaction.
    pub(crate) max_transact: u32,
    pub(crate) multi_credit: bool,
}

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

/// A request with its message.
pub(crate) struct Request<'a> {
    pub(crate) context: &'a Context,
    pub(crate) message: &'a [u8],
}

impl Deref for Request<'_> {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.context
    }
}

/// How a request ended, beside the body that was written.
pub(crate) struct Done {
    pub(crate) status: NtStatus,
    /// For related requests behind this one.
    pub(crate) file: Option<FileId>,
    /// TreeId of the response, if not the request's.
    pub(crate) tree_id: Option<u32>,
    /// SessionId of the response, if not the request's.
    pub(crate) session_id: Option<u64>,
    /// Sign with this session's key whether or not the request was signed.
    pub(crate) sign: Option<Arc<Session>>,
    /// An open that this response tells the client of.
    pub(crate) announces: Option<Arc<Open>>,
    /// Sessions to close once the answers so far have left.
    pub(crate) close_after_reply: Vec<Ending>,
    /// For the body, if it may be long.
    pub(crate) charge: Option<Charge>,
}

impl From<NtStatus> for Done {
    fn from(status: NtStatus) -> Self {
        Self {
            status,
            file: None,
            tree_id: None,
            session_id: None,
            sign: None,
            announces: None,
            close_after_reply: Vec::new(),
            charge: None,
        }
    }
}

/// Why a handler gives no response with a body.
#[derive(Clone)]
pub(crate) enum Failure {
    /// An error response with this status.
    Status(NtStatus),
    /// The store would have to wait, and nothing has changed: to be executed again on a
    /// thread that may wait.
    WouldWait,
    /// The request waits; it is tried again at the time told, if there is one.
    Waits(Wait, Option<Instant>),
    /// The connection ends.
    Disconnect(&'static str),
}

impl From<NtStatus> for Failure {
    fn from(status: NtStatus) -> Self {
        Self::Status(status)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::WouldWait => Self::WouldWait,
            StoreError::Status(status) => Self::Status(status),
        }
    }
}

/// What a handler makes of a request.
pub(crate) type Answer = Result<Done, Failure>;

impl Request<'_> {
    pub(crate) fn session(&self) -> Result<&Arc<Session>, NtStatus> {
        self.session.as_ref().ok_or(NtStatus::USER_SESSION_DELETED)
    }

    pub(crate) fn tree_connect(&self) -> Result<&Arc<TreeConnect>, NtStatus> {
        self.tree_connect
            .as_ref()
            .ok_or(NtStatus::NETWORK_NAME_DELETED)
    }

    /// Makes room for an answer with so much data, before anything is done; a long one is
    /// charged until the client has taken it. It waits for what the client has not taken yet
    /// to go.
    ///
    /// The answers of a compound are one frame: what would make it too long is not begun.
    pub(crate) fn reserve_answer(&self, data: u32) -> Result<Option<Charge>, Failure> {
        if data as usize > self.room {
            return Err(NtStatus::INSUFFICIENT_RESOURCES.into());
        }
        if data < ANSWER_WITHOUT_CHARGE {
            return Ok(None);
        }
        match self.session()?.account.charge(Cost::bytes(data)) {
            Ok(charge) => Ok(Some(charge)),
            Err(_) => Err(Failure::Waits(
                Wait::Memory,
                Some(Instant::now() + MEMORY_RETRY),
            )),
        }
    }

    /// CreditCharge must cover the larger of both payloads ([MS-SMB2] 3.3.5.2.5).
    pub(crate) fn check_charge(&self, payload: u32) -> Result<(), NtStatus> {
        let Some(negotiated) = &self.negotiated else {
            return Err(NtStatus::INVALID_PARAMETER);
        };
        if payload > negotiated.max_transact {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let needed = payload.saturating_sub(1) / 65_536 + 1;
        if negotiated.multi_credit && u32::from(self.header.credit_charge.max(1)) < needed {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(())
    }

    /// The FileId meant by `file`: all ones mean the compound's.
    pub(crate) fn resolve(&self, file: FileId) -> FileId {
        let all_ones = file.persistent == u64::MAX && file.volatile == u64::MAX;
        match self.related_file {
            Some(related) if all_ones => related,
            _ => file,
        }
    }

    /// The open that a FileId names.
    pub(crate) fn open(&self, file: FileId) -> Result<Arc<Open>, NtStatus> {
        let file = self.resolve(file);
        let tables = self.session()?.tables();
        let open = tables
            .opens
            .get(&file.volatile)
            .ok_or(NtStatus::FILE_CLOSED)?;
        let tree = self.tree_connect()?;
        if u64::from(open.id) != file.persistent || open.tree_connect.id != tree.id {
            return Err(NtStatus::FILE_CLOSED);
        }
        Ok(open.clone())
    }
}
