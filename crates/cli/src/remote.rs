//! A server asked for its sessions: target, credentials and limits as typed become calls.

use std::time::Duration;

use netsession::{
    ConnectionInfo, Credentials, Encryption, Ended, Error, ErrorKind, LevelChoice, Options, Server,
    SessionFilter, SessionLevel, Target,
};

use crate::arguments::{Access, Level};
use crate::failure::{Exit, Failure, exit_of};
use crate::output::document::{self, Reason};
use crate::password;
use crate::row::{Row, same_name};

/// What a [`Target`] without a name is called.
pub const THIS_MACHINE: &str = "this machine";

/// Rows, and the level they were told at.
pub struct Answer {
    /// The level that answered.
    pub level: SessionLevel,
    /// What it told.
    pub rows: Vec<Row>,
}

/// A connected server.
pub struct Remote {
    server: Server,
    credentials: Credentials,
    options: Options,
    /// As typed, for messages and the JSON object.
    pub target: Target,
}

impl Remote {
    /// Connects and logs on.
    pub async fn connect(target: &Target, access: &Access) -> Result<Self, Asked> {
        let credentials = credentials(access, target)?;
        let options = options(access);
        let server = Server::connect(target, &credentials, &options).await?;
        Ok(Self {
            server,
            credentials,
            options,
            target: target.clone(),
        })
    }

    /// Connects and logs on once more, as before.
    pub async fn reconnect(&mut self) -> Result<(), Error> {
        self.server = Server::connect(&self.target, &self.credentials, &self.options).await?;
        Ok(())
    }

    /// Who asks; empty for this machine, where no session belongs to who asks.
    pub fn user(&self) -> &str {
        if self.target.is_this_machine() {
            ""
        } else {
            self.credentials.user()
        }
    }

    /// The sessions that fit; at the fullest level that the server knows if none is given.
    ///
    /// # Errors
    /// With names given that fit none: [`Exit::NoSuchSession`].
    pub async fn sessions(
        &mut self,
        filter: &SessionFilter,
        level: Option<Level>,
    ) -> Result<Answer, Asked> {
        let (level, mut sessions) = self.server.sessions_at(filter, choice(level)).await?;
        let mut rows = Vec::new();
        while let Some(session) = sessions.next_session().await {
            rows.push(Row::new(&session?));
        }
        Ok(Answer { level, rows })
    }

