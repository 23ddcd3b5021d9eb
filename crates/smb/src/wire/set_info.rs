//! SET_INFO ([MS-SMB2] 2.2.39, 2.2.40).

use zerocopy::little_endian::{U16, U32};

use super::header::RawFileId;
use super::{Error, FileId, Header, codec};

/// SET_INFO request ([MS-SMB2] 2.2.39).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetInfoRequest<'a> {
    /// [`info_type`](super::info_type). Open.
    pub info_type: u8,
    /// A class of that type. Open.
    pub file_info_class: u8,
    /// Which parts of a security descriptor.
    pub additional_information: u32,
    /// The open.
    pub file_id: FileId,
    /// A structure of [`info`](super::info), or a security descriptor.
    pub buffer: &'a [u8],
}

/// SET_INFO response ([MS-SMB2] 2.2.40): nothing but its StructureSize.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetInfoResponse;

fixed!(Request, "SET_INFO request", 33 {
    info_type: u8,
    file_info_class: u8,
    buffer_length: U32,
    buffer_offset: U16,
    reserved: U16,
    additional_information: U32,
    file_id: RawFileId,
});

fixed!(Response, "SET_INFO response", 2 {});

impl<'a> SetInfoRequest<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            info_type: fixed.info_type,
            file_info_class: fixed.file_info_class,
            additional_information: fixed.additional_information.get(),
            file_id: fixed.file_id.into(),
            buffer: codec::variable::<Request>(
                message,
                "SET_INFO request Buffer",
                fixed.buffer_offset.get(),
                fixed.buffer_length.get(),
            )?,
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (buffer, length) = codec::clip_long(self.buffer);
        let fixed = Request {
            structure_size: U16::new(33),
            info_type: self.info_type,
            file_info_class: self.file_info_class,
            buffer_length: length.into(),
            buffer_offset: U16::new((Header::SIZE + size_of::<Request>()) as u16),
            reserved: U16::ZERO,
            additional_information: self.additional_information.into(),
            file_id: self.file_id.into(),
        };
        codec::put(out, &fixed);
        codec::put_variable(out, buffer);
    }
}

impl SetInfoResponse {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        codec::body::<Response>(message).map(|_| Self)
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        codec::put(
            out,
            &Response {
                structure_size: U16::new(2),
            },
        );
    }
}
