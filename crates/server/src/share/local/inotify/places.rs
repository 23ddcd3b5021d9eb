//! Which directories the kernel watches for us, and why: because an open watches them, or
//! because they are below one that an open watches whole.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify::{self, WatchFlags};
use rustix::io::Errno;

/// Changes of entries; nothing about a directory itself, because its parent tells that.
const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::EXCL_UNLINK)
    .union(WatchFlags::ONLYDIR);

/// Most directories that the kernel watches for one open that watches a tree. Each costs it
/// about 1 KiB, of memory that the server's budgets do not see.
pub(super) const MAX_TREE: usize = 8_192;

/// A directory that the kernel watches.
struct Place {
    wd: i32,
    /// Opens that watch it, alone or with what is below.
    opens: usize,
    tree: Option<Tree>,
    /// The count of the tree that made the kernel watch it.
    counted: Option<Counted>,
}

/// A directory that is watched with everything below.
struct Tree {
    opens: usize,
    /// The directory, wherever it goes.
    top: Arc<OwnedFd>,
    /// Directories below that are watched because of it.
    below: Arc<AtomicUsize>,
    /// There are too many directories below: only this one is watched.
    alone: bool,
}

/// One of the directories that a tree counts, as long as this lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An open that watches.
struct Watch {
    name: String,
    wd: i32,
    tree: bool,
}

/// A directory of a tree that shall be watched, and where to find it.
pub(super) struct Wanted {
    pub(super) top: Arc<OwnedFd>,
    /// Below `top`; empty for itself.
    pub(super) relative: String,
}

/// What became of a directory of a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Below {
    /// It is watched from now on.
    New,
    /// It was watched already.
    Watched,
    /// Nobody watches the tree any more.
    Unwanted,
    /// Its tree is too large: the top alone is watched from now on.
    TooMany,
}

/// Everything that the kernel watches for us, by absolute name.
pub(super) struct Places {
    inotify: Arc<OwnedFd>,
    places: BTreeMap<String, Place>,
    /// The names of each directory: more than one if links or mounts lead to it.
    names: HashMap<i32, Vec<String>>,
    watches: HashMap<u32, Watch>,
    /// Most directories that are watched because they are in a tree.
    limit: usize,
}

impl Places {
    pub(super) fn new(inotify: Arc<OwnedFd>, limit: usize) -> Self {
        Self {
            inotify,
            places: BTreeMap::new(),
            names: HashMap::new(),
            watches: HashMap::new(),
            limit,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The names of a watched directory.
    pub(super) fn names(&self, wd: i32) -> &[String] {
        self.names.get(&wd).map_or(&[], Vec::as_slice)
    }

    /// `open` watches the directory `name`, to which the path `at` leads, and nothing else from
    /// now on; `top` if it watches what is below as well.
    pub(super) fn watch(
        &mut self,
        open: u32,
        name: &str,
        at: &str,
        top: Option<OwnedFd>,
    ) -> Result<(), Errno> {
        self.unwatch(open);
        let wd = self.add(name, at)?;
        let tree = top.is_some();
        if let Some(place) = self.places.get_mut(name) {
            place.opens += 1;
            if let Some(top) = top {
                let tree = place.tree.get_or_insert_with(|| Tree {
                    opens: 0,
                    top: Arc::new(top),
                    below: Arc::default(),
                    alone: false,
                });
                tree.opens += 1;
            }
        }
        let name = name.to_owned();
        self.watches.insert(open, Watch { name, wd, tree });
        Ok(())
    }

    /// `open` was closed.
    pub(super) fn unwatch(&mut self, open: u32) {
        let Some(watch) = self.watches.remove(&open) else {
            return;
        };
        // Another directory may have its name by now.
        let place = self.places.get_mut(&watch.name);
        let Some(place) = place.filter(|place| place.wd == watch.wd) else {
            return;
        };
        place.opens -= 1;
        if let Some(tree) = place.tree.as_mut().filter(|_| watch.tree) {
            tree.opens -= 1;
            if tree.opens == 0 {
                place.tree = None;
            }
        }
        self.drop_unneeded(&watch.name);
    }

    /// Is the directory `name` watched, or will it be?
    pub(super) fn is_watched(&self, name: &str) -> bool {
        self.places.contains_key(name) || self.tree_of(name).is_some()
    }

    /// Where to find the directory `name`, if it belongs to a tree that is watched.
    pub(super) fn wanted(&self, name: &str) -> Option<Wanted> {
        let (top, tree) = self.tree_of(name)?;
        Some(Wanted {
            top: Arc::clone(&tree.top),
            relative: name[top.len()..].trim_start_matches('/').to_owned(),
        })
    }

    /// Watches the directory `name` of a tree, to which the path `at` leads.
    pub(super) fn watch_below(&mut self, name: &str, at: &str) -> Result<Below, Errno> {
        let Some((top, tree)) = self.tree_of(name) else {
            return Ok(Below::Unwanted);
        };
        let top = top.to_owned();
        let old = self.places.get(name).map(|place| place.wd);
        let below = Arc::clone(&tree.below);
        let has_room = below.load(Ordering::Relaxed) < MAX_TREE && self.places.len() < self.limit;
        let added = match has_room || old.is_some() {
            true => self.add(name, at),
            false => Err(Errno::NOSPC),
        };
        match added {
            Ok(wd) if old == Some(wd) => return Ok(Below::Watched),
            Ok(_) => {}
            Err(Errno::NOSPC) => {
                self.leave_alone(&top);
                return Ok(Below::TooMany);
            }
            Err(errno) => return Err(errno),
        }
        if let Some(place) = self.places.get_mut(name) {
            place.counted = Some(Counted::new(&below));
        }
        Ok(Below::New)
    }

    /// The tops of all trees that are watched whole.
    pub(super) fn tops(&self) -> Vec<String> {
        let is_top = |place: &Place| place.tree.as_ref().is_some_and(|tree| !tree.alone);
        let places = self.places.iter().filter(|(_, place)| is_top(place));
        places.map(|(name, _)| name.clone()).collect()
    }

    /// The directory `old` is called `new` from now on.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        if old == new {
            return;
        }
        let renamed = |name: &str| format!("{new}{}", &name[old.len()..]);
        for name in self.at_and_below(old) {
            let to = renamed(&name);
            let Some(mut place) = self.places.remove(&name) else {
                continue;
            };
            match self.places.remove(&to) {
                // The thread has found it under its new name already.
                Some(same) if same.wd == place.wd => {
                    place.opens += same.opens;
                    place.tree = place.tree.or(same.tree);
                }
                Some(replaced) => self.forget_name(replaced.wd, &to),
                None => {}
            }
            let names = self.names.entry(place.wd).or_default();
            names.retain(|known| *known != name && *known != to);
            names.push(to.clone());
            self.places.insert(to, place);
        }
        for watch in self.watches.values_mut() {
            if is_at_or_below(&watch.name, old) {
                watch.name = renamed(&watch.name);
            }
        }
        self.drop_unneeded(new);
    }

