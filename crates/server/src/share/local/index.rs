//! Finding a name whatever its case, without reading the directory each time.
//!
//! The index of a directory holds while its times stay as they were. Two cases let a
//! change by another program go unseen, both for at most [`UNSETTLED`]: times too recent
//! to have moved since (the kernel's clock ticks in milliseconds), and an index that this
//! server's own change has carried over. Unseen means: the new name is found only in its
//! exact spelling.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustix::fd::AsFd;
use rustix::io::Errno;

use super::super::FileKey;
use super::super::name::{same_name, upcase};
use super::facts::{Facts, Stamp};
use super::listing;
use smb::FileTime;

/// Most names kept over all directories of one share: about 20 MB.
const MAX_NAMES: usize = 1 << 18;

/// Most directories kept: empty ones cost too.
const MAX_DIRECTORIES: usize = 4096;

/// How long an index may be used that might have missed a change.
const UNSETTLED: Duration = Duration::from_secs(1);

/// Age at which a directory's times are sure to move with the next change.
const SETTLED_AGE: Duration = Duration::from_secs(2);

/// Indexes of the directories of one share.
#[derive(Default)]
pub(super) struct NameIndex {
    directories: Mutex<Directories>,
}

#[derive(Default)]
struct Directories {
    by_key: HashMap<FileKey, Index>,
    names: usize,
}

struct Index {
    stamp: Stamp,
    /// `None`: as long as the stamp holds.
    until: Option<Instant>,
    names: HashSet<Name>,
}

/// A name as on disk; equal to all its spellings.
struct Name(Box<str>);

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        same_name(&self.0, &other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0
            .chars()
            .for_each(|c| state.write_u32(u32::from(upcase(c))));
    }
}

impl NameIndex {
    /// The name on disk that `name` means in `directory`: itself if it exists, else the
    /// first in order of bytes of those that differ only in case.
    pub(super) fn spelling(
        &self,
        directory: impl AsFd,
        name: &str,
    ) -> Result<Option<String>, Errno> {
        match Facts::of_entry(&directory, name) {
            Ok(_) => return Ok(Some(name.to_owned())),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
        // Before the scan: a change during it moves the stamp on.
        let facts = Facts::of(&directory)?;
        let wanted = Name(name.into());
        if let Some(index) = self.lock().by_key.get(&facts.key())
            && index.stamp == facts.stamp()
            && index.until.is_none_or(|until| Instant::now() < until)
        {
            return Ok(index.names.get(&wanted).map(|found| found.0.to_string()));
        }
        self.scan(directory, &facts, &wanted)
    }

    fn scan(
        &self,
        directory: impl AsFd,
        facts: &Facts,
        wanted: &Name,
    ) -> Result<Option<String>, Errno> {
        let started = Instant::now();
        let mut names: HashSet<Name> = HashSet::new();
        let mut best: Option<Box<str>> = None;
        let mut complete = true;
        let result = listing::for_each_visible(directory, |entry| {
            if same_name(entry, &wanted.0) && best.as_deref().is_none_or(|best| entry < best) {
                best = Some(entry.into());
            }
            complete &= names.len() < MAX_NAMES;
            if complete {
                let name = Name(entry.into());
                match names.get(&name) {
                    Some(known) if known.0 <= name.0 => {}
                    _ => drop(names.replace(name)),
                }
            }
            true
        });
        match result {
            Ok(()) => {}
            // May be entered but not listed: exact names are all there is.
            Err(Errno::ACCESS) => return Ok(None),
            Err(errno) => return Err(errno),
        }
        if complete {
            let until = (!settled(&facts.stamp())).then(|| started + UNSETTLED);
            self.lock().insert(
                facts.key(),
                Index {
                    stamp: facts.stamp(),
                    until,
                    names,
                },
            );
        }
        Ok(best.map(String::from))
    }

    /// This server has just removed or added a name: carries the index over the change.
    pub(super) fn changed(&self, directory: impl AsFd, removed: Option<&str>, added: Option<&str>) {
        let Ok(facts) = Facts::of(directory) else {
            return;
        };
        let key = facts.key();
        let now = Instant::now();
        let mut directories = self.lock();
        let Some(index) = directories.by_key.get_mut(&key) else {
            return;
        };
        if index.until.is_some_and(|until| until <= now) {
            directories.remove(&key);
            return;
        }
        let before = index.names.len();
        index.stamp = facts.stamp();
        index.until.get_or_insert(now + UNSETTLED);
        if let Some(removed) = removed {
            let removed = Name(removed.into());
            if index
                .names
                .get(&removed)
                .is_some_and(|known| known.0 == removed.0)
            {
                index.names.remove(&removed);
            }
        }
        if let Some(added) = added {
            index.names.insert(Name(added.into()));
        }
        let after = index.names.len();
        directories.names = directories.names + after - before;
        if directories.names > MAX_NAMES {
            directories.remove(&key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Directories> {
        self.directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directories {
    fn insert(&mut self, key: FileKey, index: Index) {
        self.remove(&key);
        if self.names + index.names.len() > MAX_NAMES || self.by_key.len() >= MAX_DIRECTORIES {
            self.by_key.clear();
            self.names = 0;
        }
        self.names += index.names.len();
        self.by_key.insert(key, index);
    }

    fn remove(&mut self, key: &FileKey) {
        if let Some(index) = self.by_key.remove(key) {
            self.names -= index.names.len();
        }
    }
}

fn settled(stamp: &Stamp) -> bool {
    // Not mtime: a program can set that back.
    let (seconds, nanoseconds) = stamp.changed;
    let changed = FileTime::from_unix(seconds, nanoseconds);
    FileTime::from(SystemTime::now()).saturating_since(changed) >= SETTLED_AGE
}
