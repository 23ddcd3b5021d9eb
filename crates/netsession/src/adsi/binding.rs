//! [`Binding`]: the connection that the objects of one file service share.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use srvsvc::{FileInfo, NetApiStatus, ServerInfo};
use tokio::sync::{Mutex, MutexGuard};

use super::Result;
use super::place::Place;
use crate::level_choice::lacks_level;
use crate::{
    Credentials, Ended, ErrorKind, Options, Server, SessionFilter, SessionInfo, SessionLevel,
};

/// Levels that carry the four values of a session, the one that needs the weakest right
/// first. Samba lacks 10 and knows 1.
const LEVELS: [SessionLevel; 4] = [
    SessionLevel::Info10,
    SessionLevel::Info1,
    SessionLevel::Info2,
    SessionLevel::Info502,
];

/// A place, and the connection to it while there is one.
pub(super) struct Binding {
    place: Place,
    credentials: Credentials,
    options: Options,
    /// `None` after the connection has failed or a call was given up: the next connects.
    server: Mutex<Option<Box<Server>>>,
    /// Where in [`LEVELS`] to begin: the server does not know those before.
    first_level: AtomicUsize,
}

/// The place alone: every object that came from it shows it.
impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binding({})", self.place.service())
    }
}

/// The connection, for one call at a time. Unless the call comes to its end, the connection
/// goes with it.
struct Lease<'a> {
    slot: MutexGuard<'a, Option<Box<Server>>>,
    server: Box<Server>,
}

impl Lease<'_> {
    fn settle<T>(mut self, result: Result<T, crate::Error>) -> Result<T> {
        let is_usable = result.as_ref().err().is_none_or(|error| {
            !matches!(
                error.kind(),
                ErrorKind::ConnectionLost | ErrorKind::TimedOut | ErrorKind::Protocol
            )
        });
        if is_usable {
            *self.slot = Some(self.server);
        }
        Ok(result?)
    }
}

