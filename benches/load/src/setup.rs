//! Session set-ups per second.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::addresses::Block;
use crate::arguments::Setup;
use crate::client::on_threads;
use crate::{Dial, Result};

/// `setup`: from the TCP connection (or, on one connection, from SESSION_SETUP) to LOGOFF.
/// Each connection comes from another address, so that no client runs out of ports.
pub(crate) fn run(dial: &Dial, arguments: &Setup) -> Result<Value> {
    let next = AtomicU32::new(0);
    let lasting = Duration::from_secs_f64(arguments.seconds);
    let rates = on_threads(arguments.threads, |_| async {
        let source = || Block::Passing.address(next.fetch_add(1, Ordering::Relaxed));
        let shared = match arguments.same_connection {
            true => Some(dial.own_connection(source()).await?),
            false => None,
        };
        let (start, mut count) = (Instant::now(), 0_u32);
        while start.elapsed() < lasting {
            let own = match &shared {
                Some(_) => None,
                None => Some(dial.own_connection(source()).await?),
            };
            if let Some(connection) = shared.as_ref().or(own.as_ref()) {
                let session = dial.session(connection, dial.user()).await?;
                session.logoff().await?;
                count += 1;
            }
        }
        Result::Ok(f64::from(count) / start.elapsed().as_secs_f64())
    })?;
    Ok(json!({ "per_second": rates.iter().sum::<f64>(), "threads": arguments.threads }))
}
