//! Rows: the structures that enumerations return arrays of and GetInfo methods return one
//! of. A level selects which fields a row has, and their order.
//!
//! One type per kind of row has the fields of all levels; [`layout!`] states, level by
//! level, the fields in wire order. Fixed parts and strings, sizes and reading all follow
//! from that one statement.

use rpc::Syntax;
use rpc::ndr::{Error, Reader, WideStr, WideText, Writer};

use crate::MAX_PREFERRED_LENGTH;

/// A row that can be written.
pub trait Row {
    /// Levels with an arm in the enumeration's union that this type writes and reads.
    const ENUM_LEVELS: &'static [u32] = &[];
    /// Further levels for which the interface declares an arm: answered with NULL in it.
    const ENUM_NULL_ARMS: &'static [u32] = &[];
    /// Like [`Row::ENUM_LEVELS`], for the GetInfo method.
    const INFO_LEVELS: &'static [u32] = &[];
    /// Like [`Row::ENUM_NULL_ARMS`], for the GetInfo method.
    const INFO_NULL_ARMS: &'static [u32] = &[];

    /// Bytes of the fixed part at `level`, trailing gap included.
    fn fixed_size(level: u32, syntax: Syntax) -> usize;

    /// Writes the fixed part.
    fn write_fixed(&self, level: u32, writer: &mut Writer);

    /// Writes what the pointers of the fixed part refer to.
    fn write_deferred(&self, level: u32, writer: &mut Writer);

    /// A bound on the bytes that [`Row::write_deferred`] takes.
    fn deferred_bound(&self, level: u32, syntax: Syntax) -> usize;

    /// What the row counts against PreferedMaximumLength: its size in 64-bit C plus its
    /// strings with their NULs, whatever the transfer syntax.
    fn size(&self, level: u32) -> usize;
}

/// A row that can be read: with text of its own (`String`), or with text that stays in the
/// stub ([`WideStr`]) and costs no allocation.
pub trait ReadRow<'a>: Row + Sized {
    /// Takes the fixed part from one reader and what it points to from the other.
    fn read(level: u32, fixed: &mut Reader<'_>, deferred: &mut Reader<'a>) -> Result<Self, Error>;
}

impl<R: Row> Row for &R {
    const ENUM_LEVELS: &'static [u32] = R::ENUM_LEVELS;
    const ENUM_NULL_ARMS: &'static [u32] = R::ENUM_NULL_ARMS;
    const INFO_LEVELS: &'static [u32] = R::INFO_LEVELS;
    const INFO_NULL_ARMS: &'static [u32] = R::INFO_NULL_ARMS;

    fn fixed_size(level: u32, syntax: Syntax) -> usize {
        R::fixed_size(level, syntax)
    }

    fn write_fixed(&self, level: u32, writer: &mut Writer) {
        (**self).write_fixed(level, writer);
    }

    fn write_deferred(&self, level: u32, writer: &mut Writer) {
        (**self).write_deferred(level, writer);
    }

    fn deferred_bound(&self, level: u32, syntax: Syntax) -> usize {
        (**self).deferred_bound(level, syntax)
    }

    fn size(&self, level: u32) -> usize {
        (**self).size(level)
    }
}

/// How many of `rows` fit PreferedMaximumLength: at least one if there is one, so that a
/// caller who loops on ERROR_MORE_DATA always moves on; all of them for
/// [`MAX_PREFERRED_LENGTH`]. Asks for no row behind the first that does not fit.
pub fn entries_that_fit<R: Row>(
    rows: impl IntoIterator<Item = R>,
    level: u32,
    prefered_maximum_length: u32,
) -> usize {
    let rows = rows.into_iter();
    if prefered_maximum_length == MAX_PREFERRED_LENGTH {
        return rows.count();
    }
    let mut left = prefered_maximum_length as usize;
    let mut fit = 0;
    for row in rows {
        match left.checked_sub(row.size(level)) {
            Some(rest) => left = rest,
            None => return fit.max(1),
        }
        fit += 1;
    }
    fit
}

/// Writes fixed parts.
pub(crate) struct Fixed<'w>(pub(crate) &'w mut Writer);

