//! One open file or directory.

use std::io::IoSliceMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FallocateFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::{Errno, ReadWriteFlags};
use smb::{FileTime, NtStatus};

use super::super::name::{check_component, upcase};
use super::super::{
    DirectoryEntry, FileHandle, FileKey, FileKind, FileStat, ReadError, SharePath, Times,
};
use super::attributes::{self, Stored};
use super::beneath::Root;
use super::errno::status;
use super::facts::Facts;
use super::{descriptor_path, listing};

/// Most entries that one listing holds in memory, about 200 MB of names.
const MAX_LISTED: usize = 1 << 22;

/// What a descriptor is good for; with neither it is O_PATH.
#[derive(Clone, Copy)]
pub(super) struct Access {
    pub(super) read: bool,
    pub(super) write: bool,
}

impl Access {
    /// `None`: the O_PATH descriptor does.
    pub(super) fn flags(self) -> Option<OFlags> {
        let access = match (self.read, self.write) {
            (false, false) => return None,
            (true, false) => OFlags::RDONLY,
            (false, true) => OFlags::WRONLY,
            (true, true) => OFlags::RDWR,
        };
        Some(access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC)
    }
}

pub(super) struct LocalHandle {
    pub(super) root: Arc<Root>,
    pub(super) fd: OwnedFd,
    /// Last known name. Resolved again, and checked to lead here, whenever it matters.
    path: Mutex<SharePath>,
    pub(super) kind: FileKind,
    pub(super) key: FileKey,
    access: Access,
    read_only: bool,
}

impl LocalHandle {
    pub(super) fn new(
        root: Arc<Root>,
        fd: OwnedFd,
        path: SharePath,
        kind: FileKind,
        key: FileKey,
        access: Access,
        read_only: bool,
    ) -> Self {
        Self {
            root,
            fd,
            path: Mutex::new(path),
            kind,
            key,
            access,
            read_only,
        }
    }

    pub(super) fn path(&self) -> MutexGuard<'_, SharePath> {
        self.path.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_writable(&self) -> Result<(), NtStatus> {
        if self.read_only {
            Err(NtStatus::ACCESS_DENIED)
        } else {
            Ok(())
        }
    }

    fn check_file(&self) -> Result<(), NtStatus> {
        match self.kind {
            FileKind::File => Ok(()),
            FileKind::Directory => Err(NtStatus::INVALID_DEVICE_REQUEST),
        }
    }

    /// Runs `act` on a descriptor open for writing: FILE_OVERWRITE sets a length through
    /// an open that may have asked for no more than attributes.
    fn with_writable<T>(
        &self,
        act: impl FnOnce(BorrowedFd<'_>) -> Result<T, NtStatus>,
    ) -> Result<T, NtStatus> {
        self.check_writable()?;
        self.check_file()?;
        if self.access.write {
            return act(self.fd.as_fd());
        }
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = super::open_descriptor(&self.fd, flags).map_err(status)?;
        act(fd.as_fd())
    }

    fn stored(&self) -> Stored {
        match self.is_path_only() {
            true => Stored::of_descriptor_path(&descriptor_path(&self.fd)),
            false => Stored::of(&self.fd),
        }
    }

    fn is_path_only(&self) -> bool {
        self.access.flags().is_none()
    }

    fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        let mode = Mode::from_bits_truncate(mode);
        match self.is_path_only() {
            true => rustix::fs::chmodat(CWD, descriptor_path(&self.fd), mode, AtFlags::empty()),
            false => rustix::fs::fchmod(&self.fd, mode),
        }
    }

