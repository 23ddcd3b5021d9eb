//! CREATE ([MS-SMB2] 3.3.5.9).

mod file;
mod plan;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use smb::NtStatus;
use smb::wire::create_context::{self, Lease, MaximalAccess, QueryOnDiskId};
use smb::wire::{
    CreateContext, CreateContexts, CreateRequest, CreateResponse, create_action, file_attributes,
    lease_flags, oplock_level,
};

use crate::application::{CloseReason, EventKind, Interest};
use crate::budget::Cost;
use crate::core::Core;
use crate::file::{GrantedCaching, GrantedLease};
use crate::open::{Open, OpenKind, PipeOpen};
use crate::pipe::Caller;
use crate::request::{Answer, Done, Request};
use crate::share::{FileKind, FileStat, ShareKind, SharePath, Waiting};
use plan::granted;

/// What an open of a file came to.
struct FileCreated {
    id: u32,
    kind: OpenKind,
    granted_access: u32,
    action: u32,
    stat: FileStat,
    caching: GrantedCaching,
}

pub(super) fn create(
    core: &Arc<Core>,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let create = CreateRequest::read(request.message).map_err(|error| match error {
        smb::wire::Error::OddLength { .. } => NtStatus::OBJECT_NAME_INVALID,
        _ => NtStatus::INVALID_PARAMETER,
    })?;
    let session = request.session()?;
    let tree = request.tree_connect()?;
    if create.impersonation_level > 3 {
        return Err(NtStatus::BAD_IMPERSONATION_LEVEL.into());
    }
    if session.tables().opens.len() >= core.config.limits.opens_per_session {
        return Err(NtStatus::TOO_MANY_OPENED_FILES.into());
    }
    let cost = if tree.share.is_pipe() {
        Cost::PIPE
    } else {
        Cost::FILE
    };
    let charge = session.account.charge(cost).map_err(NtStatus::from)?;
    let name = create
        .name
        .to_string()
        .map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
    let created = match &tree.share.kind {
        ShareKind::Pipe => open_pipe(core, request, &create, &name)?,
        ShareKind::Disk { backend } => {
            refuse_contexts(&create)?;
            let (path, stream) = SharePath::parse_with_stream(&name)?;
            let place = file::Place {
                core,
                request,
                tree,
                backend: &**backend,
                only_directory: SharePath::names_a_directory(&name),
                only_data: SharePath::names_data(&name),
                waiting,
            };
            place.open(&create, &path, stream.as_ref())?
        }
    };
    let open = Arc::new(Open::new(
        created.id,
        &session.owner,
        tree.clone(),
        created.granted_access,
        created.kind,
        charge,
    ));
    tree.num_opens.fetch_add(1, Ordering::Relaxed);
    session.owner.num_opens.fetch_add(1, Ordering::Relaxed);
    core.tell(Interest::OPENS, || EventKind::Opened(open.row(&core.files)));
    core.insert(open.clone());
    let gone = {
        let mut tables = session.tables();
        if tables.closed {
            Some((NtStatus::USER_SESSION_DELETED, CloseReason::SessionEnd))
        } else if tables.tree_connects.get(tree.id).is_none() {
            Some((NtStatus::NETWORK_NAME_DELETED, CloseReason::TreeDisconnect))
        } else {
            tables.opens.insert(open.volatile, open.clone());
            None
        }
    };
    if let Some((status, reason)) = gone {
        // Ended by somebody while this was under way.
        core.close_open(&open, reason, waiting);
        return Err(status.into());
    }

    let maximal_access;
    let on_disk_id;
    let lease;
    let mut contexts = [CreateContext::default(); 3];
    let mut count = 0;
    let mut answer = |name: &'static [u8], data| {
        contexts[count] = CreateContext { name, data };
        count += 1;
    };
    if let OpenKind::File(file) = &open.kind {
        let asked = |name| create.contexts.find(name).is_some();
        if asked(create_context::name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST) {
            maximal_access = MaximalAccess {
                query_status: NtStatus::SUCCESS,
                maximal_access: tree.maximal_access,
            }
            .to_bytes();
            answer(
                create_context::name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST,
                &maximal_access[..],
            );
        }
        if asked(create_context::name::SMB2_CREATE_QUERY_ON_DISK_ID) {
            let key = file.file.identity().key;
            on_disk_id = QueryOnDiskId {
                disk_file_id: key.inode,
                volume_id: key.device,
            }
            .to_bytes();
            answer(
                create_context::name::SMB2_CREATE_QUERY_ON_DISK_ID,
                &on_disk_id[..],
            );
        }
        if let GrantedCaching::Lease(granted) = &created.caching {
            if let Some(negotiated) = request.negotiated {
                core.add_lease_client(negotiated.client_guid, session.owner.connection);
            }
            lease = lease_context(granted).to_bytes();
            answer(create_context::name::SMB2_CREATE_REQUEST_LEASE, &lease);
        }
    }
    let file_id = open.file_id();
    let stat = created.stat;
    CreateResponse {
        oplock_level: match created.caching {
            GrantedCaching::None => oplock_level::SMB2_OPLOCK_LEVEL_NONE,
            GrantedCaching::Oplock(level) => level.to_wire(),
            GrantedCaching::Lease(_) => oplock_level::SMB2_OPLOCK_LEVEL_LEASE,
        },
        flags: 0,
        create_action: created.action,
        file: stat.network_open(),
        file_id,
        contexts: CreateContexts::from(&contexts[..count]),
    }
    .write(out);
    let mut done = Done::from(NtStatus::SUCCESS);
    done.file = Some(file_id);
    done.announces = Some(open);
    Ok(done)
}

fn lease_context(granted: &GrantedLease) -> Lease {
    let mut lease_flags = 0;
    if granted.break_in_progress {
        lease_flags |= lease_flags::SMB2_LEASE_FLAG_BREAK_IN_PROGRESS;
    }
    if granted.version > 1 && granted.parent_lease_key.is_some() {
        lease_flags |= lease_flags::SMB2_LEASE_FLAG_PARENT_LEASE_KEY_SET;
    }
    Lease {
        lease_key: granted.lease_key,
        lease_state: granted.state,
        lease_flags,
        version_2: (granted.version > 1)
            .then(|| (granted.parent_lease_key.unwrap_or_default(), granted.epoch)),
    }
}

fn open_pipe(
    core: &Arc<Core>,
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
        let pipes = core.pipes.read().unwrap_or_else(PoisonError::into_inner);
        pipes
            .get(key.as_str())
            .cloned()
            .ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?
    };
    let pipe = service.open(Caller {
        session: session.id,
        security_context: session.security_context.clone(),
        client_name: session.owner.client_name.clone(),
        application: core.clone(),
    })?;
    let tree = request.tree_connect()?;
    let held = session.account.charge(Cost::bytes(0))?;
    Ok(FileCreated {
        id: core.opens.allocate(),
        kind: OpenKind::Pipe(PipeOpen::new(key.into(), Some(pipe), held)),
        granted_access: granted(create.desired_access, tree.maximal_access)?,
        action: create_action::FILE_OPENED,
        stat: pipe_stat(),
        caching: GrantedCaching::None,
    })
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
    Ok(())
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
        ea_size: 0,
    }
}
