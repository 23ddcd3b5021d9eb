//! What the server tells of the life of sessions, tree connects and opens.

use std::ops::BitOr;
use std::sync::Arc;

use smb::{FileTime, NtStatus};

use super::{OpenRow, SessionGlobalId, SessionRow, TreeConnectRow};

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// By the server's clock.
    pub time: FileTime,
    /// What.
    pub kind: EventKind,
}

/// What has happened.
///
/// What is told of one session, tree connect or open comes in order: its begin, what becomes
/// of it, its end. The end of a session comes behind those of its tree connects and opens;
/// only a request that was under way on another thread when its session ended may be told of
/// after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A logon has succeeded.
    SessionBegun(SessionRow),
    /// Its user has shown again who he is ([MS-SMB2] 3.3.5.5.3): it has time again.
    SessionRenewed(SessionRow),
    /// A session has ended; the row is its last.
    SessionEnded(SessionRow, Reason),
    /// A session uses a share.
    TreeConnected(TreeConnectRow),
    /// It uses the share no longer.
    TreeDisconnected(TreeConnectRow),
    /// A file or a pipe has been opened.
    Opened(OpenRow),
    /// It has been closed; the row is its last.
    Closed(OpenRow, CloseReason),
    /// Somebody could not log on.
    LogonRefused {
        /// As the client says, at most [`EventKind::USER_NAME_CHARACTERS`]; empty if it got
        /// not so far.
        user_name: Arc<str>,
        /// Where the client is.
        client_name: Arc<str>,
        /// What it was answered.
        status: NtStatus,
    },
}

impl EventKind {
    /// Characters of a name that nobody has vouched for: account names have at most 104.
    pub const USER_NAME_CHARACTERS: usize = 104;
}

/// Why a session has ended, and who ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its client has logged off ([MS-SMB2] 3.3.5.6).
    Logoff,
    /// Its connection has ended (3.3.7.1).
    ConnectionLost,
    /// NetrSessionDel, or whatever else an administrator has at hand.
    Administrator(Administrator),
    /// Its user could not show again who he is (3.3.5.5.3), and was answered this.
    LogonRefused(NtStatus),
    /// A new session of its user says that it takes its place (3.3.5.5.3).
    Superseded {
        /// The new one.
        by: SessionGlobalId,
    },
    /// Its time was over. The server itself only refuses the requests of such a session
    /// (3.3.5.2.9): an application has ended it.
    Expired,
    /// Its account is no longer as it was at the logon. The server does not look: an
    /// application has ended it.
    AccountChanged,
    /// The server stops.
    ServerStops,
}

/// Why an open has been closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Its client has closed it.
    Close,
    /// Its client has disconnected from the share.
    TreeDisconnect,
    /// Its session has ended.
    SessionEnd,
    /// NetrFileClose, or whatever else an administrator has at hand.
    Administrator(Administrator),
}

/// Who ends what others have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrator {
    /// User.
    pub user_name: Arc<str>,
    /// Where the user is: an address, or a description of a place on this machine.
    pub client_name: Arc<str>,
}

/// A session that is to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Which.
    pub session: SessionGlobalId,
    /// Why.
    pub reason: Reason,
}

/// Which events a subscriber wants; `|` joins them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// Sessions that begin, are renewed or end; logons that are refused.
    pub const SESSIONS: Self = Self(1);
    /// Tree connects.
    pub const TREE_CONNECTS: Self = Self(2);
    /// Opens of files and pipes.
    pub const OPENS: Self = Self(4);
    /// Whatever an administrator has ended.
    pub const ADMINISTRATION: Self = Self(8);
    /// Everything.
    pub const ALL: Self = Self(15);

    pub(super) const NONE: Self = Self(0);

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    /// One of them is among `others`.
    pub(super) fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Reason {
    /// Whom the end of a session for this reason concerns.
    pub(crate) fn interest(&self) -> Interest {
        match self {
            Self::Administrator(_) => Interest::SESSIONS | Interest::ADMINISTRATION,
            _ => Interest::SESSIONS,
        }
    }
}

impl CloseReason {
    /// Whom the close of an open for this reason concerns.
    pub(crate) fn interest(&self) -> Interest {
        match self {
            Self::Administrator(_) => Interest::OPENS | Interest::ADMINISTRATION,
            _ => Interest::OPENS,
        }
    }
}
