//! [`Value`]: what [`get`](super::Session::get) returns.

use std::fmt;

use super::{Error, HResult, Result};

/// The value of a property, as a VARIANT would hold it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// VT_BSTR.
    String(String),
    /// VT_I4, a LONG.
    Long(i32),
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Long(_) => None,
        }
    }

    /// The number, if it is one.
    pub fn as_long(&self) -> Option<i32> {
        match self {
            Self::String(_) => None,
            Self::Long(number) => Some(*number),
        }
    }

    /// A DWORD as a LONG; one too large for it becomes the largest.
    pub(super) fn from_dword(number: u32) -> Self {
        Self::Long(i32::try_from(number).unwrap_or(i32::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Long(number)
    }
}

/// The text, or the number in decimal.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(text),
            Self::Long(number) => number.fmt(f),
        }
    }
}

/// The spelling in `properties` of a name that is there, in whatever case.
pub(super) fn known(properties: &[&'static str], class: &str, name: &str) -> Result<&'static str> {
    let known = properties
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name));
    known.copied().ok_or_else(|| {
        Error::new(
            HResult::E_ADS_PROPERTY_NOT_SUPPORTED,
            format!("property \"{}\" of a {class}", name.escape_debug()),
            format!("a {class} has {}", properties.join(", ")),
        )
    })
}

/// The property is one of the class, but nobody has given a value for it.
pub(super) fn not_found(class: &str, name: &str, why: &str) -> Error {
    Error::new(
        HResult::E_ADS_PROPERTY_NOT_FOUND,
        format!("property {name} of a {class}"),
        why,
    )
}

/// Put on a property that nothing can change.
pub(super) fn read_only(class: &str, name: &str) -> Error {
    Error::new(
        HResult::E_ADS_PROPERTY_NOT_SUPPORTED,
        format!("changing property \"{}\" of a {class}", name.escape_debug()),
        format!("the properties of a {class} can only be read"),
    )
}

/// What this layer does not do.
pub(super) fn not_implemented(tried: impl Into<String>, why: &str) -> Error {
    Error::new(HResult::E_NOTIMPL, tried, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(Value::from("a").as_str(), Some("a"));
        assert_eq!(Value::from("a").as_long(), None);
        assert_eq!(Value::from(-1).as_long(), Some(-1));
        assert_eq!(Value::from(-1).as_str(), None);
        assert_eq!(Value::from_dword(7), Value::Long(7));
        assert_eq!(Value::from_dword(u32::MAX), Value::Long(i32::MAX));
        assert_eq!(format!("{} {}", Value::from("a"), Value::Long(7)), "a 7");
    }

    #[test]
    fn property_names_have_no_case() {
        let properties = ["User", "Path"];
        assert_eq!(known(&properties, "Resource", "pATH").unwrap(), "Path");
        let error = known(&properties, "Resource", "Colour").unwrap_err();
        assert_eq!(error.hresult(), HResult::E_ADS_PROPERTY_NOT_SUPPORTED);
        assert_eq!(
            error.to_string(),
            "property \"Colour\" of a Resource: E_ADS_PROPERTY_NOT_SUPPORTED (0x80005006); \
             a Resource has User, Path"
        );
    }
}
