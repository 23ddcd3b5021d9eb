//! Names of accounts.

use std::fmt;

/// Longest account name in UTF-16 code units (UNLEN of lmcons.h).
pub const MAX_NAME_UNITS: usize = 256;

/// Characters that no account name holds ([MS-SAMR] 3.1.1.6 and NetUserAdd), control
/// characters aside.
pub const FORBIDDEN: &str = "\"/\\[]:;|=,+*?<>";

/// A valid account name. Compare with [`AccountName::folded`]: case does not distinguish.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountName(String);

/// Why a text is no account name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No characters.
    #[error("an account name cannot be empty")]
    Empty,
    /// Longer than [`MAX_NAME_UNITS`].
    #[error("account name too long: {0} UTF-16 units, at most {MAX_NAME_UNITS}")]
    TooLong(usize),
    /// One of [`FORBIDDEN`] or a control character.
    #[error(
        "account name {name:?} holds {character:?}; not allowed are {FORBIDDEN} and control characters"
    )]
    Character {
        /// The name.
        name: String,
        /// The first character at fault.
        character: char,
    },
    /// Blank at an end, or nothing but full stops and blanks.
    #[error("account name {0:?} begins or ends with a blank, or is only full stops and blanks")]
    Blank(String),
}

impl AccountName {
    /// Checks the rules.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        let units = name.encode_utf16().count();
        if units > MAX_NAME_UNITS {
            return Err(NameError::TooLong(units));
        }
        if let Some(character) = name
            .chars()
            .find(|&c| c.is_control() || FORBIDDEN.contains(c))
        {
            return Err(NameError::Character {
                name: name.to_owned(),
                character,
            });
        }
        if name.trim() != name || name.chars().all(|c| c == '.' || c == ' ') {
            return Err(NameError::Blank(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two spellings of one name are equal.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// Folds case character by character, so that the result does not depend on neighbours
/// (`str::to_lowercase` treats a final sigma apart).
pub(super) fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
