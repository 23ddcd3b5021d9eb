//! Directory entries ([MS-FSCC] 2.4.10, 2.4.17, 2.4.8, 2.4.33, 2.4.24, 2.4.25, 2.4.23):
//! one entry type, written and read in the form each class gives it.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::chain::{self, Builder, Entries};
use crate::FileTime;
use crate::wire::{Error, Utf16, codec, file_information_class as class};

/// One directory entry. A class carries the fields it has; read back, the others are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryEntry<'a> {
    /// Where a scan can go on.
    pub file_index: u32,
    /// When the file was created.
    pub creation_time: FileTime,
    /// When it was last read.
    pub last_access_time: FileTime,
    /// When it was last written.
    pub last_write_time: FileTime,
    /// When its data or metadata last changed.
    pub change_time: FileTime,
    /// Its length in bytes.
    pub end_of_file: u64,
    /// Bytes it occupies.
    pub allocation_size: u64,
    /// [`file_attributes`](crate::wire::file_attributes).
    pub file_attributes: u32,
    /// Bytes of its extended attributes, or the reparse tag of a reparse point.
    pub ea_size: u32,
    /// The reparse tag, in the extended class only.
    pub reparse_point_tag: u32,
    /// The 8.3 name, at most 24 bytes; longer ones are cut.
    pub short_name: Utf16<'a>,
    /// The file's number on its volume.
    pub file_id: u64,
    /// The name.
    pub file_name: Utf16<'a>,
}

/// The form of an entry: which fields follow the common ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// FileDirectoryInformation.
    Directory,
    /// FileFullDirectoryInformation: and EaSize.
    Full,
    /// FileIdFullDirectoryInformation: and EaSize and FileId.
    IdFull,
    /// FileBothDirectoryInformation: and EaSize and ShortName.
    Both,
    /// FileIdBothDirectoryInformation: and EaSize, ShortName and FileId.
    IdBoth,
    /// FileIdExtdDirectoryInformation: and EaSize, ReparsePointTag and a FileId of 128 bits.
    IdExtd,
    /// FileNamesInformation: nothing but FileIndex and the name.
    Names,
}

macro_rules! layout {
    ($name:ident { $($field:ident: $type:ty,)* }) => {
        #[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
        #[repr(C)]
        struct $name { $($field: $type,)* }
    };
}

layout!(Common {
    next_entry_offset: U32,
    file_index: U32,
    creation_time: U64,
    last_access_time: U64,
    last_write_time: U64,
    change_time: U64,
    end_of_file: U64,
    allocation_size: U64,
    file_attributes: U32,
    file_name_length: U32,
});

layout!(EaAndId {
    ea_size: U32,
    reserved: U32,
    file_id: U64,
});

layout!(EaAndShortName {
    ea_size: U32,
    short_name_length: u8,
    reserved: u8,
    short_name: [u8; 24],
});

layout!(Id {
    reserved2: U16,
    file_id: U64,
});

layout!(Extended {
    ea_size: U32,
    reparse_point_tag: U32,
    file_id: U64,
    file_id_high: U64,
});

const WHAT: &str = "directory entry";

impl Form {
    /// The form of a [`file_information_class`](crate::wire::file_information_class),
    /// none if it is not for directories.
    pub fn of_class(file_information_class: u8) -> Option<Self> {
        Some(match file_information_class {
            class::FILE_DIRECTORY_INFORMATION => Self::Directory,
            class::FILE_FULL_DIRECTORY_INFORMATION => Self::Full,
            class::FILE_ID_FULL_DIRECTORY_INFORMATION => Self::IdFull,
            class::FILE_BOTH_DIRECTORY_INFORMATION => Self::Both,
            class::FILE_ID_BOTH_DIRECTORY_INFORMATION => Self::IdBoth,
            class::FILE_ID_EXTD_DIRECTORY_INFORMATION => Self::IdExtd,
            class::FILE_NAMES_INFORMATION => Self::Names,
            _ => return None,
        })
    }

    /// Bytes before the name.
    pub const fn fixed_size(self) -> usize {
        match self {
            Self::Directory => 64,
            Self::Full => 68,
            Self::IdFull => 80,
            Self::Both => 94,
            Self::IdBoth => 104,
            Self::IdExtd => 88,
            Self::Names => 12,
        }
    }
}

/// Writes entries, aligned to eight bytes, into a buffer of limited size.
#[derive(Debug)]
pub struct Writer<'b> {
    form: Form,
    builder: Builder<'b>,
}

impl<'b> Writer<'b> {
    /// A list at the end of `out`, of at most `limit` bytes.
    pub fn new(form: Form, out: &'b mut Vec<u8>, limit: usize) -> Self {
        Self {
            form,
            builder: Builder::new(out, limit, 8),
        }
    }

    /// Appends an entry. False, and nothing written, if it does not fit.
    pub fn push(&mut self, entry: &DirectoryEntry<'_>) -> bool {
        let (name, length) = codec::clip_long(entry.file_name.as_bytes());
        let form = self.form;
        self.builder.push(form.fixed_size() + name.len(), |out| {
            entry.write_fixed(form, length, out);
            out.extend_from_slice(name);
        })
    }

