//! CREATE and CLOSE ([MS-SMB2] 3.3.5.9, 3.3.5.10).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use smb::NtStatus;
use smb::wire::create_context::{self, MaximalAccess, QueryOnDiskId};
use smb::wire::{
    CloseRequest, CloseResponse, CreateContext, CreateContexts, CreateRequest, CreateResponse,
    FileId, access_mask, close, create_action, create_disposition, create_options, file_attributes,
};

use super::Connection;
use super::dispatch::{Answer, Done, Request};
use crate::open::{FileOpen, FileTable, Open, OpenKind, PipeOpen, PipeState};
use crate::pipe::Caller;
use crate::share::{
    Backend, CreateMode, FileKind, FileStat, KindWanted, OpenParameters, SharePath,
};
use crate::tree_connect::{ShareKind, TreeConnect};

/// STATUS_BAD_IMPERSONATION_LEVEL.
const BAD_IMPERSONATION_LEVEL: NtStatus = NtStatus(0xC000_00A5);

/// Rights that would change a store.
const CHANGING: u32 = access_mask::FILE_WRITE_DATA
    | access_mask::FILE_APPEND_DATA
    | access_mask::FILE_WRITE_EA
    | access_mask::FILE_WRITE_ATTRIBUTES
    | access_mask::FILE_DELETE_CHILD
    | access_mask::DELETE
    | access_mask::WRITE_DAC
    | access_mask::WRITE_OWNER;

/// CreateOptions that a server of this kind does not have ([MS-SMB2] 2.2.13).
const OPTIONS_NOT_SUPPORTED: u32 =
    create_options::FILE_OPEN_BY_FILE_ID | create_options::FILE_RESERVE_OPFILTER;
/// Bits that CreateOptions has at all.
const OPTIONS_KNOWN: u32 = 0x00FF_FFFF;

/// File attributes a client may set ([MS-FSCC] 2.6).
pub(super) const SETTABLE_ATTRIBUTES: u32 = file_attributes::FILE_ATTRIBUTE_READONLY
    | file_attributes::FILE_ATTRIBUTE_HIDDEN
    | file_attributes::FILE_ATTRIBUTE_SYSTEM
    | file_attributes::FILE_ATTRIBUTE_ARCHIVE;

/// What an open of a file came to.
struct FileCreated {
    id: u32,
    kind: OpenKind,
    granted_access: u32,
    action: u32,
    stat: FileStat,
}

impl Connection {
    pub(super) fn create(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let create = CreateRequest::read(request.message).map_err(|error| match error {
            smb::wire::Error::OddLength { .. } => NtStatus::OBJECT_NAME_INVALID,
            _ => NtStatus::INVALID_PARAMETER,
        })?;
        let session = request.session()?;
        let tree = request.tree_connect()?;
        if create.impersonation_level > 3 {
            return Err(BAD_IMPERSONATION_LEVEL);
        }
        if session.tables().opens.len() >= self.shared.config.limits.opens_per_session {
            return Err(NtStatus::TOO_MANY_OPENED_FILES);
        }
        let name = create
            .name
            .to_string()
            .map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
        let created = match &tree.share.kind {
            ShareKind::Pipe => self.open_pipe(request, &create, &name)?,
            ShareKind::Disk { backend, files } => {
                refuse_contexts(&create)?;
                let path = SharePath::parse(&name)?;
                self.open_file(&create, &path, tree, &**backend, files)?
            }
        };
        let open = Arc::new(Open::new(
            created.id,
            session,
            tree.clone(),
            created.granted_access,
            created.kind,
        ));
        tree.num_opens.fetch_add(1, Ordering::Relaxed);
        session.num_opens.fetch_add(1, Ordering::Relaxed);
        self.shared.opens.insert(open.clone());
        let closed = {
            let mut tables = session.tables();
            if !tables.closed {
                tables.opens.insert(open.volatile, open.clone());
            }
            tables.closed
        };
        if closed {
            // Ended by somebody while this was under way.
            self.shared.close_open(&open);
            return Err(NtStatus::USER_SESSION_DELETED);
        }

        let maximal_access = MaximalAccess {
            query_status: NtStatus::SUCCESS,
            maximal_access: tree.maximal_access,
        }
        .to_bytes();
        let on_disk_id;
        let mut contexts = [CreateContext::default(); 2];
        let mut count = 0;
        if let OpenKind::File(file) = &open.kind {
            on_disk_id = QueryOnDiskId {
                disk_file_id: file.key.inode,
                volume_id: file.key.device,
            }
            .to_bytes();
            let answers: [(&[u8], &[u8]); 2] = [
                (
                    create_context::name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST,
                    &maximal_access,
                ),
                (
                    create_context::name::SMB2_CREATE_QUERY_ON_DISK_ID,
                    &on_disk_id,
                ),
            ];
            for (name, data) in answers {
                if create.contexts.find(name).is_some() {
                    contexts[count] = CreateContext { name, data };
                    count += 1;
                }
            }
        }
        let file_id = FileId {
            persistent: u64::from(open.id),
            volatile: open.volatile,
        };
        let stat = created.stat;
        CreateResponse {
            // Oplocks and leases come later; until then none is granted.
            oplock_level: 0,
            flags: 0,
            create_action: created.action,
            creation_time: stat.creation_time,
            last_access_time: stat.last_access_time,
            last_write_time: stat.last_write_time,
            change_time: stat.change_time,
            allocation_size: stat.allocation_size,
            end_of_file: stat.end_of_file,
            file_attributes: stat.attributes,
            file_id,
            contexts: CreateContexts::from(&contexts[..count]),
        }
        .write(out);
        let mut done = Done::from(NtStatus::SUCCESS);
        done.file = Some(file_id);
        Ok(done)
    }

