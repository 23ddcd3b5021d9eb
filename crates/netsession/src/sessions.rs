//! [`Sessions`]: an enumeration that pages by itself ([MS-SRVS] 3.1.4.5).

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use srvsvc::{EnumResponse, NetApiStatus, SessionEnumRequest, SessionLevel};

use crate::name::{client_name, given, matches};
use crate::{Error, ErrorKind, Server, SessionFilter, SessionInfo};

/// The sessions of a server, one by one: a [`Stream`] that asks for the next page when the
/// one before is used up. It ends after the first error. Dropping it, even in the middle of
/// a call, ends the work and leaves the [`Server`] usable.
pub struct Sessions<'a> {
    stage: Stage<'a>,
    page: vec::IntoIter<SessionInfo>,
}

/// What becomes of one call.
type Fetched<'a> = (Walk<'a>, Result<Vec<SessionInfo>, Error>);

enum Stage<'a> {
    /// Between two pages.
    Resting(Walk<'a>),
    /// A page is on its way.
    Fetching(Pin<Box<dyn Future<Output = Fetched<'a>> + Send + 'a>>),
    /// The first page was refused.
    Refused(Error),
    Over,
}

/// What is asked, and how far it has come.
struct Walk<'a> {
    server: &'a mut Server,
    client: Option<String>,
    user: Option<String>,
    level: SessionLevel,
    progress: Progress,
    found: bool,
}

impl<'a> Sessions<'a> {
    pub(crate) fn new(server: &'a mut Server, filter: &SessionFilter, level: SessionLevel) -> Self {
        Self {
            stage: Stage::Resting(Walk::new(server, filter, level)),
            page: Vec::new().into_iter(),
        }
    }

    /// With the first page at hand. If the server refuses the level, gives the server back
    /// and the refusal.
    pub(crate) async fn begin(
        server: &'a mut Server,
        filter: &SessionFilter,
        level: SessionLevel,
    ) -> Result<Self, (&'a mut Server, Error)> {
        let mut walk = Walk::new(server, filter, level);
        let (stage, page) = match walk.fetch().await {
            Ok(page) => (Stage::Resting(walk), page),
            // The level is known, the names are not.
            Err(error) if error.kind() == ErrorKind::NoSuchSession => {
                (Stage::Refused(error), Vec::new())
            }
            Err(error) => return Err((walk.server, error)),
        };
        Ok(Self {
            stage,
            page: page.into_iter(),
        })
    }

    /// The next session; `None` after the last, and after an error. As the `next` of
    /// stream extensions, without needing one.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchSession`](crate::ErrorKind::NoSuchSession) if a filter is given and
    /// nothing passes it, [`ErrorKind::AccessDenied`](crate::ErrorKind::AccessDenied),
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) with 124 for a level the server
    /// lacks, and those of the connection.
    pub async fn next_session(&mut self) -> Option<Result<SessionInfo, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The next session of the page at hand.
    pub(crate) fn next_at_hand(&mut self) -> Option<SessionInfo> {
        self.page.next()
    }

    /// All that are left.
    ///
    /// # Errors
    /// As [`Sessions::next_session`]; what came before the error is lost.
    pub async fn collect(mut self) -> Result<Vec<SessionInfo>, Error> {
        let mut sessions = Vec::new();
        while let Some(session) = self.next_session().await {
            sessions.push(session?);
            sessions.extend(&mut self.page);
        }
        Ok(sessions)
    }
}

impl Stream for Sessions<'_> {
    type Item = Result<SessionInfo, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(session) = self.page.next() {
                return Poll::Ready(Some(Ok(session)));
            }
            if let Stage::Fetching(fetching) = &mut self.stage {
                let (walk, page) = ready!(fetching.as_mut().poll(context));
                match page {
                    Ok(page) => {
                        self.page = page.into_iter();
                        self.stage = Stage::Resting(walk);
                    }
                    Err(error) => {
                        self.stage = Stage::Over;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                continue;
            }
            match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Resting(walk) if !walk.progress.done => {
                    self.stage = Stage::Fetching(Box::pin(walk.next_page()));
                }
                Stage::Resting(walk) => {
                    return Poll::Ready(walk.nothing_found().map(Err));
                }
                Stage::Refused(error) => return Poll::Ready(Some(Err(error))),
                Stage::Fetching(_) | Stage::Over => return Poll::Ready(None),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.page.len(), None)
    }
}

impl fmt::Debug for Sessions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("left_of_the_page", &self.page.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Walk<'a> {
    fn new(server: &'a mut Server, filter: &SessionFilter, level: SessionLevel) -> Self {
        Self {
            server,
            client: given(filter.client.as_deref()).map(client_name),
            user: given(filter.user.as_deref()).map(str::to_owned),
            level,
            progress: Progress::default(),
            found: false,
        }
    }

    fn tried(&self) -> String {
        format!("listing the sessions of {}", self.server.target())
    }

    async fn next_page(mut self) -> Fetched<'a> {
        let page = self.fetch().await;
        (self, page)
    }

    /// One page; it may be empty.
    async fn fetch(&mut self) -> Result<Vec<SessionInfo>, Error> {
        let tried = self.tried();
        let request = SessionEnumRequest {
            server_name: self.server.target().server_name(),
            client_name: self.client.clone(),
            user_name: self.user.clone(),
            level: self.level.into(),
            prefered_maximum_length: self.server.options().page_bytes,
            resume_handle: Some(self.progress.resume_handle),
        };
        let response = self
            .server
            .session_enum(&request, self.level, &tried)
            .await?;
        let page = self.progress.take(response, &tried);
        let mut page = page.map_err(|error| self.server.placed(error))?;
        // Samba lists everything, whatever the filter.
        page.retain(|info| matches(info, self.client.as_deref(), self.user.as_deref()));
        self.found |= !page.is_empty();
        Ok(page)
    }

    /// Names that nobody bears are an error, whether the server says so or not.
    fn nothing_found(&self) -> Option<Error> {
        let nothing = match (&self.client, &self.user) {
            _ if self.found => return None,
            (None, None) => return None,
            (Some(_), _) => NetApiStatus::CLIENT_NAME_NOT_FOUND,
            (None, Some(_)) => NetApiStatus::USER_NOT_FOUND,
        };
        Some(self.server.placed(Error::net_api(self.tried(), nothing.0)))
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