    /// As [`Remote::sessions`], each to `take` as it comes. That none fits is an empty list,
    /// whichever way the server says it.
    pub async fn each(
        &mut self,
        filter: &SessionFilter,
        level: Option<Level>,
        mut take: impl FnMut(SessionLevel, Row) -> Result<(), Failure>,
    ) -> Result<SessionLevel, Asked> {
        let (level, mut sessions) = self.server.sessions_at(filter, choice(level)).await?;
        while let Some(session) = sessions.next_session().await {
            match session {
                Ok(session) => take(level, Row::new(&session))?,
                Err(error) if error.kind() == ErrorKind::NoSuchSession => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(level)
    }

    /// What the user of a session has connected to from its computer; `None` if the server
    /// does not tell.
    pub async fn connections(&mut self, row: &Row) -> Option<Vec<ConnectionInfo>> {
        let user = row.user.as_deref().unwrap_or_default();
        let computer = format!(r"\\{}", row.client);
        let mut connections = self.server.connections(&computer).await.ok()?;
        connections.retain(|connection| same_name(&connection.username, user));
        Some(connections)
    }

    /// NetrSessionDel.
    pub async fn end(&mut self, client: Option<&str>, user: Option<&str>) -> Result<Ended, Error> {
        self.server.end(client, user).await
    }

    /// Says good-bye; that it was not heard does not matter any more.
    pub async fn disconnect(self) {
        let _ = self.server.disconnect().await;
    }
}

/// Why a server was asked in vain.
#[derive(Debug)]
pub enum Asked {
    /// Of what came from it, or did not.
    Failed(Error),
    /// `--deadline` was over, in seconds.
    Late(f64),
    /// Of something on this machine.
    Here(Failure),
}

impl From<Error> for Asked {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Failure> for Asked {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}

impl Asked {
    /// As a JSON object, if it is about the server.
    pub fn reason(&self, target: &Target) -> Option<Reason> {
        match self {
            Self::Failed(error) => Some(Reason::new(error)),
            Self::Late(seconds) => Some(Reason {
                kind: document::kind(ErrorKind::TimedOut),
                code: 121,
                name: Some("ERROR_SEM_TIMEOUT"),
                message: late(target, *seconds),
            }),
            Self::Here(_) => None,
        }
    }

    /// As the failure of a command. Refused access points to the command that finds out
    /// what to change.
    pub fn into_failure(self, target: &Target) -> Failure {
        match self {
            Self::Here(failure) => failure,
            Self::Late(seconds) => Failure {
                exit: Exit::Unreachable,
                message: late(target, seconds),
            },
            Self::Failed(error) => {
                let exit = exit_of(error.kind());
                let mut message = error.to_string();
                if exit == Exit::AccessDenied {
                    message.push_str(&doctor(&target.to_string()));
                }
                Failure { exit, message }
            }
        }
    }
}

/// Where to read what a refused user can change.
pub fn doctor(server: &str) -> String {
    match server {
        THIS_MACHINE => "; `netsession doctor` tells more".to_owned(),
        server => format!("; `netsession doctor {server}` tells more"),
    }
}

fn late(target: &Target, seconds: f64) -> String {
    format!(
        "asking {target}: no complete answer within the {seconds} s of --deadline; the host may \
         be overloaded; try again or raise the limit"
    )
}

/// `work` for a server, until the deadline.
pub async fn within<T>(
    access: &Access,
    work: impl Future<Output = Result<T, Asked>>,
) -> Result<T, Asked> {
    let Some(seconds) = access.deadline else {
        return work.await;
    };
    tokio::time::timeout(Duration::from_secs_f64(seconds), work)
        .await
        .unwrap_or(Err(Asked::Late(seconds)))
}

/// The server that was named, or this machine.
pub fn one(server: Option<&str>) -> Result<Target, Failure> {
    match server {
        None => Ok(Target::this_machine()),
        Some(name) if name.starts_with('@') => Err(Failure::usage(format!(
            "{name}: only `list` asks many servers; name one"
        ))),
        Some(name) => Ok(Target::parse(name)?),
    }
}

/// The level to ask at.
pub fn choice(level: Option<Level>) -> LevelChoice {
    match level {
        Some(level) => LevelChoice::Exactly(level.into()),
        None => LevelChoice::Fullest,
    }
}

/// The filter for the names that were given.
pub fn filter(client: Option<&str>, user: Option<&str>) -> SessionFilter {
    SessionFilter {
        client: client.map(str::to_owned),
        user: user.map(str::to_owned),
    }
}

impl From<Level> for SessionLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Info0 => Self::Info0,
            Level::Info1 => Self::Info1,
            Level::Info2 => Self::Info2,
            Level::Info10 => Self::Info10,
            Level::Info502 => Self::Info502,
        }
    }
}

/// How to connect.
pub fn options(access: &Access) -> Options {
    let mut options = Options {
        source_address: access.source_address,
        local_socket: access.local_socket.clone(),
        ..Options::default()
    };
    if access.encrypt {
        options.encryption = Encryption::Required;
    }
    if let Some(seconds) = access.timeout {
        let limit = Duration::from_secs_f64(seconds);
        options.connect_timeout = limit;
        options.logon_timeout = limit;
        options.call_timeout = limit;
    }
    options
}

/// Who asks `target`.
pub fn credentials(access: &Access, target: &Target) -> Result<Credentials, Failure> {
    if target.is_this_machine() {
        // The rights are those of the process.
        return Ok(Credentials::anonymous());
    }
    credentials_for(access, &target.to_string(), false)
}

/// Who asks `servers`. `used_stdin`: standard input is no terminal because it has been read.
pub fn credentials_for(
    access: &Access,
    servers: &str,
    used_stdin: bool,
) -> Result<Credentials, Failure> {
    let credentials = match &access.credentials {
        Some(text) => Credentials::parse(text)?,
        None => Credentials::parse(&own_name()?)?,
    };
    if credentials.has_password() || credentials.is_anonymous() {
        return Ok(credentials);
    }
    let file = access.password_file.as_deref();
    let password = password::of_user(credentials.user(), servers, file, used_stdin)?;
    Ok(credentials.with_password(&password))
}

fn own_name() -> Result<String, Failure> {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.is_empty()))
        .ok_or_else(|| Failure::usage(r"who asks? Give -U [DOMAIN\]USER"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_for_each_step() {
        let access = Access {
            credentials: None,
            password_file: None,
            timeout: Some(0.5),
            deadline: None,
            encrypt: true,
            local_socket: None,
            source_address: None,
        };
        let options = options(&access);
        assert_eq!(options.call_timeout, Duration::from_millis(500));
        assert_eq!(options.connect_timeout, Duration::from_millis(500));
        assert_eq!(options.encryption, Encryption::Required);
    }

    #[test]
    fn this_machine_has_the_name_that_its_output_leaves_out() {
        assert_eq!(Target::this_machine().to_string(), THIS_MACHINE);
    }

    #[test]
    fn files_are_for_list() {
        let error = one(Some("@servers.txt")).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains("only `list`"), "{}", error.message);
    }
}
