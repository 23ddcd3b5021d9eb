//! The one seam of administration: a server application queries and closes sessions, tree
//! connects and opens ([MS-SMB2] 3.3.4.12, .17 to .20). Whoever administers the server
//! (srvsvc, the local endpoint, metrics) goes through [`Application`].

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::core::Core;
use crate::open::query_of;
use crate::session::Session;
use crate::share::Waiting;

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

/// Handle on a running server for administration. Cheap to clone.
#[derive(Clone)]
pub struct Application(Arc<Core>);

impl Application {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self(core)
    }

    /// Valid and Expired sessions behind `after` (`None`: from the start) that pass `filter`,
    /// at most `limit` rows.
    pub fn sessions(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        limit: usize,
    ) -> Page<SessionRow> {
        self.0.sessions.query(filter, after, limit, self.now())
    }

    /// The position a resume handle stands for: `handle` is the low half of an id that
    /// this server returned. 0 is the start (`None`).
    pub fn resume_position(&self, handle: u32) -> Option<SessionGlobalId> {
        resume_position(handle, self.0.sessions.newest())
    }

    /// Closes one session completely ([MS-SMB2] 3.3.4.12); false if there is none.
    pub fn close_session(&self, id: SessionGlobalId) -> bool {
        self.0.close_session(id)
    }

    /// Opens (files and pipes) with an id greater than `after` of the sessions that pass
    /// `filter`, at most `limit` rows. With a filter it costs what those sessions have open,
    /// whatever the limit.
    pub fn opens(&self, filter: SessionFilter<'_>, after: u32, limit: usize) -> Page<OpenRow> {
        if filter == SessionFilter::default() {
            return self.0.opens.query(&self.0.files, after, limit);
        }
        let each = |act: &mut dyn FnMut(&Session)| {
            self.0.sessions.each(filter, |session| act(session));
        };
        query_of(&self.0.files, each, after, limit)
    }

    /// One open.
    pub fn open(&self, id: u32) -> Option<OpenRow> {
        self.0.opens.row(&self.0.files, id)
    }

    /// Closes one open ([MS-SMB2] 3.3.4.17); false if there is none.
    pub fn close_open(&self, id: u32) -> bool {
        let Some(open) = self.0.opens.get(id) else {
            return false;
        };
        if let Some(session) = open.session.upgrade() {
            session.tables().opens.remove(&open.volatile);
        }
        self.0.close_open(&open, Waiting::Refused)
    }

    /// All tree connects of the sessions that pass `filter`, in order of id.
    pub fn tree_connects(&self, filter: SessionFilter<'_>) -> Vec<TreeConnectRow> {
        let now = self.now();
        let mut rows = Vec::new();
        self.0.sessions.each(filter, |session| {
            let trees: Vec<_> = session.tables().tree_connects.iter().cloned().collect();
            rows.extend(trees.iter().map(|tree| TreeConnectRow {
                id: tree.id,
                share_name: tree.share.name.clone(),
                share_type: tree.share.share_type() & 0xFF,
                num_opens: tree.num_opens.load(Ordering::Relaxed),
                active: now.saturating_since(tree.creation_time),
                user_name: session.security_context.user_name.clone(),
                client_name: session.connection.client_name.clone(),
            }));
        });
        rows.sort_unstable_by_key(|row| row.id);
        rows
    }

    /// All shares, in order of name.
    pub fn shares(&self) -> Vec<ShareRow> {
        self.0
            .shares
            .all()
            .iter()
            .map(|share| share.row())
            .collect()
    }

    /// What the server calls itself.
    pub fn server_facts(&self) -> ServerFacts {
        ServerFacts {
            name: self.0.config.name.clone(),
            comment: self.0.config.comment.clone(),
        }
    }

    /// The server's clock.
    pub fn now(&self) -> smb::FileTime {
        self.0.config.clock.now()
    }
}

/// The newest id not above `newest` whose low half is `handle`; if there is none yet, an
/// id above every one given out.
fn resume_position(handle: u32, newest: u64) -> Option<SessionGlobalId> {
    if handle == 0 {
        return None;
    }
    let image = newest & !u64::from(u32::MAX) | u64::from(handle);
    let id = if image > newest {
        image.checked_sub(1 << 32).unwrap_or(image)
    } else {
        image
    };
    Some(SessionGlobalId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resume_handle_is_the_low_half_of_an_id() {
        assert_eq!(resume_position(0, 77), None);
        assert_eq!(resume_position(5, 77), Some(SessionGlobalId(5)));
        assert_eq!(resume_position(78, 77), Some(SessionGlobalId(78)));
        assert_eq!(
            resume_position(3, 0x2_0000_0007),
            Some(SessionGlobalId(0x2_0000_0003))
        );
        assert_eq!(
            resume_position(9, 0x2_0000_0007),
            Some(SessionGlobalId(0x1_0000_0009))
        );
    }
}
