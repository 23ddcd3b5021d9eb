//! Whole programs, from their start to their end: one call, and a thousand servers at once.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netsession_tests::client::LONG;
use netsession_tests::subject::ADMIN;
use netsession_tests::{Kind, Subject, program};

use super::{count, samba};
use crate::bench::process::children_seconds;
use crate::bench::report::{Goal, Row};
use crate::bench::statistics::Sample;
use crate::bench::world::World;
use crate::run::run;

/// Runs of one program in a round: processor time comes in hundredths of a second.
const RUNS: u32 = 40;

fn netsession(world: &World, subject: &Subject) -> Command {
    let mut command = Command::new(world.netsession());
    command
        .args(["list", &subject.host_and_port()])
        .args(["-U", &ADMIN.credentials()]);
    command
}

fn rpcclient(subject: &Subject) -> Command {
    let mut command = Command::new("rpcclient");
    command
        .arg("127.0.0.1")
        .args(["--port", &subject.port()])
        .args(["--user", &ADMIN.credentials()])
        .args(["--configfile", "/dev/null"])
        .args(["--command", "netsessenum"]);
    command
}

/// Median wall time and mean processor time of these runs, in milliseconds.
fn timed(command: impl Fn() -> Command, says: &str, runs: u32) -> Result<(f64, f64), String> {
    let mut wall = Sample::default();
    let before = children_seconds();
    for _ in 0..runs {
        let start = Instant::now();
        let output = command()
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        wall.push(milliseconds(start.elapsed()));
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !text.contains(says) {
            return Err(format!("not the list that was asked for: {text}"));
        }
    }
    let processor = (children_seconds() - before) / f64::from(runs) * 1e3;
    Ok((wall.median().unwrap_or_default(), processor))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// `one-call`: on a server with one session, the caller's own.
pub fn one_call(world: &World) -> Result<Vec<Row>, String> {
    let runs = world.size(RUNS, 10);
    let mut rows = Vec::new();
    for (kind, name) in [
        (Kind::Netsession, "our server".to_owned()),
        (Kind::Samba, samba()),
    ] {
        let subject = world.start(kind);
        let [mut wall, mut cpu, mut their_wall, mut their_cpu] =
            [(); 4].map(|()| Sample::default());
        for _ in 0..world.rounds {
            let ours = timed(|| netsession(world, &subject), "127.0.0.1", runs)?;
            let theirs = timed(|| rpcclient(&subject), "Received 1 entries.", runs)?;
            wall.push(ours.0);
            cpu.push(ours.1);
            their_wall.push(theirs.0);
            their_cpu.push(theirs.1);
        }
        rows.push(
            Row::new(
                "one-call",
                &format!("`netsession list` of {name}, process start to printed table"),
                "ms",
                wall,
            )
            .beside("rpcclient netsessenum", their_wall)
            .goal(Goal::RatioAtMost(0.35)),
        );
        rows.push(
            Row::new(
                "one-call",
                &format!("`netsession list` of {name}, CPU time of the program"),
                "ms",
                cpu,
            )
            .beside("rpcclient netsessenum", their_cpu)
            .goal(Goal::RatioAtMost(0.15)),
        );
    }
    Ok(rows)
}

/// The limit for each server, in seconds.
const DEADLINE: f64 = 5.0;

/// `fan-out`: the example `fan_out_load` of the library.
pub fn fan_out(world: &World) -> Result<Vec<Row>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(["build", "--release", "-p", "netsession"])
        .args(["--example", "fan_out_load"])
        .current_dir(&world.root))?;
    let (servers, silent) = world.size((1_000_u32, 10_u32), (100, 1));
    let [mut seconds, mut answers, mut memory] = [(); 3].map(|()| Sample::default());
    for _ in 0..world.rounds {
        let mut example = Command::new(world.root.join("target/release/examples/fan_out_load"));
        example
            .args(["--servers", &servers.to_string()])
            .args(["--silent", &silent.to_string()])
            .args(["--jobs", &servers.to_string()])
            .args(["--deadline", &DEADLINE.to_string()]);
        let finished = program::run(&mut example, LONG);
        // 1 says that a goal was missed, which the table says, too.
        if !matches!(finished.code, Some(0 | 1)) {
            return Err(finished.to_string());
        }
        let number = |name: &str| {
            let mut lines = finished.stdout.lines();
            lines
                .find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
                .ok_or_else(|| format!("no `{name}` in {finished}"))
        };
        if number("answered ")? as u32 != servers - silent {
            return Err(format!("not every server answered: {finished}"));
        }
        seconds.push(number("wall_ms ")? / 1e3);
        answers.push(number("last_answer_ms ")? / 1e3);
        memory.push(number("kib_per_server ")?);
    }
    let what = format!(
        "{} servers at once, {silent} of them silent",
        count(servers)
    );
    Ok(vec![
        Row::new("fan-out", &format!("{what}, to the end"), "s", seconds)
            .goal(Goal::AtMost(DEADLINE + 1.0)),
        Row::new(
            "fan-out",
            &format!("{what}, to the last answer"),
            "s",
            answers,
        ),
        Row::new(
            "fan-out",
            &format!("{what}, growth of the client's peak for each"),
            "KiB",
            memory,
        )
        .goal(Goal::AtMost(100.0)),
    ])
}
