//! CLOSE ([MS-SMB2] 3.3.5.10).

use std::sync::Arc;

use smb::wire::{CloseRequest, CloseResponse, close};
use smb::{FileTime, NtStatus};

use crate::application::CloseReason;
use crate::core::Core;
use crate::file::{Effects, Turn};
use crate::open::{FileOpen, Open, OpenKind};
use crate::request::Wait;
use crate::request::{Answer, Done, Failure, Request};
use crate::share::local::inotify::OwnChange;
use crate::share::{StoreError, StoreResult, Times, Waiting};

pub(super) fn close(
    core: &Arc<Core>,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let wanted = CloseRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let open = request.open(wanted.file_id)?;
    if waiting == Waiting::Refused && open.closing_waits() {
        // The client takes the file for gone when it has the answer.
        return Err(Failure::WouldWait);
    }
    if let Ok(file) = open.file()
        && file.file.delete_on_close(open.id)
    {
        settle_delete_on_close(core, request, &open, file, waiting)?;
    }
    if let Ok(file) = open.file() {
        match core.keep_write_time(&open, file, request.now, waiting) {
            Err(StoreError::WouldWait) => return Err(Failure::WouldWait),
            // A CLOSE does not fail for that.
            Ok(()) | Err(StoreError::Status(_)) => {}
        }
    }
    let mut response = CloseResponse::default();
    if wanted.flags & close::SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB != 0
        && let Ok(file) = open.file()
        && let Ok(mut stat) = file.handle.stat(waiting)
    {
        file.file.write_time().show(&mut stat, request.now);
        response = CloseResponse {
            flags: close::SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB,
            file: stat.network_open(),
        };
    }
    let mut done = Done::from(NtStatus::SUCCESS);
    request.session()?.tables().opens.remove(&open.volatile);
    if let OpenKind::Pipe(pipe) = &open.kind {
        // Sessions to be ended after the answers are ended after this one too.
        let taken = pipe.with(0, &mut done.close_after_reply, |instance| {
            instance.take_close_after_reply()
        });
        done.close_after_reply.extend(taken.unwrap_or_default());
    }
    core.close_open(&open, CloseReason::Close, waiting);
    response.write(out);
    Ok(done)
}

impl Core {
    /// Before an open ends: what it has written is shown, and the store says what clients
    /// were told ([`write_time`](crate::file)).
    ///
    /// # Errors
    ///
    /// Those of the store: it says something else then.
    pub(crate) fn keep_write_time(
        &self,
        open: &Open,
        file: &FileOpen,
        now: FileTime,
        waiting: Waiting,
    ) -> StoreResult<()> {
        let write_time = file.file.write_time();
        let goes = file.file.is_delete_pending() || file.file.delete_on_close(open.id);
        if !write_time.close(open.id, now) || goes {
            return Ok(());
        }
        let stat = file.handle.stat(waiting)?;
        let Some(time) = write_time.to_store(&stat) else {
            return Ok(());
        };
        if self.notifier.is_watched()
            && let Some(name) = self.files.name_of(&file.file, open.id)
        {
            self.expect(&name, OwnChange::Modified);
        }
        let times = Times {
            last_write_time: Some(time),
            ..Times::default()
        };
        file.handle.set_times(&times, waiting)?;
        write_time.stored(time);
        Ok(())
    }
}

/// Before a file is deleted, clients that cache a handle of it close that. A directory that
/// has entries by now stays ([MS-FSA] 2.1.5.5).
fn settle_delete_on_close(
    core: &Arc<Core>,
    request: &Request<'_>,
    open: &Open,
    file: &FileOpen,
    waiting: Waiting,
) -> Result<(), Failure> {
    if file.is_directory && !file.handle.is_empty_directory(waiting)? {
        file.file.set_delete_on_close(open.id, false);
        return Ok(());
    }
    let mut effects = Effects::default();
    let turn =
        file.file
            .break_handle_caching(open.id, request.ticket, core.instant(), &mut effects);
    core.carry_out(effects);
    match turn {
        Turn::Now => Ok(()),
        Turn::Wait { file, until } => Err(Failure::Waits(Wait::Break(file), Some(until.into()))),
    }
}
