//! `netsession list`.

use crate::arguments::{Format, Level, ListArguments};
use crate::failure::{Exit, Failure};
use crate::output::{self, Listing, SCHEMA_VERSION, emit};
use crate::remote::{Answer, Remote};
use crate::text::{count, printable};

/// Lists the sessions. That none fits the names is an empty list, whichever way the server
/// says it.
pub async fn run(arguments: &ListArguments) -> Result<(), Failure> {
    let Some(server) = &arguments.server else {
        return Err(Failure::usage(
            "list the sessions of which server? This machine's own service cannot be asked \
             without its address yet; give it, for instance `netsession list 127.0.0.1:1446`",
        ));
    };
    let mut remote = Remote::connect(server, &arguments.access).await?;
    let (client, user) = (arguments.client.as_deref(), arguments.user.as_deref());
    let answer = remote.sessions(client, user, arguments.level).await;
    let server = remote.target.to_string();
    remote.disconnect().await;
    let answer = match answer {
        Err(failure) if failure.exit == Exit::NoSuchSession => None,
        other => Some(other?),
    };
    print(arguments, &server, answer)
}

fn print(arguments: &ListArguments, server: &str, answer: Option<Answer>) -> Result<(), Failure> {
    let level = match (&answer, arguments.level) {
        (Some(answer), _) => u32::from(answer.level),
        (None, Some(level)) => u32::from(netsession::SessionLevel::from(level)),
        (None, None) => 502,
    };
    let rows = answer.map(|answer| answer.rows).unwrap_or_default();
    let format = arguments.format;
    let listing = Listing {
        schema_version: SCHEMA_VERSION,
        server: server.to_owned(),
        level,
        sessions: &rows,
    };
    let all_columns = matches!(arguments.level, Some(Level::Info2 | Level::Info502));
    if is_for_people(format) && rows.is_empty() {
        return emit(
            format!(
                "No sessions on {}{}.\n",
                printable(server),
                which(arguments)
            )
            .as_bytes(),
        );
    }
    let mut text = output::listing(format, &listing, all_columns)?;
    if is_for_people(format) {
        let number = count(rows.len(), "session");
        text.extend(format!("\n{number} on {}, level {level}\n", printable(server)).as_bytes());
    }
    emit(&text)
}

/// No format for programs was asked for.
pub fn is_for_people(format: Format) -> bool {
    !(format.json || format.csv || format.plain)
}

fn which(arguments: &ListArguments) -> String {
    let mut text = String::new();
    if let Some(user) = &arguments.user {
        text.push_str(&format!(" of user {}", printable(user)));
    }
    if let Some(client) = &arguments.client {
        text.push_str(&format!(" from client {}", printable(client)));
    }
    text
}
