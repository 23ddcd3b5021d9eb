//! QUERY_DIRECTORY ([MS-SMB2] 3.3.5.18).

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use smb::NtStatus;
use smb::wire::info::DirectoryEntry;
use smb::wire::info::directory::{Form, Writer};
use smb::wire::{
    QueryDirectoryRequest, QueryDirectoryResponse, Utf16, access_mask, query_directory_flags, utf16,
};

use crate::budget::{Cost, SessionAccount};
use crate::core::Core;
use crate::file::FileIdentity;
use crate::open::FileOpen;
use crate::request::{Answer, Done, Request};
use crate::share::name::Pattern;
use crate::share::short_name::{is_short, short_name};
use crate::share::{
    self, Cursor, Enumeration, FileHandle, FileStat, StoreError, StoreResult, Waiting,
};

#[cfg(test)]
mod tests;

pub(super) fn query_directory(
    core: &Core,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let query =
        QueryDirectoryRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    request.check_charge(query.output_buffer_length)?;
    let room = request.reserve_answer(query.output_buffer_length)?;
    let open = request.open(query.file_id)?;
    let file = open.file()?;
    if !file.is_directory {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    open.require_any(access_mask::FILE_LIST_DIRECTORY)?;
    // A file that is written meanwhile has one write time, here and for who has it open.
    let store = file.file.identity().store;
    let show = |stat: &mut FileStat| {
        let identity = FileIdentity {
            store,
            key: stat.key,
            stream: None,
        };
        if let Some(file) = core.files.get(&identity) {
            file.write_time().show(stat, request.now);
        }
    };
    let entries = entries(&*file.handle, &file.enumeration, &query, &show, waiting);
    charge(&request.session()?.account, file)?;
    let entries = entries?;
    QueryDirectoryResponse {
        output_buffer: &entries,
    }
    .write(out);
    let mut done = Done::from(NtStatus::SUCCESS);
    done.charge = room;
    Ok(done)
}

/// Charges what the enumeration of this open holds now; it ends if that is too much.
fn charge(account: &SessionAccount, file: &FileOpen) -> Result<(), NtStatus> {
    // Whoever works on it meanwhile charges for it.
    let Ok(mut place) = lock(&file.enumeration, Waiting::Refused) else {
        return Ok(());
    };
    let bytes = place.as_ref().map_or(0, |enumeration| enumeration.bytes());
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    let mut charge = file
        .listing_charge
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let charged = match &mut *charge {
        Some(charge) => charge.resize(bytes),
        None if bytes == 0 => Ok(()),
        none => account
            .charge(Cost::bytes(bytes))
            .map(|taken| *none = Some(taken)),
    };
    if let Err(refused) = charged {
        *place = None;
        *charge = None;
        return Err(refused.into());
    }
    Ok(())
}

/// The next entries of the enumeration of one open.
fn entries(
    handle: &dyn FileHandle,
    enumeration: &Mutex<Option<Box<Enumeration>>>,
    query: &QueryDirectoryRequest<'_>,
    show: &dyn Fn(&mut FileStat),
    waiting: Waiting,
) -> StoreResult<Vec<u8>> {
    let form = Form::of_class(query.file_information_class).ok_or(NtStatus::INVALID_INFO_CLASS)?;
    let limit = query.output_buffer_length as usize;
    if limit < form.fixed_size() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH.into());
    }
    let name = query
        .file_name
        .to_string()
        .map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
    let mut place = lock(enumeration, waiting)?;
    // [MS-FSA] 2.1.5.6.3: only the first query of an open, or of one that begins anew as if it
    // were the first, says that there is no such file.
    let reopens = query.flags & query_directory_flags::SMB2_REOPEN != 0;
    let answered = !reopens && place.as_ref().is_some_and(|present| present.answered);
    if let Some(pattern) = beginning(place.as_deref(), query.flags, &name)? {
        *place = Some(Box::new(begin(handle, pattern, &name, waiting)?));
    }
    let enumeration = place.as_deref_mut().ok_or(NtStatus::INTERNAL_ERROR)?;
    // Not yet: a query that has to wait for the store comes back, and is still the first.
    enumeration.answered = answered;
    let single = query.flags & query_directory_flags::SMB2_RETURN_SINGLE_ENTRY != 0;
    let mut entries = Vec::new();
    let mut writer = Writer::new(form, &mut entries, limit);
    fill(handle, enumeration, single, show, waiting, &mut writer)?;
    if writer.is_empty() {
        let is_first = !std::mem::replace(&mut enumeration.answered, true);
        return Err(match is_first {
            true => NtStatus::NO_SUCH_FILE,
            false => NtStatus::NO_MORE_FILES,
        }
        .into());
    }
    enumeration.answered = true;
    Ok(entries)
}

