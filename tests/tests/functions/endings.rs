//! NetSessionDel that ends something, one's own session included.

use std::time::{Duration, Instant};

use netsession_tests::client::{LONG, SHORT, hold_from};
use netsession_tests::subject::{ALICE, BOB};

use crate::call::{Asked, Call, bare, status};
use crate::driver::{self, Driver};
use crate::scene::{CALLER, HELD, Place, Scene};

/// The client computer of the sessions that will be ended, and another one.
const HERE: &str = "127.0.0.4";
const THERE: &str = "127.0.0.5";

/// Clients and users of all sessions but the caller's and those of the scene, sorted.
#[track_caller]
fn others(driver: &dyn Driver, asked: &Asked) -> Vec<String> {
    let answer = driver.call(asked, &Call::all(None, None, 1));
    assert_eq!(
        answer.status,
        status::SUCCESS,
        "{}: {answer:?}",
        driver.name()
    );
    let mut names: Vec<String> = answer
        .rows
        .iter()
        .map(|row| format!("{} {}", bare(row), row["username"]))
        .collect();
    for held in HELD {
        let name = format!("{} {}", held.client, held.user);
        let place = names.iter().position(|found| *found == name);
        names.remove(place.unwrap_or_else(|| panic!("{name} is gone: {answer:?}")));
    }
    names.retain(|name| !name.starts_with(&format!("{CALLER} ")));
    names.sort();
    names
}

/// Waits until only these are left: smbd ends a process a little behind its answer.
#[track_caller]
fn left(driver: &dyn Driver, asked: &Asked, place: Place, expected: &[&str]) {
    let start = Instant::now();
    loop {
        let found = others(driver, asked);
        if found == expected {
            return;
        }
        assert!(
            place == Place::Samba && start.elapsed() < SHORT,
            "{}: {found:?} where {expected:?} should be left",
            driver.name()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ends(place: Place) {
    let scene = Scene::start(place);
    let asked = scene.asked();
    for driver in driver::all() {
        let driver = &*driver;
        let hold = |user, source| hold_from(&scene.subject, user, source);
        let (alice, bob, far) = (hold(ALICE, HERE), hold(BOB, HERE), hold(BOB, THERE));
        left(
            driver,
            &asked,
            place,
            &["127.0.0.4 alice", "127.0.0.4 bob", "127.0.0.5 bob"],
        );
        let del = |client, user| {
            let answer = driver.call(&asked, &Call::del(client, user));
            assert_eq!(
                answer.status,
                status::SUCCESS,
                "{}: {answer:?}",
                driver.name()
            );
        };
        let ended = |session: netsession_tests::Running| {
            let said = session.finish(LONG).succeeded();
            // Samba ends the connection.
            if place != Place::Samba {
                said.says("ended: 0xc0000203");
            }
        };
        // One user on one computer, in letters of another case.
        del(Some(r"\\127.0.0.4"), Some("BOB"));
        ended(bob);
        left(driver, &asked, place, &["127.0.0.4 alice", "127.0.0.5 bob"]);
        // One computer.
        del(Some(r"\\127.0.0.5"), None);
        ended(far);
        left(driver, &asked, place, &["127.0.0.4 alice"]);
        // Both named, one of two sessions of that user.
        del(Some(r"\\127.0.0.4"), Some("alice"));
        ended(alice);
        left(driver, &asked, place, &[]);
    }
}

#[test]
fn at_our_server() {
    ends(Place::Ours);
}

#[test]
fn on_this_machine() {
    ends(Place::ThisMachine);
}

#[test]
fn at_samba() {
    ends(Place::Samba);
}

/// By user alone: every session of his, on whatever computer.
#[test]
fn a_user_everywhere() {
    for place in [Place::Ours, Place::ThisMachine] {
        for driver in driver::all() {
            let scene = Scene::start(place);
            let asked = scene.asked();
            let answer = driver.call(&asked, &Call::del(None, Some("bob")));
            assert_eq!(
                answer.status,
                status::SUCCESS,
                "{}: {answer:?}",
                driver.name()
            );
            let answer = driver.call(&asked, &Call::all(None, None, 1));
            let found: Vec<_> = answer
                .rows
                .iter()
                .filter(|row| bare(row) != CALLER)
                .map(|row| (bare(row), row["username"].as_str()))
                .collect();
            let expected: Vec<_> = HELD
                .iter()
                .filter(|held| held.user != "bob")
                .map(|held| (held.client, held.user))
                .collect();
            assert_eq!(found, expected, "{}", driver.name());
        }
    }
}

/// The server's answer leaves before the session ends; the next call makes a new one.
#[test]
fn the_callers_own() {
    let scene = Scene::start(Place::Ours);
    let asked = scene.asked();
    for driver in driver::all() {
        let answer = driver.call(&asked, &Call::del(Some(r"\\127.0.0.1"), Some("admin")));
        assert_eq!(
            answer.status,
            status::SUCCESS,
            "{}: {answer:?}",
            driver.name()
        );
        assert_eq!(others(&*driver, &asked), [] as [&str; 0]);
    }
}
