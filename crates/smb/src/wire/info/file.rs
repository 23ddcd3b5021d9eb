//! File information classes ([MS-FSCC] 2.4) other than directory entries.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::chain::{self, Builder, Entries};
use crate::FileTime;
use crate::wire::{Error, Utf16, codec};

record! {
    /// FileBasicInformation ([MS-FSCC] 2.4.7). In SET_INFO a time of 0 or -1 means
    /// "leave it", as does an attribute word of 0.
    #[derive(Default)]
    FileBasicInformation, size 40, reserved 4 {
        /// When the file was created.
        creation_time: FileTime,
        /// When it was last read.
        last_access_time: FileTime,
        /// When it was last written.
        last_write_time: FileTime,
        /// When its data or metadata last changed.
        change_time: FileTime,
        /// [`file_attributes`](crate::wire::file_attributes).
        file_attributes: u32,
    }
}

record! {
    /// FileStandardInformation ([MS-FSCC] 2.4.47).
    #[derive(Default)]
    FileStandardInformation, size 24, reserved 2 {
        /// Bytes it occupies.
        allocation_size: u64,
        /// Its length in bytes.
        end_of_file: u64,
        /// Hard links.
        number_of_links: u32,
        /// Deleted when the last open closes.
        delete_pending: bool,
        /// A directory.
        directory: bool,
    }
}

record! {
    /// FileInternalInformation ([MS-FSCC] 2.4.27).
    #[derive(Default)]
    FileInternalInformation, size 8, reserved 0 {
        /// The file's number on its volume.
        index_number: u64,
    }
}

record! {
    /// FileEaInformation ([MS-FSCC] 2.4.13).
    #[derive(Default)]
    FileEaInformation, size 4, reserved 0 {
        /// Bytes of its extended attributes.
        ea_size: u32,
    }
}

record! {
    /// FileAccessInformation ([MS-FSCC] 2.4.1).
    #[derive(Default)]
    FileAccessInformation, size 4, reserved 0 {
        /// What the open may do: [`access_mask`](crate::wire::access_mask).
        access_flags: u32,
    }
}

record! {
    /// FilePositionInformation ([MS-FSCC] 2.4.40).
    #[derive(Default)]
    FilePositionInformation, size 8, reserved 0 {
        /// The open's position in bytes.
        current_byte_offset: u64,
    }
}

record! {
    /// FileModeInformation ([MS-FSCC] 2.4.31).
    #[derive(Default)]
    FileModeInformation, size 4, reserved 0 {
        /// Some of [`create_options`](crate::wire::create_options).
        mode: u32,
    }
}

record! {
    /// FileAlignmentInformation ([MS-FSCC] 2.4.3).
    #[derive(Default)]
    FileAlignmentInformation, size 4, reserved 0 {
        /// The alignment's bits below the top one; 0 for none.
        alignment_requirement: u32,
    }
}

record! {
    /// FileCompressionInformation ([MS-FSCC] 2.4.9).
    #[derive(Default)]
    FileCompressionInformation, size 16, reserved 3 {
        /// Bytes after compression.
        compressed_file_size: u64,
        /// 0: not compressed.
        compression_format: u16,
        /// Logarithm of the compression unit.
        compression_unit_shift: u8,
        /// Logarithm of a chunk.
        chunk_shift: u8,
        /// Logarithm of a cluster.
        cluster_shift: u8,
    }
}

record! {
    /// FileNetworkOpenInformation ([MS-FSCC] 2.4.34).
    #[derive(Default)]
    FileNetworkOpenInformation, size 56, reserved 4 {
        /// When the file was created.
        creation_time: FileTime,
        /// When it was last read.
        last_access_time: FileTime,
        /// When it was last written.
        last_write_time: FileTime,
        /// When its data or metadata last changed.
        change_time: FileTime,
        /// Bytes it occupies.
        allocation_size: u64,
        /// Its length in bytes.
        end_of_file: u64,
        /// [`file_attributes`](crate::wire::file_attributes).
        file_attributes: u32,
    }
}

record! {
    /// FileAttributeTagInformation ([MS-FSCC] 2.4.6).
    #[derive(Default)]
    FileAttributeTagInformation, size 8, reserved 0 {
        /// [`file_attributes`](crate::wire::file_attributes).
        file_attributes: u32,
        /// The reparse tag, 0 for none.
        reparse_tag: u32,
    }
}

