//! Message signatures ([MS-SMB2] 3.1.4.1).

use std::{fmt, ops::Range};

use aws_lc_rs::{aead, cmac, hmac};
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

/// Bytes of the SMB2 header ([MS-SMB2] 2.2.1).
const HEADER_SIZE: usize = 64;
const COMMAND: Range<usize> = 12..14;
const FLAGS: Range<usize> = 16..20;
const MESSAGE_ID: Range<usize> = 24..32;
const SIGNATURE: Range<usize> = 48..64;

const COMMAND_CANCEL: u16 = 0x000C;
const FLAGS_SERVER_TO_REDIR: u32 = 0x0000_0001;

/// Bits of the last four nonce bytes under AES-GMAC.
const NONCE_SERVER: u32 = 0x0000_0001;
const NONCE_CANCEL: u32 = 0x0000_0002;

/// Messages up to this many bytes are copied to the stack, not to the heap, when a
/// borrowed message is verified with AES-GMAC. Nearly all that are not WRITEs fit.
const STACK_COPY: usize = 512;

/// SigningAlgorithmId ([MS-SMB2] 2.2.3.1.7). Open: unknown numbers survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SigningAlgorithm(pub u16);

impl SigningAlgorithm {
    /// HMAC-SHA256, cut to 16 bytes: what SMB 2.x always uses.
    pub const HMAC_SHA256: Self = Self(0);
    /// AES-128-CMAC: SMB 3.x unless negotiated otherwise.
    pub const AES_CMAC: Self = Self(1);
    /// AES-128-GMAC: 3.1.1 only, by negotiation.
    pub const AES_GMAC: Self = Self(2);

    /// Whether [`SigningKey`] implements it.
    pub fn is_known(self) -> bool {
        self.0 <= Self::AES_GMAC.0
    }
}

/// As the specification names it, without the size of the key, which is the same for all.
impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HMAC_SHA256 => f.write_str("HMAC-SHA256"),
            Self::AES_CMAC => f.write_str("AES-CMAC"),
            Self::AES_GMAC => f.write_str("AES-GMAC"),
            Self(other) => write!(f, "0x{other:04X}"),
        }
    }
}

/// A key and the algorithm it signs with: 18 bytes, no expanded state, which would cost
/// each session hundreds. Expanding it anew takes about 0.15 µs a message with AES-GMAC.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SigningKey {
    #[zeroize(skip)]
    algorithm: SigningAlgorithm,
    key: [u8; 16],
}

impl SigningKey {
    /// An unknown algorithm makes a key that signs with zeros and verifies nothing.
    pub fn new(algorithm: SigningAlgorithm, key: &[u8; 16]) -> Self {
        Self {
            algorithm,
            key: *key,
        }
    }

    /// The algorithm given to [`SigningKey::new`].
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Fills the Signature of `message`: one element of a compound from its SMB2 header
    /// on, with the padding that follows it, SMB2_FLAGS_SIGNED already set. What is
    /// shorter than a header is left alone.
    pub fn sign(&self, message: &mut [u8]) {
        if message.len() < HEADER_SIZE {
            return;
        }
        message[SIGNATURE].fill(0);
        let signature = self.signature_of_zeroed(message).unwrap_or_default();
        message[SIGNATURE].copy_from_slice(&signature);
    }

    /// Whether the Signature of `message` (as in [`SigningKey::sign`]) is right.
    /// Compares in constant time. AES-GMAC copies the message; where it may be written
    /// to, [`SigningKey::verify_in_place`] does not.
    pub fn verify(&self, message: &[u8]) -> bool {
        if message.len() < HEADER_SIZE {
            return false;
        }
        if self.algorithm != SigningAlgorithm::AES_GMAC {
            return matches(self.signature_in_parts(message), &message[SIGNATURE]);
        }
        let mut stack = [0; STACK_COPY];
        let mut heap;
        let copy = match stack.get_mut(..message.len()) {
            Some(copy) => {
                copy.copy_from_slice(message);
                copy
            }
            None => {
                heap = message.to_vec();
                &mut heap[..]
            }
        };
        copy[SIGNATURE].fill(0);
        matches(self.signature_of_zeroed(copy), &message[SIGNATURE])
    }

    /// [`SigningKey::verify`] without a copy: zeroes the Signature while it computes and
    /// puts it back.
    pub fn verify_in_place(&self, message: &mut [u8]) -> bool {
        if message.len() < HEADER_SIZE {
            return false;
        }
        let mut claimed = [0; 16];
        claimed.copy_from_slice(&message[SIGNATURE]);
        message[SIGNATURE].fill(0);
        let computed = self.signature_of_zeroed(message);
        message[SIGNATURE].copy_from_slice(&claimed);
        matches(computed, &claimed)
    }

    /// Of a message of at least HEADER_SIZE bytes whose Signature is zeros. None if the
    /// algorithm is unknown or the library cannot get memory.
    fn signature_of_zeroed(&self, message: &[u8]) -> Option<[u8; 16]> {
        if self.algorithm != SigningAlgorithm::AES_GMAC {
            return self.signature_in_parts(message);
        }
        let key = aead::UnboundKey::new(&aead::AES_128_GCM, &self.key).ok()?;
        let nonce = aead::Nonce::assume_unique_for_key(gmac_nonce(message));
        let tag = aead::LessSafeKey::new(key)
            .seal_in_place_separate_tag(nonce, aead::Aad::from(message), &mut [])
            .ok()?;
        first_16(tag.as_ref())
    }

    /// The algorithms that take a message in pieces: reads zeros for the Signature.
    fn signature_in_parts(&self, message: &[u8]) -> Option<[u8; 16]> {
        let parts = [
            &message[..SIGNATURE.start],
            &[0; 16],
            &message[SIGNATURE.end..],
        ];
        match self.algorithm {
            SigningAlgorithm::HMAC_SHA256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
                let mut context = hmac::Context::with_key(&key);
                parts.iter().for_each(|part| context.update(part));
                first_16(context.sign().as_ref())
            }
            SigningAlgorithm::AES_CMAC => {
                let key = cmac::Key::new(cmac::AES_128, &self.key).ok()?;
                let mut context = cmac::Context::with_key(&key);
                parts
                    .iter()
                    .try_for_each(|part| context.update(part))
                    .ok()?;
                first_16(context.sign().ok()?.as_ref())
            }
            _ => None,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn matches(computed: Option<[u8; 16]>, claimed: &[u8]) -> bool {
    computed.is_some_and(|computed| computed.ct_eq(claimed).into())
}

fn first_16(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.first_chunk().copied()
}

/// MessageId, then whether the server sent it and whether it is a CANCEL, which shares
/// its MessageId with the request it cancels.
fn gmac_nonce(message: &[u8]) -> [u8; 12] {
    let flags = message[FLAGS].try_into().map_or(0, u32::from_le_bytes);
    let command = message[COMMAND].try_into().map_or(0, u16::from_le_bytes);
    let mut role = 0;
    if flags & FLAGS_SERVER_TO_REDIR != 0 {
        role |= NONCE_SERVER;
    }
    if command == COMMAND_CANCEL {
        role |= NONCE_CANCEL;
    }
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&message[MESSAGE_ID]);
    nonce[8..].copy_from_slice(&u32::to_le_bytes(role));
    nonce
}
