//! Messages packed by impacket (and one FSCTL by smbprotocol), read and written back; then broken.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;
use crate::wire::create_context::{MaximalAccess, name};
use crate::wire::info::FileNetworkOpenInformation;
use crate::wire::ioctl::*;
use crate::wire::lock::LockElement;
use crate::wire::negotiate_context::*;
use crate::wire::transform::TransformHeader;
use crate::{FileTime, Guid, NtStatus};

const TIME: u64 = 133_500_000_000_000_000;
const FILE_ID: FileId = FileId {
    persistent: 0x1111_2222_3333_4444,
    volatile: 0x5555_6666_7777_8888,
};
const GUID: Guid = Guid(*b"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1A\x1B\x1C\x1D\x1E\x1F");

/// Reads the vector as the value, writes the value as the vector, then cuts it at every
/// byte and spoils StructureSize. `$end` is where the last byte that counts lies; what
/// follows is padding.
macro_rules! known {
    ($test:ident, $type:ident, $value:expr) => {
        known!($test, $type, $value, padding 0);
    };
    ($test:ident, $type:ident, $value:expr, padding $padding:literal) => {
        #[test]
        fn $test() {
            let bytes = vector(stringify!($test));
            // `match` keeps what the value borrows alive.
            #[allow(clippy::match_single_binding)]
            match $value {
                value => {
                    let mut written = bytes[..Header::SIZE].to_vec();
                    value.write(&mut written);
                    assert_eq!(written, bytes);
                    assert_eq!($type::read(&bytes), Ok(value));
                }
            }
            let first = first_success(&bytes, |bytes| $type::read(bytes).is_ok());
            assert_eq!(first, bytes.len() - $padding);
            let wrong = wrong_size(&bytes);
            assert!(matches!($type::read(&wrong), Err(Error::StructureSize { .. })));
        }
    };
}

#[test]
fn header() {
    let bytes = vector("read_response");
    let expected = Header {
        credit_charge: 1,
        status: NtStatus::SUCCESS,
        command: Command::READ,
        credits: 31,
        flags: HeaderFlags::SERVER_TO_REDIR,
        next_command: 0,
        message_id: 7,
        tree_id: 5,
        async_id: 0,
        session_id: 0x0A0B_0C0D,
        signature: [0; 16],
    };
    assert_eq!(Header::read(&bytes), Ok(expected));
    assert!(expected.is_response());
    assert_eq!(
        first_success(&bytes, |bytes| Header::read(bytes).is_ok()),
        64
    );
    let mut wrong = bytes.clone();
    wrong[4] = 65;
    assert!(matches!(
        Header::read(&wrong),
        Err(Error::StructureSize { found: 65, .. })
    ));
    wrong = bytes;
    wrong[0] = 0xFF;
    assert!(matches!(
        Header::read(&wrong),
        Err(Error::ProtocolId { .. })
    ));
}

fn preauth() -> Vec<u8> {
    PreauthIntegrityCapabilities {
        hash_algorithms: vec![SHA_512],
        salt: b"salt",
    }
    .to_bytes()
}

