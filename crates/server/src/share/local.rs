//! A share that is a directory of the local file system.
//!
//! Every name is resolved by the kernel beneath the share's root (openat2 with
//! RESOLVE_BENEATH), never as a path string that was checked before: links inside the
//! share work, those that lead out of it do not, and swapping a component for a link
//! while it is being opened gains nothing. An object is first opened with O_PATH, which
//! neither waits nor has side effects on pipes and devices, and only regular files and
//! directories are opened further.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use smb::NtStatus;

use super::{
    Backend, Capabilities, Capacity, CreateMode, FileHandle, FileKind, KindWanted, OpenParameters,
    Opened, SharePath, StoreResult, Waiting,
};
use beneath::{Found, Lookup, Place, Root};
use facts::Facts;
use handle::{Access, LocalHandle};
use streams::StreamHandle;

mod attributes;
mod beneath;
mod errno;
mod extended;
mod facts;
mod handle;
mod index;
pub(crate) mod inotify;
mod listing;
mod medium;
mod names;
mod space;
mod streams;
#[cfg(test)]
mod tests;
mod transfer;

/// How a directory is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalOptions {
    /// Refuse whatever would change the store (ACCESS_DENIED).
    pub read_only: bool,
    /// Permission bits of new files, before the umask.
    pub file_mode: u32,
    /// Permission bits of new directories, before the umask.
    pub directory_mode: u32,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self {
            read_only: false,
            file_mode: 0o666,
            directory_mode: 0o777,
        }
    }
}

/// A directory of the local file system as the store of a share.
pub struct LocalBackend {
    root: Arc<Root>,
    options: LocalOptions,
}

/// As [`Opened`], of a file or directory of this store.
struct OpenedFile {
    handle: Arc<LocalHandle>,
    created: bool,
    path: SharePath,
}

/// How often an open starts again when the name appears or vanishes under it.
const OPEN_ATTEMPTS: u32 = 4;

impl LocalBackend {
    /// Shares the directory `root`.
    ///
    /// # Errors
    ///
    /// Those of the operating system: it does not exist, is no directory, may not be entered.
    pub fn new(root: &Path, options: LocalOptions) -> io::Result<Self> {
        let root = Root::new(&std::fs::canonicalize(root)?)?;
        Ok(Self {
            root: Arc::new(root),
            options,
        })
    }

    /// As [`LocalBackend::new`], but as on a kernel without openat2: links are not followed.
    #[cfg(test)]
    fn without_openat2(root: &Path, options: LocalOptions) -> io::Result<Self> {
        let mut root = Root::new(&std::fs::canonicalize(root)?)?;
        root.forget_openat2();
        Ok(Self {
            root: Arc::new(root),
            options,
        })
    }

    /// As [`LocalBackend::new`], but as if on another medium.
    #[cfg(test)]
    fn on(medium: medium::Medium, root: &Path, options: LocalOptions) -> io::Result<Self> {
        let mut root = Root::new(&std::fs::canonicalize(root)?)?;
        root.pretend(medium);
        Ok(Self {
            root: Arc::new(root),
            options,
        })
    }

