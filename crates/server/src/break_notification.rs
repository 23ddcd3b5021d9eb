//! Notifications of breaks ([MS-SMB2] 3.3.4.6, 3.3.4.7).

use smb::wire::{Command, Header, HeaderFlags, LeaseBreakNotification, OplockBreak};

use crate::file::Break;
use crate::open::Open;
use crate::response::Response;

/// The notification of a break as a frame for the client of this open. It belongs to no
/// request and no session, and is never signed; a session that encrypts everything encrypts
/// it, too.
pub(crate) fn break_notification(notice: &Break, open: &Open) -> Vec<u8> {
    let encrypt = open.owner.encrypt_data || open.tree_connect.share.encrypt_data;
    let mut response = Response::new(encrypt.then(|| open.owner.keys.clone()));
    response.begin();
    match *notice {
        Break::Oplock { level, .. } => OplockBreak {
            oplock_level: level,
            file_id: open.file_id(),
        }
        .write(response.body()),
        Break::Lease {
            lease_key,
            new_epoch,
            acknowledge,
            current_state,
            new_state,
            ..
        } => LeaseBreakNotification {
            new_epoch,
            flags: u32::from(acknowledge),
            lease_key,
            current_lease_state: current_state,
            new_lease_state: new_state,
        }
        .write(response.body()),
    }
    let header = Header {
        command: Command::OPLOCK_BREAK,
        flags: HeaderFlags::SERVER_TO_REDIR,
        message_id: u64::MAX,
        ..Header::default()
    };
    response.complete(&header, None);
    response.into_frame().into_buffer()
}
