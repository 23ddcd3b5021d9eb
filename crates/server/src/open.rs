//! Open ([MS-SMB2] 3.3.1.10), GlobalOpenTable, and the share modes of a share's files.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use smb::NtStatus;
use smb::wire::{access_mask, share_access};

use crate::application::{OpenRow, Page, SessionGlobalId};
use crate::counted::{Counted, Keyed};
use crate::pending::Ticket;
use crate::pipe::Pipe;
use crate::session::Session;
use crate::share::name::Pattern;
use crate::share::{FileHandle, FileKey, SharePath};
use crate::tree_connect::{ShareKind, TreeConnect};

pub(crate) struct Open {
    /// OpenGlobalId: what NetrFileEnum shows and NetrFileClose takes. Never 0.
    pub(crate) id: u32,
    /// FileId.Volatile: key of Session.OpenTable.
    pub(crate) volatile: u64,
    pub(crate) session: Weak<Session>,
    pub(crate) tree_connect: Arc<TreeConnect>,
    pub(crate) granted_access: u32,
    pub(crate) kind: OpenKind,
    closed: AtomicBool,
    announced: AtomicBool,
}

pub(crate) enum OpenKind {
    File(FileOpen),
    Pipe(PipeOpen),
}

pub(crate) struct FileOpen {
    pub(crate) handle: Arc<dyn FileHandle>,
    pub(crate) key: FileKey,
    pub(crate) is_directory: bool,
    pub(crate) delete_on_close: AtomicBool,
    /// FileModeInformation bits.
    pub(crate) mode: AtomicU32,
    /// FilePositionInformation: kept for the client, used by nothing.
    pub(crate) position: AtomicU64,
    /// A running enumeration; boxed because most opens have none.
    pub(crate) enumeration: Mutex<Option<Box<Enumeration>>>,
}

/// State of QUERY_DIRECTORY on one open.
pub(crate) struct Enumeration {
    pub(crate) names: std::vec::IntoIter<String>,
    /// An entry that did not fit the last answer.
    pub(crate) left_over: Option<String>,
    pub(crate) pattern: Pattern,
    /// Something was returned: the end is NO_MORE_FILES, else NO_SUCH_FILE.
    pub(crate) any: bool,
}

pub(crate) struct PipeOpen {
    pub(crate) name: Arc<str>,
    pub(crate) state: Mutex<PipeState>,
}

pub(crate) struct PipeState {
    /// `None` while a request works on it, and once closed.
    pub(crate) pipe: Option<Box<dyn Pipe>>,
    /// READs that wait for data, oldest first.
    pub(crate) readers: VecDeque<Ticket>,
    /// Closed: whoever works on the pipe now drops it when done.
    pub(crate) closed: bool,
}

impl PipeOpen {
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
    pub(crate) fn with<T>(
        &self,
        close_after_reply: &mut Vec<SessionGlobalId>,
        work: impl FnOnce(&mut dyn Pipe) -> T,
    ) -> Result<T, NtStatus> {
        let mut pipe = {
            let mut state = self.state();
            if state.closed {
                return Err(NtStatus::PIPE_DISCONNECTED);
            }
            state.pipe.take().ok_or(NtStatus::PIPE_BUSY)?
        };
        let result = work(&mut *pipe);
        let mut state = self.state();
        if state.closed || pipe.available() == 0 {
            close_after_reply.extend(pipe.take_close_after_reply());
        }
        if !state.closed {
            state.pipe = Some(pipe);
        }
        Ok(result)
    }
}

impl Open {
    pub(crate) fn new(
        id: u32,
        session: &Arc<Session>,
        tree_connect: Arc<TreeConnect>,
        granted_access: u32,
        kind: OpenKind,
    ) -> Self {
        Self {
            id,
            volatile: session.id.0 << 32 | u64::from(id),
            session: Arc::downgrade(session),
            tree_connect,
            granted_access,
            kind,
            closed: AtomicBool::new(false),
            announced: AtomicBool::new(false),
        }
    }

