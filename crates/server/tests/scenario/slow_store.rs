//! A store that takes its time: who waits for it, and who does not ([MS-SMB2] 3.3.4.2,
//! 3.3.5.16).

use smb::wire::{FileId, HeaderFlags, ReadResponse};

use super::gate::{Call, Gate, Verdict};
use super::raw::{Raw, SHARED};
use super::*;

/// Requests of one connection that are executed at the same time.
const EXECUTED_AT_ONCE: usize = 16;

/// Alice has `f` open, whose content is `content`, on a share that may hang.
pub struct Slow {
    pub scene: Scene,
    pub gate: Arc<Gate>,
    pub alice: Raw,
    pub file: FileId,
}

impl Slow {
    pub async fn new() -> Self {
        let scene = Scene::new(|_| {});
        let gate = Gate::of(&scene);
        std::fs::write(scene.data().join("f"), b"content").unwrap();
        let alice = Raw::connect(&scene, ALICE, "alice", "slow").await;
        let (file, _) = alice.create("f", SHARED).await.unwrap();
        Self {
            scene,
            gate,
            alice,
            file,
        }
    }

    /// A WRITE that hangs; its MessageId.
    pub async fn hanging_write(&self) -> u64 {
        self.gate.hold(&[Call::Write]);
        let id = self.alice.send_write(self.file, 0, b"written").await;
        self.gate.held(1).await;
        id
    }
}

#[tokio::test(start_paused = true)]
async fn within_a_second_the_answer_is_as_if_nothing_had_happened() {
    let Slow {
        gate, alice, file, ..
    } = &Slow::new().await;
    gate.hold(&[Call::Read]);
    let id = alice.send_read(*file, 0, 100).await;
    gate.held(1).await;
    tokio::time::advance(Duration::from_millis(900)).await;
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "nothing has come");
    gate.release(Verdict::Go);
    let answer = alice.end(id).await;
    assert_eq!(answer.status(), NtStatus::SUCCESS);
    assert!(!answer.header.flags.contains(HeaderFlags::ASYNC));
    assert!(answer.header.credits > 0);
    assert_eq!(ReadResponse::read(&answer.bytes).unwrap().data, b"content");
}

#[tokio::test(start_paused = true)]
async fn after_a_second_the_client_is_told_that_it_waits() {
    let Slow {
        gate, alice, file, ..
    } = &Slow::new().await;
    gate.hold(&[Call::Read]);
    let id = alice.send_read(*file, 0, 100).await;
    gate.held(1).await;
    tokio::time::advance(Duration::from_millis(1_001)).await;
    // That it is not signed is looked at with each message.
    let interim = alice.receive().await;
    assert!(interim.is_interim());
    assert_eq!(interim.header.message_id, id);
    assert!(interim.header.credits > 0);
    // It is told once, however long it takes.
    tokio::time::advance(Duration::from_secs(100)).await;
    assert_eq!(alice.echo().await, NtStatus::SUCCESS);
    gate.release(Verdict::Go);
    let answer = alice.end(id).await;
    assert_eq!(answer.status(), NtStatus::SUCCESS);
    assert!(answer.header.flags.contains(HeaderFlags::ASYNC));
    assert_eq!(answer.header.async_id, interim.header.async_id);
    assert_eq!(answer.header.credits, 0, "they came before");
    assert_eq!(ReadResponse::read(&answer.bytes).unwrap().data, b"content");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_comes_late_is_told() {
    let slow = Slow::new().await;
    let id = slow.hanging_write().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    slow.alice.interim(id).await;
    slow.gate.release(Verdict::Fail(NtStatus::DISK_FULL));
    assert_eq!(slow.alice.end(id).await.status(), NtStatus::DISK_FULL);
}

#[tokio::test(start_paused = true)]
async fn nobody_else_waits() {
    let slow = Slow::new().await;
    let id = slow.hanging_write().await;
    let Slow { alice, gate, .. } = &slow;
    // On the same connection, in the same file.
    assert_eq!(alice.echo().await, NtStatus::SUCCESS);
    let read = alice.send_read(slow.file, 0, 100).await;
    assert_eq!(alice.end(read).await.status(), NtStatus::SUCCESS);
    let (other, _) = alice.create("other", SHARED).await.unwrap();
    assert_eq!(alice.close(other).await, NtStatus::SUCCESS);
    // And on another.
    let bob = Raw::connect(&slow.scene, BOB, "bob", "slow").await;
    let (his, _) = bob.create("f", SHARED).await.unwrap();
    let read = bob.send_read(his, 0, 100).await;
    assert_eq!(bob.end(read).await.status(), NtStatus::SUCCESS);
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
    gate.release(Verdict::Go);
    assert_eq!(alice.end(id).await.status(), NtStatus::SUCCESS);
}

/// The first WRITE asks the store for the time of the last change. Who opens the file
/// meanwhile, or asks for its times, must not stand behind that on a thread that serves others.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_time_of_a_file() {
    let slow = Slow::new().await;
    let Slow { alice, gate, .. } = &slow;
    gate.hold(&[Call::Stat]);
    let write = alice.send_write(slow.file, 0, b"written").await;
    gate.held(1).await;
    let bob = Raw::connect(&slow.scene, BOB, "bob", "data").await;
    let (his, _) = bob.create("f", SHARED).await.unwrap();
    let his_write = bob.send_write(his, 0, b"his").await;
    assert_eq!(bob.end(his_write).await.status(), NtStatus::SUCCESS);
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
    assert_eq!(gate.number_held(), 1);
    gate.open();
    assert_eq!(alice.end(write).await.status(), NtStatus::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn a_close_waits_for_the_writes_before_it() {
    let slow = Slow::new().await;
    let Slow { alice, gate, .. } = &slow;
    let first = slow.hanging_write().await;
    let second = alice.send_write(slow.file, 7, b" twice").await;
    gate.held(2).await;
    let close = alice.send_close(slow.file).await;
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "it waits");
    assert_eq!(slow.scene.opens(), 1);
    tokio::time::advance(Duration::from_millis(1_001)).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let interim = alice.receive().await;
        assert!(interim.is_interim());
        told.push(interim.header.message_id);
    }
    told.sort_unstable();
    assert_eq!(told, [first, second, close]);
    gate.release(Verdict::Go);
    assert_eq!(alice.end(first).await.status(), NtStatus::SUCCESS);
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "it waits on");
    gate.release(Verdict::Go);
    assert_eq!(alice.end(second).await.status(), NtStatus::SUCCESS);
    assert_eq!(alice.end(close).await.status(), NtStatus::SUCCESS);
    assert_eq!(slow.scene.opens(), 0);
    let content = std::fs::read(slow.scene.data().join("f")).unwrap();
    assert_eq!(content, b"written twice");
}

