//! One session as this program shows it: fields that the level lacks are `None`.

use std::time::Duration;

use serde::Serialize;

use netsession::{SessionInfo, UserFlags};

/// A session. The names of the fields are those of the JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// cname without leading backslashes.
    pub client: String,
    /// username.
    pub user: Option<String>,
    /// num_opens.
    pub opens: Option<u32>,
    /// time.
    pub connected_seconds: Option<u32>,
    /// idle_time.
    pub idle_seconds: Option<u32>,
    /// user_flags as a number.
    pub user_flags: Option<u32>,
    /// user_flags as words.
    pub flags: Option<Vec<String>>,
    /// cltype_name.
    pub client_type: Option<String>,
    /// transport.
    pub transport: Option<String>,
}

impl Row {
    /// What its level tells of a session.
    pub fn new(info: &SessionInfo) -> Self {
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Self {
            client: info.client().to_owned(),
            user: info.username().map(str::to_owned),
            opens: info.num_opens(),
            connected_seconds: info.time().map(seconds),
            idle_seconds: info.idle_time().map(seconds),
            user_flags: info.user_flags().map(UserFlags::bits),
            flags: info.user_flags().map(flag_words),
            client_type: info.cltype_name().map(str::to_owned),
            transport: info.transport().map(str::to_owned),
        }
    }
}

/// A computer name without leading backslashes.
pub fn bare(name: &str) -> &str {
    name.trim_start_matches('\\')
}

/// Names are compared without case.
pub fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn flag_words(flags: UserFlags) -> Vec<String> {
    let mut words = Vec::new();
    if flags.is_guest() {
        words.push("guest".to_owned());
    }
    if flags.contains(UserFlags::NOENCRYPTION) {
        words.push("no-encryption".to_owned());
    }
    let rest = flags.bits() & !(UserFlags::GUEST | UserFlags::NOENCRYPTION).bits();
    if rest != 0 {
        words.push(format!("0x{rest:x}"));
    }
    words
}

#[cfg(test)]
mod tests {
    use netsession::{SessionInfo0, SessionInfo502};

    use super::*;

    #[test]
    fn a_level_tells_what_it_has() {
        let row = Row::new(&SessionInfo::Info502(SessionInfo502 {
            cname: r"\\192.0.2.10".into(),
            username: "alice".into(),
            num_opens: 2,
            time: Duration::from_secs(3661),
            idle_time: Duration::from_secs(5),
            user_flags: UserFlags::GUEST,
            cltype_name: String::new(),
            transport: r"\Device\NetbiosSmb".into(),
        }));
        let expected = Row {
            client: "192.0.2.10".into(),
            user: Some("alice".into()),
            opens: Some(2),
            connected_seconds: Some(3661),
            idle_seconds: Some(5),
            user_flags: Some(1),
            flags: Some(vec!["guest".into()]),
            client_type: Some(String::new()),
            transport: Some(r"\Device\NetbiosSmb".into()),
        };
        assert_eq!(row, expected);
        let row = Row::new(&SessionInfo::Info0(SessionInfo0 {
            cname: "192.0.2.10".into(),
        }));
        let expected = Row {
            client: "192.0.2.10".into(),
            user: None,
            opens: None,
            connected_seconds: None,
            idle_seconds: None,
            user_flags: None,
            flags: None,
            client_type: None,
            transport: None,
        };
        assert_eq!(row, expected);
    }

    #[test]
    fn unknown_flags_survive() {
        assert_eq!(flag_words(UserFlags::default()), Vec::<String>::new());
        assert_eq!(
            flag_words(UserFlags::from_bits(0x13)),
            ["guest", "no-encryption", "0x10"]
        );
    }
}
