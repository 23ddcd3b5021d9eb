//! NetrSessionDel of one and of many.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use netsession::smb_client::Error as SmbError;
use netsession::{NetApiStatus, Server};
use serde_json::{Value, json};
use smb::NtStatus;
use srvsvc::{SessionDelRequest, opnum};

use crate::addresses::Block;
use crate::arguments::{Del, DelMany};
use crate::client::{runtime, shared_runtime};
use crate::hold::{Wanted, hold};
use crate::latency::{micros, summary};
use crate::{Dial, Error, Result};

/// Between two requests of the probe: finer than what is looked for (20 ms), and far from
/// being a load of its own.
pub(crate) const PROBE_PAUSE: Duration = Duration::from_micros(500);

/// How long the probe looks before and after the call.
const PROBE_MARGIN: Duration = Duration::from_millis(500);

/// One call; gives its time. Anything but success is an error.
async fn end(server: &mut Server, client: Option<String>, user: &str) -> Result<Duration> {
    let syntax = server.syntax();
    let stub = SessionDelRequest {
        server_name: None,
        client_name: client,
        user_name: Some(user.to_owned()),
    }
    .write(syntax);
    let before = Instant::now();
    let reply = server.call(opnum::NETR_SESSION_DEL, &stub).await?;
    let took = before.elapsed();
    match srvsvc::read_result(syntax, &reply) {
        Ok(NetApiStatus::SUCCESS) => Ok(took),
        other => Err(Error::Unexpected(format!(
            "NetrSessionDel answered {other:?}"
        ))),
    }
}

/// `del`: sessions from an address each, ended one by one; each is asked afterwards whether
/// it is gone.
pub(crate) fn one_by_one(dial: &Dial, arguments: &Del) -> Result<Value> {
    shared_runtime()?.block_on(async {
        let mut server = dial.server().await?;
        let held = hold(
            dial,
            Wanted {
                block: Block::Victims,
                user: dial.user().clone(),
                sessions: arguments.victims,
                per_connection: 1,
                open_files: 0,
                locks: 0,
            },
        )
        .await?;
        let mut times = Vec::with_capacity(held.len());
        for number in 0..arguments.victims {
            let client = format!(r"\\{}", Block::Victims.address(number));
            times.push(end(&mut server, Some(client), dial.user().user()).await?);
        }
        for victim in &held {
            for (session, ..) in &victim.sessions {
                is_gone(session.echo().await)?;
            }
        }
        server.disconnect().await?;
        Ok(summary(times))
    })
}

/// Only these say that the session has been ended; Samba ends the whole connection.
fn is_gone(answer: std::result::Result<(), SmbError>) -> Result<()> {
    match answer {
        Err(SmbError::Closed) => Ok(()),
        Err(SmbError::Status { status, .. }) if status == NtStatus::USER_SESSION_DELETED => Ok(()),
        other => Err(Error::Unexpected(format!(
            "a session that was ended still answers: {other:?}"
        ))),
    }
}

/// `del-many`: sessions of one user, ended with one call, while a session of another user
/// sends ECHO after ECHO from a thread of its own.
pub(crate) fn many(dial: &Dial, arguments: &DelMany) -> Result<Value> {
    let runtime = shared_runtime()?;
    let (mut server, held) = runtime.block_on(async {
        let held = hold(
            dial,
            Wanted {
                block: Block::Victims,
                user: arguments.victim.clone(),
                sessions: arguments.sessions,
                per_connection: arguments.per_connection,
                open_files: 0,
                locks: 0,
            },
        )
        .await?;
        Result::Ok((dial.server().await?, held))
    })?;
    let stop = AtomicBool::new(false);
    let (began, ended, probed) = std::thread::scope(|scope| {
        let probe = scope.spawn(|| probe(dial, &stop));
        std::thread::sleep(PROBE_MARGIN);
        let began = Instant::now();
        let ended = runtime
            .block_on(end(&mut server, None, arguments.victim.user()))
            .map(|_| Instant::now());
        std::thread::sleep(PROBE_MARGIN);
        stop.store(true, Ordering::Relaxed);
        let probed = probe
            .join()
            .unwrap_or_else(|_| Err(Error::Unexpected("the probe panicked".to_owned())));
        Result::Ok((began, ended?, probed?))
    })?;
    runtime.block_on(async {
        for victim in &held {
            for (session, ..) in &victim.sessions {
                is_gone(session.echo().await)?;
            }
        }
        server.disconnect().await?;
        Result::Ok(())
    })?;
    let longest = |keep: &dyn Fn(&Probed) -> bool| {
        let times = probed.iter().filter(|one| keep(one));
        times
            .map(|one| micros(one.end - one.start))
            .fold(0.0, f64::max)
    };
    Ok(json!({
        "sessions": arguments.sessions,
        "seconds": (ended - began).as_secs_f64(),
        "probes": probed.len(),
        "probe_before_maximum_us": longest(&|one| one.end < began),
        // Until the end of the margin: a server may go on working behind its reply.
        "probe_during_maximum_us": longest(&|one| one.end >= began),
    }))
}

/// One ECHO.
pub(crate) struct Probed {
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

/// ECHO after ECHO until `stop` is set.
pub(crate) fn probe(dial: &Dial, stop: &AtomicBool) -> Result<Vec<Probed>> {
    runtime()?.block_on(async {
        let connection = dial.own_connection(Block::Passing.address(0)).await?;
        let session = dial.session(&connection, dial.user()).await?;
        let mut probed = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            session.echo().await?;
            probed.push(Probed {
                start,
                end: Instant::now(),
            });
            std::thread::sleep(PROBE_PAUSE);
        }
        session.logoff().await?;
        Ok(probed)
    })
}
