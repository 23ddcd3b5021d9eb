use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

use super::*;
use crate::budget::{Budget, ConnectionAccount, Cost, Limits, Resource, SessionAccount};

const PATIENCE: Duration = Duration::from_secs(60);
const MIB: usize = 1 << 20;

/// A connection of somebody who has logged on, or not.
struct Client {
    budget: Budget,
    connection: ConnectionAccount,
    session: Option<SessionAccount>,
}

impl Client {
    fn new(is_trusted: bool) -> Self {
        Self::of(Budget::new(Limits::derive(1_024, 0)), is_trusted)
    }

    fn of(budget: Budget, is_trusted: bool) -> Self {
        let address = "192.0.2.1".parse().unwrap();
        let mut connection = budget.connection(address).unwrap();
        let session = is_trusted.then(|| budget.session(&mut connection, "alice", false).unwrap());
        Self {
            budget,
            connection,
            session,
        }
    }

    fn held(&self) -> usize {
        self.budget.held(Resource::Bytes) as usize
    }
}

impl Payer for Client {
    fn is_trusted(&self) -> bool {
        self.session.is_some()
    }

    fn charge(&self, _: u64, bytes: u32) -> Result<Charge, Refused> {
        let cost = Cost::bytes(bytes);
        match &self.session {
            Some(session) => session.charge(cost),
            None => self.connection.charge(cost),
        }
    }
}

/// A stream that gives what it has in pieces of the sizes told, then ends.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl<'a> Pieces<'a> {
    fn new(bytes: &'a [u8], sizes: &'a [usize]) -> Self {
        Self {
            bytes,
            sizes: sizes.iter().cycle(),
        }
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let size = self.sizes.next().copied().unwrap_or(1);
        let (now, later) = self
            .bytes
            .split_at(size.min(self.bytes.len()).min(buffer.remaining()));
        buffer.put_slice(now);
        self.bytes = later;
        Poll::Ready(Ok(()))
    }
}

fn framed(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for body in bodies {
        bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
        bytes.extend_from_slice(body);
    }
    bytes
}

async fn read_all(
    bytes: &[u8],
    sizes: &[usize],
    trusted: bool,
) -> (Vec<Vec<u8>>, Result<(), Disconnect>) {
    let mut stream = Pieces::new(bytes, sizes);
    let mut frames = FrameReader::default();
    let mut bodies = Vec::new();
    let client = Client::new(trusted);
    let held = client.held();
    loop {
        match frames.next(&mut stream, 200_000, &client, PATIENCE).await {
            Ok(Some(length)) => {
                bodies.push(frames.frame(length).to_vec());
                frames.consume(length);
                while let Ok(Some(length)) = frames.ready(200_000) {
                    bodies.push(frames.frame(length).to_vec());
                    frames.consume(length);
                }
            }
            Ok(None) => {
                assert_eq!(
                    frames.buffer.capacity(),
                    0,
                    "an idle connection has no buffer"
                );
                assert_eq!(client.held(), held, "and no charge");
                return (bodies, Ok(()));
            }
            Err(reason) => return (bodies, Err(reason)),
        }
    }
}

fn bodies() -> Vec<Vec<u8>> {
    [
        0,
        1,
        64,
        3,
        READ_AHEAD - 4,
        READ_AHEAD,
        READ_AHEAD + 1,
        150_000,
        68,
        70_000,
        5,
    ]
    .iter()
    .enumerate()
    .map(|(number, &length)| (0..length).map(|at| (at * 31 + number) as u8).collect())
    .collect()
}

#[tokio::test]
async fn frames_arrive_whole_however_the_stream_is_cut() {
    let bodies = bodies();
    let bytes = framed(&bodies);
    for sizes in [
        &[1][..],
        &[3, 5000],
        &[70_000],
        &[1_000_000],
        &[4, 1, 16_384],
    ] {
        for trusted in [false, true] {
            let (read, end) = read_all(&bytes, sizes, trusted).await;
            assert!(end.is_ok(), "{sizes:?}: {end:?}");
            assert!(read == bodies, "{sizes:?}, trusted {trusted}");
        }
    }
}

#[tokio::test]
async fn a_stream_cut_in_a_frame_is_no_orderly_end() {
    let bytes = framed(&[vec![7; 100], vec![8; 20_000]]);
    for end in 1..bytes.len() {
        if end == 104 {
            continue;
        }
        let (read, outcome) = read_all(&bytes[..end], &[1_000_000], true).await;
        assert_eq!(read.len(), usize::from(end > 104), "{end}");
        assert!(matches!(outcome, Err(Disconnect::Closed)), "{end}");
    }
}

