//! FLUSH ([MS-SMB2] 2.2.17, 2.2.18).

use zerocopy::little_endian::{U16, U32};

use super::header::RawFileId;
use super::{Error, FileId, codec};

/// FLUSH request ([MS-SMB2] 2.2.17).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushRequest {
    /// The open.
    pub file_id: FileId,
}

fixed!(Request, "FLUSH request", 24 {
    reserved1: U16,
    reserved2: U32,
    file_id: RawFileId,
});

impl FlushRequest {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            file_id: fixed.file_id.into(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Request {
            structure_size: U16::new(24),
            reserved1: U16::ZERO,
            reserved2: U32::ZERO,
            file_id: self.file_id.into(),
        };
        codec::put(out, &fixed);
    }
}

empty_message! {
    /// FLUSH response ([MS-SMB2] 2.2.18).
    FlushResponse, "FLUSH response"
}
