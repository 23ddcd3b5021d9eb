//! Opening: sharing is checked, caching of others is broken, and caching is granted
//! ([MS-FSA] 2.1.5.1.2, 2.1.4.12, 2.1.5.18; [MS-SMB2] 3.3.5.9, 3.3.5.9.8, 3.3.5.9.11).

use std::sync::Arc;
use std::time::Instant;

use smb::NtStatus;
use smb::wire::access_mask;

use super::caching::{BREAK_TIMEOUT, Caching, OplockLevel, breaks_no_lease, breaks_no_oplock};
use super::lease::{GrantedLease, Lease, LeaseRequest};
use super::name::FileName;
use super::names::NodeId;
use super::share_mode::denies_delete;
use super::state::{Entry, Phase, Slot, State};
use super::{Effects, File, FileIdentity, FileTable, LeaseHome, Ticket};

/// What the CREATE does to the file, if it is let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CreateEffect {
    Opened,
    /// It did not exist before.
    Created,
    Overwritten,
    Superseded,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum CachingRequest {
    None,
    Oplock(OplockLevel),
    Lease(LeaseRequest),
}

/// One attempt of a CREATE.
#[derive(Clone, Debug)]
pub(crate) struct OpenRequest<'a> {
    pub(crate) identity: &'a FileIdentity,
    /// OpenGlobalId of the open to be.
    pub(crate) open: u32,
    /// The name by which it is opened.
    pub(crate) name: &'a FileName,
    pub(crate) is_directory: bool,
    /// GrantedAccess: no generic rights.
    pub(crate) access: u32,
    pub(crate) share_access: u32,
    pub(crate) effect: CreateEffect,
    pub(crate) delete_on_close: bool,
    pub(crate) caching: CachingRequest,
    /// Who waits if it has to.
    pub(crate) ticket: Ticket,
    /// This CREATE has waited before. Who has waited for a break waits for all that follow
    /// from it; who comes anew does not wait for readers and holders of handles.
    pub(crate) again: bool,
}

pub(crate) enum OpenOutcome {
    Granted {
        file: Arc<File>,
        caching: GrantedCaching,
    },
    /// INVALID_PARAMETER, DELETE_PENDING or SHARING_VIOLATION.
    Refused(NtStatus),
    /// To be tried again from the beginning, with the same ticket, when that is ready or at
    /// `until`, when the break has run out. Who gives up, or comes back by another name,
    /// calls [`File::cancel`] on `file`. A ticket may become ready without need.
    Wait { file: Arc<File>, until: Instant },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantedCaching {
    /// Also if a lease was asked for where there is none: the answer has no lease then.
    None,
    Oplock(OplockLevel),
    Lease(GrantedLease),
}

/// The lease that a CREATE names.
#[derive(Clone, Copy)]
enum OwnLease {
    /// None is asked for.
    None,
    New,
    Existing(Slot),
    /// It belongs to another file, which is being deleted: nothing is granted.
    Elsewhere,
}

impl OwnLease {
    fn slot(self) -> Option<Slot> {
        match self {
            Self::Existing(slot) => Some(slot),
            _ => None,
        }
    }
}

impl OpenRequest<'_> {
    fn overwrites(&self) -> bool {
        matches!(
            self.effect,
            CreateEffect::Overwritten | CreateEffect::Superseded
        )
    }

    fn denies_delete(&self) -> bool {
        denies_delete(self.access, self.share_access)
    }

    /// The rights as others meet them: who overwrites, writes, and who supersedes, deletes
    /// ([MS-FSA] 2.1.5.1.2).
    fn claimed(&self) -> u32 {
        self.access
            | match self.effect {
                CreateEffect::Overwritten => access_mask::FILE_WRITE_DATA,
                CreateEffect::Superseded => access_mask::DELETE,
                CreateEffect::Opened | CreateEffect::Created => 0,
            }
    }
}

