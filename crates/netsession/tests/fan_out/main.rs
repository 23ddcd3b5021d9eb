//! Many servers at once: answering, silent, refusing and with another password; the end of
//! the work when nobody wants its events; slow consumers.

mod fleet;

use std::collections::HashMap;
use std::net::{IpAddr, TcpListener};
use std::time::{Duration, Instant};

use fleet::{Fleet, target};
use netsession::fan_out::{Event, Events, FanOut, Outcome, Patience};
use netsession::smb_client::{Connection, Negotiation, Session, Transport};
use netsession::{
    Credentials, ErrorKind, LevelChoice, Options, Server, SessionFilter, SessionLevel, Target,
};
use tokio::io::AsyncReadExt;

const DEADLINE: Duration = Duration::from_secs(3);

fn fan_out() -> FanOut {
    FanOut::new(Credentials::new("", "admin", "Adm1n.Pw")).deadline(DEADLINE)
}

fn silent() -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = target(listener.local_addr().unwrap());
    (listener, target)
}

fn refusing() -> Target {
    silent().1
}

/// Runs a test on either kind of runtime.
fn on_both_runtimes(test: impl AsyncFn()) {
    let mut single = tokio::runtime::Builder::new_current_thread();
    let mut multi = tokio::runtime::Builder::new_multi_thread();
    for builder in [&mut single, multi.worker_threads(2)] {
        builder.enable_all().build().unwrap().block_on(test());
    }
}

/// What came from one server.
#[derive(Debug, Default)]
struct Answers {
    sessions: usize,
    done: Vec<(SessionLevel, usize)>,
    failed: Vec<ErrorKind>,
}

async fn collect(events: &mut Events) -> HashMap<Target, Answers> {
    let mut all: HashMap<Target, Answers> = HashMap::new();
    while let Some(event) = events.next().await {
        let answers = all.entry(Target::clone(event.target())).or_default();
        assert!(answers.done.is_empty() && answers.failed.is_empty());
        match event {
            Event::Session { level, .. } => {
                assert_eq!(level, SessionLevel::Info502);
                answers.sessions += 1;
            }
            Event::Done {
                level, sessions, ..
            } => answers.done.push((level, sessions)),
            Event::Failed { error, elapsed, .. } => {
                assert!(elapsed <= DEADLINE + Duration::from_secs(1), "{error}");
                answers.failed.push(error.kind());
            }
        }
    }
    all
}

#[test]
fn each_server_answers_or_fails_for_itself() {
    let good = Fleet::start(71, 50, "Adm1n.Pw");
    let strange = Fleet::start(72, 2, "An0ther.Pw");
    let silent: Vec<_> = (0..5).map(|_| silent()).collect();
    let refusing: Vec<_> = (0..3).map(|_| refusing()).collect();
    on_both_runtimes(async || {
        // The silent ones come first: they must not hold the others up.
        let targets = silent
            .iter()
            .map(|(_, target)| target)
            .chain(&refusing)
            .chain(strange.targets())
            .chain(good.targets())
            .chain(good.targets())
            .cloned();
        let started = Instant::now();
        let mut events = fan_out().jobs(16).sessions(targets);
        assert_eq!(events.tally().asked(), 60, "each once");
        let all = collect(&mut events).await;
        assert!(started.elapsed() < DEADLINE + Duration::from_secs(2));
        assert_eq!(all.len(), 60);
        for target in good.targets() {
            let answers = &all[target];
            assert!(answers.sessions >= 1, "the caller's own, {answers:?}");
            assert_eq!(answers.done, [(SessionLevel::Info502, answers.sessions)]);
        }
        for (targets, kind) in [
            (silent.iter().map(|(_, t)| t).collect(), ErrorKind::TimedOut),
            (refusing.iter().collect(), ErrorKind::Unreachable),
            (
                strange.targets().iter().collect::<Vec<_>>(),
                ErrorKind::LogonFailed,
            ),
        ] {
            for target in targets {
                let answers = &all[target];
                assert_eq!((answers.sessions, answers.done.len()), (0, 0));
                assert_eq!(answers.failed, [kind], "{target}");
            }
        }
        let tally = events.tally();
        assert_eq!(
            (tally.answered(), tally.failed(), tally.outstanding()),
            (50, 10, 0)
        );
        let mut kinds = tally.failed_by_kind().to_vec();
        kinds.sort_by_key(|(_, number)| *number);
        assert_eq!(
            kinds,
            [
                (ErrorKind::LogonFailed, 2),
                (ErrorKind::Unreachable, 3),
                (ErrorKind::TimedOut, 5)
            ]
        );
        assert_eq!(tally.outcome(), Outcome::Some);
        let rows: usize = all.values().map(|answers| answers.sessions).sum();
        assert_eq!(tally.sessions(), rows as u64);
    });
}

