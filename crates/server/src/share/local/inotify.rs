//! Changes that other programs make on the server's machine, from the kernel's inotify.
//!
//! One inotify instance and one thread for a server. A directory is watched from the moment
//! that [`Watcher::watch`] returns; what is below a tree, and directories that appear in it,
//! as soon as the thread has found them. The thread tells every change of a watched directory,
//! without those that the server announced as its own ([`Watcher::expect`]).
//!
//! Not told: what the kernel does not tell. The removal of a watched directory is told by its
//! parent, if that is watched as well; so are its own attributes. A file that was changed
//! through a link in another directory is told there alone.

mod events;
mod expected;
mod places;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::event::EventfdFlags;
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags};
use rustix::fs::{CWD, Mode, OFlags};

use expected::Expected;
pub(crate) use expected::OwnChange;
use places::Places;

/// Most directories that are watched because they are below a watched tree, in all trees
/// together: about 64 MiB of the kernel's memory.
const MAX_DIRECTORIES: usize = 65_536;

/// What another program has done, by absolute names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum LocalChange {
    /// A new file or directory, or one that came from where nobody watches.
    Added {
        /// Its name.
        name: String,
        /// Or a file.
        is_directory: bool,
    },
    /// A file or directory that was deleted.
    Deleted {
        /// Its name.
        name: String,
        /// Or a file.
        is_directory: bool,
    },
    /// A file or directory that has gone to where nobody watches.
    MovedAway {
        /// The name it had.
        name: String,
        /// Or a file.
        is_directory: bool,
    },
    /// Another name, perhaps in another directory.
    Renamed {
        /// The name it had.
        old: String,
        /// The name it has.
        new: String,
        /// Or a file.
        is_directory: bool,
    },
    /// Other data.
    Written {
        /// The file's name.
        name: String,
    },
    /// Other attributes, times, rights or extended attributes.
    Attributes {
        /// Its name.
        name: String,
    },
    /// Events were lost; anything may have changed.
    Lost,
}

/// Watches directories of the server's machine.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
}

impl Watcher {
    /// Starts the thread, which gives what it sees to `tell`, in order.
    ///
    /// # Errors
    /// Those of the operating system: no inotify, too many instances (fs.inotify.max_user_instances),
    /// no thread.
    pub(crate) fn start(tell: impl Fn(Vec<LocalChange>) + Send + 'static) -> io::Result<Self> {
        Self::start_bounded(tell, most_directories())
    }

    /// Watches at most `limit` directories because they are below a tree.
    fn start_bounded(
        tell: impl Fn(Vec<LocalChange>) + Send + 'static,
        limit: usize,
    ) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let wake = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let inotify = Arc::new(inotify);
        let shared = Arc::new(Shared {
            inotify: Arc::clone(&inotify),
            wake,
            stop: AtomicBool::new(false),
            is_active: AtomicBool::new(false),
            has_said: AtomicBool::new(false),
            state: Mutex::new(State {
                places: Places::new(inotify, limit),
                expected: Expected::default(),
                scans: VecDeque::new(),
                is_scanning: false,
            }),
        });
        let thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("inotify".to_owned())
            .spawn(move || events::run(&thread, &tell))?;
        Ok(Self { shared })
    }

    /// `open` watches the directory `name`; with `tree`, what is below as well. The path `at` leads to the directory now
    /// ([`FileHandle::watch_path`](crate::share::FileHandle::watch_path)). If the kernel
    /// refuses, the log has it, once, and other programs' changes are not told.
    pub(crate) fn watch(&self, open: u32, name: &str, at: &str, tree: bool) {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = tree.then(|| rustix::fs::openat(CWD, at, flags, Mode::empty()));
        let mut state = self.shared.state();
        let result = top
            .transpose()
            .and_then(|top| state.places.watch(open, name, at, top));
        match result {
            Ok(()) => {
                self.shared.is_active.store(true, Ordering::Relaxed);
                if tree {
                    state.scan(name, false);
                    self.shared.wake();
                }
            }
            Err(errno) => self.shared.say_once(name, errno),
        }
    }

    /// `open` watches no longer.
    pub(crate) fn unwatch(&self, open: u32) {
        if self.is_active() {
            let mut state = self.shared.state();
            state.places.unwatch(open);
            let is_active = !state.places.is_empty();
            self.shared.is_active.store(is_active, Ordering::Relaxed);
        }
    }

    /// The server is about to make a change itself, and will tell it: its event is not told.
    pub(crate) fn expect(&self, name: &str, change: OwnChange) {
        if self.is_active() {
            let mut state = self.shared.state();
            let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
            if state.places.is_watched(directory) {
                state.expected.add(name, change, Instant::now());
            }
        }
    }

    /// The change that was expected was not made.
    pub(crate) fn unexpect(&self, name: &str, change: OwnChange) {
        if self.is_active() {
            self.shared.state().expected.remove(name, change);
        }
    }

    /// The server has renamed the directory `old`.
    pub(crate) fn renamed(&self, old: &str, new: &str) {
        if self.is_active() {
            self.shared.state().rename(old, new);
        }
    }

    fn is_active(&self) -> bool {
        self.shared.is_active.load(Ordering::Relaxed)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake();
    }
}

/// What the thread and the server's handlers share.
struct Shared {
    inotify: Arc<OwnedFd>,
    /// Written to when the thread has something to do besides reading events.
    wake: OwnedFd,
    stop: AtomicBool,
    /// Anything is watched.
    is_active: AtomicBool,
    /// The log knows that not everything can be watched.
    has_said: AtomicBool,
    state: Mutex<State>,
}

struct State {
    places: Places,
    expected: Expected,
    /// Directories of trees that are to be watched, with their subdirectories.
    scans: VecDeque<Scan>,
    is_scanning: bool,
}

/// A directory that the thread has yet to look into.
struct Scan {
    name: String,
    /// It is new, and what is in it has not been told.
    tell: bool,
}

impl State {
    fn scan(&mut self, name: &str, tell: bool) {
        let name = name.to_owned();
        self.scans.push_back(Scan { name, tell });
    }

    /// The directory `old` is called `new` from now on.
    fn rename(&mut self, old: &str, new: &str) {
        for scan in &mut self.scans {
            if places::is_at_or_below(&scan.name, old) {
                scan.name = format!("{new}{}", &scan.name[old.len()..]);
            }
        }
        self.places.rename(old, new);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        // It fails if the thread has been woken often enough.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Not everything can be watched.
    fn say_once(&self, directory: &str, reason: impl std::fmt::Display) {
        if !self.has_said.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                directory,
                %reason,
                "clients that watch are not told of everything that other programs change; \
                 fs.inotify.max_user_watches bounds it"
            );
        }
    }
}

/// Half of what the system allows leaves room for other programs of the same user.
fn most_directories() -> usize {
    let allowed = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches");
    let allowed = allowed.ok().and_then(|text| text.trim().parse().ok());
    (allowed.unwrap_or(8_192) / 2).min(MAX_DIRECTORIES)
}
