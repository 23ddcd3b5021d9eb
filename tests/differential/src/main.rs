//! `cargo xtask differential`: plays schedules until their number is reached.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use netsession_differential::allowed::Allowed;
use netsession_differential::contest::{Contest, Outcome};
use netsession_differential::generate::Wishes;
use netsession_differential::report::script;
use netsession_differential::shrink::{is_steady, kind, shrink};
use netsession_differential::step::Schedule;
use netsession_tests::Kind;

/// An entry of the list of allowed differences that this many schedules do not meet is dead.
const ENOUGH_TO_MEET_ALL: u64 = 2000;

/// Plays the same schedules of SMB2 requests against two servers and compares them.
#[derive(Parser)]
struct Arguments {
    /// The first schedule's seed; without it, schedules 1, 2, 3 and so on
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many schedules [default: 1 with --seed, else 100]
    #[arg(long)]
    schedules: Option<u64>,
    /// Steps of each, before those that end it
    #[arg(long, default_value_t = 60)]
    steps: u32,
    /// The two servers
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..=2,
          default_values = ["netsession", "samba"])]
    subjects: Vec<Server>,
    /// Schedules played at once, each on servers of its own
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Leave out: caching, locks, sharing, compounds
    #[arg(long, value_enum, value_delimiter = ',')]
    without: Vec<Part>,
    /// With change notification
    #[arg(long)]
    notify: bool,
    /// Kinds of differences to report before stopping
    #[arg(long, default_value_t = 10)]
    differences: usize,
    /// Print a schedule that differs as it is
    #[arg(long)]
    no_shrink: bool,
    /// Play this schedule (JSON) instead of drawing some
    #[arg(long)]
    script: Option<PathBuf>,
    /// Further differences to pass over, in the form of allowed.toml
    #[arg(long)]
    also: Option<PathBuf>,
    /// Print every step
    #[arg(long)]
    verbose: bool,
    /// Print how often each allowed difference was met
    #[arg(long)]
    tally: bool,
    /// Where the servers keep their files: a file system with extended attributes of users
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Server {
    Netsession,
    Samba,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    Caching,
    Locks,
    Sharing,
    Compounds,
}

/// What all jobs share.
struct Work {
    arguments: Arguments,
    wishes: Wishes,
    kinds: [Kind; 2],
    folder: PathBuf,
    allowed: Vec<Allowed>,
    next: AtomicU64,
    end: u64,
    finished: AtomicU64,
    steps: AtomicUsize,
    differing: AtomicUsize,
    found: Mutex<Found>,
    start: Instant,
}

#[derive(Default)]
struct Found {
    /// How often each kind was met.
    kinds: BTreeMap<String, u64>,
    /// How often each entry of the list was met.
    used: BTreeMap<usize, u64>,
    /// How often each kind was met that did not come again.
    unsteady: BTreeMap<String, u64>,
    errors: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let allowed = match allowed(&arguments) {
        Ok(allowed) => allowed,
        Err(error) => {
            eprintln!("differential: {error}");
            return ExitCode::from(2);
        }
    };
    let kind = |server: &Server| match server {
        Server::Netsession => Kind::Netsession,
        Server::Samba => Kind::Samba,
    };
    let kinds = match arguments.subjects.as_slice() {
        [one] => [kind(one), kind(one)],
        several => [kind(&several[0]), kind(&several[1])],
    };
    let has = |part| !arguments.without.contains(&part);
    let wishes = Wishes {
        caching: has(Part::Caching),
        locks: has(Part::Locks),
        sharing: has(Part::Sharing),
        compounds: has(Part::Compounds),
        notify: arguments.notify,
    };
    let folder = arguments
        .folder
        .clone()
        .unwrap_or_else(|| netsession_tests::program::root().join("target/differential"));
    if let Err(error) = std::fs::create_dir_all(&folder) {
        eprintln!("differential: {}: {error}", folder.display());
        return ExitCode::from(2);
    }
    let seeds = arguments.schedules.unwrap_or(match arguments.seed {
        1 => 100,
        _ => 1,
    });
    let work = Work {
        next: AtomicU64::new(arguments.seed),
        end: arguments.seed.saturating_add(seeds),
        wishes,
        kinds,
        folder,
        allowed,
        finished: AtomicU64::new(0),
        steps: AtomicUsize::new(0),
        differing: AtomicUsize::new(0),
        found: Mutex::default(),
        start: Instant::now(),
        arguments,
    };
    match &work.arguments.script {
        Some(path) => work.replay(path),
        None => {
            std::thread::scope(|scope| {
                for _ in 0..work.arguments.jobs.clamp(1, seeds as usize) {
                    scope.spawn(|| work.job());
                }
            });
            work.conclude()
        }
    }
}

