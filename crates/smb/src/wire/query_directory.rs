//! QUERY_DIRECTORY ([MS-SMB2] 2.2.33, 2.2.34).

use zerocopy::little_endian::{U16, U32};

use super::header::RawFileId;
use super::{Error, FileId, Header, Utf16, codec};

/// QUERY_DIRECTORY request ([MS-SMB2] 2.2.33).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryDirectoryRequest<'a> {
    /// [`file_information_class`](super::file_information_class). Open.
    pub file_information_class: u8,
    /// [`query_directory_flags`](super::query_directory_flags).
    pub flags: u8,
    /// Where to go on, with SMB2_INDEX_SPECIFIED.
    pub file_index: u32,
    /// The directory's open.
    pub file_id: FileId,
    /// The search pattern; empty means everything. At most 65534 bytes are written.
    pub file_name: Utf16<'a>,
    /// Bytes of entries accepted.
    pub output_buffer_length: u32,
}

fixed!(Request, "QUERY_DIRECTORY request", 33 {
    file_information_class: u8,
    flags: u8,
    file_index: U32,
    file_id: RawFileId,
    file_name_offset: U16,
    file_name_length: U16,
    output_buffer_length: U32,
});

impl<'a> QueryDirectoryRequest<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        let file_name = codec::variable::<Request>(
            message,
            "QUERY_DIRECTORY request FileName",
            fixed.file_name_offset.get(),
            fixed.file_name_length.get(),
        )?;
        Ok(Self {
            file_information_class: fixed.file_information_class,
            flags: fixed.flags,
            file_index: fixed.file_index.get(),
            file_id: fixed.file_id.into(),
            file_name: Utf16::new(file_name)?,
            output_buffer_length: fixed.output_buffer_length.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (file_name, length) = codec::clip(self.file_name.as_bytes());
        let fixed = Request {
            structure_size: U16::new(33),
            file_information_class: self.file_information_class,
            flags: self.flags,
            file_index: self.file_index.into(),
            file_id: self.file_id.into(),
            file_name_offset: U16::new((Header::SIZE + size_of::<Request>()) as u16),
            file_name_length: length.into(),
            output_buffer_length: self.output_buffer_length.into(),
        };
        codec::put(out, &fixed);
        codec::put_variable(out, file_name);
    }
}

output_buffer_message! {
    /// QUERY_DIRECTORY response ([MS-SMB2] 2.2.34).
    QueryDirectoryResponse, "QUERY_DIRECTORY response",
    /// Entries: [`info::directory`](super::info::directory).
    output_buffer
}
