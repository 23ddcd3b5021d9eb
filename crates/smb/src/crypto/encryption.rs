//! Message encryption ([MS-SMB2] 2.2.41, 3.1.4.3).

use std::{fmt, ops::Range};

use aes::{Aes128, Aes256};
use aws_lc_rs::aead;
use ccm::{
    AeadInOut, Ccm, KeyInit,
    consts::{U11, U16},
};
use zeroize::ZeroizeOnDrop;

use super::Error;

/// Bytes of an SMB2 TRANSFORM_HEADER.
pub const TRANSFORM_HEADER_SIZE: usize = 52;

const PROTOCOL_ID: Range<usize> = 0..4;
const SIGNATURE: Range<usize> = 4..20;
const NONCE: Range<usize> = 20..36;
const ORIGINAL_MESSAGE_SIZE: Range<usize> = 36..40;
/// Flags at 3.1.1, EncryptionAlgorithm at 3.0; 1 (encrypted, AES-128-CCM) in both.
const FLAGS: Range<usize> = 42..44;
const SESSION_ID: Range<usize> = 44..52;
/// What the tag covers besides the message: all behind the Signature.
const ASSOCIATED_DATA: Range<usize> = NONCE.start..TRANSFORM_HEADER_SIZE;

const TRANSFORM_PROTOCOL_ID: [u8; 4] = [0xFD, b'S', b'M', b'B'];
const ENCRYPTED: u16 = 0x0001;

const GCM_NONCE_SIZE: usize = 12;
const CCM_NONCE_SIZE: usize = 11;

/// CipherId ([MS-SMB2] 2.2.3.1.2). Open: unknown numbers survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cipher(pub u16);

impl Cipher {
    /// AES-128-CCM: the only one of SMB 3.0 and 3.0.2.
    pub const AES128_CCM: Self = Self(1);
    /// AES-128-GCM.
    pub const AES128_GCM: Self = Self(2);
    /// AES-256-CCM.
    pub const AES256_CCM: Self = Self(3);
    /// AES-256-GCM.
    pub const AES256_GCM: Self = Self(4);

    /// Bytes of its key; None if the cipher is unknown.
    pub fn key_size(self) -> Option<usize> {
        match self {
            Self::AES128_CCM | Self::AES128_GCM => Some(16),
            Self::AES256_CCM | Self::AES256_GCM => Some(32),
            _ => None,
        }
    }
}

/// As the specification names it.
impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AES128_CCM => f.write_str("AES-128-CCM"),
            Self::AES128_GCM => f.write_str("AES-128-GCM"),
            Self::AES256_CCM => f.write_str("AES-256-CCM"),
            Self::AES256_GCM => f.write_str("AES-256-GCM"),
            Self(other) => write!(f, "0x{other:04X}"),
        }
    }
}

/// The key of one direction and its cipher: 34 bytes, no expanded state, as in
/// [`SigningKey`](super::SigningKey).
#[derive(Clone, ZeroizeOnDrop)]
pub struct EncryptionKey {
    #[zeroize(skip)]
    cipher: Cipher,
    /// The first key_size() bytes count.
    key: [u8; 32],
}

impl EncryptionKey {
    /// `key` has the 16 or 32 bytes that `cipher` needs.
    ///
    /// # Errors
    /// [`Error::UnknownCipher`], [`Error::KeyLength`].
    pub fn new(cipher: Cipher, key: &[u8]) -> Result<Self, Error> {
        let expected = cipher.key_size().ok_or(Error::UnknownCipher(cipher.0))?;
        if key.len() != expected {
            return Err(Error::KeyLength {
                expected,
                actual: key.len(),
            });
        }
        let mut bytes = [0; 32];
        bytes[..expected].copy_from_slice(key);
        Ok(Self { cipher, key: bytes })
    }

    /// The cipher given to [`EncryptionKey::new`].
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// Encrypts `frame[52..]` in place and writes the TRANSFORM_HEADER over the 52
    /// bytes before it. `nonce` must never come twice for one key: a counter of the
    /// session, shared by all its channels.
    ///
    /// # Errors
    /// [`Error::FrameLength`] without room for the header or behind 4 GiB.
    pub fn seal(&self, session_id: u64, nonce: u64, frame: &mut [u8]) -> Result<(), Error> {
        let length = frame.len();
        let (header, message) = frame
            .split_first_chunk_mut::<TRANSFORM_HEADER_SIZE>()
            .ok_or(Error::FrameLength(length))?;
        let size = u32::try_from(message.len()).map_err(|_| Error::FrameLength(length))?;
        header.fill(0);
        header[PROTOCOL_ID].copy_from_slice(&TRANSFORM_PROTOCOL_ID);
        header[NONCE][..8].copy_from_slice(&nonce.to_le_bytes());
        header[ORIGINAL_MESSAGE_SIZE].copy_from_slice(&size.to_le_bytes());
        header[FLAGS].copy_from_slice(&ENCRYPTED.to_le_bytes());
        header[SESSION_ID].copy_from_slice(&session_id.to_le_bytes());
        let tag = self
            .encrypt(header, message)
            .ok_or(Error::FrameLength(length))?;
        header[SIGNATURE].copy_from_slice(&tag);
        Ok(())
    }

