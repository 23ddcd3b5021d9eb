//! What a client may hold, and what its neighbours notice of it.

use super::*;

#[tokio::test]
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
