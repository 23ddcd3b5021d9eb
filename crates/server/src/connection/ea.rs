//! Extended attributes: QUERY_INFO and SET_INFO of FileFullEaInformation ([MS-SMB2] 3.3.5.20.1,
//! 3.3.5.21.1; [MS-FSA] 2.1.5.12.12, 2.1.5.15.6), and the CREATE context `ExtA` ([MS-SMB2]
//! 3.3.5.9.1).

use std::sync::atomic::Ordering;

use smb::NtStatus;
use smb::wire::info::{FILE_NEED_EA, FileFullEaInformation, FileGetEaInformation, FullEaWriter};
use smb::wire::{
    CreateRequest, QueryInfoRequest, access_mask, create_context, create_disposition,
    create_options,
};

use super::set_info::Change;
use crate::open::{FileOpen, Open};
use crate::request::Failure;
use crate::share::{Backend, ExtendedAttribute, Times, Waiting};

/// Flags of a query ([MS-SMB2] 2.2.37).
const SL_RESTART_SCAN: u32 = 0x1;
const SL_RETURN_SINGLE_ENTRY: u32 = 0x2;
const SL_INDEX_SPECIFIED: u32 = 0x4;

/// FileFullEaInformation as `query` asks for it, appended to `out`.
///
/// Each open has a place in the list, from which a query goes on (Open.CurrentEaIndex); a
/// query for names, or from an index, leaves it where it is.
pub(super) fn query(
    open: &Open,
    file: &FileOpen,
    query: &QueryInfoRequest<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Result<NtStatus, Failure> {
    open.require_any(access_mask::FILE_READ_EA)?;
    let present = file.handle.extended_attributes(waiting)?;
    if present.is_empty() {
        return Err(NtStatus::NO_EAS_ON_FILE.into());
    }
    let room = query.output_buffer_length as usize;
    let single = query.flags & SL_RETURN_SINGLE_ENTRY != 0;
    if !query.input_buffer.is_empty() {
        let wanted = named(query.input_buffer, &present)?;
        return Ok(write(&wanted, room, single, out)?.0);
    }
    if query.flags & SL_INDEX_SPECIFIED != 0 {
        // It counts from 1.
        let start = (query.additional_information as usize).wrapping_sub(1);
        let rest = present.get(start..).filter(|rest| !rest.is_empty());
        let rest = rest.ok_or(NtStatus::NONEXISTENT_EA_ENTRY)?;
        return Ok(write(rest, room, single, out)?.0);
    }
    let start = match query.flags & SL_RESTART_SCAN != 0 {
        true => 0,
        false => file.next_ea.load(Ordering::Relaxed) as usize,
    };
    let rest = present.get(start..).filter(|rest| !rest.is_empty());
    let rest = rest.ok_or(NtStatus::NO_MORE_EAS)?;
    let (status, written) = write(rest, room, single, out)?;
    // Far fewer than 2^32 in 64 KiB.
    let next = (start + written) as u32;
    file.next_ea.store(next, Ordering::Relaxed);
    Ok(status)
}

/// Those that FILE_GET_EA_INFORMATION names, each once. One that is not there comes without a
/// value, as on Windows.
fn named(buffer: &[u8], present: &[ExtendedAttribute]) -> Result<Vec<ExtendedAttribute>, NtStatus> {
    let mut wanted: Vec<ExtendedAttribute> = Vec::new();
    for entry in FileGetEaInformation::read_list(buffer) {
        let entry = entry.map_err(|_| NtStatus::EA_LIST_INCONSISTENT)?;
        let name = name(entry.name)?;
        let same = |one: &&ExtendedAttribute| one.name.eq_ignore_ascii_case(name);
        if wanted.iter().any(|one| same(&one)) {
            continue;
        }
        let found = present.iter().find(same).cloned();
        wanted.push(found.unwrap_or_else(|| ExtendedAttribute {
            name: name.into(),
            value: Vec::new(),
            need: false,
        }));
    }
    Ok(wanted)
}

/// As many whole entries as fit: what to say, and how many.
fn write(
    attributes: &[ExtendedAttribute],
    room: usize,
    single: bool,
    out: &mut Vec<u8>,
) -> Result<(NtStatus, usize), NtStatus> {
    let wanted = if single { &attributes[..1] } else { attributes };
    let mut writer = FullEaWriter::new(out, room);
    let fits = |attribute: &&ExtendedAttribute| {
        writer.push(&FileFullEaInformation {
            flags: if attribute.need { FILE_NEED_EA } else { 0 },
            name: attribute.name.as_bytes(),
            value: &attribute.value,
        })
    };
    match wanted.iter().take_while(fits).count() {
        0 => Err(NtStatus::BUFFER_TOO_SMALL),
        written if written < wanted.len() => Ok((NtStatus::BUFFER_OVERFLOW, written)),
        written => Ok((NtStatus::SUCCESS, written)),
    }
}

impl Change<'_> {
    /// SET_INFO of FileFullEaInformation.
    pub(super) fn set_extended_attributes(&self, buffer: &[u8]) -> Result<(), Failure> {
        let &Change {
            open,
            file,
            waiting,
            ..
        } = self;
        open.require_any(access_mask::FILE_WRITE_EA)?;
        let changes = read(buffer)?;
        let change_time = self.change_time_to_keep()?;
        file.handle.change_extended_attributes(&changes, waiting)?;
        file.archive(waiting)?;
        if change_time.is_some() {
            let times = Times {
                change_time,
                ..Times::default()
            };
            file.handle.set_times(&times, waiting)?;
        }
        Ok(())
    }
}

/// What the context `ExtA` gives a new file, or one that is overwritten, which keeps its
/// others.
///
/// # Errors
///
/// EAS_NOT_SUPPORTED, ACCESS_DENIED with FILE_NO_EA_KNOWLEDGE, EA_LIST_INCONSISTENT and
/// INVALID_EA_NAME.
pub(super) fn of_create(
    create: &CreateRequest<'_>,
    backend: &dyn Backend,
) -> Result<Vec<ExtendedAttribute>, NtStatus> {
    let name = create_context::name::SMB2_CREATE_EA_BUFFER;
    let Some(context) = create.contexts.find(name) else {
        return Ok(Vec::new());
    };
    if create.create_options & create_options::FILE_NO_EA_KNOWLEDGE != 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if create.create_disposition == create_disposition::FILE_OPEN {
        return Ok(Vec::new());
    }
    if !backend.capabilities().extended_attributes {
        return Err(NtStatus::EAS_NOT_SUPPORTED);
    }
    read(context.data)
}

/// Entries that set or remove attributes.
fn read(buffer: &[u8]) -> Result<Vec<ExtendedAttribute>, NtStatus> {
    if buffer.is_empty() {
        return Err(NtStatus::EA_LIST_INCONSISTENT);
    }
    let entries = FileFullEaInformation::read_list(buffer).map(|entry| {
        let entry = entry.map_err(|_| NtStatus::EA_LIST_INCONSISTENT)?;
        let name = name(entry.name)?;
        if entry.flags & !FILE_NEED_EA != 0 {
            return Err(NtStatus::INVALID_EA_NAME);
        }
        Ok(ExtendedAttribute {
            name: name.into(),
            value: entry.value.to_vec(),
            need: entry.flags & FILE_NEED_EA != 0,
        })
    });
    entries.collect()
}

fn name(bytes: &[u8]) -> Result<&str, NtStatus> {
    let name = std::str::from_utf8(bytes).ok();
    name.filter(|name| ExtendedAttribute::is_name(name))
        .ok_or(NtStatus::INVALID_EA_NAME)
}
