//! Changing the account file: one writer at a time, and readers see old or new, never half.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::document::{Document, MAX_ACCOUNTS, Record};
use super::{AccountError, AccountName, AccountSummary, Membership, NtHash};

/// Name of the account file in the state directory.
pub const FILE_NAME: &str = "accounts.toml";

/// Largest account file that is read: [`MAX_ACCOUNTS`] records of generous size.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The account file of a state directory. Every operation reads it anew.
#[derive(Clone, Debug)]
pub struct AccountFile {
    directory: PathBuf,
    path: PathBuf,
}

impl AccountFile {
    /// The file `accounts.toml` in `directory`; neither needs to exist.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            path: directory.join(FILE_NAME),
        }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All accounts, in order of addition; none if there is no file.
    pub fn list(&self) -> Result<Vec<AccountSummary>, AccountError> {
        let document = self.read()?;
        let records = document
            .map(|document| document.accounts)
            .unwrap_or_default();
        Ok(records.into_iter().map(|record| record.summary).collect())
    }

    /// Adds an account and returns it. Fails if one of that name exists.
    pub fn add(
        &self,
        name: &AccountName,
        nt_hash: NtHash,
        membership: Membership,
    ) -> Result<AccountSummary, AccountError> {
        self.change(|document| {
            if let Some(existing) = document.find(name) {
                return Err(AccountError::Exists(existing.summary.name.to_string()));
            }
            if document.accounts.len() >= MAX_ACCOUNTS || document.next_rid == u32::MAX {
                return Err(AccountError::Full(MAX_ACCOUNTS));
            }
            let summary = AccountSummary {
                name: name.clone(),
                sid: format!("{}-{}", document.machine_sid, document.next_rid),
                disabled: false,
                admin: membership.admin,
                server_operator: membership.server_operator,
            };
            document.next_rid += 1;
            document.accounts.push(Record {
                summary: summary.clone(),
                nt_hash,
            });
            Ok(summary)
        })
    }

    /// Gives an account another password. Sessions that exist stay.
    pub fn set_password(&self, name: &AccountName, nt_hash: NtHash) -> Result<(), AccountError> {
        self.change_account(name, |record| record.nt_hash = nt_hash)
    }

    /// Forbids (`true`) or allows logging on. Sessions that exist stay.
    pub fn set_disabled(&self, name: &AccountName, disabled: bool) -> Result<(), AccountError> {
        self.change_account(name, |record| record.summary.disabled = disabled)
    }

    /// Puts an account into groups, or takes it out. Counts from its next logon.
    pub fn set_membership(
        &self,
        name: &AccountName,
        membership: Membership,
    ) -> Result<(), AccountError> {
        self.change_account(name, |record| {
            record.summary.admin = membership.admin;
            record.summary.server_operator = membership.server_operator;
        })
    }

    /// Removes an account. Its SID is not given out again.
    pub fn remove(&self, name: &AccountName) -> Result<(), AccountError> {
        self.change(|document| {
            let folded = name.folded();
            let before = document.accounts.len();
            document
                .accounts
                .retain(|record| record.summary.name.folded() != folded);
            if document.accounts.len() == before {
                return Err(AccountError::NotFound(name.to_string()));
            }
            Ok(())
        })
    }

    /// Reads the file; `None` if there is none.
    pub(super) fn read(&self) -> Result<Option<Document>, AccountError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io("open", &self.path, error)),
        };
        self.read_from(&mut file).map(Some)
    }

    /// Reads an open account file.
    pub(super) fn read_from(&self, file: &mut File) -> Result<Document, AccountError> {
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.io("read", &self.path, error))?;
        let corrupt = |line, problem| AccountError::Corrupt {
            path: self.path.clone(),
            line,
            problem,
        };
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(corrupt(1, format!("longer than {MAX_FILE_BYTES} bytes")));
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let head = &bytes[..error.valid_up_to()];
            let line = head.iter().filter(|&&byte| byte == b'\n').count() + 1;
            corrupt(line, "not UTF-8 text".to_owned())
        })?;
        Document::parse(text).map_err(|problem| corrupt(problem.line, problem.text))
    }

    fn change_account(
        &self,
        name: &AccountName,
        change: impl FnOnce(&mut Record),
    ) -> Result<(), AccountError> {
        self.change(|document| {
            let record = document
                .find(name)
                .ok_or_else(|| AccountError::NotFound(name.to_string()))?;
            change(record);
            Ok(())
        })
    }

    /// Read, change, replace, all under the lock. A file that cannot be read is not written.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Document) -> Result<T, AccountError>,
    ) -> Result<T, AccountError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .map_err(|error| self.io("create", &self.directory, error))?;
        let _lock = self.lock()?;
        let mut document = match self.read()? {
            Some(document) => document,
            None => Document::empty(random_sub_authorities()?),
        };
        let result = change(&mut document)?;
        self.replace(&document.write())?;
        Ok(result)
    }

    /// Waits for other writers. The lock is on a file of its own because the account file
    /// is replaced by each change; it ends with the returned file.
    fn lock(&self) -> Result<File, AccountError> {
        let path = self.directory.join("accounts.lock");
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| self.io("open", &path, error))?;
        file.lock().map_err(|error| self.io("lock", &path, error))?;
        Ok(file)
    }

    fn replace(&self, text: &str) -> Result<(), AccountError> {
        // Only the holder of the lock writes here, so one name does; a leftover of a crash
        // is removed rather than reused, so that its mode and links do not matter.
        let temporary = self.directory.join("accounts.toml.new");
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(self.io("remove", &temporary, error));
            }
            _ => {}
        }
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| self.io("write", &temporary, error))?;
        std::fs::rename(&temporary, &self.path)
            .map_err(|error| self.io("replace", &self.path, error))?;
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| self.io("flush", &self.directory, error))
    }

    pub(super) fn io(
        &self,
        action: &'static str,
        path: &Path,
        source: std::io::Error,
    ) -> AccountError {
        AccountError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

fn random_sub_authorities() -> Result<[u32; 3], AccountError> {
    let mut numbers = [0; 3];
    for number in &mut numbers {
        *number = getrandom::u32().map_err(AccountError::Random)?;
    }
    Ok(numbers)
}
