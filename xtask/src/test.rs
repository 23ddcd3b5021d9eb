//! `cargo xtask test`: all that has to pass before a change lands.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::run::{run, say};
use crate::{differential, guest, prerequisites, python, siege, torture};

const PARTS: &[&str] = &[
    "format",
    "lint",
    "prerequisites",
    "build",
    "unit",
    "fuzz",
    "python",
    "interop",
    "torture",
    "siege",
    "differential",
    "guest",
];

/// What stands for several parts: the answers that come within minutes.
const QUICK: &[&str] = &["format", "lint", "unit"];

/// Runs the named parts, or if none is named all of them, in the order of [`PARTS`].
pub fn test(wanted: &[&str]) -> Result<(), String> {
    let wanted: Vec<&str> = wanted
        .iter()
        .flat_map(|part| match *part {
            "quick" => QUICK.to_vec(),
            part => vec![part],
        })
        .collect();
    if let Some(unknown) = wanted.iter().find(|part| !PARTS.contains(part)) {
        return Err(format!(
            "no part `{unknown}`; the parts are: {}, and quick for format lint unit",
            PARTS.join(" ")
        ));
    }
    let root = root()?;
    let start = Instant::now();
    // What `python` and `interop` use; `build` makes it, and a part alone must not miss it.
    let needs_wheel = wanted.contains(&"python")
        || wanted.contains(&"interop") && !python::wheel_python(&root).exists();
    if needs_wheel && !wanted.contains(&"build") {
        python::build(&root)?;
    }
    for part in PARTS
        .iter()
        .filter(|part| wanted.is_empty() || wanted.contains(part))
    {
        say(&format!("== {part} (at {} s)", start.elapsed().as_secs()));
        run_part(part, &root)?;
    }
    say(&format!(
        "all parts passed in {} s",
        start.elapsed().as_secs()
    ));
    Ok(())
}

fn run_part(part: &str, root: &Path) -> Result<(), String> {
    match part {
        "format" => run(cargo(root).args(["fmt", "--all", "--check"])),
        "lint" => run(cargo(root).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])),
        "prerequisites" => prerequisites::install(root),
        // Real clients are driven against the optimised program, as users run it.
        "build" => {
            run(cargo(root).args([
                "build",
                "--release",
                "-p",
                "netsession-cli",
                "-p",
                "netsession-capi",
            ]))?;
            python::build(root)
        }
        "unit" => run(cargo(root).args([
            "test",
            "--workspace",
            "--exclude",
            "netsession-tests",
            "--exclude",
            "netsession-fuzz",
        ])),
        "fuzz" => run(cargo(root).args(["test", "-p", "netsession-fuzz"])),
        "interop" => run(cargo(root)
            .args(["test", "-p", "netsession-tests", "--no-fail-fast"])
            .env("NETSESSION_PROGRAM", root.join("target/release/netsession"))
            .env("NETSESSION_PYTHON", prerequisites::python(root))
            .env("NETSESSION_WHEEL_PYTHON", python::wheel_python(root))),
        "torture" => torture::torture(root, &["--bounded"]),
        "siege" => siege::siege(root, &["--bounded"]),
        "differential" => differential::differential(root, &["--bounded"]),
        "guest" => guest::guest(root, &["--bounded"]),
        "python" => python::test(
            root,
            || cargo(root),
            &root.join("target/release/netsession"),
        ),
        other => Err(format!("no part `{other}`")),
    }
}

/// `cargo` in the checkout.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// The root of the checkout.
pub fn root() -> Result<PathBuf, String> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| "xtask has no parent folder".to_owned())
}
