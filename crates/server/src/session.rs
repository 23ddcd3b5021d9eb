//! Session ([MS-SMB2] 3.3.1.8) and the GlobalSessionTable (3.3.1.5).
//!
//! A session is here from the moment its logon has succeeded: half-done logons live in
//! their connection. What a query needs (opens, last request, state) is atomic, so that
//! listing takes no lock that a request needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use smb::FileTime;
use smb::crypto::{EncryptionKey, SigningKey};

use crate::account::SecurityContext;
use crate::application::{Page, SessionFilter, SessionGlobalId, SessionRow};
use crate::connection::ConnectionHandle;
use crate::open::Open;
use crate::tree_connect::TreeConnect;

/// Session.State.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// In use.
    Valid,
    /// Must authenticate again before anything else.
    Expired,
    /// Taken out of the table; every further request gets USER_SESSION_DELETED.
    Closed,
}

/// Keys of a session's encryption, both directions.
pub(crate) struct EncryptionKeys {
    pub(crate) encryption: EncryptionKey,
    pub(crate) decryption: EncryptionKey,
}

/// The link between one client, as one user, and this server.
pub(crate) struct Session {
    pub(crate) id: SessionGlobalId,
    pub(crate) connection: Arc<ConnectionHandle>,
    pub(crate) security_context: Arc<SecurityContext>,
    pub(crate) creation_time: FileTime,
    /// Zero for never.
    expiration_time: AtomicU64,
    idle_time: AtomicU64,
    state: AtomicU8,
    pub(crate) num_opens: AtomicU32,
    /// Absent for sessions without a session key (anonymous).
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) encryption_keys: Option<Box<EncryptionKeys>>,
    pub(crate) nonce: AtomicU64,
    pub(crate) signing_required: bool,
    /// Session.EncryptData: every request must come encrypted.
    pub(crate) encrypt_data: bool,
    tables: Mutex<Tables>,
}

/// Session.TreeConnectTable and Session.OpenTable.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) tree_connects: BTreeMap<u32, Arc<TreeConnect>>,
    pub(crate) opens: BTreeMap<u64, Arc<Open>>,
    /// No more entries are taken: the session is being closed.
    pub(crate) closed: bool,
}

/// What a successful logon decided about its session.
pub(crate) struct NewSession {
    pub(crate) id: SessionGlobalId,
    pub(crate) connection: Arc<ConnectionHandle>,
    pub(crate) security_context: Arc<SecurityContext>,
    pub(crate) now: FileTime,
    pub(crate) expiration_time: Option<FileTime>,
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) encryption_keys: Option<Box<EncryptionKeys>>,
    pub(crate) signing_required: bool,
    pub(crate) encrypt_data: bool,
}

