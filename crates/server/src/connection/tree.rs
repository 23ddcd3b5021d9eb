//! TREE_CONNECT and TREE_DISCONNECT ([MS-SMB2] 3.3.5.7, 3.3.5.8).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use smb::NtStatus;
use smb::wire::{
    TreeConnectRequest, TreeConnectResponse, TreeDisconnectResponse, access_mask, share_flags,
    share_type,
};

use super::Connection;
use crate::application::{EventKind, Interest};
use crate::request::{Answer, Done, Request};
use crate::tree_connect::TreeConnect;

/// Everything but what would change a store.
const READ_ONLY_ACCESS: u32 = 0x0012_00A9;
const PIPE_ACCESS: u32 = 0x0012_019F;

impl Connection {
    pub(super) fn tree_connect(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let session = request.session()?;
        let connect =
            TreeConnectRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let path = connect
            .path
            .to_string()
            .map_err(|_| NtStatus::BAD_NETWORK_NAME)?;
        // \\server\share: the server's name is the client's business.
        let name = path
            .strip_prefix(r"\\")
            .and_then(|path| path.split_once('\\'))
            .map(|(_, share)| share.trim_end_matches('\\'))
            .filter(|share| !share.is_empty() && !share.contains('\\'))
            .ok_or(NtStatus::BAD_NETWORK_NAME)?;
        let share = self
            .core
            .shares
            .get(name)
            .ok_or(NtStatus::BAD_NETWORK_NAME)?;
        if share.encrypt_data && session.keys().encryption_keys.is_none() {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        if session.security_context.is_anonymous && !share.is_pipe() {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        let maximal_access = match (share.is_pipe(), share.read_only) {
            (true, _) => PIPE_ACCESS,
            (false, true) => READ_ONLY_ACCESS,
            (false, false) => access_mask::FILE_ALL_ACCESS,
        };
        let uses = share.current_uses.fetch_add(1, Ordering::Relaxed);
        // From here on dropping the tree connect gives the use back.
        let tree = Arc::new(TreeConnect {
            id: self.next_tree_connect_id(),
            share: share.clone(),
            creation_time: request.now,
            num_opens: AtomicU32::new(0),
            maximal_access,
        });
        if uses >= share.max_uses {
            return Err(NtStatus::REQUEST_NOT_ACCEPTED.into());
        }
        {
            let mut tables = session.tables();
            if tables.closed {
                return Err(NtStatus::USER_SESSION_DELETED.into());
            }
            if tables.tree_connects.len() >= self.core.config.limits.tree_connects_per_session {
                return Err(NtStatus::INSUFFICIENT_RESOURCES.into());
            }
            tables.tree_connects.insert(tree.clone());
            self.core.tell(Interest::TREE_CONNECTS, || {
                EventKind::TreeConnected(session.tree_connect_row(&tree, request.now))
            });
        }
        TreeConnectResponse {
            share_type: if share.is_pipe() {
                share_type::SMB2_SHARE_TYPE_PIPE
            } else {
                share_type::SMB2_SHARE_TYPE_DISK
            },
            share_flags: share_flags::SMB2_SHAREFLAG_NO_CACHING
                | if share.encrypt_data {
                    share_flags::SMB2_SHAREFLAG_ENCRYPT_DATA
                } else {
                    0
                },
            capabilities: 0,
            maximal_access,
        }
        .write(out);
        let mut done = Done::from(NtStatus::SUCCESS);
        done.tree_id = Some(tree.id);
        Ok(done)
    }

    pub(super) fn tree_disconnect(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let session = request.session()?;
        let tree = request.tree_connect()?;
        self.core.disconnect_tree(session, tree);
        TreeDisconnectResponse.write(out);
        Ok(NtStatus::SUCCESS.into())
    }
}
