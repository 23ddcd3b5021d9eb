//! A search tree of ranges that knows how far the locks below each node reach: an AVL tree
//! in an array, of nodes that are linked by index.

use std::cmp::Ordering;

use super::range::Range;

/// The index of no node.
pub(super) const NONE: u32 = u32::MAX;

/// A held lock, in one of the two trees and in the list of its open.
pub(super) struct Node {
    pub(super) range: Range,
    below: Below,
    pub(super) open: u32,
    /// Before and behind this one.
    children: [u32; 2],
    parent: u32,
    /// Neighbours in the list of its open; nothing to the trees.
    pub(super) previous: u32,
    pub(super) next: u32,
}

/// What a node knows of the subtree that it is the top of.
#[derive(Clone, Copy, PartialEq)]
struct Below {
    /// The furthest last byte.
    last: u64,
    /// The furthest last byte of another open than `open`, if there are `others`.
    last_of_others: u64,
    /// Who reaches `last`.
    open: u32,
    others: bool,
    height: u8,
    /// Which tree this is; the same all over it.
    exclusive: bool,
}

impl Node {
    pub(super) fn new(range: Range, open: u32, exclusive: bool) -> Self {
        Self {
            range,
            below: Below::alone(range, open, exclusive),
            open,
            children: [NONE; 2],
            parent: NONE,
            previous: NONE,
            next: NONE,
        }
    }

    pub(super) fn exclusive(&self) -> bool {
        self.below.exclusive
    }

    fn cmp(&self, range: &Range, open: u32) -> Ordering {
        (self.range, self.open).cmp(&(*range, open))
    }
}

impl Below {
    fn alone(range: Range, open: u32, exclusive: bool) -> Self {
        Self {
            last: range.last,
            last_of_others: 0,
            open,
            others: false,
            height: 1,
            exclusive,
        }
    }

    /// The furthest last byte of all but one open.
    fn last_without(&self, open: u32) -> Option<u64> {
        if self.open != open {
            Some(self.last)
        } else {
            self.others.then_some(self.last_of_others)
        }
    }

    /// With a child's subtree. The heights of the two are not compared here.
    fn and(self, child: &Self) -> Self {
        let (far, near) = if child.last > self.last {
            (child, &self)
        } else {
            (&self, child)
        };
        let others = far.last_without(far.open).max(near.last_without(far.open));
        Self {
            last: far.last,
            last_of_others: others.unwrap_or(0),
            open: far.open,
            others: others.is_some(),
            height: self.height.max(child.height + 1),
            exclusive: self.exclusive,
        }
    }
}

/// The trees' nodes, without holes.
#[derive(Default)]
pub(super) struct Nodes(pub(super) Vec<Node>);

/// A tree: the index of its top.
pub(super) struct Root(pub(super) u32);

impl Nodes {
    /// Does a lock in this tree, of any open but `except`, meet the range?
    pub(super) fn meets(&self, root: &Root, range: &Range, except: Option<u32>) -> bool {
        let furthest = |below: &Below| match except {
            Some(open) => below.last_without(open),
            None => Some(below.last),
        };
        let mut at = root.0;
        while let Some(node) = self.get(at) {
            if node.range.start > range.last {
                at = node.children[0];
                continue;
            }
            // This lock and all before it start early enough.
            let before = self.get(node.children[0]);
            let reached = before.and_then(|before| furthest(&before.below));
            let itself = except != Some(node.open) && node.range.last >= range.start;
            if itself || reached.is_some_and(|last| last >= range.start) {
                return true;
            }
            at = node.children[1];
        }
        false
    }

    /// A lock of exactly this range and open.
    pub(super) fn find(&self, root: &Root, range: &Range, open: u32) -> Option<u32> {
        let mut at = root.0;
        loop {
            let node = self.get(at)?;
            match node.cmp(range, open) {
                Ordering::Equal => return Some(at),
                Ordering::Greater => at = node.children[0],
                Ordering::Less => at = node.children[1],
            }
        }
    }

    /// Puts a node that is in the array into the tree.
    pub(super) fn link(&mut self, root: &mut Root, new: u32) {
        let (range, open) = (self[new].range, self[new].open);
        let (mut parent, mut side, mut at) = (NONE, 0, root.0);
        while let Some(node) = self.get(at) {
            parent = at;
            // Behind its equals, if there are any.
            side = usize::from(node.cmp(&range, open) != Ordering::Greater);
            at = node.children[side];
        }
        self[new].parent = parent;
        if parent == NONE {
            root.0 = new;
        } else {
            self[parent].children[side] = new;
            self.mend(root, parent);
        }
    }

