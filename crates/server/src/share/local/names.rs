//! Renaming, linking and removing: what changes the names of an open file.
//!
//! Unix has no operation on "the name by which this descriptor was opened", so the last
//! known name is looked up again and must lead to the same object; if it does not, because
//! another handle or program has moved the file, the name that the kernel knows. Whoever
//! swaps it in the instant between that check and the operation hits another name in the
//! same directory of the share, never one outside.

use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, RenameFlags};
use rustix::io::Errno;
use smb::NtStatus;

use super::super::{FileKey, FileKind, SharePath, StoreError, StoreResult, Waiting};
use super::beneath::Place;
use super::descriptor_path;
use super::errno::{resolution_error, status};
use super::facts::Facts;
use super::handle::LocalHandle;

/// The name of an open file, checked a moment ago.
struct OwnName {
    directory: OwnedFd,
    name: String,
    /// What would have to be removed is a directory, not a file or a link to something.
    is_directory: bool,
}

impl LocalHandle {
    pub(super) fn unlink_name(&self, waiting: Waiting) -> StoreResult<()> {
        self.check_writable()?;
        self.medium().check_device(waiting)?;
        let mut path = self.path();
        if path.is_root() {
            return Err(NtStatus::CANNOT_DELETE.into());
        }
        let own = self.own_name(&mut path, waiting)?;
        own.remove()?;
        self.root
            .index
            .changed(&own.directory, Some(&own.name), None);
        Ok(())
    }

    pub(super) fn rename_to(
        &self,
        target: &SharePath,
        replace: bool,
        waiting: Waiting,
    ) -> StoreResult<()> {
        self.check_writable()?;
        self.medium().check_device(waiting)?;
        let mut path = self.path();
        let own = self.own_name(&mut path, waiting)?;
        let place = self.root.place(target, waiting)?;
        let same_directory = key_of(&own.directory)? == key_of(&place.directory)?;
        let mut name = place.name;
        match place.existing.as_deref() {
            None => own.rename(&place, name)?,
            Some(existing) if same_directory && existing == own.name => {
                if existing != name {
                    own.rename(&place, name)?;
                }
            }
            Some(existing) => {
                self.replace(&own, &place, existing, replace)?;
                // The new name is spelled as asked, not as what it replaced.
                if existing != name
                    && rename_new(&place.directory, existing, &place.directory, name).is_err()
                {
                    name = existing;
                }
            }
        }
        let new_path = place.directory_path.join(name);
        self.root
            .index
            .changed(&own.directory, Some(&own.name), None);
        self.root
            .index
            .changed(&place.directory, place.existing.as_deref(), Some(name));
        // Too long as a path, and yet the file is there: later operations will miss it.
        *path = new_path.unwrap_or_else(|_| target.clone());
        Ok(())
    }

    pub(super) fn link_to(
        &self,
        target: &SharePath,
        replace: bool,
        waiting: Waiting,
    ) -> StoreResult<()> {
        self.check_writable()?;
        if self.kind == FileKind::Directory {
            return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
        }
        self.medium().check_device(waiting)?;
        let place = self.root.place(target, waiting)?;
        let mut name = place.name;
        match place.existing.as_deref() {
            None => self.link_as(&place, name)?,
            Some(existing) => {
                if self.replaceable(&place, existing, replace)?.key() == self.key {
                    return Ok(());
                }
                // First beside it: if that fails, what was there stays.
                let beside = temporary_name();
                self.link_as(&place, &beside)?;
                let directory = &place.directory;
                if let Err(errno) = rustix::fs::renameat(directory, &beside, directory, existing) {
                    let _ = rustix::fs::unlinkat(directory, &beside, AtFlags::empty());
                    return Err(status(errno).into());
                }
                if existing != name && rename_new(directory, existing, directory, name).is_err() {
                    name = existing;
                }
            }
        }
        self.root
            .index
            .changed(&place.directory, place.existing.as_deref(), Some(name));
        Ok(())
    }

    fn link_as(&self, place: &Place<'_>, name: &str) -> Result<(), NtStatus> {
        // By descriptor: the name may have gone or lead elsewhere.
        let own = descriptor_path(&self.fd);
        rustix::fs::linkat(CWD, own, &place.directory, name, AtFlags::SYMLINK_FOLLOW)
            .map_err(status)
    }

    /// Moves this file over another one.
    fn replace(
        &self,
        own: &OwnName,
        place: &Place<'_>,
        existing: &str,
        replace: bool,
    ) -> Result<(), NtStatus> {
        let facts = self.replaceable(place, existing, replace)?;
        if facts.key() == self.key {
            // Two names of one file: rename() would leave both.
            return own.remove();
        }
        if own.is_directory {
            // rename() puts no directory over a file: they change places, then the file goes.
            let flags = RenameFlags::EXCHANGE;
            let (from, to) = (&own.directory, &place.directory);
            rustix::fs::renameat_with(from, own.name.as_str(), to, existing, flags)
                .map_err(status)?;
            return rustix::fs::unlinkat(from, own.name.as_str(), AtFlags::empty()).map_err(status);
        }
        rustix::fs::renameat(
            &own.directory,
            own.name.as_str(),
            &place.directory,
            existing,
        )
        .map_err(status)
    }

