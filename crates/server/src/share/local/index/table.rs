//! The names of one directory, found whatever their case: about 40 bytes for a name of
//! twenty.

use std::hash::{BuildHasher, RandomState};

use super::super::super::name::{same_name, upcase};

/// Names as on disk, one behind the other in one allocation, and a hash table of where they
/// start. Names that differ only in case are all in it.
#[derive(Default)]
pub(super) struct NameTable {
    /// Each name with its length (one byte) before it.
    text: Vec<u8>,
    /// Open addressing; a power of two of them, at most three quarters taken.
    slots: Vec<Slot>,
    /// Names.
    count: usize,
    /// Slots of names that were removed.
    removed: usize,
    /// Bytes of `text` that no slot leads to.
    dead: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    /// Offset of the length in [`NameTable::text`], or [`EMPTY`], or [`REMOVED`].
    at: u32,
    /// Upper half of the hash: spares most comparisons, and places the slot again.
    tag: u32,
}

const EMPTY: u32 = u32::MAX;
const REMOVED: u32 = u32::MAX - 1;

/// The least number of slots.
const FEWEST_SLOTS: usize = 8;

/// Hashes a name without regard to case, with a key that no client knows.
#[derive(Clone, Default)]
pub(super) struct Folding(RandomState);

impl Folding {
    pub(super) fn tag(&self, name: &str) -> u32 {
        let mut folded = [0; 256];
        let hash = match folded.get_mut(..name.len()) {
            Some(folded) if name.is_ascii() => {
                folded.copy_from_slice(name.as_bytes());
                folded.make_ascii_uppercase();
                self.0.hash_one(&*folded)
            }
            _ => {
                let folded: String = name.chars().map(upcase).collect();
                self.0.hash_one(folded.as_bytes())
            }
        };
        (hash >> 32) as u32
    }
}

impl NameTable {
    /// Bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.slots.capacity() * size_of::<Slot>()
    }

    /// The first in order of bytes of the names that are `name` but for case.
    pub(super) fn find(&self, tag: u32, name: &str) -> Option<&str> {
        self.matches(tag)
            .map(|(_, found)| found)
            .filter(|found| same_name(found, name))
            .min()
    }

    /// Adds a name as on disk, unless it is there, or longer than 255 bytes, which no name on
    /// disk is.
    pub(super) fn insert(&mut self, tag: u32, name: &str) {
        let Ok(length) = u8::try_from(name.len()) else {
            return;
        };
        if self.matches(tag).any(|(_, found)| found == name) {
            return;
        }
        if (self.count + self.removed + 1) * 4 > self.slots.len() * 3 {
            self.resize();
        }
        let at = self.text.len();
        let Some(at) = u32::try_from(at).ok().filter(|&at| at < REMOVED) else {
            return;
        };
        self.text.push(length);
        self.text.extend_from_slice(name.as_bytes());
        place(&mut self.slots, Slot { at, tag });
        self.count += 1;
    }

    /// Removes the name that is spelled exactly so.
    pub(super) fn remove(&mut self, tag: u32, name: &str) {
        let slot = self.matches(tag).find(|(_, found)| *found == name);
        let Some((slot, _)) = slot else {
            return;
        };
        self.slots[slot].at = REMOVED;
        self.count -= 1;
        self.removed += 1;
        self.dead += 1 + name.len();
        if self.dead > self.text.len() / 2 {
            self.compact();
        }
    }

    /// Gives back what growing has taken ahead.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
    }

    /// Slots of this tag, with their names.
    fn matches(&self, tag: u32) -> impl Iterator<Item = (usize, &str)> {
        let mask = self.slots.len().wrapping_sub(1);
        (0..self.slots.len())
            .map(move |step| (tag as usize).wrapping_add(step) & mask)
            .take_while(|&slot| self.slots[slot].at != EMPTY)
            .filter(move |&slot| self.slots[slot].tag == tag && self.slots[slot].at != REMOVED)
            .map(|slot| (slot, self.name(self.slots[slot].at)))
    }

    fn name(&self, at: u32) -> &str {
        let at = at as usize;
        let length = usize::from(self.text[at]);
        // What insert() put there is a whole name.
        std::str::from_utf8(&self.text[at + 1..][..length]).unwrap_or_default()
    }

    /// Makes room for one more, and forgets the slots of removed names.
    fn resize(&mut self) {
        let wanted = ((self.count + 1) * 2).next_power_of_two();
        let empty = Slot { at: EMPTY, tag: 0 };
        let mut slots = vec![empty; wanted.max(FEWEST_SLOTS)];
        for slot in self.slots.iter().filter(|slot| slot.at < REMOVED) {
            place(&mut slots, *slot);
        }
        self.slots = slots;
        self.removed = 0;
    }

    fn compact(&mut self) {
        let mut text = Vec::with_capacity(self.text.len() - self.dead);
        for index in 0..self.slots.len() {
            let at = self.slots[index].at;
            if at < REMOVED {
                let start = at as usize;
                let end = start + 1 + usize::from(self.text[start]);
                // No longer than before, so it fits as it did.
                self.slots[index].at = text.len() as u32;
                text.extend_from_slice(&self.text[start..end]);
            }
        }
        self.text = text;
        self.dead = 0;
        self.resize();
    }
}

/// Into the first slot that is free; there is one.
fn place(slots: &mut [Slot], new: Slot) {
    let mask = slots.len() - 1;
    let mut slot = new.tag as usize & mask;
    while slots[slot].at < REMOVED {
        slot = (slot + 1) & mask;
    }
    slots[slot] = new;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Change {
        Insert(String),
        Remove(String),
    }

    fn change() -> impl Strategy<Value = Change> {
        let name = "[aAbBäÄ]{1,3}";
        prop_oneof![name.prop_map(Change::Insert), name.prop_map(Change::Remove)]
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(
            changes in proptest::collection::vec(change(), 0..400),
            asked in "[aAbBäÄ]{1,3}",
        ) {
            let folding = Folding::default();
            let mut table = NameTable::default();
            let mut plain = BTreeSet::new();
            for change in changes {
                match change {
                    Change::Insert(name) => {
                        table.insert(folding.tag(&name), &name);
                        plain.insert(name);
                    }
                    Change::Remove(name) => {
                        table.remove(folding.tag(&name), &name);
                        plain.remove(&name);
                    }
                }
                prop_assert_eq!(table.count, plain.len());
            }
            let expected = plain.iter().find(|name| same_name(name, &asked));
            let found = table.find(folding.tag(&asked), &asked);
            prop_assert_eq!(found, expected.map(String::as_str));
        }
    }

    #[test]
    fn a_name_costs_about_forty_bytes() {
        let folding = Folding::default();
        let mut table = NameTable::default();
        let names = 30_000;
        for number in 0..names {
            let name = format!("a name of 20 {number:07}");
            table.insert(folding.tag(&name), &name);
        }
        table.shrink();
        let each = table.bytes() / names;
        assert!((20..=45).contains(&each), "{each} bytes");
        for number in 0..names {
            let name = format!("a name of 20 {number:07}");
            table.remove(folding.tag(&name), &name);
        }
        assert!(table.bytes() < 1024, "{} bytes", table.bytes());
    }
}
