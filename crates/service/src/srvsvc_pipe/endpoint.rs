//! From operation number to method. The methods themselves are in the sibling modules, one
//! `impl Endpoint` each.

use std::sync::Arc;

use rpc::Syntax;
use rpc::fault;
use rpc::ndr::WideText;
use server::account::SecurityContext;
use server::application::{Administrator, Application, Ending, SessionGlobalId};
use srvsvc::{
    ConnectionEnumRequest, Error, FileCloseRequest, FileEnumRequest, FileGetInfoRequest,
    NetApiStatus, RemoteTodRequest, ServerGetInfoRequest, SessionDelRequest, SessionEnumRequest,
    ShareEnumRequest, ShareGetInfoRequest, opnum, write_result,
};

use crate::policy::{self, Operation};

/// Longest name in a request, in UTF-16 code units with the NUL ([MS-SRVS] 3.1.4).
const MAX_NAME_UNITS: usize = 1024;

/// Rows asked of the server at once. A logon, or an open, waits while their pointers are
/// copied: some ten microseconds.
pub(super) const PAGE: usize = 1024;

/// The server's end of srvsvc for one caller.
pub(crate) struct Endpoint {
    /// The session over which the pipe was opened; a local caller has none.
    pub(crate) session: Option<SessionGlobalId>,
    pub(crate) security_context: Arc<SecurityContext>,
    /// Where the caller is, for events and the log.
    pub(crate) client_name: Arc<str>,
    pub(crate) administration: Arc<dyn Application>,
    /// The caller's own session, once it is to be ended: the answer goes first.
    pub(crate) close_after_reply: Vec<Ending>,
}

impl Endpoint {
    /// One call: the stub of its reply, or the status of a fault ([`rpc::fault`]).
    pub(crate) fn call(&mut self, opnum: u16, syntax: Syntax, stub: &[u8]) -> Result<Vec<u8>, u32> {
        match opnum {
            opnum::NETR_CONNECTION_ENUM => {
                let request = read(ConnectionEnumRequest::read(syntax, stub))?;
                Ok(self.connection_enum(syntax, &request))
            }
            opnum::NETR_FILE_ENUM => {
                let request = read(FileEnumRequest::read(syntax, stub))?;
                Ok(self.file_enum(syntax, &request))
            }
            opnum::NETR_FILE_GET_INFO => {
                let request = read(FileGetInfoRequest::read(syntax, stub))?;
                Ok(self.file_get_info(syntax, &request))
            }
            opnum::NETR_FILE_CLOSE => {
                let request = read(FileCloseRequest::read(syntax, stub))?;
                Ok(write_result(syntax, self.file_close(&request)))
            }
            opnum::NETR_SESSION_ENUM => {
                let request = read(SessionEnumRequest::read(syntax, stub))?;
                Ok(self.session_enum(syntax, &request))
            }
            opnum::NETR_SESSION_DEL => {
                let request = read(SessionDelRequest::read(syntax, stub))?;
                Ok(write_result(syntax, self.session_del(&request)))
            }
            // Every share of this server is sticky: it comes from the configuration.
            opnum::NETR_SHARE_ENUM | opnum::NETR_SHARE_ENUM_STICKY => {
                let request = read(ShareEnumRequest::read(syntax, stub))?;
                Ok(self.share_enum(syntax, &request))
            }
            opnum::NETR_SHARE_GET_INFO => {
                let request = read(ShareGetInfoRequest::read(syntax, stub))?;
                Ok(self.share_get_info(syntax, &request))
            }
            opnum::NETR_SERVER_GET_INFO => {
                let request = read(ServerGetInfoRequest::read(syntax, stub))?;
                Ok(self.server_get_info(syntax, &request))
            }
            opnum::NETR_REMOTE_TOD => {
                read(RemoteTodRequest::read(syntax, stub))?;
                Ok(self.remote_tod(syntax))
            }
            _ => Err(fault::OP_RNG_ERROR),
        }
    }

    /// Who the caller is, for events.
    pub(super) fn administrator(&self) -> Administrator {
        Administrator {
            user_name: self.security_context.user_name.clone(),
            client_name: self.client_name.clone(),
        }
    }

    /// ERROR_ACCESS_DENIED unless the caller may do it.
    pub(super) fn require(&self, operation: Operation) -> Result<(), NetApiStatus> {
        if policy::allows(&self.security_context, operation) {
            Ok(())
        } else {
            Err(NetApiStatus::ACCESS_DENIED)
        }
    }
}

fn read<T>(request: Result<T, Error>) -> Result<T, u32> {
    request.map_err(|error| {
        tracing::debug!(%error, "srvsvc: bad stub");
        fault::BAD_STUB_DATA
    })
}

/// A name that was given: NULL and the empty string are none.
pub(super) fn given(name: &Option<String>) -> Option<&str> {
    name.as_deref().filter(|name| !name.is_empty())
}

/// ERROR_INVALID_PARAMETER for a name longer than the methods allow.
pub(super) fn check_length(name: Option<&str>) -> Result<(), NetApiStatus> {
    match name {
        Some(name) if name.utf16_len() >= MAX_NAME_UNITS => Err(NetApiStatus::INVALID_PARAMETER),
        _ => Ok(()),
    }
}

/// Are two names the same to the server? Case does not distinguish.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

/// A client name as the server keeps it: without leading backslashes, an IPv6 address in
/// square brackets.
pub(super) fn stripped_client_name(name: &str) -> String {
    let name = name.trim_start_matches('\\');
    if name.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}

/// A count as the wire has it.
pub(super) fn dword(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Whole seconds as the wire has them.
pub(super) fn seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
