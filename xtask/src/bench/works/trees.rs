//! A tree of small files, there and back, with smbclient and rclone.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use netsession_tests::client::{LONG, SHORT, Speech, smbclient};
use netsession_tests::program::run;
use netsession_tests::subject::ALICE;
use netsession_tests::{Kind, Options, Subject, tree};

use super::{count, samba, side_by_side_all};
use crate::bench::report::{Goal, Row};
use crate::bench::world::World;

/// Up and down, in seconds; what came down is what went up.
fn there_and_back(
    world: &World,
    source: &Path,
    up: impl FnOnce(&Path) -> Duration,
    down: impl FnOnce(&Path) -> Duration,
) -> Result<[f64; 2], String> {
    let target = world.scratch().join("target");
    fs::create_dir(&target).map_err(|error| error.to_string())?;
    let up = up(source);
    let down = down(&target);
    tree::assert_same(source, &target);
    fs::remove_dir_all(&target).map_err(|error| error.to_string())?;
    Ok([up.as_secs_f64(), down.as_secs_f64()])
}

fn with_smbclient(world: &World, kind: Kind, source: &Path) -> Result<[f64; 2], String> {
    let subject = world.start(kind);
    let client = |local: &Path, command: &str| {
        let speech = Speech::default();
        let mut command = smbclient(&subject, "data", ALICE, speech, local, command);
        run(&mut command, LONG).succeeded().took
    };
    there_and_back(
        world,
        source,
        |source| client(source, "recurse ON; prompt OFF; mput *"),
        |target| client(target, "recurse ON; prompt OFF; mget *"),
    )
}

fn rclone(subject: &Subject, password: &str, words: [&str; 3]) -> Duration {
    let mut command = Command::new("rclone");
    command
        .args(["--config", "/dev/null"])
        .args(["--retries", "1", "--low-level-retries", "1"])
        .args(["--smb-host", "127.0.0.1", "--smb-port", &subject.port()])
        .args(["--smb-user", ALICE.name, "--smb-pass", password])
        .args(words);
    run(&mut command, LONG).succeeded().took
}

fn with_rclone(world: &World, kind: Kind, source: &Path) -> Result<[f64; 2], String> {
    // rclone refuses the unsigned interim responses that smbd sends in signed sessions.
    let subject = world.start_with(
        kind,
        Options {
            signing_optional: true,
            ..Options::default()
        },
    );
    let mut obscure = Command::new("rclone");
    obscure.args(["obscure", ALICE.password]);
    let password = run(&mut obscure, SHORT).succeeded().stdout;
    let password = password.trim();
    there_and_back(
        world,
        source,
        |source| {
            let words = ["copy", &source.to_string_lossy(), ":smb:data/tree"];
            rclone(&subject, password, words)
        },
        |target| {
            let words = ["copy", ":smb:data/tree", &target.to_string_lossy()];
            rclone(&subject, password, words)
        },
    )
}

/// `tree`.
pub fn copies(world: &World) -> Result<Vec<Row>, String> {
    let files: u32 = world.size(10_000, 300);
    let source = world.scratch().join("tree");
    tree::make(&source, files as usize);
    let [smbclient_ours, smbclient_theirs] =
        side_by_side_all(world, |kind| with_smbclient(world, kind, &source))?;
    let [rclone_ours, rclone_theirs] =
        side_by_side_all(world, |kind| with_rclone(world, kind, &source))?;
    fs::remove_dir_all(&source).map_err(|error| error.to_string())?;
    let clients = [
        ("smbclient", smbclient_ours, smbclient_theirs),
        ("rclone", rclone_ours, rclone_theirs),
    ];
    let mut rows = Vec::new();
    for (client, ours, theirs) in clients {
        for ((ours, theirs), way) in ours.into_iter().zip(theirs).zip(["up", "down"]) {
            let work = format!("a tree of {} small files, {client}, {way}", count(files));
            rows.push(
                Row::new("tree", &work, "s", ours)
                    .beside(&samba(), theirs)
                    // 1.2 times as fast.
                    .goal(Goal::RatioAtMost(1.0 / 1.2)),
            );
        }
    }
    Ok(rows)
}
