//! The thread that reads events.

use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{Event, ReadFlags, Reader};
use rustix::io::Errno;

use super::scan::Found;
use super::{LocalChange, OwnChange, Shared, State, scan};
use crate::share::name::check_component;

/// How long the second half of a rename is waited for. The kernel queues both at once; this is
/// for a reader that comes between.
const PAIR_WAIT: Duration = Duration::from_millis(10);

/// Bytes of events that one system call brings: some hundred.
const BUFFER_BYTES: usize = 16 * 1024;

/// Buffers that are read before what they brought is told.
const MAX_BUFFERS: usize = 8;

/// What has been moved away, unless the other half of a rename comes.
struct MovedFrom {
    cookie: u32,
    name: String,
    is_directory: bool,
    /// The server has done it.
    is_own: bool,
    since: Instant,
}

/// Reads and tells until the watcher is dropped.
pub(super) fn run(shared: &Shared, tell: &impl Fn(Vec<LocalChange>)) {
    let mut thread = Thread {
        shared,
        moved: Vec::new(),
        found: Found::default(),
    };
    while thread.wait() && !shared.stop.load(Ordering::Acquire) {
        if let Err(errno) = thread.read() {
            tracing::warn!(%errno, "inotify failed; other programs' changes are no longer told");
            return;
        }
        thread.give_up_pairs();
        thread.scan();
        if !thread.found.changes.is_empty() {
            tell(std::mem::take(&mut thread.found.changes));
        }
    }
}

struct Thread<'s> {
    shared: &'s Shared,
    /// Renames of which only the first half has come.
    moved: Vec<MovedFrom>,
    found: Found,
}

