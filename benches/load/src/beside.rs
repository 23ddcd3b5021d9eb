//! What somebody else feels while a large directory is worked on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use netsession::smb_client::Create;
use serde_json::{Value, json};

use crate::arguments::CreateMissing;
use crate::client::on_threads;
use crate::del::{PROBE_PAUSE, probe};
use crate::latency::summary;
use crate::requests::prepared;
use crate::{Dial, Error, Result};

/// FILE_CREATE with FILE_DELETE_ON_CLOSE: the directory stays as large as it is.
fn passing() -> Create {
    Create {
        create_disposition: 2,
        create_options: 0x1040,
        ..Create::overwrite()
    }
}

/// `create-missing`: names that are not there are created and removed, while a session on a
/// connection of its own sends an ECHO every half millisecond.
pub(crate) fn run(dial: &Dial, arguments: &CreateMissing) -> Result<Value> {
    let lasting = Duration::from_secs_f64(arguments.seconds);
    let stop = AtomicBool::new(false);
    let (counts, probed) = std::thread::scope(|scope| {
        let probe = scope.spawn(|| probe(dial, &stop));
        let counts = on_threads(arguments.connections, |number| async move {
            let (session, tree) = prepared(dial, number, false).await?;
            let (start, mut count) = (Instant::now(), 0_u32);
            while start.elapsed() < lasting {
                let name = format!("{}\\missing {number} {count}", arguments.name);
                tree.create(&name, &passing()).await?.close().await?;
                count += 1;
            }
            session.logoff().await?;
            Ok(count)
        });
        stop.store(true, Ordering::Relaxed);
        let probed = probe
            .join()
            .unwrap_or_else(|_| Err(Error::Unexpected("the probe panicked".to_owned())));
        Result::Ok((counts?, probed?))
    })?;
    let times = probed.iter().map(|one| one.end - one.start).collect();
    let mut measured = summary(times);
    measured["creates"] = json!(counts.iter().sum::<u32>());
    measured["pause_us"] = json!(PROBE_PAUSE.as_micros() as u64);
    Ok(measured)
}
