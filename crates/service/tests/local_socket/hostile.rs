//! Bytes that are no PDUs, and parts of such.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rpc::Syntax::Ndr20;
use rpc::association::client::{Association, Limits};
use srvsvc::opnum;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::stage::{Caller, LIMIT, ROOT, Stage, everything};

/// Sends `bytes`, then the end of the stream; everything that comes back until its end.
async fn answers(path: &std::path::Path, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(path).await.unwrap();
    // It may be closed before everything is sent.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answers = Vec::new();
    let read = stream.read_to_end(&mut answers);
    let _ = tokio::time::timeout(LIMIT, read).await.unwrap();
    answers
}

fn bind_and_request() -> (Vec<u8>, usize) {
    let mut association = Association::new(srvsvc::INTERFACE, Limits::default());
    let mut bytes = association.bind(&[Ndr20]);
    let bind = bytes.len();
    // The bytes of a request of a bound association, with a header of its own making.
    let stub = everything(502).write(Ndr20);
    let length = u16::try_from(24 + stub.len()).unwrap();
    bytes.extend_from_slice(&[5, 0, 0, 3, 16, 0, 0, 0]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&[0, 0, 2, 0, 0, 0]);
    bytes.extend_from_slice(&(stub.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(&opnum::NETR_SESSION_ENUM.to_le_bytes());
    bytes.extend_from_slice(&stub);
    (bytes, bind)
}

/// Types of the PDUs.
fn types(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while !bytes.is_empty() {
        types.push(bytes[2]);
        bytes = &bytes[usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))..];
    }
    types
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_at_every_byte() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(ROOT).await;
    let (bytes, bind) = bind_and_request();
    for length in 0..=bytes.len() {
        let expected: &[u8] = match length {
            _ if length < bind => &[],
            _ if length < bytes.len() => &[12],
            _ => &[12, 2],
        };
        let got = answers(endpoint.path(), &bytes[..length]).await;
        assert_eq!(types(&got), expected, "{length} bytes");
    }
    endpoint.stop().await;
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn byte_by_byte_is_as_good() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(ROOT).await;
    let (bytes, _) = bind_and_request();
    let mut stream = UnixStream::connect(endpoint.path()).await.unwrap();
    for byte in &bytes {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.shutdown().await.unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).await.unwrap();
    assert_eq!(types(&got), [12, 2]);
    endpoint.stop().await;
    stage.service.stop().await;
}

#[test]
fn garbage_ends_its_own_connection_only() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (stage, endpoint, mut caller) = runtime.block_on(async {
        let stage = Stage::new().await;
        let endpoint = stage.endpoint(ROOT).await;
        let caller = Caller::bound(endpoint.path(), Ndr20).await;
        (stage, endpoint, caller)
    });
    let (sound, _) = bind_and_request();
    let changed = (
        proptest::collection::vec((0..sound.len(), any::<u8>()), 1..6),
        any::<bool>(),
    );
    let strategy = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        changed.prop_map(move |(changes, twice)| {
            let mut bytes = sound.clone();
            for (at, value) in changes {
                bytes[at] = value;
            }
            if twice {
                bytes.extend_from_within(..);
            }
            bytes
        }),
    ];
    let config = Config {
        cases: 500,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&strategy, |bytes| {
            // Each connection ends, whatever is answered before.
            runtime.block_on(answers(endpoint.path(), &bytes));
            Ok(())
        })
        .unwrap();
    runtime.block_on(async {
        assert_eq!(caller.list(502).await.result.0, 0);
        endpoint.stop().await;
        stage.service.stop().await;
    });
}

/// A request without an end is refused before it costs more than its limit, and the
/// connection goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_larger_than_the_limit_is_a_fault() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(ROOT).await;
    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    let large = vec![0; 256 * 1024];
    let fault = caller.call(opnum::NETR_SESSION_ENUM, large).await;
    assert_eq!(fault, Err(rpc::fault::REMOTE_NO_MEMORY));
    assert_eq!(caller.list(10).await.result.0, 0);
    endpoint.stop().await;
    stage.service.stop().await;
}
