//! NetrShareEnum and NetrShareGetInfo, opnums 15 and 16 ([MS-SRVS] 3.1.4.8, 3.1.4.10).

use rpc::Syntax;
use rpc::ndr::{Error, Reader, WideText, Writer};

use crate::enumeration::{EnumResponse, RequestEnd};
use crate::get_info::GetInfoResponse;
use crate::row::layout;

/// SHARE_INFO_0, _1, _2, _501, _502 and _1005 ([MS-SRVS] 2.2.4.22 to 2.2.4.26, 2.2.4.29),
/// with the fields of all. The passwords of levels 2 and 502 belong to share-level security:
/// they go out as NULL and are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShareInfo<S = String> {
    /// Name. All levels but 1005.
    pub netname: S,
    /// STYPE_* ([MS-SRVS] 2.2.2.4). Levels 1, 2, 501, 502.
    pub share_type: u32,
    /// Comment. Levels 1, 2, 501, 502.
    pub remark: S,
    /// Share-level permissions, 0 on a server with user-level security. Levels 2, 502.
    pub permissions: u32,
    /// Most connections allowed, `u32::MAX` for no limit. Levels 2, 502.
    pub max_uses: u32,
    /// Connections now. Levels 2, 502.
    pub current_uses: u32,
    /// Local path. Levels 2, 502.
    pub path: S,
    /// SHI1005_FLAGS_* ([MS-SRVS] 2.2.4.29): caching and access-based enumeration. Levels
    /// 501, 1005.
    pub flags: u32,
    /// Self-relative security descriptor, empty for none. Level 502.
    pub security_descriptor: Vec<u8>,
}

layout! {
    ShareInfo;
    enum_levels: &[0, 1, 2, 501, 502];
    enum_null_arms: &[503];
    info_levels: &[0, 1, 2, 501, 502, 1005];
    info_null_arms: &[503, 1004, 1006, 1501];
    flat: 1005;
    0 => text netname;
    1 => text netname, long share_type, text remark;
    2 => text netname, long share_type, text remark, long permissions, long max_uses,
        long current_uses, text path, null;
    501 => text netname, long share_type, text remark, long flags;
    502 => text netname, long share_type, text remark, long permissions, long max_uses,
        long current_uses, text path, null, descriptor security_descriptor;
    1005 => long flags;
}

/// The request of NetrShareEnum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareEnumRequest<S = String> {
    /// ServerName; a server that scopes its shares looks at it.
    pub server_name: Option<S>,
    /// Level, legal or not. If not, what follows has its default after reading.
    pub level: u32,
    /// PreferedMaximumLength in bytes.
    pub prefered_maximum_length: u32,
    /// ResumeHandle, 0 at the start.
    pub resume_handle: Option<u32>,
}

/// The reply of NetrShareEnum as read; any [`EnumResponse`] of such rows can be written.
pub type ShareEnumResponse = EnumResponse<Vec<ShareInfo>>;

impl<S: WideText> ShareEnumRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        RequestEnd {
            level: self.level,
            prefered_maximum_length: self.prefered_maximum_length,
            resume_handle: self.resume_handle,
        }
        .write::<ShareInfo>(&mut writer);
        writer.into_stub()
    }
}

impl ShareEnumRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        let server_name = reader.unique_wide_string("ServerName")?;
        let RequestEnd {
            level,
            prefered_maximum_length,
            resume_handle,
        } = RequestEnd::read::<ShareInfo>(&mut reader)?;
        Ok(Self {
            server_name,
            level,
            prefered_maximum_length,
            resume_handle,
        })
    }
}

/// The request of NetrShareGetInfo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareGetInfoRequest<S = String> {
    /// ServerName; a server that scopes its shares looks at it.
    pub server_name: Option<S>,
    /// NetName: a reference pointer, so never NULL.
    pub net_name: S,
    /// Level, legal or not.
    pub level: u32,
}

/// The reply of NetrShareGetInfo as read; with borrowed text, write a [`GetInfoResponse`].
pub type ShareGetInfoResponse = GetInfoResponse<ShareInfo>;

impl<S: WideText> ShareGetInfoRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.wide_string(&self.net_name);
        writer.u32(self.level);
        writer.into_stub()
    }
}

impl ShareGetInfoRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        Ok(Self {
            server_name: reader.unique_wide_string("ServerName")?,
            net_name: reader.wide_string("NetName")?,
            level: reader.u32("Level")?,
        })
    }
}
