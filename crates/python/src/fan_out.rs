//! `netsession.fan_out`: many servers at once.

use std::collections::HashMap;

use netsession::fan_out::{Event, Events};
use netsession::{SessionFilter, Target};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use tokio::sync::watch;

use crate::arguments::{Level, Limit, credentials, options, target};
use crate::convert::{self, class};
use crate::errors;
use crate::runtime::wait;

/// Lists the sessions of many servers at once, each within its own time limit.
///
/// Args:
///     servers: names as :func:`connect` takes them; one that comes twice is asked once.
///     user, password, domain, port, connect_timeout, logon_timeout, call_timeout, encrypt:
///         as :func:`connect` takes them, for all servers.
///     client_filter: only the sessions of this client computer.
///     user_filter: only those of this user.
///     level: 0, 1, 2, 10, 502, or ``"fullest"``: for each server the one with most fields
///         that it has.
///     jobs: servers asked at the same time.
///     deadline: limit for all that one server is asked, from its turn to its last answer
///         (default 30 s).
///
/// Returns:
///     FanOut: an iterator of events as they come: for each server any number of
///     :class:`SessionEvent`, then one :class:`DoneEvent` or :class:`FailedEvent`. Leaving
///     its ``with`` block, ``close()`` or forgetting it ends all work.
#[pyfunction]
#[pyo3(signature = (servers, user=None, password=None, *, domain=None, client_filter=None,
    user_filter=None, level=Level::DEFAULT, jobs=64, deadline=None, port=None,
    connect_timeout=None, logon_timeout=None, call_timeout=None, encrypt=false),
    text_signature = "(servers, user=None, password=None, *, domain=None, client_filter=None, \
    user_filter=None, level='fullest', jobs=64, deadline=None, port=None, \
    connect_timeout=None, logon_timeout=None, call_timeout=None, encrypt=False)")]
#[allow(clippy::too_many_arguments)]
pub fn fan_out(
    py: Python<'_>,
    servers: &Bound<'_, PyAny>,
    user: Option<&str>,
    password: Option<&str>,
    domain: Option<&str>,
    client_filter: Option<String>,
    user_filter: Option<String>,
    level: Level,
    jobs: usize,
    deadline: Option<Limit>,
    port: Option<u16>,
    connect_timeout: Option<Limit>,
    logon_timeout: Option<Limit>,
    call_timeout: Option<Limit>,
    encrypt: bool,
) -> PyResult<FanOut> {
    if servers.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err(
            "servers is a list of names, not one name",
        ));
    }
    if jobs == 0 {
        return Err(PyValueError::new_err("jobs is at least 1"));
    }
    let mut targets = Vec::new();
    let mut names = HashMap::new();
    for server in servers.try_iter()? {
        let name: String = server?.extract()?;
        let target = target(py, Some(&name), port)?;
        names.entry(target.clone()).or_insert(name);
        targets.push(target);
    }
    let mut ask = netsession::fan_out::FanOut::new(credentials(py, user, password, domain)?)
        .options(options(
            connect_timeout,
            logon_timeout,
            call_timeout,
            encrypt,
            None,
        ))
        .jobs(jobs)
        .level(level.0)
        .filter(SessionFilter {
            client: client_filter,
            user: user_filter,
        });
    if let Some(Limit(limit)) = deadline {
        ask = ask.deadline(limit);
    }
    Ok(FanOut {
        events: tokio::sync::Mutex::new(Some(ask.sessions(targets))),
        closed: watch::Sender::new(false),
        names,
    })
}

/// The events of many servers, as they come: what :func:`fan_out` returns.
#[pyclass(module = "netsession", frozen)]
pub struct FanOut {
    events: tokio::sync::Mutex<Option<Events>>,
    /// Wakes the thread that waits for an event.
    closed: watch::Sender<bool>,
    names: HashMap<Target, String>,
}

impl FanOut {
    async fn next(&self) -> Option<Event> {
        let mut closed = self.closed.subscribe();
        let mut events = self.events.lock().await;
        let event = tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => None,
            event = events.as_mut()?.next() => event,
        };
        if event.is_none() {
            *events = None;
        }
        event
    }

    fn name(&self, target: &Target) -> String {
        let named = self.names.get(target);
        named.cloned().unwrap_or_else(|| target.to_string())
    }
}

#[pymethods]
impl FanOut {
    fn __iter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(event) = wait(py, self.next())? else {
            return Ok(None);
        };
        let name = self.name(event.target());
        let event = match event {
            Event::Session { level, session, .. } => {
                let session = convert::session(py, &session)?;
                class!(py, "SessionEvent")?.call1((name, u32::from(level), session))
            }
            Event::Done {
                level,
                sessions,
                elapsed,
                ..
            } => class!(py, "DoneEvent")?.call1((name, u32::from(level), sessions, elapsed)),
            Event::Failed { error, elapsed, .. } => {
                let error = errors::exception(py, &error).into_value(py);
                class!(py, "FailedEvent")?.call1((name, error, elapsed))
            }
        };
        event.map(Some)
    }

    /// Ends all work: nothing more comes. A second close does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.closed.send_replace(true);
        wait(py, async { *self.events.lock().await = None })
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
}
