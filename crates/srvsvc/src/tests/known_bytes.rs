use rpc::Syntax::{Ndr20, Ndr64};

use super::vectors::*;
use super::{SYNTAXES, sessions};
use crate::*;

fn request(level: u32) -> SessionEnumRequest {
    SessionEnumRequest {
        server_name: Some(r"\\srv".to_owned()),
        client_name: None,
        user_name: None,
        level,
        prefered_maximum_length: MAX_PREFERRED_LENGTH,
        resume_handle: Some(0),
    }
}

fn filtered(level: u32) -> SessionEnumRequest {
    SessionEnumRequest {
        client_name: Some(r"\\192.0.2.10".to_owned()),
        user_name: Some("alice".to_owned()),
        prefered_maximum_length: 0x1000,
        ..request(level)
    }
}

fn reply(level: u32) -> SessionEnumResponse {
    SessionEnumResponse {
        level,
        entries: sessions(level),
        total_entries: 2,
        resume_handle: Some(0),
        result: NetApiStatus::SUCCESS,
    }
}

#[test]
fn session_enum_requests() {
    for (syntax, request, bytes) in [
        (Ndr20, request(10), REQUEST_10),
        (Ndr64, request(10), REQUEST_10_NDR64),
        (Ndr20, filtered(502), REQUEST_502),
    ] {
        assert_eq!(request.write(syntax), bytes);
        assert_eq!(SessionEnumRequest::read(syntax, bytes), Ok(request));
    }
}

#[test]
fn session_enum_replies() {
    for (syntax, reply, bytes) in [
        (Ndr20, reply(10), REPLY_10),
        (Ndr64, reply(10), REPLY_10_NDR64),
        (Ndr20, reply(502), REPLY_502),
    ] {
        assert_eq!(reply.write(syntax), bytes);
        assert_eq!(SessionEnumResponse::read(syntax, bytes), Ok(reply));
    }
}

#[test]
fn session_enum_reply_502_in_ndr64() {
    let bytes = reply(502).write(Ndr64);
    assert_eq!(bytes.len(), 528);
    assert!(bytes.starts_with(REPLY_502_HEAD_NDR64));
    for (offset, count) in [
        (0x90, 11),
        (0xc0, 6),
        (0xe8, 1),
        (0x108, 19),
        (0x148, 11),
        (0x178, 4),
        (0x198, 1),
    ] {
        assert_eq!(
            bytes[offset..offset + 8],
            u64::to_le_bytes(count),
            "string at {offset:#x}"
        );
    }
    assert_eq!(bytes[0x1b8..0x1c0], 19u64.to_le_bytes());
    assert_eq!(bytes[0x1f8..0x1fc], 2u32.to_le_bytes());
    assert_ne!(bytes[0x200..0x208], [0; 8]);
    assert_eq!(bytes[0x20c..], [0; 4]);
}

#[test]
fn more_data() {
    let more = SessionEnumResponse {
        entries: sessions(10)[..1].to_vec(),
        resume_handle: Some(1),
        result: NetApiStatus::MORE_DATA,
        ..reply(10)
    };
    assert_eq!(more.write(Ndr20), REPLY_10_MORE);
    assert_eq!(more.write(Ndr64).len(), 184);
    assert_eq!(SessionEnumResponse::read(Ndr20, REPLY_10_MORE), Ok(more));
}

#[test]
fn no_entries() {
    let none = SessionEnumResponse {
        entries: Vec::new(),
        total_entries: 0,
        ..reply(10)
    };
    assert_eq!(none.write(Ndr20), REPLY_EMPTY_NULL);
    assert_eq!(none.write(Ndr64).len(), 64);
    for bytes in [REPLY_EMPTY_NULL, REPLY_EMPTY_BUFFER] {
        assert_eq!(SessionEnumResponse::read(Ndr20, bytes).as_ref(), Ok(&none));
    }
}

#[test]
fn session_del() {
    let request = SessionDelRequest {
        server_name: Some(r"\\srv".to_owned()),
        client_name: Some(r"\\192.0.2.10".to_owned()),
        user_name: Some("alice".to_owned()),
    };
    assert_eq!(request.write(Ndr20), DEL_REQUEST);
    assert_eq!(request.write(Ndr64).len(), 156);
    assert_eq!(SessionDelRequest::read(Ndr20, DEL_REQUEST), Ok(request));
    for syntax in SYNTAXES {
        let bytes = write_result(syntax, NetApiStatus::CLIENT_NAME_NOT_FOUND);
        assert_eq!(bytes, [0x08, 0x09, 0, 0]);
        assert_eq!(
            read_result(syntax, &bytes),
            Ok(NetApiStatus::CLIENT_NAME_NOT_FOUND)
        );
    }
}

#[test]
fn sizes_of_the_worked_examples() {
    for (bytes, expected) in [
        (filtered(502).write(Ndr64).len(), 220),
        (reply(10).write(Ndr64).len(), 304),
        (request(10).write(Ndr64).len(), 124),
    ] {
        assert_eq!(bytes, expected);
    }
}

/// Referent ids and padding have any content, as impacket shows with 0xbf padding.
#[test]
fn padding_and_referents_of_any_content() {
    let mut bytes = REPLY_10.to_vec();
    bytes[0x5e..0x60].fill(0xbf);
    bytes[0x9e..0xa0].fill(0xbf);
    bytes[0x08..0x0c].copy_from_slice(&[1, 0, 0, 0]);
    bytes[0x10..0x14].fill(0xff);
    assert_eq!(SessionEnumResponse::read(Ndr20, &bytes), Ok(reply(10)));
}

