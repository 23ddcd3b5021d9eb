//! Change notification ([MS-SMB2] 3.3.5.19, [MS-FSA] 2.1.5.11): who watches which directory,
//! and what he has not been told of yet. It reads no clock and sends nothing: a call returns
//! the requests that became ready, with their answers.
//!
//! - An open watches from its first request until it is closed. That request's filter, tree
//!   flag and OutputBufferLength stay in force for the open, whatever later requests say.
//! - A change goes to the oldest waiting request of each open that watches, with everything
//!   that came in the same call (both halves of a rename). If none waits, it is buffered for
//!   the next one.
//! - What does not fit, into the open's buffer or the request's, is dropped altogether, and
//!   NOTIFY_ENUM_DIR tells the client to look for itself.
//!
//! Which filter bits a change touches (FILE_NOTIFY_CHANGE_*, [MS-FSA] 2.1.5):
//!
//! | Operation | Action | Bits |
//! |---|---|---|
//! | CREATE makes a file; a link to one | ADDED | FILE_NAME |
//! | CREATE makes a directory | ADDED | DIR_NAME |
//! | CREATE overwrites or supersedes | MODIFIED | ATTRIBUTES, SIZE, LAST_WRITE; EA if given |
//! | CREATE makes a stream | ADDED_STREAM | STREAM_NAME |
//! | CREATE overwrites a stream | MODIFIED_STREAM | STREAM_SIZE, STREAM_WRITE |
//! | WRITE, copy, zeroing: noted in the open, told by its FLUSH or CLOSE | MODIFIED | LAST_WRITE; SIZE if it became longer |
//! | the same, to a stream | MODIFIED_STREAM | STREAM_WRITE; STREAM_SIZE |
//! | SET_INFO FileEndOfFile, FileAllocation, FileValidDataLength | MODIFIED | SIZE |
//! | SET_INFO FileBasic | MODIFIED | ATTRIBUTES, CREATION, LAST_ACCESS, LAST_WRITE: those it sets; none for ChangeTime |
//! | SET_INFO FileFullEa | MODIFIED | EA, ATTRIBUTES |
//! | SET_INFO security | MODIFIED | SECURITY |
//! | compression, sparse, integrity | MODIFIED | ATTRIBUTES |
//! | rename in one directory | RENAMED_OLD_NAME, RENAMED_NEW_NAME | FILE_NAME or DIR_NAME |
//! | rename to another directory | REMOVED, ADDED | FILE_NAME or DIR_NAME |
//! | the same, of a file: noted in the open, told by its CLOSE (the ARCHIVE attribute) | MODIFIED, new name | ATTRIBUTES |
//! | last CLOSE deletes | REMOVED | FILE_NAME or DIR_NAME |
//! | last CLOSE deletes a stream | REMOVED_STREAM | STREAM_NAME |
//!
//! What is noted in an open that deletes its file is not told. Nothing is told of the watched
//! directory itself.

mod buffer;
mod change;
mod directories;
pub(crate) mod notifier;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smb::NtStatus;

use super::Ticket;
use crate::file::name::FileName;
use buffer::ChangeBuffer;
pub(crate) use change::{Change, Rename};
use directories::{Directories, NodeId};
pub(crate) use notifier::Notifier;

/// Longest buffer of an open, in bytes, however much its first request asks for: some ten
/// thousand changes. A client that is further behind lists the directory faster.
pub(crate) const MAX_BUFFER: u32 = 1 << 20;

/// What a CHANGE_NOTIFY request asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WatchRequest {
    /// SMB2_WATCH_TREE. Of an open's first request.
    pub(crate) tree: bool,
    /// CompletionFilter. Of an open's first request; bits without a meaning never match.
    pub(crate) filter: u32,
    /// OutputBufferLength. An open's first request bounds its buffer as well.
    pub(crate) buffer_length: u32,
    /// Names the request while it waits.
    pub(crate) ticket: Ticket,
}

impl WatchRequest {
    /// Most bytes that an open whose first request this is can make the server buffer.
    pub(crate) fn most_bytes(&self) -> u32 {
        self.buffer_length.min(MAX_BUFFER)
    }
}

/// What becomes of a request.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Watched {
    /// It is answered at once.
    Ready(Answer),
    /// It waits.
    Waits,
}

/// The answer to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// A list of FILE_NOTIFY_INFORMATION, at least one.
    Changes(Vec<u8>),
    /// Something has changed, but the list did not fit. Not an error response: a CHANGE_NOTIFY
    /// response with an empty buffer ([MS-SMB2] 3.3.4.4).
    EnumDir,
    /// The open was closed; sent like [`Answer::EnumDir`].
    Cleanup,
    /// The directory is being deleted.
    DeletePending,
}

