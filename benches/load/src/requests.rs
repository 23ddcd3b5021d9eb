//! Requests of a session that is there: CREATE and CLOSE, ECHO, QUERY_DIRECTORY.

use std::time::{Duration, Instant};

use netsession::smb_client::{Create, Session, TreeConnect};
use serde_json::{Value, json};
use smb::wire::info::directory::{Form, read_list};
use smb::wire::{
    Command, QueryDirectoryRequest, QueryDirectoryResponse, Utf16, file_information_class,
    query_directory_flags, utf16,
};
use smb::{Guid, NtStatus};

use crate::addresses::Block;
use crate::arguments::{Echo, ListDir, OpenClose};
use crate::caching::open_leased;
use crate::client::{on_threads, runtime};
use crate::latency::summary;
use crate::outstanding::Line;
use crate::{Dial, Error, Result};

/// Turns between two looks at the clock.
pub(crate) const BATCH: u32 = 32;

/// A session of the client with this number, and its share.
pub(crate) async fn prepared(
    dial: &Dial,
    number: u32,
    asynchronous: bool,
) -> Result<(Session, TreeConnect)> {
    let source = Block::Held.address(number);
    let connection = match asynchronous {
        true => dial.connection(source).await?,
        false => dial.own_connection(source).await?,
    };
    let session = dial.session(&connection, dial.user()).await?;
    let tree = dial.tree(&session).await?;
    Ok((session, tree))
}

pub(crate) fn told(rates: &[f64]) -> Value {
    json!({ "per_second": rates.iter().sum::<f64>(), "connections": rates.len() })
}

/// Turns per second of `turn`, for the time asked for.
pub(crate) async fn rate(
    lasting: Duration,
    mut turn: impl AsyncFnMut() -> Result<()>,
) -> Result<f64> {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < lasting {
        for _ in 0..BATCH {
            turn().await?;
        }
        count += BATCH;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// `open-close`: each connection opens a file of its own to read, and closes it.
pub(crate) fn open_close(dial: &Dial, arguments: &OpenClose) -> Result<Value> {
    let (rate_of, leased) = (&arguments.rate, arguments.lease);
    let lasting = Duration::from_secs_f64(rate_of.seconds);
    let rates = on_threads(rate_of.connections, |number| async move {
        let (session, tree) = prepared(dial, number, rate_of.asynchronous).await?;
        let name = format!("open-close-{number}");
        tree.create(&name, &Create::overwrite())
            .await?
            .close()
            .await?;
        let open = Create::open();
        let mut key = Guid([0x4C; 16]);
        key.0[..4].copy_from_slice(&number.to_le_bytes());
        let rate = rate(lasting, async || match leased {
            true => open_leased(&tree, &name, key).await,
            false => Ok(tree.create(&name, &open).await?.close().await?),
        })
        .await?;
        session.logoff().await?;
        Ok(rate)
    })?;
    Ok(told(&rates))
}

/// `echo`.
pub(crate) fn echo(dial: &Dial, arguments: &Echo) -> Result<Value> {
    let (rate_of, outstanding) = (&arguments.rate, arguments.outstanding);
    let lasting = Duration::from_secs_f64(rate_of.seconds);
    let rates = on_threads(rate_of.connections, |number| async move {
        let (session, tree) = prepared(dial, number, rate_of.asynchronous).await?;
        let line = Line {
            session: &session,
            tree: &tree,
        };
        let rate = match outstanding {
            0 | 1 => rate(lasting, async || Ok(session.echo().await?)).await?,
            more => line.echo_rate(more, lasting).await?,
        };
        session.logoff().await?;
        Ok(rate)
    })?;
    Ok(told(&rates))
}

/// `list-dir`: from CREATE to CLOSE, in the class that Windows and smbclient ask for.
pub(crate) fn list_dir(dial: &Dial, arguments: &ListDir) -> Result<Value> {
    runtime()?.block_on(async {
        let (session, tree) = prepared(dial, 0, false).await?;
        let mut times = Vec::with_capacity(arguments.rounds);
        for round in 0..=arguments.rounds {
            let start = Instant::now();
            let entries = listed(&tree, arguments).await?;
            let took = start.elapsed();
            if entries != arguments.entries {
                return Err(Error::Unexpected(format!(
                    "{entries} entries where {} were expected",
                    arguments.entries
                )));
            }
            // The first one warms the server's caches.
            if round > 0 {
                times.push(took);
            }
        }
        session.logoff().await?;
        Ok(summary(times))
    })
}

async fn listed(tree: &TreeConnect, arguments: &ListDir) -> Result<usize> {
    let directory = tree.create(&arguments.name, &Create::open()).await?;
    let pattern = utf16("*");
    let request = QueryDirectoryRequest {
        file_information_class: file_information_class::FILE_ID_BOTH_DIRECTORY_INFORMATION,
        file_id: directory.file_id(),
        file_name: Utf16::new(&pattern).map_err(netsession::smb_client::Error::from)?,
        output_buffer_length: arguments.buffer,
        flags: 0,
        file_index: 0,
    };
    let mut request = QueryDirectoryRequest {
        flags: query_directory_flags::SMB2_RESTART_SCANS,
        ..request
    };
    let dots = [utf16("."), utf16("..")];
    let mut entries = 0;
    loop {
        let response = tree
            .request(Command::QUERY_DIRECTORY, arguments.buffer as usize, |out| {
                request.write(out)
            })
            .await?
            .expect(&[NtStatus::SUCCESS, NtStatus::NO_MORE_FILES])?;
        if response.status() == NtStatus::NO_MORE_FILES {
            break;
        }
        let page = QueryDirectoryResponse::read(response.message())
            .map_err(netsession::smb_client::Error::from)?;
        for entry in read_list(Form::IdBoth, page.output_buffer) {
            let name = entry
                .map_err(netsession::smb_client::Error::from)?
                .file_name;
            if !dots.iter().any(|dot| dot == name.as_bytes()) {
                entries += 1;
            }
        }
        request.flags = 0;
    }
    directory.close().await?;
    Ok(entries)
}
