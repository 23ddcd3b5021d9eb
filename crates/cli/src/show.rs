//! `netsession show`.

use crate::arguments::ShowArguments;
use crate::failure::{Exit, Failure};
use crate::list::is_for_people;
use crate::output::{self, Listing, SCHEMA_VERSION, emit};
use crate::remote::Remote;
use crate::text::{count, printable};

/// Shows one session: the first in the order of the server, as NetSessionGetInfo does.
pub async fn run(arguments: &ShowArguments) -> Result<(), Failure> {
    let (client, user) = (arguments.client.as_str(), arguments.user.as_str());
    if client.trim_start_matches('\\').is_empty() || user.is_empty() {
        return Err(Failure::usage(
            "--client and --user must not be empty: together they name a session",
        ));
    }
    let mut remote = Remote::connect(&arguments.server, &arguments.access).await?;
    let answer = remote
        .sessions(Some(client), Some(user), arguments.level)
        .await;
    let server = remote.target.to_string();
    remote.disconnect().await;
    let answer = answer?;
    let Some((first, rest)) = answer.rows.split_first() else {
        return Err(Failure {
            exit: Exit::NoSuchSession,
            message: format!(
                "show the session of {user} on {client}: {server} lists none \
                 (NERR_ClientNameNotFound, 2312); list the sessions to see the names in use"
            ),
        });
    };
    let level = u32::from(answer.level);
    if !is_for_people(arguments.format) {
        let sessions = std::slice::from_ref(first);
        let listing = Listing {
            schema_version: SCHEMA_VERSION,
            server,
            level,
            sessions,
        };
        return emit(&output::listing(arguments.format, &listing, true)?);
    }
    let mut text = output::details(first);
    text.push_str(&format!("\nlevel {level} of {}", printable(&server)));
    if !rest.is_empty() {
        let more = count(rest.len(), "more session");
        text.push_str(&format!(
            "; {more} of this user and client, see `netsession list`"
        ));
    }
    text.push('\n');
    emit(text.as_bytes())
}
