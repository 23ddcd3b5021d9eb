//! What sessions are and how they end ([MS-SMB2] 3.3.4.12, 3.3.5): a real client against the
//! server, on a clock that moves only when told.

#[path = "scenario/compounds.rs"]
mod compounds;
#[path = "scenario/information.rs"]
mod information;
#[path = "scenario/locks.rs"]
mod locks;
#[path = "scenario/oplocks.rs"]
mod oplocks;
#[path = "scenario/pipes.rs"]
mod pipes;
#[path = "scenario/queries.rs"]
mod queries;
#[path = "scenario/raw.rs"]
mod raw;
#[path = "scenario/security.rs"]
mod security;
#[path = "scenario/sharing.rs"]
mod sharing;
#[path = "scenario/times.rs"]
mod times;
#[path = "scenario/waiting.rs"]
mod waiting;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netsession::Credentials;
use netsession::smb_client::{Connection, Create, Error, Negotiation, Session, Transport};
use netsession_server as server;
use server::account::{Account, AccountStore, SecurityContext};
use server::application::{Application, SessionFilter, SessionGlobalId, SessionRow};
use server::pipe::{Caller, Pipe, PipeRead, PipeService};
use server::share::local::{LocalBackend, LocalOptions};
use server::{Encryption, Limits, ManualClock, Server, ServerConfig, ShareConfig};
use smb::wire::{Command, EchoRequest, Header, SessionSetupRequest, SessionSetupResponse};
use smb::{FileTime, NtStatus};

const ALICE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
const BOB: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 11));
/// Bytes that the in-memory pair holds in each direction.
const PAIR: usize = 64 * 1024;
const LIMIT: Duration = Duration::from_secs(10);

/// The SID of an account.
fn sid_of(name: &str) -> Arc<str> {
    let rid = match name {
        "alice" => 1000,
        "bob" => 1001,
        _ => 1002,
    };
    format!("S-1-5-21-1-2-3-{rid}").into()
}

/// Everybody's password is their name; admin is an administrator.
struct Accounts;

impl AccountStore for Accounts {
    fn account(&self, _domain: &str, user_name: &str) -> Option<Account> {
        let name = user_name.to_lowercase();
        let known = ["admin", "alice", "bob", "gone"].contains(&name.as_str());
        known.then(|| Account {
            nt_hash: smb::auth::nt_hash(&name),
            security_context: Arc::new(SecurityContext {
                user_name: name.as_str().into(),
                domain: "TEST".into(),
                sid: sid_of(&name),
                groups: match name.as_str() {
                    "admin" => [server::account::SID_ADMINISTRATORS.into()].into(),
                    _ => [].into(),
                },
                is_guest: false,
                is_anonymous: false,
            }),
            refused: (name == "gone").then_some(NtStatus::ACCOUNT_DISABLED),
        })
    }

    fn anonymous(&self) -> Option<Arc<SecurityContext>> {
        None
    }
}

struct Scene {
    server: Arc<Server>,
    clock: Arc<ManualClock>,
    directory: tempfile::TempDir,
}

impl Scene {
    fn new(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let clock = Arc::new(ManualClock::new(FileTime::from_unix(1_800_000_000, 0)));
        let mut config = ServerConfig {
            name: "TEST".into(),
            comment: "".into(),
            signing_required: true,
            encryption: Encryption::Enabled,
            min_dialect: 0x0202,
            max_dialect: 0x0311,
            limits: Limits::default(),
            clock: clock.clone(),
            accounts: Arc::new(Accounts),
        };
        change(&mut config);
        let server = Server::new(config).unwrap();
        let directory = tempfile::tempdir().unwrap();
        for name in ["data", "docs"] {
            let root = directory.path().join(name);
            std::fs::create_dir(&root).unwrap();
            let backend = LocalBackend::new(&root, LocalOptions::default()).unwrap();
            let added = server.add_share(ShareConfig {
                name: name.into(),
                remark: String::new(),
                backend: Arc::new(backend),
                read_only: false,
                encrypt_data: false,
                max_uses: None,
            });
            assert!(added);
        }
        Self {
            server: Arc::new(server),
            clock,
            directory,
        }
    }

    fn application(&self) -> Application {
        self.server.application()
    }

    fn rows(&self) -> Vec<SessionRow> {
        self.application()
            .sessions(SessionFilter::default(), None, 100)
            .rows
    }

    fn row(&self, session: &Session) -> Option<SessionRow> {
        self.rows().into_iter().find(|row| row.id.0 == session.id())
    }

