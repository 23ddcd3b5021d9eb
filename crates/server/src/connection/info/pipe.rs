//! Information on pipes ([MS-FSCC] 2.4.37, 2.4.38, and what Windows answers beside it).

use smb::NtStatus;
use smb::wire::file_information_class as class;
use smb::wire::info::{
    FileAccessInformation, FileBasicInformation, FileInternalInformation, FilePipeLocalInformation,
    FileStandardInformation,
};

use super::write_name;
use crate::open::{Open, PipeOpen};

/// FILE_PIPE_CONNECTED_STATE, FILE_PIPE_FULL_DUPLEX, FILE_PIPE_MESSAGE_TYPE.
const PIPE_CONNECTED: u32 = 3;
const PIPE_FULL_DUPLEX: u32 = 2;
const PIPE_MESSAGE_TYPE: u32 = 1;
/// What a pipe is said to hold: our pipes take messages of any size.
const PIPE_QUOTA: u32 = 65_536;

/// Appends the class.
pub(super) fn pipe_information(
    open: &Open,
    pipe: &PipeOpen,
    information_class: u8,
    out: &mut Vec<u8>,
) -> Result<(), NtStatus> {
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
        class::FILE_NAME_INFORMATION => write_name(&format!("\\{}", pipe.name), out)?,
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
    Ok(())
}
