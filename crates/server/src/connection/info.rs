//! QUERY_INFO ([MS-SMB2] 3.3.5.20).

use std::sync::atomic::Ordering;

use smb::NtStatus;
use smb::wire::info::{
    FileAccessInformation, FileAlignmentInformation, FileAllInformation,
    FileAttributeTagInformation, FileBasicInformation, FileCompressionInformation,
    FileEaInformation, FileFsAttributeInformation, FileFsDeviceInformation,
    FileFsFullSizeInformation, FileFsSectorSizeInformation, FileFsSizeInformation,
    FileFsVolumeInformation, FileIdInformation, FileInternalInformation, FileModeInformation,
    FileNameInformation, FileNetworkOpenInformation, FilePipeLocalInformation,
    FilePositionInformation, FileStandardInformation, FileStreamInformation,
};
use smb::wire::{
    QueryInfoRequest, QueryInfoResponse, Utf16, access_mask, file_information_class as class,
    fs_information_class as fs_class, info_type, utf16,
};

use super::request::{Answer, Failure, Request};
use crate::core::Core;
use crate::open::{FileOpen, Open, OpenKind, PipeOpen};
use crate::share::short_name::short_name;
use crate::share::{Backend, Capacity, FileKind, FileStat, StoreResult, Waiting};
use crate::tree_connect::{Share, ShareKind};

/// Bytes of a sector, as every client expects them.
const SECTOR: u32 = 512;
/// FILE_DEVICE_DISK, FILE_DEVICE_NAMED_PIPE and FILE_DEVICE_IS_MOUNTED ([MS-FSCC] 2.5.10).
const DEVICE_DISK: u32 = 0x07;
const DEVICE_NAMED_PIPE: u32 = 0x11;
const IS_MOUNTED: u32 = 0x20;
/// FILE_CASE_PRESERVED_NAMES and FILE_UNICODE_ON_DISK ([MS-FSCC] 2.5.1).
const FS_ATTRIBUTES: u32 = 0x02 | 0x04;
/// FILE_READ_ONLY_VOLUME.
const FS_READ_ONLY: u32 = 0x0008_0000;
/// FILE_PIPE_CONNECTED_STATE, FILE_PIPE_FULL_DUPLEX, FILE_PIPE_MESSAGE_TYPE.
const PIPE_CONNECTED: u32 = 3;
const PIPE_FULL_DUPLEX: u32 = 2;
const PIPE_MESSAGE_TYPE: u32 = 1;
/// What a pipe is said to hold: our pipes take messages of any size.
const PIPE_QUOTA: u32 = 65_536;

pub(super) fn query_info(
    core: &Core,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let query = QueryInfoRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    request.check_charge(
        query
            .output_buffer_length
            .max(query.input_buffer.len() as u32),
    )?;
    request.require_room(query.output_buffer_length)?;
    let open = request.open(query.file_id)?;
    let mut answer = Vec::new();
    let fixed = match query.info_type {
        info_type::SMB2_0_INFO_FILE => match &open.kind {
            OpenKind::File(file) => file_information(
                core,
                &open,
                file,
                query.file_info_class,
                waiting,
                &mut answer,
            )?,
            OpenKind::Pipe(pipe) => {
                pipe_information(&open, pipe, query.file_info_class, &mut answer)?
            }
        },
        info_type::SMB2_0_INFO_FILESYSTEM => file_system_information(
            &open.tree_connect.share,
            query.file_info_class,
            waiting,
            &mut answer,
        )?,
        // Stored security descriptors and quotas come later.
        _ => return Err(NtStatus::NOT_SUPPORTED.into()),
    };
    let limit = query.output_buffer_length as usize;
    if limit < fixed {
        return Err(NtStatus::INFO_LENGTH_MISMATCH.into());
    }
    let cut = answer.len() > limit;
    answer.truncate(limit);
    QueryInfoResponse {
        output_buffer: &answer,
    }
    .write(out);
    Ok(if cut {
        NtStatus::BUFFER_OVERFLOW
    } else {
        NtStatus::SUCCESS
    }
    .into())
}

fn basic(stat: &FileStat) -> FileBasicInformation {
    FileBasicInformation {
        creation_time: stat.creation_time,
        last_access_time: stat.last_access_time,
        last_write_time: stat.last_write_time,
        change_time: stat.change_time,
        file_attributes: stat.attributes,
    }
}

fn standard(open: &Open, file: &FileOpen, stat: &FileStat) -> FileStandardInformation {
    let pending = file.file.is_delete_pending() || file.file.delete_on_close(open.id);
    FileStandardInformation {
        allocation_size: stat.allocation_size,
        end_of_file: stat.end_of_file,
        number_of_links: stat.links.saturating_sub(u32::from(pending)),
        delete_pending: pending,
        directory: stat.kind == FileKind::Directory,
    }
}

