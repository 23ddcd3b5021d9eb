//! Frames from the stream: a 4-byte length (direct TCP, [MS-SMB2] 2.1), then messages.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::{Disconnect, spare};

/// First growth of a body from somebody who has not logged on: a promised length costs the
/// server nothing until the bytes are there.
const UNTRUSTED_STEP: usize = 4_096;

/// What one read takes from the stream while no long frame is under way: several short
/// requests, or the head of a long one.
const READ_AHEAD: usize = 16 * 1024;

/// Length prefix of a frame.
const PREFIX: usize = 4;

thread_local! {
    /// Where a read goes before it is known how much there is, so that a connection that
    /// waits owns no buffer.
    static LANDING: RefCell<Box<[u8; READ_AHEAD]>> = RefCell::new(Box::new([0; READ_AHEAD]));
}

/// Reads frames. Keeps its place when its future is dropped, and holds a buffer only while
/// part of a frame is there.
#[derive(Default)]
pub(super) struct FrameReader {
    /// What has been read and not been consumed starts at `start`.
    buffer: Vec<u8>,
    start: usize,
}

impl FrameReader {
    /// Waits until a whole frame is there: its length without the prefix; `None` at the
    /// orderly end of the stream. [`FrameReader::frame`] shows it, and
    /// [`FrameReader::consume`] makes room for the next.
    pub(super) async fn next<R: AsyncRead + Unpin>(
        &mut self,
        input: &mut R,
        limit: usize,
        trusted: bool,
    ) -> Result<Option<usize>, Disconnect> {
        std::future::poll_fn(|cx| self.poll_next(cx, input, limit, trusted)).await
    }

    /// The length of the frame that is there already, without touching the stream.
    pub(super) fn ready(&mut self, limit: usize) -> Result<Option<usize>, Disconnect> {
        Ok(self
            .promised(limit)?
            .filter(|length| self.buffer.len() - self.start >= PREFIX + length))
    }

    /// The frame whose length was told.
    pub(super) fn frame(&mut self, length: usize) -> &mut [u8] {
        &mut self.buffer[self.start + PREFIX..][..length]
    }

    /// Gives that frame away, and says where it begins in the bytes.
    pub(super) fn detach(&mut self, length: usize) -> (Vec<u8>, usize) {
        let from = self.start + PREFIX;
        if self.buffer.len() == from + length && length > READ_AHEAD {
            self.start = 0;
            return (std::mem::take(&mut self.buffer), from);
        }
        let bytes = self.buffer[from..][..length].to_vec();
        self.consume(length);
        (bytes, 0)
    }

    /// Forgets that frame.
    pub(super) fn consume(&mut self, length: usize) {
        self.start += PREFIX + length;
        if self.start >= self.buffer.len() {
            self.start = 0;
            spare::give_input(std::mem::take(&mut self.buffer));
        }
    }

    fn poll_next<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut R,
        limit: usize,
        trusted: bool,
    ) -> Poll<Result<Option<usize>, Disconnect>> {
        loop {
            let missing = match self.promised(limit)? {
                Some(length) => {
                    let have = self.buffer.len() - self.start - PREFIX;
                    match length.checked_sub(have) {
                        None | Some(0) => return Poll::Ready(Ok(Some(length))),
                        Some(missing) => missing,
                    }
                }
                None => 0,
            };
            let read = if missing > READ_AHEAD {
                ready!(self.poll_long(cx, input, missing, trusted))?
            } else {
                ready!(self.poll_short(cx, input))?
            };
            if read == 0 {
                return Poll::Ready(if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(Disconnect::Closed)
                });
            }
        }
    }

    /// The length in the prefix, once that is there. Skips keep-alives.
    fn promised(&mut self, limit: usize) -> Result<Option<usize>, Disconnect> {
        while let Some(&[kind, high, middle, low]) = self.buffer[self.start..].first_chunk() {
            let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            match kind {
                0 if length > limit => {
                    return Err(Disconnect::Violation("frame longer than negotiated"));
                }
                0 => return Ok(Some(length)),
                // NetBIOS keep-alive: some clients send it on port 445 too.
                0x85 if length == 0 => self.consume(0),
                _ => return Err(Disconnect::Violation("not a direct TCP frame")),
            }
        }
        Ok(None)
    }

    /// Reads what little is missing, and what has come behind it, by way of the landing.
    fn poll_short<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut R,
    ) -> Poll<std::io::Result<usize>> {
        LANDING.with_borrow_mut(|landing| {
            let mut read = ReadBuf::new(&mut landing[..]);
            ready!(Pin::new(input).poll_read(cx, &mut read))?;
            self.drop_consumed();
            self.buffer.reserve_exact(read.filled().len());
            self.buffer.extend_from_slice(read.filled());
            Poll::Ready(Ok(read.filled().len()))
        })
    }

    /// Reads the body of a long frame to where it stays.
    fn poll_long<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut R,
        missing: usize,
        trusted: bool,
    ) -> Poll<std::io::Result<usize>> {
        self.drop_consumed();
        if trusted && self.buffer.capacity() - self.buffer.len() < missing {
            let mut roomy = spare::take_input();
            roomy.reserve_exact(self.buffer.len() + missing);
            roomy.extend_from_slice(&self.buffer);
            self.buffer = roomy;
        } else if self.buffer.capacity() == self.buffer.len() {
            let step = self.buffer.len().max(UNTRUSTED_STEP);
            self.buffer.reserve_exact(missing.min(step));
        }
        pin!(input.read_buf(&mut self.buffer)).poll(cx)
    }

    fn drop_consumed(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests;
