//! Running other programs: said aloud, timed, stopped at the first failure.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often a long command is said to be still running.
const STILL_RUNNING: Duration = Duration::from_secs(60);

/// Runs `command` with its output going where ours goes; an error names what failed.
/// Prints a line every minute, so that a quiet command is not taken for a hanging one.
pub fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    say(&format!("$ {shown}"));
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("could not start `{shown}`: {error}"))?;
    let mut said = start;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(error) => return Err(format!("could not wait for `{shown}`: {error}")),
        }
        std::thread::sleep(Duration::from_millis(50));
        if said.elapsed() >= STILL_RUNNING {
            said = Instant::now();
            say(&format!("… {} s: {shown}", start.elapsed().as_secs()));
        }
    };
    if status.success() {
        Ok(())
    } else {
        Err(format!(
            "`{shown}` failed ({status}) after {} s",
            start.elapsed().as_secs()
        ))
    }
}

/// True if `command` can be started and succeeds; its output is not shown.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A line of progress.
pub fn say(line: &str) {
    println!("xtask: {line}");
    // A closed pipe behind our output must not fail the tests.
    let _ = std::io::stdout().flush();
}

fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
