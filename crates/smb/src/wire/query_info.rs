//! QUERY_INFO ([MS-SMB2] 2.2.37, 2.2.38).

use zerocopy::little_endian::{U16, U32};

use super::header::RawFileId;
use super::{Error, FileId, Header, codec};

/// QUERY_INFO request ([MS-SMB2] 2.2.37).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryInfoRequest<'a> {
    /// [`info_type`](super::info_type). Open.
    pub info_type: u8,
    /// A class of that type. Open.
    pub file_info_class: u8,
    /// Bytes of output accepted.
    pub output_buffer_length: u32,
    /// Which parts of a security descriptor; for extended attributes the start index.
    pub additional_information: u32,
    /// SL_*, for extended attributes.
    pub flags: u32,
    /// The open.
    pub file_id: FileId,
    /// The input of quota and extended attribute queries.
    pub input_buffer: &'a [u8],
}

fixed!(Request, "QUERY_INFO request", 41 {
    info_type: u8,
    file_info_class: u8,
    output_buffer_length: U32,
    input_buffer_offset: U16,
    reserved: U16,
    input_buffer_length: U32,
    additional_information: U32,
    flags: U32,
    file_id: RawFileId,
});

impl<'a> QueryInfoRequest<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            info_type: fixed.info_type,
            file_info_class: fixed.file_info_class,
            output_buffer_length: fixed.output_buffer_length.get(),
            additional_information: fixed.additional_information.get(),
            flags: fixed.flags.get(),
            file_id: fixed.file_id.into(),
            input_buffer: codec::variable::<Request>(
                message,
                "QUERY_INFO request Buffer",
                fixed.input_buffer_offset.get(),
                fixed.input_buffer_length.get(),
            )?,
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (input_buffer, length) = codec::clip_long(self.input_buffer);
        let offset = match input_buffer {
            [] => 0,
            _ => Header::SIZE + size_of::<Request>(),
        };
        let fixed = Request {
            structure_size: U16::new(41),
            info_type: self.info_type,
            file_info_class: self.file_info_class,
            output_buffer_length: self.output_buffer_length.into(),
            input_buffer_offset: U16::new(offset as u16),
            reserved: U16::ZERO,
            input_buffer_length: length.into(),
            additional_information: self.additional_information.into(),
            flags: self.flags.into(),
            file_id: self.file_id.into(),
        };
        codec::put(out, &fixed);
        codec::put_variable(out, input_buffer);
    }
}

output_buffer_message! {
    /// QUERY_INFO response ([MS-SMB2] 2.2.38).
    QueryInfoResponse, "QUERY_INFO response",
    /// A structure of [`info`](super::info), or a security descriptor.
    output_buffer
}
