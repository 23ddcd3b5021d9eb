//! `cargo xtask install-capi`: the C library where a C compiler finds it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{run, say};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// As in crates/capi/build.rs.
const SONAME: &str = "libnetsession.so.0";

/// `--prefix DIR [--destdir DIR]`. The prefix is where the files will be used, the destination
/// a folder to be put before it while installing (for packages).
pub fn install_capi(root: &Path, words: &[&str]) -> Result<(), String> {
    let (mut prefix, mut destination) = (None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().map(PathBuf::from);
        match (*word, value) {
            ("--prefix", Some(value)) => prefix = Some(value),
            ("--destdir", Some(value)) => destination = Some(value),
            (_, None) => return Err(format!("`{word}` without a value")),
            (other, _) => return Err(format!("unknown `{other}`: --prefix DIR --destdir DIR")),
        }
    }
    let prefix = prefix.ok_or("--prefix DIR is missing, for instance /usr/local")?;
    let prefix = std::path::absolute(&prefix).map_err(failed("find", &prefix))?;
    let into = match &destination {
        Some(destination) => destination.join(prefix.strip_prefix("/").unwrap_or(&prefix)),
        None => prefix.clone(),
    };

    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    run(
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(root)
            .args(["build", "--release", "-p", "netsession-capi"])
            .arg("--target-dir")
            .arg(&target),
    )?;

    let source = root.join("crates/capi");
    let lib = into.join("lib");
    let versioned = format!("libnetsession.so.{VERSION}");
    for folder in [&lib.join("pkgconfig"), &into.join("include/netsession")] {
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
    }
    copy(
        &target.join("release/libnetsession_capi.so"),
        &lib.join(&versioned),
    )?;
    link(&versioned, &lib.join(SONAME))?;
    link(SONAME, &lib.join("libnetsession.so"))?;
    copy(
        &target.join("release/libnetsession_capi.a"),
        &lib.join("libnetsession.a"),
    )?;
    install_headers(
        &source.join("include/netsession"),
        &into.join("include/netsession"),
    )?;
    let template = source.join("netsession.pc.in");
    let description = fs::read_to_string(&template)
        .map_err(failed("read", &template))?
        .replace("@PREFIX@", &prefix.to_string_lossy())
        .replace("@VERSION@", VERSION);
    let place = lib.join("pkgconfig/netsession.pc");
    fs::write(&place, description).map_err(failed("write", &place))?;
    say(&format!("installed {versioned} in {}", into.display()));
    Ok(())
}

fn install_headers(from: &Path, into: &Path) -> Result<(), String> {
    for entry in fs::read_dir(from).map_err(failed("read", from))? {
        let entry = entry.map_err(failed("read", from))?;
        copy(&entry.path(), &into.join(entry.file_name()))?;
    }
    Ok(())
}

/// Replaces what is there by a new file: a running program keeps the old library.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    remove(to)?;
    fs::copy(from, to).map(drop).map_err(failed("write", to))
}

fn link(to: &str, at: &Path) -> Result<(), String> {
    remove(at)?;
    symlink(to, at).map_err(failed("write", at))
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed("replace", path)(error))
        }
        _ => Ok(()),
    }
}

fn failed(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let tried = format!("could not {what} {}", path.display());
    move |error| format!("{tried}: {error}")
}
