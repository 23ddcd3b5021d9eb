//! What a CREATE asks for.

use smb::NtStatus;
use smb::wire::{CreateRequest, access_mask, create_disposition, create_options, file_attributes};

use crate::share::{CreateMode, FileKind, FileStat, KindWanted};
use crate::tree_connect::TreeConnect;

/// Rights that would change a store.
const CHANGING: u32 = access_mask::FILE_WRITE_DATA
    | access_mask::FILE_APPEND_DATA
    | access_mask::FILE_WRITE_EA
    | access_mask::FILE_WRITE_ATTRIBUTES
    | access_mask::FILE_DELETE_CHILD
    | access_mask::DELETE
    | access_mask::WRITE_DAC
    | access_mask::WRITE_OWNER;

/// A CreateOption that is not for the wire ([MS-FSA] 2.1.5.1).
const FILE_CREATE_TREE_CONNECTION: u32 = 0x80;

/// CreateOptions that a server of this kind does not have ([MS-SMB2] 2.2.13).
const OPTIONS_NOT_SUPPORTED: u32 = FILE_CREATE_TREE_CONNECTION
    | create_options::FILE_OPEN_BY_FILE_ID
    | create_options::FILE_RESERVE_OPFILTER;
/// Bits that CreateOptions has at all.
const OPTIONS_KNOWN: u32 = 0x00FF_FFFF;

/// FileAttributes that a CREATE may name ([MS-FSCC] 2.6), those that are passed over included.
const ATTRIBUTES_KNOWN: u32 = 0x7FB7;
/// Generic rights, MAXIMUM_ALLOWED and ACCESS_SYSTEM_SECURITY: DesiredAccess beside
/// FILE_ALL_ACCESS.
const SPECIAL_ACCESS: u32 = access_mask::GENERIC_READ
    | access_mask::GENERIC_WRITE
    | access_mask::GENERIC_EXECUTE
    | access_mask::GENERIC_ALL
    | access_mask::MAXIMUM_ALLOWED
    | access_mask::ACCESS_SYSTEM_SECURITY;

/// What CREATE's parameters ask for, checked.
pub(super) struct Plan {
    pub(super) access: u32,
    pub(super) maximum_allowed: bool,
    pub(super) mode: CreateMode,
    pub(super) kind: KindWanted,
    pub(super) overwrites: bool,
    pub(super) delete_on_close: bool,
}

