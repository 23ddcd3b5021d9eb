//! What becomes of requests that hang in a store when what they stand on ends meanwhile, and
//! when the store has a mistake.

use smb::wire::{LogoffRequest, TreeDisconnectRequest};

use super::gate::{Call, Gate, Verdict};
use super::raw::{Raw, SHARED, Wanted};
use super::slow_store::Slow;
use super::*;

const ALONE: Wanted = Wanted { share: 0, ..SHARED };

/// Nobody has `name` open any more, and everything works.
async fn expect_free(scene: &Scene, name: &str) {
    let bob = Raw::connect(scene, BOB, "bob", "slow").await;
    let (his, _) = bob.create(name, ALONE).await.unwrap();
    let write = bob.send_write(his, 0, b"bob").await;
    assert_eq!(bob.end(write).await.status(), NtStatus::SUCCESS);
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn the_administrator_ends_the_session_of_what_hangs() {
    let scene = Scene::new(|_| {});
    let gate = Gate::of(&scene);
    let connection = scene.connect(ALICE).await;
    let before = scene.server.usage();
    let alice = Raw::on(connection, "alice", "slow").await;
    let (file, _) = alice.create("f", SHARED).await.unwrap();
    gate.hold(&[Call::Read, Call::Open]);
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(alice.send_read(file, 0, 10).await);
    }
    ids.push(alice.send_create("g", SHARED).await);
    gate.held(16).await;

    assert!(end(&*scene.application(), alice.session.id()));
    assert_eq!((scene.rows().len(), scene.opens()), (0, 0));
    // What the store was not asked for yet ends now, the rest when the store has answered;
    // its client has no right to the data any more.
    let (executed, queued) = ids.split_at(16);
    let ends = alice.ends(queued).await;
    assert_eq!(ends, [NtStatus::CANCELLED; 5]);
    assert_eq!(scene.server.usage().pending_requests, 16);
    gate.open();
    let ends = alice.ends(executed).await;
    assert_eq!(ends, [NtStatus::CANCELLED; 16]);
    until("everything is given back", || {
        scene.server.usage() == before
    })
    .await;
    // The connection is as good as before.
    let alice = Raw::on(alice.connection, "alice", "slow").await;
    assert_eq!(alice.echo().await, NtStatus::SUCCESS);
    expect_free(&scene, "f").await;
}

#[tokio::test(start_paused = true)]
async fn the_connection_of_what_hangs_is_lost() {
    let scene = Scene::new(|_| {});
    let gate = Gate::of(&scene);
    let before = scene.server.usage();
    let alice = Raw::connect(&scene, ALICE, "alice", "slow").await;
    let (file, _) = alice.create("f", SHARED).await.unwrap();
    gate.hold(&[Call::Write, Call::Open]);
    let data = vec![7; 30_000];
    for _ in 0..15 {
        alice.send_write(file, 0, &data).await;
    }
    alice.send_create("g", SHARED).await;
    alice.send_write(file, 0, &data).await;
    gate.held(16).await;
    drop(alice);
    until("the session ends", || scene.rows().is_empty()).await;
    assert_eq!(scene.opens(), 0);
    // A thread holds what it works on, and somebody has to answer for that.
    let usage = scene.server.usage();
    assert_eq!(usage.pending_requests, 16);
    assert!(usage.bytes > 15 * 30_000, "{}", usage.bytes);
    gate.open();
    until("everything is given back", || {
        scene.server.usage() == before
    })
    .await;
    assert_eq!(scene.opens(), 0);
    expect_free(&scene, "f").await;
    expect_free(&scene, "g").await;
}

#[tokio::test(start_paused = true)]
async fn a_logoff_does_not_wait_for_what_hangs() {
    let slow = Slow::new().await;
    let Slow { alice, gate, .. } = &slow;
    let write = slow.hanging_write().await;
    gate.hold(&[Call::Open]);
    let create = alice.send_create("g", SHARED).await;
    gate.held(2).await;
    let logoff = alice
        .send(Command::LOGOFF, |out| LogoffRequest.write(out))
        .await;
    assert_eq!(alice.end(logoff).await.status(), NtStatus::SUCCESS);
    assert_eq!((slow.scene.rows().len(), slow.scene.opens()), (0, 0));
    gate.open();
    let ends = alice.ends(&[write, create]).await;
    assert_eq!(ends, [NtStatus::CANCELLED; 2]);
    assert_eq!(slow.scene.opens(), 0);
    expect_free(&slow.scene, "g").await;
}

