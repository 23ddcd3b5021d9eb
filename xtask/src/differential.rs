//! `cargo xtask differential`: the same requests put to our server and Samba.

use std::path::Path;
use std::process::Command;

use crate::run::run;
use crate::test::cargo;

/// `--bounded`, what `cargo xtask test` plays: schedules 1 to 150, a minute on two cores.
const BOUNDED: &[&str] = &["--schedules", "150"];

/// Builds both programs and runs the comparison with `words`.
pub fn differential(root: &Path, words: &[&str]) -> Result<(), String> {
    run(cargo(root).args([
        "build",
        "--release",
        "--quiet",
        "-p",
        "netsession-cli",
        "-p",
        "netsession-differential",
    ]))?;
    let program = |name: &str| root.join("target/release").join(name);
    let words = words.iter().flat_map(|word| match *word {
        "--bounded" => BOUNDED,
        _ => std::slice::from_ref(word),
    });
    run(Command::new(program("netsession-differential"))
        .args(words)
        .current_dir(root)
        .env("NETSESSION_PROGRAM", program("netsession")))
}
