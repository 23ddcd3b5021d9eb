//! [`Server`]: the Server service of one machine, over its `\PIPE\srvsvc` or, on this
//! machine, over its Unix socket.

mod connections;
mod stages;

use rpc::Syntax;
use smb::crypto::{Cipher, SigningAlgorithm};
use smb::wire::Dialect;
use srvsvc::{
    MAX_PREFERRED_LENGTH, NetApiStatus, SessionDelRequest, SessionEnumRequest, SessionLevel, opnum,
};
use tokio::time::Instant;

use crate::name::{client_name, given, is_bare_prefix, matches};
use crate::pipe::{Pipe, PipeError};
use crate::smb_client::{self, Connection, Session, Transport, TreeConnect};
use crate::{Credentials, Error, ErrorKind, Options, SessionInfo, Target, local_socket};

/// Why a client computer is refused before anything is sent.
const NAMELESS: &str = "the client computer has no name behind its backslashes";

/// Which sessions. An absent or empty name lets all pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Client computer, with or without leading `\\`.
    pub client: Option<String>,
    /// Account name.
    pub user: Option<String>,
}

/// How a session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server has confirmed it.
    Confirmed,
    /// The connection was lost before the answer, as happens when it was the caller's own
    /// session: it is probably done.
    ConnectionLost,
}

/// A connection to the Server service of a machine. One call at a time.
///
/// Dropping the future of a call, or a stream, in the middle gives the call up; whether the
/// server has carried it out is then unknown: a message that has left in part is completed
/// by the next call. The next call finds its own way.
#[derive(Debug)]
pub struct Server {
    target: Target,
    user: String,
    options: Options,
    /// `None` on this machine, where there is no SMB below the pipe.
    smb: Option<Smb>,
    pipe: Pipe,
}

#[derive(Debug)]
struct Smb {
    connection: Connection,
    session: Session,
    tree: TreeConnect,
}

