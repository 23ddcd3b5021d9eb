//! Byte-range locks ([MS-SMB2] 3.3.5.14): in force for everybody, waited for in order.

use smb::wire::lock::LockElement;
use smb::wire::{FileId, LockRequest, ReadRequest, WriteRequest, lock_flags};

use super::raw::{Raw, SHARED};
use super::*;

const EXCLUSIVE: u32 = lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK;
const SHARED_LOCK: u32 = lock_flags::SMB2_LOCKFLAG_SHARED_LOCK;
const AT_ONCE: u32 = lock_flags::SMB2_LOCKFLAG_FAIL_IMMEDIATELY;
const UNLOCK: u32 = lock_flags::SMB2_LOCKFLAG_UNLOCK;

fn request(file_id: FileId, ranges: &[(u64, u64, u32)]) -> LockRequest {
    LockRequest {
        lock_sequence: 0,
        file_id,
        locks: ranges
            .iter()
            .map(|&(offset, length, flags)| LockElement {
                offset,
                length,
                flags,
            })
            .collect(),
    }
}

async fn lock(raw: &Raw, file_id: FileId, ranges: &[(u64, u64, u32)]) -> NtStatus {
    let request = request(file_id, ranges);
    raw.ask(Command::LOCK, |out| request.write(out))
        .await
        .status()
}

/// A lock that has to wait: MessageId and AsyncId.
async fn wait(raw: &Raw, file_id: FileId, range: (u64, u64, u32)) -> (u64, u64) {
    let request = request(file_id, &[range]);
    let interim = raw.ask(Command::LOCK, |out| request.write(out)).await;
    assert!(interim.is_interim(), "{}", interim.status());
    (interim.header.message_id, interim.header.async_id)
}

async fn write(raw: &Raw, file_id: FileId, offset: u64, data: &[u8]) -> NtStatus {
    let request = WriteRequest {
        file_id,
        offset,
        data,
        ..WriteRequest::default()
    };
    raw.ask_patiently(Command::WRITE, |out| request.write(out))
        .await
        .status()
}

async fn read(raw: &Raw, file_id: FileId, offset: u64, length: u32) -> NtStatus {
    let request = ReadRequest {
        file_id,
        offset,
        length,
        ..ReadRequest::default()
    };
    raw.ask_patiently(Command::READ, |out| request.write(out))
        .await
        .status()
}

