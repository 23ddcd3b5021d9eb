//! The client against a real server. `NETSESSION_TEST_SERVER` (`127.0.0.1:1545`) names the
//! one that is asked by the tests of this file and of `dropping`, `netapi` and `tampering`;
//! without it they start ours. It has a writable share `data` and the accounts
//! admin/Adm1n.Pw (an administrator), alice/Al1ce.Pw and bob/B0b.Pw, and knows the levels
//! in `NETSESSION_TEST_LEVELS` (0 and 1 if that is not set). The tests count sessions, so
//! such a server is asked with `--test-threads=1`.
//!
//! `adsi`, `churn`, `diagnosis`, `this_machine` and what needs other settings or the local
//! socket start ours in any case: they know more of it than the calls tell.

mod adsi;
mod churn;
mod diagnosis;
mod dropping;
mod netapi;
mod peer;
mod tampering;
mod this_machine;

use std::time::Duration;

use netsession::smb_client::{Connection, Create, Negotiation, Session, Transport};
use netsession::{
    Credentials, Encryption, Ended, ErrorKind, Options, Server, SessionFilter, SessionInfo,
    SessionLevel, Syntax, Target, UserFlags,
};
use peer::Peer;
use smb::NtStatus;
use smb::crypto::{Cipher, SigningAlgorithm};
use smb::wire::Dialect;

const LIMIT: Duration = Duration::from_secs(10);

fn admin() -> Credentials {
    Credentials::parse("admin%Adm1n.Pw").unwrap()
}

/// The server encrypts without being asked to.
async fn encrypts(target: &Target) -> bool {
    let connection = connection(target, |_| {}).await;
    Session::logon(&connection, &admin(), target.host())
        .await
        .unwrap()
        .is_encrypted()
}

async fn connection(target: &Target, change: impl FnOnce(&mut Negotiation)) -> Connection {
    let transport = Transport::connect(target.host(), target.port(), None, LIMIT)
        .await
        .unwrap();
    let mut negotiation = Negotiation::new(target.host()).unwrap();
    change(&mut negotiation);
    Connection::negotiate(transport, &negotiation)
        .await
        .unwrap()
}

#[tokio::test]
async fn lists_and_ends_a_session() {
    let peer = Peer::start();
    for syntaxes in peer.transfer_syntaxes() {
        lists_and_ends(&peer, syntaxes).await;
    }
}

