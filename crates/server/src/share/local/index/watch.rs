//! Changes of directories, as the kernel reports them (inotify), whoever made them.
//!
//! The kernel queues a change while it holds the directory, before the call that made it
//! returns: who reads the queue after that call has seen it, in the order in which the
//! changes happened.

use std::mem::MaybeUninit;

use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::super::super::name::check_component;
use super::super::descriptor_path;
use super::Change;

/// Bytes of changes that one system call may bring.
const BUFFER_BYTES: usize = 4096;

/// So many changes may have filled the buffer, and more be queued; fewer cannot: none takes
/// more than 272 bytes.
const FULL_BUFFER: usize = BUFFER_BYTES / 272 - 1;

/// What the kernel tells of a watch.
pub(super) enum Event {
    /// A name of the directory came or went.
    Named(i32, Change, String),
    /// The watch is over: the directory is gone.
    Ended(i32),
    /// Changes were lost, of any directory.
    Overflow,
}

/// A queue of changes.
pub(super) struct Watcher(OwnedFd);

impl Watcher {
    pub(super) fn new() -> Result<Self, Errno> {
        inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map(Self)
    }

    /// Changes of `directory` are queued from now on; the same number for the same one.
    pub(super) fn add(&self, directory: BorrowedFd<'_>) -> Result<i32, Errno> {
        let names = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&self.0, descriptor_path(&directory), names)
    }

    pub(super) fn remove(&self, watch: i32) {
        // It may have ended by itself.
        let _ = inotify::remove_watch(&self.0, watch);
    }

    /// What is queued, oldest first.
    pub(super) fn drain(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&self.0, &mut buffer);
        let mut read = 0;
        loop {
            if reader.is_buffer_empty() && (1..FULL_BUFFER).contains(&read) {
                return events;
            }
            if reader.is_buffer_empty() {
                read = 0;
            }
            match reader.next() {
                Ok(event) => {
                    read += 1;
                    events.extend(understood(&event));
                }
                Err(Errno::INTR) => {}
                // AGAIN: nothing is left.
                Err(_) => return events,
            }
        }
    }
}

fn understood(event: &inotify::Event<'_>) -> Option<Event> {
    let (watch, flags) = (event.wd(), event.events());
    if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
        return Some(Event::Overflow);
    }
    if flags.contains(ReadFlags::IGNORED) {
        return Some(Event::Ended(watch));
    }
    let change = if flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
        Change::Added
    } else if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
        Change::Removed
    } else {
        return None;
    };
    let name = event.file_name()?.to_str().ok()?;
    check_component(name).ok()?;
    Some(Event::Named(watch, change, name.to_owned()))
}
