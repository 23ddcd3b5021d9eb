//! [`SessionCursor`]: an enumeration that does not hold on to its server ([MS-SRVS] 3.1.4.5).

use srvsvc::{NetApiStatus, SessionEnumRequest, SessionLevel};

use crate::level_choice::{another_level_may_do, more_telling};
use crate::name::{client_name, given, matches};
use crate::sessions::Progress;
use crate::{Error, LevelChoice, Server, SessionFilter, SessionInfo};

/// Where an enumeration stands, for callers who cannot lend their [`Server`] to a
/// [`Sessions`](crate::Sessions) from its first page to its last: other calls may be made in
/// between, and the next page may come over another connection to the same machine.
#[derive(Debug)]
pub struct SessionCursor {
    client: Option<String>,
    user: Option<String>,
    /// Levels to try, the next one last.
    levels: Vec<SessionLevel>,
    /// The level that was answered.
    level: Option<SessionLevel>,
    refusal: Option<Error>,
    progress: Progress,
    /// The caller has got a session or a refusal: no session at all is no news any more.
    said: bool,
}

impl SessionCursor {
    /// Nothing has been asked yet.
    pub fn new(filter: &SessionFilter, choice: LevelChoice) -> Self {
        let mut levels = choice.levels().to_vec();
        levels.reverse();
        Self {
            client: given(filter.client.as_deref()).map(client_name),
            user: given(filter.user.as_deref()).map(str::to_owned),
            levels,
            level: None,
            refusal: None,
            progress: Progress::default(),
            said: false,
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
        let tried = format!("listing the sessions of {}", server.target());
        while !self.progress.done {
            let Some(&level) = self.levels.last() else {
                break;
            };
            match self.fetch(server, level, &tried).await {
                Ok(page) => {
                    self.level = Some(level);
                    if !page.is_empty() {
                        return Ok(Some(page));
                    }
                }
                Err(error) if self.level.is_none() && another_level_may_do(&error) => {
                    let refusal = more_telling(self.refusal.take(), error);
                    if self.levels.len() == 1 {
                        self.said = true;
                        return Err(refusal);
                    }
                    self.levels.pop();
                    self.progress = Progress::default();
                    self.refusal = Some(refusal);
                }
                Err(error) => {
                    self.said = self.progress.done;
                    return Err(error);
                }
            }
        }
        if self.said || (self.client.is_none() && self.user.is_none()) {
            return Ok(None);
        }
        self.said = true;
        let nothing = match self.client {
            Some(_) => NetApiStatus::CLIENT_NAME_NOT_FOUND,
            None => NetApiStatus::USER_NOT_FOUND,
        };
        Err(server.refused(tried, nothing))
    }

    async fn fetch(
        &mut self,
        server: &mut Server,
        level: SessionLevel,
        tried: &str,
    ) -> Result<Vec<SessionInfo>, Error> {
        let request = SessionEnumRequest {
            server_name: server.target().server_name(),
            client_name: self.client.clone(),
            user_name: self.user.clone(),
            level: level.into(),
            prefered_maximum_length: server.options().page_bytes,
            resume_handle: Some(self.progress.resume_handle),
        };
        let response = server.session_enum(&request, level, tried).await?;
        let page = self.progress.take(response, tried);
        let mut page = page.map_err(|error| server.placed(error))?;
        // Samba lists everything, whatever the filter.
        page.retain(|info| matches(info, self.client.as_deref(), self.user.as_deref()));
        self.said |= !page.is_empty();
        Ok(page)
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
