//! What all messages share: the fixed part as a zerocopy structure, and the variable
//! part found by offset and length.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Error, Header};

/// The fixed part of a message body: what StructureSize counts, without the one byte
/// that an odd StructureSize adds for the variable part.
pub(super) trait Fixed: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned {
    /// The name for errors.
    const WHAT: &'static str;
    /// The specification's StructureSize.
    const STRUCTURE_SIZE: u16;
}

/// Declares a [`Fixed`] structure. Fields follow StructureSize, little-endian and
/// without gaps; the total is checked against StructureSize at compile time.
macro_rules! fixed {
    ($name:ident, $what:literal, $size:literal { $($field:ident: $type:ty,)* }) => {
        #[derive(
            zerocopy::FromBytes,
            zerocopy::IntoBytes,
            zerocopy::KnownLayout,
            zerocopy::Immutable,
            zerocopy::Unaligned,
        )]
        #[repr(C)]
        struct $name {
            structure_size: zerocopy::little_endian::U16,
            $($field: $type,)*
        }

        impl $crate::wire::codec::Fixed for $name {
            const WHAT: &'static str = $what;
            const STRUCTURE_SIZE: u16 = $size;
        }

        const _: () = assert!(size_of::<$name>() == $size & !1);
    };
}

/// Declares constants with the specification's names.
macro_rules! constants {
    ($type:ty; $($(#[$doc:meta])* $name:ident = $value:literal,)*) => {
        $(
            $(#[$doc])*
            #[doc = concat!("`", stringify!($name), "` = ", stringify!($value), ".")]
            pub const $name: $type = $value;
        )*
    };
}

/// A response whose body is one buffer: QUERY_DIRECTORY, QUERY_INFO and CHANGE_NOTIFY.
macro_rules! output_buffer_message {
    ($(#[$doc:meta])* $name:ident, $what:literal, $(#[$field_doc:meta])* output_buffer) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name<'a> {
            $(#[$field_doc])*
            pub output_buffer: &'a [u8],
        }

        fixed!(Response, $what, 9 {
            output_buffer_offset: zerocopy::little_endian::U16,
            output_buffer_length: zerocopy::little_endian::U32,
        });

        impl<'a> $name<'a> {
            /// Where the output begins, from the header, in a response written here.
            pub const OUTPUT_OFFSET: usize = $crate::wire::Header::SIZE + size_of::<Response>();

            /// Reads the message.
            ///
            /// # Errors
            /// [`Error`](crate::wire::Error) if the bytes are not such a response.
            pub fn read(message: &'a [u8]) -> Result<Self, $crate::wire::Error> {
                let fixed = $crate::wire::codec::body::<Response>(message)?;
                let output_buffer = $crate::wire::codec::variable::<Response>(
                    message,
                    concat!($what, " Buffer"),
                    fixed.output_buffer_offset.get(),
                    fixed.output_buffer_length.get(),
                )?;
                Ok(Self { output_buffer })
            }

            /// Appends the body.
            pub fn write(&self, out: &mut Vec<u8>) {
                let (buffer, length) = $crate::wire::codec::clip_long(self.output_buffer);
                let fixed = Response {
                    structure_size: 9.into(),
                    output_buffer_offset: (Self::OUTPUT_OFFSET as u16).into(),
                    output_buffer_length: length.into(),
                };
                $crate::wire::codec::put(out, &fixed);
                out.extend_from_slice(buffer);
            }
        }
    };
}

/// A message whose whole body is StructureSize 4 and two reserved bytes.
macro_rules! empty_message {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl $name {
            /// Reads the body behind the header.
            ///
            /// # Errors
            /// [`Error`](crate::wire::Error) if the body is short or has another StructureSize.
            pub fn read(message: &[u8]) -> Result<Self, crate::wire::Error> {
                fixed!(Body, $what, 4 { _reserved: zerocopy::little_endian::U16, });
                crate::wire::codec::body::<Body>(message).map(|_| Self)
            }

            /// Appends the body to a buffer that ends with its header.
            pub fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&[4, 0, 0, 0]);
            }
        }
    };
}

/// The fixed part behind the header.
pub(super) fn body<T: Fixed>(message: &[u8]) -> Result<&T, Error> {
    let body = message.get(Header::SIZE..).unwrap_or_default();
    // StructureSize first: a sender of another structure hears what is wrong.
    if let Some(size) = body.first_chunk::<2>() {
        let found = u16::from_le_bytes(*size);
        if found != T::STRUCTURE_SIZE {
            return Err(Error::StructureSize {
                what: T::WHAT,
                expected: T::STRUCTURE_SIZE,
                found,
            });
        }
    }
    prefix(T::WHAT, body).map(|(fixed, _)| fixed)
}

/// A structure at the start of `bytes`, and what follows it.
pub(super) fn prefix<'a, T>(what: &'static str, bytes: &'a [u8]) -> Result<(&'a T, &'a [u8]), Error>
where
    T: FromBytes + KnownLayout + Immutable + Unaligned,
{
    T::ref_from_prefix(bytes).map_err(|_| Error::Truncated {
        what,
        needed: size_of::<T>(),
        available: bytes.len(),
    })
}

/// The variable part `offset..offset + length` of a message with fixed part `T`.
/// An empty part may claim any offset: clients leave anything there.
pub(super) fn variable<'a, T: Fixed>(
    message: &'a [u8],
    what: &'static str,
    offset: impl Into<u32>,
    length: impl Into<u32>,
) -> Result<&'a [u8], Error> {
    // u32 to usize is lossless on the 32- and 64-bit targets this builds for.
    let (offset, length) = (offset.into() as usize, length.into() as usize);
    within(message, what, Header::SIZE + size_of::<T>(), offset, length)
}

