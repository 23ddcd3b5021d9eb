//! A naive model of the table: lists that are searched whole, every pair of opens compared,
//! nothing counted beforehand.

use super::*;
use crate::file::breaks::INVALID_OPLOCK_PROTOCOL;

pub(super) const R: u32 = 1;
pub(super) const H: u32 = 2;
pub(super) const W: u32 = 4;

/// What the clients open: name, stream, directory.
pub(super) const TARGETS: [(&str, Option<&str>, bool); 4] = [
    ("a", None, false),
    ("a", Some("S"), false),
    ("b", None, false),
    ("d", None, true),
];

/// Of a stream, its file.
pub(super) fn base(target: usize) -> usize {
    if target == 1 { 0 } else { target }
}

pub(super) struct ModelOpen {
    pub(super) open: u32,
    pub(super) target: usize,
    pub(super) access: u32,
    pub(super) share_access: u32,
    /// Level on the wire: 0, 1, 8, 9.
    pub(super) oplock: u8,
    /// To which level, until when.
    pub(super) oplock_break: Option<(u8, Instant)>,
    pub(super) lease: Option<(u8, u8)>,
    pub(super) delete_on_close: bool,
}

pub(super) struct ModelLease {
    pub(super) key: (u8, u8),
    pub(super) target: usize,
    pub(super) state: u32,
    /// What the client was told, what is needed, until when.
    pub(super) breaking: Option<(u32, u32, Instant)>,
    pub(super) version: u8,
    pub(super) epoch: u16,
    pub(super) delete_on_close: bool,
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) opens: Vec<ModelOpen>,
    pub(super) leases: Vec<ModelLease>,
    pub(super) waiting: Vec<(u64, usize)>,
    pub(super) pending: [bool; 4],
    pub(super) doomed: [bool; 4],
    pub(super) locks: [bool; 4],
    pub(super) breaks: Vec<String>,
    pub(super) ready: Vec<u64>,
}

#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub(super) target: usize,
    pub(super) access: u32,
    pub(super) share_access: u32,
    pub(super) effect: CreateEffect,
    pub(super) delete_on_close: bool,
    pub(super) caching: Asked,
}

#[derive(Clone, Copy)]
pub(super) enum Asked {
    Nothing,
    Oplock(OplockLevel),
    Lease {
        key: (u8, u8),
        state: u32,
        version: u8,
        epoch: u16,
    },
}

#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Nothing,
    Oplock(OplockLevel),
    /// State, whether it breaks, version, epoch.
    Lease(u32, bool, u8, u16),
    Refused(NtStatus),
    Wait,
}

pub(super) fn level_caching(level: u8) -> u32 {
    match level {
        1 => R,
        8 => R | W,
        9 => R | W | H,
        _ => 0,
    }
}

fn looks_only(access: u32, with_control: bool) -> bool {
    let control = if with_control { 0x2_0000 } else { 0 };
    access & !(0x10_0000 | 0x180 | control) == 0
}

fn share_conflict(one: (u32, u32), two: (u32, u32)) -> bool {
    let guarded = 0x1_0000 | 0x27;
    if one.0 & guarded == 0 || two.0 & guarded == 0 {
        return false;
    }
    [(0x21, 1), (0x6, 2), (0x1_0000, 4)]
        .iter()
        .any(|(right, share)| {
            one.0 & right != 0 && two.1 & share == 0 || two.0 & right != 0 && one.1 & share == 0
        })
}

impl Model {
    fn wake(&mut self, target: usize) {
        self.ready.extend(
            self.waiting
                .iter()
                .filter(|one| one.1 == target)
                .map(|one| one.0),
        );
        self.waiting.retain(|one| one.1 != target);
    }

    fn expire(&mut self, target: usize, now: Instant) {
        let mut any = false;
        for open in self.opens.iter_mut().filter(|open| open.target == target) {
            if open.oplock_break.is_some_and(|(_, until)| until <= now) {
                (open.oplock, open.oplock_break, any) = (0, None, true);
            }
        }
        for lease in self
            .leases
            .iter_mut()
            .filter(|lease| lease.target == target)
        {
            if lease.breaking.is_some_and(|(_, _, until)| until <= now) {
                (lease.state, lease.breaking, any) = (0, None, true);
            }
        }
        if any {
            self.wake(target);
        }
    }

    fn notify_lease(&mut self, key: (u8, u8), from: u32, to: u32, epoch: u16, ack: bool) {
        self.breaks
            .push(format!("lease {key:?} {from}>{to} {epoch} {ack}"));
    }

