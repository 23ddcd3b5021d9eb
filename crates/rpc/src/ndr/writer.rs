//! The writing end.

use super::WideText;
use crate::Syntax;

/// Where referent ids start and how they go on; any nonzero numbers would do.
const FIRST_REFERENT: u32 = 0x0002_0000;
const REFERENT_STEP: u32 = 4;

/// Writes the items of one stub, in order.
#[derive(Clone, Debug)]
pub struct Writer {
    syntax: Syntax,
    stub: Vec<u8>,
    next_referent: u32,
}

impl Writer {
    /// An empty stub.
    pub fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            stub: Vec::new(),
            next_referent: FIRST_REFERENT,
        }
    }

    /// The transfer syntax.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// The stub.
    pub fn into_stub(self) -> Vec<u8> {
        self.stub
    }

    /// Makes room for `additional` bytes more.
    pub fn reserve(&mut self, additional: usize) {
        self.stub.reserve_exact(additional);
    }

    /// Bytes that a string takes at most, with its counts, its NUL and the padding before it.
    pub fn wide_string_bound(syntax: Syntax, text: &(impl WideText + ?Sized)) -> usize {
        let counts = match syntax {
            Syntax::Ndr20 => 12 + 3,
            Syntax::Ndr64 => 24 + 7,
        };
        counts + 2 * (text.utf16_len_bound() + 1)
    }

    fn align(&mut self, alignment: usize) {
        let padding = self.stub.len().wrapping_neg() & (alignment - 1);
        if padding != 0 {
            self.stub.extend_from_slice(&[0; 8][..padding]);
        }
    }

    /// Pads to the alignment of a structure or union that holds pointers.
    pub fn align_structure(&mut self) {
        self.align(self.syntax.pointer_size());
    }

    /// Writes the trailing gap of such a structure: in NDR64 only.
    pub fn align_structure_end(&mut self) {
        if self.syntax == Syntax::Ndr64 {
            self.align(8);
        }
    }

    /// An unsigned long (DWORD).
    pub fn u32(&mut self, value: u32) {
        self.align(4);
        self.stub.extend_from_slice(&value.to_le_bytes());
    }

    /// A long (LONG).
    pub fn i32(&mut self, value: i32) {
        self.align(4);
        self.stub.extend_from_slice(&value.to_le_bytes());
    }

    /// max_count, offset or actual_count. NDR20 has 32 bits for it, so an array of 2^32
    /// elements or more, which no fragment stream carries, is cut to that.
    pub fn count(&mut self, value: usize) {
        match self.syntax {
            Syntax::Ndr20 => self.u32(u32::try_from(value).unwrap_or(u32::MAX)),
            Syntax::Ndr64 => {
                self.align(8);
                self.stub.extend_from_slice(&(value as u64).to_le_bytes());
            }
        }
    }

    /// A unique pointer: a fresh referent id, or 0 for NULL.
    pub fn pointer(&mut self, present: bool) {
        let id = if present {
            let id = self.next_referent;
            // Back to the start rather than through 0 after a billion pointers.
            self.next_referent = id.checked_add(REFERENT_STEP).unwrap_or(FIRST_REFERENT);
            id
        } else {
            0
        };
        self.count(id as usize);
    }

    /// The discriminant of a union of pointers. The arm follows, aligned even if it is empty
    /// ([MS-RPCE] 2.2.5.3.5).
    pub fn union_tag(&mut self, tag: u32) {
        self.align_structure();
        self.u32(tag);
        self.align_structure();
    }

    /// A conformant varying string of `wchar_t`, with its NUL.
    pub fn wide_string(&mut self, text: &(impl WideText + ?Sized)) {
        self.align(self.syntax.pointer_size());
        let start = self.stub.len();
        // The counts are filled in behind the text: one pass over it instead of two.
        match self.syntax {
            Syntax::Ndr20 => self.stub.extend_from_slice(&[0; 12]),
            Syntax::Ndr64 => self.stub.extend_from_slice(&[0; 24]),
        }
        let characters = self.stub.len();
        text.write_utf16(&mut self.stub);
        self.stub.extend_from_slice(&[0, 0]);
        let count = (self.stub.len() - characters) / 2;
        match self.syntax {
            Syntax::Ndr20 => {
                let count = u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
                self.stub[start..start + 4].copy_from_slice(&count);
                self.stub[start + 8..start + 12].copy_from_slice(&count);
            }
            Syntax::Ndr64 => {
                let count = (count as u64).to_le_bytes();
                self.stub[start..start + 8].copy_from_slice(&count);
                self.stub[start + 16..start + 24].copy_from_slice(&count);
            }
        }
    }

    /// A unique pointer with its string at once, as a top-level parameter has it.
    pub fn unique_wide_string(&mut self, text: Option<&(impl WideText + ?Sized)>) {
        self.pointer(text.is_some());
        if let Some(text) = text {
            self.wide_string(text);
        }
    }

    /// A unique pointer to a DWORD with its value at once.
    pub fn unique_u32(&mut self, value: Option<u32>) {
        self.pointer(value.is_some());
        if let Some(value) = value {
            self.u32(value);
        }
    }

    /// A conformant array of bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.stub.extend_from_slice(bytes);
    }
}
