//! Compounds with a request that waits ([MS-SMB2] 3.3.5.2.7): what is before it is answered,
//! what is behind it comes when it is through, in order, each signed by itself.

use smb::wire::lock::LockElement;
use smb::wire::{
    ChangeNotifyRequest, CloseRequest, FileId, HeaderFlags, LockRequest, ReadRequest, ReadResponse,
    lock_flags, oplock_level, utf16,
};

use super::gate::{Call, Gate};
use super::notify_client::{DIRECTORY, NAMES, change, changes};
use super::raw::{Message, Raw, SHARED, Wanted, created, write_create};
use super::*;

type Request = (Command, bool, Vec<u8>);

/// That of the compound.
const ITS_OWN: FileId = FileId::ALL_ONES;

fn create(name: &str, wanted: Wanted) -> Request {
    let mut body = Vec::new();
    write_create(&utf16(name), wanted, &mut body);
    (Command::CREATE, false, body)
}

fn read(file_id: FileId) -> Request {
    let mut body = Vec::new();
    ReadRequest {
        length: 100,
        file_id,
        ..ReadRequest::default()
    }
    .write(&mut body);
    (Command::READ, file_id == ITS_OWN, body)
}

fn close(file_id: FileId) -> Request {
    let mut body = Vec::new();
    CloseRequest {
        file_id,
        ..CloseRequest::default()
    }
    .write(&mut body);
    (Command::CLOSE, file_id == ITS_OWN, body)
}

fn echo() -> Request {
    let mut body = Vec::new();
    EchoRequest.write(&mut body);
    (Command::ECHO, false, body)
}

fn lock(file_id: FileId, flags: u32) -> Request {
    let mut body = Vec::new();
    LockRequest {
        lock_sequence: 0,
        file_id,
        locks: vec![LockElement {
            offset: 0,
            length: 1,
            flags,
        }],
    }
    .write(&mut body);
    (Command::LOCK, file_id == ITS_OWN, body)
}

fn watch() -> Request {
    let mut body = Vec::new();
    ChangeNotifyRequest {
        output_buffer_length: 1_000,
        file_id: ITS_OWN,
        completion_filter: NAMES,
        ..ChangeNotifyRequest::default()
    }
    .write(&mut body);
    (Command::CHANGE_NOTIFY, true, body)
}

/// The final responses to these requests, which must come in this order.
async fn ends(raw: &Raw, ids: &[u64]) -> Vec<Message> {
    let mut messages = Vec::new();
    while messages.len() < ids.len() {
        messages.extend(raw.receive_all().await);
    }
    let came: Vec<_> = messages.iter().map(|one| one.header.message_id).collect();
    assert_eq!(came, ids);
    assert!(messages.iter().all(|one| !one.is_interim()));
    assert_eq!(raw.echo().await, NtStatus::SUCCESS, "nothing else comes");
    messages
}

fn statuses(messages: &[Message]) -> Vec<NtStatus> {
    messages.iter().map(Message::status).collect()
}

/// Alice has `f` open with a batch oplock.
async fn contest() -> (Scene, Raw, FileId, Raw) {
    let scene = Scene::new(|_| {});
    std::fs::write(scene.data().join("f"), b"content").unwrap();
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "data").await;
    let batch = Wanted {
        oplock: oplock_level::SMB2_OPLOCK_LEVEL_BATCH,
        ..SHARED
    };
    let (held, _) = alice.create("f", batch).await.unwrap();
    (scene, alice, held, bob)
}

