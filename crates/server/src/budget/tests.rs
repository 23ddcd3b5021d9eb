//! Small cases, and the promises of the limits; [`model`] has the random ones.

mod logons;
mod model;

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const HOME: &str = "192.0.2.1";
const AWAY: &str = "192.0.2.2";

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Small enough to reach each limit, and different at each level.
fn small() -> Limits {
    let mut limits = Limits::of_whole(64, 48, 256 << 10, 0);
    limits.session[Resource::Opens] = 4;
    limits.session[Resource::Bytes] = 24 << 10;
    limits.user[Resource::Opens] = 7;
    limits.user[Resource::Connections] = 20;
    for (resource, general, hard) in [
        (Resource::Opens, 10, 14),
        (Resource::Connections, 12, 15),
        (Resource::Logons, 3, 3),
    ] {
        limits.address.general[resource] = general;
        limits.address.hard[resource] = hard;
    }
    for (resource, general, hard) in [
        (Resource::Opens, 16, 20),
        (Resource::Connections, 24, 30),
        (Resource::Logons, 8, 8),
    ] {
        limits.server.general[resource] = general;
        limits.server.hard[resource] = hard;
    }
    limits
}

fn assert_empty(budget: &Budget) {
    for resource in Resource::ALL {
        assert_eq!(budget.held(resource), 0, "{resource:?}");
    }
    assert!(budget.0.accounts().is_empty());
    assert_eq!(budget.0.logons.len(), 0);
}

/// Logs a user on, on a connection of his own.
fn logged_on(
    budget: &Budget,
    from: &str,
    user: &str,
    is_administrator: bool,
) -> Result<(ConnectionAccount, SessionAccount), Refused> {
    let mut connection = budget.connection(address(from))?;
    let session = budget.session(&mut connection, user, is_administrator)?;
    Ok((connection, session))
}

#[test]
fn what_it_costs_to_count() {
    assert!(size_of::<Charge>() <= 24);
    assert!(size_of::<Option<Charge>>() <= 24);
    assert!(size_of::<SessionAccount>() + size_of::<Account>() <= 100);
    assert!(size_of::<ConnectionAccount>() <= 64);
}

#[test]
fn a_charge_outlives_its_session() {
    let budget = Budget::new(small());
    let (connection, session) = logged_on(&budget, HOME, "alice", false).unwrap();
    let open = session.charge(Cost::FILE).unwrap();
    drop(session);
    drop(connection);
    assert_eq!(budget.held(Resource::Opens), 1);
    assert_eq!(budget.held(Resource::Descriptors), 1);
    assert_eq!(budget.held(Resource::Connections), 0);
    assert_eq!(open.cost(), Cost::FILE);
    drop(open);
    assert_empty(&budget);
}

#[test]
fn nobody_has_more_by_losing_his_session() {
    let budget = Budget::new(small());
    let (connection, session) = logged_on(&budget, HOME, "alice", false).unwrap();
    let part = Cost::bytes(1 << 10);
    let fill = |charge: &dyn Fn() -> Result<Charge, Refused>| {
        let held: Vec<_> = std::iter::from_fn(|| charge().ok()).collect();
        (held.len(), charge().err().unwrap().level)
    };
    let as_session = fill(&|| session.charge(part));
    drop(session);
    assert_eq!(as_session.1, Level::Session);
    let (count, level) = fill(&|| connection.charge(part));
    // The session itself cost something, too.
    assert!(count <= as_session.0 + 2, "{count}");
    assert_eq!(level, Level::Session);
    drop(connection);
    assert_empty(&budget);
}

#[test]
fn each_level_refuses_and_takes_nothing() {
    let budget = Budget::new(small());
    let mut held = Vec::new();
    let refused = |session: &SessionAccount| session.charge(Cost::PIPE).err().unwrap().level;
    let fill = |session: &SessionAccount, number: usize, held: &mut Vec<Charge>| {
        held.extend((0..number).map(|_| session.charge(Cost::PIPE).unwrap()));
    };
    let (_first, one) = logged_on(&budget, HOME, "alice", false).unwrap();
    fill(&one, 4, &mut held);
    assert_eq!(refused(&one), Level::Session);
    let (_second, two) = logged_on(&budget, HOME, "alice", false).unwrap();
    fill(&two, 3, &mut held);
    assert_eq!(refused(&two), Level::User);
    assert_eq!(two.held(Resource::Opens), 3);
    let (_third, three) = logged_on(&budget, HOME, "bob", false).unwrap();
    fill(&three, 3, &mut held);
    assert_eq!(refused(&three), Level::Address);
    let (_fourth, four) = logged_on(&budget, AWAY, "bob", false).unwrap();
    fill(&four, 4, &mut held);
    let (_fifth, five) = logged_on(&budget, AWAY, "carol", false).unwrap();
    fill(&five, 2, &mut held);
    assert_eq!(refused(&five), Level::Server);
    let bytes = budget.held(Resource::Bytes);
    let (_sixth, admin) = logged_on(&budget, HOME, "admin", true).unwrap();
    fill(&admin, 4, &mut held);
    assert_eq!(budget.held(Resource::Opens), 20);
    held.truncate(16);
    drop((_sixth, admin));
    assert_eq!(budget.held(Resource::Bytes), bytes);
    assert_eq!(
        NtStatus::from(five.charge(Cost::PIPE).err().unwrap()),
        NtStatus::INSUFFICIENT_RESOURCES
    );
    drop(held);
    drop((one, two, three, four, five));
    drop((_first, _second, _third, _fourth, _fifth));
    assert_empty(&budget);
}

