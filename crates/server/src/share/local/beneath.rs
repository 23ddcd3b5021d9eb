//! Names to descriptors, never leaving the share.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, StatVfs};
use rustix::io::Errno;
use smb::{FileTime, NtStatus};

use super::super::{FileKey, SharePath, StoreError, StoreResult, Waiting};
use super::attributes::{KnownAttributes, Stored};
use super::errno::{parent_error, resolution_error, status};
use super::facts::Facts;
use super::index::{Miss, NameIndex};
use super::medium::Medium;

/// openat2 gives up (EAGAIN) when a rename anywhere on the system races with a `..` inside
/// a link; after so many times in a row, so do we.
const RESOLUTION_ATTEMPTS: u32 = 64;

/// The root directory of a share.
pub(super) struct Root {
    directory: OwnedFd,
    local_path: String,
    key: FileKey,
    creation_time: FileTime,
    has_openat2: bool,
    medium: Medium,
    pub(super) index: &'static NameIndex,
    pub(super) known: &'static KnownAttributes,
    /// Cleared when the file system has said that it cannot tell whether a write would wait.
    pub(super) has_nowait_writes: AtomicBool,
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

impl Root {
    /// `path` must be canonical.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let facts = Facts::of(&directory)?;
        let created = facts.file_stat(&Stored::default());
        let file_system = rustix::fs::fstatfs(&directory)?;
        let mut root = Self {
            medium: Medium::of_type(file_system.f_type),
            directory,
            local_path: path.to_string_lossy().into_owned(),
            key: facts.key(),
            creation_time: created.map(|stat| stat.creation_time).unwrap_or_default(),
            has_openat2: true,
            index: NameIndex::get(),
            known: KnownAttributes::get(),
            has_nowait_writes: AtomicBool::new(true),
        };
        // EPERM: what some container runtimes answer to system calls they do not know.
        if let Err(Errno::NOSYS | Errno::PERM) = root.open("", flags, Waiting::Allowed) {
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

    /// Of the root directory.
    pub(super) fn creation_time(&self) -> FileTime {
        self.creation_time
    }

    pub(super) fn key(&self) -> FileKey {
        self.key
    }

    /// What a file below the root is kept on; other file systems may be mounted there.
    pub(super) fn medium_of(&self, file: FileKey) -> Medium {
        if file.device == self.key.device {
            self.medium
        } else {
            Medium::Remote
        }
    }

    /// That of the share's own file system.
    pub(super) fn medium(&self) -> Medium {
        self.medium
    }

    #[cfg(test)]
    pub(super) fn pretend(&mut self, medium: Medium) {
        self.medium = medium;
    }

    pub(super) fn space(&self) -> Result<StatVfs, Errno> {
        rustix::fs::fstatvfs(&self.directory)
    }

    /// Finds `path`: as spelled, else component by component whatever the case.
    pub(super) fn lookup<'a>(
        &self,
        path: &'a SharePath,
        waiting: Waiting,
    ) -> StoreResult<Lookup<'a>> {
        match self.open_path(path, waiting) {
            Ok(fd) => {
                return Ok(Lookup::Found(Found {
                    fd,
                    path: path.clone(),
                }));
            }
            Err(Errno::NOENT) if !path.is_root() => {}
            Err(errno) => return Err(resolution_error(errno, waiting)),
        }
        let place = self.place(path, waiting)?;
        if let Some(existing) = &place.existing {
            let path = place.directory_path.join(existing)?;
            match self.open_path(&path, waiting) {
                Ok(fd) => return Ok(Lookup::Found(Found { fd, path })),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(resolution_error(errno, waiting)),
            }
        }
        Ok(Lookup::Missing(place))
    }