impl Plan {
    pub(super) fn new(create: &CreateRequest<'_>, tree: &TreeConnect) -> Result<Self, NtStatus> {
        use create_disposition as disposition;
        use create_options as options;
        let asked = create.create_options;
        if create.create_disposition > disposition::FILE_OVERWRITE_IF
            || asked & !OPTIONS_KNOWN != 0
            || create.share_access & !7 != 0
        {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if asked & OPTIONS_NOT_SUPPORTED != 0 {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        let kind = match (
            asked & options::FILE_DIRECTORY_FILE != 0,
            asked & options::FILE_NON_DIRECTORY_FILE != 0,
        ) {
            (true, true) => return Err(NtStatus::INVALID_PARAMETER),
            (true, false) => KindWanted::Directory,
            (false, true) => KindWanted::File,
            (false, false) => KindWanted::Any,
        };
        let (mode, overwrites) = match create.create_disposition {
            disposition::FILE_OPEN => (CreateMode::Existing, false),
            disposition::FILE_OVERWRITE => (CreateMode::Existing, true),
            disposition::FILE_CREATE => (CreateMode::CreateNew, false),
            disposition::FILE_OPEN_IF => (CreateMode::CreateIfMissing, false),
            _ => (CreateMode::CreateIfMissing, true),
        };
        if kind == KindWanted::Directory && overwrites {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let delete_on_close = asked & options::FILE_DELETE_ON_CLOSE != 0;
        // [MS-FSA] 2.1.5.1 phase 1 asks for the bit itself: MAXIMUM_ALLOWED and GENERIC_ALL
        // do not stand for it.
        if delete_on_close && create.desired_access & access_mask::DELETE == 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let access = granted(create.desired_access, tree.maximal_access)?;
        // After the access: Windows refuses what is wrong in both for the access.
        if create.file_attributes & !ATTRIBUTES_KNOWN != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if delete_on_close
            && create.file_attributes & file_attributes::FILE_ATTRIBUTE_READONLY != 0
            && create.create_disposition != disposition::FILE_OPEN
        {
            // [MS-FSA] 2.1.5.1.1: nobody could delete what it makes.
            return Err(NtStatus::CANNOT_DELETE);
        }
        let may_make = create.create_disposition != disposition::FILE_OPEN;
        if may_make && create.file_attributes & file_attributes::FILE_ATTRIBUTE_ENCRYPTED != 0 {
            // What is to be encrypted is not stored in the clear.
            return Err(NtStatus::ACCESS_DENIED);
        }
        if kind == KindWanted::Directory
            && may_make
            && create.file_attributes & file_attributes::FILE_ATTRIBUTE_TEMPORARY != 0
        {
            // [MS-FSA] 2.1.5.1.1.
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let maximum_allowed = create.desired_access & access_mask::MAXIMUM_ALLOWED != 0;
        if tree.share.read_only {
            if access & CHANGING != 0 || overwrites || mode == CreateMode::CreateNew {
                return Err(NtStatus::ACCESS_DENIED);
            }
            // OPEN_IF on a read-only share opens what exists.
            return Ok(Self {
                access,
                maximum_allowed,
                mode: CreateMode::Existing,
                kind,
                overwrites,
                delete_on_close,
            });
        }
        Ok(Self {
            access,
            maximum_allowed,
            mode,
            kind,
            overwrites,
            delete_on_close,
        })
    }

    /// May what is there be opened so?
    pub(super) fn check_existing(
        &self,
        create: &CreateRequest<'_>,
        stat: &FileStat,
    ) -> Result<(), NtStatus> {
        let is_directory = stat.kind == FileKind::Directory;
        if is_directory && self.overwrites {
            // [MS-FSA] 2.1.5.1.2: a directory cannot be overwritten.
            return Err(match create.create_disposition {
                create_disposition::FILE_OVERWRITE_IF | create_disposition::FILE_SUPERSEDE
                    if self.kind == KindWanted::Directory =>
                {
                    NtStatus::INVALID_PARAMETER
                }
                _ => NtStatus::OBJECT_NAME_COLLISION,
            });
        }
        let is_read_only = stat.attributes & file_attributes::FILE_ATTRIBUTE_READONLY != 0;
        if is_directory {
            // [MS-FSA] 2.1.5.1.2.1: FILE_ATTRIBUTE_READONLY keeps it from being deleted alone.
            return match is_read_only && self.delete_on_close {
                true => Err(NtStatus::CANNOT_DELETE),
                false => Ok(()),
            };
        }
        // [MS-FSA] 2.1.5.1.2.1: HIDDEN and SYSTEM are not taken away in passing.
        let guarded = stat.attributes
            & (file_attributes::FILE_ATTRIBUTE_HIDDEN | file_attributes::FILE_ATTRIBUTE_SYSTEM);
        if self.overwrites && guarded & !create.file_attributes != 0 {
            return Err(NtStatus::ACCESS_DENIED);
        }
        if is_read_only {
            if self.overwrites || self.writes() && !self.maximum_allowed {
                return Err(NtStatus::ACCESS_DENIED);
            }
            if self.delete_on_close {
                return Err(NtStatus::CANNOT_DELETE);
            }
        }
        Ok(())
    }

    pub(super) fn writes(&self) -> bool {
        self.overwrites
            || self.access & (access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA) != 0
    }
}

/// GrantedAccess: generic rights mapped, all of them within what the share gives.
pub(super) fn granted(desired: u32, maximal: u32) -> Result<u32, NtStatus> {
    if desired & access_mask::ACCESS_SYSTEM_SECURITY != 0 {
        return Err(NtStatus::PRIVILEGE_NOT_HELD);
    }
    let generic = [
        (access_mask::GENERIC_READ, access_mask::FILE_GENERIC_READ),
        (access_mask::GENERIC_WRITE, access_mask::FILE_GENERIC_WRITE),
        (
            access_mask::GENERIC_EXECUTE,
            access_mask::FILE_GENERIC_EXECUTE,
        ),
        (access_mask::GENERIC_ALL, access_mask::FILE_ALL_ACCESS),
        (access_mask::MAXIMUM_ALLOWED, maximal),
    ];
    let mut access = desired & access_mask::FILE_ALL_ACCESS;
    for (bit, rights) in generic {
        if desired & bit != 0 {
            access |= rights;
        }
    }
    let unknown = desired & !(access_mask::FILE_ALL_ACCESS | SPECIAL_ACCESS);
    if access == 0 || unknown != 0 || access & !maximal != 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(access)
}
