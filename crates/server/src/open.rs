//! Open ([MS-SMB2] 3.3.1.10) and GlobalOpenTable.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use smb::wire::info::FilePipeInformation;
use smb::wire::{FileId, access_mask, file_attributes};
use smb::{FileTime, Guid, NtStatus};

use crate::announcement::Announcement;
use crate::application::{Ending, OpenRow, Page};
use crate::budget::{Charge, Refused};
use crate::counted::{Counted, Keyed};
use crate::file::lock::LockSequences;
use crate::file::{File, FileTable};
use crate::owner::Owner;
use crate::pipe::{Pipe, PipeMode};
use crate::share::{
    Enumeration, FileHandle, SETTABLE_ATTRIBUTES, ShareKind, SharePath, StoreResult, Waiting,
};
use crate::ticket::Ticket;
use crate::tree_connect::TreeConnect;

pub(crate) struct Open {
    /// OpenGlobalId: what NetrFileEnum shows and NetrFileClose takes. Never 0.
    pub(crate) id: u32,
    /// FileId.Volatile: key of Session.OpenTable.
    pub(crate) volatile: u64,
    pub(crate) owner: Arc<Owner>,
    pub(crate) tree_connect: Arc<TreeConnect>,
    pub(crate) granted_access: u32,
    pub(crate) kind: OpenKind,
    closed: AtomicBool,
    pub(crate) announcement: Announcement,
    _charge: Charge,
}

pub(crate) enum OpenKind {
    File(FileOpen),
    Pipe(PipeOpen),
}

pub(crate) struct FileOpen {
    pub(crate) handle: Arc<dyn FileHandle>,
    /// What all opens of it share.
    pub(crate) file: Arc<File>,
    pub(crate) is_directory: bool,
    /// FILE_NOTIFY_CHANGE_* bits of what was written and has not been told yet.
    pub(crate) written: AtomicU32,
    /// Open.LockSequenceArray.
    pub(crate) lock_sequences: Mutex<LockSequences>,
    /// For each of its locks, and for those that it waits for.
    pub(crate) lock_charges: Mutex<Vec<Charge>>,
    /// For what `enumeration` holds.
    pub(crate) listing_charge: Mutex<Option<Charge>>,
    /// For watching a directory.
    pub(crate) watch_charge: OnceLock<Charge>,
    /// ClientGuid and ParentLeaseKey, if its lease names that of its directory.
    pub(crate) parent_lease: Option<Box<(Guid, Guid)>>,
    /// FileModeInformation bits.
    pub(crate) mode: AtomicU32,
    /// FilePositionInformation: kept for the client, used by nothing.
    pub(crate) position: AtomicU64,
    /// Open.UserSetChangeTime ([MS-FSA] 2.1.1.6): what else is set leaves ChangeTime alone.
    pub(crate) keeps_change_time: AtomicBool,
    /// Open.CurrentEaIndex, from 0: the extended attribute that a query goes on with.
    pub(crate) next_ea: AtomicU32,
    /// A running enumeration; boxed because most opens have none.
    pub(crate) enumeration: Mutex<Option<Box<Enumeration>>>,
}

impl FileOpen {
    pub(crate) fn lock_charges(&self) -> MutexGuard<'_, Vec<Charge>> {
        self.lock_charges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the charges of locks that are no longer held.
    pub(crate) fn return_lock_charges(&self, open: u32) {
        let held = self.file.lock_count(open) as usize;
        let mut charges = self.lock_charges();
        charges.truncate(held);
        if held == 0 {
            *charges = Vec::new();
        }
    }

    /// Whose lease on the directory its changes leave alone.
    pub(crate) fn parent_lease(&self) -> Option<(Guid, Guid)> {
        self.parent_lease.as_deref().copied()
    }
}

pub(crate) struct PipeOpen {
    pub(crate) name: Arc<str>,
    pub(crate) state: Mutex<PipeState>,
}

pub(crate) struct PipeState {
    /// Bytes, waiting for them, until the client says otherwise.
    mode: PipeMode,
    /// `None` while a request works on it, and once closed.
    pub(crate) pipe: Option<Box<dyn Pipe>>,
    /// READs that wait for data, oldest first.
    pub(crate) readers: VecDeque<Ticket>,
    /// Closed: whoever works on the pipe now drops it when done.
    pub(crate) closed: bool,
    /// For what the pipe holds.
    charge: Charge,
}

impl FileOpen {
    /// To be called before its data changes.
    pub(crate) fn begin_write(
        &self,
        open: u32,
        now: FileTime,
        waiting: Waiting,
    ) -> StoreResult<()> {
        self.archive(waiting)?;
        let stored = || Ok(self.handle.stat(waiting)?.last_write_time);
        self.file.write_time().writing(open, now, stored)
    }

