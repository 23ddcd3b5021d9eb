//! OPLOCK_BREAK: acknowledgements of clients ([MS-SMB2] 3.3.5.22) and notifications to them
//! (3.3.4.6, 3.3.4.7).

use std::sync::Arc;

use smb::NtStatus;
use smb::wire::{
    Command, Header, HeaderFlags, LeaseBreakAcknowledgment, LeaseBreakNotification, OplockBreak,
};

use super::request::{Answer, Request};
use super::response::Response;
use crate::core::Core;
use crate::file::{Break, Effects};
use crate::open::Open;

pub(super) fn acknowledge(core: &Arc<Core>, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
    let mut effects = Effects::default();
    let now = core.instant();
    // The two forms have different sizes.
    let result = match OplockBreak::read(request.message) {
        Ok(acknowledgement) => {
            let open = request.open(acknowledgement.file_id)?;
            let file = open.file()?;
            file.file
                .acknowledge_oplock(open.id, acknowledgement.oplock_level, now, &mut effects)
                .map(|level| {
                    OplockBreak {
                        oplock_level: level.to_wire(),
                        file_id: request.resolve(acknowledgement.file_id),
                    }
                    .write(out);
                })
        }
        Err(_) => {
            let acknowledgement = LeaseBreakAcknowledgment::read(request.message)
                .map_err(|_| NtStatus::INVALID_PARAMETER)?;
            let negotiated = request.negotiated.ok_or(NtStatus::INVALID_PARAMETER)?;
            core.files
                .acknowledge_lease(
                    negotiated.client_guid,
                    acknowledgement.lease_key,
                    acknowledgement.lease_state,
                    now,
                    &mut effects,
                )
                .map(|lease_state| {
                    LeaseBreakAcknowledgment {
                        lease_key: acknowledgement.lease_key,
                        lease_state,
                    }
                    .write(out);
                })
        }
    };
    core.carry_out(effects);
    result?;
    Ok(NtStatus::SUCCESS.into())
}

/// The notification of a break as a frame for the client of this open. It belongs to no
/// request and no session, and is never signed; a session that encrypts everything encrypts
/// it, too.
pub(crate) fn notification(notice: &Break, open: &Open) -> Option<Vec<u8>> {
    let session = open.session.upgrade()?;
    let encrypt = session.encrypt_data || open.tree_connect.share.encrypt_data;
    let mut response = Response::new(encrypt.then_some(session));
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
    Some(response.into_frame().into_buffer())
}
