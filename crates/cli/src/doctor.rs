//! `netsession doctor`: what stands between a user and the sessions of a server, and what
//! to change. The looking is the library's ([`netsession::diagnosis`]); this prints it.

mod document;

use std::fmt::Write;
use std::time::Duration;

use netsession::diagnosis::{Diagnosis, Severity, Software, Step, diagnose, diagnose_within};
use netsession::{Cipher, Error, SigningAlgorithm, Syntax};

use crate::arguments::DoctorArguments;
use crate::failure::{Exit, Failure, exit_of};
use crate::output::{bold, emit, json};
use crate::remote::{credentials, one, options};
use crate::text::{count, printable};

/// Looks, and tells.
pub async fn run(arguments: &DoctorArguments) -> Result<(), Failure> {
    let target = one(arguments.server.as_deref())?;
    let credentials = credentials(&arguments.access, &target)?;
    let options = options(&arguments.access);
    let diagnosis = match arguments.access.deadline {
        Some(seconds) => {
            let limit = Duration::from_secs_f64(seconds);
            diagnose_within(limit, &target, &credentials, &options).await
        }
        None => diagnose(&target, &credentials, &options).await,
    };
    if arguments.json {
        emit(&json(&document::Document::new(&diagnosis))?)?;
    } else {
        emit(text(&diagnosis).as_bytes())?;
    }
    match exit(&diagnosis) {
        None => Ok(()),
        Some(exit) => Err(Failure::silent(exit)),
    }
}

/// As `list` would end.
fn exit(diagnosis: &Diagnosis) -> Option<Exit> {
    if diagnosis.can_list() {
        return None;
    }
    let levels = || diagnosis.levels.iter().filter_map(|(_, step)| failed(step));
    let denied = levels().find(|error| exit_of(error.kind()) == Exit::AccessDenied);
    let connection = diagnosis.connections.last().map(|tried| &tried.step);
    let error = denied
        .or(diagnosis.resolution.as_ref().and_then(failed))
        .or(connection.and_then(failed))
        .or(diagnosis.negotiation.as_ref().and_then(failed))
        .or(diagnosis.logon.as_ref().and_then(failed))
        .or(diagnosis.binding.as_ref().and_then(failed))
        .or(levels().next());
    let otherwise = match diagnosis.cut_off {
        Some(_) => Exit::Unreachable,
        None => Exit::Refused,
    };
    Some(error.map_or(otherwise, |error| exit_of(error.kind())))
}

fn failed<T>(step: &Step<T>) -> Option<&Error> {
    step.result.as_ref().err()
}

/// ERROR_NOT_SUPPORTED, ERROR_INVALID_LEVEL and RPC_S_INVALID_TAG.
const LACKS_LEVEL: [u32; 3] = [50, 124, 1733];

/// The steps as lines: how it went, which, what was found or why not.
struct Lines(String);

impl Lines {
    fn step<T>(&mut self, name: &str, step: &Step<T>, found: impl FnOnce(&T) -> String) {
        match &step.result {
            Ok(value) => {
                let found = format!("{}, {}", found(value), milliseconds(step.elapsed));
                self.line("ok", name, &found);
            }
            // A level that a server does not have is nothing that went wrong.
            Err(error) if LACKS_LEVEL.contains(&error.net_api_status()) => {
                self.line("absent", name, &why(error));
            }
            Err(error) => self.line("FAILED", name, &why(error)),
        }
    }

    fn line(&mut self, mark: &str, name: &str, text: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "{mark:<8}{name:<13}{}", printable(text));
    }
}

