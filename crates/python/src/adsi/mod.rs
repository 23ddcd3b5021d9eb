//! `netsession.adsi`: file services, sessions and open files with the names of ADSI.

use netsession::adsi::{Error, Result, Value};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

mod file_service;
mod items;

pub use file_service::{FileService, ResourcesCollection, SessionsCollection, get_object};
pub use items::{Resource, Session};

/// The `netsession.adsi.com_error` that says the same.
fn exception(py: Python<'_>, error: &Error) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let make = || {
        let (code, text) = (error.hresult().code(), error.to_string());
        // What COM calls EXCEPINFO: wCode, source, description, help file and context, scode.
        let excepinfo = (0, "netsession.adsi", &text, py.None(), 0, code);
        let class = CLASS.import(py, "netsession.adsi", "com_error")?;
        class.call1((code, &text, excepinfo, py.None()))
    };
    match make() {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

fn settle<T>(py: Python<'_>, result: Result<T>) -> PyResult<T> {
    result.map_err(|error| exception(py, &error))
}

fn python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value.as_long() {
        Some(number) => number.into_pyobject(py)?.into_any(),
        None => value.to_string().into_pyobject(py)?.into_any(),
    })
}
