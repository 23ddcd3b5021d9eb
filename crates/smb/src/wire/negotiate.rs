//! NEGOTIATE ([MS-SMB2] 2.2.3, 2.2.4).

use zerocopy::little_endian::{U16, U32, U64};

use super::{Dialect, Error, Header, NegotiateContext, codec, negotiate_context};
use crate::{FileTime, Guid};

/// Dialects accepted in one request. Five exist; the rest is room for the unknown.
pub const MAX_DIALECTS: usize = 64;

/// NEGOTIATE request ([MS-SMB2] 2.2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NegotiateRequest<'a> {
    /// [`security_mode`](super::security_mode).
    pub security_mode: u16,
    /// [`capabilities`](super::capabilities).
    pub capabilities: u32,
    /// The client's identity.
    pub client_guid: Guid,
    /// Dialect revisions offered, unknown ones included, at most [`MAX_DIALECTS`].
    pub dialects: Vec<u16>,
    /// Present if and only if 3.1.1 is offered.
    pub contexts: Vec<NegotiateContext<'a>>,
}

/// NEGOTIATE response ([MS-SMB2] 2.2.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NegotiateResponse<'a> {
    /// [`security_mode`](super::security_mode).
    pub security_mode: u16,
    /// The dialect chosen.
    pub dialect_revision: Dialect,
    /// The server's identity.
    pub server_guid: Guid,
    /// [`capabilities`](super::capabilities).
    pub capabilities: u32,
    /// Bytes of the largest buffer for everything but READ and WRITE.
    pub max_transact_size: u32,
    /// Bytes of the largest READ.
    pub max_read_size: u32,
    /// Bytes of the largest WRITE.
    pub max_write_size: u32,
    /// The server's clock.
    pub system_time: FileTime,
    /// When the server started; Windows sends 0.
    pub server_start_time: FileTime,
    /// The GSS token.
    pub security_buffer: &'a [u8],
    /// Present if and only if the dialect is 3.1.1.
    pub contexts: Vec<NegotiateContext<'a>>,
}

fixed!(Request, "NEGOTIATE request", 36 {
    dialect_count: U16,
    security_mode: U16,
    reserved: U16,
    capabilities: U32,
    client_guid: [u8; 16],
    context_offset: U32,
    context_count: U16,
    reserved2: U16,
});

fixed!(Response, "NEGOTIATE response", 65 {
    security_mode: U16,
    dialect_revision: U16,
    context_count: U16,
    server_guid: [u8; 16],
    capabilities: U32,
    max_transact_size: U32,
    max_read_size: U32,
    max_write_size: U32,
    system_time: U64,
    server_start_time: U64,
    security_buffer_offset: U16,
    security_buffer_length: U16,
    context_offset: U32,
});

impl<'a> NegotiateRequest<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`]; an empty or overlong dialect list is [`Error::Count`].
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "NEGOTIATE request Dialects";
        let fixed = codec::body::<Request>(message)?;
        let count = usize::from(fixed.dialect_count.get());
        if count == 0 || count > MAX_DIALECTS {
            return Err(Error::Count {
                what: WHAT,
                count,
                limit: MAX_DIALECTS,
            });
        }
        let first = Header::SIZE + size_of::<Request>();
        let dialects = codec::u16s(codec::within(message, WHAT, first, first, count * 2)?);
        // Without 3.1.1 these eight bytes are ClientStartTime.
        let contexts = match dialects.contains(&Dialect::SMB311.0) {
            true => negotiate_context::read_list(
                message,
                first + count * 2,
                fixed.context_offset.get(),
                fixed.context_count.get(),
            )?,
            false => Vec::new(),
        };
        Ok(Self {
            security_mode: fixed.security_mode.get(),
            capabilities: fixed.capabilities.get(),
            client_guid: Guid(fixed.client_guid),
            dialects,
            contexts,
        })
    }

    /// Appends the body; contexts only if 3.1.1 is among the dialects. Dialects and
    /// contexts beyond 65535 are left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let dialects = &self.dialects[..self.dialects.len().min(usize::from(u16::MAX))];
        let list_end = Header::SIZE + size_of::<Request>() + dialects.len() * 2;
        let contexts: &[_] = match dialects.contains(&Dialect::SMB311.0) {
            true => &self.contexts[..self.contexts.len().min(usize::from(u16::MAX))],
            false => &[],
        };
        let context_offset = match contexts {
            [] => 0,
            _ => list_end.next_multiple_of(8) as u32,
        };
        let fixed = Request {
            structure_size: U16::new(36),
            dialect_count: U16::new(dialects.len() as u16),
            security_mode: self.security_mode.into(),
            reserved: U16::ZERO,
            capabilities: self.capabilities.into(),
            client_guid: self.client_guid.0,
            context_offset: context_offset.into(),
            context_count: U16::new(contexts.len() as u16),
            reserved2: U16::ZERO,
        };
        codec::put(out, &fixed);
        codec::put_u16s(out, dialects);
        negotiate_context::write_list(out, start, contexts);
    }
}

impl<'a> NegotiateResponse<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Response>(message)?;
        let dialect_revision = Dialect(fixed.dialect_revision.get());
        let contexts = match dialect_revision {
            Dialect::SMB311 => negotiate_context::read_list(
                message,
                Header::SIZE + size_of::<Response>(),
                fixed.context_offset.get(),
                fixed.context_count.get(),
            )?,
            _ => Vec::new(),
        };
        Ok(Self {
            security_mode: fixed.security_mode.get(),
            dialect_revision,
            server_guid: Guid(fixed.server_guid),
            capabilities: fixed.capabilities.get(),
            max_transact_size: fixed.max_transact_size.get(),
            max_read_size: fixed.max_read_size.get(),
            max_write_size: fixed.max_write_size.get(),
            system_time: FileTime(fixed.system_time.get()),
            server_start_time: FileTime(fixed.server_start_time.get()),
            security_buffer: codec::variable::<Response>(
                message,
                "NEGOTIATE response SecurityBuffer",
                fixed.security_buffer_offset.get(),
                fixed.security_buffer_length.get(),
            )?,
            contexts,
        })
    }

    /// Appends the body; contexts only in dialect 3.1.1. A security buffer beyond
    /// 65534 bytes is cut.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (buffer, buffer_length) = codec::clip(self.security_buffer);
        let buffer_offset = Header::SIZE + size_of::<Response>();
        let contexts: &[_] = match self.dialect_revision {
            Dialect::SMB311 => &self.contexts[..self.contexts.len().min(usize::from(u16::MAX))],
            _ => &[],
        };
        let context_offset = match contexts {
            [] => 0,
            _ => (buffer_offset + buffer.len()).next_multiple_of(8) as u32,
        };
        let fixed = Response {
            structure_size: U16::new(65),
            security_mode: self.security_mode.into(),
            dialect_revision: self.dialect_revision.0.into(),
            context_count: U16::new(contexts.len() as u16),
            server_guid: self.server_guid.0,
            capabilities: self.capabilities.into(),
            max_transact_size: self.max_transact_size.into(),
            max_read_size: self.max_read_size.into(),
            max_write_size: self.max_write_size.into(),
            system_time: self.system_time.0.into(),
            server_start_time: self.server_start_time.0.into(),
            security_buffer_offset: U16::new(buffer_offset as u16),
            security_buffer_length: buffer_length.into(),
            context_offset: context_offset.into(),
        };
        codec::put(out, &fixed);
        out.extend_from_slice(buffer);
        negotiate_context::write_list(out, start, contexts);
    }
}