    /// What changes is to be archived ([MS-FSA] 2.1.4.17).
    pub(crate) fn archive(&self, waiting: Waiting) -> StoreResult<()> {
        const ARCHIVE: u32 = file_attributes::FILE_ATTRIBUTE_ARCHIVE;
        if self.is_directory || self.file.is_archived() {
            return Ok(());
        }
        let attributes = self.handle.stat(waiting)?.attributes;
        if attributes & ARCHIVE == 0 {
            let attributes = attributes & SETTABLE_ATTRIBUTES | ARCHIVE;
            self.handle.set_attributes(attributes, waiting)?;
        }
        self.file.set_archived(true);
        Ok(())
    }
}

impl PipeOpen {
    /// `charge` is of nothing yet, and grows with what the pipe holds.
    pub(crate) fn new(name: Arc<str>, pipe: Option<Box<dyn Pipe>>, charge: Charge) -> Self {
        let state = Mutex::new(PipeState {
            mode: PipeMode::default(),
            pipe,
            readers: VecDeque::new(),
            closed: false,
            charge,
        });
        Self { name, state }
    }

    /// How the client reads it.
    pub(crate) fn mode(&self) -> PipeMode {
        self.state().mode
    }

    /// The same, as QUERY_INFO tells it.
    pub(crate) fn information(&self) -> FilePipeInformation {
        let mode = self.mode();
        FilePipeInformation {
            read_mode: mode.messages.into(),
            completion_mode: mode.never_waits.into(),
        }
    }

    /// SET_INFO FilePipeInformation.
    pub(crate) fn set_information(&self, buffer: &[u8]) -> Result<(), NtStatus> {
        let information =
            FilePipeInformation::read(buffer).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)?;
        if information.read_mode > 1 || information.completion_mode > 1 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.state().mode = PipeMode {
            messages: information.read_mode == 1,
            never_waits: information.completion_mode == 1,
        };
        Ok(())
    }

    /// The pipe, unless somebody works on it, and who waits for its data.
    pub(crate) fn close(&self) -> (Option<Box<dyn Pipe>>, VecDeque<Ticket>) {
        let mut state = self.state();
        state.closed = true;
        (state.pipe.take(), std::mem::take(&mut state.readers))
    }

    /// A READ waits until somebody writes.
    pub(crate) fn wait(&self, ticket: Ticket) -> Result<(), NtStatus> {
        let mut state = self.state();
        if state.closed {
            return Err(NtStatus::PIPE_DISCONNECTED);
        }
        state.readers.push_back(ticket);
        Ok(())
    }

    /// Who waits for data; they wait no longer.
    pub(crate) fn take_readers(&self) -> VecDeque<Ticket> {
        std::mem::take(&mut self.state().readers)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the pipe without holding its lock: the service may end sessions, and two
    /// callers that end each other's must not wait for each other. Collects what is to be
    /// closed once the answers so far have left.
    ///
    /// Before the work there must be room for `growth` bytes more than the pipe holds. If
    /// what it holds afterwards is too much, the pipe is closed.
    pub(crate) fn with<T>(
        &self,
        growth: usize,
        close_after_reply: &mut Vec<Ending>,
        work: impl FnOnce(&mut dyn Pipe) -> T,
    ) -> Result<T, NtStatus> {
        let mut pipe = {
            let mut state = self.state();
            if state.closed {
                return Err(NtStatus::PIPE_DISCONNECTED);
            }
            let pipe = state.pipe.take().ok_or(NtStatus::PIPE_BUSY)?;
            if growth > 0
                && let Err(refused) = state.charge_for(pipe.held() + growth)
            {
                state.pipe = Some(pipe);
                return Err(refused.into());
            }
            pipe
        };
        let result = work(&mut *pipe);
        let mut state = self.state();
        if state.closed || pipe.available() == 0 {
            close_after_reply.extend(pipe.take_close_after_reply());
        }
        if state.closed {
            return Ok(result);
        }
        if let Err(refused) = state.charge_for(pipe.held()) {
            close_after_reply.extend(pipe.take_close_after_reply());
            state.closed = true;
            return Err(refused.into());
        }
        state.pipe = Some(pipe);
        Ok(result)
    }
}

impl PipeState {
    /// The pipe holds so many bytes.
    fn charge_for(&mut self, held: usize) -> Result<(), Refused> {
        self.charge.resize(u32::try_from(held).unwrap_or(u32::MAX))
    }
}

impl Open {
    pub(crate) fn new(
        id: u32,
        owner: &Arc<Owner>,
        tree_connect: Arc<TreeConnect>,
        granted_access: u32,
        kind: OpenKind,
        charge: Charge,
    ) -> Self {
        Self {
            _charge: charge,
            id,
            volatile: owner.session.0 << 32 | u64::from(id),
            owner: owner.clone(),
            tree_connect,
            granted_access,
            kind,
            closed: AtomicBool::new(false),
            announcement: Announcement::of(id),
        }
    }

    /// True for the first caller only, who then closes it.
    pub(crate) fn begin_close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    /// A READ of this pipe waits no longer; false if it did not.
    pub(crate) fn forget_pipe_read(&self, ticket: Ticket) -> bool {
        let OpenKind::Pipe(pipe) = &self.kind else {
            return false;
        };
        let mut state = pipe.state();
        let position = state.readers.iter().position(|reader| *reader == ticket);
        position.is_some_and(|position| state.readers.remove(position).is_some())
    }