/// `offset..offset + length` of `bytes`, not before `first`.
pub(super) fn within<'a>(
    bytes: &'a [u8],
    what: &'static str,
    first: usize,
    offset: usize,
    length: usize,
) -> Result<&'a [u8], Error> {
    if length == 0 {
        return Ok(&[]);
    }
    offset
        .checked_add(length)
        .filter(|_| offset >= first)
        .and_then(|end| bytes.get(offset..end))
        .ok_or(Error::OutOfBounds {
            what,
            offset,
            length,
            available: bytes.len(),
        })
}

/// Appends a structure.
pub(super) fn put<T: IntoBytes + Immutable>(out: &mut Vec<u8>, value: &T) {
    out.extend_from_slice(value.as_bytes());
}

/// Appends the variable part of a request. The specification counts one byte of it in
/// StructureSize and servers insist on that byte, so an empty part becomes one zero.
pub(super) fn put_variable(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.is_empty() {
        out.push(0);
    } else {
        out.extend_from_slice(bytes);
    }
}

/// Zeros up to the next multiple of eight, counted from `start`.
pub(super) fn align(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    out.resize(start + length.next_multiple_of(8), 0);
}

/// The part of `bytes` that a 16-bit length can describe, in whole code units.
pub(super) fn clip(bytes: &[u8]) -> (&[u8], u16) {
    match u16::try_from(bytes.len()) {
        Ok(length) => (bytes, length),
        Err(_) => (&bytes[..0xFFFE], 0xFFFE),
    }
}

/// The part of `bytes` that a 32-bit length can describe.
pub(super) fn clip_long(bytes: &[u8]) -> (&[u8], u32) {
    match u32::try_from(bytes.len()) {
        Ok(length) => (bytes, length),
        Err(_) => (&bytes[..u32::MAX as usize], u32::MAX),
    }
}

/// An array of 16-bit numbers, as many as `bytes` holds.
pub(super) fn u16s(bytes: &[u8]) -> Vec<u16> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .collect()
}

/// Appends an array of 16-bit numbers.
pub(super) fn put_u16s(out: &mut Vec<u8>, numbers: &[u16]) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}