    fn break_lease(&mut self, at: usize, to: u32, now: Instant) {
        let lease = &mut self.leases[at];
        let to = if lease.state & to & R == 0 {
            0
        } else {
            lease.state & to
        };
        if let Some((_, needed, _)) = &mut lease.breaking {
            *needed &= to;
            return;
        }
        if lease.state == to {
            return;
        }
        let (from, acknowledge) = (lease.state, lease.state != R);
        lease.epoch = lease.epoch.wrapping_add(1);
        if acknowledge {
            lease.breaking = Some((to, to, now + BREAK_TIMEOUT));
        } else {
            lease.state = to;
        }
        let (key, epoch) = (lease.key, if lease.version == 2 { lease.epoch } else { 0 });
        self.notify_lease(key, from, to, epoch, acknowledge);
    }

    fn break_oplock(&mut self, at: usize, to: u8, now: Instant) {
        let open = &mut self.opens[at];
        if open.oplock == 1 {
            open.oplock = 0;
        } else if open.oplock_break.is_none() {
            open.oplock_break = Some((to, now + BREAK_TIMEOUT));
        } else {
            return;
        }
        self.breaks.push(format!("open {} to {to}", open.open));
    }

    /// Indexes of the leases of a target that are not `own`.
    pub(super) fn other_leases(&self, target: usize, own: Option<(u8, u8)>) -> Vec<usize> {
        let all = 0..self.leases.len();
        all.filter(|at| self.leases[*at].target == target && Some(self.leases[*at].key) != own)
            .collect()
    }

    pub(super) fn oplock_holders(&self, target: usize) -> Vec<usize> {
        let all = 0..self.opens.len();
        all.filter(|at| self.opens[*at].target == target && self.opens[*at].oplock != 0)
            .collect()
    }

    pub(super) fn open(
        &mut self,
        open: u32,
        ticket: u64,
        again: bool,
        attempt: Attempt,
        now: Instant,
    ) -> Outcome {
        let target = attempt.target;
        self.expire(target, now);
        self.waiting.retain(|one| *one != (ticket, target));
        let mut own = None;
        let mut elsewhere = false;
        if let Asked::Lease { key, .. } = attempt.caching {
            match self.leases.iter().find(|lease| lease.key == key) {
                Some(lease) if lease.target == target => own = Some(key),
                Some(lease) if lease.delete_on_close => elsewhere = true,
                Some(_) => return Outcome::Refused(NtStatus::INVALID_PARAMETER),
                None => {}
            }
        }
        for at in [target, base(target)] {
            if self.pending[at] || self.doomed[at] {
                return Outcome::Refused(NtStatus::DELETE_PENDING);
            }
        }
        let added = match attempt.effect {
            CreateEffect::Overwritten => 0x2,
            CreateEffect::Superseded => 0x1_0000,
            _ => 0,
        };
        let overwrites = added != 0;
        let claimed = attempt.access | added;
        let keeps = |other: &ModelOpen| {
            other.target != target
                && base(other.target) == target
                && other.access & 0x1_0027 != 0
                && other.share_access & 4 == 0
        };
        if claimed & 0x1_0000 != 0 && self.opens.iter().any(keeps) {
            return Outcome::Refused(NtStatus::SHARING_VIOLATION);
        }
        let others = self.opens.iter().filter(|other| other.target == target);
        let conflict = others.clone().any(|other| {
            share_conflict(
                (claimed, attempt.share_access),
                (other.access, other.share_access),
            )
        });
        if self.must_wait(claimed, overwrites, conflict, own, again, target, now) {
            self.waiting.push((ticket, target));
            return Outcome::Wait;
        }
        if conflict {
            return Outcome::Refused(NtStatus::SHARING_VIOLATION);
        }
        let mut made = ModelOpen {
            open,
            target,
            access: attempt.access,
            share_access: attempt.share_access,
            oplock: 0,
            oplock_break: None,
            lease: None,
            delete_on_close: attempt.delete_on_close,
        };
        let outcome = match attempt.caching {
            Asked::Nothing => Outcome::Nothing,
            Asked::Oplock(level) => {
                let existing_looked_at =
                    attempt.effect == CreateEffect::Opened && looks_only(attempt.access, false);
                if !TARGETS[target].2 && !existing_looked_at {
                    let caching = level_caching(level.to_wire());
                    let caching = self.possible(target, caching, None, false);
                    made.oplock = match caching {
                        _ if caching & R == 0 => 0,
                        _ if caching & W == 0 => 1,
                        _ if caching & H == 0 => 8,
                        _ => 9,
                    };
                }
                Outcome::Oplock(OplockLevel::from_wire(made.oplock))
            }
            Asked::Lease { .. } if elsewhere => Outcome::Nothing,
            Asked::Lease { version: 1, .. } if TARGETS[target].2 => Outcome::Nothing,
            Asked::Lease {
                key,
                state,
                version,
                epoch,
            } => {
                let state = if TARGETS[target].2 { state & !W } else { state };
                let possible = self.possible(target, state, Some(key), true);
                made.lease = Some(key);
                if own.is_none() {
                    self.leases.push(ModelLease {
                        key,
                        target,
                        state: possible,
                        breaking: None,
                        version,
                        epoch: epoch.wrapping_add(1),
                        delete_on_close: false,
                    });
                }
                let lease = self
                    .leases
                    .iter_mut()
                    .find(|lease| lease.key == key)
                    .unwrap();
                if own.is_some()
                    && lease.state & !state == 0
                    && possible == state
                    && lease.state != possible
                    && lease.breaking.is_none()
                {
                    lease.state = possible;
                    lease.epoch = lease.epoch.wrapping_add(1);
                }
                lease.delete_on_close |= attempt.delete_on_close;
                lease_outcome(lease)
            }
        };
        self.opens.push(made);
        outcome
    }

