//! Requests of sessions that are there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use netsession_tests::Kind;

use super::{count, samba, side_by_side};
use crate::bench::report::{Goal, Row};
use crate::bench::statistics::Sample;
use crate::bench::world::World;

fn rate(world: &World, bench: &str, work: &str, goal: f64, more: &[&str]) -> Result<Row, String> {
    let seconds = world.size("3", "0.5");
    let words = [bench, "--connections", "4", "--seconds", seconds];
    let words = [&words, more].concat();
    let (ours, theirs) = side_by_side(world, |kind| {
        world.load_number(&world.start(kind), &words, "per_second")
    })?;
    Ok(Row::new(bench, work, "1/s", ours)
        .beside(&samba(), theirs)
        .goal(Goal::RatioAtLeast(goal)))
}

/// `open-close`.
pub fn open_close(world: &World) -> Result<Vec<Row>, String> {
    let row = |work, more| rate(world, "open-close", work, 2.0, more);
    Ok(vec![
        row("pairs of CREATE and CLOSE, 4 connections, signed", &[])?,
        row("the same with a lease asked for and granted", &["--lease"])?,
    ])
}

/// `echo`.
pub fn echo(world: &World) -> Result<Vec<Row>, String> {
    let row = |work, goal, more| rate(world, "echo", work, goal, more);
    // The bare echo of each round beside our ECHO of that round.
    let subject = world.start(Kind::Netsession);
    let seconds = world.size("3", "0.5");
    let (mut bare, mut ours) = (Sample::default(), Sample::default());
    for _ in 0..world.rounds {
        for (work, sample) in [("bare-echo", &mut bare), ("echo", &mut ours)] {
            let words = [work, "--connections", "4", "--seconds", seconds];
            sample.push(world.load_number(&subject, &words, "per_second")?);
        }
    }
    let name = "the same bytes over bare TCP";
    Ok(vec![
        row("ECHO, 4 connections, signed", 1.0, &[])?,
        Row::new("echo", "ECHO, 4 connections, signed", "1/s", ours)
            .beside(name, bare)
            .goal(Goal::RatioAtLeast(0.55)),
        row(
            "ECHO, 4 connections, signed, asynchronous clients",
            1.0,
            &["--asynchronous"],
        )?,
        row(
            "ECHO, 4 connections, signed, 16 requests outstanding on each",
            2.0,
            &["--outstanding", "16"],
        )?,
    ])
}

/// `list-dir`.
pub fn list_dir(world: &World) -> Result<Vec<Row>, String> {
    let entries: u32 = world.size(10_000, 500);
    let (ours, theirs) = side_by_side(world, |kind| {
        let subject = world.start(kind);
        let folder = subject.data().join("many");
        let made = fs::create_dir(&folder)
            .and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)))
            .and_then(|()| {
                (0..entries).try_for_each(|number| {
                    fs::write(folder.join(format!("file number {number:05}.txt")), "")
                })
            });
        made.map_err(|error| format!("could not make {entries} files: {error}"))?;
        let words = [
            "list-dir",
            "--name",
            "many",
            "--entries",
            &entries.to_string(),
        ];
        Ok(world.load_number(&subject, &words, "p50_us")? / 1e3)
    })?;
    let work = format!(
        "listing a directory of {} entries, signed, p50",
        count(entries)
    );
    Ok(vec![
        Row::new("list-dir", &work, "ms", ours)
            .beside(&samba(), theirs)
            // One and a half times as fast.
            .goal(Goal::RatioAtMost(1.0 / 1.5)),
    ])
}
