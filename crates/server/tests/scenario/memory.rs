//! A client that has reached its limit of memory, beside others who have not.
//!
//! The server has 96 MiB for all clients: of these a user has 22.5, a session 17.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use netsession::smb_client::TreeConnect;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::time::Instant;

use super::*;

const MIB: usize = 1 << 20;
/// The largest READ.
const LARGE: u32 = 8 << 20;
const MEMORY: u32 = 96 << 20;

fn scene() -> Scene {
    Scene::new(|config| config.limits.memory = Some(MEMORY))
}

/// A stream for a client, and for a test that sends what no client would.
#[derive(Clone, Debug)]
struct SharedStream(Arc<Mutex<DuplexStream>>);

impl SharedStream {
    fn with<T>(&self, work: impl FnOnce(Pin<&mut DuplexStream>) -> T) -> T {
        work(Pin::new(&mut *self.0.lock().unwrap()))
    }
}

impl AsyncRead for SharedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.with(|stream| stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for SharedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.with(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(cx))
    }
}

/// Somebody who has logged on, with the stream beneath his connection.
struct Guest {
    connection: Connection,
    session: Session,
    data: TreeConnect,
    stream: SharedStream,
}

impl Guest {
    async fn arrive(scene: &Scene, client: IpAddr, user: &str) -> Self {
        let (ours, theirs) = tokio::io::duplex(PAIR);
        let stream = SharedStream(Arc::new(Mutex::new(ours)));
        let server = scene.server.clone();
        tokio::spawn(async move { server.serve(theirs, client).await });
        let transport = Transport::new(stream.clone(), LIMIT);
        let connection = Connection::negotiate(transport, &Negotiation::new("test").unwrap())
            .await
            .unwrap();
        let session = logon(&connection, user).await;
        let data = session.tree_connect("test", "data").await.unwrap();
        Self {
            connection,
            session,
            data,
            stream,
        }
    }

    /// A frame of 8 MiB: an ECHO with far too much behind it.
    async fn long_frame(&self) -> Vec<u8> {
        let message = self.session.message(Command::ECHO, 0, |out| {
            EchoRequest.write(out);
            out.resize(LARGE as usize, 0);
        });
        let message = message.await.unwrap();
        let mut frame = (message.len() as u32).to_be_bytes().to_vec();
        frame.extend(message);
        frame
    }

    async fn send(&self, bytes: &[u8]) {
        self.stream.clone().write_all(bytes).await.unwrap();
    }

    /// Writes 8 MiB, reads them and lists the directory.
    async fn work(&self) {
        let file = self.data.create("large", &Create::overwrite()).await;
        let file = file.unwrap();
        self.gather_credits().await;
        let bytes = vec![7; LARGE as usize];
        assert_eq!(file.write(0, &bytes).await.unwrap(), LARGE);
        self.gather_credits().await;
        assert_eq!(file.read(0, LARGE).await.unwrap().len(), bytes.len());
        file.close().await.unwrap();
    }

    /// One credit covers 64 KiB.
    async fn gather_credits(&self) {
        while self.connection.credits().await < LARGE / 65_536 {
            self.session.echo().await.unwrap();
        }
    }
}

/// The server has done what it can do with what has been sent.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// Two connections of alice with the beginning of a frame of 8 MiB: nearly all that she may have.
async fn holders(scene: &Scene) -> Vec<Guest> {
    let mut holders = Vec::new();
    for _ in 0..2 {
        let alice = Guest::arrive(scene, ALICE, "alice").await;
        let frame = alice.long_frame().await;
        alice.send(&frame[..40_000]).await;
        holders.push(alice);
    }
    settle().await;
    holders
}

