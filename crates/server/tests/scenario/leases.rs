//! Leases ([MS-SMB2] 3.3.4.7, 3.3.5.9.8, 3.3.5.9.11, 3.3.5.22.2): they belong to a client,
//! over all its connections.

use smb::wire::create_context::Lease;

use super::gate::{Call, Gate};
use super::lease_client::{H, R, W, connect, key, version_1, version_2};
use super::raw::{Raw, SHARED, created};
use super::*;

/// Alice has `f` open with a lease, and Bob's CREATE waits for its break.
struct Contest {
    scene: Scene,
    alice: Raw,
    bob: Raw,
    /// MessageId of Bob's CREATE.
    waiting: u64,
}

impl Contest {
    async fn begin() -> Self {
        let scene = Scene::new(|_| {});
        let alice = connect(&scene, 1, "alice", "data").await;
        let bob = connect(&scene, 2, "bob", "data").await;
        let lease = version_1(1, R | W | H);
        alice.create_leased("f", SHARED, lease).await.unwrap();
        let waiting = bob.send_create("f", SHARED).await;
        assert_eq!(alice.breaks(1, R | W | H, R | H).await, 0);
        bob.interim(waiting).await;
        Self {
            scene,
            alice,
            bob,
            waiting,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_version_has_no_epoch() {
    let scene = Scene::new(|_| {});
    let alice = connect(&scene, 1, "alice", "data").await;
    let lease = version_1(1, R | W | H);
    let (_, granted) = alice.create_leased("f", SHARED, lease).await.unwrap();
    assert_eq!(granted, lease);
    // There is no write caching alone, and none of what is not there.
    for (number, asked, given) in [(2, W, 0), (3, R | 0x80, R), (4, H, 0), (5, R | H, R | H)] {
        let name = format!("f{number}");
        let lease = version_1(number, asked);
        let (_, granted) = alice.create_leased(&name, SHARED, lease).await.unwrap();
        assert_eq!(granted.lease_state, given, "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_break_that_is_acknowledged_lets_the_second_open_in() {
    let Contest {
        scene,
        alice,
        bob,
        waiting,
    } = &Contest::begin().await;
    assert_eq!(bob.echo().await, NtStatus::SUCCESS, "it waits");
    assert_eq!(
        alice.acknowledge_lease(1, R | W).await,
        NtStatus::REQUEST_NOT_ACCEPTED,
        "more than was left"
    );
    assert_eq!(
        alice.acknowledge_lease(7, R).await,
        NtStatus::OBJECT_NAME_NOT_FOUND
    );
    // Somebody else's client has no lease of this name.
    let carol = connect(scene, 3, "bob", "data").await;
    assert_eq!(
        carol.acknowledge_lease(1, R).await,
        NtStatus::OBJECT_NAME_NOT_FOUND
    );
    assert_eq!(bob.echo().await, NtStatus::SUCCESS, "it waits on");
    assert_eq!(alice.acknowledge_lease(1, R | H).await, NtStatus::SUCCESS);
    let (his, _) = created(&bob.end(*waiting).await).unwrap();
    // What she caches ends with what he writes; he does not wait for that.
    let write = bob.send_write(his, 0, b"bob").await;
    assert_eq!(bob.end(write).await.status(), NtStatus::SUCCESS);
    alice.breaks(1, R | H, 0).await;
    assert_eq!(alice.acknowledge_lease(1, 0).await, NtStatus::SUCCESS);
    assert_eq!(alice.acknowledge_lease(1, 0).await, NtStatus::UNSUCCESSFUL);
}

#[tokio::test(start_paused = true)]
async fn a_break_that_nobody_acknowledges_ends_after_35_seconds() {
    let Contest {
        alice,
        bob,
        waiting,
        ..
    } = &Contest::begin().await;
    for raw in [alice, bob] {
        raw.connection.set_time_limit(LIMIT * 10).await;
    }
    let begin = tokio::time::Instant::now();
    assert!(created(&bob.end(*waiting).await).is_ok());
    let waited = begin.elapsed().as_secs_f32();
    assert!((34.9..36.0).contains(&waited), "{waited}");
    // Nothing is left of it.
    assert_eq!(
        alice.acknowledge_lease(1, R | H).await,
        NtStatus::UNSUCCESSFUL
    );
    let carol_opens = bob.create("f", SHARED).await;
    assert!(carol_opens.is_ok(), "nothing more is broken");
    assert_eq!(alice.echo().await, NtStatus::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_vanishes_holds_nobody_up() {
    let Contest {
        scene,
        alice,
        bob,
        waiting,
    } = Contest::begin().await;
    let begin = tokio::time::Instant::now();
    drop(alice);
    assert!(created(&bob.end(waiting).await).is_ok());
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(scene.opens(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_vanished_while_waiting_is_forgotten() {
    let Contest {
        scene, alice, bob, ..
    } = Contest::begin().await;
    let before = scene.server.usage();
    drop(bob);
    until("his request is forgotten", || {
        let usage = scene.server.usage();
        usage.pending_requests < before.pending_requests && scene.rows().len() == 1
    })
    .await;
    assert_eq!(alice.acknowledge_lease(1, R | H).await, NtStatus::SUCCESS);
    assert_eq!(scene.opens(), 1);
}

#[tokio::test(start_paused = true)]
async fn epochs_count_what_a_lease_becomes() {
    let scene = Scene::new(|_| {});
    let alice = connect(&scene, 1, "alice", "data").await;
    let bob = connect(&scene, 2, "bob", "data").await;
    let epoch = |lease: &Lease| lease.version_2.unwrap().1;
    let ask = |state| version_2(1, state, 100);
    let (_, granted) = alice.create_leased("f", SHARED, ask(R)).await.unwrap();
    assert_eq!((granted.lease_state, epoch(&granted)), (R, 101));
    // The same again changes nothing; less changes nothing; more is one step.
    for (asked, state, expected) in [
        (R, R, 101),
        (R | W | H, R | W | H, 102),
        (R, R | W | H, 102),
    ] {
        let (_, granted) = alice.create_leased("f", SHARED, ask(asked)).await.unwrap();
        assert_eq!((granted.lease_state, epoch(&granted)), (state, expected));
    }
    let waiting = bob.send_create("f", SHARED).await;
    assert_eq!(alice.breaks(1, R | W | H, R | H).await, 103);
    bob.interim(waiting).await;
    // While it breaks, a further open of hers is let in, and told of the break.
    let (_, granted) = alice.create_leased("f", SHARED, ask(R)).await.unwrap();
    assert_eq!(
        granted.lease_flags,
        smb::wire::lease_flags::SMB2_LEASE_FLAG_BREAK_IN_PROGRESS
    );
    assert_eq!(epoch(&granted), 103);
    assert_eq!(alice.acknowledge_lease(1, R).await, NtStatus::SUCCESS);
    let (his, _) = created(&bob.end(waiting).await).unwrap();
    // Without handle caching nothing is to be acknowledged.
    let write = bob.send_write(his, 0, b"x").await;
    assert_eq!(bob.end(write).await.status(), NtStatus::SUCCESS);
    assert_eq!(alice.breaks(1, R, 0).await, 104);
    assert_eq!(alice.acknowledge_lease(1, 0).await, NtStatus::UNSUCCESSFUL);
}

#[tokio::test(start_paused = true)]
async fn a_key_names_one_file_of_its_client() {
    let scene = Scene::new(|_| {});
    let alice = connect(&scene, 1, "alice", "data").await;
    let bob = connect(&scene, 2, "bob", "data").await;
    let lease = version_1(1, R);
    alice.create_leased("f", SHARED, lease).await.unwrap();
    let second = alice.create_leased("g", SHARED, lease).await;
    assert_eq!(second.unwrap_err(), NtStatus::INVALID_PARAMETER);
    assert!(!scene.data().join("g").exists());
    assert!(bob.create_leased("g", SHARED, lease).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_connections_of_a_client_share_its_leases() {
    let scene = Scene::new(|_| {});
    let first = connect(&scene, 1, "alice", "data").await;
    let second = connect(&scene, 1, "alice", "data").await;
    let lease = version_2(1, R | W | H, 0);
    let (hers, _) = first.create_leased("f", SHARED, lease).await.unwrap();
    let (also_hers, granted) = second.create_leased("f", SHARED, lease).await.unwrap();
    assert_eq!(granted.lease_state, R | W | H, "it is the same lease");
    assert_eq!(first.echo().await, NtStatus::SUCCESS, "nothing was broken");
    // The lease lives as long as one of its opens, whichever connection that is of.
    assert_eq!(first.close(hers).await, NtStatus::SUCCESS);
    let bob = connect(&scene, 2, "bob", "data").await;
    let waiting = bob.send_create("f", SHARED).await;
    first.breaks(1, R | W | H, R | H).await;
    bob.interim(waiting).await;
    // Either may acknowledge.
    assert_eq!(second.acknowledge_lease(1, R).await, NtStatus::SUCCESS);
    let (his, _) = created(&bob.end(waiting).await).unwrap();
    assert_eq!(second.close(also_hers).await, NtStatus::SUCCESS);
    assert_eq!(
        second.acknowledge_lease(1, 0).await,
        NtStatus::OBJECT_NAME_NOT_FOUND
    );
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn another_key_of_the_same_client_is_somebody_else() {
    let scene = Scene::new(|_| {});
    let first = connect(&scene, 1, "alice", "data").await;
    let second = connect(&scene, 1, "alice", "data").await;
    let lease = version_1(1, R | W | H);
    first.create_leased("f", SHARED, lease).await.unwrap();
    let waiting = second
        .send_create_leased("f", SHARED, version_1(2, R | W | H))
        .await;
    first.breaks(1, R | W | H, R | H).await;
    second.interim(waiting).await;
    assert_eq!(first.acknowledge_lease(1, R | H).await, NtStatus::SUCCESS);
    assert!(created(&second.end(waiting).await).is_ok());
}

#[tokio::test(start_paused = true)]
async fn breaks_go_over_the_oldest_connection_of_the_client() {
    let scene = Scene::new(|_| {});
    let oldest = connect(&scene, 1, "alice", "data").await;
    let newer = connect(&scene, 1, "alice", "data").await;
    let bob = connect(&scene, 2, "bob", "data").await;
    let on_oldest = version_1(1, R | H);
    oldest.create_leased("a", SHARED, on_oldest).await.unwrap();
    for (round, teller) in [(2, &oldest), (3, &oldest)] {
        let name = format!("f{round}");
        let lease = version_1(round, R | W | H);
        newer.create_leased(&name, SHARED, lease).await.unwrap();
        let waiting = bob.send_create(&name, SHARED).await;
        teller.breaks(round, R | W | H, R | H).await;
        bob.interim(waiting).await;
        assert_eq!(newer.acknowledge_lease(round, R).await, NtStatus::SUCCESS);
        assert!(created(&bob.end(waiting).await).is_ok());
    }
    drop(oldest);
    until("the oldest has gone", || scene.rows().len() == 2).await;
    let lease = version_1(4, R | W | H);
    newer.create_leased("f4", SHARED, lease).await.unwrap();
    let waiting = bob.send_create("f4", SHARED).await;
    newer.breaks(4, R | W | H, R | H).await;
    bob.interim(waiting).await;
    assert_eq!(newer.acknowledge_lease(4, R).await, NtStatus::SUCCESS);
    assert!(created(&bob.end(waiting).await).is_ok());
}

#[tokio::test(start_paused = true)]
async fn dialects_before_3_know_the_first_version_only() {
    let scene = Scene::new(|config| config.max_dialect = 0x0210);
    let alice = connect(&scene, 1, "alice", "data").await;
    let lease = version_2(1, R | H, 7);
    let (_, granted) = alice.create_leased("f", SHARED, lease).await.unwrap();
    assert_eq!(granted, version_1(1, R | H));
    assert_eq!(granted.lease_key, key(1));
}

/// The rename goes to a thread that may wait for the store, and waits for the lease from
/// there. What is behind it must not wait for a store that nobody asks any more.
#[tokio::test(start_paused = true)]
async fn a_close_is_not_held_up_by_a_rename_that_waits_for_a_lease() {
    let scene = Scene::new(|_| {});
    let gate = Gate::of(&scene);
    let alice = connect(&scene, 1, "alice", "data").await;
    let bob = connect(&scene, 2, "bob", "slow").await;
    let lease = version_1(1, R | H);
    alice.create_leased("f", SHARED, lease).await.unwrap();
    let (his, _) = bob.create("f", SHARED).await.unwrap();
    let begin = tokio::time::Instant::now();
    // The directory of the new name is looked at before the lease is.
    gate.hold(&[Call::Open]);
    let rename = bob.send_rename(his, "g").await;
    let close = bob.send_close(his).await;
    gate.held(1).await;
    gate.open();
    bob.interim(rename).await;
    assert_eq!(bob.end(close).await.status(), NtStatus::SUCCESS);
    assert_eq!(begin.elapsed(), Duration::ZERO);
    alice.breaks(1, R | H, R).await;
    assert_eq!(alice.acknowledge_lease(1, R).await, NtStatus::SUCCESS);
    assert_eq!(bob.end(rename).await.status(), NtStatus::FILE_CLOSED);
    assert!(scene.data().join("f").exists());
    assert_eq!(gate.number_held(), 0);
}
