//! What srvsvc asks of the SMB server.

use server::application::{
    Application, OpenRow, Page, ServerFacts, SessionFilter, SessionGlobalId, SessionRow, ShareRow,
    TreeConnectRow,
};
use smb::FileTime;

/// The operations of [`Application`] that srvsvc needs; a test has its own.
pub trait Administration: Send + 'static {
    /// Sessions behind `after` that pass `filter`, at most `limit` rows, in order of id.
    fn sessions(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        limit: usize,
    ) -> Page<SessionRow>;

    /// The position a resume handle stands for; 0 is the start (`None`).
    fn resume_position(&self, handle: u32) -> Option<SessionGlobalId>;

    /// Closes a session; false if there is none.
    fn close_session(&self, id: SessionGlobalId) -> bool;

    /// Opens with an id greater than `after` of the sessions that pass `filter`, at most
    /// `limit` rows, in order of id.
    fn opens(&self, filter: SessionFilter<'_>, after: u32, limit: usize) -> Page<OpenRow>;

    /// One open.
    fn open(&self, id: u32) -> Option<OpenRow>;

    /// Closes an open; false if there is none.
    fn close_open(&self, id: u32) -> bool;

    /// All tree connects of the sessions that pass `filter`, in order of id.
    fn tree_connects(&self, filter: SessionFilter<'_>) -> Vec<TreeConnectRow>;

    /// All shares, in order of name.
    fn shares(&self) -> Vec<ShareRow>;

    /// What the server calls itself.
    fn server_facts(&self) -> ServerFacts;

    /// The server's clock.
    fn now(&self) -> FileTime;
}

impl Administration for Application {
    fn sessions(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        limit: usize,
    ) -> Page<SessionRow> {
        self.sessions(filter, after, limit)
    }

    fn resume_position(&self, handle: u32) -> Option<SessionGlobalId> {
        self.resume_position(handle)
    }

    fn close_session(&self, id: SessionGlobalId) -> bool {
        self.close_session(id)
    }

    fn opens(&self, filter: SessionFilter<'_>, after: u32, limit: usize) -> Page<OpenRow> {
        self.opens(filter, after, limit)
    }

    fn open(&self, id: u32) -> Option<OpenRow> {
        self.open(id)
    }

    fn close_open(&self, id: u32) -> bool {
        self.close_open(id)
    }

    fn tree_connects(&self, filter: SessionFilter<'_>) -> Vec<TreeConnectRow> {
        self.tree_connects(filter)
    }

    fn shares(&self) -> Vec<ShareRow> {
        self.shares()
    }

    fn server_facts(&self) -> ServerFacts {
        self.server_facts()
    }

    fn now(&self) -> FileTime {
        self.now()
    }
}
