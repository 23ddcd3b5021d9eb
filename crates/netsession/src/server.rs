//! [`Server`]: the Server service of one machine, over its `\PIPE\srvsvc`.

use rpc::Syntax;
use smb::crypto::{Cipher, SigningAlgorithm};
use smb::wire::Dialect;
use srvsvc::{
    MAX_PREFERRED_LENGTH, NetApiStatus, ServerGetInfoRequest, ServerGetInfoResponse, ServerInfo,
    SessionDelRequest, SessionEnumRequest, SessionEnumResponse, SessionInfo, SessionLevel,
    ShareEnumRequest, ShareEnumResponse, ShareInfo, opnum,
};
use tokio::time::Instant;

use crate::name::{client_name, given, matches};
use crate::pipe::{Pipe, PipeError};
use crate::session_pages::{PAGE, Progress, SessionPages};
use crate::smb_client::{self, Connection, Create, Negotiation, Session, Transport, TreeConnect};
use crate::{Credentials, Encryption, Error, ErrorKind, Options, Target};

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
#[derive(Debug)]
pub struct Server {
    target: Target,
    user: String,
    options: Options,
    connection: Connection,
    session: Session,
    tree: TreeConnect,
    pipe: Pipe,
}

impl Server {
    /// Connects, logs on and binds to srvsvc.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`], [`ErrorKind::TimedOut`], [`ErrorKind::LogonFailed`],
    /// [`ErrorKind::AccessDenied`] (the user may not use the pipe), [`ErrorKind::Refused`]
    /// (no common dialect, no encryption), [`ErrorKind::Protocol`],
    /// [`ErrorKind::ConnectionLost`].
    pub async fn connect(
        target: &Target,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self, Error> {
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

    /// As [`Server::connect`] over a byte stream that is there already (a tunnel, an
    /// in-memory pair); `target` is only what the server is called.
    ///
    /// # Errors
    /// As [`Server::connect`].
    pub async fn over(
        mut transport: Transport,
        target: &Target,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self, Error> {
        let failed = |error| Error::smb(format!("connecting to {target}"), error);
        // The deadline rules; the limit of each exchange must not be tighter.
        transport.set_time_limit(options.logon_timeout.max(options.call_timeout));
        transport.set_deadline(Some(Instant::now() + options.logon_timeout));
        let mut negotiation = Negotiation::new(target.host()).map_err(failed)?;
        negotiation.dialects.clone_from(&options.dialects);
        let connection = Connection::negotiate(transport, &negotiation)
            .await
            .map_err(failed)?;

        let failed = |error| Error::smb(format!("logging on to {target} as {credentials}"), error);
        let session = Session::logon(&connection, credentials, target.host())
            .await
            .map_err(failed)?;
        if options.encryption == Encryption::Required {
            session.require_encryption().map_err(failed)?;
        }
        let failed = |error| Error::smb(format!("opening the srvsvc pipe of {target}"), error);
        let unc = target.unc();
        let tree = session
            .tree_connect(unc.trim_start_matches('\\'), "IPC$")
            .await
            .map_err(failed)?;
        let open = tree
            .create(srvsvc::PIPE_NAME, &Create::pipe())
            .await
            .map_err(failed)?;
        let pipe = Pipe::bind(open, &options.transfer_syntaxes)
            .await
            .map_err(|error| error.into_error(format!("binding to srvsvc of {target}")))?;
        Ok(Self {
            target: target.clone(),
            user: credentials.user().to_owned(),
            options: options.clone(),
            connection,
            session,
            tree,
            pipe,
        })
    }

    /// The machine.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The dialect in use.
    pub fn dialect(&self) -> Dialect {
        self.connection.negotiated().dialect
    }

    /// How messages are signed; `None` in an anonymous session, which has no key.
    pub fn signing_algorithm(&self) -> Option<SigningAlgorithm> {
        self.session
            .is_signed()
            .then(|| self.connection.negotiated().signing_algorithm)
    }

    /// The negotiated cipher. Whether it is used says [`Server::is_encrypted`].
    pub fn cipher(&self) -> Option<Cipher> {
        self.connection.negotiated().cipher
    }

    /// Messages are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.tree.is_encrypted()
    }

    /// The transfer syntax of the stubs.
    pub fn syntax(&self) -> Syntax {
        self.pipe.syntax()
    }

    /// The sessions that pass the filter (NetSessionEnum), all of them. The pages behind it
    /// are small, the result is as long as the list; [`Server::session_pages`] gives it
    /// piece by piece. Fields that the level lacks are empty or 0.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchSession`] if a filter is given and nothing passes it,
    /// [`ErrorKind::AccessDenied`], [`ErrorKind::Refused`] with 124 for a level the server
    /// lacks, and those of the connection.
    pub async fn sessions(
        &mut self,
        filter: &SessionFilter,
        level: SessionLevel,
    ) -> Result<Vec<SessionInfo>, Error> {
        let mut sessions = Vec::new();
        let mut pages = self.session_pages(filter, level);
        while let Some(mut page) = pages.next().await? {
            sessions.append(&mut page);
        }
        Ok(sessions)
    }

    /// As [`Server::sessions`], page by page.
    pub fn session_pages(
        &mut self,
        filter: &SessionFilter,
        level: SessionLevel,
    ) -> SessionPages<'_> {
        SessionPages::new(self, filter, level)
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
        let client = client_name(client);
        let request = SessionEnumRequest {
            server_name: Some(self.target.unc()),
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
                .find(|info| matches(info, level, Some(&client), Some(user)))
                .ok_or_else(|| Error::net_api(tried, NetApiStatus::CLIENT_NAME_NOT_FOUND.0)),
            result => Err(Error::net_api(tried, result.0)),
        }
    }

    /// Ends every session that fits (NetSessionDel): of one computer, of one user, or of one
    /// user on one computer. Leading `\\` is added if missing.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] if neither is given, [`ErrorKind::NoSuchSession`],
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
        let request = SessionDelRequest {
            server_name: Some(self.target.unc()),
            client_name: client,
            user_name: user.map(str::to_owned),
        };
        let stub = request.write(self.pipe.syntax());
        match self.call_as(opnum::NETR_SESSION_DEL, &stub, &tried).await {
            Ok(stub) => match srvsvc::read_result(self.pipe.syntax(), &stub) {
                Ok(NetApiStatus::SUCCESS) => Ok(Ended::Confirmed),
                Ok(result) => Err(Error::net_api(tried, result.0)),
                Err(error) => Err(Error::protocol(tried, error.to_string())),
            },
            Err(error)
                if error.kind() == ErrorKind::ConnectionLost
                    && user.is_none_or(|user| user.eq_ignore_ascii_case(&self.user)) =>
            {
                Ok(Ended::ConnectionLost)
            }
            Err(error) => Err(error),
        }
    }