    async fn connect(&self, client: IpAddr) -> Connection {
        let (ours, theirs) = tokio::io::duplex(PAIR);
        let server = self.server.clone();
        tokio::spawn(async move { server.serve(theirs, client).await });
        let transport = Transport::new(ours, LIMIT);
        Connection::negotiate(transport, &Negotiation::new("test").unwrap())
            .await
            .unwrap()
    }
}

async fn logon(connection: &Connection, user: &str) -> Session {
    try_logon(connection, user, user).await.unwrap()
}

async fn try_logon(connection: &Connection, user: &str, password: &str) -> Result<Session, Error> {
    Session::logon(connection, &Credentials::new("", user, password), "test").await
}

fn status<T>(result: Result<T, Error>) -> NtStatus {
    match result {
        Ok(_) => NtStatus::SUCCESS,
        Err(error) => error
            .status()
            .unwrap_or_else(|| panic!("no status: {error}")),
    }
}

#[tokio::test]
async fn one_client_two_users_two_shares() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let bob = logon(&connection, "bob").await;
    let data = alice.tree_connect("test", "data").await.unwrap();
    let docs = alice.tree_connect("test", "DOCS").await.unwrap();
    assert_eq!(scene.rows().len(), 2, "a second share joins the session");
    assert!(
        scene
            .rows()
            .iter()
            .all(|row| &*row.client_name == "192.0.2.10")
    );

    let application = scene.application();
    let only = |client, user| {
        let filter = SessionFilter {
            client_name: client,
            user_name: user,
        };
        application.sessions(filter, None, 100).rows.len()
    };
    assert_eq!(only(Some("192.0.2.10"), None), 2);
    assert_eq!(only(Some("192.0.2.10"), Some("BOB")), 1);
    assert_eq!(only(Some("192.0.2.11"), None), 0);
    assert_eq!(only(None, Some("carol")), 0);

    let first = data.create("a", &Create::overwrite()).await.unwrap();
    let second = docs.create("b", &Create::overwrite()).await.unwrap();
    assert_eq!(scene.row(&alice).unwrap().num_opens, 2);
    assert_eq!(scene.row(&bob).unwrap().num_opens, 0);
    let trees = application.tree_connects(SessionFilter::default());
    assert_eq!(
        trees.iter().map(|tree| tree.num_opens).collect::<Vec<_>>(),
        [1, 1]
    );
    first.close().await.unwrap();
    second.close().await.unwrap();
    assert_eq!(scene.row(&alice).unwrap().num_opens, 0);
    assert_eq!(application.opens(SessionFilter::default(), 0, 100).total, 0);
}

#[tokio::test]
async fn idle_time_grows_and_falls_back() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let session = logon(&connection, "alice").await;
    scene.clock.advance(Duration::from_secs(90));
    let row = scene.row(&session).unwrap();
    assert_eq!((row.active.as_secs(), row.idle.as_secs()), (90, 90));
    session.echo().await.unwrap();
    scene.clock.advance(Duration::from_secs(5));
    let row = scene.row(&session).unwrap();
    assert_eq!((row.active.as_secs(), row.idle.as_secs()), (95, 5));
}

#[tokio::test]
async fn ending_one_session_leaves_its_neighbour_on_the_same_connection() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let bob = logon(&connection, "bob").await;
    let alices = alice.tree_connect("test", "data").await.unwrap();
    let bobs = bob.tree_connect("test", "data").await.unwrap();
    let doomed = Create {
        create_options: 0x1040,
        ..Create::overwrite()
    };
    let open = alices.create("doomed", &doomed).await.unwrap();
    let file = bobs.create("kept", &Create::overwrite()).await.unwrap();
    file.write(0, b"still here").await.unwrap();
    let root = scene.directory.path().join("data");
    assert!(root.join("doomed").exists());

    let application = scene.application();
    assert!(application.close_session(SessionGlobalId(alice.id())));
    assert!(
        !application.close_session(SessionGlobalId(alice.id())),
        "ended once"
    );
    // Delete-on-close takes effect; the disk is not waited for by who ends the session.
    let gone = async {
        while root.join("doomed").exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("it is gone");
    assert_eq!(scene.rows().len(), 1);
    assert_eq!(&*file.read(0, 100).await.unwrap(), b"still here");
    assert_eq!(
        status(alices.create("x", &Create::open()).await),
        NtStatus::USER_SESSION_DELETED
    );
    assert_eq!(
        status(open.read(0, 1).await),
        NtStatus::USER_SESSION_DELETED
    );

    // The connection is as good as before.
    let again = logon(&connection, "alice").await;
    assert!(again.id() > bob.id(), "ids are never reused");
    assert_eq!(
        status(again.tree_connect("test", "data").await),
        NtStatus::SUCCESS
    );
}

