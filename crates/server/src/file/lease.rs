//! Lease ([MS-SMB2] 3.3.1.12): its state, its breaks and their acknowledgement.

use std::time::Instant;

use smb::{Guid, NtStatus};

use super::caching::{BREAK_TIMEOUT, Caching};
use super::names::NodeId;

/// What a CREATE asks for with a lease context ([MS-SMB2] 2.2.13.2.8, 2.2.13.2.10).
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseRequest {
    /// Connection.ClientGuid.
    pub(crate) client_guid: Guid,
    pub(crate) lease_key: Guid,
    /// If the flag PARENT_LEASE_KEY_SET came with it.
    pub(crate) parent_lease_key: Option<Guid>,
    /// LeaseState as it came.
    pub(crate) state: u32,
    /// 1 or 2, by the form of the context.
    pub(crate) version: u8,
    /// Epoch as it came; 0 for version 1.
    pub(crate) epoch: u16,
}

/// A lease as a response tells it ([MS-SMB2] 2.2.14.2.10, 2.2.14.2.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GrantedLease {
    pub(crate) lease_key: Guid,
    /// LeaseState.
    pub(crate) state: u32,
    /// SMB2_LEASE_FLAG_BREAK_IN_PROGRESS.
    pub(crate) break_in_progress: bool,
    /// With it, SMB2_LEASE_FLAG_PARENT_LEASE_KEY_SET.
    pub(crate) parent_lease_key: Option<Guid>,
    /// The version of the lease, whatever this CREATE had asked for: the form of the answer.
    pub(crate) version: u8,
    /// Of version 2; else 0.
    pub(crate) epoch: u16,
}

/// Belongs to a client and a key, and to one stream; shared by the opens made with the key.
pub(super) struct Lease {
    pub(super) client_guid: Guid,
    pub(super) lease_key: Guid,
    parent_lease_key: Option<Guid>,
    /// Until a break is acknowledged, what it was before.
    state: Caching,
    breaking: Option<Breaking>,
    version: u8,
    epoch: u16,
    pub(super) opens: u32,
    /// Any of its opens.
    pub(super) open: u32,
    /// Lease.Filename: follows renames.
    pub(super) name: NodeId,
}

#[derive(Clone, Copy)]
struct Breaking {
    /// What the client was told: it may keep that or less.
    requested: Caching,
    /// What those who wait need: another break follows if the client was told more.
    required: Caching,
    deadline: Instant,
}

/// What a lease break notification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeaseNotice {
    pub(super) current: Caching,
    pub(super) new: Caching,
    pub(super) acknowledge: bool,
}

impl Lease {
    pub(super) fn new(request: &LeaseRequest, state: Caching, open: u32, name: NodeId) -> Self {
        Self {
            client_guid: request.client_guid,
            lease_key: request.lease_key,
            parent_lease_key: request.parent_lease_key,
            state,
            breaking: None,
            version: request.version,
            // Even for a lease that was granted nothing, as Windows and Samba do.
            epoch: request.epoch.wrapping_add(1),
            opens: 0,
            open,
            name,
        }
    }

    pub(super) fn state(&self) -> Caching {
        self.state
    }

    pub(super) fn is_breaking(&self) -> bool {
        self.breaking.is_some()
    }

    /// When the break that is under way runs out.
    pub(super) fn deadline(&self) -> Option<Instant> {
        Some(self.breaking?.deadline)
    }

    /// NewEpoch and Epoch on the wire.
    pub(super) fn epoch(&self) -> u16 {
        if self.version > 1 { self.epoch } else { 0 }
    }

    pub(super) fn granted(&self) -> GrantedLease {
        GrantedLease {
            lease_key: self.lease_key,
            state: self.state.lease_state(),
            break_in_progress: self.is_breaking(),
            parent_lease_key: self.parent_lease_key,
            version: self.version,
            epoch: self.epoch(),
        }
    }

    /// One more open asked for `requested`, and the others leave `possible` of it: a strict
    /// superset of what is held is given whole or not at all ([MS-SMB2] 3.3.5.9.8).
    pub(super) fn upgrade(&mut self, requested: Caching, possible: Caching) {
        if self.state.is_within(requested)
            && possible == requested
            && self.state != possible
            && self.breaking.is_none()
        {
            self.state = possible;
            self.epoch = self.epoch.wrapping_add(1);
        }
    }

    /// Takes caching away down to `to` ([MS-SMB2] 3.3.4.7). Nothing is sent while a break is
    /// under way: its acknowledgement leads to the next.
    pub(super) fn break_to(&mut self, to: Caching, now: Instant) -> Option<LeaseNotice> {
        let new = to.and(self.state).or_none();
        if let Some(breaking) = &mut self.breaking {
            breaking.required = breaking.required.and(new);
            return None;
        }
        if self.state == new {
            return None;
        }
        let current = self.state;
        self.epoch = self.epoch.wrapping_add(1);
        // Who only read has nothing to give back, so nothing to acknowledge.
        let acknowledge = current != Caching::READ;
        if acknowledge {
            self.breaking = Some(Breaking {
                requested: new,
                required: new,
                deadline: now + BREAK_TIMEOUT,
            });
        } else {
            self.state = new;
        }
        Some(LeaseNotice {
            current,
            new,
            acknowledge,
        })
    }

    /// The client keeps `kept` ([MS-SMB2] 3.3.5.22.2): the first of the result. If others need more by now, the next
    /// break comes in steps, as from Windows: what is kept beside reading first, then
    /// reading. The epoch stays.
    ///
    /// # Errors
    ///
    /// UNSUCCESSFUL if no break is under way, REQUEST_NOT_ACCEPTED for more than was left.
    pub(super) fn acknowledge(
        &mut self,
        kept: u32,
        now: Instant,
    ) -> Result<(Caching, Option<LeaseNotice>), NtStatus> {
        let Some(breaking) = self.breaking else {
            return Err(NtStatus::UNSUCCESSFUL);
        };
        if kept & !breaking.requested.lease_state() != 0 {
            return Err(NtStatus::REQUEST_NOT_ACCEPTED);
        }
        let current = Caching::from_lease_state(kept).or_none();
        self.state = current;
        self.breaking = None;
        if current.is_within(breaking.required) {
            return Ok((current, None));
        }
        let acknowledge = current != Caching::READ;
        let new = if acknowledge {
            breaking.required.with(Caching::READ).and(current)
        } else {
            Caching::NONE
        };
        if acknowledge {
            self.breaking = Some(Breaking {
                requested: new,
                required: breaking.required,
                deadline: now + BREAK_TIMEOUT,
            });
        } else {
            self.state = new;
        }
        let notice = LeaseNotice {
            current,
            new,
            acknowledge,
        };
        Ok((current, Some(notice)))
    }

    /// Its last open is closed.
    pub(super) fn release(&mut self) {
        self.state = Caching::NONE;
        self.breaking = None;
    }

    /// Ends a break that ran out: everything is lost ([MS-SMB2] 3.3.6.5). True if one did.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let ran_out = self.deadline().is_some_and(|deadline| deadline <= now);
        if ran_out {
            self.breaking = None;
            self.state = Caching::NONE;
        }
        ran_out
    }
}
