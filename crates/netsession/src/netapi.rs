//! NetSessionEnum, NetSessionGetInfo and NetSessionDel as netapi32 has them: server names
//! with or without `\\`, levels as numbers, preferred lengths and resume handles. For
//! programs that are ported, and for faces in other languages; in a new program
//! [`Server`](crate::Server) does the same with less.
//!
//! Names of clients and users go to the server unchanged: without its `\\` a client name is
//! answered with 2351 (NetSessionEnum) or 2312 (NetSessionDel). The one thing that is done
//! here for the server is to apply the filters again, because Samba ignores them.
//!
//! ```
//! # mod doctest { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/server.rs")); }
//! # doctest::run_blocking(|doctest::Given { address, .. }| {
//! use netsession::{Credentials, netapi::Netapi};
//!
//! let netapi = Netapi::new();
//! netapi.set_credentials(Some(Credentials::parse("admin%Adm1n.Pw")?));
//! let mut resume_handle = 0;
//! loop {
//!     let handle = Some(resume_handle);
//!     let page = netapi.net_session_enum(Some(&address), None, None, 10, 4096, handle)?;
//!     for session in &page.entries {
//!         println!("{} {:?}", session.cname(), session.username());
//!     }
//!     if !page.more_data {
//!         break;
//!     }
//!     resume_handle = page.resume_handle;
//! }
//! netapi.net_session_del(Some(&address), Some(r"\\127.0.0.9"), Some("alice"))?;
//! # Ok(()) });
//! ```

mod pool;

use std::sync::{Mutex, MutexGuard, PoisonError};

use srvsvc::{MAX_PREFERRED_LENGTH, NetApiStatus, SessionEnumRequest, SessionLevel};

use crate::name::{given, is_bare_prefix, matches};
use crate::{Code, Credentials, Error, ErrorKind, Options, SessionInfo, Target};
use pool::Pool;

/// What netapi32 takes from the logon session: who asks, and how. Every method takes
/// `&self` and may be called from many threads at once; calls block, and must not be made
/// inside an async runtime.
///
/// Connections are kept for the next call to the same server for some seconds, a few at
/// most, so that a loop does not log on again and again. The server lists them as sessions;
/// [`Netapi::close_idle`], or dropping the value, ends them.
#[derive(Debug)]
pub struct Netapi {
    settings: Mutex<Settings>,
    pool: Pool,
}

#[derive(Clone, Debug)]
struct Settings {
    credentials: Credentials,
    options: Options,
    port: u16,
    /// Goes up with each change: connections made before are of no use after it.
    generation: u64,
}

/// What [`Netapi::net_session_enum`] and [`Netapi::net_session_get_info`] return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionEnumeration {
    /// The entries. Of [`Netapi::net_session_get_info`] the first is the answer.
    pub entries: Vec<SessionInfo>,
    /// How many of them.
    pub entries_read: u32,
    /// How many could have been listed from the resume position on. A hint: neither for
    /// sizes nor for the end of a loop.
    pub total_entries: u32,
    /// Where to go on while there is more; 0 if no handle was given.
    pub resume_handle: u32,
    /// ERROR_MORE_DATA (234): these are not all.
    pub more_data: bool,
}

impl Default for Netapi {
    fn default() -> Self {
        Self::new()
    }
}

impl Netapi {
    /// Anonymous, default options, port 445.
    pub fn new() -> Self {
        Self {
            settings: Mutex::new(Settings {
                credentials: Credentials::anonymous(),
                options: Options::default(),
                port: Target::DEFAULT_PORT,
                generation: 0,
            }),
            pool: Pool::default(),
        }
    }

    /// Who asks other machines; `None` is anonymous. This machine looks at the process.
    pub fn set_credentials(&self, credentials: Option<Credentials>) {
        self.change(|settings| settings.credentials = credentials.unwrap_or_default());
    }

    /// How to connect.
    pub fn set_options(&self, options: Options) {
        self.change(|settings| settings.options = options);
    }

    /// The TCP port of servers whose name has none.
    pub fn set_port(&self, port: u16) {
        self.change(|settings| settings.port = port);
    }

    /// Ends the connections that are kept for later calls.
    pub fn close_idle(&self) {
        self.pool.clear();
    }

