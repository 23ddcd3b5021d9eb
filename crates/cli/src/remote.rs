//! A server asked for its sessions: target, credentials and level as typed become calls.

use std::time::Duration;

use netsession::{
    Credentials, Encryption, Ended, Options, Server, SessionFilter, SessionLevel, Target,
};

use crate::arguments::{Access, Level};
use crate::failure::Failure;
use crate::password;
use crate::row::Row;

/// Asked for in this order when no level was: from the one that tells most to the least.
const FULLEST_FIRST: [SessionLevel; 5] = [
    SessionLevel::Info502,
    SessionLevel::Info2,
    SessionLevel::Info1,
    SessionLevel::Info10,
    SessionLevel::Info0,
];

/// ERROR_INVALID_LEVEL.
const INVALID_LEVEL: u32 = 124;
/// RPC_S_INVALID_TAG: what a stub says that does not know the level of the union.
const INVALID_TAG: u32 = 1733;

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
    pub async fn connect(server: &str, access: &Access) -> Result<Self, Failure> {
        let target = Target::parse(server)?;
        let credentials = credentials(access, &target)?;
        let options = options(access);
        let server = Server::connect(&target, &credentials, &options).await?;
        Ok(Self {
            server,
            credentials,
            options,
            target,
        })
    }

    /// Connects and logs on once more, as before.
    pub async fn reconnect(&mut self) -> Result<(), netsession::Error> {
        self.server = Server::connect(&self.target, &self.credentials, &self.options).await?;
        Ok(())
    }

    /// Who asks.
    pub fn user(&self) -> &str {
        self.credentials.user()
    }

    /// The sessions that fit; at the fullest level that the server knows if none is given.
    ///
    /// # Errors
    /// With names given that fit none: [`crate::failure::Exit::NoSuchSession`].
    pub async fn sessions(
        &mut self,
        client: Option<&str>,
        user: Option<&str>,
        level: Option<Level>,
    ) -> Result<Answer, Failure> {
        let filter = SessionFilter {
            client: client.map(str::to_owned),
            user: user.map(str::to_owned),
        };
        let levels = match level {
            Some(level) => vec![level.into()],
            None => FULLEST_FIRST.to_vec(),
        };
        let mut last = None;
        for level in levels {
            match self.server.sessions(&filter, level).collect().await {
                Ok(sessions) => {
                    let rows = sessions.iter().map(Row::new).collect();
                    return Ok(Answer { level, rows });
                }
                Err(error) if matches!(error.net_api_status(), INVALID_LEVEL | INVALID_TAG) => {
                    last = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.map_or_else(|| Failure::usage("no level to ask at"), Failure::from))
    }

    /// NetrSessionDel.
    pub async fn end(
        &mut self,
        client: Option<&str>,
        user: Option<&str>,
    ) -> Result<Ended, netsession::Error> {
        self.server.end(client, user).await
    }

    /// Says good-bye; that it was not heard does not matter any more.
    pub async fn disconnect(self) {
        let _ = self.server.disconnect().await;
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

fn options(access: &Access) -> Options {
    let mut options = Options {
        source_address: access.source_address,
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

fn credentials(access: &Access, target: &Target) -> Result<Credentials, Failure> {
    let credentials = match &access.credentials {
        Some(text) => Credentials::parse(text)?,
        None => Credentials::parse(&own_name()?)?,
    };
    if credentials.has_password() || credentials.is_anonymous() {
        return Ok(credentials);
    }
    let file = access.password_file.as_deref();
    let password = password::of_user(credentials.user(), &target.to_string(), file)?;
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
            encrypt: true,
            source_address: None,
        };
        let options = options(&access);
        assert_eq!(options.call_timeout, Duration::from_millis(500));
        assert_eq!(options.connect_timeout, Duration::from_millis(500));
        assert_eq!(options.encryption, Encryption::Required);
    }
}
