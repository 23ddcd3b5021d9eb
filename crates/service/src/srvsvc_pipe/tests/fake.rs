//! A server of tables.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use server::application::{
    Administrator, Application, Interest, OpenRow, Page, Reason, ServerFacts, SessionFilter,
    SessionGlobalId, SessionRow, ShareRow, Subscription, TreeConnectRow,
};
use smb::FileTime;

#[derive(Clone, Default)]
pub(super) struct Fake(Arc<Mutex<Tables>>);

#[derive(Default)]
pub(super) struct Tables {
    pub(super) sessions: BTreeMap<u64, SessionRow>,
    pub(super) newest: u64,
    pub(super) opens: BTreeMap<u32, OpenRow>,
    pub(super) tree_connects: Vec<TreeConnectRow>,
    pub(super) shares: Vec<ShareRow>,
    /// Pages of sessions asked for.
    pub(super) queries: usize,
    /// Rows of opens given out.
    pub(super) open_rows: usize,
}

impl Fake {
    /// Sessions of (client, user), with ids from 1 on.
    pub(super) fn with_sessions(sessions: &[(&str, &str)]) -> Self {
        let fake = Self::default();
        for (client, user) in sessions {
            fake.log_on(client, user);
        }
        fake
    }

    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }

    pub(super) fn log_on(&self, client: &str, user: &str) -> u64 {
        let mut tables = self.tables();
        tables.newest += 1;
        let id = tables.newest;
        let row = SessionRow {
            id: SessionGlobalId(id),
            client_name: Arc::from(client),
            user_name: Arc::from(user),
            num_opens: 2,
            active: Duration::from_millis(3_661_999),
            idle: Duration::from_secs(5),
            is_guest: user == "guest",
            transport_name: r"\Device\NetbiosSmb",
        };
        tables.sessions.insert(id, row);
        id
    }

    pub(super) fn ids(&self) -> Vec<u64> {
        self.tables().sessions.keys().copied().collect()
    }
}

fn passes(filter: SessionFilter<'_>, client_name: &str, user_name: &str) -> bool {
    let same = |wanted: Option<&str>, name: &str| {
        wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    same(filter.client_name, client_name) && same(filter.user_name, user_name)
}

fn page<T>(rows: impl Iterator<Item = T>, limit: usize) -> Page<T> {
    let mut rows: Vec<T> = rows.collect();
    let total = rows.len() as u32;
    rows.truncate(limit);
    Page { rows, total }
}

impl Application for Fake {
    fn sessions(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        limit: usize,
    ) -> Page<SessionRow> {
        let mut tables = self.tables();
        tables.queries += 1;
        let rows = tables
            .sessions
            .range(after.map_or(0, |id| id.0 + 1)..)
            .map(|(_, row)| row);
        let passing = rows.filter(|row| passes(filter, &row.client_name, &row.user_name));
        page(passing.cloned(), limit)
    }

    fn resume_position(&self, handle: u32) -> Option<SessionGlobalId> {
        // Ids of a fake stay below 2^32.
        (handle != 0).then_some(SessionGlobalId(handle.into()))
    }

    fn close_session(&self, id: SessionGlobalId, _reason: Reason) -> bool {
        self.tables().sessions.remove(&id.0).is_some()
    }

    fn opens(&self, filter: SessionFilter<'_>, after: u32, limit: usize) -> Page<OpenRow> {
        let mut tables = self.tables();
        let behind = tables.opens.range(after + 1..).map(|(_, row)| row);
        let passing = behind.filter(|row| passes(filter, &row.client_name, &row.user_name));
        let page = page(passing.cloned(), limit);
        tables.open_rows += page.rows.len();
        page
    }

    fn open(&self, id: u32) -> Option<OpenRow> {
        self.tables().opens.get(&id).cloned()
    }

    fn close_open(&self, id: u32, _by: Administrator) -> bool {
        self.tables().opens.remove(&id).is_some()
    }

    fn tree_connects(&self, filter: SessionFilter<'_>) -> Vec<TreeConnectRow> {
        let tables = self.tables();
        let rows = tables.tree_connects.iter();
        rows.filter(|row| passes(filter, &row.client_name, &row.user_name))
            .cloned()
            .collect()
    }

    fn shares(&self) -> Vec<ShareRow> {
        self.tables().shares.clone()
    }

    fn server_facts(&self) -> ServerFacts {
        ServerFacts {
            name: Arc::from("SRV"),
            comment: Arc::from("A server"),
        }
    }

    fn now(&self) -> FileTime {
        // 2026-11-21 06:04:56.78 UTC.
        FileTime::from_unix(1_795_241_096, 780_000_000)
    }

    fn subscribe(&self, _interest: Interest) -> Subscription {
        Subscription::none()
    }
}
