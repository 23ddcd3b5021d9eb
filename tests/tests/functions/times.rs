//! Times that pass.

use std::time::Duration;

use netsession_tests::client::hold_from;
use netsession_tests::subject::BOB;

use crate::call::{Call, bare, number, status};
use crate::driver;
use crate::scene::{Age, CALLER, HELD, Place, Scene};
use crate::table::check::check;
use crate::table::{Expected, Which};

/// Enough to be told from no time at all, whichever way seconds are rounded.
const WHILE: u32 = 3;

/// Idle time grows as long as nothing comes, and being asked about is nothing.
#[test]
fn idle_sessions_grow_older() {
    let scene = Scene::start(Place::Ours);
    while scene.age().least < WHILE {
        std::thread::sleep(Duration::from_millis(50));
    }
    for driver in driver::all() {
        for level in [1, 2, 10, 502] {
            let call = Call::all(None, None, level);
            let before = scene.age();
            let answer = driver.call(&scene.asked(), &call);
            let age = Age {
                least: before.least,
                most: scene.age().most,
            };
            assert!(age.least >= WHILE);
            let expected = Expected::these(Which::AllAndCaller);
            check(
                Place::Ours,
                age,
                driver.is_command_line(),
                &call,
                expected,
                &answer,
            )
            .unwrap_or_else(|reason| panic!("{}: {reason}: {answer:?}", driver.name()));
        }
    }
}

/// A session in use is not idle, however old it is; its age goes on growing.
#[test]
fn sessions_in_use_do_not_grow_idle() {
    let scene = Scene::start(Place::Ours);
    let _used = hold_from(&scene.subject, BOB, "127.0.0.9");
    let there = std::time::Instant::now();
    while there.elapsed() < Duration::from_secs(WHILE.into()) {
        std::thread::sleep(Duration::from_millis(50));
    }
    for driver in driver::all() {
        let call = Call::get_info(Some(r"\\127.0.0.9"), Some("bob"), 10);
        let answer = driver.call(&scene.asked(), &call);
        assert_eq!(answer.status, status::SUCCESS, "{answer:?}");
        let row = &answer.rows[0];
        assert!(number(row, "time") >= WHILE, "{}: {row:?}", driver.name());
        assert!(number(row, "idle_time") < 2, "{}: {row:?}", driver.name());
    }
}

/// What an administrator sees first: nobody but those of the scene and himself.
#[test]
fn the_scene_is_what_it_says() {
    let scene = Scene::start(Place::Ours);
    let answer = driver::all()[0].call(&scene.asked(), &Call::all(None, None, 2));
    let found: Vec<_> = answer
        .rows
        .iter()
        .map(|row| {
            (
                bare(row),
                row["username"].as_str(),
                number(row, "num_opens"),
            )
        })
        .collect();
    let mut expected: Vec<_> = HELD
        .iter()
        .map(|held| (held.client, held.user, held.opens))
        .collect();
    expected.push((CALLER, "admin", 1));
    assert_eq!(found, expected);
}
