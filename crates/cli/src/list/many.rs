//! `netsession list` of many servers: rows as they arrive, failures at the end.

use std::collections::HashMap;
use std::future::Future;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use netsession::Target;
use netsession::fan_out::{Event, Events, FanOut};

use crate::arguments::ListArguments;
use crate::failure::{Exit, Failure, complain};
use crate::output::Output;
use crate::output::document::Reason;
use crate::remote::{choice, credentials_for, filter, options};
use crate::report::{Failures, Report};
use crate::row::Row;
use crate::text::count;

/// How a survey came to its end.
enum End {
    Complete,
    /// Ctrl-C.
    Interrupted,
    /// Nobody reads any more.
    Closed,
}

/// Asks all of `targets`.
pub fn run(
    arguments: &ListArguments,
    targets: Vec<Target>,
    repeated: &[Target],
    used_stdin: bool,
) -> Result<(), Failure> {
    let whom = count(targets.len(), "server");
    let credentials = credentials_for(&arguments.access, &whom, used_stdin)?;
    if !repeated.is_empty() && !arguments.quiet {
        let names: Vec<String> = repeated.iter().map(Target::to_string).collect();
        complain(&format!(
            "named more than once, asked once: {}",
            names.join(", ")
        ));
    }
    let filter = filter(arguments.client.as_deref(), arguments.user.as_deref());
    let fan_out = FanOut::new(credentials)
        .options(options(&arguments.access))
        .jobs(arguments.jobs.into())
        .deadline(deadline(arguments))
        .level(choice(arguments.level))
        .filter(filter);
    // The servers are asked on by one thread while the other waits for a slow reader.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::local("start the runtime", &error))?;
    let result = runtime.block_on(ask(arguments, &fan_out, targets));
    // A name lookup that is under way does not keep the program.
    runtime.shutdown_background();
    result
}

/// The limit for each server: what was asked for, else what the library takes, but not less
/// than the limits of the steps.
fn deadline(arguments: &ListArguments) -> Duration {
    const STEPS: u32 = 3;
    let access = &arguments.access;
    match (access.deadline, access.timeout) {
        (Some(seconds), _) => Duration::from_secs_f64(seconds),
        (None, Some(seconds)) => {
            FanOut::DEFAULT_DEADLINE.max(Duration::from_secs_f64(seconds) * STEPS)
        }
        (None, None) => FanOut::DEFAULT_DEADLINE,
    }
}

async fn ask(
    arguments: &ListArguments,
    fan_out: &FanOut,
    targets: Vec<Target>,
) -> Result<(), Failure> {
    let names: Vec<String> = targets.iter().map(Target::to_string).collect();
    let bar = bar(arguments, names.len());
    let mut survey = Survey {
        index: targets.iter().cloned().zip(0..).collect(),
        names: &names,
        report: Report::new(arguments, true, &names, Output::beside(bar.clone()))?,
        failures: Failures::default(),
        bar,
        told: HashMap::new(),
    };
    let mut events = fan_out.sessions(targets);
    tokio::spawn(leave_at_the_second_interrupt());
    let end = survey.run(&mut events, tokio::signal::ctrl_c()).await?;
    // Sockets close before the report is written, which may take a slow reader's time.
    drop(events);
    if let Some(bar) = &survey.bar {
        bar.finish_and_clear();
    }
    if matches!(end, End::Closed) {
        return Ok(());
    }
    let summary = survey.report.finish()?;
    survey.failures.report(summary.servers);
    match (end, survey.failures.exit(summary.answered)) {
        (End::Interrupted, _) => Err(Failure {
            exit: Exit::Interrupted,
            message: format!(
                "interrupted: {} of {} servers unfinished",
                summary.unfinished, summary.servers
            ),
        }),
        (_, Some(exit)) => Err(Failure::silent(exit)),
        (_, None) => Ok(()),
    }
}

/// The first Ctrl-C has its report written, for which a reader may let us wait for ever.
async fn leave_at_the_second_interrupt() {
    for _ in 0..2 {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
    }
    std::process::exit(Exit::Interrupted as i32);
}

struct Survey<'a> {
    index: HashMap<Target, usize>,
    names: &'a [String],
    report: Report<'a>,
    failures: Failures,
    bar: Option<ProgressBar>,
    /// Sessions of servers that have neither told all nor failed.
    told: HashMap<usize, usize>,
}

impl Survey<'_> {
    async fn run(
        &mut self,
        events: &mut Events,
        interrupt: impl Future<Output = std::io::Result<()>>,
    ) -> Result<End, Failure> {
        tokio::pin!(interrupt);
        loop {
            let event = tokio::select! {
                biased;
                _ = &mut interrupt => return Ok(End::Interrupted),
                event = events.next() => event,
                // Nothing at this moment: what there is goes out before the wait.
                () = std::future::ready(()) => {
                    self.report.flush()?;
                    tokio::select! {
                        biased;
                        _ = &mut interrupt => return Ok(End::Interrupted),
                        event = events.next() => event,
                    }
                }
            };
            let Some(event) = event else {
                return Ok(End::Complete);
            };
            self.take(event)?;
            if self.report.is_closed() {
                return Ok(End::Closed);
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Failure> {
        // Every event is of a target that was given.
        let Some(&server) = self.index.get(&**event.target()) else {
            return Ok(());
        };
        match event {
            Event::Session { level, session, .. } => {
                *self.told.entry(server).or_default() += 1;
                self.report
                    .session(server, level.into(), Row::new(&session))
            }
            Event::Done {
                level,
                sessions,
                elapsed,
                ..
            } => {
                self.told.remove(&server);
                self.step();
                self.report.done(server, level.into(), sessions, elapsed)
            }
            Event::Failed { error, elapsed, .. } => {
                let told = self.told.remove(&server).unwrap_or(0);
                self.failures.add(&self.names[server], &error);
                self.step();
                self.report
                    .failed(server, Reason::new(&error), told, elapsed)
            }
        }
    }

    fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(match self.failures.number() {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            });
        }
    }
}

/// A progress bar on standard error if somebody is there to see it. It has no colours.
fn bar(arguments: &ListArguments, servers: usize) -> Option<ProgressBar> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if arguments.quiet || dumb || !stderr().is_terminal() {
        return None;
    }
    let style = ProgressStyle::with_template("[{bar:30}] {pos} of {len} servers{msg}, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bar = ProgressBar::with_draw_target(Some(servers as u64), ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar.tick();
    Some(bar)
}
