//! Extended attributes: FILE_FULL_EA_INFORMATION ([MS-FSCC] 2.4.16), which SET_INFO, QUERY_INFO
//! and the CREATE context `ExtA` carry, and FILE_GET_EA_INFORMATION ([MS-FSCC] 2.4.16.1), by
//! which QUERY_INFO names those that it wants.
//!
//! Names are bytes here: the specification calls them ASCII, and says nothing of an encoding
//! for more.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::chain::{Builder, Entries};
use crate::wire::{Error, codec};

/// Of [`FileFullEaInformation::flags`]: who does not understand extended attributes must not
/// open the file.
pub const FILE_NEED_EA: u8 = 0x80;

/// Bytes to which the entries of either list are aligned.
const ALIGNMENT: usize = 4;

/// One extended attribute of FileFullEaInformation ([MS-FSCC] 2.4.16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFullEaInformation<'a> {
    /// 0 or [`FILE_NEED_EA`]. Open.
    pub flags: u8,
    /// EaName without its NUL; at most 255 bytes, what is beyond is not written.
    pub name: &'a [u8],
    /// EaValue; in SET_INFO an empty one removes the attribute. At most 65,535 bytes, what is
    /// beyond is not written.
    pub value: &'a [u8],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Full {
    next_entry_offset: U32,
    flags: u8,
    ea_name_length: u8,
    ea_value_length: U16,
}

const FULL: &str = "FILE_FULL_EA_INFORMATION";

impl<'a> FileFullEaInformation<'a> {
    /// The entries of a list.
    pub fn read_list(bytes: &'a [u8]) -> impl Iterator<Item = Result<Self, Error>> + use<'a> {
        Entries::new(FULL, size_of::<Full>(), bytes).map(|entry| Self::read(entry?))
    }

    fn read(entry: &'a [u8]) -> Result<Self, Error> {
        let (fixed, rest) = codec::prefix::<Full>(FULL, entry)?;
        let (name, rest) = terminated(FULL, rest, fixed.ea_name_length.into())?;
        let length = fixed.ea_value_length.get().into();
        Ok(Self {
            flags: fixed.flags,
            name,
            value: codec::within(rest, FULL, 0, 0, length)?,
        })
    }

    /// Bytes of the entry, without what aligns the next one.
    pub fn size(&self) -> usize {
        size_of::<Full>() + clipped(self.name).len() + 1 + self.clipped_value().len()
    }

    fn clipped_value(&self) -> &'a [u8] {
        &self.value[..self.value.len().min(usize::from(u16::MAX))]
    }
}

/// Writes a list of [`FileFullEaInformation`] into a buffer of limited size.
#[derive(Debug)]
pub struct FullEaWriter<'b>(Builder<'b>);

impl<'b> FullEaWriter<'b> {
    /// A list at the end of `out`, of at most `limit` bytes.
    pub fn new(out: &'b mut Vec<u8>, limit: usize) -> Self {
        Self(Builder::new(out, limit, ALIGNMENT))
    }

    /// Appends an entry. False, and nothing written, if it does not fit.
    pub fn push(&mut self, entry: &FileFullEaInformation<'_>) -> bool {
        let (name, value) = (clipped(entry.name), entry.clipped_value());
        self.0.push(entry.size(), |out| {
            let fixed = Full {
                next_entry_offset: U32::ZERO,
                flags: entry.flags,
                // Both were clipped to what their fields hold.
                ea_name_length: name.len() as u8,
                ea_value_length: U16::new(value.len() as u16),
            };
            codec::put(out, &fixed);
            out.extend_from_slice(name);
            out.push(0);
            out.extend_from_slice(value);
        })
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A name that QUERY_INFO of FileFullEaInformation asks for: FILE_GET_EA_INFORMATION
/// ([MS-FSCC] 2.4.16.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileGetEaInformation<'a> {
    /// EaName without its NUL; at most 255 bytes, what is beyond is not written.
    pub name: &'a [u8],
}

/// NextEntryOffset and EaNameLength.
const GET_FIXED: usize = 5;

impl<'a> FileGetEaInformation<'a> {
    /// The entries of a list.
    pub fn read_list(bytes: &'a [u8]) -> impl Iterator<Item = Result<Self, Error>> + use<'a> {
        const GET: &str = "FILE_GET_EA_INFORMATION";
        Entries::new(GET, GET_FIXED, bytes).map(|entry| {
            let (fixed, rest) = codec::prefix::<[u8; GET_FIXED]>(GET, entry?)?;
            let (name, _) = terminated(GET, rest, fixed[4].into())?;
            Ok(Self { name })
        })
    }

    /// Appends a list.
    pub fn write_list(out: &mut Vec<u8>, names: &[Self]) {
        let mut builder = Builder::new(out, usize::MAX, ALIGNMENT);
        for entry in names {
            let name = clipped(entry.name);
            builder.push(GET_FIXED + name.len() + 1, |out| {
                out.extend_from_slice(&[0; 4]);
                out.push(name.len() as u8);
                out.extend_from_slice(name);
                out.push(0);
            });
        }
    }
}

/// The part of a name that its length can describe.
fn clipped(name: &[u8]) -> &[u8] {
    &name[..name.len().min(usize::from(u8::MAX))]
}

/// A name of `length` bytes at the front of `bytes` with its NUL, and what follows.
fn terminated<'a>(
    what: &'static str,
    bytes: &'a [u8],
    length: usize,
) -> Result<(&'a [u8], &'a [u8]), Error> {
    let with_nul = codec::within(bytes, what, 0, 0, length + 1)?;
    match with_nul.split_last() {
        Some((0, name)) => Ok((name, &bytes[length + 1..])),
        _ => Err(Error::OutOfBounds {
            what,
            offset: length,
            length: 1,
            available: bytes.len(),
        }),
    }
}
