//! `netsession end`: shows what it will end, asks, ends it, tells what became of each.

use std::io::{IsTerminal, Write, stderr, stdin};

use netsession::{Ended, ErrorKind};

use crate::arguments::EndArguments;
use crate::failure::{Exit, Failure, complain, exit_of};
use crate::output::{self, emit};
use crate::remote::{Answer, Remote, filter, one, within};
use crate::row::{Row, bare, same_name};
use crate::text::{count, printable};

/// What one call ends: the sessions of a user on a client.
#[derive(Debug, PartialEq, Eq)]
struct Pair {
    client: String,
    /// `None`: every user of the client (a session without a name cannot be named).
    user: Option<String>,
    /// How many rows of the list it stands for.
    sessions: usize,
}

/// Ends sessions.
pub async fn run(arguments: &EndArguments) -> Result<(), Failure> {
    let client = arguments
        .client
        .as_deref()
        .filter(|name| !bare(name).is_empty());
    let user = arguments.user.as_deref().filter(|name| !name.is_empty());
    if client.is_none() && user.is_none() {
        return Err(Failure::usage(
            "end the sessions of whom? Give --client NAME, --user NAME or both, not empty",
        ));
    }
    let target = one(arguments.server.as_deref())?;
    if !arguments.yes && !arguments.dry_run && !stdin().is_terminal() {
        return Err(Failure::usage(
            "ending sessions needs a yes, and there is no terminal to ask on; \
             give --yes, or --dry-run to see what would be ended",
        ));
    }
    let asked = within(&arguments.access, async {
        let mut remote = Remote::connect(&target, &arguments.access).await?;
        let answer = remote.sessions(&filter(client, user), None).await?;
        Ok((remote, answer))
    });
    let (remote, Answer { rows, .. }) = asked.await.map_err(|asked| asked.into_failure(&target))?;
    let server = target.to_string();
    if rows.is_empty() {
        remote.disconnect().await;
        return Err(none(&server, client, user));
    }
    announce(&server, &rows, arguments.dry_run)?;
    if arguments.dry_run {
        remote.disconnect().await;
        return Ok(());
    }
    if !arguments.yes && !confirmed(rows.len())? {
        remote.disconnect().await;
        return emit(b"Nothing was ended.\n");
    }
    let pairs = pairs(&rows, user, remote.user());
    end_all(remote, pairs).await
}

fn none(server: &str, client: Option<&str>, user: Option<&str>) -> Failure {
    let mut names = String::new();
    if let Some(user) = user {
        names.push_str(&format!(" of user {user}"));
    }
    if let Some(client) = client {
        names.push_str(&format!(" from client {client}"));
    }
    Failure {
        exit: Exit::NoSuchSession,
        message: format!(
            "end the sessions{names}: {server} lists none (NERR_ClientNameNotFound, 2312); \
             list the sessions to see the names in use"
        ),
    }
}

fn announce(server: &str, rows: &[Row], dry_run: bool) -> Result<(), Failure> {
    let sessions = count(rows.len(), "session");
    let opens: u64 = rows.iter().filter_map(|row| row.opens).map(u64::from).sum();
    let verb = if dry_run { "would end" } else { "will end" };
    let mut text = output::table(rows.iter(), false);
    let opens = count(usize::try_from(opens).unwrap_or(usize::MAX), "open");
    text.push_str(&format!(
        "\nThis {verb} {sessions} with {opens} on {}.\n",
        printable(server)
    ));
    emit(text.as_bytes())
}

fn confirmed(sessions: usize) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::local("ask on the terminal", &error);
    write!(stderr(), "End {}? [y/N] ", count(sessions, "session")).map_err(failed)?;
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(failed)?;
    Ok(is_yes(&line))
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}

