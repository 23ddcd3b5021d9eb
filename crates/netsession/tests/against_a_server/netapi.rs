//! The netapi-shaped functions: numbers in, numbers out.

use netsession::netapi::Netapi;
use netsession::{
    Credentials, Error, ErrorKind, Options, Server, SessionFilter, SessionLevel, blocking,
};

use super::admin;
use super::peer::Peer;

const ALL: u32 = u32::MAX;

/// The functions, asking as admin, with the port as the default.
fn netapi(peer: &Peer) -> (Netapi, String) {
    let netapi = Netapi::new();
    netapi.set_credentials(Some(admin()));
    netapi.set_port(peer.target().port());
    (netapi, format!(r"\\{}", peer.target().host()))
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> u32 {
    result.map_or_else(|error| error.net_api_status(), |_| 0)
}

fn connect(peer: &Peer, source: &str) -> blocking::Server {
    let options = Options {
        source_address: Some(source.parse().unwrap()),
        ..Options::default()
    };
    blocking::Server::connect(peer.target(), &admin(), &options).unwrap()
}

#[test]
fn every_level_and_every_spelling_of_the_server() {
    let peer = Peer::start();
    let (netapi, server) = netapi(&peer);
    let target = peer.target();
    let full = format!("{}:{}", target.host(), target.port());
    for server in [&*server, target.host(), &full, &format!(r"\\{full}")] {
        for level in peer.levels() {
            let found = netapi
                .net_session_enum(Some(server), None, None, level.into(), ALL, Some(0))
                .unwrap();
            assert!(!found.more_data);
            assert_eq!(found.entries_read as usize, found.entries.len());
            assert!(found.total_entries >= found.entries_read);
            assert!(found.entries.iter().all(|info| info.level() == level));
            if peer.is_ours() {
                assert_eq!(found.entries_read, 1, "one session for all calls");
                assert_eq!(found.resume_handle, 0);
            }
        }
    }
}

/// Nothing is sent: no server is there that could answer.
#[test]
fn what_is_refused_without_asking() {
    let netapi = Netapi::new();
    netapi.set_port(1);
    let server = Some("127.0.0.1");
    for level in [3, 11, 501, 503, u32::MAX] {
        let result = netapi.net_session_enum(server, None, None, level, ALL, None);
        assert_eq!(code(result), 124, "{level}");
        let result = netapi.net_session_get_info(server, Some(r"\\a"), Some("b"), level);
        assert_eq!(code(result), 124, "{level}");
    }
    for (client, user) in [
        (None, None),
        (None, Some("b")),
        (Some(r"\\a"), None),
        (Some(""), Some("b")),
        (Some(r"\\a"), Some("")),
    ] {
        let result = netapi.net_session_get_info(server, client, user, 10);
        assert_eq!(code(result), 87, "{client:?} {user:?}");
    }
    for (client, user) in [(None, None), (Some(""), Some("")), (None, Some(""))] {
        let result = netapi.net_session_del(server, client, user);
        assert_eq!(code(result), 87, "{client:?} {user:?}");
    }
    for server in ["127.0.0.1", r"\\127.0.0.1:1", "a b", r"\\srv\share", r"\\"] {
        let result = netapi.net_session_enum(Some(server), None, None, 10, ALL, None);
        assert_eq!(code(result), 53, "{server}");
    }
    let options = Options {
        local_socket: Some("/nonexistent/srvsvc.sock".into()),
        ..Options::default()
    };
    netapi.set_options(options);
    for server in [None, Some("")] {
        let error = netapi
            .net_session_enum(server, None, None, 10, ALL, None)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServerNotStarted);
        assert_eq!(error.net_api_status(), 2114);
        assert_eq!(error.name(), Some("NERR_ServerNotStarted"));
        let line = error.to_string();
        assert!(line.contains("not running on this machine"), "{line}");
        assert!(line.contains("netsession serve"), "{line}");
    }
}

#[test]
fn codes_of_the_server() {
    let peer = Peer::start();
    let (netapi, server) = netapi(&peer);
    let server = Some(&*server);
    let _other = connect(&peer, "127.0.0.9");
    let level = u32::from(*peer.levels().last().unwrap());
    let list = |client, user| code(netapi.net_session_enum(server, client, user, level, ALL, None));
    let get = |client, user| code(netapi.net_session_get_info(server, client, user, level));
    let del = |client, user| code(netapi.net_session_del(server, client, user));
    assert_eq!(list(Some(r"\\127.0.0.9"), Some("ADMIN")), 0);
    assert_eq!(get(Some(r"\\127.0.0.9"), Some("admin")), 0);
    assert_eq!(list(Some(""), Some("")), 0);
    assert_eq!(list(Some(r"\\198.51.100.1"), None), 2312);
    assert_eq!(list(None, Some("nobody-there")), 2221);
    assert_eq!(get(Some(r"\\198.51.100.1"), Some("admin")), 2312);
    assert_eq!(get(Some(r"\\127.0.0.9"), Some("nobody-there")), 2312);
    // Names go as they are; Samba answers for all the names it does not look at.
    if peer.is_ours() {
        assert_eq!(list(Some("127.0.0.9"), None), 2351);
        assert_eq!(get(Some("127.0.0.9"), Some("admin")), 2351);
        assert_eq!(del(Some("127.0.0.9"), None), 2312);
        assert_eq!(del(Some(r"\\198.51.100.1"), None), 2312);
        assert_eq!(del(Some(r"\\127.0.0.9"), Some("admin")), 0);
        assert_eq!(get(Some(r"\\127.0.0.9"), Some("admin")), 2312);
    }
    for (credentials, expected) in [
        (Some(Credentials::new("", "admin", "wrong")), 1326),
        (Some(Credentials::new("", "bob", "B0b.Pw")), 5),
        (Some(admin()), 0),
    ] {
        netapi.set_credentials(credentials);
        assert_eq!(list(None, None), expected);
    }
    netapi.set_credentials(None);
    assert_ne!(list(None, None), 0);
}

