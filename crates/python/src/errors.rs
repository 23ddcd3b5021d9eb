//! Failures as Python's exceptions.

use netsession::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The `netsession.Error` that says the same.
pub fn exception(py: Python<'_>, error: &Error) -> PyErr {
    raise(
        py,
        word(error.kind()),
        &error.to_string(),
        error.net_api_status(),
        error.name(),
    )
}

/// The `netsession.UsageError` for a mistake that only this layer can see.
pub fn usage(py: Python<'_>, message: &str) -> PyErr {
    raise(py, "usage", message, 87, Some("ERROR_INVALID_PARAMETER"))
}

fn raise(py: Python<'_>, kind: &str, message: &str, code: u32, name: Option<&str>) -> PyErr {
    let make = || {
        let make = MAKE.import(py, "netsession._errors", "make")?;
        make.call1((kind, message, code, name))
    };
    match make() {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// `kind` of the exception's class.
fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage => "usage",
        ErrorKind::Unreachable => "unreachable",
        ErrorKind::LogonFailed => "logon_failed",
        ErrorKind::AccessDenied => "access_denied",
        ErrorKind::NoSuchSession => "no_such_session",
        ErrorKind::TimedOut => "timed_out",
        ErrorKind::Protocol => "protocol",
        ErrorKind::ConnectionLost => "connection_lost",
        ErrorKind::ServerNotStarted => "server_not_started",
        // Refused, and what later versions may add.
        _ => "refused",
    }
}
