//! One share, as a configuration names it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use server::IPC_SHARE;

/// Longest share name in UTF-16 code units (NNLEN of lmcons.h).
pub const MAX_NAME_UNITS: usize = 80;

/// Longest comment in UTF-16 code units (MAXCOMMENTSZ of lmcons.h).
pub const MAX_COMMENT_UNITS: usize = 256;

/// Characters that no share name holds, control characters aside ([MS-SRVS] 2.2.4.22
/// forbids what a file name may not hold).
pub const FORBIDDEN: &str = "\"/\\[]:|<>+=;,*?";

/// A share to offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareSpec {
    name: String,
    /// Directory it offers.
    pub path: PathBuf,
    /// Refuses every change.
    pub read_only: bool,
    /// Must be used encrypted.
    pub encrypt: bool,
    /// Comment.
    pub comment: String,
    /// Most tree connects at once; `None` for no limit.
    pub max_uses: Option<u32>,
}

/// Why a text is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareSpecError {
    /// No `name=path`.
    #[error("{0:?} is not a share: expected NAME=PATH[,ro][,encrypt][,max_uses=N][,comment=TEXT]")]
    Form(String),
    /// Bad name.
    #[error(
        "share name {0:?}: allowed are 1 to {MAX_NAME_UNITS} characters other than {FORBIDDEN} \
         and control characters"
    )]
    Name(String),
    /// IPC$ is made by the server.
    #[error("share name {0:?} is reserved for named pipes")]
    Reserved(String),
    /// No path.
    #[error("share {0:?} has no path")]
    NoPath(String),
    /// Unknown option.
    #[error(
        "share {share:?}: unknown option {option:?}; known are ro, encrypt, max_uses=N and comment=TEXT \
         (a path with a comma belongs into the configuration file)"
    )]
    Option {
        /// The share.
        share: String,
        /// The option.
        option: String,
    },
    /// Not a number from 1 on.
    #[error("share {share:?}: max_uses is {given:?}, expected a number from 1 to {}", u32::MAX - 1)]
    MaxUses {
        /// The share.
        share: String,
        /// What was given.
        given: String,
    },
    /// Comment too long, or with control characters.
    #[error(
        "share {0:?}: a comment has at most {MAX_COMMENT_UNITS} characters, no control characters"
    )]
    Comment(String),
}

impl ShareSpec {
    /// A writable share without a comment.
    ///
    /// # Errors
    /// If the name is not allowed or the path is empty.
    pub fn new(name: &str, path: &Path) -> Result<Self, ShareSpecError> {
        let units = name.encode_utf16().count();
        let forbidden = |c: char| c.is_control() || FORBIDDEN.contains(c);
        if name.trim() != name || !(1..=MAX_NAME_UNITS).contains(&units) || name.contains(forbidden)
        {
            return Err(ShareSpecError::Name(name.to_owned()));
        }
        if name.eq_ignore_ascii_case(IPC_SHARE) {
            return Err(ShareSpecError::Reserved(name.to_owned()));
        }
        if path.as_os_str().is_empty() {
            return Err(ShareSpecError::NoPath(name.to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            read_only: false,
            encrypt: false,
            comment: String::new(),
            max_uses: None,
        })
    }

    /// Parses `NAME=PATH[,ro][,encrypt][,max_uses=N][,comment=TEXT]`. The comment comes last
    /// and may hold commas.
    ///
    /// # Errors
    /// Says what is wrong and what is allowed.
    pub fn parse(text: &str) -> Result<Self, ShareSpecError> {
        let (name, rest) = text
            .split_once('=')
            .ok_or_else(|| ShareSpecError::Form(text.to_owned()))?;
        let (path, mut options) = match rest.split_once(',') {
            Some((path, options)) => (path, Some(options)),
            None => (rest, None),
        };
        let mut share = Self::new(name, Path::new(path))?;
        while let Some(rest) = options {
            if let Some(comment) = rest.strip_prefix("comment=") {
                share.set_comment(comment)?;
                break;
            }
            let (option, next) = match rest.split_once(',') {
                Some((option, next)) => (option, Some(next)),
                None => (rest, None),
            };
            match (option, option.split_once('=')) {
                ("ro", _) => share.read_only = true,
                ("encrypt", _) => share.encrypt = true,
                (_, Some(("max_uses", number))) => share.set_max_uses(number)?,
                _ => {
                    let (share, option) = (share.name, option.to_owned());
                    return Err(ShareSpecError::Option { share, option });
                }
            }
            options = next;
        }
        Ok(share)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Is it this name, case aside?
    pub fn has_name(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }

    /// Sets the comment.
    ///
    /// # Errors
    /// If it is too long or holds control characters.
    pub fn set_comment(&mut self, comment: &str) -> Result<(), ShareSpecError> {
        if comment.encode_utf16().count() > MAX_COMMENT_UNITS || comment.contains(char::is_control)
        {
            return Err(ShareSpecError::Comment(self.name.clone()));
        }
        self.comment = comment.to_owned();
        Ok(())
    }

    fn set_max_uses(&mut self, number: &str) -> Result<(), ShareSpecError> {
        // u32::MAX is "no limit" on the wire.
        let uses = number
            .parse()
            .ok()
            .filter(|&uses| (1..u32::MAX).contains(&uses));
        self.max_uses = Some(uses.ok_or_else(|| ShareSpecError::MaxUses {
            share: self.name.clone(),
            given: number.to_owned(),
        })?);
        Ok(())
    }
}

impl FromStr for ShareSpec {
    type Err = ShareSpecError;

    fn from_str(text: &str) -> Result<Self, ShareSpecError> {
        Self::parse(text)
    }
}
