//! NetrConnectionEnum, opnum 8 ([MS-SRVS] 3.1.4.1): the tree connects of a share or a
//! client computer.

use rpc::Syntax;
use rpc::ndr::{Error, Reader, WideText, Writer};

use crate::enumeration::{EnumResponse, RequestEnd};
use crate::row::layout;

/// CONNECTION_INFO_0 and _1 ([MS-SRVS] 2.2.4.1, 2.2.4.2), with the fields of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionInfo<S = String> {
    /// Number of the connection. Both levels.
    pub id: u32,
    /// STYPE_* of the share. Level 1.
    pub connection_type: u32,
    /// Files open through it. Level 1.
    pub num_opens: u32,
    /// Users of it. Level 1.
    pub num_users: u32,
    /// Seconds since it was made. Level 1.
    pub time: u32,
    /// User. Level 1.
    pub username: S,
    /// The share if the qualifier was a computer, the computer if it was a share. Level 1.
    pub netname: S,
}

layout! {
    ConnectionInfo;
    enum_levels: &[0, 1];
    flat: 0;
    0 => long id;
    1 => long id, long connection_type, long num_opens, long num_users, long time,
        text username, text netname;
}

/// The request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionEnumRequest<S = String> {
    /// ServerName; a server ignores it.
    pub server_name: Option<S>,
    /// Qualifier: a share name, or a computer name with `\\`. Required by the method.
    pub qualifier: Option<S>,
    /// Level, legal or not. If not, what follows has its default after reading.
    pub level: u32,
    /// PreferedMaximumLength in bytes.
    pub prefered_maximum_length: u32,
    /// ResumeHandle, 0 at the start.
    pub resume_handle: Option<u32>,
}

/// The reply as read; any [`EnumResponse`] of such rows can be written.
pub type ConnectionEnumResponse = EnumResponse<Vec<ConnectionInfo>>;

impl<S: WideText> ConnectionEnumRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.unique_wide_string(self.qualifier.as_ref());
        RequestEnd {
            level: self.level,
            prefered_maximum_length: self.prefered_maximum_length,
            resume_handle: self.resume_handle,
        }
        .write::<ConnectionInfo>(&mut writer);
        writer.into_stub()
    }
}

impl ConnectionEnumRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        let server_name = reader.unique_wide_string("ServerName")?;
        let qualifier = reader.unique_wide_string("Qualifier")?;
        let RequestEnd {
            level,
            prefered_maximum_length,
            resume_handle,
        } = RequestEnd::read::<ConnectionInfo>(&mut reader)?;
        Ok(Self {
            server_name,
            qualifier,
            level,
            prefered_maximum_length,
            resume_handle,
        })
    }
}
