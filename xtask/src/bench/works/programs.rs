//! Whole programs, from their start to their end.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netsession_tests::subject::ADMIN;
use netsession_tests::{Kind, Subject};

use super::samba;
use crate::bench::process::children_seconds;
use crate::bench::report::{Goal, Row};
use crate::bench::statistics::Sample;
use crate::bench::world::World;

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