#[tokio::test(start_paused = true)]
async fn a_close_does_not_wait_for_other_opens() {
    let slow = Slow::new().await;
    let (other, _) = slow.alice.create("f", SHARED).await.unwrap();
    let id = slow.hanging_write().await;
    assert_eq!(slow.alice.close(other).await, NtStatus::SUCCESS);
    slow.gate.release(Verdict::Go);
    assert_eq!(slow.alice.end(id).await.status(), NtStatus::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_are_executed_at_once_and_all_of_them_end() {
    let Slow {
        gate, alice, file, ..
    } = &Slow::new().await;
    gate.hold(&[Call::Read]);
    let mut ids = Vec::new();
    for offset in 0..40 {
        ids.push(alice.send_read(*file, offset % 7, 1).await);
    }
    gate.held(EXECUTED_AT_ONCE).await;
    assert_eq!(alice.echo().await, NtStatus::SUCCESS);
    assert_eq!(gate.number_held(), EXECUTED_AT_ONCE);
    for _ in EXECUTED_AT_ONCE..ids.len() {
        // A place that is free is taken by the next.
        gate.release(Verdict::Go);
        gate.held(EXECUTED_AT_ONCE).await;
    }
    gate.open();
    let ends = alice.ends(&ids).await;
    assert!(ends.iter().all(|end| *end == NtStatus::SUCCESS));
    assert_eq!(alice.echo().await, NtStatus::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn one_connection_leaves_places_for_another() {
    let slow = Slow::new().await;
    let Slow { alice, gate, .. } = &slow;
    gate.hold(&[Call::Read]);
    let mut ids = Vec::new();
    for _ in 0..EXECUTED_AT_ONCE + 1 {
        ids.push(alice.send_read(slow.file, 0, 1).await);
    }
    gate.held(EXECUTED_AT_ONCE).await;
    let bob = Raw::connect(&slow.scene, BOB, "bob", "slow").await;
    let (his, _) = bob.create("f", SHARED).await.unwrap();
    let read = bob.send_read(his, 0, 1).await;
    gate.held(EXECUTED_AT_ONCE + 1).await;
    gate.open();
    assert_eq!(bob.end(read).await.status(), NtStatus::SUCCESS);
    alice.ends(&ids).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_being_executed_ends_by_itself_though_it_is_cancelled() {
    let slow = Slow::new().await;
    let Slow { alice, gate, .. } = &slow;
    let id = slow.hanging_write().await;
    alice.cancel(id, None).await;
    tokio::time::advance(Duration::from_secs(2)).await;
    let async_id = alice.interim(id).await;
    alice.cancel(id, Some(async_id)).await;
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "no answer yet");
    gate.release(Verdict::Go);
    assert_eq!(alice.end(id).await.status(), NtStatus::SUCCESS);
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "no second answer");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_turn_can_be_cancelled() {
    let slow = Slow::new().await;
    let Slow { alice, gate, .. } = &slow;
    gate.hold(&[Call::Read]);
    let mut ids = Vec::new();
    for _ in 0..EXECUTED_AT_ONCE + 2 {
        ids.push(alice.send_read(slow.file, 0, 1).await);
    }
    gate.held(EXECUTED_AT_ONCE).await;
    let made = gate.made();
    let cancelled = ids.remove(EXECUTED_AT_ONCE);
    alice.cancel(cancelled, None).await;
    let end = alice.end(cancelled).await;
    assert_eq!(end.status(), NtStatus::CANCELLED);
    gate.open();
    let ends = alice.ends(&ids).await;
    assert!(ends.iter().all(|end| *end == NtStatus::SUCCESS));
    assert_eq!(gate.made(), made + 1, "the store was not asked for it");
}
