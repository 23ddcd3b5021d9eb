//! One schedule against two servers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use netsession_tests::{Kind, Options, Subject};

use crate::allowed::Allowed;
use crate::disk;
use crate::generate::{Generator, Wishes};
use crate::player::Player;
use crate::step::{Schedule, Step};

/// Settings of Samba's share: as its own test suites have it, so that it does what Windows
/// does, and without what would make its answers depend on the time that passes.
const SAMBA_SHARE: &str = "vfs objects = acl_xattr streams_xattr
ea support = yes
map archive = no
map system = no
map hidden = no
map readonly = no
store dos attributes = yes
strict rename = yes
kernel share modes = no
posix locking = no
strict locking = yes
strict sync = no
";

/// The two servers.
pub struct Contest {
    subjects: [Subject; 2],
    allowed: Vec<Allowed>,
}

/// A step, and what each server said to it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The step.
    pub step: Step,
    /// How it is told: with what was open beside it.
    pub text: String,
    /// What the servers said.
    pub said: [Vec<String>; 2],
}

/// A difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// How many steps had been played, that of the difference included.
    pub played: usize,
    /// The step, or the tree on disk at the end.
    pub step: String,
    /// What only one server said.
    pub only: [Vec<String>; 2],
}

/// What came of a schedule.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The schedule, as far as it was played.
    pub schedule: Schedule,
    /// What was said.
    pub records: Vec<Record>,
    /// Where they differ, without what is allowed.
    pub differences: Vec<Difference>,
    /// Places in the list of differences that are allowed.
    pub used: Vec<usize>,
    /// A difference after which the servers are in different states ended it.
    pub ended: bool,
}

/// Where steps come from.
enum Source<'a> {
    Generator(Generator),
    Steps(std::slice::Iter<'a, Step>),
}

impl Contest {
    /// Starts two servers whose files lie below `parent`, which must know extended attributes
    /// of users.
    pub fn start(kinds: [Kind; 2], parent: &std::path::Path, allowed: Vec<Allowed>) -> Self {
        let subjects = kinds.map(|kind| {
            let options = Options {
                parent: Some(parent.to_owned()),
                samba_share: SAMBA_SHARE,
                ..Options::default()
            };
            Subject::of(kind, options)
        });
        Contest { subjects, allowed }
    }

    /// Which servers.
    pub fn kinds(&self) -> [Kind; 2] {
        [self.subjects[0].kind(), self.subjects[1].kind()]
    }

    /// Draws a schedule from `seed` and plays it to its end, or to the first difference.
    ///
    /// # Errors
    /// The clients cannot connect.
    pub async fn draw(&self, seed: u64, steps: u32, wishes: Wishes) -> Result<Outcome, String> {
        let generator = Generator::new(seed, steps, wishes);
        let clients = generator.clients().to_vec();
        self.play(seed, clients, Source::Generator(generator)).await
    }

    /// Plays a schedule to its end, or to the first difference.
    ///
    /// # Errors
    /// The clients cannot connect.
    pub async fn replay(&self, schedule: &Schedule) -> Result<Outcome, String> {
        let steps = Source::Steps(schedule.steps.iter());
        self.play(schedule.seed, schedule.clients.clone(), steps)
            .await
    }

