//! The locks that are held: two trees, and a list for each open.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use smb::NtStatus;

use super::Wanted;
use super::range::Range;
use super::tree::{NONE, Node, Nodes, Root};

/// The array of nodes grows and shrinks by an eighth, so that a lock takes 72 bytes there,
/// not the 128 that doubling would cost at worst.
const SLACK: usize = 8;

pub(super) struct HeldLocks {
    nodes: Nodes,
    shared: Root,
    exclusive: Root,
    /// Those that hold or await something.
    opens: HashMap<u32, OfOpen>,
    /// Locks of the empty range at 0, which conflict with nothing, of all opens.
    at_zero: u32,
}

/// What one open has.
#[derive(Clone, Copy)]
struct OfOpen {
    /// The first of its nodes.
    first: u32,
    /// Locks it holds, those of the empty range at 0 included.
    count: u32,
    /// Locks of the empty range at 0. Exclusive or shared: nobody can tell.
    at_zero: u32,
    waiting: u32,
}

impl Default for HeldLocks {
    fn default() -> Self {
        Self {
            nodes: Nodes::default(),
            shared: Root(NONE),
            exclusive: Root(NONE),
            opens: HashMap::default(),
            at_zero: 0,
        }
    }
}

impl HeldLocks {
    /// Is there a held lock beside which this one cannot be ([MS-FSA] 2.1.4.10 with
    /// LockIntent)? Exclusive locks of others exclude every lock, any lock excludes an
    /// exclusive one, of the same open too. So an open may put a shared lock over its
    /// exclusive one, but not the other way round.
    pub(super) fn conflicts(&self, lock: &Wanted) -> bool {
        let Some(range) = &lock.range else {
            return false;
        };
        if lock.exclusive {
            self.nodes.meets(&self.exclusive, range, None) || self.shared(range)
        } else {
            self.exclusive_of_others(lock.open, range)
        }
    }

    pub(super) fn exclusive_of_others(&self, open: u32, range: &Range) -> bool {
        self.nodes.meets(&self.exclusive, range, Some(open))
    }

    /// Is there a shared lock, of whomever?
    pub(super) fn shared(&self, range: &Range) -> bool {
        self.nodes.meets(&self.shared, range, None)
    }