    /// Reads without waiting for the disk. A file system that cannot tell whether it would
    /// have to is taken to.
    fn read_cached(&self, buffer: &mut [u8], offset: u64) -> Result<usize, ReadError> {
        let mut done = 0;
        while done < buffer.len() {
            let mut slices = [IoSliceMut::new(&mut buffer[done..])];
            let at = offset + done as u64;
            match rustix::io::preadv2(&self.fd, &mut slices, at, ReadWriteFlags::NOWAIT) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS) => {
                    return Err(ReadError::WouldBlock);
                }
                Err(errno) => return Err(ReadError::Status(status(errno))),
            }
        }
        Ok(done)
    }

    fn stat_of_link(&self, name: &str) -> Result<Option<FileStat>, NtStatus> {
        let path = self.path().join(name)?;
        // Errors are what leads out of the share, or nowhere.
        let Ok(fd) = self.root.open_path(&path) else {
            return Ok(None);
        };
        let facts = Facts::of(&fd).map_err(status)?;
        Ok(facts.file_stat(&Stored::of_descriptor_path(&descriptor_path(&fd))))
    }

    /// Of `..`; the root of a share is its own parent.
    fn stat_of_parent(&self) -> Result<FileStat, NtStatus> {
        let parent = self
            .path()
            .parent()
            .and_then(|path| self.root.open_directory(&path).ok());
        let Some(parent) = parent else {
            return self.stat();
        };
        let stored = Stored::of_descriptor_path(&descriptor_path(&parent));
        let facts = Facts::of(&parent).map_err(status)?;
        facts.file_stat(&stored).ok_or(NtStatus::NOT_A_DIRECTORY)
    }
}

impl FileHandle for LocalHandle {
    fn stat(&self) -> Result<FileStat, NtStatus> {
        let facts = Facts::of(&self.fd).map_err(status)?;
        facts
            .file_stat(&self.stored())
            .ok_or(NtStatus::ACCESS_DENIED)
    }

    fn read(&self, buffer: &mut [u8], offset: u64, may_block: bool) -> Result<usize, ReadError> {
        self.check_file().map_err(ReadError::Status)?;
        if !fits_signed(offset, buffer.len()) {
            return Err(ReadError::Status(NtStatus::INVALID_PARAMETER));
        }
        if !may_block && !self.is_in_memory() {
            return self.read_cached(buffer, offset);
        }
        let mut done = 0;
        while done < buffer.len() {
            match rustix::io::pread(&self.fd, &mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(ReadError::Status(status(errno))),
            }
        }
        Ok(done)
    }

    fn write(&self, data: &[u8], offset: u64) -> Result<(), NtStatus> {
        self.check_writable()?;
        self.check_file()?;
        if !fits_signed(offset, data.len()) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut done = 0;
        while done < data.len() {
            match rustix::io::pwrite(&self.fd, &data[done..], offset + done as u64) {
                Ok(0) => return Err(NtStatus::DISK_FULL),
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(status(errno)),
            }
        }
        Ok(())
    }

    fn is_in_memory(&self) -> bool {
        self.root.holds_in_memory(self.key)
    }

    fn flush(&self) -> Result<(), NtStatus> {
        if !self.is_path_only() {
            return rustix::fs::fsync(&self.fd).map_err(status);
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = super::open_descriptor(&self.fd, flags).map_err(status)?;
        rustix::fs::fsync(&fd).map_err(status)
    }

    fn set_end_of_file(&self, length: u64) -> Result<(), NtStatus> {
        if !fits_signed(length, 0) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.with_writable(|fd| rustix::fs::ftruncate(fd, length).map_err(status))
    }

    /// A length below the end of the file cuts it ([MS-FSA] 2.1.5.15.1).
    fn set_allocation(&self, length: u64) -> Result<(), NtStatus> {
        if !fits_signed(length, 0) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.with_writable(|fd| {
            let size = Facts::of(fd).map_err(status)?.size();
            if length <= size {
                return match length == size {
                    true => Ok(()),
                    false => rustix::fs::ftruncate(fd, length).map_err(status),
                };
            }
            // Asked beforehand, since some file systems first take all that is left and
            // only then fail.
            let space = rustix::fs::fstatvfs(fd).map_err(status)?;
            if length - size > space.f_bavail.saturating_mul(space.f_frsize) {
                return Err(NtStatus::DISK_FULL);
            }
            match rustix::fs::fallocate(fd, FallocateFlags::KEEP_SIZE, size, length - size) {
                // A reservation is a hint where there is none to be had.
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
                Err(errno) => Err(status(errno)),
            }
        })
    }

    fn set_times(&self, times: &Times) -> Result<(), NtStatus> {
        self.check_writable()?;
        if times.last_access_time.is_some() || times.last_write_time.is_some() {
            let times = Timestamps {
                last_access: timespec(times.last_access_time),
                last_modification: timespec(times.last_write_time),
            };
            match self.is_path_only() {
                true => {
                    let path = descriptor_path(&self.fd);
                    rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())
                }
                false => rustix::fs::futimens(&self.fd, &times),
            }
            .map_err(status)?;
        }
        if times.creation_time.is_some() {
            let stored = Stored {
                creation_time: times.creation_time,
                ..self.stored()
            };
            // Where there are no extended attributes the birth time stays.
            let _ = stored.store(&descriptor_path(&self.fd));
        }
        Ok(())
    }

