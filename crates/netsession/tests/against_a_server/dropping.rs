//! Futures and streams that are dropped in the middle. What comes after them works.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use netsession::smb_client::Transport;
use netsession::{Encryption, Options, Server, SessionFilter, SessionInfo, SessionLevel, Target};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::peer::Peer;
use super::{LIMIT, admin};

/// Bytes that pass at once.
const DROP: usize = 16;

/// A connection that takes a break after every few bytes: many places to be dropped at.
#[derive(Debug)]
struct Dripping {
    stream: TcpStream,
    /// The next read, the next write takes a break.
    breaks: [bool; 2],
}

impl Dripping {
    /// Every other time: comes back at once.
    fn takes_a_break(&mut self, direction: usize, context: &mut Context<'_>) -> bool {
        self.breaks[direction] = !self.breaks[direction];
        if self.breaks[direction] {
            context.waker().wake_by_ref();
        }
        self.breaks[direction]
    }
}

impl AsyncRead for Dripping {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.takes_a_break(0, context) {
            return Poll::Pending;
        }
        let mut few = [0; DROP];
        let most = buffer.remaining().min(DROP);
        let mut few = ReadBuf::new(&mut few[..most]);
        let result = Pin::new(&mut self.stream).poll_read(context, &mut few);
        buffer.put_slice(few.filled());
        result
    }
}

impl AsyncWrite for Dripping {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.takes_a_break(1, context) {
            return Poll::Pending;
        }
        let few = &bytes[..bytes.len().min(DROP)];
        Pin::new(&mut self.stream).poll_write(context, few)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn dripping(target: &Target, options: &Options) -> Server {
    let stream = TcpStream::connect((target.host(), target.port()))
        .await
        .unwrap();
    stream.set_nodelay(true).unwrap();
    let transport = Transport::new(
        Dripping {
            stream,
            breaks: [false; 2],
        },
        LIMIT,
    );
    Server::over(transport, target, &admin(), options)
        .await
        .unwrap()
}

/// Polls this many times, each time when there is something to do, then drops. True if it
/// came to its end.
async fn polled<F: Future>(times: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            // The last one does not wait to be woken.
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn list(server: &mut Server, level: SessionLevel) -> Vec<SessionInfo> {
    let sessions = server.sessions(&SessionFilter::default(), level);
    sessions.collect().await.unwrap()
}

/// At every place where a listing waits, in plain and in encrypted messages.
#[tokio::test]
async fn a_listing_dropped_anywhere() {
    let peer = Peer::start();
    let level = peer.levels()[0];
    for encryption in [Encryption::IfRequired, Encryption::Required] {
        let options = Options {
            encryption,
            ..Options::default()
        };
        let mut server = dripping(peer.target(), &options).await;
        let expected = list(&mut server, level).await.len();
        let mut times = 0;
        loop {
            times += 1;
            let sessions = server.sessions(&SessionFilter::default(), level);
            let ended = polled(times, sessions.collect()).await;
            assert_eq!(list(&mut server, level).await.len(), expected, "{times}");
            if ended {
                break;
            }
        }
        assert!(times > 20, "dropped at {times} places only");
        server.disconnect().await.unwrap();
    }
}

/// What is dropped while the one before is being replaced.
#[tokio::test]
async fn dropped_again_and_again() {
    let peer = Peer::start();
    let level = peer.levels()[0];
    let mut server = dripping(peer.target(), &Options::default()).await;
    for times in (1..60).chain((1..60).rev()) {
        polled(times, server.server_info(101)).await;
    }
    assert!(!list(&mut server, level).await.is_empty());
    // Neither forgotten opens nor lost credits: it could go on for ever.
    server.disconnect().await.unwrap();
}

/// A call that was given up before a byte of it left has not happened, and will not.
#[tokio::test]
async fn an_end_that_was_not_sent() {
    let peer = Peer::start();
    let level = peer.levels()[0];
    let mut server = dripping(peer.target(), &Options::default()).await;
    let mut victim = dripping(peer.target(), &Options::default()).await;
    assert!(!polled(1, server.end(None, Some("admin"))).await);
    assert!(list(&mut server, level).await.len() >= 2);
    assert!(!list(&mut victim, level).await.is_empty());
}

/// A stream can be left at any session of any page, and each page ends a stream once.
#[tokio::test]
async fn a_stream_left_early() {
    let peer = Peer::start();
    let options = Options {
        page_bytes: 1,
        ..Options::default()
    };
    let mut others = Vec::new();
    for _ in 0..5 {
        others.push(
            Server::connect(peer.target(), &admin(), &options)
                .await
                .unwrap(),
        );
    }
    let level = peer.levels()[0];
    let mut server = dripping(peer.target(), &options).await;
    let all = list(&mut server, level).await.len();
    assert!(all >= 6);
    for taken in 0..=all {
        let mut sessions = server.sessions(&SessionFilter::default(), level);
        for _ in 0..taken {
            sessions.next_session().await.unwrap().unwrap();
        }
        // The page behind it is under way, too, in some cases.
        let mut context = Context::from_waker(Waker::noop());
        let next = pin!(sessions.next_session()).poll(&mut context);
        assert!(!matches!(next, Poll::Ready(Some(Err(_)))));
        drop(sessions);
        assert_eq!(list(&mut server, level).await.len(), all);
    }
}
