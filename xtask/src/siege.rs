//! `cargo xtask siege`: attacks on our server, each beside clients who work and an
//! administrator who ends it, with figures and what they should be.

mod attacks;
mod verdict;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use netsession_tests::{Kind, Subject};
use serde::Serialize;
use serde_json::Value;

use crate::bench::machine;
use crate::bench::process::{peak_kib, reset_peak, resident_kib, settled};
use crate::bench::world::World;
use crate::run::say;
use attacks::Attack;
use verdict::{Judged, Memory};

/// How long the server may take to give memory back.
const BACK: Duration = Duration::from_secs(10);

/// What was asked for.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    names: Vec<String>,
    bounded: bool,
    json: Option<PathBuf>,
}

/// A whole run, as it is written.
#[derive(Serialize)]
struct Report {
    schema_version: u32,
    machine: String,
    commit: String,
    date: String,
    bounded: bool,
    attacks: Vec<Told>,
}

/// One attack and what came of it.
#[derive(Serialize)]
struct Told {
    name: &'static str,
    about: &'static str,
    wanted: u32,
    /// Descriptors that the server may have open.
    descriptors: Option<u64>,
    memory: Memory,
    judged: Vec<Judged>,
    /// All that the load generator says.
    seen: Value,
}

/// The attacks with what each is, for the usage.
pub fn usage() -> String {
    let lines = attacks::ALL.iter().map(|attack| {
        let (name, about) = (attack.name, attack.about);
        format!("      {name:<12} {about}\n")
    });
    lines.collect()
}

/// Runs the attacks named, or all. A missed target is an error.
pub fn siege(root: &Path, words: &[&str]) -> Result<(), String> {
    let wanted = parse(words)?;
    let world = World::new(root, 1, wanted.bounded)?;
    let mut report = Report {
        schema_version: 1,
        machine: machine::line(),
        commit: machine::commit(root),
        date: machine::date(),
        bounded: wanted.bounded,
        attacks: Vec::new(),
    };
    let named =
        |attack: &&Attack| wanted.names.is_empty() || wanted.names.contains(&attack.name.into());
    let mut failures = Vec::new();
    for attack in attacks::ALL.iter().filter(named) {
        let start = Instant::now();
        match run(&world, attack) {
            Ok(told) => {
                say(&format!("== {}: {}", told.name, told.about));
                print!("{}", verdict::table(&told.judged, &told.seen));
                report.attacks.push(told);
            }
            Err(reason) => {
                say(&format!("{} FAILED: {reason}", attack.name));
                failures.push(attack.name);
            }
        }
        say(&format!("{} s", start.elapsed().as_secs()));
    }
    let file = wanted
        .json
        .unwrap_or_else(|| root.join("target/bench/siege.json"));
    write(&file, &report)?;
    say(&format!(
        "{}; commit {}; results in {}",
        report.machine,
        report.commit,
        file.display()
    ));
    let judged = report.attacks.iter().flat_map(|told| &told.judged);
    let missed = judged.filter(|one| !one.met).count();
    match (missed, failures.as_slice()) {
        (0, []) => Ok(()),
        (missed, []) => Err(format!("{missed} targets are missed")),
        (missed, failed) => Err(format!(
            "{missed} targets are missed, and these measured nothing: {}",
            failed.join(" ")
        )),
    }
}

fn parse(words: &[&str]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "--bounded" => wanted.bounded = true,
            "--json" => {
                let file = words.next().ok_or("--json needs a value")?;
                wanted.json = Some(file.into());
            }
            name if attacks::ALL.iter().any(|attack| attack.name == name) => {
                wanted.names.push(name.to_owned());
            }
            other => return Err(format!("no attack `{other}`; there are:\n{}", usage())),
        }
    }
    Ok(wanted)
}

fn run(world: &World, attack: &Attack) -> Result<Told, String> {
    let subject = world.start(Kind::Netsession);
    attacks::prepare(&subject.data(), attack)?;
    // The first sessions make the server fetch code and tables.
    world.load(&subject, &["open-close", "--seconds", "0.2"])?;
    let pid = subject.pid();
    let size = || resident_kib(&[pid]);
    let before = settled(size);
    reset_peak(pid)?;
    let count = world.size(attack.count, attack.bounded);
    let seconds = world.size("20", "5");
    let seen = world.load(
        &subject,
        &[
            "siege",
            attack.name,
            "--count",
            &count.to_string(),
            "--seconds",
            seconds,
        ],
    )?;
    let peak = peak_kib(pid).ok_or("the server is gone")?;
    let memory = given_back(before, peak, size);
    Ok(Told {
        name: attack.name,
        about: attack.about,
        wanted: count,
        descriptors: descriptors(&subject),
        judged: verdict::judge(&seen, &memory, world.quick),
        memory,
        seen,
    })
}

/// Waits until the server has given back what the attack made it take, or [`BACK`] is over.
fn given_back(before: f64, peak: f64, size: impl Fn() -> f64) -> Memory {
    let start = Instant::now();
    let mut memory = Memory {
        before_mib: before / 1024.0,
        growth_mib: (peak - before) / 1024.0,
        left_mib: f64::NAN,
        back_seconds: None,
    };
    loop {
        memory.left_mib = (size() - before) / 1024.0;
        if memory.left_mib <= verdict::SLACK_MIB {
            memory.back_seconds = Some(start.elapsed().as_secs_f64());
            return memory;
        }
        if start.elapsed() > BACK {
            return memory;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// `Max open files` of the server.
fn descriptors(subject: &Subject) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{}/limits", subject.pid())).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn write(file: &Path, report: &Report) -> Result<(), String> {
    let text = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
    if let Some(folder) = file.parent() {
        let _ = fs::create_dir_all(folder);
    }
    fs::write(file, text + "\n")
        .map_err(|error| format!("could not write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let wanted = parse(&["handles", "--bounded", "logons", "--json", "x.json"]).unwrap();
        assert_eq!(wanted.names, ["handles", "logons"]);
        assert!(wanted.bounded);
        assert_eq!(wanted.json, Some("x.json".into()));
        assert_eq!(parse(&[]).unwrap(), Wanted::default());
        assert!(parse(&["nothing-like-it"]).is_err());
        assert!(parse(&["--json"]).is_err());
    }

    #[test]
    fn memory_that_comes_back() {
        let sizes = std::cell::RefCell::new(vec![2_048.0, 900_000.0]);
        let memory = given_back(1_024.0, 900_000.0, || {
            sizes.borrow_mut().pop().unwrap_or_default()
        });
        assert!(memory.back_seconds.is_some());
        assert_eq!(memory.left_mib, 1.0);
        assert!(memory.growth_mib > 800.0);
    }
}