known!(
    negotiate_request,
    NegotiateRequest,
    NegotiateRequest {
        security_mode: 1,
        capabilities: 0x7F,
        client_guid: GUID,
        dialects: vec![0x0302, 0x0311],
        contexts: vec![
            NegotiateContext {
                context_type: 1,
                data: &preauth()
            },
            NegotiateContext {
                context_type: 2,
                data: &EncryptionCapabilities {
                    ciphers: vec![2, 1]
                }
                .to_bytes(),
            },
        ],
    }
);
known!(
    negotiate_response,
    NegotiateResponse,
    NegotiateResponse {
        security_mode: 1,
        dialect_revision: Dialect::SMB311,
        server_guid: GUID,
        capabilities: 0x2F,
        max_transact_size: 0x10_0000,
        max_read_size: 0x20_0000,
        max_write_size: 0x30_0000,
        system_time: FileTime(TIME),
        server_start_time: FileTime(0),
        security_buffer: b"token",
        contexts: vec![NegotiateContext {
            context_type: 1,
            data: &preauth()
        }],
    }
);
known!(
    session_setup_request,
    SessionSetupRequest,
    SessionSetupRequest {
        flags: 1,
        security_mode: 2,
        capabilities: 1,
        previous_session_id: 0x99,
        security_buffer: b"token",
    }
);
known!(
    session_setup_response,
    SessionSetupResponse,
    SessionSetupResponse {
        session_flags: 4,
        security_buffer: b"token",
    }
);
known!(logoff_request, LogoffRequest, LogoffRequest);
known!(
    tree_connect_request,
    TreeConnectRequest,
    TreeConnectRequest {
        flags: 0,
        path: Utf16::new(&utf16(r"\\server\IPC$")).unwrap(),
    }
);
known!(
    tree_connect_response,
    TreeConnectResponse,
    TreeConnectResponse {
        share_type: share_type::SMB2_SHARE_TYPE_PIPE,
        share_flags: share_flags::SMB2_SHAREFLAG_NO_CACHING,
        capabilities: 8,
        maximal_access: access_mask::FILE_ALL_ACCESS,
    }
);
known!(
    tree_disconnect_request,
    TreeDisconnectRequest,
    TreeDisconnectRequest
);
known!(
    create_request,
    CreateRequest,
    CreateRequest {
        requested_oplock_level: 9,
        impersonation_level: 2,
        desired_access: 0x0012_019F,
        file_attributes: 0x80,
        share_access: 7,
        create_disposition: 1,
        create_options: 0x40,
        name: Utf16::new(&utf16("srvsvc")).unwrap(),
        contexts: CreateContexts::from(
            &[
                CreateContext {
                    name: name::SMB2_CREATE_QUERY_ON_DISK_ID,
                    data: b""
                },
                CreateContext {
                    name: name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST,
                    data: b""
                },
            ][..]
        ),
    }
);
known!(
    create_response,
    CreateResponse,
    CreateResponse {
        oplock_level: 1,
        flags: 0,
        create_action: 1,
        file: FileNetworkOpenInformation {
            creation_time: FileTime(TIME),
            last_access_time: FileTime(TIME + 1),
            last_write_time: FileTime(TIME + 2),
            change_time: FileTime(TIME + 3),
            allocation_size: 4096,
            end_of_file: 5,
            file_attributes: 0x20,
        },
        file_id: FILE_ID,
        contexts: CreateContexts::from(
            &[CreateContext {
                name: b"MxAc",
                data: &MaximalAccess {
                    query_status: NtStatus::SUCCESS,
                    maximal_access: 0x0012_019F
                }
                .to_bytes(),
            }][..]
        ),
    }
);
known!(
    close_request,
    CloseRequest,
    CloseRequest {
        flags: 1,
        file_id: FILE_ID
    }
);
known!(
    close_response,
    CloseResponse,
    CloseResponse {
        flags: 1,
        file: FileNetworkOpenInformation {
            creation_time: FileTime(TIME),
            last_access_time: FileTime(TIME + 1),
            last_write_time: FileTime(TIME + 2),
            change_time: FileTime(TIME + 3),
            allocation_size: 4096,
            end_of_file: 5,
            file_attributes: 0x20,
        },
    }
);
known!(
    flush_request,
    FlushRequest,
    FlushRequest { file_id: FILE_ID }
);
known!(read_request, ReadRequest, ReadRequest {
    padding: 0x50,
    flags: 0,
    length: 65536,
    offset: 1 << 33,
    file_id: FILE_ID,
    minimum_count: 1,
    channel: 0,
    remaining_bytes: 9,
}, padding 1);
known!(
    read_response,
    ReadResponse,
    ReadResponse {
        data: b"data",
        data_remaining: 0
    }
);
known!(
    write_request,
    WriteRequest,
    WriteRequest {
        offset: 1 << 33,
        file_id: FILE_ID,
        channel: 0,
        remaining_bytes: 9,
        flags: 1,
        data: b"data",
    }
);
known!(write_response, WriteResponse, WriteResponse { count: 4 });
known!(
    lock_request,
    LockRequest,
    LockRequest {
        lock_sequence: 0x31,
        file_id: FILE_ID,
        locks: vec![
            LockElement {
                offset: 1 << 40,
                length: 10,
                flags: 0x12
            },
            LockElement {
                offset: 1 << 50,
                length: 10,
                flags: 0x12
            },
        ],
    }
);
known!(cancel_request, CancelRequest, CancelRequest);
known!(echo_request, EchoRequest, EchoRequest);
known!(
    query_directory_request,
    QueryDirectoryRequest,
    QueryDirectoryRequest {
        file_information_class: file_information_class::FILE_ID_BOTH_DIRECTORY_INFORMATION,
        flags: 3,
        file_index: 2,
        file_id: FILE_ID,
        file_name: Utf16::new(&utf16("*")).unwrap(),
        output_buffer_length: 65536,
    }
);
known!(
    query_directory_response,
    QueryDirectoryResponse,
    QueryDirectoryResponse {
        output_buffer: b"list",
    }
);
known!(
    change_notify_request,
    ChangeNotifyRequest,
    ChangeNotifyRequest {
        flags: 1,
        output_buffer_length: 4096,
        file_id: FILE_ID,
        completion_filter: 0x17,
    }
);
known!(
    change_notify_response,
    ChangeNotifyResponse,
    ChangeNotifyResponse {
        output_buffer: b"list",
    }
);
known!(
    query_info_request,
    QueryInfoRequest,
    QueryInfoRequest {
        info_type: info_type::SMB2_0_INFO_SECURITY,
        file_info_class: 0,
        output_buffer_length: 1024,
        additional_information: 7,
        flags: 1,
        file_id: FILE_ID,
        input_buffer: b"quot",
    }
);
known!(
    query_info_response,
    QueryInfoResponse,
    QueryInfoResponse {
        output_buffer: b"info"
    }
);
known!(
    set_info_request,
    SetInfoRequest,
    SetInfoRequest {
        info_type: 1,
        file_info_class: file_information_class::FILE_DISPOSITION_INFORMATION,
        additional_information: 0,
        file_id: FILE_ID,
        buffer: &[1],
    }
);
known!(set_info_response, SetInfoResponse, SetInfoResponse);
known!(
    oplock_break,
    OplockBreak,
    OplockBreak {
        oplock_level: 1,
        file_id: FILE_ID
    }
);
known!(
    lease_break_notification,
    LeaseBreakNotification,
    LeaseBreakNotification {
        new_epoch: 3,
        flags: 1,
        lease_key: GUID,
        current_lease_state: 7,
        new_lease_state: 1,
    }
);
known!(
    lease_break_acknowledgment,
    LeaseBreakAcknowledgment,
    LeaseBreakAcknowledgment {
        lease_key: GUID,
        lease_state: 1,
    }
);