#[test]
fn the_reserve_is_for_administrators() {
    let budget = Budget::new(small());
    let from = |number: usize| IpAddr::from([192, 0, 2, number as u8 / 8]);
    let mut ordinary: Vec<_> = (0..24)
        .map(|number| budget.connection(from(number)).unwrap())
        .collect();
    assert!(
        ordinary
            .iter()
            .all(|connection| !connection.is_in_reserve())
    );
    let mut late = budget.connection(address(HOME)).unwrap();
    assert!(late.is_in_reserve());
    let refused = budget.session(&mut late, "alice", false).err().unwrap();
    assert_eq!(refused.resource, Resource::Connections);
    // On connections from before, ordinary users go on.
    budget.session(&mut ordinary[0], "alice", false).unwrap();
    let session = budget.session(&mut late, "admin", true).unwrap();
    assert!(session.charge(Cost::FILE).is_ok());
    // The hard limit is everybody's.
    let rest: Vec<_> = (25..30)
        .map(|number| budget.connection(from(number)).unwrap())
        .collect();
    assert!(budget.connection(address("192.0.2.99")).is_err());
    // When some have left, a late connection becomes an ordinary one.
    drop(rest);
    ordinary.truncate(20);
    let mut last = budget.connection(address(AWAY)).unwrap();
    assert!(!last.is_in_reserve());
    assert!(budget.session(&mut last, "bob", false).is_ok());
    drop((session, late, last, ordinary));
    assert_empty(&budget);
}

#[test]
fn a_late_connection_may_become_an_ordinary_one() {
    let budget = Budget::new(small());
    let mut full: Vec<_> = (0..12)
        .map(|_| budget.connection(address(HOME)).unwrap())
        .collect();
    let mut late = budget.connection(address(HOME)).unwrap();
    assert!(late.is_in_reserve());
    let refused = budget.session(&mut late, "alice", false).err().unwrap();
    assert_eq!(refused.level, Level::Address);
    full.pop();
    budget.session(&mut late, "alice", false).unwrap();
    assert!(!late.is_in_reserve());
}

#[test]
fn connections_count_for_the_user_wherever_they_come_from() {
    let budget = Budget::new(small());
    let from = |number: u8| format!("192.0.2.{}", number % 3);
    let held: Vec<_> = (0..20)
        .map(|number| logged_on(&budget, &from(number), "alice", false).unwrap())
        .collect();
    let refused = logged_on(&budget, &from(0), "alice", false).err().unwrap();
    assert_eq!(
        (refused.level, refused.resource),
        (Level::User, Resource::Connections)
    );
    let (mut connection, session) = logged_on(&budget, &from(0), "bob", false).unwrap();
    // A second session on it costs no second connection.
    let second = budget.session(&mut connection, "alice", false).unwrap();
    drop((session, second));
    connection.forget_user();
    assert!(budget.session(&mut connection, "alice", false).is_err());
    drop((held, connection));
    assert_empty(&budget);
}

#[test]
fn what_grows_is_refused_where_it_stands() {
    let budget = Budget::new(small());
    let (connection, session) = logged_on(&budget, HOME, "alice", false).unwrap();
    let limit = budget.limits().session[Resource::Bytes] - session.held(Resource::Bytes);
    let mut listing = session.charge(Cost::bytes(1_000)).unwrap();
    listing.resize(limit).unwrap();
    assert!(listing.resize(limit + 1).is_err());
    assert_eq!(listing.cost().bytes, limit);
    assert!(session.charge(Cost::bytes(1)).is_err());
    listing.resize(0).unwrap();
    assert!(session.charge(Cost::FILE.and_bytes(1)).is_ok());
    drop((listing, session, connection));
    assert_empty(&budget);
}

