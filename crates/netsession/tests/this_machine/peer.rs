//! What listens on a Unix socket instead of the service.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use netsession::Options;
use rpc::Interface;
use rpc::association::server::{Association, Call, Limits};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

static INTERFACES: [Interface; 1] = [srvsvc::INTERFACE];

/// A socket in a directory of its own.
pub struct Peer {
    directory: TempDir,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    /// Gives each connection to `serve`.
    pub fn start<F>(serve: impl Fn(UnixStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("srvsvc.sock")).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream));
            }
        });
        Self {
            directory,
            connections,
        }
    }

    /// Sends these bytes as soon as something has come, and stays.
    pub fn saying(bytes: Vec<u8>) -> Self {
        Self::start(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(&bytes).await;
                let _ = stream.read(&mut [0; 1]).await;
            }
        })
    }

    /// Answers calls with the stubs that `answer` makes; silence for `None`.
    pub fn answering(
        answer: impl Fn(&Call) -> Option<Vec<u8>> + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |stream| serve_calls(stream, answer.clone()))
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("srvsvc.sock")
    }

    /// How often somebody has connected.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// To ask it, without much patience.
    pub fn options(&self) -> Options {
        Options {
            local_socket: Some(self.path()),
            logon_timeout: Duration::from_millis(300),
            call_timeout: Duration::from_millis(300),
            ..Options::default()
        }
    }
}

async fn serve_calls(mut stream: UnixStream, answer: impl Fn(&Call) -> Option<Vec<u8>>) {
    let mut association = Association::new(&INTERFACES, "", Limits::default());
    let mut bytes = vec![0; 4096];
    loop {
        let count = match stream.read(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(count) => count,
        };
        let mut next = association.handle_message(&bytes[..count]).unwrap();
        while let Some(call) = next {
            if let Some(stub) = answer(&call) {
                association.reply(&call, stub);
            }
            next = association.next_call().unwrap();
        }
        while let Some(fragment) = association.poll_output() {
            if stream.write_all(&fragment).await.is_err() {
                return;
            }
        }
    }
}
