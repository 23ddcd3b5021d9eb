//! The answer to one frame: one message or several, signed one by one or sealed as a whole
//! ([MS-SMB2] 3.3.4.1).

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use smb::NtStatus;
use smb::wire::{self, Header, HeaderFlags};

use crate::budget::Charge;
use crate::keys::Keys;

/// Length prefix of a frame.
const PREFIX: usize = 4;
/// SMB2 TRANSFORM_HEADER ([MS-SMB2] 2.2.41).
const TRANSFORM: usize = 52;
/// Offset of NextCommand in a header.
const NEXT_COMMAND: Range<usize> = 20..24;
/// Offset of the low byte of Flags.
const FLAGS: usize = 16;

/// Frames for the client, with what is charged for them until they have been written.
#[derive(Default)]
pub(crate) struct Answers {
    bytes: Vec<u8>,
    /// Boxed because most have none.
    long: Option<Box<Long>>,
}

/// What long answers have beside their bytes.
#[derive(Default)]
struct Long {
    /// Short ones that go before a long one: that is not copied behind them.
    before: Vec<u8>,
    charges: Vec<Charge>,
}

impl Answers {
    /// Longer ones are not copied behind others.
    const LONG: usize = 16 * 1024;

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.before().len() + self.bytes.len()
    }

    /// What is to be written first, usually nothing.
    pub(crate) fn before(&self) -> &[u8] {
        self.long.as_ref().map_or(&[], |long| &long.before)
    }

    /// What is to be written then.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds what is sent behind them.
    pub(crate) fn append(&mut self, other: Self) {
        let mut charges = Vec::new();
        if let Some(long) = other.long {
            self.append_bytes(long.before);
            charges = long.charges;
        }
        self.append_bytes(other.bytes);
        if !charges.is_empty() {
            let long = self.long.get_or_insert_default();
            long.charges.append(&mut charges);
        }
    }

    fn append_bytes(&mut self, bytes: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else if self.before().is_empty() && bytes.len() > Self::LONG {
            let before = std::mem::replace(&mut self.bytes, bytes);
            self.long.get_or_insert_default().before = before;
        } else {
            self.bytes.extend_from_slice(&bytes);
        }
    }

    /// The bytes of a single frame, or the buffer of what has been written.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }
}

impl From<Vec<u8>> for Answers {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }
}

/// Messages being built behind the room for prefix and transform header.
///
/// A message is begun, gets its body, and is completed with its header. Its signature waits
/// until it is known whether another message follows, because padding is signed as well.
pub(crate) struct Response {
    out: Vec<u8>,
    seal: Option<Arc<Keys>>,
    first: usize,
    last: Option<Last>,
    /// Where the message begins that is not complete yet.
    begun: Option<usize>,
    /// For the longer ones.
    charges: Vec<Charge>,
}

/// The last complete message.
struct Last {
    start: usize,
    /// Without padding.
    end: usize,
    /// Whose key signs it.
    sign: Option<Arc<Keys>>,
}

impl Response {
    /// `seal`: encrypt the whole with these keys.
    pub(crate) fn new(seal: Option<Arc<Keys>>) -> Self {
        let first = PREFIX + if seal.is_some() { TRANSFORM } else { 0 };
        Self {
            out: vec![0; first],
            seal,
            first,
            last: None,
            begun: None,
            charges: Vec::new(),
        }
    }

    /// Keeps the charge of a message until the whole has been written.
    pub(crate) fn hold(&mut self, charge: Charge) {
        self.charges.push(charge);
    }