    fn open_found(
        &self,
        parameters: &OpenParameters<'_>,
        found: Found,
        waiting: Waiting,
    ) -> StoreResult<OpenedFile> {
        if parameters.mode == CreateMode::CreateNew {
            return Err(NtStatus::OBJECT_NAME_COLLISION.into());
        }
        let facts = Facts::of(&found.fd).map_err(errno::status)?;
        let kind = facts.kind().ok_or(NtStatus::ACCESS_DENIED)?;
        match (kind, parameters.kind) {
            (FileKind::File, KindWanted::Directory) => {
                return Err(NtStatus::NOT_A_DIRECTORY.into());
            }
            (FileKind::Directory, KindWanted::File) => {
                return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
            }
            _ => {}
        }
        if parameters.write && (self.options.read_only || facts.is_read_only()) {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        let access = match kind {
            FileKind::File => Access {
                read: parameters.read,
                write: parameters.write,
            },
            FileKind::Directory => Access {
                read: parameters.read,
                write: false,
            },
        };
        let fd = match access.flags() {
            None => found.fd,
            Some(flags) => self.root.reopen(&found, flags, facts.key(), waiting)?,
        };
        Ok(self.opened(found.path, fd, kind, access, facts, false))
    }

    /// `None` if the name has appeared meanwhile.
    fn create(
        &self,
        parameters: &OpenParameters<'_>,
        place: &Place<'_>,
    ) -> Result<Option<OpenedFile>, NtStatus> {
        if self.options.read_only {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let path = place.directory_path.join(place.name)?;
        let descriptor = self.new_descriptor(parameters, place)?;
        let securing = descriptor.as_ref().map(|_| extended::securing());
        let (fd, kind, access) = match parameters.kind {
            KindWanted::Directory => match self.create_directory(place, parameters.read) {
                Ok(fd) => (
                    fd,
                    FileKind::Directory,
                    Access {
                        read: parameters.read,
                        write: false,
                    },
                ),
                Err(Errno::EXIST) => return Ok(None),
                Err(errno) => return Err(errno::status(errno)),
            },
            KindWanted::Any | KindWanted::File => match self.create_file(parameters, place) {
                // Even an open for attributes only gets a full descriptor here: a new file
                // can always be opened by who made it.
                Ok(fd) => (
                    fd,
                    FileKind::File,
                    Access {
                        read: true,
                        write: parameters.write,
                    },
                ),
                Err(Errno::EXIST) => return Ok(None),
                Err(errno) => return Err(errno::status(errno)),
            },
        };
        self.root
            .index
            .changed(&place.directory, None, Some(place.name));
        let facts = Facts::of(&fd).map_err(errno::status)?;
        if facts.kind() != Some(kind) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        if descriptor.is_none() {
            self.root.known.created(&facts);
        }
        let opened = self.opened(path, fd, kind, access, facts, true);
        if let Some(descriptor) = descriptor {
            let path = descriptor_path(&opened.handle.fd);
            if let Err(status) = extended::set_security(&path, &descriptor) {
                // Without it nobody may have the file.
                let _ = opened.handle.unlink(Waiting::Allowed);
                return Err(status);
            }
        }
        drop(securing);
        if let Some(attributes) = attributes::of_new(parameters.attributes, kind) {
            // A store that cannot keep them is no reason to fail: READONLY is in the mode.
            let _ = opened.handle.set_attributes(attributes, Waiting::Allowed);
        }
        Ok(Some(opened))
    }

    /// May this be created; the descriptor to store with it.
    fn new_descriptor(
        &self,
        parameters: &OpenParameters<'_>,
        place: &Place<'_>,
    ) -> Result<Option<Vec<u8>>, NtStatus> {
        let Some(policy) = parameters.creation else {
            return Ok(None);
        };
        let kind = match parameters.kind {
            KindWanted::Directory => FileKind::Directory,
            KindWanted::Any | KindWanted::File => FileKind::File,
        };
        let parent = extended::security(&descriptor_path(&place.directory))?;
        policy.create(parent.as_deref(), kind)
    }

    fn create_file(
        &self,
        parameters: &OpenParameters<'_>,
        place: &Place<'_>,
    ) -> Result<OwnedFd, Errno> {
        let access = if parameters.write {
            OFlags::RDWR
        } else {
            OFlags::RDONLY
        };
        let flags = access | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_bits_truncate(self.options.file_mode);
        rustix::fs::openat(&place.directory, place.name, flags, mode)
    }

    fn create_directory(&self, place: &Place<'_>, read: bool) -> Result<OwnedFd, Errno> {
        let mode = Mode::from_bits_truncate(self.options.directory_mode);
        rustix::fs::mkdirat(&place.directory, place.name, mode)?;
        let access = if read { OFlags::RDONLY } else { OFlags::PATH };
        let flags = access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&place.directory, place.name, flags, Mode::empty())
    }

    fn opened(
        &self,
        path: SharePath,
        fd: OwnedFd,
        kind: FileKind,
        access: Access,
        facts: Facts,
        created: bool,
    ) -> OpenedFile {
        let handle = LocalHandle::new(
            Arc::clone(&self.root),
            fd,
            path.clone(),
            kind,
            facts.key(),
            access,
            self.options.read_only,
        );
        OpenedFile {
            handle: Arc::new(handle),
            created,
            path,
        }
    }
}

impl LocalBackend {
    fn open_file(
        &self,
        parameters: &OpenParameters<'_>,
        waiting: Waiting,
    ) -> StoreResult<OpenedFile> {
        for _ in 0..OPEN_ATTEMPTS {
            let place = match self.root.lookup(parameters.path, waiting)? {
                Lookup::Found(found) => return self.open_found(parameters, found, waiting),
                Lookup::Missing(place) => place,
            };
            if parameters.mode == CreateMode::Existing {
                return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into());
            }
            self.root.medium().check_device(waiting)?;
            match self.create(parameters, &place)? {
                Some(opened) => return Ok(opened),
                None if parameters.mode == CreateMode::CreateNew => {
                    return Err(NtStatus::OBJECT_NAME_COLLISION.into());
                }
                None => {}
            }
        }
        // There and not there at every attempt: a link to nothing.
        Err(NtStatus::ACCESS_DENIED.into())
    }

