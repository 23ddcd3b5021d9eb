//! [`Tally`]: how many servers answered, and why the others did not.

use super::Event;
use crate::ErrorKind;

/// What came of the servers asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every server answered, or none was asked.
    All,
    /// Some did.
    Some,
    /// None did.
    None,
}

/// The count of a fan-out. [`super::Events`] keeps one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    asked: usize,
    answered: usize,
    sessions: u64,
    failed: Vec<(ErrorKind, usize)>,
}

impl Tally {
    /// Nothing has come yet from `asked` servers.
    pub fn new(asked: usize) -> Self {
        Self {
            asked,
            ..Self::default()
        }
    }

    /// Counts an event.
    pub fn count(&mut self, event: &Event) {
        match event {
            Event::Session { .. } => self.sessions += 1,
            Event::Done { .. } => self.answered += 1,
            Event::Failed { error, .. } => {
                let kind = error.kind();
                match self.failed.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, number)) => *number += 1,
                    None => self.failed.push((kind, 1)),
                }
            }
        }
    }

    /// Different servers in all.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// Servers whose list is complete.
    pub fn answered(&self) -> usize {
        self.answered
    }

    /// Servers that failed, some of them perhaps after part of their list.
    pub fn failed(&self) -> usize {
        self.failed.iter().map(|(_, number)| number).sum()
    }

    /// Servers that failed in each way, the first way first.
    pub fn failed_by_kind(&self) -> &[(ErrorKind, usize)] {
        &self.failed
    }

    /// Servers that have neither answered nor failed yet.
    pub fn outstanding(&self) -> usize {
        self.asked
            .saturating_sub(self.answered)
            .saturating_sub(self.failed())
    }

    /// Sessions received, also those of servers that failed afterwards.
    pub fn sessions(&self) -> u64 {
        self.sessions
    }

    /// All, some or none. A server that is still outstanding counts as one that failed.
    pub fn outcome(&self) -> Outcome {
        match self.answered {
            answered if answered >= self.asked => Outcome::All,
            0 => Outcome::None,
            _ => Outcome::Some,
        }
    }
}
