//! The table, put to everybody.

pub mod check;
mod rows;

use netsession_tests::subject::{ADMIN, User};

use crate::call::Call;
use crate::driver;
use crate::scene::{Held, Place, Scene};
use check::check;

/// Which of the sessions come back.
#[derive(Clone, Copy)]
pub enum Which {
    /// None: the call fails, or returns nothing.
    None,
    /// All that pass, and that of the caller.
    AllAndCaller,
    /// All that pass.
    All(fn(&Held) -> bool),
    /// The first that passes.
    First(fn(&Held) -> bool),
    /// Any one that passes.
    Any(fn(&Held) -> bool),
}

/// What has to come back.
#[derive(Clone, Copy)]
pub struct Expected {
    status: u32,
    which: Which,
}

impl Expected {
    /// A number and nothing else.
    pub fn status(status: u32) -> Self {
        Expected {
            status,
            which: Which::None,
        }
    }

    /// Success with these.
    pub fn these(which: Which) -> Self {
        Expected { status: 0, which }
    }
}

/// Where the answer is another one than our server's over the network, and why.
#[derive(Clone, Copy)]
pub enum Other {
    /// This comes back.
    Is(Expected, &'static str),
    /// The question is not put.
    NotAsked(&'static str),
}

/// A row.
pub struct Line {
    what: String,
    call: Call,
    caller: User,
    expected: Expected,
    this_machine: Option<Other>,
    samba: Option<Other>,
    command_line: Option<Other>,
}

impl Line {
    /// The administrator's call, and what our server answers.
    pub fn new(what: impl Into<String>, call: Call, expected: Expected) -> Self {
        Line {
            what: what.into(),
            call,
            caller: ADMIN,
            expected,
            this_machine: None,
            samba: None,
            command_line: None,
        }
    }

    /// Somebody else's. On this machine rights come from the process, whatever the name.
    pub fn by(mut self, caller: User) -> Self {
        self.caller = caller;
        self.this_machine = Some(Other::NotAsked("there is no logon on this machine"));
        self
    }

    /// What Samba answers.
    pub fn samba(mut self, other: Other) -> Self {
        self.samba = Some(other);
        self
    }

    /// What the command line makes of it.
    pub fn command_line(mut self, other: Other) -> Self {
        self.command_line = Some(other);
        self
    }

    /// The answer to expect, with the reason if it is another one; `Err` with the reason if
    /// the question is not put.
    fn expected(
        &self,
        place: Place,
        is_command_line: bool,
    ) -> Result<(Expected, Option<&'static str>), &'static str> {
        let at_place = match place {
            Place::Ours => None,
            Place::ThisMachine => self.this_machine,
            Place::Samba => self.samba,
        };
        // A question that cannot be put at a place cannot be put by anybody there.
        let other = match (at_place, self.command_line) {
            (Some(Other::NotAsked(why)), _) => return Err(why),
            (_, Some(other)) if is_command_line => Some(other),
            _ => at_place,
        };
        match other {
            None => Ok((self.expected, None)),
            Some(Other::Is(expected, why)) => Ok((expected, Some(why))),
            Some(Other::NotAsked(why)) => Err(why),
        }
    }
}

/// Puts every line to every driver; all that is wrong is told together.
fn put(place: Place) {
    let scene = Scene::start(place);
    let lines = rows::all();
    let mut wrong = Vec::new();
    let (mut asked, mut not_asked) = (0, 0);
    for driver in driver::all() {
        for line in &lines {
            let (expected, why) = match line.expected(place, driver.is_command_line()) {
                Ok(expected) => expected,
                Err(_) => {
                    not_asked += 1;
                    continue;
                }
            };
            asked += 1;
            let before = scene.age();
            let answer = driver.call(&scene.asked_by(line.caller), &line.call);
            let age = crate::scene::Age {
                least: before.least,
                most: scene.age().most,
            };
            let verdict = check(
                place,
                age,
                driver.is_command_line(),
                &line.call,
                expected,
                &answer,
            );
            if let Err(reason) = verdict {
                let difference = why.map_or_else(String::new, |why| format!(" ({why})"));
                wrong.push(format!(
                    "{}: {}{difference}: {reason}\n    {:?}\n    {answer:?}",
                    driver.name(),
                    line.what,
                    line.call
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{place:?}: {} of {asked} answers are wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // A table that asks nobody would pass, too.
    assert!(
        asked > 4 * not_asked && not_asked > 0,
        "{asked} asked, {not_asked} not"
    );
}

#[test]
fn of_our_server() {
    put(Place::Ours);
}

#[test]
fn of_our_server_on_this_machine() {
    put(Place::ThisMachine);
}

#[test]
fn of_samba() {
    put(Place::Samba);
}
