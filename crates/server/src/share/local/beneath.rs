//! Names to descriptors, never leaving the share.

use std::io;
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, StatVfs};
use rustix::io::Errno;
use smb::NtStatus;

use super::super::{FileKey, SharePath};
use super::errno::{parent_status, resolution_status, status};
use super::facts::Facts;
use super::index::NameIndex;

/// openat2 gives up (EAGAIN) when a rename anywhere on the system races with a `..` inside
/// a link; after so many times in a row, so do we.
const RESOLUTION_ATTEMPTS: u32 = 64;

/// The root directory of a share.
pub(super) struct Root {
    directory: OwnedFd,
    local_path: String,
    key: FileKey,
    has_openat2: bool,
    in_memory: bool,
    pub(super) index: NameIndex,
}

/// An existing object.
pub(super) struct Found {
    /// O_PATH.
    pub(super) fd: OwnedFd,
    /// In the spelling of the store.
    pub(super) path: SharePath,
}

/// Where a name is, or would be.
pub(super) struct Place<'a> {
    /// O_PATH.
    pub(super) directory: OwnedFd,
    /// In the spelling of the store.
    pub(super) directory_path: SharePath,
    /// As asked for.
    pub(super) name: &'a str,
    /// As on disk, if there.
    pub(super) existing: Option<String>,
}

/// What a path leads to.
pub(super) enum Lookup<'a> {
    /// An object, of any type.
    Found(Found),
    /// Nothing (or a link to nothing), in a directory that exists.
    Missing(Place<'a>),
}

/// TMPFS_MAGIC of statfs(2).
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

fn is_in_memory(directory: &OwnedFd) -> bool {
    rustix::fs::fstatfs(directory).is_ok_and(|facts| facts.f_type == TMPFS_MAGIC)
}