impl Binding {
    /// Connects, so that a wrong name or password shows when binding.
    pub(super) async fn new(
        place: Place,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self> {
        let binding = Self {
            place,
            credentials: credentials.clone(),
            options: options.clone(),
            server: Mutex::new(None),
            first_level: AtomicUsize::new(0),
        };
        binding.lease().await?.settle(Ok(()))?;
        Ok(binding)
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    async fn lease(&self) -> Result<Lease<'_>> {
        let mut slot = self.server.lock().await;
        let server = match slot.take() {
            Some(server) => server,
            None => {
                let target = self.place.target();
                Box::new(Server::connect(target, &self.credentials, &self.options).await?)
            }
        };
        Ok(Lease { slot, server })
    }

    /// All sessions, as they are now.
    pub(super) async fn sessions(&self) -> Result<Vec<SessionInfo>> {
        let mut lease = self.lease().await?;
        let filter = SessionFilter::default();
        let mut index = self.first_level.load(Ordering::Relaxed);
        let result = loop {
            let result = lease
                .server
                .sessions(&filter, LEVELS[index])
                .collect()
                .await;
            if !self.try_next_level(&mut index, &result) {
                break result;
            }
        };
        lease.settle(result)
    }

    /// The first session of this user on this computer.
    pub(super) async fn session(&self, computer: &str, user: &str) -> Result<SessionInfo> {
        let mut lease = self.lease().await?;
        let mut index = self.first_level.load(Ordering::Relaxed);
        let result = loop {
            let result = lease.server.session(computer, user, LEVELS[index]).await;
            if !self.try_next_level(&mut index, &result) {
                break result;
            }
        };
        lease.settle(result)
    }

    /// Goes on to the next level if the server does not know this one.
    fn try_next_level<T>(&self, index: &mut usize, result: &Result<T, crate::Error>) -> bool {
        let is_unknown = result.as_ref().err().is_some_and(is_unknown_level);
        if !is_unknown || *index + 1 == LEVELS.len() {
            return false;
        }
        *index += 1;
        self.first_level.store(*index, Ordering::Relaxed);
        true
    }

    /// Ends the sessions of this user on this computer.
    pub(super) async fn end(&self, computer: &str, user: &str) -> Result<()> {
        let mut lease = self.lease().await?;
        match lease.server.end(Some(computer), Some(user)).await {
            Ok(Ended::Confirmed) if !user.eq_ignore_ascii_case(self.credentials.user()) => {
                lease.settle(Ok(()))
            }
            // It may have been the caller's own, over which no other call would come through.
            Ok(Ended::Confirmed | Ended::ConnectionLost) => Ok(()),
            Err(error) => lease.settle(Err(error)),
        }
    }

    /// All open files, as they are now.
    pub(super) async fn files(&self) -> Result<Vec<FileInfo>> {
        let mut lease = self.lease().await?;
        let result = lease.server.files(None, None).await;
        lease.settle(result)
    }

    pub(super) async fn close_file(&self, id: u32) -> Result<()> {
        let mut lease = self.lease().await?;
        let result = lease.server.close_file(id).await;
        lease.settle(result)
    }

    /// What the server says of itself at level 102, or at 101 if it does not tell this user
    /// or does not know 102; `true` for the former.
    pub(super) async fn server_info(&self) -> Result<(ServerInfo, bool)> {
        let mut lease = self.lease().await?;
        let mut result = lease.server.server_info(102).await.map(|info| (info, true));
        if let Err(error) = &result
            && (error.kind() == ErrorKind::AccessDenied || is_unknown_level(error))
        {
            result = lease
                .server
                .server_info(101)
                .await
                .map(|info| (info, false));
        }
        lease.settle(result)
    }

    /// The Server service answers.
    pub(super) async fn probe(&self) -> Result<()> {
        let mut lease = self.lease().await?;
        let result = lease.server.server_info(100).await.map(|_| ());
        lease.settle(result)
    }
}

fn is_unknown_level(error: &crate::Error) -> bool {
    lacks_level(NetApiStatus(error.net_api_status()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adsi::{self, FileService, Resource, ResourcesCollection, SessionsCollection};

    fn send<T: Send>(_: T) {}
    fn shared<T: Send + Sync>() {}

    /// The objects may go to other threads, and so may the calls on them.
    #[test]
    fn everything_is_send() {
        shared::<FileService>();
        shared::<SessionsCollection>();
        shared::<ResourcesCollection>();
        shared::<adsi::Session>();
        shared::<Resource>();
        shared::<adsi::blocking::FileService>();
        shared::<adsi::blocking::Session>();
        shared::<adsi::Error>();
        #[allow(dead_code, reason = "compiled is enough")]
        fn calls(service: &FileService, session: &mut adsi::Session) {
            send(service.status());
            send(service.get("Description"));
            send(service.get_info());
            send(session.get_info());
        }
        #[allow(dead_code, reason = "compiled is enough")]
        fn collections(sessions: &SessionsCollection, resources: &ResourcesCollection) {
            send(sessions.new_enum());
            send(sessions.get_object(""));
            send(sessions.remove(""));
            send(resources.new_enum());
            send(resources.get_object(""));
            send(resources.remove(""));
        }
        #[allow(dead_code, reason = "compiled is enough")]
        fn binding(credentials: &Credentials, options: &Options) {
            send(adsi::get_object("", credentials, options));
        }
    }

    #[test]
    fn levels_that_a_server_lacks() {
        let refused = |status| crate::Error::net_api("x".to_owned(), status);
        assert!(is_unknown_level(&refused(124)) && is_unknown_level(&refused(1733)));
        assert!(!is_unknown_level(&refused(5)) && !is_unknown_level(&refused(2312)));
        // Each of them carries all four values.
        assert!(!LEVELS.contains(&SessionLevel::Info0));
    }
}
