//! One directory, two shares: the files are the same, whichever way they are reached.

use super::raw::{Raw, SHARED, Wanted};
use super::*;

/// Shares the directory of `data` a second time.
fn share_again(scene: &Scene, name: &str) {
    let backend = LocalBackend::new(&scene.data(), LocalOptions::default()).unwrap();
    scene.share(name, backend);
}

#[tokio::test]
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

#[tokio::test]
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
