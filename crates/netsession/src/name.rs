//! Names of client computers and users, as the calls take and compare them.

use crate::SessionInfo;

/// A name that is there and not empty: on the wire an empty one means every.
pub(crate) fn given(name: Option<&str>) -> Option<&str> {
    name.filter(|name| !name.is_empty())
}

/// `\\` with nothing behind it. No computer has that name; but Samba takes the backslashes
/// off and what is left for every computer, so it must never be sent to end something.
pub(crate) fn is_bare_prefix(client: &str) -> bool {
    !client.is_empty() && client.trim_start_matches('\\').is_empty()
}

/// `\\name`: what NetrSessionEnum and NetrSessionDel want to see ([MS-SRVS] 3.1.4.5).
pub(crate) fn client_name(name: &str) -> String {
    format!("\\\\{}", name.trim_start_matches('\\'))
}

/// The session bears these names. Servers spell cname with and without backslashes, by
/// level, and IPv6 addresses with and without brackets.
pub(crate) fn matches(info: &SessionInfo, client: Option<&str>, user: Option<&str>) -> bool {
    let has_user = |user: &str| {
        // Level 0 has no user name to compare.
        info.username()
            .is_none_or(|username| user.to_lowercase() == username.to_lowercase())
    };
    client.is_none_or(|client| bare(client) == bare(info.cname())) && user.is_none_or(has_user)
}

fn bare(name: &str) -> String {
    let name = name.trim_start_matches('\\');
    let inner = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    inner.unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SessionInfo0, SessionInfo10};

    #[test]
    fn names() {
        assert_eq!(client_name("pc"), r"\\pc");
        assert_eq!(client_name(r"\\pc"), r"\\pc");
        assert_eq!(given(Some(r"\\")), Some(r"\\"), "never taken for every");
        assert_eq!(given(Some("")), None);
        assert_eq!(given(Some("a")), Some("a"));
        assert!(is_bare_prefix(r"\\") && is_bare_prefix(r"\"));
        assert!(!is_bare_prefix("") && !is_bare_prefix(r"\\pc"));
    }

    #[test]
    fn comparison_ignores_backslashes_brackets_and_case() {
        let info = SessionInfo::Info10(SessionInfo10 {
            cname: "[FE80::1]".to_owned(),
            username: "Alice".to_owned(),
            ..SessionInfo10::default()
        });
        assert!(matches(&info, Some(r"\\fe80::1"), Some("ALICE")));
        assert!(matches(&info, None, None));
        assert!(!matches(&info, Some("fe80::2"), None));
        assert!(!matches(&info, None, Some("bob")));
        let nameless = SessionInfo::Info0(SessionInfo0 {
            cname: "[FE80::1]".to_owned(),
        });
        assert!(matches(&nameless, None, Some("bob")));
    }
}