impl Answer {
    /// The status that goes with it.
    pub(crate) fn status(&self) -> NtStatus {
        match self {
            Self::Changes(_) => NtStatus::SUCCESS,
            Self::EnumDir => NtStatus::NOTIFY_ENUM_DIR,
            Self::Cleanup => NtStatus::NOTIFY_CLEANUP,
            Self::DeletePending => NtStatus::DELETE_PENDING,
        }
    }
}

/// Requests that became ready.
pub(crate) type Ready = Vec<(Ticket, Answer)>;

/// Every open that watches a directory ([MS-FSA] 2.1.1.1 ChangeNotifyList).
#[derive(Default)]
pub(crate) struct WatchTable {
    is_watched: AtomicBool,
    buffered: AtomicUsize,
    state: Mutex<State>,
}

impl WatchTable {
    /// Does anybody watch anything? If not, a change need not be told, nor its name made.
    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }

    /// Does this open watch already?
    pub(crate) fn watches(&self, open: u32) -> bool {
        self.state().watchers.contains_key(&open)
    }

    /// Bytes of all changes that are buffered now.
    #[cfg(test)]
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.buffered.load(Ordering::Relaxed)
    }

    /// A CHANGE_NOTIFY request of `open`, which has `directory` open.
    pub(crate) fn watch(&self, open: u32, directory: &FileName, request: WatchRequest) -> Watched {
        let mut guard = self.state();
        let state = &mut *guard;
        let watcher = state.watchers.entry(open).or_insert_with(|| {
            let node = state.directories.add(directory, open, request.tree);
            Watcher::new(node, &request)
        });
        self.is_watched.store(true, Ordering::Relaxed);
        if watcher.node.is_none() {
            return Watched::Ready(Answer::DeletePending);
        }
        if !watcher.buffer.is_empty() {
            state.buffered -= watcher.buffer.len();
            let answer = watcher.buffer.take(request.buffer_length);
            self.buffered.store(state.buffered, Ordering::Relaxed);
            return Watched::Ready(answer);
        }
        watcher.waiting.push_back(Waiting {
            ticket: request.ticket,
            buffer_length: request.buffer_length,
        });
        state.waiting.insert(request.ticket, open);
        Watched::Waits
    }

    /// Something has changed.
    pub(crate) fn changed(&self, change: Change<'_>, ready: &mut Ready) {
        self.changed_together([change], ready);
    }

    /// Several changes, which an answer has all of, if they fit.
    pub(crate) fn changed_together<'a>(
        &self,
        changes: impl IntoIterator<Item = Change<'a>>,
        ready: &mut Ready,
    ) {
        if self.is_watched() {
            let mut state = self.state();
            changes.into_iter().for_each(|change| state.note(change));
            self.tell(&mut state, ready);
        }
    }

    /// A file or directory has got another name. The answer has both names.
    pub(crate) fn renamed(&self, rename: &Rename<'_>, ready: &mut Ready) {
        if !self.is_watched() {
            return;
        }
        let mut state = self.state();
        let changes = rename.changes();
        changes.into_iter().flatten().for_each(|c| state.note(c));
        if rename.is_directory {
            state.rename(rename.old, rename.new);
        }
        self.tell(&mut state, ready);
    }

    /// Changes may have been missed: all who watch shall look for themselves.
    pub(crate) fn overflow(&self, ready: &mut Ready) {
        let mut state = self.state();
        state.overflow();
        self.tell(&mut state, ready);
    }

    /// A directory is going to be deleted: somebody has set its disposition, or closed it
    /// with delete-on-close. Requests that wait for its changes end ([MS-FSA] 2.1.5.15.3);
    /// if it is kept after all, its opens may ask again.
    pub(crate) fn delete_pending(&self, directory: &FileName, ready: &mut Ready) {
        if self.is_watched() {
            let mut state = self.state();
            for open in state.directories.watchers_at(directory) {
                state.end(open, &Answer::DeletePending, ready);
            }
            self.tell(&mut state, ready);
        }
    }

    /// A directory has been deleted. Requests that wait for its changes end, and those that
    /// its opens send later do at once: its name may belong to another by now.
    pub(crate) fn directory_removed(&self, directory: &FileName, ready: &mut Ready) {
        if self.is_watched() {
            let mut state = self.state();
            for open in state.directories.detach_all(directory) {
                state.orphan(open, ready);
            }
            self.tell(&mut state, ready);
        }
    }

    /// An open was closed.
    pub(crate) fn close(&self, open: u32, ready: &mut Ready) {
        if self.is_watched() {
            let mut state = self.state();
            state.end(open, &Answer::Cleanup, ready);
            self.tell(&mut state, ready);
        }
    }

    /// A request waits no longer; false if it did not. Its open watches on.
    pub(crate) fn cancel(&self, ticket: Ticket) -> bool {
        let mut state = self.state();
        let Some(open) = state.waiting.remove(&ticket) else {
            return false;
        };
        if let Some(watcher) = state.watchers.get_mut(&open) {
            watcher.waiting.retain(|waiting| waiting.ticket != ticket);
        }
        true
    }

    /// Answers whom the changes noted have made ready, and counts.
    fn tell(&self, state: &mut State, ready: &mut Ready) {
        state.tell(ready);
        self.buffered.store(state.buffered, Ordering::Relaxed);
        let is_watched = !state.watchers.is_empty();
        self.is_watched.store(is_watched, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open that watches ([MS-FSA] 2.1.1.8 ChangeNotifyEntry).
struct Watcher {
    /// What it watches; none if that has been deleted.
    node: Option<NodeId>,
    filter: u32,
    tree: bool,
    /// Noted in [`State::touched`].
    touched: bool,
    buffer: ChangeBuffer,
    /// Oldest first. None waits while there is something in the buffer.
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    ticket: Ticket,
    buffer_length: u32,
}

impl Watcher {
    fn new(node: NodeId, request: &WatchRequest) -> Self {
        Self {
            node: Some(node),
            filter: request.filter,
            tree: request.tree,
            touched: false,
            buffer: ChangeBuffer::new(request.most_bytes()),
            waiting: VecDeque::new(),
        }
    }
}

#[derive(Default)]
struct State {
    directories: Directories,
    /// By open.
    watchers: HashMap<u32, Watcher>,
    /// The open of each request that waits.
    waiting: HashMap<Ticket, u32>,
    /// Opens with a change that came in the present call.
    touched: Vec<u32>,
    /// Bytes in all buffers.
    buffered: usize,
}

impl State {
    fn note(&mut self, change: Change<'_>) {
        let Self {
            directories,
            watchers,
            touched,
            buffered,
            ..
        } = self;
        directories.watchers(change.name, |open, relative| {
            let Some(watcher) = watchers.get_mut(&open) else {
                return;
            };
            if watcher.filter & change.filter != 0 {
                *buffered -= watcher.buffer.len();
                watcher.buffer.push(change.action, relative);
                *buffered += watcher.buffer.len();
                if !std::mem::replace(&mut watcher.touched, true) {
                    touched.push(open);
                }
            }
        });
    }

    fn overflow(&mut self) {
        for (open, watcher) in &mut self.watchers {
            if watcher.node.is_some() {
                watcher.buffer.overflow();
                watcher.touched = true;
                self.touched.push(*open);
            }
        }
        self.buffered = 0;
    }

    fn tell(&mut self, ready: &mut Ready) {
        for open in self.touched.drain(..) {
            let Some(watcher) = self.watchers.get_mut(&open) else {
                continue;
            };
            watcher.touched = false;
            if watcher.buffer.is_empty() {
                continue;
            }
            if let Some(waiting) = watcher.waiting.pop_front() {
                self.waiting.remove(&waiting.ticket);
                self.buffered -= watcher.buffer.len();
                ready.push((waiting.ticket, watcher.buffer.take(waiting.buffer_length)));
            }
        }
    }

    fn rename(&mut self, old: &FileName, new: &FileName) {
        let watchers = &mut self.watchers;
        self.directories.rename(old, new, |open, node| {
            if let Some(watcher) = watchers.get_mut(&open) {
                watcher.node = Some(node);
            }
        });
    }

    /// The open watches no longer.
    fn end(&mut self, open: u32, answer: &Answer, ready: &mut Ready) {
        let Some(mut watcher) = self.watchers.remove(&open) else {
            return;
        };
        if let Some(node) = watcher.node {
            self.directories.remove(node, open, watcher.tree);
        }
        self.buffered -= watcher.buffer.len();
        self.end_waiting(&mut watcher, answer, ready);
    }

    /// The directory of the open is no more.
    fn orphan(&mut self, open: u32, ready: &mut Ready) {
        let Some(mut watcher) = self.watchers.remove(&open) else {
            return;
        };
        self.buffered -= watcher.buffer.len();
        self.end_waiting(&mut watcher, &Answer::DeletePending, ready);
        watcher.node = None;
        watcher.buffer = ChangeBuffer::new(0);
        self.watchers.insert(open, watcher);
    }

    fn end_waiting(&mut self, watcher: &mut Watcher, answer: &Answer, ready: &mut Ready) {
        for waiting in std::mem::take(&mut watcher.waiting) {
            self.waiting.remove(&waiting.ticket);
            ready.push((waiting.ticket, answer.clone()));
        }
    }
}
