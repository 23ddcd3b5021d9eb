//! Instructions of the hot paths, counted by callgrind: the same on a busy machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::bench::report::{Goal, Report, Row};
use crate::bench::world::World;
use crate::run::run;

/// Name of the bench.
const BENCH: &str = "instructions";

/// Hash maps are seeded anew in each process, so that counts differ a little.
const TOLERANCE: f64 = 1.05;

/// Rounds of the shorter of the two runs whose difference is counted; the longer has twice
/// as many. So neither the start nor the preparation is in the count.
const ROUNDS: u64 = 100;

/// What was counted last, with what.
#[derive(Deserialize, Serialize)]
struct Recorded {
    /// `rustc --version`: another one makes other code.
    compiler: String,
    /// By path, in one round.
    instructions: BTreeMap<String, u64>,
}

/// `instructions`: beside those that were recorded.
pub fn of_hot_paths(world: &World) -> Result<Vec<Row>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(["build", "--release", "-p", "netsession-hot-paths"])
        .current_dir(&world.root))?;
    let program = world.root.join("target/release/hot-path-rounds");
    let recorded = read(&world.root)?;
    let mut rows = Vec::new();
    for name in output(&mut Command::new(&program))?.0.lines() {
        let once = counted(&program, name, ROUNDS)?;
        let twice = counted(&program, name, 2 * ROUNDS)?;
        let each = twice.saturating_sub(once) / ROUNDS;
        let sample = std::iter::once(each as f64).collect();
        let row = Row::new(BENCH, name, "instructions", sample);
        rows.push(
            match recorded.as_ref().and_then(|it| it.instructions.get(name)) {
                Some(&before) => row
                    .beside("recorded", std::iter::once(before as f64).collect())
                    .goal(Goal::RatioAtMost(TOLERANCE)),
                None => row,
            },
        );
    }
    Ok(rows)
}

/// Makes what this run counted the measure for the next.
pub fn record(root: &Path, report: &Report) -> Result<PathBuf, String> {
    let counted = report.rows.iter().filter(|row| row.bench == BENCH);
    let recorded = Recorded {
        compiler: output(Command::new("rustc").arg("--version"))?
            .0
            .trim()
            .to_owned(),
        instructions: counted
            .filter_map(|row| Some((row.work.clone(), row.ours.median()? as u64)))
            .collect(),
    };
    if recorded.instructions.is_empty() {
        return Err(format!(
            "--record is for the bench `{BENCH}`, which did not run"
        ));
    }
    let file = file(root);
    let text = serde_json::to_string_pretty(&recorded).map_err(|error| error.to_string())?;
    fs::write(&file, text + "\n")
        .map_err(|error| format!("could not write {}: {error}", file.display()))?;
    Ok(file)
}

fn file(root: &Path) -> PathBuf {
    root.join("benches/hot_paths/instructions.json")
}

fn read(root: &Path) -> Result<Option<Recorded>, String> {
    let file = file(root);
    match fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| format!("{} holds no counts: {error}", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("could not read {}: {error}", file.display())),
    }
}

fn counted(program: &Path, name: &str, rounds: u64) -> Result<u64, String> {
    let (_, said) = output(
        Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args([name, &rounds.to_string()]),
    )?;
    collected(&said).ok_or_else(|| format!("callgrind gave no count for {name}: {said}"))
}

/// The number in callgrind's last lines.
fn collected(said: &str) -> Option<u64> {
    let (_, behind) = said.split_once("Collected :")?;
    behind.split_whitespace().next()?.parse().ok()
}

/// Standard output and standard error of a program that has to succeed.
fn output(command: &mut Command) -> Result<(String, String), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("could not start {program}: {error}"))?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let error = text(&output.stderr);
    if output.status.success() {
        Ok((text(&output.stdout), error))
    } else {
        Err(format!("{program} failed ({}): {error}", output.status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found() {
        let said = "==7== Events    : Ir\n==7== Collected : 5258200\n==7==\n";
        assert_eq!(collected(said), Some(5_258_200));
        assert_eq!(collected("==7== no such line"), None);
    }
}
