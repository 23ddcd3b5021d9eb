//! [`SessionPages`]: an enumeration page by page ([MS-SRVS] 3.1.4.5).

use srvsvc::{EnumResponse, NetApiStatus, SessionEnumRequest, SessionInfo, SessionLevel};

use crate::name::{client_name, given, matches};
use crate::{Error, Server, SessionFilter};

/// PreferedMaximumLength of one page, in bytes: a few thousand sessions, a small buffer at
/// either end.
pub(crate) const PAGE: u32 = 256 * 1024;

/// A paged enumeration under way.
#[derive(Debug)]
pub struct SessionPages<'a> {
    server: &'a mut Server,
    client: Option<String>,
    user: Option<String>,
    level: SessionLevel,
    progress: Progress,
    found: bool,
}

impl<'a> SessionPages<'a> {
    pub(crate) fn new(server: &'a mut Server, filter: &SessionFilter, level: SessionLevel) -> Self {
        Self {
            server,
            client: given(filter.client.as_deref()).map(client_name),
            user: given(filter.user.as_deref()).map(str::to_owned),
            level,
            progress: Progress::default(),
            found: false,
        }
    }

    /// The next page, never empty; `None` after the last.
    ///
    /// # Errors
    /// As [`Server::sessions`].
    pub async fn next(&mut self) -> Result<Option<Vec<SessionInfo>>, Error> {
        let tried = format!("listing the sessions of {}", self.server.target());
        while !self.progress.done {
            let request = SessionEnumRequest {
                server_name: Some(self.server.target().unc()),
                client_name: self.client.clone(),
                user_name: self.user.clone(),
                level: self.level.into(),
                prefered_maximum_length: PAGE,
                resume_handle: Some(self.progress.resume_handle),
            };
            let response = self
                .server
                .session_enum(&request, self.level, &tried)
                .await?;
            let mut page = self.progress.take(response, &tried)?;
            // Samba lists everything, whatever the filter.
            page.retain(|info| {
                matches(
                    info,
                    self.level,
                    self.client.as_deref(),
                    self.user.as_deref(),
                )
            });
            if !page.is_empty() {
                self.found = true;
                return Ok(Some(page));
            }
        }
        if self.found || (self.client.is_none() && self.user.is_none()) {
            return Ok(None);
        }
        self.found = true;
        let nothing = match self.client {
            Some(_) => NetApiStatus::CLIENT_NAME_NOT_FOUND,
            None => NetApiStatus::USER_NOT_FOUND,
        };
        Err(Error::net_api(tried, nothing.0))
    }
}

/// Where an enumeration stands.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) resume_handle: u32,
    pub(crate) done: bool,
}

impl Progress {
    /// The entries of one answer. 234 without entries or with the same handle would go on
    /// for ever.
    pub(crate) fn take<E>(
        &mut self,
        response: EnumResponse<Vec<E>>,
        tried: &str,
    ) -> Result<Vec<E>, Error> {
        match response.result {
            NetApiStatus::SUCCESS => self.done = true,
            NetApiStatus::MORE_DATA => {
                let next = response.resume_handle.unwrap_or(0);
                if response.entries.is_empty() || next == 0 || next == self.resume_handle {
                    self.done = true;
                    return Err(Error::protocol(
                        tried.to_owned(),
                        "the server has more entries (234) but does not go on to them".to_owned(),
                    ));
                }
                self.resume_handle = next;
            }
            result => {
                self.done = true;
                return Err(Error::net_api(tried.to_owned(), result.0));
            }
        }
        Ok(response.entries)
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
            progress.take(answer(2, Some(7), 234), "x").unwrap().len(),
            2
        );
        assert_eq!((progress.resume_handle, progress.done), (7, false));
        // Samba leaves a handle after success.
        assert_eq!(progress.take(answer(1, Some(3), 0), "x").unwrap().len(), 1);
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
                done: false,
            };
            let error = progress.take(bad, "x").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(progress.done);
        }
        let error = Progress::default()
            .take(answer(0, None, 5), "x")
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
    }
}