    /// The directory `name` has gone to where nobody watches. Opens of directories there
    /// watch on; what is below them goes on being found from their tops.
    pub(super) fn moved_away(&mut self, name: &str) {
        for below in self.at_and_below(name) {
            let is_needed = |place: &Place| place.opens > 0;
            let tree = self.tree_of(&below).map(|(top, _)| top.to_owned());
            let has_tree = tree.is_some_and(|top| is_at_or_below(&top, name));
            if !has_tree && !self.places.get(&below).is_some_and(is_needed) {
                self.remove(&below);
            }
        }
    }

    /// The kernel watches the directory `wd` no longer: it was deleted or unmounted.
    pub(super) fn ignored(&mut self, wd: i32) {
        for name in self.names.remove(&wd).unwrap_or_default() {
            if self.places.get(&name).is_some_and(|place| place.wd == wd) {
                self.places.remove(&name);
            }
        }
    }

    /// From now on, only the top of a tree is watched.
    fn leave_alone(&mut self, top: &str) {
        if let Some(tree) = self.tree_mut(top) {
            tree.alone = true;
        }
        self.drop_unneeded(top);
    }

    fn add(&mut self, name: &str, at: &str) -> Result<i32, Errno> {
        let wd = inotify::add_watch(self.inotify.as_fd(), at, EVENTS)?;
        let old = self.places.get(name).map(|place| place.wd);
        if old == Some(wd) {
            return Ok(wd);
        }
        if let Some(old) = old {
            // The name belonged to a directory that is deleted, but still open.
            self.places.remove(name);
            self.forget_name(old, name);
        }
        let place = Place {
            wd,
            opens: 0,
            tree: None,
            counted: None,
        };
        self.places.insert(name.to_owned(), place);
        self.names.entry(wd).or_default().push(name.to_owned());
        Ok(wd)
    }

    /// Ends what is no longer needed at and below `name`.
    fn drop_unneeded(&mut self, name: &str) {
        for below in self.at_and_below(name) {
            let opens = self.places.get(&below).map_or(0, |place| place.opens);
            if opens == 0 && self.tree_of(&below).is_none() {
                self.remove(&below);
            }
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(place) = self.places.remove(name) {
            self.forget_name(place.wd, name);
        }
    }

    /// The directory `wd` is no longer known as `name`.
    fn forget_name(&mut self, wd: i32, name: &str) {
        let Some(names) = self.names.get_mut(&wd) else {
            return;
        };
        names.retain(|known| known != name);
        if names.is_empty() {
            self.names.remove(&wd);
            // Fails if the kernel has forgotten it already; its IN_IGNORED is still to come.
            let _ = inotify::remove_watch(self.inotify.as_fd(), wd);
        }
    }

    fn tree_mut(&mut self, top: &str) -> Option<&mut Tree> {
        self.places.get_mut(top)?.tree.as_mut()
    }

    /// The nearest tree, watched whole, that the directory `name` belongs to.
    fn tree_of(&self, name: &str) -> Option<(&str, &Tree)> {
        let mut name = name;
        loop {
            if let Some((top, place)) = self.places.get_key_value(name)
                && let Some(tree) = place.tree.as_ref().filter(|tree| !tree.alone)
            {
                return Some((top, tree));
            }
            name = name.rsplit_once('/')?.0;
        }
    }

    fn at_and_below(&self, name: &str) -> Vec<String> {
        // "0" follows "/" in order.
        let (first, end) = (format!("{name}/"), format!("{name}0"));
        let bounds = (Bound::Included(first), Bound::Excluded(end));
        let below = self.places.range(bounds).map(|(name, _)| name.clone());
        let itself = self.places.contains_key(name).then(|| name.to_owned());
        itself.into_iter().chain(below).collect()
    }
}

pub(super) fn is_at_or_below(name: &str, directory: &str) -> bool {
    let below = name.strip_prefix(directory);
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}
