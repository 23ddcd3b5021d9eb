//! `cargo xtask differential`: the same requests put to our server and Samba.

use std::path::Path;
use std::process::Command;

use crate::run::run;
use crate::test::cargo;

/// What `cargo xtask test` plays: one to three minutes on two cores.
pub const IN_TEST: &[&str] = &["--schedules", "100"];

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
    run(Command::new(program("netsession-differential"))
        .args(words)
        .current_dir(root)
        .env("NETSESSION_PROGRAM", program("netsession")))
}