    /// A stream of a file or directory; a missing file is made for a stream that may be made.
    fn open_stream(
        &self,
        parameters: &OpenParameters<'_>,
        stream: &str,
        waiting: Waiting,
    ) -> StoreResult<Opened> {
        if parameters.kind == KindWanted::Directory {
            return Err(NtStatus::NOT_A_DIRECTORY.into());
        }
        self.root.medium().check_device(waiting)?;
        let creates = parameters.mode != CreateMode::Existing;
        let base = OpenParameters {
            mode: match creates {
                true => CreateMode::CreateIfMissing,
                false => CreateMode::Existing,
            },
            kind: KindWanted::Any,
            read: false,
            write: false,
            stream: None,
            ..parameters.clone()
        };
        let base = self.open_file(&base, waiting)?;
        if parameters.write {
            base.handle.check_writable()?;
        }
        let (handle, created) = StreamHandle::open(base.handle, stream, creates)?;
        if !created && parameters.mode == CreateMode::CreateNew {
            return Err(NtStatus::OBJECT_NAME_COLLISION.into());
        }
        Ok(Opened {
            handle: Arc::new(handle),
            created,
            path: base.path,
        })
    }
}

impl Backend for LocalBackend {
    fn open(&self, parameters: &OpenParameters<'_>, waiting: Waiting) -> StoreResult<Opened> {
        if let Some(stream) = parameters.stream {
            return self.open_stream(parameters, stream, waiting);
        }
        let opened = self.open_file(parameters, waiting)?;
        Ok(Opened {
            handle: opened.handle,
            created: opened.created,
            path: opened.path,
        })
    }

    fn capacity(&self, waiting: Waiting) -> StoreResult<Capacity> {
        self.root.medium().check_server(waiting)?;
        let facts = self.root.space().map_err(errno::status)?;
        Ok(Capacity {
            unit_bytes: u32::try_from(facts.f_frsize).unwrap_or(u32::MAX).max(1),
            total_units: facts.f_blocks,
            caller_free_units: facts.f_bavail,
            free_units: facts.f_bfree,
        })
    }

    /// Clients switch features on for `NTFS` and off for names they do not know.
    fn file_system_name(&self) -> &str {
        "NTFS"
    }

    fn store(&self) -> u64 {
        0
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hard_links: true,
            sparse: true,
            streams: true,
            extended_attributes: true,
            security: true,
            ..Capabilities::default()
        }
    }

    fn creation_time(&self) -> smb::FileTime {
        self.root.creation_time()
    }

    fn volume_serial_number(&self) -> u32 {
        let key = self.root.key();
        // Fibonacci hashing: neighbouring inodes get unlike numbers.
        ((key.device.rotate_left(32) ^ key.inode).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
    }

    fn local_path(&self) -> String {
        self.root.local_path().to_owned()
    }
}

/// A name below `/proc` for what `fd` stands for, whatever has become of its path.
fn descriptor_path(fd: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// Opens what an O_PATH descriptor stands for. ENOENT if `/proc` is not mounted.
fn open_descriptor(fd: &impl AsRawFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(CWD, descriptor_path(fd), flags, Mode::empty())
}