fn text(diagnosis: &Diagnosis) -> String {
    let user = match &diagnosis.user {
        Some(user) => format!(" as {}", printable(user)),
        None => String::new(),
    };
    let server = printable(&diagnosis.target.to_string());
    let mut lines = Lines(format!("{}\n\n", bold(&format!("{server}{user}"))));
    if let Some(step) = &diagnosis.resolution {
        lines.step("name", step, |addresses| {
            let addresses: Vec<String> = addresses
                .iter()
                .map(|address| address.ip().to_string())
                .collect();
            addresses.join(", ")
        });
    }
    for tried in &diagnosis.connections {
        lines.step("connection", &tried.step, |()| tried.address.to_string());
    }
    if let Some(step) = &diagnosis.negotiation {
        lines.step("negotiation", step, |found| {
            let required = if found.signing_required {
                " (required)"
            } else {
                ""
            };
            let cipher = found.cipher.map_or("not possible", cipher);
            format!(
                "SMB {}, signing {}{required}, encryption {cipher}",
                found.dialect,
                signing(found.signing_algorithm)
            )
        });
    }
    if let Some(speaks) = diagnosis.speaks_smb1 {
        let words = if speaks {
            "SMB1 is spoken"
        } else {
            "SMB1 is not spoken either"
        };
        lines.line("", "", words);
    }
    if let Some(step) = &diagnosis.logon {
        lines.step("logon", step, |found| {
            let mut words = vec!["NTLMv2"];
            words.push(match (found.guest, found.anonymous) {
                (true, _) => "as guest",
                (_, true) => "anonymous",
                _ => "accepted",
            });
            words.push(if found.signed { "signed" } else { "not signed" });
            words.push(if found.encrypted {
                "encrypted"
            } else {
                "not encrypted"
            });
            words.join(", ")
        });
    }
    if let Some(step) = &diagnosis.binding {
        match &step.result {
            // Which socket was asked is half of the answer.
            Err(error) if diagnosis.target.is_this_machine() => {
                let text = format!("{}: {}", error.tried(), why(error));
                lines.line("FAILED", "srvsvc", &text);
            }
            _ => lines.step("srvsvc", step, |found| syntax(found.syntax).to_owned()),
        }
    }
    if let Some((_, step)) = diagnosis
        .server_info
        .iter()
        .rev()
        .find(|(_, step)| step.result.is_ok())
        .or(diagnosis.server_info.last())
    {
        lines.step("server", step, |info| {
            let mut words = info.name.clone();
            if !info.comment.is_empty() {
                words.push_str(&format!(" \"{}\"", info.comment));
            }
            words.push_str(&format!(
                ", version {}.{}",
                info.version_major, info.version_minor
            ));
            if let Some(software) = diagnosis.software {
                words.push_str(&format!(", answers like {}", software_name(software)));
            }
            words
        });
    }
    for (level, step) in &diagnosis.levels {
        let name = format!("level {}", u32::from(*level));
        lines.step(&name, step, |answer| {
            count(answer.total_entries as usize, "session")
        });
    }
    if let Some(session) = &diagnosis.own_session {
        let user = session.username().unwrap_or_default();
        let guest = match session.user_flags() {
            Some(flags) if flags.is_guest() => ", as guest",
            _ => "",
        };
        lines.line(
            "",
            "seen as",
            &format!("{user} on {}{guest}", session.client()),
        );
    }
    let mut text = lines.0;
    if !diagnosis.findings.is_empty() {
        text.push('\n');
    }
    for finding in &diagnosis.findings {
        let mark = match finding.severity {
            Severity::Ok => "ok",
            Severity::Note => "note",
            Severity::Warning => "WARNING",
            Severity::Failure => "FAILED",
        };
        text.push_str(&format!("{mark:<8}{}\n", printable(&finding.text)));
    }
    text
}

/// What came back, without what was tried, which the name of the step says, and without
/// advice, which the findings give.
fn why(error: &Error) -> String {
    let line = error.to_string();
    let line = line
        .strip_prefix(error.tried())
        .map_or(&*line, |rest| rest.trim_start_matches(": "));
    let advice = error.advice().map(|advice| format!("; {advice}"));
    let line = match &advice {
        Some(advice) => line.strip_suffix(advice.as_str()).unwrap_or(line),
        None => line,
    };
    line.to_owned()
}

fn milliseconds(elapsed: Duration) -> String {
    format!("{:.1} ms", elapsed.as_secs_f64() * 1000.0)
}

fn signing(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::HMAC_SHA256 => "HMAC-SHA256",
        SigningAlgorithm::AES_CMAC => "AES-CMAC",
        SigningAlgorithm::AES_GMAC => "AES-GMAC",
        _ => "unknown",
    }
}

fn cipher(cipher: Cipher) -> &'static str {
    match cipher {
        Cipher::AES128_CCM => "AES-128-CCM",
        Cipher::AES128_GCM => "AES-128-GCM",
        Cipher::AES256_CCM => "AES-256-CCM",
        Cipher::AES256_GCM => "AES-256-GCM",
        _ => "unknown",
    }
}

fn syntax(syntax: Syntax) -> &'static str {
    match syntax {
        Syntax::Ndr20 => "NDR 2.0",
        Syntax::Ndr64 => "NDR64",
    }
}

fn software_name(software: Software) -> &'static str {
    match software {
        Software::Samba => "Samba",
        _ => "Windows",
    }
}
