//! The local socket, from outside: real sockets, real SMB sessions.

mod bounds;
mod hostile;
mod place;
mod rights;
mod stage;

use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use netsession_service::config::LocalSocket;
use rpc::Syntax::{Ndr20, Ndr64};
use srvsvc::{NetApiStatus, SessionEnumRequest};

use stage::{Caller, ROOT, Stage, everything};

#[tokio::test(flavor = "multi_thread")]
async fn root_lists_at_five_levels_and_ends_a_session() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(ROOT).await;
    let alice = stage.log_on("alice", "Al1ce.Pw").await;
    let bob = stage.log_on("bob", "B0b.Pw").await;
    let tree = bob.tree_connect("srv", "IPC$").await.unwrap();
    for syntax in [Ndr20, Ndr64] {
        let mut caller = Caller::bound(endpoint.path(), syntax).await;
        for level in [0, 1, 2, 10, 502] {
            let response = caller.list(level).await;
            assert_eq!(response.result, NetApiStatus::SUCCESS);
            assert_eq!((response.entries.len(), response.total_entries), (2, 2));
            for (row, user) in response.entries.iter().zip(["alice", "bob"]) {
                assert_eq!(row.cname.trim_start_matches('\\'), "127.0.0.1");
                assert_eq!(row.username, if level == 0 { "" } else { user });
            }
        }
    }

    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    assert_eq!(
        caller.delete(None, Some("BOB")).await,
        NetApiStatus::SUCCESS
    );
    // Bob's end of it: the session is gone, and Alice's is not.
    assert!(tree.disconnect().await.is_err());
    assert!(bob.echo().await.is_err());
    alice.echo().await.unwrap();
    let response = caller.list(10).await;
    assert_eq!(response.entries.len(), 1);
    assert_eq!(response.entries[0].username, "alice");
    assert_eq!(
        caller.delete(None, Some("bob")).await,
        NetApiStatus::CLIENT_NAME_NOT_FOUND
    );
    // Everybody goes, and the caller stays: it has no session.
    let client = Some(r"\\127.0.0.1");
    assert_eq!(caller.delete(client, None).await, NetApiStatus::SUCCESS);
    assert_eq!(stage.sessions(), 0);
    assert_eq!(caller.list(502).await.entries, []);
    endpoint.stop().await;
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_goes_on_over_connections() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(ROOT).await;
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(stage.log_on("alice", "Al1ce.Pw").await);
    }
    let mut caller = Caller::bound(endpoint.path(), Ndr64).await;
    let mut request = SessionEnumRequest {
        prefered_maximum_length: 1,
        ..everything(1)
    };
    for left in (1..=5).rev() {
        let page = caller.enumerate(&request).await;
        assert_eq!((page.entries.len(), page.total_entries), (1, left));
        let expected = if left == 1 {
            NetApiStatus::SUCCESS
        } else {
            NetApiStatus::MORE_DATA
        };
        assert_eq!(page.result, expected);
        request.resume_handle = page.resume_handle;
        // A handle is not bound to the connection it came over.
        caller = Caller::bound(endpoint.path(), Ndr64).await;
    }
    assert_eq!(request.resume_handle, Some(0));
    endpoint.stop().await;
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_name_of_a_request_is_anything() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(ROOT).await;
    let _session = stage.log_on("alice", "Al1ce.Pw").await;
    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    for name in [None, Some(""), Some("."), Some(r"\\elsewhere.example")] {
        let request = SessionEnumRequest {
            server_name: name.map(str::to_owned),
            ..everything(10)
        };
        assert_eq!(caller.enumerate(&request).await.entries.len(), 1);
    }
    endpoint.stop().await;
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_and_goes_with_the_service() {
    let stage = Stage::with(|directory| LocalSocket::At(directory.join("run/local/s.sock"))).await;
    let path = stage.service.local_socket().unwrap().to_owned();
    assert_eq!(path, stage.directory.path().join("run/local/s.sock"));
    let facts = std::fs::symlink_metadata(&path).unwrap();
    assert!(facts.file_type().is_socket());
    assert_eq!(facts.permissions().mode() & 0o777, 0o666);
    let directory = std::fs::metadata(path.parent().unwrap()).unwrap();
    assert_eq!(directory.permissions().mode() & 0o777, 0o755);

    // Without pretence: whoever runs this test runs the service too.
    let _session = stage.log_on("alice", "Al1ce.Pw").await;
    let mut caller = Caller::bound(&path, Ndr20).await;
    assert_eq!(caller.list(502).await.entries.len(), 1);

    stage.service.stop().await;
    caller.closed().await;
    assert!(!path.exists());
}
