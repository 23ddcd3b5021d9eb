//! The messages of one frame ([MS-SMB2] 3.3.5.2.7).

use std::sync::Arc;

use smb::NtStatus;
use smb::wire::FileId;

use crate::response::Response;
use crate::session::Session;

/// What related requests inherit ([MS-SMB2] 3.3.5.2.7.2).
#[derive(Default)]
pub(super) struct Related {
    pub(super) session_id: u64,
    pub(super) tree_id: u32,
    pub(super) file: Option<FileId>,
    pub(super) status: NtStatus,
    /// At least one request came before.
    pub(super) any: bool,
    /// Its session was there.
    pub(super) has_session: bool,
}

/// The messages of one frame, as far as they have been answered.
pub(crate) struct Compound {
    pub(super) response: Response,
    pub(super) related: Related,
    pub(super) sealed: Option<Arc<Session>>,
    pub(super) messages: usize,
}

impl Compound {
    pub(super) fn new(sealed: Option<Arc<Session>>) -> Self {
        Self {
            response: Response::new(sealed.as_ref().map(|session| session.keys().clone())),
            related: Related::default(),
            sealed,
            messages: 0,
        }
    }

    /// A response for what is still to be answered.
    pub(super) fn next_response(&self) -> Response {
        Response::new(self.sealed.as_ref().map(|session| session.keys().clone()))
    }
}
