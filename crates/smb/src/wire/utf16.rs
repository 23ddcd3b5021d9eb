//! UTF-16LE strings as they stand in messages.

use std::fmt;

use super::Error;

/// A UTF-16LE string inside a message: whole code units, not yet checked for pairs.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Utf16<'a>(&'a [u8]);

impl<'a> Utf16<'a> {
    /// The string without characters.
    pub const EMPTY: Utf16<'static> = Utf16(&[]);

    /// Takes bytes as UTF-16LE.
    ///
    /// # Errors
    /// [`Error::OddLength`] if the last code unit is half there.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        match bytes.len() % 2 {
            0 => Ok(Self(bytes)),
            _ => Err(Error::OddLength {
                length: bytes.len(),
            }),
        }
    }

    /// The bytes, as on the wire.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is no character.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The code units.
    pub fn units(self) -> impl Iterator<Item = u16> + Clone + 'a {
        self.0
            .as_chunks()
            .0
            .iter()
            .map(|unit| u16::from_le_bytes(*unit))
    }

    /// The text.
    ///
    /// # Errors
    /// [`Error::UnpairedSurrogate`]: such a name has no UTF-8 form, and replacing the
    /// surrogate would let two names become one.
    // Not Display: that conversion cannot fail.
    #[allow(clippy::inherent_to_string_shadow_display)]
    pub fn to_string(self) -> Result<String, Error> {
        let mut text = String::with_capacity(self.0.len() / 2);
        for character in char::decode_utf16(self.units()) {
            text.push(character.map_err(|_| Error::UnpairedSurrogate)?);
        }
        Ok(text)
    }
}

/// The text for logs, unpaired surrogates replaced.
impl fmt::Debug for Utf16<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = char::decode_utf16(self.units())
            .map(|unit| unit.unwrap_or('\u{FFFD}'))
            .collect();
        fmt::Debug::fmt(&text, f)
    }
}

/// `text` as UTF-16LE bytes.
pub fn utf16(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() * 2);
    for unit in text.encode_utf16() {
        bytes.extend_from_slice(&unit.to_le_bytes());
    }
    bytes
}
