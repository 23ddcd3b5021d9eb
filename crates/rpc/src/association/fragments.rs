//! Cutting a byte stream into fragments, and a stub into fragments.

use crate::pdu::{Error, HEADER_SIZE, Header};

/// Bytes received and not yet handled, in order. Holds at most one incomplete fragment
/// (below 64 KiB) beside what one message brought.
#[derive(Debug, Default)]
pub(super) struct Received {
    bytes: Vec<u8>,
    start: usize,
}

impl Received {
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.start != 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The header of the next fragment and the fragment, once it is complete.
    pub(super) fn next(&mut self) -> Result<Option<(Header, Vec<u8>)>, Error> {
        let bytes = &self.bytes[self.start..];
        if bytes.len() < HEADER_SIZE {
            return Ok(None);
        }
        let header = Header::read(bytes)?;
        let Some(fragment) = bytes.get(..header.frag_length.into()) else {
            if self.start != 0 {
                // What the same message brought before it is done with.
                *self = Self {
                    bytes: bytes.to_vec(),
                    start: 0,
                };
            }
            return Ok(None);
        };
        let fragment = fragment.to_vec();
        self.start += fragment.len();
        if self.start == self.bytes.len() {
            // An idle association keeps no buffer.
            *self = Self::default();
        }
        Ok(Some((header, fragment)))
    }

    /// Memory held.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }
}

/// A stub being sent, cut into fragments as they are asked for, so that a reply of many
/// megabytes exists once.
#[derive(Debug)]
pub struct Fragments {
    stub: Vec<u8>,
    sent: usize,
    max_stub: usize,
    head_size: usize,
    done: bool,
}

impl Fragments {
    /// `max_frag` at least [`MIN_FRAG`](super::MIN_FRAG); `head_size` bytes precede the stub
    /// in each fragment.
    pub(super) fn new(stub: Vec<u8>, max_frag: u16, head_size: usize) -> Self {
        // Parts of a multiple of 8 bytes keep the stub's alignment (C706 12.6.3.3).
        let max_stub = (usize::from(max_frag) - head_size) & !7;
        Self {
            stub,
            sent: 0,
            max_stub,
            head_size,
            done: false,
        }
    }

    /// Bytes of all fragments still to come.
    pub(super) fn len(&self) -> usize {
        if self.done {
            return 0;
        }
        let left = self.stub.len() - self.sent;
        left + left.div_ceil(self.max_stub).max(1) * self.head_size
    }

    /// Memory held: the whole stub until its last part is taken.
    pub(super) fn held(&self) -> usize {
        self.stub.capacity()
    }

    /// (part of the stub, bytes from there to the end, first, last). A stub of no bytes has
    /// one part.
    pub(super) fn next_part(&mut self) -> Option<(&[u8], usize, bool, bool)> {
        if self.done {
            return None;
        }
        let left = self.stub.len() - self.sent;
        let first = self.sent == 0;
        let part = &self.stub[self.sent..][..left.min(self.max_stub)];
        self.sent += part.len();
        self.done = self.sent == self.stub.len();
        Some((part, left, first, self.done))
    }
}
