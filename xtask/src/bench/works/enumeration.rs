//! NetrSessionEnum.

use netsession_tests::{Kind, Subject};
use serde_json::Value;

use super::{count, samba, side_by_side};
use crate::bench::process;
use crate::bench::report::{Goal, Row};
use crate::bench::statistics::Sample;
use crate::bench::world::{Holding, World};

/// Sessions of one connection where there are more of them than descriptors.
pub const PER_CONNECTION: &str = "50";

/// Many, and few, in the measurements that compare the two.
pub fn many(world: &World) -> u32 {
    world.size(100_000, 2_000)
}

/// The server's list has so many sessions when the administrator asks; none is needed for
/// one, which is his own.
fn list_of(
    world: &World,
    subject: &Subject,
    sessions: u64,
    open_files: u32,
) -> Result<Option<Holding>, String> {
    if sessions < 2 {
        return Ok(None);
    }
    let words = [
        "--sessions",
        &(sessions - 1).to_string(),
        "--open-files",
        &open_files.to_string(),
    ];
    world.hold(subject, &words).map(Some)
}

/// p50 in milliseconds.
fn p50(world: &World, kind: Kind, sessions: u64, open_files: u32) -> Result<f64, String> {
    let subject = world.start(kind);
    let _held = list_of(world, &subject, sessions, open_files)?;
    latency(world, &subject, sessions, &[])
}

fn latency(world: &World, subject: &Subject, sessions: u64, more: &[&str]) -> Result<f64, String> {
    let rows = sessions.to_string();
    let words = [&["enum", "--level", "1", "--rows", &rows], more].concat();
    Ok(world.load_number(subject, &words, "p50_us")? / 1e3)
}

/// `enum`.
pub fn by_sessions(world: &World) -> Result<Vec<Row>, String> {
    let sizes: &[(u64, f64)] = world.size(
        &[(1, 0.9), (50, 0.4), (500, 0.08), (2_000, 0.04)],
        &[(1, 0.9), (50, 0.4)],
    );
    let mut rows = Vec::new();
    for &(sessions, goal) in sizes {
        let (ours, theirs) = side_by_side(world, |kind| p50(world, kind, sessions, 0))?;
        let work = format!("NetrSessionEnum level 1, p50, of {}", count(sessions));
        rows.push(
            Row::new("enum", &work, "ms", ours)
                .beside(&samba(), theirs)
                .goal(Goal::RatioAtMost(goal))
                .at(sessions),
        );
    }
    // How it goes on where Samba has no processes left.
    let beyond: &[u64] = world.size(&[10_000, 100_000], &[200]);
    for &sessions in beyond {
        let subject = world.start(Kind::Netsession);
        let words = [
            "--sessions",
            &(sessions - 1).to_string(),
            "--per-connection",
            PER_CONNECTION,
        ];
        let _held = world.hold(&subject, &words)?;
        let sample = (0..world.rounds)
            .map(|_| latency(world, &subject, sessions, &[]))
            .collect::<Result<Sample, _>>()?;
        let work = format!("NetrSessionEnum level 1, p50, of {}", count(sessions));
        rows.push(Row::new("enum", &work, "ms", sample).at(sessions));
    }
    Ok(rows)
}

/// `enum-small`: fragments of the size that most clients bind with.
pub fn with_small_fragments(world: &World) -> Result<Vec<Row>, String> {
    let sizes: &[(u64, f64)] = world.size(&[(500, 0.08), (2_000, 0.04)], &[(50, 0.4)]);
    let small = ["--fragment", "4280", "--read", "65536"];
    let mut rows = Vec::new();
    for &(sessions, goal) in sizes {
        let (ours, theirs) = side_by_side(world, |kind| {
            let subject = world.start(kind);
            let _held = list_of(world, &subject, sessions, 0)?;
            latency(world, &subject, sessions, &small)
        })?;
        let work = format!(
            "the same in fragments of 4,280 bytes, reads of 64 KiB, of {}",
            count(sessions)
        );
        rows.push(
            Row::new("enum-small", &work, "ms", ours)
                .beside(&samba(), theirs)
                .goal(Goal::RatioAtMost(goal)),
        );
    }
    Ok(rows)
}

