//! The directories that are watched, as the tree that their names form: a change finds who
//! watches its directory or one above it on its way down from the root, and ends where
//! nobody watches further; a renamed directory takes along what is watched below it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::file::name::FileName;
use crate::share::name::upcase;

/// Index of a [`Node`].
pub(super) type NodeId = u32;

const ROOT: NodeId = 0;

/// A directory that is watched, or one above such a directory.
#[derive(Default)]
struct Node {
    parent: NodeId,
    /// Own name, folded; shared with the parent's map.
    key: Arc<str>,
    children: HashMap<Arc<str>, NodeId>,
    /// Opens that watch the entries of this directory alone.
    opens: Vec<u32>,
    /// Opens that watch everything below as well.
    tree_opens: Vec<u32>,
}

impl Node {
    fn is_unused(&self) -> bool {
        self.children.is_empty() && self.opens.is_empty() && self.tree_opens.is_empty()
    }

    fn opens_of(&mut self, tree: bool) -> &mut Vec<u32> {
        if tree {
            &mut self.tree_opens
        } else {
            &mut self.opens
        }
    }

    fn all_opens(&self) -> impl Iterator<Item = u32> + use<'_> {
        self.opens.iter().chain(&self.tree_opens).copied()
    }
}

/// All directories that are watched.
pub(super) struct Directories {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
}

impl Default for Directories {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
            free: Vec::new(),
        }
    }
}

impl Directories {
    /// `open` watches `directory`.
    pub(super) fn add(&mut self, directory: &FileName, open: u32, tree: bool) -> NodeId {
        let id = self.make(directory);
        self.node(id).opens_of(tree).push(open);
        id
    }

    /// `open` no longer watches the directory `id`.
    pub(super) fn remove(&mut self, id: NodeId, open: u32, tree: bool) {
        let opens = self.node(id).opens_of(tree);
        opens.retain(|watching| *watching != open);
        if opens.is_empty() {
            *opens = Vec::new();
        }
        self.prune(id);
        self.shrink();
    }

    /// Calls `found` for each open that watches the directory of the entry `name` or, whole,
    /// one above it, with the entry's name relative to that directory.
    pub(super) fn watchers<'n>(&self, name: &'n FileName, mut found: impl FnMut(u32, &'n str)) {
        let mut folded = String::new();
        let mut node = &self.nodes[ROOT as usize];
        let mut relative = below_root(name);
        while !relative.is_empty() {
            node.tree_opens
                .iter()
                .for_each(|open| found(*open, relative));
            let Some((component, below)) = relative.split_once('/') else {
                node.opens.iter().for_each(|open| found(*open, relative));
                return;
            };
            fold(component, &mut folded);
            let Some(child) = node.children.get(&*folded) else {
                return;
            };
            node = &self.nodes[*child as usize];
            relative = below;
        }
    }

    /// The opens that watch exactly `directory`.
    pub(super) fn watchers_at(&self, directory: &FileName) -> Vec<u32> {
        self.find(directory)
            .map_or_else(Vec::new, |id| self.nodes[id as usize].all_opens().collect())
    }

    /// Takes `directory` and everything below it out; gives the opens that watched there.
    pub(super) fn detach_all(&mut self, directory: &FileName) -> Vec<u32> {
        let mut opens = Vec::new();
        let Some(top) = self.find(directory).filter(|id| *id != ROOT) else {
            return opens;
        };
        self.detach(top);
        let mut rest = vec![top];
        while let Some(id) = rest.pop() {
            let node = std::mem::take(self.node(id));
            opens.extend(node.all_opens());
            rest.extend(node.children.values());
            self.free.push(id);
        }
        self.shrink();
        opens
    }

    /// The directory `old` is called `new` from now on. `moved` is told each open that got
    /// another node because somebody watched that name already.
    pub(super) fn rename(
        &mut self,
        old: &FileName,
        new: &FileName,
        mut moved: impl FnMut(u32, NodeId),
    ) {
        let Some(id) = self.find(old).filter(|id| *id != ROOT) else {
            return;
        };
        self.detach(id);
        let target = self.make(new);
        self.merge(id, target, &mut moved);
    }

    /// Moves everything at and below `from`, which is detached, to `to`.
    fn merge(&mut self, from: NodeId, to: NodeId, moved: &mut impl FnMut(u32, NodeId)) {
        let mut rest = vec![(from, to)];
        while let Some((from, to)) = rest.pop() {
            let node = std::mem::take(self.node(from));
            self.free.push(from);
            node.all_opens().for_each(|open| moved(open, to));
            let target = self.node(to);
            target.opens.extend(node.opens);
            target.tree_opens.extend(node.tree_opens);
            for (key, child) in node.children {
                match self.nodes[to as usize].children.get(&key) {
                    Some(existing) => rest.push((child, *existing)),
                    None => {
                        self.node(child).parent = to;
                        self.node(to).children.insert(key, child);
                    }
                }
            }
        }
    }

    /// Nodes in use or free, the root included.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    fn find(&self, directory: &FileName) -> Option<NodeId> {
        let mut folded = String::new();
        let mut id = ROOT;
        for component in components(directory) {
            fold(component, &mut folded);
            id = *self.nodes[id as usize].children.get(&*folded)?;
        }
        Some(id)
    }

    fn make(&mut self, directory: &FileName) -> NodeId {
        let mut folded = String::new();
        let mut id = ROOT;
        for component in components(directory) {
            fold(component, &mut folded);
            id = match self.nodes[id as usize].children.get(&*folded) {
                Some(child) => *child,
                None => self.make_child(id, folded.as_str().into()),
            };
        }
        id
    }

    fn make_child(&mut self, parent: NodeId, key: Arc<str>) -> NodeId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::default());
            // Opens are counted in 32 bits, and each is far longer than a path is deep.
            (self.nodes.len() - 1) as NodeId
        });
        *self.node(id) = Node {
            parent,
            key: Arc::clone(&key),
            ..Node::default()
        };
        self.node(parent).children.insert(key, id);
        id
    }

    /// Takes a node out of its parent's children, and parents that are of no use any more
    /// out of theirs.
    fn detach(&mut self, id: NodeId) {
        let (parent, key) = (
            self.nodes[id as usize].parent,
            Arc::clone(&self.nodes[id as usize].key),
        );
        self.node(parent).children.remove(&key);
        self.prune(parent);
    }

    fn prune(&mut self, mut id: NodeId) {
        while id != ROOT && self.nodes[id as usize].is_unused() {
            let node = std::mem::take(self.node(id));
            self.node(node.parent).children.remove(&node.key);
            self.free.push(id);
            id = node.parent;
        }
    }

    /// Memory goes back when nobody watches any more.
    fn shrink(&mut self) {
        if self.nodes[ROOT as usize].is_unused() {
            *self = Self::default();
        }
    }

    fn node(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id as usize]
    }
}

fn below_root(name: &FileName) -> &str {
    let name = name.as_prefix();
    name.strip_prefix('/').unwrap_or(name)
}

fn components(name: &FileName) -> impl Iterator<Item = &str> {
    name.as_prefix().split('/').filter(|part| !part.is_empty())
}

/// Puts into `folded` what all spellings of `component` have in common.
fn fold(component: &str, folded: &mut String) {
    folded.clear();
    if component.is_ascii() {
        folded.push_str(component);
        folded.make_ascii_uppercase();
    } else {
        folded.extend(component.chars().map(upcase));
    }
}
