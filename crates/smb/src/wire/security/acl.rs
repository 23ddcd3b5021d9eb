//! Access control lists and their entries ([MS-DTYP] 2.4.4, 2.4.5).

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Sid;
use crate::wire::{Error, codec};

/// AceType ([MS-DTYP] 2.4.4.1) of the entries that are understood.
pub mod ace_type {
    constants! { u8;
        ACCESS_ALLOWED_ACE_TYPE = 0x00,
        ACCESS_DENIED_ACE_TYPE = 0x01,
        SYSTEM_AUDIT_ACE_TYPE = 0x02,
    }
}

/// AceFlags ([MS-DTYP] 2.4.4.1).
pub mod ace_flags {
    constants! { u8;
        OBJECT_INHERIT_ACE = 0x01,
        CONTAINER_INHERIT_ACE = 0x02,
        NO_PROPAGATE_INHERIT_ACE = 0x04,
        INHERIT_ONLY_ACE = 0x08,
        INHERITED_ACE = 0x10,
        SUCCESSFUL_ACCESS_ACE_FLAG = 0x40,
        FAILED_ACCESS_ACE_FLAG = 0x80,
    }
}

/// AclRevision of a list without entries for parts of objects ([MS-DTYP] 2.4.5).
pub const ACL_REVISION: u8 = 2;

/// What AclSize can tell, in whole entries.
pub const MAX_ACL_SIZE: usize = 0xFFFC;

/// An access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// AclRevision: [`ACL_REVISION`] or 4.
    pub revision: u8,
    /// In the order in which they are evaluated.
    pub aces: Vec<Ace>,
}

/// An access control entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    /// [`ace_flags`].
    pub flags: u8,
    /// What it says.
    pub kind: AceKind,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AceKind {
    /// ACCESS_ALLOWED_ACE.
    Allowed {
        /// [`access_mask`](crate::wire::access_mask).
        mask: u32,
        /// Whom.
        sid: Sid,
    },
    /// ACCESS_DENIED_ACE.
    Denied {
        /// [`access_mask`](crate::wire::access_mask).
        mask: u32,
        /// Whom.
        sid: Sid,
    },
    /// Any other, kept as it is.
    Other {
        /// [`ace_type`]; neither allowed nor denied.
        ace_type: u8,
        /// What follows the header; a multiple of four bytes.
        body: Box<[u8]>,
    },
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AclHeader {
    revision: u8,
    sbz1: u8,
    size: U16,
    count: U16,
    sbz2: U16,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AceHeader {
    ace_type: u8,
    flags: u8,
    size: U16,
}

impl Acl {
    /// A list of these entries.
    pub fn new(aces: Vec<Ace>) -> Self {
        Self {
            revision: ACL_REVISION,
            aces,
        }
    }

    /// Reads a list from the front of `bytes`.
    ///
    /// # Errors
    /// [`Error`] if an entry leaves the list or the list leaves `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "ACL";
        let (header, _) = codec::prefix::<AclHeader>(WHAT, bytes)?;
        let size = usize::from(header.size.get());
        let own = codec::within(bytes, WHAT, 0, 0, size)?;
        let mut rest = own
            .get(size_of::<AclHeader>()..)
            .ok_or(Error::Size { what: WHAT, size })?;
        // Entries are counted but not allocated for: each takes four bytes of the list.
        let mut aces = Vec::new();
        for _ in 0..header.count.get() {
            let ace;
            (ace, rest) = Ace::read(rest)?;
            aces.push(ace);
        }
        Ok(Self {
            revision: header.revision,
            aces,
        })
    }

    /// Bytes on the wire.
    pub fn size(&self) -> usize {
        let entries: usize = self.aces.iter().map(Ace::size).sum();
        size_of::<AclHeader>() + entries
    }

    /// Appends the list.
    ///
    /// # Errors
    /// [`Error::Size`] if it takes more than [`MAX_ACL_SIZE`]; nothing has been written then.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let size = self.size();
        if size > MAX_ACL_SIZE {
            return Err(Error::Size { what: "ACL", size });
        }
        let header = AclHeader {
            revision: self.revision,
            sbz1: 0,
            // Both fit: an entry has at least four bytes.
            size: U16::new(size as u16),
            count: U16::new(self.aces.len() as u16),
            sbz2: U16::ZERO,
        };
        codec::put(out, &header);
        for ace in &self.aces {
            ace.write(out);
        }
        Ok(())
    }
}

impl Ace {
    /// An ACCESS_ALLOWED_ACE.
    pub fn allowed(flags: u8, mask: u32, sid: Sid) -> Self {
        Self {
            flags,
            kind: AceKind::Allowed { mask, sid },
        }
    }

    /// An ACCESS_DENIED_ACE.
    pub fn denied(flags: u8, mask: u32, sid: Sid) -> Self {
        Self {
            flags,
            kind: AceKind::Denied { mask, sid },
        }
    }

    /// Has all of these [`ace_flags`].
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// Bytes on the wire.
    pub fn size(&self) -> usize {
        size_of::<AceHeader>()
            + match &self.kind {
                AceKind::Allowed { sid, .. } | AceKind::Denied { sid, .. } => 4 + sid.size(),
                AceKind::Other { body, .. } => body.len(),
            }
    }

    /// The first entry of `bytes`, and what follows it. Bytes behind the SID of an allowed or
    /// denied entry are passed over.
    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        const WHAT: &str = "ACE";
        let (header, _) = codec::prefix::<AceHeader>(WHAT, bytes)?;
        let size = usize::from(header.size.get());
        if size < size_of::<AceHeader>() || !size.is_multiple_of(4) {
            return Err(Error::Size { what: WHAT, size });
        }
        let own = codec::within(bytes, WHAT, 0, 0, size)?;
        let body = &own[size_of::<AceHeader>()..];
        let rights = || -> Result<(u32, Sid), Error> {
            let (mask, sid) = codec::prefix::<U32>(WHAT, body)?;
            Ok((mask.get(), Sid::read(sid)?))
        };
        let kind = match header.ace_type {
            ace_type::ACCESS_ALLOWED_ACE_TYPE => {
                let (mask, sid) = rights()?;
                AceKind::Allowed { mask, sid }
            }
            ace_type::ACCESS_DENIED_ACE_TYPE => {
                let (mask, sid) = rights()?;
                AceKind::Denied { mask, sid }
            }
            ace_type => AceKind::Other {
                ace_type,
                body: body.into(),
            },
        };
        let ace = Self {
            flags: header.flags,
            kind,
        };
        Ok((ace, &bytes[size..]))
    }

    fn write(&self, out: &mut Vec<u8>) {
        let ace_type = match &self.kind {
            AceKind::Allowed { .. } => ace_type::ACCESS_ALLOWED_ACE_TYPE,
            AceKind::Denied { .. } => ace_type::ACCESS_DENIED_ACE_TYPE,
            AceKind::Other { ace_type, .. } => *ace_type,
        };
        let header = AceHeader {
            ace_type,
            flags: self.flags,
            // The list has been found to fit.
            size: U16::new(self.size() as u16),
        };
        codec::put(out, &header);
        match &self.kind {
            AceKind::Allowed { mask, sid } | AceKind::Denied { mask, sid } => {
                out.extend(mask.to_le_bytes());
                sid.write(out);
            }
            AceKind::Other { body, .. } => out.extend_from_slice(body),
        }
    }
}
