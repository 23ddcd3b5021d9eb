//! Sessions that begin and end.

use netsession_tests::Kind;

use super::enumeration::{few_and_many, many};
use super::{count, samba, side_by_side};
use crate::bench::report::{Goal, Row};
use crate::bench::statistics::Sample;
use crate::bench::world::World;

/// `del`.
pub fn del(world: &World) -> Result<Vec<Row>, String> {
    let (few, many_sample) = few_and_many(world, &["del", "--victims", "100"], "p50_us")?;
    let work = format!("NetrSessionDel of one among {}, p50", count(many(world)));
    Ok(vec![
        Row::new("del", &work, "µs", many_sample)
            .beside("among 10", few)
            .goal(Goal::RatioAtMost(1.5)),
    ])
}

/// `del-many`.
pub fn del_many(world: &World) -> Result<Vec<Row>, String> {
    let (all, quarter): (u32, u32) = world.size((10_000, 2_500), (400, 100));
    let mut samples = [Sample::default(), Sample::default()];
    let (mut delay, mut usual) = (Sample::default(), Sample::default());
    for _ in 0..world.rounds {
        for (sample, sessions) in samples.iter_mut().zip([all, quarter]) {
            let subject = world.start(Kind::Netsession);
            let words = ["del-many", "--sessions", &sessions.to_string()];
            let measured = world.load(&subject, &words)?;
            let number = |key: &str| {
                measured[key]
                    .as_f64()
                    .ok_or_else(|| format!("no `{key}` in {measured}"))
            };
            sample.push(number("seconds")? / f64::from(sessions) * 1e6);
            if sessions == all {
                delay.push(number("probe_during_maximum_us")? / 1e3);
                usual.push(number("probe_before_maximum_us")? / 1e3);
            }
        }
    }
    let [whole, part] = samples;
    Ok(vec![
        Row::new(
            "del-many",
            &format!("NetrSessionDel of {} at once, per session", count(all)),
            "µs",
            whole,
        )
        .beside(&format!("of {} at once", count(quarter)), part)
        // Linear, with room for the caches that fewer sessions fit into.
        .goal(Goal::RatioAtMost(1.25)),
        Row::new(
            "del-many",
            &format!("longest ECHO of another session while {} end", count(all)),
            "ms",
            delay,
        )
        .beside("before", usual)
        .goal(Goal::AtMost(20.0)),
    ])
}

/// `setup`.
pub fn setup(world: &World) -> Result<Vec<Row>, String> {
    let seconds = world.size("3", "0.5");
    let rate = |words: &[&str]| {
        let words = [&["setup", "--seconds", seconds], words].concat();
        side_by_side(world, |kind| {
            world.load_number(&world.start(kind), &words, "per_second")
        })
    };
    let (ours, theirs) = rate(&["--threads", "4"])?;
    let (ours_same, theirs_same) = rate(&["--threads", "1", "--same-connection"])?;
    Ok(vec![
        Row::new(
            "setup",
            "session set-ups, new connection each, 4 threads",
            "1/s",
            ours,
        )
        .beside(&samba(), theirs)
        .goal(Goal::RatioAtLeast(10.0)),
        Row::new(
            "setup",
            "session set-ups on one connection",
            "1/s",
            ours_same,
        )
        .beside(&samba(), theirs_same)
        .goal(Goal::RatioAtLeast(6.0)),
    ])
}
