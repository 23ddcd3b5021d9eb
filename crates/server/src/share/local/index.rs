//! Finding a name whatever its case, without reading the directory each time.
//!
//! One index for the process, of directories by device and inode: a directory that is shared
//! twice is read once. On file systems of this machine the kernel tells of every change
//! ([`watch`]), so that an index once made stays right, and a name that another program has
//! made is found at once. Elsewhere (network file systems, or a kernel that gives no more
//! watches) an index holds while the directory's times stay as they were. There, two cases
//! let a change by another program go unseen, both for at most [`UNSETTLED`]: times too
//! recent to have moved since (the kernel's clock ticks in milliseconds), and an index that
//! this server's own change has carried over. Unseen means: the new name is found only in its
//! exact spelling.

use std::collections::HashMap;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use smb::FileTime;

use self::table::{Folding, NameTable};
use self::watch::{Event, Watcher};
use super::super::name::same_name;
use super::super::{FileKey, Waiting};
use super::facts::{Facts, Stamp};
use super::listing;
use super::medium::Medium;

mod table;
#[cfg(test)]
mod tests;
mod watch;

/// Most bytes of all indexes of the process: three million names of twenty bytes. The least
/// recently used goes first.
const MAX_BYTES: usize = 128 << 20;

/// Most directories kept: each costs a watch in the kernel too, about a kilobyte there.
const MAX_DIRECTORIES: usize = 4096;

/// A directory in memory up to this size (as stat tells) is read in place: about a
/// millisecond.
const SCAN_IN_PLACE: u64 = 32 << 10;

/// How long an index may be used that might have missed a change.
const UNSETTLED: Duration = Duration::from_secs(1);

/// Age at which a directory's times are sure to move with the next change.
const SETTLED_AGE: Duration = Duration::from_secs(2);

/// Indexes of directories.
#[derive(Default)]
pub(super) struct NameIndex {
    state: Mutex<State>,
    /// A scan has ended.
    scanned: Condvar,
    folding: Folding,
    #[cfg(test)]
    scans: std::sync::atomic::AtomicUsize,
}

#[derive(Default)]
struct State {
    directories: HashMap<FileKey, Directory>,
    by_watch: HashMap<i32, FileKey>,
    /// `None` before the first directory, and where the kernel gives none.
    watcher: Option<Watcher>,
    /// Held by the names of all directories.
    bytes: usize,
    /// Directories that are not watched.
    unwatched: usize,
    /// Counts uses.
    uses: u64,
}

struct Directory {
    watch: Option<i32>,
    last_use: u64,
    contents: Contents,
}

enum Contents {
    /// Somebody reads it.
    Scanning {
        /// Which scan: one that was given up may still be under way.
        scan: u64,
        /// What has changed meanwhile, oldest first.
        changes: Vec<(Change, String)>,
    },
    Ready {
        names: NameTable,
        /// [`NameTable::bytes`] as counted in [`State::bytes`].
        bytes: usize,
        /// Of a directory that is not watched.
        stamp: Option<Settling>,
    },
}

/// What happened to a name.
#[derive(Clone, Copy)]
enum Change {
    Added,
    Removed,
}

/// How long an index holds that only the directory's times tell about.
#[derive(Clone, Copy)]
struct Settling {
    stamp: Stamp,
    /// `None`: as long as the stamp holds.
    until: Option<Instant>,
}

/// Why a name could not be looked for.
#[derive(Debug)]
pub(super) enum Miss {
    /// The directory has to be read first, which takes its time.
    WouldWait,
    /// The system said so.
    Failed(Errno),
}

impl From<Errno> for Miss {
    fn from(errno: Errno) -> Self {
        Self::Failed(errno)
    }
}

