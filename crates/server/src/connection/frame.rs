//! Frames from the stream: a 4-byte length (direct TCP, [MS-SMB2] 2.1), then messages.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::Disconnect;

/// First growth of a body from somebody who has not logged on: a promised length costs the
/// server nothing until the bytes are there.
const UNTRUSTED_STEP: usize = 4_096;

/// Reads frames. Keeps its place when its future is dropped, and holds a buffer only while
/// part of a frame is there.
#[derive(Default)]
pub(super) struct FrameReader {
    head: [u8; 4],
    have: usize,
    body: Vec<u8>,
}

impl FrameReader {
    /// The next frame without its length; `None` at the orderly end of the stream.
    pub(super) async fn next<R: AsyncRead + Unpin>(
        &mut self,
        input: &mut R,
        limit: usize,
        trusted: bool,
    ) -> Result<Option<Vec<u8>>, Disconnect> {
        loop {
            while self.have < 4 {
                match input.read(&mut self.head[self.have..]).await? {
                    0 if self.have == 0 => return Ok(None),
                    0 => return Err(Disconnect::Closed),
                    read => self.have += read,
                }
            }
            let [kind, high, middle, low] = self.head;
            let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            match kind {
                0 => {}
                // NetBIOS keep-alive: some clients send it on port 445 too.
                0x85 if length == 0 => {
                    self.have = 0;
                    continue;
                }
                _ => return Err(Disconnect::Violation("not a direct TCP frame")),
            }
            if length > limit {
                return Err(Disconnect::Violation("frame longer than negotiated"));
            }
            while self.body.len() < length {
                let missing = length - self.body.len();
                if self.body.capacity() == self.body.len() {
                    let step = self.body.len().max(UNTRUSTED_STEP);
                    self.body
                        .reserve_exact(if trusted { missing } else { missing.min(step) });
                }
                let mut rest = (&mut *input).take(missing as u64);
                if rest.read_buf(&mut self.body).await? == 0 {
                    return Err(Disconnect::Closed);
                }
            }
            self.have = 0;
            return Ok(Some(std::mem::take(&mut self.body)));
        }
    }
}
