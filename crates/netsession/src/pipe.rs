//! An RPC association with srvsvc: over `\PIPE\srvsvc` ([MS-RPCE] 2.1.1.2), or over the Unix
//! socket of this machine's service.

use std::io;
use std::path::PathBuf;

use rpc::Syntax;
use rpc::association::client::{Association, Error as RpcError, Event, Limits};
use srvsvc::NetApiStatus;
use tokio::time::Instant;

use crate::local_socket::LocalStream;
use crate::smb_client::{self, Create, Open, TreeConnect};
use crate::{Code, Error, ErrorKind};

/// Bytes asked for in one read: what one credit covers, and more than the largest fragment.
const READ_SIZE: u32 = 65536;

/// Bytes of one reply's stub. Pages are far smaller; Samba, which does not page, reaches
/// this at some 400,000 sessions.
const MAX_RESPONSE_STUB: usize = 64 << 20;

/// A pipe, bound to srvsvc.
#[derive(Debug)]
pub(crate) struct Pipe {
    carrier: Carrier,
    association: Association,
    syntax: Syntax,
    /// No call is under way. False after one that was abandoned or failed in the middle:
    /// what comes next from the pipe is unknown.
    idle: bool,
    /// Bytes of the last reply's stub.
    reply_size: usize,
}

/// What carries the PDUs.
#[derive(Debug)]
enum Carrier {
    Smb(Open),
    Local(PathBuf, LocalStream),
}

/// What goes wrong on a pipe.
#[derive(Debug)]
pub(crate) enum PipeError {
    Smb(smb_client::Error),
    /// The local service, which uses the errors of a connection.
    Local(smb_client::Error),
    Rpc(RpcError),
    Fault(u32),
}

impl From<smb_client::Error> for PipeError {
    fn from(error: smb_client::Error) -> Self {
        Self::Smb(error)
    }
}

impl From<RpcError> for PipeError {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl PipeError {
    pub(crate) fn into_error(self, tried: String) -> Error {
        match self {
            Self::Smb(error) => Error::smb(tried, error),
            Self::Local(smb_client::Error::Connect(error)) => not_connected(tried, &error),
            Self::Local(error) => Error::smb(tried, error).on_this_machine(),
            Self::Fault(status) => Error::fault(tried, status),
            Self::Rpc(error) => {
                let (kind, code) = match error {
                    RpcError::Interface(_) => (ErrorKind::Refused, Some(Code::NetApiStatus(1717))),
                    RpcError::BindNak(_) | RpcError::TransferSyntax(_) => {
                        (ErrorKind::Refused, Some(Code::NetApiStatus(1722)))
                    }
                    _ => (ErrorKind::Protocol, None),
                };
                Error::new(kind, tried, error.to_string(), code)
            }
        }
    }
}

/// A socket that is not there, or that nobody listens on, is a service that does not run.
fn not_connected(tried: String, error: &io::Error) -> Error {
    let (status, kind) = match error.kind() {
        io::ErrorKind::PermissionDenied => (NetApiStatus::ACCESS_DENIED, ErrorKind::AccessDenied),
        _ => (
            NetApiStatus::SERVER_NOT_STARTED,
            ErrorKind::ServerNotStarted,
        ),
    };
    let detail = match kind {
        ErrorKind::ServerNotStarted => {
            format!("the Server service is not running on this machine, {error}")
        }
        _ => error.to_string(),
    };
    let code = Some(Code::NetApiStatus(status.0));
    Error::new(kind, tried, detail, code).on_this_machine()
}

impl Carrier {
    async fn set_deadline(&mut self, deadline: Instant) {
        match self {
            Self::Smb(open) => {
                let connection = open.tree().session().connection();
                connection.set_deadline(Some(deadline)).await;
            }
            Self::Local(_, stream) => stream.set_deadline(deadline),
        }
    }

    async fn write(&mut self, fragment: &[u8]) -> Result<(), PipeError> {
        match self {
            Self::Smb(open) => match open.write(0, fragment).await? as usize == fragment.len() {
                true => Ok(()),
                false => Err(smb_client::Error::Protocol("the pipe takes half a message").into()),
            },
            Self::Local(_, stream) => stream.write(fragment).await.map_err(PipeError::Local),
        }
    }

    /// Writes a message and reads until the association knows the answer. Samba ends a read
    /// with SUCCESS although the message goes on: only the fragments' own lengths count.
    async fn exchange(
        &mut self,
        association: &mut Association,
        message: &[u8],
    ) -> Result<Event, PipeError> {
        match self {
            Self::Smb(open) => {
                let (_, output) = open.transceive(message, READ_SIZE).await?;
                if let Some(event) = association.handle(&output)? {
                    return Ok(event);
                }
            }
            Self::Local(_, stream) => stream.write(message).await.map_err(PipeError::Local)?,
        }
        loop {
            let event = match self {
                Self::Smb(open) => {
                    let data = open.read(0, READ_SIZE).await?;
                    if data.is_empty() {
                        let nothing = "the pipe has no more of the answer";
                        return Err(smb_client::Error::Protocol(nothing).into());
                    }
                    association.handle(&data)?
                }
                Self::Local(_, stream) => {
                    association.handle(&stream.read().await.map_err(PipeError::Local)?)?
                }
            };
            if let Some(event) = event {
                return Ok(event);
            }
        }
    }

