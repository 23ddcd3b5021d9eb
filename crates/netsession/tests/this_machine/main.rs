//! The client's end of the Unix socket, with peers that are absent, silent, wrong or limited.

mod endless;
mod peer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use netsession::netapi::Netapi;
use netsession::{Error, ErrorKind, Options, Server, SessionFilter, SessionInfo, SessionLevel};
use peer::Peer;
use rpc::association::server::Call;
use srvsvc::{EnumResponse, NetApiStatus, SessionEnumRequest};

async fn list(server: &mut Server, filter: &SessionFilter) -> Result<Vec<SessionInfo>, Error> {
    server
        .sessions(filter, SessionLevel::Info10)
        .collect()
        .await
}

async fn refused(options: &Options) -> Error {
    let started = Instant::now();
    let error = Server::this_machine(options).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(3), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
    error
}

#[tokio::test]
async fn nobody_listens() {
    let directory = tempfile::tempdir().unwrap();
    let stale = directory.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    assert!(stale.exists());
    let absent = directory.path().join("absent.sock");
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [stale, absent, file.join("below"), file] {
        let options = Options {
            local_socket: Some(path.clone()),
            ..Options::default()
        };
        let error = refused(&options).await;
        assert_eq!(error.kind(), ErrorKind::ServerNotStarted, "{error}");
        assert_eq!(error.net_api_status(), 2114, "{error}");
        let line = error.to_string();
        assert!(line.contains(&*path.to_string_lossy()), "{line}");
        assert!(line.contains("netsession serve"), "{line}");
    }
}

#[tokio::test]
async fn silence() {
    let peer = Peer::start(|stream| async move {
        let _stream = stream;
        std::future::pending().await
    });
    let error = refused(&peer.options()).await;
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::TimedOut, 121)
    );
}

#[tokio::test]
async fn hangs_up() {
    let peer = Peer::start(|stream| async move { drop(stream) });
    let error = refused(&peer.options()).await;
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::ConnectionLost, 64),
        "{error}"
    );
}

/// bind_ack headers that lie about their length, and what is no PDU.
#[tokio::test]
async fn garbage() {
    let header = |length: u16| {
        let mut bytes = vec![5, 0, 12, 3, 0x10, 0, 0, 0];
        bytes.extend(length.to_le_bytes());
        bytes.extend([0, 0, 1, 0, 0, 0]);
        bytes
    };
    for bytes in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        header(0),
        header(15),
        header(16),
        [header(24), vec![0xFF; 8]].concat(),
        // A response where a bind_ack belongs.
        [
            &[5, 0, 2, 3, 0x10, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0][..],
            &[0; 8],
        ]
        .concat(),
    ] {
        let peer = Peer::saying(bytes);
        let error = refused(&peer.options()).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains("netsession"), "{error}");
    }
    // The rest never comes, of the header or of the longest fragment there can be.
    for bytes in [header(60)[..7].to_vec(), header(u16::MAX)] {
        let peer = Peer::saying(bytes);
        let error = refused(&peer.options()).await;
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    }
}

fn read(call: &Call) -> SessionEnumRequest {
    SessionEnumRequest::read(call.syntax, &call.stub).unwrap()
}

fn row(cname: &str, username: &str) -> srvsvc::SessionInfo {
    srvsvc::SessionInfo {
        cname: cname.to_owned(),
        username: username.to_owned(),
        ..srvsvc::SessionInfo::default()
    }
}

fn answer(
    call: &Call,
    entries: Vec<srvsvc::SessionInfo>,
    resume_handle: Option<u32>,
    result: NetApiStatus,
) -> Option<Vec<u8>> {
    let response = EnumResponse {
        level: read(call).level,
        total_entries: 99,
        entries,
        resume_handle,
        result,
    };
    Some(response.write(call.syntax))
}

