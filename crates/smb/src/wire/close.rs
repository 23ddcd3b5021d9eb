//! CLOSE ([MS-SMB2] 2.2.15, 2.2.16).

use zerocopy::little_endian::{U16, U32, U64};

use super::header::RawFileId;
use super::{Error, FileId, codec};
use crate::FileTime;

/// Flags: fill the response's attributes.
pub const SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB: u16 = 0x0001;

/// CLOSE request ([MS-SMB2] 2.2.15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseRequest {
    /// [`SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB`] or 0.
    pub flags: u16,
    /// The open.
    pub file_id: FileId,
}

/// CLOSE response ([MS-SMB2] 2.2.16). Everything is 0 unless attributes were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseResponse {
    /// [`SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB`] if the rest counts.
    pub flags: u16,
    /// When the file was created.
    pub creation_time: FileTime,
    /// When it was last read.
    pub last_access_time: FileTime,
    /// When it was last written.
    pub last_write_time: FileTime,
    /// When its data or metadata last changed.
    pub change_time: FileTime,
    /// Bytes it occupies.
    pub allocation_size: u64,
    /// Its length in bytes.
    pub end_of_file: u64,
    /// [`file_attributes`](super::file_attributes).
    pub file_attributes: u32,
}

fixed!(Request, "CLOSE request", 24 {
    flags: U16,
    reserved: U32,
    file_id: RawFileId,
});

fixed!(Response, "CLOSE response", 60 {
    flags: U16,
    reserved: U32,
    creation_time: U64,
    last_access_time: U64,
    last_write_time: U64,
    change_time: U64,
    allocation_size: U64,
    end_of_file: U64,
    file_attributes: U32,
});

impl CloseRequest {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            flags: fixed.flags.get(),
            file_id: fixed.file_id.into(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Request {
            structure_size: U16::new(24),
            flags: self.flags.into(),
            reserved: U32::ZERO,
            file_id: self.file_id.into(),
        };
        codec::put(out, &fixed);
    }
}

impl CloseResponse {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Response>(message)?;
        Ok(Self {
            flags: fixed.flags.get(),
            creation_time: FileTime(fixed.creation_time.get()),
            last_access_time: FileTime(fixed.last_access_time.get()),
            last_write_time: FileTime(fixed.last_write_time.get()),
            change_time: FileTime(fixed.change_time.get()),
            allocation_size: fixed.allocation_size.get(),
            end_of_file: fixed.end_of_file.get(),
            file_attributes: fixed.file_attributes.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Response {
            structure_size: U16::new(60),
            flags: self.flags.into(),
            reserved: U32::ZERO,
            creation_time: self.creation_time.0.into(),
            last_access_time: self.last_access_time.0.into(),
            last_write_time: self.last_write_time.0.into(),
            change_time: self.change_time.0.into(),
            allocation_size: self.allocation_size.into(),
            end_of_file: self.end_of_file.into(),
            file_attributes: self.file_attributes.into(),
        };
        codec::put(out, &fixed);
    }
}