#[tokio::test(start_paused = true)]
async fn a_tree_disconnect_does_not_wait_for_what_hangs() {
    let slow = Slow::new().await;
    let Slow { alice, gate, .. } = &slow;
    let write = slow.hanging_write().await;
    gate.hold(&[Call::Open]);
    let create = alice.send_create("g", ALONE).await;
    gate.held(2).await;
    let disconnect = alice
        .send(Command::TREE_DISCONNECT, |out| {
            TreeDisconnectRequest.write(out)
        })
        .await;
    assert_eq!(alice.end(disconnect).await.status(), NtStatus::SUCCESS);
    gate.open();
    // The WRITE could not be cancelled any more; the CREATE has no place for its open.
    let ends = alice.ends(&[write, create]).await;
    assert_eq!(ends, [NtStatus::SUCCESS, NtStatus::NETWORK_NAME_DELETED]);
    assert_eq!(slow.scene.opens(), 0);
    assert_eq!(slow.scene.row(&alice.session).unwrap().num_opens, 0);
    expect_free(&slow.scene, "g").await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_store_is_an_error_of_the_request() {
    for hangs in [true, false] {
        let slow = Slow::new().await;
        let Slow { alice, gate, .. } = &slow;
        let before = slow.scene.server.usage();
        if hangs {
            gate.hold(&[Call::Read, Call::Open]);
        } else {
            gate.panic_next(Call::Read);
            gate.panic_next(Call::Open);
        }
        let read = alice.send_read(slow.file, 0, 10).await;
        let create = alice.send_create("g", ALONE).await;
        if hangs {
            gate.held(2).await;
            gate.release(Verdict::Panic);
            gate.release(Verdict::Panic);
        }
        let ends = alice.ends(&[read, create]).await;
        assert_eq!(ends, [NtStatus::INTERNAL_ERROR; 2], "{hangs}");
        gate.open();
        until("everything is given back", || {
            slow.scene.server.usage() == before
        })
        .await;
        let read = alice.send_read(slow.file, 0, 10).await;
        assert_eq!(alice.end(read).await.status(), NtStatus::SUCCESS);
        expect_free(&slow.scene, "g").await;
    }
}

/// The table of files has let it in when the store is asked to empty the file.
#[tokio::test(start_paused = true)]
async fn a_create_that_panics_leaves_no_share_mode_behind() {
    for hangs in [true, false] {
        let slow = Slow::new().await;
        let Slow { alice, gate, .. } = &slow;
        assert_eq!(alice.close(slow.file).await, NtStatus::SUCCESS);
        let before = slow.scene.server.usage();
        if hangs {
            gate.hold(&[Call::SetEndOfFile]);
        } else {
            gate.panic_next(Call::SetEndOfFile);
        }
        let overwrite = Wanted {
            disposition: 5,
            ..ALONE
        };
        let create = alice.send_create("f", overwrite).await;
        if hangs {
            gate.held(1).await;
            gate.release(Verdict::Panic);
        }
        assert_eq!(alice.end(create).await.status(), NtStatus::INTERNAL_ERROR);
        gate.open();
        until("everything is given back", || {
            slow.scene.server.usage() == before
        })
        .await;
        expect_free(&slow.scene, "f").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_panics_leaves_nothing_behind() {
    let doomed = Wanted {
        // FILE_DELETE_ON_CLOSE.
        options: 0x1000,
        ..ALONE
    };
    for by_session in [true, false] {
        let slow = Slow::new().await;
        let Slow { alice, gate, .. } = &slow;
        let (file, _) = alice.create("g", doomed).await.unwrap();
        gate.panic_next(Call::Unlink);
        if by_session {
            assert!(end(&*slow.scene.application(), alice.session.id()));
        } else {
            assert_eq!(alice.close(file).await, NtStatus::SUCCESS);
        }
        until("it is closed", || {
            slow.scene.opens() == u32::from(!by_session)
        })
        .await;
        expect_free(&slow.scene, "g").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_task_is_dropped_leaves_nothing_behind() {
    let scene = Scene::new(|_| {});
    let before = scene.server.usage();
    let negotiation = Negotiation::new("test").unwrap();
    let (connection, serving) = scene.negotiate(ALICE, &negotiation).await;
    let alice = Raw::on(connection, "alice", "data").await;
    alice.create("f", ALONE).await.unwrap();
    serving.abort();
    until("the session ends", || scene.rows().is_empty()).await;
    until("everything is given back", || {
        scene.server.usage() == before
    })
    .await;
    let bob = Raw::connect(&scene, BOB, "bob", "data").await;
    assert!(bob.create("f", ALONE).await.is_ok());
}

/// An answer that is to be encrypted knows its session, and that its connection.
#[tokio::test(start_paused = true)]
async fn the_connection_of_an_encrypted_request_that_hangs_is_lost() {
    let scene = Scene::new(|config| config.encryption = Encryption::Required);
    let gate = Gate::of(&scene);
    std::fs::write(scene.data().join("f"), b"content").unwrap();
    let before = scene.server.usage();
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let tree = alice.tree_connect("test", "slow").await.unwrap();
    let file = tree.create("f", &Create::open()).await.unwrap();
    gate.hold(&[Call::Read]);
    let reading = tokio::spawn(async move { file.read(0, 10).await.map(drop) });
    gate.held(1).await;
    reading.abort();
    assert!(reading.await.is_err());
    drop((connection, alice, tree));
    until("the session ends", || scene.rows().is_empty()).await;
    gate.open();
    until("everything is given back", || {
        scene.server.usage() == before
    })
    .await;
}
