//! [`Progress`]: where an enumeration stands between its pages ([MS-SRVS] 3.1.4.5).

use srvsvc::{EnumResponse, NetApiStatus};

use crate::Error;

/// Bytes that the answers of one enumeration may take, on the wire and in memory together:
/// over three million sessions at level 502. A server that makes up entries for ever is left
/// here.
const MAX_ENUMERATION: usize = 1 << 30;

/// Where an enumeration stands.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) resume_handle: u32,
    pub(crate) done: bool,
    pages: u32,
    /// A handle of before, ever further back: who comes to it again goes in a circle (Brent's
    /// algorithm, which sees every circle with one number).
    landmark: u32,
    /// Of [`MAX_ENUMERATION`].
    spent: usize,
}

impl Progress {
    /// The entries of one answer of `size` bytes. 234 without entries, or with a handle that
    /// was there before, would go on for ever.
    pub(crate) fn take<E>(
        &mut self,
        response: EnumResponse<Vec<E>>,
        size: usize,
        tried: &str,
    ) -> Result<Vec<E>, Error> {
        match response.result {
            NetApiStatus::SUCCESS => self.done = true,
            NetApiStatus::MORE_DATA => {
                let next = response.resume_handle.unwrap_or(0);
                if response.entries.is_empty() || next == 0 || self.was_at(next) {
                    return Err(self.fail(
                        tried,
                        "the server has more entries (234) but does not go on to them",
                    ));
                }
                self.go_to(next);
            }
            result => {
                self.done = true;
                return Err(Error::net_api(tried.to_owned(), result.0));
            }
        }
        self.spent += size + response.entries.len() * size_of::<E>();
        if self.spent > MAX_ENUMERATION {
            return Err(self.fail(tried, "the server has more entries than a server can have"));
        }
        Ok(response.entries)
    }

    fn was_at(&self, handle: u32) -> bool {
        handle == self.resume_handle || handle == self.landmark
    }

    fn go_to(&mut self, handle: u32) {
        self.resume_handle = handle;
        self.pages = self.pages.saturating_add(1);
        if self.pages.is_power_of_two() {
            self.landmark = handle;
        }
    }

    fn fail(&mut self, tried: &str, why: &str) -> Error {
        self.done = true;
        Error::protocol(tried.to_owned(), why.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn answer(entries: usize, resume_handle: Option<u32>, result: u32) -> EnumResponse<Vec<u8>> {
        EnumResponse {
            level: 0,
            entries: vec![0; entries],
            total_entries: 9,
            resume_handle,
            result: NetApiStatus(result),
        }
    }

    #[test]
    fn progress_goes_on_with_the_handle_and_stops_on_success() {
        let mut progress = Progress::default();
        assert_eq!(
            progress
                .take(answer(2, Some(7), 234), 1, "x")
                .unwrap()
                .len(),
            2
        );
        assert_eq!((progress.resume_handle, progress.done), (7, false));
        // Samba leaves a handle after success.
        assert_eq!(
            progress.take(answer(1, Some(3), 0), 1, "x").unwrap().len(),
            1
        );
        assert!(progress.done);
    }

    #[test]
    fn more_data_without_progress_is_a_protocol_error() {
        for bad in [
            answer(0, Some(7), 234),
            answer(1, Some(5), 234),
            answer(1, Some(0), 234),
            answer(1, None, 234),
        ] {
            let mut progress = Progress {
                resume_handle: 5,
                ..Progress::default()
            };
            let error = progress.take(bad, 1, "x").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(progress.done);
        }
        let error = Progress::default()
            .take(answer(0, None, 5), 1, "x")
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
    }

    /// Answers until the first error.
    fn pages(mut handle: impl FnMut(u32) -> u32, size: usize) -> (u32, String) {
        let mut progress = Progress::default();
        for page in 0..10_000 {
            let next = Some(handle(page));
            if let Err(error) = progress.take(answer(1, next, 234), size, "x") {
                assert!(progress.done);
                assert_eq!(error.kind(), ErrorKind::Protocol);
                return (page, error.to_string());
            }
        }
        panic!("it would go on for ever");
    }

    #[test]
    fn circles_are_left() {
        for length in [1, 2, 3, 64, 1000] {
            let (page, error) = pages(|page| 1 + page % length, 1);
            assert!(page < 4 * length + 4, "{length}: {page}");
            assert!(error.contains("does not go on"), "{error}");
        }
        // With a way to the circle.
        pages(|page| if page < 50 { 1000 + page } else { 1 + page % 7 }, 1);
    }

    #[test]
    fn entries_without_an_end_are_left() {
        let (page, error) = pages(|page| page + 1, MAX_ENUMERATION / 100);
        assert_eq!(page, 99);
        assert!(error.contains("more entries than"), "{error}");
    }
}