    fn open_pipe(
        &self,
        request: &Request<'_>,
        create: &CreateRequest<'_>,
        name: &str,
    ) -> Result<FileCreated, NtStatus> {
        let session = request.session()?;
        let bare = name.trim_start_matches('\\');
        // Some clients name the file system's directory of pipes too.
        let bare = match bare.get(..5) {
            Some(prefix) if prefix.eq_ignore_ascii_case(r"pipe\") => &bare[5..],
            _ => bare,
        };
        let key = bare.to_lowercase();
        let service = {
            let pipes = self
                .shared
                .pipes
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            pipes
                .get(key.as_str())
                .cloned()
                .ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?
        };
        let pipe = service.open(Caller {
            session: session.id,
            security_context: session.security_context.clone(),
            client_name: session.connection.client_name.clone(),
            application: crate::application::Application::new(self.shared.clone()),
        })?;
        let tree = request.tree_connect()?;
        Ok(FileCreated {
            id: self.shared.opens.allocate(),
            kind: OpenKind::Pipe(PipeOpen {
                name: key.into(),
                state: Mutex::new(PipeState {
                    pipe: Some(pipe),
                    pending: VecDeque::new(),
                    closed: false,
                }),
            }),
            granted_access: granted(create.desired_access, tree.maximal_access)?,
            action: create_action::FILE_OPENED,
            stat: pipe_stat(),
        })
    }

    fn open_file(
        &self,
        create: &CreateRequest<'_>,
        path: &SharePath,
        tree: &TreeConnect,
        backend: &dyn Backend,
        files: &FileTable,
    ) -> Result<FileCreated, NtStatus> {
        let plan = Plan::new(create, tree)?;
        let opened = backend.open(&OpenParameters {
            path,
            mode: plan.mode,
            kind: plan.kind,
            read: plan.access & (access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE) != 0,
            write: plan.writes(),
            attributes: create.file_attributes & SETTABLE_ATTRIBUTES,
        })?;
        let handle = opened.handle;
        let mut stat = handle.stat()?;
        let is_directory = stat.kind == FileKind::Directory;
        if !opened.created {
            if is_directory && plan.overwrites {
                // [MS-FSA] 2.1.5.1.2: a directory cannot be overwritten.
                return Err(match create.create_disposition {
                    create_disposition::FILE_OVERWRITE_IF | create_disposition::FILE_SUPERSEDE
                        if plan.kind == KindWanted::Directory =>
                    {
                        NtStatus::INVALID_PARAMETER
                    }
                    _ => NtStatus::OBJECT_NAME_COLLISION,
                });
            }
            let read_only = stat.attributes & file_attributes::FILE_ATTRIBUTE_READONLY != 0;
            if read_only && !is_directory {
                if plan.overwrites || plan.writes() && !plan.maximum_allowed {
                    return Err(NtStatus::ACCESS_DENIED);
                }
                if plan.delete_on_close {
                    return Err(NtStatus::CANNOT_DELETE);
                }
            }
        }
        if plan.delete_on_close && path.is_root() {
            return Err(NtStatus::CANNOT_DELETE);
        }
        let id = self.shared.opens.allocate();
        // An overwriting open is an open for writing as far as others are concerned.
        let claimed = plan.access
            | if plan.overwrites {
                access_mask::FILE_WRITE_DATA
            } else {
                0
            };
        files.open(stat.key, id, claimed, create.share_access, &opened.path)?;
        let settle = || -> Result<(), NtStatus> {
            if !opened.created && plan.overwrites {
                handle.set_end_of_file(0)?;
                handle.set_attributes(
                    create.file_attributes & SETTABLE_ATTRIBUTES
                        | file_attributes::FILE_ATTRIBUTE_ARCHIVE,
                )?;
            }
            if (opened.created || plan.overwrites)
                && let Some(size) = allocation_size(create)
            {
                handle.set_allocation(size)?;
            }
            Ok(())
        };
        if let Err(status) = settle() {
            files.close(stat.key, id, opened.created);
            if opened.created {
                let _ = handle.unlink();
            }
            return Err(status);
        }
        if opened.created || plan.overwrites {
            stat = handle.stat().inspect_err(|_| {
                files.close(stat.key, id, false);
            })?;
        }
        let action = match (opened.created, create.create_disposition) {
            (true, _) => create_action::FILE_CREATED,
            (false, create_disposition::FILE_SUPERSEDE) => create_action::FILE_SUPERSEDED,
            (false, _) if plan.overwrites => create_action::FILE_OVERWRITTEN,
            _ => create_action::FILE_OPENED,
        };
        Ok(FileCreated {
            id,
            kind: OpenKind::File(FileOpen {
                handle,
                key: stat.key,
                is_directory,
                delete_on_close: AtomicBool::new(plan.delete_on_close),
                mode: AtomicU32::new(create.create_options & 0x3E),
                position: AtomicU64::new(0),
                enumeration: Mutex::default(),
            }),
            granted_access: plan.access,
            action,
            stat,
        })
    }

    pub(super) fn close(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let wanted =
            CloseRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let open = request.open(wanted.file_id)?;
        let mut response = CloseResponse::default();
        if wanted.flags & close::SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB != 0
            && let Ok(file) = open.file()
            && let Ok(stat) = file.handle.stat()
        {
            response = CloseResponse {
                flags: close::SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB,
                creation_time: stat.creation_time,
                last_access_time: stat.last_access_time,
                last_write_time: stat.last_write_time,
                change_time: stat.change_time,
                allocation_size: stat.allocation_size,
                end_of_file: stat.end_of_file,
                file_attributes: stat.attributes,
            };
        }
        request.session()?.tables().opens.remove(&open.volatile);
        if let OpenKind::Pipe(pipe) = &open.kind {
            // Sessions to be ended after the answers are ended after this one too.
            let mut ids = Vec::new();
            let taken = pipe.with(&mut ids, |instance| instance.take_close_after_reply());
            self.close_after_reply.extend(taken.unwrap_or_default());
            self.close_after_reply.extend(ids);
        }
        self.shared.close_open(&open);
        response.write(out);
        Ok(NtStatus::SUCCESS.into())
    }
}

/// What CREATE's parameters ask for, checked.
struct Plan {
    access: u32,
    maximum_allowed: bool,
    mode: CreateMode,
    kind: KindWanted,
    overwrites: bool,
    delete_on_close: bool,
}

impl Plan {
    fn new(create: &CreateRequest<'_>, tree: &TreeConnect) -> Result<Self, NtStatus> {
        use create_disposition as disposition;
        use create_options as options;
        let asked = create.create_options;
        if create.create_disposition > disposition::FILE_OVERWRITE_IF
            || asked & !OPTIONS_KNOWN != 0
            || create.share_access & !7 != 0
        {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if asked & OPTIONS_NOT_SUPPORTED != 0 {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        let kind = match (
            asked & options::FILE_DIRECTORY_FILE != 0,
            asked & options::FILE_NON_DIRECTORY_FILE != 0,
        ) {
            (true, true) => return Err(NtStatus::INVALID_PARAMETER),
            (true, false) => KindWanted::Directory,
            (false, true) => KindWanted::File,
            (false, false) => KindWanted::Any,
        };
        let (mode, overwrites) = match create.create_disposition {
            disposition::FILE_OPEN => (CreateMode::Existing, false),
            disposition::FILE_OVERWRITE => (CreateMode::Existing, true),
            disposition::FILE_CREATE => (CreateMode::CreateNew, false),
            disposition::FILE_OPEN_IF => (CreateMode::CreateIfMissing, false),
            _ => (CreateMode::CreateIfMissing, true),
        };
        if kind == KindWanted::Directory && overwrites {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let access = granted(create.desired_access, tree.maximal_access)?;
        let delete_on_close = asked & options::FILE_DELETE_ON_CLOSE != 0;
        if delete_on_close && access & access_mask::DELETE == 0 {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let maximum_allowed = create.desired_access & access_mask::MAXIMUM_ALLOWED != 0;
        if tree.share.read_only {
            if access & CHANGING != 0 || overwrites || mode == CreateMode::CreateNew {
                return Err(NtStatus::ACCESS_DENIED);
            }
            // OPEN_IF on a read-only share opens what exists.
            return Ok(Self {
                access,
                maximum_allowed,
                mode: CreateMode::Existing,
                kind,
                overwrites,
                delete_on_close,
            });
        }
        Ok(Self {
            access,
            maximum_allowed,
            mode,
            kind,
            overwrites,
            delete_on_close,
        })
    }

    fn writes(&self) -> bool {
        self.overwrites
            || self.access & (access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA) != 0
    }
}

/// GrantedAccess: generic rights mapped, all of them within what the share gives.
fn granted(desired: u32, maximal: u32) -> Result<u32, NtStatus> {
    if desired & access_mask::ACCESS_SYSTEM_SECURITY != 0 {
        return Err(NtStatus::PRIVILEGE_NOT_HELD);
    }
    let generic = [
        (access_mask::GENERIC_READ, access_mask::FILE_GENERIC_READ),
        (access_mask::GENERIC_WRITE, access_mask::FILE_GENERIC_WRITE),
        (
            access_mask::GENERIC_EXECUTE,
            access_mask::FILE_GENERIC_EXECUTE,
        ),
        (access_mask::GENERIC_ALL, access_mask::FILE_ALL_ACCESS),
        (access_mask::MAXIMUM_ALLOWED, maximal),
    ];
    let mut access = desired & access_mask::FILE_ALL_ACCESS;
    for (bit, rights) in generic {
        if desired & bit != 0 {
            access |= rights;
        }
    }
    if access == 0 || access & !maximal != 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(access)
}

/// Contexts that cannot be passed over without harm.
fn refuse_contexts(create: &CreateRequest<'_>) -> Result<(), NtStatus> {
    let has = |name| create.contexts.find(name).is_some();
    if has(create_context::name::SMB2_CREATE_TIMEWARP_TOKEN) {
        // No snapshots here.
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    }
    if has(create_context::name::SMB2_CREATE_DURABLE_HANDLE_RECONNECT)
        || has(create_context::name::SMB2_CREATE_DURABLE_HANDLE_RECONNECT_V2)
    {
        // None was ever granted.
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    }
    if has(create_context::name::SMB2_CREATE_EA_BUFFER) {
        return Err(NtStatus::EAS_NOT_SUPPORTED);
    }
    Ok(())
}

fn allocation_size(create: &CreateRequest<'_>) -> Option<u64> {
    let context = create
        .contexts
        .find(create_context::name::SMB2_CREATE_ALLOCATION_SIZE)?;
    context
        .data
        .first_chunk()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

/// A pipe has no times; its size is what Windows shows.
fn pipe_stat() -> FileStat {
    FileStat {
        kind: FileKind::File,
        key: crate::share::FileKey {
            device: 0,
            inode: 0,
        },
        creation_time: smb::FileTime(0),
        last_access_time: smb::FileTime(0),
        last_write_time: smb::FileTime(0),
        change_time: smb::FileTime(0),
        allocation_size: 4_096,
        end_of_file: 0,
        links: 1,
        attributes: file_attributes::FILE_ATTRIBUTE_NORMAL,
    }
}
