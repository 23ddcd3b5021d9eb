//! The Unix socket of this machine's Server service: the PDUs of `\PIPE\srvsvc` as they are.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout_at};

use crate::Options;
use crate::smb_client::Error;

/// Bytes read at once. Most answers fit; longer ones come in several reads.
const CHUNK: usize = 16 * 1024;

/// How long to wait before another try while the service's queue of new connections is full.
const BACKLOG_PAUSE: Duration = Duration::from_millis(5);

/// Where the service is asked: what the options name, else the default place of
/// [`srvsvc::local`]. `None` if the environment says that there is none.
pub(crate) fn path(options: &Options) -> Option<PathBuf> {
    if let Some(path) = &options.local_socket {
        return Some(path.clone());
    }
    let named = std::env::var_os(srvsvc::local::ENVIRONMENT_VARIABLE);
    let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    srvsvc::local::client_default(
        named.as_deref(),
        Path::new(srvsvc::local::SYSTEM_SOCKET).exists(),
        runtime_dir.as_deref(),
    )
}

/// A connection to the service.
#[derive(Debug)]
pub(crate) struct LocalStream {
    stream: UnixStream,
    deadline: Instant,
}

impl LocalStream {
    /// Connects.
    pub(crate) async fn connect(path: &Path, deadline: Instant) -> Result<Self, Error> {
        let stream = bounded(deadline, connect(path)).await??;
        Ok(Self { stream, deadline })
    }

    /// Limit of the following reads and writes together.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Writes one PDU, or several.
    pub(crate) async fn write(&mut self, pdus: &[u8]) -> Result<(), Error> {
        bounded(self.deadline, self.stream.write_all(pdus))
            .await?
            .map_err(broken)
    }

    /// Some bytes of the answer, at least one.
    pub(crate) async fn read(&mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(CHUNK);
        let count = bounded(self.deadline, self.stream.read_buf(&mut bytes))
            .await?
            .map_err(broken)?;
        match count {
            0 => Err(Error::Closed),
            _ => Ok(bytes),
        }
    }
}

async fn connect(path: &Path) -> Result<UnixStream, Error> {
    loop {
        match UnixStream::connect(path).await {
            Ok(stream) => return Ok(stream),
            // unix(7): a connection is not queued but refused for now.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(BACKLOG_PAUSE).await,
            Err(error) => return Err(Error::Connect(error)),
        }
    }
}

async fn bounded<T>(deadline: Instant, work: impl Future<Output = T>) -> Result<T, Error> {
    timeout_at(deadline, work)
        .await
        .map_err(|_| Error::TimedOut)
}

fn broken(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Error::Closed,
        _ => Error::Io(error),
    }
}
