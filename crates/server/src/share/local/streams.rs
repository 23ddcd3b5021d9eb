//! Named streams, each in an extended attribute of its file: `user.netsession.stream.NAME` is
//! its content. So a stream goes where its file goes, by whatever program, and costs nothing
//! where there is none; but it is as long as the file system lets an attribute be (ext4: about
//! 4,000 bytes for all of them together; XFS and Btrfs: 64 KiB and 16 KiB each).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::XattrFlags;
use rustix::io::Errno;
use smb::NtStatus;

use super::super::name::{StreamName, same_name};
use super::super::{
    Cursor, DirectoryEntry, ExtendedAttribute, FileHandle, FileKey, FileKind, FileStat, Names,
    SharePath, StoreResult, StreamEntry, Times, Waiting,
};
use super::descriptor_path;
use super::errno::status;
use super::handle::LocalHandle;
use super::medium::Medium;

const PREFIX: &str = "user.netsession.stream.";

/// XATTR_SIZE_MAX.
const LONGEST: usize = 65_536;

/// XATTR_LIST_MAX.
const LONGEST_LIST: usize = 65_536;

/// FILE_ATTRIBUTE_DIRECTORY and FILE_ATTRIBUTE_NORMAL.
const DIRECTORY: u32 = 0x10;
const NORMAL: u32 = 0x80;

/// One named stream of an open file or directory.
pub(super) struct StreamHandle {
    base: Arc<LocalHandle>,
    /// As it was created.
    name: StreamName,
}

/// Held while a stream is read and stored again, by file: a directory may be shared twice, so
/// they are not the handle's.
type Guards = [Mutex<()>; 64];

/// Who must not wait for a device comes here only, where nobody does.
static IN_MEMORY: Guards = [const { Mutex::new(()) }; 64];
static ON_DEVICE: Guards = [const { Mutex::new(()) }; 64];

impl StreamHandle {
    /// The stream of this name, and whether it is new: created if it is missing and `create`
    /// says so.
    pub(super) fn open(
        base: Arc<LocalHandle>,
        name: &str,
        create: bool,
    ) -> Result<(Self, bool), NtStatus> {
        let name = StreamName::new(name)?;
        let _one_at_a_time = guard(&base);
        let path = descriptor_path(&base.fd);
        let known = names(&path).map_err(status)?;
        if let Some(known) = known.iter().find(|known| same_name(known, name.as_str())) {
            let name = StreamName::new(known)?;
            return Ok((Self { base, name }, false));
        }
        if !create {
            return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
        }
        base.check_writable()?;
        rustix::fs::setxattr(path, attribute(&name), b"", XattrFlags::CREATE).map_err(full)?;
        Ok((Self { base, name }, true))
    }

    /// Attributes are on the device, and nothing tells whether they are cached.
    fn check_device(&self, waiting: Waiting) -> StoreResult<()> {
        self.base.medium().check_device(waiting)
    }

    fn content(&self) -> Result<Vec<u8>, NtStatus> {
        value(&descriptor_path(&self.base.fd), &attribute(&self.name)).map_err(status)
    }

    /// Stores what `change` makes of the content.
    fn change(&self, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), NtStatus> {
        self.base.check_writable()?;
        let _one_at_a_time = guard(&self.base);
        let mut content = self.content()?;
        change(&mut content);
        let path = descriptor_path(&self.base.fd);
        let flags = XattrFlags::REPLACE;
        rustix::fs::setxattr(path, attribute(&self.name), &content, flags).map_err(full)
    }
}

impl FileHandle for StreamHandle {
    fn changes_wait(&self) -> bool {
        self.base.changes_wait()
    }

    /// The facts of its file, but for what is the stream's own.
    fn stat(&self, waiting: Waiting) -> StoreResult<FileStat> {
        self.check_device(waiting)?;
        let stat = self.base.stat(waiting)?;
        let length = self.content()?.len() as u64;
        let attributes = match stat.attributes & !DIRECTORY {
            0 => NORMAL,
            attributes => attributes,
        };
        Ok(FileStat {
            kind: FileKind::File,
            end_of_file: length,
            allocation_size: allocation(length),
            attributes,
            ..stat
        })
    }

