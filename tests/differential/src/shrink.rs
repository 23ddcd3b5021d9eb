//! Makes a schedule that differs shorter and simpler, as long as it differs in the same way.

use crate::contest::{Contest, Difference, Outcome};
use crate::step::{Action, Caching, Operation, Schedule, Step};

/// How often a schedule is played again to see a difference again.
const REPLAYS: usize = 2;

/// Schedules that shrinking may play.
const TRIES: usize = 400;

/// Shrinks `outcome` as far as it shows `difference`; returns the shortest that was found.
///
/// # Errors
/// The clients cannot connect.
pub async fn shrink(
    contest: &Contest,
    outcome: &Outcome,
    difference: &Difference,
) -> Result<Outcome, String> {
    let mut shrinking = Shrinking {
        contest,
        kind: kind(difference),
        best: outcome.clone(),
        left: TRIES,
    };
    shrinking.best.end_at(difference);
    loop {
        let before = shrinking.best.schedule.clone();
        shrinking.fewer_steps().await?;
        shrinking.simpler_steps().await?;
        shrinking.fewer_clients().await?;
        if shrinking.best.schedule == before || shrinking.left == 0 {
            return Ok(shrinking.best);
        }
    }
}

/// Whether a difference comes again when the schedule is played again. What does not is a
/// matter of time: smbd's processes race now and then (a waiting lock may be looked at before
/// the lock in its way is gone, and is then granted late).
///
/// # Errors
/// The clients cannot connect.
pub async fn is_steady(
    contest: &Contest,
    outcome: &Outcome,
    difference: &Difference,
) -> Result<bool, String> {
    let mut schedule = outcome.schedule.clone();
    schedule.steps.truncate(difference.played);
    for _ in 0..REPLAYS {
        let again = contest.replay(&schedule).await?;
        if (again.differences.iter()).any(|other| kind(other) == kind(difference)) {
            return Ok(true);
        }
    }
    Ok(false)
}

struct Shrinking<'a> {
    contest: &'a Contest,
    kind: [Vec<String>; 2],
    best: Outcome,
    left: usize,
}

impl Shrinking<'_> {
    /// Plays `schedule`, and keeps it if it differs in the same way.
    async fn try_it(&mut self, schedule: Schedule) -> Result<bool, String> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        let mut outcome = self.contest.replay(&schedule).await?;
        let same = (outcome.differences.iter())
            .find(|difference| kind(difference) == self.kind)
            .cloned();
        if let Some(difference) = &same {
            outcome.end_at(difference);
            self.best = outcome;
        }
        Ok(same.is_some())
    }

    /// Takes out ever smaller pieces.
    async fn fewer_steps(&mut self) -> Result<(), String> {
        let mut size = self.best.schedule.steps.len().div_ceil(2);
        while size > 0 {
            let mut end = self.best.schedule.steps.len();
            // From the end: what comes late depends on what comes early.
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut shorter = self.best.schedule.clone();
                shorter.steps.drain(start..end);
                self.try_it(shorter).await?;
                end = start.min(self.best.schedule.steps.len());
            }
            size /= 2;
        }
        Ok(())
    }

    async fn simpler_steps(&mut self) -> Result<(), String> {
        let mut place = 0;
        while place < self.best.schedule.steps.len() {
            for simpler in simpler(&self.best.schedule.steps[place]) {
                let mut schedule = self.best.schedule.clone();
                schedule.steps[place] = simpler;
                self.try_it(schedule).await?;
                if place >= self.best.schedule.steps.len() {
                    break;
                }
            }
            place += 1;
        }
        Ok(())
    }

    /// Lets client 0 do everything that can be done by it.
    async fn fewer_clients(&mut self) -> Result<(), String> {
        for client in 1..self.best.schedule.clients.len() {
            for other in 0..client {
                let mut schedule = self.best.schedule.clone();
                for step in &mut schedule.steps {
                    if step.client == client {
                        step.client = other;
                    }
                }
                if schedule != self.best.schedule && self.try_it(schedule).await? {
                    break;
                }
            }
        }
        let mut schedule = self.best.schedule.clone();
        let last = schedule.steps.iter().map(|step| step.client).max();
        schedule.clients.truncate(last.unwrap_or(0) + 1);
        if schedule != self.best.schedule {
            self.try_it(schedule).await?;
        }
        Ok(())
    }
}

impl Outcome {
    /// Forgets what came after `difference`, and other differences.
    fn end_at(&mut self, difference: &Difference) {
        self.schedule.steps.truncate(difference.played);
        self.records.truncate(difference.played);
        self.differences = vec![difference.clone()];
    }
}

/// What a difference is about: without the numbers of steps, which name no kind.
pub fn kind(difference: &Difference) -> [Vec<String>; 2] {
    difference.only.clone().map(|lines| {
        let mut lines: Vec<String> = lines.iter().map(|line| without_numbers(line)).collect();
        lines.sort();
        lines
    })
}

fn without_numbers(line: &str) -> String {
    let mut text = String::new();
    let mut in_number = false;
    for letter in line.chars() {
        in_number = letter == '#' || in_number && (letter.is_ascii_digit() || letter == '.');
        if !in_number || letter == '#' {
            text.push(letter);
        }
    }
    text
}

/// Each way to make a step simpler by one thing.
fn simpler(step: &Step) -> Vec<Step> {
    let with = |action| Step {
        action,
        ..step.clone()
    };
    match &step.action {
        Action::Create(create) => {
            let mut all = Vec::new();
            let mut add = |change: &dyn Fn(&mut crate::step::Create)| {
                let mut changed = create.clone();
                change(&mut changed);
                if changed != *create {
                    all.push(with(Action::Create(changed)));
                }
            };
            add(&|create| create.caching = Caching::Oplock(0));
            add(&|create| create.maximal_access = false);
            add(&|create| create.attributes = 0);
            add(&|create| create.share = 7);
            add(&|create| create.access = 0x001F_01FF);
            add(&|create| create.options &= 0x41);
            add(&|create| create.options = 0);
            // smbd takes who makes a file for one who reads or writes it.
            add(&|create| match create.access & !0x0010_0180 {
                0 => {}
                _ => create.disposition = 3,
            });
            add(&|create| {
                if let Caching::Lease { version_2, .. } = &mut create.caching {
                    *version_2 = None;
                }
            });
            all
        }
        Action::Compound { parts, .. } => {
            let mut all = Vec::new();
            for number in 0..parts.len() {
                let Action::Compound { related, mut parts } = step.action.clone() else {
                    continue;
                };
                parts.remove(number);
                all.push(with(match parts.len() {
                    1 => parts.remove(0),
                    _ => Action::Compound { related, parts },
                }));
            }
            all
        }
        Action::On {
            open,
            operation: Operation::Lock { ranges },
        } if ranges.len() > 1 => (0..ranges.len())
            .map(|number| {
                let mut ranges = ranges.clone();
                ranges.remove(number);
                let operation = Operation::Lock { ranges };
                with(Action::On {
                    open: *open,
                    operation,
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}
