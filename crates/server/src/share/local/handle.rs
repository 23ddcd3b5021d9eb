//! One open file or directory.

use std::num::NonZeroU64;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use smb::{FileTime, NtStatus};

use super::super::name::check_component;
use super::super::{
    Cursor, DirectoryEntry, ExtendedAttribute, FileHandle, FileKey, FileKind, FileStat, Names,
    SharePath, StoreError, StoreResult, StreamEntry, Times, Waiting,
};
use super::attributes::{self, SetChangeTime, Stored};
use super::beneath::Root;
use super::errno::{resolution_error, status};
use super::extended::At;
use super::facts::Facts;
use super::listing::Pages;
use super::medium::Medium;
use super::transfer::{self, Cached};
use super::{descriptor_path, extended, listing, space, streams};

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
    pages: Pages,
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
            pages: Pages::default(),
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

    pub(super) fn medium(&self) -> Medium {
        self.root.medium_of(self.key)
    }

    fn facts(&self) -> Result<Facts, NtStatus> {
        Facts::of(&self.fd).map_err(status)
    }

    /// What the extended attribute of the file of these facts, which are of now, holds.
    fn stored(&self, facts: &Facts, waiting: Waiting) -> StoreResult<Stored> {
        if let Some(stored) = self.root.known.find(facts) {
            return Ok(stored);
        }
        if !facts.is_fresh() {
            self.medium().check_device(waiting)?;
        }
        let stored = match self.is_path_only() {
            true => Stored::of(At::Path(&descriptor_path(&self.fd))),
            false => Stored::of(At::Open(self.fd.as_fd())),
        };
        Ok(self.root.known.read(facts, stored))
    }

    /// Keeps attributes. Where that is not possible a ChangeTime is at least remembered.
    fn store(&self, stored: Stored) -> Result<(), Errno> {
        let result = stored.store(&descriptor_path(&self.fd));
        let known = match result {
            Ok(()) => stored,
            Err(Errno::OPNOTSUPP) => Stored {
                change_time: stored.change_time,
                ..Stored::default()
            },
            Err(errno) => return Err(errno),
        };
        if let Ok(facts) = Facts::of(&self.fd) {
            self.root.known.set(&facts, known);
        }
        result
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

    fn stat_of_link(&self, name: &str, waiting: Waiting) -> StoreResult<Option<FileStat>> {
        let path = self.path().join(name)?;
        match self.root.open_path(&path, waiting) {
            Ok(fd) => self.stat_of_path(&fd),
            Err(errno) => match resolution_error(errno, waiting) {
                StoreError::WouldWait => Err(StoreError::WouldWait),
                // It leads out of the share, or nowhere.
                StoreError::Status(_) => Ok(None),
            },
        }
    }

    /// Of what another descriptor stands for, O_PATH.
    fn stat_of_path(&self, fd: &OwnedFd) -> StoreResult<Option<FileStat>> {
        let facts = Facts::of(fd).map_err(status)?;
        let stored = self.root.known.find(&facts).unwrap_or_else(|| {
            let stored = Stored::of(At::Path(&descriptor_path(fd)));
            self.root.known.read(&facts, stored)
        });
        Ok(facts.file_stat(&stored))
    }

    /// Of the entry `name`, which is no link, with its facts.
    fn stat_of_entry(&self, name: &str, facts: &Facts) -> Option<FileStat> {
        facts.kind()?;
        let stored = self.root.known.find(facts).unwrap_or_else(|| {
            let path = format!("{}/{name}", descriptor_path(&self.fd));
            self.root.known.read(facts, Stored::of(At::Link(&path)))
        });
        facts.file_stat(&stored)
    }

    /// Of `..`; the root of a share is its own parent.
    fn stat_of_parent(&self, waiting: Waiting) -> StoreResult<FileStat> {
        let parent = self.path().parent();
        let parent = parent.and_then(|path| self.root.open_directory(&path, waiting).ok());
        let Some(parent) = parent else {
            return self.stat(waiting);
        };
        let stat = self.stat_of_path(&parent)?;
        Ok(stat.ok_or(NtStatus::NOT_A_DIRECTORY)?)
    }
}

impl FileHandle for LocalHandle {
    fn changes_wait(&self) -> bool {
        self.medium().check_device(Waiting::Refused).is_err()
    }

    fn stat(&self, waiting: Waiting) -> StoreResult<FileStat> {
        self.medium().check_server(waiting)?;
        let facts = self.facts()?;
        let stored = self.stored(&facts, waiting)?;
        Ok(facts.file_stat(&stored).ok_or(NtStatus::ACCESS_DENIED)?)
    }

