//! The reading end.

use super::{Error, WideStr};
use crate::Syntax;

/// Reads the items of one stub, in order. Copying it is cheap and gives a second position
/// in the same stub.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    syntax: Syntax,
    stub: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `stub`, to which all alignment is relative.
    pub fn new(syntax: Syntax, stub: &'a [u8]) -> Self {
        Self {
            syntax,
            stub,
            position: 0,
        }
    }

    /// The transfer syntax.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Bytes from the start of the stub to the next item.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.stub.len() - self.position
    }

    /// Takes `count` bytes behind padding up to a multiple of `alignment` (a power of two).
    fn take(
        &mut self,
        what: &'static str,
        alignment: usize,
        count: usize,
    ) -> Result<&'a [u8], Error> {
        let padding = self.position.wrapping_neg() & (alignment - 1);
        let remaining = self.remaining();
        match padding.checked_add(count) {
            Some(needed) if needed <= remaining => {
                let start = self.position + padding;
                self.position = start + count;
                Ok(&self.stub[start..self.position])
            }
            needed => Err(Error::Truncated {
                what,
                needed: needed.unwrap_or(usize::MAX),
                remaining,
            }),
        }
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(what, N, N)?);
        Ok(bytes)
    }

    /// Skips padding up to the alignment of a structure or union that holds pointers: 4
    /// bytes in NDR20, 8 in NDR64.
    pub fn align_structure(&mut self) -> Result<(), Error> {
        self.take("structure padding", self.syntax.pointer_size(), 0)
            .map(drop)
    }

    /// Skips the trailing gap of such a structure: NDR64 rounds its size up to 8, NDR20
    /// has no gap ([MS-RPCE] 2.2.5.3.4).
    pub fn align_structure_end(&mut self) -> Result<(), Error> {
        match self.syntax {
            Syntax::Ndr20 => Ok(()),
            Syntax::Ndr64 => self.align_structure(),
        }
    }

    /// An unsigned long (DWORD). `what` names it in errors.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// A long (LONG).
    pub fn i32(&mut self, what: &'static str) -> Result<i32, Error> {
        self.array(what).map(i32::from_le_bytes)
    }

    /// max_count, offset or actual_count: 4 or 8 bytes.
    pub fn count(&mut self, what: &'static str) -> Result<usize, Error> {
        let count = match self.syntax {
            Syntax::Ndr20 => u64::from(self.u32(what)?),
            Syntax::Ndr64 => u64::from_le_bytes(self.array(what)?),
        };
        usize::try_from(count).map_err(|_| Error::Count { what, count })
    }

    /// A referent id of a unique pointer: true if it is not NULL. Any nonzero id is one;
    /// ids are not compared, since no parameter here is a full pointer.
    pub fn pointer(&mut self, what: &'static str) -> Result<bool, Error> {
        match self.syntax {
            Syntax::Ndr20 => self.u32(what).map(|id| id != 0),
            Syntax::Ndr64 => self.array::<8>(what).map(|id| u64::from_le_bytes(id) != 0),
        }
    }

    /// The discriminant of a union of pointers, which has to repeat `expected`. The arm
    /// follows, aligned even if it is empty.
    pub fn union_tag(&mut self, expected: u32) -> Result<(), Error> {
        self.align_structure()?;
        let tag = self.u32("union tag")?;
        if tag != expected {
            return Err(Error::Tag { tag, expected });
        }
        self.align_structure()
    }

    /// A conformant varying string of `wchar_t`: the text before its first NUL.
    pub fn wide_str(&mut self, what: &'static str) -> Result<WideStr<'a>, Error> {
        let max_count = self.count("max_count")?;
        let offset = self.count("offset")?;
        let actual_count = self.count("actual_count")?;
        if offset != 0 || actual_count > max_count {
            return Err(Error::Varying {
                max_count,
                offset,
                actual_count,
            });
        }
        let bytes = self.take(what, 2, actual_count.saturating_mul(2))?;
        Ok(WideStr::before_nul(bytes))
    }

    /// [`Reader::wide_str`] as text of its own. Unpaired surrogates become U+FFFD.
    pub fn wide_string(&mut self, what: &'static str) -> Result<String, Error> {
        self.wide_str(what).map(String::from)
    }

    /// A unique pointer with its string at once, as a top-level parameter has it.
    pub fn unique_wide_string(&mut self, what: &'static str) -> Result<Option<String>, Error> {
        if self.pointer(what)? {
            self.wide_string(what).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A unique pointer to a DWORD with its value at once.
    pub fn unique_u32(&mut self, what: &'static str) -> Result<Option<u32>, Error> {
        if self.pointer(what)? {
            self.u32(what).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A conformant array of bytes whose size field said `size`.
    pub fn bytes(&mut self, what: &'static str, size: usize) -> Result<&'a [u8], Error> {
        self.conformance(size)?;
        self.take(what, 1, size)
    }

    /// The head and the fixed parts of a conformant array of `size` structures with `stride`
    /// bytes each. The reader returned stands at the first fixed part; `self` moves on to
    /// what the pointers in them refer to. So a row is complete after one step of both.
    pub fn rows(&mut self, what: &'static str, size: usize, stride: usize) -> Result<Self, Error> {
        self.conformance(size)?;
        let mut fixed = *self;
        fixed.align_structure()?;
        *self = fixed;
        self.take(what, 1, size.saturating_mul(stride))?;
        Ok(fixed)
    }

    /// Steps over `count` bytes, to be read through a copy of this reader.
    pub fn skip(&mut self, what: &'static str, count: usize) -> Result<(), Error> {
        self.take(what, 1, count).map(drop)
    }

    fn conformance(&mut self, expected: usize) -> Result<(), Error> {
        let max_count = self.count("max_count")?;
        if max_count == expected {
            Ok(())
        } else {
            Err(Error::Conformance {
                max_count,
                expected,
            })
        }
    }
}
