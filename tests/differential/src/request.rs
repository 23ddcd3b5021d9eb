//! The bytes of a request.

use smb::wire::create_context::{Lease, name};
use smb::wire::info::{
    FileAllocationInformation, FileBasicInformation, FileDispositionInformation,
    FileEndOfFileInformation, FileModeInformation, FilePositionInformation, FileRenameInformation,
};
use smb::wire::lock::LockElement;
use smb::wire::{
    ChangeNotifyRequest, CloseRequest, Command, CreateContext, CreateContexts, CreateRequest,
    FileId, FlushRequest, LeaseBreakAcknowledgment, LockRequest, OplockBreak,
    QueryDirectoryRequest, QueryInfoRequest, ReadRequest, SetInfoRequest, Utf16, WriteRequest,
    change_notify, file_information_class as class, impersonation_level, info_type, lease_flags,
    oplock_level, query_directory_flags, utf16,
};
use smb::{FileTime, Guid};

use crate::step::{Action, Caching, Create, Operation, PREVIOUS, Set};

/// Output that a query or a listing accepts, in bytes: one credit's worth.
const OUTPUT: u32 = 65536;

/// What SET_INFO sets times to: 2001-01-01, and each a day later than the one before.
pub const TIMES: [FileTime; 4] = [
    FileTime(126_227_808_000_000_000),
    FileTime(126_228_672_000_000_000),
    FileTime(126_229_536_000_000_000),
    FileTime(126_230_400_000_000_000),
];

/// What a request needs to know about its server.
pub trait Server {
    /// The FileId of the open that a step has made.
    fn file_id(&self, step: u32) -> Option<FileId>;
    /// The path of the schedule's own directory in the share.
    fn root(&self) -> &str;
}

/// The lease key of a number.
pub fn lease_key(number: u8) -> Guid {
    Guid([number + 1; 16])
}

/// The number of a lease key.
pub fn lease_number(key: Guid) -> String {
    match key.0[0] {
        first @ 1.. if key.0 == [first; 16] => (first - 1).to_string(),
        0 if key.0 == [0; 16] => "none".to_owned(),
        _ => key.to_string(),
    }
}

/// The letter that a step writes.
pub fn letter(step: u32) -> u8 {
    b'a' + (step % 26) as u8
}

/// Command and body of a request; `None` if the open that it names does not exist.
/// CANCEL and compounds are not for here.
pub fn body(action: &Action, step: u32, server: &impl Server) -> Option<(Command, Vec<u8>)> {
    let mut out = Vec::new();
    let command = match action {
        Action::Create(request) => {
            create(request, server.root(), &mut out);
            Command::CREATE
        }
        Action::On { open, operation } => {
            let file_id = match *open {
                PREVIOUS => FileId::ALL_ONES,
                open => server.file_id(open)?,
            };
            operate(operation, file_id, step, server.root(), &mut out)
        }
        Action::AcknowledgeOplock { open, level } => {
            OplockBreak {
                oplock_level: *level,
                file_id: server.file_id(*open)?,
            }
            .write(&mut out);
            Command::OPLOCK_BREAK
        }
        Action::AcknowledgeLease { key, state } => {
            LeaseBreakAcknowledgment {
                lease_key: lease_key(*key),
                lease_state: *state,
            }
            .write(&mut out);
            Command::OPLOCK_BREAK
        }
        Action::Cancel { .. } | Action::Compound { .. } => return None,
    };
    Some((command, out))
}

fn in_root(root: &str, path: &str) -> Vec<u8> {
    match path {
        "" => utf16(root),
        path => utf16(&format!("{root}\\{path}")),
    }
}

fn text(bytes: &[u8]) -> Utf16<'_> {
    Utf16::new(bytes).expect("utf16() gives whole units")
}

fn create(create: &Create, root: &str, out: &mut Vec<u8>) {
    // The body's offsets count from the header, which is a multiple of eight.
    let path = in_root(root, &create.path);
    let mut contexts = Vec::new();
    let (level, lease) = match &create.caching {
        Caching::Oplock(level) => (*level, None),
        Caching::Lease {
            key,
            state,
            version_2,
        } => {
            let parent = version_2.and_then(|(_, parent)| parent);
            let lease = Lease {
                lease_key: lease_key(*key),
                lease_state: *state,
                lease_flags: match parent {
                    Some(_) => lease_flags::SMB2_LEASE_FLAG_PARENT_LEASE_KEY_SET,
                    None => 0,
                },
                version_2: version_2
                    .map(|(epoch, _)| (parent.map_or(Guid::default(), lease_key), epoch)),
            };
            (
                oplock_level::SMB2_OPLOCK_LEVEL_LEASE,
                Some(lease.to_bytes()),
            )
        }
    };
    if let Some(data) = &lease {
        contexts.push(CreateContext {
            name: name::SMB2_CREATE_REQUEST_LEASE,
            data,
        });
    }
    if create.maximal_access {
        contexts.push(CreateContext {
            name: name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST,
            data: &[],
        });
    }
    CreateRequest {
        requested_oplock_level: level,
        impersonation_level: impersonation_level::IMPERSONATION,
        desired_access: create.access,
        file_attributes: create.attributes,
        share_access: create.share,
        create_disposition: create.disposition,
        create_options: create.options,
        name: text(&path),
        contexts: CreateContexts::from(&contexts[..]),
    }
    .write(out);
}

