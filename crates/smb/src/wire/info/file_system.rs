//! File system information classes ([MS-FSCC] 2.5).

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::chain;
use crate::wire::{Error, Utf16, codec};
use crate::{FileTime, Guid};

record! {
    /// FileFsSizeInformation ([MS-FSCC] 2.5.8).
    #[derive(Default)]
    FileFsSizeInformation, size 24, reserved 0 {
        /// Allocation units on the volume.
        total_allocation_units: u64,
        /// Allocation units free for the user.
        available_allocation_units: u64,
        /// Sectors per unit.
        sectors_per_allocation_unit: u32,
        /// Bytes per sector.
        bytes_per_sector: u32,
    }
}

record! {
    /// FileFsFullSizeInformation ([MS-FSCC] 2.5.4).
    #[derive(Default)]
    FileFsFullSizeInformation, size 32, reserved 0 {
        /// Allocation units on the volume.
        total_allocation_units: u64,
        /// Allocation units free for the user.
        caller_available_allocation_units: u64,
        /// Allocation units free.
        actual_available_allocation_units: u64,
        /// Sectors per unit.
        sectors_per_allocation_unit: u32,
        /// Bytes per sector.
        bytes_per_sector: u32,
    }
}

record! {
    /// FileFsControlInformation ([MS-FSCC] 2.5.2): when content is indexed, and quotas.
    #[derive(Default)]
    FileFsControlInformation, size 48, reserved 4 {
        /// Free bytes above which indexing begins.
        free_space_start_filtering: u64,
        /// Free bytes at which a warning is due.
        free_space_threshold: u64,
        /// Free bytes below which indexing ends.
        free_space_stop_filtering: u64,
        /// Bytes of a user after which a warning is due; all ones for none.
        default_quota_threshold: u64,
        /// Bytes that a user may have; all ones for no limit.
        default_quota_limit: u64,
        /// FILE_VC_* bits; 0: quotas are neither kept nor enforced.
        file_system_control_flags: u32,
    }
}

record! {
    /// FileFsDeviceInformation ([MS-FSCC] 2.5.10).
    #[derive(Default)]
    FileFsDeviceInformation, size 8, reserved 0 {
        /// FILE_DEVICE_* of [`device`](crate::wire::device).
        device_type: u32,
        /// The rest of [`device`](crate::wire::device).
        characteristics: u32,
    }
}

record! {
    /// FileFsObjectIdInformation ([MS-FSCC] 2.5.6).
    FileFsObjectIdInformation, size 64, reserved 0 {
        /// The volume's identity.
        object_id: Guid,
        /// Anything.
        extended_info: [u8; 48],
    }
}

record! {
    /// FileFsSectorSizeInformation ([MS-FSCC] 2.5.7).
    #[derive(Default)]
    FileFsSectorSizeInformation, size 28, reserved 0 {
        /// Bytes of a logical sector.
        logical_bytes_per_sector: u32,
        /// Bytes written atomically.
        physical_bytes_per_sector_for_atomicity: u32,
        /// Bytes written fast.
        physical_bytes_per_sector_for_performance: u32,
        /// Bytes the file system takes as atomic.
        file_system_effective_physical_bytes_per_sector_for_atomicity: u32,
        /// 1 aligned device, 2 partition aligned, 4 no seek penalty, 8 trim.
        flags: u32,
        /// Offset of the first sector within a physical one.
        byte_offset_for_sector_alignment: u32,
        /// Offset of the partition within a physical sector.
        byte_offset_for_partition_alignment: u32,
    }
}

/// FileFsVolumeInformation ([MS-FSCC] 2.5.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFsVolumeInformation<'a> {
    /// When the volume was made.
    pub volume_creation_time: FileTime,
    /// Its serial number.
    pub volume_serial_number: u32,
    /// Whether files have object ids.
    pub supports_objects: bool,
    /// Its label.
    pub volume_label: Utf16<'a>,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Volume {
    volume_creation_time: U64,
    volume_serial_number: U32,
    volume_label_length: U32,
    supports_objects: u8,
    reserved: u8,
}

impl<'a> FileFsVolumeInformation<'a> {
    /// Reads the class from the front of `bytes`.
    ///
    /// # Errors
    /// [`Error`] if the label is not all there.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "FileFsVolumeInformation";
        let (fixed, _) = codec::prefix::<Volume>(WHAT, bytes)?;
        let length = fixed.volume_label_length.get();
        Ok(Self {
            volume_creation_time: FileTime(fixed.volume_creation_time.get()),
            volume_serial_number: fixed.volume_serial_number.get(),
            supports_objects: fixed.supports_objects != 0,
            volume_label: chain::name(WHAT, bytes, size_of::<Volume>(), length)?,
        })
    }

    /// Appends the class.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (label, length) = codec::clip_long(self.volume_label.as_bytes());
        let fixed = Volume {
            volume_creation_time: self.volume_creation_time.0.into(),
            volume_serial_number: self.volume_serial_number.into(),
            volume_label_length: length.into(),
            supports_objects: self.supports_objects.into(),
            reserved: 0,
        };
        codec::put(out, &fixed);
        out.extend_from_slice(label);
    }
}

/// FileFsAttributeInformation ([MS-FSCC] 2.5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFsAttributeInformation<'a> {
    /// [`file_system_attributes`](crate::wire::file_system_attributes).
    pub file_system_attributes: u32,
    /// Code units of the longest name.
    pub maximum_component_name_length: u32,
    /// Such as `NTFS`.
    pub file_system_name: Utf16<'a>,
}

impl<'a> FileFsAttributeInformation<'a> {
    /// Reads the class from the front of `bytes`.
    ///
    /// # Errors
    /// [`Error`] if the name is not all there.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "FileFsAttributeInformation";
        let ([attributes, longest, length], _) = codec::prefix::<[U32; 3]>(WHAT, bytes)?;
        Ok(Self {
            file_system_attributes: attributes.get(),
            maximum_component_name_length: longest.get(),
            file_system_name: chain::name(WHAT, bytes, 12, length.get())?,
        })
    }

    /// Appends the class.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (name, length) = codec::clip_long(self.file_system_name.as_bytes());
        let fixed = [
            self.file_system_attributes,
            self.maximum_component_name_length,
            length,
        ];
        codec::put(out, &fixed.map(U32::new));
        out.extend_from_slice(name);
    }
}
