//! What a file occupies: reserving space, giving it back, and telling where it is.

use std::num::NonZeroU64;

use rustix::fd::BorrowedFd;
use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::Errno;
use smb::NtStatus;

use super::super::MAX_ALLOCATED_RANGES;
use super::errno::status;
use super::facts::Facts;

/// Space for `length` bytes; less than the file has cuts it.
pub(super) fn reserve(fd: BorrowedFd<'_>, length: u64) -> Result<(), NtStatus> {
    let size = Facts::of(fd).map_err(status)?.size();
    if length <= size {
        return match length == size {
            true => Ok(()),
            false => rustix::fs::ftruncate(fd, length).map_err(status),
        };
    }
    // Asked beforehand, since some file systems first take all that is left and only then
    // fail.
    let space = rustix::fs::fstatvfs(fd).map_err(status)?;
    if length - size > space.f_bavail.saturating_mul(space.f_frsize) {
        return Err(NtStatus::DISK_FULL);
    }
    match rustix::fs::fallocate(fd, FallocateFlags::KEEP_SIZE, size, length - size) {
        // A reservation is a hint where there is none to be had.
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(errno) => Err(status(errno)),
    }
}

/// Zeros instead of `length` bytes at `offset`, as far as the file reaches.
pub(super) fn zero(fd: BorrowedFd<'_>, offset: u64, length: NonZeroU64) -> Result<(), NtStatus> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match rustix::fs::fallocate(fd, flags, offset, length.get()) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_zeros(fd, offset, length.get()),
        result => result.map_err(status),
    }
}

/// Where there are no holes: as far as the file reaches.
fn write_zeros(fd: BorrowedFd<'_>, offset: u64, length: u64) -> Result<(), NtStatus> {
    let size = Facts::of(fd).map_err(status)?.size();
    let end = size.min(offset + length);
    let zeros = [0; 16 * 1024];
    let mut at = offset;
    while at < end {
        let count = zeros
            .len()
            .min(usize::try_from(end - at).unwrap_or(usize::MAX));
        match rustix::io::pwrite(fd, &zeros[..count], at) {
            Ok(0) => return Err(NtStatus::DISK_FULL),
            Ok(count) => at += count as u64,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(status(errno)),
        }
    }
    Ok(())
}

/// (offset, length) of what has data between `start` and `end`. Moves the position of `fd`.
pub(super) fn data_ranges(
    fd: BorrowedFd<'_>,
    start: u64,
    end: u64,
) -> Result<Vec<(u64, u64)>, Errno> {
    let mut ranges = Vec::new();
    let mut at = start;
    while at < end {
        let data = match rustix::fs::seek(fd, SeekFrom::Data(at)) {
            Ok(data) if data < end => data,
            // ENXIO: no data from here on.
            Ok(_) | Err(Errno::NXIO) => break,
            Err(errno) => return Err(errno),
        };
        if ranges.len() + 1 == MAX_ALLOCATED_RANGES {
            ranges.push((data, end - data));
            break;
        }
        let hole = rustix::fs::seek(fd, SeekFrom::Hole(data))?.min(end);
        ranges.push((data, hole - data));
        at = hole;
    }
    Ok(ranges)
}
