//! The table against a list: whatever comes and goes, both say the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use smb::FileTime;

use super::*;
use crate::application::SessionFilter;
use crate::budget::{self, Budget, Cost, SessionAccount};
use crate::counted::{Counted, Ids};
use crate::open::{GlobalOpenTable, OpenKind, PipeOpen};
use crate::share::Share;
use crate::tree_connect::TreeConnect;

const NOW: FileTime = FileTime(1_000);

const CLIENTS: [&str; 5] = ["192.0.2.1", "192.0.2.2", "[2001:db8::1]", "Desk", "DESK"];
const USERS: [&str; 5] = ["alice", "Alice", "bob", "ÄNNE", "änne"];

fn account(user: &str) -> SessionAccount {
    let budget = Budget::new(budget::Limits::derive(20_000, 8 << 30));
    let mut connection = budget.connection([192, 0, 2, 1].into()).unwrap();
    budget.session(&mut connection, user, false).unwrap()
}

fn session(id: SessionGlobalId, client: &str, user: &str) -> Arc<Session> {
    Arc::new(Session::new(NewSession {
        owner: Owner {
            session: id,
            user_name: user.into(),
            connection: 1,
            client_name: client.into(),
            transport_name: "transport",
            keys: Arc::new(Keys::new(id, None, None)),
            encrypt_data: false,
            num_opens: AtomicU32::new(0),
        },
        security_context: Arc::new(SecurityContext {
            user_name: user.into(),
            domain: "SRV".into(),
            groups: [].into(),
            is_guest: false,
            is_anonymous: false,
        }),
        now: NOW,
        expiration_time: None,
        signing_required: false,
        account: account(user),
    }))
}

