//! The server's open files: who shares them, caches them, deletes and renames them.
//!
//! One table for the server, whichever share, name, link or session a file was reached by.
//! It reads no clock, sends nothing and knows no connection: a call returns what must happen
//! as [`Effects`], which the caller carries out with no lock held. There is no timer either:
//! every call that is told the time ends the breaks that have run out.
//!
//! Locks are taken in this order: a stream, its file, the index of leases, the names; the
//! shards of the table are innermost.

mod breaks;
mod caching;
mod lease;
pub(crate) mod lock;
mod name;
mod names;
mod open;
mod range_locks;
mod share_mode;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod watch;
mod write_time;

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use smb::wire::{access_mask, share_access};
use smb::{Guid, NtStatus};

pub(crate) use breaks::Turn;
#[cfg(test)]
use caching::BREAK_TIMEOUT;
pub(crate) use caching::OplockLevel;
pub(crate) use lease::{GrantedLease, LeaseRequest};
pub(crate) use name::FileName;
pub(crate) use open::{CachingRequest, CreateEffect, GrantedCaching, OpenOutcome, OpenRequest};

use crate::share::FileKey;
pub(crate) use crate::ticket::Ticket;
use lock::LockList;
use names::Names;
use share_mode::denies_delete;
use state::{Phase, Slot, State};
use write_time::WriteTime;

/// Parts of the table, and of the index of leases, so that few threads meet.
const SHARDS: usize = 32;

/// What a call made necessary beside its result. The caller carries it out afterwards, with
/// no lock held.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Notifications to send, in this order.
    pub(crate) breaks: Vec<Break>,
    /// Requests that waited for a break: to be tried again.
    pub(crate) ready: Vec<Ticket>,
}

/// A break notification ([MS-SMB2] 2.2.23).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    Oplock {
        /// OpenGlobalId.
        open: u32,
        /// The new level, as on the wire.
        level: u8,
    },
    Lease {
        /// OpenGlobalId of the newest open under the lease.
        open: u32,
        /// Whose connections may be used, newest open or not.
        client_guid: Guid,
        lease_key: Guid,
        new_epoch: u16,
        /// SMB2_NOTIFY_BREAK_LEASE_FLAG_ACK_REQUIRED.
        acknowledge: bool,
        current_state: u32,
        new_state: u32,
    },
}

/// Which stream of which file, whatever name it is opened by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileIdentity {
    /// A number for each store of the server: keys of two stores may be alike.
    pub(crate) store: u64,
    pub(crate) key: FileKey,
    /// Name of the stream, folded with [`upcase`](crate::share::name::upcase); `None` for the
    /// file itself and its default stream.
    pub(crate) stream: Option<Box<str>>,
}

impl FileIdentity {
    fn same_file(&self, other: &Self) -> bool {
        self.key == other.key && self.store == other.store
    }
}

/// One file, directory or stream while it has opens. Each open of the server keeps it, so
/// that READ and WRITE look nothing up.
pub(crate) struct File {
    identity: FileIdentity,
    is_directory: bool,
    /// Of a stream: its file.
    base: Option<Arc<File>>,
    /// Copies of what [`State`] says, for questions that take no lock.
    may_break_read_caching: AtomicBool,
    may_break_handle_caching: AtomicBool,
    has_locks: AtomicBool,
    /// FILE_ATTRIBUTE_ARCHIVE has been set since the attributes were changed last.
    is_archived: AtomicBool,
    /// `None` while there are neither locks nor waits for one.
    locks: Mutex<Option<Box<LockList>>>,
    write_time: WriteTime,
    state: Mutex<State>,
}

/// What the end of an open means.
#[derive(Default)]
pub(crate) struct Closed {
    /// It was the last open of this file, directory or stream.
    #[cfg(test)]
    pub(crate) last: bool,
    /// What has to be removed from the store now. No open is let in until
    /// [`FileTable::removed`] was called with it, whether that worked or not.
    pub(crate) unlink: Option<Unlink>,
}

pub(crate) enum Unlink {
    File(Arc<File>),
    Stream(Arc<File>),
}

/// The server's open files.
pub(crate) struct FileTable {
    files: [Mutex<HashSet<ByIdentity>>; SHARDS],
    leases: [Mutex<HashMap<LeaseId, LeaseHome>>; SHARDS],
    directory_leases: AtomicUsize,
    names: Mutex<Names>,
}

/// ClientGuid and LeaseKey.
type LeaseId = (Guid, Guid);

struct LeaseHome {
    file: Arc<File>,
    slot: Slot,
    /// Lease.FileDeleteOnClose ([MS-SMB2] 3.3.1.12).
    delete_on_close: bool,
}

