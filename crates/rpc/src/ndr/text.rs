//! UTF-16LE text: what goes out as such, and what came in.

use std::fmt;
use std::sync::Arc;

/// Text a [`Writer`](super::Writer) can send as a conformant varying string of `wchar_t`.
/// A NUL inside the text ends it for every receiver.
pub trait WideText {
    /// Length in UTF-16 code units, without the terminating NUL.
    fn utf16_len(&self) -> usize;

    /// A bound on [`WideText::utf16_len`] that costs no look at the text.
    fn utf16_len_bound(&self) -> usize {
        self.utf16_len()
    }

    /// Appends the code units in little-endian order, without the terminating NUL.
    fn write_utf16(&self, out: &mut Vec<u8>);
}

/// Text that came in: the code units before the first NUL, where they lie in the stub.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct WideStr<'a>(&'a [u8]);

impl<'a> WideStr<'a> {
    /// What stands before the first NUL of UTF-16LE `bytes`; an odd last byte is no unit.
    pub(super) fn before_nul(bytes: &'a [u8]) -> Self {
        let (units, _) = bytes.as_chunks::<2>();
        let length = units.iter().position(|unit| *unit == [0, 0]);
        Self(units[..length.unwrap_or(units.len())].as_flattened())
    }

    /// No character.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The code units.
    pub fn units(self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        let (units, _) = self.0.as_chunks();
        units.iter().map(|unit| u16::from_le_bytes(*unit))
    }
}

/// Unpaired surrogates become U+FFFD, so that one odd name does not spoil a list of many.
impl From<WideStr<'_>> for String {
    fn from(text: WideStr<'_>) -> Self {
        let (units, _) = text.0.as_chunks::<2>();
        if units.iter().all(|&[low, high]| high == 0 && low.is_ascii()) {
            // Cannot fail: ASCII is UTF-8.
            let bytes = units.iter().map(|unit| unit[0]).collect();
            return Self::from_utf8(bytes).unwrap_or_default();
        }
        char::decode_utf16(text.units())
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    }
}

impl fmt::Display for WideStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(*self))
    }
}

impl fmt::Debug for WideStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from(*self), f)
    }
}

impl WideText for WideStr<'_> {
    fn utf16_len(&self) -> usize {
        self.0.len() / 2
    }

    fn write_utf16(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}

impl WideText for str {
    fn utf16_len(&self) -> usize {
        if self.is_ascii() {
            self.len()
        } else {
            self.encode_utf16().count()
        }
    }

    // No character takes more units in UTF-16 than bytes in UTF-8.
    fn utf16_len_bound(&self) -> usize {
        self.len()
    }

    fn write_utf16(&self, out: &mut Vec<u8>) {
        // The ASCII path is what makes replies of 100,000 rows take milliseconds.
        if self.is_ascii() {
            let start = out.len();
            out.resize(start + 2 * self.len(), 0);
            for (unit, byte) in out[start..].chunks_exact_mut(2).zip(self.bytes()) {
                unit[0] = byte;
            }
        } else {
            out.extend(self.encode_utf16().flat_map(u16::to_le_bytes));
        }
    }
}

impl WideText for String {
    fn utf16_len(&self) -> usize {
        self.as_str().utf16_len()
    }

    fn utf16_len_bound(&self) -> usize {
        self.len()
    }

    fn write_utf16(&self, out: &mut Vec<u8>) {
        self.as_str().write_utf16(out);
    }
}

impl<T: WideText + ?Sized> WideText for &T {
    fn utf16_len(&self) -> usize {
        (**self).utf16_len()
    }

    fn utf16_len_bound(&self) -> usize {
        (**self).utf16_len_bound()
    }

    fn write_utf16(&self, out: &mut Vec<u8>) {
        (**self).write_utf16(out);
    }
}

impl<T: WideText + ?Sized> WideText for Arc<T> {
    fn utf16_len(&self) -> usize {
        (**self).utf16_len()
    }

    fn utf16_len_bound(&self) -> usize {
        (**self).utf16_len_bound()
    }

    fn write_utf16(&self, out: &mut Vec<u8>) {
        (**self).write_utf16(out);
    }
}
