//! Whatever is written is read back; whatever is read, nothing panics.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::wire::create_context::Lease;
use crate::wire::info::directory::{self, Form};
use crate::wire::info::*;
use crate::wire::lock::LockElement;
use crate::wire::negotiate_context::*;
use crate::wire::transform::TransformHeader;
use crate::wire::{compound, ioctl, smb1};
use crate::{FileTime, Guid, NtStatus};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    any::<String>().prop_map(|text| utf16(&text))
}

fn file_id() -> impl Strategy<Value = FileId> {
    any::<(u64, u64)>().prop_map(|(persistent, volatile)| FileId {
        persistent,
        volatile,
    })
}

/// Writes the value behind a header and expects it back.
macro_rules! round_trip {
    ($type:ident, $value:expr) => {{
        let value = $value;
        let bytes = message(|out| value.write(out));
        prop_assert_eq!($type::read(&bytes), Ok(value));
    }};
}

proptest! {
    #[test]
    fn header(
        (credit_charge, status, command, credits, flags) in any::<(u16, u32, u16, u16, u32)>(),
        (next_command, message_id, tree_id) in any::<(u32, u64, u32)>(),
        (async_id, session_id, signature) in any::<(u64, u64, [u8; 16])>(),
    ) {
        let flags = HeaderFlags(flags);
        let asynchronous = flags.contains(HeaderFlags::ASYNC);
        let value = Header {
            credit_charge,
            status: NtStatus(status),
            command: Command(command),
            credits,
            flags,
            next_command,
            message_id,
            tree_id: if asynchronous { 0 } else { tree_id },
            async_id: if asynchronous { async_id } else { 0 },
            session_id,
            signature,
        };
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        prop_assert_eq!(Header::read(&bytes), Ok(value));
    }

    #[test]
    fn negotiate(
        (security_mode, capabilities, guid) in any::<(u16, u32, [u8; 16])>(),
        mut dialects in vec(any::<u16>(), 0..8),
        data in vec((any::<u16>(), bytes()), 0..6),
        token in bytes(),
        (a, b, c, d, e) in any::<(u32, u32, u32, u64, u64)>(),
    ) {
        dialects.push(Dialect::SMB311.0);
        let contexts: Vec<_> = data
            .iter()
            .map(|(context_type, data)| NegotiateContext { context_type: *context_type, data })
            .collect();
        round_trip!(NegotiateRequest, NegotiateRequest {
            security_mode,
            capabilities,
            client_guid: Guid(guid),
            dialects,
            contexts: contexts.clone(),
        });
        round_trip!(NegotiateResponse, NegotiateResponse {
            security_mode,
            dialect_revision: Dialect::SMB311,
            server_guid: Guid(guid),
            capabilities,
            max_transact_size: a,
            max_read_size: b,
            max_write_size: c,
            system_time: FileTime(d),
            server_start_time: FileTime(e),
            security_buffer: &token,
            contexts,
        });
    }

    #[test]
    fn negotiate_contexts(numbers in vec(any::<u16>(), 0..9), salt in bytes(), flags: u32) {
        let preauth = PreauthIntegrityCapabilities { hash_algorithms: numbers.clone(), salt: &salt };
        let data = preauth.to_bytes();
        prop_assert_eq!(PreauthIntegrityCapabilities::read(&data), Ok(preauth));
        let rdma = RdmaTransformCapabilities { rdma_transform_ids: numbers.clone() };
        prop_assert_eq!(RdmaTransformCapabilities::read(&rdma.to_bytes()), Ok(rdma));
        let compression = CompressionCapabilities { flags, compression_algorithms: numbers };
        prop_assert_eq!(CompressionCapabilities::read(&compression.to_bytes()), Ok(compression));
        let transport = TransportCapabilities { flags };
        prop_assert_eq!(TransportCapabilities::read(&transport.to_bytes()), Ok(transport));
    }

    #[test]
    fn session_and_tree(
        (flags, security_mode, capabilities, previous) in any::<(u8, u8, u32, u64)>(),
        token in bytes(),
        path in name(),
        (share_type, share_flags, access, session_flags) in any::<(u8, u32, u32, u16)>(),
    ) {
        round_trip!(SessionSetupRequest, SessionSetupRequest {
            flags,
            security_mode,
            capabilities,
            previous_session_id: previous,
            security_buffer: &token,
        });
        round_trip!(SessionSetupResponse, SessionSetupResponse {
            session_flags,
            security_buffer: &token,
        });
        round_trip!(TreeConnectRequest, TreeConnectRequest {
            flags: session_flags,
            path: Utf16::new(&path).unwrap(),
        });
        round_trip!(TreeConnectResponse, TreeConnectResponse {
            share_type,
            share_flags,
            capabilities,
            maximal_access: access,
        });
    }

    #[test]
    fn create(
        (oplock, impersonation, access, attributes) in any::<(u8, u32, u32, u32)>(),
        (share, disposition, options, flags) in any::<(u32, u32, u32, u8)>(),
        times in any::<[u64; 6]>(),
        file_id in file_id(),
        file_name in name(),
        data in vec((vec(any::<u8>(), create_context::SHORTEST_NAME..80), bytes()), 0..5),
    ) {
        let contexts: Vec<_> = data.iter().map(|(name, data)| CreateContext { name, data }).collect();
        round_trip!(CreateRequest, CreateRequest {
            requested_oplock_level: oplock,
            impersonation_level: impersonation,
            desired_access: access,
            file_attributes: attributes,
            share_access: share,
            create_disposition: disposition,
            create_options: options,
            name: Utf16::new(&file_name).unwrap(),
            contexts: CreateContexts::from(&contexts[..]),
        });
        round_trip!(CreateResponse, CreateResponse {
            oplock_level: oplock,
            flags,
            create_action: disposition,
            file: FileNetworkOpenInformation {
                creation_time: FileTime(times[0]),
                last_access_time: FileTime(times[1]),
                last_write_time: FileTime(times[2]),
                change_time: FileTime(times[3]),
                allocation_size: times[4],
                end_of_file: times[5],
                file_attributes: attributes,
            },
            file_id,
            contexts: CreateContexts::from(&contexts[..]),
        });
        round_trip!(CloseResponse, CloseResponse {
            flags: flags.into(),
            file: FileNetworkOpenInformation {
                creation_time: FileTime(times[0]),
                last_access_time: FileTime(times[1]),
                last_write_time: FileTime(times[2]),
                change_time: FileTime(times[3]),
                allocation_size: times[4],
                end_of_file: times[5],
                file_attributes: attributes,
            },
        });
        round_trip!(CloseRequest, CloseRequest { flags: flags.into(), file_id });
        round_trip!(FlushRequest, FlushRequest { file_id });
    }

    #[test]
    fn read_write_and_lock(
        (padding, flags, length, offset) in any::<(u8, u8, u32, u64)>(),
        (minimum_count, channel, remaining_bytes) in any::<(u32, u32, u32)>(),
        file_id in file_id(),
        data in bytes(),
        ranges in vec(any::<(u64, u64, u32)>(), 1..9),
    ) {
        round_trip!(ReadRequest, ReadRequest {
            padding, flags, length, offset, file_id, minimum_count, channel, remaining_bytes,
        });
        round_trip!(ReadResponse, ReadResponse { data: &data, data_remaining: channel });
        round_trip!(WriteRequest, WriteRequest {
            offset, file_id, channel, remaining_bytes, flags: length, data: &data,
        });
        round_trip!(WriteResponse, WriteResponse { count: length });
        round_trip!(LockRequest, LockRequest {
            lock_sequence: length,
            file_id,
            locks: ranges
                .iter()
                .map(|&(offset, length, flags)| LockElement { offset, length, flags })
                .collect(),
        });
    }

    #[test]
    fn ioctl_query_and_set(
        (code, limit, other, flags) in any::<(u32, u32, u32, u32)>(),
        (class, kind, short) in any::<(u8, u8, u16)>(),
        file_id in file_id(),
        (input, output) in (bytes(), bytes()),
        pattern in name(),
    ) {
        round_trip!(IoctlRequest, IoctlRequest {
            ctl_code: code,
            file_id,
            max_input_response: other,
            max_output_response: limit,
            flags,
            input: &input,
            output: &output,
        });
        round_trip!(IoctlResponse, IoctlResponse {
            ctl_code: code, file_id, flags, input: &input, output: &output,
        });
        round_trip!(QueryDirectoryRequest, QueryDirectoryRequest {
            file_information_class: class,
            flags: kind,
            file_index: other,
            file_id,
            file_name: Utf16::new(&pattern).unwrap(),
            output_buffer_length: limit,
        });
        round_trip!(QueryDirectoryResponse, QueryDirectoryResponse { output_buffer: &output });
        round_trip!(ChangeNotifyRequest, ChangeNotifyRequest {
            flags: short, output_buffer_length: limit, file_id, completion_filter: other,
        });
        round_trip!(ChangeNotifyResponse, ChangeNotifyResponse { output_buffer: &output });
        round_trip!(QueryInfoRequest, QueryInfoRequest {
            info_type: kind,
            file_info_class: class,
            output_buffer_length: limit,
            additional_information: other,
            flags,
            file_id,
            input_buffer: &input,
        });
        round_trip!(QueryInfoResponse, QueryInfoResponse { output_buffer: &output });
        round_trip!(SetInfoRequest, SetInfoRequest {
            info_type: kind,
            file_info_class: class,
            additional_information: other,
            file_id,
            buffer: &input,
        });
        round_trip!(ErrorResponse, ErrorResponse { error_context_count: kind, error_data: &output });
    }

    #[test]
    fn breaks_and_leases(
        (level, epoch, flags, current, new) in any::<(u8, u16, u32, u32, u32)>(),
        (key, parent, second) in any::<([u8; 16], [u8; 16], bool)>(),
        file_id in file_id(),
    ) {
        round_trip!(OplockBreak, OplockBreak { oplock_level: level, file_id });
        round_trip!(LeaseBreakNotification, LeaseBreakNotification {
            new_epoch: epoch,
            flags,
            lease_key: Guid(key),
            current_lease_state: current,
            new_lease_state: new,
        });
        round_trip!(LeaseBreakAcknowledgment, LeaseBreakAcknowledgment {
            lease_key: Guid(key), lease_state: new,
        });
        let lease = Lease {
            lease_key: Guid(key),
            lease_state: new,
            lease_flags: flags,
            version_2: second.then_some((Guid(parent), epoch)),
        };
        prop_assert_eq!(Lease::read(&lease.to_bytes()), Ok(lease));
    }

    #[test]
    fn directory_entries(names in vec(name(), 1..6), number: u32, times in any::<[u64; 7]>()) {
        let short_name = utf16("SHORT~1.TXT");
        for form in [
            Form::Directory, Form::Full, Form::IdFull, Form::Both, Form::IdBoth, Form::IdExtd,
        ] {
            let with_id = matches!(form, Form::IdFull | Form::IdBoth | Form::IdExtd);
            let with_short = matches!(form, Form::Both | Form::IdBoth);
            let entries: Vec<_> = names
                .iter()
                .map(|name| DirectoryEntry {
                    file_index: number,
                    creation_time: FileTime(times[0]),
                    last_access_time: FileTime(times[1]),
                    last_write_time: FileTime(times[2]),
                    change_time: FileTime(times[3]),
                    end_of_file: times[4],
                    allocation_size: times[5],
                    file_attributes: number,
                    ea_size: if form == Form::Directory { 0 } else { number },
                    reparse_point_tag: if form == Form::IdExtd { number } else { 0 },
                    short_name: match with_short {
                        true => Utf16::new(&short_name).unwrap(),
                        false => Utf16::EMPTY,
                    },
                    file_id: if with_id { times[6] } else { 0 },
                    file_name: Utf16::new(name).unwrap(),
                })
                .collect();
            let mut out = Vec::new();
            let mut writer = directory::Writer::new(form, &mut out, usize::MAX);
            prop_assert!(entries.iter().all(|entry| writer.push(entry)));
            let read: Result<Vec<_>, _> = directory::read_list(form, &out).collect();
            prop_assert_eq!(read, Ok(entries));
        }
    }

    #[test]
    fn lists(names in vec(name(), 1..6), number: u32, size: u64) {
        let changes: Vec<_> = names
            .iter()
            .map(|name| FileNotifyInformation {
                action: number,
                file_name: Utf16::new(name).unwrap(),
            })
            .collect();
        let mut out = Vec::new();
        prop_assert!(FileNotifyInformation::write_list(&mut out, usize::MAX, &changes));
        let read: Result<Vec<_>, _> = FileNotifyInformation::read_list(&out).collect();
        prop_assert_eq!(read, Ok(changes));

        let streams: Vec<_> = names
            .iter()
            .map(|name| FileStreamInformation {
                stream_size: size,
                stream_allocation_size: size,
                stream_name: Utf16::new(name).unwrap(),
            })
            .collect();
        let mut out = Vec::new();
        let written = FileStreamInformation::write_list(&mut out, usize::MAX, &streams);
        prop_assert_eq!(written, streams.len());
        let read: Result<Vec<_>, _> = FileStreamInformation::read_list(&out).collect();
        prop_assert_eq!(read, Ok(streams));
    }

    #[test]
    fn extended_attributes(
        entries in vec((any::<u8>(), vec(any::<u8>(), 0..=255), vec(any::<u8>(), 0..300)), 1..6),
    ) {
        let attributes: Vec<_> = entries
            .iter()
            .map(|(flags, name, value)| FileFullEaInformation {
                flags: *flags,
                name,
                value,
            })
            .collect();
        let mut out = Vec::new();
        let mut writer = FullEaWriter::new(&mut out, usize::MAX);
        prop_assert!(attributes.iter().all(|attribute| writer.push(attribute)));
        let read: Result<Vec<_>, _> = FileFullEaInformation::read_list(&out).collect();
        prop_assert_eq!(read, Ok(attributes));

        let names: Vec<_> = entries
            .iter()
            .map(|(_, name, _)| FileGetEaInformation { name })
            .collect();
        let mut out = Vec::new();
        FileGetEaInformation::write_list(&mut out, &names);
        let read: Result<Vec<_>, _> = FileGetEaInformation::read_list(&out).collect();
        prop_assert_eq!(read, Ok(names));
    }

    #[test]
    fn all_information(number: u32, size: u64, flag: bool, file_name in name()) {
        let value = FileAllInformation {
            basic: FileBasicInformation {
                creation_time: FileTime(size),
                file_attributes: number,
                ..FileBasicInformation::default()
            },
            standard: FileStandardInformation {
                end_of_file: size,
                directory: flag,
                ..FileStandardInformation::default()
            },
            internal: FileInternalInformation { index_number: size },
            ea: FileEaInformation { ea_size: number },
            access: FileAccessInformation { access_flags: number },
            position: FilePositionInformation { current_byte_offset: size },
            mode: FileModeInformation { mode: number },
            alignment: FileAlignmentInformation { alignment_requirement: number },
            name: FileNameInformation { file_name: Utf16::new(&file_name).unwrap() },
        };
        let mut out = Vec::new();
        value.write(&mut out);
        prop_assert_eq!(out.len(), FileAllInformation::FIXED + 4 + file_name.len());
        prop_assert_eq!(FileAllInformation::read(&out), Ok(value));
        let attributes = FileFsAttributeInformation {
            file_system_attributes: number,
            maximum_component_name_length: 255,
            file_system_name: Utf16::new(&file_name).unwrap(),
        };
        let mut out = Vec::new();
        attributes.write(&mut out);
        prop_assert_eq!(FileFsAttributeInformation::read(&out), Ok(attributes));
    }

    /// Every reader on bytes that begin well and go on at random.
    #[test]
    fn nothing_panics(which in 0..49_usize, position: prop::sample::Index, noise in bytes()) {
        let name = include_str!("vectors.txt").lines().nth(which).unwrap().split(' ').next();
        let mut input = vector(name.unwrap());
        let at = position.index(input.len());
        for (place, byte) in input[at..].iter_mut().zip(&noise) {
            *place = *byte;
        }
        read_everything(&input);
    }
}

