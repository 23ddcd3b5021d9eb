//! What the server does for its administrators.

use super::Core;
use crate::application::{
    Administrator, Application, CloseReason, Interest, OpenRow, Page, Reason, ServerFacts,
    SessionFilter, SessionGlobalId, SessionRow, ShareRow, Subscription, TreeConnectRow,
};
use crate::open::query_of;
use crate::share::Waiting;

impl Application for Core {
    fn sessions(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        limit: usize,
    ) -> Page<SessionRow> {
        self.sessions.query(filter, after, limit, self.now())
    }

    fn resume_position(&self, handle: u32) -> Option<SessionGlobalId> {
        resume_position(handle, self.sessions.newest())
    }

    fn close_session(&self, id: SessionGlobalId, reason: Reason) -> bool {
        // Whoever calls this holds the server.
        let Some(core) = self.this.upgrade() else {
            return false;
        };
        Self::close_session(&core, id, reason)
    }

    fn opens(&self, filter: SessionFilter<'_>, after: u32, limit: usize) -> Page<OpenRow> {
        if filter == SessionFilter::default() {
            return self.opens.query(&self.files, after, limit);
        }
        let mut found = Vec::new();
        self.sessions.each(filter, |session| {
            let tables = session.tables();
            let behind = tables.opens.values().filter(|open| open.id > after);
            found.extend(behind.cloned());
        });
        query_of(&self.files, found, limit)
    }

    fn open(&self, id: u32) -> Option<OpenRow> {
        self.opens.row(&self.files, id)
    }

    fn close_open(&self, id: u32, by: Administrator) -> bool {
        let (Some(core), Some(open)) = (self.this.upgrade(), self.opens.get(id)) else {
            return false;
        };
        if let Some(session) = self.sessions.get(open.owner.session) {
            session.tables().opens.remove(&open.volatile);
        }
        let reason = CloseReason::Administrator(by);
        Self::close_open(&core, &open, reason, Waiting::Refused)
    }

    fn tree_connects(&self, filter: SessionFilter<'_>) -> Vec<TreeConnectRow> {
        let now = self.now();
        let mut rows = Vec::new();
        self.sessions.each(filter, |session| {
            let trees: Vec<_> = session.tables().tree_connects.iter().cloned().collect();
            rows.extend(trees.iter().map(|tree| session.tree_connect_row(tree, now)));
        });
        rows.sort_unstable_by_key(|row| row.id);
        rows
    }

    fn shares(&self) -> Vec<ShareRow> {
        let shares = self.shares.all();
        shares.iter().map(|share| share.row()).collect()
    }

    fn server_facts(&self) -> ServerFacts {
        ServerFacts {
            name: self.config.name.clone(),
            comment: self.config.comment.clone(),
        }
    }

    fn now(&self) -> smb::FileTime {
        self.config.clock.now()
    }

    fn subscribe(&self, interest: Interest) -> Subscription {
        self.events.subscribe(interest)
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
