//! The same without async: each [`Server`] drives its connection on the calling thread.

use srvsvc::{ConnectionInfo, FileInfo, ServerInfo, SessionLevel, ShareInfo};
use tokio::runtime::{Builder, Runtime};

use crate::{Credentials, Ended, Error, LevelChoice, Options, SessionFilter, SessionInfo, Target};

/// What drives the connection to `target` on the calling thread.
pub(crate) fn runtime(target: &Target) -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            let tried = format!("preparing to connect to {target}");
            let code = Some(crate::Code::NetApiStatus(8));
            Error::new(crate::ErrorKind::Refused, tried, error.to_string(), code)
        })
}

/// A connection to the Server service of a machine; see [`crate::Server`].
///
/// Its methods must not be called inside an async runtime: they would panic, as every
/// blocking call there would stall it.
#[derive(Debug)]
pub struct Server {
    // Before the runtime: its socket must be dropped first.
    inner: crate::Server,
    runtime: Runtime,
}

impl Server {
    /// [`crate::Server::connect`].
    ///
    /// # Errors
    /// The same; [`crate::ErrorKind::Refused`] with 8 if the system has no descriptors left.
    pub fn connect(
        target: &Target,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self, Error> {
        let runtime = runtime(target)?;
        let inner = runtime.block_on(crate::Server::connect(target, credentials, options))?;
        Ok(Self { inner, runtime })
    }

    /// The async face, for the facts about the connection.
    pub fn facts(&self) -> &crate::Server {
        &self.inner
    }

    /// [`crate::Server::this_machine`].
    ///
    /// # Errors
    /// The same.
    pub fn this_machine(options: &Options) -> Result<Self, Error> {
        Self::connect(&Target::this_machine(), &Credentials::anonymous(), options)
    }

    /// [`crate::Server::sessions`], as an iterator.
    pub fn sessions(&mut self, filter: &SessionFilter, level: SessionLevel) -> Sessions<'_> {
        Sessions {
            inner: self.inner.sessions(filter, level),
            runtime: &self.runtime,
        }
    }

    /// [`crate::Server::sessions_at`], as an iterator.
    ///
    /// # Errors
    /// The same.
    pub fn sessions_at(
        &mut self,
        filter: &SessionFilter,
        choice: LevelChoice,
    ) -> Result<(SessionLevel, Sessions<'_>), Error> {
        let sessions = self.inner.sessions_at(filter, choice);
        let (level, inner) = self.runtime.block_on(sessions)?;
        let runtime = &self.runtime;
        Ok((level, Sessions { inner, runtime }))
    }

    /// [`crate::Server::session`].
    ///
    /// # Errors
    /// The same.
    pub fn session(
        &mut self,
        client: &str,
        user: &str,
        level: SessionLevel,
    ) -> Result<SessionInfo, Error> {
        self.runtime
            .block_on(self.inner.session(client, user, level))
    }

    /// [`crate::Server::end`].
    ///
    /// # Errors
    /// The same.
    pub fn end(&mut self, client: Option<&str>, user: Option<&str>) -> Result<Ended, Error> {
        self.runtime.block_on(self.inner.end(client, user))
    }

    /// [`crate::Server::files`].
    ///
    /// # Errors
    /// The same.
    pub fn files(
        &mut self,
        base_path: Option<&str>,
        user: Option<&str>,
    ) -> Result<Vec<FileInfo>, Error> {
        self.runtime.block_on(self.inner.files(base_path, user))
    }

    /// [`crate::Server::close_file`].
    ///
    /// # Errors
    /// The same.
    pub fn close_file(&mut self, id: u32) -> Result<(), Error> {
        self.runtime.block_on(self.inner.close_file(id))
    }

    /// [`crate::Server::server_info`].
    ///
    /// # Errors
    /// The same.
    pub fn server_info(&mut self, level: u32) -> Result<ServerInfo, Error> {
        self.runtime.block_on(self.inner.server_info(level))
    }

    /// [`crate::Server::connections`].
    ///
    /// # Errors
    /// The same.
    pub fn connections(&mut self, qualifier: &str) -> Result<Vec<ConnectionInfo>, Error> {
        self.runtime.block_on(self.inner.connections(qualifier))
    }

    /// [`crate::Server::shares`].
    ///
    /// # Errors
    /// The same.
    pub fn shares(&mut self, level: u32) -> Result<Vec<ShareInfo>, Error> {
        self.runtime.block_on(self.inner.shares(level))
    }

    /// [`crate::Server::call`].
    ///
    /// # Errors
    /// The same.
    pub fn call(&mut self, opnum: u16, stub: &[u8]) -> Result<Vec<u8>, Error> {
        self.runtime.block_on(self.inner.call(opnum, stub))
    }

    /// [`crate::Server::disconnect`].
    ///
    /// # Errors
    /// The same.
    pub fn disconnect(self) -> Result<(), Error> {
        self.runtime.block_on(self.inner.disconnect())
    }

    /// Runs one of this crate's own calls on the connection.
    pub(crate) fn run<T>(&mut self, call: impl AsyncFnOnce(&mut crate::Server) -> T) -> T {
        self.runtime.block_on(call(&mut self.inner))
    }
}

/// [`crate::Sessions`] as an iterator: the next page is fetched when the one before is used
/// up. It ends after the first error.
#[derive(Debug)]
pub struct Sessions<'a> {
    inner: crate::Sessions<'a>,
    runtime: &'a Runtime,
}

impl Iterator for Sessions<'_> {
    type Item = Result<SessionInfo, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.inner.next_at_hand() {
            Some(session) => Some(Ok(session)),
            None => self.runtime.block_on(self.inner.next_session()),
        }
    }
}
