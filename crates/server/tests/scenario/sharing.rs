//! One directory, two shares: the files are the same, whichever way they are reached; and what share
//! modes of a directory mean for what is moved into it.

use smb::wire::lock::LockElement;
use smb::wire::{LockRequest, access_mask, file_information_class, lock_flags, oplock_level};

use super::notify_client::{DIRECTORY, NAMES, Watch, change, changes};
use super::raw::{Raw, SHARED, Wanted, created};
use super::*;

/// Shares the directory of `data` a second time.
fn share_again(scene: &Scene, name: &str) {
    let backend = LocalBackend::new(&scene.data(), LocalOptions::default()).unwrap();
    scene.share(name, backend);
}

#[tokio::test(start_paused = true)]
async fn share_modes_hold_across_shares_and_hard_links() {
    let scene = Scene::new(|_| {});
    share_again(&scene, "again");
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "again").await;
    let alone = Wanted { share: 0, ..SHARED };
    let (held, _) = alice.create("f", alone).await.unwrap();
    let data = scene.directory.path().join("data");
    std::fs::hard_link(data.join("f"), data.join("link")).unwrap();
    for name in ["f", "F", "link"] {
        let refused = bob.create(name, SHARED).await;
        assert_eq!(refused.err(), Some(NtStatus::SHARING_VIOLATION), "{name}");
    }
    assert_eq!(alice.close(held).await, NtStatus::SUCCESS);
    assert!(bob.create("link", SHARED).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_will_be_deleted_lets_nobody_in() {
    let scene = Scene::new(|_| {});
    share_again(&scene, "again");
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "again").await;
    let (held, _) = alice.create("f", SHARED).await.unwrap();
    let doomed = Wanted {
        // FILE_DELETE_ON_CLOSE.
        options: 0x1000,
        ..SHARED
    };
    let (his, _) = bob.create("f", doomed).await.unwrap();
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
    let refused = bob.create("f", SHARED).await;
    assert_eq!(refused.err(), Some(NtStatus::DELETE_PENDING));
    let path = scene.directory.path().join("data/f");
    assert!(path.exists(), "Alice has it open");
    assert_eq!(alice.close(held).await, NtStatus::SUCCESS);
    assert!(!path.exists(), "it is gone when the answer is there");
}

