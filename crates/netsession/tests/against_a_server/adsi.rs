//! The ADSI view against a server.

use netsession::adsi::{self, FileService, HResult, Resource, ServiceStatus, Session, Value};
use netsession::smb_client::{Create, Open, Session as SmbSession};
use netsession::{Credentials, Options, Target};
use smb::NtStatus;

use crate::peer::Peer;
use crate::{admin, connection_from};

fn path(target: &Target) -> String {
    format!("WinNT://{target}/LanmanServer,FileService")
}

fn alice() -> Credentials {
    Credentials::new("", "alice", "Al1ce.Pw")
}

async fn bind(target: &Target) -> FileService {
    let options = Options {
        source_address: Some("127.0.0.7".parse().unwrap()),
        ..Options::default()
    };
    adsi::get_object(&path(target), &admin(), &options)
        .await
        .unwrap()
}

async fn log_on(target: &Target, source: &str) -> SmbSession {
    let connection = connection_from(target, source).await;
    SmbSession::logon(&connection, &alice(), target.host())
        .await
        .unwrap()
}

async fn open_file(session: &SmbSession, target: &Target, name: &str) -> Open {
    let tree = session.tree_connect(target.host(), "data").await.unwrap();
    tree.create(name, &Create::overwrite()).await.unwrap()
}

fn is_deleted(result: Result<(), netsession::smb_client::Error>) -> bool {
    result.unwrap_err().status() == Some(NtStatus::USER_SESSION_DELETED)
}

fn hresult<T: std::fmt::Debug>(result: adsi::Result<T>) -> u32 {
    let error = result.unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error.hresult().0
}

#[tokio::test]
async fn sessions_are_listed_found_and_removed() {
    let peer = Peer::own();
    let target = peer.target();
    let victim = log_on(target, "127.0.0.9").await;
    let other = log_on(target, "127.0.0.10").await;
    let fso = bind(target).await;
    let sessions = fso.sessions();

    let mut snapshot = sessions.new_enum().await.unwrap();
    assert_eq!(snapshot.len(), 3, "{snapshot:?}");
    let mut names: Vec<String> = snapshot.as_slice().iter().map(Session::name).collect();
    names.sort();
    assert_eq!(
        names,
        [r"admin\127.0.0.7", r"alice\127.0.0.10", r"alice\127.0.0.9"]
    );

    // Case does not distinguish.
    let mut session = sessions.get_object(r"ALICE\127.0.0.9").await.unwrap();
    is_alices(&session, target);

    // The snapshot gives what was there, whatever happens meanwhile.
    let first = snapshot.next().unwrap();
    sessions.remove(r"alice\127.0.0.9").await.unwrap();
    let rest: Vec<String> = snapshot.map(|session| session.name()).collect();
    assert_eq!(rest.len(), 2);
    assert!(!rest.contains(&first.name()));
    assert_eq!(sessions.new_enum().await.unwrap().len(), 2);

    assert!(is_deleted(victim.echo().await));
    other.echo().await.unwrap();

    // The cache outlives the session, and stays as it was.
    assert_eq!(hresult(session.get_info().await), 0x8007_0908);
    is_alices(&session, target);
    let gone = sessions.get_object(r"alice\127.0.0.9").await;
    assert_eq!(hresult(gone), 0x8007_0908);
    let gone = sessions.remove(r"alice\127.0.0.9").await;
    assert_eq!(hresult(gone), 0x8007_0908);

    for wrong in ["", "alice", r"\127.0.0.10", r"alice\"] {
        let bad_parameter = HResult::E_ADS_BAD_PARAMETER.0;
        assert_eq!(hresult(sessions.remove(wrong).await), bad_parameter);
        assert_eq!(hresult(sessions.get_object(wrong).await), bad_parameter);
    }
    other.echo().await.unwrap();
    assert_eq!(hresult(sessions.add("x")), HResult::E_NOTIMPL.0);
}