impl Root {
    /// `path` must be canonical.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let key = Facts::of(&directory)?.key();
        let mut root = Self {
            in_memory: is_in_memory(&directory),
            directory,
            local_path: path.to_string_lossy().into_owned(),
            key,
            has_openat2: true,
            index: NameIndex::default(),
        };
        // EPERM: what some container runtimes answer to system calls they do not know.
        if let Err(Errno::NOSYS | Errno::PERM) = root.open("", flags) {
            root.has_openat2 = false;
        }
        Ok(root)
    }

    #[cfg(test)]
    pub(super) fn forget_openat2(&mut self) {
        self.has_openat2 = false;
    }

    pub(super) fn local_path(&self) -> &str {
        &self.local_path
    }

    pub(super) fn key(&self) -> FileKey {
        self.key
    }

    /// The file is in memory alone (tmpfs): reading it never waits for a disk.
    pub(super) fn holds_in_memory(&self, file: FileKey) -> bool {
        self.in_memory && file.device == self.key.device
    }

    pub(super) fn space(&self) -> Result<StatVfs, Errno> {
        rustix::fs::fstatvfs(&self.directory)
    }

    /// Finds `path`: as spelled, else component by component whatever the case.
    pub(super) fn lookup<'a>(&self, path: &'a SharePath) -> Result<Lookup<'a>, NtStatus> {
        match self.open_path(path) {
            Ok(fd) => {
                return Ok(Lookup::Found(Found {
                    fd,
                    path: path.clone(),
                }));
            }
            Err(Errno::NOENT) if !path.is_root() => {}
            Err(errno) => return Err(resolution_status(errno)),
        }
        let place = self.place(path)?;
        if let Some(existing) = &place.existing {
            let path = place.directory_path.join(existing)?;
            match self.open_path(&path) {
                Ok(fd) => return Ok(Lookup::Found(Found { fd, path })),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(resolution_status(errno)),
            }
        }
        Ok(Lookup::Missing(place))
    }

    /// Where `path`, not the root, is or would be.
    pub(super) fn place<'a>(&self, path: &'a SharePath) -> Result<Place<'a>, NtStatus> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(NtStatus::ACCESS_DENIED);
        };
        let (directory, directory_path) = self.directory(parent)?;
        let existing = self.index.spelling(&directory, name).map_err(status)?;
        Ok(Place {
            directory,
            directory_path,
            name,
            existing,
        })
    }

    fn directory(&self, path: SharePath) -> Result<(OwnedFd, SharePath), NtStatus> {
        match self.open_directory(&path) {
            Ok(fd) => return Ok((fd, path)),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(parent_status(errno)),
        }
        let mut spelled = SharePath::root();
        let mut directory = self.open_directory(&spelled).map_err(parent_status)?;
        for component in path.components() {
            let found = self
                .index
                .spelling(&directory, component)
                .map_err(parent_status)?;
            spelled = spelled.join(&found.ok_or(NtStatus::OBJECT_PATH_NOT_FOUND)?)?;
            directory = self.open_directory(&spelled).map_err(parent_status)?;
        }
        Ok((directory, spelled))
    }

    /// The directory at exactly `path`, O_PATH.
    pub(super) fn open_directory(&self, path: &SharePath) -> Result<OwnedFd, Errno> {
        self.open(&path.to_local(), OFlags::PATH | OFlags::DIRECTORY)
    }

    /// What is at exactly `path`, O_PATH.
    pub(super) fn open_path(&self, path: &SharePath) -> Result<OwnedFd, Errno> {
        self.open(&path.to_local(), OFlags::PATH)
    }

    /// Where the kernel knows `fd` to be now; `None` if outside the share or without `/proc`.
    /// No more than a hint: a removed file still has a path.
    pub(super) fn path_of(&self, fd: &OwnedFd) -> Option<SharePath> {
        let read = |fd: &OwnedFd| {
            let path = rustix::fs::readlinkat(CWD, super::descriptor_path(fd), Vec::new()).ok()?;
            path.into_string().ok()
        };
        let (root, path) = (read(&self.directory)?, read(fd)?);
        let relative = Path::new(&path).strip_prefix(root).ok()?.to_str()?;
        // Backslashes in names of the store would become separators.
        if relative.contains('\\') {
            return None;
        }
        SharePath::parse(&relative.replace('/', "\\")).ok()
    }

    /// Opens a regular file or directory that was found O_PATH for reading or writing.
    pub(super) fn reopen(
        &self,
        found: &Found,
        flags: OFlags,
        key: FileKey,
    ) -> Result<OwnedFd, NtStatus> {
        match super::open_descriptor(&found.fd, flags) {
            Err(Errno::NOENT) => {}
            result => return result.map_err(status),
        }
        // Without /proc, by name again; O_NONBLOCK in `flags` if it is a pipe by now.
        let fd = self
            .open(&found.path.to_local(), flags)
            .map_err(resolution_status)?;
        match Facts::of(&fd) {
            Ok(facts) if facts.key() == key => Ok(fd),
            Ok(_) => Err(NtStatus::OBJECT_NAME_NOT_FOUND),
            Err(errno) => Err(status(errno)),
        }
    }

    fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        if !self.has_openat2 {
            return self.walk(path, flags);
        }
        let path = if path.is_empty() { "." } else { path };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut result = Err(Errno::AGAIN);
        for _ in 0..RESOLUTION_ATTEMPTS {
            result = rustix::fs::openat2(&self.directory, path, flags, Mode::empty(), resolve);
            if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
                break;
            }
        }
        result
    }

    /// Without openat2: one component at a time, following no link.
    fn walk(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let open = |directory: BorrowedFd<'_>, name: &str, flags| {
            rustix::fs::openat(directory, name, flags | OFlags::NOFOLLOW, Mode::empty())
        };
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = if name.is_empty() { "." } else { name };
        let mut directory: Option<OwnedFd> = None;
        for parent in parents.split('/').filter(|parent| !parent.is_empty()) {
            let current = directory.as_ref().unwrap_or(&self.directory).as_fd();
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            directory = Some(open(current, parent, flags)?);
        }
        open(
            directory.as_ref().unwrap_or(&self.directory).as_fd(),
            name,
            flags,
        )
    }
}
