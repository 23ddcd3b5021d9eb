//! [`Session`]: logon, requests, logoff ([MS-SMB2] 3.2.4.2.3, 3.2.5.3).

use std::sync::Arc;
use std::time::SystemTime;

use smb::auth::{self, Initiator};
use smb::crypto::SessionKeys;
use smb::wire::{
    Command, EchoRequest, HeaderFlags, LogoffRequest, SessionSetupRequest, SessionSetupResponse,
    security_mode, session_flags,
};
use smb::{FileTime, NtStatus};

use zeroize::Zeroizing;

use super::keys::SessionState;
use super::message::{Envelope, authenticate_setup};
use super::negotiate::random;
use super::{Connection, Error, Response};
use crate::Credentials;

/// Legs of one logon. NTLM needs two, SPNEGO may add one.
const MAX_LEGS: usize = 4;

/// A logged-on user on a [`Connection`]. Clones share it.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) connection: Connection,
    pub(super) state: Arc<SessionState>,
}

impl Session {
    /// Logs on with NTLMv2. `server_name` is the name the user gave: servers compare it
    /// with their own (MsvAvTargetName).
    ///
    /// A logon as guest or as nobody is an error unless the credentials are anonymous.
    ///
    /// # Errors
    /// [`Error::Status`] with the reason for a refusal, [`Error::Downgraded`],
    /// [`Error::Authentication`], [`Error::Signature`], and those of the exchange.
    pub async fn logon(
        connection: &Connection,
        credentials: &Credentials,
        server_name: &str,
    ) -> Result<Self, Error> {
        let negotiated = connection.negotiated();
        let mut initiator = Initiator::new(
            auth::Credentials::new(
                credentials.domain(),
                credentials.user(),
                credentials.password(),
            ),
            server_name,
        );
        let mut preauth = connection.preauth().cloned();
        let server_token = Some(&negotiated.security_buffer[..]).filter(|token| !token.is_empty());
        let mut token = initiator.start(server_token);
        let mut session_id = 0;
        let mut session_key: Option<Zeroizing<[u8; 16]>> = None;
        for _ in 0..MAX_LEGS {
            let envelope = Envelope {
                command: Command::SESSION_SETUP,
                session: None,
                session_id,
                tree_id: 0,
                encrypt: false,
                payload: 0,
                preauth: preauth.as_mut(),
            };
            let request = SessionSetupRequest {
                flags: 0,
                security_mode: security_mode::SMB2_NEGOTIATE_SIGNING_ENABLED as u8,
                capabilities: 0,
                previous_session_id: 0,
                security_buffer: &token,
            };
            let response = connection
                .call(envelope, |out| request.write(out))
                .await?
                .expect(&[NtStatus::SUCCESS, NtStatus::MORE_PROCESSING_REQUIRED])?;
            let setup = SessionSetupResponse::read(response.message())?;
            if session_id != 0 && response.header().session_id != session_id {
                return Err(Error::Protocol("the session id changed during the logon"));
            }
            session_id = response.header().session_id;
            if response.status() == NtStatus::MORE_PROCESSING_REQUIRED {
                if let Some(preauth) = &mut preauth {
                    preauth.update(response.message());
                }
                let mut step = initiator.step(
                    setup.security_buffer,
                    FileTime::from(SystemTime::now()),
                    random()?,
                    random()?,
                )?;
                token = std::mem::take(&mut step.token);
                session_key = Some(Zeroizing::new(step.session_key));
                continue;
            }
            let key = match (credentials.is_anonymous(), &session_key) {
                (true, _) => None,
                (false, Some(key)) => Some(key),
                (false, None) => {
                    return Err(Error::Downgraded(
                        "anybody: it asked for no proof of the password",
                    ));
                }
            };
            if key.is_some() && setup.session_flags & session_flags::SMB2_SESSION_FLAG_IS_GUEST != 0
            {
                return Err(Error::Downgraded("the guest account"));
            }
            if key.is_some() && setup.session_flags & session_flags::SMB2_SESSION_FLAG_IS_NULL != 0
            {
                return Err(Error::Downgraded("an anonymous user"));
            }
            initiator.finish(setup.security_buffer)?;
            let state = match key {
                Some(key) => {
                    let keys = SessionKeys::derive(
                        negotiated.dialect.0,
                        &key[..],
                        preauth.as_ref(),
                        negotiated.cipher,
                    );
                    SessionState::new(negotiated, session_id, setup.session_flags, &keys)?
                }
                None => SessionState::without_keys(session_id, setup.session_flags),
            };
            authenticate_setup(&response, &state, negotiated)?;
            return Ok(Self {
                connection: connection.clone(),
                state: Arc::new(state),
            });
        }
        Err(Error::Protocol("the logon does not come to an end"))
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// SessionId.
    pub fn id(&self) -> u64 {
        self.state.id()
    }

    /// SessionFlags of the last SESSION_SETUP response.
    pub fn flags(&self) -> u16 {
        self.state.flags()
    }

    /// Messages are signed (always, unless the logon was anonymous).
    pub fn is_signed(&self) -> bool {
        self.state.signing_key().is_some()
    }

    /// Messages are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.state.encrypts()
    }

