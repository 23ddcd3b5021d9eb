//! How far the enumeration of a directory has come.

use super::name::Pattern;

/// Where the listing of a directory goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    /// At its first name.
    #[default]
    Start,
    /// At a place that the store alone understands.
    At(u64),
    /// Nothing is left.
    End,
}

/// Names that have been read and not yet given on, first in, first out.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Each with a slash behind it, which no name has in it.
    text: String,
    /// Where the first one starts.
    next: usize,
}

impl Names {
    /// Puts one at the end.
    pub fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.text.push('/');
    }

    /// The first one.
    pub fn peek(&self) -> Option<&str> {
        let rest = self.text.get(self.next..)?;
        Some(&rest[..rest.find('/')?])
    }

    /// Takes the first one off.
    pub fn advance(&mut self) {
        self.next += self.peek().map_or(0, |name| name.len() + 1);
        if self.next == self.text.len() {
            self.text.clear();
            self.next = 0;
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.text[self.next..].split_terminator('/')
    }

    /// Bytes of the names that are left.
    pub fn len(&self) -> usize {
        self.text.len() - self.next
    }

    /// None is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that it holds in memory.
    pub fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// With room for names of so many bytes, one for each of them included.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            next: 0,
        }
    }

    /// Puts all names of `other` at the end.
    pub fn append(&mut self, other: Self) {
        self.text.drain(..self.next);
        self.next = 0;
        self.text.push_str(&other.text[other.next..]);
        self.text.shrink_to_fit();
    }
}

/// State of QUERY_DIRECTORY on one open: Open.EnumerationLocation and
/// Open.EnumerationSearchPattern ([MS-SMB2] 3.3.1.10).
#[derive(Debug)]
pub(crate) struct Enumeration {
    pub(crate) cursor: Cursor,
    pub(crate) names: Names,
    pub(crate) pattern: Pattern,
    /// A query of this open has been answered: the end is NO_MORE_FILES from now on, and was
    /// NO_SUCH_FILE before.
    pub(crate) answered: bool,
}

impl Enumeration {
    /// All that matches `pattern`.
    pub(crate) fn of(pattern: Pattern) -> Self {
        Self {
            cursor: Cursor::Start,
            names: Names::default(),
            pattern,
            answered: false,
        }
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.names.capacity() + self.pattern.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_as_they_went_in() {
        let mut names = Names::default();
        assert_eq!((names.peek(), names.is_empty()), (None, true));
        for name in ["a", "übung", "."] {
            names.push(name);
        }
        assert_eq!(names.iter().collect::<Vec<_>>(), ["a", "übung", "."]);
        assert_eq!(names.peek(), Some("a"));
        names.advance();
        assert_eq!(names.peek(), Some("übung"));
        let mut later = Names::with_capacity(10);
        later.push("x");
        later.push("later");
        later.advance();
        names.append(later);
        assert_eq!(names.len(), "übung/./later/".len());
        assert_eq!(names.capacity(), names.len());
        for expected in ["übung", ".", "later"] {
            assert_eq!(names.peek(), Some(expected));
            names.advance();
        }
        assert!(names.is_empty());
        names.advance();
        assert_eq!(names.peek(), None);
    }
}
