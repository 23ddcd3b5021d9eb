//! [`HResult`]: the one number of a COM failure.

use std::fmt;

/// FACILITY_WIN32 with the severity bit: the high half of 0x8007nnnn.
const WIN32: u32 = 0x8007_0000;

/// An HRESULT. Open: any number is legal, those that ADSI and this module give have names.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HResult(pub u32);

macro_rules! hresults {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        impl HResult {
            $(#[doc = concat!(stringify!($value), ": ", $text, ".")]
            pub const $name: Self = Self($value);)*

            /// Those with a name here.
            pub const NAMED: &[Self] = &[$(Self::$name),*];

            fn own_name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

hresults! {
    S_OK = 0x0000_0000, "done";
    E_NOTIMPL = 0x8000_4001, "the object does not do that";
    E_NOINTERFACE = 0x8000_4002, "the object has no such interface";
    E_ADS_BAD_PATHNAME = 0x8000_5000, "the text is no ADsPath";
    E_ADS_UNKNOWN_OBJECT = 0x8000_5004, "the path names no object that is known here";
    E_ADS_PROPERTY_NOT_SUPPORTED = 0x8000_5006, "the class has no such property";
    E_ADS_BAD_PARAMETER = 0x8000_5008, "an argument has the wrong form";
    E_ADS_OBJECT_UNBOUND = 0x8000_5009, "the object is not bound to a remote one";
    E_ADS_PROPERTY_NOT_FOUND = 0x8000_500D, "the property has no value in the cache";
}

impl HResult {
    /// HRESULT_FROM_WIN32: 0x8007nnnn for the Win32 or NERR number nnnn, S_OK for 0. A number
    /// that has the severity bit already is taken as it is.
    pub const fn from_win32(code: u32) -> Self {
        match code {
            0 => Self::S_OK,
            1..=0x7FFF_FFFF => Self(WIN32 | (code & 0xFFFF)),
            _ => Self(code),
        }
    }

    /// The Win32 or NERR number in a 0x8007nnnn.
    pub const fn win32(self) -> Option<u32> {
        if self.0 & 0xFFFF_0000 == WIN32 {
            Some(self.0 & 0xFFFF)
        } else {
            None
        }
    }

    /// As a COM call returns it: a signed LONG, negative for a failure.
    pub const fn code(self) -> i32 {
        self.0 as i32
    }

    /// It is a failure: the severity bit is set.
    pub const fn is_failure(self) -> bool {
        self.code() < 0
    }

    /// Its name; for 0x8007nnnn that of the Win32 or NERR number, such as
    /// `ERROR_ACCESS_DENIED`.
    pub fn name(self) -> Option<&'static str> {
        self.own_name()
            .or_else(|| srvsvc::NetApiStatus(self.win32()?).name())
    }
}

/// `E_ADS_BAD_PATHNAME (0x80005000)`, or the number alone.
impl fmt::Display for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:08X})", self.0),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn win32_numbers() {
        // The table of the ADSI reference.
        for (win32, hresult) in [
            (5, 0x8007_0005),
            (53, 0x8007_0035),
            (2114, 0x8007_0842),
            (2221, 0x8007_08AD),
            (2312, 0x8007_0908),
            (2351, 0x8007_092F),
        ] {
            assert_eq!(HResult::from_win32(win32).0, hresult);
            assert_eq!(HResult(hresult).win32(), Some(win32));
            assert!(HResult(hresult).name().is_some(), "{win32}");
        }
        assert_eq!(HResult::from_win32(0), HResult::S_OK);
        assert_eq!(HResult::from_win32(0x8000_4001), HResult::E_NOTIMPL);
        assert_eq!(HResult::E_NOTIMPL.win32(), None);
        assert_eq!(HResult::from_win32(5).code(), -2_147_024_891);
        assert!(HResult::from_win32(5).is_failure() && !HResult::S_OK.is_failure());
    }

    #[test]
    fn names() {
        assert_eq!(
            HResult::E_ADS_BAD_PATHNAME.to_string(),
            "E_ADS_BAD_PATHNAME (0x80005000)"
        );
        assert_eq!(
            HResult(0x8007_0005).to_string(),
            "ERROR_ACCESS_DENIED (0x80070005)"
        );
        assert_eq!(HResult(0x8007_FFFE).to_string(), "0x8007FFFE");
        let numbers: Vec<u32> = HResult::NAMED.iter().map(|hresult| hresult.0).collect();
        assert!(numbers.is_sorted(), "ascending, so none is there twice");
    }
}
