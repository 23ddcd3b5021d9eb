//! Linux's own SMB client (cifs.ko) against the server under test: Debian's kernel in qemu, two mounts of
//! one share, each a client of its own, and the checks of `tests/guest/checks.sh` by both.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::subject::{ALICE, Kind, Options, Subject};

/// Every dialect that the checks run at: the client's names, `+seal` for encryption.
pub const DIALECTS: &[&str] = &["2.0", "2.1", "3.0", "3.1.1", "3.1.1+seal"];

/// Dialects of the short run that take [`SHORT`] only; 3.1.1 takes all of [`CHECKS`].
const SHORT_DIALECTS: &[&str] = &["2.1", "3.0", "3.1.1+seal"];

/// The dialect that Linux chooses by itself.
const USUAL: &str = "3.1.1";

/// The checks, functions `check_NAME` of `tests/guest/checks.sh`. `folders` comes late: it makes
/// the client give up inode numbers on its mounts.
pub const CHECKS: &[&str] = &[
    "copy",
    "random",
    "random2",
    "seen",
    "fcntl",
    "flock",
    "append",
    "count",
    "storm",
    "notify",
    "while_open",
    "fio",
    "fio_mapped",
    "sqlite",
    "sqlite_locks",
    "links",
    "fallocate",
    "times",
    "names",
    "statfs",
    "modes",
    "symlinks",
    "exclusive",
    "copy_range",
    "git",
    "listing",
    "folders",
];

/// What differs most between dialects: signatures, encryption, oplocks or leases, waiting.
const SHORT: &[&str] = &["copy", "random2", "fcntl", "while_open"];

/// What fits into two minutes of emulation: what waits, what is cached and given up, and the
/// programs, at the usual dialect; and once the way of older dialects and of encryption.
const BOUNDED: &[&str] = &[
    "copy",
    "random2",
    "seen",
    "fcntl",
    "flock",
    "notify",
    "while_open",
    "sqlite",
    "sqlite_locks",
    "links",
    "exclusive",
    "git",
];

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A server on this machine.
    Outside(Kind),
    /// Linux's own, in the guest.
    Ksmbd,
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Words of [`DIALECTS`].
    pub dialects: Vec<&'static str>,
    /// Words of [`CHECKS`], or `DIALECT:CHECK`.
    pub checks: Vec<String>,
    /// The seed of the random operations.
    pub seed: u32,
    /// After this the guest is ended.
    pub limit: Duration,
}

/// The longest that one check may take in the guest, which may be emulated.
const CHECK_LIMIT: Duration = Duration::from_secs(120);

impl Plan {
    /// What runs with the tests.
    pub fn bounded() -> Self {
        let usual = BOUNDED.iter().map(|check| format!("{USUAL}:{check}"));
        let others = ["2.1:fcntl", "3.1.1+seal:random2"].map(str::to_owned);
        Plan {
            dialects: vec![USUAL, "2.1", "3.1.1+seal"],
            checks: usual.chain(others).collect(),
            seed: 1,
            limit: Duration::from_secs(420),
        }
    }

    /// What fits into about four minutes on two cores without KVM.
    pub fn short() -> Self {
        let usual = CHECKS.iter().map(|check| format!("{USUAL}:{check}"));
        let others = SHORT_DIALECTS
            .iter()
            .flat_map(|dialect| SHORT.iter().map(move |check| format!("{dialect}:{check}")));
        let mut dialects = vec![USUAL];
        dialects.extend(SHORT_DIALECTS);
        Plan {
            dialects,
            checks: usual.chain(others).collect(),
            seed: 1,
            limit: Duration::from_secs(600),
        }
    }

    /// Every check at every dialect.
    pub fn all() -> Self {
        Plan {
            dialects: DIALECTS.to_vec(),
            checks: CHECKS.iter().map(|check| (*check).to_owned()).collect(),
            seed: 1,
            limit: Duration::from_secs(2400),
        }
    }
}

/// Starts the server and the guest, prints a line for each check, and fails if one failed.
pub fn run(root: &Path, peer: Peer, plan: &Plan) -> Result<(), String> {
    let folder = root.join("target/guest");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    build(root, &folder)?;
    let subject = match peer {
        Peer::Outside(kind) => Some(Subject::of(kind, Options::default())),
        Peer::Ksmbd => {
            let mut tools = Command::new(root.join("tests/guest/ksmbd_tools"));
            let status = tools.arg(&folder).status();
            if !status.is_ok_and(|status| status.success()) {
                return Err("the programs of ksmbd could not be fetched".to_owned());
            }
            None
        }
    };
    let port = subject
        .as_ref()
        .map_or_else(|| "ksmbd".to_owned(), Subject::port);
    let mut guest = Command::new(root.join("tests/guest/boot"))
        .arg(&folder)
        .arg(root.join("tests/guest/inside"))
        .arg(port)
        .arg(&folder)
        .args([ALICE.name, ALICE.password])
        .arg(plan.seed.to_string())
        .arg(CHECK_LIMIT.as_secs().to_string())
        .arg(plan.dialects.join(" "))
        .arg(plan.checks.join(" "))
        .env("GUEST_LIMIT", plan.limit.as_secs().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("tests/guest/boot: {error}"))?;
    let output = guest.stdout.take().map(BufReader::new);
    let lines = output.into_iter().flat_map(BufReader::lines);
    let (mut passed, mut failed) = (0, Vec::new());
    for line in lines.map_while(Result::ok) {
        println!("{line}");
        if let Some(name) = line.strip_prefix("not ok ") {
            failed.push(name.to_owned());
        } else if line.starts_with("ok ") {
            passed += 1;
        }
    }
    let status = guest.wait().map_err(|error| error.to_string())?;
    match failed.as_slice() {
        [] if status.success() && passed > 0 => Ok(()),
        [] => Err("the guest did not come to its end".to_owned()),
        failed => Err(format!(
            "{} of {} checks failed in the guest: {}",
            failed.len(),
            failed.len() + passed,
            failed.join(", ")
        )),
    }
}

/// The program for what a shell cannot do. Static, so that it starts at once in the guest.
fn build(root: &Path, folder: &Path) -> Result<(), String> {
    let status = Command::new("gcc")
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o"])
        .arg(folder.join("two_mounts"))
        .arg(root.join("tests/guest/two_mounts.c"))
        .status()
        .map_err(|error| format!("gcc: {error}; `cargo xtask prerequisites` installs it"))?;
    match status.success() {
        true => Ok(()),
        false => Err("tests/guest/two_mounts.c could not be built".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::root;

    #[test]
    fn every_check_is_there_and_run() {
        let script = std::fs::read_to_string(root().join("tests/guest/checks.sh")).unwrap();
        let mut defined: Vec<&str> = script
            .lines()
            .filter_map(|line| line.strip_prefix("check_")?.split("()").next())
            .collect();
        let mut run = CHECKS.to_vec();
        defined.sort_unstable();
        run.sort_unstable();
        assert_eq!(defined, run);
        assert!(SHORT.iter().all(|check| CHECKS.contains(check)));
        assert!(BOUNDED.iter().all(|check| CHECKS.contains(check)));
        let plan = Plan::short();
        assert!(plan.dialects.iter().all(|name| DIALECTS.contains(name)));
        assert!(plan.checks.contains(&"3.1.1:listing".to_owned()));
        assert!(plan.checks.contains(&"3.1.1+seal:copy".to_owned()));
    }
}
