//! Security descriptors in self-relative form ([MS-DTYP] 2.4.6): what QUERY_INFO and SET_INFO
//! of type SECURITY and the create context SecD carry.
//!
//! A descriptor is read into values of its own, because it is changed by parts. Its size is
//! bounded by its fields: two lists of less than 64 KiB and two SIDs.

mod acl;
mod sid;

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Error, codec};

pub use acl::{ACL_REVISION, Ace, AceKind, Acl, MAX_ACL_SIZE, ace_flags, ace_type};
pub use sid::{MAX_SUB_AUTHORITIES, ParseSidError, Sid};

/// Control of a descriptor ([MS-DTYP] 2.4.6).
pub mod control {
    constants! { u16;
        SE_OWNER_DEFAULTED = 0x0001,
        SE_GROUP_DEFAULTED = 0x0002,
        SE_DACL_PRESENT = 0x0004,
        SE_DACL_DEFAULTED = 0x0008,
        SE_SACL_PRESENT = 0x0010,
        SE_SACL_DEFAULTED = 0x0020,
        SE_DACL_AUTO_INHERIT_REQ = 0x0100,
        SE_SACL_AUTO_INHERIT_REQ = 0x0200,
        SE_DACL_AUTO_INHERITED = 0x0400,
        SE_SACL_AUTO_INHERITED = 0x0800,
        SE_DACL_PROTECTED = 0x1000,
        SE_SACL_PROTECTED = 0x2000,
        SE_RM_CONTROL_VALID = 0x4000,
        SE_SELF_RELATIVE = 0x8000,
    }
}

const WHAT: &str = "SECURITY_DESCRIPTOR";
const REVISION: u8 = 1;

/// A security descriptor.
///
/// A list counts only if [`control`] says that it is present; present without a list is a
/// NULL list, which for the DACL grants everything to everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// Sbz1, with SE_RM_CONTROL_VALID the resource manager's.
    pub sbz1: u8,
    /// [`control`]; SE_SELF_RELATIVE and the bits of lists that are there are set by reading
    /// and by writing.
    pub control: u16,
    /// OwnerSid.
    pub owner: Option<Sid>,
    /// GroupSid.
    pub group: Option<Sid>,
    /// Sacl.
    pub sacl: Option<Acl>,
    /// Dacl.
    pub dacl: Option<Acl>,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Layout {
    revision: u8,
    sbz1: u8,
    control: U16,
    owner: U32,
    group: U32,
    sacl: U32,
    dacl: U32,
}

impl SecurityDescriptor {
    /// Reads a descriptor.
    ///
    /// # Errors
    /// [`Error`] if the bytes are no such descriptor.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let (layout, _) = codec::prefix::<Layout>(WHAT, bytes)?;
        if layout.revision != REVISION {
            return Err(Error::Revision {
                what: WHAT,
                found: layout.revision,
            });
        }
        let control = layout.control.get();
        let has = |bit| control & bit != 0;
        let sid = |offset| part(bytes, offset)?.map(Sid::read).transpose();
        let acl = |present: bool, offset| match present {
            true => part(bytes, offset)?.map(Acl::read).transpose(),
            false => Ok(None),
        };
        Ok(Self {
            sbz1: layout.sbz1,
            control: control | control::SE_SELF_RELATIVE,
            owner: sid(layout.owner)?,
            group: sid(layout.group)?,
            sacl: acl(has(control::SE_SACL_PRESENT), layout.sacl)?,
            dacl: acl(has(control::SE_DACL_PRESENT), layout.dacl)?,
        })
    }

    /// Has a DACL, if only a NULL one.
    pub fn dacl_present(&self) -> bool {
        self.dacl.is_some() || self.control & control::SE_DACL_PRESENT != 0
    }

    /// Has a SACL, if only a NULL one.
    pub fn sacl_present(&self) -> bool {
        self.sacl.is_some() || self.control & control::SE_SACL_PRESENT != 0
    }

    /// The bytes.
    ///
    /// # Errors
    /// [`Error::Size`] if a list takes more than [`MAX_ACL_SIZE`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut out = vec![0; size_of::<Layout>()];
        // At most two lists and two SIDs: offsets fit.
        let sid = |sid: &Option<Sid>, out: &mut Vec<u8>| match sid {
            None => 0,
            Some(sid) => {
                let offset = out.len() as u32;
                sid.write(out);
                offset
            }
        };
        let acl = |acl: &Option<Acl>, out: &mut Vec<u8>| match acl {
            None => Ok(0),
            Some(acl) => {
                let offset = out.len() as u32;
                acl.write(out)?;
                Ok(offset)
            }
        };
        let sacl = acl(&self.sacl, &mut out)?;
        let dacl = acl(&self.dacl, &mut out)?;
        let owner = sid(&self.owner, &mut out);
        let group = sid(&self.group, &mut out);
        let mut control = self.control | control::SE_SELF_RELATIVE;
        if self.sacl.is_some() {
            control |= control::SE_SACL_PRESENT;
        }
        if self.dacl.is_some() {
            control |= control::SE_DACL_PRESENT;
        }
        let layout = Layout {
            revision: REVISION,
            sbz1: self.sbz1,
            control: control.into(),
            owner: owner.into(),
            group: group.into(),
            sacl: sacl.into(),
            dacl: dacl.into(),
        };
        out[..size_of::<Layout>()].copy_from_slice(layout.as_bytes());
        Ok(out)
    }
}

/// What begins at an offset; `None` if that is 0.
fn part(bytes: &[u8], offset: U32) -> Result<Option<&[u8]>, Error> {
    // Lossless on the 32- and 64-bit targets this builds for.
    let offset = offset.get() as usize;
    if offset == 0 {
        return Ok(None);
    }
    let rest = bytes.get(offset..);
    let rest = rest.filter(|_| offset >= size_of::<Layout>());
    rest.map(Some).ok_or(Error::OutOfBounds {
        what: WHAT,
        offset,
        length: 0,
        available: bytes.len(),
    })
}

#[cfg(test)]
mod tests;
