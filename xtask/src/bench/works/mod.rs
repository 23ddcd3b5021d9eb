//! The benches, and what they share.

mod contention;
mod enumeration;
mod files;
pub(super) mod instructions;
mod memory;
mod programs;
mod requests;
mod sessions;
mod trees;

use netsession_tests::Kind;

use super::Bench;
use super::machine;
use super::statistics::Sample;
use super::table;
use super::world::World;
use crate::run::say;

/// All of them, in the order of the table.
pub const ALL: &[Bench] = &[
    Bench {
        name: "enum",
        about: "NetrSessionEnum level 1 on a bound pipe, by number of sessions",
        run: enumeration::by_sessions,
    },
    Bench {
        name: "enum-small",
        about: "the same in fragments of 4,280 bytes, as most clients bind",
        run: enumeration::with_small_fragments,
    },
    Bench {
        name: "enum-open",
        about: "the same with four open files in each session",
        run: enumeration::with_open_files,
    },
    Bench {
        name: "enum-all",
        about: "all of 100,000 sessions at level 502, beside copying the same bytes",
        run: enumeration::all,
    },
    Bench {
        name: "get-one",
        about: "one session by client and user among 100,000, beside among 10",
        run: enumeration::get_one,
    },
    Bench {
        name: "del",
        about: "NetrSessionDel of one session among 100,000, beside among 10",
        run: sessions::del,
    },
    Bench {
        name: "del-many",
        about: "NetrSessionDel of 10,000 at once, and the delay for others",
        run: sessions::del_many,
    },
    Bench {
        name: "memory",
        about: "memory of an idle session, of an open file and of a lock",
        run: memory::idle,
    },
    Bench {
        name: "setup",
        about: "session set-ups per second",
        run: sessions::setup,
    },
    Bench {
        name: "throughput",
        about: "1 GiB with smbclient, there and back: plain, signed, encrypted",
        run: files::throughput,
    },
    Bench {
        name: "open-close",
        about: "pairs of CREATE and CLOSE per second",
        run: requests::open_close,
    },
    Bench {
        name: "echo",
        about: "ECHO requests per second",
        run: requests::echo,
    },
    Bench {
        name: "lock",
        about: "pairs of LOCK and UNLOCK per second, and with 100,000 locks held",
        run: contention::lock,
    },
    Bench {
        name: "break",
        about: "a CREATE that breaks a batch oplock",
        run: contention::break_oplock,
    },
    Bench {
        name: "watch",
        about: "processor time of 10,000 changes in 1,000 watched directories",
        run: contention::watch,
    },
    Bench {
        name: "create-missing",
        about: "ECHO of others while names are created in a directory of 300,000",
        run: contention::create_missing,
    },
    Bench {
        name: "list-dir",
        about: "listing a directory of 10,000 entries",
        run: requests::list_dir,
    },
    Bench {
        name: "tree",
        about: "copying a tree of 10,000 small files with smbclient and rclone",
        run: trees::copies,
    },
    Bench {
        name: "one-call",
        about: "`netsession list` beside rpcclient, from process start to printed table",
        run: programs::one_call,
    },
    Bench {
        name: "fan-out",
        about: "1,000 servers on loopback addresses at once, 10 of them silent",
        run: programs::fan_out,
    },
    Bench {
        name: "instructions",
        about: "instructions of the hot paths (callgrind), beside those recorded",
        run: instructions::of_hot_paths,
    },
];

/// `measure` for both servers in each round; the one that begins changes with the round, so
/// that a machine that slows down slows both down. Ours and Samba's.
fn side_by_side(
    world: &World,
    mut measure: impl FnMut(Kind) -> Result<f64, String>,
) -> Result<(Sample, Sample), String> {
    let [[ours], [theirs]] = side_by_side_all(world, |kind| Ok([measure(kind)?]))?;
    Ok((ours, theirs))
}

/// As [`side_by_side`], several quantities at once.
fn side_by_side_all<const N: usize>(
    world: &World,
    mut measure: impl FnMut(Kind) -> Result<[f64; N], String>,
) -> Result<[[Sample; N]; 2], String> {
    let mut ours = [(); N].map(|()| Sample::default());
    let mut theirs = ours.clone();
    for round in 0..world.rounds {
        let mut kinds = [Kind::Netsession, Kind::Samba];
        kinds.rotate_left(round % 2);
        for kind in kinds {
            let values = measure(kind)?;
            say(&format!("  round {}: {kind:?} {values:?}", round + 1));
            let samples = match kind {
                Kind::Netsession => &mut ours,
                Kind::Samba => &mut theirs,
            };
            for (sample, value) in samples.iter_mut().zip(values) {
                sample.push(value);
            }
        }
    }
    Ok([ours, theirs])
}

/// A count for the table.
fn count(number: impl Into<u64>) -> String {
    table::short(number.into() as f64)
}

/// Samba's name in the table.
fn samba() -> String {
    machine::samba()
}
