//! Where the Server service of this machine listens for local callers: a Unix stream socket
//! that carries the PDUs of `\PIPE\srvsvc` without SMB around them. Both ends take the path
//! from here; environment and file system are the caller's to look at.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Environment variable that names the socket, for server and clients alike.
pub const ENVIRONMENT_VARIABLE: &str = "NETSESSION_LOCAL_SOCKET";

/// Instead of a path: no local socket.
pub const OFF: &str = "off";

/// Socket of a service that runs as root: what clients look for first.
pub const SYSTEM_SOCKET: &str = "/run/netsession/srvsvc.sock";

/// Name of the socket.
pub const SOCKET_NAME: &str = "srvsvc.sock";

/// Directory of the socket below a runtime directory.
const DIRECTORY: &str = "netsession";

/// Where a server listens that was not told: root at [`SYSTEM_SOCKET`], others below
/// `runtime_dir` (the value of XDG_RUNTIME_DIR), or else in their data directory.
pub fn server_default(is_root: bool, runtime_dir: Option<&Path>, data_dir: &Path) -> PathBuf {
    if is_root {
        return PathBuf::from(SYSTEM_SOCKET);
    }
    in_runtime_dir(runtime_dir).unwrap_or_else(|| data_dir.join(SOCKET_NAME))
}

/// Where a client asks that was not told: what [`ENVIRONMENT_VARIABLE`] says (`named`), else
/// [`SYSTEM_SOCKET`] if there is one, else below `runtime_dir` (XDG_RUNTIME_DIR). `None` if
/// the variable says [`OFF`].
pub fn client_default(
    named: Option<&OsStr>,
    system_socket_exists: bool,
    runtime_dir: Option<&Path>,
) -> Option<PathBuf> {
    match named.filter(|named| !named.is_empty()) {
        Some(named) if named == OFF => return None,
        Some(named) => return Some(PathBuf::from(named)),
        None => {}
    }
    let system = PathBuf::from(SYSTEM_SOCKET);
    if system_socket_exists {
        return Some(system);
    }
    Some(in_runtime_dir(runtime_dir).unwrap_or(system))
}

/// The XDG Base Directory Specification has relative values ignored.
fn in_runtime_dir(runtime_dir: Option<&Path>) -> Option<PathBuf> {
    let runtime_dir = runtime_dir.filter(|path| path.is_absolute())?;
    Some(runtime_dir.join(DIRECTORY).join(SOCKET_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNTIME: &str = "/run/user/1000";
    const BELOW_RUNTIME: &str = "/run/user/1000/netsession/srvsvc.sock";

    #[test]
    fn a_server_listens_by_its_rights() {
        let data = Path::new("/srv/state");
        let runtime = Some(Path::new(RUNTIME));
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        assert_eq!(text(server_default(true, runtime, data)), SYSTEM_SOCKET);
        assert_eq!(text(server_default(false, runtime, data)), BELOW_RUNTIME);
        for absent in [None, Some(Path::new("")), Some(Path::new("run"))] {
            let path = text(server_default(false, absent, data));
            assert_eq!(path, "/srv/state/srvsvc.sock");
        }
    }

    #[test]
    fn a_client_asks_the_named_then_the_system_then_its_own() {
        let runtime = Some(Path::new(RUNTIME));
        let ask = |named: Option<&str>, exists, runtime| {
            client_default(named.map(OsStr::new), exists, runtime)
                .map(|path| path.to_str().unwrap().to_owned())
        };
        assert_eq!(ask(Some("x.sock"), true, runtime).unwrap(), "x.sock");
        assert_eq!(ask(Some("off"), true, runtime), None);
        for unset in [None, Some("")] {
            assert_eq!(ask(unset, true, runtime).unwrap(), SYSTEM_SOCKET);
            assert_eq!(ask(unset, false, runtime).unwrap(), BELOW_RUNTIME);
            assert_eq!(ask(unset, false, None).unwrap(), SYSTEM_SOCKET);
        }
    }
}
