//! Answers as Python's dataclasses.

use netsession::{FileInfo, ServerInfo, SessionInfo, ShareInfo, UserFlags};
use pyo3::prelude::*;

/// Python's name for a class of `netsession._types`, looked up once.
macro_rules! class {
    ($py:expr, $name:literal) => {{
        static CLASS: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::types::PyType>> =
            pyo3::sync::PyOnceLock::new();
        CLASS.import($py, "netsession._types", $name)
    }};
}
pub(crate) use class;

/// A `SessionInfo0`, `1`, `2`, `10` or `502`.
pub fn session<'py>(py: Python<'py>, info: &SessionInfo) -> PyResult<Bound<'py, PyAny>> {
    match info {
        SessionInfo::Info0(info) => class!(py, "SessionInfo0")?.call1((&info.cname,)),
        SessionInfo::Info1(info) => class!(py, "SessionInfo1")?.call1((
            &info.cname,
            &info.username,
            info.num_opens,
            info.time,
            info.idle_time,
            flags(py, info.user_flags)?,
        )),
        SessionInfo::Info2(info) => class!(py, "SessionInfo2")?.call1((
            &info.cname,
            &info.username,
            info.num_opens,
            info.time,
            info.idle_time,
            flags(py, info.user_flags)?,
            &info.cltype_name,
        )),
        SessionInfo::Info10(info) => class!(py, "SessionInfo10")?.call1((
            &info.cname,
            &info.username,
            info.time,
            info.idle_time,
        )),
        SessionInfo::Info502(info) => class!(py, "SessionInfo502")?.call1((
            &info.cname,
            &info.username,
            info.num_opens,
            info.time,
            info.idle_time,
            flags(py, info.user_flags)?,
            &info.cltype_name,
            &info.transport,
        )),
    }
}

fn flags(py: Python<'_>, flags: UserFlags) -> PyResult<Bound<'_, PyAny>> {
    class!(py, "UserFlags")?.call1((flags.bits(),))
}

/// A `FileInfo`.
pub fn file<'py>(py: Python<'py>, info: &FileInfo) -> PyResult<Bound<'py, PyAny>> {
    class!(py, "FileInfo")?.call1((
        info.id,
        info.permissions,
        info.num_locks,
        &info.path_name,
        &info.user_name,
    ))
}

/// A `ShareInfo`.
pub fn share<'py>(py: Python<'py>, info: &ShareInfo) -> PyResult<Bound<'py, PyAny>> {
    class!(py, "ShareInfo")?.call1((&info.netname, info.share_type, &info.remark))
}

/// A `ServerInfo`.
pub fn server<'py>(py: Python<'py>, info: &ServerInfo) -> PyResult<Bound<'py, PyAny>> {
    class!(py, "ServerInfo")?.call1((
        info.platform_id,
        &info.name,
        info.version_major,
        info.version_minor,
        info.server_type,
        &info.comment,
    ))
}