impl Server {
    /// Connects, logs on and binds to srvsvc. [`Target::this_machine`] is asked through its
    /// Unix socket; the credentials are not used then.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`], [`ErrorKind::TimedOut`], [`ErrorKind::LogonFailed`],
    /// [`ErrorKind::AccessDenied`] (the user may not use the pipe), [`ErrorKind::Refused`]
    /// (no common dialect, no encryption), [`ErrorKind::Protocol`],
    /// [`ErrorKind::ConnectionLost`]; for this machine those of [`Server::this_machine`].
    pub async fn connect(
        target: &Target,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self, Error> {
        if target.is_this_machine() {
            return Self::this_machine(options).await;
        }
        let transport = Transport::connect(
            target.host(),
            target.port(),
            options.source_address,
            options.connect_timeout,
        )
        .await
        .map_err(|error| Error::smb(format!("connecting to {target}"), error))?;
        Self::over(transport, target, credentials, options).await
    }

    /// Connects to the Server service of this machine through its Unix socket and binds to
    /// srvsvc. What the caller may do follows from the user and groups of this process.
    ///
    /// # Errors
    /// [`ErrorKind::ServerNotStarted`] (2114) if nothing listens there,
    /// [`ErrorKind::AccessDenied`], [`ErrorKind::TimedOut`], [`ErrorKind::Protocol`],
    /// [`ErrorKind::ConnectionLost`].
    pub async fn this_machine(options: &Options) -> Result<Self, Error> {
        let target = Target::this_machine();
        let tried = || format!("connecting to the Server service of {target}");
        let Some(path) = local_socket::path(options) else {
            let status = NetApiStatus::SERVER_NOT_STARTED.0;
            return Err(Error::net_api(tried(), status).on_this_machine());
        };
        let now = Instant::now();
        let pipe = Pipe::local(
            path.clone(),
            now + options.connect_timeout,
            now + options.logon_timeout,
            &options.transfer_syntaxes,
        )
        .await
        .map_err(|error| {
            let tried = format!("{} at {}", tried(), path.display());
            error.into_error(tried).on_this_machine()
        })?;
        Ok(Self {
            target,
            user: String::new(),
            options: options.clone(),
            smb: None,
            pipe,
        })
    }

    /// As [`Server::connect`] over a byte stream that is there already (a tunnel, an
    /// in-memory pair); `target` is only what the server is called.
    ///
    /// # Errors
    /// As [`Server::connect`].
    pub async fn over(
        transport: Transport,
        target: &Target,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self, Error> {
        let connection = Self::negotiate(transport, target, options).await?;
        let session = Self::log_on(&connection, target, credentials, options).await?;
        Self::open_pipe(session, target, credentials, options).await
    }

    /// The machine.
    pub fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// The dialect in use; `None` on this machine, where no SMB is spoken.
    pub fn dialect(&self) -> Option<Dialect> {
        let smb = self.smb.as_ref()?;
        Some(smb.connection.negotiated().dialect)
    }

    /// How messages are signed; `None` in an anonymous session, which has no key, and on
    /// this machine.
    pub fn signing_algorithm(&self) -> Option<SigningAlgorithm> {
        let smb = self.smb.as_ref()?;
        smb.session
            .is_signed()
            .then(|| smb.connection.negotiated().signing_algorithm)
    }

    /// The negotiated cipher. Whether it is used says [`Server::is_encrypted`].
    pub fn cipher(&self) -> Option<Cipher> {
        self.smb.as_ref()?.connection.negotiated().cipher
    }

    /// Messages are encrypted. On this machine they do not leave the kernel, and are not.
    pub fn is_encrypted(&self) -> bool {
        self.smb.as_ref().is_some_and(|smb| smb.tree.is_encrypted())
    }

    /// The transfer syntax of the stubs.
    pub fn syntax(&self) -> Syntax {
        self.pipe.syntax()
    }

    /// One session (NetSessionGetInfo): the first of this user on this computer.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] if a name is missing, [`ErrorKind::NoSuchSession`], and those of
    /// [`Server::sessions`].
    pub async fn session(
        &mut self,
        client: &str,
        user: &str,
        level: SessionLevel,
    ) -> Result<SessionInfo, Error> {
        let tried = format!(
            "asking {} for the session of {user} on {client}",
            self.target
        );
        let (Some(client), Some(user)) = (given(Some(client)), given(Some(user))) else {
            return Err(Error::usage(
                tried,
                "name both, the client computer and the user".to_owned(),
            ));
        };
        if is_bare_prefix(client) {
            return Err(Error::usage(tried, NAMELESS.to_owned()));
        }
        let client = client_name(client);
        let request = SessionEnumRequest {
            server_name: self.target.server_name(),
            client_name: Some(client.clone()),
            user_name: Some(user.to_owned()),
            level: level.into(),
            prefered_maximum_length: MAX_PREFERRED_LENGTH,
            resume_handle: None,
        };
        let response = self.session_enum(&request, level, &tried).await?;
        match response.result {
            // 234 without a handle: the rest is out of reach, the first entry is here.
            NetApiStatus::SUCCESS | NetApiStatus::MORE_DATA => response
                .entries
                .into_iter()
                .find(|info| matches(info, Some(&client), Some(user)))
                .ok_or_else(|| self.refused(tried, NetApiStatus::CLIENT_NAME_NOT_FOUND)),
            result => Err(self.refused(tried, result)),
        }
    }

    /// Ends every session that fits (NetSessionDel): of one computer, of one user, or of one
    /// user on one computer. Leading `\\` is added if missing. Whether the connection still
    /// stands is looked at first, so that [`Ended::ConnectionLost`] is due to this call.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] if neither is given, or of the computer only backslashes, [`ErrorKind::NoSuchSession`],
    /// [`ErrorKind::AccessDenied`], and those of the connection.
    pub async fn end(&mut self, client: Option<&str>, user: Option<&str>) -> Result<Ended, Error> {
        let (client, user) = (given(client).map(client_name), given(user));
        let tried = format!(
            "ending the sessions of {} on {} at {}",
            user.unwrap_or("every user"),
            client.as_deref().unwrap_or("every computer"),
            self.target
        );
        if client.is_none() && user.is_none() {
            return Err(Error::usage(
                tried,
                "name a client computer, a user or both".to_owned(),
            ));
        }
        if client.as_deref().is_some_and(is_bare_prefix) {
            return Err(Error::usage(tried, NAMELESS.to_owned()));
        }
        let lost = |error: &Error| error.kind() == ErrorKind::ConnectionLost;
        // A connection that was lost before must not pass for one that is lost by this call.
        self.ask_for_a_sign_of_life(&tried).await?;
        match self
            .session_del(client, user.map(str::to_owned), tried)
            .await
        {
            Ok(()) => Ok(Ended::Confirmed),
            Err(error)
                if lost(&error)
                    && self.smb.is_some()
                    && user.is_none_or(|user| user.eq_ignore_ascii_case(&self.user)) =>
            {
                Ok(Ended::ConnectionLost)
            }
            Err(error) => Err(error),
        }
    }

    /// Any operation of srvsvc: stub in, stub out, in [`Server::syntax`].
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for a fault, and those of the connection.
    pub async fn call(&mut self, opnum: u16, stub: &[u8]) -> Result<Vec<u8>, Error> {
        let tried = format!("calling operation {opnum} of srvsvc at {}", self.target);
        self.call_as(opnum, stub.to_vec(), &tried).await
    }

    /// Logs off, which closes the pipe; on this machine just closes the connection. A
    /// connection that is gone already is no error. Dropping the server instead has the same
    /// effect, as soon as the other end sees it.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn disconnect(self) -> Result<(), Error> {
        let Some(smb) = self.smb else {
            return Ok(());
        };
        smb.connection
            .set_deadline(Some(Instant::now() + self.options.call_timeout))
            .await;
        // [MS-SMB2] 3.3.5.6: the server closes the session's opens and tree connects itself.
        match smb.session.logoff().await {
            Ok(()) | Err(smb_client::Error::Closed | smb_client::Error::Io(_)) => Ok(()),
            Err(error) => {
                let error = Error::smb(format!("logging off from {}", self.target), error);
                match error.kind() {
                    ErrorKind::ConnectionLost => Ok(()),
                    _ => Err(error),
                }
            }
        }
    }

    /// NetrSessionDel with the names as they are.
    pub(crate) async fn session_del(
        &mut self,
        client_name: Option<String>,
        user_name: Option<String>,
        tried: String,
    ) -> Result<(), Error> {
        let request = SessionDelRequest {
            server_name: self.target.server_name(),
            client_name,
            user_name,
        };
        let stub = request.write(self.pipe.syntax());
        let stub = self.call_as(opnum::NETR_SESSION_DEL, stub, &tried).await?;
        self.result(tried, &stub)
    }

    /// Whatever happens before the request itself is sent: a failure here means that it had
    /// no effect.
    pub(crate) async fn make_ready(&mut self, tried: &str) -> Result<(), Error> {
        let deadline = Instant::now() + self.options.call_timeout;
        self.pipe
            .make_ready(deadline)
            .await
            .map_err(|error| self.failed(tried, error))
    }

    /// Bytes of the last reply's stub.
    pub(crate) fn reply_size(&self) -> usize {
        self.pipe.reply_size()
    }

    /// No call is stuck in the middle, and connecting again costs more than keeping it.
    pub(crate) fn is_worth_keeping(&self) -> bool {
        self.smb.is_some() && self.pipe.is_idle()
    }

    /// The connection and the session are still there.
    pub(crate) async fn is_alive(&mut self) -> bool {
        let tried = format!("asking {} for a sign of life", self.target);
        self.ask_for_a_sign_of_life(&tried).await.is_ok()
    }

    async fn ask_for_a_sign_of_life(&mut self, tried: &str) -> Result<(), Error> {
        self.make_ready(tried).await?;
        match &self.smb {
            Some(smb) => smb
                .session
                .echo()
                .await
                .map_err(|error| Error::smb(tried.to_owned(), error)),
            None => Ok(()),
        }
    }

    pub(crate) async fn call_as(
        &mut self,
        opnum: u16,
        stub: Vec<u8>,
        tried: &str,
    ) -> Result<Vec<u8>, Error> {
        self.make_ready(tried).await?;
        self.pipe
            .call(opnum, stub)
            .await
            .map_err(|error| self.failed(tried, error))
    }

    /// A reply that is a result alone.
    pub(crate) fn result(&self, tried: String, stub: &[u8]) -> Result<(), Error> {
        match srvsvc::read_result(self.pipe.syntax(), stub) {
            Ok(NetApiStatus::SUCCESS) => Ok(()),
            Ok(result) => Err(self.refused(tried, result)),
            Err(error) => Err(self.malformed(&tried, &error)),
        }
    }

    pub(crate) fn refused(&self, tried: String, status: NetApiStatus) -> Error {
        self.placed(Error::net_api(tried, status.0))
    }

    fn failed(&self, tried: &str, error: PipeError) -> Error {
        self.placed(error.into_error(tried.to_owned()))
    }

    pub(crate) fn malformed(&self, tried: &str, error: &srvsvc::Error) -> Error {
        self.placed(Error::protocol(tried.to_owned(), error.to_string()))
    }

    /// With the advice that helps where this server is.
    pub(crate) fn placed(&self, error: Error) -> Error {
        match self.target.is_this_machine() {
            true => error.on_this_machine(),
            false => error,
        }
    }
}