#[tokio::test(start_paused = true)]
async fn a_frame_waits_for_memory_while_others_go_on() {
    let scene = scene();
    let mut holders = holders(&scene).await;
    let waiting = Guest::arrive(&scene, ALICE, "alice").await;
    let frame = waiting.long_frame().await;
    // More than the stream and the server take without a charge: sending waits.
    let mut sending = pin!(waiting.send(&frame));
    assert!(
        tokio::time::timeout(Duration::from_secs(1), &mut sending)
            .await
            .is_err(),
        "22.5 MiB are no three frames of 8"
    );
    // Short requests of the same user need no memory of his.
    let other = Guest::arrive(&scene, ALICE, "alice").await;
    other.session.echo().await.unwrap();
    let bob = Guest::arrive(&scene, BOB, "bob").await;
    bob.work().await;
    let root = Guest::arrive(&scene, ALICE, "root").await;
    root.session.echo().await.unwrap();

    // What one of them gives back, the other takes.
    drop(holders.pop());
    sending.await;
    let answer = waiting.connection.receive().await.unwrap();
    assert_eq!(Header::read(&answer).unwrap().command, Command::ECHO);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_finds_no_memory_ends_its_connection() {
    let scene = scene();
    let holders = holders(&scene).await;
    let mut waiting = Guest::arrive(&scene, ALICE, "alice").await;
    let frame = waiting.long_frame().await;
    waiting.send(&frame[..40_000]).await;
    let start = Instant::now();
    let drip = async {
        loop {
            tokio::time::sleep(Duration::from_secs(20)).await;
            for holder in &holders {
                holder.send(&[0]).await;
            }
        }
    };
    let mut bytes = [0; 100];
    let ended = async {
        // An end in the middle of something may be an error or the end of the stream.
        matches!(waiting.stream.read(&mut bytes).await, Ok(0) | Err(_))
    };
    tokio::select! {
        () = drip => unreachable!(),
        ended = ended => assert!(ended),
    }
    let patience = Limits::default().write;
    let took = start.elapsed();
    assert!(took > patience / 2 && took < patience * 2, "{took:?}");
    // And those that send nothing any more follow.
    for mut holder in holders {
        let read = tokio::time::timeout(patience * 2, holder.stream.read(&mut bytes)).await;
        assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
    }
    Guest::arrive(&scene, ALICE, "alice").await.work().await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_takes_hold_up_only_their_user() {
    let scene = scene();
    std::fs::write(
        scene.directory.path().join("data/all"),
        vec![1; LARGE as usize],
    )
    .unwrap();
    let mut guests = Vec::new();
    for _ in 0..3 {
        let alice = Guest::arrive(&scene, ALICE, "alice").await;
        let file = alice.data.create("all", &Create::open()).await.unwrap();
        alice.gather_credits().await;
        guests.push((alice, file));
    }
    let mut reads: Vec<_> = guests
        .iter()
        .map(|(_, file)| Box::pin(file.read(0, LARGE)))
        .collect();
    for read in &mut reads {
        let polled = std::future::poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await;
        assert!(polled.is_pending(), "it has been sent");
        settle().await;
    }
    let bob = Guest::arrive(&scene, BOB, "bob").await;
    bob.work().await;
    let other = Guest::arrive(&scene, ALICE, "alice").await;
    other.session.echo().await.unwrap();

    // The third has waited, and goes on when the first has been taken.
    let third = tokio::time::timeout(Duration::from_secs(5), reads.pop().unwrap()).await;
    assert!(third.is_err(), "22.5 MiB are no three answers of 8");
    let first = reads.remove(0).await.unwrap();
    assert_eq!(first.len(), LARGE as usize);
    let start = Instant::now();
    guests[2].0.gather_credits().await;
    let third = guests[2].1.read(0, LARGE).await.unwrap();
    assert_eq!(third.len(), LARGE as usize);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_takes_is_not_kept() {
    let scene = scene();
    let path = scene.directory.path().join("data/all");
    std::fs::write(path, vec![1; LARGE as usize]).unwrap();
    let alice = Guest::arrive(&scene, ALICE, "alice").await;
    let file = alice.data.create("all", &Create::open()).await.unwrap();
    alice.gather_credits().await;
    let mut read = pin!(file.read(0, LARGE));
    let polled = std::future::poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await;
    assert!(polled.is_pending(), "it has been sent");
    settle().await;
    // It is in the middle of its answer when somebody ends its session.
    assert!(end(&*scene.application(), alice.session.id()));
    tokio::time::sleep(Duration::from_secs(6)).await;
    let mut stream = alice.stream.clone();
    let mut taken = Vec::new();
    let end = tokio::time::timeout(LIMIT, stream.read_to_end(&mut taken)).await;
    assert!(end.is_ok(), "the connection has ended");
    assert!(taken.len() <= 2 * PAIR, "{}", taken.len());
}

/// Keeps what is written, and answers nothing.
struct Hoard;

struct HoardPipe(usize);

impl PipeService for Hoard {
    fn open(&self, _caller: Caller) -> Result<Box<dyn Pipe>, NtStatus> {
        Ok(Box::new(HoardPipe(0)))
    }
}

impl Pipe for HoardPipe {
    fn write(&mut self, message: &[u8]) -> Result<(), NtStatus> {
        self.0 += message.len();
        Ok(())
    }

    fn read(&mut self, _max: usize) -> PipeRead {
        PipeRead::Empty
    }

    fn available(&self) -> usize {
        0
    }

    fn held(&self) -> usize {
        self.0
    }

    fn take_close_after_reply(&mut self) -> Vec<Ending> {
        Vec::new()
    }
}

#[tokio::test]
async fn what_a_pipe_holds_is_its_clients() {
    const PART: usize = 60_000;
    let scene = scene();
    scene.server.register_pipe("hoard", Arc::new(Hoard));
    let alice = Guest::arrive(&scene, ALICE, "alice").await;
    let ipc = alice.session.tree_connect("test", "IPC$").await.unwrap();
    let fill = async || {
        let pipe = ipc.create("hoard", &Create::pipe()).await.unwrap();
        let mut written = 0;
        loop {
            match status(pipe.write(0, &[0; PART]).await) {
                NtStatus::SUCCESS => written += PART,
                refused => return (pipe, written, refused),
            }
        }
    };
    let (pipe, written, refused) = fill().await;
    assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES);
    assert!((16 * MIB..18 * MIB).contains(&written), "{written}");
    // The same user on another connection, and another user.
    let second = Guest::arrive(&scene, ALICE, "alice").await;
    second.session.echo().await.unwrap();
    let bob = Guest::arrive(&scene, BOB, "bob").await;
    bob.work().await;

    pipe.close().await.unwrap();
    let (_, again, _) = fill().await;
    assert_eq!(again, written, "all of it has been given back");
}