    /// Decrypts `frame`, one whole TRANSFORM_HEADER with what it carries, in place and
    /// returns the plaintext. The caller found the key by the header's SessionId, which
    /// the tag covers. After an error the frame's content is undefined.
    ///
    /// # Errors
    /// [`Error::FrameLength`], [`Error::TransformHeader`], [`Error::Authentication`].
    pub fn open<'f>(&self, frame: &'f mut [u8]) -> Result<&'f mut [u8], Error> {
        let length = frame.len();
        let (header, message) = frame
            .split_first_chunk_mut::<TRANSFORM_HEADER_SIZE>()
            .ok_or(Error::FrameLength(length))?;
        // Whatever does not fit OriginalMessageSize cannot be what it says.
        let size = u32::try_from(message.len()).map_err(|_| Error::FrameLength(length))?;
        if header[PROTOCOL_ID] != TRANSFORM_PROTOCOL_ID
            || header[FLAGS] != ENCRYPTED.to_le_bytes()
            || header[ORIGINAL_MESSAGE_SIZE] != size.to_le_bytes()
        {
            return Err(Error::TransformHeader);
        }
        self.decrypt(header, message).ok_or(Error::Authentication)?;
        Ok(message)
    }

    fn encrypt(
        &self,
        header: &[u8; TRANSFORM_HEADER_SIZE],
        message: &mut [u8],
    ) -> Option<[u8; 16]> {
        let aad = &header[ASSOCIATED_DATA];
        let nonce = &header[NONCE];
        match self.cipher {
            Cipher::AES128_CCM => seal_ccm::<Aes128Ccm>(&self.key[..16], nonce, aad, message),
            Cipher::AES256_CCM => seal_ccm::<Aes256Ccm>(&self.key, nonce, aad, message),
            _ => {
                let tag = self
                    .gcm()?
                    .seal_in_place_separate_tag(gcm_nonce(nonce)?, aead::Aad::from(aad), message)
                    .ok()?;
                tag.as_ref().try_into().ok()
            }
        }
    }

    fn decrypt(&self, header: &[u8; TRANSFORM_HEADER_SIZE], message: &mut [u8]) -> Option<()> {
        let aad = &header[ASSOCIATED_DATA];
        let nonce = &header[NONCE];
        let tag = &header[SIGNATURE];
        match self.cipher {
            Cipher::AES128_CCM => open_ccm::<Aes128Ccm>(&self.key[..16], nonce, aad, tag, message),
            Cipher::AES256_CCM => open_ccm::<Aes256Ccm>(&self.key, nonce, aad, tag, message),
            _ => self
                .gcm()?
                .open_in_place_separate_tag(gcm_nonce(nonce)?, aead::Aad::from(aad), tag, message)
                .ok()
                .map(drop),
        }
    }

    fn gcm(&self) -> Option<aead::LessSafeKey> {
        let (algorithm, key) = match self.cipher {
            Cipher::AES128_GCM => (&aead::AES_128_GCM, &self.key[..16]),
            Cipher::AES256_GCM => (&aead::AES_256_GCM, &self.key[..]),
            _ => return None,
        };
        aead::UnboundKey::new(algorithm, key)
            .ok()
            .map(aead::LessSafeKey::new)
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey")
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}

type Aes128Ccm = Ccm<Aes128, U16, U11>;
type Aes256Ccm = Ccm<Aes256, U16, U11>;

fn gcm_nonce(field: &[u8]) -> Option<aead::Nonce> {
    field
        .first_chunk::<GCM_NONCE_SIZE>()
        .copied()
        .map(aead::Nonce::assume_unique_for_key)
}

fn seal_ccm<C: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    message: &mut [u8],
) -> Option<[u8; 16]> {
    let nonce = nonce.get(..CCM_NONCE_SIZE)?.try_into().ok()?;
    let tag = C::new_from_slice(key)
        .ok()?
        .encrypt_inout_detached(nonce, aad, message.into())
        .ok()?;
    tag.as_slice().try_into().ok()
}

fn open_ccm<C: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    tag: &[u8],
    message: &mut [u8],
) -> Option<()> {
    let nonce = nonce.get(..CCM_NONCE_SIZE)?.try_into().ok()?;
    C::new_from_slice(key)
        .ok()?
        .decrypt_inout_detached(nonce, aad, message.into(), tag.try_into().ok()?)
        .ok()
}
