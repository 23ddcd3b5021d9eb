//! An RPC association over an open pipe ([MS-RPCE] 2.1.1.2).

use rpc::Syntax;
use rpc::association::client::{Association, Error as RpcError, Event, Limits};

use crate::smb_client::{self, Open};
use crate::{Code, Error, ErrorKind};

/// Bytes asked for in one read: what one credit covers, and more than the largest fragment.
const READ_SIZE: u32 = 65536;

/// Bytes of one reply's stub. Pages are far smaller; Samba, which does not page, reaches
/// this at some 400,000 sessions.
const MAX_RESPONSE_STUB: usize = 64 << 20;

/// A pipe, bound to srvsvc.
#[derive(Debug)]
pub(crate) struct Pipe {
    open: Open,
    association: Association,
    syntax: Syntax,
}

/// What goes wrong on a pipe.
#[derive(Debug)]
pub(crate) enum PipeError {
    Smb(smb_client::Error),
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
            Self::Fault(status) => Error::fault(tried, status),
            Self::Rpc(error) => {
                let (kind, code) = match error {
                    RpcError::Interface(_) => (ErrorKind::Refused, Some(Code::NetApiStatus(1717))),
                    RpcError::BindNak(_) | RpcError::TransferSyntax(_) => {
                        (ErrorKind::Refused, Some(Code::NetApiStatus(1722)))
                    }
                    // The one before was abandoned in the middle.
                    RpcError::NotReady => (ErrorKind::ConnectionLost, Some(Code::NetApiStatus(64))),
                    _ => (ErrorKind::Protocol, None),
                };
                Error::new(kind, tried, error.to_string(), code)
            }
        }
    }
}

impl Pipe {
    /// Binds to srvsvc, each syntax offered in its own context.
    pub(crate) async fn bind(open: Open, syntaxes: &[Syntax]) -> Result<Self, PipeError> {
        let limits = Limits {
            max_response_stub: MAX_RESPONSE_STUB,
        };
        let mut association = Association::new(srvsvc::INTERFACE, limits);
        let bind = association.bind(syntaxes);
        match exchange(&open, &mut association, &bind).await? {
            Event::Bound(syntax) => Ok(Self {
                open,
                association,
                syntax,
            }),
            Event::Fault { status, .. } => Err(PipeError::Fault(status)),
            Event::Response { .. } => {
                Err(smb_client::Error::Protocol("a reply came before the bind").into())
            }
        }
    }

    /// The transfer syntax of the stubs.
    pub(crate) fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// The pipe itself.
    pub(crate) fn open(&self) -> &Open {
        &self.open
    }

    /// One call, stub in, stub out.
    pub(crate) async fn call(&mut self, opnum: u16, stub: &[u8]) -> Result<Vec<u8>, PipeError> {
        let fragments = self.association.request(opnum, stub.to_vec())?;
        let Some((last, earlier)) = fragments.split_last() else {
            return Err(RpcError::NotReady.into());
        };
        for fragment in earlier {
            if self.open.write(0, fragment).await? as usize != fragment.len() {
                return Err(smb_client::Error::Protocol("the pipe takes half a message").into());
            }
        }
        match exchange(&self.open, &mut self.association, last).await? {
            Event::Response { stub, .. } => Ok(stub),
            Event::Fault { status, .. } => Err(PipeError::Fault(status)),
            Event::Bound(_) => {
                Err(smb_client::Error::Protocol("a second bind was acknowledged").into())
            }
        }
    }
}

/// Writes a message and reads until the association knows the answer. Samba ends a read
/// with SUCCESS although the message goes on: only the fragments' own lengths count.
async fn exchange(
    open: &Open,
    association: &mut Association,
    message: &[u8],
) -> Result<Event, PipeError> {
    let (_, output) = open.transceive(message, READ_SIZE).await?;
    if let Some(event) = association.handle(&output)? {
        return Ok(event);
    }
    loop {
        let data = open.read(0, READ_SIZE).await?;
        if data.is_empty() {
            return Err(smb_client::Error::Protocol("the pipe has no more of the answer").into());
        }
        if let Some(event) = association.handle(&data)? {
            return Ok(event);
        }
    }
}
