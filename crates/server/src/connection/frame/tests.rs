use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use super::*;

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
    loop {
        match frames.next(&mut stream, 200_000, trusted).await {
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
    let outcome = frames.next(&mut stream, 200_000, false).await;
    assert!(matches!(outcome, Err(Disconnect::Closed)));
    assert!(frames.buffer.capacity() <= 2 * UNTRUSTED_STEP);
}
