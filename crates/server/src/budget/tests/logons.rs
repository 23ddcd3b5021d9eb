//! Half-done logons: the oldest gives way.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Begin(usize),
    Finish(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Begin),
        1 => any::<Index>().prop_map(Step::Finish),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_oldest_of_the_full_level_goes(steps in vec(step(), 1..80)) {
        let budget = Budget::new(small());
        let connections = [1, 2, 3, 4].map(|last| {
            budget.connection(IpAddr::from([192, 0, 2, last])).unwrap()
        });
        // In order of age: whose, the logon, and whether the list says that it is there.
        let mut logons: Vec<(usize, HalfLogon<usize>, bool)> = Vec::new();
        for step in steps {
            match step {
                Step::Begin(whose) => {
                    let number = logons.len();
                    let logon = budget.begin_logon(&connections[whose], number).unwrap();
                    let is_there = |one: &&mut (usize, HalfLogon<usize>, bool)| one.2;
                    let of_address = logons.iter().filter(|one| one.2 && one.0 == whose).count();
                    let of_server = logons.iter().filter(|one| one.2).count();
                    if of_address == 3 {
                        let oldest = logons.iter_mut().filter(is_there).find(|one| one.0 == whose);
                        oldest.unwrap().2 = false;
                    } else if of_server == 8 {
                        logons.iter_mut().find(is_there).unwrap().2 = false;
                    }
                    logons.push((whose, logon, true));
                }
                Step::Finish(index) => {
                    if !logons.is_empty() {
                        logons.remove(index.index(logons.len()));
                    }
                }
            }
            for (_, logon, is_there) in &logons {
                prop_assert_eq!(logon.with(|_| ()).is_some(), *is_there);
                prop_assert_eq!(logon.is_gone(), !*is_there);
            }
            let there = logons.iter().filter(|one| one.2).count();
            prop_assert_eq!(budget.held(Resource::Logons) as usize, there);
            prop_assert_eq!(budget.0.logons.len(), there);
        }
        drop((connections, logons));
        assert_empty(&budget);
    }
}

#[test]
fn a_logon_that_is_worked_on_stays() {
    let budget = Budget::new(small());
    let connection = budget.connection(address(HOME)).unwrap();
    let oldest = budget.begin_logon(&connection, ()).unwrap();
    let others = [(); 2].map(|()| budget.begin_logon(&connection, ()).unwrap());
    let newest = oldest.with(|()| budget.begin_logon(&connection, ()).unwrap());
    assert!(newest.is_some_and(|logon| !logon.is_gone()));
    assert!(!oldest.is_gone());
    assert!(others[0].is_gone() && !others[1].is_gone());
}

/// 1,024 logons on each of many connections: their states are gone, and what stays of each
/// is bounded by the bytes of the address.
#[test]
fn a_flood_takes_what_an_address_has() {
    let limits = Limits::derive(20_000, 24 << 30);
    let budget = Budget::new(limits.clone());
    let connections: Vec<_> = (0..64)
        .map(|_| budget.connection(address(HOME)).unwrap())
        .collect();
    let mut logons = Vec::new();
    for connection in &connections {
        logons.extend((0..1_024).map(|_| budget.begin_logon(connection, [0_u8; 64]).unwrap()));
    }
    assert_eq!(
        budget.held(Resource::Logons),
        limits.address.hard[Resource::Logons]
    );
    assert!(budget.held(Resource::Bytes) < 32 << 20);
    let elsewhere = budget.connection(address(AWAY)).unwrap();
    let honest = budget.begin_logon(&elsewhere, [0; 64]).unwrap();
    logons.extend((0..1_024).map(|_| budget.begin_logon(&connections[0], [0; 64]).unwrap()));
    assert!(!honest.is_gone());
    drop((logons, connections, elsewhere, honest));
    assert_empty(&budget);
}

#[test]
fn many_begin_at_once() {
    let budget = Budget::new(small());
    std::thread::scope(|scope| {
        for last in 1..5 {
            let budget = &budget;
            scope.spawn(move || {
                let connection = budget.connection(IpAddr::from([192, 0, 2, last])).unwrap();
                let mut held = Vec::new();
                for _ in 0..2_000 {
                    held.extend(budget.begin_logon(&connection, last));
                    assert!(budget.held(Resource::Logons) <= 8);
                    if held.len() > 5 {
                        let number = held[5].with(|&mut number| number);
                        assert!(number.is_none_or(|number| number == last));
                        held.clear();
                    }
                }
            });
        }
    });
    assert_empty(&budget);
}