/// What to call for, in the order of the list; what may be our own session comes last,
/// because the connection goes with it.
fn pairs(rows: &[Row], user_filter: Option<&str>, own_user: &str) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    for row in rows {
        let user = match row.user.as_deref() {
            None | Some("") => user_filter,
            Some(user) => Some(user),
        };
        let known = pairs.iter_mut().find(|pair| {
            same_name(&pair.client, &row.client)
                && pair.user.as_deref().map(str::to_lowercase) == user.map(str::to_lowercase)
        });
        match known {
            Some(pair) => pair.sessions += 1,
            None => pairs.push(Pair {
                client: row.client.clone(),
                user: user.map(str::to_owned),
                sessions: 1,
            }),
        }
    }
    pairs.sort_by_key(|pair| may_be_ours(pair, own_user));
    pairs
}

async fn end_all(mut remote: Remote, pairs: Vec<Pair>) -> Result<(), Failure> {
    let mut worst: Option<Exit> = None;
    let mut ours_may_be_gone = false;
    for pair in pairs {
        let name = name(&pair);
        // Asked over a lost connection, it could not be told from our own end.
        let connected = match ours_may_be_gone {
            true => remote.reconnect().await,
            false => Ok(()),
        };
        let result = match connected {
            Ok(()) => remote.end(Some(&pair.client), pair.user.as_deref()).await,
            Err(error) => Err(error),
        };
        ours_may_be_gone |= may_be_ours(&pair, remote.user());
        match result {
            Ok(Ended::Confirmed) => {
                let number = match pair.sessions {
                    1 => String::new(),
                    several => format!(" ({several} sessions)"),
                };
                emit(format!("Ended {name}{number}.\n").as_bytes())?;
            }
            Ok(Ended::ConnectionLost) => {
                let text = "the connection of this command went with it";
                emit(format!("Ended {name}, very likely: {text}.\n").as_bytes())?;
            }
            Err(error) if error.kind() == ErrorKind::NoSuchSession => {
                emit(format!("{name} had ended already.\n").as_bytes())?;
            }
            Err(error) => {
                worst = worst.or(Some(exit_of(error.kind())));
                complain(&format!("{name} was not ended: {error}"));
            }
        }
    }
    remote.disconnect().await;
    worst.map_or(Ok(()), |exit| Err(Failure::silent(exit)))
}

/// Ending it can take the connection of this command along.
fn may_be_ours(pair: &Pair, own_user: &str) -> bool {
    pair.user
        .as_deref()
        .is_none_or(|user| same_name(user, own_user))
}

fn name(pair: &Pair) -> String {
    let client = printable(&pair.client);
    match &pair.user {
        Some(user) => format!("{} on {client}", printable(user)),
        None => format!("all users on {client}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(client: &str, user: &str) -> Row {
        Row {
            client: client.into(),
            user: Some(user.into()),
            opens: Some(1),
            connected_seconds: None,
            idle_seconds: None,
            user_flags: None,
            flags: None,
            client_type: None,
            transport: None,
        }
    }

    fn names(pairs: &[Pair]) -> Vec<String> {
        pairs
            .iter()
            .map(|pair| format!("{} {}", name(pair), pair.sessions))
            .collect()
    }

    #[test]
    fn several_sessions_of_a_pair_are_one_call_and_ours_is_last() {
        let rows = [
            row("a", "admin"),
            row("a", "bob"),
            row("A", "Bob"),
            row("b", "bob"),
        ];
        assert_eq!(
            names(&pairs(&rows, None, "admin")),
            ["bob on a 2", "bob on b 1", "admin on a 1"]
        );
    }

    #[test]
    fn a_session_without_a_name_ends_with_its_client() {
        assert_eq!(
            names(&pairs(&[row("a", "")], None, "admin")),
            ["all users on a 1"]
        );
        assert_eq!(
            names(&pairs(&[row("a", "")], Some("bob"), "admin")),
            ["bob on a 1"]
        );
    }

    #[test]
    fn only_yes_is_yes() {
        for line in ["y\n", "Yes\n", " YES "] {
            assert!(is_yes(line));
        }
        for line in ["", "\n", "n\n", "yep", "no yes"] {
            assert!(!is_yes(line));
        }
    }
}
