//! NetrSessionEnum, opnum 12 ([MS-SRVS] 3.1.4.5).

use rpc::Syntax;
use rpc::ndr::{Error, Reader, WideText, Writer};

use crate::SessionInfo;
use crate::enumeration::{EnumResponse, RequestEnd};

/// The request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionEnumRequest<S = String> {
    /// ServerName; a server ignores it.
    pub server_name: Option<S>,
    /// ClientName with `\\`: only that computer's sessions. `None` or empty for all. Any
    /// length is read; the limit of 1024 characters is the method's, not the codec's.
    pub client_name: Option<S>,
    /// UserName: only that user's sessions. `None` or empty for all.
    pub user_name: Option<S>,
    /// Level, legal or not. If not, what follows has its default after reading.
    pub level: u32,
    /// PreferedMaximumLength in bytes, [`MAX_PREFERRED_LENGTH`](crate::MAX_PREFERRED_LENGTH)
    /// for everything.
    pub prefered_maximum_length: u32,
    /// ResumeHandle, 0 at the start.
    pub resume_handle: Option<u32>,
}

/// The reply as read; any [`EnumResponse`] of such rows can be written.
pub type SessionEnumResponse = EnumResponse<Vec<SessionInfo>>;

impl<S: WideText> SessionEnumRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.unique_wide_string(self.client_name.as_ref());
        writer.unique_wide_string(self.user_name.as_ref());
        RequestEnd {
            level: self.level,
            prefered_maximum_length: self.prefered_maximum_length,
            resume_handle: self.resume_handle,
        }
        .write::<SessionInfo>(&mut writer);
        writer.into_stub()
    }
}

impl SessionEnumRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        let server_name = reader.unique_wide_string("ServerName")?;
        let client_name = reader.unique_wide_string("ClientName")?;
        let user_name = reader.unique_wide_string("UserName")?;
        let RequestEnd {
            level,
            prefered_maximum_length,
            resume_handle,
        } = RequestEnd::read::<SessionInfo>(&mut reader)?;
        Ok(Self {
            server_name,
            client_name,
            user_name,
            level,
            prefered_maximum_length,
            resume_handle,
        })
    }
}