fn is_alices(session: &Session, target: &Target) {
    let server = format!("WinNT://{target}");
    let text = |name: &str| match session.get(name).unwrap() {
        Value::String(text) => text,
        other => panic!("{name}: {other:?}"),
    };
    for (name, value) in [
        ("User", "alice"),
        ("userpath", &format!("{server}/alice")),
        ("COMPUTER", "127.0.0.9"),
        ("ComputerPath", "WinNT://127.0.0.9"),
        ("Name", r"alice\127.0.0.9"),
        ("Class", "Session"),
        ("Parent", &format!("{server}/LanmanServer")),
        (
            "ADsPath",
            &format!(r"{server}/LanmanServer/alice\127.0.0.9"),
        ),
        ("Schema", &format!("{server}/Schema/Session")),
    ] {
        assert_eq!(text(name), value, "{name}");
    }
    assert_eq!((session.user(), session.computer()), ("alice", "127.0.0.9"));
    let connected = session.get("ConnectTime").unwrap().as_long().unwrap();
    let idle = session.get("IdleTime").unwrap().as_long().unwrap();
    assert!((0..60).contains(&connected) && (0..=connected).contains(&idle));
    assert_eq!(session.connect_time().as_secs(), connected as u64);
    assert_eq!(session.idle_time().as_secs(), idle as u64);
    assert_eq!(
        hresult(session.get("GUID")),
        HResult::E_ADS_PROPERTY_NOT_FOUND.0
    );
    let unsupported = HResult::E_ADS_PROPERTY_NOT_SUPPORTED.0;
    assert_eq!(hresult(session.get("num_opens")), unsupported);
    let bob = Value::from("bob");
    assert_eq!(hresult(session.put("User", &bob)), unsupported);
    assert_eq!(hresult(session.set_info()), HResult::E_NOTIMPL.0);
}

#[tokio::test]
async fn get_info_reads_the_session_anew() {
    let peer = Peer::own();
    let victim = log_on(peer.target(), "127.0.0.9").await;
    let fso = bind(peer.target()).await;
    let name = r"alice\127.0.0.9";
    let mut session = fso.sessions().get_object(name).await.unwrap();
    let before = session.connect_time();
    // Time passes in whole seconds: asked until one has.
    let limit = tokio::time::Instant::now() + crate::LIMIT;
    while session.connect_time() == before {
        assert!(tokio::time::Instant::now() < limit, "the time stands still");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        session.get_info().await.unwrap();
    }
    assert!(session.connect_time() > before);
    victim.echo().await.unwrap();
}

#[tokio::test]
async fn a_name_that_two_share_ends_both() {
    let peer = Peer::own();
    let target = peer.target();
    let one = log_on(target, "127.0.0.9").await;
    let two = log_on(target, "127.0.0.9").await;
    let fso = bind(target).await;
    let shared = |session: &Session| session.name() == r"alice\127.0.0.9";
    let count = fso.sessions().new_enum().await.unwrap().filter(shared);
    assert_eq!(count.count(), 2);
    fso.sessions().remove(r"alice\127.0.0.9").await.unwrap();
    assert!(is_deleted(one.echo().await));
    assert!(is_deleted(two.echo().await));
}

