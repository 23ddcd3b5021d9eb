//! FSCTLs on files and directories ([MS-FSCC] 2.3, [MS-FSA] 2.1.5.10): object ids, sparse
//! files, zeroed and allocated ranges.

use smb::wire::{IoctlRequest, access_mask, file_attributes, fsctl};
use smb::{FileTime, NtStatus};

use crate::core::Core;
use crate::file::lock::Access;
use crate::open::{FileOpen, Open};
use crate::request::Failure;
use crate::share::{FileKey, ShareKind, StoreError, StoreResult, Waiting};

/// Bytes of FILE_ALLOCATED_RANGE_BUFFER and of FILE_ZERO_DATA_INFORMATION
/// ([MS-FSCC] 2.3.55, 2.3.71): two numbers.
const RANGE: usize = 16;
/// Bytes of FILE_OBJECTID_BUFFER ([MS-FSCC] 2.1.3).
const OBJECT_ID: usize = 64;

/// An FSCTL on an open file or directory.
pub(super) struct Control<'a> {
    pub(super) core: &'a Core,
    pub(super) open: &'a Open,
    pub(super) file: &'a FileOpen,
    pub(super) ioctl: &'a IoctlRequest<'a>,
    pub(super) now: FileTime,
    pub(super) waiting: Waiting,
}

