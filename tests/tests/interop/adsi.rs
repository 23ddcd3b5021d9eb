//! The ADSI view of Samba, which knows levels 0 and 1 of NetrSessionEnum, and level 3 of
//! NetrFileEnum. What it shows of our own server is tested beside it.

use std::time::Duration;

use netsession::adsi::{self, FileService, Resource, ServiceStatus, Session, Value};
use netsession::smb_client::{
    Connection, Create, Negotiation, Open, Session as SmbSession, Transport,
};
use netsession::{Credentials, Options};
use netsession_tests::client::SHORT;
use netsession_tests::subject::{ADMIN, ALICE, BOB, Kind, User};
use netsession_tests::{Options as SubjectOptions, Subject};
use smb::wire::lock::LockElement;
use smb::wire::{Command, LockRequest, lock_flags};
use tokio::time::{Instant, sleep};

fn credentials(user: User) -> Credentials {
    Credentials::new("", user.name, user.password)
}

async fn bind(subject: &Subject, user: User) -> FileService {
    let path = format!(
        "WinNT://{}/LanmanServer,FileService",
        subject.host_and_port()
    );
    let credentials = credentials(user);
    adsi::get_object(&path, &credentials, &Options::default())
        .await
        .expect("it binds")
}

/// Alice at 127.0.0.9, with a file open.
async fn alice(subject: &Subject) -> (SmbSession, Open) {
    let address = subject.address();
    let host = address.ip().to_string();
    let source = Some("127.0.0.9".parse().expect("an address"));
    let transport = Transport::connect(&host, address.port(), source, SHORT)
        .await
        .expect("a connection");
    let negotiation = Negotiation::new(&host).expect("random bytes");
    let connection = Connection::negotiate(transport, &negotiation)
        .await
        .expect("a dialect");
    let session = SmbSession::logon(&connection, &credentials(ALICE), &host)
        .await
        .expect("a session");
    let tree = session.tree_connect(&host, "data").await.expect("a share");
    let open = tree
        .create("locked.bin", &Create::overwrite())
        .await
        .expect("a file");
    (session, open)
}

/// Locks two ranges.
async fn lock(open: &Open) {
    let element = |offset| LockElement {
        offset,
        length: 10,
        flags: lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK
            | lock_flags::SMB2_LOCKFLAG_FAIL_IMMEDIATELY,
    };
    let request = LockRequest {
        file_id: open.file_id(),
        locks: vec![element(0), element(100)],
        ..LockRequest::default()
    };
    open.tree()
        .request(Command::LOCK, 0, |out| request.write(out))
        .await
        .and_then(|response| response.success())
        .expect("two locks");
}

/// Samba's process of her connection has yet to read the message that tells it to.
async fn eventually(otherwise: &str, condition: impl AsyncFn() -> bool) {
    let limit = Instant::now() + SHORT;
    while !condition().await {
        assert!(Instant::now() < limit, "{otherwise}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn samba_at_level_1() {
    let subject = Subject::of(Kind::Samba, SubjectOptions::default());
    let (victim, open) = alice(&subject).await;
    lock(&open).await;
    let fso = bind(&subject, ADMIN).await;
    assert_eq!(
        fso.status().await.expect("a status"),
        ServiceStatus::Running
    );
    let version = fso.get("version").await.expect("a version");
    assert!(
        version.as_str().is_some_and(|text| text.contains('.')),
        "{version}"
    );
    fso.get("MaxUserCount")
        .await
        .expect("an administrator sees it");

    let name = r"alice\127.0.0.9";
    let sessions = fso.sessions();
    let listed = sessions.new_enum().await.expect("a list");
    let names: Vec<String> = listed.as_slice().iter().map(Session::name).collect();
    assert!(names.iter().any(|listed| listed == name), "{names:?}");
    let mut session = sessions.get_object(name).await.expect("hers");
    session.get_info().await.expect("it lives");
    // In a session's first second smbd counts below zero.
    let limit = Instant::now() + SHORT;
    let connected = |session: &Session| session.get("ConnectTime").expect("a time").as_long();
    while !connected(&session).is_some_and(|seconds| (0..60).contains(&seconds)) {
        assert!(Instant::now() < limit, "{session:?}");
        sleep(Duration::from_millis(100)).await;
        session.get_info().await.expect("it lives");
    }
    assert_eq!(session.get("user").expect("a name"), Value::from("alice"));

    let resources = fso.resources();
    let mut listed = resources.new_enum().await.expect("a list");
    let find = |resource: &Resource| resource.path().ends_with("locked.bin");
    let mut resource = listed.find(find).expect("her file");
    assert_eq!(resource.lock_count(), 2, "{resource:?}");
    assert_eq!(resource.get("LockCount").expect("a count"), Value::Long(2));
    assert!(resource.user().ends_with("alice"), "{resource:?}");
    resource.get_info().await.expect("it is open");
    resources.remove(&resource.name()).await.expect("it closes");
    eventually("her file stays open", async || open.flush().await.is_err()).await;
    let error = resource.get_info().await.expect_err("it is closed");
    assert_eq!(error.hresult().0, 0x8007_090A, "{error}");
    // ERROR_FILE_NOT_FOUND, where Windows and ours say NERR_FileIdNotFound.
    let error = resources.remove("1").await.expect_err("there is none");
    assert_eq!(error.hresult().0, 0x8007_0002, "{error}");

    sessions.remove(name).await.expect("it ends");
    eventually("her session goes on", async || victim.echo().await.is_err()).await;
    let error = session.get_info().await.expect_err("it has ended");
    assert_eq!(error.hresult().0, 0x8007_0908, "{error}");
}

#[tokio::test]
async fn samba_refuses_an_ordinary_user() {
    let subject = Subject::of(Kind::Samba, SubjectOptions::default());
    let fso = bind(&subject, BOB).await;
    let error = fso.sessions().new_enum().await.expect_err("refused");
    assert_eq!(error.hresult().0, 0x8007_0005, "{error}");
    let error = fso.resources().new_enum().await.expect_err("refused");
    assert_eq!(error.hresult().0, 0x8007_0005, "{error}");
}