    /// Records a lock, whatever it conflicts with.
    pub(super) fn insert(&mut self, lock: &Wanted) -> Result<(), NtStatus> {
        if self.count() >= NONE - 1 {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        let of_open = self.opens.entry(lock.open).or_insert(OfOpen::NOTHING);
        of_open.count += 1;
        let Some(range) = lock.range else {
            of_open.at_zero += 1;
            self.at_zero += 1;
            return Ok(());
        };
        let nodes = &mut self.nodes;
        let new = nodes.0.len() as u32;
        if nodes.0.len() == nodes.0.capacity() {
            nodes.0.reserve_exact(nodes.0.len() / SLACK + 1);
        }
        nodes.0.push(Node::new(range, lock.open, lock.exclusive));
        let next = std::mem::replace(&mut of_open.first, new);
        nodes[new].next = next;
        if next != NONE {
            nodes[next].previous = new;
        }
        let root = match lock.exclusive {
            true => &mut self.exclusive,
            false => &mut self.shared,
        };
        nodes.link(root, new);
        Ok(())
    }

    /// Removes one lock of exactly this kind, range and open, if there is one.
    pub(super) fn remove(&mut self, lock: &Wanted) -> bool {
        let Some(of_open) = self.opens.get_mut(&lock.open) else {
            return false;
        };
        if let Some(range) = lock.range {
            let root = match lock.exclusive {
                true => &self.exclusive,
                false => &self.shared,
            };
            let Some(found) = self.nodes.find(root, &range, lock.open) else {
                return false;
            };
            of_open.count -= 1;
            self.remove_node(found);
        } else {
            if of_open.at_zero == 0 {
                return false;
            }
            of_open.at_zero -= 1;
            of_open.count -= 1;
            self.at_zero -= 1;
        }
        self.forget_idle(lock.open);
        true
    }

    /// Removes all locks and waits of an open. Gives a range around those locks.
    pub(super) fn remove_all(&mut self, open: u32) -> Option<Range> {
        let of_open = *self.opens.get(&open)?;
        if of_open.count == self.count() {
            // Nobody else has any: no tree is worth mending.
            self.opens.remove(&open);
            self.nodes = Nodes::default();
            (self.shared, self.exclusive, self.at_zero) = (Root(NONE), Root(NONE), 0);
            return (of_open.first != NONE).then_some(Range::ALL);
        }
        self.at_zero -= of_open.at_zero;
        let mut around: Option<Range> = None;
        // The nodes move about as others go, but the open always knows its first one.
        while let Some(&OfOpen { first, .. }) = self.opens.get(&open)
            && first != NONE
        {
            let range = self.nodes[first].range;
            around = Some(around.map_or(range, |before| before.around(&range)));
            self.remove_node(first);
        }
        self.opens.remove(&open);
        self.give_back();
        around
    }

    pub(super) fn add_waiting(&mut self, open: u32) {
        self.opens.entry(open).or_insert(OfOpen::NOTHING).waiting += 1;
    }

    pub(super) fn remove_waiting(&mut self, open: u32) {
        if let Some(of_open) = self.opens.get_mut(&open) {
            of_open.waiting -= 1;
            self.forget_idle(open);
        }
    }

    pub(super) fn waiting_of(&self, open: u32) -> u32 {
        self.opens.get(&open).map_or(0, |of_open| of_open.waiting)
    }

    pub(super) fn count_of(&self, open: u32) -> u32 {
        self.opens.get(&open).map_or(0, |of_open| of_open.count)
    }

    pub(super) fn count(&self) -> u32 {
        self.nodes.0.len() as u32 + self.at_zero
    }

    fn forget_idle(&mut self, open: u32) {
        if let Entry::Occupied(entry) = self.opens.entry(open)
            && entry.get().count == 0
            && entry.get().waiting == 0
        {
            entry.remove();
            self.give_back();
        }
    }

    /// Of the opens' table. It takes twice what it needs at worst, as it grows.
    fn give_back(&mut self) {
        if self.opens.len() < self.opens.capacity() / 4 {
            self.opens.shrink_to(self.opens.len() * 2);
        }
    }

    /// Takes a node out of its tree, out of its open's list and out of the array, where the
    /// last node moves into its place.
    fn remove_node(&mut self, old: u32) {
        let root = match self.nodes[old].exclusive() {
            true => &mut self.exclusive,
            false => &mut self.shared,
        };
        self.nodes.unlink(root, old);
        let Node { previous, next, .. } = self.nodes[old];
        self.join(self.nodes[old].open, previous, next);
        let from = self.nodes.0.len() as u32 - 1;
        self.nodes.0.swap_remove(old as usize);
        if from != old {
            let node = &self.nodes[old];
            let (open, previous, next) = (node.open, node.previous, node.next);
            let root = match node.exclusive() {
                true => &mut self.exclusive,
                false => &mut self.shared,
            };
            self.nodes.moved(root, from, old);
            self.join(open, previous, old);
            self.join(open, old, next);
        }
        let spare = self.nodes.0.capacity() - self.nodes.0.len();
        if spare > 2 * SLACK && spare > self.nodes.0.len() / SLACK * 3 {
            let keep = self.nodes.0.len();
            self.nodes.0.shrink_to(keep + keep / SLACK);
        }
    }

    /// What it takes besides itself. The table of opens has eight places for every seven
    /// entries of its capacity, and a byte of its own for each.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let places = self.opens.capacity().div_ceil(7) * 8;
        self.nodes.0.capacity() * size_of::<Node>() + places * (size_of::<(u32, OfOpen)>() + 1)
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> u32 {
        self.opens.values().map(|of_open| of_open.waiting).sum()
    }

    /// The heights of the trees, after a look at all that must hold.
    #[cfg(test)]
    pub(super) fn assert_sound(&mut self) -> (u8, u8) {
        let (shared, shared_count) = self.nodes.assert_sound(&self.shared, false);
        let (exclusive, exclusive_count) = self.nodes.assert_sound(&self.exclusive, true);
        let mut listed = self.at_zero;
        for (&open, of_open) in &self.opens {
            let (mut count, mut at, mut previous) = (of_open.at_zero, of_open.first, NONE);
            while at != NONE {
                let node = &self.nodes[at];
                assert_eq!((node.open, node.previous), (open, previous));
                (previous, at) = (at, node.next);
                count += 1;
                listed += 1;
            }
            assert_eq!(count, of_open.count);
            assert!(count > 0 || of_open.waiting > 0);
        }
        assert_eq!(self.nodes.0.len() as u32, shared_count + exclusive_count);
        assert_eq!(listed, self.count());
        (shared, exclusive)
    }

    /// Makes `next` follow `previous` in an open's list; NONE is an end of the list.
    fn join(&mut self, open: u32, previous: u32, next: u32) {
        if next != NONE {
            self.nodes[next].previous = previous;
        }
        if previous != NONE {
            self.nodes[previous].next = next;
        } else if let Some(of_open) = self.opens.get_mut(&open) {
            of_open.first = next;
        }
    }
}

impl OfOpen {
    const NOTHING: Self = Self {
        first: NONE,
        count: 0,
        at_zero: 0,
        waiting: 0,
    };
}
