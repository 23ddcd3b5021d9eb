//! Breaks by what is done to an open file, acknowledgements of clients, and waiting
//! ([MS-FSA] 2.1.4.12; [MS-SMB2] 3.3.5.22).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use smb::wire::oplock_level;
use smb::{Guid, NtStatus};

use super::caching::{BREAK_TIMEOUT, Caching, OplockLevel};
use super::name::FileName;
use super::state::{Slot, State};
use super::{Effects, File, FileIdentity, FileTable, Ticket};

/// STATUS_INVALID_OPLOCK_PROTOCOL.
pub(super) const INVALID_OPLOCK_PROTOCOL: NtStatus = NtStatus(0xC000_00E3);

/// Whether something may go on.
#[must_use]
pub(crate) enum Turn {
    Now,
    /// As [`OpenOutcome::Wait`](super::OpenOutcome::Wait).
    Wait {
        file: Arc<File>,
        until: Instant,
    },
}

impl File {
    /// Tells that `open` writes, locks, or changes the size, the allocation or a range of the
    /// data: nobody else may go on caching reads, and no level II oplock stays, its own
    /// included ([MS-FSA] 2.1.4.12: WRITE, LOCK_CONTROL, SET_INFORMATION, FS_CONTROL). Nobody
    /// waits for that.
    ///
    /// To be called once the change is made, or before and after it: an open that was let in
    /// after the call has read the changed data.
    pub(crate) fn contend(&self, open: u32, now: Instant, effects: &mut Effects) {
        if !self.may_break_read_caching() {
            return;
        }
        let mut state = self.state();
        state.expire(now, effects);
        let own = state.entry(open).and_then(|entry| entry.lease);
        state.break_leases(now, effects, |slot, lease| {
            (Some(slot) != own && lease.state().any(Caching::READ)).then_some(Caching::NONE)
        });
        state.break_level_two(effects);
        self.publish(&state);
    }

    /// Before the file is renamed, linked or marked for deletion through `open`: clients that
    /// cache handles of it have to close those that nobody uses ([MS-FSA] 2.1.4.12:
    /// SET_INFORMATION of rename, link and disposition).
    pub(crate) fn break_handle_caching(
        self: &Arc<Self>,
        open: u32,
        ticket: Ticket,
        now: Instant,
        effects: &mut Effects,
    ) -> Turn {
        let state = self.state();
        let own = state.entry(open).and_then(|entry| entry.lease);
        self.break_handles(state, Some(open), own, ticket, now, effects)
    }

    fn break_handles(
        self: &Arc<Self>,
        mut state: std::sync::MutexGuard<'_, State>,
        own_open: Option<u32>,
        own: Option<Slot>,
        ticket: Ticket,
        now: Instant,
        effects: &mut Effects,
    ) -> Turn {
        state.expire(now, effects);
        state.forget(ticket);
        let caches = |slot, caching: Caching| Some(slot) != own && caching.any(Caching::HANDLE);
        let mut wait = false;
        if state.held.handle > 0 {
            wait = state
                .leases()
                .any(|(slot, lease)| caches(slot, lease.state()));
            state.break_leases(now, effects, |slot, lease| {
                caches(slot, lease.state()).then(|| lease.state().without(Caching::HANDLE))
            });
            if let Some((open, caching)) = state.exclusive()
                && Some(open) != own_open
                && caching.any(Caching::HANDLE)
            {
                state.break_exclusive(Caching::NONE, now, effects);
                wait = true;
            }
        }
        self.publish(&state);
        if !wait {
            return Turn::Now;
        }
        state.wait(ticket);
        Turn::Wait {
            file: self.clone(),
            // Nobody waits but for a break.
            until: state.deadline().unwrap_or(now + BREAK_TIMEOUT),
        }
    }

    /// A client acknowledges the break of an oplock. The answer is the level that it has now.
    ///
    /// # Errors
    ///
    /// FILE_CLOSED without such an open; INVALID_OPLOCK_PROTOCOL if no break is under way (as
    /// Windows; [MS-SMB2] 3.3.5.22.1 has INVALID_DEVICE_STATE) or for a level that cannot be;
    /// INVALID_PARAMETER for that of leases. The last two cost the oplock.
    pub(crate) fn acknowledge_oplock(
        &self,
        open: u32,
        level: u8,
        now: Instant,
        effects: &mut Effects,
    ) -> Result<OplockLevel, NtStatus> {
        let mut state = self.state();
        state.expire(now, effects);
        let held = state.entry(open).ok_or(NtStatus::FILE_CLOSED)?.oplock;
        let (true, Some(breaking)) = (held.is_exclusive(), state.oplock_break) else {
            self.publish(&state);
            return Err(INVALID_OPLOCK_PROTOCOL);
        };
        let kept = match level {
            oplock_level::SMB2_OPLOCK_LEVEL_NONE => Ok(OplockLevel::None),
            oplock_level::SMB2_OPLOCK_LEVEL_II => Ok(breaking.to),
            oplock_level::SMB2_OPLOCK_LEVEL_EXCLUSIVE if held == OplockLevel::Batch => {
                Ok(OplockLevel::None)
            }
            oplock_level::SMB2_OPLOCK_LEVEL_LEASE => Err(NtStatus::INVALID_PARAMETER),
            _ => Err(INVALID_OPLOCK_PROTOCOL),
        };
        state.set_oplock(open, kept.unwrap_or_default());
        state.wake(effects);
        self.publish(&state);
        kept
    }