    /// Takes a node out of the tree. It stays in the array.
    pub(super) fn unlink(&mut self, root: &mut Root, old: u32) {
        let [before, behind] = self[old].children;
        if before == NONE || behind == NONE {
            let child = if before == NONE { behind } else { before };
            let parent = self[old].parent;
            self.replace(root, old, child);
            self.mend(root, parent);
            return;
        }
        // The next one in order takes its place.
        let mut heir = behind;
        while self[heir].children[0] != NONE {
            heir = self[heir].children[0];
        }
        let mut lowest = heir;
        if heir != behind {
            lowest = self[heir].parent;
            let child = self[heir].children[1];
            self.replace(root, heir, child);
            self.adopt(heir, 1, behind);
        }
        self.replace(root, old, heir);
        self.adopt(heir, 0, before);
        // As it was known above: `mend` goes on upwards as long as that changes.
        self[heir].below = self[old].below;
        self.mend(root, lowest);
        self.mend(root, heir);
    }

    /// The node `from` of the array is at `to` now: what led there leads here.
    pub(super) fn moved(&mut self, root: &mut Root, from: u32, to: u32) {
        let (parent, children) = (self[to].parent, self[to].children);
        self.set_child(root, parent, from, to);
        for child in children {
            if child != NONE {
                self[child].parent = to;
            }
        }
    }

    fn get(&self, at: u32) -> Option<&Node> {
        // No array of nodes is so long that it has one at NONE.
        self.0.get(at as usize)
    }

    /// Restores balance and knowledge from `at` upwards, as far as something changes.
    fn mend(&mut self, root: &mut Root, mut at: u32) {
        while at != NONE {
            let known = self[at].below;
            self.learn(at);
            let top = self.balance(root, at);
            if self[top].below == known {
                return;
            }
            at = self[top].parent;
        }
    }

    fn learn(&mut self, at: u32) {
        let node = &self[at];
        let mut below = Below::alone(node.range, node.open, node.exclusive());
        for child in node.children {
            if let Some(child) = self.get(child) {
                below = below.and(&child.below);
            }
        }
        self[at].below = below;
    }

    fn height(&self, at: u32) -> u8 {
        self.get(at).map_or(0, |node| node.below.height)
    }

    /// Rotates if one child is two levels higher than the other. Gives the subtree's top.
    fn balance(&mut self, root: &mut Root, at: u32) -> u32 {
        for side in [0, 1] {
            let high = self[at].children[side];
            if self.height(high) > self.height(self[at].children[1 - side]) + 1 {
                let [outer, inner] = [side, 1 - side].map(|side| self[high].children[side]);
                if self.height(inner) > self.height(outer) {
                    self.raise(root, high, 1 - side);
                }
                return self.raise(root, at, side);
            }
        }
        at
    }

    /// Puts the child on this side in the place of its parent `at`, which becomes its child.
    fn raise(&mut self, root: &mut Root, at: u32, side: usize) -> u32 {
        let top = self[at].children[side];
        let between = self[top].children[1 - side];
        self.replace(root, at, top);
        self.adopt(at, side, between);
        self.adopt(top, 1 - side, at);
        self.learn(at);
        self.learn(top);
        top
    }

    /// Puts `new` (perhaps NONE) below the parent of `old`, in its place.
    fn replace(&mut self, root: &mut Root, old: u32, new: u32) {
        let parent = self[old].parent;
        self.set_child(root, parent, old, new);
        if new != NONE {
            self[new].parent = parent;
        }
    }

    fn set_child(&mut self, root: &mut Root, parent: u32, old: u32, new: u32) {
        if parent == NONE {
            root.0 = new;
        } else {
            let side = usize::from(self[parent].children[1] == old);
            self[parent].children[side] = new;
        }
    }

    fn adopt(&mut self, parent: u32, side: usize, child: u32) {
        self[parent].children[side] = child;
        if child != NONE {
            self[child].parent = parent;
        }
    }

    /// The tree's height, after a look at all that must hold of it.
    #[cfg(test)]
    pub(super) fn assert_sound(&mut self, root: &Root, exclusive: bool) -> (u8, u32) {
        let (mut count, mut todo) = (0, vec![(root.0, NONE)]);
        while let Some((at, parent)) = todo.pop() {
            let Some(node) = self.get(at) else { continue };
            let (children, known) = (node.children, node.below);
            assert_eq!(node.parent, parent);
            assert_eq!(node.exclusive(), exclusive);
            for (side, child) in children.into_iter().enumerate() {
                todo.push((child, at));
                if let Some(child) = self.get(child) {
                    let order = child.cmp(&node.range, node.open);
                    assert!(
                        order == Ordering::Equal || side == usize::from(order == Ordering::Greater)
                    );
                }
            }
            let [before, behind] = children.map(|child| self.height(child));
            assert!(before.abs_diff(behind) <= 1, "balanced");
            self.learn(at);
            assert!(self[at].below == known, "knows what is below it");
            count += 1;
        }
        (self.height(root.0), count)
    }
}

impl std::ops::Index<u32> for Nodes {
    type Output = Node;

    fn index(&self, at: u32) -> &Node {
        &self.0[at as usize]
    }
}

impl std::ops::IndexMut<u32> for Nodes {
    fn index_mut(&mut self, at: u32) -> &mut Node {
        &mut self.0[at as usize]
    }
}
