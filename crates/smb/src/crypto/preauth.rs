//! Preauthentication integrity ([MS-SMB2] 3.1.4.4, 3.3.5.4, 3.3.5.5).

use std::fmt;

use aws_lc_rs::digest;

/// The running SHA-512 over the NEGOTIATE and SESSION_SETUP messages of a 3.1.1
/// connection or session; starts as zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PreauthIntegrityHashValue(pub [u8; Self::SIZE]);

impl PreauthIntegrityHashValue {
    /// Bytes of a SHA-512.
    pub const SIZE: usize = 64;

    /// Hash of the value so far followed by `message`: one whole message as sent, from
    /// its SMB2 header on, without the transport's length prefix.
    pub fn update(&mut self, message: &[u8]) {
        let mut context = digest::Context::new(&digest::SHA512);
        context.update(&self.0);
        context.update(message);
        // A SHA-512 has SIZE bytes.
        self.0.copy_from_slice(context.finish().as_ref());
    }
}

impl Default for PreauthIntegrityHashValue {
    fn default() -> Self {
        Self([0; Self::SIZE])
    }
}

impl fmt::Debug for PreauthIntegrityHashValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
