//! What sessions are and how they end ([MS-SMB2] 3.3.4.12, 3.3.5): a real client against the
//! server, on a clock that moves only when told.

#[path = "scenario/budgets.rs"]
mod budgets;
#[path = "scenario/compounds.rs"]
mod compounds;
#[path = "scenario/directory_leases.rs"]
mod directory_leases;
#[path = "scenario/ea.rs"]
mod ea;
#[path = "scenario/ending.rs"]
mod ending;
#[path = "scenario/events.rs"]
mod events;
#[path = "scenario/gate.rs"]
mod gate;
#[path = "scenario/hostile.rs"]
mod hostile;
#[path = "scenario/information.rs"]
mod information;
#[path = "scenario/interleavings.rs"]
mod interleavings;
#[path = "scenario/lease_client.rs"]
mod lease_client;
#[path = "scenario/leases.rs"]
mod leases;
#[path = "scenario/locks.rs"]
mod locks;
#[path = "scenario/logons.rs"]
mod logons;
#[path = "scenario/memory.rs"]
mod memory;
#[path = "scenario/names.rs"]
mod names;
#[path = "scenario/notify.rs"]
mod notify;
#[path = "scenario/notify_client.rs"]
mod notify_client;
#[path = "scenario/oplocks.rs"]
mod oplocks;
#[path = "scenario/pipes.rs"]
mod pipes;
#[path = "scenario/queries.rs"]
mod queries;
#[path = "scenario/raw.rs"]
mod raw;
#[path = "scenario/sessions.rs"]
mod sessions;
#[path = "scenario/sharing.rs"]
mod sharing;
#[path = "scenario/slow_ends.rs"]
mod slow_ends;
#[path = "scenario/slow_store.rs"]
mod slow_store;
#[path = "scenario/times.rs"]
mod times;
#[path = "scenario/waiting.rs"]
mod waiting;
#[path = "scenario/waiting_compounds.rs"]
mod waiting_compounds;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netsession::Credentials;
use netsession::smb_client::{Connection, Create, Error, Negotiation, Session, Transport};
use netsession_server as server;
use server::account::{Account, AccountStore, SID_ADMINISTRATORS, SecurityContext};
use server::application::{
    Administrator, Application, Ending, Reason, SessionFilter, SessionGlobalId, SessionRow,
};
use server::pipe::{Caller, Pipe, PipeRead, PipeService};
use server::share::Backend;
use server::share::local::{LocalBackend, LocalOptions};
use server::{Encryption, Limits, ManualClock, Server, ServerConfig, ShareConfig};
use smb::wire::{Command, EchoRequest, Header, SessionSetupRequest, SessionSetupResponse};
use smb::{FileTime, NtStatus};
use tokio::task::JoinHandle;

const ALICE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
const BOB: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 11));
/// Bytes that the in-memory pair holds in each direction.
const PAIR: usize = 64 * 1024;
const LIMIT: Duration = Duration::from_secs(10);

/// Everybody's password is their name; root is an administrator.
struct Accounts;

impl AccountStore for Accounts {
    fn account(&self, _domain: &str, user_name: &str) -> Option<Account> {
        let name = user_name.to_lowercase();
        let known = ["alice", "bob", "gone", "root"].contains(&name.as_str());
        let groups = match name.as_str() {
            "root" => [SID_ADMINISTRATORS.into()].into(),
            _ => [].into(),
        };
        known.then(|| Account {
            nt_hash: smb::auth::nt_hash(&name),
            security_context: Arc::new(SecurityContext {
                user_name: name.as_str().into(),
                domain: "TEST".into(),
                groups,
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
        let scene = Self {
            server: Arc::new(server),
            clock,
            directory,
        };
        for name in ["data", "docs"] {
            let root = scene.directory.path().join(name);
            std::fs::create_dir(&root).unwrap();
            scene.share(
                name,
                LocalBackend::new(&root, LocalOptions::default()).unwrap(),
            );
        }
        scene
    }

    fn share(&self, name: &str, backend: impl Backend) {
        let added = self.server.add_share(ShareConfig {
            name: name.into(),
            remark: String::new(),
            backend: Arc::new(backend),
            read_only: false,
            encrypt_data: false,
            max_uses: None,
        });
        assert!(added);
    }

    /// What is shared as `data`, on the machine itself.
    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn opens(&self) -> u32 {
        let opens = self.application();
        opens.opens(SessionFilter::default(), 0, 1).total
    }

    fn application(&self) -> Arc<dyn Application> {
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
        let negotiation = Negotiation::new("test").unwrap();
        self.negotiate(client, &negotiation).await.0
    }

    /// A connection, and the task that serves it.
    async fn negotiate(
        &self,
        client: IpAddr,
        negotiation: &Negotiation,
    ) -> (Connection, JoinHandle<()>) {
        let (ours, theirs) = tokio::io::duplex(PAIR);
        let server = self.server.clone();
        let serving = tokio::spawn(async move { server.serve(theirs, client).await });
        let transport = Transport::new(ours, LIMIT);
        let connection = Connection::negotiate(transport, negotiation).await;
        (connection.unwrap(), serving)
    }
}

/// Lets the server work until it is so. Time does not pass meanwhile if it is paused.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LIMIT, "{what}");
        tokio::task::yield_now().await;
    }
}

/// Who ends what others have.
fn administrator() -> Administrator {
    Administrator {
        user_name: "root".into(),
        client_name: "here".into(),
    }
}

/// As NetrSessionDel does it; false if there is no such session.
fn end(application: &dyn Application, id: u64) -> bool {
    application.close_session(SessionGlobalId(id), Reason::Administrator(administrator()))
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