/// A NULL arm in a request, as in the layout rules: legal, nothing else changes.
#[test]
fn null_arm_in_a_request() {
    let mut bytes = REQUEST_10[..0x2c].to_vec();
    bytes.extend([0; 4]);
    bytes.extend(&REQUEST_10[0x38..]);
    assert_eq!(SessionEnumRequest::read(Ndr20, &bytes), Ok(request(10)));
}

/// Rows in a request are read over.
#[test]
fn rows_in_a_request() {
    let mut bytes = REQUEST_10[..0x24].to_vec();
    bytes.extend(&REPLY_10[..0xb4]);
    bytes.extend(&REQUEST_10[0x38..]);
    assert_eq!(SessionEnumRequest::read(Ndr20, &bytes), Ok(request(10)));
}

#[test]
fn unknown_levels() {
    for syntax in SYNTAXES {
        let odd = SessionEnumRequest {
            resume_handle: None,
            ..request(3)
        };
        assert_eq!(
            SessionEnumRequest::read(syntax, &odd.write(syntax)),
            Ok(odd)
        );
        let error = SessionEnumResponse::error(3, Some(7), NetApiStatus::INVALID_LEVEL);
        assert_eq!(
            SessionEnumResponse::read(syntax, &error.write(syntax)),
            Ok(error)
        );
        let error = ShareEnumResponse::error(503, None, NetApiStatus::INVALID_LEVEL);
        assert_eq!(
            ShareEnumResponse::read(syntax, &error.write(syntax)),
            Ok(error)
        );
    }
    let mut bytes = REQUEST_10.to_vec();
    bytes[0x28] = 1;
    let error = SessionEnumRequest::read(Ndr20, &bytes).unwrap_err();
    assert_eq!(
        error,
        Error::Tag {
            tag: 1,
            expected: 10
        }
    );
    assert_eq!(error.fault_status(), rpc::fault::INVALID_TAG);
}

/// The fixed parts of `session-functions.md`'s table: they equal the C layouts, 32-bit in
/// NDR20 and 64-bit in NDR64.
#[test]
fn fixed_sizes() {
    fn check<R: Row>(sizes: &[(u32, usize, usize)]) {
        for &(level, ndr20, ndr64) in sizes {
            assert_eq!(R::fixed_size(level, Ndr20), ndr20, "level {level}");
            assert_eq!(R::fixed_size(level, Ndr64), ndr64, "level {level}");
        }
    }
    check::<SessionInfo>(&[
        (0, 4, 8),
        (1, 24, 32),
        (2, 28, 40),
        (10, 16, 24),
        (502, 32, 48),
    ]);
    check::<ShareInfo>(&[
        (0, 4, 8),
        (1, 12, 24),
        (2, 32, 56),
        (501, 16, 32),
        (502, 40, 72),
        (1005, 4, 4),
    ]);
    check::<FileInfo>(&[(2, 4, 4), (3, 20, 32)]);
    check::<ConnectionInfo>(&[(0, 4, 4), (1, 28, 40)]);
    check::<ServerInfo>(&[(100, 8, 16), (101, 24, 40), (102, 52, 72)]);
}

#[test]
fn preferred_length() {
    let rows = sessions(10);
    // 24 bytes fixed, `\\192.0.2.10` and `alice` with their NULs.
    let first = 24 + 2 * (13 + 6);
    assert_eq!(rows[0].size(10), first);
    let second = 24 + 2 * (13 + 4);
    for (length, fit) in [
        (0, 1),
        (first as u32, 1),
        ((first + second - 1) as u32, 1),
        ((first + second) as u32, 2),
        (MAX_PREFERRED_LENGTH, 2),
    ] {
        assert_eq!(entries_that_fit(&rows, 10, length), fit, "{length}");
    }
    assert_eq!(entries_that_fit(&rows[..0], 10, 0), 0);
}

#[test]
fn text_with_backslashes_costs_no_string() {
    let rows = sessions(10);
    let names: Vec<_> = rows.iter().map(|row| &row.cname[2..]).collect();
    let reply = EnumResponse {
        level: 10,
        entries: rows.iter().zip(&names).map(|(row, name)| SessionInfo {
            cname: Text::unc(name),
            username: Text::from(row.username.as_str()),
            time: row.time,
            idle_time: row.idle_time,
            ..SessionInfo::default()
        }),
        total_entries: 2,
        resume_handle: Some(0),
        result: NetApiStatus::SUCCESS,
    };
    assert_eq!(reply.write(Ndr20), REPLY_10);
}

#[test]
fn interface_uuid() {
    assert_eq!(
        INTERFACE.uuid.to_string(),
        "4b324fc8-1670-01d3-1278-5a47bf6ee188"
    );
    assert_eq!(
        Ndr20.id().uuid.to_string(),
        "8a885d04-1ceb-11c9-9fe8-08002b104860"
    );
    assert_eq!(
        Ndr64.id().uuid.to_string(),
        "71710533-beba-4937-8319-b5dbef9ccc36"
    );
}

#[test]
fn status_names_ascend_and_are_complete() {
    assert!(NetApiStatus::KNOWN.is_sorted_by(|a, b| a < b));
    for status in NetApiStatus::KNOWN {
        let (name, text) = (status.name().unwrap(), status.text().unwrap());
        assert!(name.contains('_') && !text.ends_with('.'), "{name}");
    }
    assert_eq!(NetApiStatus(99_999).to_string(), "NET_API_STATUS 99999");
    assert_eq!(
        NetApiStatus::from_fault(rpc::fault::OP_RNG_ERROR),
        NetApiStatus::RPC_PROCNUM_OUT_OF_RANGE
    );
    assert_eq!(NetApiStatus::from_fault(5), NetApiStatus::ACCESS_DENIED);
}