#[test]
fn dropping_the_events_closes_the_connections() {
    on_both_runtimes(async || {
        let mut listeners = Vec::new();
        let mut targets = Vec::new();
        for _ in 0..3 {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            targets.push(target(listener.local_addr().unwrap()));
            listeners.push(listener);
        }
        let mut events = fan_out().sessions(targets);
        let mut streams = Vec::new();
        for listener in &listeners {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted.unwrap().0,
                event = events.next() => panic!("{event:?}"),
            };
            streams.push(accepted);
        }
        drop(events);
        let started = Instant::now();
        for stream in &mut streams {
            let mut sent = Vec::new();
            // A NEGOTIATE that was sent before, then the end.
            stream.read_to_end(&mut sent).await.unwrap();
        }
        assert!(started.elapsed() < DEADLINE / 2, "not only at the deadline");
    });
}

#[test]
fn a_dropped_iterator_closes_the_connections_too() {
    let (listener, target) = silent();
    let mut events = fan_out().sessions_blocking([target]).unwrap();
    let nothing = events.next_within(Duration::from_millis(1));
    assert!(matches!(nothing, Patience::RanOut), "{nothing:?}");
    let (mut stream, _) = listener.accept().unwrap();
    drop(events);
    stream.set_read_timeout(Some(DEADLINE / 2)).unwrap();
    std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
}

#[test]
fn the_iterator_gives_the_same_events() {
    let fleet = Fleet::start(73, 4, "Adm1n.Pw");
    let targets = fleet.targets().iter().cloned().chain([refusing()]);
    let mut events = fan_out().sessions_blocking(targets).unwrap();
    let mut done = 0;
    let mut failed = 0;
    for event in &mut events {
        match event {
            Event::Session { .. } => {}
            Event::Done { .. } => done += 1,
            Event::Failed { error, .. } => {
                assert_eq!(error.kind(), ErrorKind::Unreachable);
                failed += 1;
            }
        }
    }
    assert_eq!((done, failed), (4, 1));
    assert_eq!(events.tally().answered(), 4);
    assert!(matches!(events.next_within(DEADLINE), Patience::Ended));
}

#[tokio::test]
async fn a_filter_that_nothing_fits_is_an_answer() {
    let fleet = Fleet::start(74, 2, "Adm1n.Pw");
    let filter = SessionFilter {
        user: Some("alice".to_owned()),
        ..SessionFilter::default()
    };
    let mut events = fan_out()
        .filter(filter)
        .level(SessionLevel::Info10)
        .sessions(fleet.targets().iter().cloned());
    while let Some(event) = events.next().await {
        assert!(
            matches!(
                event,
                Event::Done {
                    level: SessionLevel::Info10,
                    sessions: 0,
                    ..
                }
            ),
            "{event:?}"
        );
    }
    assert_eq!(events.tally().outcome(), Outcome::All);
}

#[tokio::test]
async fn no_servers_are_no_events() {
    let mut events = fan_out().sessions([]);
    assert!(events.next().await.is_none());
    assert_eq!(events.tally().outcome(), Outcome::All);
}

/// A page of the largest level and the events that may wait are less than half of this.
const MANY: usize = 900;

