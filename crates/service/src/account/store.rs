//! Answers logons from the account file and follows its changes.

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, RwLock};

use server::account::{
    Account, AccountStore, SID_ADMINISTRATORS, SID_AUTHENTICATED_USERS, SID_NETWORK,
    SID_SERVER_OPERATORS, SecurityContext, Sid,
};
use smb::NtStatus;

use super::document::{Document, Record};
use super::name::fold;
use super::{AccountError, AccountFile};

/// The accounts of a running server. Looks at the file's identity on every logon (one
/// `stat`) and reads it again when that has changed; while the file cannot be read, the
/// accounts read last stay valid.
pub struct FileAccountStore {
    file: AccountFile,
    domain: Arc<str>,
    groups: TokenGroups,
    known: RwLock<Known>,
}

/// What tells one version of the file from another. Every change by [`AccountFile`] makes
/// a new inode; times and length catch an editor that writes in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

#[derive(Default)]
struct Known {
    stamp: Option<Stamp>,
    accounts: HashMap<String, Account>,
}

/// The four group lists that tokens share.
struct TokenGroups([Arc<[Sid]>; 4]);

impl FileAccountStore {
    /// Opens the accounts of a state directory. `domain` is what tokens name as the
    /// account domain: the computer's name. A missing file is an empty one; a corrupt one
    /// is an error here, but only a warning when it becomes so later.
    pub fn open(directory: &Path, domain: &str) -> Result<Self, AccountError> {
        let store = Self {
            file: AccountFile::new(directory),
            domain: Arc::from(domain),
            groups: TokenGroups::new(),
            known: RwLock::default(),
        };
        let (stamp, document) = store.load()?;
        store.replace(stamp, document);
        Ok(store)
    }

    /// Number of accounts now.
    pub fn len(&self) -> usize {
        self.refresh();
        self.known
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .accounts
            .len()
    }

    /// No accounts: nobody can log on.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn refresh(&self) {
        let now = match std::fs::metadata(self.file.path()) {
            Ok(metadata) => Some(Stamp::of(&metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %self.file.path().display(), %error, "cannot look at the account file; the accounts read last stay valid");
                return;
            }
        };
        if self
            .known
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .stamp
            == now
        {
            return;
        }
        match self.load() {
            Ok((stamp, document)) => self.replace(stamp, document),
            Err(error) => {
                tracing::error!(%error, "account file not read; the accounts read last stay valid");
                // Remembered so that one bad version is reported once.
                self.known
                    .write()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .stamp = now;
            }
        }
    }

    /// The file and the stamp of exactly the version that was read.
    fn load(&self) -> Result<(Option<Stamp>, Option<Document>), AccountError> {
        let path = self.file.path();
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, None)),
            Err(error) => return Err(self.file.io("open", path, error)),
        };
        let metadata = file
            .metadata()
            .map_err(|error| self.file.io("read", path, error))?;
        if metadata.mode() & 0o077 != 0 {
            tracing::warn!(path = %path.display(), mode = format!("{:o}", metadata.mode() & 0o7777),
                "other users of this machine can reach the account file, and with it every account; give it mode 0600");
        }
        let document = self.file.read_from(&mut file)?;
        Ok((Some(Stamp::of(&metadata)), Some(document)))
    }

    fn replace(&self, stamp: Option<Stamp>, document: Option<Document>) {
        let records = document
            .map(|document| document.accounts)
            .unwrap_or_default();
        let accounts = records
            .iter()
            .map(|r| (r.summary.name.folded(), self.account_of(r)))
            .collect();
        *self
            .known
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = Known { stamp, accounts };
    }

    fn account_of(&self, record: &Record) -> Account {
        let summary = &record.summary;
        Account {
            nt_hash: *record.nt_hash.as_bytes(),
            security_context: Arc::new(SecurityContext {
                user_name: Arc::from(summary.name.as_str()),
                domain: self.domain.clone(),
                sid: summary.sid.as_str().into(),
                groups: self.groups.of(summary.admin, summary.server_operator),
                is_guest: false,
                is_anonymous: false,
            }),
            refused: summary.disabled.then_some(NtStatus::ACCOUNT_DISABLED),
        }
    }
}

impl AccountStore for FileAccountStore {
    fn account(&self, _domain: &str, user_name: &str) -> Option<Account> {
        self.refresh();
        let known = self
            .known
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        known.accounts.get(&fold(user_name)).cloned()
    }

    fn anonymous(&self) -> Option<Arc<SecurityContext>> {
        None
    }
}

impl Stamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl TokenGroups {
    fn new() -> Self {
        Self(std::array::from_fn(|index| {
            let mut groups: Vec<Sid> =
                vec![Arc::from(SID_AUTHENTICATED_USERS), Arc::from(SID_NETWORK)];
            if index & 1 != 0 {
                groups.push(Arc::from(SID_ADMINISTRATORS));
            }
            if index & 2 != 0 {
                groups.push(Arc::from(SID_SERVER_OPERATORS));
            }
            groups.into()
        }))
    }

    fn of(&self, admin: bool, server_operator: bool) -> Arc<[Sid]> {
        self.0[usize::from(admin) | usize::from(server_operator) << 1].clone()
    }
}
