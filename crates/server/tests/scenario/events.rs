//! What subscribers are told of sessions, tree connects and opens.

use server::application::{CloseReason, EventKind, Interest, Notice, Subscription};

use super::logons::{authenticate_again, log_on_instead};
use super::*;

/// What has been told since the last look, in short.
fn told(subscription: &mut Subscription) -> Vec<String> {
    std::iter::from_fn(|| subscription.try_next())
        .map(|notice| match notice {
            Notice::Event(event) => line(&event.kind),
            Notice::Lost(lost) => format!("{lost} lost"),
        })
        .collect()
}

fn line(event: &EventKind) -> String {
    let name = |path: &str| path.rsplit(['/', '\\']).next().unwrap().to_owned();
    match event {
        EventKind::SessionBegun(row) => format!("{} begins", row.user_name),
        EventKind::SessionRenewed(row) => format!("{} is renewed", row.user_name),
        EventKind::SessionEnded(row, reason) => {
            assert_eq!(row.num_opens, 0, "its opens have ended before");
            format!("{} ends: {}", row.user_name, why(reason))
        }
        EventKind::TreeConnected(row) => format!("{} connects {}", row.user_name, row.share_name),
        EventKind::TreeDisconnected(row) => format!("{} leaves {}", row.user_name, row.share_name),
        EventKind::Opened(row) => format!("{} opens {}", row.user_name, name(&row.path_name)),
        EventKind::Closed(row, reason) => format!(
            "{} closes {}: {}",
            row.user_name,
            name(&row.path_name),
            match reason {
                CloseReason::Close => "asked to".to_owned(),
                CloseReason::TreeDisconnect => "left the share".to_owned(),
                CloseReason::SessionEnd => "session ends".to_owned(),
                CloseReason::Administrator(by) => format!("by {}", by.user_name),
            }
        ),
        EventKind::LogonRefused {
            user_name, status, ..
        } => format!("{user_name} refused: {status}"),
    }
}

fn why(reason: &Reason) -> String {
    match reason {
        Reason::Logoff => "logoff".to_owned(),
        Reason::ConnectionLost => "lost".to_owned(),
        Reason::Administrator(by) => format!("by {} from {}", by.user_name, by.client_name),
        Reason::LogonRefused(status) => format!("{status}"),
        Reason::Superseded { by } => format!("superseded by {}", by.0),
        Reason::Expired => "expired".to_owned(),
        Reason::AccountChanged => "account changed".to_owned(),
        Reason::ServerStops => "server stops".to_owned(),
    }
}

#[tokio::test]
async fn a_life_is_told_in_order() {
    let scene = Scene::new(|_| {});
    let mut all = scene.application().subscribe(Interest::ALL);
    let mut administration = scene.application().subscribe(Interest::ADMINISTRATION);
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let data = alice.tree_connect("test", "data").await.unwrap();
    let docs = alice.tree_connect("test", "docs").await.unwrap();
    let closed = data.create("closed", &Create::overwrite()).await.unwrap();
    let _left = data.create("left", &Create::overwrite()).await.unwrap();
    let _ended = docs.create("ended", &Create::overwrite()).await.unwrap();
    let _taken = docs.create("taken", &Create::overwrite()).await.unwrap();
    assert_eq!(
        told(&mut all),
        [
            "alice begins",
            "alice connects data",
            "alice connects docs",
            "alice opens closed",
            "alice opens left",
            "alice opens ended",
            "alice opens taken",
        ]
    );
    closed.close().await.unwrap();
    data.disconnect().await.unwrap();
    let application = scene.application();
    let opens = application.opens(SessionFilter::default(), 0, 100).rows;
    let taken = opens.iter().find(|row| row.path_name.ends_with("taken"));
    assert!(application.close_open(taken.unwrap().id, administrator()));
    assert_eq!(authenticate_again(&alice, "alice").await, NtStatus::SUCCESS);
    alice.logoff().await.unwrap();
    assert_eq!(
        told(&mut all),
        [
            "alice closes closed: asked to",
            "alice closes left: left the share",
            "alice leaves data",
            "alice closes taken: by root",
            "alice is renewed",
            "alice closes ended: session ends",
            "alice leaves docs",
            "alice ends: logoff",
        ]
    );
    assert_eq!(told(&mut administration), ["alice closes taken: by root"]);
}

