//! FileService (IADsFileServiceOperations) and its collections (IADsCollection).

use std::path::PathBuf;

use netsession::adsi;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use super::{Resource, Session, exception, python, settle};
use crate::arguments::{Limit, credentials, options};
use crate::runtime::wait;

/// Binds to a file service.
///
/// Args:
///     path: ``"WinNT://server/LanmanServer"`` or ``"WinNT://domain/server/LanmanServer"``,
///         both also with ``",FileService"``. The server may have a port; ``.`` is this
///         machine, asked without a password.
///     user, password, domain, connect_timeout, logon_timeout, call_timeout, encrypt,
///     local_socket: as :func:`netsession.connect` takes them.
///
/// Raises:
///     com_error: the path is none (0x80005000), names something else (0x80005004), or the
///         server cannot be used: 0x80070035 unreachable, 0x8007052E logon failed, ...
#[pyfunction]
#[pyo3(name = "GetObject", signature = (path, user=None, password=None, *, domain=None,
    connect_timeout=None, logon_timeout=None, call_timeout=None, encrypt=false,
    local_socket=None))]
#[allow(clippy::too_many_arguments)]
pub fn get_object(
    py: Python<'_>,
    path: &str,
    user: Option<&str>,
    password: Option<&str>,
    domain: Option<&str>,
    connect_timeout: Option<Limit>,
    logon_timeout: Option<Limit>,
    call_timeout: Option<Limit>,
    encrypt: bool,
    local_socket: Option<PathBuf>,
) -> PyResult<FileService> {
    let who = credentials(py, user, password, domain)?;
    let how = options(
        connect_timeout,
        logon_timeout,
        call_timeout,
        encrypt,
        local_socket,
    );
    let bound = wait(py, adsi::get_object(path, &who, &how))?;
    Ok(FileService(settle(py, bound)?))
}

/// The file service of a server (IADsFileService, IADsFileServiceOperations), made by
/// :func:`GetObject`. Threads may share it and what comes from it.
#[pyclass(module = "netsession.adsi", frozen)]
pub struct FileService(adsi::FileService);

#[pymethods]
#[allow(non_snake_case)]
impl FileService {
    /// The sessions of the service. Nothing is asked before they are enumerated.
    fn Sessions(&self) -> SessionsCollection {
        SessionsCollection(self.0.sessions())
    }

    /// What is open on the service. Nothing is asked before it is enumerated.
    fn Resources(&self) -> ResourcesCollection {
        ResourcesCollection(self.0.resources())
    }

    /// 4 (running) if the server answers, as ADS_STATUS_ENUM has it.
    #[getter]
    fn Status(&self, py: Python<'_>) -> PyResult<i32> {
        settle(py, wait(py, self.0.status())?).map(i32::from)
    }

    /// Comment of the server.
    #[getter]
    fn Description(&self, py: Python<'_>) -> PyResult<String> {
        settle(py, wait(py, self.0.description())?)
    }

    /// Most users at once; -1 for no limit.
    #[getter]
    fn MaxUserCount(&self, py: Python<'_>) -> PyResult<i64> {
        settle(py, wait(py, self.0.max_user_count())?).map(|limit| limit.map_or(-1, i64::from))
    }

    /// Version of the server, ``major.minor``.
    #[getter]
    fn Version(&self, py: Python<'_>) -> PyResult<String> {
        settle(py, wait(py, self.0.version())?)
    }

    /// ADsPath of the computer.
    #[getter]
    fn HostComputer(&self) -> String {
        self.0.host_computer()
    }

    /// ``"LanmanServer"``.
    #[getter]
    fn Name(&self) -> &'static str {
        self.0.name()
    }

    /// ``"FileService"``.
    #[getter]
    fn Class(&self) -> &'static str {
        self.0.class()
    }

    /// Its ADsPath.
    #[getter]
    fn ADsPath(&self) -> String {
        self.0.ads_path()
    }

    /// ADsPath of its computer.
    #[getter]
    fn Parent(&self) -> String {
        self.0.parent()
    }

    /// ADsPath of its class.
    #[getter]
    fn Schema(&self) -> String {
        self.0.schema()
    }

    /// A property by its name, in whatever case.
    fn Get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let value = settle(py, wait(py, self.0.get(name))?)?;
        python(py, &value)
    }

    /// Asks the server anew for Description, MaxUserCount and Version.
    fn GetInfo(&self, py: Python<'_>) -> PyResult<()> {
        settle(py, wait(py, self.0.get_info())?)
    }

    /// Not possible from here: 0x80004001.
    fn Start(&self, py: Python<'_>) -> PyResult<()> {
        settle(py, self.0.start())
    }

    /// Not possible from here: 0x80004001.
    fn Stop(&self, py: Python<'_>) -> PyResult<()> {
        settle(py, self.0.stop())
    }

    /// Not possible from here: 0x80004001.
    fn Pause(&self, py: Python<'_>) -> PyResult<()> {
        settle(py, self.0.pause())
    }

    /// Not possible from here: 0x80004001.
    fn Continue(&self, py: Python<'_>) -> PyResult<()> {
        settle(py, self.0.continue_())
    }

    fn __repr__(&self) -> String {
        format!("<netsession.adsi.FileService {}>", self.0.ads_path())
    }
}

/// The sessions of a file service (IADsCollection). Iterating takes a snapshot of them: items
/// that are removed meanwhile are given all the same.
#[pyclass(module = "netsession.adsi", frozen)]
pub struct SessionsCollection(adsi::SessionsCollection);

#[pymethods]
#[allow(non_snake_case)]
impl SessionsCollection {
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let sessions = settle(py, wait(py, self.0.new_enum())?)?;
        PyList::new(py, sessions.map(Session::new).collect::<Vec<_>>())?.try_iter()
    }

    /// The session of this ``Name``, ``user\computer``; the first if two share it.
    fn GetObject(&self, py: Python<'_>, name: &str) -> PyResult<Session> {
        let session = wait(py, self.0.get_object(name))?;
        settle(py, session).map(Session::new)
    }

    /// Ends the session of this ``Name`` on the server; both if two share it.
    fn Remove(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        settle(py, wait(py, self.0.remove(name))?)
    }

    /// Not possible: 0x80004001.
    fn Add(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.0.add(name).map_err(|error| exception(py, &error))
    }
}

/// What is open on a file service (IADsCollection). Iterating takes a snapshot.
#[pyclass(module = "netsession.adsi", frozen)]
pub struct ResourcesCollection(adsi::ResourcesCollection);

#[pymethods]
#[allow(non_snake_case)]
impl ResourcesCollection {
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let resources = settle(py, wait(py, self.0.new_enum())?)?;
        PyList::new(py, resources.map(Resource::new).collect::<Vec<_>>())?.try_iter()
    }

    /// The open of this ``Name``, its number.
    fn GetObject(&self, py: Python<'_>, name: &str) -> PyResult<Resource> {
        let resource = wait(py, self.0.get_object(name))?;
        settle(py, resource).map(Resource::new)
    }

    /// Closes the open of this ``Name`` on the server.
    fn Remove(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        settle(py, wait(py, self.0.remove(name))?)
    }

    /// Not possible: 0x80004001.
    fn Add(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.0.add(name).map_err(|error| exception(py, &error))
    }
}