/// `enum-open`.
pub fn with_open_files(world: &World) -> Result<Vec<Row>, String> {
    let sessions = world.size(500, 50);
    let mut without = Sample::default();
    let (ours, theirs) = side_by_side(world, |kind| {
        if kind == Kind::Netsession {
            without.push(p50(world, kind, sessions, 0)?);
        }
        p50(world, kind, sessions, 4)
    })?;
    let work =
        format!("NetrSessionEnum level 1, p50, of {sessions} sessions with 4 open files each");
    Ok(vec![
        Row::new("enum-open", &work, "ms", ours.clone()).beside(&samba(), theirs),
        // Five in a hundred is what two rounds of the same differ by.
        Row::new("enum-open", &work, "ms", ours)
            .beside("without open files", without)
            .goal(Goal::RatioAtMost(1.05)),
    ])
}

/// Numbers of a list in the generator's answer.
fn numbers(value: &Value) -> Sample {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_f64).collect()
}

/// `enum-all`.
pub fn all(world: &World) -> Result<Vec<Row>, String> {
    let sessions = many(world);
    let subject = world.start(Kind::Netsession);
    let _held = world.hold(
        &subject,
        &[
            "--sessions",
            &(sessions - 1).to_string(),
            "--per-connection",
            PER_CONNECTION,
        ],
    )?;
    let rounds = world.rounds.to_string();
    process::reset_peak(subject.pid())?;
    let before = process::peak_kib(subject.pid());
    let words = [
        "enum-all",
        "--rows",
        &sessions.to_string(),
        "--rounds",
        &rounds,
    ];
    let measured = world.load(&subject, &words)?;
    let after = process::peak_kib(subject.pid());
    let mebibytes = measured["bytes"].as_f64().unwrap_or_default() / 1024.0 / 1024.0;
    let pages = measured["pages"].as_u64().unwrap_or_default();
    let work = format!(
        "all of {} at level 502, {mebibytes:.1} MiB in {pages} pages",
        count(sessions)
    );
    let mut rows = vec![
        Row::new("enum-all", &work, "s", numbers(&measured["wire_s"]))
            .beside(
                "copying and decoding the bytes",
                numbers(&measured["copy_s"]),
            )
            .goal(Goal::RatioAtMost(3.0)),
    ];
    if let (Some(before), Some(after)) = (before, after) {
        let growth = std::iter::once(after - before).collect();
        rows.push(
            Row::new(
                "enum-all",
                "growth of the server's resident set meanwhile",
                "KiB",
                growth,
            )
            // A page is 256 KiB; it exists as rows, as a stub and as frames.
            .goal(Goal::AtMost(4_096.0)),
        );
    }
    Ok(rows)
}

/// Medians of the same work among few and among many sessions, in microseconds. Both servers
/// are there from the beginning and asked in turn, so that both see the same machine.
pub fn few_and_many(world: &World, words: &[&str], key: &str) -> Result<(Sample, Sample), String> {
    let with_sessions = |sessions: u32| {
        let subject = world.start(Kind::Netsession);
        let held = world.hold(
            &subject,
            &[
                "--sessions",
                &sessions.to_string(),
                "--per-connection",
                PER_CONNECTION,
            ],
        )?;
        Result::<_, String>::Ok((held, subject))
    };
    let servers = [with_sessions(10)?, with_sessions(many(world))?];
    let mut samples = [Sample::default(), Sample::default()];
    for round in 0..world.rounds {
        let mut order = [0, 1];
        order.rotate_left(round % 2);
        for which in order {
            let (_, subject) = &servers[which];
            samples[which].push(world.load_number(subject, words, key)?);
        }
    }
    Ok(samples.into())
}

/// `get-one`.
pub fn get_one(world: &World) -> Result<Vec<Row>, String> {
    let (few, many_sample) = few_and_many(world, &["get-one", "--level", "502"], "p50_us")?;
    let work = format!(
        "one session by client and user among {}, p50",
        count(many(world))
    );
    Ok(vec![
        Row::new("get-one", &work, "µs", many_sample)
            .beside("among 10", few)
            .goal(Goal::RatioAtMost(1.3)),
    ])
}
