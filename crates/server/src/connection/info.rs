//! QUERY_INFO ([MS-SMB2] 3.3.5.20).

mod file_system;
mod pipe;

use std::sync::atomic::Ordering;

use smb::wire::info::{
    FileAccessInformation, FileAlignmentInformation, FileAllInformation,
    FileAttributeTagInformation, FileBasicInformation, FileCompressionInformation,
    FileEaInformation, FileIdInformation, FileInternalInformation, FileModeInformation,
    FileNameInformation, FilePositionInformation, FileStandardInformation, FileStreamInformation,
};
use smb::wire::{
    QueryInfoRequest, QueryInfoResponse, Utf16, access_mask, file_information_class as class,
    fs_information_class as fs_class, info_type, utf16,
};
use smb::{FileTime, NtStatus};

use super::ea;
use crate::core::Core;
use crate::open::{FileOpen, Open, OpenKind};
use crate::request::{Answer, Done, Failure, Request};
use crate::share::short_name::short_name;
use crate::share::{FileKind, FileStat, StreamEntry, Waiting};
use file_system::file_system_information;
use pipe::pipe_information;

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
    let room = request.reserve_answer(query.output_buffer_length)?;
    let open = request.open(query.file_id)?;
    let information_class = query.file_info_class;
    let is_old = request
        .negotiated
        .is_none_or(|negotiated| negotiated.dialect < 0x0311);
    let mut answer = Vec::new();
    match query.info_type {
        // [MS-SMB2] 3.3.5.20.1.
        info_type::SMB2_0_INFO_FILE
            if is_old && information_class == class::FILE_NORMALIZED_NAME_INFORMATION =>
        {
            return Err(NtStatus::NOT_SUPPORTED.into());
        }
        info_type::SMB2_0_INFO_FILE => match &open.kind {
            OpenKind::File(file) if information_class == class::FILE_FULL_EA_INFORMATION => {
                let status = ea::query(&open, file, &query, waiting, &mut answer)?;
                QueryInfoResponse {
                    output_buffer: &answer,
                }
                .write(out);
                return Ok(status.into());
            }
            OpenKind::File(file) => {
                file_information(
                    core,
                    &open,
                    file,
                    information_class,
                    request.now,
                    waiting,
                    &mut answer,
                )?;
            }
            OpenKind::Pipe(pipe) => {
                pipe_information(&open, pipe, information_class, &mut answer)?;
            }
        },
        info_type::SMB2_0_INFO_FILESYSTEM => file_system_information(
            &open.tree_connect.share,
            information_class,
            waiting,
            &mut answer,
        )?,
        // Stored security descriptors and quotas come later.
        _ => return Err(NtStatus::NOT_SUPPORTED.into()),
    }
    let limit = query.output_buffer_length as usize;
    if limit < least_length(query.info_type, information_class).unwrap_or(answer.len()) {
        return Err(NtStatus::INFO_LENGTH_MISMATCH.into());
    }
    let cut = answer.len() > limit;
    answer.truncate(limit);
    QueryInfoResponse {
        output_buffer: &answer,
    }
    .write(out);
    let mut done = Done::from(if cut {
        NtStatus::BUFFER_OVERFLOW
    } else {
        NtStatus::SUCCESS
    });
    done.charge = room;
    Ok(done)
}

