//! What an open keeps of its session.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use crate::application::SessionGlobalId;
use crate::keys::Keys;

/// Whose an open is, and how its client is reached. A session and its opens share it; an
/// open may outlive the session.
pub(crate) struct Owner {
    pub(crate) session: SessionGlobalId,
    /// Bare account name; empty for anonymous.
    pub(crate) user_name: Arc<str>,
    /// Number of the connection that the session is on.
    pub(crate) connection: u32,
    /// Connection.ClientName.
    pub(crate) client_name: Arc<str>,
    /// Connection.TransportName.
    pub(crate) transport_name: &'static str,
    pub(crate) keys: Arc<Keys>,
    /// Session.EncryptData: every request must come encrypted.
    pub(crate) encrypt_data: bool,
    /// Opens of the session now.
    pub(crate) num_opens: AtomicU32,
}
