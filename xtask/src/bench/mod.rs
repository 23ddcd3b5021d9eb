//! `cargo xtask bench`: our server and a private Samba in turn, on loopback, with their
//! data in memory, under the same load from the same generator.

pub mod machine;
mod plot;
pub mod process;
mod report;
mod statistics;
mod table;
mod works;
pub mod world;
mod write;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use report::{Report, Row};
use world::World;
pub use world::raise_descriptor_limit;

use crate::run::say;

/// Version of the results in JSON.
const SCHEMA_VERSION: u32 = 1;

/// One measurement, or a few that need the same preparation.
struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn(&World) -> Result<Vec<Row>, String>,
}

/// What was asked for.
#[derive(Debug, PartialEq)]
struct Wanted {
    names: Vec<String>,
    rounds: usize,
    quick: bool,
    record: bool,
    json: Option<PathBuf>,
    write: Option<PathBuf>,
    from: Option<PathBuf>,
}

/// The benches with what each measures, for the usage.
pub fn usage() -> String {
    let lines = works::ALL.iter().map(|bench| {
        let (name, about) = (bench.name, bench.about);
        format!("      {name:<12} {about}\n")
    });
    lines.collect()
}

/// Runs the benches named, or all.
pub fn bench(root: &Path, words: &[&str]) -> Result<(), String> {
    let wanted = parse(words)?;
    let report = match &wanted.from {
        Some(file) => read(file)?,
        None => measure(root, &wanted)?,
    };
    println!("\n{}", table::plain(&report.rows));
    print!("{}", table::circumstances(&report));
    if wanted.from.is_none() {
        let file = wanted
            .json
            .unwrap_or_else(|| root.join("target/bench/results.json"));
        write::json(&file, &report)?;
        say(&format!("results in {}", file.display()));
    }
    if wanted.record {
        let file = works::instructions::record(root, &report)?;
        say(&format!("recorded in {}", file.display()));
    }
    if let Some(document) = wanted.write {
        write::document(&document, &report)?;
        say(&format!("written into {}", document.display()));
    }
    match report.failures.len() {
        0 => Ok(()),
        count => Err(format!("{count} of the benches measured nothing")),
    }
}

fn parse(words: &[&str]) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        names: Vec::new(),
        rounds: 0,
        quick: false,
        record: false,
        json: None,
        write: None,
        from: None,
    };
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word {
            "--quick" => wanted.quick = true,
            "--record" => wanted.record = true,
            "--rounds" => {
                let text = value()?;
                wanted.rounds = text
                    .parse()
                    .ok()
                    .filter(|rounds| (1..=100).contains(rounds))
                    .ok_or_else(|| format!("--rounds {text}: a number from 1 to 100"))?;
            }
            "--json" => wanted.json = Some(value()?.into()),
            "--write" => wanted.write = Some(value()?.into()),
            "--from" => wanted.from = Some(value()?.into()),
            name if works::ALL.iter().any(|bench| bench.name == name) => {
                wanted.names.push(name.to_owned());
            }
            other => {
                return Err(format!("no bench `{other}`; there are:\n{}", usage()));
            }
        }
    }
    if wanted.rounds == 0 {
        wanted.rounds = if wanted.quick { 1 } else { 5 };
    }
    Ok(wanted)
}

fn measure(root: &Path, wanted: &Wanted) -> Result<Report, String> {
    let world = World::new(root, wanted.rounds, wanted.quick)?;
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        machine: machine::line(),
        commit: machine::commit(root),
        date: machine::date(),
        rounds: wanted.rounds,
        quick: wanted.quick,
        rows: Vec::new(),
        failures: Vec::new(),
    };
    let named =
        |bench: &&Bench| wanted.names.is_empty() || wanted.names.contains(&bench.name.into());
    for bench in works::ALL.iter().filter(named) {
        say(&format!("== {}: {}", bench.name, bench.about));
        let start = Instant::now();
        // What is shared with the tests panics; the other benches can still measure.
        let result = catch_unwind(AssertUnwindSafe(|| (bench.run)(&world)))
            .unwrap_or_else(|_| Err("it panicked (above)".to_owned()));
        match result {
            Ok(rows) => {
                print!("{}", table::plain(&rows));
                report.rows.extend(rows);
            }
            Err(reason) => {
                say(&format!("{} FAILED: {reason}", bench.name));
                let first = reason.lines().next().unwrap_or_default();
                report.failures.push(format!("{}: {first}", bench.name));
            }
        }
        say(&format!("{} s", start.elapsed().as_secs()));
    }
    Ok(report)
}

fn read(file: &Path) -> Result<Report, String> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("could not read {}: {error}", file.display()))?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| format!("{} holds no results: {error}", file.display()))?;
    if report.schema_version != SCHEMA_VERSION {
        return Err(format!(
            "{} has version {} of the results, this is {SCHEMA_VERSION}",
            file.display(),
            report.schema_version
        ));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let wanted = parse(&["echo", "--rounds", "3", "enum", "--json", "x.json"]).unwrap();
        assert_eq!(wanted.names, ["echo", "enum"]);
        assert_eq!(wanted.rounds, 3);
        assert_eq!(wanted.json, Some("x.json".into()));
        assert_eq!(parse(&[]).unwrap().rounds, 5);
        assert_eq!(parse(&["--quick"]).unwrap().rounds, 1);
    }

    #[test]
    fn wrong_words() {
        for words in [
            &["nothing-like-it"][..],
            &["--rounds"],
            &["--rounds", "0"],
            &["--rounds", "many"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = works::ALL.iter().map(|bench| bench.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), works::ALL.len());
    }
}
