//! The JSON objects; docs/json.md describes them, docs/schema has their schemas.

use std::time::Duration;

use netsession::{Error, ErrorKind};
use serde::Serialize;

use crate::row::Row;

/// The sessions of one server.
#[derive(Debug, Serialize)]
pub struct Listing<'a> {
    /// [`super::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The server asked.
    pub server: &'a str,
    /// The level that answered.
    pub level: u32,
    /// The sessions in the order of the server.
    pub sessions: &'a [Row],
}

/// The sessions of many servers.
#[derive(Debug, Serialize)]
pub struct Survey<'a> {
    /// [`super::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// In the order in which they were named.
    pub servers: Vec<Answer<'a>>,
    /// Their number.
    pub summary: Summary,
}

/// What became of one of many servers.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    /// The server asked.
    pub server: &'a str,
    /// The level that answered; `None` if none did.
    pub level: Option<u32>,
    /// The sessions; those that came before it failed.
    pub sessions: Vec<Row>,
    /// Why it failed.
    pub error: Option<Reason>,
}

/// Why a server failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The sort.
    pub kind: &'static str,
    /// As NET_API_STATUS.
    pub code: u32,
    /// The name of the code.
    pub name: Option<&'static str>,
    /// In one line: what was tried, what came back, what to do.
    pub message: String,
}

impl Reason {
    /// Of an error.
    pub fn new(error: &Error) -> Self {
        Self {
            kind: kind(error.kind()),
            code: error.net_api_status(),
            name: error.name(),
            message: error.to_string(),
        }
    }
}

/// How many of what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Servers named, without repetitions.
    pub servers: usize,
    /// Servers that answered.
    pub answered: usize,
    /// Servers that failed.
    pub failed: usize,
    /// Servers not asked, or not to the end, because the work was interrupted.
    pub unfinished: usize,
    /// Sessions listed.
    pub sessions: usize,
}

/// A line of `--jsonl`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line<'a> {
    /// The first.
    Start {
        /// [`super::SCHEMA_VERSION`].
        schema_version: u32,
        /// How many servers will be asked.
        servers: usize,
    },
    /// A session.
    Session {
        /// The server.
        server: &'a str,
        /// The level that answered.
        level: u32,
        /// The session.
        #[serde(flatten)]
        row: &'a Row,
    },
    /// A server has told everything.
    Server {
        /// The server.
        server: &'a str,
        /// The level that answered.
        level: u32,
        /// How many sessions it has told.
        sessions: usize,
        /// Since it was first connected to.
        elapsed_seconds: f64,
    },
    /// A server has failed.
    Failure {
        /// The server.
        server: &'a str,
        /// How many sessions it has told before.
        sessions: usize,
        /// Why.
        error: &'a Reason,
        /// Since it was first connected to.
        elapsed_seconds: f64,
    },
    /// The last.
    Summary {
        /// How many of what.
        #[serde(flatten)]
        summary: &'a Summary,
    },
}

/// The sort of an error in JSON.
pub fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage => "usage",
        ErrorKind::Unreachable => "unreachable",
        ErrorKind::LogonFailed => "logon_failed",
        ErrorKind::AccessDenied => "access_denied",
        ErrorKind::NoSuchSession => "no_such_session",
        ErrorKind::TimedOut => "timed_out",
        ErrorKind::Protocol => "protocol",
        ErrorKind::ConnectionLost => "connection_lost",
        ErrorKind::ServerNotStarted => "server_not_started",
        _ => "refused",
    }
}

/// To the microsecond.
pub fn seconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1e6).round() / 1e6
}
