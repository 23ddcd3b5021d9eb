//! Session ([MS-SMB2] 3.3.1.8), and the table of all sessions.
//!
//! A session is here from the moment its logon has succeeded: half-done logons live in
//! their connection. What a query needs (opens, last request, state) is atomic, so that
//! listing takes no lock that a request needs.

mod table;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smb::FileTime;

use crate::account::SecurityContext;
use crate::application::{SessionGlobalId, SessionRow, TreeConnectRow};
use crate::budget::SessionAccount;
use crate::keys::Keys;
use crate::open::Open;
use crate::owner::Owner;
use crate::tree_connect::{TreeConnect, TreeConnectTable};
pub(crate) use table::GlobalSessionTable;

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

/// The link between one client, as one user, and this server.
pub(crate) struct Session {
    pub(crate) id: SessionGlobalId,
    /// What its opens keep of it.
    pub(crate) owner: Arc<Owner>,
    pub(crate) security_context: Arc<SecurityContext>,
    pub(crate) creation_time: FileTime,
    /// Zero for never.
    expiration_time: AtomicU64,
    idle_time: AtomicU64,
    state: AtomicU8,
    pub(crate) signing_required: bool,
    /// What it holds of the server.
    pub(crate) account: SessionAccount,
    tables: Mutex<Tables>,
}

/// Session.TreeConnectTable and Session.OpenTable.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) tree_connects: TreeConnectTable,
    pub(crate) opens: BTreeMap<u64, Arc<Open>>,
    /// No more entries are taken: the session is being closed.
    pub(crate) closed: bool,
}

/// What a successful logon decided about its session.
pub(crate) struct NewSession {
    pub(crate) owner: Owner,
    pub(crate) security_context: Arc<SecurityContext>,
    pub(crate) now: FileTime,
    pub(crate) expiration_time: Option<FileTime>,
    pub(crate) signing_required: bool,
    pub(crate) account: SessionAccount,
}

impl Session {
    pub(crate) fn new(new: NewSession) -> Self {
        Self {
            id: new.owner.session,
            owner: Arc::new(new.owner),
            security_context: new.security_context,
            creation_time: new.now,
            expiration_time: AtomicU64::new(new.expiration_time.map_or(0, |time| time.0)),
            idle_time: AtomicU64::new(new.now.0),
            state: AtomicU8::new(SessionState::Valid as u8),
            signing_required: new.signing_required,
            account: new.account,
            tables: Mutex::default(),
        }
    }

    /// What its messages are signed and sealed with.
    pub(crate) fn keys(&self) -> &Arc<Keys> {
        &self.owner.keys
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

    pub(crate) fn row(&self, now: FileTime) -> SessionRow {
        SessionRow {
            id: self.id,
            client_name: self.owner.client_name.clone(),
            user_name: self.security_context.user_name.clone(),
            num_opens: self.owner.num_opens.load(Ordering::Relaxed),
            active: now.saturating_since(self.creation_time),
            idle: now.saturating_since(FileTime(self.idle_time.load(Ordering::Relaxed))),
            is_guest: self.security_context.is_guest,
            transport_name: self.owner.transport_name,
        }
    }

    /// One of its tree connects, as administrators see it.
    pub(crate) fn tree_connect_row(&self, tree: &TreeConnect, now: FileTime) -> TreeConnectRow {
        TreeConnectRow {
            id: tree.id,
            session: self.id,
            share_name: tree.share.name.clone(),
            share_type: tree.share.share_type() & 0xFF,
            num_opens: tree.num_opens.load(Ordering::Relaxed),
            active: now.saturating_since(tree.creation_time),
            user_name: self.security_context.user_name.clone(),
            client_name: self.owner.client_name.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
