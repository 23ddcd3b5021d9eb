//! Change notification: many directories watched by some clients, changed by another.

use std::collections::HashMap;
use std::sync::Barrier;
use std::time::Instant;

use netsession::smb_client::{Create, Open};
use serde_json::{Value, json};
use smb::NtStatus;
use smb::wire::info::notify::FileNotifyInformation;
use smb::wire::{ChangeNotifyRequest, ChangeNotifyResponse, Command, completion_filter};

use crate::arguments::Watch;
use crate::client::{on_threads, runtime};
use crate::outstanding::Line;
use crate::requests::prepared;
use crate::{Dial, Error, Result};

/// Clients that watch: a server bounds what waits on one connection.
const WATCHERS: u32 = 8;

/// Bytes of changes that one answer may bring.
const BUFFER: u32 = 4_096;

fn name(directory: u32) -> String {
    format!("watched-{directory}")
}

/// FILE_DIRECTORY_FILE, made if need be.
fn directory() -> Create {
    Create {
        create_disposition: 3,
        create_options: 1,
        ..Create::open()
    }
}

/// `watch`: from the first change to the last one told. The n-th directory is watched by the
/// client n modulo [`WATCHERS`], and changed by new files.
pub(crate) fn run(dial: &Dial, arguments: &Watch) -> Result<Value> {
    let ready = Barrier::new(WATCHERS as usize + 1);
    let (told, seconds) = std::thread::scope(|scope| {
        let changer = scope.spawn(|| change(dial, arguments, &ready));
        let told = on_threads(WATCHERS, |number| watch(dial, arguments, number, &ready))?;
        let ended = Instant::now();
        let began = changer
            .join()
            .unwrap_or_else(|_| Err(Error::Unexpected("a thread panicked".to_owned())))?;
        Result::Ok((told, (ended - began).as_secs_f64()))
    })?;
    let told: u32 = told.iter().sum();
    Ok(json!({ "told": told, "seconds": seconds }))
}

fn change(dial: &Dial, arguments: &Watch, ready: &Barrier) -> Result<Instant> {
    runtime()?.block_on(async {
        let prepared = prepared(dial, WATCHERS, false).await;
        ready.wait();
        let (session, tree) = prepared?;
        let began = Instant::now();
        for change in 0..arguments.changes {
            let name = format!("{}\\{change}", name(change % arguments.directories));
            let open = tree.create(&name, &Create::overwrite()).await?;
            open.close().await?;
        }
        session.logoff().await?;
        Ok(began)
    })
}

/// Names that were told.
async fn watch(dial: &Dial, arguments: &Watch, number: u32, ready: &Barrier) -> Result<u32> {
    let prepared = async {
        let (session, tree) = prepared(dial, number, false).await?;
        let mut opens = Vec::new();
        for mine in (number..arguments.directories).step_by(WATCHERS as usize) {
            opens.push((mine, tree.create(&name(mine), &directory()).await?));
        }
        Result::Ok((session, tree, opens))
    };
    let prepared = prepared.await;
    let armed = match &prepared {
        Ok((session, tree, opens)) => arm(&Line { session, tree }, opens).await,
        Err(_) => Ok(HashMap::new()),
    };
    // Whatever has failed, the others must not wait for ever.
    ready.wait();
    let (session, tree, opens) = prepared?;
    let mut armed = armed?;
    let line = Line {
        session: &session,
        tree: &tree,
    };
    let changes_of = |directory: u32| {
        (arguments.changes + arguments.directories - 1 - directory) / arguments.directories
    };
    let expected: u32 = opens.iter().map(|(mine, _)| changes_of(*mine)).sum();
    let mut told = 0;
    while told < expected {
        let (header, message) = line.receive().await?;
        if header.status == NtStatus::PENDING {
            continue;
        }
        let open = armed.remove(&header.message_id);
        let (Some(index), NtStatus::SUCCESS) = (open, header.status) else {
            return Err(Error::Unexpected(format!(
                "{} {} of a directory that is watched",
                header.command, header.status
            )));
        };
        let answer = ChangeNotifyResponse::read(&message)?;
        for change in FileNotifyInformation::read_list(answer.output_buffer) {
            change?;
            told += 1;
        }
        armed.insert(ask(&line, &opens[index].1).await?, index);
    }
    Ok(told)
}

async fn ask(line: &Line<'_>, open: &Open) -> Result<u64> {
    let request = ChangeNotifyRequest {
        flags: 0,
        output_buffer_length: BUFFER,
        file_id: open.file_id(),
        completion_filter: completion_filter::FILE_NOTIFY_CHANGE_FILE_NAME,
    };
    line.send(Command::CHANGE_NOTIFY, |out| request.write(out))
        .await
}

/// Asks about each; the answers are told apart by their MessageIds. All wait when this
/// returns.
async fn arm(line: &Line<'_>, opens: &[(u32, Open)]) -> Result<HashMap<u64, usize>> {
    let mut armed = HashMap::new();
    for (index, (_, open)) in opens.iter().enumerate() {
        armed.insert(ask(line, open).await?, index);
        let (header, _) = line.receive().await?;
        if header.status != NtStatus::PENDING {
            return Err(Error::Unexpected(format!(
                "CHANGE_NOTIFY answered {}",
                header.status
            )));
        }
    }
    Ok(armed)
}
