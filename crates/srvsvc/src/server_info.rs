//! NetrServerGetInfo, opnum 21 ([MS-SRVS] 3.1.4.17).

use rpc::Syntax;
use rpc::ndr::{Error, Reader, WideText, Writer};

use crate::get_info::GetInfoResponse;
use crate::row::layout;

/// SERVER_INFO_100, _101 and _102 ([MS-SRVS] 2.2.4.40 to 2.2.4.42), with the fields of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ServerInfo<S = String> {
    /// PLATFORM_ID_*: 500 is NT. All levels.
    pub platform_id: u32,
    /// Computer name. All levels.
    pub name: S,
    /// Major version of the operating system. Levels 101, 102.
    pub version_major: u32,
    /// Minor version. Levels 101, 102.
    pub version_minor: u32,
    /// SV_TYPE_* bits ([MS-SRVS] 2.2.2.7). Levels 101, 102.
    pub server_type: u32,
    /// Comment. Levels 101, 102.
    pub comment: S,
    /// Most users logged on. Level 102.
    pub users: u32,
    /// Minutes until an idle session ends, `u32::MAX` for never. Level 102.
    pub disc: u32,
    /// 1 if hidden from browsing. Level 102.
    pub hidden: u32,
    /// Seconds between announcements. Level 102.
    pub announce: u32,
    /// Milliseconds by which that varies. Level 102.
    pub anndelta: u32,
    /// Users per license. Level 102.
    pub licenses: u32,
    /// Path of the user directories. Level 102.
    pub userpath: S,
}

layout! {
    ServerInfo;
    info_levels: &[100, 101, 102];
    info_null_arms: &[
        103, 502, 503, 599, 1005, 1010, 1016, 1017, 1018, 1107, 1501, 1502, 1503, 1506, 1510,
        1511, 1512, 1513, 1514, 1515, 1516, 1518, 1523, 1528, 1529, 1530, 1533, 1534, 1535, 1536,
        1538, 1539, 1540, 1541, 1542, 1543, 1544, 1545, 1546, 1547, 1548, 1549, 1550, 1552, 1553,
        1554, 1555, 1556,
    ];
    100 => long platform_id, text name;
    101 => long platform_id, text name, long version_major, long version_minor, long server_type,
        text comment;
    102 => long platform_id, text name, long version_major, long version_minor, long server_type,
        text comment, long users, long disc, long hidden, long announce, long anndelta,
        long licenses, text userpath;
}

/// The request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerGetInfoRequest<S = String> {
    /// ServerName; a server ignores it.
    pub server_name: Option<S>,
    /// Level, legal or not.
    pub level: u32,
}

/// The reply as read; with borrowed text, write a [`GetInfoResponse`].
pub type ServerGetInfoResponse = GetInfoResponse<ServerInfo>;

impl<S: WideText> ServerGetInfoRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.u32(self.level);
        writer.into_stub()
    }
}

impl ServerGetInfoRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        Ok(Self {
            server_name: reader.unique_wide_string("ServerName")?,
            level: reader.u32("Level")?,
        })
    }
}
