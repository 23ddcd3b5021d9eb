//! SET_INFO ([MS-SMB2] 3.3.5.21).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smb::wire::info::{
    FileAllocationInformation, FileBasicInformation, FileDispositionInformation,
    FileDispositionInformationEx, FileEndOfFileInformation, FileModeInformation,
    FileNameInformation, FilePositionInformation, FileRenameInformation,
};
use smb::wire::{
    SetInfoRequest, SetInfoResponse, access_mask, create_options, file_attributes,
    file_information_class as class, info_type,
};
use smb::{FileTime, NtStatus};

use crate::changes::touched_by_set_info;
use crate::core::Core;
use crate::open::{FileOpen, Open, OpenKind};
use crate::request::{Answer, Failure, Request};
use crate::share::short_name::is_short;
use crate::share::{Backend, ShareKind, StoreResult, Times, Waiting};

/// FILE_DISPOSITION_DELETE of FileDispositionInformationEx ([MS-FSCC] 2.4.13).
const DISPOSITION_DELETE: u32 = 1;
/// FileModeInformation bits that may be set.
const MODE: u32 = 0x3E;
/// Those of them of which one may be set: FILE_SYNCHRONOUS_IO_ALERT and _NONALERT.
const SYNCHRONOUS: u32 =
    create_options::FILE_SYNCHRONOUS_IO_ALERT | create_options::FILE_SYNCHRONOUS_IO_NONALERT;

/// A time of FileBasicInformation that stops, or restarts, its automatic change through this
/// open ([MS-FSCC] 2.4.7). We do so for LastWriteTime alone: a store moves the others.
const FREEZE: i64 = -1;
const THAW: i64 = -2;

pub(super) fn set_info(
    core: &Arc<Core>,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let set = SetInfoRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    // A frame is far shorter than 4 GiB.
    request.check_charge(set.buffer.len() as u32)?;
    let open = request.open(set.file_id)?;
    if set.info_type != info_type::SMB2_0_INFO_FILE {
        // Security descriptors and quotas come later.
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    match (&open.kind, &open.tree_connect.share.kind) {
        (OpenKind::File(file), ShareKind::Disk { backend }) => {
            if open.tree_connect.share.read_only {
                return Err(NtStatus::ACCESS_DENIED.into());
            }
            let change = Change {
                core,
                request,
                open: &open,
                file,
                backend: &**backend,
                waiting,
            };
            change.set_file(set.file_info_class, set.buffer)?;
            core.modified(
                &open,
                file,
                touched_by_set_info(set.file_info_class, set.buffer),
            );
        }
        (OpenKind::Pipe(pipe), _) if set.file_info_class == class::FILE_PIPE_INFORMATION => {
            pipe.set_information(set.buffer)?;
        }
        _ => return Err(NtStatus::NOT_SUPPORTED.into()),
    }
    SetInfoResponse.write(out);
    Ok(NtStatus::SUCCESS.into())
}

/// A change of one open file.
pub(super) struct Change<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) request: &'a Request<'a>,
    pub(super) open: &'a Arc<Open>,
    pub(super) file: &'a FileOpen,
    pub(super) backend: &'a dyn Backend,
    pub(super) waiting: Waiting,
}

