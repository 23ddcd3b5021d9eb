//! Named pipes: a service registers a [`PipeService`] under a name (`srvsvc`), the server
//! opens it for clients through IPC$ and carries messages ([MS-RPCE] 2.1.1.2).

use std::sync::Arc;

use smb::NtStatus;

use crate::account::SecurityContext;
use crate::application::{Application, Ending, SessionGlobalId};

/// Who opened a pipe.
#[derive(Clone)]
pub struct Caller {
    /// The session over which the pipe was opened.
    pub session: SessionGlobalId,
    /// Its user and groups.
    pub security_context: Arc<SecurityContext>,
    /// ClientName of its connection.
    pub client_name: Arc<str>,
    /// The administrative operations of the server.
    pub application: Arc<dyn Application>,
}

/// A service that answers on a named pipe.
pub trait PipeService: Send + Sync + 'static {
    /// A client opened the pipe.
    fn open(&self, caller: Caller) -> Result<Box<dyn Pipe>, NtStatus>;
}

/// What a read of a pipe gives.
#[derive(Debug, PartialEq, Eq)]
pub enum PipeRead {
    /// Bytes of the current message; `more` if that message goes on (BUFFER_OVERFLOW).
    Data {
        /// The bytes, at most as many as asked.
        bytes: Vec<u8>,
        /// The message has more bytes.
        more: bool,
    },
    /// Nothing to read now.
    Empty,
    /// The service has closed its end (PIPE_BROKEN).
    Broken,
}

/// One open instance of a pipe, message mode. Synchronous: answers are ready when
/// [`Pipe::write`] returns.
pub trait Pipe: Send + 'static {
    /// The client wrote one message.
    fn write(&mut self, message: &[u8]) -> Result<(), NtStatus>;

    /// The client reads up to `max` bytes.
    fn read(&mut self, max: usize) -> PipeRead;

    /// Bytes ready to read (FilePipeLocalInformation ReadDataAvailable), over all messages.
    fn available(&self) -> usize;

    /// Bytes that the pipe holds for its client: of requests that have not come to their end,
    /// and of answers that have not been read. They count against the client's limits.
    fn held(&self) -> usize {
        self.available()
    }

    /// Sessions to close once this pipe's answers have left ([MS-SRVS] 3.1.4.6 for the
    /// caller's own session): asked when [`Pipe::available`] is 0, and when the pipe closes.
    fn take_close_after_reply(&mut self) -> Vec<Ending>;
}

/// How a client reads an open of a pipe: FilePipeInformation ([MS-FSCC] 2.4.37).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PipeMode {
    /// A read ends where the message ends, and says so if the message goes on. Otherwise it
    /// goes on with the next message.
    pub(crate) messages: bool,
    /// A read of an empty pipe fails instead of waiting.
    pub(crate) never_waits: bool,
}

impl PipeMode {
    /// Appends what one READ of at most `max` bytes gives to `out`. Of an empty pipe that
    /// goes on, nothing.
    pub(crate) fn read(
        self,
        pipe: &mut dyn Pipe,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Result<Taken, NtStatus> {
        let end = out.len() + max;
        out.reserve(max.min(pipe.available()));
        let mut taken = Taken::Nothing;
        loop {
            match pipe.read(end.saturating_sub(out.len())) {
                PipeRead::Data { bytes, more } => {
                    out.extend_from_slice(&bytes);
                    if self.messages && more {
                        return Ok(Taken::PartOfMessage);
                    }
                    taken = Taken::Data;
                }
                PipeRead::Empty => return Ok(taken),
                PipeRead::Broken if taken == Taken::Nothing => return Err(NtStatus::PIPE_BROKEN),
                // What came before its end is read first.
                PipeRead::Broken => return Ok(taken),
            }
            if self.messages || out.len() >= end || pipe.available() == 0 {
                return Ok(taken);
            }
        }
    }
}

/// What a READ found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// An empty pipe.
    Nothing,
    /// All that was asked for and is there.
    Data,
    /// Its message has more bytes (BUFFER_OVERFLOW).
    PartOfMessage,
}
