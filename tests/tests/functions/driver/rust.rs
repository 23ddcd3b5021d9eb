//! `netsession::netapi`, in this process.

use netsession::netapi::{Netapi, SessionEnumeration};
use netsession::{Credentials, Error, Options, SessionInfo};

use super::Driver;
use crate::call::{Answer, Asked, Call, Row, status};

/// A [`Netapi`] of its own for each call, as the programs of the other drivers have.
pub struct Rust;

impl Driver for Rust {
    fn name(&self) -> &'static str {
        "Rust"
    }

    fn call(&self, asked: &Asked, call: &Call) -> Answer {
        let netapi = Netapi::new();
        netapi.set_credentials(Some(Credentials::new(
            "",
            asked.user.name,
            asked.user.password,
        )));
        netapi.set_options(Options {
            local_socket: Some(asked.socket.clone()),
            ..Options::default()
        });
        let server = asked.server.as_deref();
        match *call {
            Call::Enum {
                client,
                user,
                level,
                prefmaxlen,
                resume,
            } => netapi
                .net_session_enum(server, client, user, level, prefmaxlen, resume)
                .map_or_else(failed, |found| Answer {
                    status: match found.more_data {
                        true => status::MORE_DATA,
                        false => status::SUCCESS,
                    },
                    entries: Some(found.entries_read),
                    total: Some(found.total_entries),
                    resume: resume.map(|_| found.resume_handle),
                    rows: rows(&found),
                    said: String::new(),
                }),
            Call::GetInfo {
                client,
                user,
                level,
            } => netapi
                .net_session_get_info(server, client, user, level)
                .map_or_else(failed, |found| Answer {
                    rows: rows(&found).into_iter().take(1).collect(),
                    ..Answer::default()
                }),
            Call::Del { client, user } => netapi
                .net_session_del(server, client, user)
                .map_or_else(failed, |()| Answer::default()),
        }
    }
}

fn failed(error: Error) -> Answer {
    Answer::status(error.net_api_status(), error.to_string())
}

fn rows(found: &SessionEnumeration) -> Vec<Row> {
    found.entries.iter().map(row).collect()
}

fn row(info: &SessionInfo) -> Row {
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let members = [
        ("cname", Some(info.cname().to_owned())),
        ("username", info.username().map(str::to_owned)),
        ("num_opens", number(info.num_opens().map(u64::from))),
        ("time", number(info.time().map(|time| time.as_secs()))),
        (
            "idle_time",
            number(info.idle_time().map(|time| time.as_secs())),
        ),
        (
            "user_flags",
            number(info.user_flags().map(|flags| flags.bits().into())),
        ),
        ("cltype_name", info.cltype_name().map(str::to_owned)),
        ("transport", info.transport().map(str::to_owned)),
    ];
    members
        .into_iter()
        .filter_map(|(member, value)| Some((member.to_owned(), value?)))
        .collect()
}