#[test]
fn pages() {
    let peer = Peer::start();
    let (netapi, server) = netapi(&peer);
    let server = Some(&*server);
    let others: Vec<_> = (2..12)
        .map(|i| connect(&peer, &format!("127.0.0.{i}")))
        .collect();
    for level in peer.levels() {
        let page = |length, handle| {
            netapi
                .net_session_enum(server, None, None, level.into(), length, handle)
                .unwrap()
        };
        let mut clients = Vec::new();
        let mut handle = 0;
        loop {
            let found = page(200, Some(handle));
            assert!(!found.entries.is_empty());
            if peer.is_ours() {
                assert_eq!(
                    found.total_entries as usize,
                    others.len() + 1 - clients.len()
                );
            }
            clients.extend(found.entries.iter().map(|info| info.client().to_owned()));
            if !found.more_data {
                break;
            }
            assert!(found.resume_handle != handle);
            handle = found.resume_handle;
        }
        let expected: Vec<_> = page(ALL, None)
            .entries
            .iter()
            .map(|info| info.client().to_owned())
            .collect();
        assert!(expected.len() > others.len());
        assert_eq!(clients, expected);
        let first = page(0, None);
        assert_eq!(first.resume_handle, 0);
        if peer.is_ours() {
            assert!(first.more_data && first.entries_read == 1);
        }
    }
}

/// Someone else ends our session between two calls. The calls do not notice, and none of
/// them is made twice.
#[test]
fn a_kept_connection_that_died() {
    let peer = Peer::own();
    let local = peer.local_options();
    let (netapi, server) = netapi(&peer);
    let server = Some(&*server);
    let mut console = blocking::Server::this_machine(&local).unwrap();
    let list = || netapi.net_session_enum(server, None, None, 502, ALL, None);
    let sessions = |console: &mut blocking::Server| {
        console
            .sessions(&SessionFilter::default(), SessionLevel::Info502)
            .map(Result::unwrap)
            .count()
    };
    assert_eq!(list().unwrap().entries_read, 1);
    console.end(None, Some("admin")).unwrap();
    assert_eq!(sessions(&mut console), 0);
    assert_eq!(list().unwrap().entries_read, 1);
    console.end(None, Some("admin")).unwrap();
    let victim = connect(&peer, "127.0.0.9");
    assert_eq!(
        code(netapi.net_session_del(server, Some(r"\\127.0.0.9"), None)),
        0
    );
    drop(victim);
    assert_eq!(list().unwrap().entries_read, 1);
    // One's own session: answered first, then ended.
    assert_eq!(code(netapi.net_session_del(server, None, Some("admin"))), 0);
    netapi.close_idle();
    console.end(None, Some("admin")).unwrap_err();
    assert_eq!(sessions(&mut console), 0);
}

#[test]
fn eight_threads() {
    let peer = Peer::start();
    let (netapi, server) = netapi(&peer);
    let level = u32::from(peer.levels()[0]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let found = netapi
                        .net_session_enum(Some(&server), None, None, level, ALL, Some(0))
                        .unwrap();
                    assert!((1..=8).contains(&found.entries_read) || !peer.is_ours());
                }
            });
        }
    });
}

/// A call in the middle of which the own session ends: nothing is hidden then.
#[tokio::test]
async fn the_own_session_ended_in_the_middle() {
    let peer = Peer::own();
    let local = peer.local_options();
    let options = Options {
        page_bytes: 1,
        ..Options::default()
    };
    let mut server = Server::connect(peer.target(), &admin(), &options)
        .await
        .unwrap();
    let _other = Server::connect(peer.target(), &admin(), &options)
        .await
        .unwrap();
    let mut sessions = server.sessions(&SessionFilter::default(), SessionLevel::Info502);
    sessions.next_session().await.unwrap().unwrap();
    let mut console = Server::this_machine(&local).await.unwrap();
    console.end(None, Some("admin")).await.unwrap();
    let error = sessions.next_session().await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.net_api_status(), error.name()),
        (ErrorKind::ConnectionLost, 64, Some("ERROR_NETNAME_DELETED"))
    );
    assert!(sessions.next_session().await.is_none());
}