    /// NetSessionEnum.
    ///
    /// - `servername`: `None` or empty for this machine, else `host`, `\\host` or `host:port`;
    /// - `client`, `username`: `None` or empty for all;
    /// - `prefmaxlen`: bytes of entries wanted, 0xFFFFFFFF for all that there are. A server
    ///   gives whole entries, at least one;
    /// - `resume_handle`: `Some(0)` at first, then what came back, while `more_data`. With
    ///   `None` what does not fit is lost.
    ///
    /// # Errors
    /// Told apart by [`Error::net_api_status`]: 124 for an unknown level, before anything is
    /// sent; 5, 2221, 2312, 2351 and whatever else the server answers; 53 unreachable, 1326
    /// logon failed, 2114 no service on this machine, 64 connection lost.
    pub fn net_session_enum(
        &self,
        servername: Option<&str>,
        client: Option<&str>,
        username: Option<&str>,
        level: u32,
        prefmaxlen: u32,
        resume_handle: Option<u32>,
    ) -> Result<SessionEnumeration, Error> {
        let (settings, target) = self.server(servername)?;
        let tried = format!("listing the sessions of {target}");
        let level = known_level(level, &tried)?;
        let question = Question {
            client,
            username,
            level,
            prefmaxlen,
            resume_handle,
        };
        self.ask(&settings, &target, &question, &tried)
    }

    /// NetSessionGetInfo: the first session of this user on this computer.
    ///
    /// # Errors
    /// As [`Netapi::net_session_enum`]; 87 if a name is missing or empty, before anything is
    /// sent; 2312 if there is no such session.
    pub fn net_session_get_info(
        &self,
        servername: Option<&str>,
        client: Option<&str>,
        username: Option<&str>,
        level: u32,
    ) -> Result<SessionEnumeration, Error> {
        let (settings, target) = self.server(servername)?;
        let tried = format!("asking {target} for one session");
        if given(client).is_none() || given(username).is_none() {
            let detail = "it takes both, the client computer and the user";
            return Err(Error::usage(tried, detail.to_owned()));
        }
        let question = Question {
            client,
            username,
            level: known_level(level, &tried)?,
            prefmaxlen: MAX_PREFERRED_LENGTH,
            resume_handle: None,
        };
        let found = self.ask(&settings, &target, &question, &tried)?;
        match found.entries.is_empty() {
            true => Err(nobody(&target, tried, NetApiStatus::CLIENT_NAME_NOT_FOUND)),
            false => Ok(found),
        }
    }

    /// NetSessionDel: ends the sessions of a computer, of a user, or of a user on a computer.
    ///
    /// # Errors
    /// By [`Error::net_api_status`]: 87 if both names are missing or empty, and 2312 if the
    /// computer is only backslashes, which Samba would take for every computer, before
    /// anything is sent; 5, 2312 and whatever else the server answers; 64 if the connection was lost
    /// before the answer, as happens with one's own session: it is probably done, and is
    /// never tried twice.
    pub fn net_session_del(
        &self,
        servername: Option<&str>,
        client: Option<&str>,
        username: Option<&str>,
    ) -> Result<(), Error> {
        let (settings, target) = self.server(servername)?;
        let tried = format!("ending sessions of {target}");
        if given(client).is_none() && given(username).is_none() {
            let detail = "it takes a client computer, a user or both";
            return Err(Error::usage(tried, detail.to_owned()));
        }
        if client.is_some_and(is_bare_prefix) {
            return Err(nobody(&target, tried, NetApiStatus::CLIENT_NAME_NOT_FOUND));
        }
        let mut server = self.pool.checked(&settings, &target)?;
        let (client, username) = (client.map(str::to_owned), username.map(str::to_owned));
        let result = server.run(async |server| server.session_del(client, username, tried).await);
        self.pool.put_back(server);
        result
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.locked();
        change(&mut settings);
        settings.generation += 1;
        drop(settings);
        self.pool.clear();
    }