async fn let_in(alice: &Raw, held: FileId) {
    assert!(alice.receive().await.is_notification());
    let answer = alice.acknowledge(held, 0).await;
    assert_eq!(answer.status(), NtStatus::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn what_is_related_to_a_create_that_waits_comes_behind_it() {
    let (scene, alice, held, bob) = contest().await;
    let requests = [create("f", SHARED), read(ITS_OWN), close(ITS_OWN)];
    let ids = bob.send_compound(&requests).await;
    let async_id = bob.interim(ids[0]).await;
    assert_eq!(bob.echo().await, NtStatus::SUCCESS, "the rest waits");
    let_in(&alice, held).await;
    let ends = ends(&bob, &ids).await;
    assert_eq!(statuses(&ends), [NtStatus::SUCCESS; 3]);
    assert_eq!(ends[0].header.async_id, async_id);
    assert!(ends[0].header.flags.contains(HeaderFlags::ASYNC));
    for end in &ends[1..] {
        assert!(end.header.flags.contains(HeaderFlags::RELATED));
        assert!(!end.header.flags.contains(HeaderFlags::ASYNC));
    }
    let data = ReadResponse::read(&ends[1].bytes).unwrap().data;
    assert_eq!(data, b"content");
    assert_eq!(scene.opens(), 1, "his was closed");
}

#[tokio::test(start_paused = true)]
async fn what_is_before_it_does_not_wait() {
    let (_scene, alice, held, bob) = contest().await;
    let (other, _) = bob.create("other", SHARED).await.unwrap();
    let requests = [echo(), close(other), create("f", SHARED), echo()];
    let ids = bob.send_compound(&requests).await;
    let before = bob.receive_all().await;
    assert_eq!(statuses(&before), [NtStatus::SUCCESS; 2]);
    assert_eq!(before[1].header.message_id, ids[1]);
    bob.interim(ids[2]).await;
    let_in(&alice, held).await;
    let ends = ends(&bob, &ids[2..]).await;
    assert_eq!(statuses(&ends), [NtStatus::SUCCESS; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_second_chain_has_a_file_of_its_own() {
    let (scene, alice, held, bob) = contest().await;
    std::fs::write(scene.data().join("g"), b"other").unwrap();
    let ids = bob
        .send_compound(&[
            create("f", SHARED),
            read(ITS_OWN),
            close(ITS_OWN),
            create("g", SHARED),
            read(ITS_OWN),
            close(ITS_OWN),
        ])
        .await;
    bob.interim(ids[0]).await;
    let_in(&alice, held).await;
    let ends = ends(&bob, &ids).await;
    assert_eq!(statuses(&ends), [NtStatus::SUCCESS; 6]);
    for (read, expected) in [(1, &b"content"[..]), (4, b"other")] {
        let data = ReadResponse::read(&ends[read].bytes).unwrap().data;
        assert_eq!(data, expected);
    }
    assert_eq!(scene.opens(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_creates_of_one_compound_may_wait_one_after_the_other() {
    let (scene, alice, held, bob) = contest().await;
    let batch = Wanted {
        oplock: oplock_level::SMB2_OPLOCK_LEVEL_BATCH,
        ..SHARED
    };
    let (second, _) = alice.create("g", batch).await.unwrap();
    let ids = bob
        .send_compound(&[create("f", SHARED), create("g", SHARED), close(ITS_OWN)])
        .await;
    bob.interim(ids[0]).await;
    let_in(&alice, held).await;
    bob.end(ids[0]).await;
    bob.interim(ids[1]).await;
    let_in(&alice, second).await;
    let ends = ends(&bob, &ids[1..]).await;
    assert_eq!(statuses(&ends), [NtStatus::SUCCESS; 2]);
    assert_eq!(scene.opens(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_related_to_a_create_that_is_cancelled_fails_with_it() {
    let (scene, alice, held, bob) = contest().await;
    let requests = [create("f", SHARED), read(ITS_OWN), close(ITS_OWN), echo()];
    let ids = bob.send_compound(&requests).await;
    let async_id = bob.interim(ids[0]).await;
    bob.cancel(ids[0], Some(async_id)).await;
    let ends = ends(&bob, &ids).await;
    let cancelled = NtStatus::CANCELLED;
    let expected = [cancelled, cancelled, cancelled, NtStatus::SUCCESS];
    assert_eq!(statuses(&ends), expected);
    let_in(&alice, held).await;
    assert_eq!(scene.opens(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_its_session_ends_a_compound() {
    let (scene, alice, held, bob) = contest().await;
    let ids = bob
        .send_compound(&[create("f", SHARED), read(ITS_OWN), close(ITS_OWN)])
        .await;
    bob.interim(ids[0]).await;
    assert!(end(&*scene.application(), bob.session.id()));
    let mut answers = Vec::new();
    while answers.len() < ids.len() {
        // What follows knows no session, and so no key, any more.
        let frame = bob.connection.receive().await.unwrap();
        let mut rest = &frame[..];
        loop {
            let header = Header::read(rest).unwrap();
            answers.push((header.message_id, header.status));
            match header.next_command as usize {
                0 => break,
                next => rest = &rest[next..],
            }
        }
    }
    let came: Vec<_> = answers.iter().map(|(id, _)| *id).collect();
    assert_eq!(came, ids);
    assert!(answers.iter().all(|(_, status)| status.is_error()));
    let_in(&alice, held).await;
    assert_eq!(scene.opens(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lock_may_wait_in_the_middle() {
    const EXCLUSIVE: u32 = lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK;
    let scene = Scene::new(|_| {});
    std::fs::write(scene.data().join("f"), b"content").unwrap();
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "data").await;
    let (hers, _) = alice.create("f", SHARED).await.unwrap();
    let locked = alice.send_compound(&[lock(hers, EXCLUSIVE)]).await;
    assert_eq!(alice.end(locked[0]).await.status(), NtStatus::SUCCESS);

    // One that must not wait is refused, and what is related goes on with the file.
    let at_once = EXCLUSIVE | lock_flags::SMB2_LOCKFLAG_FAIL_IMMEDIATELY;
    let requests = [create("f", SHARED), lock(ITS_OWN, at_once), close(ITS_OWN)];
    let ids = bob.send_compound(&requests).await;
    let refused = ends(&bob, &ids).await;
    let expected = [
        NtStatus::SUCCESS,
        NtStatus::LOCK_NOT_GRANTED,
        NtStatus::SUCCESS,
    ];
    assert_eq!(statuses(&refused), expected);

    let ids = bob
        .send_compound(&[
            create("f", SHARED),
            lock(ITS_OWN, EXCLUSIVE),
            read(ITS_OWN),
            close(ITS_OWN),
        ])
        .await;
    assert!(created(&bob.end(ids[0]).await).is_ok());
    let async_id = bob.interim(ids[1]).await;
    assert_eq!(bob.echo().await, NtStatus::SUCCESS);
    assert_eq!(alice.close(hers).await, NtStatus::SUCCESS);
    let granted = ends(&bob, &ids[1..]).await;
    assert_eq!(statuses(&granted), [NtStatus::SUCCESS; 3]);
    assert_eq!(granted[0].header.async_id, async_id);
    assert_eq!(scene.opens(), 0);
    assert_eq!(scene.server.usage().locks, 0);
}

#[tokio::test]
async fn changes_are_waited_for_at_the_end_only() {
    let scene = Scene::new(|_| {});
    std::fs::create_dir(scene.data().join("d")).unwrap();
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let requests = [create("d", DIRECTORY), watch(), close(ITS_OWN)];
    let ids = alice.send_compound(&requests).await;
    let refused = ends(&alice, &ids).await;
    let expected = [
        NtStatus::SUCCESS,
        NtStatus::INTERNAL_ERROR,
        NtStatus::SUCCESS,
    ];
    assert_eq!(statuses(&refused), expected);

    let ids = alice
        .send_compound(&[create("d", DIRECTORY), watch()])
        .await;
    assert!(created(&alice.end(ids[0]).await).is_ok());
    alice.interim(ids[1]).await;
    std::fs::write(scene.data().join("d").join("new"), b"").unwrap();
    let told = changes(&alice.end(ids[1]).await);
    assert_eq!(told[0], change(1, "new"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_its_time_in_the_middle_keeps_the_answers_together() {
    for told in [false, true] {
        let scene = Scene::new(|_| {});
        let gate = Gate::of(&scene);
        std::fs::write(scene.data().join("f"), b"content").unwrap();
        let alice = Raw::connect(&scene, ALICE, "alice", "slow").await;
        gate.hold(&[Call::Read]);
        let requests = [
            create("f", SHARED),
            read(ITS_OWN),
            read(ITS_OWN),
            close(ITS_OWN),
        ];
        let ids = alice.send_compound(&requests).await;
        gate.held(1).await;
        let first = usize::from(told);
        if told {
            tokio::time::advance(Duration::from_secs(2)).await;
            assert!(created(&alice.end(ids[0]).await).is_ok());
            alice.interim(ids[1]).await;
        } else {
            assert_eq!(alice.echo().await, NtStatus::SUCCESS, "nothing comes");
        }
        gate.open();
        let frame = alice.receive_all().await;
        let came: Vec<_> = frame.iter().map(|one| one.header.message_id).collect();
        assert_eq!(came, ids[first..]);
        assert_eq!(statuses(&frame), vec![NtStatus::SUCCESS; came.len()]);
        let read = &frame[1 - first];
        assert_eq!(read.header.flags.contains(HeaderFlags::ASYNC), told);
        let data = ReadResponse::read(&read.bytes).unwrap().data;
        assert_eq!(data, b"content");
        assert_eq!(scene.opens(), 0);
    }
}
