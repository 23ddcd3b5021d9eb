//! The account file as text (TOML): parsing with the line of each problem, and writing.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use super::{AccountName, AccountSummary, NtHash};
use crate::text::line_of;

/// The one format this version writes and reads.
const VERSION: u32 = 1;

/// RID of the first account: those below 1000 are reserved for built-in ones ([MS-SAMR]).
const FIRST_RID: u32 = 1000;

/// Most accounts in a file: the whole file is read at each change of it.
pub(super) const MAX_ACCOUNTS: usize = 100_000;

/// The parsed account file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// SID of this machine, `S-1-5-21-a-b-c`: accounts add their RID.
    pub machine_sid: String,
    /// RID of the next account. Never goes back: a SID is not given to two accounts.
    pub next_rid: u32,
    /// In order of addition.
    pub accounts: Vec<Record>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub summary: AccountSummary,
    pub nt_hash: NtHash,
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub line: usize,
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDocument {
    version: Spanned<u32>,
    machine_sid: Spanned<String>,
    next_rid: Spanned<u32>,
    #[serde(default)]
    account: Vec<RawAccount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccount {
    name: Spanned<String>,
    sid: Spanned<String>,
    nt_hash: Spanned<String>,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    server_operator: bool,
}

impl Document {
    /// A file without accounts, on a machine with the given random SID.
    pub fn empty(sub_authorities: [u32; 3]) -> Self {
        let [a, b, c] = sub_authorities;
        Self {
            machine_sid: format!("S-1-5-21-{a}-{b}-{c}"),
            next_rid: FIRST_RID,
            accounts: Vec::new(),
        }
    }

    /// Parses the text of a file.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let problem = |span: Range<usize>, what: String| Problem {
            line: line_of(text, span.start),
            text: what,
        };
        let raw: RawDocument = toml::from_str(text).map_err(|error| {
            problem(
                error.span().unwrap_or(0..0),
                error.message().trim().to_owned(),
            )
        })?;
        let version = *raw.version.get_ref();
        if version != VERSION {
            let what = format!("version is {version}, this program reads version {VERSION}");
            return Err(problem(raw.version.span(), what));
        }
        if sub_authorities(raw.machine_sid.get_ref(), "S-1-5-21-") != Some(3) {
            let what = "machine_sid must look like S-1-5-21-1-2-3".to_owned();
            return Err(problem(raw.machine_sid.span(), what));
        }
        if raw.account.len() > MAX_ACCOUNTS {
            let what = format!("at most {MAX_ACCOUNTS} accounts are allowed");
            return Err(problem(0..0, what));
        }
        let mut seen = HashSet::new();
        let mut accounts = Vec::with_capacity(raw.account.len());
        for account in raw.account {
            let name = AccountName::new(account.name.get_ref())
                .map_err(|error| problem(account.name.span(), error.to_string()))?;
            if !seen.insert(name.folded()) {
                let what = format!("a second account named {name:?}; case does not distinguish");
                return Err(problem(account.name.span(), what));
            }
            if sub_authorities(account.sid.get_ref(), "S-1-") < Some(2) {
                let what = "sid must look like S-1-5-21-1-2-3-1000".to_owned();
                return Err(problem(account.sid.span(), what));
            }
            let span = account.nt_hash.span();
            let digits = Zeroizing::new(account.nt_hash.into_inner());
            let nt_hash = parse_hash(&digits)
                .ok_or_else(|| problem(span, "nt_hash must be 32 hexadecimal digits".to_owned()))?;
            accounts.push(Record {
                summary: AccountSummary {
                    name,
                    sid: account.sid.into_inner(),
                    disabled: account.disabled,
                    admin: account.admin,
                    server_operator: account.server_operator,
                },
                nt_hash,
            });
        }
        let next_rid = (*raw.next_rid.get_ref()).max(FIRST_RID);
        Ok(Self {
            machine_sid: raw.machine_sid.into_inner(),
            next_rid,
            accounts,
        })
    }

    /// The text of a file that parses to this document.
    pub fn write(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(256 + self.accounts.len() * 256));
        text.push_str(
            "# Accounts of netsession. Whoever reads an nt_hash can log on with it: keep mode 0600.\n\
             # Change it with `netsession account`; a running server notices.\n",
        );
        // Writing to a String cannot fail.
        let _ = writeln!(text, "version = {VERSION}");
        let _ = writeln!(text, "machine_sid = {}", quoted(&self.machine_sid));
        let _ = writeln!(text, "next_rid = {}", self.next_rid);
        for Record { summary, nt_hash } in &self.accounts {
            let _ = writeln!(text, "\n[[account]]");
            let _ = writeln!(text, "name = {}", quoted(summary.name.as_str()));
            let _ = writeln!(text, "sid = {}", quoted(&summary.sid));
            text.push_str("nt_hash = \"");
            for byte in nt_hash.as_bytes() {
                let _ = write!(text, "{byte:02x}");
            }
            text.push_str("\"\n");
            let _ = writeln!(text, "disabled = {}", summary.disabled);
            let _ = writeln!(text, "admin = {}", summary.admin);
            let _ = writeln!(text, "server_operator = {}", summary.server_operator);
        }
        text
    }

    /// The account of this name, case aside.
    pub fn find(&mut self, name: &AccountName) -> Option<&mut Record> {
        let folded = name.folded();
        self.accounts
            .iter_mut()
            .find(|record| record.summary.name.folded() == folded)
    }
}

/// Number of sub-authorities behind `prefix`, if it is a SID of decimal 32-bit numbers.
fn sub_authorities(sid: &str, prefix: &str) -> Option<usize> {
    let rest = sid.strip_prefix(prefix)?;
    rest.split('-')
        .map(|part| part.parse::<u32>().ok())
        .try_fold(0, |n, part| part.map(|_| n + 1))
}

fn parse_hash(digits: &str) -> Option<NtHash> {
    let digits = digits.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut hash = [0; 16];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high << 4 | low) as u8;
    }
    Some(NtHash::new(hash))
}

/// A TOML basic string. Names hold neither quotes, backslashes nor control characters, so
/// this escapes for completeness only.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
