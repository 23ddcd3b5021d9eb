//! The descriptor of a new file or directory ([MS-DTYP] 2.5.3.4).

use smb::NtStatus;
use smb::wire::access_mask::{self as mask, FILE_ALL_ACCESS};
use smb::wire::security::ace_flags::{
    CONTAINER_INHERIT_ACE, INHERIT_ONLY_ACE, INHERITED_ACE, NO_PROPAGATE_INHERIT_ACE,
    OBJECT_INHERIT_ACE,
};
use smb::wire::security::{Ace, AceKind, Acl, control};
use smb::wire::{SecurityDescriptor, Sid};

use super::{Token, map_generic, parts};
use crate::share::FileKind;

const GENERIC: u32 =
    mask::GENERIC_READ | mask::GENERIC_WRITE | mask::GENERIC_EXECUTE | mask::GENERIC_ALL;

/// The descriptor of what `token` makes in a directory of descriptor `parent`. `creator` is
/// what the request gave.
///
/// # Errors
///
/// INVALID_OWNER for an owner whom the caller may not set, PRIVILEGE_NOT_HELD for a SACL from
/// who may not set one.
pub(crate) fn create_security_descriptor(
    parent: &SecurityDescriptor,
    creator: Option<&SecurityDescriptor>,
    kind: FileKind,
    token: &Token,
) -> Result<SecurityDescriptor, NtStatus> {
    let none = SecurityDescriptor::default();
    let creator = creator.unwrap_or(&none);
    if let Some(owner) = creator.owner
        && !token.may_give_to(owner)
    {
        return Err(NtStatus::INVALID_OWNER);
    }
    if creator.sacl_present() && !token.is_administrator() {
        return Err(NtStatus::PRIVILEGE_NOT_HELD);
    }
    let new = Child {
        kind,
        owner: creator.owner.unwrap_or(token.user()),
        group: creator.group.unwrap_or(token.primary_group),
        auto_inherited: parent.control & control::SE_DACL_AUTO_INHERITED != 0,
    };
    let mut descriptor = SecurityDescriptor {
        control: control::SE_SELF_RELATIVE | control::SE_DACL_PRESENT,
        owner: Some(new.owner),
        group: Some(new.group),
        ..SecurityDescriptor::default()
    };
    if creator.dacl_present() {
        descriptor.control |= parts::kept_of_dacl(creator.control);
        descriptor.dacl = creator.dacl.clone();
        let wants_inherited = creator.control & control::SE_DACL_AUTO_INHERIT_REQ != 0;
        let is_protected = creator.control & control::SE_DACL_PROTECTED != 0;
        if let Some(dacl) = &mut descriptor.dacl {
            parts::map_generic_in(dacl);
            if wants_inherited && !is_protected {
                // Inherited entries of the request are the parent's of another time.
                dacl.aces.retain(|ace| !ace.has(INHERITED_ACE));
                dacl.aces.extend(new.inherit(parent));
                descriptor.control |= control::SE_DACL_AUTO_INHERITED;
            }
        }
    } else {
        let mut aces = new.inherit(parent);
        if aces.is_empty() {
            // The default DACL of a token ([MS-DTYP] 2.5.2).
            aces = [new.owner, Sid::LOCAL_SYSTEM]
                .map(|sid| Ace::allowed(0, FILE_ALL_ACCESS, sid))
                .into();
        } else if new.auto_inherited {
            descriptor.control |= control::SE_DACL_AUTO_INHERITED;
        }
        descriptor.dacl = Some(Acl::new(aces));
    }
    if creator.sacl_present() {
        descriptor.control |= control::SE_SACL_PRESENT;
        descriptor.control |= parts::kept_of_sacl(creator.control);
        descriptor.sacl = creator.sacl.clone();
    }
    Ok(descriptor)
}

/// What inherits.
struct Child {
    kind: FileKind,
    owner: Sid,
    group: Sid,
    /// Inherited entries are marked as such.
    auto_inherited: bool,
}

impl Child {
    /// The entries that a child gets from the DACL of its directory, in their order.
    fn inherit(&self, parent: &SecurityDescriptor) -> Vec<Ace> {
        let mut aces = Vec::new();
        for ace in parent.dacl.iter().flat_map(|dacl| &dacl.aces) {
            self.inherit_one(ace, &mut aces);
        }
        aces
    }

    fn inherit_one(&self, ace: &Ace, out: &mut Vec<Ace>) {
        let mark = if self.auto_inherited {
            INHERITED_ACE
        } else {
            0
        };
        // Bits that are not about inheritance (auditing) stay.
        let base = ace.flags
            & !(OBJECT_INHERIT_ACE
                | CONTAINER_INHERIT_ACE
                | NO_PROPAGATE_INHERIT_ACE
                | INHERIT_ONLY_ACE
                | INHERITED_ACE)
            | mark;
        let (objects, containers) = (ace.has(OBJECT_INHERIT_ACE), ace.has(CONTAINER_INHERIT_ACE));
        if self.kind == FileKind::File {
            if objects {
                out.push(self.effective(ace, base));
            }
            return;
        }
        let propagates = !ace.has(NO_PROPAGATE_INHERIT_ACE);
        let passed_on = base | ace.flags & (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE);
        match (containers, objects && propagates) {
            (true, _) if !propagates => out.push(self.effective(ace, base)),
            (true, _) => {
                let effective = self.effective(ace, passed_on);
                if effective.kind == ace.kind {
                    out.push(effective);
                } else {
                    // It means another thing here than further down.
                    out.push(self.effective(ace, base));
                    out.push(Ace {
                        flags: passed_on | INHERIT_ONLY_ACE,
                        kind: ace.kind.clone(),
                    });
                }
            }
            (false, true) => out.push(Ace {
                flags: passed_on | INHERIT_ONLY_ACE,
                kind: ace.kind.clone(),
            }),
            (false, false) => {}
        }
    }

    /// The entry as it counts for the child itself: with its owner and group in the place of
    /// their creators, and without generic rights.
    fn effective(&self, ace: &Ace, flags: u8) -> Ace {
        let sid = |sid| match sid {
            Sid::CREATOR_OWNER => self.owner,
            Sid::CREATOR_GROUP => self.group,
            sid => sid,
        };
        let access = |mask: u32| match mask & GENERIC {
            0 => mask,
            _ => map_generic(mask),
        };
        let kind = match &ace.kind {
            AceKind::Allowed { mask, sid: who } => AceKind::Allowed {
                mask: access(*mask),
                sid: sid(*who),
            },
            AceKind::Denied { mask, sid: who } => AceKind::Denied {
                mask: access(*mask),
                sid: sid(*who),
            },
            other => other.clone(),
        };
        Ace { flags, kind }
    }
}