struct ByIdentity(Arc<File>);

impl File {
    fn new(identity: FileIdentity, is_directory: bool, base: Option<Arc<Self>>) -> Self {
        Self {
            identity,
            is_directory,
            base,
            may_break_read_caching: AtomicBool::new(false),
            may_break_handle_caching: AtomicBool::new(false),
            has_locks: AtomicBool::new(false),
            is_archived: AtomicBool::new(false),
            locks: Mutex::default(),
            write_time: WriteTime::default(),
            state: Mutex::default(),
        }
    }

    pub(crate) fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    /// LastWriteTime: a stream has that of its file.
    pub(crate) fn write_time(&self) -> &WriteTime {
        match &self.base {
            Some(base) => &base.write_time,
            None => &self.write_time,
        }
    }

    /// Does FILE_ATTRIBUTE_ARCHIVE need no setting? A stream has the attributes of its file.
    pub(crate) fn is_archived(&self) -> bool {
        let file = self.base.as_deref().unwrap_or(self);
        file.is_archived.load(Ordering::Relaxed)
    }

    /// To be told when the attribute was set, or may have been cleared.
    pub(crate) fn set_archived(&self, is_archived: bool) {
        let file = self.base.as_deref().unwrap_or(self);
        file.is_archived.store(is_archived, Ordering::Relaxed);
    }

    /// Are there byte-range locks? Takes no lock.
    pub(crate) fn has_locks(&self) -> bool {
        self.has_locks.load(Ordering::SeqCst)
    }

    /// To be told whenever the list of byte-range locks becomes empty or stops being so.
    pub(crate) fn set_has_locks(&self, has_locks: bool) {
        self.has_locks.store(has_locks, Ordering::SeqCst);
    }

    /// Could [`File::contend`] have an effect? Takes no lock.
    pub(crate) fn may_break_read_caching(&self) -> bool {
        self.may_break_read_caching.load(Ordering::SeqCst)
    }

    /// What an open may cache now.
    #[cfg(test)]
    pub(crate) fn caching(&self, open: u32) -> GrantedCaching {
        let state = self.state();
        let Some(entry) = state.entry(open) else {
            return GrantedCaching::None;
        };
        match entry.lease.and_then(|slot| state.lease(slot)) {
            Some(lease) => GrantedCaching::Lease(lease.granted()),
            None => GrantedCaching::Oplock(entry.oplock),
        }
    }

    /// Marks the file or stream for deletion when its last open is closed, or takes that back.
    /// An open with FILE_DELETE_ON_CLOSE still marks it when that closes ([MS-FSA] 2.1.5.15.3,
    /// 2.1.5.5).
    pub(crate) fn set_delete_pending(&self, pending: bool) {
        self.state().delete_pending = pending;
    }

    pub(crate) fn is_delete_pending(&self) -> bool {
        let own = self.state().delete_pending;
        own || self
            .base
            .as_ref()
            .is_some_and(|base| base.state().delete_pending)
    }

    /// Sets or clears FILE_DELETE_ON_CLOSE of an open: it takes effect when that open closes
    /// ([MS-FSA] 2.1.5.5). To be cleared for a directory that has entries by then.
    pub(crate) fn set_delete_on_close(&self, open: u32, delete: bool) {
        if let Some(entry) = self.state().entry_mut(open) {
            entry.delete_on_close = delete;
        }
    }

    pub(crate) fn delete_on_close(&self, open: u32) -> bool {
        let state = self.state();
        state.entry(open).is_some_and(|entry| entry.delete_on_close)
    }

    /// May an open rename the file?
    ///
    /// # Errors
    ///
    /// SHARING_VIOLATION unless all others share deletion, ACCESS_DENIED if streams are open.
    pub(crate) fn may_rename(&self, open: u32) -> Result<(), NtStatus> {
        let state = self.state();
        let own = state.entry(open);
        let own = own.is_some_and(|entry| denies_delete(entry.access, entry.share_access));
        if state.share_modes.denying_delete() > u32::from(own) {
            return Err(NtStatus::SHARING_VIOLATION);
        }
        if state.streams > 0 {
            return Err(NtStatus::ACCESS_DENIED);
        }
        Ok(())
    }

