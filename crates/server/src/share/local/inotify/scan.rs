//! Finding the directories below a tree that is watched, one at a time.

use std::collections::HashSet;
use std::time::Instant;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::super::{descriptor_path, listing};
use super::places::{Below, Wanted};
use super::{LocalChange, Scan, Shared};
use crate::share::name::check_component;

/// Most entries of a new directory that are told because they were made before it could be
/// watched.
const MAX_TOLD: usize = 1_000;

/// What a step has found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) changes: Vec<LocalChange>,
    /// Names that are told now, although the event of their creation may be in the queue.
    pub(super) seen: HashSet<String>,
    /// A new directory was listed, and the queue may have events from before.
    pub(super) has_listed: bool,
}

impl Found {
    /// Whatever was in the queue when a directory was listed has come.
    pub(super) fn queue_is_empty(&mut self) {
        self.seen.clear();
        self.has_listed = false;
    }
}

/// Watches one directory of a tree and notes the directories in it for the next steps.
pub(super) fn step(shared: &Shared, scan: &Scan, found: &mut Found) {
    let wanted = shared.state().places.wanted(&scan.name);
    found.has_listed |= scan.tell;
    // Otherwise nobody watches it any more.
    let Some(wanted) = wanted else { return };
    if let Err(errno) = look_into(shared, scan, &wanted, found) {
        // It has gone, or the server may not read it.
        tracing::debug!(directory = scan.name, %errno, "not watched");
    }
}

fn look_into(
    shared: &Shared,
    scan: &Scan,
    wanted: &Wanted,
    found: &mut Found,
) -> Result<(), Errno> {
    let directory = open_beneath(wanted)?;
    let path = descriptor_path(&directory);
    // Watched first, listed afterwards: what appears between is seen twice, never missed.
    let tell = match shared.state().places.watch_below(&scan.name, &path)? {
        Below::New => scan.tell,
        // What is in it has been told, but perhaps not what is below.
        Below::Watched => false,
        Below::Unwanted => return Ok(()),
        Below::TooMany => {
            shared.say_once(&scan.name, "too many directories below a watched one");
            return Ok(());
        }
    };
    let mut entries = Vec::new();
    listing::for_each(directory.as_fd(), |name, file_type| {
        let is_directory = matches!(file_type, FileType::Directory | FileType::Unknown);
        match name.filter(|name| check_component(name).is_ok()) {
            Some(name) if is_directory || (tell && entries.len() < MAX_TOLD) => {
                entries.push((format!("{}/{name}", scan.name), is_directory));
            }
            _ => {}
        }
        // The tree's limit is far below; this bounds the memory of a single listing.
        entries.len() <= super::places::MAX_TREE
    })?;
    let mut state = shared.state();
    for (name, is_directory) in entries {
        if tell && !state.expected.has_created(&name, Instant::now()) {
            found.seen.insert(name.clone());
            let name = name.clone();
            found
                .changes
                .push(LocalChange::Added { name, is_directory });
        }
        if is_directory {
            state.scan(&name, scan.tell);
        }
    }
    Ok(())
}

/// Opens a directory of a tree without following a link: whoever swaps a component for one
/// gets nothing watched that lies elsewhere.
fn open_beneath(wanted: &Wanted) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open =
        |directory: &OwnedFd, name: &str| rustix::fs::openat(directory, name, flags, Mode::empty());
    let mut directory = open(&wanted.top, ".")?;
    for component in wanted.relative.split('/').filter(|name| !name.is_empty()) {
        directory = open(&directory, component)?;
    }
    Ok(directory)
}
