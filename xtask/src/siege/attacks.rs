//! The attacks: how much each wants, and what it needs on the share.

use std::fs::{self, File};
use std::path::Path;

/// One attack of the load generator.
pub struct Attack {
    /// As the generator calls it.
    pub name: &'static str,
    /// What the attacker does.
    pub about: &'static str,
    /// How many it wants.
    pub count: u32,
    /// The same for a short run.
    pub bounded: u32,
}

/// In the order in which they run.
pub const ALL: &[Attack] = &[
    Attack {
        name: "handles",
        about: "one user opens a readable file 100,000 times",
        count: 100_000,
        bounded: 30_000,
    },
    Attack {
        name: "listings",
        about: "opens of a directory of 100,000 names, a listing begun on each",
        // 1.6 GiB if each holds all names.
        count: 300,
        bounded: 100,
    },
    Attack {
        name: "pipes",
        about: "pipes, each with all but the end of a request of 128 KiB",
        // 1 GiB if each of them were held.
        count: 8_000,
        bounded: 2_500,
    },
    Attack {
        name: "answers",
        about: "answers of 8 MiB that nobody reads",
        count: 200,
        bounded: 64,
    },
    Attack {
        name: "frames",
        about: "frames of 8 MiB, one byte short; one of four of 128 KiB before a logon",
        count: 200,
        bounded: 64,
    },
    Attack {
        name: "idle",
        about: "16,000 connections from one address that say nothing",
        // With the clients beside it, what fits 20,000 descriptors at this end.
        count: 16_000,
        bounded: 16_000,
    },
    Attack {
        name: "logons",
        about: "1,024 logons begun on each of many connections, from 8 addresses",
        count: 200,
        bounded: 48,
    },
];

/// Names in the directory of `listings`.
const NAMES: u32 = 100_000;

/// Makes the files that the generator's attacks and clients use.
pub fn prepare(share: &Path, attack: &Attack) -> Result<(), String> {
    let make = || -> std::io::Result<()> {
        fs::write(share.join("readable"), vec![b'r'; 64 * 1024])?;
        fs::write(share.join("large"), vec![b'l'; 8 << 20])?;
        if attack.name == "listings" {
            let many = share.join("many");
            fs::create_dir(&many)?;
            for number in 0..NAMES {
                File::create(many.join(format!("file-{number:06}.txt")))?;
            }
        }
        Ok(())
    };
    make().map_err(|error| format!("could not fill {}: {error}", share.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_short_runs_short() {
        let mut names: Vec<_> = ALL.iter().map(|attack| attack.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|attack| attack.bounded <= attack.count));
    }
}
