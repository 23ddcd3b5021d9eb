//! The functions beside those of sessions.

use std::sync::Arc;
use std::time::Duration;

use server::application::{OpenRow, ShareRow, TreeConnectRow};
use smb::FileTime;
use srvsvc::{
    ConnectionEnumRequest, ConnectionEnumResponse, FileCloseRequest, FileEnumRequest,
    FileEnumResponse, FileGetInfoRequest, FileGetInfoResponse, RemoteTodRequest, RemoteTodResponse,
    ServerGetInfoRequest, ServerGetInfoResponse, ShareEnumRequest, ShareEnumResponse,
    ShareGetInfoRequest, ShareGetInfoResponse,
};

use super::*;
use crate::srvsvc_pipe::server_info::time_of_day;

fn furnished() -> Fake {
    let fake = Fake::with_sessions(&[("192.0.2.1", "caller"), ("192.0.2.2", "bob")]);
    let mut tables = fake.tables();
    for (id, session, path, user) in [
        (3, 1, r"\PIPE\srvsvc", "caller"),
        (5, 2, "/srv/data/a.txt", "bob"),
        (6, 2, "/srv/data/b.txt", "bob"),
        (9, 2, r"\PIPE\srvsvc", "bob"),
        (12, 1, "/srv/Other/c.txt", "caller"),
    ] {
        let row = OpenRow {
            id,
            session: SessionGlobalId(session),
            path_name: path.to_owned(),
            user_name: Arc::from(user),
            client_name: Arc::from(format!("192.0.2.{session}")),
            permissions: 3,
            num_locks: 1,
        };
        tables.opens.insert(id, row);
    }
    for (name, share_type) in [("data", 0), ("IPC$", 0x8000_0003), ("Other", 0)] {
        tables.shares.push(ShareRow {
            name: Arc::from(name),
            share_type,
            remark: Arc::from(format!("About {name}")),
            path: format!("/srv/{name}"),
            current_uses: 1,
            max_uses: u32::MAX,
        });
    }
    for (id, share, session) in [(1, "IPC$", 1), (2, "data", 2), (4, "IPC$", 2)] {
        tables.tree_connects.push(TreeConnectRow {
            id,
            session: SessionGlobalId(1),
            share_name: Arc::from(share),
            share_type: if share == "IPC$" { 3 } else { 0 },
            num_opens: 2,
            active: Duration::from_secs(60),
            user_name: Arc::from(if session == 1 { "caller" } else { "bob" }),
            client_name: Arc::from(format!("192.0.2.{session}")),
        });
    }
    drop(tables);
    fake
}

fn files(endpoint: &mut Endpoint, request: &FileEnumRequest) -> FileEnumResponse {
    let stub = endpoint
        .call(opnum::NETR_FILE_ENUM, Ndr20, &request.write(Ndr20))
        .unwrap();
    FileEnumResponse::read(Ndr20, &stub).unwrap()
}

fn all_files(level: u32) -> FileEnumRequest {
    FileEnumRequest {
        level,
        prefered_maximum_length: u32::MAX,
        resume_handle: Some(0),
        ..FileEnumRequest::default()
    }
}

#[test]
fn files_are_listed_filtered_and_paged() {
    let fake = furnished();
    let mut endpoint = admin(&fake);
    let ids = |response: &FileEnumResponse| -> Vec<u32> {
        response.entries.iter().map(|row| row.id).collect()
    };
    for level in [2, 3] {
        let response = files(&mut endpoint, &all_files(level));
        assert_eq!(
            (response.result.0, ids(&response)),
            (0, vec![3, 5, 6, 9, 12])
        );
    }
    for (base_path, user_name, expected) in [
        (Some("/srv/data/"), None, vec![5, 6]),
        (Some("/SRV/OTHER"), None, vec![12]),
        (None, Some("BOB"), vec![5, 6, 9]),
        (None, Some(r"\\192.0.2.1"), vec![3, 12]),
        (Some(r"\PIPE"), Some("bob"), vec![9]),
        (Some("/none"), None, vec![]),
        (Some(""), Some(""), vec![3, 5, 6, 9, 12]),
    ] {
        let request = FileEnumRequest {
            base_path: base_path.map(str::to_owned),
            user_name: user_name.map(str::to_owned),
            ..all_files(3)
        };
        let response = files(&mut endpoint, &request);
        assert_eq!((response.result.0, ids(&response)), (0, expected));
    }
    // Level 2 is four bytes a row.
    let mut request = FileEnumRequest {
        prefered_maximum_length: 8,
        ..all_files(2)
    };
    let mut seen = Vec::new();
    loop {
        let response = files(&mut endpoint, &request);
        assert_eq!(response.total_entries as usize, 5 - seen.len());
        seen.extend(ids(&response));
        request.resume_handle = response.resume_handle;
        if response.result.0 == 0 {
            break;
        }
        assert_eq!(response.result.0, 234);
    }
    assert_eq!(
        (seen, request.resume_handle),
        (vec![3, 5, 6, 9, 12], Some(0))
    );
    let request = FileEnumRequest {
        prefered_maximum_length: 3,
        ..all_files(2)
    };
    assert_eq!(files(&mut endpoint, &request).result.0, 2123);
    assert_eq!(files(&mut endpoint, &all_files(4)).result.0, 124);
    let request = FileEnumRequest {
        base_path: Some("x".repeat(1024)),
        ..all_files(3)
    };
    assert_eq!(files(&mut endpoint, &request).result.0, 87);
    assert_eq!(files(&mut ordinary(&fake), &all_files(4)).result.0, 5);
}