async fn lists_and_ends(peer: &Peer, syntaxes: Vec<Syntax>) {
    let target = peer.target();
    // Ours prefers NDR64, as Windows does; Samba does not know it.
    let syntax = match syntaxes.contains(&Syntax::Ndr64) && peer.is_ours() {
        true => Syntax::Ndr64,
        false => Syntax::Ndr20,
    };
    let options = Options {
        source_address: Some("127.0.0.7".parse().unwrap()),
        transfer_syntaxes: syntaxes,
        ..Options::default()
    };
    let alice = Credentials::parse("alice%Al1ce.Pw").unwrap();
    let victim = connection_from(target, "127.0.0.9").await;
    let session = Session::logon(&victim, &alice, target.host())
        .await
        .unwrap();
    let _tree = session.tree_connect(target.host(), "IPC$").await.unwrap();

    let mut server = Server::connect(target, &admin(), &options).await.unwrap();
    assert_eq!(server.dialect(), Some(Dialect::SMB311));
    assert_eq!(server.signing_algorithm(), Some(SigningAlgorithm::AES_GMAC));
    assert!(server.cipher().is_some());
    assert_eq!(server.syntax(), syntax);
    for level in peer.levels() {
        let sessions = server
            .sessions(&SessionFilter::default(), level)
            .collect()
            .await
            .unwrap();
        assert!(sessions.iter().any(|s| s.client() == "127.0.0.9"));
        if peer.is_ours() {
            assert_eq!(sessions.len(), 2, "alice and the caller");
            assert_our_row(&sessions[0], level);
        }
        if level != SessionLevel::Info0 {
            assert!(sessions.iter().any(|s| s.username() == Some("alice")));
            let one = server.session("127.0.0.9", "alice", level).await.unwrap();
            assert_eq!(one.username(), Some("alice"));
        }
    }
    let error = server
        .session("127.0.0.9", "nobody-there", peer.levels()[0])
        .await;
    if peer.levels()[0] != SessionLevel::Info0 {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NoSuchSession);
    }
    let filter = SessionFilter {
        client: Some("198.51.100.1".to_owned()),
        user: None,
    };
    let error = server
        .sessions(&filter, peer.levels()[0])
        .collect()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::NoSuchSession, 2312)
    );
    let info = server.server_info(101).await.unwrap();
    assert!(!info.name.is_empty(), "{info:?}");
    let shares = server.shares(1).await.unwrap();
    for name in ["data", "IPC$"] {
        assert!(shares.iter().any(|share| share.netname == name), "{name}");
    }

    let ended = server.end(Some("127.0.0.9"), Some("alice")).await.unwrap();
    assert_eq!(ended, Ended::Confirmed);
    if peer.is_ours() {
        let status = session.echo().await.unwrap_err().status();
        assert_eq!(status, Some(NtStatus::USER_SESSION_DELETED));
    } else {
        // Samba's process of that connection has yet to read the message to end.
        let gone = async { while session.echo().await.is_ok() {} };
        tokio::time::timeout(LIMIT, gone).await.unwrap();
    }
    // Samba says 5 here, Windows 2312, and so do we.
    let error = server
        .end(Some("127.0.0.9"), Some("alice"))
        .await
        .unwrap_err();
    match error.kind() {
        ErrorKind::AccessDenied if !peer.is_ours() => {}
        kind => assert_eq!(
            (kind, error.net_api_status()),
            (ErrorKind::NoSuchSession, 2312)
        ),
    }
    assert_eq!(
        server
            .end(None, Some(""))
            .await
            .unwrap_err()
            .net_api_status(),
        87
    );
    server.disconnect().await.unwrap();
}

/// Alice's, who has connected IPC$ and opened nothing.
fn assert_our_row(row: &SessionInfo, level: SessionLevel) {
    assert_eq!(row.level(), level);
    let cname = match level {
        SessionLevel::Info502 => "127.0.0.9",
        _ => r"\\127.0.0.9",
    };
    assert_eq!(row.cname(), cname, "{level:?}");
    let expected = (level != SessionLevel::Info0).then_some("alice");
    assert_eq!(row.username(), expected, "{level:?}");
    assert!(row.idle_time() <= row.time(), "{row:?}");
    assert!(row.time() < Some(Duration::from_secs(60)), "{row:?}");
    assert!(row.num_opens().is_none_or(|opens| opens == 0), "{row:?}");
    let flags = row.user_flags().unwrap_or_default();
    assert_eq!(flags, UserFlags::default(), "{row:?}");
    assert!(row.cltype_name().is_none_or(str::is_empty), "{row:?}");
    assert_eq!(
        row.transport().is_some_and(|name| !name.is_empty()),
        level == SessionLevel::Info502
    );
}

async fn connection_from(target: &Target, source: &str) -> Connection {
    let source = Some(source.parse().unwrap());
    let transport = Transport::connect(target.host(), target.port(), source, LIMIT)
        .await
        .unwrap();
    Connection::negotiate(transport, &Negotiation::new(target.host()).unwrap())
        .await
        .unwrap()
}

