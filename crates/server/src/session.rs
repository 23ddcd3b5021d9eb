//! Session ([MS-SMB2] 3.3.1.8), and the table of all sessions.
//!
//! A session is here from the moment its logon has succeeded: half-done logons live in
//! their connection. What a query needs (opens, last request, state) is atomic, so that
//! listing takes no lock that a request needs.

mod table;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smb::FileTime;
use smb::crypto::{EncryptionKey, SigningKey};

use crate::access::Token;
use crate::account::{SID_ADMINISTRATORS, SecurityContext};
use crate::application::{SessionGlobalId, SessionRow};
use crate::budget::SessionAccount;
use crate::open::Open;
use crate::outbox::Outbox;
use crate::tree_connect::TreeConnectTable;
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

/// Keys of a session's encryption, both directions.
pub(crate) struct EncryptionKeys {
    pub(crate) encryption: EncryptionKey,
    pub(crate) decryption: EncryptionKey,
}

/// The link between one client, as one user, and this server.
pub(crate) struct Session {
    pub(crate) id: SessionGlobalId,
    pub(crate) connection: Arc<Outbox>,
    pub(crate) security_context: Arc<SecurityContext>,
    pub(crate) creation_time: FileTime,
    /// Zero for never.
    expiration_time: AtomicU64,
    idle_time: AtomicU64,
    state: AtomicU8,
    without_rights: AtomicBool,
    pub(crate) num_opens: AtomicU32,
    /// Absent for sessions without a session key (anonymous).
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) encryption_keys: Option<Box<EncryptionKeys>>,
    pub(crate) nonce: AtomicU64,
    pub(crate) signing_required: bool,
    /// Session.EncryptData: every request must come encrypted.
    pub(crate) encrypt_data: bool,
    /// What it holds of the server.
    pub(crate) account: SessionAccount,
    tables: Mutex<Tables>,
    /// MessageIds of the responses that were signed.
    #[cfg(debug_assertions)]
    signed: Mutex<std::collections::HashSet<u64>>,
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
    pub(crate) id: SessionGlobalId,
    pub(crate) connection: Arc<Outbox>,
    pub(crate) security_context: Arc<SecurityContext>,
    pub(crate) now: FileTime,
    pub(crate) expiration_time: Option<FileTime>,
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) encryption_keys: Option<Box<EncryptionKeys>>,
    pub(crate) signing_required: bool,
    pub(crate) encrypt_data: bool,
    pub(crate) account: SessionAccount,
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
            without_rights: AtomicBool::new(false),
            num_opens: AtomicU32::new(0),
            signing_key: new.signing_key,
            encryption_keys: new.encryption_keys,
            nonce: AtomicU64::new(1),
            signing_required: new.signing_required,
            encrypt_data: new.encrypt_data,
            account: new.account,
            tables: Mutex::default(),
            #[cfg(debug_assertions)]
            signed: Mutex::default(),
        }
    }

    /// The MessageId is the nonce of AES-GMAC ([MS-SMB2] 3.1.4.1): two responses signed under
    /// one of them would tell the authentication key to whoever sees both.
    #[cfg(debug_assertions)]
    pub(crate) fn assert_signs_once(&self, message_id: u64) {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(
            signed.insert(message_id),
            "two responses signed under MessageId {message_id}"
        );
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On whose behalf files are opened. Made anew each time, in about a microsecond: most
    /// sessions never meet a security descriptor, and an idle one has no room for it.
    pub(crate) fn token(&self) -> Token {
        Token::new(&self.caller())
    }

    /// Who acts now: the user, or nobody, if that was the last to authenticate.
    pub(crate) fn caller(&self) -> Arc<SecurityContext> {
        match self.without_rights.load(Ordering::Acquire) {
            true => Arc::new(SecurityContext::nobody()),
            false => self.security_context.clone(),
        }
    }

    /// What it opens now is opened on nobody's behalf.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.security_context.is_anonymous || self.without_rights.load(Ordering::Acquire)
    }

    pub(crate) fn is_administrator(&self) -> bool {
        !self.is_anonymous() && self.security_context.has(SID_ADMINISTRATORS)
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

    /// Nobody has authenticated instead of the user. Until the user does again there are no
    /// rights but those of handles that are open; the session lasts no longer for it.
    pub(crate) fn renounce(&self) {
        self.without_rights.store(true, Ordering::Release);
    }

    /// A re-authentication succeeded.
    pub(crate) fn renew(&self, expiration_time: Option<FileTime>) {
        self.without_rights.store(false, Ordering::Release);
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
            transport_name: self.connection.transport_name,
        }
    }
}

#[cfg(test)]
mod tests;
