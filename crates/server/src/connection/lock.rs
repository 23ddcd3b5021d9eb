//! LOCK ([MS-SMB2] 3.3.5.14).

use std::sync::{Arc, MutexGuard, PoisonError};

use smb::NtStatus;
use smb::wire::{LockRequest, LockResponse};

use crate::budget::Cost;
use crate::core::Core;
use crate::file::lock::{LockSequences, Locked, Sequence, is_unlock};
use crate::open::{FileOpen, Open};
use crate::request::Wait;
use crate::request::{Answer, Failure, Request};

pub(super) fn lock(core: &Arc<Core>, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
    let lock = LockRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let open = request.open(lock.file_id)?;
    let file = open.file()?;
    if file.is_directory {
        // [MS-FSA] 2.1.5.8.
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let verifies = verifies_sequence(request);
    if verifies && sequences(file).check(lock.lock_sequence) == Sequence::Replayed {
        LockResponse.write(out);
        return Ok(NtStatus::SUCCESS.into());
    }
    if is_unlock(&lock.locks) {
        let mut granted = Vec::new();
        let result = file.file.unlock(open.id, &lock.locks, &mut granted);
        core.locks_granted(&granted);
        file.return_lock_charges(open.id);
        result?;
    } else {
        file.return_lock_charges(open.id);
        let account = &request.session()?.account;
        let charges = lock.locks.iter().map(|_| account.charge(Cost::LOCK));
        let charges = charges
            .collect::<Result<Vec<_>, _>>()
            .map_err(NtStatus::from)?;
        let locked = file.file.lock(open.id, &lock.locks, request.ticket);
        if !matches!(locked, Err(status) if status != NtStatus::LOCK_NOT_GRANTED) {
            // [MS-FSA] 2.1.5.8: whether others have locked it or not.
            core.contend(&open, file);
        }
        let locked = locked?;
        file.lock_charges().extend(charges);
        if locked == Locked::Waits {
            return Err(Failure::Waits(Wait::Lock(open.clone()), None));
        }
    }
    if verifies {
        sequences(file).store(lock.lock_sequence);
    }
    LockResponse.write(out);
    Ok(NtStatus::SUCCESS.into())
}

/// A request whose lock was granted later is known from then on.
pub(super) fn remember(request: &Request<'_>, open: &Open) {
    if let (true, Ok(file), Ok(lock)) = (
        verifies_sequence(request),
        open.file(),
        LockRequest::read(request.message),
    ) {
        sequences(file).store(lock.lock_sequence);
    }
}

/// [MS-SMB2] 3.3.5.14 has it for durable opens and where there are several channels. A client
/// of dialect 3.x that numbers its requests means the same with every open.
fn verifies_sequence(request: &Request<'_>) -> bool {
    request
        .negotiated
        .is_some_and(|negotiated| negotiated.dialect >= 0x0300)
}

fn sequences(file: &FileOpen) -> MutexGuard<'_, LockSequences> {
    file.lock_sequences
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}
