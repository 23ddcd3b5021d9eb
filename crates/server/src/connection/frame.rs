//! Frames from the stream: a 4-byte length (direct TCP, [MS-SMB2] 2.1), then messages.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Disconnect, spare};
use crate::budget::{Charge, Refused};
use crate::limits::MEMORY_RETRY;

/// First growth of a body from somebody who has not logged on: a promised length costs the
/// server nothing until the bytes are there.
const UNTRUSTED_STEP: usize = 4_096;

/// What one read takes from the stream while no long frame is under way: several short
/// requests, or the head of a long one. So much of a frame is held without a charge.
const READ_AHEAD: usize = 16 * 1024;

/// The part of a message that names its session: all of a TRANSFORM_HEADER, most of a header.
const HEAD: usize = 52;

/// Length prefix of a frame.
const PREFIX: usize = 4;

thread_local! {
    /// Where a read goes before it is known how much there is, so that a connection that
    /// waits owns no buffer.
    static LANDING: RefCell<Box<[u8; READ_AHEAD]>> = RefCell::new(Box::new([0; READ_AHEAD]));
}

/// Whose memory a long frame takes.
pub(super) trait Payer {
    /// Somebody has logged on: a promised length is believed, so that the frame is read to
    /// where it stays.
    fn is_trusted(&self) -> bool;

    /// Charges the session that the frame names, or whoever answers for the connection.
    fn charge(&self, session_id: u64, bytes: u32) -> Result<Charge, Refused>;
}

/// Reads frames. Keeps its place when its future is dropped, and holds a buffer only while
/// part of a frame is there.
#[derive(Default)]
pub(super) struct FrameReader {
    /// What has been read and not been consumed starts at `start`.
    buffer: Vec<u8>,
    start: usize,
    /// For the buffer of a long frame. Such a buffer has nothing but that frame.
    charge: Option<Charge>,
    /// When the frame under way had got as far as it is now.
    progress: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl FrameReader {
    /// Waits until a whole frame is there: its length without the prefix; `None` at the
    /// orderly end of the stream. [`FrameReader::frame`] shows it, and
    /// [`FrameReader::consume`] makes room for the next.
    ///
    /// A long frame is read when there is memory for it. A frame that gets no further for
    /// `patience`, because of that or because its client sends nothing, ends the connection.
    pub(super) async fn next<R: AsyncRead + Unpin>(
        &mut self,
        input: &mut R,
        limit: usize,
        payer: &(impl Payer + ?Sized),
        patience: Duration,
    ) -> Result<Option<usize>, Disconnect> {
        std::future::poll_fn(|cx| self.poll_next(cx, input, limit, payer, patience)).await
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

    /// Gives that frame away with what is charged for it, and says where it begins in the
    /// bytes.
    pub(super) fn detach(&mut self, length: usize) -> (Vec<u8>, usize, Option<Charge>) {
        let from = self.start + PREFIX;
        if let Some(charge) = self.charge.take() {
            self.start = 0;
            return (std::mem::take(&mut self.buffer), from, Some(charge));
        }
        let bytes = self.buffer[from..][..length].to_vec();
        self.consume(length);
        (bytes, 0, None)
    }

    /// Forgets that frame.
    pub(super) fn consume(&mut self, length: usize) {
        self.start += PREFIX + length;
        if self.start >= self.buffer.len() {
            self.start = 0;
            spare::give_input(std::mem::take(&mut self.buffer));
            self.charge = None;
        }
    }

    fn poll_next<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut R,
        limit: usize,
        payer: &(impl Payer + ?Sized),
        patience: Duration,
    ) -> Poll<Result<Option<usize>, Disconnect>> {
        loop {
            let (have, missing) = match self.promised(limit)? {
                Some(length) => {
                    let have = self.buffer.len() - self.start - PREFIX;
                    match length.checked_sub(have) {
                        None | Some(0) => {
                            self.timer = None;
                            self.progress = None;
                            return Poll::Ready(Ok(Some(length)));
                        }
                        Some(missing) => (have, missing),
                    }
                }
                None => (0, 0),
            };
            let read = if self.charge.is_none() && (missing <= READ_AHEAD || have < HEAD) {
                self.poll_short(cx, input)
            } else if self.make_room(missing, payer).is_ok() {
                self.poll_long(cx, input, missing)
            } else {
                ready!(self.poll_patience(cx, patience, Some(MEMORY_RETRY)))?;
                continue;
            };
            match read {
                Poll::Ready(read) => {
                    self.progress = None;
                    if read? == 0 {
                        return Poll::Ready(if self.buffer.is_empty() {
                            Ok(None)
                        } else {
                            Err(Disconnect::Closed)
                        });
                    }
                }
                Poll::Pending if self.buffer.len() == self.start => {
                    self.timer = None;
                    return Poll::Pending;
                }
                Poll::Pending => ready!(self.poll_patience(cx, patience, None))?,
            }
        }
    }

    /// Ready when the stream or the budget is to be asked again; an error if the frame has got
    /// no further for `patience`.
    fn poll_patience(
        &mut self,
        cx: &mut Context<'_>,
        patience: Duration,
        retry: Option<Duration>,
    ) -> Poll<Result<(), Disconnect>> {
        let now = Instant::now();
        let end = *self.progress.get_or_insert(now) + patience;
        if now >= end {
            return Poll::Ready(Err(Disconnect::Stalled));
        }
        let at = retry.map_or(end, |retry| end.min(now + retry));
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        // One that is early is left as it is: it looks again when it is over.
        if timer.is_elapsed() || timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx).map(Ok)
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

    /// Charges the buffer of a long frame and makes it long enough for what comes next.
    fn make_room(&mut self, missing: usize, payer: &(impl Payer + ?Sized)) -> Result<(), Refused> {
        if self.charge.is_some() && self.buffer.capacity() > self.buffer.len() {
            return Ok(());
        }
        self.drop_consumed();
        let have = self.buffer.len();
        if payer.is_trusted() {
            let mut roomy = spare::take_input(have + missing);
            let bytes = roomy.capacity().max(have + missing);
            if let Err(refused) = self.pay(bytes, payer) {
                spare::give_input(roomy);
                return Err(refused);
            }
            roomy.reserve_exact(have + missing);
            roomy.extend_from_slice(&self.buffer);
            self.buffer = roomy;
        } else {
            let step = missing.min(have.max(UNTRUSTED_STEP));
            self.pay(have + step, payer)?;
            self.buffer.reserve_exact(step);
        }
        Ok(())
    }

    fn pay(&mut self, bytes: usize, payer: &(impl Payer + ?Sized)) -> Result<(), Refused> {
        // A frame is shorter than 2^24.
        let bytes = bytes as u32;
        match &mut self.charge {
            Some(charge) => charge.resize(bytes),
            none => {
                let session_id = named_session(&self.buffer[self.start + PREFIX..]);
                *none = Some(payer.charge(session_id, bytes)?);
                Ok(())
            }
        }
    }

    /// Reads the body of a long frame to where it stays, and nothing behind it.
    fn poll_long<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut R,
        missing: usize,
    ) -> Poll<std::io::Result<usize>> {
        let mut frame = input.take(missing as u64);
        pin!(frame.read_buf(&mut self.buffer)).poll(cx)
    }

    fn drop_consumed(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }
}

/// The SessionId of a message, encrypted or not; 0 if there is none.
fn named_session(message: &[u8]) -> u64 {
    let at = match message.get(..4) {
        Some(b"\xFESMB") => 40,
        Some(b"\xFDSMB") => 44,
        _ => return 0,
    };
    message
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;
