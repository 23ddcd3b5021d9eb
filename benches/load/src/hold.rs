//! Sessions that are simply there.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Instant;

use netsession::Credentials;
use netsession::smb_client::{Connection, Create, Open, Session, TreeConnect};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::addresses::Block;
use crate::arguments::Hold;
use crate::client::shared_runtime;
use crate::locks;
use crate::{Dial, Error, Result};

/// Logons under way at once: keeps two cores busy, and no server's queue of new
/// connections overflows.
const AT_ONCE: usize = 8;

/// A connection with its sessions; they end when it is dropped.
pub(crate) struct Held {
    pub(crate) connection: Connection,
    pub(crate) sessions: Vec<(Session, TreeConnect, Vec<Open>)>,
}

/// What to hold.
pub(crate) struct Wanted {
    pub(crate) block: Block,
    pub(crate) user: Credentials,
    pub(crate) sessions: u32,
    pub(crate) per_connection: u32,
    pub(crate) open_files: u32,
    pub(crate) locks: u32,
}

/// Sets everything up; every session has one tree connect.
pub(crate) async fn hold(dial: &Dial, wanted: Wanted) -> Result<Vec<Held>> {
    let per_connection = wanted.per_connection.max(1);
    let connections = wanted.sessions.div_ceil(per_connection);
    let wanted = Arc::new(wanted);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let first = number * per_connection;
        let count = per_connection.min(wanted.sessions - first);
        let (dial, wanted, places) = (dial.clone(), wanted.clone(), places.clone());
        tasks.spawn(async move {
            let _place = places.acquire().await;
            one_connection(&dial, &wanted, number, count).await
        });
    }
    let mut held = Vec::with_capacity(connections as usize);
    while let Some(done) = tasks.join_next().await {
        held.push(done.map_err(|error| Error::Unexpected(error.to_string()))??);
    }
    Ok(held)
}

async fn one_connection(dial: &Dial, wanted: &Wanted, number: u32, count: u32) -> Result<Held> {
    let connection = dial.connection(wanted.block.address(number)).await?;
    let mut sessions = Vec::with_capacity(count as usize);
    for index in 0..count {
        let session = dial.session(&connection, &wanted.user).await?;
        let tree = dial.tree(&session).await?;
        let mut opens = Vec::with_capacity(wanted.open_files as usize);
        for file in 0..wanted.open_files {
            let name = format!("held-{number}-{index}-{file}");
            opens.push(tree.create(&name, &Create::overwrite()).await?);
        }
        if wanted.locks > 0 && (number, index) == (0, 0) {
            let open = tree.create(locks::FILE, &locks::create()).await?;
            locks::take(&open, wanted.locks).await?;
            opens.push(open);
        }
        sessions.push((session, tree, opens));
    }
    Ok(Held {
        connection,
        sessions,
    })
}

/// `hold`: prints `{"ready": …}`, then waits for the end of standard input.
pub(crate) fn run(dial: &Dial, hold_arguments: &Hold) -> Result<Value> {
    let start = Instant::now();
    let runtime = shared_runtime()?;
    let held = runtime.block_on(hold(
        dial,
        Wanted {
            block: Block::Held,
            user: dial.user().clone(),
            sessions: hold_arguments.sessions,
            per_connection: hold_arguments.per_connection,
            open_files: hold_arguments.open_files,
            locks: hold_arguments.locks,
        },
    ))?;
    let mut output = std::io::stdout();
    let ready = json!({
        "ready": hold_arguments.sessions,
        "seconds": start.elapsed().as_secs_f64(),
        "first_client": Block::Held.address(0).to_string(),
    });
    writeln!(output, "{ready}")?;
    output.flush()?;
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing)?;
    // The first connection still answers: it was not dropped meanwhile.
    if let Some(first) = held.first() {
        runtime.block_on(first.connection.echo())?;
    }
    let sessions: usize = held.iter().map(|held| held.sessions.len()).sum();
    Ok(json!({ "held": sessions }))
}