/// A short page of a long table costs what the page holds, whatever is counted.
#[test]
fn a_page_of_files_asks_for_no_more_rows_than_fit() {
    let fake = furnished();
    let row = fake.tables().opens[&12].clone();
    for id in 100..10_100 {
        fake.tables()
            .opens
            .insert(id, OpenRow { id, ..row.clone() });
    }
    for (user_name, total) in [(None, 10_005), (Some("caller"), 10_002)] {
        fake.tables().open_rows = 0;
        let request = FileEnumRequest {
            user_name: user_name.map(str::to_owned),
            prefered_maximum_length: 40,
            ..all_files(2)
        };
        let response = files(&mut admin(&fake), &request);
        assert_eq!(
            (
                response.result.0,
                response.entries.len(),
                response.total_entries
            ),
            (234, 10, total)
        );
        let rows = fake.tables().open_rows;
        assert!(rows <= 12, "{rows} rows were made for 10");
    }
    let response = files(&mut admin(&fake), &all_files(2));
    assert_eq!(
        (
            response.result.0,
            response.entries.len(),
            response.total_entries
        ),
        (0, 10_005, 10_005)
    );
}

#[test]
fn one_file_is_shown_and_closed() {
    let fake = furnished();
    let info = |endpoint: &mut Endpoint, file_id, level| {
        let request = FileGetInfoRequest::<String> {
            server_name: None,
            file_id,
            level,
        };
        let stub = endpoint
            .call(opnum::NETR_FILE_GET_INFO, Ndr20, &request.write(Ndr20))
            .unwrap();
        FileGetInfoResponse::read(Ndr20, level, &stub).unwrap()
    };
    let close = |endpoint: &mut Endpoint, file_id| {
        let request = FileCloseRequest::<String> {
            server_name: None,
            file_id,
        };
        let stub = endpoint
            .call(opnum::NETR_FILE_CLOSE, Ndr20, &request.write(Ndr20))
            .unwrap();
        srvsvc::read_result(Ndr20, &stub).unwrap().0
    };
    let mut endpoint = admin(&fake);
    let row = info(&mut endpoint, 5, 3).info.unwrap();
    assert_eq!((row.id, row.permissions, row.num_locks), (5, 3, 1));
    assert_eq!(
        (&*row.path_name, &*row.user_name),
        ("/srv/data/a.txt", "bob")
    );
    assert_eq!(info(&mut endpoint, 5, 2).info.unwrap().id, 5);
    assert_eq!(info(&mut endpoint, 4, 3).result.0, 2314);
    assert_eq!(info(&mut endpoint, 5, 1).result.0, 124);
    assert_eq!(info(&mut ordinary(&fake), 5, 3).result.0, 5);

    assert_eq!(close(&mut ordinary(&fake), 5), 5);
    assert_eq!(close(&mut endpoint, 5), 0);
    assert_eq!(close(&mut endpoint, 5), 2314);
    assert_eq!(
        close(&mut endpoint, 3),
        5,
        "perhaps the pipe of this very call"
    );
    assert_eq!(close(&mut endpoint, 9), 0);
    assert_eq!(
        fake.tables().opens.keys().copied().collect::<Vec<_>>(),
        [3, 6, 12]
    );
}