/// OutputOffset differs: others name a place for no output, this crate 0 in a request.
#[test]
fn ioctl() {
    let request = IoctlRequest {
        ctl_code: fsctl::FSCTL_PIPE_TRANSCEIVE,
        file_id: FILE_ID,
        max_input_response: 0,
        max_output_response: 4280,
        flags: SMB2_0_IOCTL_IS_FSCTL,
        input: b"stub",
        output: b"",
    };
    let bytes = vector("ioctl_request");
    assert_eq!(IoctlRequest::read(&bytes), Ok(request));
    let offset = Header::SIZE + 36;
    let mut expected = bytes.clone();
    expected[offset..offset + 4].fill(0);
    let mut written = bytes[..Header::SIZE].to_vec();
    request.write(&mut written);
    assert_eq!(written, expected);
    assert_eq!(
        first_success(&bytes, |bytes| IoctlRequest::read(bytes).is_ok()),
        bytes.len()
    );
    assert!(matches!(
        IoctlRequest::read(&wrong_size(&bytes)),
        Err(Error::StructureSize { .. })
    ));

    let response = IoctlResponse {
        ctl_code: fsctl::FSCTL_PIPE_TRANSCEIVE,
        file_id: FILE_ID,
        flags: 0,
        input: b"",
        output: b"stub",
    };
    let bytes = vector("ioctl_response");
    assert_eq!(IoctlResponse::read(&bytes), Ok(response));
    assert_eq!(message(|out| response.write(out))[64..], bytes[64..]);
    assert_eq!(
        first_success(&bytes, |bytes| IoctlResponse::read(bytes).is_ok()),
        bytes.len()
    );
    assert!(matches!(
        IoctlResponse::read(&wrong_size(&bytes)),
        Err(Error::StructureSize { .. })
    ));
}