/// The list in the repository, then the one that the command line names.
fn allowed(arguments: &Arguments) -> Result<Vec<Allowed>, String> {
    let own = netsession_tests::program::root().join("tests/differential/allowed.toml");
    let mut allowed = Vec::new();
    for path in [Some(&own), arguments.also.as_ref()].into_iter().flatten() {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let read = text.and_then(|text| Allowed::read(&text));
        allowed.extend(read.map_err(|error| format!("{}: {error}", path.display()))?);
    }
    Ok(allowed)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

impl Work {
    fn contest(&self) -> Contest {
        Contest::start(self.kinds, &self.folder, self.allowed.clone())
    }

    fn job(&self) {
        let contest = self.contest();
        let runtime = runtime();
        loop {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end || self.found().kinds.len() >= self.arguments.differences {
                return;
            }
            if let Err(error) = runtime.block_on(self.one(&contest, seed)) {
                self.found()
                    .errors
                    .push(format!("schedule {seed}: {error}"));
                return;
            }
            let finished = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
            if finished.is_multiple_of(50) {
                let seconds = self.start.elapsed().as_secs();
                println!("differential: {finished} schedules in {seconds} s");
            }
        }
    }

    async fn one(&self, contest: &Contest, seed: u64) -> Result<(), String> {
        let draw = || contest.draw(seed, self.arguments.steps, self.wishes);
        let outcome = match draw().await {
            // smbd has no memory for a tree connect now and then.
            Err(_) => draw().await?,
            outcome => outcome?,
        };
        self.steps
            .fetch_add(outcome.records.len(), Ordering::Relaxed);
        for place in &outcome.used {
            *self.found().used.entry(*place).or_default() += 1;
        }
        if self.arguments.verbose {
            println!("schedule {seed}\n{}", script(&outcome, self.kinds));
        }
        let mut is_steady_one = false;
        for difference in &outcome.differences {
            let name = format!("{}: {:?}", command(&difference.step), kind(difference));
            if !is_steady(contest, &outcome, difference).await? {
                *self.found().unsteady.entry(name).or_default() += 1;
                continue;
            }
            is_steady_one = true;
            let is_new = {
                let mut found = self.found();
                let count = found.kinds.entry(name).or_default();
                *count += 1;
                *count == 1
            };
            if is_new {
                let shrunk = match self.arguments.no_shrink {
                    true => outcome.clone(),
                    false => shrink(contest, &outcome, difference).await?,
                };
                self.report(seed, &shrunk);
            }
        }
        if is_steady_one {
            self.differing.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn report(&self, seed: u64, outcome: &Outcome) {
        let path = self.folder.join(format!("schedule-{seed}.json"));
        let json = serde_json::to_string_pretty(&outcome.schedule).unwrap_or_default();
        let saved = std::fs::write(&path, json).is_ok();
        let mut text = format!("\nschedule {seed} differs\n{}", script(outcome, self.kinds));
        let Arguments { steps, .. } = self.arguments;
        text += &format!("  again: cargo xtask differential --seed {seed} --steps {steps}\n");
        if saved {
            text += &format!(
                "  shortened: cargo xtask differential --script {}\n",
                path.display()
            );
        }
        println!("{text}");
    }

    fn replay(&self, path: &std::path::Path) -> ExitCode {
        let schedule = std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| serde_json::from_str::<Schedule>(&text).map_err(|e| e.to_string()));
        let outcome = schedule.and_then(|schedule| {
            let contest = self.contest();
            runtime().block_on(contest.replay(&schedule))
        });
        match outcome {
            Ok(outcome) => {
                println!("{}", script(&outcome, self.kinds));
                match outcome.differences.is_empty() {
                    true => ExitCode::SUCCESS,
                    false => ExitCode::FAILURE,
                }
            }
            Err(error) => {
                eprintln!("differential: {}: {error}", path.display());
                ExitCode::from(2)
            }
        }
    }

    fn conclude(&self) -> ExitCode {
        let found = self.found();
        let finished = self.finished.load(Ordering::Relaxed);
        let mut kinds: Vec<_> = found.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (kind, count) in &kinds {
            println!("differential: {count} × {kind}");
        }
        for (kind, count) in &found.unsteady {
            println!("differential: {count} × once only: {kind}");
        }
        for error in &found.errors {
            println!("differential: {error}");
        }
        for (place, entry) in self.allowed.iter().enumerate() {
            let count = found.used.get(&place).copied().unwrap_or_default();
            if self.arguments.tally {
                let ends = if entry.ends { "ends, " } else { "" };
                println!(
                    "differential: {count} × allowed, {ends}{}: {}",
                    entry.step, entry.reason
                );
            }
            if count == 0 && finished >= ENOUGH_TO_MEET_ALL {
                println!("differential: never met: {} ({})", entry.step, entry.reason);
            }
        }
        let allowed: u64 = found.used.values().sum();
        let unsteady: u64 = found.unsteady.values().sum();
        let differing = self.differing.load(Ordering::Relaxed);
        println!(
            "differential: {finished} schedules, {} steps, {differing} differ, {allowed} allowed \
             differences, {unsteady} that did not come again, {} s",
            self.steps.load(Ordering::Relaxed),
            self.start.elapsed().as_secs()
        );
        match found.kinds.is_empty() && found.errors.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Found> {
        self.found
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The command of a step's text: `#5 client 1: SET_INFO rename "a" on #3` is a SET_INFO rename.
fn command(step: &str) -> String {
    let (_, rest) = step.split_once(": ").unwrap_or(("", step));
    let mut words = rest.split_whitespace();
    match (words.next().unwrap_or_default(), words.next()) {
        ("SET_INFO", Some(what)) => format!("SET_INFO {what}"),
        (command, _) => command.to_owned(),
    }
}
