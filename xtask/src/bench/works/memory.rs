//! Memory of sessions, opens and locks that do nothing.

use netsession_tests::Kind;

use super::enumeration::PER_CONNECTION;
use super::{count, samba};
use crate::bench::process::{proportional_kib, resident_kib, settled};
use crate::bench::report::{Goal, Row};
use crate::bench::statistics::Sample;
use crate::bench::world::World;

/// Growth of the server by each session, in KiB.
fn growth(world: &World, kind: Kind, sessions: u32, per_connection: &str) -> Result<f64, String> {
    let words = [
        "--sessions",
        &sessions.to_string(),
        "--per-connection",
        per_connection,
    ];
    Ok(growth_by(world, kind, &words)? / f64::from(sessions))
}

/// Growth of the server by what is held, in KiB.
fn growth_by(world: &World, kind: Kind, words: &[&str]) -> Result<f64, String> {
    let subject = world.start(kind);
    // The first session of all makes the server fetch code and tables.
    drop(world.hold(&subject, &["--sessions", "1"])?);
    // One process shares nothing that matters; Samba's share most of what they map.
    let size = || match kind {
        Kind::Netsession => resident_kib(&subject.pids()),
        Kind::Samba => proportional_kib(&subject.pids()),
    };
    let before = settled(size);
    let _held = world.hold(&subject, words)?;
    Ok(settled(size) - before)
}

/// Growth of our server by each of `count` things of one session, in KiB.
fn growth_of_one(world: &World, option: &str, count: u32) -> Result<Sample, String> {
    let words = ["--sessions", "1", option, &count.to_string()];
    let each = || Ok(growth_by(world, Kind::Netsession, &words)? / f64::from(count));
    sample(world, each)
}

fn sample(world: &World, measure: impl Fn() -> Result<f64, String>) -> Result<Sample, String> {
    // A size varies far less than a time.
    (0..world.rounds.min(3)).map(|_| measure()).collect()
}

/// `memory`.
pub fn idle(world: &World) -> Result<Vec<Row>, String> {
    let (own, shared, of_samba) = world.size((10_000, 100_000, 500), (200, 1_000, 20));
    let ours = sample(world, || growth(world, Kind::Netsession, own, "1"))?;
    let theirs = sample(world, || growth(world, Kind::Samba, of_samba, "1"))?;
    let many = sample(world, || {
        growth(world, Kind::Netsession, shared, PER_CONNECTION)
    })?;
    // An address may have 8,320 descriptors of a machine that gives 20,000.
    let opens: u32 = world.size(8_000, 1_000);
    let locks: u32 = world.size(100_000, 10_000);
    let an_open = growth_of_one(world, "--open-files", opens)?;
    let a_lock = growth_of_one(world, "--locks", locks)?;
    let a_lock: Sample = a_lock.values().iter().map(|kib| kib * 1024.0).collect();
    Ok(vec![
        Row::new(
            "memory",
            &format!(
                "an idle session with a tree connect, own connection, at {}",
                count(own)
            ),
            "KiB",
            ours,
        )
        .beside(&format!("{} at {of_samba}, PSS", samba()), theirs)
        .goal(Goal::AtMost(2.4)),
        Row::new(
            "memory",
            &format!(
                "the same, {PER_CONNECTION} per connection, at {}",
                count(shared)
            ),
            "KiB",
            many,
        )
        .goal(Goal::AtMost(2.5)),
        Row::new(
            "memory",
            &format!("an open file, at {}", count(opens)),
            "KiB",
            an_open,
        )
        .goal(Goal::AtMost(1.0)),
        Row::new(
            "memory",
            &format!("a byte-range lock, at {}", count(locks)),
            "B",
            a_lock,
        )
        .goal(Goal::AtMost(128.0)),
    ])
}
