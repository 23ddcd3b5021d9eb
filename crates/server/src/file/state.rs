//! What the opens of one stream share: who has it open and who may cache what. Counts beside
//! the lists keep one more open from looking at all the others.

use std::time::Instant;

use super::caching::{BREAK_TIMEOUT, Caching, OplockLevel, breaks_no_oplock};
use super::lease::{Lease, LeaseNotice};
use super::names::NodeId;
use super::share_mode::ShareModes;
use super::{Break, Effects, Ticket};

/// An open, as others meet it.
pub(super) struct Entry {
    pub(super) open: u32,
    pub(super) access: u32,
    pub(super) share_access: u32,
    pub(super) name: NodeId,
    pub(super) lease: Option<Slot>,
    pub(super) oplock: OplockLevel,
    pub(super) delete_on_close: bool,
}

impl Entry {
    /// Does it keep others from write caching? All do but those that only look at attributes
    /// and never asked for caching.
    fn is_significant(&self) -> bool {
        self.lease.is_some() || self.oplock != OplockLevel::None || !breaks_no_oplock(self.access)
    }
}

/// Where a lease stands in its stream, plus one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot(std::num::NonZeroU32);

impl Slot {
    fn new(index: usize) -> Self {
        // Limits on opens are far below 2^32.
        Self(std::num::NonZeroU32::MIN.saturating_add(index as u32))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The break of an exclusive or batch oplock that waits for its acknowledgement.
#[derive(Clone, Copy)]
pub(super) struct OplockBreak {
    pub(super) to: OplockLevel,
    pub(super) deadline: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Live,
    /// To be removed from the store: no new opens until the store has done it.
    Doomed,
    /// No longer in the table.
    Gone,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) delete_pending: bool,
    /// Of a file: its streams that are open.
    pub(super) streams: u32,
    /// Of a file: opens of its streams that do not share deletion.
    pub(super) streams_denying_delete: u32,
    /// In order of their ids.
    opens: Vec<Entry>,
    pub(super) share_modes: ShareModes,
    leases: Vec<Option<Lease>>,
    pub(super) held: Held,
    /// The open with an exclusive or batch oplock: there is one at most.
    exclusive: Option<u32>,
    pub(super) oplock_break: Option<OplockBreak>,
    waiting: Vec<Ticket>,
}

/// How many opens and leases hold what.
#[derive(Default)]
pub(super) struct Held {
    pub(super) read: u32,
    pub(super) handle: u32,
    pub(super) write: u32,
    /// Opens with an oplock.
    pub(super) oplocks: u32,
    /// Opens that keep others from write caching.
    pub(super) significant: u32,
    /// Leases that are breaking.
    breaking: u32,
}

impl Held {
    fn change(&mut self, caching: Caching, change: impl Fn(&mut u32)) {
        for (bit, count) in [
            (Caching::READ, &mut self.read),
            (Caching::HANDLE, &mut self.handle),
            (Caching::WRITE, &mut self.write),
        ] {
            if caching.any(bit) {
                change(count);
            }
        }
    }

    /// Does anybody hold any of `caching`?
    pub(super) fn any(&self, caching: Caching) -> bool {
        caching.any(Caching::READ) && self.read > 0
            || caching.any(Caching::HANDLE) && self.handle > 0
            || caching.any(Caching::WRITE) && self.write > 0
    }

    pub(super) fn is_breaking(&self) -> bool {
        self.breaking > 0
    }
}

impl State {
    pub(super) fn is_unused(&self) -> bool {
        self.opens.is_empty() && self.streams == 0
    }

    /// Is it marked for deletion, or about to be removed? It gets no new opens.
    pub(super) fn is_doomed(&self) -> bool {
        self.delete_pending || self.phase == Phase::Doomed
    }

    pub(super) fn opens(&self) -> &[Entry] {
        &self.opens
    }

    pub(super) fn entry(&self, open: u32) -> Option<&Entry> {
        let at = self.position(open).ok()?;
        Some(&self.opens[at])
    }

    pub(super) fn entry_mut(&mut self, open: u32) -> Option<&mut Entry> {
        let at = self.position(open).ok()?;
        Some(&mut self.opens[at])
    }

