//! NetrFileEnum, NetrFileGetInfo and NetrFileClose, opnums 9 to 11 ([MS-SRVS] 3.1.4.2 to
//! 3.1.4.4): the files and pipes open on the server. The reply of NetrFileClose is a result
//! alone.

use rpc::Syntax;
use rpc::ndr::{Error, Reader, WideText, Writer};

use crate::enumeration::{EnumResponse, RequestEnd};
use crate::get_info::GetInfoResponse;
use crate::row::layout;

/// FILE_INFO_2 and _3 ([MS-SRVS] 2.2.4.6, 2.2.4.7), with the fields of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileInfo<S = String> {
    /// Number of the open. Both levels.
    pub id: u32,
    /// PERM_FILE_READ 1, PERM_FILE_WRITE 2, PERM_FILE_CREATE 4. Level 3.
    pub permissions: u32,
    /// Byte-range locks held. Level 3.
    pub num_locks: u32,
    /// Local path. Level 3.
    pub path_name: S,
    /// User, or computer, that opened it. Level 3.
    pub user_name: S,
}

layout! {
    FileInfo;
    enum_levels: &[2, 3];
    info_levels: &[2, 3];
    flat: 2;
    2 => long id;
    3 => long id, long permissions, long num_locks, text path_name, text user_name;
}

/// The request of NetrFileEnum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileEnumRequest<S = String> {
    /// ServerName; a server ignores it.
    pub server_name: Option<S>,
    /// BasePath: only paths that begin with it.
    pub base_path: Option<S>,
    /// UserName, or a computer name with `\\`: only what it has open.
    pub user_name: Option<S>,
    /// Level, legal or not. If not, what follows has its default after reading.
    pub level: u32,
    /// PreferedMaximumLength in bytes.
    pub prefered_maximum_length: u32,
    /// ResumeHandle, 0 at the start.
    pub resume_handle: Option<u32>,
}

/// The reply of NetrFileEnum as read; any [`EnumResponse`] of such rows can be written.
pub type FileEnumResponse = EnumResponse<Vec<FileInfo>>;

impl<S: WideText> FileEnumRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.unique_wide_string(self.base_path.as_ref());
        writer.unique_wide_string(self.user_name.as_ref());
        RequestEnd {
            level: self.level,
            prefered_maximum_length: self.prefered_maximum_length,
            resume_handle: self.resume_handle,
        }
        .write::<FileInfo>(&mut writer);
        writer.into_stub()
    }
}

impl FileEnumRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        let server_name = reader.unique_wide_string("ServerName")?;
        let base_path = reader.unique_wide_string("BasePath")?;
        let user_name = reader.unique_wide_string("UserName")?;
        let RequestEnd {
            level,
            prefered_maximum_length,
            resume_handle,
        } = RequestEnd::read::<FileInfo>(&mut reader)?;
        Ok(Self {
            server_name,
            base_path,
            user_name,
            level,
            prefered_maximum_length,
            resume_handle,
        })
    }
}

/// The request of NetrFileGetInfo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileGetInfoRequest<S = String> {
    /// ServerName; a server ignores it.
    pub server_name: Option<S>,
    /// Number of the open.
    pub file_id: u32,
    /// Level, legal or not.
    pub level: u32,
}

/// The reply of NetrFileGetInfo as read; with borrowed text, write a [`GetInfoResponse`].
pub type FileGetInfoResponse = GetInfoResponse<FileInfo>;

impl<S: WideText> FileGetInfoRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.u32(self.file_id);
        writer.u32(self.level);
        writer.into_stub()
    }
}

impl FileGetInfoRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        Ok(Self {
            server_name: reader.unique_wide_string("ServerName")?,
            file_id: reader.u32("FileId")?,
            level: reader.u32("Level")?,
        })
    }
}

/// The request of NetrFileClose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileCloseRequest<S = String> {
    /// ServerName; a server ignores it.
    pub server_name: Option<S>,
    /// Number of the open.
    pub file_id: u32,
}

impl<S: WideText> FileCloseRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.u32(self.file_id);
        writer.into_stub()
    }
}

impl FileCloseRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        Ok(Self {
            server_name: reader.unique_wide_string("ServerName")?,
            file_id: reader.u32("FileId")?,
        })
    }
}