#[tokio::test]
async fn logoff_and_loss_of_the_connection_end_sessions() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    alice.logoff().await.unwrap();
    assert!(scene.rows().is_empty());
    logon(&connection, "alice").await;
    let other = scene.connect(BOB).await;
    let bob = logon(&other, "bob").await;
    drop(connection);
    drop(alice);
    while scene.rows().len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.rows()[0].id.0, bob.id());
}

#[tokio::test]
async fn refused_logons_leave_nothing_behind() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    for (user, password, expected) in [
        ("alice", "wrong", NtStatus::LOGON_FAILURE),
        ("nobody", "nobody", NtStatus::LOGON_FAILURE),
        ("gone", "wrong", NtStatus::LOGON_FAILURE),
        ("gone", "gone", NtStatus::ACCOUNT_DISABLED),
    ] {
        assert_eq!(
            status(try_logon(&connection, user, password).await),
            expected,
            "{user}"
        );
    }
    assert!(scene.rows().is_empty());
    logon(&connection, "alice").await;
}

#[tokio::test]
async fn an_expired_session_may_only_authenticate_or_leave() {
    let scene = Scene::new(|config| {
        config.limits.session_lifetime = Some(Duration::from_secs(60));
    });
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let tree = alice.tree_connect("test", "data").await.unwrap();
    scene.clock.advance(Duration::from_secs(61));
    let refused = tree.create("x", &Create::overwrite()).await;
    assert_eq!(status(refused), NtStatus::NETWORK_SESSION_EXPIRED);
    assert_eq!(scene.rows().len(), 1, "still listed");
    alice.logoff().await.unwrap();
    assert!(scene.rows().is_empty());
}

#[tokio::test]
async fn a_changed_or_unsigned_or_repeated_request_is_refused() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let write = |out: &mut Vec<u8>| EchoRequest.write(out);

    let mut changed = alice.message(Command::ECHO, 0, write).await.unwrap();
    changed[Header::SIZE + 2] ^= 1;
    let answer = connection.exchange(&changed).await.unwrap();
    assert_eq!(
        Header::read(&answer).unwrap().status,
        NtStatus::ACCESS_DENIED
    );

    let mut unsigned = alice.message(Command::ECHO, 0, write).await.unwrap();
    unsigned[16] &= !8;
    unsigned[Header::SIGNATURE].fill(0);
    let answer = connection.exchange(&unsigned).await.unwrap();
    assert_eq!(
        Header::read(&answer).unwrap().status,
        NtStatus::ACCESS_DENIED
    );

    let good = alice.message(Command::ECHO, 0, write).await.unwrap();
    let answer = connection.exchange(&good).await.unwrap();
    assert_eq!(Header::read(&answer).unwrap().status, NtStatus::SUCCESS);
    assert!(
        connection.exchange(&good).await.is_err(),
        "a repeated message ends the connection"
    );
}

#[tokio::test]
async fn limits_hold() {
    let scene = Scene::new(|config| {
        config.limits.sessions_per_connection = 2;
        config.limits.tree_connects_per_session = 1;
        config.limits.opens_per_session = 1;
    });
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    logon(&connection, "bob").await;
    let third = try_logon(&connection, "bob", "bob").await;
    assert_eq!(status(third), NtStatus::INSUFFICIENT_RESOURCES);
    let tree = alice.tree_connect("test", "data").await.unwrap();
    let second = alice.tree_connect("test", "docs").await;
    assert_eq!(status(second), NtStatus::INSUFFICIENT_RESOURCES);
    let open = tree.create("a", &Create::overwrite()).await.unwrap();
    let second = tree.create("b", &Create::overwrite()).await;
    assert_eq!(status(second), NtStatus::TOO_MANY_OPENED_FILES);
    open.close().await.unwrap();
    tree.create("b", &Create::overwrite()).await.unwrap();
    assert_eq!(scene.rows().len(), 2);
}

/// Ends the caller's own session, after the answer.
struct Ender {
    broken: Arc<AtomicBool>,
}

struct EnderPipe {
    caller: Caller,
    answer: Option<Vec<u8>>,
    close: Vec<SessionGlobalId>,
    broken: Arc<AtomicBool>,
}