    /// Opens of this file, directory or stream.
    #[cfg(test)]
    pub(crate) fn open_count(&self) -> usize {
        self.state().opens().len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called before the lock on `state` is released.
    fn publish(&self, state: &State) {
        // Who may cache writes is alone.
        let read = state.held.read > 0 && state.held.write == 0;
        self.may_break_read_caching.store(read, Ordering::SeqCst);
        let handle = state.held.handle > 0;
        self.may_break_handle_caching
            .store(handle, Ordering::SeqCst);
    }
}

impl Default for FileTable {
    fn default() -> Self {
        Self {
            files: std::array::from_fn(|_| Mutex::default()),
            leases: std::array::from_fn(|_| Mutex::default()),
            directory_leases: AtomicUsize::new(0),
            names: Mutex::default(),
        }
    }
}

impl FileTable {
    /// Ends an open. Does nothing for one that has ended.
    pub(crate) fn close(
        &self,
        file: &Arc<File>,
        open: u32,
        now: Instant,
        effects: &mut Effects,
    ) -> Closed {
        let mut state = file.state();
        state.expire(now, effects);
        let Some((entry, lease)) = state.remove(open) else {
            return Closed::default();
        };
        self.names().leave(entry.name, file);
        if let Some(lease) = lease {
            self.count_lease(file, -1);
            let key = (lease.client_guid, lease.lease_key);
            self.leases(key).remove(&key);
        }
        if let Some(base) = &file.base
            && denies_delete(entry.access, entry.share_access)
        {
            base.state().streams_denying_delete -= 1;
        }
        state.delete_pending |= entry.delete_on_close;
        // Sharing may have become possible, or a break has ended.
        state.wake(effects);
        file.publish(&state);
        if !state.opens().is_empty() {
            return Closed::default();
        }
        Closed {
            #[cfg(test)]
            last: true,
            unlink: match &file.base {
                None => self.end_file(file, &mut state),
                Some(base) => self.end_stream(file, &mut state, base),
            },
        }
    }

    /// The store has removed what [`Closed::unlink`] named, or could not. The answer is what
    /// has to be removed next: the file of the stream, if it was marked meanwhile.
    pub(crate) fn removed(&self, file: &Arc<File>) -> Option<Unlink> {
        let mut state = file.state();
        if state.phase != Phase::Doomed {
            return None;
        }
        self.discard(file, &mut state);
        let base = file.base.as_ref()?;
        let mut base_state = base.state();
        base_state.streams -= 1;
        self.end_file(base, &mut base_state)
    }

    /// Does anybody cache a directory?
    pub(crate) fn has_directory_leases(&self) -> bool {
        self.directory_leases.load(Ordering::SeqCst) > 0
    }

    /// The file with this identity, if it is open.
    pub(crate) fn get(&self, identity: &FileIdentity) -> Option<Arc<File>> {
        let files = self.shard(identity);
        Some(files.get(identity)?.0.clone())
    }

    /// Can a CREATE by this name use this lease key ([MS-SMB2] 3.3.5.9.8)? To be asked
    /// before a file is created; opening looks again.
    ///
    /// # Errors
    ///
    /// INVALID_PARAMETER if the key names another file, which is not being deleted.
    pub(crate) fn check_lease_key(
        &self,
        client_guid: Guid,
        lease_key: Guid,
        name: &FileName,
    ) -> Result<(), NtStatus> {
        let key = (client_guid, lease_key);
        let (file, slot) = match self.leases(key).get(&key) {
            Some(home) if !home.delete_on_close => (home.file.clone(), home.slot),
            _ => return Ok(()),
        };
        let state = file.state();
        let lease = state.lease(slot);
        let lease = lease.filter(|lease| (lease.client_guid, lease.lease_key) == key);
        match lease {
            Some(lease) if !self.names().is_called(lease.name, name) => {
                Err(NtStatus::INVALID_PARAMETER)
            }
            _ => Ok(()),
        }
    }

    /// What the file is called now, by the name that `open` had used; a stream has the name
    /// of its file. `None` after the close.
    pub(crate) fn name_of(&self, file: &File, open: u32) -> Option<FileName> {
        let state = file.state();
        let entry = state.entry(open)?;
        Some(self.names().path(entry.name))
    }

    /// The store has given the name of `open` to be `name`: every open by the old name, of
    /// streams too, has the new one, and for a directory everything below it. Other hard
    /// links keep their names.
    pub(crate) fn rename(&self, file: &File, open: u32, name: &FileName) {
        let state = file.state();
        if let Some(entry) = state.entry(open) {
            self.names().rename(entry.name, name);
        }
    }

    /// Is anything below this directory open? Costs the length of the name.
    pub(crate) fn any_open_below(&self, directory: &FileName) -> bool {
        self.names().any_below(directory)
    }