#[tokio::test]
async fn resources_are_listed_found_and_closed() {
    let peer = Peer::own();
    let target = peer.target();
    let session = log_on(target, "127.0.0.9").await;
    let one = open_file(&session, target, "one.txt").await;
    let two = open_file(&session, target, "two.txt").await;
    let fso = bind(target).await;
    let resources = fso.resources();
    let server = format!("WinNT://{target}");

    let snapshot = resources.new_enum().await.unwrap();
    let find = |file: &str| {
        let mut items = snapshot.as_slice().iter();
        let found = items.find(|resource| resource.path().ends_with(file));
        found.expect(file).clone()
    };
    let mut resource: Resource = find("one.txt");
    for (name, value) in [
        ("User", Value::from("alice")),
        ("UserPath", format!("{server}/alice").into()),
        ("path", resource.path().into()),
        ("LockCount", Value::Long(0)),
        ("Name", resource.id().to_string().into()),
        ("Class", "Resource".into()),
        ("Parent", format!("{server}/LanmanServer").into()),
        (
            "ADsPath",
            format!("{server}/LanmanServer/{}", resource.id()).into(),
        ),
        ("Schema", format!("{server}/Schema/Resource").into()),
    ] {
        assert_eq!(resource.get(name).unwrap(), value, "{name}");
    }
    assert_eq!((resource.user(), resource.lock_count()), ("alice", 0));
    resource.get_info().await.unwrap();
    let again = resources.get_object(&resource.name()).await.unwrap();
    assert_eq!((again.id(), again.path()), (resource.id(), resource.path()));

    resources.remove(&resource.name()).await.unwrap();
    let status = one.read(0, 1).await.map(|_| ()).unwrap_err().status();
    assert_eq!(status, Some(NtStatus::FILE_CLOSED));
    two.flush().await.unwrap();

    assert_eq!(hresult(resource.get_info().await), 0x8007_090A);
    let gone = resources.get_object(&resource.name()).await;
    assert_eq!(hresult(gone), 0x8007_090A);
    assert_eq!(
        hresult(resources.remove(&resource.name()).await),
        0x8007_090A
    );
    for wrong in ["", "one.txt", "-1", "4294967296"] {
        let bad_parameter = HResult::E_ADS_BAD_PARAMETER.0;
        assert_eq!(hresult(resources.remove(wrong).await), bad_parameter);
        assert_eq!(hresult(resources.get_object(wrong).await), bad_parameter);
    }
    let unsupported = HResult::E_ADS_PROPERTY_NOT_SUPPORTED.0;
    assert_eq!(hresult(resource.get("Computer")), unsupported);
    assert_eq!(hresult(resource.put("Path", &0.into())), unsupported);
    assert_eq!(hresult(resource.set_info()), HResult::E_NOTIMPL.0);
    assert_eq!(hresult(resources.add("x")), HResult::E_NOTIMPL.0);
}

#[tokio::test]
async fn the_service_tells_what_the_wire_gives() {
    let peer = Peer::own();
    let fso = bind(peer.target()).await;
    let server = format!("WinNT://{}", peer.target());
    let info = netsession::Server::connect(peer.target(), &admin(), &Options::default())
        .await
        .unwrap()
        .server_info(102)
        .await
        .unwrap();
    for (name, value) in [
        ("description", Value::from(info.comment.as_str())),
        ("MaxUserCount", Value::Long(-1)),
        (
            "Version",
            format!("{}.{}", info.version_major, info.version_minor).into(),
        ),
        ("HostComputer", server.as_str().into()),
        ("Name", "LanmanServer".into()),
        ("Class", "FileService".into()),
        ("ADsPath", format!("{server}/LanmanServer").into()),
        ("Parent", server.as_str().into()),
        ("Schema", format!("{server}/Schema/FileService").into()),
    ] {
        assert_eq!(fso.get(name).await.unwrap(), value, "{name}");
    }
    assert_eq!(fso.max_user_count().await.unwrap(), None);
    assert_eq!(fso.status().await.unwrap(), ServiceStatus::Running);
    fso.get_info().await.unwrap();

    let not_found = HResult::E_ADS_PROPERTY_NOT_FOUND.0;
    for name in ["DisplayName", "startType", "GUID"] {
        assert_eq!(hresult(fso.get(name).await), not_found, "{name}");
    }
    let unsupported = HResult::E_ADS_PROPERTY_NOT_SUPPORTED.0;
    assert_eq!(hresult(fso.get("Colour").await), unsupported);
    assert_eq!(hresult(fso.put("Colour", &"red".into())), unsupported);
    assert_eq!(hresult(fso.put("Version", &"1".into())), unsupported);
    let not_made = HResult::E_NOTIMPL.0;
    assert_eq!(hresult(fso.put("description", &"x".into())), not_made);
    assert_eq!(hresult(fso.set_info()), not_made);
    for refused in [
        fso.start(),
        fso.stop(),
        fso.pause(),
        fso.continue_(),
        fso.set_password("x"),
    ] {
        assert_eq!(hresult(refused), not_made);
    }
}

