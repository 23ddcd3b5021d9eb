//! The JSON object of `doctor --json`; docs/schema/doctor.json has its schema.

use netsession::diagnosis::{Diagnosis, Software, Step};
use serde::Serialize;

use super::{cipher, failed, signing, syntax};
use crate::output::SCHEMA_VERSION;
use crate::output::document::{Reason, seconds};
use crate::row::Row;

/// The whole diagnosis.
#[derive(Debug, Serialize)]
pub struct Document {
    schema_version: u32,
    server: String,
    user: Option<String>,
    can_list: bool,
    severity: &'static str,
    steps: Vec<Taken>,
    found: Found,
    findings: Vec<Finding>,
}

/// One step.
#[derive(Debug, Serialize)]
struct Taken {
    step: &'static str,
    /// Which, if there are several: an address, a level.
    of: Option<String>,
    ok: bool,
    elapsed_seconds: f64,
    error: Option<Reason>,
}

/// What the steps found; null where they were not reached or failed.
#[derive(Debug, Default, Serialize)]
struct Found {
    addresses: Option<Vec<String>>,
    address: Option<String>,
    dialect: Option<String>,
    signing_algorithm: Option<&'static str>,
    signing_required: Option<bool>,
    cipher: Option<&'static str>,
    server_guid: Option<String>,
    speaks_smb1: Option<bool>,
    guest: Option<bool>,
    anonymous: Option<bool>,
    signed: Option<bool>,
    encrypted: Option<bool>,
    transfer_syntax: Option<&'static str>,
    server_name: Option<String>,
    server_comment: Option<String>,
    server_version: Option<String>,
    software: Option<&'static str>,
    levels: Vec<u32>,
    sessions: Option<u32>,
    own_session: Option<Row>,
}

#[derive(Debug, Serialize)]
struct Finding {
    id: &'static str,
    severity: &'static str,
    text: String,
}

impl Document {
    /// Of a diagnosis.
    pub fn new(diagnosis: &Diagnosis) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            server: diagnosis.target.to_string(),
            user: diagnosis.user.clone(),
            can_list: diagnosis.can_list(),
            severity: diagnosis.severity().name(),
            steps: steps(diagnosis),
            found: found(diagnosis),
            findings: diagnosis
                .findings
                .iter()
                .map(|finding| Finding {
                    id: finding.id,
                    severity: finding.severity.name(),
                    text: finding.text.clone(),
                })
                .collect(),
        }
    }
}

fn taken<T>(name: &'static str, of: Option<String>, step: &Step<T>) -> Taken {
    Taken {
        step: name,
        of,
        ok: step.result.is_ok(),
        elapsed_seconds: seconds(step.elapsed),
        error: failed(step).map(Reason::new),
    }
}

fn steps(diagnosis: &Diagnosis) -> Vec<Taken> {
    let mut steps = Vec::new();
    steps.extend(
        diagnosis
            .resolution
            .as_ref()
            .map(|step| taken("name", None, step)),
    );
    steps.extend(
        diagnosis
            .connections
            .iter()
            .map(|tried| taken("connection", Some(tried.address.to_string()), &tried.step)),
    );
    steps.extend(
        diagnosis
            .negotiation
            .as_ref()
            .map(|step| taken("negotiation", None, step)),
    );
    steps.extend(
        diagnosis
            .logon
            .as_ref()
            .map(|step| taken("logon", None, step)),
    );
    steps.extend(
        diagnosis
            .binding
            .as_ref()
            .map(|step| taken("binding", None, step)),
    );
    steps.extend(
        diagnosis
            .server_info
            .iter()
            .map(|(level, step)| taken("server_info", Some(level.to_string()), step)),
    );
    steps.extend(
        diagnosis
            .levels
            .iter()
            .map(|(level, step)| taken("sessions", Some(u32::from(*level).to_string()), step)),
    );
    steps
}

fn found(diagnosis: &Diagnosis) -> Found {
    let mut found = Found {
        speaks_smb1: diagnosis.speaks_smb1,
        own_session: diagnosis.own_session.as_ref().map(Row::new),
        software: diagnosis.software.map(|software| match software {
            Software::Samba => "samba",
            _ => "windows-like",
        }),
        ..Found::default()
    };
    if let Some(addresses) = reached(&diagnosis.resolution) {
        found.addresses = Some(
            addresses
                .iter()
                .map(|address| address.ip().to_string())
                .collect(),
        );
    }
    if let Some(last) = diagnosis
        .connections
        .last()
        .filter(|last| last.step.result.is_ok())
    {
        found.address = Some(last.address.to_string());
    }
    if let Some(negotiation) = reached(&diagnosis.negotiation) {
        found.dialect = Some(negotiation.dialect.to_string());
        found.signing_algorithm = Some(signing(negotiation.signing_algorithm));
        found.signing_required = Some(negotiation.signing_required);
        found.cipher = negotiation.cipher.map(cipher);
        found.server_guid = Some(negotiation.server_guid.to_string());
    }
    if let Some(logon) = reached(&diagnosis.logon) {
        found.guest = Some(logon.guest);
        found.anonymous = Some(logon.anonymous);
        found.signed = Some(logon.signed);
        found.encrypted = Some(logon.encrypted);
    }
    if let Some(binding) = reached(&diagnosis.binding) {
        found.transfer_syntax = Some(syntax(binding.syntax));
    }
    if let Some(server) = diagnosis.server() {
        found.server_name = Some(server.name.clone());
        found.server_comment = Some(server.comment.clone());
        found.server_version = Some(format!("{}.{}", server.version_major, server.version_minor));
    }
    for (level, step) in &diagnosis.levels {
        if let Ok(answer) = &step.result {
            found.levels.push(u32::from(*level));
            found.sessions = found.sessions.max(Some(answer.total_entries));
        }
    }
    found
}

fn reached<T>(step: &Option<Step<T>>) -> Option<&T> {
    step.as_ref()?.result.as_ref().ok()
}
