//! A lock-step SMB2/3 client ([MS-SMB2] 3.2): [`Connection`] → [`Session`] →
//! [`TreeConnect`] → [`Open`].
//!
//! One request is under way per connection: the next one waits until the response is
//! there. Several sessions can share a connection. Nothing is sent when a value is
//! dropped; who wants a clean end calls [`Open::close`], [`TreeConnect::disconnect`] and
//! [`Session::logoff`]. Dropping a call's future gives the call up: if nothing of it has
//! been sent it never happened, else its response is thrown away when it comes, and the
//! connection goes on.
//!
//! For tests there is access beneath the rules: [`Transport`] carries any bytes,
//! [`Connection::exchange`] any message.

mod connection;
mod keys;
mod message;
mod negotiate;
mod open;
mod resolver;
mod session;
mod transport;
mod tree_connect;

use std::io;

use smb::NtStatus;
use smb::auth;
use smb::wire::{self, Command};

pub use connection::Connection;
pub use message::Response;
pub use negotiate::{Negotiated, Negotiation};
pub use open::{Create, Data, Open};
pub(crate) use resolver::Turn;
pub use session::Session;
pub use transport::Transport;
pub use tree_connect::TreeConnect;

/// What can go wrong on the way to an SMB2 response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No TCP connection.
    #[error("no TCP connection, {0}")]
    Connect(#[source] io::Error),
    /// The TCP connection broke.
    #[error("the connection broke, {0}")]
    Io(#[source] io::Error),
    /// The peer closed the connection, or it broke earlier.
    #[error("the connection is closed")]
    Closed,
    /// The time limit passed; the connection is closed.
    #[error("no answer within the time limit")]
    TimedOut,
    /// The response has an error status.
    #[error("{command:?} answered {status}")]
    Status {
        /// The command.
        command: Command,
        /// Its status.
        status: NtStatus,
    },
    /// The response does not parse.
    #[error("malformed answer, {0}")]
    Wire(#[from] wire::Error),
    /// The response breaks a rule of the protocol.
    #[error("wrong answer, {0}")]
    Protocol(&'static str),
    /// The signature of a response is missing or wrong.
    #[error("the signature of the answer is missing or wrong")]
    Signature,
    /// A frame is longer than this client accepts, in bytes.
    #[error("the answer says it has {length} bytes, more than the limit of {limit}")]
    TooLong {
        /// Length on the wire.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// The server logged us on as somebody else.
    #[error("the server did not log on the user but {0}")]
    Downgraded(&'static str),
    /// The server's authentication token is wrong.
    #[error("authentication failed, {0}")]
    Authentication(#[from] auth::Error),
    /// The server lacks something this client was told to use.
    #[error("the server does not offer {0}")]
    Unsupported(&'static str),
    /// The call is wrong.
    #[error("{0}")]
    Usage(&'static str),
}

impl Error {
    /// The NTSTATUS, if that is what came back.
    pub fn status(&self) -> Option<NtStatus> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}
