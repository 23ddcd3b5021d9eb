//! Values of single settings, as they are typed.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::SMB_PORT;

/// A value that is not allowed; says what is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {expected}")]
pub struct ValueError {
    given: String,
    expected: &'static str,
}

impl ValueError {
    fn new(given: &str, expected: &'static str) -> Self {
        Self {
            given: given.to_owned(),
            expected,
        }
    }
}

/// An address to listen on: `192.0.2.1:445`, `[::1]:445`, or without a port, which is 445.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

/// Signing of the sessions of signed-in users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Signing {
    /// Unsigned requests are refused.
    #[default]
    Required,
    /// The client decides.
    Enabled,
}

/// Encryption of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Encryption {
    /// Never, except for what a share requires.
    Off,
    /// Offered: clients that ask for it and shares that require it get it.
    #[default]
    Desired,
    /// Clients that cannot are refused.
    Required,
}

/// Where local callers are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LocalSocket {
    /// At the usual place ([`super::default_local_socket`]). If that cannot be used (another
    /// server has it, the directory cannot be written), the service does without, with a
    /// warning.
    #[default]
    Usual,
    /// At this path, or the service does not start.
    At(PathBuf),
    /// Nowhere.
    Off,
}

/// A dialect of SMB2 or SMB3 ([MS-SMB2] 2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Dialect(u16);

/// Computer name, NetBIOS style: 1 to 15 letters, digits, `-` and `_`, upper case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServerName(String);

impl Dialect {
    /// 2.0.2
    pub const SMB_2_0_2: Self = Self(0x0202);
    /// 2.1
    pub const SMB_2_1: Self = Self(0x0210);
    /// 3.0
    pub const SMB_3_0: Self = Self(0x0300);
    /// 3.0.2
    pub const SMB_3_0_2: Self = Self(0x0302);
    /// 3.1.1
    pub const SMB_3_1_1: Self = Self(0x0311);

    /// DialectRevision on the wire.
    pub fn revision(self) -> u16 {
        self.0
    }
}

impl ServerName {
    /// Longest NetBIOS computer name (CNLEN).
    pub const MAX_LENGTH: usize = 15;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<OsString> for LocalSocket {
    fn from(text: OsString) -> Self {
        if text == srvsvc::local::OFF {
            Self::Off
        } else {
            Self::At(text.into())
        }
    }
}

impl LocalSocket {
    /// A relative path starts at `base`.
    pub(super) fn beneath(self, base: &Path) -> Self {
        match self {
            Self::At(path) => Self::At(base.join(path)),
            other => other,
        }
    }
}

impl FromStr for ListenAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bare = || {
            text.parse::<IpAddr>()
                .ok()
                .map(|ip| SocketAddr::new(ip, SMB_PORT))
        };
        let bracketed = || {
            let ip = text.strip_prefix('[')?.strip_suffix(']')?;
            ip.parse()
                .ok()
                .map(|ip| SocketAddr::new(IpAddr::V6(ip), SMB_PORT))
        };
        let address = text.parse().ok().or_else(bare).or_else(bracketed);
        address.map(Self).ok_or_else(|| {
            ValueError::new(
                text,
                "an IP address, or address:port such as 127.0.0.1:445 or [::1]:445",
            )
        })
    }
}

impl FromStr for Signing {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "required" => Ok(Self::Required),
            "enabled" => Ok(Self::Enabled),
            _ => Err(ValueError::new(text, "one of: required, enabled")),
        }
    }
}

impl FromStr for Encryption {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "off" => Ok(Self::Off),
            "desired" => Ok(Self::Desired),
            "required" => Ok(Self::Required),
            _ => Err(ValueError::new(text, "one of: off, desired, required")),
        }
    }
}

const DIALECTS: [(&str, Dialect); 5] = [
    ("2.0.2", Dialect::SMB_2_0_2),
    ("2.1", Dialect::SMB_2_1),
    ("3.0", Dialect::SMB_3_0),
    ("3.0.2", Dialect::SMB_3_0_2),
    ("3.1.1", Dialect::SMB_3_1_1),
];

impl FromStr for Dialect {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let known = DIALECTS.iter().find(|(name, _)| *name == text);
        known
            .map(|&(_, dialect)| dialect)
            .ok_or_else(|| ValueError::new(text, "one of: 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1"))
    }
}

impl FromStr for ServerName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.chars().all(allowed) {
            let expected = "a computer name: 1 to 15 letters, digits, hyphens and underscores";
            return Err(ValueError::new(text, expected));
        }
        Ok(Self(text.to_ascii_uppercase()))
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DIALECTS.iter().find(|(_, dialect)| dialect == self) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! try_from_string {
    ($($name:ident),*) => {
        $(impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, ValueError> {
                text.parse()
            }
        })*
    };
}

try_from_string!(Signing, Encryption, Dialect, ServerName);
