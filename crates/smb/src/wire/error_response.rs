//! The ERROR response ([MS-SMB2] 2.2.2), which any failed command may get.

use zerocopy::little_endian::{U16, U32};

use super::{Error, Header, codec};

/// ERROR response ([MS-SMB2] 2.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorResponse<'a> {
    /// Error contexts in `error_data`; 0 before dialect 3.1.1.
    pub error_context_count: u8,
    /// What the status defines, mostly nothing.
    pub error_data: &'a [u8],
}

fixed!(Body, "ERROR response", 9 {
    error_context_count: u8,
    reserved: u8,
    byte_count: U32,
});

impl<'a> ErrorResponse<'a> {
    /// Reads the message. The byte that stands for no data may be there or not.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Body>(message)?;
        let offset = (Header::SIZE + size_of::<Body>()) as u32;
        Ok(Self {
            error_context_count: fixed.error_context_count,
            error_data: codec::variable::<Body>(
                message,
                "ERROR response ErrorData",
                offset,
                fixed.byte_count.get(),
            )?,
        })
    }

    /// Appends the body, with the one zero byte that stands for no data.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (data, byte_count) = codec::clip_long(self.error_data);
        let fixed = Body {
            structure_size: U16::new(9),
            error_context_count: self.error_context_count,
            reserved: 0,
            byte_count: byte_count.into(),
        };
        codec::put(out, &fixed);
        codec::put_variable(out, data);
    }
}

/// Appends the body of an ERROR response without error contexts.
pub fn error_response(out: &mut Vec<u8>, data: &[u8]) {
    ErrorResponse {
        error_context_count: 0,
        error_data: data,
    }
    .write(out);
}