/// Another request of the same open may wait for the store while it holds the lock.
fn lock<T>(place: &Mutex<T>, waiting: Waiting) -> StoreResult<MutexGuard<'_, T>> {
    match (waiting, place.try_lock()) {
        (_, Ok(place)) => Ok(place),
        (_, Err(TryLockError::Poisoned(place))) => Ok(place.into_inner()),
        (Waiting::Refused, Err(TryLockError::WouldBlock)) => Err(StoreError::WouldWait),
        (Waiting::Allowed, Err(TryLockError::WouldBlock)) => {
            Ok(place.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }
}

/// The pattern of an enumeration that begins with this request; `None` if one goes on.
/// SMB2_INDEX_SPECIFIED is passed over as on NTFS: entries have no index.
fn beginning(
    present: Option<&Enumeration>,
    flags: u8,
    name: &str,
) -> Result<Option<Pattern>, NtStatus> {
    let reopens = flags & query_directory_flags::SMB2_REOPEN != 0;
    let restarts = flags & query_directory_flags::SMB2_RESTART_SCANS != 0;
    match present {
        Some(_) if !reopens && !restarts => Ok(None),
        // A restart without a pattern keeps the one there is.
        Some(present) if !reopens && name.is_empty() => Ok(Some(present.pattern.clone())),
        // Empty means everything.
        _ => Pattern::parse(name).map(Some),
    }
}

fn begin(
    handle: &dyn FileHandle,
    pattern: Pattern,
    name: &str,
    waiting: Waiting,
) -> StoreResult<Enumeration> {
    let literal = (!name.is_empty()).then(|| pattern.literal()).flatten();
    let mut enumeration = Enumeration::of(pattern);
    // Clients look single names up this way; a directory need not be listed for one.
    if literal.is_some() {
        if let Some(found) = handle.find(name, waiting)? {
            enumeration.names.push(&found);
        }
        enumeration.cursor = Cursor::End;
    }
    Ok(enumeration)
}

/// Entries as far as there are any and they fit, with what `show` says of them. What does not, and what the store would
/// have to wait for, is given next time; so is an error, once entries have been written.
fn fill(
    handle: &dyn FileHandle,
    enumeration: &mut Enumeration,
    single: bool,
    show: &dyn Fn(&mut FileStat),
    waiting: Waiting,
    writer: &mut Writer<'_>,
) -> StoreResult<()> {
    let Enumeration {
        cursor,
        names,
        pattern,
        ..
    } = enumeration;
    loop {
        let Some(name) = names.peek() else {
            if *cursor == Cursor::End {
                return Ok(());
            }
            match handle.list(cursor, names, waiting) {
                Err(_) if !writer.is_empty() => return Ok(()),
                listed => listed?,
            }
            continue;
        };
        if !pattern.matches(name) {
            names.advance();
            continue;
        }
        let entry = match handle.entry(name, waiting) {
            Err(_) if !writer.is_empty() => return Ok(()),
            entry => entry?,
        };
        if let Some(mut entry) = entry {
            show(&mut entry.stat);
            if !push(writer, &entry)? {
                return match writer.is_empty() {
                    true => Err(NtStatus::INFO_LENGTH_MISMATCH.into()),
                    false => Ok(()),
                };
            }
            names.advance();
            if single {
                return Ok(());
            }
        } else {
            names.advance();
        }
    }
}

/// False if it does not fit.
fn push(writer: &mut Writer<'_>, entry: &share::DirectoryEntry) -> Result<bool, NtStatus> {
    let stat = &entry.stat;
    let file_name = utf16(&entry.name);
    let has_short = matches!(writer.form(), Form::Both | Form::IdBoth)
        && !is_short(&entry.name)
        && !matches!(&*entry.name, "." | "..");
    let short = match has_short {
        true => utf16(&short_name(&entry.name)),
        false => Vec::new(),
    };
    let valid = |name| Utf16::new(name).map_err(|_| NtStatus::INTERNAL_ERROR);
    Ok(writer.push(&DirectoryEntry {
        file_index: 0,
        creation_time: stat.creation_time,
        last_access_time: stat.last_access_time,
        last_write_time: stat.last_write_time,
        change_time: stat.change_time,
        end_of_file: stat.end_of_file,
        allocation_size: stat.allocation_size,
        file_attributes: stat.attributes,
        ea_size: stat.ea_size,
        reparse_point_tag: 0,
        short_name: valid(&short)?,
        file_id: stat.key.inode,
        file_name: valid(&file_name)?,
    }))
}
