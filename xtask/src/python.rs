//! `cargo xtask test python`: the Python package, built as a wheel, installed into a clean
//! virtual environment and tested from outside the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::prerequisites::{pip, python};
use crate::run::{run, say};

/// Where the wheel is installed.
fn clean(root: &Path) -> PathBuf {
    root.join("target/interop/wheel-venv")
}

/// The Python that has the wheel.
pub fn wheel_python(root: &Path) -> PathBuf {
    clean(root).join("bin/python")
}

/// Builds the wheel and installs it.
pub fn build(root: &Path) -> Result<(), String> {
    let package = root.join("crates/python");
    let built = root.join("target/interop/wheels");
    let wheel = build_wheel(root, &package, &built)?;
    install(root, &package, &clean(root), &wheel)
}

/// Tests the installed wheel. `program` is the program `netsession`.
pub fn test(root: &Path, cargo: impl Fn() -> Command, program: &Path) -> Result<(), String> {
    let package = root.join("crates/python");
    let clean = clean(root);
    run(cargo().args([
        "build",
        "--quiet",
        "-p",
        "netsession-tests",
        "--example",
        "subject",
    ]))?;
    let subject = root.join("target/debug/examples/subject");
    // Not below the checkout: whatever the tests import has to come from the wheel.
    let outside = std::env::temp_dir().join(format!("netsession-wheel-{}", std::process::id()));
    let _outside = Removed::make(outside.clone())?;
    for name in ["tests", "examples"] {
        copy_folder(&package.join(name), &outside.join(name))?;
    }
    let inside = |arguments: &[&str]| {
        let mut command = Command::new(clean.join("bin/python"));
        command
            .args(arguments)
            .current_dir(&outside)
            .env("NETSESSION_PROGRAM", program)
            .env("NETSESSION_SUBJECT_PROGRAM", &subject)
            .env_remove("PYTHONPATH");
        run(&mut command)
    };
    inside(&["-m", "mypy", "--strict", "-p", "netsession"])?;
    inside(&["-m", "mypy.stubtest", "netsession"])?;
    inside(&["-m", "mypy", "--strict", "tests/driver.py", "examples"])?;
    inside(&["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"])
}

/// The wheel, freshly built with the Rust that is here.
fn build_wheel(root: &Path, package: &Path, built: &Path) -> Result<PathBuf, String> {
    if built.exists() {
        fs::remove_dir_all(built).map_err(|error| format!("{}: {error}", built.display()))?;
    }
    run(Command::new(python(root))
        .args(["-m", "maturin", "build", "--release", "--quiet", "--out"])
        .arg(built)
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .current_dir(root))?;
    let wheel = fs::read_dir(built)
        .map_err(|error| format!("{}: {error}", built.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel.ok_or_else(|| format!("maturin left no wheel in {}", built.display()))
}

/// A new virtual environment with the wheel and what tests it.
fn install(root: &Path, package: &Path, clean: &Path, wheel: &Path) -> Result<(), String> {
    run(Command::new(python(root))
        .args(["-m", "venv", "--clear"])
        .arg(clean))?;
    run(pip(&clean.join("bin/python"))
        .arg("-r")
        .arg(package.join("tests/requirements.txt")))?;
    // Without an index: the package needs no other.
    run(pip(&clean.join("bin/python")).arg("--no-index").arg(wheel))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("copying {}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, to.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}

/// A folder that goes when this does.
struct Removed(PathBuf);

impl Removed {
    fn make(folder: PathBuf) -> Result<Self, String> {
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            say(&format!("{} stays: {error}", self.0.display()));
        }
    }
}