#[test]
fn shares_are_listed_by_level() {
    let fake = furnished();
    let ask = |endpoint: &mut Endpoint, opnum, request: &ShareEnumRequest| {
        let stub = endpoint.call(opnum, Ndr20, &request.write(Ndr20)).unwrap();
        ShareEnumResponse::read(Ndr20, &stub).unwrap()
    };
    let request = |level, prefered_maximum_length| ShareEnumRequest {
        server_name: None,
        level,
        prefered_maximum_length,
        resume_handle: Some(0),
    };
    for opnum in [opnum::NETR_SHARE_ENUM, opnum::NETR_SHARE_ENUM_STICKY] {
        for level in [0, 1, 2, 501, 502] {
            let response = ask(&mut admin(&fake), opnum, &request(level, u32::MAX));
            let names: Vec<_> = response.entries.iter().map(|row| &*row.netname).collect();
            assert_eq!(
                (response.result.0, &names[..]),
                (0, &["data", "IPC$", "Other"][..])
            );
            assert_eq!(
                (response.total_entries, response.resume_handle),
                (3, Some(0))
            );
            let is_public = [0, 1, 501].contains(&level);
            let response = ask(&mut ordinary(&fake), opnum, &request(level, u32::MAX));
            assert_eq!(response.result.0, if is_public { 0 } else { 5 });
        }
    }
    let response = ask(
        &mut admin(&fake),
        opnum::NETR_SHARE_ENUM,
        &request(2, u32::MAX),
    );
    let ipc = &response.entries[1];
    assert_eq!((ipc.share_type, &*ipc.remark), (0x8000_0003, "About IPC$"));
    assert_eq!(
        (&*ipc.path, ipc.max_uses, ipc.current_uses),
        ("/srv/IPC$", u32::MAX, 1)
    );

    let mut next = request(0, 1);
    for (expected, result, handle) in [("data", 234, 1), ("IPC$", 234, 2), ("Other", 0, 0)] {
        let response = ask(&mut ordinary(&fake), opnum::NETR_SHARE_ENUM, &next);
        assert_eq!(
            (response.result.0, &*response.entries[0].netname),
            (result, expected)
        );
        assert_eq!(response.resume_handle, Some(handle));
        next.resume_handle = response.resume_handle;
    }
    next.resume_handle = Some(99);
    let response = ask(&mut ordinary(&fake), opnum::NETR_SHARE_ENUM, &next);
    assert_eq!((response.result.0, response.total_entries), (0, 0));
    for level in [3, 1005] {
        let response = ask(
            &mut ordinary(&fake),
            opnum::NETR_SHARE_ENUM,
            &request(level, 1),
        );
        assert_eq!(response.result.0, 124);
    }
}

#[test]
fn one_share_is_shown() {
    let fake = furnished();
    let ask = |endpoint: &mut Endpoint, name: &str, level| {
        let request = ShareGetInfoRequest {
            server_name: None,
            net_name: name.to_owned(),
            level,
        };
        let stub = endpoint
            .call(opnum::NETR_SHARE_GET_INFO, Ndr20, &request.write(Ndr20))
            .unwrap();
        ShareGetInfoResponse::read(Ndr20, level, &stub).unwrap()
    };
    for level in [0, 1, 2, 501, 502, 1005] {
        let info = ask(&mut admin(&fake), "DATA", level).info.unwrap();
        assert_eq!(info.netname, if level == 1005 { "" } else { "data" });
    }
    assert_eq!(ask(&mut admin(&fake), "nothere", 1).result.0, 2310);
    assert_eq!(ask(&mut admin(&fake), "data", 7).result.0, 124);
    assert_eq!(ask(&mut admin(&fake), &"x".repeat(1024), 1).result.0, 87);
    assert_eq!(ask(&mut ordinary(&fake), "data", 1).result.0, 0);
    assert_eq!(ask(&mut ordinary(&fake), "nothere", 2).result.0, 5);
}

