//! Replies to NetrSessionEnum, looked at without decoding the rows.

use netsession::{NetApiStatus, Server};
use rpc::Syntax;
use srvsvc::{SessionEnumRequest, SessionEnumResponse, opnum};

use crate::{Error, Result};

/// The result at the end of a stub.
pub(crate) fn result(stub: &[u8]) -> Option<NetApiStatus> {
    let bytes = stub.last_chunk::<4>()?;
    Some(NetApiStatus(u32::from_le_bytes(*bytes)))
}

/// The decoded reply, if its result is one of success.
pub(crate) fn decoded(syntax: Syntax, stub: &[u8]) -> Result<SessionEnumResponse> {
    let reply = SessionEnumResponse::read(syntax, stub)
        .map_err(|error| Error::Unexpected(format!("a reply that does not parse: {error}")))?;
    match reply.result {
        NetApiStatus::SUCCESS | NetApiStatus::MORE_DATA => Ok(reply),
        other => Err(Error::Unexpected(format!(
            "NetrSessionEnum answered {}",
            other.0
        ))),
    }
}

/// All pages of one enumeration, as they came.
pub(crate) async fn pages(
    server: &mut Server,
    mut request: SessionEnumRequest,
) -> Result<Vec<Vec<u8>>> {
    let syntax = server.syntax();
    let mut pages = Vec::new();
    loop {
        let stub = server
            .call(opnum::NETR_SESSION_ENUM, &request.write(syntax))
            .await?;
        let more = result(&stub) == Some(NetApiStatus::MORE_DATA);
        if more {
            let next = decoded(syntax, &stub)?.resume_handle;
            if next.is_none() || next == request.resume_handle {
                return Err(Error::Unexpected(
                    "the server has more entries (234) but does not go on to them".to_owned(),
                ));
            }
            request.resume_handle = next;
        }
        pages.push(stub);
        if !more {
            return Ok(pages);
        }
    }
}
