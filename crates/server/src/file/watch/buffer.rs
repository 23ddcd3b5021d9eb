//! The changes that one open has not been told of yet: FILE_NOTIFY_INFORMATION entries
//! ([MS-FSCC] 2.7.1), encoded as they will be sent, so that their bytes are what is counted.

use super::Answer;

/// NextEntryOffset, Action, FileNameLength.
const FIXED: usize = 12;

/// Entries begin at multiples of this.
const ALIGNMENT: usize = 4;

/// What an open buffers, at most `limit` bytes.
pub(super) struct ChangeBuffer {
    bytes: Vec<u8>,
    /// Where the last entry begins.
    last: u32,
    limit: u32,
    /// There was more than fits; the client shall look for itself.
    overflowed: bool,
}

impl ChangeBuffer {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            bytes: Vec::new(),
            last: 0,
            limit,
            overflowed: false,
        }
    }

    /// Nothing to tell?
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.overflowed
    }

    /// Bytes held.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a change of `name`, which has slashes. The same change twice in a row is one.
    pub(super) fn push(&mut self, action: u32, name: &str) {
        if self.overflowed || self.ends_with(action, name) {
            return;
        }
        let start = self.bytes.len().next_multiple_of(ALIGNMENT);
        let end = start + FIXED + 2 * name.encode_utf16().count();
        if end > self.limit as usize {
            return self.overflow();
        }
        self.reserve(end);
        self.bytes.resize(start, 0);
        // The limit is a u32, so every offset and length fits.
        let length = (end - start - FIXED) as u32;
        for value in [0, action, length] {
            self.bytes.extend_from_slice(&value.to_le_bytes());
        }
        self.bytes.extend(units(name).flat_map(u16::to_le_bytes));
        if start > 0 {
            let last = self.last as usize;
            let next = (start as u32 - self.last).to_le_bytes();
            self.bytes[last..last + next.len()].copy_from_slice(&next);
        }
        self.last = start as u32;
    }

    /// Forgets what was collected: the client shall look for itself.
    pub(super) fn overflow(&mut self) {
        *self = Self::new(self.limit);
        self.overflowed = true;
    }

    /// Everything, for a request that takes `length` bytes; the buffer is empty afterwards,
    /// whether it fitted or not.
    pub(super) fn take(&mut self, length: u32) -> Answer {
        let taken = std::mem::replace(self, Self::new(self.limit));
        if taken.overflowed || taken.bytes.len() > length as usize {
            Answer::EnumDir
        } else {
            Answer::Changes(taken.bytes)
        }
    }

    fn ends_with(&self, action: u32, name: &str) -> bool {
        let entry = self.bytes.get(self.last as usize + 4..);
        let Some((fixed, old)) = entry.and_then(|entry| entry.split_at_checked(FIXED - 4)) else {
            return false;
        };
        fixed[..4] == action.to_le_bytes()
            && old.chunks_exact(2).eq(units(name).map(u16::to_le_bytes))
    }

    /// Grows by doubling, never beyond the limit.
    fn reserve(&mut self, end: usize) {
        if end > self.bytes.capacity() {
            let capacity = (2 * self.bytes.capacity())
                .min(self.limit as usize)
                .max(end);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
    }
}

/// The name as it is sent: with backslashes.
fn units(name: &str) -> impl Iterator<Item = u16> {
    name.encode_utf16().map(|unit| match unit {
        SLASH => BACKSLASH,
        unit => unit,
    })
}

const SLASH: u16 = b'/' as u16;
const BACKSLASH: u16 = b'\\' as u16;
