//! Those who ask: the same call in four languages.

mod command_line;
mod protocol;
mod rust;

use crate::call::{Answer, Asked, Call};

pub use command_line::CommandLine;
pub use rust::Rust;

/// A way to make the three calls.
pub trait Driver {
    /// What it is called in messages.
    fn name(&self) -> &'static str;

    /// Makes the call, to its end.
    fn call(&self, asked: &Asked, call: &Call) -> Answer;

    /// True for the command line, which adds `\\` to names, pages by itself and shows names
    /// without backslashes.
    fn is_command_line(&self) -> bool {
        false
    }
}

/// Those with the parameters of netapi32.
pub fn libraries() -> Vec<Box<dyn Driver>> {
    vec![
        Box::new(Rust),
        Box::new(protocol::Program::c()),
        Box::new(protocol::Program::python()),
    ]
}

/// All of them.
pub fn all() -> Vec<Box<dyn Driver>> {
    let mut all = libraries();
    all.push(Box::new(CommandLine));
    all
}
