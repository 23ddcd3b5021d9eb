//! What a diagnosis says of servers of every sort, and that it changes nothing.

use std::net::SocketAddr;
use std::time::Duration;

use netsession::diagnosis::{Diagnosis, Severity, Software, diagnose, diagnose_blocking};
use netsession::smb_client::{Connection, Session};
use netsession::{Credentials, Encryption, ErrorKind, Options, SessionLevel, Syntax, Target};
use service::Service;
use service::config::{LocalSocket, Overrides, ServeConfig};
use smb::wire::Dialect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::admin;
use super::peer::Peer;

/// Generous for loopback, short enough to wait for.
const LIMIT: Duration = Duration::from_millis(500);

fn short() -> Options {
    Options {
        connect_timeout: LIMIT,
        logon_timeout: LIMIT,
        ..Options::default()
    }
}

fn ids(diagnosis: &Diagnosis) -> Vec<&'static str> {
    for finding in &diagnosis.findings {
        assert!(!finding.text.contains('\n') && finding.text.ends_with('.'));
    }
    diagnosis
        .findings
        .iter()
        .map(|finding| finding.id)
        .collect()
}

async fn of_user(peer: &Peer, user: &str) -> Diagnosis {
    let credentials = Credentials::parse(user).unwrap();
    diagnose(peer.target(), &credentials, &Options::default()).await
}

#[tokio::test]
async fn an_administrator_sees_every_step() {
    let peer = Peer::own();
    let found = of_user(&peer, "admin%Adm1n.Pw").await;
    let address: SocketAddr = peer.target().to_string().parse().unwrap();
    assert_eq!(found.user.as_deref(), Some("admin"));
    assert_eq!(
        found.resolution.as_ref().unwrap().result.as_ref().unwrap(),
        &[address]
    );
    assert_eq!(found.connections.len(), 1);
    assert_eq!(found.connections[0].address, address);
    let negotiated = found.negotiation.as_ref().unwrap().result.as_ref().unwrap();
    assert_eq!(negotiated.dialect, Dialect::SMB311);
    assert!(negotiated.signing_required && negotiated.cipher.is_some());
    assert!(negotiated.max_read_size >= 65536);
    let logon = found.logon.as_ref().unwrap().result.as_ref().unwrap();
    assert!(logon.signed && !logon.encrypted && !logon.guest && !logon.anonymous);
    let binding = found.binding.as_ref().unwrap().result.as_ref().unwrap();
    assert_eq!((binding.syntax, binding.encrypted), (Syntax::Ndr64, false));
    let told: Vec<_> = found
        .server_info
        .iter()
        .map(|(level, step)| (*level, step.result.is_ok()))
        .collect();
    assert_eq!(told, [(100, true), (101, true), (102, true)]);
    assert_eq!(found.server().unwrap().name, "SRV");
    assert_eq!(found.software, Some(Software::WindowsLike));
    assert_eq!(found.levels.len(), 5);
    for (level, step) in &found.levels {
        let answer = step.result.as_ref().unwrap();
        assert_eq!(
            (answer.entries_read, answer.total_entries),
            (1, 1),
            "{level:?}"
        );
    }
    let own = found.own_session.as_ref().unwrap();
    assert_eq!(
        (own.level(), own.username()),
        (SessionLevel::Info502, Some("admin"))
    );
    assert_eq!(own.client(), "127.0.0.1");
    assert_eq!(
        ids(&found),
        ["signing-required", "logged-on", "all-levels-open"]
    );
    assert_eq!(found.severity(), Severity::Ok);
    assert!(found.can_list());
}

#[tokio::test]
async fn nothing_is_changed() {
    let peer = Peer::own();
    let alice = Credentials::parse("alice%Al1ce.Pw").unwrap();
    let connection: Connection = super::connection(peer.target(), |_| {}).await;
    let session = Session::logon(&connection, &alice, "127.0.0.1")
        .await
        .unwrap();
    let found = of_user(&peer, "admin%Adm1n.Pw").await;
    assert_eq!(found.own_session.unwrap().username(), Some("admin"));
    session.echo().await.unwrap();
}

#[tokio::test]
async fn a_plain_user_learns_what_is_missing() {
    let peer = Peer::own();
    let found = of_user(&peer, "alice%Al1ce.Pw").await;
    assert_eq!(
        ids(&found),
        ["signing-required", "logged-on", "sessions-denied"]
    );
    assert_eq!(found.severity(), Severity::Failure);
    assert!(!found.can_list() && found.own_session.is_none());
    let text = &found.findings[2].text;
    for word in [
        "alice",
        "Administrators",
        "SrvsvcSessionInfo",
        "DefaultSecurity",
    ] {
        assert!(text.contains(word), "{text}");
    }
    for (_, step) in &found.levels {
        assert_eq!(step.result.as_ref().unwrap_err().net_api_status(), 5);
    }
    // Level 102 is for administrators; what is known comes from 101.
    assert_eq!(
        found.server_info[2]
            .1
            .result
            .as_ref()
            .unwrap_err()
            .net_api_status(),
        5
    );
    assert_eq!(found.server().unwrap().platform_id, 500);
}

#[tokio::test]
async fn refused_logons_say_why() {
    let peer = Peer::own();
    for (user, id) in [
        ("admin%wrong", "wrong-credentials"),
        ("nobody-there%x", "wrong-credentials"),
        ("carol%Car0l.Pw", "account-disabled"),
    ] {
        let found = of_user(&peer, user).await;
        assert_eq!(ids(&found).last(), Some(&id), "{user}");
        assert_eq!(found.severity(), Severity::Failure);
        let error = found.logon.as_ref().unwrap().result.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LogonFailed);
        assert!(found.binding.is_none() && found.levels.is_empty());
    }
}

