//! Text with or without a leading `\\`.

use rpc::ndr::WideText;

/// Borrowed text, optionally sent with `\\` before it: cname has it at levels 0, 1, 2 and 10
/// and not at 502, and a row costs no allocation either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text<'a> {
    unc: bool,
    text: &'a str,
}

impl<'a> Text<'a> {
    /// `text` behind two backslashes.
    pub fn unc(text: &'a str) -> Self {
        Self { unc: true, text }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self { unc: false, text }
    }
}

impl WideText for Text<'_> {
    fn utf16_len(&self) -> usize {
        self.text.utf16_len() + if self.unc { 2 } else { 0 }
    }

    fn write_utf16(&self, out: &mut Vec<u8>) {
        if self.unc {
            out.extend_from_slice(b"\\\0\\\0");
        }
        self.text.write_utf16(out);
    }
}
