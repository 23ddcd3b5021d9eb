//! Opening and creating files and directories.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock};

use smb::NtStatus;
use smb::wire::create_context::{self, Lease};
use smb::wire::{
    CreateRequest, access_mask, create_action, create_disposition, create_options, file_attributes,
    lease_flags, oplock_level,
};

use super::FileCreated;
use super::plan::Plan;
use super::rights::{self, NewSecurity};
use crate::changes::ParentLease;
use crate::connection::ea;
use crate::core::Core;
use crate::file::{
    CachingRequest, CreateEffect, Effects, File, FileIdentity, FileName, GrantedCaching,
    LeaseRequest, OpenOutcome, OpenRequest, OplockLevel, Unlink,
};
use crate::open::{FileOpen, OpenKind};
use crate::request::Wait;
use crate::request::{Failure, Request};
use crate::share::SETTABLE_ATTRIBUTES;
use crate::share::local::inotify::OwnChange;
use crate::share::{
    Backend, CreateMode, ExtendedAttribute, FileKind, FileStat, KindWanted, OpenParameters, Opened,
    SharePath, StoreError, StoreResult, StreamName, Waiting, caught,
};
use crate::tree_connect::TreeConnect;

/// Where a file is opened, and for whom.
pub(super) struct Place<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) request: &'a Request<'a>,
    pub(super) tree: &'a TreeConnect,
    pub(super) backend: &'a dyn Backend,
    /// The name is that of no file ([`SharePath::names_a_directory`]).
    pub(super) only_directory: bool,
    /// The name is that of the data of a file ([`SharePath::names_data`]).
    pub(super) only_data: bool,
    pub(super) waiting: Waiting,
}

