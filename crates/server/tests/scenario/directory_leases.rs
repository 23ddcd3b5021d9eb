//! Leases of directories ([MS-SMB2] 3.3.1.4, [MS-FSA] 2.1.4.12): they end with what others
//! change, never with what their own client does.

use smb::wire::{FileId, file_information_class as class};

use super::lease_client::{H, R, W, below, connect, key, version_1, version_2};
use super::raw::{Raw, SHARED, Wanted, created};
use super::*;

const DIRECTORY: Wanted = Wanted {
    // FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES.
    access: 0x81,
    // FILE_DIRECTORY_FILE.
    options: 1,
    ..SHARED
};

/// Number of the key of the directory's lease.
const D: u8 = 100;

/// Alice has `d` open, with a lease.
async fn alice_watches(scene: &Scene) -> Raw {
    let data = scene.data();
    std::fs::create_dir(data.join("d")).unwrap();
    for name in ["old", "doomed", "moved", "written"] {
        std::fs::write(data.join("d").join(name), name).unwrap();
    }
    let alice = connect(scene, 1, "alice", "data").await;
    lease_again(&alice).await;
    alice
}

async fn lease_again(alice: &Raw) {
    let lease = version_2(D, R | H, 0);
    let (_, granted) = alice.create_leased("d", DIRECTORY, lease).await.unwrap();
    assert_eq!(granted.lease_state, R | H);
}

/// The lease ends, and nobody waits for that.
async fn ends(alice: &Raw) {
    alice.breaks(D, R | H, 0).await;
    assert_eq!(alice.acknowledge_lease(D, 0).await, NtStatus::SUCCESS);
    lease_again(alice).await;
}

async fn opened(raw: &Raw, name: &str) -> FileId {
    raw.create(name, SHARED).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn what_others_change_ends_the_lease_of_a_directory() {
    let scene = Scene::new(|_| {});
    let alice = alice_watches(&scene).await;
    let bob = connect(&scene, 2, "bob", "data").await;

    let new = opened(&bob, r"d\new").await;
    ends(&alice).await;
    assert_eq!(bob.close(new).await, NtStatus::SUCCESS);
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "nothing was written");

    let doomed = Wanted {
        // FILE_DELETE_ON_CLOSE.
        options: 0x1000,
        ..SHARED
    };
    let (doomed, _) = bob.create(r"d\doomed", doomed).await.unwrap();
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "it is still there");
    assert_eq!(bob.close(doomed).await, NtStatus::SUCCESS);
    ends(&alice).await;

    let moved = opened(&bob, r"d\moved").await;
    let rename = bob.send_rename(moved, r"d\elsewhere").await;
    assert_eq!(bob.end(rename).await.status(), NtStatus::SUCCESS);
    ends(&alice).await;
    let rename = bob.send_rename(moved, "out of it").await;
    assert_eq!(bob.end(rename).await.status(), NtStatus::SUCCESS);
    ends(&alice).await;
    let rename = bob.send_rename(moved, r"d\back").await;
    assert_eq!(bob.end(rename).await.status(), NtStatus::SUCCESS);
    ends(&alice).await;
    assert_eq!(bob.close(moved).await, NtStatus::SUCCESS);

    let written = opened(&bob, r"d\written").await;
    let write = bob.send_write(written, 0, b"more than before").await;
    assert_eq!(bob.end(write).await.status(), NtStatus::SUCCESS);
    assert_eq!(bob.close(written).await, NtStatus::SUCCESS);
    ends(&alice).await;

    let old = opened(&bob, r"d\old").await;
    let length = 3_u64.to_le_bytes();
    let resize = bob
        .send_set_info(old, class::FILE_END_OF_FILE_INFORMATION, &length)
        .await;
    assert_eq!(bob.end(resize).await.status(), NtStatus::SUCCESS);
    ends(&alice).await;
    assert_eq!(bob.close(old).await, NtStatus::SUCCESS);
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "nothing more");
}

