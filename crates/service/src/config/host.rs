//! Defaults that depend on the machine and the user.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::ServerName;

/// Where accounts are kept if nothing else is said: `/var/lib/netsession` for root, else
/// `$XDG_STATE_HOME/netsession`, else `~/.local/state/netsession`.
pub fn default_state_dir() -> PathBuf {
    let is_root = rustix::process::geteuid().is_root();
    state_dir(is_root, |name| std::env::var_os(name))
}

/// Where the local socket is if nothing else is said ([`srvsvc::local::server_default`]).
pub fn default_local_socket(data_dir: &Path) -> PathBuf {
    let is_root = rustix::process::geteuid().is_root();
    let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    srvsvc::local::server_default(is_root, runtime_dir.as_deref(), data_dir)
}

/// This machine's host name without its domain, as a computer name; `NETSESSION` if it has
/// none that fits.
pub fn default_server_name() -> ServerName {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    server_name(&host)
}

pub(super) fn state_dir(is_root: bool, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if is_root {
        return PathBuf::from("/var/lib/netsession");
    }
    // The XDG base directory specification: a relative path is invalid and ignored.
    let absolute = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    // Without a home there is no better place than the current directory.
    base.unwrap_or_default().join("netsession")
}

pub(super) fn server_name(host: &str) -> ServerName {
    let first = host.trim().split('.').next().unwrap_or_default();
    let cut: String = first.chars().take(ServerName::MAX_LENGTH).collect();
    cut.parse()
        .unwrap_or_else(|_| "NETSESSION".parse().expect("a valid name: ten letters"))
}
