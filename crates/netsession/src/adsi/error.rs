//! [`Error`]: an HRESULT with what led to it.

use std::fmt;

use super::HResult;

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure. Its `Display` is one line: what was tried, what came back, what to do, and the
/// HRESULT.
#[derive(Debug)]
pub struct Error {
    hresult: HResult,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Found here.
    Own { tried: String, detail: String },
    /// Came from the server or on the way to it.
    Call(crate::Error),
}

impl Error {
    pub(super) fn new(
        hresult: HResult,
        tried: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            hresult,
            what: What::Own {
                tried: tried.into(),
                detail: detail.into(),
            },
        }
    }

    /// The number.
    pub fn hresult(&self) -> HResult {
        self.hresult
    }

    /// The failure of the call behind it; `None` if nothing was sent.
    pub fn call(&self) -> Option<&crate::Error> {
        match &self.what {
            What::Own { .. } => None,
            What::Call(error) => Some(error),
        }
    }
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        Self {
            hresult: of_status(error.net_api_status()),
            what: What::Call(error),
        }
    }
}

/// The HRESULT of a NET_API_STATUS. ERROR_MORE_DATA is no failure to a caller of a collection,
/// who cannot go on with it: a server that gives nothing else has failed.
fn of_status(status: u32) -> HResult {
    const ERROR_MORE_DATA: u32 = 234;
    const RPC_S_CALL_FAILED: u32 = 1726;
    HResult::from_win32(match status {
        0 | ERROR_MORE_DATA => RPC_S_CALL_FAILED,
        status => status,
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Own { tried, detail } => write!(f, "{tried}: {}; {detail}", self.hresult),
            What::Call(error) => write!(f, "{error} [HRESULT 0x{:08X}]", self.hresult.0),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.call().map(|error| error as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn a_failed_call_keeps_its_story() {
        let call = crate::Error::net_api("listing the sessions of srv".to_owned(), 5);
        let story = call.to_string();
        let error = Error::from(call);
        assert_eq!(error.hresult(), HResult(0x8007_0005));
        assert_eq!(error.to_string(), format!("{story} [HRESULT 0x80070005]"));
        assert_eq!(error.source().unwrap().to_string(), story);
        assert_eq!(error.call().unwrap().net_api_status(), 5);
    }

    #[test]
    fn more_data_is_never_let_out() {
        for status in [0, 234] {
            let error = Error::from(crate::Error::net_api("x".to_owned(), status));
            assert_eq!(error.hresult(), HResult(0x8007_06BE));
        }
    }

    #[test]
    fn our_own_findings_say_what_to_do() {
        let error = Error::new(HResult::E_NOTIMPL, "adding a session", "clients add them");
        assert_eq!(
            error.to_string(),
            "adding a session: E_NOTIMPL (0x80004001); clients add them"
        );
        assert!(error.source().is_none() && error.call().is_none());
    }
}