#[test]
fn validate_negotiate_info() {
    let bytes = vector("VALIDATE_NEGOTIATE_INFO_request");
    let request = ValidateNegotiateInfoRequest {
        capabilities: 0x7F,
        guid: GUID,
        security_mode: 1,
        dialects: vec![0x0302, 0x0311],
    };
    assert_eq!(request.to_bytes(), bytes);
    assert_eq!(ValidateNegotiateInfoRequest::read(&bytes), Ok(request));
    let read = |bytes: &[u8]| ValidateNegotiateInfoRequest::read(bytes).is_ok();
    assert_eq!(first_success(&bytes, read), bytes.len());

    let bytes = vector("VALIDATE_NEGOTIATE_INFO_response");
    let response = ValidateNegotiateInfoResponse {
        capabilities: 0x2F,
        guid: GUID,
        security_mode: 1,
        dialect: Dialect::SMB311,
    };
    assert_eq!(response.to_bytes(), bytes);
    assert_eq!(ValidateNegotiateInfoResponse::read(&bytes), Ok(response));
    let read = |bytes: &[u8]| ValidateNegotiateInfoResponse::read(bytes).is_ok();
    assert_eq!(first_success(&bytes, read), bytes.len());
}

#[test]
fn transform_header() {
    let bytes = vector("transform_header");
    let header = TransformHeader {
        signature: GUID.0,
        nonce: *b"nonce-12byte\0\0\0\0",
        original_message_size: 100,
        flags: transform::ENCRYPTED,
        session_id: 0x0A0B_0C0D,
    };
    assert_eq!(header.to_bytes()[..], bytes);
    assert_eq!(bytes[TransformHeader::SIGNATURE], GUID.0);
    assert_eq!(TransformHeader::read(&bytes), Ok(header));
    assert_eq!(
        first_success(&bytes, |bytes| TransformHeader::read(bytes).is_ok()),
        52
    );
    assert!(matches!(
        TransformHeader::read(&vector("echo_request")),
        Err(Error::ProtocolId { .. })
    ));
}

#[test]
fn network_interface_info() {
    // [MS-SMB2] 2.2.32.5 laid out by hand.
    let interface = |if_index, address| NetworkInterfaceInfo {
        if_index,
        capability: 1,
        link_speed: 1_000_000_000,
        address,
    };
    let bytes = network_interfaces(&[
        interface(2, IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1))),
        interface(3, IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]);
    assert_eq!(bytes.len(), 304);
    assert_eq!(
        bytes[..16],
        [152, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    );
    assert_eq!(bytes[16..24], 1_000_000_000_u64.to_le_bytes());
    assert_eq!(bytes[24..32], [2, 0, 0, 0, 127, 0, 0, 1]);
    assert_eq!(bytes[152..156], [0; 4]);
    assert_eq!(bytes[176..184], [0x17, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes[184..200], Ipv6Addr::LOCALHOST.octets());
}