/// Nothing is sent into less than this: for a class that ends in a name, the size of the
/// structure with the first code unit of the name and the padding of a C compiler. `None`:
/// the whole answer.
fn least_length(info_type: u8, information_class: u8) -> Option<usize> {
    match (info_type, information_class) {
        (
            info_type::SMB2_0_INFO_FILE,
            class::FILE_NAME_INFORMATION
            | class::FILE_NORMALIZED_NAME_INFORMATION
            | class::FILE_ALTERNATE_NAME_INFORMATION,
        ) => Some(8),
        (info_type::SMB2_0_INFO_FILE, class::FILE_ALL_INFORMATION) => Some(104),
        (info_type::SMB2_0_INFO_FILE, class::FILE_STREAM_INFORMATION) => Some(32),
        (info_type::SMB2_0_INFO_FILESYSTEM, fs_class::FILE_FS_VOLUME_INFORMATION) => Some(24),
        (info_type::SMB2_0_INFO_FILESYSTEM, fs_class::FILE_FS_ATTRIBUTE_INFORMATION) => Some(16),
        _ => None,
    }
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

fn standard(file: &FileOpen, stat: &FileStat) -> FileStandardInformation {
    // [MS-FSA] 2.1.5.12.27: FILE_DELETE_ON_CLOSE shows once the open has closed.
    let pending = file.file.is_delete_pending();
    FileStandardInformation {
        allocation_size: stat.allocation_size,
        end_of_file: stat.end_of_file,
        number_of_links: stat.links.saturating_sub(u32::from(pending)),
        delete_pending: pending,
        directory: stat.kind == FileKind::Directory,
    }
}

/// Appends the class.
fn file_information(
    core: &Core,
    open: &Open,
    file: &FileOpen,
    information_class: u8,
    now: FileTime,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
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
    let mut stat = file.handle.stat(waiting)?;
    file.file.write_time().show(&mut stat, now);
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
    let ea = FileEaInformation {
        ea_size: stat.ea_size,
    };
    match information_class {
        class::FILE_BASIC_INFORMATION => basic(&stat).write(out),
        class::FILE_STANDARD_INFORMATION => standard(file, &stat).write(out),
        class::FILE_INTERNAL_INFORMATION => internal.write(out),
        class::FILE_EA_INFORMATION => ea.write(out),
        class::FILE_ACCESS_INFORMATION => access.write(out),
        class::FILE_POSITION_INFORMATION => position.write(out),
        class::FILE_MODE_INFORMATION => mode.write(out),
        class::FILE_ALIGNMENT_INFORMATION => FileAlignmentInformation::default().write(out),
        class::FILE_NETWORK_OPEN_INFORMATION => stat.network_open().write(out),
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
            let name = name_within_share(core, open, file);
            // The normalized name is relative to the share, the plain one starts at its root.
            let text = match information_class {
                class::FILE_NORMALIZED_NAME_INFORMATION => name,
                _ => format!("\\{name}"),
            };
            write_name(&text, out)?;
        }
        class::FILE_ALL_INFORMATION => {
            let name = utf16(&format!("\\{}", name_within_share(core, open, file)));
            FileAllInformation {
                basic: basic(&stat),
                standard: standard(file, &stat),
                internal,
                ea,
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
        class::FILE_STREAM_INFORMATION => write_streams(file, &stat, waiting, out)?,
        class::FILE_ALTERNATE_NAME_INFORMATION => {
            let path = open.path(&core.files);
            let name = path.file_name().ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
            write_name(&short_name(name), out)?;
        }
        class::FILE_PIPE_INFORMATION | class::FILE_PIPE_LOCAL_INFORMATION => {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        _ => return Err(NtStatus::INVALID_INFO_CLASS.into()),
    }
    Ok(())
}

/// With the stream, if that is what is open.
fn name_within_share(core: &Core, open: &Open, file: &FileOpen) -> String {
    let path = open.path(&core.files);
    match file.handle.stream_name() {
        None => path.as_str().to_owned(),
        Some(stream) => format!("{path}:{stream}"),
    }
}

fn write_streams(
    file: &FileOpen,
    stat: &FileStat,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let mut streams = file.handle.streams(waiting)?;
    if streams.is_empty() && !file.is_directory {
        // A store without streams.
        streams.push(StreamEntry {
            name: None,
            end_of_file: stat.end_of_file,
            allocation_size: stat.allocation_size,
        });
    }
    let names: Vec<Vec<u8>> = streams
        .iter()
        .map(|stream| match &stream.name {
            None => utf16("::$DATA"),
            Some(name) => utf16(&format!(":{name}:$DATA")),
        })
        .collect();
    let mut entries = Vec::with_capacity(streams.len());
    for (stream, name) in streams.iter().zip(&names) {
        entries.push(FileStreamInformation {
            stream_size: stream.end_of_file,
            stream_allocation_size: stream.allocation_size,
            stream_name: Utf16::new(name).map_err(|_| NtStatus::INTERNAL_ERROR)?,
        });
    }
    FileStreamInformation::write_list(out, usize::MAX, &entries);
    Ok(())
}

fn write_name(text: &str, out: &mut Vec<u8>) -> Result<(), NtStatus> {
    let name = utf16(text);
    let file_name = Utf16::new(&name).map_err(|_| NtStatus::INTERNAL_ERROR)?;
    FileNameInformation { file_name }.write(out);
    Ok(())
}