impl Change<'_> {
    fn set_file(&self, information_class: u8, buffer: &[u8]) -> Result<(), Failure> {
        let &Change {
            open,
            file,
            waiting,
            ..
        } = self;
        let short = |_| NtStatus::INFO_LENGTH_MISMATCH;
        let data_rights = access_mask::FILE_WRITE_DATA;
        match information_class {
            class::FILE_BASIC_INFORMATION => {
                open.require_any(access_mask::FILE_WRITE_ATTRIBUTES)?;
                self.set_basic(&FileBasicInformation::read(buffer).map_err(short)?)
            }
            class::FILE_END_OF_FILE_INFORMATION => {
                open.require_any(data_rights)?;
                let length = FileEndOfFileInformation::read(buffer)
                    .map_err(short)?
                    .end_of_file;
                self.resize(length, |length| {
                    file.handle.set_end_of_file(length, waiting)
                })
            }
            class::FILE_ALLOCATION_INFORMATION => {
                open.require_any(data_rights)?;
                let length = FileAllocationInformation::read(buffer)
                    .map_err(short)?
                    .allocation_size;
                self.resize(length, |length| {
                    // Less space than content cuts the content ([MS-FSA] 2.1.5.14.1).
                    if length < file.handle.stat(waiting)?.end_of_file {
                        file.handle.set_end_of_file(length, waiting)?;
                    }
                    file.handle.set_allocation(length, waiting)
                })
            }
            class::FILE_RENAME_INFORMATION => {
                open.require_any(access_mask::DELETE)?;
                self.rename(&FileRenameInformation::read(buffer).map_err(short)?)
            }
            class::FILE_LINK_INFORMATION => {
                self.link(&FileRenameInformation::read(buffer).map_err(short)?)
            }
            class::FILE_DISPOSITION_INFORMATION => {
                let wanted = FileDispositionInformation::read(buffer).map_err(short)?;
                self.dispose(wanted.delete_pending)
            }
            class::FILE_DISPOSITION_INFORMATION_EX => {
                let wanted = FileDispositionInformationEx::read(buffer).map_err(short)?;
                self.dispose(wanted.flags & DISPOSITION_DELETE != 0)
            }
            class::FILE_POSITION_INFORMATION => {
                let wanted = FilePositionInformation::read(buffer).map_err(short)?;
                file.position
                    .store(wanted.current_byte_offset, Ordering::Relaxed);
                Ok(())
            }
            class::FILE_MODE_INFORMATION => {
                let wanted = FileModeInformation::read(buffer).map_err(short)?;
                // [MS-FSA] 2.1.5.15.8: an open is synchronous from the start or never.
                let is_synchronous = |mode: u32| mode & SYNCHRONOUS != 0;
                let before = file.mode.load(Ordering::Relaxed);
                if wanted.mode & !MODE != 0
                    || wanted.mode & SYNCHRONOUS == SYNCHRONOUS
                    || is_synchronous(wanted.mode) != is_synchronous(before)
                {
                    return Err(NtStatus::INVALID_PARAMETER.into());
                }
                file.mode.store(wanted.mode, Ordering::Relaxed);
                Ok(())
            }
            class::FILE_FULL_EA_INFORMATION => self.set_extended_attributes(buffer),
            class::FILE_VALID_DATA_LENGTH_INFORMATION => {
                open.require_any(data_rights)?;
                buffer
                    .first_chunk::<8>()
                    .ok_or(NtStatus::INFO_LENGTH_MISMATCH)?;
                // [MS-FSA] 2.1.5.15.15: for who may manage the volume, which is nobody here.
                Err(NtStatus::PRIVILEGE_NOT_HELD.into())
            }
            class::FILE_SHORT_NAME_INFORMATION => {
                open.require_any(access_mask::DELETE)?;
                self.set_short_name(&FileNameInformation::read(buffer).map_err(short)?)
            }
            _ => Err(NtStatus::INVALID_INFO_CLASS.into()),
        }
    }

    /// [MS-FSA] 2.1.5.15.14: for who may restore files, which is nobody here.
    fn set_short_name(&self, wanted: &FileNameInformation<'_>) -> Result<(), Failure> {
        let name = wanted.file_name.to_string();
        let name = name.map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let is_root = self.open.path(&self.core.files).is_root();
        let is_stream = self.file.handle.stream_name().is_some();
        if is_root || is_stream || !name.is_empty() && !is_short(&name) {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        self.open
            .require_any(access_mask::FILE_WRITE_DATA | access_mask::FILE_WRITE_ATTRIBUTES)?;
        Err(NtStatus::PRIVILEGE_NOT_HELD.into())
    }

    fn set_basic(&self, basic: &FileBasicInformation) -> Result<(), Failure> {
        let &Change { file, waiting, .. } = self;
        let (now, write_time) = (self.request.now, file.file.write_time());
        let frozen = basic.last_write_time.0 as i64;
        let mut times = Times {
            creation_time: wanted(basic.creation_time)?,
            last_access_time: wanted(basic.last_access_time)?,
            last_write_time: wanted(basic.last_write_time)?,
            change_time: wanted(basic.change_time)?,
        };
        let attributes = basic.file_attributes;
        match basic.change_time.0 as i64 {
            0 => {}
            THAW => file.keeps_change_time.store(false, Ordering::Relaxed),
            _ => file.keeps_change_time.store(true, Ordering::Relaxed),
        }
        if times.change_time.is_none() && (attributes != 0 || times != Times::default()) {
            times.change_time = self.change_time_to_keep()?;
        }
        if attributes != 0 {
            let directory = attributes & file_attributes::FILE_ATTRIBUTE_DIRECTORY != 0;
            if directory && !file.is_directory {
                return Err(NtStatus::INVALID_PARAMETER.into());
            }
            file.file.set_archived(false);
            file.handle.set_attributes(attributes, waiting)?;
        }
        if times != Times::default() {
            file.handle.set_times(&times, waiting)?;
        }
        match (times.last_write_time, frozen) {
            (Some(time), _) => write_time.set(time, now),
            (None, FREEZE) => {
                let stored = || Ok(file.handle.stat(waiting)?.last_write_time);
                write_time.freeze(self.open.id, stored)?;
            }
            (None, THAW) => write_time.thaw(self.open.id),
            (None, _) => write_time.show_written(now),
        }
        Ok(())
    }

    /// ChangeTime, if it is to stay as a client has set it through this open ([MS-FSA]
    /// 2.1.5.15.2): the store moves it with every change.
    pub(super) fn change_time_to_keep(&self) -> Result<Option<FileTime>, Failure> {
        if !self.file.keeps_change_time.load(Ordering::Relaxed) {
            return Ok(None);
        }
        Ok(Some(self.file.handle.stat(self.waiting)?.change_time))
    }

    fn resize(&self, length: u64, set: impl FnOnce(u64) -> StoreResult<()>) -> Result<(), Failure> {
        if self.file.is_directory || length > i64::MAX as u64 {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        self.file.archive(self.waiting)?;
        set(length)?;
        self.file.file.write_time().resized(self.request.now);
        self.core.contend(self.open, self.file);
        Ok(())
    }
}

/// The time to set; `None` leaves it alone.
fn wanted(time: FileTime) -> Result<Option<FileTime>, NtStatus> {
    match time.0 as i64 {
        0 | FREEZE | THAW => Ok(None),
        ..0 => Err(NtStatus::INVALID_PARAMETER),
        _ => Ok(Some(time)),
    }
}