impl PipeService for Ender {
    fn open(&self, caller: Caller) -> Result<Box<dyn Pipe>, NtStatus> {
        let broken = self.broken.clone();
        Ok(Box::new(EnderPipe {
            caller,
            answer: None,
            close: Vec::new(),
            broken,
        }))
    }
}

impl Drop for EnderPipe {
    fn drop(&mut self) {
        self.broken.store(true, Ordering::SeqCst);
    }
}

impl Pipe for EnderPipe {
    fn write(&mut self, message: &[u8]) -> Result<(), NtStatus> {
        self.answer = Some(message.to_ascii_uppercase());
        if message == b"end me" {
            self.close.push(self.caller.session);
        }
        Ok(())
    }

    fn read(&mut self, max: usize) -> PipeRead {
        let Some(mut answer) = self.answer.take() else {
            return PipeRead::Empty;
        };
        let rest = answer.split_off(max.min(answer.len()));
        let more = !rest.is_empty();
        if more {
            self.answer = Some(rest);
        }
        PipeRead::Data {
            bytes: answer,
            more,
        }
    }

    fn available(&self) -> usize {
        self.answer.as_ref().map_or(0, Vec::len)
    }

    fn take_close_after_reply(&mut self) -> Vec<SessionGlobalId> {
        std::mem::take(&mut self.close)
    }
}

#[tokio::test]
async fn the_callers_own_session_ends_after_the_reply() {
    let scene = Scene::new(|_| {});
    let broken = Arc::new(AtomicBool::new(false));
    scene.server.register_pipe(
        "Ender",
        Arc::new(Ender {
            broken: broken.clone(),
        }),
    );
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let ipc = alice.tree_connect("test", "IPC$").await.unwrap();
    let pipe = ipc.create("ender", &Create::pipe()).await.unwrap();
    assert_eq!(scene.row(&alice).unwrap().num_opens, 1, "pipes count");
    assert_eq!(
        scene
            .application()
            .opens(SessionFilter::default(), 0, 10)
            .rows[0]
            .path_name,
        r"\PIPE\ender"
    );

    // In two reads: the session lives until the answer is complete.
    pipe.write(0, b"end me").await.unwrap();
    let part = pipe.read(0, 3).await.unwrap();
    assert_eq!((&*part, part.status()), (&b"END"[..], NtStatus::SUCCESS));
    assert_eq!(scene.rows().len(), 1);
    assert_eq!(&*pipe.read(0, 10).await.unwrap(), b" ME");
    assert_eq!(status(alice.echo().await), NtStatus::USER_SESSION_DELETED);
    assert!(scene.rows().is_empty());
    assert!(
        broken.load(Ordering::SeqCst),
        "the pipe is gone with its session"
    );
}

#[tokio::test]
async fn a_waiting_pipe_read_is_answered_when_its_session_ends() {
    let scene = Scene::new(|_| {});
    scene.server.register_pipe(
        "ender",
        Arc::new(Ender {
            broken: Arc::default(),
        }),
    );
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let ipc = alice.tree_connect("test", "IPC$").await.unwrap();
    let pipe = ipc.create("ender", &Create::pipe()).await.unwrap();
    let result = Arc::new(Mutex::new(None));
    let reading = {
        let result = result.clone();
        tokio::spawn(async move {
            let read = pipe.read(0, 10).await.map(|data| data.to_vec());
            *result.lock().unwrap() = Some(status(read));
        })
    };
    // The interim answer has come when the server has counted the read as a request.
    scene.clock.advance(Duration::from_secs(1));
    while scene.row(&alice).unwrap().idle > Duration::ZERO {
        tokio::task::yield_now().await;
    }
    scene
        .application()
        .close_session(SessionGlobalId(alice.id()));
    reading.await.unwrap();
    assert_eq!(*result.lock().unwrap(), Some(NtStatus::CANCELLED));
}

/// Closes the session that its client names, at once.
struct Closer;

struct CloserPipe(Caller);

impl PipeService for Closer {
    fn open(&self, caller: Caller) -> Result<Box<dyn Pipe>, NtStatus> {
        Ok(Box::new(CloserPipe(caller)))
    }
}

impl Pipe for CloserPipe {
    fn write(&mut self, message: &[u8]) -> Result<(), NtStatus> {
        let id = message
            .try_into()
            .map_err(|_| NtStatus::INVALID_PARAMETER)?;
        // Both callers are in here before either goes on.
        std::thread::sleep(Duration::from_millis(50));
        self.0
            .application
            .close_session(SessionGlobalId(u64::from_le_bytes(id)));
        Ok(())
    }

