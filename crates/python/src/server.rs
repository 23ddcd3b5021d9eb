//! `netsession.connect` and `netsession.Server`.

use std::path::PathBuf;
use std::sync::Arc;

use netsession::Ended;
use pyo3::prelude::*;

use crate::arguments::{Level, Limit, credentials, options, target};
use crate::convert::{self, class};
use crate::machine::Machine;
use crate::runtime::wait;
use crate::sessions::Sessions;

/// Connects to the Server service of a machine and logs on.
///
/// Args:
///     server: ``"host"``, ``"host:port"``, ``"[IPv6]:port"`` or ``r"\\host"``. None is this
///         machine: its running netsession server is asked through a Unix socket, with the
///         rights of the process and without a password.
///     user: ``"user"``, ``r"DOMAIN\user"`` or ``"user@domain"``; None logs on as nobody.
///     password: needed if there is a user.
///     domain: the domain, if the user does not name it.
///     port: TCP port, if the server does not name it; default 445.
///     connect_timeout: limit for name resolution and the TCP connection (default 5 s).
///     logon_timeout: limit from there to the end of the logon (default 10 s).
///     call_timeout: limit for one call, or one page of a list (default 30 s).
///     encrypt: refuse a server that cannot encrypt.
///     local_socket: path of the socket of this machine's server; default: its usual places.
///
/// Time limits are seconds or :class:`datetime.timedelta`.
///
/// Raises:
///     Error: in its subclasses Unreachable, TimedOut, LogonFailed, ServerNotStarted, ...
#[pyfunction]
#[pyo3(signature = (server=None, user=None, password=None, *, domain=None, port=None,
    connect_timeout=None, logon_timeout=None, call_timeout=None, encrypt=false,
    local_socket=None))]
#[allow(clippy::too_many_arguments)]
pub fn connect(
    py: Python<'_>,
    server: Option<&str>,
    user: Option<&str>,
    password: Option<&str>,
    domain: Option<&str>,
    port: Option<u16>,
    connect_timeout: Option<Limit>,
    logon_timeout: Option<Limit>,
    call_timeout: Option<Limit>,
    encrypt: bool,
    local_socket: Option<PathBuf>,
) -> PyResult<Server> {
    let machine = Machine::new(
        target(py, server, port)?,
        credentials(py, user, password, domain)?,
        options(
            connect_timeout,
            logon_timeout,
            call_timeout,
            encrypt,
            local_socket,
        ),
    );
    machine.run(py, |_| Box::pin(async { Ok(()) }))?;
    Ok(Server { machine })
}

/// A connection to the Server service of a machine, made by :func:`connect`.
///
/// It may be used from several threads: calls wait for each other. After a lost connection,
/// an interrupted call or an answer that came too late, the next call connects again. As a
/// context manager it closes at the end.
#[pyclass(module = "netsession", frozen)]
pub struct Server {
    machine: Arc<Machine>,
}

#[pymethods]
impl Server {
    /// Lists the sessions that pass the filter (NetSessionEnum).
    ///
    /// Args:
    ///     client: client computer, with or without leading backslashes; None for all.
    ///     user: account name; None for all.
    ///     level: 0, 1, 2, 10, 502, or ``"fullest"``: the one with most fields that the
    ///         server has.
    ///
    /// Returns:
    ///     Sessions: an iterator that asks for the next page when it needs one. Other calls
    ///     may be made meanwhile.
    #[pyo3(signature = (client=None, user=None, level=Level::DEFAULT),
        text_signature = "($self, client=None, user=None, level='fullest')")]
    fn sessions(&self, client: Option<String>, user: Option<String>, level: Level) -> Sessions {
        Sessions::new(Arc::clone(&self.machine), client, user, level.0)
    }

    /// One session (NetSessionGetInfo): the first of this user on this computer.
    ///
    /// Raises:
    ///     NoSuchSession: there is none.
    #[pyo3(signature = (client, user, level=Level::DEFAULT),
        text_signature = "($self, client, user, level='fullest')")]
    fn session<'py>(
        &self,
        py: Python<'py>,
        client: String,
        user: String,
        level: Level,
    ) -> PyResult<Bound<'py, PyAny>> {
        let info = self.machine.run(py, move |server| {
            Box::pin(async move { server.session_at(&client, &user, level.0).await })
        })?;
        convert::session(py, &info)
    }

    /// Ends every session of a client computer, of a user, or of a user on a computer
    /// (NetSessionDel).
    ///
    /// Raises:
    ///     UsageError: neither is named.
    ///     NoSuchSession: there is none.
    #[pyo3(signature = (client=None, user=None))]
    fn end<'py>(
        &self,
        py: Python<'py>,
        client: Option<String>,
        user: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ended = self.machine.run(py, move |server| {
            Box::pin(async move { server.end(client.as_deref(), user.as_deref()).await })
        })?;
        if ended == Ended::ConnectionLost {
            wait(py, self.machine.disconnect())?;
        }
        class!(py, "Ended")?.call1((ended == Ended::Confirmed,))
    }

    /// Lists open files, devices and pipes (NetFileEnum level 3).
    ///
    /// Args:
    ///     base_path: only those below this path of the server.
    ///     user: only those of this user.
    #[pyo3(signature = (base_path=None, user=None))]
    fn files<'py>(
        &self,
        py: Python<'py>,
        base_path: Option<String>,
        user: Option<String>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let files = self.machine.run(py, move |server| {
            Box::pin(async move { server.files(base_path.as_deref(), user.as_deref()).await })
        })?;
        files.iter().map(|info| convert::file(py, info)).collect()
    }

    /// Closes an open by its ``id`` (NetFileClose).
    fn close_file(&self, py: Python<'_>, id: u32) -> PyResult<()> {
        self.machine
            .run(py, move |server| Box::pin(server.close_file(id)))
    }

    /// Lists the shares (NetShareEnum level 1).
    fn shares<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let shares = self.machine.run(py, |server| Box::pin(server.shares(1)))?;
        shares.iter().map(|info| convert::share(py, info)).collect()
    }

    /// What the server says of itself (NetServerGetInfo level 101).
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let info = self
            .machine
            .run(py, |server| Box::pin(server.server_info(101)))?;
        convert::server(py, &info)
    }

    /// Logs off and closes the connection. Further calls raise UsageError; a second close
    /// does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        wait(py, self.machine.close())
    }

    fn __enter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    #[pyo3(signature = (exc_type, exc_value, traceback, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        exc_type: Option<&Bound<'_, PyAny>>,
        exc_value: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = (exc_type, exc_value, traceback);
        self.close(py)
    }

    /// The machine: ``host`` or ``host:port``.
    #[getter]
    fn target(&self) -> String {
        self.machine.target.to_string()
    }

    /// The SMB dialect in use, such as ``"3.1.1"``; None on this machine's own socket.
    #[getter]
    fn dialect(&self) -> Option<String> {
        self.machine.facts().dialect
    }

    /// How messages are signed, such as ``"AES-GMAC"``; None if they are not.
    #[getter]
    fn signing(&self) -> Option<String> {
        self.machine.facts().signing
    }

    /// How messages are encrypted, such as ``"AES-256-GCM"``; None if they are not.
    #[getter]
    fn cipher(&self) -> Option<String> {
        self.machine.facts().cipher
    }

    fn __repr__(&self) -> String {
        format!("<netsession.Server {}>", self.machine.target)
    }
}
