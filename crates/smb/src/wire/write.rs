//! WRITE ([MS-SMB2] 2.2.21, 2.2.22).

use zerocopy::little_endian::{U16, U32, U64};

use super::header::RawFileId;
use super::{Error, FileId, Header, codec};

/// Flags: data must be on disk before the response.
pub const SMB2_WRITEFLAG_WRITE_THROUGH: u32 = 0x0000_0001;

/// WRITE request ([MS-SMB2] 2.2.21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteRequest<'a> {
    /// Where in the file, in bytes; 0 for a pipe.
    pub offset: u64,
    /// The open.
    pub file_id: FileId,
    /// 0 except for RDMA.
    pub channel: u32,
    /// Bytes the client means to write after this. Clients fill it in; servers ignore it.
    pub remaining_bytes: u32,
    /// SMB2_WRITEFLAG_*.
    pub flags: u32,
    /// The bytes to write.
    pub data: &'a [u8],
}

/// WRITE response ([MS-SMB2] 2.2.22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteResponse {
    /// Bytes written.
    pub count: u32,
}

fixed!(Request, "WRITE request", 49 {
    data_offset: U16,
    length: U32,
    offset: U64,
    file_id: RawFileId,
    channel: U32,
    remaining_bytes: U32,
    channel_info_offset: U16,
    channel_info_length: U16,
    flags: U32,
});

fixed!(Response, "WRITE response", 17 {
    reserved: U16,
    count: U32,
    remaining: U32,
    channel_info_offset: U16,
    channel_info_length: U16,
});

impl<'a> WriteRequest<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            offset: fixed.offset.get(),
            file_id: fixed.file_id.into(),
            channel: fixed.channel.get(),
            remaining_bytes: fixed.remaining_bytes.get(),
            flags: fixed.flags.get(),
            data: codec::variable::<Request>(
                message,
                "WRITE request Buffer",
                fixed.data_offset.get(),
                fixed.length.get(),
            )?,
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (data, length) = codec::clip_long(self.data);
        let fixed = Request {
            structure_size: U16::new(49),
            data_offset: U16::new((Header::SIZE + size_of::<Request>()) as u16),
            length: length.into(),
            offset: self.offset.into(),
            file_id: self.file_id.into(),
            channel: self.channel.into(),
            remaining_bytes: self.remaining_bytes.into(),
            channel_info_offset: U16::ZERO,
            channel_info_length: U16::ZERO,
            flags: self.flags.into(),
        };
        codec::put(out, &fixed);
        codec::put_variable(out, data);
    }
}

impl WriteResponse {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Response>(message)?;
        Ok(Self {
            count: fixed.count.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Response {
            structure_size: U16::new(17),
            reserved: U16::ZERO,
            count: self.count.into(),
            remaining: U32::ZERO,
            channel_info_offset: U16::ZERO,
            channel_info_length: U16::ZERO,
        };
        codec::put(out, &fixed);
    }
}
