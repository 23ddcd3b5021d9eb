//! SESSION_SETUP ([MS-SMB2] 2.2.5, 2.2.6).

use zerocopy::little_endian::{U16, U32, U64};

use super::{Error, Header, codec};

/// SESSION_SETUP request ([MS-SMB2] 2.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionSetupRequest<'a> {
    /// [`SMB2_SESSION_FLAG_BINDING`] or 0.
    pub flags: u8,
    /// [`security_mode`](super::security_mode).
    pub security_mode: u8,
    /// [`capabilities`](super::capabilities).
    pub capabilities: u32,
    /// A session of a lost connection, to be ended; 0 for none.
    pub previous_session_id: u64,
    /// The GSS token.
    pub security_buffer: &'a [u8],
}

/// SESSION_SETUP response ([MS-SMB2] 2.2.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionSetupResponse<'a> {
    /// [`session_flags`](super::session_flags).
    pub session_flags: u16,
    /// The GSS token.
    pub security_buffer: &'a [u8],
}

/// Flags: bind this connection to an existing session.
pub const SMB2_SESSION_FLAG_BINDING: u8 = 0x01;

fixed!(Request, "SESSION_SETUP request", 25 {
    flags: u8,
    security_mode: u8,
    capabilities: U32,
    channel: U32,
    security_buffer_offset: U16,
    security_buffer_length: U16,
    previous_session_id: U64,
});

fixed!(Response, "SESSION_SETUP response", 9 {
    session_flags: U16,
    security_buffer_offset: U16,
    security_buffer_length: U16,
});

impl<'a> SessionSetupRequest<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            flags: fixed.flags,
            security_mode: fixed.security_mode,
            capabilities: fixed.capabilities.get(),
            previous_session_id: fixed.previous_session_id.get(),
            security_buffer: codec::variable::<Request>(
                message,
                "SESSION_SETUP request SecurityBuffer",
                fixed.security_buffer_offset.get(),
                fixed.security_buffer_length.get(),
            )?,
        })
    }

    /// Appends the body. A security buffer beyond 65534 bytes is cut.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (buffer, length) = codec::clip(self.security_buffer);
        let fixed = Request {
            structure_size: U16::new(25),
            flags: self.flags,
            security_mode: self.security_mode,
            capabilities: self.capabilities.into(),
            channel: U32::ZERO,
            security_buffer_offset: U16::new((Header::SIZE + size_of::<Request>()) as u16),
            security_buffer_length: length.into(),
            previous_session_id: self.previous_session_id.into(),
        };
        codec::put(out, &fixed);
        codec::put_variable(out, buffer);
    }
}

impl<'a> SessionSetupResponse<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Response>(message)?;
        Ok(Self {
            session_flags: fixed.session_flags.get(),
            security_buffer: codec::variable::<Response>(
                message,
                "SESSION_SETUP response SecurityBuffer",
                fixed.security_buffer_offset.get(),
                fixed.security_buffer_length.get(),
            )?,
        })
    }

    /// Appends the body. A security buffer beyond 65534 bytes is cut.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (buffer, length) = codec::clip(self.security_buffer);
        let fixed = Response {
            structure_size: U16::new(9),
            session_flags: self.session_flags.into(),
            security_buffer_offset: U16::new((Header::SIZE + size_of::<Response>()) as u16),
            security_buffer_length: length.into(),
        };
        codec::put(out, &fixed);
        out.extend_from_slice(buffer);
    }
}