#[tokio::test]
async fn a_user_without_the_right() {
    let peer = Peer::own();
    let bob = Credentials::new("", "bob", "B0b.Pw");
    let fso = adsi::get_object(&path(peer.target()), &bob, &Options::default())
        .await
        .unwrap();
    assert_eq!(hresult(fso.sessions().new_enum().await), 0x8007_0005);
    let own = r"bob\127.0.0.1";
    assert_eq!(hresult(fso.sessions().get_object(own).await), 0x8007_0005);
    assert_eq!(hresult(fso.sessions().remove(own).await), 0x8007_0005);
    assert_eq!(hresult(fso.resources().new_enum().await), 0x8007_0005);
    assert_eq!(hresult(fso.resources().remove("1").await), 0x8007_0005);
    // Level 101 is for everyone, 102 is not.
    fso.get("Description").await.unwrap();
    let not_found = HResult::E_ADS_PROPERTY_NOT_FOUND.0;
    assert_eq!(hresult(fso.get("MaxUserCount").await), not_found);
}

#[tokio::test]
async fn binding_fails() {
    let peer = Peer::own();
    let options = Options::default();
    let wrong = Credentials::new("", "admin", "wrong");
    let refused = adsi::get_object(&path(peer.target()), &wrong, &options).await;
    assert_eq!(hresult(refused), 0x8007_052E);

    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let nowhere = format!("WinNT://{address}/LanmanServer");
    let unreachable = adsi::get_object(&nowhere, &admin(), &options).await;
    assert_eq!(hresult(unreachable), 0x8007_0035);

    for (text, expected) in [
        ("winnt://srv/LanmanServer", HResult::E_ADS_BAD_PATHNAME),
        ("WinNT://srv/LanmanServer,", HResult::E_ADS_BAD_PATHNAME),
        ("WinNT://srv:x/LanmanServer", HResult::E_ADS_BAD_PATHNAME),
        ("WinNT://srv/Spooler", HResult::E_ADS_UNKNOWN_OBJECT),
        (
            "WinNT://srv/LanmanServer,User",
            HResult::E_ADS_UNKNOWN_OBJECT,
        ),
        ("WinNT://srv", HResult::E_ADS_UNKNOWN_OBJECT),
    ] {
        let bound = adsi::get_object(text, &admin(), &options).await;
        assert_eq!(hresult(bound), expected.0, "{text}");
    }
}

#[tokio::test]
async fn a_domain_in_the_path_is_that_of_the_users() {
    let peer = Peer::own();
    let path = format!("WinNT://DOM/{}/lanmanserver", peer.target());
    let fso = adsi::get_object(&path, &admin(), &Options::default())
        .await
        .unwrap();
    assert_eq!(
        fso.ads_path(),
        format!("WinNT://DOM/{}/LanmanServer", peer.target())
    );
    let session = fso.sessions().new_enum().await.unwrap().next().unwrap();
    assert_eq!(session.user_path(), "WinNT://DOM/admin");
    assert_eq!(session.computer_path(), "WinNT://127.0.0.1");
}

