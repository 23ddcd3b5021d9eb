//! What follows from asking for sessions.

use srvsvc::{NetApiStatus, SessionLevel};

use super::Severity::{Failure, Note, Ok as Fine, Warning};
use super::{Findings, reason};
use crate::diagnosis::{Diagnosis, Software, procedure};
use crate::level_choice::lacks_level;
use crate::{Error, ErrorKind};

impl Findings {
    pub(super) fn of_the_levels(&mut self, diagnosis: &Diagnosis) {
        if !matches!(&diagnosis.binding, Some(step) if step.result.is_ok()) {
            return;
        }
        let levels = Levels::of(diagnosis);
        if let Some(error) = broken(diagnosis) {
            self.add(
                "call-broke-off",
                Failure,
                format!("The server stopped answering: {}.", reason(error)),
            );
        }
        if levels.open.is_empty() {
            if !levels.denied.is_empty() {
                let (id, text) = denied(diagnosis);
                self.add(id, Failure, text);
            } else if !levels.unknown.is_empty() {
                self.add(
                    "no-session-levels",
                    Failure,
                    "The server answers NetrSessionEnum at no level: it cannot be asked for sessions.",
                );
            }
        } else {
            self.of_the_open_levels(diagnosis, &levels);
        }
        for (level, step) in &diagnosis.levels {
            if let Err(error) = &step.result
                && !levels.denied.contains(level)
                && !levels.unknown.contains(level)
                && broken(diagnosis).is_none()
            {
                let number = u32::from(*level);
                self.add(
                    "level-failed",
                    match levels.open.is_empty() {
                        true => Failure,
                        false => Warning,
                    },
                    format!("Level {number} fails: {}.", reason(error)),
                );
            }
        }
    }

    fn of_the_open_levels(&mut self, diagnosis: &Diagnosis, levels: &Levels) {
        if levels.open.len() == procedure::LEVELS.len() {
            self.add(
                "all-levels-open",
                Fine,
                "Sessions can be listed at every level.",
            );
        }
        if !levels.unknown.is_empty() {
            self.add(
                "levels-unknown",
                Note,
                format!(
                    "Sessions can be listed at {}; the server does not know {}.",
                    list(&levels.open),
                    list(&levels.unknown)
                ),
            );
        }
        if !levels.denied.is_empty() {
            self.add(
                "levels-denied",
                Warning,
                format!(
                    "Sessions can be listed at {}; {} denied: membership in Administrators opens \
                     them, or, on Windows, {DESCRIPTOR}.",
                    list(&levels.open),
                    match levels.denied.len() {
                        1 => format!("{} is", list(&levels.denied)),
                        _ => format!("{} are", list(&levels.denied)),
                    },
                ),
            );
        }
        if diagnosis.software == Some(Software::Samba) {
            self.add(
                "samba-ends-connections",
                Note,
                "This seems to be Samba: ending a session there takes its whole connection down, \
                 with every other session on it, and needs uid 0 or membership in Domain Admins.",
            );
        }
    }
}

/// How Windows decides ([MS-SRVS] notes <52> to <55>).
const DESCRIPTOR: &str = "the descriptor in the registry value SrvsvcSessionInfo of \
    HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\DefaultSecurity, read when the \
    Server service starts";

/// What became of the levels.
#[derive(Default)]
struct Levels {
    open: Vec<SessionLevel>,
    denied: Vec<SessionLevel>,
    unknown: Vec<SessionLevel>,
}

impl Levels {
    fn of(diagnosis: &Diagnosis) -> Self {
        let mut levels = Self::default();
        for (level, step) in &diagnosis.levels {
            let status = step.result.as_ref().map_err(Error::net_api_status);
            match status.map_err(NetApiStatus) {
                Ok(_) => levels.open.push(*level),
                Err(NetApiStatus::ACCESS_DENIED) => levels.denied.push(*level),
                Err(status) if lacks_level(status) => levels.unknown.push(*level),
                Err(_) => {}
            }
        }
        levels
    }
}

/// `level 0`, `levels 0 and 1`, `levels 0, 1 and 2`.
fn list(levels: &[SessionLevel]) -> String {
    let numbers: Vec<_> = levels
        .iter()
        .map(|level| u32::from(*level).to_string())
        .collect();
    match numbers.split_last() {
        None => String::new(),
        Some((last, [])) => format!("level {last}"),
        Some((last, earlier)) => format!("levels {} and {last}", earlier.join(", ")),
    }
}

/// The connection does not carry calls any more.
fn broken(diagnosis: &Diagnosis) -> Option<&Error> {
    let info = diagnosis.server_info.iter();
    let info = info.filter_map(|(_, step)| step.result.as_ref().err());
    let levels = diagnosis.levels.iter();
    let levels = levels.filter_map(|(_, step)| step.result.as_ref().err());
    info.chain(levels).find(|error| {
        matches!(
            error.kind(),
            ErrorKind::TimedOut | ErrorKind::ConnectionLost | ErrorKind::Protocol
        )
    })
}

/// Denied at every level.
fn denied(diagnosis: &Diagnosis) -> (&'static str, String) {
    if diagnosis.target.is_this_machine() {
        return (
            "sessions-denied-on-this-machine",
            "The service does not let this user list sessions: be root, the user that the service \
             runs as, or a member of its administrators group (`administrators_group` in its \
             configuration)."
                .to_owned(),
        );
    }
    let user = match diagnosis.logon.as_ref().map(|step| &step.result) {
        Some(Ok(logon)) if !logon.signed => {
            return (
                "sessions-denied-to-anonymous",
                "The server lists no sessions to anonymous clients: give a user.".to_owned(),
            );
        }
        _ => diagnosis.user.as_deref().unwrap_or_default(),
    };
    match diagnosis.software {
        Some(Software::Samba) => (
            "sessions-denied-by-samba",
            format!(
                "This seems to be Samba, which lists sessions only to whom it counts among the \
                 builtin Administrators: put {user} into the Unix group that is mapped to \
                 S-1-5-32-544 (`net groupmap list`), or map one (`net groupmap add \
                 sid=S-1-5-32-544 unixgroup=GROUP type=builtin ntgroup=Administrators`), and \
                 log on anew."
            ),
        ),
        Some(Software::WindowsLike) => (
            "sessions-denied",
            format!(
                "The server lists no sessions to {user}: the user has to be in Administrators or \
                 Server Operators there; on Windows, {DESCRIPTOR}, can let others in."
            ),
        ),
        None => (
            "sessions-denied",
            format!(
                "The server lists no sessions to {user}: the user has to be in Administrators or Server Operators there."
            ),
        ),
    }
}
