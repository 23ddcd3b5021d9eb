//! What follows from the steps: sentences with what to change. Only what the steps have
//! shown is stated as a fact.

mod levels;
mod logon;

use std::io;

use smb::NtStatus;
use smb::wire::Dialect;
use srvsvc::NetApiStatus;

use super::{Diagnosis, Negotiation};
use crate::{Code, Error, ErrorKind, smb_client};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Something does not work, or not as safely as it could.
    Warning,
    /// Sessions cannot be listed because of it.
    Failure,
}

impl Severity {
    /// `ok`, `note`, `warning` or `failure`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// A conclusion from the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Stable, in kebab case; the text may change.
    pub id: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// One sentence or two, one line, with what to change.
    pub text: String,
}

pub(super) fn of(diagnosis: &Diagnosis) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.of_the_name(diagnosis);
    findings.of_the_connection(diagnosis);
    findings.of_the_negotiation(diagnosis);
    findings.of_the_logon(diagnosis);
    findings.of_the_binding(diagnosis);
    findings.of_the_levels(diagnosis);
    findings.of_the_limit(diagnosis);
    findings.0
}

struct Findings(Vec<Finding>);

use Severity::{Failure, Note, Ok as Fine, Warning};

impl Findings {
    fn add(&mut self, id: &'static str, severity: Severity, text: impl Into<String>) {
        self.0.push(Finding {
            id,
            severity,
            text: text.into(),
        });
    }

    fn of_the_name(&mut self, diagnosis: &Diagnosis) {
        let Some(Err(error)) = diagnosis.resolution.as_ref().map(|step| &step.result) else {
            return;
        };
        let host = diagnosis.target.host();
        match error.kind() {
            ErrorKind::TimedOut => self.add(
                "name-lookup-timed-out",
                Failure,
                format!("No name server answers for {host} in time: check this machine's name servers, or give the address."),
            ),
            _ => self.add(
                "name-not-found",
                Failure,
                format!("{host} has no address ({}): check the spelling, or give the address.", reason(error)),
            ),
        }
    }

    fn of_the_connection(&mut self, diagnosis: &Diagnosis) {
        let failed = diagnosis
            .connections
            .iter()
            .filter_map(|tried| Some((tried.address, tried.step.result.as_ref().err()?)));
        if diagnosis
            .connections
            .last()
            .is_some_and(|last| last.step.result.is_ok())
        {
            let addresses: Vec<_> = failed.map(|(address, _)| address.to_string()).collect();
            if !addresses.is_empty() {
                self.add(
                    "some-addresses-fail",
                    Warning,
                    format!(
                        "The name also stands for {}, where no connection comes about: every \
                         client may lose time there; correct the name's addresses or open the \
                         port.",
                        addresses.join(" and ")
                    ),
                );
            }
            return;
        }
        for (address, error) in failed {
            let (id, text) = match connect_error(error) {
                _ if error.kind() == ErrorKind::TimedOut => (
                    "port-filtered",
                    format!(
                        "Nothing comes back from {address}: the host is off, or a firewall drops what goes to TCP port {}.",
                        address.port()
                    ),
                ),
                Some(io::ErrorKind::ConnectionRefused) => (
                    "port-closed",
                    format!(
                        "{address} refuses the connection: the host is there, but no server listens on this port; start its Server service, or give the right port."
                    ),
                ),
                Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => (
                    "host-unreachable",
                    format!(
                        "There is no way to {address} ({}): check the address, and the network and routes of this machine.",
                        reason(error)
                    ),
                ),
                Some(io::ErrorKind::AddrNotAvailable) => (
                    "source-address-unusable",
                    format!(
                        "The source address cannot be used to reach {address} ({}): give one that this machine has.",
                        reason(error)
                    ),
                ),
                _ => (
                    "not-connected",
                    format!("No connection to {address} comes about: {}.", reason(error)),
                ),
            };
            self.add(id, Failure, text);
        }
    }

    fn of_the_negotiation(&mut self, diagnosis: &Diagnosis) {
        match diagnosis.negotiation.as_ref().map(|step| &step.result) {
            Some(Ok(negotiated)) => self.of_the_dialect(negotiated),
            Some(Err(error)) => self.of_the_failed_negotiation(diagnosis, error),
            None => {}
        }
    }

    fn of_the_dialect(&mut self, negotiated: &Negotiation) {
        if negotiated.dialect < Dialect::SMB300 {
            self.add(
                "old-dialect",
                Warning,
                "The dialect in common is below 3.0, which cannot encrypt: allow 3.0 or later there, \
                 and offer it here.",
            );
        } else if negotiated.cipher.is_none() {
            self.add(
                "no-encryption",
                Note,
                "The server offers no encryption; what it answers can be read on the way.",
            );
        }
        match negotiated.signing_required {
            true => self.add(
                "signing-required",
                Fine,
                "The server insists on signed messages, as it should; this client always signs.",
            ),
            false => self.add(
                "signing-not-required",
                Note,
                "The server does not insist on signed messages. This client signs nevertheless; for the sake of others, require it on the server.",
            ),
        }
    }