fn read_everything(input: &[u8]) {
    let _ = (
        Header::read(input),
        NegotiateRequest::read(input),
        NegotiateResponse::read(input),
    );
    let _ = (
        SessionSetupRequest::read(input),
        SessionSetupResponse::read(input),
    );
    let _ = (TreeConnectRequest::read(input), CreateRequest::read(input));
    let _ = (
        CreateResponse::read(input),
        ReadRequest::read(input),
        ReadResponse::read(input),
    );
    let _ = (
        WriteRequest::read(input),
        WriteResponse::read(input),
        LockRequest::read(input),
    );
    let _ = (
        IoctlRequest::read(input),
        IoctlResponse::read(input),
        SetInfoRequest::read(input),
    );
    let _ = (
        QueryDirectoryRequest::read(input),
        QueryInfoRequest::read(input),
    );
    let _ = (
        QueryDirectoryResponse::read(input),
        ErrorResponse::read(input),
    );
    let _ = (
        smb1::MultiProtocolNegotiate::read(input),
        TransformHeader::read(input),
    );
    let _ = (
        PreauthIntegrityCapabilities::read(input),
        EncryptionCapabilities::read(input),
    );
    let _ = (
        CompressionCapabilities::read(input),
        RdmaTransformCapabilities::read(input),
    );
    let _ = (
        ioctl::ValidateNegotiateInfoRequest::read(input),
        Lease::read(input),
    );
    let _ = (
        FileAllInformation::read(input),
        FileRenameInformation::read(input),
    );
    let _ = (
        FileFsVolumeInformation::read(input),
        FileFsAttributeInformation::read(input),
    );
    let _ = (CreateContexts::read(input), compound::split(input).count());
    let _ = FileNotifyInformation::read_list(input).count();
    let _ = FileStreamInformation::read_list(input).count();
    let _ = FileFullEaInformation::read_list(input).count();
    let _ = FileGetEaInformation::read_list(input).count();
    for form in [
        Form::Directory,
        Form::Full,
        Form::IdFull,
        Form::Both,
        Form::IdBoth,
        Form::IdExtd,
    ] {
        let _ = directory::read_list(form, input).count();
    }
}