impl NameIndex {
    /// That of the process.
    pub(super) fn get() -> &'static Self {
        static INDEX: LazyLock<NameIndex> = LazyLock::new(NameIndex::default);
        &INDEX
    }

    /// The first in order of bytes of the names in `directory` that are `name` but for case.
    pub(super) fn find(
        &self,
        directory: impl AsFd,
        name: &str,
        medium_of: impl FnOnce(FileKey) -> Medium,
        waiting: Waiting,
    ) -> Result<Option<String>, Miss> {
        let directory = directory.as_fd();
        let facts = Facts::of(directory)?;
        let key = facts.key();
        let medium = medium_of(key);
        let tag = self.folding.tag(name);
        let may_scan = waiting == Waiting::Allowed
            || medium == Medium::Memory && facts.size() <= SCAN_IN_PLACE;
        let mut state = self.lock();
        loop {
            state.drain(&self.folding);
            state.uses += 1;
            let uses = state.uses;
            match state.directories.get_mut(&key) {
                Some(Directory {
                    contents: Contents::Ready { names, stamp, .. },
                    last_use,
                    ..
                }) if stamp.is_none_or(|stamp| stamp.holds(&facts)) => {
                    *last_use = uses;
                    return Ok(names.find(tag, name).map(str::to_owned));
                }
                Some(Directory {
                    contents: Contents::Scanning { .. },
                    ..
                }) => {
                    if waiting == Waiting::Refused {
                        return Err(Miss::WouldWait);
                    }
                    let woken = self.scanned.wait(state);
                    state = woken.unwrap_or_else(PoisonError::into_inner);
                }
                _ if !may_scan => return Err(Miss::WouldWait),
                _ => break,
            }
        }
        let scan = Scan {
            index: self,
            key,
            scan: state.begin(key, directory, medium),
        };
        drop(state);
        scan.run(directory, &facts, name)
    }

    /// This server has just removed or added a name. An index that only the directory's times
    /// tell about is carried over the change.
    pub(super) fn changed(&self, directory: impl AsFd, removed: Option<&str>, added: Option<&str>) {
        let mut state = self.lock();
        // Also lest the queue overflows if nobody looks for a name.
        state.drain(&self.folding);
        if state.unwatched == 0 {
            return;
        }
        let Ok(facts) = Facts::of(directory) else {
            return;
        };
        let key = facts.key();
        let now = Instant::now();
        let Some(Directory {
            contents:
                Contents::Ready {
                    stamp: Some(settling),
                    ..
                },
            ..
        }) = state.directories.get_mut(&key)
        else {
            return;
        };
        if settling.until.is_some_and(|until| until <= now) {
            state.remove(key);
            return;
        }
        settling.stamp = facts.stamp();
        settling.until.get_or_insert(now + UNSETTLED);
        for (change, name) in [(Change::Removed, removed), (Change::Added, added)] {
            if let Some(name) = name {
                state.apply(key, change, name, &self.folding);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scan that is under way; those who wait for it go on when it is dropped.
struct Scan<'a> {
    index: &'a NameIndex,
    key: FileKey,
    scan: u64,
}

impl Scan<'_> {
    fn run(
        self,
        directory: BorrowedFd<'_>,
        facts: &Facts,
        wanted: &str,
    ) -> Result<Option<String>, Miss> {
        #[cfg(test)]
        let _ = self
            .index
            .scans
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let started = Instant::now();
        let mut names = NameTable::default();
        let mut best: Option<String> = None;
        let mut complete = true;
        let result = listing::for_each_visible(directory, |entry| {
            if same_name(entry, wanted) && best.as_deref().is_none_or(|best| entry < best) {
                best = Some(entry.to_owned());
            }
            complete = complete && names.bytes() <= MAX_BYTES;
            if complete {
                names.insert(self.index.folding.tag(entry), entry);
            }
            true
        });
        match result {
            Ok(()) => {}
            // May be entered but not listed: exact names are all there is.
            Err(Errno::ACCESS) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        if complete {
            names.shrink();
            self.finish(
                names,
                Settling {
                    stamp: facts.stamp(),
                    until: (!settled(&facts.stamp())).then(|| started + UNSETTLED),
                },
            );
        }
        Ok(best)
    }

    fn finish(&self, mut names: NameTable, settling: Settling) {
        let folding = &self.index.folding;
        let mut state = self.index.lock();
        // What changed while it was read counts, whatever was read.
        state.drain(folding);
        let Some(directory) = state.directories.get_mut(&self.key) else {
            return;
        };
        match &directory.contents {
            Contents::Scanning { scan, changes } if *scan == self.scan => {
                for (change, name) in changes {
                    change.make(&mut names, name, folding);
                }
            }
            _ => return,
        }
        let bytes = names.bytes();
        directory.contents = Contents::Ready {
            names,
            bytes,
            stamp: directory.watch.is_none().then_some(settling),
        };
        state.bytes += bytes;
        state.make_room(self.key);
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        let mut state = self.index.lock();
        let contents = state
            .directories
            .get(&self.key)
            .map(|found| &found.contents);
        if let Some(Contents::Scanning { scan, .. }) = contents
            && *scan == self.scan
        {
            state.remove(self.key);
        }
        drop(state);
        self.index.scanned.notify_all();
    }
}

impl State {
    /// Takes in what the kernel has reported.
    fn drain(&mut self, folding: &Folding) {
        let Some(watcher) = self.watcher.as_ref().filter(|_| !self.by_watch.is_empty()) else {
            return;
        };
        for event in watcher.drain() {
            match event {
                Event::Named(watch, change, name) => {
                    if let Some(&key) = self.by_watch.get(&watch) {
                        self.apply(key, change, &name, folding);
                    }
                }
                Event::Ended(watch) => {
                    if let Some(&key) = self.by_watch.get(&watch) {
                        self.remove(key);
                    }
                }
                Event::Overflow => {
                    let watched: Vec<_> = self.by_watch.values().copied().collect();
                    watched.into_iter().for_each(|key| self.remove(key));
                }
            }
        }
    }

    /// Somebody scans this directory from now on.
    fn begin(&mut self, key: FileKey, directory: BorrowedFd<'_>, medium: Medium) -> u64 {
        self.remove(key);
        let watch = match medium {
            Medium::Memory | Medium::Disk => self.watch(directory),
            Medium::Remote => None,
        };
        match watch {
            Some(watch) => drop(self.by_watch.insert(watch, key)),
            None => self.unwatched += 1,
        }
        let scan = self.uses;
        let contents = Contents::Scanning {
            scan,
            changes: Vec::new(),
        };
        self.directories.insert(
            key,
            Directory {
                watch,
                last_use: scan,
                contents,
            },
        );
        self.make_room(key);
        scan
    }

    fn watch(&mut self, directory: BorrowedFd<'_>) -> Option<i32> {
        if self.watcher.is_none() {
            self.watcher = Watcher::new().ok();
        }
        let watch = self.watcher.as_ref()?.add(directory).ok()?;
        // One inode with two keys would mix two directories' names.
        (!self.by_watch.contains_key(&watch)).then_some(watch)
    }

    fn apply(&mut self, key: FileKey, change: Change, name: &str, folding: &Folding) {
        let Some(directory) = self.directories.get_mut(&key) else {
            return;
        };
        match &mut directory.contents {
            Contents::Scanning { changes, .. } => changes.push((change, name.to_owned())),
            Contents::Ready { names, bytes, .. } => {
                change.make(names, name, folding);
                let now = names.bytes();
                self.bytes = self.bytes + now - *bytes;
                let grown = now > *bytes;
                *bytes = now;
                if grown {
                    self.make_room(key);
                }
            }
        }
    }

    /// Until the bounds are kept, the least recently used goes; `keep` at the very last.
    fn make_room(&mut self, keep: FileKey) {
        while self.bytes > MAX_BYTES || self.directories.len() > MAX_DIRECTORIES {
            let ready = self.directories.iter().filter(|(key, directory)| {
                **key != keep && matches!(directory.contents, Contents::Ready { .. })
            });
            let oldest = ready.min_by_key(|(_, directory)| directory.last_use);
            let oldest = oldest.map_or(keep, |(key, _)| *key);
            self.remove(oldest);
            if oldest == keep {
                return;
            }
        }
    }

    fn remove(&mut self, key: FileKey) {
        let Some(directory) = self.directories.remove(&key) else {
            return;
        };
        match (directory.watch, &self.watcher) {
            (Some(watch), Some(watcher)) => {
                self.by_watch.remove(&watch);
                watcher.remove(watch);
            }
            _ => self.unwatched -= 1,
        }
        if let Contents::Ready { bytes, .. } = directory.contents {
            self.bytes -= bytes;
        }
    }
}

impl Change {
    fn make(self, names: &mut NameTable, name: &str, folding: &Folding) {
        match self {
            Self::Added => names.insert(folding.tag(name), name),
            Self::Removed => names.remove(folding.tag(name), name),
        }
    }
}

impl Settling {
    fn holds(&self, facts: &Facts) -> bool {
        self.stamp == facts.stamp() && self.until.is_none_or(|until| Instant::now() < until)
    }
}

fn settled(stamp: &Stamp) -> bool {
    // Not mtime: a program can set that back.
    let (seconds, nanoseconds) = stamp.changed;
    let changed = FileTime::from_unix(seconds, nanoseconds);
    FileTime::from(SystemTime::now()).saturating_since(changed) >= SETTLED_AGE
}