    fn locked(&self) -> MutexGuard<'_, Settings> {
        // A setting is assigned in one step: nothing half done can be seen.
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn server(&self, servername: Option<&str>) -> Result<(Settings, Target), Error> {
        let settings = self.locked().clone();
        let Some(name) = servername.filter(|name| !name.is_empty()) else {
            return Ok((settings, Target::this_machine()));
        };
        match Target::parse_with_port(name, settings.port) {
            Ok(target) => Ok((settings, target)),
            Err(error) => Err(Error::new(
                ErrorKind::Unreachable,
                error.tried().to_owned(),
                "no server can have that name".to_owned(),
                Some(Code::NetApiStatus(NetApiStatus::BAD_NETPATH.0)),
            )),
        }
    }

    /// One NetrSessionEnum. It changes nothing, so a connection that turns out to be dead is
    /// replaced and the call made again.
    fn ask(
        &self,
        settings: &Settings,
        target: &Target,
        question: &Question<'_>,
        tried: &str,
    ) -> Result<SessionEnumeration, Error> {
        let mut server = self.pool.take(settings, target)?;
        let mut result = server.run(async |server| question.ask(server, tried).await);
        if let Err(error) = &result
            && error.kind() == ErrorKind::ConnectionLost
            && server.is_reused()
        {
            server = self.pool.fresh(settings, target)?;
            result = server.run(async |server| question.ask(server, tried).await);
        }
        self.pool.put_back(server);
        result
    }
}

/// The parameters of NetrSessionEnum.
struct Question<'a> {
    client: Option<&'a str>,
    username: Option<&'a str>,
    level: SessionLevel,
    prefmaxlen: u32,
    resume_handle: Option<u32>,
}

impl Question<'_> {
    async fn ask(
        &self,
        server: &mut crate::Server,
        tried: &str,
    ) -> Result<SessionEnumeration, Error> {
        let request = SessionEnumRequest {
            server_name: server.target().server_name(),
            client_name: self.client.map(str::to_owned),
            user_name: self.username.map(str::to_owned),
            level: self.level.into(),
            prefered_maximum_length: self.prefmaxlen,
            resume_handle: self.resume_handle,
        };
        let response = server.session_enum(&request, self.level, tried).await?;
        let more_data = response.result == NetApiStatus::MORE_DATA;
        if !more_data && !response.result.is_success() {
            return Err(server.refused(tried.to_owned(), response.result));
        }
        let next = self.resume_handle.and(response.resume_handle).unwrap_or(0);
        // 0 would begin again.
        let stands_still = self
            .resume_handle
            .is_some_and(|handle| next == 0 || next == handle);
        if more_data && (stands_still || response.entries.is_empty()) {
            return Err(server.placed(Error::protocol(
                tried.to_owned(),
                "the server has more entries (234) but does not go on to them".to_owned(),
            )));
        }
        let mut entries = response.entries;
        let all = entries.len();
        let (client, user) = (given(self.client), given(self.username));
        entries.retain(|info| matches(info, client, user));
        if entries.is_empty() && !more_data && self.resume_handle.unwrap_or(0) == 0 {
            // What a server that filters would have said.
            let status = match (client, user) {
                (Some(_), _) => Some(NetApiStatus::CLIENT_NAME_NOT_FOUND),
                (None, Some(_)) => Some(NetApiStatus::USER_NOT_FOUND),
                (None, None) => None,
            };
            if let Some(status) = status {
                return Err(server.refused(tried.to_owned(), status));
            }
        }
        let total_entries = match more_data {
            true => response
                .total_entries
                .saturating_sub(dword(all - entries.len())),
            // A server that ignores names has counted all of its sessions.
            false if client.is_some() || user.is_some() => dword(entries.len()),
            false => response.total_entries,
        };
        Ok(SessionEnumeration {
            entries_read: dword(entries.len()),
            total_entries,
            entries,
            resume_handle: next,
            more_data,
        })
    }
}

fn known_level(level: u32, tried: &str) -> Result<SessionLevel, Error> {
    SessionLevel::try_from(level)
        .map_err(|_| Error::net_api(tried.to_owned(), NetApiStatus::INVALID_LEVEL.0))
}

fn nobody(target: &Target, tried: String, status: NetApiStatus) -> Error {
    let error = Error::net_api(tried, status.0);
    match target.is_this_machine() {
        true => error.on_this_machine(),
        false => error,
    }
}

fn dword(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