    fn read(&mut self, _max: usize) -> PipeRead {
        PipeRead::Empty
    }

    fn available(&self) -> usize {
        0
    }

    fn take_close_after_reply(&mut self) -> Vec<SessionGlobalId> {
        Vec::new()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_callers_may_end_each_other() {
    let scene = Scene::new(|_| {});
    scene.server.register_pipe("closer", Arc::new(Closer));
    let mut pipes = Vec::new();
    let mut ids = Vec::new();
    for client in [ALICE, BOB] {
        let connection = scene.connect(client).await;
        let session = logon(&connection, "alice").await;
        ids.push(session.id());
        let ipc = session.tree_connect("test", "IPC$").await.unwrap();
        pipes.push(ipc.create("closer", &Create::pipe()).await.unwrap());
    }
    ids.reverse();
    let calls: Vec<_> = pipes
        .into_iter()
        .zip(ids)
        .map(|(pipe, other)| {
            tokio::spawn(async move {
                let _ = pipe.write(0, &other.to_le_bytes()).await;
            })
        })
        .collect();
    for call in calls {
        tokio::time::timeout(LIMIT, call)
            .await
            .expect("no deadlock")
            .unwrap();
    }
    assert!(scene.rows().is_empty());
}

/// Both legs of SESSION_SETUP inside a session that is there already; without a name as nobody.
async fn authenticate_again(session: &Session, user: &str) -> NtStatus {
    authenticate_instead_of(session, user, 0).await
}

/// As [`authenticate_again`], and says which earlier session is gone.
async fn authenticate_instead_of(
    session: &Session,
    user: &str,
    previous_session_id: u64,
) -> NtStatus {
    let credentials = smb::auth::Credentials::new("", user, user);
    let mut initiator = smb::auth::Initiator::new(credentials, "test");
    let setup = |security_buffer| SessionSetupRequest {
        security_mode: 1,
        security_buffer,
        previous_session_id,
        ..SessionSetupRequest::default()
    };
    let token = initiator.start(None);
    let first = session
        .request(Command::SESSION_SETUP, 0, 0, |out| setup(&token).write(out))
        .await
        .unwrap();
    assert_eq!(first.status(), NtStatus::MORE_PROCESSING_REQUIRED);
    let challenge = SessionSetupResponse::read(first.message()).unwrap();
    let step = initiator
        .step(
            challenge.security_buffer,
            FileTime::from_unix(1_800_000_000, 0),
            [7; 8],
            [9; 16],
        )
        .unwrap();
    let second = session
        .request(Command::SESSION_SETUP, 0, 0, |out| {
            setup(&step.token).write(out)
        })
        .await
        .unwrap();
    second.status()
}

#[tokio::test]
async fn an_expired_session_authenticates_again_and_keeps_its_files_and_keys() {
    let scene = Scene::new(|config| {
        config.limits.session_lifetime = Some(Duration::from_secs(60));
    });
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let tree = alice.tree_connect("test", "data").await.unwrap();
    let file = tree.create("kept", &Create::overwrite()).await.unwrap();
    file.write(0, b"before").await.unwrap();
    scene.clock.advance(Duration::from_secs(61));
    assert_eq!(
        status(file.read(0, 9).await),
        NtStatus::NETWORK_SESSION_EXPIRED
    );

    assert_eq!(
        authenticate_again(&alice, "bob").await,
        NtStatus::ACCESS_DENIED
    );
    assert_eq!(
        status(file.read(0, 9).await),
        NtStatus::NETWORK_SESSION_EXPIRED
    );
    assert_eq!(authenticate_again(&alice, "alice").await, NtStatus::SUCCESS);
    assert_eq!(&*file.read(0, 9).await.unwrap(), b"before");
    let rows = scene.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].active.as_secs(), 61, "it is the same session");
}

