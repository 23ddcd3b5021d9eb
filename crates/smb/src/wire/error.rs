//! What can be wrong with bytes from the network.

/// Why bytes could not be read. Every variant blames the sender of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The message ends inside a structure.
    #[error("{what}: needs {needed} bytes, {available} are there")]
    Truncated {
        /// The structure.
        what: &'static str,
        /// Bytes it needs.
        needed: usize,
        /// Bytes that are there.
        available: usize,
    },
    /// StructureSize is not the one the specification gives.
    #[error("{what}: StructureSize must be {expected}, is {found}")]
    StructureSize {
        /// The structure.
        what: &'static str,
        /// The specification's value.
        expected: u16,
        /// The value read.
        found: u16,
    },
    /// An offset and a length point outside the message, or into its fixed part.
    #[error("{what}: {length} bytes at {offset} lie outside a message of {available} bytes")]
    OutOfBounds {
        /// The field.
        what: &'static str,
        /// Where it is said to begin.
        offset: usize,
        /// How long it is said to be, in bytes.
        length: usize,
        /// The length of the message.
        available: usize,
    },
    /// The first four bytes name another protocol.
    #[error("{what}: protocol id {found:02x?} is another protocol's")]
    ProtocolId {
        /// The structure expected.
        what: &'static str,
        /// The bytes read.
        found: [u8; 4],
    },
    /// A UTF-16 string has an odd number of bytes.
    #[error("a UTF-16 string of {length} bytes has half a code unit")]
    OddLength {
        /// Its length in bytes.
        length: usize,
    },
    /// A UTF-16 string has a surrogate without its other half.
    #[error("a UTF-16 string has an unpaired surrogate")]
    UnpairedSurrogate,
    /// An offset that must be a multiple of eight is not.
    #[error("{what}: {offset} is not a multiple of 8")]
    Misaligned {
        /// The field.
        what: &'static str,
        /// Its value.
        offset: usize,
    },
    /// More elements than this codec accepts, or fewer than the specification demands.
    #[error("{what}: {count} elements, at most {limit} are accepted and an empty list may not be")]
    Count {
        /// The list.
        what: &'static str,
        /// How many elements it claims.
        count: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// A revision that this codec does not know.
    #[error("{what}: revision {found} is not known")]
    Revision {
        /// The structure.
        what: &'static str,
        /// The value read.
        found: u8,
    },
    /// A size that the structure cannot have.
    #[error("{what}: cannot have {size} bytes")]
    Size {
        /// The structure.
        what: &'static str,
        /// The size in bytes.
        size: usize,
    },
}