impl Fixed<'_> {
    pub(crate) fn long(&mut self, value: &u32) {
        self.0.u32(*value);
    }

    pub(crate) fn text<S: WideText>(&mut self, _: &S) {
        self.0.pointer(true);
    }

    pub(crate) fn null(&mut self) {
        self.0.pointer(false);
    }

    pub(crate) fn descriptor(&mut self, bytes: &[u8]) {
        self.0.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.pointer(!bytes.is_empty());
    }
}

/// Writes what stands behind the fixed parts.
pub(crate) struct Deferred<'w>(pub(crate) &'w mut Writer);

impl Deferred<'_> {
    pub(crate) fn long(&mut self, _: &u32) {}

    pub(crate) fn text<S: WideText>(&mut self, text: &S) {
        self.0.wide_string(text);
    }

    pub(crate) fn null(&mut self) {}

    pub(crate) fn descriptor(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.bytes(bytes);
        }
    }
}

/// Adds up bounds on what stands behind the fixed parts.
pub(crate) struct Bound {
    pub(crate) syntax: Syntax,
    pub(crate) bytes: usize,
}

impl Bound {
    pub(crate) fn long(&mut self, _: &u32) {}

    pub(crate) fn text<S: WideText>(&mut self, text: &S) {
        self.bytes += Writer::wide_string_bound(self.syntax, text);
    }

    pub(crate) fn null(&mut self) {}

    /// The bytes behind their count and its padding.
    pub(crate) fn descriptor(&mut self, bytes: &[u8]) {
        self.bytes += 15 + bytes.len();
    }
}

/// Adds up a fixed part, and what stands behind it as it lies in the caller's buffer.
pub(crate) struct Size {
    pub(crate) pointer: usize,
    pub(crate) fixed: usize,
    pub(crate) deferred: usize,
}

impl Size {
    pub(crate) fn new(syntax: Syntax) -> Self {
        Self {
            pointer: syntax.pointer_size(),
            fixed: 0,
            deferred: 0,
        }
    }

    /// The fixed part, rounded up to the alignment of its pointers where it has any.
    pub(crate) fn fixed_size(&self, has_pointers: bool) -> usize {
        if has_pointers {
            self.fixed.next_multiple_of(self.pointer)
        } else {
            self.fixed
        }
    }

    pub(crate) fn long(&mut self, _: &u32) {
        self.fixed += 4;
    }

    pub(crate) fn text<S: WideText>(&mut self, text: &S) {
        self.null();
        self.deferred += 2 * (text.utf16_len() + 1);
    }

    pub(crate) fn null(&mut self) {
        self.fixed = self.fixed.next_multiple_of(self.pointer) + self.pointer;
    }

    pub(crate) fn descriptor(&mut self, bytes: &[u8]) {
        self.fixed += 4;
        self.null();
        self.deferred += bytes.len();
    }
}

/// Reads a row from both readers at once.
pub(crate) struct Both<'r, 'f, 'd> {
    pub(crate) fixed: &'r mut Reader<'f>,
    pub(crate) deferred: &'r mut Reader<'d>,
}

impl<'d> Both<'_, '_, 'd> {
    pub(crate) fn long(&mut self, what: &'static str, value: &mut u32) -> Result<(), Error> {
        *value = self.fixed.u32(what)?;
        Ok(())
    }

    /// A NULL string becomes an empty one: servers send either for "none".
    pub(crate) fn text<S: From<WideStr<'d>>>(
        &mut self,
        what: &'static str,
        text: &mut S,
    ) -> Result<(), Error> {
        if self.fixed.pointer(what)? {
            *text = self.deferred.wide_str(what)?.into();
        }
        Ok(())
    }

    /// A string nobody here wants.
    pub(crate) fn null(&mut self, what: &'static str) -> Result<(), Error> {
        if self.fixed.pointer(what)? {
            self.deferred.wide_str(what)?;
        }
        Ok(())
    }

    pub(crate) fn descriptor(
        &mut self,
        what: &'static str,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let size = self.fixed.u32(what)? as usize;
        if self.fixed.pointer(what)? {
            *bytes = self.deferred.bytes(what, size)?.to_vec();
        }
        Ok(())
    }
}

