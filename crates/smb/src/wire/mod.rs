//! SMB2/3 messages, both ends ([MS-SMB2] 2.2).
//!
//! Every message slice begins at its 64-byte header (one element of a compound) and
//! every offset counts from there. `read` takes the whole message; `write` appends a
//! body to a buffer whose header is already in place. Reading borrows and never
//! panics. A number this project has no name for survives as that number.

#[macro_use]
mod codec;

mod constants;
mod error;
mod error_response;
mod header;
mod utf16;

pub mod cancel;
pub mod change_notify;
pub mod close;
pub mod compound;
pub mod create;
pub mod create_context;
pub mod echo;
pub mod flush;
pub mod info;
pub mod ioctl;
pub mod lock;
pub mod logoff;
pub mod negotiate;
pub mod negotiate_context;
pub mod netbios;
pub mod oplock_break;
pub mod query_directory;
pub mod query_info;
pub mod read;
pub mod security;
pub mod session_setup;
pub mod set_info;
pub mod smb1;
pub mod transform;
pub mod tree_connect;
pub mod tree_disconnect;
pub mod write;

pub use cancel::CancelRequest;
pub use change_notify::{ChangeNotifyRequest, ChangeNotifyResponse};
pub use close::{CloseRequest, CloseResponse};
pub use constants::*;
pub use create::{CreateRequest, CreateResponse};
pub use create_context::{CreateContext, CreateContexts};
pub use echo::{EchoRequest, EchoResponse};
pub use error::Error;
pub use error_response::{ErrorResponse, error_response};
pub use flush::{FlushRequest, FlushResponse};
pub use header::{Command, Dialect, FileId, Header, HeaderFlags};
pub use ioctl::{IoctlRequest, IoctlResponse};
pub use lock::{LockRequest, LockResponse};
pub use logoff::{LogoffRequest, LogoffResponse};
pub use negotiate::{NegotiateRequest, NegotiateResponse};
pub use negotiate_context::NegotiateContext;
pub use oplock_break::{LeaseBreakAcknowledgment, LeaseBreakNotification, OplockBreak};
pub use query_directory::{QueryDirectoryRequest, QueryDirectoryResponse};
pub use query_info::{QueryInfoRequest, QueryInfoResponse};
pub use read::{ReadRequest, ReadResponse};
pub use security::{SecurityDescriptor, Sid};
pub use session_setup::{SessionSetupRequest, SessionSetupResponse};
pub use set_info::{SetInfoRequest, SetInfoResponse};
pub use tree_connect::{TreeConnectRequest, TreeConnectResponse};
pub use tree_disconnect::{TreeDisconnectRequest, TreeDisconnectResponse};
pub use utf16::{Utf16, utf16};
pub use write::{WriteRequest, WriteResponse};

#[cfg(test)]
mod tests;