record! {
    /// FilePipeInformation ([MS-FSCC] 2.4.37).
    #[derive(Default)]
    FilePipeInformation, size 8, reserved 0 {
        /// 0 bytes, 1 messages.
        read_mode: u32,
        /// 0 blocking, 1 not.
        completion_mode: u32,
    }
}

record! {
    /// FilePipeLocalInformation ([MS-FSCC] 2.4.38).
    #[derive(Default)]
    FilePipeLocalInformation, size 40, reserved 0 {
        /// 0 bytes, 1 messages.
        named_pipe_type: u32,
        /// 0 in, 1 out, 2 both.
        named_pipe_configuration: u32,
        /// Instances allowed, all ones for no limit.
        maximum_instances: u32,
        /// Instances open.
        current_instances: u32,
        /// Bytes the pipe may hold on the way in.
        inbound_quota: u32,
        /// Bytes there are to read.
        read_data_available: u32,
        /// Bytes the pipe may hold on the way out.
        outbound_quota: u32,
        /// Bytes that may be written.
        write_quota_available: u32,
        /// 1 disconnected, 2 listening, 3 connected, 4 closing.
        named_pipe_state: u32,
        /// 0 client, 1 server.
        named_pipe_end: u32,
    }
}

record! {
    /// FileIdInformation ([MS-FSCC] 2.4.26).
    #[derive(Default)]
    FileIdInformation, size 24, reserved 0 {
        /// The volume.
        volume_serial_number: u64,
        /// The file's number on it.
        file_id: [u8; 16],
    }
}

record! {
    /// FileDispositionInformation ([MS-FSCC] 2.4.11).
    #[derive(Default)]
    FileDispositionInformation, size 1, reserved 0 {
        /// Delete when the last open closes.
        delete_pending: bool,
    }
}

record! {
    /// FileDispositionInformationEx ([MS-FSCC] 2.4.12).
    #[derive(Default)]
    FileDispositionInformationEx, size 4, reserved 0 {
        /// [`disposition_flags`](crate::wire::disposition_flags).
        flags: u32,
    }
}

record! {
    /// FileAllocationInformation ([MS-FSCC] 2.4.4).
    #[derive(Default)]
    FileAllocationInformation, size 8, reserved 0 {
        /// Bytes to occupy.
        allocation_size: u64,
    }
}

record! {
    /// FileEndOfFileInformation ([MS-FSCC] 2.4.14).
    #[derive(Default)]
    FileEndOfFileInformation, size 8, reserved 0 {
        /// The new length in bytes.
        end_of_file: u64,
    }
}

/// FileNameInformation ([MS-FSCC] 2.4.32), which FileNormalizedNameInformation and
/// FileAlternateNameInformation share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileNameInformation<'a> {
    /// The name.
    pub file_name: Utf16<'a>,
}

impl<'a> FileNameInformation<'a> {
    /// Reads the class from the front of `bytes`.
    ///
    /// # Errors
    /// [`Error`] if the name is not all there.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "FileNameInformation";
        let (length, _) = codec::prefix::<U32>(WHAT, bytes)?;
        Ok(Self {
            file_name: chain::name(WHAT, bytes, 4, length.get())?,
        })
    }

    /// Appends the class.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (name, length) = codec::clip_long(self.file_name.as_bytes());
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(name);
    }
}

const ALL_FIXED: usize = 96;

/// FileAllInformation ([MS-FSCC] 2.4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileAllInformation<'a> {
    /// Times and attributes.
    pub basic: FileBasicInformation,
    /// Sizes and links.
    pub standard: FileStandardInformation,
    /// The file's number.
    pub internal: FileInternalInformation,
    /// Extended attributes.
    pub ea: FileEaInformation,
    /// What the open may do.
    pub access: FileAccessInformation,
    /// Where the open stands.
    pub position: FilePositionInformation,
    /// The open's mode.
    pub mode: FileModeInformation,
    /// Alignment.
    pub alignment: FileAlignmentInformation,
    /// The name.
    pub name: FileNameInformation<'a>,
}

impl<'a> FileAllInformation<'a> {
    /// Bytes before the name's length.
    pub const FIXED: usize = ALL_FIXED;