#[tokio::test]
async fn encryption_that_one_side_lacks() {
    let peer = Peer::own();
    let old = Options {
        dialects: vec![Dialect::SMB210],
        ..Options::default()
    };
    let demanding = Options {
        encryption: Encryption::Required,
        ..old.clone()
    };
    let found = diagnose(peer.target(), &admin(), &old).await;
    assert_eq!(
        ids(&found),
        [
            "old-dialect",
            "signing-required",
            "logged-on",
            "all-levels-open"
        ]
    );
    assert_eq!(found.severity(), Severity::Warning);
    let found = diagnose(peer.target(), &admin(), &demanding).await;
    assert_eq!(ids(&found).last(), Some(&"encryption-not-offered"));
    let encrypting = Peer::encrypting();
    let found = diagnose(encrypting.target(), &admin(), &old).await;
    assert_eq!(ids(&found).last(), Some(&"logon-denied"), "{found:?}");
    let found = diagnose(encrypting.target(), &admin(), &Options::default()).await;
    assert!(ids(&found).contains(&"encrypted") && found.can_list());
    assert!(found.binding.unwrap().result.unwrap().encrypted);
}

#[tokio::test]
async fn no_dialect_in_common() {
    let peer = Peer::own();
    let options = Options {
        dialects: vec![Dialect(0x0299)],
        ..Options::default()
    };
    let found = diagnose(peer.target(), &admin(), &options).await;
    assert_eq!(ids(&found), ["no-common-dialect"], "{found:?}");
    assert_eq!(found.speaks_smb1, Some(false));
}

#[tokio::test]
async fn this_machine_through_its_socket() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("srvsvc.sock");
    let options = Options {
        local_socket: Some(socket.clone()),
        ..Options::default()
    };
    let here = Target::this_machine();
    let found = diagnose(&here, &Credentials::anonymous(), &options).await;
    assert_eq!(ids(&found), ["server-not-started"]);
    let config = ServeConfig::resolve(Overrides {
        listen: Some(vec!["127.0.0.1:0".parse().unwrap()]),
        data_dir: Some(directory.path().join("state")),
        local_socket: Some(LocalSocket::from(socket.into_os_string())),
        ..Overrides::default()
    })
    .unwrap();
    let service = Service::start(config).await.unwrap();
    // The user that the service runs as is an administrator.
    let found = diagnose(&here, &Credentials::anonymous(), &options).await;
    service.stop().await;
    assert_eq!(ids(&found), ["all-levels-open"], "{found:?}");
    assert!(found.user.is_none() && found.resolution.is_none() && found.logon.is_none());
    assert!(found.connections.is_empty() && found.negotiation.is_none());
    assert!(!found.binding.unwrap().result.unwrap().encrypted);
    assert_eq!(found.server_info.len(), 3);
}

#[test]
fn without_async() {
    let target = Target::parse("127.0.0.1:1").unwrap();
    let found = diagnose_blocking(&target, &admin(), &short()).unwrap();
    assert_eq!(ids(&found), ["port-closed"]);
    assert!(found.negotiation.is_none());
}

#[tokio::test]
async fn a_name_that_no_resolver_asks_for() {
    // A label has at most 63 octets: nothing is sent for this one.
    let target = Target::parse(&format!("{}.invalid", "x".repeat(64))).unwrap();
    let found = diagnose(&target, &admin(), &Options::default()).await;
    assert_eq!(ids(&found), ["name-not-found"]);
    assert!(found.connections.is_empty());
}

/// A listener whose connections each get what `answer` does.
async fn strange<F>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> Diagnosis
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    let found = diagnose(&target, &admin(), &short()).await;
    server.abort();
    found
}

async fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).await.unwrap();
    let mut message = vec![0; u32::from_be_bytes(prefix) as usize];
    stream.read_exact(&mut message).await.unwrap();
    message
}

#[tokio::test]
async fn what_is_no_smb_server() {
    let found = strange(async |mut stream| {
        // Until the client has had enough.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!(ids(&found), ["no-answer"]);
    assert!(found.elapsed < LIMIT * 4);
    let found = strange(async |mut stream| {
        read_frame(&mut stream).await;
    })
    .await;
    assert_eq!(ids(&found), ["hangs-up"]);
    assert_eq!(found.speaks_smb1, Some(false));
    let found = strange(async |mut stream| {
        read_frame(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    assert_eq!(ids(&found), ["not-smb"]);
}

#[tokio::test]
async fn a_server_of_smb1_only() {
    let found = strange(async |mut stream| {
        let request = read_frame(&mut stream).await;
        if !request.starts_with(b"\xFFSMB\x72") {
            return;
        }
        // WordCount 17, DialectIndex 0 and the rest of the NT LM response, ByteCount 0.
        let body = [&[17, 0, 0][..], &[0; 32], &[0, 0]].concat();
        let mut answer = [&request[..32], &body].concat();
        answer[9] |= 0x80;
        let frame = [&(answer.len() as u32).to_be_bytes()[..], &answer].concat();
        let _ = stream.write_all(&frame).await;
    })
    .await;
    assert_eq!(ids(&found), ["smb1-only"]);
    assert_eq!(found.speaks_smb1, Some(true));
}
