//! `netsession.Sessions`: the iterator over an enumeration.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use netsession::{LevelChoice, SessionCursor, SessionFilter, SessionInfo};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::convert;
use crate::machine::{Failure, Machine};
use crate::runtime::wait;

/// The sessions of a server, page by page: what ``Server.sessions`` returns.
///
/// Nothing is sent before the first item is asked for. Several threads may take items from
/// one iterator; each gets different ones.
#[pyclass(module = "netsession", frozen)]
pub struct Sessions {
    machine: Arc<Machine>,
    /// Arrived and not yet given out.
    page: Mutex<VecDeque<SessionInfo>>,
    cursor: tokio::sync::Mutex<SessionCursor>,
    level: Mutex<Option<u32>>,
}

impl Sessions {
    /// An enumeration that has not begun.
    pub fn new(
        machine: Arc<Machine>,
        client: Option<String>,
        user: Option<String>,
        choice: LevelChoice,
    ) -> Self {
        Self {
            machine,
            page: Mutex::default(),
            cursor: tokio::sync::Mutex::new(SessionCursor::new(
                &SessionFilter { client, user },
                choice,
            )),
            level: Mutex::default(),
        }
    }

    fn take(&self) -> Option<SessionInfo> {
        self.page
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }

    /// The next session, with the next page if need be. Whoever waits for the cursor finds
    /// the page of the one before.
    async fn advance(&self) -> Result<Option<SessionInfo>, Failure> {
        let mut cursor = self.cursor.lock().await;
        loop {
            if let Some(session) = self.take() {
                return Ok(Some(session));
            }
            let mut call = self.machine.call().await?;
            let page = cursor.next_page(&mut call.server).await;
            let Some(page) = call.settle(page)? else {
                return Ok(None);
            };
            *self.level.lock().unwrap_or_else(PoisonError::into_inner) =
                cursor.level().map(u32::from);
            self.page
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(page);
        }
    }
}

#[pymethods]
impl Sessions {
    fn __iter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let session = match self.take() {
            Some(session) => Some(session),
            None => wait(py, self.advance())?.map_err(|failure| failure.exception(py))?,
        };
        session.map(|info| convert::session(py, &info)).transpose()
    }

    /// ``Sessions[SessionInfo502]``, for annotations.
    #[classmethod]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        item: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let alias = class.py().import("types")?.getattr("GenericAlias")?;
        alias.call1((class, item))
    }

    /// The level of the sessions: 0, 1, 2, 10 or 502; None before the first page has come.
    #[getter]
    fn level(&self) -> Option<u32> {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
