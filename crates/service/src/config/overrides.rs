//! One source of settings, and how sources lie over each other.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

use super::{
    ConfigError, Dialect, Encryption, ListenAddress, LocalSocket, ServerName, ShareSpec, Signing,
};

/// What one source (command line, environment, file) sets; `None` leaves it to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Addresses to listen on.
    pub listen: Option<Vec<ListenAddress>>,
    /// State directory.
    pub data_dir: Option<PathBuf>,
    /// Computer name.
    pub server_name: Option<ServerName>,
    /// Comment of the server.
    pub comment: Option<String>,
    /// Signing.
    pub signing: Option<Signing>,
    /// Encryption.
    pub encryption: Option<Encryption>,
    /// Lowest dialect.
    pub min_dialect: Option<Dialect>,
    /// Highest dialect.
    pub max_dialect: Option<Dialect>,
    /// Where local callers are answered.
    pub local_socket: Option<LocalSocket>,
    /// Group of this machine whose members are administrators at the local socket.
    pub administrators_group: Option<String>,
    /// Shares: added to those of lower sources, except that a name set in both is the
    /// higher one's.
    pub shares: Vec<ShareSpec>,
    /// Bounds.
    pub limits: LimitOverrides,
}

/// Bounds that a configuration may change; the defaults and reasons are in
/// `server::Limits`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitOverrides {
    /// TCP connections at once.
    pub connections: Option<NonZero>,
    /// Sessions on one connection.
    pub sessions_per_connection: Option<NonZero>,
    /// Tree connects of one session.
    pub tree_connects_per_session: Option<NonZero>,
    /// Opens of one session.
    pub opens_per_session: Option<NonZero>,
    /// Seconds until a connection without a session is dropped.
    pub handshake_seconds: Option<NonZero>,
    /// Seconds until a session must authenticate again.
    pub session_lifetime_seconds: Option<NonZero>,
}

/// A bound of 0 would shut everybody out.
pub type NonZero = std::num::NonZeroU32;

impl Overrides {
    /// Lays `self` over `lower`.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        let mut shares = lower.shares;
        shares.retain(|share| {
            !self
                .shares
                .iter()
                .any(|higher| higher.has_name(share.name()))
        });
        shares.extend(self.shares);
        let (higher, limits) = (self.limits, lower.limits);
        Self {
            listen: self.listen.or(lower.listen),
            data_dir: self.data_dir.or(lower.data_dir),
            server_name: self.server_name.or(lower.server_name),
            comment: self.comment.or(lower.comment),
            signing: self.signing.or(lower.signing),
            encryption: self.encryption.or(lower.encryption),
            min_dialect: self.min_dialect.or(lower.min_dialect),
            max_dialect: self.max_dialect.or(lower.max_dialect),
            local_socket: self.local_socket.or(lower.local_socket),
            administrators_group: self.administrators_group.or(lower.administrators_group),
            shares,
            limits: LimitOverrides {
                connections: higher.connections.or(limits.connections),
                sessions_per_connection: higher
                    .sessions_per_connection
                    .or(limits.sessions_per_connection),
                tree_connects_per_session: higher
                    .tree_connects_per_session
                    .or(limits.tree_connects_per_session),
                opens_per_session: higher.opens_per_session.or(limits.opens_per_session),
                handshake_seconds: higher.handshake_seconds.or(limits.handshake_seconds),
                session_lifetime_seconds: higher
                    .session_lifetime_seconds
                    .or(limits.session_lifetime_seconds),
            },
        }
    }

    /// Reads the variables `NETSESSION_LISTEN` (addresses, separated by commas), `_DATA_DIR`,
    /// `_SERVER_NAME`, `_COMMENT`, `_SIGNING`, `_ENCRYPTION`, `_MIN_DIALECT`, `_MAX_DIALECT`,
    /// `_LOCAL_SOCKET`, `_ADMINISTRATORS_GROUP` and `_SHARES` (as on the command line, separated by semicolons). An empty variable
    /// counts as none.
    ///
    /// # Errors
    /// Names the variable and what is allowed.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let text = |name: &'static str| {
            let value = variable(name).filter(|value| !value.is_empty());
            let text = value.map(|value| value.into_string()).transpose();
            let problem = "not UTF-8 text".to_owned();
            text.map_err(|_| ConfigError::Environment { name, problem })
        };
        Ok(Self {
            listen: parse_list(text, "NETSESSION_LISTEN", ',')?,
            data_dir: variable("NETSESSION_DATA_DIR")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
            server_name: parse(text, "NETSESSION_SERVER_NAME")?,
            comment: text("NETSESSION_COMMENT")?,
            signing: parse(text, "NETSESSION_SIGNING")?,
            encryption: parse(text, "NETSESSION_ENCRYPTION")?,
            min_dialect: parse(text, "NETSESSION_MIN_DIALECT")?,
            max_dialect: parse(text, "NETSESSION_MAX_DIALECT")?,
            local_socket: variable(srvsvc::local::ENVIRONMENT_VARIABLE)
                .filter(|value| !value.is_empty())
                .map(LocalSocket::from),
            administrators_group: text("NETSESSION_ADMINISTRATORS_GROUP")?,
            shares: parse_list(text, "NETSESSION_SHARES", ';')?.unwrap_or_default(),
            limits: LimitOverrides::default(),
        })
    }
}

fn parse<T: FromStr<Err: Display>>(
    text: impl Fn(&'static str) -> Result<Option<String>, ConfigError>,
    name: &'static str,
) -> Result<Option<T>, ConfigError> {
    text(name)?.map(|text| parse_one(name, &text)).transpose()
}

fn parse_list<T: FromStr<Err: Display>>(
    text: impl Fn(&'static str) -> Result<Option<String>, ConfigError>,
    name: &'static str,
    separator: char,
) -> Result<Option<Vec<T>>, ConfigError> {
    let items = |text: String| {
        let items = text
            .split(separator)
            .map(str::trim)
            .filter(|item| !item.is_empty());
        items.map(|item| parse_one(name, item)).collect()
    };
    text(name)?.map(items).transpose()
}

fn parse_one<T: FromStr<Err: Display>>(name: &'static str, text: &str) -> Result<T, ConfigError> {
    let bad = |error: T::Err| ConfigError::Environment {
        name,
        problem: error.to_string(),
    };
    text.trim().parse().map_err(bad)
}