    /// Adds an open. Its lease has been added before.
    pub(super) fn insert(&mut self, entry: Entry) {
        self.share_modes.add(entry.access, entry.share_access);
        self.held.significant += u32::from(entry.is_significant());
        self.held.oplocks += u32::from(entry.oplock != OplockLevel::None);
        self.held
            .change(entry.oplock.caching(), |count| *count += 1);
        if entry.oplock.is_exclusive() {
            self.exclusive = Some(entry.open);
        }
        if let Some(lease) = entry
            .lease
            .and_then(|slot| self.leases[slot.index()].as_mut())
        {
            lease.opens += 1;
            lease.open = entry.open;
        }
        if self.opens.is_empty() {
            // Most files are opened once.
            self.opens.reserve_exact(1);
        }
        let at = self.position(entry.open).unwrap_or_else(|at| at);
        self.opens.insert(at, entry);
    }

    /// Takes an open away, with its oplock. The second is its lease if this was its last open.
    pub(super) fn remove(&mut self, open: u32) -> Option<(Entry, Option<Lease>)> {
        self.set_oplock(open, OplockLevel::None);
        let at = self.position(open).ok()?;
        let entry = self.opens.remove(at);
        self.share_modes.remove(entry.access, entry.share_access);
        self.held.significant -= u32::from(entry.is_significant());
        let lease = entry.lease.and_then(|slot| self.leave_lease(slot, open));
        Some((entry, lease))
    }

    fn leave_lease(&mut self, slot: Slot, open: u32) -> Option<Lease> {
        let lease = self.leases[slot.index()].as_mut()?;
        lease.opens -= 1;
        if lease.opens > 0 {
            if lease.open == open {
                let mut others = self.opens.iter().rev();
                let other = others.find(|entry| entry.lease == Some(slot));
                lease.open = other.map_or(lease.open, |entry| entry.open);
            }
            return None;
        }
        self.with_lease(slot, Lease::release);
        let lease = self.leases[slot.index()].take();
        while let Some(None) = self.leases.last() {
            self.leases.pop();
        }
        lease
    }

