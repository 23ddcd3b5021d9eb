//! Names with a stream: `path:stream:$DATA` ([MS-FSCC] 2.1.5.3).

use std::fmt;

use smb::NtStatus;

use super::{SharePath, is_separator, same_name, upcase};

/// Longest name of a stream in characters ([MS-FSCC] 2.1.5.3).
pub const MAX_STREAM_CHARACTERS: usize = 255;

/// The type of streams that hold data, the only one that clients open by name.
const DATA: &str = "$DATA";

/// The name of a named stream of a file or directory; compared without regard to case.
#[derive(Clone, Debug, Eq)]
pub struct StreamName(Box<str>);

impl StreamName {
    /// Checks a bare name.
    ///
    /// # Errors
    ///
    /// OBJECT_NAME_INVALID for an empty or overlong one, or one with a separator, colon or NUL.
    pub fn new(name: &str) -> Result<Self, NtStatus> {
        let forbidden = |c: char| is_separator(c) || matches!(c, ':' | '\0');
        let length = name.chars().take(MAX_STREAM_CHARACTERS + 1).count();
        if name.is_empty() || length > MAX_STREAM_CHARACTERS || name.contains(forbidden) {
            return Err(NtStatus::OBJECT_NAME_INVALID);
        }
        Ok(Self(name.into()))
    }

    /// As it was spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key under which all spellings are equal.
    pub fn folded(&self) -> String {
        self.0.chars().map(upcase).collect()
    }
}

impl PartialEq for StreamName {
    fn eq(&self, other: &Self) -> bool {
        same_name(&self.0, &other.0)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SharePath {
    /// Reads the name of a CREATE with the stream it may name; `None` for the file itself.
    ///
    /// # Errors
    ///
    /// As [`SharePath::parse`], and OBJECT_NAME_INVALID for a stream of another type than
    /// $DATA, or one of the share's root.
    pub fn parse_with_stream(name: &str) -> Result<(Self, Option<StreamName>), NtStatus> {
        let last = name.rfind(is_separator).map_or(0, |at| at + 1);
        let Some(colon) = name[last..].find(':') else {
            return Ok((Self::parse(name)?, None));
        };
        let (file, stream) = (&name[..last + colon], &name[last + colon + 1..]);
        let stream = match stream.split_once(':') {
            None => stream,
            Some((stream, kind)) if kind.eq_ignore_ascii_case(DATA) => stream,
            Some(_) => return Err(NtStatus::OBJECT_NAME_INVALID),
        };
        // The default stream is named by its type alone.
        let is_default = stream.is_empty() && name.len() > last + colon + 1;
        let stream = match is_default {
            true => None,
            false => Some(StreamName::new(stream)?),
        };
        let path = Self::parse(file)?;
        if colon == 0 || path.is_root() {
            return Err(NtStatus::OBJECT_NAME_INVALID);
        }
        Ok((path, stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Result<(String, Option<String>), NtStatus> {
        let (path, stream) = SharePath::parse_with_stream(name)?;
        Ok((path.to_local(), stream.map(|stream| stream.to_string())))
    }

    #[test]
    fn names() {
        for (name, path, stream) in [
            ("a", "a", None),
            ("", "", None),
            ("a\\b::$DATA", "a/b", None),
            ("a\\b::$data", "a/b", None),
            ("a:s", "a", Some("s")),
            ("a\\b:Zone.Identifier", "a/b", Some("Zone.Identifier")),
            ("a\\b:s:$DATA", "a/b", Some("s")),
            ("a/b:s:$DaTa", "a/b", Some("s")),
            ("a\\..\\b:s", "b", Some("s")),
            // Wildcards and the like are only forbidden in names of files.
            ("a:<*?>|\"", "a", Some("<*?>|\"")),
        ] {
            let expected = (path.to_owned(), stream.map(str::to_owned));
            assert_eq!(parse(name), Ok(expected), "{name}");
        }
    }

    #[test]
    fn what_is_no_name() {
        let long = format!("a:{}", "s".repeat(MAX_STREAM_CHARACTERS + 1));
        for name in [
            "a:",
            "a:s:",
            "a:s:$INDEX_ALLOCATION",
            "a:s:$DATA:",
            "a:s:t:$DATA",
            "a::$INDEX_ALLOCATION",
            "a:s\0t",
            "a:b\\c",
            ":s",
            "b\\:s",
            "::$DATA",
            "a\\::$DATA",
            "*:s",
            long.as_str(),
        ] {
            let status = Err(NtStatus::OBJECT_NAME_INVALID);
            assert_eq!(parse(name), status, "{name}");
        }
        assert_eq!(parse("..:s"), Err(NtStatus::OBJECT_PATH_SYNTAX_BAD));
        assert_eq!(parse("\\a:s"), Err(NtStatus::INVALID_PARAMETER));
    }

    #[test]
    fn spellings_are_equal() {
        let name = |text| StreamName::new(text).unwrap();
        assert_eq!(name("Zone.Identifier"), name("zone.IDENTIFIER"));
        assert_ne!(name("a"), name("b"));
        assert_eq!(name("aß").folded(), "Aß");
    }
}
