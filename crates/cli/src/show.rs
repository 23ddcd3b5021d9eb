//! `netsession show`.

use netsession::Target;

use crate::arguments::{Format, ShowArguments};
use crate::failure::{Exit, Failure};
use crate::output::document::{Line, Listing};
use crate::output::{self, SCHEMA_VERSION, emit, net, smb_session};
use crate::remote::{Answer, Remote, filter, one, within};
use crate::row::Row;
use crate::text::{count, printable};

/// Shows one session: the first in the order of the server, as NetSessionGetInfo does.
pub async fn run(arguments: &ShowArguments) -> Result<(), Failure> {
    let (client, user) = (arguments.client.as_str(), arguments.user.as_str());
    if client.trim_start_matches('\\').is_empty() || user.is_empty() {
        return Err(Failure::usage(
            "--client and --user must not be empty: together they name a session",
        ));
    }
    let format = arguments.format.chosen();
    let target = one(arguments.server.as_deref())?;
    let asked = within(&arguments.access, async {
        let mut remote = Remote::connect(&target, &arguments.access).await?;
        let filter = filter(Some(client), Some(user));
        let answer = remote.sessions(&filter, arguments.level).await?;
        let connections = match answer.rows.first() {
            Some(first) if format == Format::Net => remote.connections(first).await,
            _ => None,
        };
        Ok((remote, answer, connections))
    });
    let (remote, answer, connections) = asked.await.map_err(|asked| asked.into_failure(&target))?;
    let Some((first, rest)) = answer.rows.split_first() else {
        return Err(Failure {
            exit: Exit::NoSuchSession,
            message: format!(
                "show the session of {user} on {client}: {target} lists none \
                 (NERR_ClientNameNotFound, 2312); list the sessions to see the names in use"
            ),
        });
    };
    let mut text = shown(format, &target, &answer, first, rest.len())?;
    if format == Format::Net {
        let shares = connections.as_deref().map(net::shares);
        text.extend(shares.unwrap_or_default().bytes());
        text.extend(net::END.bytes());
    }
    emit(&text)?;
    remote.disconnect().await;
    Ok(())
}

fn shown(
    format: Format,
    target: &Target,
    answer: &Answer,
    first: &Row,
    more: usize,
) -> Result<Vec<u8>, Failure> {
    let server = target.to_string();
    let level = u32::from(answer.level);
    let text = match format {
        Format::Json => {
            return output::json(&Listing {
                schema_version: SCHEMA_VERSION,
                server: &server,
                level,
                sessions: std::slice::from_ref(first),
            });
        }
        Format::Jsonl => {
            return output::json_line(&Line::Session {
                server: &server,
                level,
                row: first,
            });
        }
        Format::Csv => output::csv(&output::FIELDS) + &output::csv(&output::values(first)),
        Format::Plain => output::plain(&output::values(first)),
        Format::Net => net::details(first),
        Format::Smbsession => smb_session::record(smb_session::host(&server), first),
        Format::Table => {
            let mut text = output::details(first);
            text.push_str(&format!("\nlevel {level} of {}", printable(&server)));
            if more > 0 {
                text.push_str(&format!(
                    "; {} of this user and client, see `netsession list`",
                    count(more, "more session")
                ));
            }
            text.push('\n');
            text
        }
    };
    Ok(text.into_bytes())
}
