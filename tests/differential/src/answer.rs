//! What a response says, in lines that two servers can be compared by.
//!
//! Left out is what every server chooses for itself: FileIds, AsyncIds, times, file numbers,
//! the size on disk beyond whether it covers the bytes.

use smb::wire::create_context::{Lease, MaximalAccess, name};
use smb::wire::info::directory::{Form, read_list};
use smb::wire::info::{
    FileAccessInformation, FileAllInformation, FileAttributeTagInformation, FileBasicInformation,
    FileEaInformation, FileModeInformation, FileNameInformation, FileNetworkOpenInformation,
    FileNotifyInformation, FilePositionInformation, FileStandardInformation, FileStreamInformation,
};
use smb::wire::{
    ChangeNotifyResponse, CloseResponse, CreateResponse, Error, LeaseBreakAcknowledgment,
    OplockBreak, QueryDirectoryResponse, QueryInfoResponse, ReadResponse, Utf16, WriteResponse,
    create_action, file_information_class as class,
};

use crate::request::lease_number;
use crate::step::{Action, Operation, lease, oplock};

/// The lines of a response whose status is a success.
pub fn lines(action: &Action, message: &[u8], root: &str) -> Vec<String> {
    let said = match action {
        Action::Create(_) => create(message),
        Action::On { operation, .. } => operate(operation, message, root),
        Action::AcknowledgeOplock { .. } => OplockBreak::read(message)
            .map(|answer| vec![format!("oplock {}", oplock(answer.oplock_level))]),
        Action::AcknowledgeLease { .. } => LeaseBreakAcknowledgment::read(message).map(|answer| {
            vec![
                format!("lease {}", lease(answer.lease_state)),
                format!("key {}", lease_number(answer.lease_key)),
            ]
        }),
        Action::Cancel { .. } | Action::Compound { .. } => Ok(Vec::new()),
    };
    said.unwrap_or_else(|error| vec![format!("malformed: {error}")])
}

fn create(message: &[u8]) -> Result<Vec<String>, Error> {
    let answer = CreateResponse::read(message)?;
    let mut lines = vec![
        format!("action {}", action(answer.create_action)),
        format!("oplock {}", oplock(answer.oplock_level)),
    ];
    sizes(
        &mut lines,
        answer.file.allocation_size,
        answer.file.end_of_file,
        answer.file.file_attributes,
    );
    if let Some(context) = answer.contexts.find(name::SMB2_CREATE_REQUEST_LEASE) {
        let granted = Lease::read(context.data)?;
        lines.push(format!("lease {}", lease(granted.lease_state)));
        lines.push(format!("lease key {}", lease_number(granted.lease_key)));
        lines.push(format!("lease flags {:#x}", granted.lease_flags));
        if let Some((parent, epoch)) = granted.version_2 {
            lines.push(format!("lease parent {}", lease_number(parent)));
            lines.push(format!("lease epoch {epoch}"));
        }
    }
    if let Some(context) = answer
        .contexts
        .find(name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST)
    {
        let maximal = MaximalAccess::read(context.data)?;
        lines.push(format!("MxAc status {}", maximal.query_status));
        lines.push(format!("MxAc {:#x}", maximal.maximal_access));
    }
    Ok(lines)
}

fn operate(operation: &Operation, message: &[u8], root: &str) -> Result<Vec<String>, Error> {
    Ok(match operation {
        Operation::Read { .. } => vec![format!(
            "bytes {}",
            bytes(ReadResponse::read(message)?.data)
        )],
        Operation::Write { .. } => vec![format!("count {}", WriteResponse::read(message)?.count)],
        Operation::Query { class } => query(
            *class,
            QueryInfoResponse::read(message)?.output_buffer,
            root,
        )?,
        Operation::List { .. } => list(QueryDirectoryResponse::read(message)?.output_buffer)?,
        Operation::Notify { .. } => notify(ChangeNotifyResponse::read(message)?.output_buffer)?,
        Operation::Close { post_query } => {
            let answer = CloseResponse::read(message)?;
            let mut lines = vec![format!("flags {}", answer.flags)];
            if *post_query {
                sizes(
                    &mut lines,
                    answer.file.allocation_size,
                    answer.file.end_of_file,
                    answer.file.file_attributes,
                );
            }
            lines
        }
        Operation::Lock { .. } | Operation::Set(_) | Operation::Flush => Vec::new(),
    })
}

