//! SESSION_SETUP ([MS-SMB2] 3.3.5.5).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use smb::auth::{Acceptor, Step};
use smb::crypto::{EncryptionKey, PreauthIntegrityHashValue, SessionKeys, SigningKey};
use smb::wire::session_setup::SMB2_SESSION_FLAG_BINDING;
use smb::wire::{SessionSetupRequest, SessionSetupResponse, security_mode, session_flags};
use smb::{FileTime, NtStatus};

use super::Connection;
use crate::Encryption;
use crate::account::SecurityContext;
use crate::application::{EventKind, Interest, Reason, SessionGlobalId};
use crate::budget;
use crate::keys::{EncryptionKeys, Keys};
use crate::owner::Owner;
use crate::request::{Answer, Done, Request};
use crate::session::{NewSession, Session};

/// A logon on its way: not a session yet, so nothing lists or ends it.
pub(super) struct Logon {
    acceptor: Acceptor,
    preauth: Option<Box<PreauthIntegrityHashValue>>,
    /// The session that authenticates again.
    renews: Option<Arc<Session>>,
    /// Who it says it is, once that has been looked up.
    user_name: Option<Arc<str>>,
}

impl Logon {
    pub(super) fn update_preauth(&mut self, message: &[u8]) {
        if let Some(preauth) = &mut self.preauth {
            preauth.update(message);
        }
    }

    pub(super) fn session_is_closed(&self) -> bool {
        self.renews
            .as_ref()
            .is_some_and(|session| session.is_closed())
    }
}

/// Who came out of a logon.
struct Accepted {
    token: Vec<u8>,
    security_context: Arc<SecurityContext>,
    session_key: [u8; 16],
}

/// From so many half-done logons on, a connection looks for those that had to give way to
/// others. Nobody who means well has as many.
const LOGONS_TO_FORGET: usize = 64;

impl Connection {
    fn acceptor(&self) -> Acceptor {
        Acceptor::new(self.core.acceptor.clone())
    }