    fn of_the_failed_negotiation(&mut self, diagnosis: &Diagnosis, error: &Error) {
        let port = diagnosis.target.port();
        if diagnosis.speaks_smb1 == Some(true) {
            return self.add(
                "smb1-only",
                Failure,
                "The server refuses SMB2 and 3 but speaks SMB1, which this client does not and nobody should: enable SMB2 or later there.",
            );
        }
        let (id, text) = match (error.kind(), smb_error(error)) {
            (ErrorKind::TimedOut, _) => (
                "no-answer",
                format!("Port {port} takes the connection and then says nothing: the server hangs, or what listens there is no SMB server."),
            ),
            (ErrorKind::ConnectionLost, _) => (
                "hangs-up",
                format!(
                    "Port {port} hangs up on the first message: what listens there is no SMB \
                     server, or it does not let this machine in (Samba: `hosts allow` and \
                     `hosts deny`)."
                ),
            ),
            (_, Some(smb_client::Error::Status { status: NtStatus::NOT_SUPPORTED, .. })) => (
                "no-common-dialect",
                "The server takes none of the dialects that were offered: offer more of them, or allow one of them there.".to_owned(),
            ),
            (ErrorKind::Protocol, _) => (
                "not-smb",
                format!("What listens on port {port} does not answer as an SMB server does ({}): check the port.", reason(error)),
            ),
            _ => ("negotiation-failed", format!("The server ends the negotiation: {}.", reason(error))),
        };
        self.add(id, Failure, text);
    }

    fn of_the_binding(&mut self, diagnosis: &Diagnosis) {
        let Some(Err(error)) = diagnosis.binding.as_ref().map(|step| &step.result) else {
            return;
        };
        let here = diagnosis.target.is_this_machine();
        let (id, text) = match (error.kind(), error.net_api_status()) {
            (ErrorKind::ServerNotStarted, _) => (
                "server-not-started",
                "The Server service does not run on this machine, or has another socket: start \
                 it (`netsession serve` prints its socket), or name the socket \
                 (NETSESSION_LOCAL_SOCKET)."
                    .to_owned(),
            ),
            (ErrorKind::AccessDenied, _) if here => (
                "local-socket-denied",
                "The Unix socket of the Server service may not be opened: its folder and the socket have to be open to this user.".to_owned(),
            ),
            (ErrorKind::AccessDenied, _) => (
                "pipe-denied",
                format!("The user may not open the srvsvc pipe ({}): the server restricts IPC$ or its pipes.", reason(error)),
            ),
            (ErrorKind::Unreachable, _) => (
                "no-srvsvc-pipe",
                "The server speaks SMB but has no srvsvc pipe: its Server service does not run, \
                 or it is a file server without it."
                    .to_owned(),
            ),
            (_, 1717) => (
                "no-srvsvc-interface",
                "What answers on the pipe does not know the srvsvc interface.".to_owned(),
            ),
            _ => ("binding-failed", format!("srvsvc cannot be bound to: {}.", reason(error))),
        };
        self.add(id, Failure, text);
    }

    fn of_the_limit(&mut self, diagnosis: &Diagnosis) {
        let Some(limit) = diagnosis.cut_off else {
            return;
        };
        let here = diagnosis.target.is_this_machine();
        let connected = |last: &super::Connecting| last.step.result.is_ok();
        let during = if !here && diagnosis.resolution.is_none() {
            "the name lookup"
        } else if !here && !diagnosis.connections.last().is_some_and(connected) {
            "the connection"
        } else if !here && diagnosis.logon.is_none() {
            match diagnosis.negotiation {
                None => "the negotiation",
                Some(_) => "the logon",
            }
        } else if diagnosis.binding.is_none() {
            "the bind to srvsvc"
        } else {
            "the calls"
        };
        let severity = if diagnosis.can_list() {
            Warning
        } else {
            Failure
        };
        self.add(
            "limit-over",
            severity,
            format!(
                "The limit of {} s was over during {during}, and what comes next was not looked at: the server is slow or hangs there, or needs a longer limit.",
                limit.as_secs_f64()
            ),
        );
    }
}

fn smb_error(error: &Error) -> Option<&smb_client::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

fn connect_error(error: &Error) -> Option<io::ErrorKind> {
    match smb_error(error)? {
        smb_client::Error::Connect(error) => Some(error.kind()),
        _ => None,
    }
}

/// What came back, without what was tried.
fn reason(error: &Error) -> String {
    match (smb_error(error), error.code()) {
        (Some(smb_client::Error::Connect(error)), _) => error.to_string(),
        (Some(error), _) => error.to_string(),
        (None, Some(Code::NetApiStatus(status))) => NetApiStatus(status).to_string(),
        (None, Some(Code::Fault(status))) => format!("RPC fault 0x{status:08X}"),
        (None, _) => error.to_string(),
    }
}