    #[expect(clippy::too_many_arguments, reason = "a model has no structure")]
    fn must_wait(
        &mut self,
        claimed: u32,
        overwrites: bool,
        conflict: bool,
        own: Option<(u8, u8)>,
        again: bool,
        target: usize,
        now: Instant,
    ) -> bool {
        let mut wait = false;
        let awaited = if conflict { H } else { W };
        let empties = overwrites && !conflict;
        if !looks_only(claimed, false) {
            for at in self.oplock_holders(target) {
                let held = level_caching(self.opens[at].oplock);
                if held & awaited != 0 {
                    wait = true;
                    self.break_oplock(at, if overwrites { 0 } else { 1 }, now);
                } else if held == R && empties {
                    self.break_oplock(at, 0, now);
                }
            }
        }
        if !looks_only(claimed, true) {
            for at in self.other_leases(target, own) {
                let lease = &self.leases[at];
                let lost = if empties { R | W | H } else { awaited };
                let was_breaking = lease.breaking.is_some();
                wait |= lease.state & awaited != 0;
                if lease.state & lost == 0 {
                    wait |= was_breaking && !conflict;
                } else {
                    wait |= was_breaking && again;
                    self.break_lease(at, lease.state & !lost, now);
                }
            }
        }
        wait
    }

    fn possible(&self, target: usize, wanted: u32, own: Option<(u8, u8)>, lease: bool) -> u32 {
        let leases = self.other_leases(target, own);
        let oplocks = self.oplock_holders(target);
        let mut others = leases
            .iter()
            .map(|at| self.leases[*at].state)
            .fold(0, |a, b| a | b);
        for at in &oplocks {
            others |= level_caching(self.opens[*at].oplock);
        }
        if others & W != 0 || wanted & R == 0 {
            return 0;
        }
        let mut caching = wanted;
        let hinders = self.opens.iter().any(|open| {
            open.target == target
                && (open.lease.is_none() || open.lease != own)
                && (open.lease.is_some() || open.oplock != 0 || !looks_only(open.access, false))
        });
        if hinders {
            caching &= !W;
        }
        if self.locks[target] && caching & W == 0 {
            return 0;
        }
        if lease && !oplocks.is_empty() {
            caching &= !H;
        }
        if !lease && others & H != 0 {
            return 0;
        }
        caching
    }

    /// What has to be unlinked: a target.
    pub(super) fn close(&mut self, open: u32, now: Instant) -> Option<usize> {
        let at = self
            .opens
            .iter()
            .position(|other| other.open == open)
            .unwrap();
        let target = self.opens[at].target;
        self.expire(target, now);
        let closed = self.opens.remove(at);
        let is_used = |key| self.opens.iter().any(|open| open.lease == Some(key));
        let unused: Vec<_> = self
            .leases
            .iter()
            .map(|lease| lease.key)
            .filter(|key| !is_used(*key))
            .collect();
        self.leases.retain(|lease| !unused.contains(&lease.key));
        self.pending[target] |= closed.delete_on_close;
        self.wake(target);
        if self.opens.iter().any(|open| open.target == target) {
            return None;
        }
        self.locks[target] = false;
        if target == 1 {
            let file_goes = self.pending[0] && !self.opens.iter().any(|open| open.target == 0);
            if file_goes {
                self.pending[1] = false;
                return self.end(0);
            }
        }
        self.end(target)
    }