    fn read(&self, buffer: &mut [u8], offset: u64, waiting: Waiting) -> StoreResult<usize> {
        self.check_device(waiting)?;
        let content = self.content()?;
        let Some(rest) = usize::try_from(offset)
            .ok()
            .and_then(|offset| content.get(offset..))
        else {
            return Ok(0);
        };
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write(&self, data: &[u8], offset: u64, waiting: Waiting) -> StoreResult<()> {
        self.check_device(waiting)?;
        let end = offset.checked_add(data.len() as u64);
        let end = end.ok_or(NtStatus::INVALID_PARAMETER)?;
        let end = within(end)?;
        let start = end - data.len();
        self.change(|content| {
            if content.len() < end {
                content.resize(end, 0);
            }
            content[start..end].copy_from_slice(data);
        })?;
        Ok(())
    }

    fn flush(&self, waiting: Waiting) -> StoreResult<()> {
        self.base.flush(waiting)
    }

    fn set_end_of_file(&self, length: u64, waiting: Waiting) -> StoreResult<()> {
        self.check_device(waiting)?;
        let length = within(length)?;
        Ok(self.change(|content| content.resize(length, 0))?)
    }

    fn set_allocation(&self, length: u64, waiting: Waiting) -> StoreResult<()> {
        self.check_device(waiting)?;
        let length = within(length)?;
        Ok(self.change(|content| content.truncate(length))?)
    }

    fn set_times(&self, times: &Times, waiting: Waiting) -> StoreResult<()> {
        self.base.set_times(times, waiting)
    }

    fn set_attributes(&self, attributes: u32, waiting: Waiting) -> StoreResult<()> {
        self.base.set_attributes(attributes, waiting)
    }

    fn extended_attributes(&self, waiting: Waiting) -> StoreResult<Vec<ExtendedAttribute>> {
        self.base.extended_attributes(waiting)
    }

    fn change_extended_attributes(
        &self,
        changes: &[ExtendedAttribute],
        waiting: Waiting,
    ) -> StoreResult<()> {
        self.base.change_extended_attributes(changes, waiting)
    }

    fn rename(&self, _target: &SharePath, _replace: bool, _waiting: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn link(&self, _target: &SharePath, _replace: bool, _waiting: Waiting) -> StoreResult<()> {
        Err(NtStatus::INVALID_PARAMETER.into())
    }

    fn parent_key(&self, waiting: Waiting) -> StoreResult<Option<FileKey>> {
        self.base.parent_key(waiting)
    }

    fn unlink_file(&self, waiting: Waiting) -> StoreResult<()> {
        self.base.unlink(waiting)
    }

    fn stream_name(&self) -> Option<&StreamName> {
        Some(&self.name)
    }

    /// Removes the stream; the file stays.
    fn unlink(&self, waiting: Waiting) -> StoreResult<()> {
        self.check_device(waiting)?;
        self.base.check_writable()?;
        let _one_at_a_time = guard(&self.base);
        let path = descriptor_path(&self.base.fd);
        Ok(rustix::fs::removexattr(path, attribute(&self.name)).map_err(status)?)
    }

    fn is_empty_directory(&self, _waiting: Waiting) -> StoreResult<bool> {
        Err(NtStatus::NOT_A_DIRECTORY.into())
    }

    fn list(&self, _: &mut Cursor, _: &mut Names, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_A_DIRECTORY.into())
    }

    fn entry(&self, _name: &str, _waiting: Waiting) -> StoreResult<Option<DirectoryEntry>> {
        Err(NtStatus::NOT_A_DIRECTORY.into())
    }

    fn streams(&self, waiting: Waiting) -> StoreResult<Vec<StreamEntry>> {
        self.base.streams(waiting)
    }
}

/// The named streams of what the link `path` in `/proc` stands for, in order of name.
pub(super) fn list(path: &str) -> Result<Vec<StreamEntry>, NtStatus> {
    let mut entries = Vec::new();
    for name in names(path).map_err(status)? {
        // Gone meanwhile, or changed by another program to what is no name.
        let (Ok(name), Ok(content)) = (
            StreamName::new(&name),
            value(path, &format!("{PREFIX}{name}")),
        ) else {
            continue;
        };
        let length = content.len() as u64;
        entries.push(StreamEntry {
            name: Some(name),
            end_of_file: length,
            allocation_size: allocation(length),
        });
    }
    entries.sort_by_key(|entry| entry.name.as_ref().map(StreamName::folded));
    Ok(entries)
}

fn guard(base: &LocalHandle) -> MutexGuard<'static, ()> {
    let guards = match base.medium() {
        Medium::Memory => &IN_MEMORY,
        Medium::Disk | Medium::Remote => &ON_DEVICE,
    };
    let place = (base.key.inode ^ base.key.device) as usize % guards.len();
    guards[place].lock().unwrap_or_else(PoisonError::into_inner)
}

fn attribute(name: &StreamName) -> String {
    format!("{PREFIX}{name}")
}

/// Names of streams, spelled as they were created.
fn names(path: &str) -> Result<Vec<String>, Errno> {
    let mut list = vec![0; 1024];
    let length = loop {
        match rustix::fs::listxattr(path, &mut list[..]) {
            Ok(length) => break length,
            Err(Errno::RANGE) if list.len() < LONGEST_LIST => list.resize(LONGEST_LIST, 0),
            // No extended attributes: no streams.
            Err(Errno::OPNOTSUPP | Errno::NODATA) => return Ok(Vec::new()),
            Err(errno) => return Err(errno),
        }
    };
    let names = list[..length].split(|&byte| byte == 0);
    let names = names.filter_map(|name| std::str::from_utf8(name).ok()?.strip_prefix(PREFIX));
    Ok(names.map(str::to_owned).collect())
}

fn value(path: &str, attribute: &str) -> Result<Vec<u8>, Errno> {
    let mut content = vec![0; 4096];
    loop {
        match rustix::fs::getxattr(path, attribute, &mut content[..]) {
            Ok(length) => {
                content.truncate(length);
                return Ok(content);
            }
            Err(Errno::RANGE) if content.len() < LONGEST => content.resize(LONGEST, 0),
            // Removed by another program while it is open.
            Err(Errno::NODATA) => return Err(Errno::STALE),
            Err(errno) => return Err(errno),
        }
    }
}

/// What does not fit an attribute does not fit the disk.
fn full(errno: Errno) -> NtStatus {
    match errno {
        Errno::TOOBIG | Errno::RANGE => NtStatus::DISK_FULL,
        Errno::NAMETOOLONG => NtStatus::OBJECT_NAME_INVALID,
        errno => status(errno),
    }
}

fn within(length: u64) -> Result<usize, NtStatus> {
    let length = usize::try_from(length).ok();
    length
        .filter(|&length| length <= LONGEST)
        .ok_or(NtStatus::DISK_FULL)
}

/// As NTFS keeps short streams: beside the file's own record, in steps of eight bytes.
fn allocation(length: u64) -> u64 {
    length.next_multiple_of(8)
}
