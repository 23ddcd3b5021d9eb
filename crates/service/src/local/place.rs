//! The socket's file: made, found stale, and removed.

use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// Everybody may connect: rights come from credentials, not from the file.
const SOCKET_MODE: u32 = 0o666;
/// Everybody may reach the socket, and only the service's user may put another there.
const DIRECTORY_MODE: u32 = 0o755;

/// Two services that start or stop at the same place wait for each other this long. No
/// longer: whoever can open the directory can lock it.
const LOCK_WAIT: Duration = Duration::from_secs(1);
const LOCK_STEP: Duration = Duration::from_millis(5);

/// Why there is no socket at a path.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A service answers there.
    #[error("another service listens there")]
    InUse,
    /// The path is taken by something that is not a socket.
    #[error("there is a file that is not a socket; it stays")]
    NotASocket,
    /// The system refuses.
    #[error("{tried}: {source}")]
    System {
        /// What was tried.
        tried: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

/// A socket's file, removed when dropped unless it is no longer the one that was made.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    device_and_inode: (u64, u64),
}

impl Place {
    /// Makes the socket at `path`, its directory if that is missing, and listens. A socket
    /// that nobody answers at is replaced. Blocks for about a second at most.
    pub(super) fn listen(path: &Path) -> Result<(Self, UnixListener), PlaceError> {
        let directory = parent(path);
        make_directory(directory).map_err(failed("make its directory"))?;
        let _lock = lock(directory);
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(failed("bind"))?;
        let made = || {
            listener.set_nonblocking(true)?;
            let_everybody_connect(path)
        };
        match made() {
            Ok(facts) => Ok((
                Self {
                    path: path.to_owned(),
                    device_and_inode: (facts.dev(), facts.ino()),
                },
                listener,
            )),
            Err(source) => {
                let _ = fs::remove_file(path);
                Err(failed("let everybody connect")(source))
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _lock = lock(parent(&self.path));
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|facts| (facts.dev(), facts.ino()) == self.device_and_inode);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "local socket not removed");
        }
    }
}

fn failed(tried: &'static str) -> impl Fn(io::Error) -> PlaceError {
    move |source| PlaceError::System { tried, source }
}

/// The directory of `path`; of a bare name, the current one.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(directory)?;
    // Whatever the umask is; what stands there now is not followed if it is a link.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = File::from(rustix::fs::open(directory, flags, Mode::empty())?);
    made.set_permissions(Permissions::from_mode(DIRECTORY_MODE))
}

/// The mode is set whatever the umask is. Where others may write to the directory, they may
/// have put something else in the socket's place: no link is followed, and nothing but a
/// socket of our own is changed.
fn let_everybody_connect(path: &Path) -> io::Result<Metadata> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let facts = file.metadata()?;
    let is_ours = facts.uid() == rustix::process::geteuid().as_raw();
    if !facts.file_type().is_socket() || !is_ours {
        return Err(io::Error::other("somebody has replaced the socket"));
    }
    // fchmod refuses descriptors of this kind; this name of it leads to the same inode.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::set_permissions(name, Permissions::from_mode(SOCKET_MODE))?;
    Ok(facts)
}

/// Keeps other services from replacing what they take for stale, until it is dropped. A
/// directory that cannot be opened or locked is used without.
fn lock(directory: &Path) -> Option<File> {
    let directory = File::open(directory).ok()?;
    let since = Instant::now();
    while flock(&directory, FlockOperation::NonBlockingLockExclusive).is_err() {
        if since.elapsed() >= LOCK_WAIT {
            return None;
        }
        std::thread::sleep(LOCK_STEP);
    }
    Some(directory)
}

fn remove_stale(path: &Path) -> Result<(), PlaceError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed("look at it")(source)),
        Ok(facts) if !facts.file_type().is_socket() => return Err(PlaceError::NotASocket),
        Ok(_) => {}
    }
    match knock(path) {
        Err(Errno::CONNREFUSED) => {
            fs::remove_file(path).map_err(failed("replace what a service left there"))
        }
        // It has gone meanwhile.
        Err(Errno::NOENT) => Ok(()),
        // Whatever else happened (no place in its queue, no permission): somebody has it.
        Ok(()) | Err(_) => Err(PlaceError::InUse),
    }
}

/// Connects without waiting for a place in the queue of a service that is busy.
fn knock(path: &Path) -> Result<(), Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn what_others_put_in_the_sockets_place_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("secret");
        fs::write(&secret, "").unwrap();
        fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
        let link = directory.path().join("link");
        symlink(&secret, &link).unwrap();
        for path in [&link, &secret] {
            assert!(let_everybody_connect(path).is_err());
            assert_eq!(mode(&secret), 0o600);
        }
        let socket = directory.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        fs::set_permissions(&socket, Permissions::from_mode(0o600)).unwrap();
        let facts = let_everybody_connect(&socket).unwrap();
        assert_eq!(mode(&socket), SOCKET_MODE);
        assert_eq!(facts.ino(), fs::metadata(&socket).unwrap().ino());
    }
}
