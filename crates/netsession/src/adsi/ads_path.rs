//! [`AdsPath`]: names of the WinNT: provider.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::{Error, HResult, Result};

/// Longest path in bytes. The names in it have limits of their own (a DNS name 255, a name in
/// a call 1024 UTF-16 units); what is longer than this is no path.
const MAX_PATH: usize = 4096;

/// A path of the WinNT: provider: `WinNT:`, or `WinNT://` and elements with `/` between them,
/// the last with a class behind a comma if one is given.
///
/// | Form | Names |
/// |---|---|
/// | `WinNT:` | the provider's root |
/// | `WinNT://domain` | a domain |
/// | `WinNT://domain/server`, `WinNT://server` | a computer |
/// | `WinNT://domain/object[,class]`, `WinNT://server/object[,class]` | an object of either |
/// | `WinNT://[domain/]server/LanmanServer[,FileService]` | the file service |
///
/// The provider is `WinNT`, in exactly this case; everything behind it is compared without
/// case, and keeps the case it came in: [`Display`](fmt::Display) gives back the very text
/// that was parsed. Nothing is repaired: an empty element (a trailing or doubled slash), an
/// empty class, a comma anywhere else, a blank at either end of an element and control
/// characters are mistakes.
#[derive(Clone, Debug)]
pub struct AdsPath {
    elements: Vec<String>,
    class: Option<String>,
}

impl AdsPath {
    /// The provider, the only one here.
    pub const PROVIDER: &'static str = "WinNT";

    /// Reads a path.
    ///
    /// # Errors
    /// [`HResult::E_ADS_BAD_PATHNAME`].
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| bad_pathname(text, why);
        if text.len() > MAX_PATH {
            return Err(wrong("it is longer than 4096 bytes"));
        }
        let rest = text
            .strip_prefix(Self::PROVIDER)
            .and_then(|rest| rest.strip_prefix(':'))
            .ok_or_else(|| wrong("the provider has to be WinNT:, in this case"))?;
        if rest.is_empty() {
            return Ok(Self {
                elements: Vec::new(),
                class: None,
            });
        }
        let rest = rest
            .strip_prefix("//")
            .ok_or_else(|| wrong("// has to follow WinNT:"))?;
        let (rest, class) = match rest.split_once(',') {
            Some((rest, class)) => (rest, Some(class)),
            None => (rest, None),
        };
        if class.is_some_and(|class| class.contains(['/', ','])) {
            return Err(wrong("one comma at most, before the class at the end"));
        }
        for element in rest.split('/').chain(class) {
            if element.is_empty() {
                return Err(wrong("something is missing at a slash or a comma"));
            }
            if element.trim() != element {
                return Err(wrong("there is a blank beside a slash or a comma"));
            }
            if element.contains(char::is_control) {
                return Err(wrong("it contains a control character"));
            }
        }
        Ok(Self {
            elements: rest.split('/').map(str::to_owned).collect(),
            class: class.map(str::to_owned),
        })
    }

    /// The elements behind `WinNT://`, none for the root.
    pub fn elements(&self) -> &[String] {
        &self.elements
    }

    /// The class behind the comma.
    pub fn class(&self) -> Option<&str> {
        self.class.as_deref()
    }
}

pub(super) fn bad_pathname(text: &str, why: &str) -> Error {
    Error::new(
        HResult::E_ADS_BAD_PATHNAME,
        format!("ADsPath \"{}\"", text.escape_debug()),
        format!("{why}; write WinNT://[domain/]server/LanmanServer[,FileService]"),
    )
}

impl fmt::Display for AdsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", Self::PROVIDER)?;
        for (index, element) in self.elements.iter().enumerate() {
            let before = if index == 0 { "//" } else { "/" };
            write!(f, "{before}{element}")?;
        }
        match &self.class {
            Some(class) => write!(f, ",{class}"),
            None => Ok(()),
        }
    }
}

impl FromStr for AdsPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl PartialEq for AdsPath {
    fn eq(&self, other: &Self) -> bool {
        self.to_string().to_lowercase() == other.to_string().to_lowercase()
    }
}

impl Eq for AdsPath {}