    fn end(&mut self, target: usize) -> Option<usize> {
        let used = self.opens.iter().any(|open| open.target == target)
            || target == 0 && (self.doomed[1] || self.opens.iter().any(|open| open.target == 1));
        if used || self.doomed[target] {
            return None;
        }
        if self.pending[target] {
            self.doomed[target] = true;
            return Some(target);
        }
        if target == 1 {
            return self.end(0);
        }
        None
    }

    pub(super) fn removed(&mut self, target: usize) -> Option<usize> {
        self.doomed[target] = false;
        self.pending[target] = false;
        if target == 1 { self.end(0) } else { None }
    }

    pub(super) fn write(&mut self, open: u32, now: Instant) {
        let by = self.opens.iter().find(|other| other.open == open).unwrap();
        let (target, own) = (by.target, by.lease);
        let writer = self
            .leases
            .iter()
            .any(|lease| lease.target == target && lease.state & W != 0)
            || self
                .oplock_holders(target)
                .iter()
                .any(|at| self.opens[*at].oplock > 1);
        let readers = self
            .leases
            .iter()
            .any(|lease| lease.target == target && lease.state & R != 0)
            || !self.oplock_holders(target).is_empty();
        if writer || !readers {
            return;
        }
        self.expire(target, now);
        for at in self.other_leases(target, own) {
            if self.leases[at].state & R != 0 {
                self.break_lease(at, 0, now);
            }
        }
        for at in self.oplock_holders(target) {
            if self.opens[at].oplock == 1 {
                self.break_oplock(at, 0, now);
            }
        }
    }

    /// True if it has to wait.
    pub(super) fn break_handles(&mut self, open: u32, ticket: u64, now: Instant) -> bool {
        let by = self.opens.iter().find(|other| other.open == open).unwrap();
        let (target, own) = (by.target, by.lease);
        self.expire(target, now);
        self.waiting.retain(|one| *one != (ticket, target));
        let mut wait = false;
        for at in self.other_leases(target, own) {
            let state = self.leases[at].state;
            if state & H != 0 {
                wait = true;
                self.break_lease(at, state & !H, now);
            }
        }
        for at in self.oplock_holders(target) {
            if self.opens[at].oplock == 9 && self.opens[at].open != open {
                wait = true;
                self.break_oplock(at, 0, now);
            }
        }
        if wait {
            self.waiting.push((ticket, target));
        }
        wait
    }

    pub(super) fn acknowledge_oplock(
        &mut self,
        open: u32,
        level: u8,
        now: Instant,
    ) -> Result<OplockLevel, NtStatus> {
        let at = self
            .opens
            .iter()
            .position(|other| other.open == open)
            .unwrap();
        let target = self.opens[at].target;
        self.expire(target, now);
        let held = &mut self.opens[at];
        let Some((to, _)) = held.oplock_break.take() else {
            return Err(INVALID_OPLOCK_PROTOCOL);
        };
        let answer = match (level, held.oplock) {
            (0, _) | (8, 9) => Ok(0),
            (1, _) => Ok(to),
            (0xFF, _) => Err(NtStatus::INVALID_PARAMETER),
            _ => Err(INVALID_OPLOCK_PROTOCOL),
        };
        held.oplock = answer.unwrap_or(0);
        self.wake(target);
        answer.map(OplockLevel::from_wire)
    }

    pub(super) fn acknowledge_lease(
        &mut self,
        key: (u8, u8),
        kept: u32,
        now: Instant,
    ) -> Result<u32, NtStatus> {
        let found = self.leases.iter().position(|lease| lease.key == key);
        let at = found.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let target = self.leases[at].target;
        self.expire(target, now);
        let lease = &mut self.leases[at];
        let (told, needed, _) = lease.breaking.ok_or(NtStatus::UNSUCCESSFUL)?;
        if kept & !told != 0 {
            return Err(NtStatus::REQUEST_NOT_ACCEPTED);
        }
        let kept = if kept & R == 0 { 0 } else { kept };
        lease.state = kept;
        lease.breaking = None;
        let epoch = if lease.version == 2 { lease.epoch } else { 0 };
        if kept == R && needed == 0 {
            lease.state = 0;
            self.notify_lease(key, R, 0, epoch, false);
        } else if kept & !needed != 0 {
            let next = kept & (needed | R);
            lease.breaking = Some((next, needed, now + BREAK_TIMEOUT));
            self.notify_lease(key, kept, next, epoch, true);
        }
        self.wake(target);
        Ok(kept)
    }
}

pub(super) fn lease_outcome(lease: &ModelLease) -> Outcome {
    let epoch = if lease.version == 2 { lease.epoch } else { 0 };
    Outcome::Lease(lease.state, lease.breaking.is_some(), lease.version, epoch)
}