#[tokio::test(start_paused = true)]
async fn locks_and_oplocks_hold_across_shares_and_hard_links() {
    let scene = Scene::new(|_| {});
    share_again(&scene, "again");
    let data = scene.data();
    std::fs::write(data.join("f"), b"content").unwrap();
    std::fs::hard_link(data.join("f"), data.join("link")).unwrap();
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "again").await;
    let batch = Wanted {
        oplock: oplock_level::SMB2_OPLOCK_LEVEL_BATCH,
        ..SHARED
    };
    let (hers, level) = alice.create("f", batch).await.unwrap();
    assert_eq!(level, batch.oplock);
    let waiting = bob.send_create("LINK", SHARED).await;
    assert!(alice.receive().await.is_notification());
    bob.interim(waiting).await;
    let answer = alice.acknowledge(hers, 0).await;
    assert_eq!(answer.status(), NtStatus::SUCCESS);
    let (his, _) = created(&bob.end(waiting).await).unwrap();

    let request = LockRequest {
        lock_sequence: 0,
        file_id: hers,
        locks: vec![LockElement {
            offset: 0,
            length: 3,
            flags: lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK,
        }],
    };
    let lock = alice.send(Command::LOCK, |out| request.write(out)).await;
    assert_eq!(alice.end(lock).await.status(), NtStatus::SUCCESS);
    let conflict = NtStatus::FILE_LOCK_CONFLICT;
    for (offset, expected) in [(0, conflict), (3, NtStatus::SUCCESS)] {
        let read = bob.send_read(his, offset, 1).await;
        assert_eq!(bob.end(read).await.status(), expected);
        let write = bob.send_write(his, offset, b"x").await;
        assert_eq!(bob.end(write).await.status(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn other_spellings_are_the_same_file() {
    let scene = Scene::new(|_| {});
    share_again(&scene, "again");
    std::fs::create_dir(scene.data().join("Directory")).unwrap();
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "AGAIN").await;
    let alone = Wanted { share: 0, ..SHARED };
    alice.create(r"directory\Übung", alone).await.unwrap();
    assert!(scene.data().join("Directory").join("Übung").exists());
    for name in [r"Directory\übung", r"DIRECTORY\ÜBUNG"] {
        let refused = bob.create(name, SHARED).await;
        assert_eq!(refused.unwrap_err(), NtStatus::SHARING_VIOLATION);
        // FILE_CREATE.
        let new = Wanted {
            disposition: 2,
            ..SHARED
        };
        let refused = bob.create(name, new).await;
        assert_eq!(refused.unwrap_err(), NtStatus::OBJECT_NAME_COLLISION);
    }
}

/// A share of a directory within another share.
#[tokio::test(start_paused = true)]
async fn what_is_done_through_one_share_is_seen_through_the_other() {
    let scene = Scene::new(|_| {});
    let inner = scene.data().join("d");
    std::fs::create_dir(&inner).unwrap();
    scene.share(
        "inner",
        LocalBackend::new(&inner, LocalOptions::default()).unwrap(),
    );
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "inner").await;
    let (directory, _) = alice.create("", DIRECTORY).await.unwrap();
    let (watch, _) = alice.watch(directory, Watch::tree(NAMES)).await;
    let (his, _) = bob.create("new", SHARED).await.unwrap();
    let told = changes(&alice.end(watch).await);
    assert_eq!(told, [change(1, r"d\new")]);

    let (hers, _) = alice.create(r"d\new", SHARED).await.unwrap();
    let rename = bob.send_rename(his, "renamed").await;
    assert_eq!(bob.end(rename).await.status(), NtStatus::SUCCESS);
    let told = alice.kept(directory, Watch::tree(NAMES)).await;
    assert_eq!(told, [change(4, r"d\new"), change(5, r"d\renamed")]);
    let rows = scene
        .application()
        .opens(SessionFilter::default(), 0, 10)
        .rows;
    let renamed = rows
        .iter()
        .filter(|row| row.path_name.ends_with("/d/renamed"));
    assert_eq!(renamed.count(), 2, "{rows:?}");
    // She renames it back by the name that it has now.
    let rename = alice.send_rename(hers, "out of it").await;
    assert_eq!(alice.end(rename).await.status(), NtStatus::SUCCESS);
    assert!(scene.data().join("out of it").exists());
    let write = bob.send_write(his, 0, b"still his").await;
    assert_eq!(bob.end(write).await.status(), NtStatus::SUCCESS);
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
    let content = std::fs::read(scene.data().join("out of it")).unwrap();
    assert_eq!(content, b"still his");
}

#[tokio::test(start_paused = true)]
async fn streams_have_share_modes_of_their_own_but_go_with_their_file() {
    let scene = Scene::new(|_| {});
    share_again(&scene, "again");
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "again").await;
    let (file, _) = bob.create("f", SHARED).await.unwrap();
    let alone = Wanted { share: 0, ..SHARED };
    let Ok((stream, _)) = alice.create("f:stream", alone).await else {
        // The file system of this machine has no extended attributes of users.
        return;
    };
    let refused = bob.create("f:STREAM", SHARED).await;
    assert_eq!(refused.unwrap_err(), NtStatus::SHARING_VIOLATION);
    let class = file_information_class::FILE_DISPOSITION_INFORMATION;
    let dispose = bob.send_set_info(file, class, &[1]).await;
    assert_eq!(bob.end(dispose).await.status(), NtStatus::SUCCESS);
    for name in ["f", "f:stream", "f:other"] {
        let refused = alice.create(name, SHARED).await;
        assert_eq!(refused.unwrap_err(), NtStatus::DELETE_PENDING, "{name}");
    }
    assert_eq!(bob.close(file).await, NtStatus::SUCCESS);
    let path = scene.data().join("f");
    assert!(path.exists(), "its stream is open");
    assert_eq!(alice.close(stream).await, NtStatus::SUCCESS);
    assert!(!path.exists());
}

/// [MS-FSA] 2.1.5.15.12, <185>, and what smb2.notify-inotify.inotify-rename asks for.
#[tokio::test]
async fn who_could_delete_a_directory_keeps_others_out_of_it_but_not_those_in_it() {
    let scene = Scene::new(|_| {});
    for name in ["d/sub", "other"] {
        std::fs::create_dir_all(scene.data().join(name)).unwrap();
    }
    std::fs::write(scene.data().join("d/file"), b"").unwrap();
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "data").await;
    let deleting = Wanted {
        access: access_mask::DELETE,
        ..DIRECTORY
    };
    alice.create("d", deleting).await.unwrap();
    for (name, wanted, target, expected) in [
        ("d\\sub", deleting, "d\\sub2", NtStatus::SUCCESS),
        ("d\\file", SHARED, "d\\file2", NtStatus::SHARING_VIOLATION),
        ("other", deleting, "d\\other", NtStatus::SHARING_VIOLATION),
    ] {
        let (open, _) = bob.create(name, wanted).await.unwrap();
        let rename = bob.send_rename(open, target).await;
        assert_eq!(bob.end(rename).await.status(), expected, "{name}");
    }
}
