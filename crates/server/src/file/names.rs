//! The names of open files: one node for each distinct name, below the node of its directory.
//!
//! A rename moves a node, so that every open with that name, the opens of its streams and
//! everything below it are renamed at once, and opens by another hard link are not.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use super::File;
use super::name::FileName;
use crate::share::name::{same_name, upcase};

/// A node of [`Names`], valid while an open has that name or one below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NodeId(u32);

/// No node: the top of the tree, the end of a list.
const NOWHERE: u32 = u32::MAX;

struct Node {
    name: Box<str>,
    parent: u32,
    /// Another node whose hash is the same.
    same_hash: u32,
    first_child: u32,
    next_sibling: u32,
    previous_sibling: u32,
    /// Who is open by this name: a file and its streams, each with its number of opens.
    files: Vec<(Arc<File>, u32)>,
}

/// All names that open files have.
#[derive(Default)]
pub(super) struct Names {
    nodes: Vec<Node>,
    free: Vec<u32>,
    /// First node by the hash of its parent and its name.
    by_hash: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Names {
    /// Counts one open of `file` by `name`.
    pub(super) fn enter(&mut self, name: &FileName, file: &Arc<File>) -> NodeId {
        let (parent, last) = self.enter_directories(name);
        // A name that still belongs to a deleted or replaced file is not this file's.
        let found = self.each_named(parent, last).find(|&node| {
            let files = &self.nodes[node as usize].files;
            files.is_empty()
                || files
                    .iter()
                    .any(|(other, _)| other.identity.same_file(&file.identity))
        });
        let node = found.unwrap_or_else(|| self.add(parent, last));
        let files = &mut self.nodes[node as usize].files;
        match files.iter_mut().find(|(other, _)| Arc::ptr_eq(other, file)) {
            Some((_, opens)) => *opens += 1,
            None => {
                files.reserve_exact(1);
                files.push((file.clone(), 1));
            }
        }
        NodeId(node)
    }

    /// Takes back an [`Names::enter`].
    pub(super) fn leave(&mut self, node: NodeId, file: &Arc<File>) {
        let files = &mut self.nodes[node.0 as usize].files;
        if let Some(at) = files.iter().position(|(other, _)| Arc::ptr_eq(other, file)) {
            files[at].1 -= 1;
            if files[at].1 == 0 {
                files.swap_remove(at);
            }
        }
        self.remove_unused(node.0);
    }

    pub(super) fn path(&self, node: NodeId) -> FileName {
        let mut components = Vec::new();
        let mut at = node.0;
        while at != NOWHERE {
            let node = &self.nodes[at as usize];
            components.push(&*node.name);
            at = node.parent;
        }
        components.reverse();
        FileName::from_components(&components)
    }

    /// Is `name` what `node` is called?
    pub(super) fn is_called(&self, node: NodeId, name: &FileName) -> bool {
        let mut at = node.0;
        let mut components = name.as_prefix().rsplit('/');
        while at != NOWHERE {
            let node = &self.nodes[at as usize];
            if !components
                .next()
                .is_some_and(|component| same_name(component, &node.name))
            {
                return false;
            }
            at = node.parent;
        }
        components.next().is_none()
    }

    /// Gives a node, and everything below it, another name. A name below itself is ignored:
    /// no store can have moved it there.
    pub(super) fn rename(&mut self, node: NodeId, name: &FileName) {
        if name.starts_with(&self.path(node)) && !self.is_called(node, name) {
            return;
        }
        let (parent, last) = self.enter_directories(name);
        let old_parent = self.nodes[node.0 as usize].parent;
        self.unlink(node.0);
        self.nodes[node.0 as usize].name = last.into();
        self.nodes[node.0 as usize].parent = parent;
        self.link(node.0);
        self.remove_unused(old_parent);
    }

    /// The files open by this name.
    pub(super) fn files(&self, name: &FileName) -> Vec<Arc<File>> {
        let nodes = self.find(name);
        let files = nodes
            .iter()
            .flat_map(|&node| &self.nodes[node as usize].files);
        files.map(|(file, _)| file.clone()).collect()
    }

    /// Is anything below this directory open?
    pub(super) fn any_below(&self, directory: &FileName) -> bool {
        let mut nodes = self.find(directory).into_iter();
        nodes.any(|node| self.nodes[node as usize].first_child != NOWHERE)
    }

    /// The open files below this directory that `wanted` takes.
    pub(super) fn files_below(
        &self,
        directory: &FileName,
        wanted: impl Fn(&File) -> bool,
    ) -> Vec<Arc<File>> {
        let mut found = Vec::new();
        let mut unseen = Vec::new();
        let push_children = |node: u32, unseen: &mut Vec<u32>| {
            let mut child = self.nodes[node as usize].first_child;
            while child != NOWHERE {
                unseen.push(child);
                child = self.nodes[child as usize].next_sibling;
            }
        };
        for node in self.find(directory) {
            push_children(node, &mut unseen);
        }
        while let Some(node) = unseen.pop() {
            let files = self.nodes[node as usize].files.iter();
            found.extend(
                files
                    .map(|(file, _)| file)
                    .filter(|file| wanted(file))
                    .cloned(),
            );
            push_children(node, &mut unseen);
        }
        found
    }

    /// Nodes in use: those of open files and of the directories above them.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    fn find(&self, name: &FileName) -> Vec<u32> {
        let mut found = vec![NOWHERE];
        for component in name.components() {
            let children = found
                .iter()
                .flat_map(|&parent| self.each_named(parent, component));
            found = children.collect();
        }
        found
    }

