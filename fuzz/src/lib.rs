//! Fuzz targets for every decoder of the protocol crates, both ends.
//!
//! A target takes any bytes and must neither panic nor hang; where a value that was read can
//! be written, it must read back the same. `cargo test -p netsession-fuzz` runs each on its
//! corpus (`corpus/<target>/`, recorded from real programs by `record.py` or made by hand)
//! and on [`ITERATIONS`] inputs derived from it in the same way every time.
//! `NETSESSION_FUZZ_ITERATIONS` runs more, `NETSESSION_FUZZ_SEED` others.

mod mutation;
pub mod rpc_targets;
pub mod smb_targets;
pub mod srvsvc_targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use mutation::Mutator;

/// A fuzz target; true if the bytes could be read as what it is about.
pub type Target = fn(&[u8]) -> bool;

/// Derived inputs for each target in a plain test run: all targets together stay well below
/// a minute without optimisation.
pub const ITERATIONS: u64 = 50_000;

/// Longer than any input takes, by far; an input that reaches it makes the decoder work out
/// of proportion.
const LONGEST_RUN: Duration = Duration::from_secs(2);

/// Where the seeds of a target are.
pub fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name)
}

/// The seeds of a target, in order of their names.
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let Ok(folder) = fs::read_dir(corpus(name)) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a seed can be read"))
        .collect()
}

/// Runs a target on its seeds and on inputs derived from them.
///
/// # Panics
/// If the target does (the input is then left in `target/fuzz/NAME`), and if it cannot read
/// any of its seeds.
pub fn run(name: &str, target: Target) {
    let number = |variable: &str, otherwise| {
        std::env::var(variable).map_or(otherwise, |text| {
            text.parse()
                .unwrap_or_else(|_| panic!("{variable}={text} is not a number"))
        })
    };
    let iterations = number("NETSESSION_FUZZ_ITERATIONS", ITERATIONS);
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "no seeds in {}", corpus(name).display());
    let understood = seeds
        .iter()
        .filter(|seed| run_one(name, target, seed))
        .count();
    assert!(
        understood > 0,
        "{name}: none of {} seeds can be read",
        seeds.len()
    );
    // Each target has its own sequence, so that none depends on the order of the tests.
    let start = name
        .bytes()
        .fold(number("NETSESSION_FUZZ_SEED", 1), |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let mut mutator = Mutator::new(start, &seeds);
    for _ in 0..iterations {
        run_one(name, target, mutator.next_input());
    }
}

fn run_one(name: &str, target: Target, input: &[u8]) -> bool {
    let keep = KeepOnPanic { name, input };
    let start = Instant::now();
    let understood = target(input);
    assert!(
        start.elapsed() < LONGEST_RUN,
        "{name}: {:?} for one input",
        start.elapsed()
    );
    drop(keep);
    understood
}

/// Leaves the input behind if the target panics.
struct KeepOnPanic<'a> {
    name: &'a str,
    input: &'a [u8],
}

impl Drop for KeepOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz");
            let path = folder.join(self.name);
            let kept = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, self.input));
            eprintln!(
                "{}: {} bytes ({kept:?}) in {}",
                self.name,
                self.input.len(),
                path.display()
            );
        }
    }
}
