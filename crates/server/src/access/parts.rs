//! Parts of a descriptor: which rights it takes to see and to change them, and how they are
//! told and changed ([MS-FSA] 2.1.5.14, 2.1.5.17).

use smb::NtStatus;
use smb::wire::access_mask as mask;
use smb::wire::security::{AceKind, Acl, ace_flags, control};
use smb::wire::security_information as part;
use smb::wire::{SecurityDescriptor, security::Ace};

use super::{Token, map_generic};

/// SYSTEM_MANDATORY_LABEL_ACE_TYPE ([MS-DTYP] 2.4.4.13).
const SYSTEM_MANDATORY_LABEL_ACE_TYPE: u8 = 0x11;

/// Bits of Control that are about the DACL, and about the SACL, but whether it is there.
const OF_DACL: u16 = control::SE_DACL_DEFAULTED
    | control::SE_DACL_AUTO_INHERIT_REQ
    | control::SE_DACL_AUTO_INHERITED
    | control::SE_DACL_PROTECTED;
const OF_SACL: u16 = control::SE_SACL_DEFAULTED
    | control::SE_SACL_AUTO_INHERIT_REQ
    | control::SE_SACL_AUTO_INHERITED
    | control::SE_SACL_PROTECTED;

const DACL: u32 = part::DACL_SECURITY_INFORMATION
    | part::PROTECTED_DACL_SECURITY_INFORMATION
    | part::UNPROTECTED_DACL_SECURITY_INFORMATION;
const SACL: u32 = part::SACL_SECURITY_INFORMATION
    | part::PROTECTED_SACL_SECURITY_INFORMATION
    | part::UNPROTECTED_SACL_SECURITY_INFORMATION;

/// Rights that it takes to be told these parts.
pub(crate) fn required_to_query(parts: u32) -> u32 {
    let mut required = 0;
    let plain = part::OWNER_SECURITY_INFORMATION
        | part::GROUP_SECURITY_INFORMATION
        | part::DACL_SECURITY_INFORMATION
        | part::LABEL_SECURITY_INFORMATION;
    if parts & plain != 0 {
        required |= mask::READ_CONTROL;
    }
    if parts & part::SACL_SECURITY_INFORMATION != 0 {
        required |= mask::ACCESS_SYSTEM_SECURITY;
    }
    required
}

/// Rights that it takes to set these parts.
pub(crate) fn required_to_set(parts: u32) -> u32 {
    let mut required = 0;
    let owner = part::OWNER_SECURITY_INFORMATION
        | part::GROUP_SECURITY_INFORMATION
        | part::LABEL_SECURITY_INFORMATION;
    if parts & owner != 0 {
        required |= mask::WRITE_OWNER;
    }
    if parts & DACL != 0 {
        required |= mask::WRITE_DAC;
    }
    if parts & SACL != 0 {
        required |= mask::ACCESS_SYSTEM_SECURITY;
    }
    required
}

/// A descriptor of these parts alone.
pub(crate) fn select(descriptor: &SecurityDescriptor, parts: u32) -> SecurityDescriptor {
    let has = |bit| parts & bit != 0;
    let from = descriptor.control;
    let mut selected = SecurityDescriptor {
        control: control::SE_SELF_RELATIVE,
        ..SecurityDescriptor::default()
    };
    if has(part::OWNER_SECURITY_INFORMATION) {
        selected.owner = descriptor.owner;
        selected.control |= from & control::SE_OWNER_DEFAULTED;
    }
    if has(part::GROUP_SECURITY_INFORMATION) {
        selected.group = descriptor.group;
        selected.control |= from & control::SE_GROUP_DEFAULTED;
    }
    if has(part::DACL_SECURITY_INFORMATION) && descriptor.dacl_present() {
        selected.dacl = descriptor.dacl.clone();
        selected.control |= control::SE_DACL_PRESENT | from & OF_DACL;
    }
    let labels_only = !has(part::SACL_SECURITY_INFORMATION);
    if (has(part::SACL_SECURITY_INFORMATION) || has(part::LABEL_SECURITY_INFORMATION))
        && descriptor.sacl_present()
    {
        selected.sacl = descriptor.sacl.clone();
        if let Some(sacl) = &mut selected.sacl
            && labels_only
        {
            sacl.aces.retain(is_label);
        }
        selected.control |= control::SE_SACL_PRESENT | from & OF_SACL;
    }
    selected
}

