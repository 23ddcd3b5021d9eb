//! What real clients send and the specification does not: every trap of the
//! dependencies record, and the limits against hostile bytes.

use super::*;
use crate::wire::info::directory::{self, Form};
use crate::wire::info::*;
use crate::wire::negotiate_context::{CompressionCapabilities, SigningCapabilities};
use crate::wire::{compound, create_context, netbios, smb1};

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

#[test]
fn unknown_dialects_and_contexts_survive() {
    let request = NegotiateRequest {
        dialects: vec![0x0202, 0x0399, 0xFFFF, 0x0311],
        contexts: vec![
            NegotiateContext {
                context_type: 0x0100,
                data: &[7; 16],
            },
            NegotiateContext {
                context_type: 0xBEEF,
                data: b"",
            },
        ],
        ..NegotiateRequest::default()
    };
    let bytes = message(|out| request.write(out));
    assert_eq!(NegotiateRequest::read(&bytes), Ok(request));
}

#[test]
fn unknown_algorithms_survive() {
    let signing = SigningCapabilities {
        signing_algorithms: vec![9, 0xFFFF, 1],
    };
    assert_eq!(SigningCapabilities::read(&signing.to_bytes()), Ok(signing));
    let ciphers = negotiate_context::EncryptionCapabilities {
        ciphers: vec![0x77, 2],
    };
    assert_eq!(
        negotiate_context::EncryptionCapabilities::read(&ciphers.to_bytes()),
        Ok(ciphers)
    );
    let compression = CompressionCapabilities {
        flags: 1,
        compression_algorithms: vec![5, 0x4321],
    };
    assert_eq!(
        CompressionCapabilities::read(&compression.to_bytes()),
        Ok(compression)
    );
}

#[test]
fn without_3_1_1_the_context_fields_are_a_time() {
    let mut bytes = message(|out| {
        NegotiateRequest {
            dialects: vec![0x0210],
            ..NegotiateRequest::default()
        }
        .write(out);
    });
    put(&mut bytes, Header::SIZE + 28, &[0xFF; 8]);
    assert_eq!(NegotiateRequest::read(&bytes).unwrap().contexts, []);
}

#[test]
fn unknown_create_contexts_and_any_oplock_level_survive() {
    for requested_oplock_level in [0x00, 0x01, 0x08, 0x09, 0xFF, 0x42] {
        let request = CreateRequest {
            requested_oplock_level,
            contexts: CreateContexts::from(
                &[
                    CreateContext {
                        name: create_context::name::AAPL,
                        data: &[1; 24],
                    },
                    CreateContext {
                        name: b"longer than four",
                        data: b"x",
                    },
                ][..],
            ),
            ..CreateRequest::default()
        };
        let bytes = message(|out| request.write(out));
        assert_eq!(CreateRequest::read(&bytes), Ok(request));
    }
}

#[test]
fn names_of_create_contexts_have_four_bytes_at_least() {
    for (name, good) in [(&b""[..], false), (b"xxx", false), (b"xxxx", true)] {
        let contexts = [CreateContext {
            name,
            data: b"data",
        }];
        let request = CreateRequest {
            contexts: CreateContexts::from(&contexts[..]),
            ..CreateRequest::default()
        };
        let bytes = message(|out| request.write(out));
        assert_eq!(CreateRequest::read(&bytes).is_ok(), good, "{name:?}");
    }
}

#[test]
fn a_name_may_leave_the_context_offset_unaligned() {
    let mut bytes = vector("create_request");
    // The name ends at 132; move the contexts there.
    bytes.drain(132..136);
    put(&mut bytes, Header::SIZE + 48, &132_u32.to_le_bytes());
    let request = CreateRequest::read(&bytes).unwrap();
    assert_eq!(request.name.to_string().as_deref(), Ok("srvsvc"));
    assert_eq!(request.contexts.iter().count(), 2);
}

#[test]
fn close_without_flags() {
    let request = CloseRequest {
        flags: 0,
        file_id: FileId::ALL_ONES,
    };
    assert_eq!(
        CloseRequest::read(&message(|out| request.write(out))),
        Ok(request)
    );
}

#[test]
fn remaining_bytes_and_a_missing_pad_byte() {
    let bytes = vector("read_request");
    assert_eq!(ReadRequest::read(&bytes).unwrap().remaining_bytes, 9);
    assert_eq!(
        ReadRequest::read(&bytes[..Header::SIZE + 48]),
        ReadRequest::read(&bytes)
    );
    assert_eq!(
        WriteRequest::read(&vector("write_request"))
            .unwrap()
            .remaining_bytes,
        9
    );
}

#[test]
fn an_offset_without_a_length_is_ignored() {
    let mut bytes = vector("ioctl_request");
    put(&mut bytes, Header::SIZE + 36, &u32::MAX.to_le_bytes());
    assert_eq!(IoctlRequest::read(&bytes).unwrap().output, b"");
    let mut bytes = message(|out| TreeConnectRequest::default().write(out));
    put(&mut bytes, Header::SIZE + 4, &[0xFF, 0xFF]);
    assert!(TreeConnectRequest::read(&bytes).unwrap().path.is_empty());
}

