//! READ, WRITE, FLUSH and CANCEL ([MS-SMB2] 3.3.5.11 to 3.3.5.13, 3.3.5.16).

use std::sync::Arc;

use smb::NtStatus;
use smb::wire::{
    self, FlushRequest, FlushResponse, Header, HeaderFlags, ReadRequest, ReadResponse,
    WriteRequest, WriteResponse, access_mask,
};

use super::dispatch::{Answer, Done, Request};
use super::{Connection, seal_alone, spare, step_aside};
use crate::open::{FileOpen, Open, OpenKind, PendingRead, PipeOpen};
use crate::pipe::PipeRead;
use crate::share::ReadError;

/// Offset of DataLength in the body of a READ response ([MS-SMB2] 2.2.20).
const DATA_LENGTH: usize = 4;
/// Files end here: offsets beyond are negative numbers to every file system.
const MAX_OFFSET: u64 = i64::MAX as u64;
/// A write up to this size goes to the page cache in place; a longer one may meet the
/// kernel's limit on dirty pages and wait.
const WRITE_IN_PLACE: usize = 256 * 1024;

impl Connection {
    pub(super) fn read(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let read = ReadRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        self.check_charge(request, read.length)?;
        request.require_room(read.length)?;
        let open = request.open(read.file_id)?;
        open.require_any(access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE)?;
        match &open.kind {
            OpenKind::File(file) => read_file(file, &read, out),
            OpenKind::Pipe(pipe) => self.read_pipe(request, &read, &open, pipe, out),
        }
    }

    fn read_pipe(
        &mut self,
        request: &Request<'_>,
        read: &ReadRequest,
        open: &Arc<Open>,
        pipe: &PipeOpen,
        out: &mut Vec<u8>,
    ) -> Answer {
        let length = read.length as usize;
        match pipe.with(&mut self.close_after_reply, |instance| {
            instance.read(length)
        })? {
            PipeRead::Data { bytes, more } => {
                ReadResponse {
                    data: &bytes,
                    data_remaining: 0,
                }
                .write(out);
                Ok(if more {
                    NtStatus::BUFFER_OVERFLOW
                } else {
                    NtStatus::SUCCESS
                }
                .into())
            }
            PipeRead::Broken => Err(NtStatus::PIPE_BROKEN),
            PipeRead::Empty if !request.last => Err(NtStatus::PIPE_EMPTY),
            PipeRead::Empty => {
                self.forget_answered();
                if self.pending.len() >= self.shared.config.limits.pending_requests {
                    return Err(NtStatus::INSUFFICIENT_RESOURCES);
                }
                let session = request.session()?.clone();
                let mut state = pipe.state();
                if state.closed {
                    return Err(NtStatus::PIPE_DISCONNECTED);
                }
                let async_id = self.next_async_id;
                self.next_async_id += 1;
                state.pending.push_back(PendingRead {
                    header: request.header,
                    async_id,
                    session,
                    encrypted: request.encrypted,
                    length,
                });
                self.pending.insert(async_id, open.clone());
                let mut done = Done::from(NtStatus::PENDING);
                done.async_id = Some(async_id);
                Ok(done)
            }
        }
    }

    /// Waiting reads whose pipe was closed have been answered by whoever closed it.
    fn forget_answered(&mut self) {
        self.pending.retain(|_, open| match &open.kind {
            OpenKind::Pipe(pipe) => !pipe.state().closed,
            OpenKind::File(_) => false,
        });
    }

    pub(super) fn write_file(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let write = WriteRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        // A frame is far shorter than 4 GiB.
        let count = write.data.len() as u32;
        self.check_charge(request, count)?;
        let open = request.open(write.file_id)?;
        open.require_any(access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA)?;
        match &open.kind {
            OpenKind::File(file) => {
                if file.is_directory {
                    return Err(NtStatus::INVALID_DEVICE_REQUEST);
                }
                let end = write.offset.checked_add(u64::from(count));
                if end.is_none_or(|end| end > MAX_OFFSET) {
                    return Err(NtStatus::INVALID_PARAMETER);
                }
                let through = write.flags & wire::write::SMB2_WRITEFLAG_WRITE_THROUGH != 0;
                let work = || {
                    file.handle.write(write.data, write.offset)?;
                    if through { file.handle.flush() } else { Ok(()) }
                };
                let may_wait = through || write.data.len() > WRITE_IN_PLACE;
                if may_wait && !file.handle.is_in_memory() {
                    step_aside(work)?;
                } else {
                    work()?;
                }
            }
            OpenKind::Pipe(pipe) => {
                pipe.with(&mut self.close_after_reply, |instance| {
                    instance.write(write.data)
                })??;
                self.answer_pending(pipe);
            }
        }
        WriteResponse { count }.write(out);
        Ok(NtStatus::SUCCESS.into())
    }