    fn read(&self, buffer: &mut [u8], offset: u64, waiting: Waiting) -> StoreResult<usize> {
        self.check_file()?;
        if !fits_signed(offset, buffer.len()) {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        match self.medium().check_device(waiting) {
            Ok(()) => Ok(transfer::read(self.fd.as_fd(), buffer, offset)?),
            Err(_) => transfer::read_cached(self.fd.as_fd(), buffer, offset),
        }
    }

    fn write(&self, data: &[u8], offset: u64, waiting: Waiting) -> StoreResult<()> {
        self.check_writable()?;
        self.check_file()?;
        if !fits_signed(offset, data.len()) {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        let fd = self.fd.as_fd();
        if self.medium().check_device(waiting).is_ok() {
            return Ok(transfer::write(fd, data, offset)?);
        }
        // Asked each time it would cost a system call for nothing: ext4 has no such writes.
        let has_nowait = &self.root.has_nowait_writes;
        if !has_nowait.load(Ordering::Relaxed) {
            return Err(StoreError::WouldWait);
        }
        match transfer::write_cached(fd, data, offset) {
            Cached::Done => Ok(()),
            Cached::WouldWait => Err(StoreError::WouldWait),
            Cached::Unknown => {
                has_nowait.store(false, Ordering::Relaxed);
                Err(StoreError::WouldWait)
            }
        }
    }

    fn flush(&self, waiting: Waiting) -> StoreResult<()> {
        self.medium().check_device(waiting)?;
        if !self.is_path_only() {
            return Ok(rustix::fs::fsync(&self.fd).map_err(status)?);
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = super::open_descriptor(&self.fd, flags).map_err(status)?;
        Ok(rustix::fs::fsync(&fd).map_err(status)?)
    }

    fn set_end_of_file(&self, length: u64, waiting: Waiting) -> StoreResult<()> {
        if !fits_signed(length, 0) {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        self.medium().check_device(waiting)?;
        Ok(self.with_writable(|fd| rustix::fs::ftruncate(fd, length).map_err(status))?)
    }

    /// A length below the end of the file cuts it ([MS-FSA] 2.1.5.15.1).
    fn set_allocation(&self, length: u64, waiting: Waiting) -> StoreResult<()> {
        if !fits_signed(length, 0) {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        self.medium().check_device(waiting)?;
        Ok(self.with_writable(|fd| space::reserve(fd, length))?)
    }

    fn zero_range(&self, offset: u64, length: u64, waiting: Waiting) -> StoreResult<()> {
        let Some(length) = NonZeroU64::new(length) else {
            return Ok(());
        };
        if !fits_signed(offset, 0) || !ends_signed(offset, length.get()) {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        self.medium().check_device(waiting)?;
        Ok(self.with_writable(|fd| space::zero(fd, offset, length))?)
    }

    fn allocated_ranges(
        &self,
        offset: u64,
        length: u64,
        waiting: Waiting,
    ) -> StoreResult<Vec<(u64, u64)>> {
        self.check_file()?;
        if !ends_signed(offset, length) {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        self.medium().check_device(waiting)?;
        // A descriptor of its own has a position of its own.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = super::open_descriptor(&self.fd, flags).map_err(status)?;
        Ok(space::data_ranges(fd.as_fd(), offset, offset + length).map_err(status)?)
    }

    fn set_sparse(&self, sparse: bool, waiting: Waiting) -> StoreResult<()> {
        self.check_writable()?;
        self.check_file()?;
        self.medium().check_device(waiting)?;
        let stored = self.stored(&self.facts()?, waiting)?;
        let attributes = attributes::with_sparse(stored.attributes, sparse);
        if attributes != stored.attributes {
            let stored = Stored {
                attributes,
                ..stored
            };
            self.store(stored).map_err(status)?;
        }
        Ok(())
    }

    fn set_times(&self, times: &Times, waiting: Waiting) -> StoreResult<()> {
        self.check_writable()?;
        self.medium().check_device(waiting)?;
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
        if times.creation_time.is_some() || times.change_time.is_some() {
            let facts = self.facts()?;
            let stored = self.stored(&facts, waiting)?;
            let at = FileTime::from(SystemTime::now());
            // Where there are no extended attributes the birth time stays, and the
            // ChangeTime as long as it is remembered.
            let _ = self.store(Stored {
                creation_time: times.creation_time.or(stored.creation_time),
                change_time: times.change_time.map(|shown| SetChangeTime { shown, at }),
                ..stored
            });
        }
        Ok(())
    }

    fn security(&self, waiting: Waiting) -> StoreResult<Option<Vec<u8>>> {
        self.medium().check_device(waiting)?;
        Ok(extended::security(&descriptor_path(&self.fd))?)
    }

    fn set_security(&self, descriptor: &[u8], waiting: Waiting) -> StoreResult<()> {
        self.check_writable()?;
        self.medium().check_device(waiting)?;
        let path = descriptor_path(&self.fd);
        Ok(extended::set_security(&path, descriptor)?)
    }

    fn extended_attributes(&self, waiting: Waiting) -> StoreResult<Vec<ExtendedAttribute>> {
        self.medium().check_device(waiting)?;
        Ok(extended::list(&descriptor_path(&self.fd))?)
    }

    fn change_extended_attributes(
        &self,
        changes: &[ExtendedAttribute],
        waiting: Waiting,
    ) -> StoreResult<()> {
        self.check_writable()?;
        self.medium().check_device(waiting)?;
        let stored = self.stored(&self.facts()?, waiting)?;
        let path = descriptor_path(&self.fd);
        extended::change(&path, changes)?;
        let stored = Stored {
            ea_size: extended::size(At::Path(&path)),
            // It has changed again.
            change_time: None,
            ..stored
        };
        self.root.known.set(&self.facts()?, stored);
        Ok(())
    }

    fn set_attributes(&self, attributes: u32, waiting: Waiting) -> StoreResult<()> {
        self.check_writable()?;
        if attributes == 0 {
            // [MS-FSCC] 2.4.7: 0 leaves them as they are.
            return Ok(());
        }
        if self.kind == FileKind::Directory && attributes & attributes::TEMPORARY != 0 {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        self.medium().check_device(waiting)?;
        let facts = self.facts()?;
        let read_only = attributes & attributes::READONLY != 0;
        let change_mode = self.kind == FileKind::File && read_only != facts.is_read_only();
        // An extended attribute needs the write bits: set before they go, after they come.
        if change_mode && !read_only {
            self.set_mode(facts.mode() | 0o200).map_err(status)?;
        }
        let stored = self.stored(&facts, waiting)?;
        let to_store = Some(attributes::to_store(
            self.kind,
            attributes,
            stored.attributes,
        ));
        if stored.attributes != to_store {
            let stored = Stored {
                attributes: to_store,
                // It has changed again.
                change_time: None,
                ..stored
            };
            match self.store(stored) {
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOENT | Errno::NOSPC | Errno::DQUOT) => {}
                Err(Errno::ACCESS | Errno::PERM) if facts.is_read_only() => {}
                Err(errno) => return Err(status(errno).into()),
            }
        }
        if change_mode && read_only {
            self.set_mode(facts.mode() & !0o222).map_err(status)?;
        }
        Ok(())
    }

    fn rename(&self, target: &SharePath, replace: bool, waiting: Waiting) -> StoreResult<()> {
        self.rename_to(target, replace, waiting)
    }

    fn link(&self, target: &SharePath, replace: bool, waiting: Waiting) -> StoreResult<()> {
        self.link_to(target, replace, waiting)
    }

    fn parent_key(&self, waiting: Waiting) -> StoreResult<Option<FileKey>> {
        self.key_of_parent(waiting)
    }

    fn unlink(&self, waiting: Waiting) -> StoreResult<()> {
        self.unlink_name(waiting)
    }

    fn is_empty_directory(&self, waiting: Waiting) -> StoreResult<bool> {
        self.medium().check_device(waiting)?;
        let mut empty = true;
        // Every entry counts, shown or not: the directory cannot go while it is there.
        listing::for_each(&self.fd, |_, _| {
            empty = false;
            false
        })
        .map_err(status)?;
        Ok(empty)
    }

    fn list(&self, cursor: &mut Cursor, names: &mut Names, waiting: Waiting) -> StoreResult<()> {
        self.medium().check_device(waiting)?;
        Ok(self.pages.list(&self.fd, self.access.read, cursor, names)?)
    }

    fn find(&self, name: &str, waiting: Waiting) -> StoreResult<Option<String>> {
        self.medium().check_device(waiting)?;
        if matches!(name, "." | "..") {
            return Ok(Some(name.to_owned()));
        }
        if check_component(name).is_err() {
            return Ok(None);
        }
        self.root.spelling_in(&self.fd, name, waiting)
    }

    fn streams(&self, waiting: Waiting) -> StoreResult<Vec<StreamEntry>> {
        self.medium().check_device(waiting)?;
        let path = descriptor_path(&self.fd);
        let mut entries = Vec::new();
        if self.kind == FileKind::File {
            let stat = self.stat(waiting)?;
            entries.push(StreamEntry {
                name: None,
                end_of_file: stat.end_of_file,
                allocation_size: stat.allocation_size,
            });
        }
        entries.extend(streams::list(&path)?);
        Ok(entries)
    }

    /// An entry is looked at by name, which may read the device and cannot be told not to.
    fn entry(&self, name: &str, waiting: Waiting) -> StoreResult<Option<DirectoryEntry>> {
        self.medium().check_device(waiting)?;
        let stat = match name {
            "." => Some(self.stat(waiting)?),
            ".." => Some(self.stat_of_parent(waiting)?),
            _ if check_component(name).is_err() => None,
            _ => match Facts::of_entry(&self.fd, name) {
                Ok(facts) if facts.is_symlink() => self.stat_of_link(name, waiting)?,
                Ok(facts) => self.stat_of_entry(name, &facts),
                Err(Errno::NOENT) => None,
                Err(errno) => return Err(status(errno).into()),
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

fn ends_signed(offset: u64, length: u64) -> bool {
    let end = offset.checked_add(length);
    end.is_some_and(|end| i64::try_from(end).is_ok())
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