#[tokio::test]
async fn keep_alives_are_skipped_and_others_end_the_connection() {
    let mut bytes = vec![0x85, 0, 0, 0];
    bytes.extend(framed(&[vec![1; 10]]));
    bytes.extend([0x85, 0, 0, 0]);
    let (read, end) = read_all(&bytes, &[2], false).await;
    assert_eq!((read.len(), end.is_ok()), (1, true));
    for wrong in [[0x85, 0, 0, 1], [0x81, 0, 0, 4], [0, 0x03, 0x0D, 0x41]] {
        let (read, end) = read_all(&wrong, &[4], true).await;
        assert!(read.is_empty());
        assert!(matches!(end, Err(Disconnect::Violation(_))), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_stranger_gets_no_memory_for_a_promise() {
    let mut bytes = 180_000_u32.to_be_bytes().to_vec();
    bytes.extend([0; 100]);
    let mut stream = Pieces::new(&bytes, &[1_000]);
    let mut frames = FrameReader::default();
    let outcome = frames
        .next(&mut stream, 200_000, &Client::new(false), PATIENCE)
        .await;
    assert!(matches!(outcome, Err(Disconnect::Closed)));
    assert!(frames.buffer.capacity() <= 2 * UNTRUSTED_STEP);
}

/// Reads as a connection does, until nothing more comes.
async fn starve(frames: &mut FrameReader, input: &mut (impl AsyncRead + Unpin), client: &Client) {
    let reading = frames.next(input, 9 * MIB, client, PATIENCE);
    let end = tokio::time::timeout(Duration::from_secs(1), reading).await;
    assert!(end.is_err(), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_frame_is_charged_while_it_is_there() {
    let client = Client::new(true);
    let before = client.held();
    let (mut theirs, mut ours) = tokio::io::duplex(9 * MIB);
    let bytes = framed(&[vec![7; 8 * MIB]]);
    let mut frames = FrameReader::default();
    theirs.write_all(&bytes[..20]).await.unwrap();
    starve(&mut frames, &mut ours, &client).await;
    assert_eq!(client.held(), before, "nothing of it is there");
    theirs.write_all(&bytes[20..100_000]).await.unwrap();
    starve(&mut frames, &mut ours, &client).await;
    let held = client.held() - before;
    assert!((8 * MIB..8 * MIB + 100).contains(&held), "{held}");
    theirs.write_all(&bytes[100_000..]).await.unwrap();
    let length = frames.next(&mut ours, 9 * MIB, &client, PATIENCE).await;
    assert_eq!(length.unwrap(), Some(8 * MIB));
    let (bytes, from, charge) = frames.detach(8 * MIB);
    assert_eq!((bytes.len(), from), (8 * MIB + PREFIX, PREFIX));
    assert_eq!(client.held() - before, held, "it goes with the bytes");
    drop(charge);
    assert_eq!(client.held(), before);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_charged_for_what_has_come() {
    let client = Client::new(false);
    let before = client.held();
    let (mut theirs, mut ours) = tokio::io::duplex(MIB);
    let bytes = framed(&[vec![7; 100_000]]);
    let mut frames = FrameReader::default();
    theirs.write_all(&bytes[..20_000]).await.unwrap();
    starve(&mut frames, &mut ours, &client).await;
    let held = client.held() - before;
    assert!((20_000..=40_000).contains(&held), "{held}");
    theirs.write_all(&bytes[20_000..70_000]).await.unwrap();
    starve(&mut frames, &mut ours, &client).await;
    let held = client.held() - before;
    assert!((70_000..=100_004).contains(&held), "{held}");
    drop(frames);
    assert_eq!(client.held(), before);
}

#[tokio::test(start_paused = true)]
async fn a_frame_waits_for_memory_and_then_goes_on() {
    let client = Client::new(true);
    let (mut theirs, mut ours) = tokio::io::duplex(9 * MIB);
    let bytes = framed(&[vec![7; 8 * MIB]]);
    theirs.write_all(&bytes).await.unwrap();
    let mut frames = FrameReader::default();
    // All that a session may have on a machine as small as this.
    let session = client.session.as_ref().unwrap();
    let mut others = Vec::new();
    others.extend(std::iter::from_fn(|| {
        session.charge(Cost::bytes(MIB as u32)).ok()
    }));
    assert!(others.len() > 8);
    starve(&mut frames, &mut ours, &client).await;
    others.truncate(others.len() - 9);
    let start = Instant::now();
    let length = frames.next(&mut ours, 9 * MIB, &client, PATIENCE).await;
    assert_eq!(length.unwrap(), Some(8 * MIB));
    assert!(start.elapsed() <= 2 * MEMORY_RETRY);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_gets_no_further_ends_the_connection() {
    let bytes = framed(&[vec![7; 8 * MIB]]);
    for (sent, has_memory) in [(2, true), (20, true), (300_000, true), (300_000, false)] {
        let client = Client::new(true);
        let session = client.session.as_ref().unwrap();
        let mut others = Vec::new();
        if !has_memory {
            others.extend(std::iter::from_fn(|| {
                session.charge(Cost::bytes(MIB as u32)).ok()
            }));
        }
        let (mut theirs, mut ours) = tokio::io::duplex(9 * MIB);
        let mut frames = FrameReader::default();
        let start = Instant::now();
        let sender = async {
            theirs.write_all(&bytes[..sent / 2]).await.unwrap();
            tokio::time::sleep(PATIENCE / 2).await;
            theirs.write_all(&bytes[sent / 2..sent]).await.unwrap();
        };
        let reader = frames.next(&mut ours, 9 * MIB, &client, PATIENCE);
        let ((), end) = tokio::join!(sender, reader);
        assert!(matches!(end, Err(Disconnect::Stalled)), "{end:?}");
        let expected = match has_memory {
            true => PATIENCE * 3 / 2,
            false => PATIENCE,
        };
        let took = start.elapsed();
        assert!(
            took >= expected && took < expected + MEMORY_RETRY,
            "{sent}: {took:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_between_frames_may_take_its_time() {
    let client = Client::new(true);
    let (mut theirs, mut ours) = tokio::io::duplex(MIB);
    let mut frames = FrameReader::default();
    theirs.write_all(&framed(&[vec![7; 50]])).await.unwrap();
    let length = frames.next(&mut ours, MIB, &client, PATIENCE).await;
    assert_eq!(length.unwrap(), Some(50));
    frames.consume(50);
    let reading = frames.next(&mut ours, MIB, &client, PATIENCE);
    let end = tokio::time::timeout(100 * PATIENCE, reading).await;
    assert!(end.is_err(), "{end:?}");
}
