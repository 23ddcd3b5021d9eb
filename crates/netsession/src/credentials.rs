//! Who asks.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::Error;

/// UNLEN plus room for a domain: longer names no Windows or Samba account has.
const MAX_NAME: usize = 512;

/// A user and a password, or nobody (an anonymous logon). The password is wiped from
/// memory when the value is dropped and never printed.
#[derive(Clone, Default)]
pub struct Credentials {
    domain: String,
    user: String,
    password: Option<Zeroizing<String>>,
}

impl Credentials {
    /// A user of `domain` (empty: the server's own) with a password.
    pub fn new(domain: &str, user: &str, password: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            user: user.to_owned(),
            password: Some(Zeroizing::new(password.to_owned())),
        }
    }

    /// Nobody: a null session ([MS-NLMP] 3.2.5.1.2).
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Reads `[DOMAIN\]USER[%PASSWORD]`; `%` alone, or nothing, is the anonymous logon.
    /// Whether a password came along says [`Credentials::has_password`]. A name of the form
    /// `user@domain` stays whole: servers take it with an empty domain.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] if a domain comes without a user, or for names longer
    /// than 512 bytes.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (name, password) = match text.split_once('%') {
            Some((name, password)) => (name, Some(Zeroizing::new(password.to_owned()))),
            None => (text, None),
        };
        let (domain, user) = name.split_once('\\').unwrap_or(("", name));
        if name.len() > MAX_NAME {
            return Err(Error::usage(
                "user name".to_owned(),
                format!("it is longer than {MAX_NAME} bytes; write [DOMAIN\\]USER[%PASSWORD]"),
            ));
        }
        if user.is_empty()
            && (!domain.is_empty() || password.as_ref().is_some_and(|p| !p.is_empty()))
        {
            return Err(Error::usage(
                "user name".to_owned(),
                "the user is missing; write [DOMAIN\\]USER[%PASSWORD]".to_owned(),
            ));
        }
        if user.contains(['\\', '\0']) || domain.contains('\0') {
            return Err(Error::usage(
                format!("user name \"{}\"", name.escape_debug()),
                "one backslash at most; write [DOMAIN\\]USER[%PASSWORD]".to_owned(),
            ));
        }
        Ok(Self {
            domain: domain.to_owned(),
            user: user.to_owned(),
            password,
        })
    }

    /// The same user with this password.
    pub fn with_password(mut self, password: &str) -> Self {
        self.password = Some(Zeroizing::new(password.to_owned()));
        self
    }

    /// The domain, empty if none was given.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The user, empty for the anonymous logon.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, empty if none was given.
    pub fn password(&self) -> &str {
        self.password
            .as_ref()
            .map_or("", |password| password.as_str())
    }

    /// A password was given (it may be the empty one).
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// No user: an anonymous logon.
    pub fn is_anonymous(&self) -> bool {
        self.user.is_empty()
    }
}

/// `DOMAIN\user` or `anonymous`; never the password.
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.domain.as_str(), self.user.as_str()) {
            (_, "") => f.write_str("anonymous"),
            ("", user) => f.write_str(user),
            (domain, user) => write!(f, "{domain}\\{user}"),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({self})")
    }
}

impl FromStr for Credentials {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, domain, user, password) in [
            ("admin", "", "admin", None),
            ("admin%Adm1n.Pw", "", "admin", Some("Adm1n.Pw")),
            (r"DOM\admin%a%b", "DOM", "admin", Some("a%b")),
            (r"DOM\admin%", "DOM", "admin", Some("")),
            (r"admin%pa\ss", "", "admin", Some(r"pa\ss")),
            ("%", "", "", Some("")),
            ("", "", "", None),
            ("a@example.org", "", "a@example.org", None),
        ] {
            let c = Credentials::parse(text).unwrap();
            let given = c.has_password().then(|| c.password());
            assert_eq!(
                (c.domain(), c.user(), given),
                (domain, user, password),
                "{text}"
            );
        }
        assert!(Credentials::parse("%").unwrap().is_anonymous());
    }

    #[test]
    fn wrong_forms() {
        for text in ["DOM\\", "%secret", "a\\b\\c", "DOM\\%x"] {
            assert!(Credentials::parse(text).is_err(), "{text}");
        }
        assert!(Credentials::parse(&"x".repeat(513)).is_err());
    }

    #[test]
    fn the_password_is_not_printed() {
        let c = Credentials::new("DOM", "admin", "s3cret");
        assert_eq!(format!("{c} {c:?}"), r"DOM\admin Credentials(DOM\admin)");
    }
}