/// The call after one that got no answer, or was dropped, goes over a fresh connection.
#[tokio::test]
async fn after_a_call_without_an_end() {
    let answers = Arc::new(AtomicBool::new(true));
    let speaks = answers.clone();
    let peer = Peer::answering(move |call| {
        let speaks = speaks.load(Ordering::Relaxed);
        speaks.then(|| answer(call, vec![row("a", "b")], Some(0), NetApiStatus::SUCCESS))?
    });
    let options = peer.options();
    let mut server = Server::this_machine(&options).await.unwrap();
    let all = SessionFilter::default();
    assert_eq!(list(&mut server, &all).await.unwrap().len(), 1);
    assert_eq!(peer.connections(), 1);

    answers.store(false, Ordering::Relaxed);
    let error = list(&mut server, &all).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    answers.store(true, Ordering::Relaxed);
    assert_eq!(list(&mut server, &all).await.unwrap().len(), 1);
    assert_eq!(peer.connections(), 2);

    answers.store(false, Ordering::Relaxed);
    let dropped = tokio::time::timeout(Duration::from_millis(50), list(&mut server, &all));
    dropped.await.unwrap_err();
    answers.store(true, Ordering::Relaxed);
    assert_eq!(list(&mut server, &all).await.unwrap().len(), 1);
    assert_eq!(peer.connections(), 3);
}

/// Who is connected goes on when the socket is removed; nobody else comes.
#[tokio::test]
async fn a_socket_that_was_removed() {
    let peer = Peer::answering(|call| answer(call, Vec::new(), Some(0), NetApiStatus::SUCCESS));
    let path = peer.path();
    let mut server = Server::this_machine(&peer.options()).await.unwrap();
    let all = SessionFilter::default();
    assert_eq!(list(&mut server, &all).await.unwrap(), []);
    std::fs::remove_file(path).unwrap();
    assert_eq!(list(&mut server, &all).await.unwrap(), []);
    let error = refused(&peer.options()).await;
    assert_eq!(error.net_api_status(), 2114);
}

/// Runs blocking calls beside the peer's tasks.
async fn beside<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(call).await.unwrap()
}

fn netapi(peer: &Peer) -> Netapi {
    let netapi = Netapi::new();
    netapi.set_options(peer.options());
    netapi
}

/// A server that lists everything, whatever is asked for, as Samba does.
#[tokio::test]
async fn a_server_that_ignores_filters() {
    let peer = Peer::answering(|call| {
        let rows = vec![row(r"\\10.0.0.1", "Alice"), row("10.0.0.2", "bob")];
        answer(call, rows, Some(7), NetApiStatus::SUCCESS)
    });
    let mut server = Server::this_machine(&peer.options()).await.unwrap();
    let filter = |client: Option<&str>, user: Option<&str>| SessionFilter {
        client: client.map(str::to_owned),
        user: user.map(str::to_owned),
    };
    for (client, user, expected) in [
        (None, None, Ok(2)),
        (Some("10.0.0.1"), None, Ok(1)),
        (Some(r"\\10.0.0.2"), Some("BOB"), Ok(1)),
        (Some("10.0.0.2"), Some("alice"), Err(2312)),
        (None, Some("alice"), Ok(1)),
        (None, Some("carol"), Err(2221)),
    ] {
        let result = list(&mut server, &filter(client, user)).await;
        let result = result.map(|sessions| sessions.len());
        let result = result.map_err(|error| error.net_api_status());
        assert_eq!(result, expected, "{client:?} {user:?}");
    }
    let netapi = netapi(&peer);
    beside(move || {
        for (client, user, expected) in [
            (None, None, Ok((2, 99))),
            (Some(r"\\10.0.0.1"), None, Ok((1, 1))),
            (Some(r"\\10.0.0.2"), Some("alice"), Err(2312)),
            (None, Some("carol"), Err(2221)),
        ] {
            let result = netapi.net_session_enum(None, client, user, 10, u32::MAX, Some(0));
            let result = result.map(|found| (found.entries_read, found.total_entries));
            let result = result.map_err(|error| error.net_api_status());
            assert_eq!(result, expected, "{client:?} {user:?}");
        }
        let found = netapi.net_session_get_info(None, Some(r"\\10.0.0.2"), Some("BOB"), 10);
        assert_eq!(found.unwrap().entries[0].username(), Some("bob"));
    })
    .await;
}

