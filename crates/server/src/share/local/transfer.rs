//! Reading and writing whole buffers.

use std::io::{IoSlice, IoSliceMut};

use rustix::fd::BorrowedFd;
use rustix::io::{Errno, ReadWriteFlags};
use smb::NtStatus;

use super::super::{StoreError, StoreResult};
use super::errno::status;

/// How a write that may not wait ended.
pub(super) enum Cached {
    /// All is written.
    Done,
    /// It needs the device.
    WouldWait,
    /// The file system cannot tell, now or later.
    Unknown,
}

/// As far as the file reaches.
pub(super) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8], offset: u64) -> Result<usize, NtStatus> {
    let mut done = 0;
    while done < buffer.len() {
        match rustix::io::pread(fd, &mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(status(errno)),
        }
    }
    Ok(done)
}

/// Reads without waiting for the device. A file system that cannot tell whether it would
/// have to is taken to.
pub(super) fn read_cached(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    offset: u64,
) -> StoreResult<usize> {
    let mut done = 0;
    while done < buffer.len() {
        let mut slices = [IoSliceMut::new(&mut buffer[done..])];
        let at = offset + done as u64;
        match rustix::io::preadv2(fd, &mut slices, at, ReadWriteFlags::NOWAIT) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS) => {
                return Err(StoreError::WouldWait);
            }
            Err(errno) => return Err(status(errno).into()),
        }
    }
    Ok(done)
}

pub(super) fn write(fd: BorrowedFd<'_>, data: &[u8], offset: u64) -> Result<(), NtStatus> {
    let mut done = 0;
    while done < data.len() {
        match rustix::io::pwrite(fd, &data[done..], offset + done as u64) {
            Ok(0) => return Err(NtStatus::DISK_FULL),
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(status(errno)),
        }
    }
    Ok(())
}

/// Writes as far as that needs no device. If it does in the middle, the beginning is written
/// already: who then waits writes the same bytes again.
pub(super) fn write_cached(fd: BorrowedFd<'_>, data: &[u8], offset: u64) -> Cached {
    let mut done = 0;
    while done < data.len() {
        let slices = [IoSlice::new(&data[done..])];
        let at = offset + done as u64;
        match rustix::io::pwritev2(fd, &slices, at, ReadWriteFlags::NOWAIT) {
            Ok(count) if count > 0 => done += count,
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Cached::Unknown,
            Err(Errno::INTR) => {}
            // Whatever else there is to be said, it is said to who may wait.
            Ok(_) | Err(_) => return Cached::WouldWait,
        }
    }
    Cached::Done
}
