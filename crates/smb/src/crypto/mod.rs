//! Signing, encryption, key derivation and preauthentication integrity
//! ([MS-SMB2] 3.1.4.1 to 3.1.4.3, 3.3.5.5).
//!
//! Works on whole messages by the byte offsets of the SMB2 header, so that it needs
//! no parsed message. No state but the keys: what must not repeat (the nonce of a
//! transform header, the MessageId under AES-GMAC) is the caller's to count.

mod encryption;
mod kdf;
mod preauth;
mod signing;

#[cfg(test)]
mod tests;

pub use encryption::{Cipher, EncryptionKey, TRANSFORM_HEADER_SIZE};
pub use kdf::SessionKeys;
pub use preauth::PreauthIntegrityHashValue;
pub use signing::{SigningAlgorithm, SigningKey};

/// Why a key could not be made or a frame not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cipher id is none of [MS-SMB2] 2.2.3.1.2.
    #[error("cipher 0x{0:04X} is not one of AES-128-CCM, AES-128-GCM, AES-256-CCM, AES-256-GCM")]
    UnknownCipher(u16),
    /// The key does not have the cipher's length.
    #[error("an encryption key of {expected} bytes is needed, this one has {actual}")]
    KeyLength {
        /// What the cipher needs, in bytes.
        expected: usize,
        /// What was given, in bytes.
        actual: usize,
    },
    /// The frame is shorter than a transform header, or longer than a u32 can say.
    #[error("a frame of {0} bytes cannot be an SMB2 TRANSFORM_HEADER with its message")]
    FrameLength(usize),
    /// Not an SMB2 TRANSFORM_HEADER, or one whose fields contradict the frame.
    #[error("the frame does not start with a valid SMB2 TRANSFORM_HEADER")]
    TransformHeader,
    /// The frame's authentication tag is not the one its bytes and this key give.
    #[error("the encrypted frame does not authenticate: wrong key, or altered on its way")]
    Authentication,
}