    /// Encrypts every following message of this session.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if no cipher was negotiated or the session has no key.
    pub fn require_encryption(&self) -> Result<(), Error> {
        self.state.require_encryption()
    }

    /// ECHO ([MS-SMB2] 3.2.4.11).
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn echo(&self) -> Result<(), Error> {
        self.call(Command::ECHO, 0, false, 0, |out| EchoRequest.write(out))
            .await?
            .success()
            .map(drop)
    }

    /// Ends the session ([MS-SMB2] 3.2.4.23); the connection stays.
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn logoff(&self) -> Result<(), Error> {
        self.call(Command::LOGOFF, 0, false, 0, |out| LogoffRequest.write(out))
            .await?
            .success()
            .map(drop)
    }

    /// Any request: `body` writes what follows the header; the response comes back whatever
    /// its status. `payload` is the larger of request and response payload in bytes, for
    /// the credit charge. For commands without a method here.
    ///
    /// # Errors
    /// Those of the exchange.
    pub async fn request(
        &self,
        command: Command,
        tree_id: u32,
        payload: usize,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Response, Error> {
        self.call(command, tree_id, false, payload, body).await
    }

    /// The message that [`Session::request`] would send, numbered and signed but neither
    /// encrypted nor sent: for [`Connection::exchange`].
    ///
    /// # Errors
    /// None at present.
    pub async fn message(
        &self,
        command: Command,
        tree_id: u32,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Vec<u8>, Error> {
        let mut envelope = self.envelope(command, tree_id, false, 0);
        envelope.encrypt = false;
        self.connection.build(envelope, body).await
    }

    /// Signs a message built by hand; nothing happens in an anonymous session.
    pub fn sign(&self, message: &mut [u8]) {
        if let (Some(key), Some(flags)) = (self.state.signing_key(), message.get_mut(16)) {
            *flags |= HeaderFlags::SIGNED.0 as u8;
            key.sign(message);
        }
    }

    /// The signature of a raw response fits.
    pub fn verify(&self, message: &[u8]) -> bool {
        self.state
            .signing_key()
            .is_some_and(|key| key.verify(message))
    }

    pub(super) async fn call(
        &self,
        command: Command,
        tree_id: u32,
        encrypt: bool,
        payload: usize,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Response, Error> {
        self.connection
            .call(self.envelope(command, tree_id, encrypt, payload), body)
            .await
    }

    fn envelope(
        &self,
        command: Command,
        tree_id: u32,
        encrypt: bool,
        payload: usize,
    ) -> Envelope<'_> {
        Envelope {
            command,
            session: Some(&self.state),
            session_id: self.state.id(),
            tree_id,
            encrypt: encrypt || self.is_encrypted(),
            payload,
            preauth: None,
        }
    }
}
