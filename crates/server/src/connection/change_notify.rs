//! CHANGE_NOTIFY ([MS-SMB2] 3.3.5.19).

use std::sync::Arc;

use smb::NtStatus;
use smb::wire::change_notify::SMB2_WATCH_TREE;
use smb::wire::{ChangeNotifyRequest, access_mask};

use crate::budget::Cost;
use crate::core::Core;
use crate::file::watch::{MAX_BUFFER, WatchRequest, Watched};
use crate::outcome::write_changes;
use crate::request::Wait;
use crate::request::{Answer, Done, Failure, Request};

pub(super) fn change_notify(core: &Arc<Core>, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
    let notify =
        ChangeNotifyRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    request.check_charge(notify.output_buffer_length)?;
    let open = request.open(notify.file_id)?;
    let file = open.file()?;
    if !file.is_directory {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    open.require_any(access_mask::FILE_LIST_DIRECTORY)?;
    let name = core
        .files
        .name_of(&file.file, open.id)
        .ok_or(NtStatus::FILE_CLOSED)?;
    if file.file.is_delete_pending() {
        return Err(NtStatus::DELETE_PENDING.into());
    }
    if !request.last {
        // Nobody knows for how long it would hold up what comes behind it; Windows says the
        // same.
        return Err(NtStatus::INTERNAL_ERROR.into());
    }
    if file.watch_charge.get().is_none() {
        let cost = Cost::WATCHER.and_bytes(notify.output_buffer_length.min(MAX_BUFFER));
        let charge = request.session()?.account.charge(cost);
        let _ = file.watch_charge.set(charge.map_err(NtStatus::from)?);
    }
    let watched = core.notifier.watch(
        open.id,
        &name,
        file.handle.watch_path().as_deref(),
        WatchRequest {
            tree: notify.flags & SMB2_WATCH_TREE != 0,
            filter: notify.completion_filter,
            buffer_length: notify.output_buffer_length,
            ticket: request.ticket,
        },
    );
    match watched {
        Watched::Ready(answer) => {
            let status = answer.status();
            if status.is_error() {
                return Err(status.into());
            }
            write_changes(&answer, out);
            Ok(Done::from(status))
        }
        Watched::Waits => Err(Failure::Waits(Wait::Change, None)),
    }
}