    async fn play(
        &self,
        seed: u64,
        clients: Vec<usize>,
        mut source: Source<'_>,
    ) -> Result<Outcome, String> {
        // No two runs share a directory: what one leaves open must not meet the next.
        static RUN: AtomicU64 = AtomicU64::new(1);
        let root = format!("run{:06}", RUN.fetch_add(1, Ordering::Relaxed) % 1_000_000);
        let folders: [PathBuf; 2] = [0, 1].map(|side| self.subjects[side].data().join(&root));
        for folder in &folders {
            fs::create_dir(folder).map_err(|error| error.to_string())?;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777))
                .map_err(|error| error.to_string())?;
        }
        let start = async |side: usize| {
            let subject = &self.subjects[side];
            Player::start(subject.address(), subject.pid(), &clients, &root)
                .await
                .map_err(|error| format!("{:?}: {error}", subject.kind()))
        };
        let (first, second) = tokio::join!(start(0), start(1));
        let (mut first, mut second) = (first?, second?);
        let mut outcome = Outcome {
            schedule: Schedule {
                seed,
                clients: clients.clone(),
                steps: Vec::new(),
            },
            records: Vec::new(),
            differences: Vec::new(),
            used: Vec::new(),
            ended: false,
        };
        loop {
            let step = match &mut source {
                // The second one is the reference where the first is ours.
                Source::Generator(generator) => generator.next(&second),
                Source::Steps(steps) => steps.next().cloned(),
            };
            let Some(step) = step else {
                break;
            };
            let text = format!("{step}{}", second.beside(&step));
            let (left, right) = tokio::join!(first.play(&step), second.play(&step));
            outcome.schedule.steps.push(step.clone());
            let only = difference(&left, &right);
            let said = [left, right];
            outcome.records.push(Record { step, text, said });
            let concerned = concerned(&outcome.records);
            self.judge(&mut outcome, &concerned, only);
            if outcome.ended {
                break;
            }
        }
        // Before the clients leave: what they leave open may be deleted then, or a little later.
        if !outcome.ended {
            let only = difference(&disk::tree(&folders[0]), &disk::tree(&folders[1]));
            self.judge(&mut outcome, &["the tree on disk".to_owned()], only);
        }
        drop((first, second));
        for folder in &folders {
            // A server may still be about to delete in it.
            let _ = fs::remove_dir_all(folder);
        }
        Ok(outcome)
    }

    /// Notes a difference, and whether the schedule ends with it. The first of `steps` is the
    /// last that was played; the others were answered at the same time.
    fn judge(&self, outcome: &mut Outcome, steps: &[String], only: [Vec<String>; 2]) {
        // The list names the servers, not the sides.
        let ours = usize::from(self.kinds()[0] != Kind::Netsession);
        let [mut left, mut right] = only;
        for (place, entry) in self.allowed.iter().enumerate() {
            let mut take = |step: &String| match ours {
                0 => entry.take(step, &mut left, &mut right),
                _ => entry.take(step, &mut right, &mut left),
            };
            if steps.iter().any(&mut take) {
                outcome.used.push(place);
                outcome.ended |= entry.ends;
            }
        }
        if left.is_empty() && right.is_empty() {
            return;
        }
        let only = [left, right];
        outcome.ended |= parts_ways(&only);
        outcome.differences.push(Difference {
            played: outcome.records.len(),
            step: steps[0].clone(),
            only,
        });
    }
}

/// The last step, and those before it that were answered only now.
fn concerned(records: &[Record]) -> Vec<String> {
    let Some((last, before)) = records.split_last() else {
        return Vec::new();
    };
    let is_answered = |record: &&Record| {
        let number = format!("#{}", record.step.id);
        let mut lines = last.said.iter().flatten();
        lines.any(|line| line.split([' ', '.']).next() == Some(number.as_str()))
    };
    let waited = before.iter().filter(is_answered);
    let steps = std::iter::once(last).chain(waited);
    steps.map(|record| record.text.clone()).collect()
}

/// Whether the servers are in different states after such a difference, so that what follows
/// tells nothing: one did what the other refused, or somebody caches or waits on one only.
fn parts_ways(only: &[Vec<String>; 2]) -> bool {
    const TELLING: &[&str] = &[
        "BREAK", "pending", "lost", "skipped", "ECHO", "oplock", "lease",
    ];
    let says = |line: &String| {
        let changes = [
            "CREATE",
            "SET_INFO",
            "WRITE",
            "LOCK",
            "CLOSE",
            "ACKNOWLEDGE",
        ];
        TELLING.iter().any(|word| line.contains(word))
            || line.ends_with("STATUS_SUCCESS (0x00000000)")
                && changes.iter().any(|command| line.contains(command))
    };
    only.iter().flatten().any(says)
}

/// The lines that only one side has; a line may come more than once.
fn difference(left: &[String], right: &[String]) -> [Vec<String>; 2] {
    let mut only_right = right.to_vec();
    let mut only_left = Vec::new();
    for line in left {
        match only_right.iter().position(|other| other == line) {
            Some(place) => {
                only_right.remove(place);
            }
            None => only_left.push(line.clone()),
        }
    }
    [only_left, only_right]
}
