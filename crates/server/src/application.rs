//! The one seam of administration: a server application queries and closes sessions, tree
//! connects and opens ([MS-SMB2] 3.3.4.12, .17 to .20), and is told how they come and go.
//! Whoever administers the server (srvsvc, the local endpoint, a log, metrics) goes through
//! [`Application`]. Here are its rows and ids, which every part of the server may use.

mod event;
mod subscription;

use std::sync::Arc;
use std::time::Duration;

use smb::FileTime;

pub use event::{Administrator, CloseReason, Ending, Event, EventKind, Interest, Reason};
pub(crate) use subscription::Events;
pub use subscription::{Notice, Subscription};

/// GlobalSessionTable key: grows, never reused while the server runs, low 32 bits never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionGlobalId(pub u64);

/// One row of a session query ([MS-SMB2] 3.3.4.18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// SessionGlobalId.
    pub id: SessionGlobalId,
    /// Connection.ClientName: printed IP address, IPv6 in square brackets; no backslashes.
    pub client_name: Arc<str>,
    /// Bare account name; empty for anonymous.
    pub user_name: Arc<str>,
    /// Files and pipes open now.
    pub num_opens: u32,
    /// Since the session was established.
    pub active: Duration,
    /// Since its last request.
    pub idle: Duration,
    /// Session.IsGuest.
    pub is_guest: bool,
    /// Connection.TransportName.
    pub transport_name: &'static str,
}

/// Which sessions a query wants; `None` is no filter. Compared without case, leading
/// backslashes of `client_name` stripped by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter<'a> {
    /// Client computer.
    pub client_name: Option<&'a str>,
    /// User.
    pub user_name: Option<&'a str>,
}

/// One row of an open query ([MS-SMB2] 3.3.4.20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRow {
    /// OpenGlobalId: never 0, not reused before 2^32 opens.
    pub id: u32,
    /// Its session.
    pub session: SessionGlobalId,
    /// Local path of the file, or `\PIPE\name`.
    pub path_name: String,
    /// User of the session.
    pub user_name: Arc<str>,
    /// Client of the session.
    pub client_name: Arc<str>,
    /// PERM_FILE_READ 1, WRITE 2, CREATE 4 ([MS-SRVS] 2.2.4.7).
    pub permissions: u32,
    /// Byte-range locks held.
    pub num_locks: u32,
}

/// One row of a tree connect query ([MS-SMB2] 3.3.4.19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeConnectRow {
    /// Number within the server, never 0.
    pub id: u32,
    /// Its session.
    pub session: SessionGlobalId,
    /// Share name.
    pub share_name: Arc<str>,
    /// STYPE_* of the share ([MS-SRVS] 2.2.2.4): 0 disk, 3 IPC.
    pub share_type: u32,
    /// Opens through it now.
    pub num_opens: u32,
    /// Since it was connected.
    pub active: Duration,
    /// User of the session.
    pub user_name: Arc<str>,
    /// Client of the session.
    pub client_name: Arc<str>,
}

/// One share, as share enumeration shows it ([MS-SRVS] 2.2.4.22 and following).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// Name.
    pub name: Arc<str>,
    /// STYPE_* bits; 0x8000_0003 for IPC$.
    pub share_type: u32,
    /// Comment.
    pub remark: Arc<str>,
    /// Local path, empty for IPC$.
    pub path: String,
    /// Tree connects now.
    pub current_uses: u32,
    /// Most tree connects allowed; `u32::MAX` for no limit.
    pub max_uses: u32,
}

/// What the server says of itself (NetrServerGetInfo).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// NetBIOS-style computer name.
    pub name: Arc<str>,
    /// Comment.
    pub comment: Arc<str>,
}

/// A page of rows.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// In order of id.
    pub rows: Vec<T>,
    /// Rows that pass the filter behind the start, returned or not.
    pub total: u32,
}

/// Administration of a running server.
pub trait Application: Send + Sync + 'static {
    /// Valid and Expired sessions behind `after` (`None`: from the start) that pass `filter`,
    /// at most `limit` rows.
    fn sessions(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        limit: usize,
    ) -> Page<SessionRow>;

    /// The position a resume handle stands for: `handle` is the low half of an id that
    /// this server returned. 0 is the start (`None`).
    fn resume_position(&self, handle: u32) -> Option<SessionGlobalId>;

    /// Closes one session completely ([MS-SMB2] 3.3.4.12); false if there is none.
    fn close_session(&self, id: SessionGlobalId, reason: Reason) -> bool;

    /// Opens (files and pipes) with an id greater than `after` of the sessions that pass
    /// `filter`, at most `limit` rows. With a filter it costs what those sessions have open,
    /// whatever the limit.
    fn opens(&self, filter: SessionFilter<'_>, after: u32, limit: usize) -> Page<OpenRow>;

    /// One open.
    fn open(&self, id: u32) -> Option<OpenRow>;

    /// Closes one open ([MS-SMB2] 3.3.4.17); false if there is none.
    fn close_open(&self, id: u32, by: Administrator) -> bool;

    /// All tree connects of the sessions that pass `filter`, in order of id.
    fn tree_connects(&self, filter: SessionFilter<'_>) -> Vec<TreeConnectRow>;

    /// All shares, in order of name.
    fn shares(&self) -> Vec<ShareRow>;

    /// What the server calls itself.
    fn server_facts(&self) -> ServerFacts;

    /// The server's clock.
    fn now(&self) -> FileTime;

    /// From now on tells of what `interest` names. The subscriber may be as slow as it
    /// likes: the server never waits for it, and keeps [`Subscription::CAPACITY`] events.
    fn subscribe(&self, interest: Interest) -> Subscription;
}
