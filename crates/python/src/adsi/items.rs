//! Session (IADsSession) and Resource (IADsResource).

use std::sync::{Mutex, PoisonError};

use netsession::adsi;
use pyo3::prelude::*;

use super::{python, settle};
use crate::runtime::wait;

/// A session of a file service (IADsSession): what it was when it was read, or last refreshed
/// with ``GetInfo()``.
#[pyclass(module = "netsession.adsi", frozen)]
pub struct Session(Mutex<adsi::Session>);

/// An open file, folder or pipe of a file service (IADsResource): what it was when it was
/// read, or last refreshed with ``GetInfo()``.
#[pyclass(module = "netsession.adsi", frozen)]
pub struct Resource(Mutex<adsi::Resource>);

impl Session {
    pub fn new(session: adsi::Session) -> Self {
        Self(Mutex::new(session))
    }

    fn now(&self) -> adsi::Session {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Resource {
    pub fn new(resource: adsi::Resource) -> Self {
        Self(Mutex::new(resource))
    }

    fn now(&self) -> adsi::Resource {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[pymethods]
#[allow(non_snake_case)]
impl Session {
    /// Account name.
    #[getter]
    fn User(&self) -> String {
        self.now().user().to_owned()
    }

    /// ADsPath of the user.
    #[getter]
    fn UserPath(&self) -> String {
        self.now().user_path()
    }

    /// Client computer, without leading backslashes.
    #[getter]
    fn Computer(&self) -> String {
        self.now().computer().to_owned()
    }

    /// ADsPath of the client computer.
    #[getter]
    fn ComputerPath(&self) -> String {
        self.now().computer_path()
    }

    /// Seconds since the session began.
    #[getter]
    fn ConnectTime(&self) -> u64 {
        self.now().connect_time().as_secs()
    }

    /// Seconds since its last request.
    #[getter]
    fn IdleTime(&self) -> u64 {
        self.now().idle_time().as_secs()
    }

    /// ``user\computer``: what ``GetObject`` and ``Remove`` of the collection take.
    #[getter]
    fn Name(&self) -> String {
        self.now().name()
    }

    /// ``"Session"``.
    #[getter]
    fn Class(&self) -> &'static str {
        self.now().class()
    }

    /// Its ADsPath.
    #[getter]
    fn ADsPath(&self) -> String {
        self.now().ads_path()
    }

    /// ADsPath of its file service.
    #[getter]
    fn Parent(&self) -> String {
        self.now().parent()
    }

    /// ADsPath of its class.
    #[getter]
    fn Schema(&self) -> String {
        self.now().schema()
    }

    /// A property by its name, in whatever case.
    fn Get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        python(py, &settle(py, self.now().get(name))?)
    }

    /// Reads the session anew; 0x80070908 if it has ended.
    fn GetInfo(&self, py: Python<'_>) -> PyResult<()> {
        let mut session = self.now();
        settle(py, wait(py, session.get_info())?)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = session;
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<netsession.adsi.Session {}>", self.now().name())
    }
}

#[pymethods]
#[allow(non_snake_case)]
impl Resource {
    /// Who opened it.
    #[getter]
    fn User(&self) -> String {
        self.now().user().to_owned()
    }

    /// ADsPath of that user.
    #[getter]
    fn UserPath(&self) -> String {
        self.now().user_path()
    }

    /// Path at the server.
    #[getter]
    fn Path(&self) -> String {
        self.now().path().to_owned()
    }

    /// Locks held on it.
    #[getter]
    fn LockCount(&self) -> u32 {
        self.now().lock_count()
    }

    /// The number of the open: what ``GetObject`` and ``Remove`` of the collection take.
    #[getter]
    fn Name(&self) -> String {
        self.now().name()
    }

    /// ``"Resource"``.
    #[getter]
    fn Class(&self) -> &'static str {
        self.now().class()
    }

    /// Its ADsPath.
    #[getter]
    fn ADsPath(&self) -> String {
        self.now().ads_path()
    }

    /// ADsPath of its file service.
    #[getter]
    fn Parent(&self) -> String {
        self.now().parent()
    }

    /// ADsPath of its class.
    #[getter]
    fn Schema(&self) -> String {
        self.now().schema()
    }

    /// A property by its name, in whatever case.
    fn Get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        python(py, &settle(py, self.now().get(name))?)
    }

    /// Reads it anew; 0x8007090A if it has been closed.
    fn GetInfo(&self, py: Python<'_>) -> PyResult<()> {
        let mut resource = self.now();
        settle(py, wait(py, resource.get_info())?)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = resource;
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<netsession.adsi.Resource {}>", self.now().name())
    }
}
