//! `cargo xtask torture`: Samba's smbtorture against our server, its results beside Samba's own
//! and beside what `tests/torture/results.tsv` expects. [docs/conformance.md](../../docs/conformance.md)
//! says how to read it.

mod list;
mod report;
mod smbtorture;
mod workers;

use std::path::Path;
use std::time::{Duration, Instant};

use list::{FILE, List, Row, Verdict};
use netsession_tests::Kind;
use report::Report;

use crate::run::say;

/// The longest that a test may take: four oplock breaks that nobody acknowledges, 35 s each,
/// and a little.
const LIMIT: Duration = Duration::from_secs(180);

/// What the bounded run may take on two cores.
const BOUNDED: Duration = Duration::from_secs(600);

/// Servers at a time, for each core: most tests wait more than they work.
const JOBS_PER_CORE: usize = 2;

/// The words behind `torture`.
pub const USAGE: &str = "\
  torture [SUITE|TEST...] [--jobs N] [--limit SECONDS] [--bounded] [--bless] [--samba]
          [--list]
                   Samba's smbtorture against our server, as root: a line for each test, then our
                   result beside Samba's for each suite. Without a name the suites that have to
                   pass; `all` takes every suite. Fails if a test fails that is expected to pass
                   (tests/torture/results.tsv). --jobs says how many servers work at a time;
                   --bounded takes only what is expected to pass and is quick; --bless writes the
                   results into the list; --samba asks a private smbd instead and compares with
                   Samba's column; --list shows the list and runs nothing
";

/// What was asked for.
#[derive(Debug, PartialEq)]
struct Wanted {
    words: Vec<String>,
    jobs: usize,
    limit: Duration,
    bounded: bool,
    bless: bool,
    samba: bool,
    list: bool,
}

/// Runs the tests that `words` name.
pub fn torture(root: &Path, words: &[&str]) -> Result<(), String> {
    let wanted = parse(words)?;
    let mut list = List::read(root)?;
    let mut chosen = list.chosen(&wanted.words)?;
    if wanted.bounded {
        chosen.retain(|&index| list.rows[index].bounded());
    }
    if wanted.list {
        for &index in &chosen {
            println!("{}", shown(&list.rows[index]));
        }
        return Ok(());
    }
    let start = Instant::now();
    let kind = match wanted.samba {
        true => Kind::Samba,
        false => Kind::Netsession,
    };
    let mut report = Report::new(kind);
    println!("TAP version 13\n1..{}", chosen.len());
    let crew = workers::Crew::new(root, kind, wanted.limit)?;
    crew.run(&list.rows, &chosen, wanted.jobs, |index, outcome| {
        report.add(index, &list.rows[index], outcome);
    })?;
    // A test that shares two cores with others may be late for its own clock: what failed
    // against expectation has a second chance, alone.
    let again = report.disappointing();
    if !again.is_empty() && wanted.jobs > 1 {
        println!("# again, one at a time:");
        crew.run(&list.rows, &again, 1, |index, outcome| {
            report.replace(index, &list.rows[index], outcome);
        })?;
    }
    report.totals(&list.rows);
    let seconds = start.elapsed().as_secs();
    say(&format!("{seconds} s; output in {}", crew.logs().display()));
    if wanted.bounded && start.elapsed() > BOUNDED {
        say("that was longer than a bounded run may take: mark a slow test in the list");
    }
    if wanted.bless {
        bless(&mut list, &report);
        list.write(root)?;
        say(&format!("{FILE} is up to date"));
        return Ok(());
    }
    match report.disappointing().len() {
        0 => Ok(()),
        count => Err(format!("{count} tests no longer pass (above)")),
    }
}

fn parse(words: &[&str]) -> Result<Wanted, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut wanted = Wanted {
        words: Vec::new(),
        jobs: cores * JOBS_PER_CORE,
        limit: LIMIT,
        bounded: false,
        bless: false,
        samba: false,
        list: false,
    };
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().unwrap_or_default();
            let number = text
                .parse()
                .ok()
                .filter(|number| (1..=3600).contains(number));
            number.ok_or_else(|| format!("{word} {text}: a number from 1 to 3600"))
        };
        match word {
            "--jobs" => wanted.jobs = number()?,
            "--limit" => wanted.limit = Duration::from_secs(number()? as u64),
            "--bounded" => wanted.bounded = true,
            "--bless" => wanted.bless = true,
            "--samba" => wanted.samba = true,
            "--list" => wanted.list = true,
            word if word.starts_with('-') => return Err(format!("no option {word}\n{USAGE}")),
            word => wanted.words.push(word.to_owned()),
        }
    }
    Ok(wanted)
}

fn shown(row: &Row) -> String {
    let line = format!(
        "{:<60} samba {}  ours {}  {}",
        row.name(),
        row.samba,
        row.ours,
        row.note
    );
    line.trim_end().to_owned()
}

/// Writes the results into the list: Samba's column or ours. A reason stays as long as the test
/// does not pass; a new one has to be written by whoever looks into it.
fn bless(list: &mut List, report: &Report) {
    for (&index, outcome) in &report.outcomes {
        let row = &mut list.rows[index];
        if report.kind == Kind::Samba {
            row.samba = outcome.verdict;
            continue;
        }
        let before = std::mem::replace(&mut row.ours, outcome.verdict);
        if before == outcome.verdict {
            continue;
        }
        row.note = match outcome.verdict {
            Verdict::Pass => String::new(),
            _ => format!("not understood yet: {}", outcome.reason.replace('\t', " ")),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let wanted = parse(&["smb2.lock", "--jobs", "3", "--bounded", "--limit", "7"]).unwrap();
        assert_eq!(wanted.words, ["smb2.lock"]);
        assert_eq!((wanted.jobs, wanted.limit.as_secs()), (3, 7));
        assert!(wanted.bounded && !wanted.bless && !wanted.samba && !wanted.list);
        assert!(parse(&["--jobs"]).is_err());
        assert!(parse(&["--jobs", "0"]).is_err());
        assert!(parse(&["--quickly"]).is_err());
    }
}