/// States the layout of a row type: `level => kind field, …` in wire order. Kinds: `long`
/// (DWORD), `text` (pointer to a string), `null` (a string pointer that is sent as NULL and
/// ignored on reading), `descriptor` (a size and a pointer to that many bytes). A level
/// behind `flat` has no pointers, so that its size is not rounded up.
macro_rules! layout {
    (
        $row:ident;
        $(enum_levels: $enum_levels:expr;)?
        $(enum_null_arms: $enum_null_arms:expr;)?
        $(info_levels: $info_levels:expr;)?
        $(info_null_arms: $info_null_arms:expr;)?
        $(flat: $flat:literal;)?
        $($level:literal => $($kind:ident $($field:ident)?),+;)+
    ) => {
        impl<S: rpc::ndr::WideText> $row<S> {
            const fn has_pointers(level: u32) -> bool {
                $(if level == $flat { return false; })?
                let _ = level;
                true
            }
        }

        impl<S: rpc::ndr::WideText + Default> $crate::row::Row for $row<S> {
            $(const ENUM_LEVELS: &'static [u32] = $enum_levels;)?
            $(const ENUM_NULL_ARMS: &'static [u32] = $enum_null_arms;)?
            $(const INFO_LEVELS: &'static [u32] = $info_levels;)?
            $(const INFO_NULL_ARMS: &'static [u32] = $info_null_arms;)?

            fn fixed_size(level: u32, syntax: rpc::Syntax) -> usize {
                let mut size = $crate::row::Size::new(syntax);
                let row = Self::default();
                match level {
                    $($level => { $(size.$kind($(&row.$field)?);)+ })+
                    _ => {}
                }
                size.fixed_size(Self::has_pointers(level))
            }

            fn write_fixed(&self, level: u32, writer: &mut rpc::ndr::Writer) {
                let mut fixed = $crate::row::Fixed(writer);
                match level {
                    $($level => { $(fixed.$kind($(&self.$field)?);)+ })+
                    _ => {}
                }
                if Self::has_pointers(level) {
                    writer.align_structure_end();
                }
            }

            fn write_deferred(&self, level: u32, writer: &mut rpc::ndr::Writer) {
                let mut deferred = $crate::row::Deferred(writer);
                match level {
                    $($level => { $(deferred.$kind($(&self.$field)?);)+ })+
                    _ => {}
                }
            }

            fn deferred_bound(&self, level: u32, syntax: rpc::Syntax) -> usize {
                let mut bound = $crate::row::Bound { syntax, bytes: 0 };
                match level {
                    $($level => { $(bound.$kind($(&self.$field)?);)+ })+
                    _ => {}
                }
                bound.bytes
            }

            fn size(&self, level: u32) -> usize {
                let mut size = $crate::row::Size::new(rpc::Syntax::Ndr64);
                match level {
                    $($level => { $(size.$kind($(&self.$field)?);)+ })+
                    _ => {}
                }
                size.fixed_size(Self::has_pointers(level)) + size.deferred
            }
        }

        impl<'a, S> $crate::row::ReadRow<'a> for $row<S>
        where
            S: rpc::ndr::WideText + Default + From<rpc::ndr::WideStr<'a>>,
        {
            fn read(
                level: u32,
                fixed: &mut rpc::ndr::Reader<'_>,
                deferred: &mut rpc::ndr::Reader<'a>,
            ) -> Result<Self, rpc::ndr::Error> {
                let mut row = Self::default();
                let mut both = $crate::row::Both { fixed, deferred };
                match level {
                    $($level => {
                        $(both.$kind(
                            concat!(stringify!($row) $(, ".", stringify!($field))?),
                            $(&mut row.$field)?
                        )?;)+
                    })+
                    _ => return Err(rpc::ndr::Error::Arm { tag: level }),
                }
                if Self::has_pointers(level) {
                    fixed.align_structure_end()?;
                }
                Ok(row)
            }
        }
    };
}

pub(crate) use layout;
