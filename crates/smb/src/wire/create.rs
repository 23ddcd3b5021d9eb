//! CREATE ([MS-SMB2] 2.2.13, 2.2.14).

use zerocopy::little_endian::{U16, U32, U64};

use super::header::RawFileId;
use super::info::{FileNetworkOpenInformation, RawNetworkOpen};
use super::{CreateContexts, Error, FileId, Header, Utf16, codec};

/// CREATE request ([MS-SMB2] 2.2.13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateRequest<'a> {
    /// [`oplock_level`](super::oplock_level). Open: clients send any number.
    pub requested_oplock_level: u8,
    /// [`impersonation_level`](super::impersonation_level).
    pub impersonation_level: u32,
    /// [`access_mask`](super::access_mask).
    pub desired_access: u32,
    /// [`file_attributes`](super::file_attributes).
    pub file_attributes: u32,
    /// [`share_access`](super::share_access).
    pub share_access: u32,
    /// [`create_disposition`](super::create_disposition).
    pub create_disposition: u32,
    /// [`create_options`](super::create_options).
    pub create_options: u32,
    /// Relative to the share, no leading backslash; empty for its root. At most 65534
    /// bytes are written.
    pub name: Utf16<'a>,
    /// Create contexts, in order.
    pub contexts: CreateContexts<'a>,
}

/// CREATE response ([MS-SMB2] 2.2.14).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateResponse<'a> {
    /// [`oplock_level`](super::oplock_level) granted.
    pub oplock_level: u8,
    /// 1: the file is a reparse point (dialect 3.x).
    pub flags: u8,
    /// [`create_action`](super::create_action).
    pub create_action: u32,
    /// Its times, sizes and attributes.
    pub file: FileNetworkOpenInformation,
    /// The open.
    pub file_id: FileId,
    /// Create contexts, in order.
    pub contexts: CreateContexts<'a>,
}

fixed!(Request, "CREATE request", 57 {
    security_flags: u8,
    requested_oplock_level: u8,
    impersonation_level: U32,
    smb_create_flags: U64,
    reserved: U64,
    desired_access: U32,
    file_attributes: U32,
    share_access: U32,
    create_disposition: U32,
    create_options: U32,
    name_offset: U16,
    name_length: U16,
    contexts_offset: U32,
    contexts_length: U32,
});

fixed!(Response, "CREATE response", 89 {
    oplock_level: u8,
    flags: u8,
    create_action: U32,
    file: RawNetworkOpen,
    reserved2: U32,
    file_id: RawFileId,
    contexts_offset: U32,
    contexts_length: U32,
});

impl<'a> CreateRequest<'a> {
    /// Reads the message. The context list may begin at any offset: clients leave it
    /// unaligned behind a name.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        let name = codec::variable::<Request>(
            message,
            "CREATE request Name",
            fixed.name_offset.get(),
            fixed.name_length.get(),
        )?;
        let contexts = codec::variable::<Request>(
            message,
            "CREATE request CreateContexts",
            fixed.contexts_offset.get(),
            fixed.contexts_length.get(),
        )?;
        Ok(Self {
            requested_oplock_level: fixed.requested_oplock_level,
            impersonation_level: fixed.impersonation_level.get(),
            desired_access: fixed.desired_access.get(),
            file_attributes: fixed.file_attributes.get(),
            share_access: fixed.share_access.get(),
            create_disposition: fixed.create_disposition.get(),
            create_options: fixed.create_options.get(),
            name: Utf16::new(name)?,
            contexts: CreateContexts::read(contexts)?,
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (name, name_length) = codec::clip(self.name.as_bytes());
        let name_offset = Header::SIZE + size_of::<Request>();
        let fixed = Request {
            structure_size: U16::new(57),
            security_flags: 0,
            requested_oplock_level: self.requested_oplock_level,
            impersonation_level: self.impersonation_level.into(),
            smb_create_flags: U64::ZERO,
            reserved: U64::ZERO,
            desired_access: self.desired_access.into(),
            file_attributes: self.file_attributes.into(),
            share_access: self.share_access.into(),
            create_disposition: self.create_disposition.into(),
            create_options: self.create_options.into(),
            name_offset: U16::new(name_offset as u16),
            name_length: name_length.into(),
            contexts_offset: U32::ZERO,
            contexts_length: U32::ZERO,
        };
        codec::put(out, &fixed);
        if name.is_empty() && self.contexts.is_empty() {
            out.push(0);
        }
        out.extend_from_slice(name);
        write_contexts(out, start, size_of::<Request>(), self.contexts);
    }
}

impl<'a> CreateResponse<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Response>(message)?;
        let contexts = codec::variable::<Response>(
            message,
            "CREATE response CreateContexts",
            fixed.contexts_offset.get(),
            fixed.contexts_length.get(),
        )?;
        Ok(Self {
            oplock_level: fixed.oplock_level,
            flags: fixed.flags,
            create_action: fixed.create_action.get(),
            file: fixed.file.into(),
            file_id: fixed.file_id.into(),
            contexts: CreateContexts::read(contexts)?,
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let fixed = Response {
            structure_size: U16::new(89),
            oplock_level: self.oplock_level,
            flags: self.flags,
            create_action: self.create_action.into(),
            file: self.file.into(),
            reserved2: U32::ZERO,
            file_id: self.file_id.into(),
            contexts_offset: U32::ZERO,
            contexts_length: U32::ZERO,
        };
        codec::put(out, &fixed);
        write_contexts(out, start, size_of::<Response>(), self.contexts);
    }
}

/// Appends the contexts and enters their place in the last eight bytes of the fixed
/// part, where both messages have CreateContextsOffset and CreateContextsLength.
fn write_contexts(out: &mut Vec<u8>, start: usize, fixed: usize, contexts: CreateContexts<'_>) {
    if contexts.is_empty() {
        return;
    }
    codec::align(out, start);
    let first = out.len();
    contexts.write(out);
    let offset = (Header::SIZE + first - start) as u32;
    let length = (out.len() - first) as u32;
    let place = start + fixed - 8;
    out[place..place + 4].copy_from_slice(&offset.to_le_bytes());
    out[place + 4..place + 8].copy_from_slice(&length.to_le_bytes());
}