fn query(class: u8, buffer: &[u8], root: &str) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    match class {
        class::FILE_BASIC_INFORMATION => basic(&mut lines, &FileBasicInformation::read(buffer)?),
        class::FILE_STANDARD_INFORMATION => {
            standard(&mut lines, &FileStandardInformation::read(buffer)?);
        }
        class::FILE_EA_INFORMATION => {
            lines.push(format!(
                "EaSize {}",
                FileEaInformation::read(buffer)?.ea_size
            ));
        }
        class::FILE_ACCESS_INFORMATION => {
            let access = FileAccessInformation::read(buffer)?.access_flags;
            lines.push(format!("access {access:#x}"));
        }
        class::FILE_POSITION_INFORMATION => {
            let position = FilePositionInformation::read(buffer)?.current_byte_offset;
            lines.push(format!("position {position}"));
        }
        class::FILE_MODE_INFORMATION => {
            lines.push(format!(
                "mode {:#x}",
                FileModeInformation::read(buffer)?.mode
            ));
        }
        class::FILE_ALL_INFORMATION => {
            let all = FileAllInformation::read(buffer)?;
            basic(&mut lines, &all.basic);
            standard(&mut lines, &all.standard);
            lines.push(format!("EaSize {}", all.ea.ea_size));
            lines.push(format!("access {:#x}", all.access.access_flags));
            lines.push(format!("position {}", all.position.current_byte_offset));
            lines.push(format!("mode {:#x}", all.mode.mode));
            lines.push(format!("name {}", path(all.name.file_name, root)));
        }
        class::FILE_STREAM_INFORMATION => {
            for stream in FileStreamInformation::read_list(buffer) {
                let stream = stream?;
                let name = words(stream.stream_name);
                lines.push(format!("stream {name} size {}", stream.stream_size));
            }
        }
        class::FILE_NETWORK_OPEN_INFORMATION => {
            let open = FileNetworkOpenInformation::read(buffer)?;
            sizes(
                &mut lines,
                open.allocation_size,
                open.end_of_file,
                open.file_attributes,
            );
        }
        class::FILE_ATTRIBUTE_TAG_INFORMATION => {
            let tag = FileAttributeTagInformation::read(buffer)?;
            lines.push(format!("attributes {:#x}", tag.file_attributes));
            lines.push(format!("tag {:#x}", tag.reparse_tag));
        }
        class::FILE_NORMALIZED_NAME_INFORMATION | class::FILE_NAME_INFORMATION => {
            let name = FileNameInformation::read(buffer)?.file_name;
            lines.push(format!("name {}", path(name, root)));
        }
        _ => lines.push(format!("{} bytes", buffer.len())),
    }
    Ok(lines)
}

fn basic(lines: &mut Vec<String>, basic: &FileBasicInformation) {
    lines.push(format!("attributes {:#x}", basic.file_attributes));
}

fn standard(lines: &mut Vec<String>, standard: &FileStandardInformation) {
    lines.push(format!("end of file {}", standard.end_of_file));
    let covered = standard.allocation_size >= standard.end_of_file;
    lines.push(format!("allocation covers the bytes: {covered}"));
    lines.push(format!("links {}", standard.number_of_links));
    lines.push(format!("delete pending {}", standard.delete_pending));
    lines.push(format!("directory {}", standard.directory));
}

fn sizes(lines: &mut Vec<String>, allocation: u64, end_of_file: u64, attributes: u32) {
    lines.push(format!("end of file {end_of_file}"));
    lines.push(format!(
        "allocation covers the bytes: {}",
        allocation >= end_of_file
    ));
    lines.push(format!("attributes {attributes:#x}"));
}

/// Entries in the order of their names: each server has its own order.
fn list(buffer: &[u8]) -> Result<Vec<String>, Error> {
    let form = Form::of_class(class::FILE_ID_BOTH_DIRECTORY_INFORMATION)
        .expect("a class of directory entries");
    let mut lines = Vec::new();
    for entry in read_list(form, buffer) {
        let entry = entry?;
        let name = words(entry.file_name);
        // The directory above the schedule's own is not its business.
        if name == ".." {
            continue;
        }
        let size = match entry.file_attributes & 0x10 {
            0 => format!(" size {}", entry.end_of_file),
            _ => String::new(),
        };
        lines.push(format!(
            "entry \"{name}\" attributes {:#x}{size}",
            entry.file_attributes
        ));
    }
    lines.sort();
    Ok(lines)
}

fn notify(buffer: &[u8]) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    for (number, change) in FileNotifyInformation::read_list(buffer).enumerate() {
        let change = change?;
        lines.push(format!(
            "change {number}: action {} \"{}\"",
            change.action,
            words(change.file_name)
        ));
    }
    Ok(lines)
}

fn action(action: u32) -> String {
    match action {
        create_action::FILE_SUPERSEDED => "superseded".to_owned(),
        create_action::FILE_OPENED => "opened".to_owned(),
        create_action::FILE_CREATED => "created".to_owned(),
        create_action::FILE_OVERWRITTEN => "overwritten".to_owned(),
        other => other.to_string(),
    }
}

fn words(name: Utf16<'_>) -> String {
    name.to_string()
        .unwrap_or_else(|_| "(not UTF-16)".to_owned())
}

/// A path without the schedule's own directory, which has another name in each run.
fn path(name: Utf16<'_>, root: &str) -> String {
    words(name).replacen(root, "…", 1)
}

/// Bytes as letters, runs counted: `3×a 2×0`.
pub fn bytes(data: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = data;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|byte| *byte == first).count();
        rest = &rest[run..];
        if !text.is_empty() {
            text.push(' ');
        }
        text += &match first {
            b'a'..=b'z' => format!("{run}×{}", char::from(*first)),
            other => format!("{run}×{other:02x}"),
        };
    }
    if text.is_empty() {
        text.push_str("none");
    }
    text
}
