//! NetrSessionDel, opnum 13 ([MS-SRVS] 3.1.4.6). Its reply is a result alone:
//! [`write_result`](crate::write_result), [`read_result`](crate::read_result).

use rpc::Syntax;
use rpc::ndr::{Error, Reader, WideText, Writer};

/// The request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionDelRequest<S = String> {
    /// ServerName; a server ignores it.
    pub server_name: Option<S>,
    /// ClientName with `\\`: only that computer's sessions.
    pub client_name: Option<S>,
    /// UserName: only that user's sessions.
    pub user_name: Option<S>,
}

impl<S: WideText> SessionDelRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.unique_wide_string(self.client_name.as_ref());
        writer.unique_wide_string(self.user_name.as_ref());
        writer.into_stub()
    }
}

impl SessionDelRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        Ok(Self {
            server_name: reader.unique_wide_string("ServerName")?,
            client_name: reader.unique_wide_string("ClientName")?,
            user_name: reader.unique_wide_string("UserName")?,
        })
    }
}