    /// May something be moved into this directory? That is an open for writing that shares
    /// reading and writing, as far as those are concerned who have the directory open
    /// ([MS-FSA] 2.1.5.15.12, <185>).
    ///
    /// # Errors
    ///
    /// DELETE_PENDING if the directory is marked for deletion, SHARING_VIOLATION if somebody
    /// has it open with the right to delete it, or does not share writing.
    pub(crate) fn may_move_into(&self, directory: &FileIdentity) -> Result<(), NtStatus> {
        let Some(directory) = self.get(directory) else {
            return Ok(());
        };
        let state = directory.state();
        if state.is_doomed() {
            return Err(NtStatus::DELETE_PENDING);
        }
        let access = access_mask::FILE_WRITE_DATA;
        let shared = share_access::FILE_SHARE_READ | share_access::FILE_SHARE_WRITE;
        if state.share_modes.conflicts(access, shared) {
            return Err(NtStatus::SHARING_VIOLATION);
        }
        Ok(())
    }

    /// Is the directory that holds `name` marked for deletion? Nothing is opened or made in it
    /// then ([MS-FSA] 2.1.5.1 phase 6).
    pub(crate) fn is_directory_doomed(&self, name: &FileName) -> bool {
        let Some(directory) = name.parent() else {
            return false;
        };
        let files = self.names().files(&directory);
        let mut directories = files.iter().filter(|file| file.is_directory);
        directories.any(|file| file.state().is_doomed())
    }

    /// Is the file with this identity, or the file of this stream, marked for deletion?
    pub(crate) fn is_doomed(&self, identity: &FileIdentity) -> bool {
        let file = self.get(identity).or_else(|| {
            self.get(&FileIdentity {
                stream: None,
                ..*identity
            })
        });
        file.is_some_and(|file| {
            file.state().is_doomed()
                || (file.base.as_ref()).is_some_and(|base| base.state().is_doomed())
        })
    }

    /// The entry of a file or stream, and that of its file. Only [`FileTable::open`] asks,
    /// which removes entries that come to nothing.
    fn get_or_insert(&self, identity: &FileIdentity, is_directory: bool) -> Arc<File> {
        if let Some(file) = self.get(identity) {
            return file;
        }
        let base = identity.stream.is_some().then(|| {
            let base = FileIdentity {
                stream: None,
                ..*identity
            };
            self.get_or_insert(&base, false)
        });
        let mut files = self.shard(identity);
        if let Some(file) = files.get(identity) {
            return file.0.clone();
        }
        let file = Arc::new(File::new(identity.clone(), is_directory, base));
        files.insert(ByIdentity(file.clone()));
        file
    }

    /// After the last open of a file, or of its last stream.
    fn end_file(&self, file: &Arc<File>, state: &mut State) -> Option<Unlink> {
        if !state.is_unused() || state.phase != Phase::Live {
            return None;
        }
        if state.delete_pending {
            state.phase = Phase::Doomed;
            return Some(Unlink::File(file.clone()));
        }
        self.discard(file, state);
        None
    }

    /// After the last open of a stream: its file goes with all its streams, or only it.
    fn end_stream(
        &self,
        stream: &Arc<File>,
        state: &mut State,
        base: &Arc<File>,
    ) -> Option<Unlink> {
        let mut base_state = base.state();
        let file_goes =
            base_state.delete_pending && base_state.opens().is_empty() && base_state.streams == 1;
        if state.delete_pending && !file_goes {
            state.phase = Phase::Doomed;
            return Some(Unlink::Stream(stream.clone()));
        }
        self.discard(stream, state);
        base_state.streams -= 1;
        self.end_file(base, &mut base_state)
    }

    fn discard(&self, file: &File, state: &mut State) {
        state.phase = Phase::Gone;
        self.shard(&file.identity).remove(&file.identity);
    }

    fn count_lease(&self, file: &File, change: isize) {
        if file.is_directory {
            self.directory_leases
                .fetch_add(change as usize, Ordering::SeqCst);
        }
    }

    fn shard(&self, identity: &FileIdentity) -> MutexGuard<'_, HashSet<ByIdentity>> {
        let shard = identity.key.inode as usize % SHARDS;
        let files = self.files[shard].lock();
        files.unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self, (_, key): LeaseId) -> MutexGuard<'_, HashMap<LeaseId, LeaseHome>> {
        let shard = key.0.iter().fold(0, |sum, byte| sum ^ usize::from(*byte)) % SHARDS;
        let leases = self.leases[shard].lock();
        leases.unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Borrow<FileIdentity> for ByIdentity {
    fn borrow(&self) -> &FileIdentity {
        &self.0.identity
    }
}

impl Hash for ByIdentity {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.identity.hash(hasher);
    }
}

impl PartialEq for ByIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.0.identity == other.0.identity
    }
}

impl Eq for ByIdentity {}