/// Samba has levels 0 and 1 only: at level 0 the user is looked for at level 1.
#[tokio::test]
async fn a_user_at_level_0_of_a_server_that_ignores_filters() {
    for known in [[0, 0], [0, 1], [0, 10]] {
        let peer = Peer::answering(move |call| {
            if !known.contains(&read(call).level) {
                return answer(call, Vec::new(), Some(0), NetApiStatus::INVALID_LEVEL);
            }
            let rows = vec![row("10.0.0.1", "alice"), row("10.0.0.1", "bob")];
            answer(call, rows, Some(7), NetApiStatus::SUCCESS)
        });
        let mut server = Server::this_machine(&peer.options()).await.unwrap();
        let names_users = known[1] != 0;
        let filter = SessionFilter {
            client: None,
            user: Some("bob".to_owned()),
        };
        let found = server.sessions(&filter, SessionLevel::Info0);
        let found = found.collect().await.unwrap();
        // Without any user names all of them may be his.
        assert_eq!(found.len(), if names_users { 1 } else { 2 });
        assert!(found.iter().all(|info| info.level() == SessionLevel::Info0));
        let nobody = server.session("10.0.0.1", "carol", SessionLevel::Info0);
        let nobody = nobody.await.map_err(|error| error.net_api_status());
        assert_eq!(nobody.err(), names_users.then_some(2312));
        let netapi = netapi(&peer);
        beside(move || {
            let ask = |user| netapi.net_session_enum(None, None, Some(user), 0, u32::MAX, None);
            assert_eq!(
                ask("alice").unwrap().entries[0].level(),
                SessionLevel::Info0
            );
            let nobody = ask("carol").map_err(|error| error.net_api_status());
            assert_eq!(nobody.err(), names_users.then_some(2221));
        })
        .await;
    }
}

/// 234 for ever: with and without entries, with a handle that stands still or is missing.
#[tokio::test]
async fn more_data_that_never_comes() {
    for (entries, handle) in [(0, Some(0)), (0, Some(5)), (1, Some(0)), (1, None)] {
        let peer = Peer::answering(move |call| {
            let rows = vec![row("a", "b"); entries];
            let asked = read(call).resume_handle;
            answer(call, rows, asked.and(handle), NetApiStatus::MORE_DATA)
        });
        let mut server = Server::this_machine(&peer.options()).await.unwrap();
        let error = list(&mut server, &SessionFilter::default()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Protocol);
        let netapi = netapi(&peer);
        beside(move || {
            let ask = |handle| netapi.net_session_enum(None, None, None, 10, 1, handle);
            assert_eq!(ask(Some(0)).unwrap_err().kind(), ErrorKind::Protocol);
            // Who gives no handle cannot go on, and is not in danger.
            let alone = ask(None).map(|found| (found.entries_read, found.more_data));
            match entries {
                0 => assert_eq!(alone.unwrap_err().kind(), ErrorKind::Protocol),
                _ => assert_eq!(alone.unwrap(), (1, true)),
            }
        })
        .await;
    }
}

/// What the server says of a level or a name reaches the caller as it is.
#[tokio::test]
async fn numbers_pass_through() {
    for number in [5, 8, 50, 87, 124, 1062, 2114, 2221, 2312, 2351, 31_337] {
        let peer =
            Peer::answering(move |call| answer(call, Vec::new(), None, NetApiStatus(number)));
        let netapi = netapi(&peer);
        beside(move || {
            let error = netapi
                .net_session_enum(None, None, None, 10, 1, None)
                .unwrap_err();
            assert_eq!(error.net_api_status(), number);
            assert_eq!(error.name(), NetApiStatus(number).name());
        })
        .await;
    }
}

/// The preferred length, the handle, the names and the level are those of the caller.
#[tokio::test]
async fn parameters_pass_through() {
    let peer = Peer::answering(|call| {
        let request = read(call);
        assert_eq!(request.server_name, None);
        let echo = format!(
            "{:?} {:?} {} {} {:?}",
            request.client_name,
            request.user_name,
            request.level,
            request.prefered_maximum_length,
            request.resume_handle
        );
        answer(
            call,
            vec![row(&echo, "")],
            request.resume_handle,
            NetApiStatus::SUCCESS,
        )
    });
    let netapi = netapi(&peer);
    beside(move || {
        for (client, user, length, handle, expected) in [
            (None, None, 0, None, "None None 1 0 None"),
            (
                Some(""),
                Some(""),
                77,
                Some(9),
                r#"Some("") Some("") 1 77 Some(9)"#,
            ),
            (
                None,
                None,
                u32::MAX,
                Some(0),
                "None None 1 4294967295 Some(0)",
            ),
        ] {
            let found = netapi
                .net_session_enum(None, client, user, 1, length, handle)
                .unwrap();
            assert_eq!(found.entries[0].cname(), expected);
            assert_eq!(found.resume_handle, handle.unwrap_or(0));
        }
    })
    .await;
}
