//! What a client may hold, and what its neighbours notice of it.

use server::Usage;
use smb::wire::lock::LockElement;
use smb::wire::{FileId, LockRequest, lock_flags};

use super::gate::{Call, Gate};
use super::notify_client::{DIRECTORY, NAMES, Watch};
use super::raw::{Raw, SHARED};
use super::*;

#[tokio::test(start_paused = true)]
async fn limits_hold() {
    let scene = Scene::new(|config| {
        config.limits.sessions_per_connection = 2;
        config.limits.tree_connects_per_session = 1;
        config.limits.opens_per_session = 1;
    });
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    logon(&connection, "bob").await;
    let third = try_logon(&connection, "bob", "bob").await;
    assert_eq!(status(third), NtStatus::INSUFFICIENT_RESOURCES);
    let tree = alice.tree_connect("test", "data").await.unwrap();
    let second = alice.tree_connect("test", "docs").await;
    assert_eq!(status(second), NtStatus::INSUFFICIENT_RESOURCES);
    let open = tree.create("a", &Create::overwrite()).await.unwrap();
    let second = tree.create("b", &Create::overwrite()).await;
    assert_eq!(status(second), NtStatus::TOO_MANY_OPENED_FILES);
    open.close().await.unwrap();
    tree.create("b", &Create::overwrite()).await.unwrap();
    assert_eq!(scene.rows().len(), 2);
}

/// A second address of Alice's.
const CAFE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 12));

/// A server on a small machine, with a store that may hang.
fn small(descriptors: u64) -> (Scene, Arc<Gate>, Usage) {
    let scene = Scene::new(|config| {
        config.limits.descriptors = Some(descriptors);
        config.limits.memory = Some(0);
        config.limits.pending_requests = 100;
    });
    let gate = Gate::of(&scene);
    std::fs::write(scene.data().join("f"), b"content").unwrap();
    std::fs::create_dir(scene.data().join("d")).unwrap();
    let before = scene.server.usage();
    (scene, gate, before)
}

/// A neighbour works as ever, with everything that can run out. So does an administrator, even
/// from Alice's address; he sees her sessions, and ends them. All that she held is given back.
async fn expect_others_to_work(scene: &Scene, alices: Vec<Raw>, gate: &Gate, before: &Usage) {
    for (address, user) in [(BOB, "bob"), (ALICE, "root")] {
        let raw = Raw::connect(scene, address, user, "data").await;
        let (file, _) = raw.create("theirs", SHARED).await.unwrap();
        let write = raw.send_write(file, 0, &[7; 60_000]).await;
        assert_eq!(raw.end(write).await.status(), NtStatus::SUCCESS, "{user}");
        assert_eq!(lock(&raw, file, 0, 1).await, NtStatus::SUCCESS, "{user}");
        let (directory, _) = raw.create("d", DIRECTORY).await.unwrap();
        let (watch, async_id) = raw.watch(directory, Watch::of(NAMES)).await;
        raw.cancel(watch, Some(async_id)).await;
        assert_eq!(raw.end(watch).await.status(), NtStatus::CANCELLED, "{user}");
    }
    for alice in &alices {
        assert!(scene.row(&alice.session).is_some());
        assert!(end(&*scene.application(), alice.session.id()));
    }
    gate.open();
    drop(alices);
    until("everything is given back", || {
        scene.server.usage() == *before
    })
    .await;
}

/// LOCK of so many single bytes, exclusive, at once.
async fn lock(raw: &Raw, file_id: FileId, first: u64, number: u64) -> NtStatus {
    let request = LockRequest {
        lock_sequence: 0,
        file_id,
        locks: (first..first + number)
            .map(|offset| LockElement {
                offset,
                length: 1,
                flags: lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK
                    | lock_flags::SMB2_LOCKFLAG_FAIL_IMMEDIATELY,
            })
            .collect(),
    };
    let id = raw.send(Command::LOCK, |out| request.write(out)).await;
    raw.end(id).await.status()
}

