//! GlobalSessionTable ([MS-SMB2] 3.3.1.5): all sessions of the server, ordered by id, with
//! indexes by client, by user and by both, each of which knows how many sessions lie behind
//! an id. What a query costs depends on what it returns, not on what there is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use smb::FileTime;

use super::Session;
use crate::application::{Page, SessionFilter, SessionGlobalId, SessionRow};
use crate::counted::{Counted, Ids, Keyed};

/// Sessions taken under the lock at once: some ten microseconds.
const AT_ONCE: usize = 1024;

/// All sessions of the server.
#[derive(Default)]
pub(crate) struct GlobalSessionTable {
    next: AtomicU64,
    inner: RwLock<Index>,
}

#[derive(Default)]
struct Index {
    sessions: Counted<Member>,
    clients: Names,
    users: Names,
    /// By the numbers of a client and a user.
    pairs: HashMap<(u32, u32), Ids>,
}

/// A session with the numbers of its client and its user.
struct Member {
    id: u64,
    session: Arc<Session>,
    client: u32,
    user: u32,
}

impl Keyed for Member {
    fn key(&self) -> u64 {
        self.id
    }
}

/// Names that have sessions, each with a number while it has.
#[derive(Default)]
struct Names {
    numbers: HashMap<Arc<str>, u32>,
    /// By number.
    named: Vec<Option<Named>>,
    free: Vec<u32>,
}

struct Named {
    /// As it stands in `numbers`.
    name: Arc<str>,
    ids: Ids,
}

impl GlobalSessionTable {
    /// A number for a new session: grows, never comes again, low half never 0 because that
    /// half is its resume handle and 0 means the start.
    pub(crate) fn allocate(&self) -> SessionGlobalId {
        loop {
            let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
            if id as u32 != 0 {
                return SessionGlobalId(id);
            }
        }
    }

    pub(crate) fn insert(&self, session: Arc<Session>) {
        let mut index = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let id = session.id.0;
        let client = index.clients.insert(&session.owner.client_name, id);
        let user = index.users.insert(&session.security_context.user_name, id);
        match index.pairs.entry((client, user)) {
            Entry::Occupied(mut ids) => ids.get_mut().insert(id),
            Entry::Vacant(none) => drop(none.insert(Ids::One(id))),
        }
        index.sessions.insert(Member {
            id,
            session,
            client,
            user,
        });
    }

    pub(crate) fn get(&self, id: SessionGlobalId) -> Option<Arc<Session>> {
        let index = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        index
            .sessions
            .get(id.0)
            .map(|member| member.session.clone())
    }

    pub(crate) fn remove(&self, id: SessionGlobalId) -> Option<Arc<Session>> {
        let mut index = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let member = index.sessions.remove(id.0)?;
        index.clients.remove(member.client, id.0);
        index.users.remove(member.user, id.0);
        if let Entry::Occupied(mut ids) = index.pairs.entry((member.client, member.user))
            && ids.get_mut().remove(id.0)
        {
            ids.remove();
        }
        Some(member.session)
    }

    pub(crate) fn ids(&self) -> Vec<SessionGlobalId> {
        let index = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let members = index.sessions.iter_from(0);
        members.map(|member| SessionGlobalId(member.id)).collect()
    }

    /// The newest id given out; a resume handle is relative to it.
    pub(crate) fn newest(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Rows behind `after` that pass the filter.
    pub(crate) fn query(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        limit: usize,
        now: FileTime,
    ) -> Page<SessionRow> {
        let (found, total) = self.find(filter, after, limit);
        Page {
            rows: found.iter().map(|session| session.row(now)).collect(),
            total: u32::try_from(total).unwrap_or(u32::MAX),
        }
    }

    /// Sessions behind `after` that pass the filter, at most `limit`, and how many there are.
    /// References are taken under the lock, what is made of them outside it: a logon waits
    /// for the copying of pointers only.
    pub(crate) fn find(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        limit: usize,
    ) -> (Vec<Arc<Session>>, usize) {
        let first = after.map_or(0, |id| id.0.saturating_add(1));
        let index = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        index.select(filter, first, limit)
    }

    /// All sessions that pass the filter, some at a time so that logons get in between.
    pub(crate) fn each(&self, filter: SessionFilter<'_>, mut act: impl FnMut(&Arc<Session>)) {
        let mut after = None;
        loop {
            let (found, total) = self.find(filter, after, AT_ONCE);
            found.iter().for_each(&mut act);
            match found.last() {
                Some(last) if found.len() < total => after = Some(last.id),
                _ => return,
            }
        }
    }
}

impl Index {
    /// The first sessions from id `first` on that pass the filter, and how many do.
    fn select(
        &self,
        filter: SessionFilter<'_>,
        first: u64,
        limit: usize,
    ) -> (Vec<Arc<Session>>, usize) {
        let client = filter.client_name.map(|name| self.clients.number(name));
        let user = filter.user_name.map(|name| self.users.number(name));
        let ids = match (client, user) {
            (None, None) => {
                let members = self.sessions.iter_from(first).take(limit);
                let sessions = members.map(|member| member.session.clone());
                return (sessions.collect(), self.sessions.count_from(first));
            }
            (Some(client), None) => client.and_then(|number| self.clients.ids(number)),
            (None, Some(user)) => user.and_then(|number| self.users.ids(number)),
            (Some(client), Some(user)) => client
                .zip(user)
                .and_then(|numbers| self.pairs.get(&numbers)),
        };
        let Some(ids) = ids else {
            return (Vec::new(), 0);
        };
        let members = ids
            .iter_from(first)
            .take(limit)
            .filter_map(|id| self.sessions.get(id));
        let sessions = members.map(|member| member.session.clone());
        (sessions.collect(), ids.count_from(first))
    }
}

impl Names {
    /// Adds a session to a name; the name's number.
    fn insert(&mut self, name: &Arc<str>, id: u64) -> u32 {
        let folded = match fold(name) {
            Cow::Borrowed(_) => name.clone(),
            Cow::Owned(folded) => Arc::from(folded),
        };
        if let Some(&number) = self.numbers.get(&folded) {
            if let Some(Some(named)) = self.named.get_mut(number as usize) {
                named.ids.insert(id);
            }
            return number;
        }
        let named = Some(Named {
            name: folded.clone(),
            ids: Ids::One(id),
        });
        let number = match self.free.pop() {
            Some(number) => {
                self.named[number as usize] = named;
                number
            }
            None => {
                self.named.push(named);
                // Each name has a session, and memory ends long before 2^32 of those.
                (self.named.len() - 1) as u32
            }
        };
        self.numbers.insert(folded, number);
        number
    }

    fn remove(&mut self, number: u32, id: u64) {
        let Some(place) = self.named.get_mut(number as usize) else {
            return;
        };
        if let Some(named) = place.take_if(|named| named.ids.remove(id)) {
            self.numbers.remove(&named.name);
            self.free.push(number);
        }
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(&*fold(name)).copied()
    }

    fn ids(&self, number: u32) -> Option<&Ids> {
        let named = self.named.get(number as usize)?.as_ref()?;
        Some(&named.ids)
    }
}

/// Names are compared without case ([MS-SRVS] leaves it open; so does every peer).
fn fold(name: &str) -> Cow<'_, str> {
    let is_folded = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if name.bytes().all(is_folded) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.to_lowercase())
    }
}
