//! Oplocks ([MS-SMB2] 3.3.4.6, 3.3.5.9, 3.3.5.22.1): who waits for whom, and for how long.

use smb::wire::{OplockBreak, oplock_level};

use super::raw::{Raw, SHARED, Wanted, created};
use super::*;

const BATCH: Wanted = Wanted {
    oplock: oplock_level::SMB2_OPLOCK_LEVEL_BATCH,
    ..SHARED
};

/// Alice has `f` open with a batch oplock, and Bob's CREATE waits for its break.
struct Contest {
    scene: Scene,
    alice: Raw,
    bob: Raw,
    held: FileId,
    /// MessageId and AsyncId of Bob's CREATE.
    waiting: (u64, u64),
}

use smb::wire::FileId;

impl Contest {
    async fn begin() -> Self {
        Self::with(SHARED).await
    }

    async fn with(wanted: Wanted) -> Self {
        let scene = Scene::new(|_| {});
        let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
        let bob = Raw::connect(&scene, BOB, "bob", "data").await;
        let (held, level) = alice.create("f", BATCH).await.unwrap();
        assert_eq!(level, oplock_level::SMB2_OPLOCK_LEVEL_BATCH);
        let id = bob.send_create("f", wanted).await;
        let notification = alice.receive().await;
        assert!(notification.is_notification());
        assert_eq!(notification.header.session_id, 0);
        let told = OplockBreak::read(&notification.bytes).unwrap();
        assert_eq!(told.file_id, held);
        assert_eq!(told.oplock_level, oplock_level::SMB2_OPLOCK_LEVEL_II);
        let interim = bob.receive().await;
        assert!(interim.is_interim());
        assert_eq!(interim.header.message_id, id);
        Self {
            waiting: (id, interim.header.async_id),
            scene,
            alice,
            bob,
            held,
        }
    }

    /// How Bob's CREATE ended.
    async fn end(&self) -> Result<u8, NtStatus> {
        let answer = self.bob.receive().await;
        let header = &answer.header;
        assert_eq!((header.message_id, header.async_id), self.waiting);
        created(&answer).map(|(_, level)| level)
    }
}

#[tokio::test]
async fn an_acknowledgement_lets_the_second_open_in() {
    let contest = Contest::begin().await;
    // Others are not held up, not even on the same connection.
    assert_eq!(contest.bob.echo().await, NtStatus::SUCCESS);
    let level = oplock_level::SMB2_OPLOCK_LEVEL_II;
    let answer = contest.alice.acknowledge(contest.held, level).await;
    assert_eq!(answer.status(), NtStatus::SUCCESS);
    assert_eq!(contest.end().await, Ok(0));
    // It is a level II oplock now, broken without a question by a write.
    let answer = contest.alice.acknowledge(contest.held, level).await;
    assert!(answer.status().is_error(), "no break is under way");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_acknowledge_holds_nobody_up_for_longer_than_35_seconds() {
    let contest = Contest::begin().await;
    let begin = tokio::time::Instant::now();
    contest.alice.connection.set_time_limit(LIMIT * 10).await;
    contest.bob.connection.set_time_limit(LIMIT * 10).await;
    assert_eq!(contest.end().await, Ok(0));
    let waited = begin.elapsed();
    assert!(
        waited > Duration::from_secs(34) && waited < Duration::from_secs(36),
        "{waited:?}"
    );
}

#[tokio::test]
async fn a_close_lets_the_second_open_in() {
    let contest = Contest::begin().await;
    assert_eq!(contest.alice.close(contest.held).await, NtStatus::SUCCESS);
    assert_eq!(contest.end().await, Ok(0));
}

#[tokio::test]
async fn the_end_of_the_holders_session_lets_the_second_open_in() {
    let contest = Contest::begin().await;
    let id = contest.alice.session.id();
    assert!(end(&*contest.scene.application(), id));
    assert_eq!(contest.end().await, Ok(0));
}

#[tokio::test]
async fn the_loss_of_the_holders_connection_lets_the_second_open_in() {
    let Contest {
        scene: _scene,
        alice,
        bob,
        waiting,
        ..
    } = Contest::begin().await;
    drop(alice);
    let answer = bob.receive().await;
    assert_eq!(answer.header.message_id, waiting.0);
    assert!(created(&answer).is_ok());
}

#[tokio::test]
async fn a_waiting_create_can_be_cancelled() {
    for by_async_id in [true, false] {
        let contest = Contest::begin().await;
        let (message_id, async_id) = contest.waiting;
        let async_id = by_async_id.then_some(async_id);
        contest.bob.cancel(message_id, async_id).await;
        assert_eq!(contest.end().await, Err(NtStatus::CANCELLED));
        let answer = contest.alice.acknowledge(contest.held, 0).await;
        assert_eq!(answer.status(), NtStatus::SUCCESS);
        assert_eq!(contest.bob.echo().await, NtStatus::SUCCESS);
    }
}

#[tokio::test]
async fn a_waiting_create_ends_with_its_session() {
    let contest = Contest::begin().await;
    let id = contest.bob.session.id();
    assert!(end(&*contest.scene.application(), id));
    assert_eq!(contest.end().await, Err(NtStatus::CANCELLED));
    let opens = contest.scene.application();
    let opens = opens.opens(SessionFilter::default(), 0, 10);
    assert_eq!(opens.total, 1, "the holder's");
}

#[tokio::test]
async fn share_modes_are_looked_at_again_after_the_break() {
    let exclusive = Wanted { share: 0, ..SHARED };
    // Who only cached the handle closes it, and the other gets in.
    let contest = Contest::with(exclusive).await;
    assert_eq!(contest.alice.close(contest.held).await, NtStatus::SUCCESS);
    assert_eq!(contest.end().await, Ok(0));
    // Who needs it keeps it.
    let contest = Contest::with(exclusive).await;
    let answer = contest.alice.acknowledge(contest.held, 0).await;
    assert_eq!(answer.status(), NtStatus::SUCCESS);
    assert_eq!(contest.end().await, Err(NtStatus::SHARING_VIOLATION));
}

#[tokio::test]
async fn looking_at_attributes_breaks_nothing() {
    let scene = Scene::new(|_| {});
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "data").await;
    alice.create("f", BATCH).await.unwrap();
    let look = Wanted {
        access: 0x0010_0080,
        share: 0,
        disposition: 1,
        ..SHARED
    };
    assert!(bob.create("f", look).await.is_ok());
    // What comes next on Alice's connection is the answer, not a break.
    assert_eq!(alice.echo().await, NtStatus::SUCCESS);
}