    /// A fresh one in its place.
    async fn renew(&mut self, deadline: Instant) -> Result<(), PipeError> {
        match self {
            Self::Smb(open) => {
                // The old one may be gone already; that the connection is will show next.
                let _ = open.close().await;
                *open = open_pipe(open.tree()).await?;
            }
            Self::Local(path, stream) => {
                *stream = LocalStream::connect(path, deadline)
                    .await
                    .map_err(PipeError::Local)?;
            }
        }
        Ok(())
    }
}

async fn open_pipe(tree: &TreeConnect) -> Result<Open, smb_client::Error> {
    tree.create(srvsvc::PIPE_NAME, &Create::pipe()).await
}

impl Pipe {
    /// Opens the pipe and binds to srvsvc, each syntax offered in its own context. The
    /// connection's deadline holds.
    pub(crate) async fn open(tree: &TreeConnect, syntaxes: &[Syntax]) -> Result<Self, PipeError> {
        let open = open_pipe(tree).await?;
        Self::new(Carrier::Smb(open), syntaxes).await
    }

    /// Connects to the service of this machine and binds.
    pub(crate) async fn local(
        path: PathBuf,
        connect_deadline: Instant,
        deadline: Instant,
        syntaxes: &[Syntax],
    ) -> Result<Self, PipeError> {
        let mut stream = LocalStream::connect(&path, connect_deadline)
            .await
            .map_err(PipeError::Local)?;
        stream.set_deadline(deadline);
        Self::new(Carrier::Local(path, stream), syntaxes).await
    }

    async fn new(mut carrier: Carrier, syntaxes: &[Syntax]) -> Result<Self, PipeError> {
        let (association, syntax) = bind(&mut carrier, syntaxes).await?;
        Ok(Self {
            carrier,
            association,
            syntax,
            idle: true,
            reply_size: 0,
        })
    }

    /// The transfer syntax of the stubs.
    pub(crate) fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Bytes of the last reply's stub.
    pub(crate) fn reply_size(&self) -> usize {
        self.reply_size
    }

    /// No call was abandoned or failed in the middle.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle
    }

    /// Ready for a call: opened and bound anew if the last one did not come to its end.
    pub(crate) async fn make_ready(&mut self, deadline: Instant) -> Result<(), PipeError> {
        self.carrier.set_deadline(deadline).await;
        if self.idle {
            return Ok(());
        }
        self.carrier.renew(deadline).await?;
        // The syntax stays the one that callers write their stubs in.
        (self.association, _) = bind(&mut self.carrier, &[self.syntax]).await?;
        self.idle = true;
        Ok(())
    }

    /// One call, stub in, stub out, within the deadline of [`Pipe::make_ready`].
    pub(crate) async fn call(&mut self, opnum: u16, stub: Vec<u8>) -> Result<Vec<u8>, PipeError> {
        self.idle = false;
        let fragments = self.association.request(opnum, stub)?;
        let Some((last, earlier)) = fragments.split_last() else {
            return Err(RpcError::NotReady.into());
        };
        for fragment in earlier {
            self.carrier.write(fragment).await?;
        }
        let result = match self.carrier.exchange(&mut self.association, last).await? {
            Event::Response { stub, .. } => {
                self.reply_size = stub.len();
                Ok(stub)
            }
            Event::Fault { status, .. } => Err(PipeError::Fault(status)),
            Event::Bound(_) => {
                return Err(smb_client::Error::Protocol("a second bind was acknowledged").into());
            }
        };
        self.idle = true;
        result
    }
}

async fn bind(
    carrier: &mut Carrier,
    syntaxes: &[Syntax],
) -> Result<(Association, Syntax), PipeError> {
    let limits = Limits {
        max_response_stub: MAX_RESPONSE_STUB,
    };
    let mut association = Association::new(srvsvc::INTERFACE, limits);
    let bind = association.bind(syntaxes);
    match carrier.exchange(&mut association, &bind).await? {
        Event::Bound(syntax) => Ok((association, syntax)),
        Event::Fault { status, .. } => Err(PipeError::Fault(status)),
        Event::Response { .. } => {
            Err(smb_client::Error::Protocol("a reply came before the bind").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_may_not_be_used_is_access_denied() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = not_connected("connecting".to_owned(), &denied);
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        assert_eq!(error.net_api_status(), 5);
        assert!(
            error.to_string().contains("administrators group"),
            "{error}"
        );
    }
}
