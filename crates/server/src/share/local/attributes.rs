//! FILE_ATTRIBUTE_* bits ([MS-FSCC] 2.6) and creation times, which a Unix file system has
//! no place for, in an extended attribute.
//!
//! Layout of `user.netsession.attributes`: attributes (32 bits; 0: not set), creation time
//! (FILETIME, 64 bits; 0: not set), little-endian. READONLY of a file is not there but in
//! its mode, where local programs see it.

use rustix::fd::AsFd;
use rustix::fs::XattrFlags;
use rustix::io::Errno;
use smb::FileTime;

use super::super::FileKind;

pub(super) const READONLY: u32 = 0x0001;
const HIDDEN: u32 = 0x0002;
const SYSTEM: u32 = 0x0004;
const DIRECTORY: u32 = 0x0010;
const ARCHIVE: u32 = 0x0020;
const NORMAL: u32 = 0x0080;
const SPARSE_FILE: u32 = 0x0200;

/// What a client can set.
const SETTABLE: u32 = READONLY | HIDDEN | SYSTEM | ARCHIVE;

const NAME: &str = "user.netsession.attributes";
const BYTES: usize = 12;

/// What the extended attribute holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) attributes: Option<u32>,
    pub(super) creation_time: Option<FileTime>,
}

impl Stored {
    /// Of the file at `path`, a link itself; nothing if it has none or may not be asked.
    pub(super) fn of_path(path: &str) -> Self {
        let mut value = [0; BYTES];
        Self::decode(rustix::fs::lgetxattr(path, NAME, &mut value), &value)
    }

    /// Of what the link `path` in `/proc` stands for.
    pub(super) fn of_descriptor_path(path: &str) -> Self {
        let mut value = [0; BYTES];
        Self::decode(rustix::fs::getxattr(path, NAME, &mut value), &value)
    }

    /// Of an open file, not O_PATH.
    pub(super) fn of(fd: impl AsFd) -> Self {
        let mut value = [0; BYTES];
        Self::decode(rustix::fs::fgetxattr(fd, NAME, &mut value), &value)
    }

    fn decode(length: Result<usize, Errno>, value: &[u8; BYTES]) -> Self {
        if length != Ok(BYTES) {
            return Self::default();
        }
        let [a, b, c, d, time @ ..] = *value;
        let attributes = u32::from_le_bytes([a, b, c, d]);
        let time = u64::from_le_bytes(time);
        Self {
            attributes: (attributes != 0).then_some(attributes),
            creation_time: (time != 0).then_some(FileTime(time)),
        }
    }

    /// Keeps them at what the link `path` in `/proc` stands for.
    pub(super) fn store(&self, path: &str) -> Result<(), Errno> {
        let mut value = [0; BYTES];
        value[..4].copy_from_slice(&self.attributes.unwrap_or(0).to_le_bytes());
        value[4..].copy_from_slice(&self.creation_time.unwrap_or_default().0.to_le_bytes());
        rustix::fs::setxattr(path, NAME, &value, XattrFlags::empty())
    }
}

/// What a client sees. Without stored ones a file is to be archived, as a new one is.
pub(super) fn shown(kind: FileKind, stored: Option<u32>, read_only: bool) -> u32 {
    let stored = stored.map(|attributes| attributes & (SETTABLE | SPARSE_FILE));
    let attributes = match kind {
        FileKind::Directory => stored.unwrap_or(0) | DIRECTORY,
        FileKind::File => {
            let read_only = if read_only { READONLY } else { 0 };
            stored.unwrap_or(ARCHIVE) & !READONLY | read_only
        }
    };
    if attributes == 0 { NORMAL } else { attributes }
}

/// What to store so that `wanted` is shown from now on; never 0. Whether a file is sparse
/// stays as it was.
pub(super) fn to_store(kind: FileKind, wanted: u32, stored: Option<u32>) -> u32 {
    let keep = match kind {
        FileKind::File => SETTABLE & !READONLY,
        FileKind::Directory => SETTABLE,
    };
    wanted & keep | NORMAL | stored.unwrap_or(0) & SPARSE_FILE
}

/// What to store for a file that is sparse from now on, or no longer.
pub(super) fn with_sparse(stored: Option<u32>, sparse: bool) -> Option<u32> {
    match (stored, sparse) {
        (stored, true) => Some(stored.unwrap_or(ARCHIVE | NORMAL) | SPARSE_FILE),
        (stored, false) => stored.map(|attributes| attributes & !SPARSE_FILE),
    }
}

/// What to set on a new object, if it differs from what it shows anyway.
pub(super) fn of_new(wanted: u32, kind: FileKind) -> Option<u32> {
    let wanted = wanted & SETTABLE;
    match kind {
        // [MS-FSA] 2.1.5.1.1: a new file gets ARCHIVE in any case.
        FileKind::File => (wanted & !ARCHIVE != 0).then_some(wanted | ARCHIVE),
        FileKind::Directory => (wanted != 0).then_some(wanted),
    }
}