#[test]
fn addresses_of_one_client() {
    let same = |one: &str, other: &str| place(address(one)) == place(address(other));
    assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
    assert!(same("2001:db8::1", "2001:db8::ffff:1"));
    assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
    assert!(!same("fe80::1", "fe80::2"));
    assert!(!same("192.0.2.1", "192.0.2.2"));
    assert!(!same("::1", "127.0.0.1"));
}

#[test]
fn numbers_that_overflow_are_refused() {
    let budget = Budget::new(small());
    let (_connection, session) = logged_on(&budget, HOME, "alice", false).unwrap();
    let all = Cost::bytes(u32::MAX);
    assert!(session.charge(all).is_err());
    assert!(session.charge(Cost::LOCK.times(u32::MAX)).is_err());
    assert!(session.charge(Cost::FILE.times(100_000)).is_err());
    assert_eq!(budget.held(Resource::Locks), 0);
}

/// Whatever the machine, every limit is of use, and no user or address takes everything.
#[test]
fn limits_of_every_machine() {
    let descriptors = [0, 256, 1_024, 20_000, 65_536, 1 << 20, u64::MAX];
    let memory = [0, 256 << 20, 1 << 30, 24 << 30, u64::MAX];
    for (descriptors, memory) in descriptors
        .into_iter()
        .flat_map(|one| memory.map(|other| (one, other)))
    {
        let limits = Limits::derive(descriptors, memory);
        for resource in Resource::ALL {
            let (general, hard) = (
                limits.server.general[resource],
                limits.server.hard[resource],
            );
            let address = (
                limits.address.general[resource],
                limits.address.hard[resource],
            );
            assert!(general > 0 && general <= hard, "{resource:?}");
            assert!(address.0 > 0 && address.0 <= address.1, "{resource:?}");
            assert!(address.1 < general, "{resource:?} of {descriptors}");
            assert!(limits.user[resource] > 0, "{resource:?}");
            if resource != Resource::Logons {
                assert!(limits.user[resource] < general && general < hard);
            }
        }
        let bytes = Resource::Bytes;
        assert!(limits.session[bytes] >= 17 << 20);
        assert!(limits.session[bytes] <= limits.user[bytes]);
        assert!(limits.user[bytes] <= 192 << 20);
        let connections = limits.server.hard[Resource::Connections];
        let for_files = limits.server.hard[Resource::Descriptors] - connections;
        assert!(for_files >= connections / 10);
    }
}

#[test]
fn limits_of_a_usual_machine() {
    let limits = Limits::derive(20_000, 24 << 30);
    assert_eq!(limits.server.hard[Resource::Connections], 16_000);
    assert_eq!(limits.server.general[Resource::Connections], 15_000);
    assert_eq!(limits.user[Resource::Connections], 11_250);
    assert_eq!(limits.address.general[Resource::Connections], 7_500);
    assert_eq!(limits.server.general[Resource::Descriptors], 16_641);
    assert_eq!(limits.user[Resource::Descriptors], 12_480);
    assert_eq!(limits.local_descriptors, 1_000);
    assert_eq!(limits.user[Resource::Bytes], 180 << 20);
    assert_eq!(limits.session[Resource::Opens], 16_384);
    assert_eq!(limits.address.general[Resource::Logons], 1_024);
    assert_eq!(limits.with_connections(u32::MAX), limits);
    let few = limits.with_opens_per_session(9).with_connections(100);
    assert_eq!(few.server.hard[Resource::Connections], 100);
    assert_eq!(few.user[Resource::Connections], 70);
    assert_eq!(few.session[Resource::Opens], 9);
    assert_eq!(few.server.hard[Resource::Bytes], 768 << 20);
}

/// Threads that charge the same accounts: at no time is a limit exceeded, and at the end
/// nothing is left.
#[test]
fn many_at_once() {
    let budget = Budget::new(small());
    let limits = budget.limits().clone();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|number: u32| {
                let budget = budget.clone();
                scope.spawn(move || {
                    let user = ["alice", "bob", "admin"][number as usize % 3];
                    let from = [HOME, AWAY][number as usize % 2];
                    let mut charges = 0;
                    for round in 0..2_000 {
                        let Ok((_connection, session)) =
                            logged_on(&budget, from, user, user == "admin")
                        else {
                            continue;
                        };
                        let mut held: Vec<_> = (0..6)
                            .map_while(|_| session.charge(Cost::FILE).ok())
                            .collect();
                        charges += held.len();
                        if let Some(open) = held.get_mut(round % 7) {
                            let _ = open.resize(2_048);
                        }
                        drop(session);
                    }
                    charges
                })
            })
            .collect();
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for resource in Resource::ALL {
                    assert!(budget.held(resource) <= limits.server.hard[resource]);
                }
            }
        });
        let charges: usize = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum();
        done.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
        assert!(charges > 1_000, "{charges}");
    });
    assert_empty(&budget);
}
