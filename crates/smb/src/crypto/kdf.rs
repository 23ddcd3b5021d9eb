//! Session keys from the authentication's key ([MS-SMB2] 3.1.4.2, 3.3.5.5.3).

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Cipher, PreauthIntegrityHashValue};

const SMB_3_0: u16 = 0x0300;
const SMB_3_1_1: u16 = 0x0311;

/// Bytes of Session.SessionKey: longer keys are cut, shorter ones padded with zeros.
const SESSION_KEY_SIZE: usize = 16;

/// The keys of one session.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SessionKeys {
    /// Session.SigningKey.
    pub signing_key: [u8; 16],
    /// Session.ApplicationKey, which pipes hand to their applications.
    pub application_key: [u8; 16],
    /// Opens what the client sealed; 16 or 32 bytes, empty without encryption.
    pub client_to_server: Vec<u8>,
    /// Seals what the server sends; 16 or 32 bytes, empty without encryption.
    pub server_to_client: Vec<u8>,
}

/// A (label, context) pair for SP 800-108.
type Purpose<'a> = (&'a [u8], &'a [u8]);

impl SessionKeys {
    /// `session_key` is the key the authentication agreed on (16 bytes with NTLM, up to
    /// 32 with Kerberos). `preauth` is the session's hash at 3.1.1, where its absence
    /// counts as zeros, and is ignored before. `cipher` None, or an unknown one, or a
    /// dialect before 3.0, leaves the encryption keys empty.
    pub fn derive(
        dialect: u16,
        session_key: &[u8],
        preauth: Option<&PreauthIntegrityHashValue>,
        cipher: Option<Cipher>,
    ) -> Self {
        let mut short_key = [0; SESSION_KEY_SIZE];
        let used = session_key.len().min(SESSION_KEY_SIZE);
        short_key[..used].copy_from_slice(&session_key[..used]);
        if dialect < SMB_3_0 {
            return Self {
                signing_key: short_key,
                application_key: short_key,
                client_to_server: Vec::new(),
                server_to_client: Vec::new(),
            };
        }

        let hash = preauth.copied().unwrap_or_default();
        let [signing, application, to_server, to_client]: [Purpose<'_>; 4] = if dialect < SMB_3_1_1
        {
            [
                (b"SMB2AESCMAC\0", b"SmbSign\0"),
                (b"SMB2APP\0", b"SmbRpc\0"),
                (b"SMB2AESCCM\0", b"ServerIn \0"),
                (b"SMB2AESCCM\0", b"ServerOut\0"),
            ]
        } else {
            [
                (b"SMBSigningKey\0", &hash.0),
                (b"SMBAppKey\0", &hash.0),
                (b"SMBC2SCipherKey\0", &hash.0),
                (b"SMBS2CCipherKey\0", &hash.0),
            ]
        };
        let fixed = |purpose| {
            let mut key = [0; SESSION_KEY_SIZE];
            derive_key(&short_key, purpose, &mut key);
            key
        };
        // The AES-256 ciphers take Session.FullSessionKey, all others the first 16 bytes.
        let key_size = cipher.and_then(Cipher::key_size).unwrap_or(0);
        let material = if key_size > SESSION_KEY_SIZE && session_key.len() > SESSION_KEY_SIZE {
            session_key
        } else {
            &short_key
        };
        let sized = |purpose| {
            let mut key = vec![0; key_size];
            derive_key(material, purpose, &mut key);
            key
        };
        let keys = Self {
            signing_key: fixed(signing),
            application_key: fixed(application),
            client_to_server: sized(to_server),
            server_to_client: sized(to_client),
        };
        short_key.zeroize();
        keys
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKeys").finish_non_exhaustive()
    }
}

/// SP 800-108 in counter mode with HMAC-SHA256, r = 32. One block is enough: `key` has
/// at most the 32 bytes of a SHA-256.
fn derive_key(material: &[u8], (label, context): Purpose<'_>, key: &mut [u8]) {
    debug_assert!(key.len() <= 32);
    let bits = key.len() as u32 * 8;
    let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, material);
    let mut block = hmac::Context::with_key(&hmac_key);
    block.update(&1u32.to_be_bytes());
    block.update(label);
    block.update(&[0]);
    block.update(context);
    block.update(&bits.to_be_bytes());
    for (to, from) in key.iter_mut().zip(block.sign().as_ref()) {
        *to = *from;
    }
}