/// An administrator has ended the caller's session: what it asks for next is not done, and
/// does not look as if it were.
#[tokio::test]
async fn ending_over_a_connection_that_was_lost_before() {
    let peer = Peer::own();
    let target = peer.target();
    let mut console = Server::this_machine(&peer.local_options()).await.unwrap();
    let alice = Credentials::parse("alice%Al1ce.Pw").unwrap();
    let victim = connection_from(target, "127.0.0.9").await;
    let session = Session::logon(&victim, &alice, target.host())
        .await
        .unwrap();
    for encryption in [Encryption::IfRequired, Encryption::Required] {
        let options = Options {
            encryption,
            ..Options::default()
        };
        let mut server = Server::connect(target, &admin(), &options).await.unwrap();
        let ended = console.end(None, Some("admin")).await.unwrap();
        assert_eq!(ended, Ended::Confirmed);
        let error = server.end(Some("127.0.0.9"), None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        session.echo().await.unwrap();
    }
}

#[tokio::test]
async fn every_dialect() {
    let peer = Peer::start();
    let target = peer.target();
    for dialect in [
        Dialect::SMB202,
        Dialect::SMB210,
        Dialect::SMB300,
        Dialect::SMB302,
        Dialect::SMB311,
    ] {
        let options = Options {
            dialects: vec![dialect],
            ..Options::default()
        };
        if dialect < Dialect::SMB300 && encrypts(target).await {
            let error = Server::connect(target, &admin(), &options)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            continue;
        }
        let mut server = Server::connect(target, &admin(), &options).await.unwrap();
        assert_eq!(server.dialect(), Some(dialect));
        server
            .sessions(&SessionFilter::default(), peer.levels()[0])
            .collect()
            .await
            .unwrap();
        server.disconnect().await.unwrap();
    }
}

#[tokio::test]
async fn every_cipher_and_signing_algorithm() {
    let peer = Peer::start();
    let target = peer.target();
    for cipher in [
        Cipher::AES128_CCM,
        Cipher::AES128_GCM,
        Cipher::AES256_CCM,
        Cipher::AES256_GCM,
    ] {
        let connection = connection(target, |n| n.ciphers = vec![cipher]).await;
        assert_eq!(connection.negotiated().cipher, Some(cipher));
        let session = Session::logon(&connection, &admin(), target.host())
            .await
            .unwrap();
        session.require_encryption().unwrap();
        let tree = session.tree_connect(target.host(), "IPC$").await.unwrap();
        tree.create("srvsvc", &Create::pipe())
            .await
            .unwrap()
            .close()
            .await
            .unwrap();
        session.logoff().await.unwrap();
    }
    for algorithm in [
        SigningAlgorithm::AES_GMAC,
        SigningAlgorithm::AES_CMAC,
        SigningAlgorithm::HMAC_SHA256,
    ] {
        let connection = connection(target, |n| n.signing_algorithms = vec![algorithm]).await;
        assert_eq!(connection.negotiated().signing_algorithm, algorithm);
        let session = Session::logon(&connection, &admin(), target.host())
            .await
            .unwrap();
        session.echo().await.unwrap();
        session.logoff().await.unwrap();
    }
}

#[tokio::test]
async fn encryption_required() {
    let peer = Peer::start();
    let target = peer.target();
    let options = Options {
        encryption: Encryption::Required,
        ..Options::default()
    };
    let mut server = Server::connect(target, &admin(), &options).await.unwrap();
    assert!(server.is_encrypted());
    server
        .sessions(&SessionFilter::default(), peer.levels()[0])
        .collect()
        .await
        .unwrap();
    server.disconnect().await.unwrap();

    let options = Options {
        dialects: vec![Dialect::SMB210],
        ..options
    };
    let error = Server::connect(target, &admin(), &options)
        .await
        .unwrap_err();
    if encrypts(target).await {
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        return;
    }
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::Refused, 50),
        "{error}"
    );
}

#[tokio::test]
async fn logon_failures() {
    let peer = Peer::start();
    let target = peer.target();
    let wrong = Credentials::new("", "admin", "wrong");
    let error = Server::connect(target, &wrong, &Options::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::LogonFailed, 1326),
        "{error}"
    );
    let bob = Credentials::new("", "bob", "B0b.Pw");
    let mut server = Server::connect(target, &bob, &Options::default())
        .await
        .unwrap();
    let error = server
        .sessions(&SessionFilter::default(), peer.levels()[0])
        .collect()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::AccessDenied, 5),
        "{error}"
    );
    server.disconnect().await.unwrap();
}

/// Only ours is known to have such an account.
#[tokio::test]
async fn a_disabled_account_is_told_so() {
    let peer = Peer::start();
    let carol = Credentials::new("", "carol", "Car0l.Pw");
    let error = Server::connect(peer.target(), &carol, &Options::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LogonFailed, "{error}");
    if peer.is_ours() {
        assert_eq!(error.net_api_status(), 1331, "{error}");
        assert!(error.to_string().contains("enable the account"), "{error}");
    }
}

