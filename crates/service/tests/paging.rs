//! The central promise of NetrSessionEnum: whoever walks the list page by page, while others
//! log on and leave, sees every session that was there throughout exactly once, and none
//! that was not there. Random schedules, each made from its seed alone, over the wire of an
//! in-memory pair.
//!
//! `NETSESSION_PAGING_SEED` runs one schedule only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use netsession::smb_client::{Connection, Negotiation, Session, Transport};
use netsession::{Credentials, Options, Syntax, Target};
use netsession_service::srvsvc_pipe::SrvsvcService;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use server::account::{Account, AccountStore, SID_ADMINISTRATORS, SecurityContext};
use server::application::{Reason, SessionGlobalId};
use server::{Encryption, Limits, ManualClock, Server, ServerConfig};
use smb::FileTime;
use srvsvc::{NetApiStatus, Row, SessionEnumRequest, SessionEnumResponse, SessionInfo, opnum};

/// Schedules run.
const SCHEDULES: u64 = 2_000;
/// Threads they are run on.
const THREADS: u64 = 4;
/// Connections that sessions are opened on, beside the caller's.
const CONNECTIONS: usize = 3;
/// Bytes that an in-memory pair holds in each direction.
const PAIR: usize = 64 * 1024;
const LIMIT: Duration = Duration::from_secs(30);
/// A walk that has not ended after this many pages never ends.
const MOST_PAGES: usize = 200;

/// What happens beside the walk.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody logs on: on which connection, as which user.
    Logon(usize, u8),
    /// An administrator of the server closes a session, counted among those that live.
    Close(usize),
    /// A client logs off.
    Logoff(usize),
    /// A connection is lost with all its sessions.
    Loss(usize),
    /// Everybody leaves.
    Exodus,
}

#[derive(Clone, Copy, Debug)]
enum Filter {
    None,
    Client(usize),
    User(u8),
}

#[derive(Clone, Debug)]
struct Schedule {
    level: u32,
    syntax: Syntax,
    /// Of each call in turn, from the start again after the last.
    prefered_maximum_length: Vec<u32>,
    filter: Filter,
    before: Vec<Step>,
    /// Behind each page in turn.
    between: Vec<Vec<Step>>,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..CONNECTIONS, 0..4u8).prop_map(|(c, u)| Step::Logon(c, u)),
        3 => any::<prop::sample::Index>().prop_map(|i| Step::Close(i.index(1 << 16))),
        3 => any::<prop::sample::Index>().prop_map(|i| Step::Logoff(i.index(1 << 16))),
        1 => (0..CONNECTIONS).prop_map(Step::Loss),
    ]
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let level = prop::sample::select(vec![0, 1, 2, 10, 502]);
    let syntax = prop::sample::select(vec![Syntax::Ndr20, Syntax::Ndr64]);
    // One row a page, a few, and everything.
    let length = prop_oneof![8 => Just(0), 16 => 1..400u32, 1 => Just(u32::MAX)];
    let filter = prop_oneof![
        6 => Just(Filter::None),
        2 => (0..CONNECTIONS).prop_map(Filter::Client),
        2 => (0..4u8).prop_map(Filter::User),
    ];
    let logon = (0..CONNECTIONS, 0..4u8).prop_map(|(c, u)| Step::Logon(c, u));
    let beside = prop_oneof![
        12 => vec(step(), 0..4),
        1 => Just(vec![Step::Exodus]),
    ];
    let before = vec(prop_oneof![9 => logon, 1 => step()], 0..24);
    let between = vec(beside, 0..12);
    (level, syntax, vec(length, 1..4), filter, before, between).prop_map(
        |(level, syntax, prefered_maximum_length, filter, before, between)| Schedule {
            level,
            syntax,
            prefered_maximum_length,
            filter,
            before,
            between,
        },
    )
}

/// Everybody's password is their name; admin is an administrator.
struct Accounts;