#[tokio::test(start_paused = true)]
async fn a_user_who_opens_all_he_can_is_alone_with_that() {
    let (scene, gate, before) = small(256);
    let mut alices = Vec::new();
    let mut opened = Vec::new();
    // First the address has no more, then the user.
    for address in [ALICE, CAFE] {
        let alice = Raw::connect(&scene, address, "alice", "data").await;
        let mut number = 0;
        let refused = loop {
            match alice.create("f", SHARED).await {
                Ok(_) => number += 1,
                Err(status) => break status,
            }
        };
        assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES);
        assert_eq!(alice.echo().await, NtStatus::SUCCESS);
        opened.push(number);
        alices.push(alice);
    }
    assert!(opened[0] > opened[1] && opened[1] > 0, "{opened:?}");
    expect_others_to_work(&scene, alices, &gate, &before).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_who_locks_all_he_can_is_alone_with_that() {
    const AT_ONCE: u64 = 64;
    let (scene, gate, before) = small(1_000);
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let (file, _) = alice.create("f", SHARED).await.unwrap();
    let mut locked = 0;
    let refused = loop {
        match lock(&alice, file, locked, AT_ONCE).await {
            NtStatus::SUCCESS => locked += AT_ONCE,
            status => break status,
        }
    };
    assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES);
    assert!(locked > 100_000, "{locked}");
    assert_eq!(u64::from(scene.server.usage().locks), locked);
    expect_others_to_work(&scene, vec![alice], &gate, &before).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_who_watches_all_he_can_is_alone_with_that() {
    let (scene, gate, before) = small(2_000);
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let long = Watch {
        length: 65_536,
        ..Watch::of(NAMES)
    };
    let mut number = 0;
    let refused = loop {
        let (directory, _) = alice.create("d", DIRECTORY).await.unwrap();
        let id = alice.send_watch(directory, long).await;
        let answer = alice.receive().await;
        if !answer.is_interim() {
            break answer.status();
        }
        // It watches on, though nobody waits.
        alice.cancel(id, Some(answer.header.async_id)).await;
        assert_eq!(alice.end(id).await.status(), NtStatus::CANCELLED);
        number += 1;
    };
    assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES);
    assert!(number > 200, "{number}");
    assert_eq!(scene.server.usage().watchers, number);
    expect_others_to_work(&scene, vec![alice], &gate, &before).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_whose_requests_wait_is_alone_with_that() {
    let (scene, gate, before) = small(1_000);
    gate.hold(&[Call::Write]);
    let mut alices = Vec::new();
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let alice = Raw::connect(&scene, ALICE, "alice", "slow").await;
        let (file, _) = alice.create("f", SHARED).await.unwrap();
        let mut number = 0;
        let refused = loop {
            let write = alice.send_write(file, 0, b"x").await;
            // Answered are this one and the ECHO, or the ECHO alone.
            let echo = alice
                .send(Command::ECHO, |out| EchoRequest.write(out))
                .await;
            let first = alice.receive().await;
            if first.header.message_id == write {
                alice.end(echo).await;
                break first.status();
            }
            number += 1;
        };
        assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES);
        waiting.push(number);
        alices.push(alice);
    }
    assert_eq!(waiting, [100, 100]);
    assert_eq!(scene.server.usage().pending_requests, 200);
    expect_others_to_work(&scene, alices, &gate, &before).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_has_only_so_many_requests_that_wait() {
    let scene = Scene::new(|config| config.limits.pending_requests = 20);
    std::fs::create_dir(scene.data().join("d")).unwrap();
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let (directory, _) = alice.create("d", DIRECTORY).await.unwrap();
    let watch = Watch::of(NAMES);
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(alice.watch(directory, watch).await.0);
    }
    let id = alice.send_watch(directory, watch).await;
    let refused = alice.end(id).await.status();
    assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES);
    // One that ends makes room for another, and who was refused waits nowhere.
    alice.cancel(ids[0], None).await;
    assert_eq!(alice.end(ids[0]).await.status(), NtStatus::CANCELLED);
    ids[0] = alice.watch(directory, watch).await.0;
    ids.push(alice.send_close(directory).await);
    alice.ends(&ids).await;
    assert_eq!(scene.server.usage().pending_requests, 0);
}

#[tokio::test]
async fn an_address_that_connects_as_often_as_it_can_is_alone_with_that() {
    let (scene, gate, before) = small(256);
    let mut alices = Vec::new();
    loop {
        let (ours, theirs) = tokio::io::duplex(PAIR);
        let server = scene.server.clone();
        tokio::spawn(async move { server.serve(theirs, ALICE).await });
        let transport = Transport::new(ours, LIMIT);
        let negotiation = Negotiation::new("test").unwrap();
        let Ok(connection) = Connection::negotiate(transport, &negotiation).await else {
            break;
        };
        // Above the general limit only an administrator can log on.
        let Ok(session) = try_logon(&connection, "alice", "alice").await else {
            break;
        };
        alices.push(Raw {
            connection,
            session,
            tree_id: 0,
        });
    }
    assert!(alices.len() > 50, "{}", alices.len());
    expect_others_to_work(&scene, alices, &gate, &before).await;
}
