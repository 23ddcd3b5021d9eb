//! [`FileName`]: a name that means the same whichever share a file was reached through.

use crate::share::SharePath;
use crate::share::name::same_name;

/// An absolute name: the local path of a store, and a path below it in the spelling of the
/// store. Components follow a slash each, so that the root of the file system is empty. Names
/// are compared without regard to case; the spelling is what a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName(Box<str>);

impl FileName {
    /// `root` is [`Backend::local_path`](crate::share::Backend::local_path).
    pub(crate) fn new(root: &str, path: &SharePath) -> Self {
        let mut name = String::with_capacity(root.len() + 1 + path.as_str().len());
        for (index, component) in root.split('/').enumerate() {
            if index > 0 && !component.is_empty() {
                name.push('/');
            }
            name.push_str(component);
        }
        for component in path.components() {
            name.push('/');
            name.push_str(component);
        }
        Self(name.into())
    }

    /// As [`FileName::components`] gives them.
    pub(super) fn from_components(components: &[&str]) -> Self {
        Self(components.join("/").into())
    }

    /// What a store calls its `local_path`.
    pub(crate) fn local(local_path: &str) -> Self {
        Self::new(local_path, &SharePath::root())
    }

    /// What the names below it begin with: itself, but empty for the root.
    pub(crate) fn as_prefix(&self) -> &str {
        &self.0
    }

    /// The stream `stream` of this file, as [MS-FSA] names it in changes of streams.
    #[cfg(test)]
    pub(crate) fn with_stream(&self, stream: &str) -> Self {
        Self(format!("{}:{stream}", self.0).into())
    }

    /// Directory and entry; `None` for the root.
    pub(crate) fn split(&self) -> Option<(&str, &str)> {
        self.0.rsplit_once('/')
    }

    /// Are both in one directory?
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        let directory = |name: &Self| name.split().map_or(0, |(directory, _)| directory.len());
        same_name(&self.0[..directory(self)], &other.0[..directory(other)])
    }

    /// As an administrator reads it.
    pub(crate) fn as_str(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }

    /// The path below a store's root; `None` if the name is not below it (any more).
    pub(crate) fn below(&self, root: &str) -> Option<SharePath> {
        let root = Self::local(root);
        let mut own = self.components();
        for component in root.components() {
            if !same_name(own.next()?, component) {
                return None;
            }
        }
        SharePath::parse(&own.collect::<Vec<_>>().join("\\")).ok()
    }

    /// The directory that has the name; `None` at the top.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (parent, _) = self.split()?;
        Some(Self(parent.into()))
    }

    /// Is this `ancestor` or below it?
    pub(crate) fn starts_with(&self, ancestor: &Self) -> bool {
        let mut own = self.components();
        ancestor
            .components()
            .all(|component| own.next().is_some_and(|own| same_name(own, component)))
    }

    /// Are both the same name?
    #[cfg(test)]
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        same_name(&self.0, &other.0)
    }

    /// From the top down; the first is empty if the name begins with a slash.
    pub(super) fn components(&self) -> std::str::Split<'_, char> {
        self.0.split('/')
    }
}