#[test]
fn an_error_response_with_and_without_its_pad_byte() {
    let bytes = message(|out| error_response(out, b""));
    assert_eq!(bytes[Header::SIZE..], [9, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(ErrorResponse::read(&bytes), Ok(ErrorResponse::default()));
    assert_eq!(
        ErrorResponse::read(&bytes[..72]),
        Ok(ErrorResponse::default())
    );
    assert!(ErrorResponse::read(&bytes[..71]).is_err());
    assert!(matches!(
        ErrorResponse::read(&wrong_size(&bytes)),
        Err(Error::StructureSize { .. })
    ));
    let response = ErrorResponse {
        error_context_count: 1,
        error_data: b"some",
    };
    let bytes = message(|out| response.write(out));
    assert_eq!(ErrorResponse::read(&bytes), Ok(response));
}

#[test]
fn unknown_information_classes_survive() {
    let request = QueryInfoRequest {
        info_type: 0x77,
        file_info_class: 0xFE,
        ..QueryInfoRequest::default()
    };
    assert_eq!(
        QueryInfoRequest::read(&message(|out| request.write(out))),
        Ok(request)
    );
    assert_eq!(Form::of_class(0xFE), None);
    assert_eq!(Command(0x99).to_string(), "command 0x0099");
}

#[test]
fn set_info_may_be_longer_or_lack_reserved_bytes() {
    assert_eq!(
        FileDispositionInformation::read(&[1, 0, 0, 0]),
        Ok(FileDispositionInformation {
            delete_pending: true
        })
    );
    assert!(FileBasicInformation::read(&[0; 36]).is_ok());
    assert!(FileBasicInformation::read(&[0; 35]).is_err());
}

#[test]
fn offsets_into_the_fixed_part_are_refused() {
    let mut bytes = vector("write_request");
    put(&mut bytes, Header::SIZE + 2, &[64, 0]);
    assert!(matches!(
        WriteRequest::read(&bytes),
        Err(Error::OutOfBounds { offset: 64, .. })
    ));
    put(&mut bytes, Header::SIZE + 2, &[113, 0]);
    assert!(matches!(
        WriteRequest::read(&bytes),
        Err(Error::OutOfBounds { .. })
    ));
    put(&mut bytes, Header::SIZE + 4, &u32::MAX.to_le_bytes());
    assert!(matches!(
        WriteRequest::read(&bytes),
        Err(Error::OutOfBounds { .. })
    ));
}

#[test]
fn names_of_odd_length_or_with_half_a_pair_are_refused() {
    let mut bytes = vector("tree_connect_request");
    bytes[Header::SIZE + 6] -= 1;
    assert!(matches!(
        TreeConnectRequest::read(&bytes),
        Err(Error::OddLength { .. })
    ));
    let half = Utf16::new(&[0x00, 0xD8, 0x41, 0x00]).unwrap();
    assert_eq!(half.to_string(), Err(Error::UnpairedSurrogate));
    assert_eq!(format!("{half:?}"), "\"\u{FFFD}A\"");
    assert_eq!(
        Utf16::new(&utf16("a\u{1F600}"))
            .unwrap()
            .to_string()
            .unwrap(),
        "a\u{1F600}"
    );
}

#[test]
fn counts_are_limited_before_anything_is_allocated() {
    let mut bytes = vector("negotiate_request");
    put(&mut bytes, Header::SIZE + 2, &[0, 0]);
    assert!(matches!(
        NegotiateRequest::read(&bytes),
        Err(Error::Count { count: 0, .. })
    ));
    put(&mut bytes, Header::SIZE + 2, &[0xFF, 0xFF]);
    assert!(matches!(
        NegotiateRequest::read(&bytes),
        Err(Error::Count { .. })
    ));
    let mut bytes = vector("lock_request");
    put(&mut bytes, Header::SIZE + 2, &[0, 0]);
    assert!(matches!(
        LockRequest::read(&bytes),
        Err(Error::Count { .. })
    ));
    let many = vec![
        CreateContext {
            name: b"abcd",
            data: b""
        };
        create_context::MAX_CONTEXTS + 1
    ];
    let mut chain = Vec::new();
    CreateContexts::from(&many[..]).write(&mut chain);
    assert!(matches!(
        CreateContexts::read(&chain),
        Err(Error::Count { .. })
    ));
}

#[test]
fn a_create_context_chain_that_does_not_advance_is_refused() {
    let mut chain = Vec::new();
    CreateContexts::from(
        &[CreateContext {
            name: b"abcd",
            data: b"data",
        }; 2][..],
    )
    .write(&mut chain);
    for next in [1_u32, 8, 15, 1000, u32::MAX] {
        put(&mut chain, 0, &next.to_le_bytes());
        assert!(CreateContexts::read(&chain).is_err(), "{next}");
    }
}

#[test]
fn a_directory_chain_that_does_not_advance_is_refused() {
    let name = utf16("name");
    let entry = DirectoryEntry {
        file_name: Utf16::new(&name).unwrap(),
        ..DirectoryEntry::default()
    };
    let mut list = Vec::new();
    let mut writer = directory::Writer::new(Form::Names, &mut list, 100);
    assert!(writer.is_empty());
    assert!(writer.push(&entry) && writer.push(&entry));
    assert_eq!(list.len(), 24 + 20);
    assert_eq!(directory::read_list(Form::Names, &list).count(), 2);
    for next in [1_u32, 11, 44, u32::MAX] {
        put(&mut list, 0, &next.to_le_bytes());
        let read: Vec<_> = directory::read_list(Form::Names, &list).collect();
        assert!(
            matches!(read[..], [Err(Error::OutOfBounds { .. })]),
            "{next}"
        );
    }
}

#[test]
fn an_entry_that_does_not_fit_leaves_the_list_whole() {
    let name = utf16("name");
    let entry = DirectoryEntry {
        file_name: Utf16::new(&name).unwrap(),
        ..DirectoryEntry::default()
    };
    let mut list = vec![0xAA; 3];
    let mut writer = directory::Writer::new(Form::IdBoth, &mut list, 112 + 111);
    assert!(writer.push(&entry));
    assert!(!writer.push(&entry));
    assert_eq!(list.len(), 3 + 112);
    assert_eq!(directory::read_list(Form::IdBoth, &list[3..]).count(), 1);
}

#[test]
fn compounds() {
    let mut frame = message(|out| EchoRequest.write(out));
    let second = compound::link(&mut frame, 0);
    assert_eq!(second, 72);
    let header = Header {
        command: Command::ECHO,
        ..Header::default()
    };
    header.write(&mut frame);
    EchoRequest.write(&mut frame);
    let messages: Vec<_> = compound::split(&frame).map(Result::unwrap).collect();
    assert_eq!(messages.len(), 2);
    assert_eq!((messages[0].1.len(), messages[1].1.len()), (72, 68));
    assert_eq!(messages[1].0, header);

    for (next, misaligned) in [
        (4_u32, true),
        (68, true),
        (8, false),
        (80, false),
        (1 << 31, false),
    ] {
        put(&mut frame, 20, &next.to_le_bytes());
        let read: Vec<_> = compound::split(&frame).collect();
        match read[..] {
            [Err(Error::Misaligned { .. })] => assert!(misaligned, "{next}"),
            [Err(Error::OutOfBounds { .. })] => assert!(!misaligned, "{next}"),
            _ => panic!("{next}: {read:?}"),
        }
    }
    put(&mut frame, 20, &72_u32.to_le_bytes());
    for length in 0..frame.len() - 4 {
        assert!(
            compound::split(&frame[..length]).any(|message| message.is_err()),
            "{length}"
        );
    }
}

#[test]
fn frames_on_tcp() {
    assert_eq!(netbios::prefix(0x01_0203), Ok([0, 1, 2, 3]));
    assert!(netbios::prefix(netbios::MAX_LENGTH + 1).is_err());
    let prefix = netbios::Prefix {
        packet_type: 0x85,
        length: 0x01_0203,
    };
    assert_eq!(netbios::Prefix::read([0x85, 1, 2, 3]), prefix);
}

#[test]
fn smb1_multi_protocol_negotiate() {
    // [MS-CIFS] 2.2.3.1 and 2.2.4.52.1 laid out by hand.
    let mut bytes = b"\xFFSMB\x72".to_vec();
    bytes.resize(32, 0);
    bytes.extend_from_slice(b"\x00\x22\x00\x02NT LM 0.12\0\x02SMB 2.002\0\x02SMB 2.???\0");
    let request = smb1::MultiProtocolNegotiate {
        dialects: vec![b"NT LM 0.12", smb1::SMB_2_002, smb1::SMB_2_WILDCARD],
    };
    assert!(smb1::MultiProtocolNegotiate::recognise(&bytes));
    assert_eq!(
        smb1::MultiProtocolNegotiate::read(&bytes),
        Ok(request.clone())
    );
    assert_eq!(request.smb2_dialect(), Some(Dialect::WILDCARD));
    let mut written = Vec::new();
    request.write(&mut written);
    assert_eq!(written, bytes);
    let read = |bytes: &[u8]| smb1::MultiProtocolNegotiate::read(bytes).is_ok();
    assert_eq!(first_success(&bytes, read), bytes.len());
    bytes[4] = 0x73;
    assert!(matches!(
        smb1::MultiProtocolNegotiate::read(&bytes),
        Err(Error::ProtocolId { .. })
    ));
    assert!(!smb1::MultiProtocolNegotiate::recognise(&vector(
        "echo_request"
    )));
}