    /// The form of its entries.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.builder.is_empty()
    }
}

/// The entries of a list.
pub fn read_list(
    form: Form,
    bytes: &[u8],
) -> impl Iterator<Item = Result<DirectoryEntry<'_>, Error>> {
    Entries::new(WHAT, form.fixed_size(), bytes)
        .map(move |entry| DirectoryEntry::read(form, entry?))
}

impl<'a> DirectoryEntry<'a> {
    fn read(form: Form, bytes: &'a [u8]) -> Result<Self, Error> {
        if form == Form::Names {
            let ([_, file_index, length], _) = codec::prefix::<[U32; 3]>(WHAT, bytes)?;
            let file_name = chain::name(WHAT, bytes, form.fixed_size(), length.get())?;
            return Ok(Self {
                file_index: file_index.get(),
                file_name,
                ..Self::default()
            });
        }
        let (common, rest) = codec::prefix::<Common>(WHAT, bytes)?;
        let length = common.file_name_length.get();
        let mut entry = Self {
            file_index: common.file_index.get(),
            creation_time: FileTime(common.creation_time.get()),
            last_access_time: FileTime(common.last_access_time.get()),
            last_write_time: FileTime(common.last_write_time.get()),
            change_time: FileTime(common.change_time.get()),
            end_of_file: common.end_of_file.get(),
            allocation_size: common.allocation_size.get(),
            file_attributes: common.file_attributes.get(),
            file_name: chain::name(WHAT, bytes, form.fixed_size(), length)?,
            ..Self::default()
        };
        match form {
            Form::Directory | Form::Names => {}
            Form::Full => entry.ea_size = codec::prefix::<U32>(WHAT, rest)?.0.get(),
            Form::IdFull => {
                let (more, _) = codec::prefix::<EaAndId>(WHAT, rest)?;
                entry.ea_size = more.ea_size.get();
                entry.file_id = more.file_id.get();
            }
            Form::Both | Form::IdBoth => {
                let (more, rest) = codec::prefix::<EaAndShortName>(WHAT, rest)?;
                entry.ea_size = more.ea_size.get();
                let length = more.short_name_length.into();
                let short_name = codec::within(&more.short_name, WHAT, 0, 0, length)?;
                entry.short_name = Utf16::new(short_name)?;
                if form == Form::IdBoth {
                    entry.file_id = codec::prefix::<Id>(WHAT, rest)?.0.file_id.get();
                }
            }
            Form::IdExtd => {
                let (more, _) = codec::prefix::<Extended>(WHAT, rest)?;
                entry.ea_size = more.ea_size.get();
                entry.reparse_point_tag = more.reparse_point_tag.get();
                entry.file_id = more.file_id.get();
            }
        }
        Ok(entry)
    }

    fn write_fixed(&self, form: Form, file_name_length: u32, out: &mut Vec<u8>) {
        if form == Form::Names {
            codec::put(out, &[0, self.file_index, file_name_length].map(U32::new));
            return;
        }
        let common = Common {
            next_entry_offset: U32::ZERO,
            file_index: self.file_index.into(),
            creation_time: self.creation_time.0.into(),
            last_access_time: self.last_access_time.0.into(),
            last_write_time: self.last_write_time.0.into(),
            change_time: self.change_time.0.into(),
            end_of_file: self.end_of_file.into(),
            allocation_size: self.allocation_size.into(),
            file_attributes: self.file_attributes.into(),
            file_name_length: file_name_length.into(),
        };
        codec::put(out, &common);
        let ea_size = U32::new(self.ea_size);
        let file_id = U64::new(self.file_id);
        match form {
            Form::Directory | Form::Names => {}
            Form::Full => codec::put(out, &ea_size),
            Form::IdFull => codec::put(
                out,
                &EaAndId {
                    ea_size,
                    reserved: U32::ZERO,
                    file_id,
                },
            ),
            Form::Both | Form::IdBoth => {
                let name = self.short_name.as_bytes();
                let name = &name[..name.len().min(24)];
                let mut short_name = [0; 24];
                short_name[..name.len()].copy_from_slice(name);
                let short_name_length = name.len() as u8;
                let more = EaAndShortName {
                    ea_size,
                    short_name_length,
                    reserved: 0,
                    short_name,
                };
                codec::put(out, &more);
                if form == Form::IdBoth {
                    codec::put(
                        out,
                        &Id {
                            reserved2: U16::ZERO,
                            file_id,
                        },
                    );
                }
            }
            Form::IdExtd => {
                let reparse_point_tag = U32::new(self.reparse_point_tag);
                let file_id_high = U64::ZERO;
                codec::put(
                    out,
                    &Extended {
                        ea_size,
                        reparse_point_tag,
                        file_id,
                        file_id_high,
                    },
                );
            }
        }
    }
}