#[tokio::test(start_paused = true)]
async fn what_changes_elsewhere_leaves_it() {
    let scene = Scene::new(|_| {});
    let alice = alice_watches(&scene).await;
    let bob = connect(&scene, 2, "bob", "data").await;
    std::fs::create_dir(scene.data().join("d").join("deeper")).unwrap();
    let beside = opened(&bob, "beside").await;
    let deeper = opened(&bob, r"d\deeper\f").await;
    let old = opened(&bob, r"d\old").await;
    for open in [beside, deeper, old] {
        let read = bob.send_read(open, 0, 1).await;
        bob.end(read).await;
        assert_eq!(bob.close(open).await, NtStatus::SUCCESS);
    }
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "nothing was broken");
}

#[tokio::test(start_paused = true)]
async fn a_parent_key_spares_the_lease_of_its_own_directory() {
    let scene = Scene::new(|_| {});
    let alice = alice_watches(&scene).await;
    let change = async |raw: &Raw, number, name: &str, parent: u8| {
        let lease = below(parent, number, R);
        let (open, granted) = raw.create_leased(name, SHARED, lease).await.unwrap();
        assert_eq!(granted.version_2.unwrap().0, key(parent));
        open
    };
    // Creating, renaming, writing, deleting.
    let hers = change(&alice, 1, r"d\hers", D).await;
    let rename = alice.send_rename(hers, r"d\still hers").await;
    assert_eq!(alice.end(rename).await.status(), NtStatus::SUCCESS);
    let write = alice.send_write(hers, 0, b"x").await;
    assert_eq!(alice.end(write).await.status(), NtStatus::SUCCESS);
    let dispose = alice
        .send_set_info(hers, class::FILE_DISPOSITION_INFORMATION, &[1])
        .await;
    assert_eq!(alice.end(dispose).await.status(), NtStatus::SUCCESS);
    assert_eq!(alice.close(hers).await, NtStatus::SUCCESS);
    assert!(!scene.data().join("d").join("still hers").exists());
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "nothing was broken");

    // The same key of another client is not hers.
    let bob = connect(&scene, 2, "bob", "data").await;
    change(&bob, 1, r"d\his", D).await;
    ends(&alice).await;
    // Another key of hers is not that of the directory, nor is none at all.
    let lease = below(D + 1, 2, R);
    let id = alice
        .send_create_leased(r"d\other key", SHARED, lease)
        .await;
    ends_beside(&alice, id).await;
    let id = alice.send_create(r"d\plain", SHARED).await;
    ends_beside(&alice, id).await;
}

/// As [`ends`]. The request of hers that has caused it is answered before or behind it.
async fn ends_beside(alice: &Raw, message_id: u64) {
    let (mut answered, mut broken) = (false, false);
    for _ in 0..2 {
        let message = alice.receive().await;
        if message.is_notification() {
            broken = true;
        } else {
            assert_eq!(message.header.message_id, message_id);
            assert_eq!(message.status(), NtStatus::SUCCESS);
            answered = true;
        }
    }
    assert!(answered && broken);
    assert_eq!(alice.acknowledge_lease(D, 0).await, NtStatus::SUCCESS);
    lease_again(alice).await;
}

#[tokio::test(start_paused = true)]
async fn a_directory_has_no_lease_for_writing_and_none_of_the_first_version() {
    let scene = Scene::new(|_| {});
    std::fs::create_dir(scene.data().join("d")).unwrap();
    let alice = connect(&scene, 1, "alice", "data").await;
    let all = version_2(D, R | W | H, 0);
    let (_, granted) = alice.create_leased("d", DIRECTORY, all).await.unwrap();
    assert_eq!(granted.lease_state, R | H);
    let first = version_1(1, R | H);
    let id = alice.send_create_leased("d", DIRECTORY, first).await;
    let (_, level) = created(&alice.end(id).await).unwrap();
    assert_eq!(level, 0);
}
