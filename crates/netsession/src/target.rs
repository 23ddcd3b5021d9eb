//! The server to ask: a host and a port, or this machine.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::Error;

/// A DNS name has at most 255 octets ([RFC1035] 2.3.4); longer names are typing accidents.
const MAX_HOST: usize = 255;

/// A host and a TCP port, or this machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Empty for this machine: no host has that name.
    host: String,
    port: u16,
}

impl Target {
    /// SMB directly over TCP ([MS-SMB2] 2.1).
    pub const DEFAULT_PORT: u16 = 445;

    /// A host (name or address, IPv6 without brackets) and a port.
    pub fn new(host: &str, port: u16) -> Result<Self, Error> {
        let wrong = |why: &str| {
            Error::usage(
                format!("server name \"{}\"", host.escape_debug()),
                format!("{why}; write host, host:port, \\\\host or [IPv6]:port"),
            )
        };
        if host.is_empty() {
            return Err(wrong("the name is empty"));
        }
        if host.len() > MAX_HOST {
            return Err(wrong("the name is longer than 255 bytes"));
        }
        if host.contains(|c: char| c.is_control() || c.is_whitespace() || "\\/[]%@,;#".contains(c))
        {
            return Err(wrong("the name has a character that no host name has"));
        }
        if port == 0 {
            return Err(wrong("port 0 cannot be connected to"));
        }
        // [RFC4291] 2.2: a colon in a host can only be an IPv6 address.
        if host.contains(':') && host.parse::<Ipv6Addr>().is_err() {
            return Err(wrong("that is no IPv6 address"));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// The Server service of this machine, through its Unix socket: no password, the rights
    /// are those of the calling process.
    pub fn this_machine() -> Self {
        Self {
            host: String::new(),
            port: 0,
        }
    }

    /// It is [`Target::this_machine`]. `localhost` is not: it is asked over TCP.
    pub fn is_this_machine(&self) -> bool {
        self.host.is_empty()
    }

    /// Reads `host`, `host:port`, `\\host`, `//host:port`, `[::1]`, `[::1]:445` or `::1`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] if the text is none of these.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_with_port(text, Self::DEFAULT_PORT)
    }

    /// As [`Target::parse`], with `default_port` for a text that names none.
    ///
    /// # Errors
    /// The same.
    pub fn parse_with_port(text: &str, default_port: u16) -> Result<Self, Error> {
        let rest = text.trim();
        let rest = rest
            .strip_prefix("\\\\")
            .or_else(|| rest.strip_prefix("//"))
            .unwrap_or(rest);
        if let Some(rest) = rest.strip_prefix('[') {
            let Some((host, port)) = rest.split_once(']') else {
                return Err(Error::usage(
                    format!("server name \"{}\"", text.escape_debug()),
                    "the bracket is not closed; write [IPv6]:port".to_owned(),
                ));
            };
            let port = match port.strip_prefix(':') {
                Some(digits) => parse_port(text, digits)?,
                None if port.is_empty() => default_port,
                None => return Err(bad_port(text, port)),
            };
            if host.parse::<Ipv6Addr>().is_err() {
                return Err(Error::usage(
                    format!("server name \"{}\"", text.escape_debug()),
                    "what stands in brackets is no IPv6 address".to_owned(),
                ));
            }
            return Self::new(host, port);
        }
        match rest.split_once(':') {
            // More than one colon: an address without brackets.
            Some((_, after)) if after.contains(':') => Self::new(rest, default_port),
            Some((host, digits)) => Self::new(host, parse_port(text, digits)?),
            None => Self::new(rest, default_port),
        }
    }

    /// The host: a name or an address, IPv6 without brackets. Empty for this machine.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port, 1 to 65535. 0 for this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// ServerName of the MS-SRVS calls: NULL for this machine.
    pub(crate) fn server_name(&self) -> Option<String> {
        (!self.is_this_machine()).then(|| self.unc())
    }

    /// `\\host`: the ServerName of the MS-SRVS calls and the head of a share's path.
    pub fn unc(&self) -> String {
        if self.host.contains(':') {
            format!("\\\\[{}]", self.host)
        } else {
            format!("\\\\{}", self.host)
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_this_machine() {
            return f.write_str("this machine");
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if self.port != Self::DEFAULT_PORT {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

fn bad_port(text: &str, port: &str) -> Error {
    Error::usage(
        format!("server name \"{}\"", text.escape_debug()),
        format!(
            "\"{}\" is no port; write a number from 1 to 65535",
            port.escape_debug()
        ),
    )
}

fn parse_port(text: &str, digits: &str) -> Result<u16, Error> {
    match digits.parse::<u16>() {
        Ok(port) if port != 0 && !digits.starts_with('+') => Ok(port),
        _ => Err(bad_port(text, digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn forms() {
        for (text, host, port) in [
            ("srv", "srv", 445),
            ("srv:1545", "srv", 1545),
            (r"\\srv", "srv", 445),
            ("//srv:1445", "srv", 1445),
            ("[::1]:446", "::1", 446),
            ("[::1]", "::1", 445),
            ("::1", "::1", 445),
            (r"\\[fe80::1]", "fe80::1", 445),
            ("192.0.2.1:9", "192.0.2.1", 9),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.host(), target.port()), (host, port), "{text}");
            assert_eq!(Target::parse(&target.to_string()).unwrap(), target);
        }
    }

    #[test]
    fn wrong_forms_are_usage_errors() {
        for text in [
            "",
            "\\\\",
            "srv:",
            "srv:0",
            "srv:65536",
            "srv:+1",
            "srv:x",
            "[::1",
            "[::1]x",
            "[srv]",
            "a b",
            "a/b",
            "srv\\share",
            ":445",
            "a:b:c",
            "[::1]:",
            "u@h",
            "a,b",
            "a;b",
            "a#b",
        ] {
            let error = Target::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
            assert_eq!(error.net_api_status(), 87);
        }
        assert!(Target::parse(&"x".repeat(256)).is_err());
    }

    #[test]
    fn a_port_that_is_not_named() {
        let port = |text| Target::parse_with_port(text, 4450).unwrap().port();
        for text in ["srv", r"\\srv", "[::1]", "::1"] {
            assert_eq!(port(text), 4450, "{text}");
        }
        assert_eq!(port("srv:445"), 445);
        assert_eq!(port("[::1]:1"), 1);
    }

    #[test]
    fn this_machine_is_no_host() {
        let here = Target::this_machine();
        assert!(here.is_this_machine());
        assert_eq!(here.server_name(), None);
        assert_eq!(here.to_string(), "this machine");
        let named = Target::parse("localhost").unwrap();
        assert!(!named.is_this_machine());
        assert_eq!(named.server_name().as_deref(), Some(r"\\localhost"));
    }
}
