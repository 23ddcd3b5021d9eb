//! The socket's file.

use std::os::unix::net::UnixListener;

use netsession_service::config::LocalSocket;
use netsession_service::local::{LocalEndpoint, PlaceError};
use netsession_service::{Service, ServiceError};
use rpc::Syntax::Ndr20;

use crate::stage::{Caller, Pretended, ROOT, Stage, config};

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_socket_is_replaced() {
    let stage = Stage::new().await;
    drop(UnixListener::bind(stage.path()).unwrap());
    assert!(stage.path().exists(), "the file outlives its listener");
    let endpoint = stage.endpoint(ROOT).await;
    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    assert_eq!(caller.list(0).await.entries, []);
    endpoint.stop().await;
    assert!(!stage.path().exists());
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_socket_stays_with_its_service() {
    let stage = Stage::with(|directory| LocalSocket::At(directory.join("srvsvc.sock"))).await;
    let second = tempfile::tempdir().unwrap();
    let config = config(second.path(), LocalSocket::At(stage.path()));
    let error = Service::start(config).await.err().unwrap();
    assert!(matches!(
        error,
        ServiceError::LocalSocket {
            source: PlaceError::InUse,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on the local socket {}: another service listens there; choose another \
             path with --local-socket PATH, or do without: --local-socket off",
            stage.path().display()
        )
    );
    // The first one has not noticed.
    let mut caller = Caller::bound(&stage.path(), Ndr20).await;
    assert_eq!(caller.list(0).await.entries, []);
    stage.service.stop().await;
    assert!(!stage.path().exists());
}

/// A listener whose queue is full answers nobody and is alive all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_socket_is_not_stale() {
    let stage = Stage::new().await;
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let address = rustix::net::SocketAddrUnix::new(stage.path()).unwrap();
    rustix::net::bind(&socket, &address).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let _queued = std::os::unix::net::UnixStream::connect(stage.path()).unwrap();
    let started = LocalEndpoint::start(stage.config(Pretended::new(ROOT))).await;
    assert!(matches!(started.err(), Some(PlaceError::InUse)));
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_files_stay() {
    let stage = Stage::new().await;
    std::fs::write(stage.path(), "precious").unwrap();
    let started = LocalEndpoint::start(stage.config(Pretended::new(ROOT))).await;
    assert!(matches!(started.err(), Some(PlaceError::NotASocket)));
    assert_eq!(std::fs::read(stage.path()).unwrap(), b"precious");

    // A file that takes the place of a running service's socket is not removed with it.
    std::fs::remove_file(stage.path()).unwrap();
    let endpoint = stage.endpoint(ROOT).await;
    std::fs::remove_file(stage.path()).unwrap();
    std::fs::write(stage.path(), "precious").unwrap();
    endpoint.stop().await;
    assert_eq!(std::fs::read(stage.path()).unwrap(), b"precious");
    stage.service.stop().await;
}

/// Many that start at one place at once: one gets it.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_one_place_one_starts() {
    let stage = Stage::new().await;
    for round in 0..20 {
        if round % 2 == 1 {
            drop(UnixListener::bind(stage.path()).unwrap());
        }
        let starts: Vec<_> = (0..8)
            .map(|_| tokio::spawn(LocalEndpoint::start(stage.config(Pretended::new(ROOT)))))
            .collect();
        let mut started = Vec::new();
        for start in starts {
            match start.await.unwrap() {
                Ok(endpoint) => started.push(endpoint),
                Err(error) => assert!(matches!(error, PlaceError::InUse), "{error}"),
            }
        }
        assert_eq!(started.len(), 1);
        Caller::bound(&stage.path(), Ndr20).await;
        started[0].stop().await;
        assert!(!stage.path().exists());
    }
    stage.service.stop().await;
}
