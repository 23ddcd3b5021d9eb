//! The keys of one session, as its messages need them ([MS-SMB2] 3.3.1.8).

use std::sync::atomic::AtomicU64;

use smb::crypto::{EncryptionKey, SigningKey};

use crate::application::SessionGlobalId;

/// What signs and seals the messages of a session.
pub(crate) struct Keys {
    pub(crate) session: SessionGlobalId,
    /// Absent for sessions without a session key (anonymous).
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) encryption_keys: Option<Box<EncryptionKeys>>,
    /// That of the next message that is sealed.
    pub(crate) nonce: AtomicU64,
    /// MessageIds of the responses that were signed.
    #[cfg(debug_assertions)]
    signed: std::sync::Mutex<std::collections::HashSet<u64>>,
}

/// Keys of a session's encryption, both directions.
pub(crate) struct EncryptionKeys {
    pub(crate) encryption: EncryptionKey,
    pub(crate) decryption: EncryptionKey,
}

impl Keys {
    pub(crate) fn new(
        session: SessionGlobalId,
        signing_key: Option<SigningKey>,
        encryption_keys: Option<EncryptionKeys>,
    ) -> Self {
        Self {
            session,
            signing_key,
            encryption_keys: encryption_keys.map(Box::new),
            nonce: AtomicU64::new(1),
            #[cfg(debug_assertions)]
            signed: std::sync::Mutex::default(),
        }
    }

    /// The MessageId is the nonce of AES-GMAC ([MS-SMB2] 3.1.4.1): two responses signed under
    /// one of them would tell the authentication key to whoever sees both.
    #[cfg(debug_assertions)]
    pub(crate) fn assert_signs_once(&self, message_id: u64) {
        let mut signed = self
            .signed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        assert!(
            signed.insert(message_id),
            "two responses signed under MessageId {message_id}"
        );
    }
}
