//! How a command fails: one line on standard error, and an exit code.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use netsession::ErrorKind;

/// The table behind `--help`; [`Exit`] is its other half.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the server refused for another reason
  2  wrong usage; nothing was sent
  3  server unreachable or not running, no answer in time, or connection lost
  4  logon failed
  5  access denied
  6  no such session
  7  the answer breaks the protocol
  8  failure on this machine (files, configuration, addresses)
  9  some of several servers failed, others answered
 10  none of several servers answered, for different reasons
130  interrupted with Ctrl-C";

/// Exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The server refused for another reason.
    Refused = 1,
    /// Wrong usage.
    Usage = 2,
    /// Unreachable, timed out, connection lost.
    Unreachable = 3,
    /// Logon failed.
    LogonFailed = 4,
    /// Access denied.
    AccessDenied = 5,
    /// No such session.
    NoSuchSession = 6,
    /// Broken protocol.
    Protocol = 7,
    /// Files, configuration, addresses of this machine.
    Local = 8,
    /// Some of several servers failed, others answered.
    SomeFailed = 9,
    /// None of several servers answered, for different reasons.
    NoneAnswered = 10,
    /// SIGINT: 128 and the number of the signal, as shells say it.
    Interrupted = 130,
}

/// Why a command ends.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// One line: what was tried, what came back, what to do. Empty if all has been said.
    pub message: String,
}

impl Failure {
    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    /// Something on this machine: what was tried, and why it failed.
    pub fn local(tried: impl Display, error: &dyn Display) -> Self {
        Self {
            exit: Exit::Local,
            message: format!("{tried}: {error}"),
        }
    }

    /// A failure whose report is already printed.
    pub fn silent(exit: Exit) -> Self {
        Self {
            exit,
            message: String::new(),
        }
    }

    /// Prints the line, gives the code.
    pub fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            complain(&self.message);
        }
        ExitCode::from(self.exit as u8)
    }
}

impl From<netsession::Error> for Failure {
    fn from(error: netsession::Error) -> Self {
        Self {
            exit: exit_of(error.kind()),
            message: error.to_string(),
        }
    }
}

/// The exit code for a failure of a call.
pub fn exit_of(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::Usage => Exit::Usage,
        ErrorKind::Unreachable
        | ErrorKind::ServerNotStarted
        | ErrorKind::TimedOut
        | ErrorKind::ConnectionLost => Exit::Unreachable,
        ErrorKind::LogonFailed => Exit::LogonFailed,
        ErrorKind::AccessDenied => Exit::AccessDenied,
        ErrorKind::NoSuchSession => Exit::NoSuchSession,
        ErrorKind::Protocol => Exit::Protocol,
        _ => Exit::Refused,
    }
}

/// Prints `netsession: …` on standard error, as one line whatever is in it.
pub fn complain(message: &str) {
    let line = crate::text::one_line(message);
    // Nobody is left to tell if standard error is gone.
    let _ = writeln!(std::io::stderr(), "netsession: {line}");
}

/// Help and version as clap prints them; mistakes as one line and exit code 2.
pub fn of_arguments(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(Exit::Usage as u8);
    }
    complain(&usage_line(&error.render().to_string()));
    ExitCode::from(Exit::Usage as u8)
}

/// The findings of clap without its paragraphs.
fn usage_line(rendered: &str) -> String {
    let mut text = String::new();
    let mut usage = None;
    for line in rendered
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        if let Some(rest) = line.strip_prefix("Usage:") {
            usage = Some(rest.trim());
        } else if !line.starts_with("For more information") {
            if !text.is_empty() {
                text.push_str(if line.starts_with("tip:") { "; " } else { " " });
            }
            text.push_str(line.strip_prefix("error: ").unwrap_or(line));
        }
    }
    if let Some(usage) = usage {
        text.push_str("; usage: ");
        text.push_str(usage);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_code() {
        for exit in [
            Exit::Refused,
            Exit::Usage,
            Exit::Unreachable,
            Exit::LogonFailed,
            Exit::AccessDenied,
            Exit::NoSuchSession,
            Exit::Protocol,
            Exit::Local,
            Exit::SomeFailed,
            Exit::NoneAnswered,
            Exit::Interrupted,
        ] {
            assert!(
                EXIT_CODES.contains(&format!("\n{:>3}  ", exit as u8)),
                "{exit:?}"
            );
        }
    }

    #[test]
    fn clap_in_one_line() {
        let text = "error: the following required arguments were not provided:\n  <SERVER>\n\n\
                    Usage: netsession show <SERVER>\n\nFor more information, try '--help'.\n";
        assert_eq!(
            usage_line(text),
            "the following required arguments were not provided: <SERVER>; \
             usage: netsession show <SERVER>"
        );
    }
}
