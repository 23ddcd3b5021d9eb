//! [`Walk`]: an enumeration of sessions from its first page to its last
//! ([MS-SRVS] 3.1.4.5).

use srvsvc::{NetApiStatus, SessionEnumRequest, SessionLevel};

use crate::name::{client_name, given, matches};
use crate::progress::Progress;
use crate::{Error, Server, SessionFilter, SessionInfo};

/// What is asked of a server that is named page by page, and how far it has come.
#[derive(Debug)]
pub(crate) struct Walk {
    client: Option<String>,
    user: Option<String>,
    progress: Progress,
    /// The caller knows of a session or of a refusal: that there is none is no news.
    said: bool,
}

impl Walk {
    pub(crate) fn new(filter: &SessionFilter) -> Self {
        Self {
            client: given(filter.client.as_deref()).map(client_name),
            user: given(filter.user.as_deref()).map(str::to_owned),
            progress: Progress::default(),
            said: false,
        }
    }

    /// No page is left to ask for.
    pub(crate) fn is_over(&self) -> bool {
        self.progress.done
    }

    /// From the first page again, as at another level.
    pub(crate) fn restart(&mut self) {
        self.progress = Progress::default();
    }

    /// The caller has been told why there is nothing to come.
    pub(crate) fn end(&mut self) {
        self.progress.done = true;
        self.said = true;
    }

    /// One page; it may be empty.
    pub(crate) async fn fetch(
        &mut self,
        server: &mut Server,
        level: SessionLevel,
    ) -> Result<Vec<SessionInfo>, Error> {
        let tried = tried(server);
        let request = SessionEnumRequest {
            server_name: server.target().server_name(),
            client_name: self.client.clone(),
            user_name: self.user.clone(),
            level: level.into(),
            prefered_maximum_length: server.options().page_bytes,
            resume_handle: Some(self.progress.resume_handle),
        };
        let response = server.session_enum(&request, level, &tried).await?;
        let page = self.progress.take(response, server.reply_size(), &tried);
        let mut page = page.map_err(|error| server.placed(error))?;
        // Samba lists everything, whatever the filter.
        page.retain(|info| matches(info, self.client.as_deref(), self.user.as_deref()));
        self.said |= !page.is_empty();
        Ok(page)
    }

    /// Names that nobody bears are an error, whether the server says so or not; but only
    /// once.
    pub(crate) fn nothing_found(&mut self, server: &Server) -> Option<Error> {
        let nothing = match (&self.client, &self.user) {
            _ if self.said => return None,
            (None, None) => return None,
            (Some(_), _) => NetApiStatus::CLIENT_NAME_NOT_FOUND,
            (None, Some(_)) => NetApiStatus::USER_NOT_FOUND,
        };
        self.said = true;
        Some(server.refused(tried(server), nothing))
    }
}

fn tried(server: &Server) -> String {
    format!("listing the sessions of {}", server.target())
}
