//! Several clients in the same files and directories.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use netsession_tests::{Kind, Subject};

use super::{count, samba, side_by_side};
use crate::bench::process::{processor_seconds, settled};
use crate::bench::report::{Goal, Row};
use crate::bench::statistics::Sample;
use crate::bench::world::World;

/// Enough for a process to notice that its connection is closed.
const PROCESS_END: Duration = Duration::from_secs(5);

/// `lock`.
pub fn lock(world: &World) -> Result<Vec<Row>, String> {
    let seconds = world.size("3", "0.5");
    let words = ["lock", "--connections", "4", "--seconds", seconds];
    let rate = |subject: &Subject| world.load_number(subject, &words, "per_second");
    let (ours, theirs) = side_by_side(world, |kind| rate(&world.start(kind)))?;

    let held: u32 = world.size(100_000, 1_000);
    let locks = held.to_string();
    let (mut free, mut full) = (Sample::default(), Sample::default());
    for _ in 0..world.rounds {
        let subject = world.start(Kind::Netsession);
        free.push(rate(&subject)?);
        let _held = world.hold(&subject, &["--sessions", "1", "--locks", &locks])?;
        full.push(rate(&subject)?);
    }
    let work = "pairs of LOCK and UNLOCK on one file, 4 clients";
    Ok(vec![
        Row::new("lock", work, "1/s", ours)
            .beside(&samba(), theirs)
            .goal(Goal::RatioAtLeast(3.0)),
        Row::new(
            "lock",
            &format!("the same with {} locks held on it", count(held)),
            "1/s",
            full,
        )
        .beside("with none held", free)
        .goal(Goal::RatioAtLeast(1.0 / 1.5)),
    ])
}

/// `break`.
pub fn break_oplock(world: &World) -> Result<Vec<Row>, String> {
    let rounds = world.size("1000", "50");
    let (ours, theirs) = side_by_side(world, |kind| {
        let words = ["break-oplock", "--rounds", rounds];
        world.load_number(&world.start(kind), &words, "p50_us")
    })?;
    let work = "CREATE that breaks a batch oplock, acknowledged at once, p50";
    Ok(vec![
        Row::new("break", work, "µs", ours)
            .beside(&samba(), theirs)
            .goal(Goal::RatioAtMost(0.7)),
    ])
}

/// `watch`.
pub fn watch(world: &World) -> Result<Vec<Row>, String> {
    let (directories, changes): (u32, u32) = world.size((1_000, 10_000), (50, 500));
    let (ours, theirs) = side_by_side(world, |kind| {
        let subject = world.start(kind);
        let before = subject.pids();
        let cpu = processor_seconds(&before);
        let words = [
            "watch",
            "--directories",
            &directories.to_string(),
            "--changes",
            &changes.to_string(),
        ];
        let told = world.load_number(&subject, &words, "told")?;
        if told != f64::from(changes) {
            return Err(format!("{told} changes were told of {changes}"));
        }
        // Samba's processes end behind their connections; their time is then their parent's.
        let start = Instant::now();
        while subject.pids().len() > before.len() && start.elapsed() < PROCESS_END {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(settled(|| processor_seconds(&subject.pids())) - cpu)
    })?;
    let work = format!(
        "{} watched directories, {} changes: the server's CPU time",
        count(directories),
        count(changes)
    );
    Ok(vec![
        Row::new("watch", &work, "s", ours)
            .beside(&samba(), theirs)
            .goal(Goal::RatioAtMost(0.5)),
    ])
}

fn fill(folder: &Path, files: u32) -> Result<(), String> {
    let made = fs::create_dir(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o777)))
        .and_then(|()| {
            (0..files).try_for_each(|number| {
                fs::write(folder.join(format!("file number {number:06}.txt")), "")
            })
        });
    made.map_err(|error| format!("could not make {files} files: {error}"))
}

/// `create-missing`.
pub fn create_missing(world: &World) -> Result<Vec<Row>, String> {
    let files: u32 = world.size(300_000, 5_000);
    let subject = world.start(Kind::Netsession);
    fill(&subject.data().join("large"), files)?;
    let (mut median, mut maximum) = (Sample::default(), Sample::default());
    for _ in 0..world.rounds {
        let seconds = world.size("3", "0.5");
        let words = ["create-missing", "--name", "large", "--seconds", seconds];
        let measured = world.load(&subject, &words)?;
        let millis = |key: &str| measured[key].as_f64().unwrap_or(f64::NAN) / 1e3;
        median.push(millis("p50_us"));
        maximum.push(millis("maximum_us"));
    }
    let work = format!(
        "ECHO of others while 4 clients create missing names in a directory of {}",
        count(files)
    );
    Ok(vec![
        Row::new("create-missing", &format!("{work}, p50"), "ms", median).goal(Goal::AtMost(2.0)),
        Row::new("create-missing", &format!("{work}, longest"), "ms", maximum)
            .goal(Goal::AtMost(20.0)),
    ])
}
