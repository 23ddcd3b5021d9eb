//! A request and its answer: our client and our server on one thread, in memory between
//! them. The client's share is in the count.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use netsession::smb_client::{
    Connection, Create, Negotiation, Open, Session, Transport, TreeConnect,
};
use netsession::{Credentials, Options, SessionFilter, SessionLevel, Syntax, Target};
use server::account::{Account, AccountStore, SID_ADMINISTRATORS, SecurityContext};
use server::share::local::{LocalBackend, LocalOptions};
use server::{Encryption, Limits, Server, ServerConfig, ShareConfig, SystemClock};
use service::srvsvc_pipe::SrvsvcService;
use tokio::runtime::{Builder, Runtime};

use crate::{Path, Round};

pub(crate) const PATHS: &[Path] = &[
    path("round trip ECHO, signed", echo),
    path("round trip CREATE and CLOSE, signed", create_and_close),
    path("round trip READ 64 KiB, signed", read),
    path("round trip WRITE 64 KiB, signed", write),
    path("round trip NetrSessionEnum, 50 x level 502", session_enum),
];

const fn path(name: &'static str, prepare: fn() -> Round) -> Path {
    Path {
        name,
        allocations: None,
        prepare,
    }
}

const LIMIT: Duration = Duration::from_secs(60);
const ROW_COUNT: usize = 50;
const CHUNK: usize = 64 * 1024;

struct Administrators;

impl AccountStore for Administrators {
    fn account(&self, _domain: &str, user_name: &str) -> Option<Account> {
        Some(Account {
            nt_hash: smb::auth::nt_hash("secret"),
            security_context: Arc::new(SecurityContext {
                user_name: user_name.into(),
                domain: "HOT".into(),
                sid: "S-1-5-21-1-2-3-1000".into(),
                groups: [SID_ADMINISTRATORS.into()].into(),
                is_guest: false,
                is_anonymous: false,
            }),
            refused: None,
        })
    }

    fn anonymous(&self) -> Option<Arc<SecurityContext>> {
        None
    }
}

/// Server and client on one thread.
struct Scene {
    runtime: Runtime,
    server: Arc<Server>,
    /// Removed with the scene.
    _folder: tempfile::TempDir,
}

/// What only a broken build can fail at.
fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("preparing a hot path: {error}"))
}

impl Scene {
    fn new() -> Self {
        let runtime = must(Builder::new_current_thread().enable_all().build());
        let server = must(Server::new(ServerConfig {
            name: "HOT".into(),
            comment: "".into(),
            signing_required: true,
            encryption: Encryption::Enabled,
            min_dialect: 0x0202,
            max_dialect: 0x0311,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
            accounts: Arc::new(Administrators),
        }));
        server.register_pipe(srvsvc::PIPE_NAME, Arc::new(SrvsvcService));
        let folder = must(tempfile::tempdir());
        must(std::fs::write(folder.path().join("file"), vec![7; CHUNK]));
        server.add_share(ShareConfig {
            name: "data".into(),
            remark: String::new(),
            backend: Arc::new(must(LocalBackend::new(
                folder.path(),
                LocalOptions::default(),
            ))),
            read_only: false,
            encrypt_data: false,
            max_uses: None,
        });
        Self {
            runtime,
            server: Arc::new(server),
            _folder: folder,
        }
    }

    /// Takes the whole scene, so that a closure that calls it keeps the folder.
    fn run<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    fn transport(&self) -> Transport {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let server = self.server.clone();
        let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
        self.runtime
            .spawn(async move { server.serve(theirs, client).await });
        Transport::new(ours, LIMIT)
    }

    fn connection(&self) -> Connection {
        let transport = self.transport();
        self.run(async {
            must(Connection::negotiate(transport, &must(Negotiation::new("hot"))).await)
        })
    }

    fn session(&self, connection: &Connection) -> Session {
        let credentials = Credentials::new("", "admin", "secret");
        self.run(async { must(Session::logon(connection, &credentials, "hot").await) })
    }

    fn tree(&self) -> TreeConnect {
        let session = self.session(&self.connection());
        self.run(async { must(session.tree_connect("hot", "data").await) })
    }

    fn open(&self) -> Open {
        let tree = self.tree();
        self.run(async { must(tree.create("file", &Create::open()).await) })
    }
}

fn echo() -> Round {
    let scene = Scene::new();
    let session = scene.session(&scene.connection());
    Box::new(move || scene.run(async { must(session.echo().await) }))
}

fn create_and_close() -> Round {
    let scene = Scene::new();
    let tree = scene.tree();
    Box::new(move || {
        scene.run(async {
            let open = must(tree.create("file", &Create::open()).await);
            must(open.close().await);
        });
    })
}

fn read() -> Round {
    let scene = Scene::new();
    let open = scene.open();
    Box::new(move || {
        scene.run(async {
            must(open.read(0, CHUNK as u32).await);
        });
    })
}

fn write() -> Round {
    let scene = Scene::new();
    let tree = scene.tree();
    let open = scene.run(async { must(tree.create("written", &Create::overwrite()).await) });
    let data = vec![9; CHUNK];
    Box::new(move || {
        scene.run(async {
            must(open.write(0, &data).await);
        });
    })
}

fn session_enum() -> Round {
    let scene = Scene::new();
    let transport = scene.transport();
    let options = Options {
        transfer_syntaxes: vec![Syntax::Ndr20],
        ..Options::default()
    };
    let target = must(Target::parse("hot"));
    let credentials = Credentials::new("", "admin", "secret");
    let mut server = scene.run(async {
        must(netsession::Server::over(transport, &target, &credentials, &options).await)
    });
    let connection = scene.connection();
    let sessions: Vec<_> = (1..ROW_COUNT).map(|_| scene.session(&connection)).collect();
    Box::new(move || {
        scene.run(async {
            let filter = SessionFilter::default();
            let rows = must(
                server
                    .sessions(&filter, SessionLevel::Info502)
                    .collect()
                    .await,
            );
            assert_eq!(rows.len(), sessions.len() + 1);
        });
    })
}
