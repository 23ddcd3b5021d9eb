//! The administrator: logs on newly, lists the sessions, ends those of the attacker.

use std::time::{Duration, Instant};

use netsession::{ErrorKind, Options, Server, SessionFilter, SessionLevel, Target};
use serde_json::{Value, json};

use super::stage::Stage;
use crate::client::runtime;
use crate::latency::{micros, summary};
use crate::{Dial, Error, Result};

/// Longer is not told apart: the administrator did not come through.
const LIMIT: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(400);

async fn log_on(dial: &Dial) -> Result<Server> {
    let address = dial.address();
    let target = Target::new(&address.ip().to_string(), address.port())?;
    let options = Options {
        connect_timeout: LIMIT,
        logon_timeout: LIMIT,
        call_timeout: LIMIT,
        ..Options::default()
    };
    Ok(Server::connect(&target, dial.admin(), &options).await?)
}

async fn list(server: &mut Server) -> Result<usize> {
    let mut sessions = server.sessions(&SessionFilter::default(), SessionLevel::Info502);
    let mut count = 0;
    while let Some(session) = sessions.next_session().await {
        session?;
        count += 1;
    }
    Ok(count)
}

/// From the TCP connection to the list of all sessions; gives how many there are.
async fn look(dial: &Dial) -> Result<usize> {
    let mut server = log_on(dial).await?;
    let count = list(&mut server).await?;
    server.disconnect().await?;
    Ok(count)
}

/// Looks again and again until the siege is over.
pub(super) fn watch(dial: &Dial, stage: &Stage) -> Value {
    let Ok(runtime) = runtime() else {
        return json!({ "failed": "no runtime" });
    };
    let (mut before, mut during, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    while !stage.is_over() {
        let (is_attack, start) = (stage.is_attack(), Instant::now());
        match runtime.block_on(look(dial)) {
            Ok(_) if is_attack => during.push(start.elapsed()),
            Ok(_) => before.push(start.elapsed()),
            Err(error) => failures.push(error.to_string()),
        }
        std::thread::sleep(PAUSE);
    }
    json!({
        "before": summary(before),
        "during": summary(during),
        "failures": failures.len(),
        "first_failure": failures.first(),
    })
}

/// Logs on, lists, and ends all sessions of the attacker: how long that took, or why it failed.
pub(super) fn end(dial: &Dial, attacker: &str) -> Value {
    let start = Instant::now();
    let work = async {
        let mut server = log_on(dial).await?;
        let listed = list(&mut server).await?;
        match server.end(None, Some(attacker)).await {
            Ok(_) => {}
            // An attacker who never logs on has no session.
            Err(error) if error.kind() == ErrorKind::NoSuchSession => {}
            Err(error) => return Err(Error::from(error)),
        }
        let left = list(&mut server).await?;
        let took = start.elapsed();
        server.disconnect().await?;
        Ok((listed, left, took))
    };
    match runtime().and_then(|runtime| runtime.block_on(work)) {
        Ok((listed, left, took)) => json!({
            "took_us": micros(took),
            "sessions_before": listed,
            "sessions_after": left,
        }),
        Err(error) => json!({ "failed": error.to_string() }),
    }
}
