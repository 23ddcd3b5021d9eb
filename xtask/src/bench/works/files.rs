//! A large file with smbclient, there and back.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use netsession_tests::client::{LONG, Speech, smbclient};
use netsession_tests::subject::ALICE;
use netsession_tests::{Kind, Options, Subject, program, tree};

use super::{samba, side_by_side_all};
use crate::bench::process::{processor_seconds, settled};
use crate::bench::report::{Goal, Row};
use crate::bench::world::World;

const MIB: u64 = 1 << 20;

/// Enough for a process to notice that its connection is closed.
const PROCESS_END: Duration = Duration::from_secs(5);

/// Runs smbclient with this command; its time, and the processor time that it cost the
/// server, in seconds.
fn timed(subject: &Subject, protection: &'static str, local: &Path, command: &str) -> (f64, f64) {
    let speech = Speech {
        dialect: Some("SMB3_11"),
        protection,
    };
    let mut smbclient = smbclient(subject, "data", ALICE, speech, local, command);
    let before = subject.pids();
    let cpu = processor_seconds(&before);
    let finished = program::run(&mut smbclient, LONG).succeeded();
    // Samba's process for this connection ends behind it; its time is then its parent's, once
    // that has waited for it.
    let start = Instant::now();
    while subject.pids().len() > before.len() && start.elapsed() < PROCESS_END {
        std::thread::sleep(Duration::from_millis(10));
    }
    let cpu = settled(|| processor_seconds(&subject.pids())) - cpu;
    (finished.took.as_secs_f64(), cpu)
}

/// Get and put: MiB/s and processor seconds per GiB, each.
fn both_ways(
    world: &World,
    kind: Kind,
    protection: &'static str,
    source: &Path,
    size: u64,
) -> Result<[f64; 4], String> {
    let subject = world.start_with(
        kind,
        Options {
            signing_optional: protection == "off",
            ..Options::default()
        },
    );
    let failed = |error: std::io::Error| format!("a file of {size} bytes: {error}");
    fs::copy(source, subject.data().join("large")).map_err(failed)?;
    // To /dev/null, so that writing the file here does not hide what the server costs.
    let (get, get_cpu) = timed(&subject, protection, world.scratch(), "get large /dev/null");
    fs::remove_file(subject.data().join("large")).map_err(failed)?;
    let put = format!("put {} new", source.display());
    let (put, put_cpu) = timed(&subject, protection, world.scratch(), &put);
    tree::assert_same_file(source, &subject.data().join("new"));
    let (mebibytes, gibibytes) = (size as f64 / MIB as f64, size as f64 / 1024.0 / MIB as f64);
    Ok([
        mebibytes / get,
        get_cpu / gibibytes,
        mebibytes / put,
        put_cpu / gibibytes,
    ])
}

/// `throughput`.
pub fn throughput(world: &World) -> Result<Vec<Row>, String> {
    let size = world.size(1024 * MIB, 64 * MIB);
    let source = world.scratch().join("source");
    tree::make_file(&source, size);
    let mut rows = Vec::new();
    for (protection, name) in [
        ("off", "plain"),
        ("sign", "signed"),
        ("encrypt", "encrypted"),
    ] {
        let [ours, theirs] = side_by_side_all(world, |kind| {
            both_ways(world, kind, protection, &source, size)
        })?;
        let works = [
            ("get", "MiB/s", Goal::RatioAtLeast(1.0)),
            (
                "get: the server's CPU time",
                "s/GiB",
                Goal::RatioAtMost(0.8),
            ),
            ("put", "MiB/s", Goal::RatioAtLeast(1.0)),
            (
                "put: the server's CPU time",
                "s/GiB",
                Goal::RatioAtMost(0.8),
            ),
        ];
        for ((ours, theirs), (work, unit, goal)) in ours.into_iter().zip(theirs).zip(works) {
            let work = format!("{} MiB {name}, smbclient {work}", size / MIB);
            rows.push(
                Row::new("throughput", &work, unit, ours)
                    .beside(&samba(), theirs)
                    .goal(goal),
            );
        }
    }
    fs::remove_file(&source).map_err(|error| error.to_string())?;
    Ok(rows)
}