    /// What the server says of itself (NetrServerGetInfo), level 100, 101 or 102.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], [`ErrorKind::AccessDenied`] and those of the connection.
    pub async fn server_info(&mut self, level: u32) -> Result<ServerInfo, Error> {
        let tried = format!("asking {} about itself", self.target);
        let syntax = self.pipe.syntax();
        let request = ServerGetInfoRequest {
            server_name: Some(self.target.unc()),
            level,
        };
        let stub = self
            .call_as(opnum::NETR_SERVER_GET_INFO, &request.write(syntax), &tried)
            .await?;
        let response: ServerGetInfoResponse = ServerGetInfoResponse::read(syntax, level, &stub)
            .map_err(|error| Error::protocol(tried.clone(), error.to_string()))?;
        match (response.result, response.info) {
            (NetApiStatus::SUCCESS, Some(info)) => Ok(info),
            (NetApiStatus::SUCCESS, None) => Err(Error::protocol(
                tried,
                "success without information".to_owned(),
            )),
            (result, _) => Err(Error::net_api(tried, result.0)),
        }
    }

    /// The shares (NetrShareEnum), level 0, 1, 2, 501 or 502.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], [`ErrorKind::AccessDenied`] and those of the connection.
    pub async fn shares(&mut self, level: u32) -> Result<Vec<ShareInfo>, Error> {
        let tried = format!("listing the shares of {}", self.target);
        let syntax = self.pipe.syntax();
        let mut shares = Vec::new();
        let mut progress = Progress::default();
        while !progress.done {
            let request = ShareEnumRequest {
                server_name: Some(self.target.unc()),
                level,
                prefered_maximum_length: PAGE,
                resume_handle: Some(progress.resume_handle),
            };
            let stub = self
                .call_as(opnum::NETR_SHARE_ENUM, &request.write(syntax), &tried)
                .await?;
            let response = ShareEnumResponse::read(syntax, &stub)
                .map_err(|error| Error::protocol(tried.clone(), error.to_string()))?;
            shares.extend(progress.take(response, &tried)?);
        }
        Ok(shares)
    }

    /// Any operation of srvsvc: stub in, stub out, in [`Server::syntax`].
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for a fault, and those of the connection.
    pub async fn call(&mut self, opnum: u16, stub: &[u8]) -> Result<Vec<u8>, Error> {
        let tried = format!("calling operation {opnum} of srvsvc at {}", self.target);
        self.call_as(opnum, stub, &tried).await
    }

    /// Closes the pipe and logs off. A connection that is gone already is no error.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn disconnect(self) -> Result<(), Error> {
        self.connection
            .set_deadline(Some(Instant::now() + self.options.call_timeout))
            .await;
        let farewell = async {
            self.pipe.open().close().await?;
            self.tree.disconnect().await?;
            self.session.logoff().await
        };
        match farewell.await {
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

    pub(crate) async fn session_enum(
        &mut self,
        request: &SessionEnumRequest,
        level: SessionLevel,
        tried: &str,
    ) -> Result<SessionEnumResponse, Error> {
        let syntax = self.pipe.syntax();
        let stub = self
            .call_as(opnum::NETR_SESSION_ENUM, &request.write(syntax), tried)
            .await?;
        let response: SessionEnumResponse = SessionEnumResponse::read(syntax, &stub)
            .map_err(|error| Error::protocol(tried.to_owned(), error.to_string()))?;
        if response.level != u32::from(level) {
            return Err(Error::protocol(
                tried.to_owned(),
                format!(
                    "asked for level {}, got {}",
                    u32::from(level),
                    response.level
                ),
            ));
        }
        Ok(response)
    }

    async fn call_as(&mut self, opnum: u16, stub: &[u8], tried: &str) -> Result<Vec<u8>, Error> {
        self.connection
            .set_deadline(Some(Instant::now() + self.options.call_timeout))
            .await;
        self.pipe
            .call(opnum, stub)
            .await
            .map_err(|error: PipeError| error.into_error(tried.to_owned()))
    }
}
