//! Rights on files: who may do what by a security descriptor ([MS-DTYP] 2.5.3), which one a
//! new file gets, and which parts of one are told and changed ([MS-FSA] 2.1.5.14, 2.1.5.17).
//!
//! Sans-IO: descriptors come in as values and go out as values. `connection` asks the store
//! for them and holds what comes out above the rule of the share, which is checked apart.

mod creation;
mod parts;

use smb::NtStatus;
use smb::wire::access_mask::{self as mask, FILE_ALL_ACCESS};
use smb::wire::security::{Ace, AceKind, Acl, ace_flags, control};
use smb::wire::{SecurityDescriptor, Sid};

use crate::account::SecurityContext;
use crate::share::FileKind;
pub(crate) use creation::create_security_descriptor;
pub(crate) use parts::{apply, required_to_query, required_to_set, select};

/// RID of the group `None` of a machine, the primary group of its local accounts.
const RID_NONE: u32 = 513;
/// Nobody: for a SID that cannot be read.
const NOBODY: Sid = Sid::new(0, &[0]);
/// ACCESS_DENIED_CALLBACK_ACE_TYPE ([MS-DTYP] 2.4.4.7).
const ACCESS_DENIED_CALLBACK_ACE_TYPE: u8 = 0x0A;

/// On whose behalf access is asked for ([MS-DTYP] 2.5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The account, then its groups.
    sids: Vec<Sid>,
    /// What new files get for a group.
    primary_group: Sid,
    /// Holds SeSecurityPrivilege, SeTakeOwnershipPrivilege and SeRestorePrivilege, of the
    /// last no more than that any owner may be set.
    is_administrator: bool,
}

impl Token {
    /// The token of who has logged on over the network.
    pub(crate) fn new(context: &SecurityContext) -> Self {
        let user = match context.is_anonymous {
            true => Sid::ANONYMOUS,
            false => context.sid.parse().unwrap_or(NOBODY),
        };
        let mut sids = vec![user];
        let mut add = |sid| {
            if !sids.contains(&sid) {
                sids.push(sid);
            }
        };
        if !context.is_anonymous {
            add(Sid::EVERYONE);
        }
        add(Sid::NETWORK);
        if !context.is_anonymous && !context.is_guest {
            add(Sid::AUTHENTICATED_USERS);
            add(Sid::USERS);
        }
        for group in context.groups.iter() {
            if let Ok(group) = group.parse() {
                add(group);
            }
        }
        let is_local_account = user.authority() == 5 && user.sub_authorities().first() == Some(&21);
        let none = user.with_rid(RID_NONE).filter(|_| is_local_account);
        Self {
            is_administrator: sids.contains(&Sid::ADMINISTRATORS),
            primary_group: none.unwrap_or(Sid::USERS),
            sids,
        }
    }

    /// The account.
    pub(crate) fn user(&self) -> Sid {
        self.sids.first().copied().unwrap_or(NOBODY)
    }

    /// Holds the privileges of an administrator.
    pub(crate) fn is_administrator(&self) -> bool {
        self.is_administrator
    }

    fn has(&self, sid: Sid) -> bool {
        self.sids.contains(&sid)
    }

    /// May this be the owner of something that the caller sets the owner of?
    fn may_give_to(&self, owner: Sid) -> bool {
        self.is_administrator || owner == self.user()
    }
}

/// Where no descriptor is stored: the file belongs to whoever asks, and everybody whom the
/// share lets in may do everything. The entry is inherited, as if from the share's root, so
/// that clients that pass on the list of a directory replace it.
pub(crate) fn default_descriptor(
    token: &Token,
    kind: FileKind,
    is_root: bool,
) -> SecurityDescriptor {
    let mut flags = match kind {
        FileKind::File => 0,
        FileKind::Directory => ace_flags::OBJECT_INHERIT_ACE | ace_flags::CONTAINER_INHERIT_ACE,
    };
    let mut bits = control::SE_SELF_RELATIVE | control::SE_DACL_PRESENT;
    if !is_root {
        flags |= ace_flags::INHERITED_ACE;
        bits |= control::SE_DACL_AUTO_INHERITED;
    }
    SecurityDescriptor {
        control: bits,
        owner: Some(token.user()),
        group: Some(token.primary_group),
        dacl: Some(Acl::new(vec![Ace::allowed(
            flags,
            FILE_ALL_ACCESS,
            Sid::EVERYONE,
        )])),
        ..SecurityDescriptor::default()
    }
}

/// A descriptor as it was stored. What cannot be read grants nothing: an administrator can
/// still take the file over.
pub(crate) fn read_stored(bytes: &[u8]) -> SecurityDescriptor {
    SecurityDescriptor::read(bytes).unwrap_or_else(|_| SecurityDescriptor {
        dacl: Some(Acl::new(Vec::new())),
        ..SecurityDescriptor::default()
    })
}

