//! [`Sessions`]: an enumeration that pages by itself ([MS-SRVS] 3.1.4.5).

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use srvsvc::SessionLevel;

use crate::walk::Walk;
use crate::{Error, ErrorKind, Server, SessionFilter, SessionInfo};

/// The sessions of a server, one by one: a [`Stream`] that asks for the next page when the
/// one before is used up. It ends after the first error. Dropping it, even in the middle of
/// a call, ends the work and leaves the [`Server`] usable.
pub struct Sessions<'a> {
    stage: Stage<'a>,
    page: vec::IntoIter<SessionInfo>,
}

/// What becomes of one call.
type Fetched<'a> = (Asked<'a>, Result<Vec<SessionInfo>, Error>);

enum Stage<'a> {
    /// Between two pages.
    Resting(Asked<'a>),
    /// A page is on its way.
    Fetching(Pin<Box<dyn Future<Output = Fetched<'a>> + Send + 'a>>),
    /// The first page was refused.
    Refused(Error),
    Over,
}

/// A walk, and the server it goes over.
struct Asked<'a> {
    server: &'a mut Server,
    level: SessionLevel,
    walk: Walk,
}

impl<'a> Asked<'a> {
    fn new(server: &'a mut Server, filter: &SessionFilter, level: SessionLevel) -> Self {
        Self {
            server,
            level,
            walk: Walk::new(filter),
        }
    }

    async fn next_page(mut self) -> Fetched<'a> {
        let page = self.walk.fetch(self.server, self.level).await;
        (self, page)
    }
}

impl Server {
    /// The sessions that pass the filter (NetSessionEnum), as a stream that asks page by page.
    ///
    /// # Errors
    /// Each item may be one, see [`Sessions::next_session`].
    pub fn sessions(&mut self, filter: &SessionFilter, level: SessionLevel) -> Sessions<'_> {
        Sessions::new(self, filter, level)
    }
}

impl<'a> Sessions<'a> {
    pub(crate) fn new(server: &'a mut Server, filter: &SessionFilter, level: SessionLevel) -> Self {
        Self {
            stage: Stage::Resting(Asked::new(server, filter, level)),
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
        let (asked, page) = Asked::new(server, filter, level).next_page().await;
        let (stage, page) = match page {
            Ok(page) => (Stage::Resting(asked), page),
            // The level is known, the names are not.
            Err(error) if error.kind() == ErrorKind::NoSuchSession => {
                (Stage::Refused(error), Vec::new())
            }
            Err(error) => return Err((asked.server, error)),
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
                let (asked, page) = ready!(fetching.as_mut().poll(context));
                match page {
                    Ok(page) => {
                        self.page = page.into_iter();
                        self.stage = Stage::Resting(asked);
                    }
                    Err(error) => {
                        self.stage = Stage::Over;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                continue;
            }
            match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Resting(asked) if !asked.walk.is_over() => {
                    self.stage = Stage::Fetching(Box::pin(asked.next_page()));
                }
                Stage::Resting(mut asked) => {
                    return Poll::Ready(asked.walk.nothing_found(asked.server).map(Err));
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
