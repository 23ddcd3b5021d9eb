//! The accounts of this server: a file that the command line edits and a running server
//! follows.
//!
//! - [`AccountFile`] adds, changes and removes accounts, under a lock and atomically.
//! - [`FileAccountStore`] answers logons from the same file and notices its changes.
//!
//! The file holds NT hashes, which are as good as passwords to whoever reads them: it is
//! created with mode 0600 in a directory of mode 0700.

mod document;
mod file;
mod name;
mod store;

use std::fmt;
use std::path::PathBuf;

use zeroize::{Zeroize, ZeroizeOnDrop};

pub use file::AccountFile;
pub use name::{AccountName, NameError};
pub use store::FileAccountStore;

/// MD4 of the UTF-16LE password ([MS-NLMP] 3.3.1 NTOWFv1). Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct NtHash([u8; 16]);

impl NtHash {
    /// Wraps a hash that was made elsewhere.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The hash of a password.
    pub fn of_password(password: &str) -> Self {
        Self(smb::auth::nt_hash(password))
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(..)")
    }
}

/// What a listing shows of an account: everything but its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// Name as it was added.
    pub name: AccountName,
    /// Security identifier, printed form.
    pub sid: String,
    /// May not log on.
    pub disabled: bool,
    /// Member of Administrators (S-1-5-32-544).
    pub admin: bool,
    /// Member of Server Operators (S-1-5-32-549).
    pub server_operator: bool,
}

/// Which groups an account is put into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Administrators (S-1-5-32-544).
    pub admin: bool,
    /// Server Operators (S-1-5-32-549).
    pub server_operator: bool,
}

/// Why an operation on the account file failed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name cannot be an account's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An account of this name exists already.
    #[error("an account named {0:?} exists already; set its password, or remove it first")]
    Exists(String),
    /// No account of this name.
    #[error("there is no account named {0:?}")]
    NotFound(String),
    /// The file cannot be understood. It is left as it is.
    #[error("{}:{line}: {problem}; the file was left unchanged: correct it or restore a copy", path.display())]
    Corrupt {
        /// The account file.
        path: PathBuf,
        /// Line of the first problem, counted from 1.
        line: usize,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// The file has as many accounts as it may.
    #[error("the account file is full: at most {0} accounts")]
    Full(usize),
    /// The system's random numbers are not available.
    #[error("no random numbers from the system: {0}")]
    Random(getrandom::Error),
    /// Reading, locking or writing failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`, ….
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests;
