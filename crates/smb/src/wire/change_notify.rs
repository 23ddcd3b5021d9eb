//! CHANGE_NOTIFY ([MS-SMB2] 2.2.35, 2.2.36).

use zerocopy::little_endian::{U16, U32};

use super::header::RawFileId;
use super::{Error, FileId, codec};

/// Flags: watch the directories below as well.
pub const SMB2_WATCH_TREE: u16 = 0x0001;

/// CHANGE_NOTIFY request ([MS-SMB2] 2.2.35).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeNotifyRequest {
    /// [`SMB2_WATCH_TREE`] or 0.
    pub flags: u16,
    /// Bytes of output accepted.
    pub output_buffer_length: u32,
    /// The directory's open.
    pub file_id: FileId,
    /// [`completion_filter`](super::completion_filter).
    pub completion_filter: u32,
}

fixed!(Request, "CHANGE_NOTIFY request", 32 {
    flags: U16,
    output_buffer_length: U32,
    file_id: RawFileId,
    completion_filter: U32,
    reserved: U32,
});

impl ChangeNotifyRequest {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            flags: fixed.flags.get(),
            output_buffer_length: fixed.output_buffer_length.get(),
            file_id: fixed.file_id.into(),
            completion_filter: fixed.completion_filter.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Request {
            structure_size: U16::new(32),
            flags: self.flags.into(),
            output_buffer_length: self.output_buffer_length.into(),
            file_id: self.file_id.into(),
            completion_filter: self.completion_filter.into(),
            reserved: U32::ZERO,
        };
        codec::put(out, &fixed);
    }
}

output_buffer_message! {
    /// CHANGE_NOTIFY response ([MS-SMB2] 2.2.36).
    ChangeNotifyResponse, "CHANGE_NOTIFY response",
    /// Changes: [`info::notify`](super::info::notify).
    output_buffer
}
