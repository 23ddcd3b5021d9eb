//! Keys of a session, and what its flags ask for ([MS-SMB2] 3.2.1.3).

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use smb::crypto::{EncryptionKey, SessionKeys, SigningKey};
use smb::wire::session_flags;

use super::Error;
use super::negotiate::Negotiated;

/// A session as its messages need it: keys and flags.
pub(super) struct SessionState {
    id: u64,
    flags: u16,
    signing_key: Option<SigningKey>,
    encryption: Option<EncryptionKeys>,
    encrypt: AtomicBool,
}

struct EncryptionKeys {
    client_to_server: EncryptionKey,
    server_to_client: EncryptionKey,
    /// Never repeats under one key; 2^64 messages outlast any session.
    next_nonce: AtomicU64,
}

impl fmt::Debug for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionState")
            .field("id", &self.id)
            .field("flags", &self.flags)
            .field("encrypt", &self.encrypt)
            .finish_non_exhaustive()
    }
}

impl SessionState {
    pub(super) fn new(
        negotiated: &Negotiated,
        id: u64,
        flags: u16,
        keys: &SessionKeys,
    ) -> Result<Self, Error> {
        let encryption = match negotiated.cipher {
            Some(cipher) => {
                let key = |bytes| {
                    EncryptionKey::new(cipher, bytes)
                        .map_err(|_| Error::Protocol("the cipher is unknown"))
                };
                Some(EncryptionKeys {
                    client_to_server: key(&keys.client_to_server[..])?,
                    server_to_client: key(&keys.server_to_client[..])?,
                    next_nonce: AtomicU64::new(1),
                })
            }
            None => None,
        };
        let encrypt = flags & session_flags::SMB2_SESSION_FLAG_ENCRYPT_DATA != 0;
        if encrypt && encryption.is_none() {
            return Err(Error::Protocol("it asks for encryption without a cipher"));
        }
        Ok(Self {
            id,
            flags,
            signing_key: Some(SigningKey::new(
                negotiated.signing_algorithm,
                &keys.signing_key,
            )),
            encryption,
            encrypt: AtomicBool::new(encrypt),
        })
    }

    /// Of an anonymous logon: nothing is signed or encrypted.
    pub(super) fn without_keys(id: u64, flags: u16) -> Self {
        Self {
            id,
            flags,
            signing_key: None,
            encryption: None,
            encrypt: AtomicBool::new(false),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn signing_key(&self) -> Option<&SigningKey> {
        self.signing_key.as_ref()
    }

    pub(super) fn open_key(&self) -> Option<&EncryptionKey> {
        self.encryption.as_ref().map(|keys| &keys.server_to_client)
    }

    pub(super) fn seal_key(&self) -> Result<(&EncryptionKey, u64), Error> {
        let keys = self
            .encryption
            .as_ref()
            .ok_or(Error::Unsupported("encryption"))?;
        Ok((
            &keys.client_to_server,
            keys.next_nonce.fetch_add(1, Ordering::Relaxed),
        ))
    }

    /// SessionFlags of the last SESSION_SETUP response.
    pub(super) fn flags(&self) -> u16 {
        self.flags
    }

    /// Its messages are encrypted, whatever the share.
    pub(super) fn encrypts(&self) -> bool {
        self.encrypt.load(Ordering::Relaxed)
    }

    /// From now on they are.
    pub(super) fn require_encryption(&self) -> Result<(), Error> {
        if self.encryption.is_none() {
            return Err(Error::Unsupported("encryption"));
        }
        self.encrypt.store(true, Ordering::Relaxed);
        Ok(())
    }
}