#[tokio::test]
async fn each_end_of_a_session_has_its_reason() {
    let scene = Scene::new(|_| {});
    let application = scene.application();
    let mut events = application.subscribe(Interest::SESSIONS);
    let mut next = async |user: &str| {
        let told = async {
            loop {
                match events.next().await.expect("the server lives") {
                    Notice::Event(event) => {
                        if let EventKind::SessionEnded(row, reason) = &event.kind {
                            assert_eq!(&*row.user_name, user);
                            return why(reason);
                        }
                    }
                    Notice::Lost(_) => panic!("a few events"),
                }
            }
        };
        tokio::time::timeout(LIMIT, told).await.expect("it is told")
    };
    let connection = scene.connect(ALICE).await;

    logon(&connection, "alice").await.logoff().await.unwrap();
    assert_eq!(next("alice").await, "logoff");

    let lost = scene.connect(BOB).await;
    logon(&lost, "bob").await;
    drop(lost);
    assert_eq!(next("bob").await, "lost");

    let alice = logon(&connection, "alice").await;
    assert!(end(&*application, alice.id()));
    assert_eq!(next("alice").await, "by root from here");

    for reason in [Reason::Expired, Reason::AccountChanged] {
        let alice = logon(&connection, "alice").await;
        let expected = why(&reason);
        assert!(application.close_session(SessionGlobalId(alice.id()), reason));
        assert_eq!(next("alice").await, expected);
    }

    let alice = logon(&connection, "alice").await;
    let other = scene.connect(ALICE).await;
    log_on_instead(&other, "alice", alice.id()).await;
    let by = scene.rows()[0].id.0;
    assert_eq!(next("alice").await, format!("superseded by {by}"));

    let bob = logon(&connection, "bob").await;
    assert_eq!(
        authenticate_again(&bob, "nobody").await,
        NtStatus::LOGON_FAILURE
    );
    let refused = format!("{}", NtStatus::LOGON_FAILURE);
    assert_eq!(next("bob").await, refused);

    scene.server.shutdown().await;
    assert_eq!(next("alice").await, "server stops");
}

#[tokio::test]
async fn a_refused_logon_is_told() {
    let scene = Scene::new(|_| {});
    let mut events = scene.application().subscribe(Interest::SESSIONS);
    let connection = scene.connect(ALICE).await;
    for (user, password) in [("alice", "wrong"), ("gone", "gone")] {
        let _ = try_logon(&connection, user, password).await;
    }
    let long = "x".repeat(5000);
    let _ = try_logon(&connection, &long, "").await;
    let refused = |user: &str, status: NtStatus| format!("{user} refused: {status}");
    assert_eq!(
        told(&mut events),
        [
            refused("alice", NtStatus::LOGON_FAILURE),
            refused("gone", NtStatus::ACCOUNT_DISABLED),
            refused(
                &long[..EventKind::USER_NAME_CHARACTERS],
                NtStatus::LOGON_FAILURE
            ),
        ]
    );
}

/// A subscriber that looks at nothing holds up nobody, and learns what it missed.
#[tokio::test]
async fn a_slow_subscriber_is_told_how_much_it_lost() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let data = alice.tree_connect("test", "data").await.unwrap();
    let mut events = scene.application().subscribe(Interest::OPENS);
    let create = Create::overwrite();
    let rounds = Subscription::CAPACITY / 2 + 3;
    for _ in 0..rounds {
        let open = data.create("a", &create).await.unwrap();
        open.close().await.unwrap();
    }
    let lines = told(&mut events);
    assert_eq!(lines.len(), Subscription::CAPACITY + 1);
    assert_eq!(lines.last().unwrap(), "6 lost");
    data.create("b", &create).await.unwrap();
    assert_eq!(told(&mut events), ["alice opens b"]);
}
