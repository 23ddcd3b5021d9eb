//! [`Session`]: IADsSession.

use std::sync::Arc;
use std::time::Duration;

use super::binding::Binding;
use super::place::{self, LANMAN_SERVER};
use super::value::{known, not_found, read_only};
use super::{Error, HResult, Result, Value};
use crate::SessionInfo;

const CLASS: &str = "Session";

/// One session of a file service, as it was when it was read (IADsSession).
///
/// Clones share the connection; each has its own cache.
#[derive(Clone, Debug)]
pub struct Session {
    binding: Arc<Binding>,
    cache: Cache,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cache {
    user: String,
    computer: String,
    connect_time: u32,
    idle_time: u32,
}

impl Cache {
    fn of(info: &SessionInfo) -> Self {
        let seconds = |time: Option<Duration>| {
            time.map_or(0, |time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX))
        };
        Self {
            user: info.username().unwrap_or_default().to_owned(),
            computer: info.client().to_owned(),
            connect_time: seconds(info.time()),
            idle_time: seconds(info.idle_time()),
        }
    }
}

impl Session {
    /// The properties that [`Session::get`] knows: those of IADsSession, then those of IADs.
    pub const PROPERTIES: &'static [&'static str] = &[
        "User",
        "UserPath",
        "Computer",
        "ComputerPath",
        "ConnectTime",
        "IdleTime",
        "Name",
        "Class",
        "GUID",
        "ADsPath",
        "Parent",
        "Schema",
    ];

    pub(super) fn new(binding: &Arc<Binding>, info: &SessionInfo) -> Self {
        Self {
            binding: Arc::clone(binding),
            cache: Cache::of(info),
        }
    }

    /// User: the account name, without a domain; empty for a session without a name.
    pub fn user(&self) -> &str {
        &self.cache.user
    }

    /// UserPath: ADsPath of the user, `WinNT://domain/user` with the domain of the binding,
    /// or `WinNT://server/user` if the binding names none (see
    /// [the module](super#what-is-chosen-here)). Empty if the session has no name.
    pub fn user_path(&self) -> String {
        self.binding.place().user(&self.cache.user)
    }

    /// Computer: the client computer, without leading backslashes. SMB2 servers give its
    /// address, an IPv6 address in square brackets.
    pub fn computer(&self) -> &str {
        &self.cache.computer
    }

    /// ComputerPath: ADsPath of the client computer, `WinNT://computer`.
    pub fn computer_path(&self) -> String {
        place::client_computer(&self.cache.computer)
    }

    /// ConnectTime: the time since the session began, in whole seconds.
    pub fn connect_time(&self) -> Duration {
        Duration::from_secs(self.cache.connect_time.into())
    }

    /// IdleTime: the time since its last request, in whole seconds.
    pub fn idle_time(&self) -> Duration {
        Duration::from_secs(self.cache.idle_time.into())
    }

    /// Name: `user\computer`. It is what [`SessionsCollection::remove`] takes.
    ///
    /// [`SessionsCollection::remove`]: super::SessionsCollection::remove
    pub fn name(&self) -> String {
        format!("{}\\{}", self.cache.user, self.cache.computer)
    }

    /// Class: `Session`.
    pub fn class(&self) -> &'static str {
        CLASS
    }

    /// ADsPath: the parent's and the name.
    pub fn ads_path(&self) -> String {
        format!("{}/{}", self.parent(), self.name())
    }

    /// Parent: ADsPath of the file service.
    pub fn parent(&self) -> String {
        self.binding.place().service()
    }

    /// Schema: ADsPath of the class object.
    pub fn schema(&self) -> String {
        self.binding.place().schema(CLASS)
    }

    /// Get: a property by name, in whatever case, from the cache. Times are LONGs in seconds.
    ///
    /// # Errors
    /// [`HResult::E_ADS_PROPERTY_NOT_SUPPORTED`] if the class has none of this name,
    /// [`HResult::E_ADS_PROPERTY_NOT_FOUND`] for GUID, which these objects have not.
    pub fn get(&self, property: &str) -> Result<Value> {
        let name = known(Self::PROPERTIES, CLASS, property)?;
        Ok(match name {
            "User" => self.user().into(),
            "UserPath" => self.user_path().into(),
            "Computer" => self.computer().into(),
            "ComputerPath" => self.computer_path().into(),
            "ConnectTime" => Value::from_dword(self.cache.connect_time),
            "IdleTime" => Value::from_dword(self.cache.idle_time),
            "Name" => self.name().into(),
            "Class" => CLASS.into(),
            "ADsPath" => self.ads_path().into(),
            "Parent" => self.parent().into(),
            "Schema" => self.schema().into(),
            _ => return Err(not_found(CLASS, name, "a session has no identifier")),
        })
    }

    /// GetInfo: reads the cache anew (NetSessionGetInfo). If two sessions share the name, it
    /// is the first of them that is read.
    ///
    /// # Errors
    /// 0x80070908 (NERR_ClientNameNotFound) if the session has ended,
    /// [`HResult::E_ADS_BAD_PARAMETER`] if it has no user name, by which alone it could be
    /// asked for, and those of the call. The cache stays as it was.
    pub async fn get_info(&mut self) -> Result<()> {
        let name = self.name();
        let (user, computer) = split_name(&name)?;
        self.cache = Cache::of(&self.binding.session(computer, user).await?);
        Ok(())
    }

    /// Put: no property of a session can be changed.
    ///
    /// # Errors
    /// Always [`HResult::E_ADS_PROPERTY_NOT_SUPPORTED`].
    pub fn put(&self, property: &str, _value: &Value) -> Result<()> {
        Err(read_only(CLASS, property))
    }

    /// SetInfo: there is nothing that could be written.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`].
    pub fn set_info(&self) -> Result<()> {
        Err(super::value::not_implemented(
            "writing a session's properties",
            "they can only be read",
        ))
    }
}

/// User and computer of a session's name. Backslashes between them count as one, so that a
/// name put together from a `\\computer` fits too.
pub(super) fn split_name(name: &str) -> Result<(&str, &str)> {
    let wrong = |why: &str| {
        Error::new(
            HResult::E_ADS_BAD_PARAMETER,
            format!("session \"{}\" of {LANMAN_SERVER}", name.escape_debug()),
            why,
        )
    };
    // The last one: a user may come with a domain, no computer's name has a backslash.
    let (user, computer) = name
        .rsplit_once('\\')
        .ok_or_else(|| wrong(r"a session is named user\computer"))?;
    let user = user.trim_end_matches('\\');
    // NetSessionDel takes an empty name as "every": never end more than was named.
    if user.is_empty() {
        return Err(wrong(
            r"a session is named user\computer; one without a user cannot be named alone",
        ));
    }
    if computer.is_empty() {
        return Err(wrong(
            r"a session is named user\computer; the computer is missing",
        ));
    }
    Ok((user, computer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_apart() {
        assert_eq!(split_name(r"alice\pc").unwrap(), ("alice", "pc"));
        assert_eq!(split_name(r"alice\\\pc").unwrap(), ("alice", "pc"));
        assert_eq!(split_name(r"DOM\alice\pc").unwrap(), (r"DOM\alice", "pc"));
        assert_eq!(split_name(r"pc$\[::1]").unwrap(), ("pc$", "[::1]"));
        for name in ["", "alice", r"\pc", r"alice\", r"alice\\", r"\\pc"] {
            let error = split_name(name).unwrap_err();
            assert_eq!(error.hresult(), HResult::E_ADS_BAD_PARAMETER, "{name}");
        }
    }
}