/// `descriptor` with these parts as `new` has them.
///
/// # Errors
///
/// INVALID_OWNER if an owner is to be set but not given, or one whom the caller may not set.
pub(crate) fn apply(
    mut descriptor: SecurityDescriptor,
    new: &SecurityDescriptor,
    parts: u32,
    token: &Token,
) -> Result<SecurityDescriptor, NtStatus> {
    let has = |bit| parts & bit != 0;
    if has(part::OWNER_SECURITY_INFORMATION) {
        let owner = new.owner.ok_or(NtStatus::INVALID_OWNER)?;
        if Some(owner) != descriptor.owner && !token.may_give_to(owner) {
            return Err(NtStatus::INVALID_OWNER);
        }
        descriptor.owner = Some(owner);
        descriptor.control &= !control::SE_OWNER_DEFAULTED;
    }
    if has(part::GROUP_SECURITY_INFORMATION) {
        descriptor.group = Some(new.group.ok_or(NtStatus::INVALID_PRIMARY_GROUP)?);
        descriptor.control &= !control::SE_GROUP_DEFAULTED;
    }
    if has(part::DACL_SECURITY_INFORMATION) {
        // Without a list it is a NULL one, present or not.
        descriptor.dacl = new.dacl.clone();
        if let Some(dacl) = &mut descriptor.dacl {
            map_generic_in(dacl);
        }
        descriptor.control &= !OF_DACL;
        descriptor.control |= control::SE_DACL_PRESENT | kept_of_dacl(new.control);
    }
    set_protection(
        &mut descriptor.control,
        control::SE_DACL_PROTECTED,
        has(part::PROTECTED_DACL_SECURITY_INFORMATION),
        has(part::UNPROTECTED_DACL_SECURITY_INFORMATION),
    );
    if has(part::SACL_SECURITY_INFORMATION) {
        descriptor.sacl = new.sacl.clone();
        descriptor.control &= !OF_SACL;
        descriptor.control |= control::SE_SACL_PRESENT | kept_of_sacl(new.control);
    } else if has(part::LABEL_SECURITY_INFORMATION) {
        set_labels(&mut descriptor, new);
    }
    set_protection(
        &mut descriptor.control,
        control::SE_SACL_PROTECTED,
        has(part::PROTECTED_SACL_SECURITY_INFORMATION),
        has(part::UNPROTECTED_SACL_SECURITY_INFORMATION),
    );
    Ok(descriptor)
}

/// Who asks for both asks for nothing.
fn set_protection(control: &mut u16, bit: u16, protected: bool, unprotected: bool) {
    match (protected, unprotected) {
        (true, false) => *control |= bit,
        (false, true) => *control &= !bit,
        _ => {}
    }
}

/// Labels are kept for who wants to see them again; nothing is checked by them.
fn set_labels(descriptor: &mut SecurityDescriptor, new: &SecurityDescriptor) {
    let sacl = descriptor.sacl.get_or_insert_with(|| Acl::new(Vec::new()));
    sacl.aces.retain(|ace| !is_label(ace));
    let given = new.sacl.iter().flat_map(|sacl| &sacl.aces);
    sacl.aces.extend(given.filter(|ace| is_label(ace)).cloned());
    descriptor.control |= control::SE_SACL_PRESENT;
}

fn is_label(ace: &Ace) -> bool {
    matches!(&ace.kind, AceKind::Other { ace_type, .. } if *ace_type == SYSTEM_MANDATORY_LABEL_ACE_TYPE)
}

/// Bits about the DACL that are kept when it is set: AUTO_INHERITED counts only together with
/// AUTO_INHERIT_REQ, which is a request and not a state.
pub(super) fn kept_of_dacl(given: u16) -> u16 {
    let both = control::SE_DACL_AUTO_INHERITED | control::SE_DACL_AUTO_INHERIT_REQ;
    let mut kept = given & control::SE_DACL_PROTECTED;
    if given & both == both {
        kept |= control::SE_DACL_AUTO_INHERITED;
    }
    kept
}

/// As [`kept_of_dacl`].
pub(super) fn kept_of_sacl(given: u16) -> u16 {
    let both = control::SE_SACL_AUTO_INHERITED | control::SE_SACL_AUTO_INHERIT_REQ;
    let mut kept = given & control::SE_SACL_PROTECTED;
    if given & both == both {
        kept |= control::SE_SACL_AUTO_INHERITED;
    }
    kept
}

/// Generic rights of entries that count here are turned into those of files; entries that
/// wait for children keep theirs.
pub(super) fn map_generic_in(acl: &mut Acl) {
    for ace in &mut acl.aces {
        if ace.has(ace_flags::INHERIT_ONLY_ACE) {
            continue;
        }
        if let AceKind::Allowed { mask, .. } | AceKind::Denied { mask, .. } = &mut ace.kind {
            *mask = map_generic(*mask);
        }
    }
}
