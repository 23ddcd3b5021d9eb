//! Text that goes out as UTF-16LE.

use std::sync::Arc;

/// Text a [`Writer`](super::Writer) can send as a conformant varying string of `wchar_t`.
/// A NUL inside the text ends it for every receiver.
pub trait WideText {
    /// Length in UTF-16 code units, without the terminating NUL.
    fn utf16_len(&self) -> usize;

    /// Appends the code units in little-endian order, without the terminating NUL.
    fn write_utf16(&self, out: &mut Vec<u8>);
}

impl WideText for str {
    fn utf16_len(&self) -> usize {
        if self.is_ascii() {
            self.len()
        } else {
            self.encode_utf16().count()
        }
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

    fn write_utf16(&self, out: &mut Vec<u8>) {
        self.as_str().write_utf16(out);
    }
}

impl<T: WideText + ?Sized> WideText for &T {
    fn utf16_len(&self) -> usize {
        (**self).utf16_len()
    }

    fn write_utf16(&self, out: &mut Vec<u8>) {
        (**self).write_utf16(out);
    }
}

impl<T: WideText + ?Sized> WideText for Arc<T> {
    fn utf16_len(&self) -> usize {
        (**self).utf16_len()
    }

    fn write_utf16(&self, out: &mut Vec<u8>) {
        (**self).write_utf16(out);
    }
}
