//! What sessions are, and what ends them ([MS-SMB2] 3.3.4.12, 3.3.5.6, 3.3.7.1).

use super::*;

#[tokio::test]
async fn one_client_two_users_two_shares() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let bob = logon(&connection, "bob").await;
    let data = alice.tree_connect("test", "data").await.unwrap();
    let docs = alice.tree_connect("test", "DOCS").await.unwrap();
    assert_eq!(scene.rows().len(), 2, "a second share joins the session");
    assert!(
        scene
            .rows()
            .iter()
            .all(|row| &*row.client_name == "192.0.2.10")
    );

    let application = scene.application();
    let only = |client, user| {
        let filter = SessionFilter {
            client_name: client,
            user_name: user,
        };
        application.sessions(filter, None, 100).rows.len()
    };
    assert_eq!(only(Some("192.0.2.10"), None), 2);
    assert_eq!(only(Some("192.0.2.10"), Some("BOB")), 1);
    assert_eq!(only(Some("192.0.2.11"), None), 0);
    assert_eq!(only(None, Some("carol")), 0);

    let first = data.create("a", &Create::overwrite()).await.unwrap();
    let second = docs.create("b", &Create::overwrite()).await.unwrap();
    assert_eq!(scene.row(&alice).unwrap().num_opens, 2);
    assert_eq!(scene.row(&bob).unwrap().num_opens, 0);
    let trees = application.tree_connects(SessionFilter::default());
    assert_eq!(
        trees.iter().map(|tree| tree.num_opens).collect::<Vec<_>>(),
        [1, 1]
    );
    first.close().await.unwrap();
    second.close().await.unwrap();
    assert_eq!(scene.row(&alice).unwrap().num_opens, 0);
    assert_eq!(application.opens(SessionFilter::default(), 0, 100).total, 0);
}

#[tokio::test]
async fn idle_time_grows_and_falls_back() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let session = logon(&connection, "alice").await;
    scene.clock.advance(Duration::from_secs(90));
    let row = scene.row(&session).unwrap();
    assert_eq!((row.active.as_secs(), row.idle.as_secs()), (90, 90));
    session.echo().await.unwrap();
    scene.clock.advance(Duration::from_secs(5));
    let row = scene.row(&session).unwrap();
    assert_eq!((row.active.as_secs(), row.idle.as_secs()), (95, 5));
}

#[tokio::test]
async fn ending_one_session_leaves_its_neighbour_on_the_same_connection() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let bob = logon(&connection, "bob").await;
    let alices = alice.tree_connect("test", "data").await.unwrap();
    let bobs = bob.tree_connect("test", "data").await.unwrap();
    let doomed = Create {
        create_options: 0x1040,
        ..Create::overwrite()
    };
    let open = alices.create("doomed", &doomed).await.unwrap();
    let file = bobs.create("kept", &Create::overwrite()).await.unwrap();
    file.write(0, b"still here").await.unwrap();
    let root = scene.directory.path().join("data");
    assert!(root.join("doomed").exists());

    let application = scene.application();
    assert!(end(&*application, alice.id()));
    assert!(!end(&*application, alice.id()), "ended once");
    // Delete-on-close takes effect; the disk is not waited for by who ends the session.
    let gone = async {
        while root.join("doomed").exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("it is gone");
    assert_eq!(scene.rows().len(), 1);
    assert_eq!(&*file.read(0, 100).await.unwrap(), b"still here");
    assert_eq!(
        status(alices.create("x", &Create::open()).await),
        NtStatus::USER_SESSION_DELETED
    );
    assert_eq!(
        status(open.read(0, 1).await),
        NtStatus::USER_SESSION_DELETED
    );

    // The connection is as good as before.
    let again = logon(&connection, "alice").await;
    assert!(again.id() > bob.id(), "ids are never reused");
    assert_eq!(
        status(again.tree_connect("test", "data").await),
        NtStatus::SUCCESS
    );
}

#[tokio::test]
async fn logoff_and_loss_of_the_connection_end_sessions() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    alice.logoff().await.unwrap();
    assert!(scene.rows().is_empty());
    logon(&connection, "alice").await;
    let other = scene.connect(BOB).await;
    let bob = logon(&other, "bob").await;
    drop(connection);
    drop(alice);
    while scene.rows().len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.rows()[0].id.0, bob.id());
}
