//! PreferedMaximumLength and the resume handle.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netsession::Credentials;
use netsession::smb_client::{Connection, Negotiation, Session, Transport};
use netsession_tests::client::SHORT;
use netsession_tests::subject::ALICE;
use netsession_tests::{Kind, Options, Subject};

use crate::call::{Answer, Asked, Call, EVERYTHING, LEVELS, Name, Row, bare, status};
use crate::driver::{self, Driver};
use crate::scene::{CALLER, HELD, Held, Place, Scene};

/// One page.
fn page(
    driver: &dyn Driver,
    asked: &Asked,
    user: Name,
    level: u32,
    prefmaxlen: u32,
    resume: Option<u32>,
) -> Answer {
    driver.call(
        asked,
        &Call::Enum {
            client: None,
            user,
            level,
            prefmaxlen,
            resume,
        },
    )
}

/// All pages, each of them looked at.
fn pages(
    driver: &dyn Driver,
    asked: &Asked,
    user: Name,
    level: u32,
    prefmaxlen: u32,
) -> Vec<Answer> {
    let mut pages: Vec<Answer> = Vec::new();
    let mut resume = 0;
    loop {
        let answer = page(driver, asked, user, level, prefmaxlen, Some(resume));
        let context = || {
            format!(
                "{}, level {level}, {prefmaxlen} bytes: {answer:?}",
                driver.name()
            )
        };
        let count = answer.rows.len();
        assert_eq!(answer.entries, Some(count as u32), "{}", context());
        match answer.status {
            status::MORE_DATA => {
                assert!(count > 0, "{}", context());
                let next = answer.resume.unwrap_or(0);
                assert!(next > resume, "the handle goes forward: {}", context());
                assert!(
                    answer.total > answer.entries,
                    "more than these are left: {}",
                    context()
                );
                resume = next;
            }
            status::SUCCESS => {
                assert_eq!(answer.resume, Some(0), "{}", context());
                assert_eq!(answer.total, answer.entries, "{}", context());
                pages.push(answer);
                return pages;
            }
            _ => panic!("{}", context()),
        }
        pages.push(answer);
        assert!(pages.len() < 50, "no end: {pages:?}");
    }
}

/// Clients of the rows but the caller's.
fn clients(rows: &[Row]) -> Vec<&str> {
    rows.iter()
        .map(bare)
        .filter(|client| *client != CALLER)
        .collect()
}

fn covers_everything_once(place: Place) {
    let scene = Scene::start(place);
    let asked = scene.asked();
    let is_bob = |held: &&Held| held.user == "bob";
    let all: Vec<&str> = HELD.iter().map(|held| held.client).collect();
    let of_bob: Vec<&str> = HELD.iter().filter(is_bob).map(|held| held.client).collect();
    for driver in driver::libraries() {
        for level in LEVELS {
            for prefmaxlen in [0, 1, 150, 400] {
                let pages = pages(&*driver, &asked, None, level, prefmaxlen);
                let rows: Vec<Row> = pages.iter().flat_map(|page| page.rows.clone()).collect();
                assert_eq!(clients(&rows), all, "{}: {pages:?}", driver.name());
                if prefmaxlen < 2 {
                    // No entry fits: one all the same.
                    let one = |page: &Answer| page.rows.len() == 1;
                    assert!(pages.iter().all(one), "{}: {pages:?}", driver.name());
                }
            }
            let pages = pages(&*driver, &asked, Some("bob"), level, 1);
            assert_eq!(pages.len(), of_bob.len(), "{}: {pages:?}", driver.name());
            let rows: Vec<Row> = pages.iter().flat_map(|page| page.rows.clone()).collect();
            assert_eq!(clients(&rows), of_bob, "{}: {pages:?}", driver.name());
        }
        // 400 bytes hold more than one entry, and not all.
        let pages = pages(&*driver, &asked, None, 502, 400);
        assert!(pages.len() > 1 && pages[0].rows.len() > 1, "{pages:?}");
    }
}

#[test]
fn of_our_server() {
    covers_everything_once(Place::Ours);
}

#[test]
fn on_this_machine() {
    covers_everything_once(Place::ThisMachine);
}

#[test]
fn without_a_handle_the_rest_is_lost() {
    let scene = Scene::start(Place::Ours);
    for driver in driver::libraries() {
        let answer = page(&*driver, &scene.asked(), None, 1, 1, None);
        let context = || format!("{}: {answer:?}", driver.name());
        assert_eq!(answer.status, status::MORE_DATA, "{}", context());
        assert_eq!(clients(&answer.rows), [HELD[0].client], "{}", context());
        assert_eq!(answer.resume, None, "{}", context());
    }
}

/// Behind the last session nothing is left, which is no error.
#[test]
fn behind_the_end() {
    let scene = Scene::start(Place::ThisMachine);
    for driver in driver::libraries() {
        let handle = Some(0x7FFF_FFFF);
        let answer = page(&*driver, &scene.asked(), None, 1, EVERYTHING, handle);
        let context = || format!("{}: {answer:?}", driver.name());
        assert_eq!(answer.status, status::SUCCESS, "{}", context());
        assert_eq!(answer.entries, Some(0), "{}", context());
    }
}

/// smbd does not look at the length.
#[test]
fn of_samba() {
    let scene = Scene::start(Place::Samba);
    for driver in driver::libraries() {
        let answer = page(&*driver, &scene.asked(), None, 1, 1, Some(0));
        let context = || format!("{}: {answer:?}", driver.name());
        assert_eq!(answer.status, status::SUCCESS, "{}", context());
        assert_eq!(clients(&answer.rows).len(), HELD.len(), "{}", context());
    }
}

/// Sessions enough for several pages of any size that a client of ours asks for.
const CONNECTIONS: u32 = 60;
const SESSIONS_EACH: usize = 50;

#[test]
fn thousands_of_sessions() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let held = runtime.block_on(async {
        let mut held = Vec::new();
        for number in 0..CONNECTIONS {
            held.push(connection(&subject, number).await);
        }
        held
    });
    let asked = Asked {
        server: None,
        user: ALICE,
        socket: subject.outside().join("srvsvc.sock"),
    };
    for driver in driver::all() {
        let answer = driver.call(&asked, &Call::all(None, None, 502));
        assert_eq!(answer.status, status::SUCCESS, "{}", driver.name());
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for client in clients(&answer.rows) {
            *counts.entry(client).or_default() += 1;
        }
        assert_eq!(counts.len(), CONNECTIONS as usize, "{}", driver.name());
        assert!(
            counts.values().all(|count| *count == SESSIONS_EACH),
            "{}: {counts:?}",
            driver.name()
        );
    }
    drop(held);
}

/// Sessions on one connection from an address of its own.
async fn connection(subject: &Subject, number: u32) -> (Connection, Vec<Session>) {
    let address = subject.address();
    let source = IpAddr::from([127, 0, 1, number as u8]);
    let host = address.ip().to_string();
    let transport = Transport::connect(&host, address.port(), Some(source), SHORT)
        .await
        .expect("a connection");
    let negotiation = Negotiation::new(&host).expect("random numbers");
    let connection = Connection::negotiate(transport, &negotiation)
        .await
        .expect("a dialect");
    let alice = Credentials::new("", ALICE.name, ALICE.password);
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS_EACH {
        let session = Session::logon(&connection, &alice, &host).await;
        sessions.push(session.expect("a session"));
    }
    (connection, sessions)
}