    /// Reads the class from the front of `bytes`.
    ///
    /// # Errors
    /// [`Error`] if something is not all there.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        // Reserved bytes in the middle must be there, so the whole fixed part first.
        let (fixed, name) = codec::prefix::<[u8; ALL_FIXED]>("FileAllInformation", bytes)?;
        Ok(Self {
            basic: FileBasicInformation::read(&fixed[..40])?,
            standard: FileStandardInformation::read(&fixed[40..64])?,
            internal: FileInternalInformation::read(&fixed[64..72])?,
            ea: FileEaInformation::read(&fixed[72..76])?,
            access: FileAccessInformation::read(&fixed[76..80])?,
            position: FilePositionInformation::read(&fixed[80..88])?,
            mode: FileModeInformation::read(&fixed[88..92])?,
            alignment: FileAlignmentInformation::read(&fixed[92..96])?,
            name: FileNameInformation::read(name)?,
        })
    }

    /// Appends the class.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.basic.write(out);
        self.standard.write(out);
        self.internal.write(out);
        self.ea.write(out);
        self.access.write(out);
        self.position.write(out);
        self.mode.write(out);
        self.alignment.write(out);
        self.name.write(out);
    }
}

/// FileRenameInformation as SMB2 carries it, and FileLinkInformation, which is alike
/// ([MS-FSCC] 2.4.42.2, 2.4.28.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileRenameInformation<'a> {
    /// Replace what bears the name already.
    pub replace_if_exists: bool,
    /// Must be 0 on the network.
    pub root_directory: u64,
    /// The new name, relative to the share.
    pub file_name: Utf16<'a>,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Rename {
    replace_if_exists: u8,
    reserved: [u8; 7],
    root_directory: U64,
    file_name_length: U32,
}

impl<'a> FileRenameInformation<'a> {
    /// Reads the class from the front of `bytes`.
    ///
    /// # Errors
    /// [`Error`] if the name is not all there.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "FileRenameInformation";
        let (fixed, _) = codec::prefix::<Rename>(WHAT, bytes)?;
        let length = fixed.file_name_length.get();
        Ok(Self {
            replace_if_exists: fixed.replace_if_exists != 0,
            root_directory: fixed.root_directory.get(),
            file_name: chain::name(WHAT, bytes, size_of::<Rename>(), length)?,
        })
    }

    /// Appends the class. Windows wants at least 24 bytes, so a short name is padded.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (name, length) = codec::clip_long(self.file_name.as_bytes());
        let fixed = Rename {
            replace_if_exists: self.replace_if_exists.into(),
            reserved: [0; 7],
            root_directory: self.root_directory.into(),
            file_name_length: length.into(),
        };
        codec::put(out, &fixed);
        out.extend_from_slice(name);
        if out.len() - start < 24 {
            out.resize(start + 24, 0);
        }
    }
}

/// FileLinkInformation as SMB2 carries it ([MS-FSCC] 2.4.28.2).
pub type FileLinkInformation<'a> = FileRenameInformation<'a>;

/// One entry of FileStreamInformation ([MS-FSCC] 2.4.49).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileStreamInformation<'a> {
    /// Its length in bytes.
    pub stream_size: u64,
    /// Bytes it occupies.
    pub stream_allocation_size: u64,
    /// `:name:$DATA`.
    pub stream_name: Utf16<'a>,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Stream {
    next_entry_offset: U32,
    stream_name_length: U32,
    stream_size: U64,
    stream_allocation_size: U64,
}

impl<'a> FileStreamInformation<'a> {
    /// The entries of a list.
    pub fn read_list(bytes: &'a [u8]) -> impl Iterator<Item = Result<Self, Error>> {
        const WHAT: &str = "FileStreamInformation";
        Entries::new(WHAT, size_of::<Stream>(), bytes).map(|entry| {
            let entry = entry?;
            let (fixed, _) = codec::prefix::<Stream>(WHAT, entry)?;
            let length = fixed.stream_name_length.get();
            Ok(Self {
                stream_size: fixed.stream_size.get(),
                stream_allocation_size: fixed.stream_allocation_size.get(),
                stream_name: chain::name(WHAT, entry, size_of::<Stream>(), length)?,
            })
        })
    }

    /// Appends a list of at most `limit` bytes; returns how many entries fitted.
    pub fn write_list(out: &mut Vec<u8>, limit: usize, streams: &[Self]) -> usize {
        let mut builder = Builder::new(out, limit, 8);
        let fits = |stream: &&Self| {
            let (name, length) = codec::clip_long(stream.stream_name.as_bytes());
            builder.push(size_of::<Stream>() + name.len(), |out| {
                let fixed = Stream {
                    next_entry_offset: U32::ZERO,
                    stream_name_length: length.into(),
                    stream_size: stream.stream_size.into(),
                    stream_allocation_size: stream.stream_allocation_size.into(),
                };
                codec::put(out, &fixed);
                out.extend_from_slice(name);
            })
        };
        streams.iter().take_while(fits).count()
    }
}