    /// A request that waits here has reached its time: ends the breaks that have run out.
    pub(crate) fn timeout(&self, now: Instant, effects: &mut Effects) {
        let mut state = self.state();
        state.expire(now, effects);
        self.publish(&state);
    }

    /// Forgets one who waits.
    pub(crate) fn cancel(&self, ticket: Ticket) {
        self.state().forget(ticket);
    }
}

impl FileTable {
    /// A client acknowledges the break of a lease. The answer is the state that it keeps, as
    /// on the wire; it may be broken further at once.
    ///
    /// # Errors
    ///
    /// OBJECT_NAME_NOT_FOUND without such a lease, UNSUCCESSFUL if no break is under way,
    /// REQUEST_NOT_ACCEPTED for more than was left ([MS-SMB2] 3.3.5.22.2).
    pub(crate) fn acknowledge_lease(
        &self,
        client_guid: Guid,
        lease_key: Guid,
        kept: u32,
        now: Instant,
        effects: &mut Effects,
    ) -> Result<u32, NtStatus> {
        let key = (client_guid, lease_key);
        let (file, slot) = {
            let leases = self.leases(key);
            let home = leases.get(&key).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
            (home.file.clone(), home.slot)
        };
        let mut state = file.state();
        state.expire(now, effects);
        // It may have ended, and another taken its place, since the index was read.
        state
            .lease(slot)
            .filter(|lease| (lease.client_guid, lease.lease_key) == key)
            .ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let answer = state
            .with_lease(slot, |lease| lease.acknowledge(kept, now))
            .unwrap_or(Err(NtStatus::OBJECT_NAME_NOT_FOUND));
        if let Ok((_, notice)) = answer {
            if let Some(notice) = notice {
                state.notify(slot, notice, effects);
            }
            state.wake(effects);
        }
        file.publish(&state);
        answer.map(|(kept, _)| kept.lease_state())
    }

    /// An entry of this directory comes, goes or changes: clients that cache the directory
    /// have to read it anew, but for the lease that the one who does it named as parent
    /// (ClientGuid and ParentLeaseKey). Nobody waits for that ([MS-SMB2] 3.3.1.4).
    pub(crate) fn break_directory_leases(
        &self,
        directory: &FileName,
        except: Option<(Guid, Guid)>,
        now: Instant,
        effects: &mut Effects,
    ) {
        if self.directory_leases.load(Ordering::SeqCst) == 0 {
            return;
        }
        let files = self.names().files(directory);
        for file in files.iter().filter(|file| file.is_directory) {
            let mut state = file.state();
            state.expire(now, effects);
            state.break_leases(now, effects, |_, lease| {
                let spared = except == Some((lease.client_guid, lease.lease_key));
                (!spared && lease.state().any(Caching::READ)).then_some(Caching::NONE)
            });
            file.publish(&state);
        }
    }

    /// Before a directory is renamed: clients that cache handles of files below it have to
    /// close those that nobody uses. Whether files are open below it is to be asked
    /// afterwards.
    pub(crate) fn break_handle_caching_below(
        &self,
        directory: &FileName,
        ticket: Ticket,
        now: Instant,
        effects: &mut Effects,
    ) -> Turn {
        let caches = |file: &File| file.may_break_handle_caching.load(Ordering::SeqCst);
        let files = self.names().files_below(directory, caches);
        let mut turn = Turn::Now;
        for file in files {
            let waits = file.break_handles(file.state(), None, None, ticket, now, effects);
            if let (Turn::Now, Turn::Wait { .. }) = (&turn, &waits) {
                turn = waits;
            } else {
                // One place to wait is enough: the next attempt looks at all of them again.
                file.cancel(ticket);
            }
        }
        turn
    }

    /// Before a file is replaced by a rename or a link: clients that cache handles of it have
    /// to close those that nobody uses. `Turn::Now` once nobody caches handles.
    ///
    /// # Errors
    ///
    /// ACCESS_DENIED if it is open, handles that are only cached aside.
    pub(crate) fn break_for_replacement(
        &self,
        identity: &FileIdentity,
        ticket: Ticket,
        now: Instant,
        effects: &mut Effects,
    ) -> Result<Turn, NtStatus> {
        let Some(file) = self.get(identity) else {
            return Ok(Turn::Now);
        };
        let turn = file.break_handles(file.state(), None, None, ticket, now, effects);
        match turn {
            Turn::Now if !file.state().is_unused() => Err(NtStatus::ACCESS_DENIED),
            turn => Ok(turn),
        }
    }
}