#[tokio::test]
async fn a_client_that_comes_back_names_its_previous_session() {
    for (user, left) in [("alice", 1), ("bob", 2)] {
        let scene = Scene::new(|_| {});
        let lost = scene.connect(ALICE).await;
        let previous = logon(&lost, "alice").await;
        let connection = scene.connect(ALICE).await;
        let credentials = smb::auth::Credentials::new("", user, user);
        let mut initiator = smb::auth::Initiator::new(credentials, "test");
        let mut token = initiator.start(None);
        let mut session_id = 0;
        loop {
            let mut message = Vec::new();
            Header {
                credit_charge: 1,
                command: Command::SESSION_SETUP,
                credits: 8,
                message_id: connection.take_message_ids(1).await,
                session_id,
                ..Header::default()
            }
            .write(&mut message);
            SessionSetupRequest {
                security_mode: 1,
                previous_session_id: previous.id(),
                security_buffer: &token,
                ..SessionSetupRequest::default()
            }
            .write(&mut message);
            let answer = connection.exchange(&message).await.unwrap();
            let header = Header::read(&answer).unwrap();
            if header.status == NtStatus::SUCCESS {
                break;
            }
            assert_eq!(header.status, NtStatus::MORE_PROCESSING_REQUIRED);
            session_id = header.session_id;
            let challenge = SessionSetupResponse::read(&answer).unwrap();
            let now = FileTime::from_unix(1_800_000_000, 0);
            let step = initiator
                .step(challenge.security_buffer, now, [7; 8], [9; 16])
                .unwrap();
            token = step.token.clone();
        }
        assert_eq!(
            scene.rows().len(),
            left,
            "only a session of the same user ends"
        );
    }
}

/// StructureSize of each command's request, so that bodies get past the first check.
const STRUCTURE_SIZES: [u16; 19] = [
    36, 25, 4, 9, 4, 57, 24, 24, 49, 49, 48, 57, 4, 4, 33, 32, 41, 33, 24,
];

#[tokio::test]
async fn hostile_bodies_are_answered_or_end_the_connection() {
    let scene = Scene::new(|config| config.signing_required = false);
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut answered = 0;
    let mut connections = 0;
    let mut current: Option<(Connection, Session, u32, u64, u64)> = None;
    for _ in 0..4_000 {
        if current.is_none() {
            connections += 1;
            let connection = scene.connect(ALICE).await;
            let session = logon(&connection, "alice").await;
            let tree = session.tree_connect("test", "data").await.unwrap();
            let file = tree.create("target", &Create::overwrite()).await.unwrap();
            let id = file.file_id();
            current = Some((connection, session, tree.id(), id.persistent, id.volatile));
        }
        let Some((connection, session, tree, persistent, volatile)) = &current else {
            break;
        };
        let command = random() as usize % STRUCTURE_SIZES.len();
        let size = STRUCTURE_SIZES[command];
        let length = usize::from(size & !1) - 2 + random() as usize % 64;
        let mut body = size.to_le_bytes().to_vec();
        for _ in 0..length {
            // Mostly small numbers: large ones fail the first bound they meet.
            let byte = random();
            body.push(if byte & 0x300 == 0 {
                byte as u8
            } else {
                (byte & 0x0F) as u8
            });
        }
        // A FileId that exists, where most commands have theirs.
        for place in [8, 16, 24] {
            if random() & 1 == 0 && body.len() >= place + 16 {
                body[place..place + 8].copy_from_slice(&persistent.to_le_bytes());
                body[place + 8..place + 16].copy_from_slice(&volatile.to_le_bytes());
            }
        }
        let mut message = Vec::new();
        Header {
            credit_charge: 1,
            command: Command(command as u16),
            credits: 64,
            message_id: connection.take_message_ids(1).await,
            tree_id: *tree,
            session_id: session.id(),
            ..Header::default()
        }
        .write(&mut message);
        message.extend_from_slice(&body);
        if command == usize::from(Command::CANCEL.0) {
            if connection.send(&message).await.is_err() {
                current = None;
            }
            continue;
        }
        match connection.exchange(&message).await {
            Ok(answer) => {
                answered += 1;
                let status = Header::read(&answer).unwrap().status;
                let lost = [
                    NtStatus::USER_SESSION_DELETED,
                    NtStatus::NETWORK_NAME_DELETED,
                    NtStatus::FILE_CLOSED,
                ];
                if lost.contains(&status) && random() & 3 == 0 {
                    current = None;
                }
            }
            Err(_) => current = None,
        }
    }
    drop(current);
    assert!(answered > 1_000, "only {answered} answers");
    assert!(connections > 1, "nothing ended a connection");
    // The server is well, and holds nothing of all this.
    let connection = scene.connect(BOB).await;
    let bob = logon(&connection, "bob").await;
    while scene.rows().len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.rows()[0].id.0, bob.id());
    assert_eq!(
        scene
            .application()
            .opens(SessionFilter::default(), 0, 10)
            .total,
        0
    );
}