/// Generic rights turned into those of files ([MS-DTYP] 2.4.3); other bits stay.
pub(crate) fn map_generic(access: u32) -> u32 {
    let generic = [
        (mask::GENERIC_READ, mask::FILE_GENERIC_READ),
        (mask::GENERIC_WRITE, mask::FILE_GENERIC_WRITE),
        (mask::GENERIC_EXECUTE, mask::FILE_GENERIC_EXECUTE),
        (mask::GENERIC_ALL, FILE_ALL_ACCESS),
    ];
    let mut mapped = access;
    for (bit, rights) in generic {
        if access & bit != 0 {
            mapped = mapped & !bit | rights;
        }
    }
    mapped
}

/// All rights of files that the descriptor gives the caller ([MS-DTYP] 2.5.3.2 with
/// MAXIMUM_ALLOWED), within FILE_ALL_ACCESS; privileges come on top.
pub(crate) fn maximal_access(descriptor: &SecurityDescriptor, token: &Token) -> u32 {
    let Some(dacl) = &descriptor.dacl else {
        // None, or a NULL one: not protected.
        return FILE_ALL_ACCESS;
    };
    let is_owner = descriptor.owner.is_some_and(|owner| token.has(owner));
    let counts = |ace: &&Ace| !ace.has(ace_flags::INHERIT_ONLY_ACE);
    let entries = || dacl.aces.iter().filter(counts);
    let owner_rights = entries().any(|ace| rights(ace).is_some_and(|it| it.1 == Sid::OWNER_RIGHTS));
    let mut granted = 0;
    if is_owner && !owner_rights {
        granted = mask::READ_CONTROL | mask::WRITE_DAC;
    }
    let mut denied = 0;
    for ace in entries() {
        let Some((denies, sid, access)) = rights(ace) else {
            continue;
        };
        let is_meant = token.has(sid) || is_owner && sid == Sid::OWNER_RIGHTS;
        if !is_meant {
            continue;
        }
        // Each bit goes by the first entry that speaks of it.
        let undecided = map_generic(access) & !granted & !denied;
        match denies {
            true => denied |= undecided,
            false => granted |= undecided,
        }
    }
    granted & FILE_ALL_ACCESS
}

/// Does an entry deny; whom; what. `None` for one that is passed over: what grants under
/// conditions, or for parts of objects that files do not have, grants nothing. What denies
/// under conditions denies.
fn rights(ace: &Ace) -> Option<(bool, Sid, u32)> {
    match &ace.kind {
        AceKind::Allowed { mask, sid } => Some((false, *sid, *mask)),
        AceKind::Denied { mask, sid } => Some((true, *sid, *mask)),
        AceKind::Other { ace_type, body } if *ace_type == ACCESS_DENIED_CALLBACK_ACE_TYPE => {
            let (mask, sid) = body.split_first_chunk()?;
            Some((true, Sid::read(sid).ok()?, u32::from_le_bytes(*mask)))
        }
        AceKind::Other { .. } => None,
    }
}

/// What the directory of a file adds to rights on the file itself ([MS-FSA] 2.1.5.1.2.1).
pub(crate) fn from_parent(on_parent: u32) -> u32 {
    let mut rights = 0;
    if on_parent & mask::FILE_DELETE_CHILD != 0 {
        rights |= mask::DELETE;
    }
    if on_parent & mask::FILE_LIST_DIRECTORY != 0 {
        rights |= mask::FILE_READ_ATTRIBUTES;
    }
    rights
}

/// Rights that an administrator has whatever a descriptor says, if they are asked for by
/// name: SeTakeOwnershipPrivilege and SeSecurityPrivilege.
pub(crate) const BY_PRIVILEGE: u32 = mask::WRITE_OWNER | mask::ACCESS_SYSTEM_SECURITY;

/// What FILE_OPEN_FOR_BACKUP_INTENT adds to that, in MAXIMUM_ALLOWED too:
/// SeBackupPrivilege and SeRestorePrivilege ([MS-FSA] 2.1.5.1 phase 4).
pub(crate) const FOR_BACKUP: u32 = mask::READ_CONTROL
    | mask::WRITE_DAC
    | mask::WRITE_OWNER
    | mask::DELETE
    | mask::FILE_GENERIC_READ
    | mask::FILE_GENERIC_WRITE
    | mask::FILE_TRAVERSE;

/// May the caller make this kind of thing in a directory?
pub(crate) fn may_create_in(
    parent: &SecurityDescriptor,
    token: &Token,
    kind: FileKind,
) -> Result<(), NtStatus> {
    let needed = match kind {
        FileKind::File => mask::FILE_ADD_FILE,
        FileKind::Directory => mask::FILE_ADD_SUBDIRECTORY,
    };
    if maximal_access(parent, token) & needed == 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
