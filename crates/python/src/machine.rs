//! [`Machine`]: the connection behind a `Server`, shared by threads, made again when needed.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::{mem, process};

use netsession::{Credentials, Error, ErrorKind, Options, Server, Target};
use pyo3::prelude::*;
use tokio::sync::MutexGuard;

use crate::errors;
use crate::runtime::wait;

/// A call under way.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A machine and, between calls, the connection to it.
pub struct Machine {
    /// The machine.
    pub target: Target,
    credentials: Credentials,
    options: Options,
    facts: Mutex<Facts>,
    link: tokio::sync::Mutex<Link>,
}

/// What has been negotiated.
#[derive(Clone, Default)]
pub struct Facts {
    /// Dialect, such as `3.1.1`.
    pub dialect: Option<String>,
    /// How messages are signed.
    pub signing: Option<String>,
    /// How messages are encrypted, if they are.
    pub cipher: Option<String>,
}

/// Why a call did not come to an answer.
#[derive(Debug)]
pub enum Failure {
    /// `close` was called before.
    Closed,
    /// The call failed.
    Net(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Net(error)
    }
}

impl Failure {
    /// The exception that says so.
    pub fn exception(&self, py: Python<'_>) -> PyErr {
        match self {
            Self::Closed => errors::usage(py, "the connection is closed; connect again"),
            Self::Net(error) => errors::exception(py, error),
        }
    }
}

impl Machine {
    /// Nothing is sent yet.
    pub fn new(target: Target, credentials: Credentials, options: Options) -> Arc<Self> {
        Arc::new(Self {
            target,
            credentials,
            options,
            facts: Mutex::default(),
            link: tokio::sync::Mutex::default(),
        })
    }

    /// Waits for its turn, then for a connection if there is none, then for `work`.
    pub fn run<T, W>(&self, py: Python<'_>, work: W) -> PyResult<T>
    where
        T: Send,
        W: for<'a> FnOnce(&'a mut Server) -> Work<'a, T> + Send,
    {
        let result = wait(py, async {
            let mut call = self.call().await?;
            let result = work(&mut call.server).await;
            call.settle(result)
        })?;
        result.map_err(|failure: Failure| failure.exception(py))
    }

    /// The connection, for one call. Dropped before [`Call::settle`] it takes the connection
    /// with it: an answer may still be on its way there.
    pub async fn call(&self) -> Result<Call<'_>, Failure> {
        let mut link = self.link.lock().await;
        if link.closed {
            return Err(Failure::Closed);
        }
        link.forget_if_inherited();
        let server = match link.server.take() {
            Some(server) => server,
            None => {
                let server =
                    Server::connect(&self.target, &self.credentials, &self.options).await?;
                *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = Facts::of(&server);
                server
            }
        };
        Ok(Call { link, server })
    }

    /// Drops the connection; the next call makes a new one.
    pub async fn disconnect(&self) {
        let mut link = self.link.lock().await;
        link.forget_if_inherited();
        link.server = None;
    }

    /// Logs off and refuses further calls. What the server says to that changes nothing.
    pub async fn close(&self) {
        let mut link = self.link.lock().await;
        link.closed = true;
        link.forget_if_inherited();
        if let Some(server) = link.server.take() {
            let _ = server.disconnect().await;
        }
    }

    /// What was negotiated last.
    pub fn facts(&self) -> Facts {
        self.facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Facts {
    fn of(server: &Server) -> Self {
        Self {
            dialect: server.dialect().map(|dialect| dialect.to_string()),
            signing: server
                .signing_algorithm()
                .map(|signing| signing.to_string()),
            cipher: server
                .cipher()
                .filter(|_| server.is_encrypted())
                .map(|cipher| cipher.to_string()),
        }
    }
}

/// The connection while no call has it.
#[derive(Default)]
struct Link {
    server: Option<Server>,
    process: u32,
    closed: bool,
}

impl Link {
    /// A forked child must not speak on its parent's socket, nor take it out of the parent's
    /// runtime, which dropping would do.
    fn forget_if_inherited(&mut self) {
        if self.process != process::id() {
            mem::forget(self.server.take());
            self.process = process::id();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.forget_if_inherited();
    }
}

/// The connection while a call has it.
pub struct Call<'a> {
    link: MutexGuard<'a, Link>,
    /// The connection.
    pub server: Server,
}

impl Call<'_> {
    /// Gives the connection back, unless the call has broken it.
    pub fn settle<T>(mut self, result: Result<T, Error>) -> Result<T, Failure> {
        let broken = matches!(&result, Err(error) if matches!(
            error.kind(),
            ErrorKind::ConnectionLost | ErrorKind::TimedOut | ErrorKind::Protocol
        ));
        if !broken {
            self.link.server = Some(self.server);
        }
        Ok(result?)
    }
}