impl AccountStore for Accounts {
    fn account(&self, _domain: &str, user_name: &str) -> Option<Account> {
        let groups: &[&str] = match user_name {
            "admin" => &[SID_ADMINISTRATORS],
            _ => &[],
        };
        Some(Account {
            nt_hash: smb::auth::nt_hash(user_name),
            security_context: Arc::new(SecurityContext {
                user_name: user_name.into(),
                domain: "TEST".into(),
                groups: groups.iter().map(|&sid| Arc::from(sid)).collect(),
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

/// Lengths differ, so that rows do.
fn user_name(user: u8) -> String {
    "u".repeat(1 + 5 * usize::from(user))
}

/// Of the last one the caller comes, too.
fn address(connection: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, [1, 22, 133][connection]))
}

/// A session as the test knows it.
struct Living {
    connection: usize,
    user_name: String,
    /// `None` of the caller.
    session: Option<Session>,
}

struct Scene {
    server: Arc<Server>,
    connections: [Option<Connection>; CONNECTIONS],
    /// By id, which grows with each logon.
    living: BTreeMap<u64, Living>,
}

fn transport(server: &Arc<Server>, client: IpAddr) -> Transport {
    let (ours, theirs) = tokio::io::duplex(PAIR);
    let server = server.clone();
    tokio::spawn(async move { server.serve(theirs, client).await });
    Transport::new(ours, LIMIT)
}

fn target() -> Target {
    Target::new("test", 445).unwrap()
}

impl Scene {
    fn new() -> Self {
        let server = Server::new(ServerConfig {
            name: "TEST".into(),
            comment: "".into(),
            signing_required: true,
            encryption: Encryption::Enabled,
            min_dialect: 0x0202,
            max_dialect: 0x0311,
            limits: Limits::default(),
            clock: Arc::new(ManualClock::new(FileTime::from_unix(1_800_000_000, 0))),
            accounts: Arc::new(Accounts),
        })
        .unwrap();
        server.register_pipe(srvsvc::PIPE_NAME, Arc::new(SrvsvcService));
        Self {
            server: Arc::new(server),
            connections: [const { None }; CONNECTIONS],
            living: BTreeMap::new(),
        }
    }

    async fn caller(&mut self, syntax: Syntax) -> netsession::Server {
        let connection = CONNECTIONS - 1;
        let options = Options {
            transfer_syntaxes: vec![syntax],
            ..Options::default()
        };
        let transport = transport(&self.server, address(connection));
        let credentials = Credentials::new("", "admin", "admin");
        let caller = netsession::Server::over(transport, &target(), &credentials, &options)
            .await
            .unwrap();
        assert_eq!(caller.syntax(), syntax);
        let application = self.server.application();
        let page = application.sessions(Default::default(), None, usize::MAX);
        let living = Living {
            connection,
            user_name: "admin".to_owned(),
            session: None,
        };
        self.living.insert(page.rows.last().unwrap().id.0, living);
        caller
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Logon(connection, user) => self.logon(connection, user).await,
            Step::Close(index) => {
                if let Some((id, _)) = self.remove(index) {
                    let application = self.server.application();
                    assert!(application.close_session(SessionGlobalId(id), Reason::Expired));
                }
            }
            Step::Logoff(index) => {
                if let Some((_, session)) = self.remove(index) {
                    session.logoff().await.unwrap();
                }
            }
            Step::Loss(connection) => {
                self.connections[connection] = None;
                self.living.retain(|_, living| {
                    living.connection != connection || living.session.is_none()
                });
                self.settle().await;
            }
            Step::Exodus => {
                while let Some((_, session)) = self.remove(0) {
                    session.logoff().await.unwrap();
                }
            }
        }
    }

    async fn logon(&mut self, connection: usize, user: u8) {
        if self.connections[connection].is_none() {
            let transport = transport(&self.server, address(connection));
            let negotiation = Negotiation::new("test").unwrap();
            self.connections[connection] = Some(
                Connection::negotiate(transport, &negotiation)
                    .await
                    .unwrap(),
            );
        }
        let Some(on) = &self.connections[connection] else {
            unreachable!("connected above");
        };
        let user_name = user_name(user);
        let credentials = Credentials::new("", &user_name, &user_name);
        let session = Session::logon(on, &credentials, "test").await.unwrap();
        let newest = self.living.last_key_value().map_or(0, |(id, _)| *id);
        assert!(session.id() > newest, "ids grow");
        let living = Living {
            connection,
            user_name,
            session: Some(session.clone()),
        };
        self.living.insert(session.id(), living);
    }

    /// Takes one out, never the caller.
    fn remove(&mut self, index: usize) -> Option<(u64, Session)> {
        let ids: Vec<u64> = self
            .living
            .iter()
            .filter(|(_, living)| living.session.is_some())
            .map(|(id, _)| *id)
            .collect();
        let id = *ids.get(index.checked_rem(ids.len())?)?;
        let session = self.living.remove(&id)?.session?;
        Some((id, session))
    }

    /// Waits until the server has noticed a loss.
    async fn settle(&self) {
        let application = self.server.application();
        let gone = async {
            loop {
                let page = application.sessions(Default::default(), None, 0);
                if page.total as usize == self.living.len() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, gone).await.unwrap();
    }

    /// Who has to be on the list behind `after`, in order.
    fn expected(&self, filter: Filter, after: u64) -> Vec<u64> {
        self.living
            .iter()
            .filter(|(id, living)| {
                **id > after
                    && match filter {
                        Filter::None => true,
                        Filter::Client(connection) => living.connection == connection,
                        Filter::User(user) => living.user_name == user_name(user),
                    }
            })
            .map(|(id, _)| *id)
            .collect()
    }

    /// The row shows this session?
    fn shows(&self, row: &SessionInfo, id: u64, level: u32) -> bool {
        let living = &self.living[&id];
        let cname = row.cname.trim_start_matches('\\');
        cname == address(living.connection).to_string()
            && (level == 0 || row.username == living.user_name)
    }
}

/// [`assert!`] for the walk: a failure is shrunk.
fn check(condition: bool, what: &str, of: impl Debug) -> Result<(), TestCaseError> {
    if condition {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("{what}: {of:?}")))
}

async fn walk(schedule: &Schedule, pages: &AtomicU64) -> Result<(), TestCaseError> {
    let mut scene = Scene::new();
    // The caller's row comes among the others.
    let (early, late) = schedule.before.split_at(schedule.before.len() / 2);
    for &step in early {
        scene.take(step).await;
    }
    let mut caller = {
        // Nobody but the caller logs on now: the newest row is the caller's.
        let before = scene.living.len();
        let caller = scene.caller(schedule.syntax).await;
        check(scene.living.len() == before + 1, "caller", before)?;
        caller
    };
    for &step in late {
        scene.take(step).await;
    }

    let mut throughout: BTreeSet<u64> = scene.expected(schedule.filter, 0).into_iter().collect();
    let mut seen = BTreeMap::<u64, u32>::new();
    let (mut handle, mut after) = (0, 0);
    let lengths = schedule.prefered_maximum_length.iter().cycle();
    let mut between = schedule.between.iter();
    for (call, &length) in lengths.enumerate() {
        check(call < MOST_PAGES, "the walk goes on for ever", handle)?;
        pages.fetch_add(1, Ordering::Relaxed);
        let response = enumerate(&mut caller, schedule, length, handle).await;
        let (rows, total) = (&response.entries, response.total_entries as usize);
        let expected = scene.expected(schedule.filter, after);
        if expected.is_empty() && handle == 0 {
            let nothing = match schedule.filter {
                Filter::None => NetApiStatus::SUCCESS,
                Filter::Client(_) => NetApiStatus::CLIENT_NAME_NOT_FOUND,
                Filter::User(_) => NetApiStatus::USER_NOT_FOUND,
            };
            check(response.result == nothing, "nothing fits", &response)?;
            return check(rows.is_empty(), "nothing fits", &response);
        }
        check(total == expected.len(), "TotalEntries", (total, &expected))?;
        check(rows.len() <= total, "more rows than there are", &response)?;
        for (row, &id) in rows.iter().zip(&expected) {
            check(scene.shows(row, id, schedule.level), "not its row", row)?;
            *seen.entry(id).or_default() += 1;
        }
        let size: usize = rows.iter().map(|row| row.size(schedule.level)).sum();
        let fits = size <= length as usize || rows.len() == 1;
        check(fits, "the page is too long", (size, length))?;
        match response.result {
            NetApiStatus::SUCCESS => {
                check(rows.len() == total, "ends early", &response)?;
                check(response.resume_handle == Some(0), "0 at the end", &response)?;
                break;
            }
            NetApiStatus::MORE_DATA => {
                check(rows.len() < total, "234 without more", &response)?;
                check(!rows.is_empty(), "234 without a row", &response)?;
                let next = response.resume_handle.unwrap_or(0);
                check(next != 0 && next != handle, "no progress", &response)?;
                handle = next;
                // What it means is the server's secret; the test knows from the rows.
                after = expected[rows.len() - 1];
            }
            result => return Err(TestCaseError::fail(format!("answered {result:?}"))),
        }
        for &step in between.next().into_iter().flatten() {
            scene.take(step).await;
        }
        throughout.retain(|id| scene.living.contains_key(id));
    }
    check(seen.values().all(|&times| times == 1), "twice", &seen)?;
    let missed: Vec<_> = throughout
        .iter()
        .filter(|id| !seen.contains_key(id))
        .collect();
    check(missed.is_empty(), "missed", missed)
}

async fn enumerate(
    caller: &mut netsession::Server,
    schedule: &Schedule,
    prefered_maximum_length: u32,
    resume_handle: u32,
) -> SessionEnumResponse {
    let (client_name, user_name) = match schedule.filter {
        Filter::None => (None, None),
        Filter::Client(connection) => (Some(format!(r"\\{}", address(connection))), None),
        Filter::User(user) => (None, Some(user_name(user).to_uppercase())),
    };
    let request = SessionEnumRequest {
        server_name: None,
        client_name,
        user_name,
        level: schedule.level,
        prefered_maximum_length,
        resume_handle: Some(resume_handle),
    };
    let stub = request.write(schedule.syntax);
    let stub = caller.call(opnum::NETR_SESSION_ENUM, &stub).await.unwrap();
    let response = SessionEnumResponse::read(schedule.syntax, &stub).unwrap();
    assert_eq!(response.level, schedule.level);
    response
}

/// One schedule, made from its seed; a failing one is shrunk first.
fn run(runtime: &tokio::runtime::Runtime, seed: u64, pages: &AtomicU64) {
    let config = Config {
        cases: 1,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let result = TestRunner::new_with_rng(config, rng).run(&schedule(), |schedule| {
        runtime.block_on(walk(&schedule, pages))
    });
    if let Err(error) = result {
        panic!("NETSESSION_PAGING_SEED={seed}: {error}");
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn every_session_that_stays_is_listed_once() {
    let pages = AtomicU64::new(0);
    if let Ok(seed) = std::env::var("NETSESSION_PAGING_SEED") {
        return run(&runtime(), seed.parse().unwrap(), &pages);
    }
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let pages = &pages;
            scope.spawn(move || {
                let runtime = runtime();
                for seed in (thread..SCHEDULES).step_by(THREADS as usize) {
                    run(&runtime, seed, pages);
                }
            });
        }
    });
    let pages = pages.into_inner();
    assert!(pages > 4 * SCHEDULES, "{pages} pages are hardly a test");
}