impl FileTable {
    /// Lets an open in, or says why not. The open has to be closed with
    /// [`FileTable::close`], also if it comes to nothing afterwards.
    pub(crate) fn open(
        &self,
        request: &OpenRequest<'_>,
        now: Instant,
        effects: &mut Effects,
    ) -> OpenOutcome {
        loop {
            let file = self.get_or_insert(request.identity, request.is_directory);
            let mut state = file.state();
            if state.phase == Phase::Gone {
                continue;
            }
            let mut base = file.base.as_ref().map(|base| base.state());
            if base.as_ref().is_some_and(|base| base.phase == Phase::Gone) {
                // The stream was found just before its file went.
                drop(base);
                self.discard(&file, &mut state);
                continue;
            }
            let admitted = self.admit(&file, &mut state, base.as_deref(), request, now, effects);
            let outcome = match admitted {
                Ok(caching) => {
                    if let Some(base) = &mut base {
                        base.streams += u32::from(state.opens().len() == 1);
                        base.streams_denying_delete += u32::from(request.denies_delete());
                    }
                    OpenOutcome::Granted {
                        file: file.clone(),
                        caching,
                    }
                }
                Err(Some(status)) => OpenOutcome::Refused(status),
                Err(None) => OpenOutcome::Wait {
                    file: file.clone(),
                    // Nobody waits but for a break.
                    until: state.deadline().unwrap_or(now + BREAK_TIMEOUT),
                },
            };
            file.publish(&state);
            if state.is_unused() && state.phase == Phase::Live && !state.delete_pending {
                self.discard(&file, &mut state);
                if let (Some(file), Some(base)) = (&file.base, &mut base)
                    && base.is_unused()
                    && base.phase == Phase::Live
                {
                    self.discard(file, base);
                }
            }
            return outcome;
        }
    }

    /// Errs with `None` if the request has to wait.
    fn admit(
        &self,
        file: &Arc<File>,
        state: &mut State,
        base: Option<&State>,
        request: &OpenRequest<'_>,
        now: Instant,
        effects: &mut Effects,
    ) -> Result<GrantedCaching, Option<NtStatus>> {
        state.expire(now, effects);
        state.forget(request.ticket);
        let own = self.own_lease(file, state, request)?;
        if state.is_doomed() || base.is_some_and(State::is_doomed) {
            return Err(Some(NtStatus::DELETE_PENDING));
        }
        if request.claimed() & access_mask::DELETE != 0 && state.streams_denying_delete > 0 {
            // With the file its streams would go. Windows and Samba refuse it; [MS-FSA]
            // 2.1.5.1.2.2 compares opens of one stream only.
            return Err(Some(NtStatus::SHARING_VIOLATION));
        }
        // Looked at in each attempt: a client may close a handle that it only cached.
        let shared = request.share_access;
        let conflict = state.share_modes.conflicts(request.claimed(), shared);
        if break_for_open(state, own, request, conflict, now, effects) {
            state.wait(request.ticket);
            return Err(None);
        }
        if conflict {
            return Err(Some(NtStatus::SHARING_VIOLATION));
        }
        Ok(self.grant(file, state, own, request))
    }

    /// Finds the lease that is asked for. A key must not name two files
    /// ([MS-SMB2] 3.3.5.9.8), nor two names of one.
    fn own_lease(
        &self,
        file: &Arc<File>,
        state: &State,
        request: &OpenRequest<'_>,
    ) -> Result<OwnLease, Option<NtStatus>> {
        let CachingRequest::Lease(wanted) = request.caching else {
            return Ok(OwnLease::None);
        };
        let key = (wanted.client_guid, wanted.lease_key);
        let leases = self.leases(key);
        let Some(home) = leases.get(&key) else {
            return Ok(OwnLease::New);
        };
        let is_same = Arc::ptr_eq(&home.file, file)
            && state
                .lease(home.slot)
                .is_some_and(|lease| self.names().is_called(lease.name, request.name));
        if is_same {
            Ok(OwnLease::Existing(home.slot))
        } else if home.delete_on_close {
            Ok(OwnLease::Elsewhere)
        } else {
            Err(Some(NtStatus::INVALID_PARAMETER))
        }
    }

    fn grant(
        &self,
        file: &Arc<File>,
        state: &mut State,
        own: OwnLease,
        request: &OpenRequest<'_>,
    ) -> GrantedCaching {
        let name = self.names().enter(request.name, file);
        let mut entry = Entry {
            open: request.open,
            access: request.access,
            share_access: request.share_access,
            name,
            lease: None,
            oplock: OplockLevel::None,
            delete_on_close: request.delete_on_close,
        };
        let mut granted = GrantedCaching::None;
        match request.caching {
            CachingRequest::None => {}
            CachingRequest::Oplock(level) => {
                let wanted = level.caching();
                let looks_only =
                    request.effect == CreateEffect::Opened && breaks_no_oplock(request.access);
                if !file.is_directory && !looks_only {
                    let caching = possible(file, state, None, wanted, false);
                    entry.oplock = OplockLevel::for_caching(caching);
                }
                granted = GrantedCaching::Oplock(entry.oplock);
            }
            // Directories have leases of version 2 only.
            CachingRequest::Lease(lease) if file.is_directory && lease.version < 2 => {}
            CachingRequest::Lease(lease) => {
                entry.lease = self.grant_lease(file, state, own, &lease, request, name);
            }
        }
        let slot = entry.lease;
        state.insert(entry);
        match slot.and_then(|slot| state.lease(slot)) {
            Some(lease) => GrantedCaching::Lease(lease.granted()),
            None => granted,
        }
    }