impl Hash for AdsPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_string().to_lowercase().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(path: &AdsPath) -> (Vec<&str>, Option<&str>) {
        let elements = path.elements().iter().map(String::as_str).collect();
        (elements, path.class())
    }

    #[test]
    fn forms() {
        for (text, elements, class) in [
            ("WinNT:", &[][..], None),
            ("WinNT://DOM", &["DOM"], None),
            ("WinNT://DOM/srv", &["DOM", "srv"], None),
            ("WinNT://srv/alice,user", &["srv", "alice"], Some("user")),
            ("WinNT://srv/LanmanServer", &["srv", "LanmanServer"], None),
            (
                "WinNT://dom.example/srv/lanmanserver,fileservice",
                &["dom.example", "srv", "lanmanserver"],
                Some("fileservice"),
            ),
            (
                "WinNT://[::1]:1445/LanmanServer",
                &["[::1]:1445", "LanmanServer"],
                None,
            ),
            (
                r"WinNT://srv/LanmanServer/alice\pc",
                &["srv", "LanmanServer", r"alice\pc"],
                None,
            ),
            (
                "WinNT://DOM/Domain Admins,group",
                &["DOM", "Domain Admins"],
                Some("group"),
            ),
        ] {
            let path = AdsPath::parse(text).unwrap();
            assert_eq!(parts(&path), (elements.to_vec(), class), "{text}");
            assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn wrong_forms() {
        for text in [
            "",
            "WinNT",
            "winnt://srv/LanmanServer",
            "WINNT:",
            " WinNT:",
            "WinNT: ",
            "LDAP://srv/LanmanServer",
            "WinNT:/",
            "WinNT://",
            "WinNT:/srv/LanmanServer",
            r"WinNT:\\srv\LanmanServer",
            "WinNT:///LanmanServer",
            "WinNT://srv//LanmanServer",
            "WinNT://srv/LanmanServer/",
            "WinNT://srv/LanmanServer,",
            "WinNT://srv/LanmanServer,FileService,FileService",
            "WinNT://srv,Computer/LanmanServer",
            "WinNT://,user",
            "WinNT:,user",
            "WinNT://srv/ LanmanServer",
            "WinNT://srv /LanmanServer",
            "WinNT://srv/LanmanServer, FileService",
            "WinNT://s\nrv/LanmanServer",
        ] {
            let error = AdsPath::parse(text).unwrap_err();
            assert_eq!(error.hresult(), HResult::E_ADS_BAD_PATHNAME, "{text}");
            assert_eq!(error.to_string().lines().count(), 1, "{text}");
        }
        let longest = format!("WinNT://{}", "x".repeat(MAX_PATH - 8));
        assert!(AdsPath::parse(&longest).is_ok());
        assert!(AdsPath::parse(&format!("{longest}x")).is_err());
    }

    #[test]
    fn case_does_not_distinguish_behind_the_provider() {
        let path = |text| AdsPath::parse(text).unwrap();
        assert_eq!(
            path("WinNT://SRV/LanmanServer,FileService"),
            path("WinNT://srv/lanmanserver,fileservice")
        );
        assert_ne!(path("WinNT://srv/a,user"), path("WinNT://srv/a"));
        assert_ne!(path("WinNT://srv/a"), path("WinNT://srv/b"));
    }

    proptest! {
        #[test]
        fn never_panics_and_gives_back_what_it_took(
            text in prop_oneof![
                ".*",
                "(WinNT|winnt|W)?:?/{0,3}[a-zA-Z.,/\\\\ \\[\\]:0-9]{0,40}",
                "WinNT://[a-z.]{1,5}(/[a-zA-Z ,\\\\]{1,9}){0,4}(,[a-z]{0,4})?",
            ],
        ) {
            match AdsPath::parse(&text) {
                Ok(path) => {
                    prop_assert_eq!(path.to_string(), text);
                    prop_assert!(path.elements().iter().all(|element| !element.is_empty()));
                }
                Err(error) => {
                    prop_assert_eq!(error.hresult(), HResult::E_ADS_BAD_PATHNAME);
                    prop_assert!(!error.to_string().contains('\n'));
                }
            }
        }
    }
}
