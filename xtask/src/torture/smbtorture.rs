//! One test in a process of its own: Samba's program `smbtorture`, its output, its end.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use netsession_tests::Subject;
use netsession_tests::subject::ADMIN;

use super::list::{Row, Verdict};

/// How a test has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Passed, failed, or skipped by itself.
    pub verdict: Verdict,
    /// The first line of the reason it gave; empty if it passed.
    pub reason: String,
    /// How long it ran.
    pub took: Duration,
}

/// Runs `row` against `subject`; the whole output goes into `log`. A test that is not done
/// after `limit` is ended.
pub fn run(row: &Row, subject: &Subject, log: &Path, limit: Duration) -> Result<Outcome, String> {
    let base = tempfile::tempdir().map_err(|error| format!("no folder for smbtorture: {error}"))?;
    let mut child = start(row, subject, log, base.path())?;
    let start = Instant::now();
    let mut late = false;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() >= limit && !late => {
                late = true;
                let _ = child.kill();
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(format!("could not wait for smbtorture: {error}")),
        }
    };
    let took = start.elapsed();
    let output = fs::read(log).map_err(|error| format!("could not read its output: {error}"))?;
    let end = match late {
        true => format!("not done after {} s", limit.as_secs()),
        false => format!("the program ended without a result ({status})"),
    };
    let (verdict, reason) =
        verdict(&String::from_utf8_lossy(&output)).unwrap_or((Verdict::Fail, end));
    Ok(Outcome {
        verdict,
        reason,
        took,
    })
}

fn start(row: &Row, subject: &Subject, log: &Path, base: &Path) -> Result<Child, String> {
    let open = || File::create(log).and_then(|file| Ok((file.try_clone()?, file)));
    let (output, errors) =
        open().map_err(|error| format!("could not write {}: {error}", log.display()))?;
    let host = subject.address().ip();
    let target = match row.suite.starts_with("rpc.") {
        true => format!("ncacn_np:{host}"),
        false => format!("//{host}/data"),
    };
    Command::new("smbtorture")
        .arg(target)
        .args(["-p", &subject.port()])
        .args(["-U", &ADMIN.credentials()])
        .args(["-s", "/dev/null", "--format=subunit"])
        .arg("--option=client min protocol=SMB2_02")
        // Its own limit is 40 minutes or less; ours is the one that counts.
        .arg("--maximum-runtime=100000")
        .arg("--basedir")
        .arg(base)
        .arg(row.name())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(|error| {
            format!("could not start smbtorture: {error}; `cargo xtask prerequisites` installs it")
        })
}

/// The result in its output (subunit, version 1), with the first line of its reason.
fn verdict(output: &str) -> Option<(Verdict, String)> {
    let mut lines = output.lines();
    while let Some(line) = lines.next() {
        let Some((word, rest)) = line.split_once(": ") else {
            continue;
        };
        let verdict = match word {
            "success" | "uxsuccess" => Verdict::Pass,
            "failure" | "error" | "xfail" => Verdict::Fail,
            "skip" => Verdict::Skip,
            _ => continue,
        };
        let reason = match rest.ends_with('[') && verdict != Verdict::Pass {
            true => lines.next().unwrap_or_default().trim().to_owned(),
            false => String::new(),
        };
        return Some((verdict, reason));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results() {
        let passed = "time: 2026-01-01\ntest: contend\nsuccess: contend\n";
        assert_eq!(verdict(passed), Some((Verdict::Pass, String::new())));
        let failed = "test: lock\nsome: words\nfailure: lock [\nlock.c:5: wrong\nmore\n]\n";
        let reason = "lock.c:5: wrong".to_owned();
        assert_eq!(verdict(failed), Some((Verdict::Fail, reason)));
        let skipped = "skip: rw-none [\nnot here\n]\n";
        assert_eq!(
            verdict(skipped),
            Some((Verdict::Skip, "not here".to_owned()))
        );
        assert_eq!(verdict("test: lock\nstarted\n"), None);
    }
}
