//! MS-SRVS, the Server Service Remote Protocol: types and stubs for both ends, in NDR 2.0
//! and NDR64.
//!
//! Each method has a request and a response type with `read(syntax, stub)` and
//! `write(syntax)`; a stub is what an RPC request or response carries, without its headers.
//! Reading never allocates more than in proportion to the stub. What a server makes of a
//! request (rights, filters, limits on names) is not decided here.

mod connection;
mod enumeration;
mod file;
mod get_info;
pub mod local;
mod remote_tod;
mod row;
mod server_info;
mod session_del;
mod session_enum;
mod session_info;
mod share;
pub mod status;
#[cfg(test)]
mod tests;
mod text;

pub use connection::{ConnectionEnumRequest, ConnectionEnumResponse, ConnectionInfo};
pub use enumeration::EnumResponse;
pub use file::{
    FileCloseRequest, FileEnumRequest, FileEnumResponse, FileGetInfoRequest, FileGetInfoResponse,
    FileInfo,
};
pub use get_info::GetInfoResponse;
pub use remote_tod::{RemoteTodRequest, RemoteTodResponse, TimeOfDayInfo};
pub use row::{ReadRow, Row, entries_that_fit};
pub use rpc::ndr::{Error, WideStr, WideText};
pub use server_info::{ServerGetInfoRequest, ServerGetInfoResponse, ServerInfo};
pub use session_del::SessionDelRequest;
pub use session_enum::{SessionEnumRequest, SessionEnumResponse};
pub use session_info::{SESS_GUEST, SESS_NOENCRYPTION, SessionInfo, SessionLevel};
pub use share::{
    ShareEnumRequest, ShareEnumResponse, ShareGetInfoRequest, ShareGetInfoResponse, ShareInfo,
};
pub use status::NetApiStatus;
pub use text::Text;

/// The interface, version 3.0 ([MS-SRVS] 1.9).
pub const INTERFACE: rpc::Interface = rpc::Interface {
    uuid: rpc::Uuid::from_groups(0x4b32_4fc8, 0x1670, 0x01d3, 0x1278, 0x5a47_bf6e_e188),
    version: 3,
    minor_version: 0,
};

/// Name of the pipe in IPC$, as an SMB2 CREATE has it.
pub const PIPE_NAME: &str = "srvsvc";

/// The secondary address a bind_ack names.
pub const SECONDARY_ADDRESS: &str = r"\PIPE\srvsvc";

/// PreferedMaximumLength of a caller that wants everything.
pub const MAX_PREFERRED_LENGTH: u32 = u32::MAX;

/// Operation numbers ([MS-SRVS] 3.1.4).
pub mod opnum {
    /// NetrConnectionEnum.
    pub const NETR_CONNECTION_ENUM: u16 = 8;
    /// NetrFileEnum.
    pub const NETR_FILE_ENUM: u16 = 9;
    /// NetrFileGetInfo.
    pub const NETR_FILE_GET_INFO: u16 = 10;
    /// NetrFileClose.
    pub const NETR_FILE_CLOSE: u16 = 11;
    /// NetrSessionEnum.
    pub const NETR_SESSION_ENUM: u16 = 12;
    /// NetrSessionDel.
    pub const NETR_SESSION_DEL: u16 = 13;
    /// NetrShareEnum.
    pub const NETR_SHARE_ENUM: u16 = 15;
    /// NetrShareGetInfo.
    pub const NETR_SHARE_GET_INFO: u16 = 16;
    /// NetrServerGetInfo.
    pub const NETR_SERVER_GET_INFO: u16 = 21;
    /// NetrRemoteTOD.
    pub const NETR_REMOTE_TOD: u16 = 28;
    /// NetrShareEnumSticky: the stub of NetrShareEnum.
    pub const NETR_SHARE_ENUM_STICKY: u16 = 36;
}

/// The reply of a method that gives only a result (NetrSessionDel, NetrFileClose).
pub fn write_result(syntax: rpc::Syntax, result: NetApiStatus) -> Vec<u8> {
    let mut writer = rpc::ndr::Writer::new(syntax);
    writer.u32(result.0);
    writer.into_stub()
}

/// Reads such a reply.
pub fn read_result(syntax: rpc::Syntax, stub: &[u8]) -> Result<NetApiStatus, Error> {
    rpc::ndr::Reader::new(syntax, stub)
        .u32("result")
        .map(NetApiStatus)
}