impl Thread<'_> {
    /// Until there is something to do; false if that cannot be known any more.
    fn wait(&self) -> bool {
        let (shared, now) = (self.shared, Instant::now());
        let is_idle = !self.found.has_listed && shared.state().scans.is_empty();
        let timeout = match self.moved.first() {
            _ if !is_idle => Some(Duration::ZERO),
            Some(moved) => Some((moved.since + PAIR_WAIT).saturating_duration_since(now)),
            None => None,
        };
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().cast_signed(),
            // Rounded up, so that the time is over when it ends.
            tv_nsec: (timeout.subsec_nanos() + 1).into(),
        });
        let mut files = [
            PollFd::new(&shared.inotify, PollFlags::IN),
            PollFd::new(&shared.wake, PollFlags::IN),
        ];
        match poll(&mut files, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => {
                tracing::warn!(%errno, "other programs' changes are no longer told");
                return false;
            }
        }
        // Empty if something else woke the thread.
        let _ = rustix::io::read(&shared.wake, &mut [0; 8]);
        true
    }

    /// Takes the events that are there, at most some buffers of them.
    fn read(&mut self) -> Result<(), Errno> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let shared = self.shared;
        let mut reader = Reader::new(&shared.inotify, &mut buffer);
        let mut buffers = 0;
        while buffers < MAX_BUFFERS {
            match reader.next() {
                Ok(event) => self.event(&mut shared.state(), &event),
                Err(Errno::AGAIN) => {
                    self.found.queue_is_empty();
                    return Ok(());
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
            buffers += usize::from(reader.is_buffer_empty());
        }
        Ok(())
    }

    fn event(&mut self, state: &mut State, event: &Event<'_>) {
        let flags = event.events();
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.found.changes.push(LocalChange::Lost);
            for top in state.places.tops() {
                state.scan(&top, false);
            }
        } else if flags.contains(ReadFlags::IGNORED) {
            state.places.ignored(event.wd());
        } else if let Some(entry) = event.file_name().and_then(|name| name.to_str().ok()) {
            // Names that no client can see are not told.
            if check_component(entry).is_ok() {
                let names = state.places.names(event.wd());
                let names: Vec<_> = names.iter().map(|d| format!("{d}/{entry}")).collect();
                for name in names {
                    self.entry(state, name, flags, event.cookie());
                }
            }
        }
    }

    fn entry(&mut self, state: &mut State, name: String, flags: ReadFlags, cookie: u32) {
        let is_directory = flags.contains(ReadFlags::ISDIR);
        let now = Instant::now();
        // What was seen when its directory was listed has been told; what comes after has not.
        let is_structural = !flags.intersects(ReadFlags::ATTRIB | ReadFlags::MODIFY);
        let was_seen = is_structural && self.found.seen.remove(&name);
        if is_structural && !self.moved.is_empty() {
            self.give_up_before(state, &name, cookie);
        }
        if flags.contains(ReadFlags::CREATE) {
            if was_seen {
                return;
            }
            let is_own = state.expected.take(&name, OwnChange::Created, now);
            if is_directory && state.places.wanted(&name).is_some() {
                state.scan(&name, !is_own);
            }
            if !is_own {
                self.found
                    .changes
                    .push(LocalChange::Added { name, is_directory });
            }
        } else if flags.contains(ReadFlags::DELETE) {
            if !state.expected.take(&name, OwnChange::Removed, now) {
                self.found
                    .changes
                    .push(LocalChange::Deleted { name, is_directory });
            }
        } else if flags.contains(ReadFlags::MOVED_FROM) {
            self.moved.push(MovedFrom {
                cookie,
                is_own: state.expected.take(&name, OwnChange::RenamedFrom, now),
                name,
                is_directory,
                since: now,
            });
        } else if flags.contains(ReadFlags::MOVED_TO) {
            self.moved_to(state, name, is_directory, cookie, was_seen);
        } else if !state.expected.take(&name, OwnChange::Modified, now) {
            self.found
                .changes
                .push(if flags.contains(ReadFlags::MODIFY) {
                    LocalChange::Written { name }
                } else {
                    LocalChange::Attributes { name }
                });
        }
    }

    fn moved_to(
        &mut self,
        state: &mut State,
        new: String,
        is_directory: bool,
        cookie: u32,
        was_seen: bool,
    ) {
        let is_own = state
            .expected
            .take(&new, OwnChange::RenamedTo, Instant::now());
        let first_half = self.moved.iter().position(|moved| moved.cookie == cookie);
        let from = first_half.map(|index| self.moved.remove(index));
        if is_directory {
            // What was not found before it was moved within a tree has not been told. Where it
            // came from is unknown if that was new itself, and not watched yet.
            let is_within = match &from {
                Some(from) => state.places.wanted(&from.name).is_some(),
                None => self.found.has_listed || state.scans.iter().any(|scan| scan.tell),
            };
            let tell = is_within && !is_own;
            // An own rename is told by its handler, which knows its order among others.
            if let Some(from) = from.as_ref().filter(|from| !(from.is_own && is_own)) {
                state.rename(&from.name, &new);
            }
            if state.places.wanted(&new).is_some() {
                state.scan(&new, tell);
            }
        }
        match from {
            Some(from) if !from.is_own && !is_own => {
                self.found.changes.push(LocalChange::Renamed {
                    old: from.name,
                    new,
                    is_directory,
                })
            }
            from => {
                if let Some(from) = from.filter(|from| !from.is_own) {
                    self.tell_moved_away(from);
                }
                if !is_own && !was_seen {
                    let name = new;
                    self.found
                        .changes
                        .push(LocalChange::Added { name, is_directory });
                }
            }
        }
    }

    /// First halves whose second has not come in time: it went to where nobody watches.
    fn give_up_pairs(&mut self) {
        let now = Instant::now();
        let shared = self.shared;
        if self
            .moved
            .first()
            .is_some_and(|m| m.since + PAIR_WAIT <= now)
        {
            self.give_up(&mut shared.state(), |m| m.since + PAIR_WAIT <= now);
        }
    }

    /// A directory is locked until both halves of a rename are in the queue. So when another
    /// entry of it comes or goes, the second half of an earlier rename will not come; and what
    /// was moved away is told before its name is taken by another.
    fn give_up_before(&mut self, state: &mut State, name: &str, cookie: u32) {
        let directory = |name: &str| name.rfind('/');
        let is_beside = |other: &str| {
            directory(name).map(|end| &name[..end]) == directory(other).map(|end| &other[..end])
        };
        self.give_up(state, |m| m.cookie != cookie && is_beside(&m.name));
    }

    fn give_up(&mut self, state: &mut State, is_over: impl Fn(&MovedFrom) -> bool) {
        let (over, rest) = self.moved.drain(..).partition(|moved| is_over(moved));
        self.moved = rest;
        let over: Vec<MovedFrom> = over;
        for moved in over.into_iter().filter(|moved| !moved.is_own) {
            if moved.is_directory {
                state.places.moved_away(&moved.name);
            }
            self.tell_moved_away(moved);
        }
    }

    fn tell_moved_away(&mut self, moved: MovedFrom) {
        self.found.changes.push(LocalChange::MovedAway {
            name: moved.name,
            is_directory: moved.is_directory,
        });
    }

    /// One step at a time, so that events do not wait.
    fn scan(&mut self) {
        let next = {
            let mut state = self.shared.state();
            let next = state.scans.pop_front();
            state.is_scanning = next.is_some();
            next
        };
        if let Some(next) = next {
            scan::step(self.shared, &next, &mut self.found);
            self.shared.state().is_scanning = false;
        }
    }
}
