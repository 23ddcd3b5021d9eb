//! Requests that arrive in one piece: all are answered, in order, and what was answered
//! goes out even if what came behind it ends the connection. Without a logon they do not go
//! on for ever, and are short.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use netsession_server as server;
use server::account::{Account, AccountStore, SecurityContext};
use server::{Encryption, Limits, ManualClock, Server, ServerConfig};
use smb::FileTime;
use smb::wire::{Command, Dialect, EchoRequest, Header, NegotiateRequest};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

struct Nobody;

impl AccountStore for Nobody {
    fn account(&self, _domain: &str, _user_name: &str) -> Option<Account> {
        None
    }

    fn anonymous(&self) -> Option<Arc<SecurityContext>> {
        None
    }
}

fn server() -> Server {
    server_with(Limits::default())
}

fn server_with(limits: Limits) -> Server {
    Server::new(ServerConfig {
        name: "TEST".into(),
        comment: "".into(),
        signing_required: true,
        encryption: Encryption::Enabled,
        min_dialect: 0x0202,
        max_dialect: 0x0311,
        limits,
        clock: Arc::new(ManualClock::new(FileTime::from_unix(1_800_000_000, 0))),
        accounts: Arc::new(Nobody),
    })
    .unwrap()
}

fn frame(command: Command, message_id: u64, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = Header {
        command,
        message_id,
        credits: 16,
        credit_charge: 1,
        ..Header::default()
    }
    .to_bytes()
    .to_vec();
    body(&mut message);
    let mut frame = (message.len() as u32).to_be_bytes().to_vec();
    frame.extend(message);
    frame
}

fn negotiate() -> Vec<u8> {
    frame(Command::NEGOTIATE, 0, |out| {
        NegotiateRequest {
            dialects: vec![Dialect::SMB210.0],
            ..NegotiateRequest::default()
        }
        .write(out);
    })
}

fn echo(message_id: u64) -> Vec<u8> {
    frame(Command::ECHO, message_id, |out| EchoRequest.write(out))
}

/// Sends the bytes in one piece; the commands answered until the server closes, or
/// `expected` of them.
async fn answers(sent: &[u8], expected: usize) -> (Vec<(Command, u64)>, bool) {
    let server = server();
    let (mut ours, theirs) = tokio::io::duplex(1 << 20);
    let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
    let serving = tokio::spawn(async move { server.serve(theirs, client).await });
    ours.write_all(sent).await.unwrap();
    let mut answers = Vec::new();
    let mut closed = false;
    let reading = async {
        while answers.len() < expected {
            let Ok(length) = ours.read_u32().await else {
                closed = true;
                return;
            };
            let mut message = vec![0; length as usize];
            ours.read_exact(&mut message).await.unwrap();
            let header = Header::read(&message).unwrap();
            assert!(!header.status.is_error(), "{}", header.status);
            answers.push((header.command, header.message_id));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading)
        .await
        .expect("answers within the limit");
    drop(ours);
    tokio::time::timeout(Duration::from_secs(10), serving)
        .await
        .expect("the connection ends")
        .unwrap();
    (answers, closed)
}

#[tokio::test]
async fn requests_in_one_piece_are_answered_in_order() {
    let mut sent = negotiate();
    (1..=12).for_each(|id| sent.extend(echo(id)));
    let (answered, _) = answers(&sent, 13).await;
    let mut expected = vec![(Command::NEGOTIATE, 0)];
    expected.extend((1..=12).map(|id| (Command::ECHO, id)));
    assert_eq!(answered, expected);
}

#[tokio::test]
async fn answers_go_out_before_a_violation_ends_the_connection() {
    for violation in [vec![0xFF; 8], echo(99)] {
        let mut sent = negotiate();
        sent.extend(echo(1));
        sent.extend(echo(2));
        sent.extend(violation);
        sent.extend(echo(3));
        let (answered, closed) = answers(&sent, usize::MAX).await;
        assert_eq!(
            answered,
            [
                (Command::NEGOTIATE, 0),
                (Command::ECHO, 1),
                (Command::ECHO, 2)
            ]
        );
        assert!(closed);
    }
}

/// A long request is somebody's who has logged on; a promise of one is enough to end it.
#[tokio::test]
async fn a_stranger_sends_no_long_frames() {
    let mut sent = negotiate();
    sent.extend(echo(1));
    sent.extend(200_000_u32.to_be_bytes());
    let (answered, closed) = answers(&sent, usize::MAX).await;
    assert_eq!(answered.len(), 2);
    assert!(closed);
}

/// A client that always has one more ECHO there, until its time is up.
struct Flood {
    next: Vec<u8>,
    message_id: u64,
    until: Instant,
    is_over: Arc<AtomicBool>,
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if Instant::now() >= self.until {
            self.is_over.store(true, Ordering::Relaxed);
            return Poll::Ready(Ok(()));
        }
        buffer.put_slice(&self.next);
        self.message_id += 1;
        self.next = echo(self.message_id);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn requests_without_a_pause_do_not_put_off_the_logon() {
    let is_over = Arc::new(AtomicBool::new(false));
    let flood = Flood {
        next: negotiate(),
        message_id: 0,
        until: Instant::now() + Duration::from_secs(5),
        is_over: is_over.clone(),
    };
    let limits = Limits {
        handshake: Duration::from_millis(50),
        ..Limits::default()
    };
    let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
    server_with(limits).serve(flood, client).await;
    assert!(!is_over.load(Ordering::Relaxed), "the server ends it first");
}