/// Whatever the client offers, it is encrypted or it is refused.
#[tokio::test]
async fn a_server_that_requires_encryption() {
    let peer = Peer::encrypting();
    for syntaxes in peer.transfer_syntaxes() {
        let options = Options {
            transfer_syntaxes: syntaxes,
            ..Options::default()
        };
        let mut server = Server::connect(peer.target(), &admin(), &options)
            .await
            .unwrap();
        assert!(server.is_encrypted());
        for level in peer.levels() {
            let sessions = server
                .sessions(&SessionFilter::default(), level)
                .collect()
                .await;
            assert!(!sessions.unwrap().is_empty());
        }
        server.disconnect().await.unwrap();
    }
    let options = Options {
        dialects: vec![Dialect::SMB210],
        ..Options::default()
    };
    let error = Server::connect(peer.target(), &admin(), &options)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
}

#[tokio::test]
async fn two_sessions_on_one_connection_and_files() {
    let peer = Peer::start();
    let target = peer.target();
    let connection = connection(target, |_| {}).await;
    let one = Session::logon(&connection, &admin(), target.host())
        .await
        .unwrap();
    let alice = Credentials::parse("alice%Al1ce.Pw").unwrap();
    let two = Session::logon(&connection, &alice, target.host())
        .await
        .unwrap();
    assert_ne!(one.id(), two.id());
    let tree = one.tree_connect(target.host(), "data").await.unwrap();
    let name = format!("client-test-{}", std::process::id());
    let open = tree.create(&name, &Create::overwrite()).await.unwrap();
    // More than 64 KiB: several credits.
    let bytes: Vec<u8> = (0..300_000u32).map(|i| i as u8).collect();
    assert_eq!(open.write(0, &bytes).await.unwrap(), 300_000);
    assert_eq!(&open.read(0, 300_000).await.unwrap()[..], &bytes[..]);
    open.flush().await.unwrap();
    open.close().await.unwrap();
    let delete = Create {
        create_options: 0x1000,
        ..Create::overwrite()
    };
    tree.create(&name, &delete)
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    let error = tree.create(&name, &Create::open()).await.unwrap_err();
    assert_eq!(error.status(), Some(NtStatus::OBJECT_NAME_NOT_FOUND));
    one.logoff().await.unwrap();
    two.echo().await.unwrap();
    if one.is_encrypted() {
        // [MS-SMB2] 3.3.5.2.1.1: the server cannot decrypt it and drops the connection.
        one.echo().await.unwrap_err();
        return;
    }
    assert_eq!(
        one.echo().await.unwrap_err().status(),
        Some(NtStatus::USER_SESSION_DELETED)
    );
}

#[tokio::test]
async fn a_list_of_several_fragments() {
    let peer = Peer::start();
    let target = peer.target();
    let connection = connection(target, |_| {}).await;
    let mut sessions = Vec::new();
    for _ in 0..120 {
        sessions.push(
            Session::logon(&connection, &admin(), target.host())
                .await
                .unwrap(),
        );
    }
    let mut server = Server::connect(target, &admin(), &Options::default())
        .await
        .unwrap();
    for level in peer.levels() {
        let listed = server
            .sessions(&SessionFilter::default(), level)
            .collect()
            .await
            .unwrap();
        assert!(listed.len() > 120, "{level:?} {}", listed.len());
    }
    server.disconnect().await.unwrap();
    for session in sessions {
        session.logoff().await.unwrap();
    }
}

#[test]
fn blocking_face() {
    let peer = Peer::start();
    let target = peer.target();
    let mut server =
        netsession::blocking::Server::connect(target, &admin(), &Options::default()).unwrap();
    let sessions = server.sessions(&SessionFilter::default(), peer.levels()[0]);
    let count = sessions.map(Result::unwrap).count();
    assert!(count > 0);
    assert!(!peer.is_ours() || count == 1);
    assert_eq!(server.facts().dialect(), Some(Dialect::SMB311));
    server.disconnect().unwrap();
}
