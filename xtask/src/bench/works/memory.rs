//! Memory of sessions that do nothing.

use netsession_tests::Kind;

use super::enumeration::PER_CONNECTION;
use super::{count, samba};
use crate::bench::process::{proportional_kib, resident_kib, settled};
use crate::bench::report::{Goal, Row};
use crate::bench::statistics::Sample;
use crate::bench::world::World;

/// Growth of the server by each session, in KiB.
fn growth(world: &World, kind: Kind, sessions: u32, per_connection: &str) -> Result<f64, String> {
    let subject = world.start(kind);
    // The first session of all makes the server fetch code and tables.
    drop(world.hold(&subject, &["--sessions", "1"])?);
    // One process shares nothing that matters; Samba's share most of what they map.
    let size = || match kind {
        Kind::Netsession => resident_kib(&subject.pids()),
        Kind::Samba => proportional_kib(&subject.pids()),
    };
    let before = settled(size);
    let _held = world.hold(
        &subject,
        &[
            "--sessions",
            &sessions.to_string(),
            "--per-connection",
            per_connection,
        ],
    )?;
    Ok((settled(size) - before) / f64::from(sessions))
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
        .goal(Goal::AtMost(4.0)),
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
    ])
}