impl Control<'_> {
    /// The status, and the output.
    pub(super) fn run(&self) -> Result<(NtStatus, Vec<u8>), Failure> {
        match self.ioctl.ctl_code {
            fsctl::FSCTL_CREATE_OR_GET_OBJECT_ID => Ok((NtStatus::SUCCESS, self.object_id()?)),
            fsctl::FSCTL_GET_REPARSE_POINT | fsctl::FSCTL_DELETE_REPARSE_POINT => {
                // Links are followed below the share, or not shown.
                Err(NtStatus::NOT_A_REPARSE_POINT.into())
            }
            // COMPRESSION_FORMAT_NONE, and no other ([MS-FSCC] 2.3.13, 2.3.63).
            fsctl::FSCTL_GET_COMPRESSION if self.ioctl.max_output_response >= 2 => {
                Ok((NtStatus::SUCCESS, vec![0; 2]))
            }
            fsctl::FSCTL_GET_COMPRESSION => Err(NtStatus::INVALID_PARAMETER.into()),
            fsctl::FSCTL_SET_COMPRESSION => match self.ioctl.input.first_chunk() {
                Some([0, 0]) => Ok((NtStatus::SUCCESS, Vec::new())),
                Some(_) => Err(NtStatus::NOT_SUPPORTED.into()),
                None => Err(NtStatus::INVALID_PARAMETER.into()),
            },
            fsctl::FSCTL_SET_SPARSE => self.set_sparse(),
            fsctl::FSCTL_SET_ZERO_DATA => self.set_zero_data(),
            fsctl::FSCTL_QUERY_ALLOCATED_RANGES => self.allocated_ranges(),
            _ => Err(NtStatus::INVALID_DEVICE_REQUEST.into()),
        }
    }

    /// Every file has an object id from the start: what its key says. Domain and birth ids
    /// are for those who track links, which nobody does here.
    fn object_id(&self) -> Result<Vec<u8>, NtStatus> {
        let ShareKind::Disk { backend } = &self.open.tree_connect.share.kind else {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        };
        if (self.ioctl.max_output_response as usize) < OBJECT_ID {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let object = file_object_id(self.file.file.identity().key);
        let mut output = Vec::with_capacity(OBJECT_ID);
        output.extend_from_slice(&object);
        output.extend_from_slice(&volume_object_id(backend.volume_serial_number()));
        output.extend_from_slice(&object);
        output.resize(OBJECT_ID, 0);
        Ok(output)
    }

    /// [MS-FSA] 2.1.5.10.36.
    fn set_sparse(&self) -> Result<(NtStatus, Vec<u8>), Failure> {
        self.open.require_any(
            access_mask::FILE_WRITE_DATA
                | access_mask::FILE_APPEND_DATA
                | access_mask::FILE_WRITE_ATTRIBUTES,
        )?;
        self.require_changeable_file()?;
        // Without a word it is meant.
        let sparse = self.ioctl.input.first().is_none_or(|byte| *byte != 0);
        supported(self.file.handle.set_sparse(sparse, self.waiting))?;
        Ok((NtStatus::SUCCESS, Vec::new()))
    }

    /// [MS-FSA] 2.1.5.10.39: never changes the length.
    fn set_zero_data(&self) -> Result<(NtStatus, Vec<u8>), Failure> {
        let &Control {
            core, open, file, ..
        } = self;
        open.require_any(access_mask::FILE_WRITE_DATA)?;
        self.require_changeable_file()?;
        let (from, beyond) = self.range()?;
        let length = beyond
            .checked_sub(from)
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        file.file
            .check_range(open.id, from, length, Access::Write)?;
        let end = file.handle.stat(self.waiting)?.end_of_file.min(beyond);
        if let Some(length) = end.checked_sub(from).filter(|length| *length > 0) {
            file.begin_write(open.id, self.now, self.waiting)?;
            supported(file.handle.zero_range(from, length, self.waiting))?;
            core.contend(open, file);
        }
        Ok((NtStatus::SUCCESS, Vec::new()))
    }

    /// [MS-FSA] 2.1.5.10.26.
    fn allocated_ranges(&self) -> Result<(NtStatus, Vec<u8>), Failure> {
        let &Control { open, file, .. } = self;
        open.require_any(access_mask::FILE_READ_DATA)?;
        if file.is_directory {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        let (from, length) = self.range()?;
        let end = from
            .checked_add(length)
            .filter(|end| i64::try_from(*end).is_ok())
            .ok_or(NtStatus::INVALID_PARAMETER)?;
        let stat = file.handle.stat(self.waiting)?;
        let end = end.min(stat.end_of_file);
        let ranges = if from >= end {
            Vec::new()
        } else if stat.attributes & file_attributes::FILE_ATTRIBUTE_SPARSE_FILE == 0 {
            // A file that is not sparse has no holes that a client should see.
            vec![(from, end - from)]
        } else {
            supported(file.handle.allocated_ranges(from, end - from, self.waiting))?
        };
        let room = self.ioctl.max_output_response as usize / RANGE;
        if room == 0 && !ranges.is_empty() {
            return Err(NtStatus::BUFFER_TOO_SMALL.into());
        }
        let mut output = Vec::with_capacity(ranges.len().min(room) * RANGE);
        for (offset, length) in ranges.iter().take(room) {
            output.extend_from_slice(&offset.to_le_bytes());
            output.extend_from_slice(&length.to_le_bytes());
        }
        let status = match ranges.len() > room {
            true => NtStatus::BUFFER_OVERFLOW,
            false => NtStatus::SUCCESS,
        };
        Ok((status, output))
    }

    fn require_changeable_file(&self) -> Result<(), NtStatus> {
        if self.open.tree_connect.share.read_only {
            return Err(NtStatus::MEDIA_WRITE_PROTECTED);
        }
        match self.file.is_directory {
            true => Err(NtStatus::INVALID_PARAMETER),
            false => Ok(()),
        }
    }

    /// The two numbers of the input, neither of them negative.
    fn range(&self) -> Result<(u64, u64), NtStatus> {
        let input = self.ioctl.input;
        let number = |at: usize| {
            let bytes = input.get(at..)?.first_chunk()?;
            let number = i64::from_le_bytes(*bytes);
            u64::try_from(number).ok()
        };
        number(0).zip(number(8)).ok_or(NtStatus::INVALID_PARAMETER)
    }
}

/// A store without sparse files does not know the FSCTL.
fn supported<T>(result: StoreResult<T>) -> StoreResult<T> {
    result.map_err(|error| match error {
        StoreError::Status(NtStatus::NOT_SUPPORTED) => NtStatus::INVALID_DEVICE_REQUEST.into(),
        error => error,
    })
}

/// ObjectId of a file.
fn file_object_id(key: FileKey) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&key.inode.to_le_bytes());
    id[8..].copy_from_slice(&key.device.to_le_bytes());
    id
}

/// ObjectId of a volume: its serial number, and who gave it.
pub(in crate::connection) fn volume_object_id(serial_number: u32) -> [u8; 16] {
    let mut id = *b"----netsession\0\0";
    id[..4].copy_from_slice(&serial_number.to_le_bytes());
    id
}