    pub(super) fn add_lease(&mut self, lease: Lease) -> Slot {
        self.held.change(lease.state(), |count| *count += 1);
        let free = self.leases.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            if self.leases.is_empty() {
                self.leases.reserve_exact(1);
            }
            self.leases.push(None);
            self.leases.len() - 1
        });
        self.leases[index] = Some(lease);
        Slot::new(index)
    }

    pub(super) fn lease(&self, slot: Slot) -> Option<&Lease> {
        self.leases.get(slot.index())?.as_ref()
    }

    pub(super) fn leases(&self) -> impl Iterator<Item = (Slot, &Lease)> {
        let slots = self.leases.iter().enumerate();
        slots.filter_map(|(at, lease)| Some((Slot::new(at), lease.as_ref()?)))
    }

    /// Changes a lease and keeps the counts right.
    pub(super) fn with_lease<T>(
        &mut self,
        slot: Slot,
        change: impl FnOnce(&mut Lease) -> T,
    ) -> Option<T> {
        let lease = self.leases.get_mut(slot.index())?.as_mut()?;
        let held = &mut self.held;
        held.change(lease.state(), |count| *count -= 1);
        held.breaking -= u32::from(lease.is_breaking());
        let result = change(lease);
        held.change(lease.state(), |count| *count += 1);
        held.breaking += u32::from(lease.is_breaking());
        Some(result)
    }

    /// Breaks leases that `to` gives a new state for, and says so in `effects`.
    pub(super) fn break_leases(
        &mut self,
        now: Instant,
        effects: &mut Effects,
        to: impl Fn(Slot, &Lease) -> Option<Caching>,
    ) {
        for index in 0..self.leases.len() {
            let slot = Slot::new(index);
            let Some(to) = self.lease(slot).and_then(|lease| to(slot, lease)) else {
                continue;
            };
            if let Some(Some(notice)) = self.with_lease(slot, |lease| lease.break_to(to, now)) {
                self.notify(slot, notice, effects);
            }
        }
    }

    pub(super) fn notify(&self, slot: Slot, notice: LeaseNotice, effects: &mut Effects) {
        let Some(lease) = self.lease(slot) else {
            return;
        };
        effects.breaks.push(Break::Lease {
            open: lease.open,
            client_guid: lease.client_guid,
            lease_key: lease.lease_key,
            new_epoch: lease.epoch(),
            acknowledge: notice.acknowledge,
            current_state: notice.current.lease_state(),
            new_state: notice.new.lease_state(),
        });
    }

    /// The open with an exclusive or batch oplock, and what that lets it cache.
    pub(super) fn exclusive(&self) -> Option<(u32, Caching)> {
        let entry = self.entry(self.exclusive?)?;
        Some((entry.open, entry.oplock.caching()))
    }

    /// Breaks the exclusive or batch oplock, to level II at most. Nothing is sent while it
    /// breaks already.
    pub(super) fn break_exclusive(&mut self, to: Caching, now: Instant, effects: &mut Effects) {
        let Some(open) = self.exclusive else {
            return;
        };
        if self.oplock_break.is_some() {
            return;
        }
        let to = OplockLevel::for_caching(to.and(Caching::READ));
        self.oplock_break = Some(OplockBreak {
            to,
            deadline: now + BREAK_TIMEOUT,
        });
        effects.breaks.push(Break::Oplock {
            open,
            level: to.to_wire(),
        });
    }

    /// Breaks every level II oplock: nobody acknowledges that.
    pub(super) fn break_level_two(&mut self, effects: &mut Effects) {
        if self.held.oplocks == u32::from(self.exclusive.is_some()) {
            return;
        }
        for at in 0..self.opens.len() {
            let Entry { open, oplock, .. } = self.opens[at];
            if oplock == OplockLevel::II {
                self.set_oplock(open, OplockLevel::None);
                effects.breaks.push(Break::Oplock {
                    open,
                    level: OplockLevel::None.to_wire(),
                });
            }
        }
    }

    /// Gives an open another oplock; a break of the old one is over.
    pub(super) fn set_oplock(&mut self, open: u32, level: OplockLevel) {
        let Ok(at) = self.position(open) else {
            return;
        };
        let entry = &mut self.opens[at];
        let held = &mut self.held;
        held.significant -= u32::from(entry.is_significant());
        held.oplocks -= u32::from(entry.oplock != OplockLevel::None);
        held.change(entry.oplock.caching(), |count| *count -= 1);
        if entry.oplock.is_exclusive() {
            self.exclusive = None;
            self.oplock_break = None;
        }
        entry.oplock = level;
        held.significant += u32::from(entry.is_significant());
        held.oplocks += u32::from(level != OplockLevel::None);
        held.change(level.caching(), |count| *count += 1);
        if level.is_exclusive() {
            self.exclusive = Some(open);
        }
    }

    /// When the first break under way runs out.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let oplock = self.oplock_break.map(|breaking| breaking.deadline);
        if !self.held.is_breaking() {
            return oplock;
        }
        let leases = self.leases().filter_map(|(_, lease)| lease.deadline());
        leases.chain(oplock).min()
    }

    /// Ends the breaks that ran out ([MS-SMB2] 3.3.6.1, 3.3.6.5).
    pub(super) fn expire(&mut self, now: Instant, effects: &mut Effects) {
        if self.oplock_break.is_none() && !self.held.is_breaking() {
            return;
        }
        let mut ran_out = false;
        if self
            .oplock_break
            .is_some_and(|breaking| breaking.deadline <= now)
            && let Some(open) = self.exclusive
        {
            self.set_oplock(open, OplockLevel::None);
            ran_out = true;
        }
        if self.held.is_breaking() {
            for index in 0..self.leases.len() {
                let expired = self.with_lease(Slot::new(index), |lease| lease.expire(now));
                ran_out |= expired.unwrap_or(false);
            }
        }
        if ran_out {
            self.wake(effects);
        }
    }

    pub(super) fn wait(&mut self, ticket: Ticket) {
        if !self.waiting.contains(&ticket) {
            self.waiting.push(ticket);
        }
    }

    pub(super) fn forget(&mut self, ticket: Ticket) {
        self.waiting.retain(|waiting| *waiting != ticket);
    }

    /// Whoever waits is to try again.
    pub(super) fn wake(&mut self, effects: &mut Effects) {
        effects.ready.append(&mut self.waiting);
    }

    fn position(&self, open: u32) -> Result<usize, usize> {
        self.opens.binary_search_by_key(&open, |entry| entry.open)
    }
}
