//! READ ([MS-SMB2] 2.2.19, 2.2.20).

use zerocopy::little_endian::{U16, U32, U64};

use super::header::RawFileId;
use super::{Error, FileId, Header, codec};

/// READ request ([MS-SMB2] 2.2.19). The buffer that describes an RDMA channel may be
/// missing, as some clients leave out the one byte it always has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadRequest {
    /// Where the client would like the data in the response, from its header; a hint.
    pub padding: u8,
    /// SMB2_READFLAG_*, dialect 3.x.
    pub flags: u8,
    /// Bytes wanted.
    pub length: u32,
    /// Where in the file, in bytes; 0 for a pipe.
    pub offset: u64,
    /// The open.
    pub file_id: FileId,
    /// Fewer bytes than this are an error.
    pub minimum_count: u32,
    /// 0 except for RDMA.
    pub channel: u32,
    /// Bytes the client means to read after this. Clients fill it in; servers ignore it.
    pub remaining_bytes: u32,
}

/// READ response ([MS-SMB2] 2.2.20).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadResponse<'a> {
    /// The bytes read.
    pub data: &'a [u8],
    /// Bytes still to come over an RDMA channel, else 0.
    pub data_remaining: u32,
}

fixed!(Request, "READ request", 49 {
    padding: u8,
    flags: u8,
    length: U32,
    offset: U64,
    file_id: RawFileId,
    minimum_count: U32,
    channel: U32,
    remaining_bytes: U32,
    channel_info_offset: U16,
    channel_info_length: U16,
});

fixed!(Response, "READ response", 17 {
    data_offset: u8,
    reserved: u8,
    data_length: U32,
    data_remaining: U32,
    reserved2: U32,
});

impl ReadRequest {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            padding: fixed.padding,
            flags: fixed.flags,
            length: fixed.length.get(),
            offset: fixed.offset.get(),
            file_id: fixed.file_id.into(),
            minimum_count: fixed.minimum_count.get(),
            channel: fixed.channel.get(),
            remaining_bytes: fixed.remaining_bytes.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Request {
            structure_size: U16::new(49),
            padding: self.padding,
            flags: self.flags,
            length: self.length.into(),
            offset: self.offset.into(),
            file_id: self.file_id.into(),
            minimum_count: self.minimum_count.into(),
            channel: self.channel.into(),
            remaining_bytes: self.remaining_bytes.into(),
            channel_info_offset: U16::ZERO,
            channel_info_length: U16::ZERO,
        };
        codec::put(out, &fixed);
        out.push(0);
    }
}

impl<'a> ReadResponse<'a> {
    /// Where the data begins, from the header, in a response written here.
    pub const DATA_OFFSET: usize = Header::SIZE + size_of::<Response>();

    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Response>(message)?;
        Ok(Self {
            data: codec::variable::<Response>(
                message,
                "READ response Buffer",
                fixed.data_offset,
                fixed.data_length.get(),
            )?,
            data_remaining: fixed.data_remaining.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (data, length) = codec::clip_long(self.data);
        write_fixed(out, length, self.data_remaining);
        out.extend_from_slice(data);
    }

    /// Appends the fixed part only, for `data_length` bytes that the caller puts behind
    /// it: a file is read straight into the response, without a copy.
    pub fn write_fixed(out: &mut Vec<u8>, data_length: u32) {
        write_fixed(out, data_length, 0);
    }
}

fn write_fixed(out: &mut Vec<u8>, data_length: u32, data_remaining: u32) {
    let fixed = Response {
        structure_size: U16::new(17),
        data_offset: ReadResponse::DATA_OFFSET as u8,
        reserved: 0,
        data_length: data_length.into(),
        data_remaining: data_remaining.into(),
        reserved2: U32::ZERO,
    };
    codec::put(out, &fixed);
}
