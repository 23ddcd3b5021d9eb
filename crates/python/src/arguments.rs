//! Arguments from Python's values.

use std::path::PathBuf;
use std::time::Duration;

use netsession::{Credentials, Encryption, LevelChoice, Options, SessionLevel, Target};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDelta};

use crate::errors;

/// Seconds or a `datetime.timedelta`, above 0.
pub struct Limit(pub Duration);

impl<'a, 'py> FromPyObject<'a, 'py> for Limit {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let seconds = match value.cast::<PyDelta>() {
            Ok(delta) => delta.call_method0("total_seconds")?.extract(),
            Err(_) => value.extract::<f64>(),
        };
        let seconds = seconds.map_err(|_| {
            PyTypeError::new_err("a time limit is a number of seconds or a datetime.timedelta")
        })?;
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|limit| !limit.is_zero())
            .map(Self)
            .ok_or_else(|| PyValueError::new_err("a time limit is above 0 seconds"))
    }
}

/// A level: 0, 1, 2, 10, 502 or `"fullest"`.
#[derive(Clone, Copy)]
pub struct Level(pub LevelChoice);

impl Level {
    /// What is asked if the caller does not say.
    pub const DEFAULT: Self = Self(LevelChoice::Fullest);
}

impl<'a, 'py> FromPyObject<'a, 'py> for Level {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let known = if value.is_instance_of::<PyBool>() {
            None
        } else if let Ok(number) = value.extract::<u32>() {
            SessionLevel::try_from(number)
                .ok()
                .map(LevelChoice::Exactly)
        } else {
            let word: Option<String> = value.extract().ok();
            (word.as_deref() == Some("fullest")).then_some(LevelChoice::Fullest)
        };
        known
            .map(Self)
            .ok_or_else(|| PyValueError::new_err("the level is 0, 1, 2, 10, 502 or \"fullest\""))
    }
}

/// The machine named by `server`; `port` counts if the name has none.
pub fn target(py: Python<'_>, server: Option<&str>, port: Option<u16>) -> PyResult<Target> {
    let Some(server) = server else {
        return Ok(Target::this_machine());
    };
    let named = Target::parse(server).map_err(|error| errors::exception(py, &error))?;
    match port {
        Some(port) if named.port() == Target::DEFAULT_PORT => {
            Target::new(named.host(), port).map_err(|error| errors::exception(py, &error))
        }
        _ => Ok(named),
    }
}

/// Who asks. `DOMAIN\user` is taken apart unless `domain` is given.
pub fn credentials(
    py: Python<'_>,
    user: Option<&str>,
    password: Option<&str>,
    domain: Option<&str>,
) -> PyResult<Credentials> {
    let wrong = |what: &str| Err(errors::usage(py, what));
    let Some(user) = user.filter(|user| !user.is_empty()) else {
        return match password.or(domain) {
            None | Some("") => Ok(Credentials::anonymous()),
            Some(_) => wrong(
                "credentials: the user is missing; name it, or give no password and no domain to log on as nobody",
            ),
        };
    };
    let (domain, user) = match domain {
        Some(domain) => (domain, user),
        None => user.split_once('\\').unwrap_or(("", user)),
    };
    if user.is_empty() || user.contains(['\\', '\0']) || domain.contains(['\\', '\0']) {
        return wrong("credentials: that is no user name; write user, DOMAIN\\user or user@domain");
    }
    match password {
        Some(password) => Ok(Credentials::new(domain, user, password)),
        None => wrong("credentials: the password is missing; give one (it may be empty)"),
    }
}

/// How to connect: the defaults but for what is given.
pub fn options(
    connect_timeout: Option<Limit>,
    logon_timeout: Option<Limit>,
    call_timeout: Option<Limit>,
    encrypt: bool,
    local_socket: Option<PathBuf>,
) -> Options {
    let mut options = Options::default();
    if let Some(Limit(limit)) = connect_timeout {
        options.connect_timeout = limit;
    }
    if let Some(Limit(limit)) = logon_timeout {
        options.logon_timeout = limit;
    }
    if let Some(Limit(limit)) = call_timeout {
        options.call_timeout = limit;
    }
    if encrypt {
        options.encryption = Encryption::Required;
    }
    options.local_socket = local_socket;
    options
}
