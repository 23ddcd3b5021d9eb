//! Byte-range locks.

use std::time::Duration;

use netsession::smb_client::{Create, Open};
use serde_json::Value;
use smb::wire::lock::{LockElement, MAX_LOCKS};
use smb::wire::{Command, LockRequest, lock_flags};

use crate::arguments::Rate;
use crate::client::on_threads;
use crate::requests::{prepared, rate, told};
use crate::{Dial, Result};

/// The file that is locked, by those who hold locks and those who come and go.
pub(crate) const FILE: &str = "locked";

/// Where the locks that come and go begin: behind all that are held.
const PASSING: u64 = 1 << 40;

/// Opens the file, and makes it if need be.
pub(crate) fn create() -> Create {
    Create {
        create_disposition: 3,
        ..Create::overwrite()
    }
}

async fn request(open: &Open, locks: Vec<LockElement>) -> Result<()> {
    let request = LockRequest {
        lock_sequence: 0,
        file_id: open.file_id(),
        locks,
    };
    open.tree()
        .request(Command::LOCK, 0, |out| request.write(out))
        .await?
        .success()?;
    Ok(())
}

fn exclusive(offset: u64) -> LockElement {
    LockElement {
        offset,
        length: 1,
        flags: lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK
            | lock_flags::SMB2_LOCKFLAG_FAIL_IMMEDIATELY,
    }
}

/// Takes so many locks of a byte, none next to another.
pub(crate) async fn take(open: &Open, count: u32) -> Result<()> {
    let offsets: Vec<u64> = (0..u64::from(count)).map(|number| 2 * number).collect();
    for some in offsets.chunks(MAX_LOCKS) {
        request(open, some.iter().copied().map(exclusive).collect()).await?;
    }
    Ok(())
}

/// `lock`: pairs of LOCK and UNLOCK per second, each client its own byte of one file.
pub(crate) fn pairs(dial: &Dial, arguments: &Rate) -> Result<Value> {
    let lasting = Duration::from_secs_f64(arguments.seconds);
    let rates = on_threads(arguments.connections, |number| async move {
        let (session, tree) = prepared(dial, number, arguments.asynchronous).await?;
        let open = tree.create(FILE, &create()).await?;
        let offset = PASSING + 2 * u64::from(number);
        let rate = rate(lasting, async || {
            request(&open, vec![exclusive(offset)]).await?;
            let unlock = LockElement {
                flags: lock_flags::SMB2_LOCKFLAG_UNLOCK,
                ..exclusive(offset)
            };
            request(&open, vec![unlock]).await
        })
        .await?;
        session.logoff().await?;
        Ok(rate)
    })?;
    Ok(told(&rates))
}
