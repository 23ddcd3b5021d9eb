//! Waiting without the GIL, and with an ear for Ctrl-C.

use std::future::Future;
use std::pin::pin;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// How long Python's signal handlers may have to wait while a call does: short enough to
/// seem immediate, long enough to cost nothing.
const SLICE: Duration = Duration::from_millis(50);

/// They move bytes between sockets and waiting callers; only a fan-out keeps two busy.
const THREADS: usize = 2;

/// The runtime of the process with this id. A forked child inherits the memory but not the
/// threads, so it makes its own.
static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// The runtime that all connections of this process live on.
pub fn runtime() -> PyResult<&'static Runtime> {
    let mut known = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    match *known {
        Some((process, runtime)) if process == process::id() => Ok(runtime),
        _ => {
            let runtime = Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name("netsession")
                .enable_all()
                .build()
                .map_err(|error| {
                    PyOSError::new_err(format!("no thread for the connections: {error}"))
                })?;
            // Kept for ever: at exit nobody could say when its last user is gone.
            let runtime: &'static Runtime = Box::leak(Box::new(runtime));
            *known = Some((process::id(), runtime));
            Ok(runtime)
        }
    }
}

/// Waits for `future` with the GIL released. An exception of a signal handler
/// (KeyboardInterrupt) drops the future and is returned.
pub fn wait<F>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    let runtime = runtime()?;
    let mut future = pin!(future);
    loop {
        let done =
            py.detach(|| runtime.block_on(async { timeout(SLICE, future.as_mut()).await.ok() }));
        match done {
            Some(output) => return Ok(output),
            None => py.check_signals()?,
        }
    }
}