#[test]
fn connections_are_listed_by_share_or_client() {
    let fake = furnished();
    let ask = |endpoint: &mut Endpoint, qualifier: Option<&str>, level, length, handle| {
        let request = ConnectionEnumRequest {
            server_name: None,
            qualifier: qualifier.map(str::to_owned),
            level,
            prefered_maximum_length: length,
            resume_handle: handle,
        };
        let stub = endpoint
            .call(opnum::NETR_CONNECTION_ENUM, Ndr20, &request.write(Ndr20))
            .unwrap();
        ConnectionEnumResponse::read(Ndr20, &stub).unwrap()
    };
    let mut endpoint = admin(&fake);
    let response = ask(&mut endpoint, Some("ipc$"), 1, u32::MAX, Some(0));
    let rows: Vec<_> = response
        .entries
        .iter()
        .map(|row| (row.id, &*row.netname))
        .collect();
    assert_eq!(rows, [(1, "192.0.2.1"), (4, "192.0.2.2")]);
    assert_eq!(
        (
            response.entries[0].connection_type,
            response.entries[0].num_users
        ),
        (3, 1)
    );
    let response = ask(&mut endpoint, Some(r"\\192.0.2.2"), 1, u32::MAX, Some(0));
    let rows: Vec<_> = response
        .entries
        .iter()
        .map(|row| (row.id, &*row.netname))
        .collect();
    assert_eq!(rows, [(2, "data"), (4, "IPC$")]);
    let first = ask(&mut endpoint, Some("IPC$"), 0, 4, Some(0));
    assert_eq!(
        (first.result.0, first.entries.len(), first.total_entries),
        (234, 1, 2)
    );
    let second = ask(&mut endpoint, Some("IPC$"), 0, 4, first.resume_handle);
    assert_eq!(
        (second.result.0, second.entries[0].id, second.resume_handle),
        (0, 4, Some(0))
    );
    for (qualifier, level, expected) in [
        (None, 1, 87),
        (Some(""), 1, 87),
        (Some("nothere"), 1, 2310),
        (Some("data"), 2, 124),
        (Some(r"\\192.0.2.9"), 1, 0),
    ] {
        let response = ask(&mut endpoint, qualifier, level, u32::MAX, None);
        assert_eq!((response.result.0, response.entries.len()), (expected, 0));
    }
    assert_eq!(
        ask(&mut ordinary(&fake), Some("data"), 1, u32::MAX, None)
            .result
            .0,
        5
    );
}

#[test]
fn the_server_is_described() {
    let fake = furnished();
    let ask = |endpoint: &mut Endpoint, level| {
        let request = ServerGetInfoRequest::<String> {
            server_name: None,
            level,
        };
        let stub = endpoint
            .call(opnum::NETR_SERVER_GET_INFO, Ndr20, &request.write(Ndr20))
            .unwrap();
        ServerGetInfoResponse::read(Ndr20, level, &stub).unwrap()
    };
    for level in [100, 101, 102] {
        let info = ask(&mut admin(&fake), level).info.unwrap();
        assert_eq!((info.platform_id, &*info.name), (500, "SRV"));
        assert_eq!(info.comment, if level == 100 { "" } else { "A server" });
    }
    assert_eq!(ask(&mut ordinary(&fake), 101).result.0, 0);
    assert_eq!(ask(&mut ordinary(&fake), 102).result.0, 5);
    for level in [0, 99, 1005] {
        assert_eq!(ask(&mut ordinary(&fake), level).result.0, 124);
    }
}

#[test]
fn the_time_of_day_is_told() {
    let fake = furnished();
    let stub = RemoteTodRequest::<String> { server_name: None }.write(Ndr20);
    let reply = ordinary(&fake)
        .call(opnum::NETR_REMOTE_TOD, Ndr20, &stub)
        .unwrap();
    let info = RemoteTodResponse::read(Ndr20, &reply)
        .unwrap()
        .info
        .unwrap();
    assert_eq!(info.elapsedt, 1_795_241_096);
    assert_eq!(
        (info.year, info.month, info.day, info.weekday),
        (2026, 11, 21, 6)
    );
    assert_eq!(
        (info.hours, info.mins, info.secs, info.hunds),
        (6, 4, 56, 78)
    );
}

#[test]
fn dates_are_right_at_their_edges() {
    // `date -u -d @SECONDS '+%Y %m %d %w'`
    for (seconds, expected) in [
        (0, (1970, 1, 1, 4)),
        (86_399, (1970, 1, 1, 4)),
        (951_782_400, (2000, 2, 29, 2)),
        (951_868_800, (2000, 3, 1, 3)),
        (1_709_164_800, (2024, 2, 29, 4)),
        (4_107_456_000, (2100, 2, 28, 0)),
        (4_107_542_400, (2100, 3, 1, 1)),
        (-1, (1969, 12, 31, 3)),
    ] {
        let info = time_of_day(FileTime::from_unix(seconds, 0));
        assert_eq!(
            (info.year, info.month, info.day, info.weekday),
            expected,
            "{seconds}"
        );
    }
    let _ = time_of_day(FileTime(0));
    let _ = time_of_day(FileTime(u64::MAX));
}