#[derive(Clone, Debug)]
enum Step {
    Begin(usize, usize),
    /// Allocated in this order, inserted the other way round.
    BeginTwo(usize, usize),
    End(prop::sample::Index),
    /// A whole stretch leaves.
    EndMany(prop::sample::Index, usize),
    Query {
        client: Option<usize>,
        user: Option<usize>,
        after: prop::sample::Index,
        limit: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let names = || (0..CLIENTS.len(), 0..USERS.len());
    prop_oneof![
        8 => names().prop_map(|(c, u)| Step::Begin(c, u)),
        2 => names().prop_map(|(c, u)| Step::BeginTwo(c, u)),
        4 => any::<prop::sample::Index>().prop_map(Step::End),
        1 => (any::<prop::sample::Index>(), 1..50usize).prop_map(|(i, n)| Step::EndMany(i, n)),
        6 => (
            prop::option::of(0..CLIENTS.len()),
            prop::option::of(0..USERS.len()),
            any::<prop::sample::Index>(),
            0..20usize,
        )
            .prop_map(|(client, user, after, limit)| Step::Query { client, user, after, limit }),
    ]
}

/// The list: (id, client, user).
type Model = Vec<(u64, usize, usize)>;

fn begin(table: &GlobalSessionTable, model: &mut Model, names: &[(usize, usize)]) {
    let ids: Vec<_> = names.iter().map(|_| table.allocate()).collect();
    for (&id, &(client, user)) in ids.iter().zip(names).rev() {
        table.insert(session(id, CLIENTS[client], USERS[user]));
    }
    model.extend(ids.iter().zip(names).map(|(id, &(c, u))| (id.0, c, u)));
}

fn same(wanted: Option<usize>, names: &[&str], one: usize) -> bool {
    wanted.is_none_or(|wanted| names[wanted].to_lowercase() == names[one].to_lowercase())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_table_is_a_list(steps in vec(step(), 1..400)) {
        let table = GlobalSessionTable::default();
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Begin(client, user) => begin(&table, &mut model, &[(client, user)]),
                Step::BeginTwo(client, user) => {
                    begin(&table, &mut model, &[(client, user), (user, client)]);
                }
                Step::End(index) if model.is_empty() => {
                    prop_assert!(table.remove(SessionGlobalId(index.index(9) as u64)).is_none());
                }
                Step::End(index) => {
                    let (id, ..) = model.remove(index.index(model.len()));
                    let id = SessionGlobalId(id);
                    prop_assert_eq!(table.remove(id).map(|session| session.id), Some(id));
                    prop_assert!(table.remove(id).is_none());
                    prop_assert!(table.get(id).is_none());
                }
                Step::EndMany(index, count) => {
                    let from = index.index(model.len() + 1);
                    for (id, ..) in model.drain(from..model.len().min(from + count)) {
                        prop_assert!(table.remove(SessionGlobalId(id)).is_some());
                    }
                }
                Step::Query { client, user, after, limit } => {
                    let newest = table.newest() as usize;
                    let after = Some(after.index(newest + 2) as u64).filter(|id| *id != 0);
                    let filter = SessionFilter {
                        client_name: client.map(|client| CLIENTS[client]),
                        user_name: user.map(|user| USERS[user]),
                    };
                    let page = table.query(filter, after.map(SessionGlobalId), limit, NOW);
                    let expected: Vec<_> = model
                        .iter()
                        .filter(|(id, c, u)| {
                            *id > after.unwrap_or(0)
                                && same(client, &CLIENTS, *c)
                                && same(user, &USERS, *u)
                        })
                        .collect();
                    prop_assert_eq!(page.total as usize, expected.len());
                    prop_assert_eq!(page.rows.len(), expected.len().min(limit));
                    for (row, (id, c, u)) in page.rows.iter().zip(expected) {
                        prop_assert_eq!(row.id.0, *id);
                        prop_assert_eq!(&*row.client_name, CLIENTS[*c]);
                        prop_assert_eq!(&*row.user_name, USERS[*u]);
                    }
                }
            }
            let ids: Vec<_> = table.ids().into_iter().map(|id| id.0).collect();
            prop_assert_eq!(ids, model.iter().map(|(id, ..)| *id).collect::<Vec<_>>());
        }
    }

    /// Enough members for many leaves, in any order.
    #[test]
    fn a_counted_set_is_an_ordered_map(
        seed in any::<u64>(),
        operations in 1..6_000usize,
        growth in 1..10u64,
    ) {
        let mut random = seed;
        let mut next = |bound: u64| {
            // Knuth's generator: its upper bits are random enough.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % bound
        };
        let mut set = Counted::<u64>::default();
        let mut model = BTreeMap::new();
        for operation in 0..operations as u64 {
            let key = match next(4) {
                0 => next(5_000),
                // As ids come: at the end.
                _ => 5_000 + operation,
            };
            // First it mostly grows, then it mostly shrinks.
            let grows = if operation < operations as u64 / 2 { growth } else { 10 - growth };
            if next(10) < grows {
                set.insert(key);
                model.insert(key, ());
            } else {
                let key = model.range(key / 2..).next().map_or(key, |(key, ())| *key);
                prop_assert_eq!(set.remove(key).is_some(), model.remove(&key).is_some());
            }
            prop_assert_eq!(set.is_empty(), model.is_empty());
            if operation % 64 == 0 {
                let from = next(12_000);
                prop_assert_eq!(set.count_from(from), model.range(from..).count());
                prop_assert!(set.iter_from(from).eq(model.range(from..).map(|(key, ())| key)));
                prop_assert_eq!(set.get(from).is_some(), model.contains_key(&from));
            }
        }
        prop_assert_eq!(set.count_from(0), model.len());
        prop_assert!(set.iter_from(0).eq(model.keys()));
    }
}

#[test]
fn ids_of_one_and_of_many() {
    let mut ids = Ids::One(7);
    assert_eq!((ids.count_from(7), ids.count_from(8)), (1, 0));
    assert_eq!(ids.iter_from(8).count(), 0);
    ids.insert(3);
    ids.insert(9);
    assert_eq!(ids.iter_from(4).collect::<Vec<_>>(), [7, 9]);
    assert!(!ids.remove(7) && !ids.remove(3));
    assert_eq!(ids.count_from(0), 1);
    assert!(ids.remove(9), "none is left");
    assert!(!Ids::One(1).remove(2));
}

