//! [`World`]: where a run takes place, and the servers and programs in it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use netsession_tests::program;
use netsession_tests::{Kind, Options, Subject};
use serde_json::Value;
use tempfile::TempDir;

use crate::run::{run, say};

/// What a program of the bench may take; the load generator ends itself a little earlier.
const LONGEST: Duration = Duration::from_secs(600);

/// Names of our folders, for finding those of a run that was ended the hard way.
const PREFIX: &str = "netsession-bench-";

/// Where a run takes place.
pub struct World {
    /// Root of the checkout.
    pub root: PathBuf,
    /// Rounds of each measurement.
    pub rounds: usize,
    /// Fewer sessions, smaller files: to see that it works.
    pub quick: bool,
    load: PathBuf,
    scratch: TempDir,
}

impl World {
    /// Builds what is needed and makes a folder in memory.
    pub fn new(root: &Path, rounds: usize, quick: bool) -> Result<Self, String> {
        raise_descriptor_limit();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        run(Command::new(cargo)
            .args([
                "build",
                "--release",
                "-p",
                "netsession-cli",
                "-p",
                "netsession-load",
            ])
            .current_dir(root))?;
        let memory = Path::new("/dev/shm");
        if !memory.is_dir() {
            return Err("the data of a run lies in /dev/shm, which is not here".to_owned());
        }
        remove_left_behind(memory);
        let scratch = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir_in(memory)
            .map_err(|error| format!("could not make a folder in /dev/shm: {error}"))?;
        Ok(World {
            root: root.to_owned(),
            rounds,
            quick,
            load: root.join("target/release/netsession-load"),
            scratch,
        })
    }

    /// A folder in memory, removed at the end.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The program `netsession`.
    pub fn netsession(&self) -> PathBuf {
        self.root.join("target/release/netsession")
    }

    /// `full`, or `quick` in a quick run.
    pub fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Starts a server with its data in memory.
    pub fn start(&self, kind: Kind) -> Subject {
        self.start_with(kind, Options::default())
    }

    /// As [`World::start`], set up otherwise.
    pub fn start_with(&self, kind: Kind, options: Options) -> Subject {
        Subject::of(
            kind,
            Options {
                parent: Some(self.scratch().to_owned()),
                ..options
            },
        )
    }

    /// Runs the load generator to its end; what it measured.
    pub fn load(&self, subject: &Subject, words: &[&str]) -> Result<Value, String> {
        let finished = program::run(&mut self.load_command(subject, words), LONGEST);
        if finished.code != Some(0) {
            return Err(finished.to_string());
        }
        serde_json::from_str(&finished.stdout).map_err(|error| format!("{error}: {finished}"))
    }

    /// As [`World::load`], one number of it.
    pub fn load_number(&self, subject: &Subject, words: &[&str], key: &str) -> Result<f64, String> {
        let value = self.load(subject, words)?;
        value[key]
            .as_f64()
            .ok_or_else(|| format!("no number `{key}` in {value}"))
    }

    /// Lets the load generator hold sessions; they are there when this returns.
    pub fn hold(&self, subject: &Subject, words: &[&str]) -> Result<Holding, String> {
        let mut command = self.load_command(subject, &[&["hold"], words].concat());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("could not start netsession-load: {error}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let holding = Holding { child, input };
        let mut line = String::new();
        // Ends at the latest when the generator's own limit ends it.
        if let Some(output) = output {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(|error| error.to_string())?;
        }
        match serde_json::from_str::<Value>(&line) {
            Ok(ready) if ready["ready"].is_u64() => Ok(holding),
            _ => Err(format!("the sessions {words:?} could not be set up")),
        }
    }

    fn load_command(&self, subject: &Subject, words: &[&str]) -> Command {
        let mut command = Command::new(&self.load);
        command
            .args(["--server", &subject.host_and_port()])
            .args(["--longest", &(LONGEST.as_secs() - 10).to_string()])
            .args(words);
        command
    }
}

/// Sessions that are there until this is dropped.
pub struct Holding {
    child: Child,
    input: Option<ChildStdin>,
}

impl Drop for Holding {
    fn drop(&mut self) {
        // The end of its input is its sign.
        drop(self.input.take());
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ten thousand connections need as many descriptors at either end; what we start inherits
/// our limit.
pub fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if setrlimit(Resource::Nofile, raised).is_err() {
        say("the limit of descriptors stays as it is");
    }
}

/// Removes folders of runs whose process is gone.
fn remove_left_behind(memory: &Path) {
    for entry in fs::read_dir(memory).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        if let Some(pid) = pid.and_then(|pid| pid.parse::<u32>().ok())
            && !Path::new(&format!("/proc/{pid}")).exists()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
