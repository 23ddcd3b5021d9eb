//! CLOSE ([MS-SMB2] 2.2.15, 2.2.16).

use zerocopy::little_endian::{U16, U32};

use super::header::RawFileId;
use super::info::{FileNetworkOpenInformation, RawNetworkOpen};
use super::{Error, FileId, codec};

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
    /// Its times, sizes and attributes.
    pub file: FileNetworkOpenInformation,
}

fixed!(Request, "CLOSE request", 24 {
    flags: U16,
    reserved: U32,
    file_id: RawFileId,
});

fixed!(Response, "CLOSE response", 60 {
    flags: U16,
    reserved: U32,
    file: RawNetworkOpen,
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
            file: fixed.file.into(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Response {
            structure_size: U16::new(60),
            flags: self.flags.into(),
            reserved: U32::ZERO,
            file: self.file.into(),
        };
        codec::put(out, &fixed);
    }
}
