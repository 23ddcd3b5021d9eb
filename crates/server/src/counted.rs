//! An ordered set that knows how many of its members lie behind any key.
//!
//! Leaves of some hundred members in order, and a Fenwick tree over their lengths: finding,
//! counting, adding and removing cost O(log n), walking costs what is walked. Ids of sessions
//! and opens grow, so most members are added at the end; leaves there are filled to the brim.

/// Members of a leaf at most: what a removal moves, and few enough leaves that rebuilding
/// their sums, once in half as many changes, costs nothing that shows.
const LEAF: usize = 256;

/// What a member is ordered by.
pub(crate) trait Keyed {
    fn key(&self) -> u64;
}

impl Keyed for u64 {
    fn key(&self) -> u64 {
        *self
    }
}

/// A set of members with distinct keys, in order of key.
pub(crate) struct Counted<T> {
    /// None of them empty.
    leaves: Vec<Vec<T>>,
    /// Fenwick tree over the lengths of the leaves: entry i has the members of the leaves
    /// from i & (i + 1) to i.
    sums: Vec<usize>,
    len: usize,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self {
            leaves: Vec::new(),
            sums: Vec::new(),
            len: 0,
        }
    }
}

impl<T: Keyed> Counted<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a member; one of the same key gives way.
    pub(crate) fn insert(&mut self, member: T) {
        let (leaf, at) = self.lower_bound(member.key());
        let Some(members) = self.leaves.get_mut(leaf) else {
            // Behind everything.
            match self.leaves.last_mut() {
                Some(last) if last.len() < LEAF => last.push(member),
                _ => self.leaves.push(vec![member]),
            }
            return self.added(self.leaves.len() - 1);
        };
        if members.get(at).is_some_and(|old| old.key() == member.key()) {
            members[at] = member;
            return;
        }
        if members.len() == LEAF {
            let upper = members.split_off(LEAF / 2);
            self.leaves.insert(leaf + 1, upper);
            self.rebuild();
            return self.insert(member);
        }
        members.insert(at, member);
        self.added(leaf);
    }

    pub(crate) fn get(&self, key: u64) -> Option<&T> {
        let (leaf, at) = self.lower_bound(key);
        let member = self.leaves.get(leaf)?.get(at)?;
        (member.key() == key).then_some(member)
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<T> {
        let (leaf, at) = self.lower_bound(key);
        let members = self.leaves.get_mut(leaf)?;
        if members.get(at)?.key() != key {
            return None;
        }
        let removed = members.remove(at);
        self.len -= 1;
        if members.is_empty() {
            self.leaves.remove(leaf);
            self.rebuild();
        } else if !self.merge(leaf.saturating_sub(1)) && !self.merge(leaf) {
            self.change(leaf, |sum| sum - 1);
        }
        Some(removed)
    }

    /// Members with this key or a greater one.
    pub(crate) fn count_from(&self, key: u64) -> usize {
        let (leaf, at) = self.lower_bound(key);
        let mut before = at;
        let mut end = leaf;
        while end > 0 {
            before += self.sums[end - 1];
            end &= end - 1;
        }
        self.len - before
    }

    /// Members with this key or a greater one, in order.
    pub(crate) fn iter_from(&self, key: u64) -> impl Iterator<Item = &T> {
        let (leaf, at) = self.lower_bound(key);
        let rest = self.leaves.get(leaf..).unwrap_or_default();
        rest.iter().flatten().skip(at)
    }

    /// Leaf and place of the first member with this key or a greater one; the leaf behind
    /// the last if there is none.
    fn lower_bound(&self, key: u64) -> (usize, usize) {
        let leaf = self
            .leaves
            .partition_point(|leaf| leaf.last().is_some_and(|last| last.key() < key));
        let at = self
            .leaves
            .get(leaf)
            .map_or(0, |members| members.partition_point(|m| m.key() < key));
        (leaf, at)
    }

    /// A member was added to this leaf, and perhaps leaves.
    fn added(&mut self, leaf: usize) {
        self.len += 1;
        if self.sums.len() == self.leaves.len() {
            self.change(leaf, |sum| sum + 1);
        } else {
            self.rebuild();
        }
    }

    /// Joins a leaf and the next if they are half of one together: a set that shrinks gives
    /// its memory back.
    fn merge(&mut self, leaf: usize) -> bool {
        let [one, other, ..] = &mut self.leaves[leaf..] else {
            return false;
        };
        if one.len() + other.len() > LEAF / 2 {
            return false;
        }
        one.append(other);
        one.shrink_to(LEAF / 2);
        self.leaves.remove(leaf + 1);
        self.rebuild();
        true
    }

    fn change(&mut self, mut leaf: usize, to: impl Fn(usize) -> usize) {
        while let Some(sum) = self.sums.get_mut(leaf) {
            *sum = to(*sum);
            leaf |= leaf + 1;
        }
    }

    fn rebuild(&mut self) {
        self.sums.clear();
        self.sums.extend(self.leaves.iter().map(Vec::len));
        for index in 0..self.sums.len() {
            let parent = index | (index + 1);
            if parent < self.sums.len() {
                self.sums[parent] += self.sums[index];
            }
        }
        if self.leaves.is_empty() {
            *self = Self::default();
        }
    }
}

/// A set of ids: of one client or user. Most have one session.
pub(crate) enum Ids {
    One(u64),
    Many(Box<Counted<u64>>),
}

impl Ids {
    pub(crate) fn insert(&mut self, id: u64) {
        match self {
            Self::One(one) => {
                let mut many = Counted::default();
                many.insert(*one);
                many.insert(id);
                *self = Self::Many(Box::new(many));
            }
            Self::Many(many) => many.insert(id),
        }
    }

    /// True if none is left.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        match self {
            Self::One(one) => *one == id,
            Self::Many(many) => {
                many.remove(id);
                many.is_empty()
            }
        }
    }

    pub(crate) fn count_from(&self, key: u64) -> usize {
        match self {
            Self::One(one) => usize::from(*one >= key),
            Self::Many(many) => many.count_from(key),
        }
    }

    pub(crate) fn iter_from(&self, key: u64) -> impl Iterator<Item = u64> {
        let (one, many) = match self {
            Self::One(one) => (Some(*one).filter(|one| *one >= key), None),
            Self::Many(many) => (None, Some(many.iter_from(key).copied())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}
