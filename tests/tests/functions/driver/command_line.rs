//! `netsession list`, `show` and `end`.

use std::process::Command;

use netsession_tests::client::SHORT;
use netsession_tests::program::{self, Finished, run};
use serde_json::Value;

use super::Driver;
use crate::call::{Answer, Asked, Call, Name, Row, status};

/// The program, once for each call.
pub struct CommandLine;

/// Fields of the JSON, and the members they are.
const FIELDS: [(&str, &str); 8] = [
    ("client", "cname"),
    ("user", "username"),
    ("opens", "num_opens"),
    ("connected_seconds", "time"),
    ("idle_seconds", "idle_time"),
    ("user_flags", "user_flags"),
    ("client_type", "cltype_name"),
    ("transport", "transport"),
];

impl Driver for CommandLine {
    fn name(&self) -> &'static str {
        "command line"
    }

    fn is_command_line(&self) -> bool {
        true
    }

    fn call(&self, asked: &Asked, call: &Call) -> Answer {
        match *call {
            Call::Enum {
                client,
                user,
                level,
                ..
            } => {
                let level = level.to_string();
                let said = ask(asked, "list", &["--jsonl", "--level", &level], client, user);
                listed(&said)
            }
            Call::GetInfo {
                client,
                user,
                level,
            } => {
                let level = level.to_string();
                let said = ask(asked, "show", &["--json", "--level", &level], client, user);
                shown(&said)
            }
            Call::Del { client, user } => {
                let said = ask(asked, "end", &["--yes"], client, user);
                Answer::status(number(&said), said.to_string())
            }
        }
    }
}

fn ask(asked: &Asked, command: &str, words: &[&str], client: Name, user: Name) -> Finished {
    let mut program = Command::new(program::netsession());
    program
        .arg(command)
        .args(words)
        .env_remove("NETSESSION_PASSWORD")
        .env_remove("NETSESSION_USER")
        .env_remove("NETSESSION_CREDENTIALS")
        .env("NETSESSION_LOCAL_SOCKET", &asked.socket);
    if let Some(server) = &asked.server {
        program.arg(server);
        program.args(["-U", &asked.user.credentials()]);
    }
    if let Some(client) = client {
        program.args(["--client", client]);
    }
    if let Some(user) = user {
        program.args(["--user", user]);
    }
    run(&mut program, SHORT)
}

/// Lines of `list --jsonl`: the failure, if any, with its number.
fn listed(said: &Finished) -> Answer {
    let mut answer = Answer::status(number(said), said.to_string());
    for line in said.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {said}"));
        match line["type"].as_str() {
            Some("session") => answer.rows.push(row(&line)),
            Some("failure") => {
                let code = line["error"]["code"].as_u64();
                let code = code.and_then(|code| u32::try_from(code).ok());
                answer.status =
                    code.unwrap_or_else(|| panic!("a failure without a number: {said}"));
            }
            _ => {}
        }
    }
    answer
}

fn shown(said: &Finished) -> Answer {
    let mut answer = Answer::status(number(said), said.to_string());
    if answer.status == status::SUCCESS {
        let listing: Value =
            serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("no JSON: {said}"));
        let sessions = listing["sessions"].as_array();
        let sessions = sessions.unwrap_or_else(|| panic!("no sessions: {said}"));
        answer.rows = sessions.iter().map(row).collect();
    }
    answer
}

fn row(session: &Value) -> Row {
    let member = |(field, member): (&str, &str)| match &session[field] {
        Value::Null => None,
        Value::String(text) => Some((member.to_owned(), text.clone())),
        other => Some((member.to_owned(), other.to_string())),
    };
    FIELDS.into_iter().filter_map(member).collect()
}

/// The number that an error line names, as NET_API_STATUS. Exit code 2 means that nothing
/// was sent, whatever was wrong with the words: ERROR_INVALID_PARAMETER.
fn number(said: &Finished) -> u32 {
    match said.code {
        Some(0) => return status::SUCCESS,
        Some(2) => return status::INVALID_PARAMETER,
        _ => {}
    }
    // An NTSTATUS in hexadecimal, or `name (number)`, or `(name, number)`.
    let statuses = [
        ("0xC000006D", status::LOGON_FAILURE),
        ("0xC0000072", status::ACCOUNT_DISABLED),
        ("0xC0000203", status::NETNAME_DELETED),
        ("0xC0000022", status::ACCESS_DENIED),
    ];
    if let Some((_, number)) = statuses.iter().find(|(text, _)| said.stderr.contains(text)) {
        return *number;
    }
    let words = said.stderr.split(['(', ')', ',', ' ', ';']);
    let mut numbers = words.filter_map(|word| word.parse::<u32>().ok());
    numbers
        .find(|number| {
            [
                status::ACCESS_DENIED,
                status::BAD_NETPATH,
                status::NETNAME_DELETED,
                status::INVALID_PARAMETER,
                status::INVALID_LEVEL,
                status::LOGON_FAILURE,
                status::SERVER_NOT_STARTED,
                status::USER_NOT_FOUND,
                status::CLIENT_NAME_NOT_FOUND,
                status::INVALID_COMPUTER,
            ]
            .contains(number)
        })
        .unwrap_or_else(|| panic!("a failure without a number: {said}"))
}
