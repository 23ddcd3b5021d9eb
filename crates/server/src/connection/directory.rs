//! QUERY_DIRECTORY ([MS-SMB2] 3.3.5.18).

use std::sync::PoisonError;

use smb::NtStatus;
use smb::wire::info::DirectoryEntry;
use smb::wire::info::directory::{Form, Writer};
use smb::wire::{
    QueryDirectoryRequest, QueryDirectoryResponse, Utf16, access_mask, query_directory_flags, utf16,
};

use super::request::{Answer, Failure, Request};
use crate::open::{Enumeration, FileOpen};
use crate::share::Waiting;
use crate::share::name::Pattern;

pub(super) fn query_directory(
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let query =
        QueryDirectoryRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    request.check_charge(query.output_buffer_length)?;
    request.require_room(query.output_buffer_length)?;
    let open = request.open(query.file_id)?;
    let file = open.file()?;
    if !file.is_directory {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    open.require_any(access_mask::FILE_LIST_DIRECTORY)?;
    let form = Form::of_class(query.file_information_class).ok_or(NtStatus::INVALID_INFO_CLASS)?;
    let name = query
        .file_name
        .to_string()
        .map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;

    let mut place = file
        .enumeration
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let afresh = query_directory_flags::SMB2_RESTART_SCANS | query_directory_flags::SMB2_REOPEN;
    if place.is_none() || query.flags & afresh != 0 {
        *place = Some(Box::new(begin(file, &name, waiting)?));
    }
    let Some(enumeration) = place.as_deref_mut() else {
        return Err(NtStatus::INTERNAL_ERROR.into());
    };
    let single = query.flags & query_directory_flags::SMB2_RETURN_SINGLE_ENTRY != 0;
    let mut entries = Vec::new();
    let limit = query.output_buffer_length as usize;
    fill(
        file,
        enumeration,
        form,
        single,
        limit,
        waiting,
        &mut entries,
    )?;
    if entries.is_empty() {
        let status = if enumeration.any {
            NtStatus::NO_MORE_FILES
        } else {
            NtStatus::NO_SUCH_FILE
        };
        return Err(status.into());
    }
    enumeration.any = true;
    QueryDirectoryResponse {
        output_buffer: &entries,
    }
    .write(out);
    Ok(NtStatus::SUCCESS.into())
}

/// Takes the names as they are now: entries that come or go later neither repeat nor
/// disturb the others.
fn begin(file: &FileOpen, expression: &str, waiting: Waiting) -> Result<Enumeration, Failure> {
    let expression = if expression.is_empty() {
        "*"
    } else {
        expression
    };
    let pattern = Pattern::parse(expression)?;
    // Clients look single names up this way; a large directory need not be read for one that
    // is spelt as it is stored.
    let names = if pattern.literal().is_some() && file.handle.entry(expression, waiting)?.is_some()
    {
        vec![expression.to_owned()]
    } else {
        file.handle.names(waiting)?
    };
    Ok(Enumeration {
        names: names.into_iter(),
        left_over: None,
        pattern,
        any: false,
    })
}

fn fill(
    file: &FileOpen,
    enumeration: &mut Enumeration,
    form: Form,
    single: bool,
    limit: usize,
    waiting: Waiting,
    entries: &mut Vec<u8>,
) -> Result<(), Failure> {
    let mut writer = Writer::new(form, entries, limit);
    while let Some(name) = enumeration
        .left_over
        .take()
        .or_else(|| enumeration.names.next())
    {
        if !enumeration.pattern.matches(&name) {
            continue;
        }
        let Some(entry) = file.handle.entry(&name, waiting)? else {
            continue;
        };
        let file_name = utf16(&entry.name);
        let stat = &entry.stat;
        let written = writer.push(&DirectoryEntry {
            file_index: 0,
            creation_time: stat.creation_time,
            last_access_time: stat.last_access_time,
            last_write_time: stat.last_write_time,
            change_time: stat.change_time,
            end_of_file: stat.end_of_file,
            allocation_size: stat.allocation_size,
            file_attributes: stat.attributes,
            ea_size: 0,
            reparse_point_tag: 0,
            short_name: Utf16::EMPTY,
            file_id: stat.key.inode,
            file_name: Utf16::new(&file_name).map_err(|_| NtStatus::INTERNAL_ERROR)?,
        });
        if !written {
            let nothing_fits = writer.is_empty();
            enumeration.left_over = Some(name);
            return if nothing_fits {
                Err(NtStatus::INFO_LENGTH_MISMATCH.into())
            } else {
                Ok(())
            };
        }
        if single {
            break;
        }
    }
    Ok(())
}
