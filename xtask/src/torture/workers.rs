//! [`Crew`]: servers side by side, each with tests of its own, because many tests use fixed
//! names at the root of the share and some disturb the whole server.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use netsession_tests::{Kind, Options, Subject, program};

use super::list::Row;
use super::smbtorture::{self, Outcome};

/// What smbtorture expects of the share, in Samba's words: everything in extended attributes,
/// nothing in mode bits, and no locks that processes outside Samba would see.
const SAMBA_SHARE: &str = "vfs objects = acl_xattr streams_xattr
ea support = yes
map archive = no
map system = no
map hidden = no
map readonly = no
store dos attributes = yes
strict rename = yes
durable handles = yes
kernel share modes = no
posix locking = no
";

/// Where and how tests run.
pub struct Crew {
    kind: Kind,
    limit: Duration,
    folder: PathBuf,
}

impl Crew {
    /// For tests against servers of this kind, whose files are on the disk of the checkout
    /// (memory has no birth times, and its directories no order).
    pub fn new(root: &Path, kind: Kind, limit: Duration) -> Result<Self, String> {
        let folder = root.join("target/torture");
        fs::create_dir_all(folder.join("logs"))
            .map_err(|error| format!("could not make {}: {error}", folder.display()))?;
        crate::bench::raise_descriptor_limit();
        if kind == Kind::Netsession {
            // Before the first worker needs it: it may take minutes.
            program::netsession();
        }
        Ok(Crew {
            kind,
            limit,
            folder,
        })
    }

    /// Where the output of each test is.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// Runs the tests `chosen`, `jobs` at a time; `done` hears of each one as it ends.
    pub fn run(
        &self,
        rows: &[Row],
        chosen: &[usize],
        jobs: usize,
        mut done: impl FnMut(usize, Outcome),
    ) -> Result<(), String> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..jobs.min(chosen.len()) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    let mut worker = Worker {
                        crew: self,
                        subject: None,
                    };
                    while let Some(&index) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let result = catch_unwind(AssertUnwindSafe(|| worker.test(&rows[index])))
                            .unwrap_or_else(|_| Err("the server could not be started".to_owned()));
                        let failed = result.is_err();
                        if sender.send(result.map(|outcome| (index, outcome))).is_err() || failed {
                            // Nobody listens any more, or nothing further can work.
                            next.store(chosen.len(), Ordering::Relaxed);
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for result in receiver {
                let (index, outcome) = result?;
                done(index, outcome);
            }
            Ok(())
        })
    }
}

/// A server and the tests that have it for themselves.
struct Worker<'a> {
    crew: &'a Crew,
    subject: Option<Subject>,
}

impl Worker<'_> {
    fn test(&mut self, row: &Row) -> Result<Outcome, String> {
        if self
            .subject
            .as_mut()
            .is_some_and(|subject| !answers(subject))
        {
            self.subject = None;
        }
        let crew = self.crew;
        let subject = self.subject.get_or_insert_with(|| {
            Subject::of(
                crew.kind,
                Options {
                    // As Samba's own runs have it; tests that want signing ask for it.
                    signing_optional: true,
                    parent: Some(crew.folder.clone()),
                    samba_share: SAMBA_SHARE,
                    ..Options::default()
                },
            )
        });
        let log = crew.logs().join(format!("{}.log", file_name(&row.name())));
        let mut outcome = smbtorture::run(row, subject, &log, crew.limit)?;
        if !answers(subject) {
            outcome.reason = format!("the server is gone; {}", outcome.reason);
        }
        empty(&subject.data())?;
        Ok(outcome)
    }
}

fn answers(subject: &Subject) -> bool {
    let patience = Duration::from_secs(5);
    std::net::TcpStream::connect_timeout(&subject.address(), patience).is_ok()
}

/// Nothing of one test is left for the next one.
fn empty(folder: &Path) -> Result<(), String> {
    let wrong = |error| format!("could not empty {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let removed = match entry.file_type().map_err(wrong)?.is_dir() {
            true => fs::remove_dir_all(entry.path()),
            false => fs::remove_file(entry.path()),
        };
        match removed {
            // The server may be closing what was to be deleted on close.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(wrong(error)),
            _ => {}
        }
    }
    Ok(())
}

/// A file's name for the output of a test.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect()
}
