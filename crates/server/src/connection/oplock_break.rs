//! OPLOCK_BREAK: acknowledgements of clients ([MS-SMB2] 3.3.5.22).

use std::sync::Arc;

use smb::NtStatus;
use smb::wire::{LeaseBreakAcknowledgment, OplockBreak};

use crate::core::Core;
use crate::file::Effects;
use crate::request::{Answer, Request};

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