fn operate(
    operation: &Operation,
    file_id: FileId,
    step: u32,
    root: &str,
    out: &mut Vec<u8>,
) -> Command {
    match operation {
        Operation::Read { offset, length } => {
            ReadRequest {
                length: *length,
                offset: *offset,
                file_id,
                ..ReadRequest::default()
            }
            .write(out);
            Command::READ
        }
        Operation::Write { offset, length } => {
            let data = vec![letter(step); *length as usize];
            WriteRequest {
                offset: *offset,
                file_id,
                data: &data,
                ..WriteRequest::default()
            }
            .write(out);
            Command::WRITE
        }
        Operation::Lock { ranges } => {
            let element = |range: &crate::step::Range| LockElement {
                offset: range.offset,
                length: range.length,
                flags: range.flags,
            };
            LockRequest {
                lock_sequence: 0,
                file_id,
                locks: ranges.iter().map(element).collect(),
            }
            .write(out);
            Command::LOCK
        }
        Operation::Set(what) => {
            set(what, file_id, root, out);
            Command::SET_INFO
        }
        Operation::Query { class } => {
            QueryInfoRequest {
                info_type: info_type::SMB2_0_INFO_FILE,
                file_info_class: *class,
                output_buffer_length: OUTPUT,
                file_id,
                ..QueryInfoRequest::default()
            }
            .write(out);
            Command::QUERY_INFO
        }
        Operation::List { pattern, restart } => {
            let pattern = utf16(pattern);
            QueryDirectoryRequest {
                file_information_class: class::FILE_ID_BOTH_DIRECTORY_INFORMATION,
                flags: match restart {
                    true => query_directory_flags::SMB2_RESTART_SCANS,
                    false => 0,
                },
                file_index: 0,
                file_id,
                file_name: text(&pattern),
                output_buffer_length: OUTPUT,
            }
            .write(out);
            Command::QUERY_DIRECTORY
        }
        Operation::Notify { filter, tree } => {
            ChangeNotifyRequest {
                flags: match tree {
                    true => change_notify::SMB2_WATCH_TREE,
                    false => 0,
                },
                output_buffer_length: 4096,
                file_id,
                completion_filter: *filter,
            }
            .write(out);
            Command::CHANGE_NOTIFY
        }
        Operation::Flush => {
            FlushRequest { file_id }.write(out);
            Command::FLUSH
        }
        Operation::Close { post_query } => {
            CloseRequest {
                flags: u16::from(*post_query),
                file_id,
            }
            .write(out);
            Command::CLOSE
        }
    }
}

fn set(set: &Set, file_id: FileId, root: &str, out: &mut Vec<u8>) {
    let mut buffer = Vec::new();
    let class = match set {
        Set::Disposition(delete_pending) => {
            FileDispositionInformation {
                delete_pending: *delete_pending,
            }
            .write(&mut buffer);
            class::FILE_DISPOSITION_INFORMATION
        }
        Set::EndOfFile(end_of_file) => {
            FileEndOfFileInformation {
                end_of_file: *end_of_file,
            }
            .write(&mut buffer);
            class::FILE_END_OF_FILE_INFORMATION
        }
        Set::Allocation(allocation_size) => {
            FileAllocationInformation {
                allocation_size: *allocation_size,
            }
            .write(&mut buffer);
            class::FILE_ALLOCATION_INFORMATION
        }
        Set::Basic { attributes, times } => {
            let time = |index: usize| match times {
                true => TIMES[index],
                false => FileTime(0),
            };
            FileBasicInformation {
                creation_time: time(0),
                last_access_time: time(1),
                last_write_time: time(2),
                change_time: time(3),
                file_attributes: *attributes,
            }
            .write(&mut buffer);
            class::FILE_BASIC_INFORMATION
        }
        Set::Rename { to, replace } | Set::Link { to, replace } => {
            let path = in_root(root, to);
            FileRenameInformation {
                replace_if_exists: *replace,
                root_directory: 0,
                file_name: text(&path),
            }
            .write(&mut buffer);
            match set {
                Set::Rename { .. } => class::FILE_RENAME_INFORMATION,
                _ => class::FILE_LINK_INFORMATION,
            }
        }
        Set::Position(current_byte_offset) => {
            FilePositionInformation {
                current_byte_offset: *current_byte_offset,
            }
            .write(&mut buffer);
            class::FILE_POSITION_INFORMATION
        }
        Set::Mode(mode) => {
            FileModeInformation { mode: *mode }.write(&mut buffer);
            class::FILE_MODE_INFORMATION
        }
    };
    SetInfoRequest {
        info_type: info_type::SMB2_0_INFO_FILE,
        file_info_class: class,
        additional_information: 0,
        file_id,
        buffer: &buffer,
    }
    .write(out);
}