    /// May the entry `existing` give way? [MS-FSA] 2.1.5.15.11: not if it is a directory or
    /// read-only; nor if it is what a share does not show.
    fn replaceable(
        &self,
        place: &Place<'_>,
        existing: &str,
        replace: bool,
    ) -> Result<Facts, NtStatus> {
        if !replace {
            return Err(NtStatus::OBJECT_NAME_COLLISION);
        }
        let facts = Facts::of_entry(&place.directory, existing).map_err(status)?;
        let gives_way = facts.is_symlink() || facts.kind() == Some(FileKind::File);
        if !gives_way || facts.is_read_only() {
            return Err(NtStatus::ACCESS_DENIED);
        }
        Ok(facts)
    }

    pub(super) fn key_of_parent(&self, waiting: Waiting) -> StoreResult<Option<FileKey>> {
        let mut path = self.path();
        if path.is_root() {
            return Ok(None);
        }
        let own = self.own_name(&mut path, waiting)?;
        Ok(Some(key_of(&own.directory)?))
    }

    /// The present name, which it also remembers in `path`.
    fn own_name(&self, path: &mut SharePath, waiting: Waiting) -> StoreResult<OwnName> {
        match self.own_name_at(path, waiting) {
            Err(StoreError::Status(NtStatus::OBJECT_NAME_NOT_FOUND)) => {}
            result => return result,
        }
        let moved = self
            .root
            .path_of(&self.fd)
            .ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let own = self.own_name_at(&moved, waiting)?;
        *path = moved;
        Ok(own)
    }

    fn own_name_at(&self, path: &SharePath, waiting: Waiting) -> StoreResult<OwnName> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(NtStatus::ACCESS_DENIED.into());
        };
        let gone = |errno| match resolution_error(errno, waiting) {
            StoreError::WouldWait => StoreError::WouldWait,
            StoreError::Status(_) => NtStatus::OBJECT_NAME_NOT_FOUND.into(),
        };
        let directory = self.root.open_directory(&parent, waiting).map_err(gone)?;
        let facts = match self.medium().check_device(waiting) {
            Ok(()) => Facts::of_entry(&directory, name).map_err(gone)?,
            // By name it might read the device.
            Err(_) => {
                let entry = self.root.open_link(path, waiting).map_err(gone)?;
                Facts::of(entry).map_err(gone)?
            }
        };
        let own = |is_directory| OwnName {
            directory,
            name: name.to_owned(),
            is_directory,
        };
        if facts.key() == self.key {
            return Ok(own(self.kind == FileKind::Directory));
        }
        if facts.is_symlink() {
            // Opened through a link: the link is what goes or moves.
            let fd = self.root.open_path(path, waiting).map_err(gone)?;
            if key_of(&fd)? == self.key {
                return Ok(own(false));
            }
        }
        Err(NtStatus::OBJECT_NAME_NOT_FOUND.into())
    }
}

impl OwnName {
    fn remove(&self) -> Result<(), NtStatus> {
        let flags = if self.is_directory {
            AtFlags::REMOVEDIR
        } else {
            AtFlags::empty()
        };
        match rustix::fs::unlinkat(&self.directory, self.name.as_str(), flags) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(NtStatus::DIRECTORY_NOT_EMPTY),
            // A mount point, or something's root directory.
            Err(Errno::BUSY) => Err(NtStatus::CANNOT_DELETE),
            Err(errno) => Err(status(errno)),
        }
    }

    fn rename(&self, place: &Place<'_>, name: &str) -> Result<(), NtStatus> {
        rename_new(&self.directory, &self.name, &place.directory, name).map_err(status)
    }
}

/// Renames to a name that must not exist.
fn rename_new(from: impl AsFd, name: &str, to: impl AsFd, new_name: &str) -> Result<(), Errno> {
    match rustix::fs::renameat_with(&from, name, &to, new_name, RenameFlags::NOREPLACE) {
        // EINVAL also means "into itself", which the plain call repeats.
        Err(Errno::INVAL | Errno::NOSYS) => match Facts::of_entry(&to, new_name) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => rustix::fs::renameat(&from, name, &to, new_name),
            Err(errno) => Err(errno),
        },
        result => result,
    }
}

/// A name that no other operation of this process uses at the same time.
fn temporary_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(".netsession.{}.{number}", std::process::id())
}

fn key_of(fd: impl AsFd) -> Result<FileKey, NtStatus> {
    Facts::of(fd).map(|facts| facts.key()).map_err(status)
}
