//! request, response and fault (C706 12.6.4.9, 12.6.4.10, 12.6.4.7).

use super::{Error, Flags, Header, PacketType, finish};
use crate::Uuid;

/// A request fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Stub bytes from here to the end of the call; a hint.
    pub alloc_hint: u32,
    /// Presentation context.
    pub context_id: u16,
    /// Operation number.
    pub opnum: u16,
    /// Object, if PFC_OBJECT_UUID is set.
    pub object: Option<Uuid>,
    /// This fragment's part of the stub.
    pub stub: &'a [u8],
}

impl<'a> Request<'a> {
    /// Bytes before the stub, without an object.
    pub const HEAD_SIZE: usize = 24;

    /// Reads `fragment`. Padding before an authentication verifier counts as stub.
    pub fn read(header: &Header, fragment: &'a [u8]) -> Result<Self, Error> {
        let mut input = header.body(fragment)?;
        Ok(Self {
            alloc_hint: input.u32("alloc_hint")?,
            context_id: input.u16("p_cont_id")?,
            opnum: input.u16("opnum")?,
            object: if header.flags.contains(Flags::OBJECT_UUID) {
                Some(Uuid(input.array("object")?))
            } else {
                None
            },
            stub: input.0,
        })
    }

    /// Writes the fragment; `flags` say which of the call it is.
    pub fn write(&self, flags: Flags, call_id: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::HEAD_SIZE + 16 + self.stub.len());
        let flags = if self.object.is_some() {
            flags | Flags::OBJECT_UUID
        } else {
            flags
        };
        Header::start(PacketType::REQUEST, flags, call_id, &mut out);
        out.extend_from_slice(&self.alloc_hint.to_le_bytes());
        out.extend_from_slice(&self.context_id.to_le_bytes());
        out.extend_from_slice(&self.opnum.to_le_bytes());
        if let Some(object) = self.object {
            out.extend_from_slice(&object.0);
        }
        out.extend_from_slice(self.stub);
        finish(&mut out);
        out
    }
}

/// A response fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// Stub bytes from here to the end of the call; a hint.
    pub alloc_hint: u32,
    /// Presentation context.
    pub context_id: u16,
    /// This fragment's part of the stub.
    pub stub: &'a [u8],
}

impl<'a> Response<'a> {
    /// Bytes before the stub.
    pub const HEAD_SIZE: usize = 24;

    /// Reads `fragment`.
    pub fn read(header: &Header, fragment: &'a [u8]) -> Result<Self, Error> {
        let mut input = header.body(fragment)?;
        let alloc_hint = input.u32("alloc_hint")?;
        let context_id = input.u16("p_cont_id")?;
        let [_cancel_count, _reserved] = input.array("cancel_count")?;
        Ok(Self {
            alloc_hint,
            context_id,
            stub: input.0,
        })
    }

    /// Writes the fragment; `flags` say which of the call it is.
    pub fn write(&self, flags: Flags, call_id: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::HEAD_SIZE + self.stub.len());
        Header::start(PacketType::RESPONSE, flags, call_id, &mut out);
        out.extend_from_slice(&self.alloc_hint.to_le_bytes());
        out.extend_from_slice(&self.context_id.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(self.stub);
        finish(&mut out);
        out
    }
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Presentation context.
    pub context_id: u16,
    /// Why; see [`crate::fault`].
    pub status: u32,
}

impl Fault {
    /// Bytes of the fragment as written here.
    pub const SIZE: usize = 32;

    /// Reads `fragment`.
    pub fn read(header: &Header, fragment: &[u8]) -> Result<Self, Error> {
        let mut input = header.body(fragment)?;
        let _alloc_hint = input.u32("alloc_hint")?;
        let context_id = input.u16("p_cont_id")?;
        let [_cancel_count, _flags] = input.array("cancel_count")?;
        Ok(Self {
            context_id,
            status: input.u32("status")?,
        })
    }

    /// Writes the fragment.
    pub fn write(&self, flags: Flags, call_id: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::SIZE);
        Header::start(PacketType::FAULT, Flags::WHOLE | flags, call_id, &mut out);
        out.extend_from_slice(&0u32.to_le_bytes());
        out.extend_from_slice(&self.context_id.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&self.status.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        finish(&mut out);
        out
    }
}
