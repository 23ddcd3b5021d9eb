//! NDR 2.0 (C706 chapter 14) and NDR64 ([MS-RPCE] 2.2.5), the syntax chosen at run time.
//!
//! Both encodings are two-phase: first the fixed part of a construction, then what its
//! pointers refer to, in order. The caller keeps that order; [`Reader`] and [`Writer`] keep
//! alignment (relative to the start of the stub), widths and referent ids. Padding has any
//! content on reading and is zero on writing. Bytes behind the last parameter are left
//! alone: a verification trailer ([MS-RPCE] 2.2.2.13) may stand there.

mod reader;
#[cfg(test)]
mod tests;
mod text;
mod writer;

pub use reader::Reader;
pub use text::{WideStr, WideText};
pub use writer::Writer;

/// Why a stub could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The stub ends inside an item.
    #[error("stub ends inside {what}: {needed} bytes needed, {remaining} left")]
    Truncated {
        /// The item.
        what: &'static str,
        /// Bytes it needs, alignment included.
        needed: usize,
        /// Bytes left.
        remaining: usize,
    },
    /// A count that no stub of a legal size can hold.
    #[error("{what} says {count}, more than any stub holds")]
    Count {
        /// The count's name.
        what: &'static str,
        /// Its value.
        count: u64,
    },
    /// A varying array starts behind its first element, or holds more than its maximum.
    #[error("string with max_count {max_count}, offset {offset}, actual_count {actual_count}")]
    Varying {
        /// max_count.
        max_count: usize,
        /// offset, 0 expected.
        offset: usize,
        /// actual_count, at most max_count expected.
        actual_count: usize,
    },
    /// The conformance of an array differs from the field that gives its size.
    #[error("array of {max_count} elements where its size field says {expected}")]
    Conformance {
        /// max_count.
        max_count: usize,
        /// The size field.
        expected: usize,
    },
    /// The union's tag is not the value of the field that selects its arm.
    #[error("union tag {tag} where {expected} selects the arm")]
    Tag {
        /// The tag.
        tag: u32,
        /// The selecting field.
        expected: u32,
    },
    /// The union has no arm for its tag.
    #[error("union without an arm for tag {tag}")]
    Arm {
        /// The tag.
        tag: u32,
    },
}

impl Error {
    /// The status of the fault PDU a server answers such a stub with.
    pub fn fault_status(self) -> u32 {
        match self {
            Self::Tag { .. } | Self::Arm { .. } => crate::fault::INVALID_TAG,
            _ => crate::fault::BAD_STUB_DATA,
        }
    }
}
