//! Open.LockSequenceArray ([MS-SMB2] 3.3.1.10, 3.3.5.14).

/// Entries of the array; LockSequenceIndex counts from 1.
const ENTRIES: usize = 64;

/// An entry whose Valid is FALSE. No LockSequenceNumber (four bits) is equal to it.
const INVALID: u8 = 0xFF;

/// The lock requests of one open that succeeded, to be known again when they are replayed.
/// Takes memory from the first [`LockSequences::store`] on.
///
/// Whether an open verifies sequences is for the caller to say: it does if it is resilient,
/// durable or persistent, or if the connection speaks 3.x and has multichannel.
#[derive(Default)]
pub(crate) struct LockSequences(Option<Box<[u8; ENTRIES]>>);

/// What [`LockSequences::check`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// It succeeded before: answer SUCCESS and do nothing.
    Replayed,
    /// Process it, and [`LockSequences::store`] it if it succeeds.
    New,
}

impl LockSequences {
    /// Is this LockSequence (LockSequenceIndex << 4 | LockSequenceNumber) known? Another
    /// number under its index is forgotten. Indexes other than 1 to 64 are never known.
    pub(crate) fn check(&mut self, lock_sequence: u32) -> Sequence {
        let (index, number) = split(lock_sequence);
        let entry = index.and_then(|index| self.0.as_mut()?.get_mut(index));
        match entry {
            Some(entry) if *entry == number => Sequence::Replayed,
            Some(entry) => {
                *entry = INVALID;
                Sequence::New
            }
            None => Sequence::New,
        }
    }

    /// Remembers a request that succeeded.
    pub(crate) fn store(&mut self, lock_sequence: u32) {
        let (index, number) = split(lock_sequence);
        if let Some(index) = index {
            self.0.get_or_insert_with(|| Box::new([INVALID; ENTRIES]))[index] = number;
        }
    }
}

/// The entry's place, and the number.
fn split(lock_sequence: u32) -> (Option<usize>, u8) {
    let index = (lock_sequence >> 4).checked_sub(1);
    let index = index.map(|index| index as usize);
    let number = (lock_sequence & 0xF) as u8;
    (index.filter(|&index| index < ENTRIES), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replayed_sequence_is_known_until_its_index_gets_another_number() {
        let mut sequences = LockSequences::default();
        for index in 1..=64 {
            assert_eq!(sequences.check(index << 4), Sequence::New, "number 0 too");
            sequences.store(index << 4 | 5);
        }
        for index in 1..=64 {
            assert_eq!(sequences.check(index << 4 | 5), Sequence::Replayed);
            assert_eq!(sequences.check(index << 4 | 6), Sequence::New);
            // The other number has not succeeded yet, and the old one is forgotten.
            assert_eq!(sequences.check(index << 4 | 6), Sequence::New);
            assert_eq!(sequences.check(index << 4 | 5), Sequence::New);
            sequences.store(index << 4 | 15);
            assert_eq!(sequences.check(index << 4 | 15), Sequence::Replayed);
        }
    }

    #[test]
    fn sequences_of_no_index_are_never_known() {
        let mut sequences = LockSequences::default();
        for sequence in [0, 0xF, 65 << 4, 0x1234_5678, u32::MAX] {
            sequences.store(sequence);
            assert_eq!(sequences.check(sequence), Sequence::New);
        }
        assert!(sequences.0.is_none(), "takes no memory");
        sequences.store(0x401);
        assert_eq!(sequences.check(0x401), Sequence::Replayed);
        assert!(sequences.0.is_some());
    }
}
