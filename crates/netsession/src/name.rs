//! Names of client computers and users, as the calls take and compare them.

use srvsvc::{SessionInfo, SessionLevel};

/// A name that is there and not empty: on the wire an empty one means no filter.
pub(crate) fn given(name: Option<&str>) -> Option<&str> {
    name.filter(|name| !name.trim_start_matches('\\').is_empty())
}

/// `\\name`: what NetrSessionEnum and NetrSessionDel want to see ([MS-SRVS] 3.1.4.5).
pub(crate) fn client_name(name: &str) -> String {
    format!("\\\\{}", name.trim_start_matches('\\'))
}

/// The session bears these names. Servers spell cname with and without backslashes, by
/// level, and IPv6 addresses with and without brackets.
pub(crate) fn matches(
    info: &SessionInfo,
    level: SessionLevel,
    client: Option<&str>,
    user: Option<&str>,
) -> bool {
    // Level 0 has no user name to compare.
    let user = user.filter(|_| level != SessionLevel::Info0);
    client.is_none_or(|client| bare(client) == bare(&info.cname))
        && user.is_none_or(|user| user.to_lowercase() == info.username.to_lowercase())
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

    #[test]
    fn names() {
        assert_eq!(client_name("pc"), r"\\pc");
        assert_eq!(client_name(r"\\pc"), r"\\pc");
        assert_eq!(given(Some(r"\\")), None);
        assert_eq!(given(Some("")), None);
        assert_eq!(given(Some("a")), Some("a"));
    }

    #[test]
    fn comparison_ignores_backslashes_brackets_and_case() {
        let info = SessionInfo {
            cname: "[FE80::1]".to_owned(),
            username: "Alice".to_owned(),
            ..SessionInfo::default()
        };
        let level = SessionLevel::Info10;
        assert!(matches(&info, level, Some(r"\\fe80::1"), Some("ALICE")));
        assert!(matches(&info, level, None, None));
        assert!(!matches(&info, level, Some("fe80::2"), None));
        assert!(!matches(&info, level, None, Some("bob")));
        assert!(matches(&info, SessionLevel::Info0, None, Some("bob")));
    }
}