    /// Where `path`, not the root, is or would be.
    pub(super) fn place<'a>(
        &self,
        path: &'a SharePath,
        waiting: Waiting,
    ) -> StoreResult<Place<'a>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(NtStatus::ACCESS_DENIED.into());
        };
        let (directory, directory_path) = self.directory(parent, waiting)?;
        let existing = self.spelling(&directory, &directory_path, name, waiting)?;
        Ok(Place {
            directory,
            directory_path,
            name,
            existing,
        })
    }

    fn directory(&self, path: SharePath, waiting: Waiting) -> StoreResult<(OwnedFd, SharePath)> {
        match self.open_directory(&path, waiting) {
            Ok(fd) => return Ok((fd, path)),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(parent_error(errno, waiting)),
        }
        let failed = |errno| parent_error(errno, waiting);
        let mut spelled = SharePath::root();
        let mut directory = self.open_directory(&spelled, waiting).map_err(failed)?;
        for component in path.components() {
            let found = self
                .spelling(&directory, &spelled, component, waiting)
                .map_err(|error| match error {
                    StoreError::Status(NtStatus::OBJECT_NAME_NOT_FOUND) => {
                        NtStatus::OBJECT_PATH_NOT_FOUND.into()
                    }
                    error => error,
                })?;
            spelled = spelled.join(&found.ok_or(NtStatus::OBJECT_PATH_NOT_FOUND)?)?;
            directory = self.open_directory(&spelled, waiting).map_err(failed)?;
        }
        Ok((directory, spelled))
    }

    /// The name on disk that `name` means in `directory`: itself if it exists, else the
    /// first in order of bytes of those that differ only in case.
    fn spelling(
        &self,
        directory: &OwnedFd,
        directory_path: &SharePath,
        name: &str,
        waiting: Waiting,
    ) -> StoreResult<Option<String>> {
        let exact = match (waiting, self.medium) {
            // statx() may read the device, and cannot be told not to.
            (Waiting::Refused, Medium::Disk | Medium::Remote) => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW;
                let path = directory_path.join(name)?;
                self.open(&path.to_local(), flags, waiting).map(drop)
            }
            _ => Facts::of_entry(directory, name).map(drop),
        };
        match exact {
            Ok(()) => return Ok(Some(name.to_owned())),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(resolution_error(errno, waiting)),
        }
        self.find_folded(directory, name, waiting)
    }

    /// As [`Root::spelling`] in a directory that is open; reads the device.
    pub(super) fn spelling_in(
        &self,
        directory: &OwnedFd,
        name: &str,
        waiting: Waiting,
    ) -> StoreResult<Option<String>> {
        match Facts::of_entry(directory, name) {
            Ok(_) => Ok(Some(name.to_owned())),
            Err(Errno::NOENT) => self.find_folded(directory, name, waiting),
            Err(errno) => Err(resolution_error(errno, waiting)),
        }
    }

    fn find_folded(
        &self,
        directory: &OwnedFd,
        name: &str,
        waiting: Waiting,
    ) -> StoreResult<Option<String>> {
        let medium_of = |key| self.medium_of(key);
        let found = self.index.find(directory, name, medium_of, waiting);
        found.map_err(|miss| match miss {
            Miss::WouldWait => StoreError::WouldWait,
            Miss::Failed(errno) => status(errno).into(),
        })
    }

    /// The directory at exactly `path`, O_PATH.
    pub(super) fn open_directory(
        &self,
        path: &SharePath,
        waiting: Waiting,
    ) -> Result<OwnedFd, Errno> {
        self.open(&path.to_local(), OFlags::PATH | OFlags::DIRECTORY, waiting)
    }

    /// What is at exactly `path`, O_PATH.
    pub(super) fn open_path(&self, path: &SharePath, waiting: Waiting) -> Result<OwnedFd, Errno> {
        self.open(&path.to_local(), OFlags::PATH, waiting)
    }

    /// As [`Root::open_path`], but a link itself.
    pub(super) fn open_link(&self, path: &SharePath, waiting: Waiting) -> Result<OwnedFd, Errno> {
        self.open(&path.to_local(), OFlags::PATH | OFlags::NOFOLLOW, waiting)
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
        waiting: Waiting,
    ) -> StoreResult<OwnedFd> {
        match super::open_descriptor(&found.fd, flags) {
            Err(Errno::NOENT) => {}
            result => return result.map_err(|errno| resolution_error(errno, waiting)),
        }
        // Without /proc, by name again; O_NONBLOCK in `flags` if it is a pipe by now.
        let fd = self
            .open(&found.path.to_local(), flags, waiting)
            .map_err(|errno| resolution_error(errno, waiting))?;
        match Facts::of(&fd) {
            Ok(facts) if facts.key() == key => Ok(fd),
            Ok(_) => Err(NtStatus::OBJECT_NAME_NOT_FOUND.into()),
            Err(errno) => Err(status(errno).into()),
        }
    }

    /// With [`Waiting::Refused`]: EAGAIN unless the kernel has the whole path in memory.
    fn open(&self, path: &str, flags: OFlags, waiting: Waiting) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        let in_place = match (waiting, self.medium) {
            (Waiting::Allowed, _) => ResolveFlags::empty(),
            // Something slower may be mounted below.
            (Waiting::Refused, Medium::Memory) => ResolveFlags::NO_XDEV,
            (Waiting::Refused, Medium::Disk) if self.has_openat2 => {
                ResolveFlags::NO_XDEV | ResolveFlags::CACHED
            }
            (Waiting::Refused, Medium::Disk | Medium::Remote) => return Err(Errno::AGAIN),
        };
        if !self.has_openat2 {
            return self.walk(path, flags);
        }
        let path = if path.is_empty() { "." } else { path };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | in_place;
        let mut result = Err(Errno::AGAIN);
        for _ in 0..RESOLUTION_ATTEMPTS {
            result = rustix::fs::openat2(&self.directory, path, flags, Mode::empty(), resolve);
            match result {
                Err(Errno::AGAIN) if waiting == Waiting::Refused => break,
                Err(Errno::AGAIN | Errno::INTR) => {}
                // Kernels before 5.12 do not know RESOLVE_CACHED.
                Err(Errno::INVAL) if resolve.contains(ResolveFlags::CACHED) => {
                    return Err(Errno::AGAIN);
                }
                _ => break,
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
