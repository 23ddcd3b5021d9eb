//! What is asked, and what is answered.

use std::collections::BTreeMap;
use std::path::PathBuf;

use netsession_tests::subject::User;

/// All levels, ascending.
pub const LEVELS: [u32; 5] = [0, 1, 2, 10, 502];

/// MAX_PREFERRED_LENGTH.
pub const EVERYTHING: u32 = 0xFFFF_FFFF;

/// Numbers of the answers.
pub mod status {
    pub const SUCCESS: u32 = 0;
    pub const ACCESS_DENIED: u32 = 5;
    pub const BAD_NETPATH: u32 = 53;
    pub const NETNAME_DELETED: u32 = 64;
    pub const INVALID_PARAMETER: u32 = 87;
    pub const INVALID_LEVEL: u32 = 124;
    pub const MORE_DATA: u32 = 234;
    pub const LOGON_FAILURE: u32 = 1326;
    pub const ACCOUNT_DISABLED: u32 = 1331;
    pub const SERVER_NOT_STARTED: u32 = 2114;
    pub const USER_NOT_FOUND: u32 = 2221;
    pub const CLIENT_NAME_NOT_FOUND: u32 = 2312;
    pub const INVALID_COMPUTER: u32 = 2351;
}

/// A name as a parameter: `None` is NULL.
pub type Name = Option<&'static str>;

/// One of the three functions with its arguments, but for the server.
#[derive(Clone, Debug)]
pub enum Call {
    /// NetSessionEnum.
    Enum {
        client: Name,
        user: Name,
        level: u32,
        prefmaxlen: u32,
        /// `None` is a NULL pointer.
        resume: Option<u32>,
    },
    /// NetSessionGetInfo.
    GetInfo {
        client: Name,
        user: Name,
        level: u32,
    },
    /// NetSessionDel.
    Del { client: Name, user: Name },
}

impl Call {
    /// NetSessionEnum of everything that passes, in one answer.
    pub fn all(client: Name, user: Name, level: u32) -> Self {
        Call::Enum {
            client,
            user,
            level,
            prefmaxlen: EVERYTHING,
            resume: Some(0),
        }
    }

    /// NetSessionGetInfo.
    pub fn get_info(client: Name, user: Name, level: u32) -> Self {
        Call::GetInfo {
            client,
            user,
            level,
        }
    }

    /// NetSessionDel.
    pub fn del(client: Name, user: Name) -> Self {
        Call::Del { client, user }
    }
}

/// Which server is asked, and as whom.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `host:port`, or NULL for this machine.
    pub server: Option<String>,
    /// Who asks; of no meaning on this machine.
    pub user: User,
    /// The local socket, whether it is there or not.
    pub socket: PathBuf,
}

/// Members of a SESSION_INFO without the prefix of its level.
pub type Row = BTreeMap<String, String>;

/// What came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The result.
    pub status: u32,
    /// entriesread, if the caller is told.
    pub entries: Option<u32>,
    /// totalentries, if the caller is told.
    pub total: Option<u32>,
    /// resume_handle, if there is one.
    pub resume: Option<u32>,
    /// The entries.
    pub rows: Vec<Row>,
    /// What else was said, for the message of a failed test.
    pub said: String,
}

impl Answer {
    /// Nothing but a number.
    pub fn status(status: u32, said: impl Into<String>) -> Self {
        Answer {
            status,
            said: said.into(),
            ..Answer::default()
        }
    }
}

/// The members of a level's structure.
pub fn members(level: u32) -> &'static [&'static str] {
    match level {
        0 => &["cname"],
        1 => &[
            "cname",
            "username",
            "num_opens",
            "time",
            "idle_time",
            "user_flags",
        ],
        2 => &[
            "cname",
            "username",
            "num_opens",
            "time",
            "idle_time",
            "user_flags",
            "cltype_name",
        ],
        10 => &["cname", "username", "time", "idle_time"],
        502 => &[
            "cname",
            "username",
            "num_opens",
            "time",
            "idle_time",
            "user_flags",
            "cltype_name",
            "transport",
        ],
        other => panic!("no level {other}"),
    }
}

/// A member as a number.
#[track_caller]
pub fn number(row: &Row, member: &str) -> u32 {
    row.get(member)
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no number {member} in {row:?}"))
}

/// cname without leading backslashes.
#[track_caller]
pub fn bare(row: &Row) -> &str {
    row.get("cname")
        .unwrap_or_else(|| panic!("no cname in {row:?}"))
        .trim_start_matches('\\')
}
