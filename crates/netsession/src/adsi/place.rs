//! [`Place`]: what a path to a file service says, and the names derived from it.

use super::ads_path::bad_pathname;
use super::{AdsPath, Error, HResult, Result};
use crate::Target;

/// The service's name, and its relative name in a path.
pub(super) const LANMAN_SERVER: &str = "LanmanServer";

/// The class of the service.
pub(super) const FILE_SERVICE: &str = "FileService";

/// How a path names the machine it is used on.
const THIS_MACHINE: &str = ".";

/// Where a file service is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    domain: Option<String>,
    /// The element as it was written, port included.
    server: String,
    target: Target,
}

impl Place {
    /// Takes `WinNT://[domain/]server/LanmanServer[,FileService]` apart.
    pub(super) fn of(path: &AdsPath) -> Result<Self> {
        let unknown = |why: String| {
            Error::new(
                HResult::E_ADS_UNKNOWN_OBJECT,
                format!("binding to {path}"),
                why,
            )
        };
        let (domain, server, object) = match path.elements() {
            [server, object] => (None, server, object),
            [domain, server, object] => (Some(domain.clone()), server, object),
            _ => {
                return Err(unknown(
                    "only the file service is known here; write \
                     WinNT://[domain/]server/LanmanServer"
                        .to_owned(),
                ));
            }
        };
        if !object.eq_ignore_ascii_case(LANMAN_SERVER) {
            return Err(unknown(format!(
                "\"{}\" is no service known here; write LanmanServer",
                object.escape_debug()
            )));
        }
        if let Some(class) = path.class()
            && !class.eq_ignore_ascii_case(FILE_SERVICE)
        {
            return Err(unknown(format!(
                "LanmanServer is no \"{}\"; write FileService, or nothing",
                class.escape_debug()
            )));
        }
        let target = match server.as_str() {
            THIS_MACHINE => Target::this_machine(),
            // A backslash could only be that of a UNC name, which Target would take.
            text if text.contains('\\') => {
                return Err(bad_pathname(
                    &path.to_string(),
                    "the server has a backslash",
                ));
            }
            text => Target::parse(text)
                .map_err(|error| bad_pathname(&path.to_string(), &error.to_string()))?,
        };
        Ok(Self {
            domain,
            server: server.clone(),
            target,
        })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// ADsPath of the computer.
    pub(super) fn computer(&self) -> String {
        match &self.domain {
            Some(domain) => format!("WinNT://{domain}/{}", self.server),
            None => format!("WinNT://{}", self.server),
        }
    }

    /// ADsPath of the service.
    pub(super) fn service(&self) -> String {
        format!("{}/{LANMAN_SERVER}", self.computer())
    }

    /// ADsPath of the class object.
    pub(super) fn schema(&self, class: &str) -> String {
        format!("{}/Schema/{class}", self.computer())
    }

    /// ADsPath of a user. The calls give no domain: it is that of the binding, or the server,
    /// whose own account it then is.
    pub(super) fn user(&self, name: &str) -> String {
        match (name, &self.domain) {
            ("", _) => String::new(),
            (name, Some(domain)) => format!("WinNT://{domain}/{name}"),
            (name, None) => format!("WinNT://{}/{name}", self.server),
        }
    }
}

/// ADsPath of a client computer, of which no domain is known.
pub(super) fn client_computer(name: &str) -> String {
    match name {
        "" => String::new(),
        name => format!("WinNT://{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Place> {
        Place::of(&AdsPath::parse(text).unwrap())
    }

    #[test]
    fn names_that_follow_from_the_path() {
        let place = of("WinNT://srv:1445/lanmanserver,FILESERVICE").unwrap();
        assert_eq!(
            (place.target().host(), place.target().port()),
            ("srv", 1445)
        );
        assert_eq!(place.computer(), "WinNT://srv:1445");
        assert_eq!(place.service(), "WinNT://srv:1445/LanmanServer");
        assert_eq!(place.schema("Session"), "WinNT://srv:1445/Schema/Session");
        assert_eq!(place.user("alice"), "WinNT://srv:1445/alice");
        assert_eq!(place.user(""), "");

        let place = of("WinNT://DOM/[::1]/LanmanServer").unwrap();
        assert_eq!((place.target().host(), place.target().port()), ("::1", 445));
        assert_eq!(place.service(), "WinNT://DOM/[::1]/LanmanServer");
        assert_eq!(place.user("alice"), "WinNT://DOM/alice");

        assert_eq!(client_computer("pc"), "WinNT://pc");
        assert_eq!(client_computer(""), "");
    }

    #[test]
    fn a_dot_is_this_machine() {
        let place = of("WinNT://./LanmanServer").unwrap();
        assert!(place.target().is_this_machine());
        assert_eq!(place.user("alice"), "WinNT://./alice");
        let elsewhere = of("WinNT://localhost/LanmanServer").unwrap();
        assert!(!elsewhere.target().is_this_machine());
    }

    #[test]
    fn other_objects_are_unknown() {
        for text in [
            "WinNT:",
            "WinNT://srv",
            "WinNT://srv,Computer",
            "WinNT://srv/Spooler",
            "WinNT://srv/FPNW,FPNWFileService",
            "WinNT://srv/LanmanServer,Service",
            "WinNT://dom/srv/alice",
            r"WinNT://dom/srv/LanmanServer/alice\pc",
        ] {
            let error = of(text).unwrap_err();
            assert_eq!(error.hresult(), HResult::E_ADS_UNKNOWN_OBJECT, "{text}");
        }
    }

    #[test]
    fn a_server_that_cannot_be_one_makes_a_bad_path() {
        for text in [
            r"WinNT://\\srv/LanmanServer",
            "WinNT://srv:0/LanmanServer",
            "WinNT://srv:port/LanmanServer",
            "WinNT://[::1/LanmanServer",
            "WinNT://two words/LanmanServer",
        ] {
            let error = of(text).unwrap_err();
            assert_eq!(error.hresult(), HResult::E_ADS_BAD_PATHNAME, "{text}");
        }
    }
}
