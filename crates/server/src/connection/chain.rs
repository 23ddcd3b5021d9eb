//! The answer to one frame: one message or several, signed one by one or sealed as a whole
//! ([MS-SMB2] 3.3.4.1).

use std::sync::atomic::Ordering;

use smb::wire::{Header, HeaderFlags};

use crate::session::Session;

/// Length prefix of a frame.
const PREFIX: usize = 4;
/// SMB2 TRANSFORM_HEADER ([MS-SMB2] 2.2.41).
const TRANSFORM: usize = 52;
/// Offset of NextCommand in a header.
const NEXT_COMMAND: std::ops::Range<usize> = 20..24;

/// Messages being built behind the room for prefix and transform header.
pub(super) struct Chain<'a> {
    pub(super) out: Vec<u8>,
    seal: Option<&'a Session>,
    previous: Option<usize>,
    first: usize,
}

impl<'a> Chain<'a> {
    /// `seal`: encrypt the whole with this session's key.
    pub(super) fn new(seal: Option<&'a Session>) -> Self {
        let first = PREFIX + if seal.is_some() { TRANSFORM } else { 0 };
        Self {
            out: vec![0; first],
            seal,
            previous: None,
            first,
        }
    }

    /// Makes room for the next message's header and gives its place. The one before it must
    /// not have been finished: padding belongs to what is signed.
    pub(super) fn begin(&mut self) -> usize {
        let start = self.out.len();
        self.out.resize(start + Header::SIZE, 0);
        start
    }

    /// Pads the message at `start` because another follows, and links it.
    pub(super) fn link(&mut self, start: usize) {
        let length = (self.out.len() - start).next_multiple_of(8);
        self.out.resize(start + length, 0);
        // A frame is shorter than 2^24.
        let next = (length as u32).to_le_bytes();
        self.out[start..][NEXT_COMMAND].copy_from_slice(&next);
    }

    /// Signs the message at `start` if asked: it is complete.
    pub(super) fn finish_message(&mut self, start: usize, sign: Option<&Session>) {
        if self.seal.is_none()
            && let Some(key) = sign.and_then(|session| session.signing_key.as_ref())
        {
            let flags = &mut self.out[start + 16..start + 20];
            flags[0] |= HeaderFlags::SIGNED.0 as u8;
            #[cfg(debug_assertions)]
            if let (Some(session), Ok(header)) = (sign, Header::read(&self.out[start..])) {
                session.assert_signs_once(header.message_id);
            }
            key.sign(&mut self.out[start..]);
        }
        self.previous = Some(start);
    }

    /// Nothing was answered.
    pub(super) fn is_empty(&self) -> bool {
        self.out.len() == self.first
    }

    /// The frame as it goes onto the stream; empty if there is no message.
    pub(super) fn into_frame(mut self) -> Vec<u8> {
        if self.is_empty() {
            return Vec::new();
        }
        if let Some(session) = self.seal
            && let Some(keys) = &session.encryption_keys
        {
            let nonce = session.nonce.fetch_add(1, Ordering::Relaxed);
            // Fails only for a frame past u32, which a frame of 24-bit length is not.
            let _ = keys
                .encryption
                .seal(session.id.0, nonce, &mut self.out[PREFIX..]);
        }
        let length = (self.out.len() - PREFIX) as u32;
        self.out[..PREFIX].copy_from_slice(&length.to_be_bytes());
        self.out
    }
}