/// Appends the class; gives the length of its fixed part, below which nothing is sent.
fn file_information(
    core: &Core,
    open: &Open,
    file: &FileOpen,
    information_class: u8,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Result<usize, Failure> {
    // [MS-SMB2] 3.3.5.20.1: these need the right to read attributes.
    if matches!(
        information_class,
        class::FILE_BASIC_INFORMATION
            | class::FILE_ALL_INFORMATION
            | class::FILE_NETWORK_OPEN_INFORMATION
            | class::FILE_ATTRIBUTE_TAG_INFORMATION
    ) {
        open.require_any(access_mask::FILE_READ_ATTRIBUTES)?;
    }
    let stat = file.handle.stat(waiting)?;
    let position = FilePositionInformation {
        current_byte_offset: file.position.load(Ordering::Relaxed),
    };
    let mode = FileModeInformation {
        mode: file.mode.load(Ordering::Relaxed),
    };
    let access = FileAccessInformation {
        access_flags: open.granted_access,
    };
    let internal = FileInternalInformation {
        index_number: stat.key.inode,
    };
    let before = out.len();
    let mut variable = 0;
    match information_class {
        class::FILE_BASIC_INFORMATION => basic(&stat).write(out),
        class::FILE_STANDARD_INFORMATION => standard(open, file, &stat).write(out),
        class::FILE_INTERNAL_INFORMATION => internal.write(out),
        class::FILE_EA_INFORMATION => FileEaInformation::default().write(out),
        class::FILE_ACCESS_INFORMATION => access.write(out),
        class::FILE_POSITION_INFORMATION => position.write(out),
        class::FILE_MODE_INFORMATION => mode.write(out),
        class::FILE_ALIGNMENT_INFORMATION => FileAlignmentInformation::default().write(out),
        class::FILE_NETWORK_OPEN_INFORMATION => FileNetworkOpenInformation {
            creation_time: stat.creation_time,
            last_access_time: stat.last_access_time,
            last_write_time: stat.last_write_time,
            change_time: stat.change_time,
            allocation_size: stat.allocation_size,
            end_of_file: stat.end_of_file,
            file_attributes: stat.attributes,
        }
        .write(out),
        class::FILE_ATTRIBUTE_TAG_INFORMATION => {
            FileAttributeTagInformation {
                file_attributes: stat.attributes,
                reparse_tag: 0,
            }
            .write(out);
        }
        class::FILE_COMPRESSION_INFORMATION => FileCompressionInformation {
            compressed_file_size: stat.end_of_file,
            ..FileCompressionInformation::default()
        }
        .write(out),
        class::FILE_ID_INFORMATION => {
            let mut file_id = [0; 16];
            file_id[..8].copy_from_slice(&stat.key.inode.to_le_bytes());
            FileIdInformation {
                volume_serial_number: stat.key.device,
                file_id,
            }
            .write(out);
        }
        class::FILE_NAME_INFORMATION | class::FILE_NORMALIZED_NAME_INFORMATION => {
            let path = open.path(&core.files);
            // The normalized name is relative to the share, the plain one starts at its root.
            let text = match information_class {
                class::FILE_NORMALIZED_NAME_INFORMATION => path.as_str().to_owned(),
                _ => format!("\\{path}"),
            };
            variable = write_name(&text, out)?;
        }
        class::FILE_ALL_INFORMATION => {
            let name = utf16(&format!("\\{}", open.path(&core.files)));
            variable = name.len();
            FileAllInformation {
                basic: basic(&stat),
                standard: standard(open, file, &stat),
                internal,
                ea: FileEaInformation::default(),
                access,
                position,
                mode,
                alignment: FileAlignmentInformation::default(),
                name: FileNameInformation {
                    file_name: Utf16::new(&name).map_err(|_| NtStatus::INTERNAL_ERROR)?,
                },
            }
            .write(out);
        }
        class::FILE_STREAM_INFORMATION => {
            if !file.is_directory {
                let name = utf16("::$DATA");
                let stream = FileStreamInformation {
                    stream_size: stat.end_of_file,
                    stream_allocation_size: stat.allocation_size,
                    stream_name: Utf16::new(&name).map_err(|_| NtStatus::INTERNAL_ERROR)?,
                };
                FileStreamInformation::write_list(out, usize::MAX, &[stream]);
                variable = name.len();
            }
        }
        class::FILE_ALTERNATE_NAME_INFORMATION => {
            let path = open.path(&core.files);
            let name = path.file_name().ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
            variable = write_name(&short_name(name), out)?;
        }
        class::FILE_FULL_EA_INFORMATION => return Err(NtStatus::NO_EAS_ON_FILE.into()),
        class::FILE_PIPE_INFORMATION | class::FILE_PIPE_LOCAL_INFORMATION => {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        _ => return Err(NtStatus::INVALID_INFO_CLASS.into()),
    }
    Ok(out.len() - before - variable)
}

fn write_name(text: &str, out: &mut Vec<u8>) -> Result<usize, NtStatus> {
    let name = utf16(text);
    let file_name = Utf16::new(&name).map_err(|_| NtStatus::INTERNAL_ERROR)?;
    FileNameInformation { file_name }.write(out);
    Ok(name.len())
}

fn pipe_information(
    open: &Open,
    pipe: &PipeOpen,
    information_class: u8,
    out: &mut Vec<u8>,
) -> Result<usize, NtStatus> {
    let before = out.len();
    let mut variable = 0;
    match information_class {
        class::FILE_STANDARD_INFORMATION => FileStandardInformation {
            allocation_size: 4_096,
            end_of_file: 0,
            number_of_links: 1,
            delete_pending: true,
            directory: false,
        }
        .write(out),
        class::FILE_BASIC_INFORMATION => FileBasicInformation {
            file_attributes: smb::wire::file_attributes::FILE_ATTRIBUTE_NORMAL,
            ..FileBasicInformation::default()
        }
        .write(out),
        class::FILE_INTERNAL_INFORMATION => {
            FileInternalInformation {
                index_number: u64::from(open.id),
            }
            .write(out);
        }
        class::FILE_ACCESS_INFORMATION => {
            FileAccessInformation {
                access_flags: open.granted_access,
            }
            .write(out);
        }
        class::FILE_NAME_INFORMATION => variable = write_name(&format!("\\{}", pipe.name), out)?,
        class::FILE_PIPE_INFORMATION => pipe.information().write(out),
        class::FILE_PIPE_LOCAL_INFORMATION => {
            let available = pipe
                .state()
                .pipe
                .as_ref()
                .map_or(0, |pipe| pipe.available());
            FilePipeLocalInformation {
                named_pipe_type: PIPE_MESSAGE_TYPE,
                named_pipe_configuration: PIPE_FULL_DUPLEX,
                maximum_instances: u32::MAX,
                current_instances: 1,
                inbound_quota: PIPE_QUOTA,
                read_data_available: u32::try_from(available).unwrap_or(u32::MAX),
                outbound_quota: PIPE_QUOTA,
                write_quota_available: PIPE_QUOTA,
                named_pipe_state: PIPE_CONNECTED,
                named_pipe_end: 0,
            }
            .write(out);
        }
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    }
    Ok(out.len() - before - variable)
}

fn file_system_information(
    share: &Share,
    information_class: u8,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Result<usize, Failure> {
    let ShareKind::Disk { backend } = &share.kind else {
        return match information_class {
            fs_class::FILE_FS_DEVICE_INFORMATION => {
                FileFsDeviceInformation {
                    device_type: DEVICE_NAMED_PIPE,
                    characteristics: 0,
                }
                .write(out);
                Ok(out.len())
            }
            _ => Err(NtStatus::INVALID_INFO_CLASS.into()),
        };
    };
    let before = out.len();
    let mut variable = 0;
    match information_class {
        fs_class::FILE_FS_VOLUME_INFORMATION => {
            let label = utf16(&share.name);
            variable = label.len();
            FileFsVolumeInformation {
                volume_creation_time: smb::FileTime(0),
                volume_serial_number: backend.volume_serial_number(),
                supports_objects: false,
                volume_label: Utf16::new(&label).map_err(|_| NtStatus::INTERNAL_ERROR)?,
            }
            .write(out);
        }
        fs_class::FILE_FS_ATTRIBUTE_INFORMATION => {
            let name = utf16(backend.file_system_name());
            variable = name.len();
            FileFsAttributeInformation {
                file_system_attributes: FS_ATTRIBUTES
                    | if share.read_only { FS_READ_ONLY } else { 0 },
                maximum_component_name_length: 255,
                file_system_name: Utf16::new(&name).map_err(|_| NtStatus::INTERNAL_ERROR)?,
            }
            .write(out);
        }
        fs_class::FILE_FS_DEVICE_INFORMATION => {
            FileFsDeviceInformation {
                device_type: DEVICE_DISK,
                characteristics: IS_MOUNTED,
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
    Ok(out.len() - before - variable)
}

/// Sectors of a unit, bytes of a sector, and the numbers of units.
fn units(backend: &dyn Backend, waiting: Waiting) -> StoreResult<(u32, u32, Capacity)> {
    let capacity = backend.capacity(waiting)?;
    Ok(match capacity.unit_bytes % SECTOR {
        0 => (capacity.unit_bytes / SECTOR, SECTOR, capacity),
        _ => (1, capacity.unit_bytes, capacity),
    })
}