#[tokio::test]
async fn a_slow_consumer_stops_the_reading_and_loses_nothing() {
    let fleet = Fleet::start(75, 1, "Adm1n.Pw");
    let server = &fleet.targets()[0];
    let alice = Credentials::new("", "alice", "Al1ce.Pw");
    let connection = connection(server, None).await;
    for _ in 0..MANY {
        Session::logon(&connection, &alice, server.host())
            .await
            .unwrap();
    }
    let deadline = Duration::from_secs(1);
    let mut events = fan_out().deadline(deadline).sessions([server.clone()]);
    let first = events.next().await.unwrap();
    assert!(matches!(first, Event::Session { .. }), "{first:?}");
    // Somebody else lists everything, again and again, until the deadline is long over.
    let started = Instant::now();
    while started.elapsed() < deadline * 2 {
        let admin = Credentials::new("", "admin", "Adm1n.Pw");
        let mut other = Server::connect(server, &admin, &Options::default())
            .await
            .unwrap();
        let filter = SessionFilter::default();
        let sessions = other.sessions(&filter, SessionLevel::Info502);
        assert!(sessions.collect().await.unwrap().len() > MANY);
        other.disconnect().await.unwrap();
    }
    // Who comes now stands at the end of the list: if it is seen, the end was not read yet.
    let late = connection_from(server, "127.0.0.99").await;
    let _late = Session::logon(&late, &alice, server.host()).await.unwrap();
    let mut seen = 1;
    let mut seen_late = false;
    while let Some(event) = events.next().await {
        match event {
            Event::Session { session, .. } => {
                seen += 1;
                seen_late |= session.client() == "127.0.0.99";
            }
            Event::Done { sessions, .. } => assert_eq!(sessions, seen),
            Event::Failed { error, .. } => panic!("{error}"),
        }
    }
    assert!(seen_late);
    assert_eq!(seen, MANY + 2, "alice's, the caller's and the late one");
    assert_eq!(events.tally().answered(), 1);
}

async fn connection_from(server: &Target, source: &str) -> Connection {
    connection(server, Some(source.parse().unwrap())).await
}

async fn connection(server: &Target, source: Option<IpAddr>) -> Connection {
    let transport = Transport::connect(server.host(), server.port(), source, DEADLINE)
        .await
        .unwrap();
    Connection::negotiate(transport, &Negotiation::new(server.host()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_fullest_level_or_the_refusal() {
    let fleet = Fleet::start(76, 1, "Adm1n.Pw");
    let server = &fleet.targets()[0];
    let options = Options::default();
    let admin = Credentials::new("", "admin", "Adm1n.Pw");
    let mut connected = Server::connect(server, &admin, &options).await.unwrap();
    let all = SessionFilter::default();
    for (choice, expected) in [
        (LevelChoice::Fullest, SessionLevel::Info502),
        (SessionLevel::Info1.into(), SessionLevel::Info1),
    ] {
        let (level, sessions) = connected.sessions_at(&all, choice).await.unwrap();
        let sessions = sessions.collect().await.unwrap();
        assert_eq!((level, sessions.len()), (expected, 1));
        assert_eq!(sessions[0].level(), expected);
    }
    // That nobody fits is said by the list, not by the level.
    let nobody = SessionFilter {
        user: Some("bob".to_owned()),
        ..SessionFilter::default()
    };
    let (level, mut sessions) = connected
        .sessions_at(&nobody, LevelChoice::Fullest)
        .await
        .unwrap();
    assert_eq!(level, SessionLevel::Info502);
    let error = sessions.next_session().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchSession);
    assert!(sessions.next_session().await.is_none());
    let alice = Credentials::new("", "alice", "Al1ce.Pw");
    let mut connected = Server::connect(server, &alice, &options).await.unwrap();
    let refused = connected.sessions_at(&all, LevelChoice::Fullest).await;
    assert_eq!(refused.unwrap_err().net_api_status(), 5);
}
