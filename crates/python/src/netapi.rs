//! `_netsession.Netapi`: the netapi-shaped functions, which `netsession.netapi` wraps.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{mem, process};

use netsession::netapi::{Netapi as Functions, SessionEnumeration};
use netsession::{Credentials, Error, Options, Target};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::arguments::{Limit, credentials, options};
use crate::convert::{self, class};
use crate::errors;
use crate::runtime::{runtime, wait};

/// What netapi32 takes from the logon, and the functions that use it.
#[pyclass(module = "netsession._netsession", frozen)]
pub struct Netapi(Mutex<Settings>);

struct Settings {
    credentials: Credentials,
    options: Options,
    port: u16,
    /// Made by the process with this id; its connections are of no use to a forked child.
    functions: Option<(u32, Arc<Functions>)>,
}

impl Settings {
    fn functions(&mut self) -> Arc<Functions> {
        match self.functions.take() {
            Some((process, functions)) if process == process::id() => {
                self.functions = Some((process, Arc::clone(&functions)));
                functions
            }
            inherited => {
                mem::forget(inherited);
                let functions = Functions::new();
                functions.set_credentials(Some(self.credentials.clone()));
                functions.set_options(self.options.clone());
                functions.set_port(self.port);
                let functions = Arc::new(functions);
                self.functions = Some((process::id(), Arc::clone(&functions)));
                functions
            }
        }
    }
}

impl Netapi {
    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls on a thread of its own: if a signal ends the wait, the call ends by itself, at
    /// its time limits at the latest, and the next one takes another connection.
    fn call<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Functions) -> Result<T, Error> + Send + 'static,
    ) -> PyResult<T> {
        let functions = self.settings().functions();
        let work = runtime()?.spawn_blocking(move || work(&functions));
        match wait(py, work)? {
            Ok(result) => result.map_err(|error| errors::exception(py, &error)),
            Err(panic) => Err(PyRuntimeError::new_err(panic.to_string())),
        }
    }
}

#[pymethods]
impl Netapi {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(Settings {
            credentials: Credentials::anonymous(),
            options: Options::default(),
            port: Target::DEFAULT_PORT,
            functions: None,
        }))
    }

    /// Who asks; three times None is nobody.
    fn set_credentials(
        &self,
        py: Python<'_>,
        user: Option<&str>,
        password: Option<&str>,
        domain: Option<&str>,
    ) -> PyResult<()> {
        let who = credentials(py, user, password, domain)?;
        // Without the GIL: connections that are dropped here may take a moment.
        py.detach(|| {
            let mut settings = self.settings();
            settings.credentials = who.clone();
            settings.functions().set_credentials(Some(who));
        });
        Ok(())
    }

    /// How to connect; what is not given gets its default.
    #[pyo3(signature = (*, port=None, connect_timeout=None, logon_timeout=None,
        call_timeout=None, encrypt=false, local_socket=None))]
    #[allow(clippy::too_many_arguments)]
    fn set_options(
        &self,
        py: Python<'_>,
        port: Option<u16>,
        connect_timeout: Option<Limit>,
        logon_timeout: Option<Limit>,
        call_timeout: Option<Limit>,
        encrypt: bool,
        local_socket: Option<PathBuf>,
    ) {
        let how = options(
            connect_timeout,
            logon_timeout,
            call_timeout,
            encrypt,
            local_socket,
        );
        py.detach(|| {
            let mut settings = self.settings();
            settings.options = how;
            settings.port = port.unwrap_or(Target::DEFAULT_PORT);
            let functions = settings.functions();
            functions.set_options(settings.options.clone());
            functions.set_port(settings.port);
        });
    }

    /// NetSessionEnum, one call.
    #[allow(clippy::too_many_arguments)]
    fn net_session_enum<'py>(
        &self,
        py: Python<'py>,
        servername: Option<String>,
        client: Option<String>,
        username: Option<String>,
        level: u32,
        prefmaxlen: u32,
        resume_handle: Option<u32>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.call(py, move |functions| {
            functions.net_session_enum(
                servername.as_deref(),
                client.as_deref(),
                username.as_deref(),
                level,
                prefmaxlen,
                resume_handle,
            )
        })?;
        enumeration(py, &found)
    }

    /// NetSessionGetInfo; the first entry is the answer.
    fn net_session_get_info<'py>(
        &self,
        py: Python<'py>,
        servername: Option<String>,
        client: Option<String>,
        username: Option<String>,
        level: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.call(py, move |functions| {
            functions.net_session_get_info(
                servername.as_deref(),
                client.as_deref(),
                username.as_deref(),
                level,
            )
        })?;
        enumeration(py, &found)
    }

    /// NetSessionDel.
    fn net_session_del(
        &self,
        py: Python<'_>,
        servername: Option<String>,
        client: Option<String>,
        username: Option<String>,
    ) -> PyResult<()> {
        self.call(py, move |functions| {
            functions.net_session_del(
                servername.as_deref(),
                client.as_deref(),
                username.as_deref(),
            )
        })
    }
}

fn enumeration<'py>(py: Python<'py>, found: &SessionEnumeration) -> PyResult<Bound<'py, PyAny>> {
    let entries: Vec<_> = found
        .entries
        .iter()
        .map(|info| convert::session(py, info))
        .collect::<PyResult<_>>()?;
    class!(py, "SessionEnumeration")?.call1((
        entries,
        found.entries_read,
        found.total_entries,
        found.resume_handle,
        found.more_data,
    ))
}
