//! Other programs, each within a time limit.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::schema;

/// What a program has said and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// The command line, for messages.
    pub shown: String,
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error output.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Finished {
    /// Panics with everything it said unless it exited with 0.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "should have succeeded: {self}");
        self
    }

    /// Panics with everything it said if it exited with 0.
    #[track_caller]
    pub fn failed(self) -> Self {
        assert_ne!(self.code, Some(0), "should have failed: {self}");
        self
    }

    /// Panics with everything it said unless `words` are in its output (either kind).
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.said(words), "`{words}` expected: {self}");
        self
    }

    /// True if `words` are in its output (either kind).
    pub fn said(&self, words: &str) -> bool {
        self.stdout.contains(words) || self.stderr.contains(words)
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` exited with {:?} after {:.1} s\n--- stdout\n{}--- stderr\n{}",
            self.shown,
            self.code,
            self.took.as_secs_f64(),
            tail(&self.stdout),
            tail(&self.stderr)
        )
    }
}

/// The end of a long text: a failure needs the last words, not two thousand file names.
fn tail(text: &str) -> &str {
    const SHOWN: usize = 6000;
    let mut start = text.len().saturating_sub(SHOWN);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// Runs `command` to its end; panics (and ends it) if it takes longer than `limit`.
#[track_caller]
pub fn run(command: &mut Command, limit: Duration) -> Finished {
    Running::start(command).finish(limit)
}

/// A program that runs beside the test; ended when dropped.
pub struct Running {
    shown: String,
    /// The words, if it is the program `netsession`.
    words: Vec<String>,
    child: Child,
    start: Instant,
    stdout: Collected,
    stderr: Collected,
}

impl Running {
    /// Starts it with no input and its output collected.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let shown = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ");
        let name = Path::new(command.get_program()).file_name();
        let words = if name.is_some_and(|name| name == "netsession") {
            let words = command.get_args().map(|word| word.to_string_lossy());
            words.map(std::borrow::Cow::into_owned).collect()
        } else {
            Vec::new()
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "could not start `{shown}`: {error}; `cargo xtask prerequisites` installs it"
                )
            });
        let stdout = Collected::from(child.stdout.take());
        let stderr = Collected::from(child.stderr.take());
        Running {
            shown,
            words,
            child,
            start: Instant::now(),
            stdout,
            stderr,
        }
    }

    /// What it has said on its standard output so far.
    pub fn so_far(&self) -> String {
        self.stdout.so_far()
    }

    /// Waits for its end; panics (and ends it) if it has run longer than `limit` by then, and
    /// if it was to print JSON and has printed something else than its schema says.
    #[track_caller]
    pub fn finish(mut self, limit: Duration) -> Finished {
        let (code, late) = loop {
            match self.child.try_wait().expect("a child can be waited for") {
                Some(status) => break (status.code(), false),
                None if self.start.elapsed() > limit => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    break (None, true);
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let finished = Finished {
            shown: self.shown.clone(),
            code,
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            took: self.start.elapsed(),
        };
        assert!(!late, "longer than {} s: {finished}", limit.as_secs());
        schema::check(&self.words, &finished.stdout);
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// One of a program's outputs, read as it comes.
#[derive(Default)]
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<thread::JoinHandle<()>>,
}

impl Collected {
    fn from(output: Option<impl std::io::Read + Send + 'static>) -> Self {
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Arc::clone(&bytes);
        let reader = output.map(|mut output| {
            thread::spawn(move || {
                let mut part = [0; 16 << 10];
                while let Ok(length @ 1..) = output.read(&mut part) {
                    let mut bytes = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    bytes.extend_from_slice(part.get(..length).unwrap_or_default());
                }
            })
        });
        Collected { bytes, reader }
    }

    fn so_far(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.so_far()
    }
}

/// Sends SIGTERM to `child`, waits a little, then ends it for certain.
pub fn stop(child: &mut Child) {
    /// A clean stop closes every open; far less than this even on a loaded machine.
    const CLEAN_STOP: Duration = Duration::from_secs(10);
    if let Ok(raw) = i32::try_from(child.id())
        && let Some(pid) = rustix::process::Pid::from_raw(raw)
    {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    let start = Instant::now();
    while start.elapsed() < CLEAN_STOP {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The root of the checkout.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("tests/ is in the checkout")
            .into()
    })
}

/// The program `netsession`: `NETSESSION_PROGRAM`, or built now (release).
pub fn netsession() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = std::env::var_os("NETSESSION_PROGRAM") {
            return program.into();
        }
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--release", "-p", "netsession-cli"])
            .current_dir(root())
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "netsession could not be built"
        );
        root().join("target/release/netsession")
    })
}

/// The Python that has the clients: `NETSESSION_PYTHON`, or what `cargo xtask
/// prerequisites` makes.
pub fn python() -> PathBuf {
    std::env::var_os("NETSESSION_PYTHON").map_or_else(
        || root().join("target/interop/venv/bin/python"),
        PathBuf::from,
    )
}

/// The Python into which the wheel is installed: `NETSESSION_WHEEL_PYTHON`, or that of
/// `cargo xtask test python`.
pub fn wheel_python() -> PathBuf {
    std::env::var_os("NETSESSION_WHEEL_PYTHON").map_or_else(
        || root().join("target/interop/wheel-venv/bin/python"),
        PathBuf::from,
    )
}
