//! File names as clients send them: [`SharePath`] ([MS-SMB2] 2.2.13, [MS-FSCC] 2.1.5) and
//! the wildcard expressions of QUERY_DIRECTORY ([`Pattern`], [MS-FSA] 2.1.4.4).
//!
//! Nothing but a [`SharePath`] reaches a store, so a name that could climb or that a Unix
//! kernel reads differently (`/`, `..`, NUL) ends here.

use std::fmt;

use smb::NtStatus;

pub use pattern::Pattern;
pub use stream::StreamName;

mod pattern;
mod stream;
#[cfg(test)]
mod tests;

/// Longest component in UTF-8 bytes: NAME_MAX of every file system Linux serves from. So a
/// name of other than Latin letters may not fit although it has few characters: two bytes each
/// for Greek and Cyrillic, three for Chinese and Japanese.
pub const MAX_COMPONENT_BYTES: usize = 255;

/// Longest component in UTF-16 code units ([MS-FSCC] 2.1.5), as clients are told it
/// (MaximumComponentNameLength).
pub const MAX_COMPONENT_UNITS: usize = 255;

/// Longest path in UTF-8 bytes: a whole path must fit one system call (PATH_MAX, 4096)
/// with room for the prefix that names a descriptor below `/proc`.
pub const MAX_PATH_BYTES: usize = 4000;

/// A validated path below a share's root: components without separators; empty for the root.
///
/// Equality and hash distinguish case; [`SharePath::folded`] gives a key that does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct SharePath {
    /// Components joined by backslashes: one allocation however deep.
    path: Box<str>,
}

impl SharePath {
    /// The share's root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads the name of a CREATE, rename or link request. Separators may be doubled, and may
    /// be slashes, as Samba takes them. `..` takes off the component before it here, before any
    /// store sees the path, whatever that component is. Separators at the end are dropped: a
    /// caller that opens something asks [`SharePath::names_a_directory`] before.
    ///
    /// # Errors
    ///
    /// INVALID_PARAMETER for a leading separator ([MS-SMB2] 3.3.5.9), OBJECT_PATH_SYNTAX_BAD
    /// for `.` and for `..` that leads out of the share, NAME_TOO_LONG beyond
    /// [`MAX_PATH_BYTES`] and, of a component, [`MAX_COMPONENT_BYTES`], else OBJECT_NAME_INVALID (forbidden characters, overlong components,
    /// named streams). The default stream (`name::$DATA`) means the file itself.
    pub fn parse(name: &str) -> Result<Self, NtStatus> {
        if name.starts_with(is_separator) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if name.len() > MAX_PATH_BYTES + DEFAULT_STREAM.len() {
            return Err(NtStatus::NAME_TOO_LONG);
        }
        let name = without_default_stream(name);
        if name.len() > MAX_PATH_BYTES {
            return Err(NtStatus::NAME_TOO_LONG);
        }
        let mut path = String::with_capacity(name.len());
        for component in name.split(is_separator).filter(|part| !part.is_empty()) {
            if component == ".." {
                if path.is_empty() {
                    return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
                }
                path.truncate(path.rfind('\\').unwrap_or(0));
                continue;
            }
            check_component(component)?;
            if !path.is_empty() {
                path.push('\\');
            }
            path.push_str(component);
        }
        Ok(Self { path: path.into() })
    }

    /// A name that ends with a separator names a directory: an open that finds or would make a
    /// file is refused with OBJECT_NAME_INVALID ([MS-FSA] 2.1.5.1).
    pub fn names_a_directory(name: &str) -> bool {
        name.ends_with(is_separator)
    }

    /// A name that ends with the type of data alone (`name::$DATA`) is that of a file
    /// ([MS-FSA] 2.1.5.1, phase 7).
    pub fn names_data(name: &str) -> bool {
        without_default_stream(name).len() < name.len()
    }

    /// The components from the root down; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.path
            .split('\\')
            .filter(|component| !component.is_empty())
    }

    /// The last component; `None` for the root.
    pub fn file_name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// All but the last component; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let parent = self.path.rsplit_once('\\').map_or("", |(parent, _)| parent);
        Some(Self {
            path: parent.into(),
        })
    }

    /// This path with one component more.
    ///
    /// # Errors
    ///
    /// As [`SharePath::parse`].
    pub fn join(&self, component: &str) -> Result<Self, NtStatus> {
        check_component(component)?;
        if self.path.len() + 1 + component.len() > MAX_PATH_BYTES {
            return Err(NtStatus::NAME_TOO_LONG);
        }
        let path = match self.is_root() {
            true => component.into(),
            false => format!("{}\\{component}", self.path).into(),
        };
        Ok(Self { path })
    }

    /// Is this the share's root?
    pub fn is_root(&self) -> bool {
        self.path.is_empty()
    }

    /// Is this `ancestor` or below it, without regard to case?
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        let mut own = self.components();
        ancestor
            .components()
            .all(|component| own.next().is_some_and(|own| same_name(own, component)))
    }

    /// Are both the same path without regard to case?
    pub fn same_as(&self, other: &Self) -> bool {
        same_name(&self.path, &other.path)
    }

    /// A key under which all spellings of this path are equal.
    pub fn folded(&self) -> String {
        self.path.chars().map(upcase).collect()
    }

    /// The path with backslashes; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The path with slashes, relative; empty for the root.
    pub fn to_local(&self) -> String {
        self.path.replace('\\', "/")
    }
}

impl fmt::Display for SharePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// What stands between components; only backslashes do once a path has been parsed.
fn is_separator(c: char) -> bool {
    matches!(c, '\\' | '/')
}

/// Can `name` be one component of a path? The listing of a store leaves out what cannot.
///
/// # Errors
///
/// OBJECT_PATH_SYNTAX_BAD for `.` and `..`, NAME_TOO_LONG for one that is valid but longer than
/// [`MAX_COMPONENT_BYTES`], else OBJECT_NAME_INVALID.
pub fn check_component(name: &str) -> Result<(), NtStatus> {
    if name == "." || name == ".." {
        return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
    }
    let forbidden =
        |c: char| c < ' ' || matches!(c, '\\' | '/' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    if name.is_empty() || name.contains(forbidden) {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    if name.len() <= MAX_COMPONENT_BYTES {
        return Ok(());
    }
    match name.encode_utf16().count() <= MAX_COMPONENT_UNITS {
        true => Err(NtStatus::NAME_TOO_LONG),
        false => Err(NtStatus::OBJECT_NAME_INVALID),
    }
}

/// Folds one character for comparisons. Like the upcase table of NTFS: one character for
/// one character, and nothing outside ASCII becomes ASCII (dotless i, long s stay).
pub fn upcase(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) if !upper.is_ascii() => upper,
        _ => c,
    }
}

/// Are both names the same without regard to case?
pub fn same_name(a: &str, b: &str) -> bool {
    a.chars().map(upcase).eq(b.chars().map(upcase))
}

/// The suffix that names the default data stream ([MS-FSCC] 2.1.5.3).
const DEFAULT_STREAM: &str = "::$DATA";

fn without_default_stream(name: &str) -> &str {
    let Some(at) = name.len().checked_sub(DEFAULT_STREAM.len()) else {
        return name;
    };
    match (name.get(..at), name.get(at..)) {
        (Some(head), Some(tail))
            if tail.eq_ignore_ascii_case(DEFAULT_STREAM)
                && !head.is_empty()
                && !head.ends_with(is_separator) =>
        {
            head
        }
        _ => name,
    }
}