    /// True for the first caller only, who then closes it.
    pub(crate) fn begin_close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    /// The client knows it: breaks may be sent.
    #[allow(dead_code)]
    pub(crate) fn is_announced(&self) -> bool {
        self.announced.load(Ordering::Acquire)
    }

    pub(crate) fn set_announced(&self) {
        self.announced.store(true, Ordering::Release);
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

    /// Path within the share, as the file is called now.
    pub(crate) fn path(&self) -> SharePath {
        match (&self.kind, &self.tree_connect.share.kind) {
            (OpenKind::File(file), ShareKind::Disk { files, .. }) => {
                files.path(file.key).unwrap_or_default()
            }
            _ => SharePath::default(),
        }
    }

    /// Closing it may remove the file.
    pub(crate) fn will_delete(&self) -> bool {
        match (&self.kind, &self.tree_connect.share.kind) {
            (OpenKind::File(file), ShareKind::Disk { files, .. }) => {
                file.delete_on_close.load(Ordering::Relaxed) || files.is_delete_pending(file.key)
            }
            _ => false,
        }
    }

    fn row(&self) -> Option<OpenRow> {
        let session = self.session.upgrade()?;
        let path_name = match (&self.kind, &self.tree_connect.share.kind) {
            (OpenKind::Pipe(pipe), _) => format!("\\PIPE\\{}", pipe.name),
            (OpenKind::File(_), ShareKind::Disk { backend, .. }) => {
                let path = self.path();
                if path.is_root() {
                    backend.local_path()
                } else {
                    format!(
                        "{}/{}",
                        backend.local_path().trim_end_matches('/'),
                        path.to_local()
                    )
                }
            }
            (OpenKind::File(_), ShareKind::Pipe) => String::new(),
        };
        let mut permissions = 0;
        if self.granted_access & (access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE) != 0 {
            permissions |= 1;
        }
        if self.granted_access & (access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA) != 0
        {
            permissions |= 2;
        }
        Some(OpenRow {
            id: self.id,
            session: session.id,
            path_name,
            user_name: session.security_context.user_name.clone(),
            client_name: session.connection.client_name.clone(),
            permissions,
            num_locks: 0,
        })
    }
}

/// Opens with an id greater than `after` of the sessions told, at most `limit` rows: costs
/// what these sessions have open.
pub(crate) fn query_of(
    each_session: impl FnOnce(&mut dyn FnMut(&Session)),
    after: u32,
    limit: usize,
) -> Page<OpenRow> {
    let mut found = Vec::new();
    each_session(&mut |session| {
        let tables = session.tables();
        let behind = tables.opens.values().filter(|open| open.id > after);
        found.extend(behind.cloned());
    });
    found.sort_unstable_by_key(|open| open.id);
    let total = found.len();
    found.truncate(limit);
    page(&found, total)
}

fn page(found: &[Arc<Open>], total: usize) -> Page<OpenRow> {
    Page {
        rows: found.iter().filter_map(|open| open.row()).collect(),
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

    pub(crate) fn row(&self, id: u32) -> Option<OpenRow> {
        self.get(id)?.row()
    }

    pub(crate) fn query(&self, mut after: u32, limit: usize) -> Page<OpenRow> {
        loop {
            let (found, total) = {
                let opens = self.opens();
                let first = u64::from(after) + 1;
                let behind = opens.iter_from(first).take(limit);
                let found: Vec<_> = behind.map(|one| one.open.clone()).collect();
                (found, opens.count_from(first))
            };
            let page = page(&found, total);
            match found.last() {
                // All of them were closed meanwhile: an empty page would be the end.
                Some(last) if page.rows.is_empty() => after = last.id,
                _ => return page,
            }
        }
    }

    fn opens(&self) -> MutexGuard<'_, Counted<Numbered>> {
        self.opens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The open files of one share: share modes, delete-pending and current names.
#[derive(Default)]
pub(crate) struct FileTable(Mutex<HashMap<FileKey, FileState>>);

struct FileState {
    /// (open id, granted access, share access).
    opens: Vec<(u32, u32, u32)>,
    delete_pending: bool,
    path: SharePath,
}

impl FileTable {
    /// Registers an open if share modes allow it ([MS-FSA] 2.1.5.1.2.2).
    pub(crate) fn open(
        &self,
        key: FileKey,
        id: u32,
        access: u32,
        share_access: u32,
        path: &SharePath,
    ) -> Result<(), NtStatus> {
        let mut files = self.files();
        let state = files.entry(key).or_insert_with(|| FileState {
            opens: Vec::new(),
            delete_pending: false,
            path: path.clone(),
        });
        if state.delete_pending {
            return Err(NtStatus::DELETE_PENDING);
        }
        // Opens without any of these rights neither ask nor give leave.
        let conflict = is_guarded(access)
            && state.opens.iter().any(|&(_, held, shared)| {
                is_guarded(held) && (excludes(access, shared) || excludes(held, share_access))
            });
        if conflict {
            return Err(NtStatus::SHARING_VIOLATION);
        }
        state.opens.push((id, access, share_access));
        Ok(())
    }

    /// Forgets an open. True if the file has to be unlinked now.
    pub(crate) fn close(&self, key: FileKey, id: u32, delete: bool) -> bool {
        let mut files = self.files();
        let Some(state) = files.get_mut(&key) else {
            return false;
        };
        state.opens.retain(|&(open, _, _)| open != id);
        state.delete_pending |= delete;
        if !state.opens.is_empty() {
            return false;
        }
        files.remove(&key).is_some_and(|state| state.delete_pending)
    }

    pub(crate) fn set_delete_pending(&self, key: FileKey, pending: bool) {
        if let Some(state) = self.files().get_mut(&key) {
            state.delete_pending = pending;
        }
    }

    pub(crate) fn is_delete_pending(&self, key: FileKey) -> bool {
        self.files()
            .get(&key)
            .is_some_and(|state| state.delete_pending)
    }

    /// May the open `id` rename the file? Others must share deletion.
    pub(crate) fn others_share_delete(&self, key: FileKey, id: u32) -> bool {
        self.files().get(&key).is_none_or(|state| {
            state.opens.iter().all(|&(open, access, shared)| {
                open == id || !is_guarded(access) || shared & share_access::FILE_SHARE_DELETE != 0
            })
        })
    }

    /// Is anything below this directory open?
    pub(crate) fn any_open_below(&self, directory: &SharePath) -> bool {
        self.files()
            .values()
            .any(|state| !state.path.same_as(directory) && state.path.starts_with(directory))
    }

    pub(crate) fn path(&self, key: FileKey) -> Option<SharePath> {
        self.files().get(&key).map(|state| state.path.clone())
    }

    pub(crate) fn set_path(&self, key: FileKey, path: SharePath) {
        if let Some(state) = self.files().get_mut(&key) {
            state.path = path;
        }
    }

    fn files(&self) -> MutexGuard<'_, HashMap<FileKey, FileState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does an open with `access` have rights that share modes speak of?
fn is_guarded(access: u32) -> bool {
    access
        & (access_mask::FILE_READ_DATA
            | access_mask::FILE_WRITE_DATA
            | access_mask::FILE_APPEND_DATA
            | access_mask::FILE_EXECUTE
            | access_mask::DELETE)
        != 0
}

/// Does `access` ask for what `shared` does not give?
fn excludes(access: u32, shared: u32) -> bool {
    access & (access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE) != 0
        && shared & share_access::FILE_SHARE_READ == 0
        || access & (access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA) != 0
            && shared & share_access::FILE_SHARE_WRITE == 0
        || access & access_mask::DELETE != 0 && shared & share_access::FILE_SHARE_DELETE == 0
}
