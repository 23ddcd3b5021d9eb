//! Information on the file system of a share ([MS-FSCC] 2.5).

use smb::wire::info::{
    FileFsAttributeInformation, FileFsControlInformation, FileFsDeviceInformation,
    FileFsFullSizeInformation, FileFsObjectIdInformation, FileFsSectorSizeInformation,
    FileFsSizeInformation, FileFsVolumeInformation,
};
use smb::wire::{
    Utf16, device, file_system_attributes as flag, fs_information_class as fs_class, utf16,
};
use smb::{Guid, NtStatus};

use crate::connection::ioctl::volume_object_id;
use crate::request::Failure;
use crate::share::{Backend, Capacity, Share, ShareKind, StoreResult, Waiting};

/// Bytes of a sector, as every client expects them.
const SECTOR: u32 = 512;

/// Appends the class.
pub(super) fn file_system_information(
    share: &Share,
    information_class: u8,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let ShareKind::Disk { backend } = &share.kind else {
        return match information_class {
            fs_class::FILE_FS_DEVICE_INFORMATION => {
                FileFsDeviceInformation {
                    device_type: device::FILE_DEVICE_NAMED_PIPE,
                    characteristics: 0,
                }
                .write(out);
                Ok(())
            }
            _ => Err(NtStatus::INVALID_INFO_CLASS.into()),
        };
    };
    match information_class {
        fs_class::FILE_FS_VOLUME_INFORMATION => {
            let label = utf16(&share.name);
            FileFsVolumeInformation {
                volume_creation_time: backend.creation_time(),
                volume_serial_number: backend.volume_serial_number(),
                supports_objects: false,
                volume_label: Utf16::new(&label).map_err(|_| NtStatus::INTERNAL_ERROR)?,
            }
            .write(out);
        }
        fs_class::FILE_FS_ATTRIBUTE_INFORMATION => {
            let name = utf16(backend.file_system_name());
            FileFsAttributeInformation {
                file_system_attributes: attributes(share, &**backend),
                maximum_component_name_length: 255,
                file_system_name: Utf16::new(&name).map_err(|_| NtStatus::INTERNAL_ERROR)?,
            }
            .write(out);
        }
        fs_class::FILE_FS_DEVICE_INFORMATION => {
            FileFsDeviceInformation {
                device_type: device::FILE_DEVICE_DISK,
                characteristics: device::FILE_DEVICE_IS_MOUNTED,
            }
            .write(out);
        }
        fs_class::FILE_FS_CONTROL_INFORMATION => {
            // Nobody has a quota.
            FileFsControlInformation {
                default_quota_threshold: u64::MAX,
                default_quota_limit: u64::MAX,
                ..FileFsControlInformation::default()
            }
            .write(out);
        }
        fs_class::FILE_FS_OBJECT_ID_INFORMATION => {
            FileFsObjectIdInformation {
                object_id: Guid(volume_object_id(backend.volume_serial_number())),
                extended_info: [0; 48],
            }
            .write(out);
        }
        fs_class::FILE_FS_SIZE_INFORMATION => {
            let (sectors, bytes, capacity) = units(&**backend, waiting)?;
            FileFsSizeInformation {
                total_allocation_units: capacity.total_units,
                available_allocation_units: capacity.caller_free_units,
                sectors_per_allocation_unit: sectors,
                bytes_per_sector: bytes,
            }
            .write(out);
        }
        fs_class::FILE_FS_FULL_SIZE_INFORMATION => {
            let (sectors, bytes, capacity) = units(&**backend, waiting)?;
            FileFsFullSizeInformation {
                total_allocation_units: capacity.total_units,
                caller_available_allocation_units: capacity.caller_free_units,
                actual_available_allocation_units: capacity.free_units,
                sectors_per_allocation_unit: sectors,
                bytes_per_sector: bytes,
            }
            .write(out);
        }
        fs_class::FILE_FS_SECTOR_SIZE_INFORMATION => FileFsSectorSizeInformation {
            logical_bytes_per_sector: SECTOR,
            physical_bytes_per_sector_for_atomicity: SECTOR,
            physical_bytes_per_sector_for_performance: SECTOR,
            file_system_effective_physical_bytes_per_sector_for_atomicity: SECTOR,
            flags: 0x3,
            byte_offset_for_sector_alignment: 0,
            byte_offset_for_partition_alignment: 0,
        }
        .write(out),
        _ => return Err(NtStatus::INVALID_INFO_CLASS.into()),
    }
    Ok(())
}

/// Sectors of a unit, bytes of a sector, and the numbers of units.
fn units(backend: &dyn Backend, waiting: Waiting) -> StoreResult<(u32, u32, Capacity)> {
    let capacity = backend.capacity(waiting)?;
    Ok(match capacity.unit_bytes % SECTOR {
        0 => (capacity.unit_bytes / SECTOR, SECTOR, capacity),
        _ => (1, capacity.unit_bytes, capacity),
    })
}

/// FileSystemAttributes ([MS-FSCC] 2.5.1): what the store can do.
fn attributes(share: &Share, backend: &dyn Backend) -> u32 {
    let can = backend.capabilities();
    let said = [
        (true, flag::FILE_CASE_PRESERVED_NAMES),
        (true, flag::FILE_UNICODE_ON_DISK),
        (true, flag::FILE_SUPPORTS_OBJECT_IDS),
        (can.case_sensitive, flag::FILE_CASE_SENSITIVE_SEARCH),
        (can.security, flag::FILE_PERSISTENT_ACLS),
        (can.sparse, flag::FILE_SUPPORTS_SPARSE_FILES),
        (can.streams, flag::FILE_NAMED_STREAMS),
        (can.hard_links, flag::FILE_SUPPORTS_HARD_LINKS),
        (
            can.extended_attributes,
            flag::FILE_SUPPORTS_EXTENDED_ATTRIBUTES,
        ),
        (share.read_only, flag::FILE_READ_ONLY_VOLUME),
    ];
    let said = said.into_iter().filter(|(is_so, _)| *is_so);
    said.fold(0, |all, (_, flag)| all | flag)
}
