//! The times, sizes and attributes of a file as CREATE and CLOSE responses have them: those of
//! FileNetworkOpenInformation ([MS-FSCC] 2.4.34), without what is reserved there.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::FileNetworkOpenInformation;
use crate::FileTime;

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(in crate::wire) struct RawNetworkOpen {
    creation_time: U64,
    last_access_time: U64,
    last_write_time: U64,
    change_time: U64,
    allocation_size: U64,
    end_of_file: U64,
    file_attributes: U32,
}

impl From<RawNetworkOpen> for FileNetworkOpenInformation {
    fn from(raw: RawNetworkOpen) -> Self {
        Self {
            creation_time: FileTime(raw.creation_time.get()),
            last_access_time: FileTime(raw.last_access_time.get()),
            last_write_time: FileTime(raw.last_write_time.get()),
            change_time: FileTime(raw.change_time.get()),
            allocation_size: raw.allocation_size.get(),
            end_of_file: raw.end_of_file.get(),
            file_attributes: raw.file_attributes.get(),
        }
    }
}

impl From<FileNetworkOpenInformation> for RawNetworkOpen {
    fn from(file: FileNetworkOpenInformation) -> Self {
        Self {
            creation_time: file.creation_time.0.into(),
            last_access_time: file.last_access_time.0.into(),
            last_write_time: file.last_write_time.0.into(),
            change_time: file.change_time.0.into(),
            allocation_size: file.allocation_size.into(),
            end_of_file: file.end_of_file.into(),
            file_attributes: file.file_attributes.into(),
        }
    }
}
