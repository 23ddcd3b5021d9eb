//! What the kernel says about a file (statx).

use std::time::{Duration, SystemTime};

use rustix::fd::AsFd;
use rustix::fs::{AtFlags, FileType, Statx, StatxFlags, StatxTimestamp};
use rustix::io::Errno;
use smb::FileTime;

use super::super::{FileKey, FileKind, FileStat};
use super::attributes::{self, Stored};

/// The kernel writes a changed inode to its device after this long (dirty_expire_centisecs).
const WRITTEN_BACK_AFTER: Duration = Duration::from_secs(30);

/// What a file without holes occupies is told in units of so many bytes, as NTFS has them.
const UNIT: u64 = 4096;

/// Facts about an object of any type.
pub(super) struct Facts(Statx);

impl Facts {
    /// Of an open object; O_PATH suffices.
    pub(super) fn of(fd: impl AsFd) -> Result<Self, Errno> {
        Self::read(fd, "", AtFlags::EMPTY_PATH)
    }

    /// Of the entry `name` of a directory; of a link itself, not of what it leads to.
    pub(super) fn of_entry(directory: impl AsFd, name: &str) -> Result<Self, Errno> {
        Self::read(directory, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn read(fd: impl AsFd, name: &str, flags: AtFlags) -> Result<Self, Errno> {
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        rustix::fs::statx(fd, name, flags | AtFlags::NO_AUTOMOUNT, mask).map(Self)
    }

    /// `None` for what a share does not show.
    pub(super) fn kind(&self) -> Option<FileKind> {
        match self.file_type() {
            FileType::RegularFile => Some(FileKind::File),
            FileType::Directory => Some(FileKind::Directory),
            _ => None,
        }
    }

    pub(super) fn is_symlink(&self) -> bool {
        self.file_type() == FileType::Symlink
    }

    fn file_type(&self) -> FileType {
        FileType::from_raw_mode(u32::from(self.0.stx_mode))
    }

    pub(super) fn key(&self) -> FileKey {
        let device = rustix::fs::makedev(self.0.stx_dev_major, self.0.stx_dev_minor);
        FileKey {
            device,
            inode: self.0.stx_ino,
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.0.stx_size
    }

    /// Permission bits.
    pub(super) fn mode(&self) -> u32 {
        u32::from(self.0.stx_mode) & 0o7777
    }

    /// FILE_ATTRIBUTE_READONLY as the mode has it. The write bits of a directory govern its
    /// entries, which the attribute does not.
    pub(super) fn is_read_only(&self) -> bool {
        self.kind() == Some(FileKind::File) && self.mode() & 0o222 == 0
    }

    /// Changes whenever an entry comes or goes.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp {
            modified: pair(self.0.stx_mtime),
            changed: pair(self.0.stx_ctime),
        }
    }

    /// Changed so lately that the kernel still has all of its inode in memory, to be written
    /// to the device or just written: it waits 30 s with that.
    pub(super) fn is_fresh(&self) -> bool {
        let now = FileTime::from(SystemTime::now());
        now.saturating_since(file_time(self.0.stx_ctime)) <= WRITTEN_BACK_AFTER
    }

    /// No less than the file's length unless it is sparse, as clients rely on: a file system
    /// may not have decided yet where the data goes, or keep it in the inode.
    fn allocation_size(&self, stored: &Stored) -> u64 {
        // Blocks are of 512 bytes whatever the file system's own are.
        let taken = self.0.stx_blocks.saturating_mul(512);
        if attributes::is_sparse(stored.attributes) {
            return taken;
        }
        let needed = self.size().checked_next_multiple_of(UNIT);
        taken.max(needed.unwrap_or(u64::MAX))
    }

    /// The facts as the server wants them; `None` for what a share does not show.
    pub(super) fn file_stat(&self, stored: &Stored) -> Option<FileStat> {
        let kind = self.kind()?;
        let statx = &self.0;
        let (modified, changed) = (file_time(statx.stx_mtime), file_time(statx.stx_ctime));
        let creation_time = stored.creation_time.unwrap_or_else(|| {
            match StatxFlags::from_bits_retain(statx.stx_mask).contains(StatxFlags::BTIME) {
                true => file_time(statx.stx_btime),
                false => modified.min(changed),
            }
        });
        let is_file = kind == FileKind::File;
        Some(FileStat {
            kind,
            key: self.key(),
            creation_time,
            last_access_time: file_time(statx.stx_atime),
            last_write_time: modified,
            change_time: stored.change_time.map_or(changed, |set| set.shown),
            allocation_size: if is_file {
                self.allocation_size(stored)
            } else {
                0
            },
            end_of_file: if is_file { statx.stx_size } else { 0 },
            // The links of a directory are its subdirectories' way back, not names.
            links: if is_file { statx.stx_nlink } else { 1 },
            attributes: attributes::shown(kind, stored.attributes, self.is_read_only()),
            ea_size: stored.ea_size,
        })
    }
}

/// mtime and ctime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: (i64, u32),
    pub(super) changed: (i64, u32),
}

fn pair(time: StatxTimestamp) -> (i64, u32) {
    (time.tv_sec, time.tv_nsec)
}

fn file_time(time: StatxTimestamp) -> FileTime {
    FileTime::from_unix(time.tv_sec, time.tv_nsec)
}