impl Session {
    pub(crate) fn new(new: NewSession) -> Self {
        Self {
            id: new.id,
            connection: new.connection,
            security_context: new.security_context,
            creation_time: new.now,
            expiration_time: AtomicU64::new(new.expiration_time.map_or(0, |time| time.0)),
            idle_time: AtomicU64::new(new.now.0),
            state: AtomicU8::new(SessionState::Valid as u8),
            num_opens: AtomicU32::new(0),
            signing_key: new.signing_key,
            encryption_keys: new.encryption_keys,
            nonce: AtomicU64::new(1),
            signing_required: new.signing_required,
            encrypt_data: new.encrypt_data,
            tables: Mutex::default(),
        }
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request named this session ([MS-SMB2] 3.3.5.2.8).
    pub(crate) fn touch(&self, now: FileTime) {
        self.idle_time.store(now.0, Ordering::Relaxed);
    }

    /// State as of `now`: Valid turns into Expired when its time has come (3.3.6.3).
    pub(crate) fn state(&self, now: FileTime) -> SessionState {
        match self.state.load(Ordering::Acquire) {
            2 => SessionState::Closed,
            _ => match self.expiration_time.load(Ordering::Relaxed) {
                0 => SessionState::Valid,
                time if time > now.0 => SessionState::Valid,
                _ => SessionState::Expired,
            },
        }
    }

    /// A re-authentication succeeded.
    pub(crate) fn renew(&self, expiration_time: Option<FileTime>) {
        self.expiration_time
            .store(expiration_time.map_or(0, |time| time.0), Ordering::Relaxed);
    }

    pub(crate) fn set_closed(&self) {
        self.state
            .store(SessionState::Closed as u8, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) == SessionState::Closed as u8
    }

    fn row(&self, now: FileTime) -> SessionRow {
        SessionRow {
            id: self.id,
            client_name: self.connection.client_name.clone(),
            user_name: self.security_context.user_name.clone(),
            num_opens: self.num_opens.load(Ordering::Relaxed),
            active: now.saturating_since(self.creation_time),
            idle: now.saturating_since(FileTime(self.idle_time.load(Ordering::Relaxed))),
            is_guest: self.security_context.is_guest,
            transport_name: self.connection.transport_name.clone(),
        }
    }
}

/// All sessions of the server, ordered by id, with indexes by client and by user, so that
/// a filtered query costs in proportion to what it returns.
#[derive(Default)]
pub(crate) struct GlobalSessionTable {
    next: AtomicU64,
    inner: RwLock<Index>,
}

#[derive(Default)]
struct Index {
    sessions: BTreeMap<SessionGlobalId, Arc<Session>>,
    by_client: HashMap<Box<str>, BTreeSet<SessionGlobalId>>,
    by_user: HashMap<Box<str>, BTreeSet<SessionGlobalId>>,
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
        let client = fold(&session.connection.client_name);
        let user = fold(&session.security_context.user_name);
        index
            .by_client
            .entry(client)
            .or_default()
            .insert(session.id);
        index.by_user.entry(user).or_default().insert(session.id);
        index.sessions.insert(session.id, session);
    }

    pub(crate) fn get(&self, id: SessionGlobalId) -> Option<Arc<Session>> {
        let index = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        index.sessions.get(&id).cloned()
    }

    pub(crate) fn remove(&self, id: SessionGlobalId) -> Option<Arc<Session>> {
        let mut index = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let session = index.sessions.remove(&id)?;
        forget(
            &mut index.by_client,
            &fold(&session.connection.client_name),
            id,
        );
        forget(
            &mut index.by_user,
            &fold(&session.security_context.user_name),
            id,
        );
        Some(session)
    }

    pub(crate) fn ids(&self) -> Vec<SessionGlobalId> {
        let index = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        index.sessions.keys().copied().collect()
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
        let first = SessionGlobalId(after.map_or(0, |id| id.0.saturating_add(1)));
        // Arcs are taken under the lock, rows are made outside it: a logon waits for the
        // copying of pointers only.
        let mut found = Vec::new();
        let mut total = 0u32;
        let mut take = |session: &Arc<Session>| {
            total = total.saturating_add(1);
            if found.len() < limit {
                found.push(session.clone());
            }
        };
        {
            let index = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            let clients = filter
                .client_name
                .map(|name| index.by_client.get(&fold(name)));
            let users = filter.user_name.map(|name| index.by_user.get(&fold(name)));
            match (clients, users) {
                (None, None) => {
                    index
                        .sessions
                        .range(first..)
                        .for_each(|(_, session)| take(session));
                }
                (Some(None), _) | (_, Some(None)) => {}
                (Some(Some(ids)), None) | (None, Some(Some(ids))) => ids
                    .range(first..)
                    .filter_map(|id| index.sessions.get(id))
                    .for_each(&mut take),
                (Some(Some(clients)), Some(Some(users))) => {
                    let (few, many) = if clients.len() < users.len() {
                        (clients, users)
                    } else {
                        (users, clients)
                    };
                    few.range(first..)
                        .filter(|id| many.contains(id))
                        .filter_map(|id| index.sessions.get(id))
                        .for_each(&mut take);
                }
            }
        }
        Page {
            rows: found.iter().map(|session| session.row(now)).collect(),
            total,
        }
    }
}

/// Names are compared without case ([MS-SRVS] leaves it open; so does every peer).
fn fold(name: &str) -> Box<str> {
    name.to_lowercase().into_boxed_str()
}

fn forget(
    index: &mut HashMap<Box<str>, BTreeSet<SessionGlobalId>>,
    name: &str,
    id: SessionGlobalId,
) {
    if let Some(ids) = index.get_mut(name) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(name);
        }
    }
}