    /// The node of the directory, added if it is missing, and the last component.
    fn enter_directories<'a>(&mut self, name: &'a FileName) -> (u32, &'a str) {
        let Some((directories, last)) = name.as_prefix().rsplit_once('/') else {
            return (NOWHERE, name.as_prefix());
        };
        let mut parent = NOWHERE;
        for component in directories.split('/') {
            let found = self.each_named(parent, component).next();
            parent = found.unwrap_or_else(|| self.add(parent, component));
        }
        (parent, last)
    }

    fn each_named(&self, parent: u32, name: &str) -> impl Iterator<Item = u32> {
        let first = self.by_hash.get(&self.hash(parent, name));
        let mut at = first.copied().unwrap_or(NOWHERE);
        let same_hash = std::iter::from_fn(move || {
            let node = at;
            (node != NOWHERE).then(|| {
                at = self.nodes[node as usize].same_hash;
                node
            })
        });
        same_hash.filter(move |&node| {
            let node = &self.nodes[node as usize];
            node.parent == parent && same_name(&node.name, name)
        })
    }

    fn hash(&self, parent: u32, name: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        parent.hash(&mut hasher);
        name.chars()
            .for_each(|character| hasher.write_u32(upcase(character).into()));
        hasher.finish()
    }

    fn add(&mut self, parent: u32, name: &str) -> u32 {
        let node = Node {
            name: name.into(),
            parent,
            same_hash: NOWHERE,
            first_child: NOWHERE,
            next_sibling: NOWHERE,
            previous_sibling: NOWHERE,
            files: Vec::new(),
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                // Limits on opens are far below 2^32.
                (self.nodes.len() - 1) as u32
            }
        };
        self.link(at);
        at
    }

    /// Puts a node among its parent's children and those of its hash, in front: of nodes
    /// with one name, the newest is found first.
    fn link(&mut self, at: u32) {
        let parent = self.nodes[at as usize].parent;
        let hash = self.hash(parent, &self.nodes[at as usize].name);
        let same_hash = self.by_hash.insert(hash, at).unwrap_or(NOWHERE);
        self.nodes[at as usize].same_hash = same_hash;
        if parent != NOWHERE {
            let next = std::mem::replace(&mut self.nodes[parent as usize].first_child, at);
            self.nodes[at as usize].next_sibling = next;
            if next != NOWHERE {
                self.nodes[next as usize].previous_sibling = at;
            }
        }
    }

    /// Takes back a [`Names::link`].
    fn unlink(&mut self, at: u32) {
        let node = &self.nodes[at as usize];
        let (parent, same_hash) = (node.parent, node.same_hash);
        let (previous, next) = (node.previous_sibling, node.next_sibling);
        let hash = self.hash(parent, &node.name);
        match self.by_hash.get(&hash).copied() {
            Some(first) if first == at && same_hash == NOWHERE => {
                self.by_hash.remove(&hash);
            }
            Some(first) if first == at => {
                self.by_hash.insert(hash, same_hash);
            }
            Some(mut before) => {
                // A linked node is in the list of its hash.
                while self.nodes[before as usize].same_hash != at {
                    before = self.nodes[before as usize].same_hash;
                }
                self.nodes[before as usize].same_hash = same_hash;
            }
            None => {}
        }
        if previous != NOWHERE {
            self.nodes[previous as usize].next_sibling = next;
        } else if parent != NOWHERE {
            self.nodes[parent as usize].first_child = next;
        }
        if next != NOWHERE {
            self.nodes[next as usize].previous_sibling = previous;
        }
        let node = &mut self.nodes[at as usize];
        node.previous_sibling = NOWHERE;
        node.next_sibling = NOWHERE;
    }

    /// Removes a node that no open needs, and its directories likewise.
    fn remove_unused(&mut self, mut at: u32) {
        while at != NOWHERE {
            let node = &self.nodes[at as usize];
            if !node.files.is_empty() || node.first_child != NOWHERE {
                return;
            }
            let parent = node.parent;
            self.unlink(at);
            let node = &mut self.nodes[at as usize];
            node.name = Box::default();
            node.files = Vec::new();
            node.parent = NOWHERE;
            self.free.push(at);
            at = parent;
        }
    }
}
