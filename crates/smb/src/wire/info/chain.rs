//! Lists whose entries each begin with NextEntryOffset.

use crate::wire::{Error, codec};

/// The entries of a list, each with its own bytes: up to the next entry, or to the end.
/// An error ends the iteration.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    what: &'static str,
    minimum: usize,
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    /// The entries in `bytes`; an entry has a fixed part of `minimum` bytes.
    pub(super) fn new(what: &'static str, minimum: usize, bytes: &'a [u8]) -> Self {
        Self {
            what,
            minimum,
            rest: bytes,
        }
    }

    fn split(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Error> {
        let (what, minimum) = (self.what, self.minimum);
        let truncated = Error::Truncated {
            what,
            needed: minimum,
            available: bytes.len(),
        };
        let head = bytes
            .first_chunk::<4>()
            .filter(|_| bytes.len() >= minimum)
            .ok_or(truncated)?;
        match u32::from_le_bytes(*head) as usize {
            0 => Ok(bytes),
            // Strictly forward, so that a hostile chain ends.
            next if next >= minimum && next < bytes.len() => {
                self.rest = &bytes[next..];
                Ok(&bytes[..next])
            }
            next => {
                let available = bytes.len();
                Err(Error::OutOfBounds {
                    what,
                    offset: next,
                    length: minimum,
                    available,
                })
            }
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<&'a [u8], Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match std::mem::take(&mut self.rest) {
            [] => None,
            bytes => Some(self.split(bytes)),
        }
    }
}

/// Writes a list into a buffer of limited size: entries aligned, NextEntryOffset
/// entered when the next one comes.
#[derive(Debug)]
pub(super) struct Builder<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    limit: usize,
    alignment: usize,
    last: Option<usize>,
}

impl<'b> Builder<'b> {
    /// A list at the end of `out`, of at most `limit` bytes.
    pub(super) fn new(out: &'b mut Vec<u8>, limit: usize, alignment: usize) -> Self {
        let start = out.len();
        Self {
            out,
            start,
            limit,
            alignment,
            last: None,
        }
    }

    /// Appends an entry of `length` bytes, written by `write` with NextEntryOffset 0.
    /// False, and nothing written, if it does not fit.
    pub(super) fn push(&mut self, length: usize, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let begin = (self.out.len() - self.start).next_multiple_of(self.alignment);
        if begin.checked_add(length).is_none_or(|end| end > self.limit) {
            return false;
        }
        let place = self.start + begin;
        self.out.resize(place, 0);
        if let Some(last) = self.last.replace(place) {
            let next = (place - last) as u32;
            self.out[last..last + 4].copy_from_slice(&next.to_le_bytes());
        }
        write(self.out);
        debug_assert_eq!(self.out.len(), place + length);
        true
    }

    /// Whether no entry was written.
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_none()
    }
}

/// The name of `length` bytes behind a fixed part of `offset` bytes.
pub(super) fn name<'a>(
    what: &'static str,
    entry: &'a [u8],
    offset: usize,
    length: u32,
) -> Result<crate::wire::Utf16<'a>, Error> {
    crate::wire::Utf16::new(codec::within(entry, what, offset, offset, length as usize)?)
}
