//! What netapi32 takes from the logon: who asks and how, for the whole process.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netsession::netapi::Netapi;
use netsession::{Credentials, Encryption, Options};

use crate::guard::Failure;
use crate::signal::is_privileged;

/// Longest user and domain, as in the Rust library.
pub(crate) const MAX_NAME: usize = 512;
/// Windows takes 127 units, Samba 1,023 bytes.
pub(crate) const MAX_PASSWORD: usize = 1024;
/// sockaddr_un on Linux, less the zero.
pub(crate) const MAX_SOCKET_PATH: usize = 107;

/// What the program has set.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// `None`: not set, the environment decides.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) options: Options,
    /// `None`: the usual one.
    pub(crate) port: Option<u16>,
}

/// The settings and what was made of them.
#[derive(Default)]
struct Process {
    settings: Settings,
    /// Made at the first call after a change.
    netapi: Option<Arc<Netapi>>,
}

static PROCESS: LazyLock<Mutex<Process>> = LazyLock::new(Mutex::default);

fn process() -> MutexGuard<'static, Process> {
    // Both fields are replaced in one step: nothing half done can be seen.
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes the settings for calls that begin afterwards.
pub(crate) fn change(change: impl FnOnce(&mut Settings)) {
    let mut process = process();
    change(&mut process.settings);
    let old = process.netapi.take();
    drop(process);
    // Its idle connections are closed here, unless a call still uses it.
    drop(old);
}

/// The functions with the settings as they are now.
pub(crate) fn netapi() -> Result<Arc<Netapi>, Failure> {
    let mut process = process();
    if let Some(netapi) = &process.netapi {
        return Ok(Arc::clone(netapi));
    }
    let netapi = Arc::new(process.settings.netapi()?);
    process.netapi = Some(Arc::clone(&netapi));
    Ok(netapi)
}

impl Settings {
    fn netapi(&self) -> Result<Netapi, Failure> {
        let credentials = match &self.credentials {
            Some(credentials) => credentials.clone(),
            None => from_environment()?,
        };
        let netapi = Netapi::new();
        netapi.set_credentials(Some(credentials));
        netapi.set_options(self.options.clone());
        if let Some(port) = self.port {
            netapi.set_port(port);
        }
        Ok(netapi)
    }

    pub(crate) fn set_time_limits(&mut self, connect: u32, logon: u32, call: u32) {
        let limits = [
            (&mut self.options.connect_timeout, connect),
            (&mut self.options.logon_timeout, logon),
            (&mut self.options.call_timeout, call),
        ];
        for (limit, milliseconds) in limits {
            if milliseconds != 0 {
                *limit = Duration::from_millis(milliseconds.into());
            }
        }
    }

    pub(crate) fn set_encryption_required(&mut self, required: bool) {
        self.options.encryption = match required {
            true => Encryption::Required,
            false => Encryption::IfRequired,
        };
    }

    pub(crate) fn set_local_socket(&mut self, path: Option<PathBuf>) {
        self.options.local_socket = path;
    }
}

/// Three texts as they are, judged.
pub(crate) fn credentials(
    domain: &str,
    user: &str,
    password: &str,
) -> Result<Credentials, Failure> {
    if user.is_empty() {
        if domain.is_empty() && password.is_empty() {
            return Ok(Credentials::anonymous());
        }
        return Err(Failure::parameter(
            "user is missing; pass one, or neither domain nor password".to_owned(),
        ));
    }
    if user.contains('\\') || domain.contains('\\') {
        return Err(Failure::parameter(
            "backslash in user or domain; pass the two apart".to_owned(),
        ));
    }
    Ok(Credentials::new(domain, user, password))
}

/// NETSESSION_USER and NETSESSION_PASSWORD, as the program `netsession` takes them.
fn from_environment() -> Result<Credentials, Failure> {
    if is_privileged() {
        return Ok(Credentials::anonymous());
    }
    let user = variable("NETSESSION_USER")?;
    let credentials = Credentials::parse(&user).map_err(|error| {
        Failure::parameter(format!("NETSESSION_USER of the environment: {error}"))
    })?;
    if credentials.has_password() || credentials.is_anonymous() {
        return Ok(credentials);
    }
    Ok(credentials.with_password(&variable("NETSESSION_PASSWORD")?))
}

fn variable(name: &str) -> Result<String, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(value),
        Err(std::env::VarError::NotPresent) => Ok(String::new()),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::parameter(format!(
            "{name} of the environment is not UTF-8; set it anew"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_as_they_are() {
        let whole = credentials("DOM", "a%b@c", "p\\%w").unwrap();
        assert_eq!(
            (whole.domain(), whole.user(), whole.password()),
            ("DOM", "a%b@c", "p\\%w")
        );
        assert!(credentials("", "", "").unwrap().is_anonymous());
        for (domain, user, password) in [
            ("DOM", "", ""),
            ("", "", "secret"),
            ("", "DOM\\a", ""),
            ("D\\M", "a", ""),
        ] {
            assert!(credentials(domain, user, password).is_err());
        }
    }

    #[test]
    fn zero_leaves_a_time_limit_as_it_is() {
        let mut settings = Settings::default();
        let before = settings.options.logon_timeout;
        settings.set_time_limits(1, 0, 2_500);
        assert_eq!(settings.options.connect_timeout, Duration::from_millis(1));
        assert_eq!(settings.options.logon_timeout, before);
        assert_eq!(settings.options.call_timeout, Duration::from_millis(2_500));
    }
}