    fn set_attributes(&self, attributes: u32) -> Result<(), NtStatus> {
        self.check_writable()?;
        if attributes == 0 {
            // [MS-FSCC] 2.4.7: 0 leaves them as they are.
            return Ok(());
        }
        let facts = Facts::of(&self.fd).map_err(status)?;
        let read_only = attributes & attributes::READONLY != 0;
        let change_mode = self.kind == FileKind::File && read_only != facts.is_read_only();
        // An extended attribute needs the write bits: set before they go, after they come.
        if change_mode && !read_only {
            self.set_mode(facts.mode() | 0o200).map_err(status)?;
        }
        let to_store = Some(attributes::to_store(self.kind, attributes));
        let stored = self.stored();
        if stored.attributes != to_store {
            let stored = Stored {
                attributes: to_store,
                ..stored
            };
            match stored.store(&descriptor_path(&self.fd)) {
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOENT | Errno::NOSPC | Errno::DQUOT) => {}
                Err(Errno::ACCESS | Errno::PERM) if facts.is_read_only() => {}
                Err(errno) => return Err(status(errno)),
            }
        }
        if change_mode && read_only {
            self.set_mode(facts.mode() & !0o222).map_err(status)?;
        }
        Ok(())
    }

    fn rename(&self, target: &SharePath, replace: bool) -> Result<(), NtStatus> {
        self.rename_to(target, replace)
    }

    fn link(&self, target: &SharePath, replace: bool) -> Result<(), NtStatus> {
        self.link_to(target, replace)
    }

    fn unlink(&self) -> Result<(), NtStatus> {
        self.unlink_name()
    }

    fn is_empty_directory(&self) -> Result<bool, NtStatus> {
        let mut empty = true;
        // Every entry counts, shown or not: the directory cannot go while it is there.
        listing::for_each(&self.fd, |_, _| {
            empty = false;
            false
        })
        .map_err(status)?;
        Ok(empty)
    }

    fn names(&self) -> Result<Vec<String>, NtStatus> {
        let mut names = Vec::new();
        listing::for_each_visible(&self.fd, |name| {
            names.push(name.to_owned());
            names.len() < MAX_LISTED
        })
        .map_err(status)?;
        if names.len() >= MAX_LISTED {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        // Clients that show names as they come expect the order of NTFS.
        names.sort_unstable_by(|a, b| {
            a.chars()
                .map(upcase)
                .cmp(b.chars().map(upcase))
                .then_with(|| a.cmp(b))
        });
        names.splice(0..0, [".".to_owned(), "..".to_owned()]);
        Ok(names)
    }

    fn entry(&self, name: &str) -> Result<Option<DirectoryEntry>, NtStatus> {
        let stat = match name {
            "." => Some(self.stat()?),
            ".." => Some(self.stat_of_parent()?),
            _ if check_component(name).is_err() => None,
            _ => match Facts::of_entry(&self.fd, name) {
                Ok(facts) if facts.is_symlink() => self.stat_of_link(name)?,
                Ok(facts) => {
                    let path = format!("{}/{name}", descriptor_path(&self.fd));
                    facts
                        .kind()
                        .and_then(|_| facts.file_stat(&Stored::of_path(&path)))
                }
                Err(Errno::NOENT) => None,
                Err(errno) => return Err(status(errno)),
            },
        };
        Ok(stat.map(|stat| DirectoryEntry {
            name: name.to_owned(),
            stat,
        }))
    }

    fn watch_path(&self) -> Option<String> {
        Some(descriptor_path(&self.fd))
    }
}

/// Offsets are signed in the kernel; beyond that nothing can be.
fn fits_signed(offset: u64, length: usize) -> bool {
    offset
        .checked_add(length as u64)
        .is_some_and(|end| i64::try_from(end).is_ok())
}

fn timespec(time: Option<FileTime>) -> Timespec {
    match time {
        None => Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        Some(time) => {
            let (tv_sec, nanoseconds) = time.to_unix();
            Timespec {
                tv_sec,
                tv_nsec: nanoseconds.into(),
            }
        }
    }
}