/// What ten thousand idle sessions on connections of their own cost is mostly this, beside
/// what the runtime keeps for a task and a socket. Whoever needs more has to mean it.
#[test]
fn an_idle_session_is_small() {
    fn future<A, B, C, D, F>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }
    let connection = future(crate::connection::run::<tokio::net::TcpStream>);
    assert!(connection <= 1_024, "{connection} bytes");
    // The list that debug builds keep of what was signed is not in what users run.
    let checks = if cfg!(debug_assertions) {
        size_of::<Mutex<std::collections::HashSet<u64>>>()
    } else {
        0
    };
    let session = size_of::<Session>() - checks;
    assert!(session <= 192, "{session} bytes");
    let tree = size_of::<TreeConnect>();
    assert!(tree <= 48, "{tree} bytes");
}

/// Writers and readers at once: a page is always sorted, within its filter, and never tells
/// of more rows than its total; sessions that stay are in every list.
#[test]
fn pages_are_whole_while_others_come_and_go() {
    let table = GlobalSessionTable::default();
    let stay: Vec<_> = (0..500)
        .map(|_| {
            let id = table.allocate();
            table.insert(session(id, CLIENTS[0], USERS[2]));
            id
        })
        .collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in [CLIENTS[1], CLIENTS[2]] {
            let (table, done) = (&table, &done);
            scope.spawn(move || {
                for _ in 0..30 {
                    let ids: Vec<_> = (0..300)
                        .map(|number| {
                            let id = table.allocate();
                            table.insert(session(id, client, USERS[number % 2]));
                            id
                        })
                        .collect();
                    for id in ids {
                        assert!(table.remove(id).is_some());
                    }
                }
                done.store(true, Ordering::Release);
            });
        }
        for filter in [
            SessionFilter::default(),
            SessionFilter {
                client_name: Some(CLIENTS[0]),
                ..Default::default()
            },
            SessionFilter {
                client_name: Some(CLIENTS[0]),
                user_name: Some("BOB"),
            },
        ] {
            let (table, done, stay) = (&table, &done, &stay);
            scope.spawn(move || {
                while !done.load(Ordering::Acquire) {
                    let (mut seen, mut after) = (Vec::new(), None);
                    loop {
                        let page = table.query(filter, after, 64, NOW);
                        assert!(page.rows.len() <= page.total as usize);
                        let Some(last) = page.rows.last() else { break };
                        after = Some(last.id);
                        seen.extend(page.rows.iter().map(|row| row.id));
                    }
                    assert!(seen.is_sorted_by(|one, next| one < next));
                    let stayed = seen.iter().filter(|id| id.0 <= stay[499].0);
                    assert!(stayed.eq(stay), "each of them, once");
                }
            });
        }
    });
    let left = table.query(SessionFilter::default(), None, 0, NOW);
    assert_eq!(left.total, 500);
}

/// Whose an open is stays known although its session is no more.
#[test]
fn an_open_outlives_its_session() {
    let share = Arc::new(Share::ipc());
    share.current_uses.fetch_add(1, Ordering::Relaxed);
    let tree = Arc::new(TreeConnect {
        id: 1,
        share,
        creation_time: NOW,
        num_opens: AtomicU32::new(0),
        maximal_access: 0,
    });
    let table = GlobalOpenTable::default();
    let stays = session(SessionGlobalId(1), CLIENTS[0], USERS[0]);
    let leaves = session(SessionGlobalId(2), CLIENTS[0], USERS[0]);
    for (id, session) in [(1, &leaves), (2, &stays), (3, &leaves), (4, &stays)] {
        let held = session.account.charge(Cost::bytes(0)).unwrap();
        let pipe = PipeOpen::new("srvsvc".into(), None, held);
        let charge = session.account.charge(Cost::PIPE).unwrap();
        let open = Open::new(
            id,
            &session.owner,
            tree.clone(),
            0,
            OpenKind::Pipe(pipe),
            charge,
        );
        table.insert(Arc::new(open));
    }
    let files = crate::file::FileTable::default();
    drop(leaves);
    for limit in 1..6 {
        let page = table.query(&files, 0, limit);
        let rows: Vec<_> = page
            .rows
            .iter()
            .map(|row| (row.id, row.session.0))
            .collect();
        assert_eq!(rows, [(1, 2), (2, 1), (3, 2), (4, 1)][..limit.min(4)]);
    }
    assert!(table.query(&files, 4, 5).rows.is_empty());
}
