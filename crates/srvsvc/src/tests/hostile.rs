//! Bytes of any content neither panic nor make a reader allocate more than in proportion.

use proptest::collection::vec;
use proptest::prelude::*;
use rpc::Syntax::Ndr20;

use super::vectors::*;
use super::{SYNTAXES, sessions};
use crate::*;

fn read_all(stub: &[u8]) {
    for syntax in SYNTAXES {
        let _ = SessionEnumRequest::read(syntax, stub);
        let _ = SessionEnumResponse::read(syntax, stub);
        let _ = SessionDelRequest::read(syntax, stub);
        let _ = ConnectionEnumRequest::read(syntax, stub);
        let _ = ConnectionEnumResponse::read(syntax, stub);
        let _ = FileEnumRequest::read(syntax, stub);
        let _ = FileEnumResponse::read(syntax, stub);
        let _ = FileGetInfoRequest::read(syntax, stub);
        let _ = FileCloseRequest::read(syntax, stub);
        let _ = ShareEnumRequest::read(syntax, stub);
        let _ = ShareEnumResponse::read(syntax, stub);
        let _ = ShareGetInfoRequest::read(syntax, stub);
        let _ = ServerGetInfoRequest::read(syntax, stub);
        let _ = RemoteTodRequest::read(syntax, stub);
        let _ = RemoteTodResponse::read(syntax, stub);
        let _ = read_result(syntax, stub);
        for level in [2, 3, 100, 101, 102, 502, 1005] {
            let _ = FileGetInfoResponse::read(syntax, level, stub);
            let _ = ShareGetInfoResponse::read(syntax, level, stub);
            let _ = ServerGetInfoResponse::read(syntax, level, stub);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(stub in vec(any::<u8>(), 0..200)) {
        read_all(&stub);
    }

    /// Small words make plausible levels, counts and pointers.
    #[test]
    fn any_small_words(words in vec(prop_oneof![0u32..12, Just(502), any::<u32>()], 0..60)) {
        let stub: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        read_all(&stub);
    }

    #[test]
    fn changed_vectors(
        index in any::<prop::sample::Index>(), value in any::<u8>(), which in 0usize..6,
    ) {
        let mut stub = [
            REQUEST_10, REPLY_10, REPLY_502, DEL_REQUEST, REQUEST_10_NDR64, REPLY_10_NDR64,
        ][which].to_vec();
        let at = index.index(stub.len());
        stub[at] = value;
        read_all(&stub);
    }
}

#[test]
fn counts_are_checked_before_anything_is_allocated() {
    // EntriesRead and max_count of four billion rows.
    let mut bytes = REPLY_10.to_vec();
    bytes[0x0c..0x10].fill(0xff);
    bytes[0x14..0x18].fill(0xff);
    assert!(matches!(
        SessionEnumResponse::read(Ndr20, &bytes),
        Err(Error::Count {
            what: "EntriesRead",
            ..
        })
    ));
    // As many as may be, which are not there.
    let most: u32 = 1 << 20;
    bytes[0x0c..0x10].copy_from_slice(&most.to_le_bytes());
    bytes[0x14..0x18].copy_from_slice(&most.to_le_bytes());
    assert!(matches!(
        SessionEnumResponse::read(Ndr20, &bytes),
        Err(Error::Truncated { what: "Buffer", .. })
    ));
    // EntriesRead alone.
    bytes[0x14..0x18].copy_from_slice(&[2, 0, 0, 0]);
    assert!(matches!(
        SessionEnumResponse::read(Ndr20, &bytes),
        Err(Error::Conformance { max_count: 2, .. })
    ));
    // A million rows without strings are four megabytes here and a hundred in memory.
    let rows: u32 = (1 << 20) + 1;
    let mut bytes = Vec::new();
    for word in [0, 0, 1, rows, 1, rows] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.resize(bytes.len() + 4 * rows as usize + 12, 0);
    let error = SessionEnumResponse::read(Ndr20, &bytes).unwrap_err();
    assert!(
        matches!(error, Error::Count { what: "EntriesRead", count } if count == rows.into()),
        "{error}"
    );
    // A string of two billion characters.
    let mut bytes = REQUEST_10.to_vec();
    bytes[0x04..0x08].fill(0xff);
    bytes[0x0c..0x10].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    let error = SessionEnumRequest::read(Ndr20, &bytes).unwrap_err();
    assert!(matches!(
        error,
        Error::Truncated {
            what: "ServerName",
            ..
        }
    ));
    assert_eq!(error.fault_status(), rpc::fault::BAD_STUB_DATA);
    // actual_count above max_count; an offset.
    for at in [0x0c, 0x08] {
        let mut bytes = REQUEST_10.to_vec();
        bytes[at] = 7;
        assert!(matches!(
            SessionEnumRequest::read(Ndr20, &bytes),
            Err(Error::Varying { .. })
        ));
    }
}

/// actual_count 0: no characters, not even a NUL. And text that is no UTF-16.
#[test]
fn odd_strings() {
    let mut bytes = REQUEST_10.to_vec();
    bytes.drain(0x10..0x1c);
    bytes[0x0c] = 0;
    let request = SessionEnumRequest::read(Ndr20, &bytes).unwrap();
    assert_eq!(request.server_name.as_deref(), Some(""));

    let mut bytes = REQUEST_10.to_vec();
    bytes[0x10..0x12].copy_from_slice(&[0x00, 0xd8]);
    bytes[0x14..0x16].copy_from_slice(&[0, 0]);
    let request = SessionEnumRequest::read(Ndr20, &bytes).unwrap();
    assert_eq!(request.server_name.as_deref(), Some("\u{fffd}\\"));
}

/// A reply of 100,000 rows: written from borrowed text, and read back.
#[test]
fn a_hundred_thousand_rows() {
    let two = sessions(502);
    let rows = 100_000;
    let reply = EnumResponse {
        level: 502,
        entries: (0..rows).map(|row| {
            let session = &two[row % 2];
            SessionInfo {
                cname: Text::unc(&session.cname),
                username: Text::from(session.username.as_str()),
                time: row as u32,
                transport: Text::from(session.transport.as_str()),
                ..SessionInfo::default()
            }
        }),
        total_entries: rows as u32,
        resume_handle: None,
        result: NetApiStatus::SUCCESS,
    };
    for syntax in SYNTAXES {
        let started = std::time::Instant::now();
        let stub = reply.write(syntax);
        eprintln!(
            "{syntax:?}: {} bytes in {:?}",
            stub.len(),
            started.elapsed()
        );
        let started = std::time::Instant::now();
        let read = SessionEnumResponse::read(syntax, &stub).unwrap();
        eprintln!("read in {:?}", started.elapsed());
        assert_eq!(read.entries.len(), rows);
        assert_eq!(read.entries[rows - 1].time, rows as u32 - 1);
        assert_eq!(read.entries[1].cname, r"\\192.0.2.11");
    }
}
