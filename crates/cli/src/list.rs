//! `netsession list`: of one server here, of several in [`many`].

mod many;

use std::time::Instant;

use crate::arguments::{Format, ListArguments};
use crate::failure::Failure;
use crate::output::Output;
use crate::remote::{Remote, filter, within};
use crate::report::Report;
use crate::servers::Servers;

/// Lists sessions. That none fits the names is an empty list.
pub fn run(arguments: &ListArguments) -> Result<(), Failure> {
    let servers = Servers::read(&arguments.servers)?;
    match <[_; 1]>::try_from(servers.targets) {
        Ok([target]) if !servers.several => crate::block_on(one(arguments, &target)),
        Ok(targets) => many::run(
            arguments,
            targets.into(),
            &servers.repeated,
            servers.used_stdin,
        ),
        Err(targets) => many::run(arguments, targets, &servers.repeated, servers.used_stdin),
    }
}

async fn one(arguments: &ListArguments, target: &netsession::Target) -> Result<(), Failure> {
    let names = [target.to_string()];
    let started = Instant::now();
    let mut report = Report::new(arguments, false, &names, Output::default())?;
    let mut sessions = 0;
    let asked = within(&arguments.access, async {
        let mut remote = Remote::connect(target, &arguments.access).await?;
        let filter = filter(arguments.client.as_deref(), arguments.user.as_deref());
        let level = remote
            .each(&filter, arguments.level, |level, row| {
                sessions += 1;
                report.session(0, level.into(), row)
            })
            .await?;
        Ok((remote, level))
    });
    match asked.await {
        Ok((remote, level)) => {
            report.done(0, level.into(), sessions, started.elapsed())?;
            report.finish()?;
            // What was asked for is on the screen; the server may take its time.
            remote.disconnect().await;
            Ok(())
        }
        Err(asked) => {
            if arguments.format.chosen() == Format::Jsonl
                && let Some(reason) = asked.reason(target)
            {
                report.failed(0, reason, sessions, started.elapsed())?;
                report.finish()?;
            }
            Err(asked.into_failure(target))
        }
    }
}
