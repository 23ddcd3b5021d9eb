//! Opening and creating files and directories.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex};

use smb::NtStatus;
use smb::wire::create_context;
use smb::wire::{CreateRequest, access_mask, create_action, create_disposition, file_attributes};

use super::plan::Plan;
use super::{FileCreated, SETTABLE_ATTRIBUTES};
use crate::connection::request::Failure;
use crate::core::Core;
use crate::open::{FileOpen, FileTable, OpenKind};
use crate::share::{
    Backend, FileKind, KindWanted, OpenParameters, SharePath, StoreResult, Waiting,
};
use crate::tree_connect::TreeConnect;

/// Where a file is opened.
pub(super) struct Place<'a> {
    pub(super) tree: &'a TreeConnect,
    pub(super) backend: &'a dyn Backend,
    pub(super) files: &'a FileTable,
}

/// [MS-SMB2] 3.3.5.9 and [MS-FSA] 2.1.5.1.
pub(super) fn open_file(
    core: &Arc<Core>,
    create: &CreateRequest<'_>,
    path: &SharePath,
    place: &Place<'_>,
    waiting: Waiting,
) -> Result<FileCreated, Failure> {
    let &Place {
        tree,
        backend,
        files,
    } = place;
    let plan = Plan::new(create, tree)?;
    let opened = backend.open(
        &OpenParameters {
            path,
            mode: plan.mode,
            kind: plan.kind,
            read: plan.access & (access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE) != 0,
            write: plan.writes(),
            attributes: create.file_attributes & SETTABLE_ATTRIBUTES,
            identity: None,
            stream: None,
        },
        waiting,
    )?;
    let handle = opened.handle;
    let mut stat = handle.stat(waiting)?;
    let is_directory = stat.kind == FileKind::Directory;
    if !opened.created {
        if is_directory && plan.overwrites {
            // [MS-FSA] 2.1.5.1.2: a directory cannot be overwritten.
            return Err(Failure::Status(match create.create_disposition {
                create_disposition::FILE_OVERWRITE_IF | create_disposition::FILE_SUPERSEDE
                    if plan.kind == KindWanted::Directory =>
                {
                    NtStatus::INVALID_PARAMETER
                }
                _ => NtStatus::OBJECT_NAME_COLLISION,
            }));
        }
        let read_only = stat.attributes & file_attributes::FILE_ATTRIBUTE_READONLY != 0;
        if read_only && !is_directory {
            if plan.overwrites || plan.writes() && !plan.maximum_allowed {
                return Err(NtStatus::ACCESS_DENIED.into());
            }
            if plan.delete_on_close {
                return Err(NtStatus::CANNOT_DELETE.into());
            }
        }
    }
    if plan.delete_on_close && path.is_root() {
        return Err(NtStatus::CANNOT_DELETE.into());
    }
    let id = core.opens.allocate();
    // An overwriting open is an open for writing as far as others are concerned.
    let claimed = plan.access
        | if plan.overwrites {
            access_mask::FILE_WRITE_DATA
        } else {
            0
        };
    files.open(stat.key, id, claimed, create.share_access, &opened.path)?;
    let settle = || -> StoreResult<()> {
        if !opened.created && plan.overwrites {
            handle.set_end_of_file(0, waiting)?;
            handle.set_attributes(
                create.file_attributes & SETTABLE_ATTRIBUTES
                    | file_attributes::FILE_ATTRIBUTE_ARCHIVE,
                waiting,
            )?;
        }
        if (opened.created || plan.overwrites)
            && let Some(size) = allocation_size(create)
        {
            handle.set_allocation(size, waiting)?;
        }
        Ok(())
    };
    if let Err(error) = settle() {
        files.close(stat.key, id, opened.created);
        if opened.created {
            let _ = handle.unlink(waiting);
        }
        return Err(error.into());
    }
    if opened.created || plan.overwrites {
        stat = handle.stat(waiting).inspect_err(|_| {
            files.close(stat.key, id, false);
        })?;
    }
    let action = match (opened.created, create.create_disposition) {
        (true, _) => create_action::FILE_CREATED,
        (false, create_disposition::FILE_SUPERSEDE) => create_action::FILE_SUPERSEDED,
        (false, _) if plan.overwrites => create_action::FILE_OVERWRITTEN,
        _ => create_action::FILE_OPENED,
    };
    Ok(FileCreated {
        id,
        kind: OpenKind::File(FileOpen {
            handle,
            key: stat.key,
            is_directory,
            delete_on_close: AtomicBool::new(plan.delete_on_close),
            mode: AtomicU32::new(create.create_options & 0x3E),
            position: AtomicU64::new(0),
            enumeration: Mutex::default(),
        }),
        granted_access: plan.access,
        action,
        stat,
    })
}

fn allocation_size(create: &CreateRequest<'_>) -> Option<u64> {
    let context = create
        .contexts
        .find(create_context::name::SMB2_CREATE_ALLOCATION_SIZE)?;
    context
        .data
        .first_chunk()
        .map(|bytes| u64::from_le_bytes(*bytes))
}