/// The user that runs the tests runs the server too, and so may do everything.
#[tokio::test]
async fn this_machine_is_a_dot() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        local_socket: Some(folder.path().join("srvsvc.sock")),
        ..Options::default()
    };
    let path = "WinNT://./LanmanServer";
    let nobody = Credentials::anonymous();
    let not_started = adsi::get_object(path, &nobody, &options).await;
    assert_eq!(hresult(not_started), 0x8007_0842);

    let peer = Peer::with_local_socket(&folder.path().join("srvsvc.sock"));
    let victim = log_on(peer.target(), "127.0.0.9").await;
    let fso = adsi::get_object(path, &nobody, &options).await.unwrap();
    assert_eq!(fso.ads_path(), "WinNT://./LanmanServer");
    let session = fso.sessions().new_enum().await.unwrap().next().unwrap();
    assert_eq!(session.name(), r"alice\127.0.0.9");
    assert_eq!(session.user_path(), "WinNT://./alice");
    fso.sessions().remove(&session.name()).await.unwrap();
    assert!(is_deleted(victim.echo().await));

    assert_eq!(fso.status().await.unwrap(), ServiceStatus::Running);
    drop(peer);
    assert_eq!(fso.status().await.unwrap(), ServiceStatus::Stopped);
    assert_eq!(hresult(fso.sessions().new_enum().await), 0x8007_0842);
}

/// One's own session may be ended; the objects connect again.
#[tokio::test]
async fn the_callers_own_session() {
    let peer = Peer::own();
    let fso = bind(peer.target()).await;
    let sessions = fso.sessions();
    sessions.remove(r"admin\127.0.0.7").await.unwrap();
    let names: Vec<String> = sessions
        .new_enum()
        .await
        .unwrap()
        .map(|session| session.name())
        .collect();
    assert_eq!(names, [r"admin\127.0.0.7"]);

    // Somebody else ends it: one call fails, or finds out and looks again.
    let end = async || {
        let mut server = netsession::Server::connect(peer.target(), &admin(), &Options::default())
            .await
            .unwrap();
        server.end(Some("127.0.0.7"), Some("admin")).await.unwrap();
        server.disconnect().await.unwrap();
    };
    end().await;
    assert_eq!(hresult(sessions.new_enum().await), 0x8007_0040);
    assert_eq!(sessions.new_enum().await.unwrap().len(), 1);
    end().await;
    assert_eq!(fso.status().await.unwrap(), ServiceStatus::Running);
}

/// A call that is given up leaves objects that work.
#[tokio::test]
async fn a_dropped_call() {
    let peer = Peer::own();
    let fso = bind(peer.target()).await;
    let sessions = fso.sessions();
    // A quick server may have answered already when the call looks for the answer.
    let is_given_up = async || {
        let mut call = Box::pin(sessions.new_enum());
        let is_ready = std::future::poll_fn(|context| {
            std::task::Poll::Ready(call.as_mut().poll(context).is_ready())
        });
        !is_ready.await
    };
    let mut tries = 0;
    while !is_given_up().await {
        tries += 1;
        assert!(tries < 1000, "every call ends at once");
    }
    // This one is given up while it connects.
    assert!(is_given_up().await);
    let names = sessions.new_enum().await.unwrap();
    assert!(
        names
            .as_slice()
            .iter()
            .any(|session| session.user() == "admin")
    );
}

#[test]
fn blocking_from_several_threads() {
    let peer = Peer::own();
    let fso = adsi::blocking::get_object(&path(peer.target()), &admin(), &Options::default());
    let fso = fso.unwrap();
    assert_eq!(fso.name(), "LanmanServer");
    assert_eq!(fso.status().unwrap(), ServiceStatus::Running);
    assert_eq!(fso.get("MaxUserCount").unwrap(), Value::Long(-1));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let mut items = fso.sessions().new_enum().unwrap();
                    assert_eq!(items.len(), 1);
                    items.next().unwrap().get_info().unwrap();
                }
            });
        }
    });
    // An object keeps what it needs when the service it came from is gone.
    let mut session = fso.sessions().get_object(r"admin\127.0.0.1").unwrap();
    let resources = fso.resources();
    drop(fso);
    session.get_info().unwrap();
    assert_eq!(session.user(), "admin");
    // The pipe of this very binding is open.
    let pipe = resources.new_enum().unwrap().next().unwrap();
    assert_eq!(pipe.user(), "admin");
    assert_eq!(hresult(resources.add("x")), HResult::E_NOTIMPL.0);
    std::thread::spawn(move || drop((session, resources, pipe)))
        .join()
        .unwrap();
}
