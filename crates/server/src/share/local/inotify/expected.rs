//! Changes that the server makes itself: its handlers tell them with all their bits, so the
//! events that the kernel sends of them are swallowed.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// What the server is about to do to an entry of a watched directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OwnChange {
    /// Make it, or link it; and write to it.
    Created,
    /// Remove it.
    Removed,
    /// Give it another name, or move it to another directory.
    RenamedFrom,
    /// Let it come about by a rename; and write to it.
    RenamedTo,
    /// Write to it, or change its attributes.
    Modified,
}

/// How long an event of an own change is waited for. The kernel sends it at once; this is for
/// a machine so busy that the thread that reads events does not run.
pub(super) const EXPECTED_FOR: Duration = Duration::from_secs(5);

/// Names with own changes at once, at most; beyond, the oldest are forgotten, and a client may
/// be told of a change twice.
const MAX_EXPECTED: usize = 65_536;

/// Own changes of one name.
#[derive(Default)]
struct Entry {
    /// Events to swallow, one for each change, by [`OwnChange`].
    counts: [u32; 4],
    /// Events of writing are merged by the kernel, so they are not counted: all of them are
    /// swallowed.
    modified: bool,
    until: Option<Instant>,
}

/// All own changes whose events are still to come, by absolute name.
#[derive(Default)]
pub(super) struct Expected {
    entries: HashMap<String, Entry>,
    /// Each name once, in the order in which they may be forgotten.
    order: VecDeque<(Instant, String)>,
}

impl Expected {
    /// The server is about to change `name`.
    pub(super) fn add(&mut self, name: &str, change: OwnChange, now: Instant) {
        self.forget_old(now);
        let until = now + EXPECTED_FOR;
        let entry = match self.entries.get_mut(name) {
            Some(entry) => entry,
            None => {
                self.order.push_back((until, name.to_owned()));
                self.entries.entry(name.to_owned()).or_default()
            }
        };
        entry.until = Some(until);
        match counted(change) {
            Some(index) => entry.counts[index] = entry.counts[index].saturating_add(1),
            None => entry.modified = true,
        }
        entry.modified |= matches!(change, OwnChange::Created | OwnChange::RenamedTo);
    }

    /// The change of `name` was not made after all.
    pub(super) fn remove(&mut self, name: &str, change: OwnChange) {
        if let (Some(entry), Some(index)) = (self.entries.get_mut(name), counted(change)) {
            entry.counts[index] = entry.counts[index].saturating_sub(1);
        }
    }

    /// Is the server making `name`, or has it a moment ago?
    pub(super) fn has_created(&self, name: &str, now: Instant) -> bool {
        let entry = self.entries.get(name);
        entry.is_some_and(|entry| entry.counts[0] > 0 && entry.until.is_some_and(|u| u >= now))
    }

    /// An event came: is it of an own change?
    pub(super) fn take(&mut self, name: &str, change: OwnChange, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(name) else {
            return false;
        };
        if entry.until.is_none_or(|until| until < now) {
            return false;
        }
        let Some(index) = counted(change) else {
            return entry.modified;
        };
        let was_expected = entry.counts[index] > 0;
        entry.counts[index] = entry.counts[index].saturating_sub(1);
        was_expected
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((until, _)) = self.order.front() {
            let is_full = self.order.len() >= MAX_EXPECTED;
            if *until > now && !is_full {
                return;
            }
            let Some((_, name)) = self.order.pop_front() else {
                return;
            };
            let renewed = self.entries.get(&name).and_then(|entry| entry.until);
            match renewed.filter(|until| *until > now && !is_full) {
                Some(until) => self.order.push_back((until, name)),
                None => {
                    self.entries.remove(&name);
                }
            }
        }
    }
}

/// Where [`Entry::counts`] counts it.
fn counted(change: OwnChange) -> Option<usize> {
    match change {
        OwnChange::Created => Some(0),
        OwnChange::Removed => Some(1),
        OwnChange::RenamedFrom => Some(2),
        OwnChange::RenamedTo => Some(3),
        OwnChange::Modified => None,
    }
}
