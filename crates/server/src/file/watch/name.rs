//! Names that mean the same whichever share a directory was reached through.

use std::fmt;

use crate::share::SharePath;
use crate::share::name::upcase;

/// The name of a file or directory on the server's machine: the store's local path and the
/// path below it. Components follow a slash each, so that the file system's root is empty.
///
/// Compared by [`WatchTable`](super::WatchTable) without regard to case; the spelling is kept,
/// because it is what a client is told.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct AbsoluteName(String);

impl AbsoluteName {
    /// What is at `path` below `local_path` ([`Backend::local_path`](crate::share::Backend)).
    pub(crate) fn new(local_path: &str, path: &SharePath) -> Self {
        let mut name = String::with_capacity(local_path.len() + path.as_str().len() + 1);
        let local = local_path.split('/').filter(|part| !part.is_empty());
        for component in local.chain(path.components()) {
            name.push('/');
            name.push_str(component);
        }
        Self(name)
    }

    /// The file or directory `local_path` of the server's machine.
    pub(crate) fn local(local_path: &str) -> Self {
        Self::new(local_path, &SharePath::root())
    }

    /// The entry `name` of this directory.
    pub(crate) fn join(&self, name: &str) -> Self {
        Self(format!("{}/{name}", self.0))
    }

    /// The stream `stream` of this file, as [MS-FSA] names it in changes of streams.
    pub(crate) fn with_stream(&self, stream: &str) -> Self {
        Self(format!("{}:{stream}", self.0))
    }

    /// Directory and entry; `None` for the file system's root.
    pub(crate) fn split(&self) -> Option<(&str, &str)> {
        self.0.rsplit_once('/')
    }

    /// With slashes.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Are both in one directory?
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let directory = |name: &Self| name.split().map_or(0, |(directory, _)| directory.len());
        crate::share::name::same_name(&self.0[..directory(self)], &other.0[..directory(other)])
    }
}

impl fmt::Display for AbsoluteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Puts into `folded` what all spellings of `component` have in common.
pub(super) fn fold(component: &str, folded: &mut String) {
    folded.clear();
    if component.is_ascii() {
        folded.push_str(component);
        folded.make_ascii_uppercase();
    } else {
        folded.extend(component.chars().map(upcase));
    }
}
