//! What surrounds every exported function: a panic becomes 2140, a failure leaves its text for
//! `netsession_last_error`, and SIGPIPE does not get out.

use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::signal::NoSigpipe;
use crate::status::{self, INTERNAL_ERROR, INVALID_PARAMETER, NOT_ENOUGH_MEMORY};

/// Why a function fails: the number it returns and the line about it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u32,
    text: String,
    /// The text stands for itself and needs no number behind it.
    complete: bool,
}

impl Failure {
    /// A wrong argument; the text says which, and what to pass.
    pub(crate) fn parameter(text: String) -> Self {
        Self {
            status: INVALID_PARAMETER,
            text,
            complete: false,
        }
    }

    pub(crate) fn no_memory() -> Self {
        Self {
            status: NOT_ENOUGH_MEMORY,
            text: "there is no memory for the answer; ask for less".to_owned(),
            complete: false,
        }
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> u32 {
        self.status
    }

    fn line(&self, function: &str) -> String {
        match status::name(self.status) {
            Some(name) if !self.complete => {
                let name = name.to_string_lossy();
                format!("{function}: {} ({name}, {})", self.text, self.status)
            }
            _ => format!("{function}: {}", self.text),
        }
    }
}

impl From<netsession::Error> for Failure {
    fn from(error: netsession::Error) -> Self {
        Self {
            status: error.net_api_status(),
            text: error.to_string(),
            complete: true,
        }
    }
}

thread_local! {
    /// The text about this thread's last call.
    static LAST_ERROR: RefCell<CString> = RefCell::new(CString::default());
}

fn set_last_error(text: String) {
    // A server's text may have a zero in it; C would not see what follows.
    let text = CString::new(text.replace('\0', "\u{FFFD}")).unwrap_or_default();
    // Without effect while the thread ends: then nobody can ask any more.
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = text);
}

/// Calls `read` with the text; it is empty if the last call of this thread did not fail.
pub(crate) fn last_error<T>(read: impl FnOnce(&CStr) -> T) -> Option<T> {
    LAST_ERROR.try_with(|last| read(&last.borrow())).ok()
}

/// Runs the body of an exported function and returns its number.
pub(crate) fn guarded(function: &str, body: impl FnOnce() -> Result<u32, Failure>) -> u32 {
    let mut answer = status::SUCCESS;
    caught(function, || {
        answer = body()?;
        Ok(())
    })
    .err()
    .unwrap_or(answer)
}

/// Runs the body of an exported function; `Err` has the number of its failure.
pub(crate) fn caught<T>(
    function: &str,
    body: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, u32> {
    // What a panic may leave half done is behind locks that recover from it, or lost.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _no_sigpipe = NoSigpipe::begin();
        body()
    }));
    let failure = match outcome {
        Ok(Ok(value)) => {
            set_last_error(String::new());
            return Ok(value);
        }
        Ok(Err(failure)) => failure,
        Err(_) => Failure {
            status: INTERNAL_ERROR,
            text: "the library failed; what it wrote to standard error tells where".to_owned(),
            complete: false,
        },
    };
    set_last_error(failure.line(function));
    Err(failure.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        last_error(|text| text.to_str().unwrap().to_owned()).unwrap()
    }

    #[test]
    fn a_failure_leaves_its_text_and_a_success_takes_it_away() {
        let refused = || Err(Failure::parameter("level is\0 odd".to_owned()));
        assert_eq!(guarded("Net", refused), 87);
        assert_eq!(
            text(),
            "Net: level is\u{FFFD} odd (ERROR_INVALID_PARAMETER, 87)"
        );
        // Each thread has its own.
        std::thread::spawn(|| assert_eq!(text(), ""))
            .join()
            .unwrap();
        assert_eq!(guarded("Net", || Ok(234)), 234);
        assert_eq!(text(), "");
    }

    #[test]
    fn a_panic_stays_inside() {
        assert_eq!(guarded("Net", || panic!("on purpose")), INTERNAL_ERROR);
        assert!(text().ends_with("(NERR_InternalError, 2140)"), "{}", text());
    }
}
