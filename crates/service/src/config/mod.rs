//! What a server is started with: command line over environment over file over defaults.
//!
//! Each source fills one [`Overrides`]; [`ServeConfig::resolve`] lays them over each other
//! and checks the whole.

mod file;
mod host;
mod overrides;
mod share_spec;
mod value;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use file::MAX_FILE_BYTES;
pub use host::{default_local_socket, default_server_name, default_state_dir};
pub use overrides::{LimitOverrides, Overrides};
pub use share_spec::{ShareSpec, ShareSpecError};
pub use value::{Dialect, Encryption, ListenAddress, LocalSocket, ServerName, Signing, ValueError};

/// TCP port of SMB.
pub const SMB_PORT: u16 = 445;

/// A complete, checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeConfig {
    /// Addresses to listen on. Empty: port 445 of every address of this machine.
    pub listen: Vec<SocketAddr>,
    /// State directory: accounts, later more.
    pub data_dir: PathBuf,
    /// Computer name.
    pub server_name: ServerName,
    /// Comment of the server.
    pub comment: String,
    /// Whether unsigned requests are refused.
    pub signing: Signing,
    /// Whether sessions may or must encrypt.
    pub encryption: Encryption,
    /// Lowest dialect.
    pub min_dialect: Dialect,
    /// Highest dialect.
    pub max_dialect: Dialect,
    /// Where local callers are answered.
    pub local_socket: LocalSocket,
    /// Group of this machine whose members are administrators at the local socket, beside
    /// root and the user that the service runs as.
    pub administrators_group: Option<String>,
    /// Shares, names distinct.
    pub shares: Vec<ShareSpec>,
    /// Bounds that differ from the server's defaults.
    pub limits: LimitOverrides,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file says something that is not allowed.
    #[error("{}:{line}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// An environment variable has a value that is not allowed.
    #[error("environment variable {name}: {problem}")]
    Environment {
        /// The variable.
        name: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// Two shares of one name.
    #[error("two shares are named {0:?}; names differ by more than case")]
    DuplicateShare(String),
    /// The dialects leave no choice.
    #[error("min_dialect {min} is above max_dialect {max}")]
    Dialects {
        /// Lowest.
        min: Dialect,
        /// Highest.
        max: Dialect,
    },
    /// Encryption came with SMB 3.0.
    #[error(
        "encryption is required {what}, but max_dialect is {max}: clients can encrypt from 3.0 on; \
         raise max_dialect or give up the encryption"
    )]
    EncryptionNeedsSmb3 {
        /// By what it is required.
        what: String,
        /// Highest dialect.
        max: Dialect,
    },
}

impl ServeConfig {
    /// Lays `flags` over the environment over the file (if given) over the defaults.
    /// `variable` looks an environment variable up ([`std::env::var_os`]).
    ///
    /// # Errors
    /// With the file and line, or the variable, at fault.
    pub fn load(
        flags: Overrides,
        variable: impl Fn(&str) -> Option<std::ffi::OsString>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let environment = Overrides::from_environment(variable)?;
        let file = file
            .map(Overrides::from_file)
            .transpose()?
            .unwrap_or_default();
        Self::resolve(flags.over(environment).over(file))
    }

    /// Fills what is missing with defaults and checks the whole.
    ///
    /// # Errors
    /// If values contradict each other.
    pub fn resolve(overrides: Overrides) -> Result<Self, ConfigError> {
        let config = Self {
            listen: overrides
                .listen
                .unwrap_or_default()
                .into_iter()
                .map(|l| l.0)
                .collect(),
            data_dir: overrides.data_dir.unwrap_or_else(default_state_dir),
            server_name: overrides.server_name.unwrap_or_else(default_server_name),
            comment: overrides.comment.unwrap_or_default(),
            signing: overrides.signing.unwrap_or_default(),
            encryption: overrides.encryption.unwrap_or_default(),
            min_dialect: overrides.min_dialect.unwrap_or(Dialect::SMB_2_0_2),
            max_dialect: overrides.max_dialect.unwrap_or(Dialect::SMB_3_1_1),
            local_socket: overrides.local_socket.unwrap_or_default(),
            administrators_group: overrides.administrators_group,
            shares: overrides.shares,
            limits: overrides.limits,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let (min, max) = (self.min_dialect, self.max_dialect);
        if min > max {
            return Err(ConfigError::Dialects { min, max });
        }
        for (index, share) in self.shares.iter().enumerate() {
            if self.shares[..index]
                .iter()
                .any(|earlier| earlier.has_name(share.name()))
            {
                return Err(ConfigError::DuplicateShare(share.name().to_owned()));
            }
        }
        if max < Dialect::SMB_3_0 {
            let what = if self.encryption == Encryption::Required {
                Some("by `encryption`".to_owned())
            } else {
                let share = self.shares.iter().find(|share| share.encrypt);
                share.map(|share| format!("by the share {:?}", share.name()))
            };
            if let Some(what) = what {
                return Err(ConfigError::EncryptionNeedsSmb3 { what, max });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