impl Place<'_> {
    /// [MS-SMB2] 3.3.5.9 and [MS-FSA] 2.1.5.1.
    pub(super) fn open(
        &self,
        create: &CreateRequest<'_>,
        path: &SharePath,
        stream: Option<&StreamName>,
    ) -> Result<FileCreated, Failure> {
        let &Place {
            core,
            backend,
            waiting,
            ..
        } = self;
        let session = self.request.session()?;
        let mut plan = Plan::new(create, self.tree, rights::privileges(session, create).0)?;
        let new_security = NewSecurity::new(session, create)?;
        let attributes = ea::of_create(create, backend)?;
        let caching = self.caching(create)?;
        if let CachingRequest::Lease(lease) = &caching {
            // Before anything is created.
            let name = FileName::new(&backend.local_path(), path);
            core.files
                .check_lease_key(lease.client_guid, lease.lease_key, &name)?;
        }
        let parent_lease = match &caching {
            CachingRequest::Lease(lease) => lease
                .parent_lease_key
                .map(|parent| (lease.client_guid, parent)),
            _ => None,
        };
        if plan.mode != CreateMode::Existing
            && core
                .files
                .is_directory_doomed(&FileName::new(&backend.local_path(), path))
        {
            return Err(NtStatus::DELETE_PENDING.into());
        }
        let expected = match stream {
            None => self.expect(&plan, path),
            // A file that its stream makes is told as the machine tells it.
            Some(_) => None,
        };
        let (mode, kind) = self.mode_and_kind(&plan)?;
        let parameters = OpenParameters {
            path,
            mode,
            kind,
            read: plan.access & (access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE) != 0,
            write: plan.writes(),
            attributes: create.file_attributes & SETTABLE_ATTRIBUTES,
            identity: None,
            creation: Some(&new_security),
            stream: stream.map(StreamName::as_str),
        };
        let opened = caught(|| backend.open(&parameters, waiting));
        if let Some(name) = expected
            && !opened.as_ref().is_ok_and(|opened| opened.created)
        {
            core.unexpect(&name, OwnChange::Created);
        }
        let opened = opened.map_err(|error| {
            let error = self.refusal(error, &plan, path);
            self.refusal_of_a_file(&plan, error)
        })?;
        let stat = opened.handle.stat(waiting)?;
        if !opened.created {
            plan.check_existing(create, &stat)
                .map_err(|status| self.or_doomed(status, &opened, &stat))?;
            self.check_rights(create, &mut plan, &opened, &stat)
                .map_err(|failure| match failure {
                    Failure::Status(status) => self.or_doomed(status, &opened, &stat).into(),
                    failure => failure,
                })?;
            self.check_ea_knowledge(create, &opened, &stat)?;
            if plan.overwrites && waiting == Waiting::Refused && opened.handle.changes_wait() {
                // Before anybody's cache is broken for it.
                return Err(Failure::WouldWait);
            }
        }
        if plan.delete_on_close && path.is_root() {
            return Err(NtStatus::CANNOT_DELETE.into());
        }
        let id = core.opens.allocate();
        let file_and_caching = self.admit(create, &plan, &opened, &stat, id, caching);
        let (file, caching) = match file_and_caching {
            Ok(granted) => granted,
            Err(failure) => {
                core.give_up(id);
                return Err(failure);
            }
        };
        let is_directory = stat.kind == FileKind::Directory;
        let maximal_access = match self.maximal_access(create, &opened, &stat) {
            Ok(access) => access,
            Err(failure) => {
                self.undo(&opened, &file, id);
                return Err(failure);
            }
        };
        let settled = caught(|| self.settle(create, &plan, &opened, stat, &attributes, caching));
        let mut stat = match settled {
            Ok(stat) => stat,
            Err(error) => {
                self.undo(&opened, &file, id);
                return Err(error.into());
            }
        };
        if plan.overwrites {
            file.write_time().resized(self.request.now);
        }
        file.write_time().show(&mut stat, self.request.now);
        self.tell(&plan, &opened, is_directory, parent_lease);
        let action = match (opened.created, create.create_disposition) {
            (true, _) => create_action::FILE_CREATED,
            (false, create_disposition::FILE_SUPERSEDE) => create_action::FILE_SUPERSEDED,
            (false, _) if plan.overwrites => create_action::FILE_OVERWRITTEN,
            _ => create_action::FILE_OPENED,
        };
        Ok(FileCreated {
            id,
            kind: OpenKind::File(FileOpen {
                handle: opened.handle,
                file,
                is_directory,
                written: AtomicU32::new(0),
                lock_sequences: Mutex::default(),
                lock_charges: Mutex::default(),
                listing_charge: Mutex::default(),
                watch_charge: OnceLock::new(),
                parent_lease: parent_lease.map(Box::new),
                mode: AtomicU32::new(create.create_options & 0x3E),
                position: AtomicU64::new(0),
                keeps_change_time: AtomicBool::new(false),
                next_ea: AtomicU32::new(0),
                enumeration: Mutex::default(),
            }),
            granted_access: plan.access,
            maximal_access,
            action,
            stat,
            caching,
        })
    }

    /// Why a file cannot be opened as it is: its pending deletion comes first, if there is one.
    fn or_doomed(&self, status: NtStatus, opened: &Opened, stat: &FileStat) -> NtStatus {
        match self.core.files.is_doomed(&self.identity(opened, stat)) {
            true => NtStatus::DELETE_PENDING,
            false => status,
        }
    }

    /// Why the store did not open it: nothing is found in a directory that is to be deleted,
    /// and that a name is a directory's comes before that it is taken ([MS-FSA] 2.1.5.1
    /// phases 6 and 7).
    fn refusal(&self, error: StoreError, plan: &Plan, path: &SharePath) -> StoreError {
        let name = || FileName::new(&self.backend.local_path(), path);
        match error {
            StoreError::Status(NtStatus::OBJECT_NAME_NOT_FOUND)
                if self.core.files.is_directory_doomed(&name()) =>
            {
                NtStatus::DELETE_PENDING.into()
            }
            StoreError::Status(NtStatus::OBJECT_NAME_COLLISION)
                if plan.kind == KindWanted::File =>
            {
                let existing = self
                    .backend
                    .open(&OpenParameters::look(path, KindWanted::File), self.waiting);
                match existing {
                    Err(StoreError::Status(NtStatus::FILE_IS_A_DIRECTORY)) => {
                        NtStatus::FILE_IS_A_DIRECTORY.into()
                    }
                    Err(StoreError::WouldWait) => StoreError::WouldWait,
                    _ => error,
                }
            }
            error => error,
        }
    }

    /// How the store is to open it. By a name that ends with a separator no file is opened or
    /// made, by one that ends with the type of data no directory ([MS-FSA] 2.1.5.1, phases 1
    /// and 7).
    fn mode_and_kind(&self, plan: &Plan) -> Result<(CreateMode, KindWanted), NtStatus> {
        if self.only_data {
            return match plan.kind {
                KindWanted::Directory => Err(NtStatus::NOT_A_DIRECTORY),
                KindWanted::Any | KindWanted::File => Ok((plan.mode, KindWanted::File)),
            };
        }
        match (self.only_directory, plan.kind) {
            (true, KindWanted::File) => Err(NtStatus::OBJECT_NAME_INVALID),
            (true, KindWanted::Any) if plan.mode != CreateMode::CreateNew => {
                Ok((CreateMode::Existing, KindWanted::Directory))
            }
            (true, KindWanted::Any) => Err(NtStatus::OBJECT_NAME_INVALID),
            _ => Ok((plan.mode, plan.kind)),
        }
    }

    /// What a client hears when a name that ends with a separator has opened nothing.
    fn refusal_of_a_file(&self, plan: &Plan, error: StoreError) -> StoreError {
        let would_be_file = self.only_directory && plan.kind == KindWanted::Any;
        match error {
            StoreError::Status(NtStatus::NOT_A_DIRECTORY) if would_be_file => {
                NtStatus::OBJECT_NAME_INVALID.into()
            }
            StoreError::Status(NtStatus::OBJECT_NAME_NOT_FOUND)
                if would_be_file && plan.mode != CreateMode::Existing =>
            {
                NtStatus::OBJECT_NAME_INVALID.into()
            }
            error => error,
        }
    }

    fn identity(&self, opened: &Opened, stat: &FileStat) -> FileIdentity {
        let stream = opened.handle.stream_name();
        FileIdentity {
            store: self.backend.store(),
            key: stat.key,
            stream: stream.map(|stream| stream.folded().into()),
        }
    }

    /// [MS-FSA] 2.1.5.1.2: some files are not for those who know nothing of extended
    /// attributes; a named stream of them is.
    fn check_ea_knowledge(
        &self,
        create: &CreateRequest<'_>,
        opened: &Opened,
        stat: &FileStat,
    ) -> Result<(), Failure> {
        let is_ignorant = create.create_options & create_options::FILE_NO_EA_KNOWLEDGE != 0;
        if !is_ignorant || stat.ea_size == 0 || opened.handle.stream_name().is_some() {
            return Ok(());
        }
        let attributes = opened.handle.extended_attributes(self.waiting)?;
        match attributes.iter().any(|attribute| attribute.need) {
            true => Err(NtStatus::ACCESS_DENIED.into()),
            false => Ok(()),
        }
    }

    /// What may be created is expected, if somebody watches.
    fn expect(&self, plan: &Plan, path: &SharePath) -> Option<FileName> {
        if plan.mode == CreateMode::Existing || !self.core.notifier.is_watched() {
            return None;
        }
        let name = FileName::new(&self.backend.local_path(), path);
        self.core.expect(&name, OwnChange::Created);
        Some(name)
    }

    /// Tells what has been created or overwritten.
    fn tell(&self, plan: &Plan, opened: &Opened, is_directory: bool, by: ParentLease) {
        let core = self.core;
        let is_stream = opened.handle.stream_name().is_some();
        if is_stream || !opened.created && !plan.overwrites {
            return;
        }
        let name = FileName::new(&self.backend.local_path(), &opened.path);
        if opened.created {
            core.added(&name, is_directory, by);
        } else {
            core.overwritten(&name, by);
        }
    }

    /// The oplock or lease that is asked for.
    fn caching(&self, create: &CreateRequest<'_>) -> Result<CachingRequest, NtStatus> {
        if create.requested_oplock_level != oplock_level::SMB2_OPLOCK_LEVEL_LEASE {
            let level = OplockLevel::from_wire(create.requested_oplock_level);
            return Ok(match level {
                OplockLevel::None => CachingRequest::None,
                level => CachingRequest::Oplock(level),
            });
        }
        let name = create_context::name::SMB2_CREATE_REQUEST_LEASE;
        let Some(context) = create.contexts.find(name) else {
            // [MS-SMB2] 3.3.5.9: an oplock of level LEASE without a lease is none.
            return Ok(CachingRequest::None);
        };
        let negotiated = self.request.negotiated.ok_or(NtStatus::INVALID_PARAMETER)?;
        if negotiated.dialect < 0x0210 {
            return Ok(CachingRequest::None);
        }
        let lease = Lease::read(context.data).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        // The second version came with dialect 3.0.
        let version_2 = lease.version_2.filter(|_| negotiated.dialect >= 0x0300);
        let has_parent = lease.lease_flags & lease_flags::SMB2_LEASE_FLAG_PARENT_LEASE_KEY_SET != 0;
        Ok(CachingRequest::Lease(LeaseRequest {
            client_guid: negotiated.client_guid,
            lease_key: lease.lease_key,
            parent_lease_key: version_2.map(|(parent, _)| parent).filter(|_| has_parent),
            state: lease.lease_state,
            version: if version_2.is_some() { 2 } else { 1 },
            epoch: version_2.map_or(0, |(_, epoch)| epoch),
        }))
    }

    /// Share modes and caches of others.
    fn admit(
        &self,
        create: &CreateRequest<'_>,
        plan: &Plan,
        opened: &Opened,
        stat: &FileStat,
        id: u32,
        caching: CachingRequest,
    ) -> Result<(Arc<File>, GrantedCaching), Failure> {
        let &Place { core, backend, .. } = self;
        if !matches!(caching, CachingRequest::None) {
            core.begin_open(id);
        }
        let effect = match (opened.created, create.create_disposition) {
            (true, _) => CreateEffect::Created,
            (false, create_disposition::FILE_SUPERSEDE) => CreateEffect::Superseded,
            (false, _) if plan.overwrites => CreateEffect::Overwritten,
            _ => CreateEffect::Opened,
        };
        let mut effects = Effects::default();
        let outcome = core.files.open(
            &OpenRequest {
                identity: &self.identity(opened, stat),
                open: id,
                name: &FileName::new(&backend.local_path(), &opened.path),
                is_directory: stat.kind == FileKind::Directory,
                access: plan.access,
                share_access: create.share_access,
                effect,
                delete_on_close: plan.delete_on_close,
                caching,
                ticket: self.request.ticket,
                again: self.request.again,
            },
            core.instant(),
            &mut effects,
        );
        core.carry_out(effects);
        match outcome {
            OpenOutcome::Granted { file, caching } => Ok((file, caching)),
            OpenOutcome::Refused(status) => Err(status.into()),
            OpenOutcome::Wait { file, until } => {
                Err(Failure::Waits(Wait::Break(file), Some(until.into())))
            }
        }
    }

    /// What the disposition does to a file that others let us have.
    fn settle(
        &self,
        create: &CreateRequest<'_>,
        plan: &Plan,
        opened: &Opened,
        stat: FileStat,
        attributes: &[ExtendedAttribute],
        caching: GrantedCaching,
    ) -> StoreResult<FileStat> {
        let waiting = self.waiting;
        let overwritten = !opened.created && plan.overwrites;
        if (opened.created || overwritten) && !attributes.is_empty() {
            // They may not fit: before the content goes.
            opened
                .handle
                .change_extended_attributes(attributes, waiting)?;
        }
        if overwritten {
            opened.handle.set_end_of_file(0, waiting)?;
        }
        // Attributes are the file's, whatever becomes of its streams.
        if overwritten && opened.handle.stream_name().is_none() {
            opened.handle.set_attributes(
                create.file_attributes & SETTABLE_ATTRIBUTES
                    | file_attributes::FILE_ATTRIBUTE_ARCHIVE,
                waiting,
            )?;
        }
        let is_new = opened.created || overwritten;
        if is_new
            && stat.kind == FileKind::File
            && let Some(size) = allocation_size(create)
        {
            opened.handle.set_allocation(size, waiting)?;
        }
        // Who may cache the file, or has waited for others, learns what it is now.
        let is_stale = self.request.again || !matches!(caching, GrantedCaching::None);
        if is_new || is_stale {
            opened.handle.stat(waiting)
        } else {
            Ok(stat)
        }
    }

    /// An open that the table let in has come to nothing.
    fn undo(&self, opened: &Opened, file: &Arc<File>, id: u32) {
        let core = self.core;
        core.give_up(id);
        if opened.created {
            file.set_delete_pending(true);
        }
        let mut effects = Effects::default();
        let closed = core.files.close(file, id, core.instant(), &mut effects);
        let mut unlink = closed.unlink;
        while let Some(gone) = unlink {
            let file = match &gone {
                Unlink::File(file) => {
                    let _ = caught(|| opened.handle.unlink_file(self.waiting));
                    file
                }
                Unlink::Stream(file) => {
                    let _ = caught(|| opened.handle.unlink(self.waiting));
                    file
                }
            };
            unlink = core.files.removed(file);
        }
        core.carry_out(effects);
    }
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
