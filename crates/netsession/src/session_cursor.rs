//! [`SessionCursor`]: an enumeration that does not hold on to its server ([MS-SRVS] 3.1.4.5).

use srvsvc::SessionLevel;

use crate::level_choice::{another_level_may_do, more_telling};
use crate::walk::Walk;
use crate::{Error, LevelChoice, Server, SessionFilter, SessionInfo};

/// Where an enumeration stands, for callers who cannot lend their [`Server`] to a
/// [`Sessions`](crate::Sessions) from its first page to its last: other calls may be made in
/// between, and the next page may come over another connection to the same machine.
#[derive(Debug)]
pub struct SessionCursor {
    walk: Walk,
    /// Levels to try, the next one last; at least one.
    levels: Vec<SessionLevel>,
    /// The level that was answered.
    level: Option<SessionLevel>,
    refusal: Option<Error>,
}

impl SessionCursor {
    /// Nothing has been asked yet.
    pub fn new(filter: &SessionFilter, choice: LevelChoice) -> Self {
        let mut levels = choice.levels().to_vec();
        levels.reverse();
        Self {
            walk: Walk::new(filter),
            levels,
            level: None,
            refusal: None,
        }
    }

    /// The level of the sessions, once the server has answered at one.
    pub fn level(&self) -> Option<SessionLevel> {
        self.level
    }

    /// The next page, never empty; `None` after the last, and after the server has refused.
    /// If the connection fails, or this is dropped, asking again asks for the same page.
    ///
    /// # Errors
    /// As [`Sessions::next_session`](crate::Sessions::next_session).
    pub async fn next_page(
        &mut self,
        server: &mut Server,
    ) -> Result<Option<Vec<SessionInfo>>, Error> {
        while let (false, Some(&level)) = (self.walk.is_over(), self.levels.last()) {
            match self.walk.fetch(server, level).await {
                Ok(page) => {
                    self.level = Some(level);
                    if !page.is_empty() {
                        return Ok(Some(page));
                    }
                }
                Err(error) if self.level.is_none() && another_level_may_do(&error) => {
                    let refusal = more_telling(self.refusal.take(), error);
                    if self.levels.len() == 1 {
                        self.walk.end();
                        return Err(refusal);
                    }
                    self.levels.pop();
                    self.walk.restart();
                    self.refusal = Some(refusal);
                }
                Err(error) => {
                    if self.walk.is_over() {
                        self.walk.end();
                    }
                    return Err(error);
                }
            }
        }
        match self.walk.nothing_found(server) {
            Some(error) => Err(error),
            None => Ok(None),
        }
    }
}

impl Server {
    /// As [`Server::session`], at the level that `choice` leads to.
    ///
    /// # Errors
    /// The same.
    pub async fn session_at(
        &mut self,
        client: &str,
        user: &str,
        choice: LevelChoice,
    ) -> Result<SessionInfo, Error> {
        let mut refusal = None;
        for &level in choice.levels() {
            match self.session(client, user, level).await {
                Err(error) if another_level_may_do(&error) => {
                    refusal = Some(more_telling(refusal, error));
                }
                other => return other,
            }
        }
        // `levels` is never empty.
        Err(refusal.unwrap_or_else(|| Error::usage("asking".to_owned(), "no level".to_owned())))
    }
}
