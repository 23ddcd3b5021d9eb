//! Limits, and the end of everything.

use std::time::{Duration, Instant};

use netsession_service::local::{LocalEndpoint, LocalLimits, Peer};
use rpc::Syntax::Ndr20;
use srvsvc::opnum;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::stage::{Caller, LIMIT, Pretended, ROOT, STRANGER, Stage, everything};

/// Long enough to be told from at once, short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_and_no_more() {
    raise_descriptor_limit();
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(ROOT).await;
    let mut callers = Vec::new();
    for _ in 0..1_000 {
        callers.push(Caller::bound(endpoint.path(), Ndr20).await);
    }
    assert!(Caller::bind(endpoint.path(), Ndr20).await.is_err());
    // Those who are in are not disturbed.
    assert_eq!(callers[0].list(0).await.result.0, 0);
    assert_eq!(callers[999].list(0).await.result.0, 0);
    // A place that is given back is taken again.
    callers.pop();
    let again = async {
        while Caller::bind(endpoint.path(), Ndr20).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, again).await.unwrap();

    // Everything ends at once.
    let began = Instant::now();
    endpoint.stop().await;
    for caller in &mut callers {
        caller.closed().await;
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(UnixStream::connect(stage.path()).await.is_err());
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_have_their_share_and_leave_room_for_root() {
    let stage = Stage::new().await;
    let pretended = Pretended::new(STRANGER);
    let mut config = stage.config(pretended.clone());
    config.limits = LocalLimits {
        connections: 10,
        reserved: 3,
        connections_per_user: 5,
        ..LocalLimits::default()
    };
    let endpoint = LocalEndpoint::start(config).await.unwrap();
    let mut callers = Vec::new();
    for (count, uid) in [(5, STRANGER.uid), (2, STRANGER.uid - 1), (3, 0)] {
        pretended.set(Peer { uid, ..STRANGER });
        for _ in 0..count {
            callers.push(Caller::bound(endpoint.path(), Ndr20).await);
        }
        assert!(Caller::bind(endpoint.path(), Ndr20).await.is_err(), "{uid}");
    }
    endpoint.stop().await;
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_bind_in_time_is_dropped() {
    let stage = Stage::new().await;
    let limits = LocalLimits {
        handshake: SHORT,
        ..LocalLimits::default()
    };
    let endpoint = stage.limited(STRANGER, limits).await;
    let began = Instant::now();
    let mut silent = UnixStream::connect(endpoint.path()).await.unwrap();
    let mut dripping = UnixStream::connect(endpoint.path()).await.unwrap();
    let drip = tokio::spawn(async move {
        // The start of a bind, byte by byte: no more time for that.
        let bytes = [5, 0, 11, 3, 16, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0];
        for byte in bytes.iter().chain(std::iter::repeat(&0)) {
            if dripping.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(SHORT / 10).await;
        }
    });
    let mut byte = [0];
    let end = tokio::time::timeout(LIMIT, silent.read(&mut byte));
    assert!(matches!(end.await.unwrap(), Ok(0) | Err(_)));
    assert!(began.elapsed() >= SHORT);
    tokio::time::timeout(LIMIT, drip).await.unwrap().unwrap();
    endpoint.stop().await;
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_nothing_more_is_dropped() {
    let stage = Stage::new().await;
    let limits = LocalLimits {
        idle: SHORT,
        ..LocalLimits::default()
    };
    let endpoint = stage.limited(ROOT, limits).await;
    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    let began = Instant::now();
    let mut asked = began;
    // As long as it asks, it may stay.
    while began.elapsed() < 3 * SHORT {
        asked = Instant::now();
        assert_eq!(caller.list(10).await.result.0, 0);
    }
    caller.closed().await;
    assert!(asked.elapsed() >= SHORT);
    endpoint.stop().await;
    stage.service.stop().await;
}

/// A reader who does not read holds one answer, and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_dropped() {
    let stage = Stage::new().await;
    let limits = LocalLimits {
        write: SHORT,
        ..LocalLimits::default()
    };
    let endpoint = stage.limited(ROOT, limits).await;
    let _session = stage.log_on("alice", "Al1ce.Pw").await;
    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    let mut request = caller.request(opnum::NETR_SESSION_ENUM, everything(502).write(Ndr20));
    // Requests without end, and no look at the answers: first the service's side is full of
    // one answer, then this side of requests, then the connection is gone.
    let flood = async {
        for call_id in 2u32.. {
            request[12..16].copy_from_slice(&call_id.to_le_bytes());
            if caller.stream.write_all(&request).await.is_err() {
                return call_id;
            }
        }
        unreachable!()
    };
    let sent = tokio::time::timeout(LIMIT, flood).await.unwrap();
    // As many as two socket buffers hold: thousands were not answered into memory.
    assert!(sent < 20_000, "{sent} requests were taken");
    endpoint.stop().await;
    stage.service.stop().await;
}

/// Whoever reads late but in time gets every answer, in order.
#[tokio::test(flavor = "multi_thread")]
async fn requests_in_a_row_are_answered_in_order() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(ROOT).await;
    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    let mut request = caller.request(opnum::NETR_SESSION_ENUM, everything(0).write(Ndr20));
    let mut requests = Vec::new();
    for call_id in 100..400u32 {
        request[12..16].copy_from_slice(&call_id.to_le_bytes());
        requests.extend_from_slice(&request);
    }
    caller.stream.write_all(&requests).await.unwrap();
    for call_id in 100..400u32 {
        let mut header = [0; 16];
        let read = caller.stream.read_exact(&mut header);
        tokio::time::timeout(LIMIT, read).await.unwrap().unwrap();
        assert_eq!((header[2], &header[12..]), (2, &call_id.to_le_bytes()[..]));
        let mut rest = vec![0; usize::from(u16::from_le_bytes([header[8], header[9]])) - 16];
        caller.stream.read_exact(&mut rest).await.unwrap();
    }
    endpoint.stop().await;
    stage.service.stop().await;
}