/// Alice and Bob have `f` open, 100 bytes long.
async fn two(scene: &Scene) -> (Raw, FileId, Raw, FileId) {
    let alice = Raw::connect(scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(scene, BOB, "bob", "data").await;
    let (hers, _) = alice.create("f", SHARED).await.unwrap();
    let (his, _) = bob.create("f", SHARED).await.unwrap();
    assert_eq!(write(&alice, hers, 0, &[7; 100]).await, NtStatus::SUCCESS);
    (alice, hers, bob, his)
}

#[tokio::test]
async fn locks_are_in_force_for_reads_and_writes_of_others() {
    let scene = Scene::new(|_| {});
    let (alice, hers, bob, his) = two(&scene).await;
    let locked = lock(&alice, hers, &[(10, 10, EXCLUSIVE | AT_ONCE)]).await;
    assert_eq!(locked, NtStatus::SUCCESS);
    assert_eq!(read(&bob, his, 19, 5).await, NtStatus::FILE_LOCK_CONFLICT);
    assert_eq!(read(&bob, his, 20, 5).await, NtStatus::SUCCESS);
    assert_eq!(
        write(&bob, his, 5, &[0; 6]).await,
        NtStatus::FILE_LOCK_CONFLICT
    );
    assert_eq!(write(&alice, hers, 5, &[0; 6]).await, NtStatus::SUCCESS);
    let row = scene
        .application()
        .opens(SessionFilter::default(), 0, 10)
        .rows;
    let locks: Vec<_> = row.iter().map(|row| row.num_locks).collect();
    assert_eq!(locks, [1, 0], "NetrFileEnum tells of them");
    // Shared ones forbid writing only, and their own open as well.
    assert_eq!(
        lock(&alice, hers, &[(10, 10, UNLOCK)]).await,
        NtStatus::SUCCESS
    );
    let locked = lock(&alice, hers, &[(10, 10, SHARED_LOCK | AT_ONCE)]).await;
    assert_eq!(locked, NtStatus::SUCCESS);
    assert_eq!(read(&bob, his, 10, 10).await, NtStatus::SUCCESS);
    assert_eq!(
        write(&bob, his, 10, &[0]).await,
        NtStatus::FILE_LOCK_CONFLICT
    );
    assert_eq!(
        write(&alice, hers, 10, &[0]).await,
        NtStatus::FILE_LOCK_CONFLICT
    );
}

#[tokio::test]
async fn an_array_of_locks_is_all_or_nothing() {
    let scene = Scene::new(|_| {});
    let (alice, hers, bob, his) = two(&scene).await;
    let now = EXCLUSIVE | AT_ONCE;
    assert_eq!(lock(&alice, hers, &[(50, 1, now)]).await, NtStatus::SUCCESS);
    let refused = lock(&bob, his, &[(0, 10, now), (50, 1, now)]).await;
    assert_eq!(refused, NtStatus::LOCK_NOT_GRANTED);
    assert_eq!(lock(&alice, hers, &[(0, 10, now)]).await, NtStatus::SUCCESS);
    let waits = lock(&bob, his, &[(60, 1, EXCLUSIVE), (70, 1, EXCLUSIVE)]).await;
    assert_eq!(
        waits,
        NtStatus::INVALID_PARAMETER,
        "only one alone may wait"
    );
}

#[tokio::test]
async fn waiting_locks_are_granted_in_order_of_arrival() {
    let scene = Scene::new(|_| {});
    let (alice, hers, bob, his) = two(&scene).await;
    let carol = Raw::connect(&scene, BOB, "bob", "data").await;
    let (third, _) = carol.create("f", SHARED).await.unwrap();
    let now = EXCLUSIVE | AT_ONCE;
    assert_eq!(lock(&alice, hers, &[(0, 1, now)]).await, NtStatus::SUCCESS);
    let first = wait(&bob, his, (0, 1, EXCLUSIVE)).await;
    let second = wait(&carol, third, (0, 1, EXCLUSIVE)).await;
    assert_eq!(bob.echo().await, NtStatus::SUCCESS, "it holds up nobody");
    assert_eq!(
        lock(&alice, hers, &[(0, 1, UNLOCK)]).await,
        NtStatus::SUCCESS
    );
    let granted = bob.receive().await;
    assert_eq!(granted.status(), NtStatus::SUCCESS);
    assert_eq!((granted.header.message_id, granted.header.async_id), first);
    // The other waits on, until the open of the first ends.
    assert_eq!(carol.echo().await, NtStatus::SUCCESS);
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
    let granted = carol.receive().await;
    assert_eq!(granted.status(), NtStatus::SUCCESS);
    assert_eq!((granted.header.message_id, granted.header.async_id), second);
}

#[tokio::test]
async fn a_waiting_lock_ends_by_cancel_close_and_the_end_of_its_session() {
    let scene = Scene::new(|_| {});
    let (alice, hers, bob, his) = two(&scene).await;
    let now = EXCLUSIVE | AT_ONCE;
    assert_eq!(lock(&alice, hers, &[(0, 1, now)]).await, NtStatus::SUCCESS);

    let (message_id, async_id) = wait(&bob, his, (0, 1, EXCLUSIVE)).await;
    bob.cancel(message_id, Some(async_id)).await;
    let ended = bob.receive().await;
    assert_eq!(ended.status(), NtStatus::CANCELLED);
    assert_eq!(ended.header.message_id, message_id);

    let (message_id, _) = wait(&bob, his, (0, 1, EXCLUSIVE)).await;
    let close = smb::wire::CloseRequest {
        file_id: his,
        ..smb::wire::CloseRequest::default()
    };
    let close_id = bob.send(Command::CLOSE, |out| close.write(out)).await;
    let mut ended = Vec::new();
    for _ in 0..2 {
        let message = bob.receive().await;
        ended.push((message.header.message_id, message.status()));
    }
    ended.sort_by_key(|(id, _)| *id);
    let expected = [
        (message_id, NtStatus::RANGE_NOT_LOCKED),
        (close_id, NtStatus::SUCCESS),
    ];
    assert_eq!(ended, expected);

    let (his, _) = bob.create("f", SHARED).await.unwrap();
    let (message_id, _) = wait(&bob, his, (0, 1, EXCLUSIVE)).await;

    assert!(end(&*scene.application(), bob.session.id()));
    let ended = bob.receive().await;
    assert_eq!(ended.header.message_id, message_id);
    assert_eq!(ended.status(), NtStatus::RANGE_NOT_LOCKED);
    // Nothing of all that was locked.
    assert_eq!(
        lock(&alice, hers, &[(0, 1, UNLOCK)]).await,
        NtStatus::SUCCESS
    );
    assert_eq!(lock(&alice, hers, &[(0, 1, now)]).await, NtStatus::SUCCESS);
}

/// One LOCK that may wait, and its answer.
async fn lock_patiently(raw: &Raw, file_id: FileId, range: (u64, u64, u32)) -> NtStatus {
    let request = request(file_id, &[range]);
    raw.ask_patiently(Command::LOCK, |out| request.write(out))
        .await
        .status()
}

/// A LOCK that finds no room to wait may be granted in that very moment: then it holds, and
/// says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_that_is_refused_is_not_held() {
    const ROUNDS: usize = 3_000;
    let scene = Scene::new(|config| config.limits.pending_requests = 1);
    let (alice, hers, bob, his) = two(&scene).await;
    // What takes the only place.
    let held = lock(&bob, his, &[(50, 1, EXCLUSIVE)]).await;
    assert_eq!(held, NtStatus::SUCCESS);
    let waiting = wait(&alice, hers, (50, 1, EXCLUSIVE)).await;
    let holder = tokio::spawn(async move {
        for _ in 0..ROUNDS {
            if lock(&bob, his, &[(0, 1, EXCLUSIVE | AT_ONCE)]).await == NtStatus::SUCCESS {
                assert_eq!(lock(&bob, his, &[(0, 1, UNLOCK)]).await, NtStatus::SUCCESS);
            }
        }
        (bob, his)
    });
    while !holder.is_finished() {
        match lock_patiently(&alice, hers, (0, 1, EXCLUSIVE)).await {
            NtStatus::SUCCESS => {
                let unlocked = lock(&alice, hers, &[(0, 1, UNLOCK)]).await;
                assert_eq!(unlocked, NtStatus::SUCCESS);
            }
            refused => assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES),
        }
    }
    let (bob, his) = holder.await.unwrap();
    let free = lock(&bob, his, &[(0, 1, EXCLUSIVE | AT_ONCE)]).await;
    assert_eq!(free, NtStatus::SUCCESS);
    alice.cancel(waiting.0, Some(waiting.1)).await;
    assert_eq!(alice.receive().await.status(), NtStatus::CANCELLED);
}