    fn grant_lease(
        &self,
        file: &Arc<File>,
        state: &mut State,
        own: OwnLease,
        wanted: &LeaseRequest,
        request: &OpenRequest<'_>,
        name: NodeId,
    ) -> Option<Slot> {
        let mut requested = Caching::from_lease_state(wanted.state);
        if file.is_directory {
            requested = requested.without(Caching::WRITE);
        }
        let caching = possible(file, state, own.slot(), requested, true);
        let slot = match own {
            OwnLease::None | OwnLease::Elsewhere => return None,
            OwnLease::Existing(slot) => {
                state.with_lease(slot, |lease| lease.upgrade(requested, caching));
                slot
            }
            OwnLease::New => {
                self.count_lease(file, 1);
                state.add_lease(Lease::new(wanted, caching, request.open, name))
            }
        };
        let key = (wanted.client_guid, wanted.lease_key);
        let mut leases = self.leases(key);
        let home = leases.entry(key).or_insert_with(|| LeaseHome {
            file: file.clone(),
            slot,
            delete_on_close: false,
        });
        home.delete_on_close |= request.delete_on_close;
        Some(slot)
    }
}

/// Breaks what others cache and must not go on caching beside this open. True if it has to
/// wait for an acknowledgement.
fn break_for_open(
    state: &mut State,
    own: OwnLease,
    request: &OpenRequest<'_>,
    conflict: bool,
    now: Instant,
    effects: &mut Effects,
) -> bool {
    let claimed = request.claimed();
    if breaks_no_oplock(claimed) {
        return false;
    }
    // Who refuses to share may have closed the file already and only cache the handle.
    let awaited = if conflict {
        Caching::HANDLE
    } else {
        Caching::WRITE
    };
    let overwrites = request.overwrites();
    let mut wait = false;
    if let Some((_, caching)) = state.exclusive()
        && caching.any(awaited)
    {
        let left = if overwrites {
            Caching::NONE
        } else {
            Caching::READ
        };
        state.break_exclusive(left, now, effects);
        wait = true;
    }
    let all = Caching::READ.with(Caching::HANDLE).with(Caching::WRITE);
    let lost = match overwrites && !conflict {
        true => {
            state.break_level_two(effects);
            all
        }
        false => awaited,
    };
    if breaks_no_lease(claimed) || !state.held.any(lost) && !state.held.is_breaking() {
        return wait;
    }
    let again = request.again;
    for (slot, lease) in state.leases() {
        if Some(slot) != own.slot() {
            // A client without handle caching makes no room by closing.
            let follows = if lease.state().any(lost) {
                again
            } else {
                !conflict
            };
            wait |= lease.state().any(awaited) || lease.is_breaking() && follows;
        }
    }
    state.break_leases(now, effects, |slot, lease| {
        let breaks = Some(slot) != own.slot() && lease.state().any(lost);
        breaks.then(|| lease.state().without(lost))
    });
    wait
}

/// What of `wanted` the other opens leave: the lease `own` and its opens do not count.
fn possible(
    file: &File,
    state: &State,
    own: Option<Slot>,
    wanted: Caching,
    is_lease: bool,
) -> Caching {
    let own = own.and_then(|slot| state.lease(slot));
    let own_caching = own.map_or(Caching::NONE, Lease::state);
    let own_opens = own.map_or(0, |lease| lease.opens);
    if state.held.write > u32::from(own_caching.any(Caching::WRITE)) {
        // Somebody writes what nobody else can see yet.
        return Caching::NONE;
    }
    let mut caching = wanted.or_none();
    if state.held.significant > own_opens {
        caching = caching.without(Caching::WRITE);
    }
    if file.has_locks() && !caching.any(Caching::WRITE) {
        // [MS-FSA] 2.1.5.18: locks and shared caching exclude each other.
        return Caching::NONE;
    }
    if is_lease && state.held.oplocks > 0 {
        return caching.without(Caching::HANDLE);
    }
    if !is_lease && state.held.handle > 0 {
        // An oplock does not come beside those who cache handles.
        return Caching::NONE;
    }
    caching
}