    /// Gives new bytes of a pipe to the reads that wait for them.
    fn answer_pending(&mut self, pipe: &PipeOpen) {
        loop {
            let Some(read) = pipe.state().pending.pop_front() else {
                return;
            };
            let length = read.length;
            let data = pipe.with(&mut self.close_after_reply, |instance| {
                instance.read(length)
            });
            match data {
                Ok(PipeRead::Empty) => {
                    let mut state = pipe.state();
                    if !state.closed {
                        return state.pending.push_front(read);
                    }
                    fail_pending(&read, NtStatus::CANCELLED);
                }
                Ok(PipeRead::Data { bytes, more }) => {
                    let status = if more {
                        NtStatus::BUFFER_OVERFLOW
                    } else {
                        NtStatus::SUCCESS
                    };
                    finish_pending(&read, status, Some(&bytes));
                }
                Ok(PipeRead::Broken) => fail_pending(&read, NtStatus::PIPE_BROKEN),
                Err(status) => fail_pending(&read, status),
            }
            self.pending.remove(&read.async_id);
        }
    }

    pub(super) fn flush_file(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let flush = FlushRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let open = request.open(flush.file_id)?;
        if let OpenKind::File(file) = &open.kind {
            open.require_any(access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA)?;
            if !file.is_directory {
                step_aside(|| file.handle.flush())?;
            }
        }
        FlushResponse.write(out);
        Ok(NtStatus::SUCCESS.into())
    }

    /// [MS-SMB2] 3.3.5.16: finds the waiting request by AsyncId or MessageId; no answer of
    /// its own.
    pub(super) fn cancel(&mut self, header: &Header) {
        let by_async = header.flags.contains(HeaderFlags::ASYNC);
        let matches = |read: &PendingRead| {
            read.session.id.0 == header.session_id
                && if by_async {
                    read.async_id == header.async_id
                } else {
                    read.header.message_id == header.message_id
                }
        };
        self.pending.retain(|_, open| {
            let OpenKind::Pipe(pipe) = &open.kind else {
                return false;
            };
            let mut state = pipe.state();
            match state.pending.iter().position(matches) {
                Some(index) => {
                    if let Some(read) = state.pending.remove(index) {
                        fail_pending(&read, NtStatus::CANCELLED);
                    }
                    false
                }
                None => true,
            }
        });
    }
}

fn read_file(file: &FileOpen, read: &ReadRequest, out: &mut Vec<u8>) -> Answer {
    if file.is_directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST);
    }
    let end = read.offset.checked_add(u64::from(read.length));
    if end.is_none_or(|end| end > MAX_OFFSET) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let body = out.len();
    ReadResponse::write_fixed(out, 0);
    let data = out.len();
    let mut roomy = spare::take_output(data + read.length as usize);
    roomy[..data].copy_from_slice(out);
    *out = roomy;
    let buffer = &mut out[data..];
    let result = match file.handle.read(buffer, read.offset, false) {
        Err(ReadError::WouldBlock) => step_aside(|| file.handle.read(buffer, read.offset, true)),
        done => done,
    };
    let count = match result {
        Ok(count) => count.min(read.length as usize),
        Err(ReadError::Status(status)) => return Err(status),
        Err(ReadError::WouldBlock) => return Err(NtStatus::UNEXPECTED_IO_ERROR),
    };
    if count == 0 && read.length > 0 || count < read.minimum_count as usize {
        return Err(NtStatus::END_OF_FILE);
    }
    out.truncate(data + count);
    if count == 0 {
        // A response has a data offset, so it has at least a byte there.
        out.push(0);
    }
    out[body + DATA_LENGTH..][..4].copy_from_slice(&(count as u32).to_le_bytes());
    Ok(NtStatus::SUCCESS.into())
}

/// Answers a waiting read with an error.
pub(crate) fn fail_pending(read: &PendingRead, status: NtStatus) {
    finish_pending(read, status, None);
}

fn finish_pending(read: &PendingRead, status: NtStatus, data: Option<&[u8]>) {
    let header = Header {
        status,
        // Credits went out with the interim response.
        credits: 0,
        flags: HeaderFlags::SERVER_TO_REDIR | HeaderFlags::ASYNC,
        next_command: 0,
        tree_id: 0,
        async_id: read.async_id,
        signature: [0; 16],
        ..read.header
    };
    let mut message = Vec::with_capacity(Header::SIZE + 16 + data.map_or(0, <[u8]>::len));
    header.write(&mut message);
    match data {
        Some(data) => ReadResponse {
            data,
            data_remaining: 0,
        }
        .write(&mut message),
        None => wire::error_response(&mut message, &[]),
    }
    let sign = read.header.flags.contains(HeaderFlags::SIGNED);
    let frame = seal_alone(&read.session, read.encrypted, sign, &message);
    read.session.connection.send(&frame);
}