    /// Neither begun nor complete messages.
    pub(crate) fn is_empty(&self) -> bool {
        self.out.len() == self.first
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// Makes room for the next message's header, unless that has been done.
    pub(crate) fn begin(&mut self) {
        if self.begun.is_some() {
            return;
        }
        let start = match &self.last {
            Some(last) => last.start + (last.end - last.start).next_multiple_of(8),
            None => self.first,
        };
        self.out.resize(start + Header::SIZE, 0);
        self.begun = Some(start);
    }

    /// Where the body of the message begun last is written.
    pub(crate) fn body(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// The body of the message begun last, as far as it is there.
    pub(crate) fn body_so_far(&self) -> &[u8] {
        let start = self.begun.unwrap_or(self.out.len() - Header::SIZE);
        &self.out[start + Header::SIZE..]
    }

    /// The message begun last gets no body of its own: an error or an interim response.
    pub(crate) fn error_body(&mut self) {
        if let Some(start) = self.begun {
            self.out.truncate(start + Header::SIZE);
            wire::error_response(&mut self.out, &[]);
        }
    }

    /// Fills in the header of the message begun last, and signs the message before it, which
    /// is linked to it.
    pub(crate) fn complete(&mut self, header: &Header, sign: Option<Arc<Keys>>) {
        let Some(start) = self.begun.take() else {
            return;
        };
        self.out[start..][..Header::SIZE].copy_from_slice(&header.to_bytes());
        if let Some(last) = self.last.take() {
            // A frame is shorter than 2^24.
            let next = (start - last.start) as u32;
            self.out[last.start..][NEXT_COMMAND].copy_from_slice(&next.to_le_bytes());
            self.sign(last.start..start, last.sign.as_deref());
        }
        self.last = Some(Last {
            start,
            end: self.out.len(),
            sign,
        });
    }

    /// Takes back the message begun last: it is not answered here.
    pub(crate) fn abandon(&mut self) {
        let end = self.last.as_ref().map_or(self.first, |last| last.end);
        self.out.truncate(end);
        self.begun = None;
    }

    /// Signs the last message: no other follows. Gives it for the preauthentication hash.
    pub(crate) fn finish(&mut self) -> &[u8] {
        match self.last.take() {
            Some(mut last) => {
                if last.start > self.first {
                    // Windows pads the last message of a compound, too.
                    last.end = last.start + (last.end - last.start).next_multiple_of(8);
                    self.out.resize(last.end, 0);
                }
                self.sign(last.start..last.end, last.sign.as_deref());
                &self.out[last.start..]
            }
            None => &[],
        }
    }

    /// The frame as it goes onto the stream; empty if there is no message.
    pub(crate) fn into_frame(mut self) -> Answers {
        if self.is_empty() {
            return Answers::default();
        }
        self.finish();
        if let Some(seal) = &self.seal
            && let Some(keys) = &seal.encryption_keys
        {
            let nonce = seal.nonce.fetch_add(1, Ordering::Relaxed);
            // Fails only for a frame past u32, which a frame of 24-bit length is not.
            let _ = keys
                .encryption
                .seal(seal.session.0, nonce, &mut self.out[PREFIX..]);
        }
        let length = (self.out.len() - PREFIX) as u32;
        self.out[..PREFIX].copy_from_slice(&length.to_be_bytes());
        let charges = self.charges;
        Answers {
            bytes: self.out,
            long: (!charges.is_empty()).then(|| {
                Box::new(Long {
                    charges,
                    ..Long::default()
                })
            }),
        }
    }

    fn sign(&mut self, message: Range<usize>, sign: Option<&Keys>) {
        let Some(keys) = sign.filter(|_| self.seal.is_none()) else {
            return;
        };
        let Some(key) = &keys.signing_key else {
            return;
        };
        let message = &mut self.out[message];
        message[FLAGS] |= HeaderFlags::SIGNED.0 as u8;
        #[cfg(debug_assertions)]
        if let Ok(header) = Header::read(message) {
            keys.assert_signs_once(header.message_id);
        }
        key.sign(message);
    }
}

/// A body was written for this status: errors and interim responses carry an error body.
pub(crate) fn may_have_body(status: NtStatus) -> bool {
    matches!(
        status,
        NtStatus::SUCCESS
            | NtStatus::BUFFER_OVERFLOW
            | NtStatus::MORE_PROCESSING_REQUIRED
            | NtStatus::NOTIFY_CLEANUP
            | NtStatus::NOTIFY_ENUM_DIR
    )
}