    pub(super) fn session_setup(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let setup =
            SessionSetupRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        if setup.flags & SMB2_SESSION_FLAG_BINDING != 0 {
            // No multichannel: a session stays on its connection.
            return Err(NtStatus::REQUEST_NOT_ACCEPTED.into());
        }
        let negotiated = *self
            .negotiated
            .as_deref()
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        if self.core.config.encryption == Encryption::Required && negotiated.cipher.is_none() {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        let id = match request.header.session_id {
            0 => self.begin_logon()?,
            id if self.logons.contains_key(&id) => id,
            id => {
                let session = request.session()?.clone();
                let logon = Logon {
                    acceptor: self.acceptor(),
                    preauth: None,
                    renews: Some(session),
                    user_name: None,
                };
                let logon = self
                    .core
                    .budget
                    .begin_logon(&self.account, Box::new(logon))
                    .map_err(NtStatus::from)?;
                self.logons.insert(id, logon);
                id
            }
        };
        // Taken out: whatever fails below has ended the logon.
        let logon = self
            .logons
            .remove(&id)
            .ok_or(NtStatus::USER_SESSION_DELETED)?;
        if self.logons.is_empty() {
            // Most connections never see another: an idle one keeps no table for them.
            self.logons = HashMap::new();
        }
        let leg = logon.with(|logon| {
            logon.update_preauth(request.message);
            self.step(logon, setup.security_buffer, request.now)
        });
        // One that had to give way to others begins anew.
        let leg = leg.unwrap_or(Err(NtStatus::INSUFFICIENT_RESOURCES));
        let renews = logon.with(|logon| logon.renews.clone()).flatten();
        let user_name = logon.with(|logon| logon.user_name.take()).flatten();
        if let Err(status) = leg {
            self.logon_refused(user_name.clone(), status);
            if let Some(session) = &renews {
                // [MS-SMB2] 3.3.5.5.3: who cannot show again who he is loses the session.
                self.sessions.remove(&session.id.0);
                let reason = Reason::LogonRefused(status);
                self.core.close_session(session.id, reason);
            }
        }
        match leg? {
            Leg::Continue(token) => {
                SessionSetupResponse {
                    session_flags: 0,
                    security_buffer: &token,
                }
                .write(out);
                self.logons.insert(id, logon);
                let mut done = Done::from(NtStatus::MORE_PROCESSING_REQUIRED);
                done.session_id = Some(id);
                Ok(done)
            }
            Leg::Accepted(accepted) => {
                let preauth = logon.with(|logon| logon.preauth.take()).flatten();
                let session = match &renews {
                    Some(session) => self.renew(session, &accepted, request.now),
                    None => self.establish(id, &accepted, preauth.as_deref(), request.now),
                };
                let session =
                    session.inspect_err(|status| self.logon_refused(user_name, *status))?;
                if setup.previous_session_id != 0 && setup.previous_session_id != id {
                    self.end_previous(setup.previous_session_id, &session);
                }
                let context = &session.security_context;
                let mut flags = 0;
                if context.is_guest {
                    flags |= session_flags::SMB2_SESSION_FLAG_IS_GUEST;
                }
                if context.is_anonymous {
                    flags |= session_flags::SMB2_SESSION_FLAG_IS_NULL;
                }
                if session.owner.encrypt_data {
                    flags |= session_flags::SMB2_SESSION_FLAG_ENCRYPT_DATA;
                }
                SessionSetupResponse {
                    session_flags: flags,
                    security_buffer: &accepted.token,
                }
                .write(out);
                let mut done = Done::from(NtStatus::SUCCESS);
                done.session_id = Some(id);
                done.sign = Some(session);
                Ok(done)
            }
        }
    }

    fn begin_logon(&mut self) -> Result<u64, NtStatus> {
        let full = self.logons.len() == self.logons.capacity();
        if full && self.logons.len() >= LOGONS_TO_FORGET {
            // Before the table grows, those that had to give way leave it.
            self.logons.retain(|_, logon| !logon.is_gone());
        }
        let held = self.sessions.len() + self.logons.len();
        if held >= self.core.config.limits.sessions_per_connection {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        let id = self.core.sessions.allocate().0;
        let logon = Logon {
            acceptor: self.acceptor(),
            preauth: self.new_preauth(),
            renews: None,
            user_name: None,
        };
        let logon = self
            .core
            .budget
            .begin_logon(&self.account, Box::new(logon))?;
        self.logons.insert(id, logon);
        Ok(id)
    }

    fn step(&self, logon: &mut Logon, token: &[u8], now: FileTime) -> Result<Leg, NtStatus> {
        let mut challenge = [0; 8];
        getrandom::fill(&mut challenge).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let accounts = &self.core.config.accounts;
        let Logon {
            acceptor,
            user_name,
            ..
        } = logon;
        let mut found = None;
        let mut lookup = |domain: &str, user: &str| {
            if self.core.wants(Interest::SESSIONS) {
                let characters = user.chars().take(EventKind::USER_NAME_CHARACTERS);
                *user_name = Some(characters.collect::<String>().into());
            }
            found = accounts.account(domain, user);
            found.as_ref().map(|account| account.nt_hash)
        };
        let step = acceptor.step(token, now, challenge, &mut lookup);
        match step {
            Step::Continue { token } => Ok(Leg::Continue(token)),
            Step::Denied(status) => Err(status),
            Step::Accepted {
                token,
                anonymous,
                session_key,
                ..
            } => {
                let security_context = if anonymous {
                    accounts.anonymous().ok_or(NtStatus::ACCESS_DENIED)?
                } else {
                    let account = found.ok_or(NtStatus::LOGON_FAILURE)?;
                    match account.refused {
                        Some(status) => return Err(status),
                        None => account.security_context,
                    }
                };
                Ok(Leg::Accepted(Accepted {
                    token,
                    security_context,
                    session_key,
                }))
            }
        }
    }

    fn expiration(&self, now: FileTime) -> Option<FileTime> {
        let lifetime = self.core.config.limits.session_lifetime?;
        let steps = u64::try_from(lifetime.as_nanos() / 100).unwrap_or(u64::MAX);
        Some(FileTime(now.0.saturating_add(steps)))
    }

    fn establish(
        &mut self,
        id: u64,
        accepted: &Accepted,
        preauth: Option<&PreauthIntegrityHashValue>,
        now: FileTime,
    ) -> Result<Arc<Session>, NtStatus> {
        let negotiated = *self
            .negotiated
            .as_deref()
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        let config = &self.core.config;
        let context = &accepted.security_context;
        let has_key = !context.is_anonymous && !context.is_guest;
        let keys = SessionKeys::derive(
            negotiated.dialect,
            &accepted.session_key,
            preauth,
            negotiated.cipher,
        );
        let encryption_keys = match negotiated.cipher {
            Some(cipher) if has_key => {
                let key = |bytes: &[u8]| {
                    EncryptionKey::new(cipher, bytes).map_err(|_| NtStatus::INTERNAL_ERROR)
                };
                Some(EncryptionKeys {
                    encryption: key(&keys.server_to_client)?,
                    decryption: key(&keys.client_to_server)?,
                })
            }
            _ => None,
        };
        let encrypt_data = config.encryption == Encryption::Required;
        if encrypt_data && encryption_keys.is_none() {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let client_requires =
            negotiated.client_security_mode & security_mode::SMB2_NEGOTIATE_SIGNING_REQUIRED != 0;
        let account = self
            .core
            .budget
            .session(
                &mut self.account,
                &context.user_name,
                budget::is_administrator(context),
            )
            .map_err(NtStatus::from)?;
        let session = Arc::new(Session::new(NewSession {
            owner: Owner {
                session: SessionGlobalId(id),
                user_name: context.user_name.clone(),
                connection: self.outbox.number,
                client_name: self.outbox.client_name.clone(),
                transport_name: self.outbox.transport_name,
                keys: Arc::new(Keys::new(
                    SessionGlobalId(id),
                    has_key
                        .then(|| SigningKey::new(negotiated.signing_algorithm, &keys.signing_key)),
                    encryption_keys,
                )),
                encrypt_data,
                num_opens: AtomicU32::new(0),
            },
            security_context: context.clone(),
            now,
            expiration_time: self.expiration(now),
            signing_required: has_key && (config.signing_required || client_requires),
            account,
        }));
        self.sessions.insert(id, session.clone());
        self.had_session = true;
        self.core.tell(Interest::SESSIONS, || {
            EventKind::SessionBegun(session.row(now))
        });
        self.core.sessions.insert(session.clone());
        Ok(session)
    }

    /// Another user cannot take a session over; the keys stay those of its first logon.
    fn renew(
        &self,
        session: &Arc<Session>,
        accepted: &Accepted,
        now: FileTime,
    ) -> Result<Arc<Session>, NtStatus> {
        if session.security_context.user_name != accepted.security_context.user_name {
            return Err(NtStatus::ACCESS_DENIED);
        }
        session.renew(self.expiration(now));
        self.core.tell(Interest::SESSIONS, || {
            EventKind::SessionRenewed(session.row(now))
        });
        Ok(session.clone())
    }

    fn logon_refused(&self, user_name: Option<Arc<str>>, status: NtStatus) {
        self.core
            .tell(Interest::SESSIONS, || EventKind::LogonRefused {
                user_name: user_name.unwrap_or_default(),
                client_name: self.outbox.client_name.clone(),
                status,
            });
    }

    /// [MS-SMB2] 3.3.5.5.3: the client says that an earlier session of this user is gone.
    fn end_previous(&mut self, previous: u64, session: &Session) {
        let previous = SessionGlobalId(previous);
        let same_user = self.core.sessions.get(previous).is_some_and(|old| {
            old.security_context.user_name == session.security_context.user_name
                && !session.security_context.is_anonymous
        });
        if same_user {
            self.sessions.remove(&previous.0);
            let reason = Reason::Superseded { by: session.id };
            self.core.close_session(previous, reason);
        }
    }
}

enum Leg {
    Continue(Vec<u8>),
    Accepted(Accepted),
}