    pub(crate) fn file(&self) -> Result<&FileOpen, NtStatus> {
        match &self.kind {
            OpenKind::File(file) => Ok(file),
            OpenKind::Pipe(_) => Err(NtStatus::INVALID_DEVICE_REQUEST),
        }
    }

    /// Errs with ACCESS_DENIED unless one of the rights was granted.
    pub(crate) fn require_any(&self, rights: u32) -> Result<(), NtStatus> {
        if self.granted_access & rights == 0 {
            Err(NtStatus::ACCESS_DENIED)
        } else {
            Ok(())
        }
    }

    /// FileId, as responses have it.
    pub(crate) fn file_id(&self) -> FileId {
        FileId {
            persistent: u64::from(self.id),
            volatile: self.volatile,
        }
    }

    /// Path within the share, as the file is called now.
    pub(crate) fn path(&self, files: &FileTable) -> SharePath {
        match (&self.kind, &self.tree_connect.share.kind) {
            (OpenKind::File(file), ShareKind::Disk { backend }) => files
                .name_of(&file.file, self.id)
                .and_then(|name| name.below(&backend.local_path()))
                .unwrap_or_default(),
            _ => SharePath::default(),
        }
    }

    /// Closing it may have to wait because the file is removed.
    pub(crate) fn closing_waits(&self) -> bool {
        match &self.kind {
            OpenKind::File(file) => {
                (file.file.is_delete_pending() || file.file.delete_on_close(self.id))
                    && file.handle.changes_wait()
            }
            OpenKind::Pipe(_) => false,
        }
    }

    /// As administrators see it.
    pub(crate) fn row(&self, files: &FileTable) -> OpenRow {
        let (path_name, num_locks) = match &self.kind {
            OpenKind::Pipe(pipe) => (format!("\\PIPE\\{}", pipe.name), 0),
            OpenKind::File(file) => {
                let name = files.name_of(&file.file, self.id);
                let name = name.map_or_else(String::new, |name| name.as_str().to_owned());
                (name, file.file.lock_count(self.id))
            }
        };
        let mut permissions = 0;
        if self.granted_access & (access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE) != 0 {
            permissions |= 1;
        }
        if self.granted_access & (access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA) != 0
        {
            permissions |= 2;
        }
        OpenRow {
            id: self.id,
            session: self.owner.session,
            path_name,
            user_name: self.owner.user_name.clone(),
            client_name: self.owner.client_name.clone(),
            permissions,
            num_locks,
        }
    }
}

/// Rows of the first `limit` opens among `found`, in order of id.
pub(crate) fn query_of(
    files: &FileTable,
    mut found: Vec<Arc<Open>>,
    limit: usize,
) -> Page<OpenRow> {
    found.sort_unstable_by_key(|open| open.id);
    let total = found.len();
    found.truncate(limit);
    page(files, &found, total)
}

fn page(files: &FileTable, found: &[Arc<Open>], total: usize) -> Page<OpenRow> {
    Page {
        rows: found.iter().map(|open| open.row(files)).collect(),
        total: u32::try_from(total).unwrap_or(u32::MAX),
    }
}

/// GlobalOpenTable ([MS-SMB2] 3.3.1.5).
#[derive(Default)]
pub(crate) struct GlobalOpenTable {
    next: AtomicU32,
    opens: Mutex<Counted<Numbered>>,
}

/// An open with its id beside it, so that a search stays in the table.
struct Numbered {
    id: u32,
    open: Arc<Open>,
}

impl Keyed for Numbered {
    fn key(&self) -> u64 {
        self.id.into()
    }
}

impl GlobalOpenTable {
    /// A number that no open has now; comes again only after 2^32 opens.
    pub(crate) fn allocate(&self) -> u32 {
        loop {
            let id = self.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if id != 0 && self.opens().get(id.into()).is_none() {
                return id;
            }
        }
    }

    pub(crate) fn insert(&self, open: Arc<Open>) {
        self.opens().insert(Numbered { id: open.id, open });
    }

    pub(crate) fn remove(&self, id: u32) {
        self.opens().remove(id.into());
    }

    pub(crate) fn get(&self, id: u32) -> Option<Arc<Open>> {
        let opens = self.opens();
        Some(opens.get(id.into())?.open.clone())
    }

    pub(crate) fn row(&self, files: &FileTable, id: u32) -> Option<OpenRow> {
        Some(self.get(id)?.row(files))
    }

    pub(crate) fn query(&self, files: &FileTable, after: u32, limit: usize) -> Page<OpenRow> {
        let (found, total) = {
            let opens = self.opens();
            let first = u64::from(after) + 1;
            let behind = opens.iter_from(first).take(limit);
            let found: Vec<_> = behind.map(|one| one.open.clone()).collect();
            (found, opens.count_from(first))
        };
        page(files, &found, total)
    }

    fn opens(&self) -> MutexGuard<'_, Counted<Numbered>> {
        self.opens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
