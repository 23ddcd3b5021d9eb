//! One session as this program shows it: fields that the level lacks are `None`.

use serde::Serialize;

use netsession::{SESS_GUEST, SESS_NOENCRYPTION, SessionInfo, SessionLevel};

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
    /// What `level` tells of a session.
    pub fn new(level: SessionLevel, info: SessionInfo) -> Self {
        use SessionLevel::{Info0, Info2, Info10, Info502};
        let names_users = level != Info0;
        let counts_opens = !matches!(level, Info0 | Info10);
        Self {
            client: bare(&info.cname).to_owned(),
            user: names_users.then_some(info.username),
            opens: counts_opens.then_some(info.num_opens),
            connected_seconds: names_users.then_some(info.time),
            idle_seconds: names_users.then_some(info.idle_time),
            user_flags: counts_opens.then_some(info.user_flags),
            flags: counts_opens.then(|| flag_words(info.user_flags)),
            client_type: matches!(level, Info2 | Info502).then_some(info.cltype_name),
            transport: (level == Info502).then_some(info.transport),
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

fn flag_words(flags: u32) -> Vec<String> {
    let mut words = Vec::new();
    if flags & SESS_GUEST != 0 {
        words.push("guest".to_owned());
    }
    if flags & SESS_NOENCRYPTION != 0 {
        words.push("no-encryption".to_owned());
    }
    let rest = flags & !(SESS_GUEST | SESS_NOENCRYPTION);
    if rest != 0 {
        words.push(format!("0x{rest:x}"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> SessionInfo {
        SessionInfo {
            cname: r"\\192.0.2.10".into(),
            username: "alice".into(),
            num_opens: 2,
            time: 3661,
            idle_time: 5,
            user_flags: 1,
            cltype_name: String::new(),
            transport: r"\Device\NetbiosSmb".into(),
        }
    }

    #[test]
    fn a_level_tells_what_it_has() {
        let told = |level| {
            let row = Row::new(level, info());
            assert_eq!(row.client, "192.0.2.10");
            [
                row.user.is_some(),
                row.opens.is_some(),
                row.connected_seconds.is_some(),
                row.idle_seconds.is_some(),
                row.user_flags.is_some() && row.flags.is_some(),
                row.client_type.is_some(),
                row.transport.is_some(),
            ]
        };
        use SessionLevel::*;
        assert_eq!(told(Info0), [false; 7]);
        assert_eq!(told(Info1), [true, true, true, true, true, false, false]);
        assert_eq!(told(Info2), [true, true, true, true, true, true, false]);
        assert_eq!(told(Info10), [true, false, true, true, false, false, false]);
        assert_eq!(told(Info502), [true; 7]);
    }

    #[test]
    fn unknown_flags_survive() {
        assert_eq!(flag_words(0), Vec::<String>::new());
        assert_eq!(flag_words(0x13), ["guest", "no-encryption", "0x10"]);
    }
}
