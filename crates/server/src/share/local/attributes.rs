//! FILE_ATTRIBUTE_* bits ([MS-FSCC] 2.6) and creation times, which a Unix file system has
//! no place for, in an extended attribute.
//!
//! Layout of `user.netsession.attributes`: attributes (32 bits; 0: not set), creation time
//! (FILETIME, 64 bits; 0: not set), and, only if a client has set it, ChangeTime and when it
//! was set (FILETIME, 64 bits each), little-endian. READONLY of a file is not there but in
//! its mode, where local programs see it.
//!
//! A ChangeTime that was set is shown until the file changes by something else, that is until
//! the kernel's own (ctime) moves. Writing the attribute moves it too, so what it was
//! afterwards cannot be in the attribute: [`KnownAttributes`] has it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::XattrFlags;
use rustix::io::Errno;
use smb::FileTime;

use super::super::{FileKey, FileKind};
use super::extended::At;
use super::facts::Facts;

pub(super) const READONLY: u32 = 0x0001;
const DIRECTORY: u32 = 0x0010;
const ARCHIVE: u32 = 0x0020;
const NORMAL: u32 = 0x0080;
pub(super) const TEMPORARY: u32 = 0x0100;
const SPARSE_FILE: u32 = 0x0200;

/// What a client can set.
const SETTABLE: u32 = super::super::SETTABLE_ATTRIBUTES;

const NAME: &str = "user.netsession.attributes";
/// Without ChangeTime.
const SHORT_BYTES: usize = 12;
/// With it.
const BYTES: usize = 28;

/// A file whose times nobody remembers shows a ChangeTime that was set if its own has moved
/// no more than this since: by the setting, as far as can be told.
const SETTING_TAKES: Duration = Duration::from_millis(100);

/// A ChangeTime that a client has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SetChangeTime {
    pub(super) shown: FileTime,
    /// When it was set.
    pub(super) at: FileTime,
}

/// What the extended attribute holds, and what clients have beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) attributes: Option<u32>,
    pub(super) creation_time: Option<FileTime>,
    pub(super) change_time: Option<SetChangeTime>,
    /// EaSize of the client's attributes, which are beside it.
    pub(super) ea_size: u32,
}

impl Stored {
    /// Of what is there; nothing if it has none or may not be asked.
    pub(super) fn of(at: At<'_>) -> Self {
        // One question for most files, which have no extended attributes.
        let Ok(names) = at.names() else {
            return Self::default();
        };
        if names.is_empty() {
            return Self::default();
        }
        let mut value = [0; BYTES];
        let stored = match names.iter().any(|name| name == NAME) {
            true => Self::decode(at.value(NAME, &mut value), &value),
            false => Self::default(),
        };
        Self {
            ea_size: names.ea_size(at),
            ..stored
        }
    }

    fn decode(length: Result<usize, Errno>, value: &[u8; BYTES]) -> Self {
        let (head, times) = value.split_at(4);
        let attributes = head
            .iter()
            .rev()
            .fold(0, |all, &byte| all << 8 | u32::from(byte));
        let (times, _) = times.as_chunks();
        let mut times = times
            .iter()
            .map(|bytes| FileTime(u64::from_le_bytes(*bytes)));
        let mut time = || times.next().filter(|time| time.0 != 0);
        let mut stored = Self {
            attributes: (attributes != 0).then_some(attributes),
            creation_time: time(),
            ..Self::default()
        };
        match length {
            Ok(SHORT_BYTES) => stored,
            Ok(BYTES) => {
                if let (Some(shown), Some(at)) = (time(), time()) {
                    stored.change_time = Some(SetChangeTime { shown, at });
                }
                stored
            }
            _ => Self::default(),
        }
    }

    /// Keeps them at what the link `path` in `/proc` stands for.
    pub(super) fn store(&self, path: &str) -> Result<(), Errno> {
        let mut value = Vec::with_capacity(BYTES);
        value.extend(self.attributes.unwrap_or(0).to_le_bytes());
        value.extend(self.creation_time.unwrap_or_default().0.to_le_bytes());
        if let Some(SetChangeTime { shown, at }) = self.change_time {
            value.extend(shown.0.to_le_bytes());
            value.extend(at.0.to_le_bytes());
        }
        rustix::fs::setxattr(path, NAME, &value, XattrFlags::empty())
    }
}

/// What the extended attributes of files were when last read: most files are looked at
/// several times before they change, and reading one may wait for the device.
pub(super) struct KnownAttributes {
    shards: [Mutex<HashMap<FileKey, Known>>; SHARDS],
}

const SHARDS: usize = 16;

/// Most files of a shard: 65,536 files in all, about 6 MB.
const MOST_KNOWN: usize = 4096;

#[derive(Clone, Copy)]
struct Known {
    /// ctime then: an extended attribute does not change without it.
    changed: (i64, u32),
    /// A ChangeTime that holds no longer is left out.
    stored: Stored,
}

impl KnownAttributes {
    /// Those of the process: keys are the system's.
    pub(super) fn get() -> &'static Self {
        static KNOWN: LazyLock<KnownAttributes> = LazyLock::new(|| KnownAttributes {
            shards: std::array::from_fn(|_| Mutex::default()),
        });
        &KNOWN
    }

    /// What the file of these facts has, if that is known.
    pub(super) fn find(&self, facts: &Facts) -> Option<Stored> {
        let key = facts.key();
        let known = *self.shard(key).get(&key)?;
        (known.changed == facts.stamp().changed).then_some(known.stored)
    }

    /// Takes in what was read after `facts`; gives what holds of it.
    pub(super) fn read(&self, facts: &Facts, mut stored: Stored) -> Stored {
        let (key, changed) = (facts.key(), facts.stamp().changed);
        let mut shard = self.shard(key);
        let before = shard.get(&key).copied();
        if let Some(set) = stored.change_time {
            let (seconds, nanoseconds) = changed;
            let moved = FileTime::from_unix(seconds, nanoseconds).saturating_since(set.at);
            let holds = match before {
                Some(before) => before.changed == changed && before.stored.change_time.is_some(),
                None => moved <= SETTING_TAKES,
            };
            if !holds {
                stored.change_time = None;
            }
        }
        if before.is_none_or(|before| before.changed <= changed) {
            insert(&mut shard, key, Known { changed, stored });
        }
        stored
    }

    /// This server has just set them; `facts` are from afterwards.
    pub(super) fn set(&self, facts: &Facts, stored: Stored) {
        let (key, changed) = (facts.key(), facts.stamp().changed);
        insert(&mut self.shard(key), key, Known { changed, stored });
    }

    fn shard(&self, key: FileKey) -> MutexGuard<'_, HashMap<FileKey, Known>> {
        let shard = &self.shards[(key.inode % SHARDS as u64) as usize];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(shard: &mut HashMap<FileKey, Known>, key: FileKey, known: Known) {
    if shard.len() >= MOST_KNOWN && !shard.contains_key(&key) {
        shard.clear();
    }
    shard.insert(key, known);
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
        // [MS-FSCC] 2.6: a directory is never temporary.
        FileKind::Directory => SETTABLE & !TEMPORARY,
    };
    wanted & keep | NORMAL | stored.unwrap_or(0) & SPARSE_FILE
}

/// Was the file made sparse?
pub(super) fn is_sparse(stored: Option<u32>) -> bool {
    stored.unwrap_or(0) & SPARSE_FILE != 0
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
        FileKind::Directory => Some(wanted & !TEMPORARY).filter(|&wanted| wanted != 0),
    }
}
