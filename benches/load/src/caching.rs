//! Leases and oplocks: granted, and broken.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use netsession::smb_client::{Create, TreeConnect};
use serde_json::Value;
use smb::Guid;
use smb::wire::create_context::{CreateContext, Lease, name};
use smb::wire::{
    CloseRequest, Command, CreateContexts, CreateRequest, CreateResponse, OplockBreak, Utf16,
    impersonation_level, lease_state, oplock_level, utf16,
};

use crate::arguments::BreakOplock;
use crate::client::runtime;
use crate::latency::summary;
use crate::outstanding::Line;
use crate::requests::prepared;
use crate::{Dial, Error, Result};

/// CREATE of an existing file to read with a lease on everything, which must be granted, and
/// CLOSE.
pub(crate) async fn open_leased(tree: &TreeConnect, file: &str, key: Guid) -> Result<()> {
    let wanted = lease_state::SMB2_LEASE_READ_CACHING
        | lease_state::SMB2_LEASE_HANDLE_CACHING
        | lease_state::SMB2_LEASE_WRITE_CACHING;
    let lease = Lease {
        lease_key: key,
        lease_state: wanted,
        lease_flags: 0,
        version_2: Some((Guid::default(), 0)),
    };
    let data = lease.to_bytes();
    let contexts = [CreateContext {
        name: name::SMB2_CREATE_REQUEST_LEASE,
        data: &data,
    }];
    let file = utf16(file);
    let create = Create::open();
    let request = CreateRequest {
        requested_oplock_level: oplock_level::SMB2_OPLOCK_LEVEL_LEASE,
        impersonation_level: impersonation_level::IMPERSONATION,
        desired_access: create.desired_access,
        file_attributes: create.file_attributes,
        share_access: create.share_access,
        create_disposition: create.create_disposition,
        create_options: create.create_options,
        name: Utf16::new(&file)?,
        contexts: CreateContexts::from(&contexts[..]),
    };
    let response = tree
        .request(Command::CREATE, 0, |out| request.write(out))
        .await?
        .success()?;
    let created = CreateResponse::read(response.message())?;
    let granted = created.contexts.find(name::SMB2_CREATE_REQUEST_LEASE);
    let state = match granted {
        Some(context) => Lease::read(context.data)?.lease_state,
        None => lease_state::SMB2_LEASE_NONE,
    };
    if state != wanted {
        return Err(Error::Unexpected(format!("a lease of {state:#x} only")));
    }
    let close = CloseRequest {
        flags: 0,
        file_id: created.file_id,
    };
    tree.request(Command::CLOSE, 0, |out| close.write(out))
        .await?
        .success()?;
    Ok(())
}

const FILE: &str = "break-oplock";

/// `break-oplock`: one client has the file open with a batch oplock and acknowledges its
/// break at once, on a thread of its own; measured is the CREATE of another.
pub(crate) fn break_oplock(dial: &Dial, arguments: &BreakOplock) -> Result<Value> {
    let (opened, wait_opened) = channel();
    let (done, wait_done) = channel();
    let times = std::thread::scope(|scope| {
        let holder = scope.spawn(|| hold(dial, arguments.rounds, opened, wait_done));
        let times = open(dial, arguments.rounds, wait_opened, done);
        let held = holder
            .join()
            .unwrap_or_else(|_| Err(Error::Unexpected("a thread panicked".to_owned())));
        // Its error explains that of the other.
        held?;
        times
    })?;
    Ok(summary(times))
}

fn gone<E>(_: E) -> Error {
    Error::Unexpected("the other client has given up".to_owned())
}

/// The client with the oplock.
fn hold(dial: &Dial, rounds: usize, opened: Sender<()>, done: Receiver<()>) -> Result<()> {
    runtime()?.block_on(async {
        let (session, tree) = prepared(dial, 0, false).await?;
        let line = Line {
            session: &session,
            tree: &tree,
        };
        let with_batch = Create {
            create_disposition: 3,
            requested_oplock_level: oplock_level::SMB2_OPLOCK_LEVEL_BATCH,
            ..Create::overwrite()
        };
        for _ in 0..rounds {
            let open = tree.create(FILE, &with_batch).await?;
            opened.send(()).map_err(gone)?;
            let notification = line.success(Command::OPLOCK_BREAK).await?;
            let broken = OplockBreak::read(&notification)?;
            line.send(Command::OPLOCK_BREAK, |out| broken.write(out))
                .await?;
            line.success(Command::OPLOCK_BREAK).await?;
            done.recv().map_err(gone)?;
            open.close().await?;
        }
        session.logoff().await?;
        Ok(())
    })
}

/// The client that breaks it.
fn open(
    dial: &Dial,
    rounds: usize,
    opened: Receiver<()>,
    done: Sender<()>,
) -> Result<Vec<Duration>> {
    runtime()?.block_on(async {
        let (session, tree) = prepared(dial, 1, false).await?;
        let mut times = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            opened.recv().map_err(gone)?;
            let start = Instant::now();
            let open = tree.create(FILE, &Create::open()).await?;
            times.push(start.elapsed());
            open.close().await?;
            done.send(()).map_err(gone)?;
        }
        session.logoff().await?;
        Ok(times)
    })
}
