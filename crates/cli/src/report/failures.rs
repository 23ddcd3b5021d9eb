//! Servers that failed: told at the end, those with the same reason together.

use netsession::Error;

use super::NAMED;
use crate::failure::{Exit, complain, exit_of};
use crate::remote::doctor;
use crate::text::count;

/// What failed so far.
#[derive(Debug, Default)]
pub struct Failures {
    groups: Vec<Group>,
    number: usize,
}

#[derive(Debug)]
struct Group {
    exit: Exit,
    /// What came back and what to do, without the server.
    reason: String,
    /// The first as a whole line.
    message: String,
    servers: Vec<String>,
    more: usize,
}

impl Failures {
    /// One more.
    pub fn add(&mut self, server: &str, error: &Error) {
        self.number += 1;
        let exit = exit_of(error.kind());
        let mut message = error.to_string();
        // Only what was tried names the server.
        let mut reason = message
            .strip_prefix(error.tried())
            .and_then(|rest| rest.strip_prefix(": "))
            .unwrap_or(&message)
            .to_owned();
        if exit == Exit::AccessDenied {
            message.push_str(&doctor(server));
            reason.push_str(&doctor("SERVER"));
        }
        let known = self
            .groups
            .iter_mut()
            .find(|group| group.exit == exit && group.reason == reason);
        match known {
            Some(group) if group.servers.len() < NAMED => group.servers.push(server.to_owned()),
            Some(group) => group.more += 1,
            None => self.groups.push(Group {
                exit,
                reason,
                message,
                servers: vec![server.to_owned()],
                more: 0,
            }),
        }
    }

    /// A line for each reason, the rarest first, so that the end of a long list is what
    /// most have in common.
    pub fn lines(&self) -> Vec<String> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| group.servers.len() + group.more);
        groups.into_iter().map(Group::line).collect()
    }

    /// Tells them on standard error.
    pub fn report(&self, servers: usize) {
        if self.number == 0 {
            return;
        }
        for line in self.lines() {
            complain(&line);
        }
        complain(&format!(
            "{} of {} failed",
            self.number,
            count(servers, "server")
        ));
    }

    /// How many.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The exit code of a survey in which this many servers answered.
    pub fn exit(&self, answered: usize) -> Option<Exit> {
        let first = self.groups.first()?.exit;
        Some(match answered {
            0 if self.groups.iter().all(|group| group.exit == first) => first,
            0 => Exit::NoneAnswered,
            _ => Exit::SomeFailed,
        })
    }
}

impl Group {
    fn line(&self) -> String {
        match (self.servers.len(), self.more) {
            (1, _) => self.message.clone(),
            (_, 0) => format!("{}: {}", self.servers.join(", "), self.reason),
            (_, more) => format!(
                "{} and {more} more (--jsonl names all): {}",
                self.servers.join(", "),
                self.reason
            ),
        }
    }
}
