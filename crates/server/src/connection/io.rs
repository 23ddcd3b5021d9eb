//! READ, WRITE and FLUSH ([MS-SMB2] 3.3.5.11 to 3.3.5.13).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smb::wire::{
    self, FlushRequest, FlushResponse, ReadRequest, ReadResponse, WriteRequest, WriteResponse,
    access_mask,
};
use smb::{FileTime, NtStatus};

use super::spare;
use crate::changes::WRITTEN;
use crate::core::Core;
use crate::file::lock::Access;
use crate::open::{FileOpen, Open, OpenKind, PipeOpen};
use crate::outcome::Outcome;
use crate::pipe::{Pipe, Taken};
use crate::request::{Answer, Done, Failure, Request, Wait};
use crate::share::Waiting;

/// Offset of DataLength in the body of a READ response ([MS-SMB2] 2.2.20).
const DATA_LENGTH: usize = 4;
/// Longest READ of a pipe that goes on with the next message: what one credit covers, and more
/// than any fragment of RPC. impacket asks for 1 MiB, or MaxReadSize if that is less, and takes
/// what comes for one fragment; on Windows a fragment is written when the one before it has
/// been read.
const STREAM_AT_ONCE: u32 = 65_536;
/// Files end here: offsets beyond are negative numbers to every file system.
const MAX_OFFSET: u64 = i64::MAX as u64;
pub(super) fn read(request: &Request<'_>, waiting: Waiting, out: &mut Vec<u8>) -> Answer {
    let read = ReadRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    request.check_charge(read.length)?;
    let open = request.open(read.file_id)?;
    open.require_any(access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE)?;
    let charge = request.reserve_answer(read.length)?;
    let mut done = match &open.kind {
        OpenKind::File(file) => read_file(&open, file, &read, waiting, out),
        OpenKind::Pipe(pipe) => read_pipe(request, &read, &open, pipe, out),
    }?;
    done.charge = charge;
    Ok(done)
}

fn read_pipe(
    request: &Request<'_>,
    read: &ReadRequest,
    open: &Arc<Open>,
    pipe: &PipeOpen,
    out: &mut Vec<u8>,
) -> Answer {
    let length = read.length as usize;
    let mut mode = pipe.mode();
    let largest = request
        .negotiated
        .map_or(0, |negotiated| negotiated.max_transact);
    if read.length > STREAM_AT_ONCE || read.length >= largest {
        mode.messages = true;
    }
    let body = out.len();
    ReadResponse::write_fixed(out, 0);
    let data = out.len();
    let mut close_after_reply = Vec::new();
    let taken = pipe
        .with(0, &mut close_after_reply, |instance| {
            mode.read(instance, length, out)
        })
        .flatten();
    if !matches!(taken, Ok(Taken::Data | Taken::PartOfMessage)) {
        out.truncate(body);
    }
    let status = match taken? {
        Taken::Data => NtStatus::SUCCESS,
        Taken::PartOfMessage => NtStatus::BUFFER_OVERFLOW,
        Taken::Nothing if mode.never_waits => return Err(NtStatus::PIPE_EMPTY.into()),
        Taken::Nothing => {
            pipe.wait(request.ticket)?;
            return Err(Failure::Waits(Wait::Pipe(open.clone()), None));
        }
    };
    // At most the u32 that was asked for.
    let count = (out.len() - data) as u32;
    out[body + DATA_LENGTH..][..4].copy_from_slice(&count.to_le_bytes());
    let mut done = Done::from(status);
    done.close_after_reply = close_after_reply;
    Ok(done)
}

pub(super) fn write(
    core: &Core,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let write = WriteRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    // A frame is far shorter than 4 GiB.
    let count = write.data.len() as u32;
    request.check_charge(count)?;
    let open = request.open(write.file_id)?;
    open.require_any(access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA)?;
    let mut done = Done::from(NtStatus::SUCCESS);
    match &open.kind {
        OpenKind::File(file) => {
            write_file(&open, file, &write, request.now, waiting)?;
            file.written.fetch_or(WRITTEN, Ordering::Relaxed);
            core.contend(&open, file);
        }
        OpenKind::Pipe(pipe) => {
            let work = |instance: &mut dyn Pipe| instance.write(write.data);
            let written = pipe.with(write.data.len(), &mut done.close_after_reply, work);
            for ticket in pipe.take_readers() {
                core.resume(ticket, Outcome::Retry);
            }
            written??;
        }
    }
    WriteResponse { count }.write(out);
    Ok(done)
}

fn write_file(
    open: &Open,
    file: &FileOpen,
    write: &WriteRequest<'_>,
    now: FileTime,
    waiting: Waiting,
) -> Result<(), Failure> {
    if file.is_directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST.into());
    }
    let end = write.offset.checked_add(write.data.len() as u64);
    if end.is_none_or(|end| end > MAX_OFFSET) {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let length = write.data.len() as u64;
    file.file
        .check_range(open.id, write.offset, length, Access::Write)?;
    if length > 0 {
        file.begin_write(open.id, now, waiting)?;
    }
    file.handle.write(write.data, write.offset, waiting)?;
    file.position
        .store(write.offset + length, Ordering::Relaxed);
    if write.flags & wire::write::SMB2_WRITEFLAG_WRITE_THROUGH != 0 {
        file.handle.flush(waiting)?;
    }
    Ok(())
}

pub(super) fn flush(
    core: &Core,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let flush = FlushRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let open = request.open(flush.file_id)?;
    if let OpenKind::File(file) = &open.kind {
        open.require_any(access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA)?;
        if !file.is_directory {
            file.handle.flush(waiting)?;
            file.file.write_time().show_written(request.now);
            core.tell_written(&open, file);
        }
    }
    FlushResponse.write(out);
    Ok(NtStatus::SUCCESS.into())
}

fn read_file(
    open: &Open,
    file: &FileOpen,
    read: &ReadRequest,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    if file.is_directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST.into());
    }
    let end = read.offset.checked_add(u64::from(read.length));
    if end.is_none_or(|end| end > MAX_OFFSET) {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    file.file
        .check_range(open.id, read.offset, read.length.into(), Access::Read)?;
    let body = out.len();
    ReadResponse::write_fixed(out, 0);
    let data = out.len();
    let mut roomy = spare::take_output(data + read.length as usize);
    let count = match file.handle.read(&mut roomy[data..], read.offset, waiting) {
        Ok(count) => count.min(read.length as usize),
        Err(error) => {
            spare::give_output(roomy);
            out.truncate(body);
            return Err(error.into());
        }
    };
    if count < roomy.len() / 4 {
        // What is charged is what has been read.
        out.extend_from_slice(&roomy[data..data + count]);
        spare::give_output(roomy);
    } else {
        roomy[..data].copy_from_slice(out);
        *out = roomy;
    }
    file.position
        .store(read.offset + count as u64, Ordering::Relaxed);
    if count == 0 && read.length > 0 || count < read.minimum_count as usize {
        return Err(NtStatus::END_OF_FILE.into());
    }
    out.truncate(data + count);
    if count == 0 {
        // A response has a data offset, so it has at least a byte there.
        out.push(0);
    }
    out[body + DATA_LENGTH..][..4].copy_from_slice(&(count as u32).to_le_bytes());
    Ok(NtStatus::SUCCESS.into())
}
