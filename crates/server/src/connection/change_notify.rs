//! CHANGE_NOTIFY ([MS-SMB2] 3.3.5.19).

use std::sync::Arc;

use smb::NtStatus;
use smb::wire::change_notify::SMB2_WATCH_TREE;
use smb::wire::{ChangeNotifyRequest, ChangeNotifyResponse, access_mask};

use super::request::{Answer, Done, Failure, Request};
use crate::core::Core;
use crate::file::watch::{self, AbsoluteName, WatchRequest, Watched};
use crate::outbox::Outcome;
use crate::pending::Wait;

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
    let watched = core.notifier.watch(
        open.id,
        &AbsoluteName::local(name.as_str()),
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
            write(&answer, out);
            Ok(Done::from(status))
        }
        Watched::Waits => Err(Failure::Waits(Wait::Change, None)),
    }
}

fn write(answer: &watch::Answer, out: &mut Vec<u8>) {
    let changes = match answer {
        watch::Answer::Changes(changes) => changes.as_slice(),
        _ => &[],
    };
    ChangeNotifyResponse {
        output_buffer: changes,
    }
    .write(out);
}

/// How a request goes on for which there is an answer.
pub(crate) fn changed(answer: &watch::Answer) -> Outcome {
    let status = answer.status();
    if status.is_error() {
        return Outcome::Ended(status);
    }
    let mut body = Vec::new();
    write(answer, &mut body);
    Outcome::Answered(status, body)
}
