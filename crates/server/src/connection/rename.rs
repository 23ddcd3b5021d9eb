//! SET_INFO of names: rename, link, disposition ([MS-FSA] 2.1.5.15.3, 2.1.5.15.6,
//! 2.1.5.15.11).

use std::time::Instant;

use smb::NtStatus;
use smb::wire::info::FileRenameInformation;
use smb::wire::{access_mask, file_attributes};

use super::security::{rights_on, rights_on_directory};
use super::set_info::Change;
use crate::file::{Effects, FileIdentity, FileName, Ticket, Turn};
use crate::request::Failure;
use crate::request::Wait;
use crate::share::local::inotify::OwnChange;
use crate::share::{KindWanted, OpenParameters, Opened, SharePath, StoreError, StoreResult};

impl Change<'_> {
    pub(super) fn rename(&self, wanted: &FileRenameInformation<'_>) -> Result<(), Failure> {
        let &Change {
            core, open, file, ..
        } = self;
        if file.handle.stream_name().is_some() {
            // A store keeps a stream by its name.
            return Err(NtStatus::NOT_SUPPORTED.into());
        }
        let target = target(wanted)?;
        let old = open.path(&core.files);
        if old.is_root() {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        self.check_rights_on_directory(&target)?;
        let root = self.backend.local_path();
        let new_name = FileName::new(&root, &target);
        self.check_destination(&old, &target)?;
        self.take_turn(|ticket, now, effects| {
            Ok(file
                .file
                .break_handle_caching(open.id, ticket, now, effects))
        })?;
        if file.file.is_delete_pending() {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        file.file.may_rename(open.id)?;
        let old_name = FileName::new(&root, &old);
        if file.is_directory {
            self.take_turn(|ticket, now, effects| {
                Ok(core
                    .files
                    .break_handle_caching_below(&old_name, ticket, now, effects))
            })?;
            if core.files.any_open_below(&old_name) {
                return Err(NtStatus::ACCESS_DENIED.into());
            }
        }
        let replaced = wanted.replace_if_exists && self.make_room(&target)?;
        core.expect_rename(&old_name, &new_name);
        let result = file
            .handle
            .rename(&target, wanted.replace_if_exists, self.waiting);
        if let Err(error) = result {
            core.unexpect(&old_name, OwnChange::RenamedFrom);
            core.unexpect(&new_name, OwnChange::RenamedTo);
            return Err(error.into());
        }
        core.files.rename(&file.file, open.id, &new_name);
        // [MS-FSA] 2.1.5.15.12; a rename does not fail for that.
        let _ = file.archive(self.waiting);
        core.renamed(
            &old_name,
            &new_name,
            file.is_directory,
            replaced,
            file.parent_lease(),
        );
        Ok(())
    }

    pub(super) fn link(&self, wanted: &FileRenameInformation<'_>) -> Result<(), Failure> {
        let &Change { core, file, .. } = self;
        if file.handle.stream_name().is_some() {
            // [MS-FSA] 2.1.5.15.7.
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        if file.is_directory {
            return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
        }
        if file.file.is_delete_pending() {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        let target = target(wanted)?;
        self.check_rights_on_directory(&target)?;
        if core.files.is_doomed(&self.destination(&target)?) {
            return Err(NtStatus::DELETE_PENDING.into());
        }
        if wanted.replace_if_exists {
            self.make_room(&target)?;
        }
        let name = FileName::new(&self.backend.local_path(), &target);
        core.expect(&name, OwnChange::Created);
        let result = file
            .handle
            .link(&target, wanted.replace_if_exists, self.waiting);
        if let Err(error) = result {
            core.unexpect(&name, OwnChange::Created);
            return Err(error.into());
        }
        // [MS-FSA] 2.1.5.15.7; a link does not fail for that.
        let _ = file.archive(self.waiting);
        core.added(&name, false, file.parent_lease());
        Ok(())
    }

    /// What is moved to a directory is made in it ([MS-FSA] 2.1.5.15.11).
    fn check_rights_on_directory(&self, target: &SharePath) -> Result<(), Failure> {
        let needed = match self.file.is_directory {
            true => access_mask::FILE_ADD_SUBDIRECTORY,
            false => access_mask::FILE_ADD_FILE,
        };
        match self.rights_on_directory_of(target)? & needed {
            0 => Err(NtStatus::ACCESS_DENIED.into()),
            _ => Ok(()),
        }
    }

    /// What gives way is deleted.
    fn check_rights_to_replace(&self, found: &Opened, target: &SharePath) -> Result<(), Failure> {
        let stat = found.handle.stat(self.waiting)?;
        if stat.key == self.file.file.identity().key {
            return Ok(());
        }
        let session = self.request.session()?;
        let own = rights_on(&*found.handle, &stat, session, self.waiting)?;
        if own & access_mask::DELETE == 0
            && self.rights_on_directory_of(target)? & access_mask::FILE_DELETE_CHILD == 0
        {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        Ok(())
    }

    fn rights_on_directory_of(&self, target: &SharePath) -> Result<u32, Failure> {
        let parent = target.parent().unwrap_or_default();
        let session = self.request.session()?;
        match rights_on_directory(self.backend, session, &parent, self.waiting) {
            // What follows says what is wrong.
            Err(Failure::Status(NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::NOT_A_DIRECTORY)) => {
                Ok(access_mask::FILE_ALL_ACCESS)
            }
            rights => rights,
        }
    }

    /// May it go to that directory, as far as those are concerned who have that open? A
    /// directory that only gets another name where it is may, even if somebody could delete
    /// that: Samba's smb2.notify-inotify.inotify-rename asks for it.
    fn check_destination(&self, old: &SharePath, target: &SharePath) -> Result<(), Failure> {
        let stays = self.file.is_directory && old.parent() == target.parent();
        match self.core.files.may_move_into(&self.destination(target)?) {
            Err(NtStatus::SHARING_VIOLATION) if stays => Ok(()),
            result => Ok(result?),
        }
    }

    /// The directory of the new name, looked at before anybody is troubled ([MS-FSA]
    /// 2.1.5.15.7, 2.1.5.15.12).
    fn destination(&self, target: &SharePath) -> Result<FileIdentity, Failure> {
        let directory = target.parent().unwrap_or_default();
        match self.look(&directory, KindWanted::Directory) {
            Err(StoreError::Status(
                NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::NOT_A_DIRECTORY,
            )) => Err(NtStatus::OBJECT_PATH_NOT_FOUND.into()),
            found => Ok(found?),
        }
    }

    fn look(&self, path: &SharePath, kind: KindWanted) -> StoreResult<FileIdentity> {
        self.identity_of(&self.find(path, kind)?)
    }

    fn find(&self, path: &SharePath, kind: KindWanted) -> StoreResult<Opened> {
        self.backend
            .open(&OpenParameters::look(path, kind), self.waiting)
    }

    fn identity_of(&self, found: &Opened) -> StoreResult<FileIdentity> {
        Ok(FileIdentity {
            store: self.backend.store(),
            key: found.handle.stat(self.waiting)?.key,
            stream: None,
        })
    }

    /// What a rename or link will replace must not be open; who only caches a handle of it
    /// closes that. False if nothing is there, or the file itself.
    fn make_room(&self, target: &SharePath) -> Result<bool, Failure> {
        let found = match self.find(target, KindWanted::Any) {
            Ok(found) => found,
            Err(StoreError::WouldWait) => return Err(Failure::WouldWait),
            // The rename itself says what is wrong.
            Err(StoreError::Status(_)) => return Ok(false),
        };
        let identity = self.identity_of(&found)?;
        if identity == *self.file.file.identity() {
            return Ok(false);
        }
        self.check_rights_to_replace(&found, target)?;
        let files = &self.core.files;
        self.take_turn(|ticket, now, effects| {
            files.break_for_replacement(&identity, ticket, now, effects)
        })?;
        Ok(true)
    }

    /// Breaks what others cache and must not while this change is made. Waits for it.
    fn take_turn(
        &self,
        begin: impl FnOnce(Ticket, Instant, &mut Effects) -> Result<Turn, NtStatus>,
    ) -> Result<(), Failure> {
        let mut effects = Effects::default();
        let turn = begin(self.request.ticket, self.core.instant(), &mut effects);
        self.core.carry_out(effects);
        match turn? {
            Turn::Now => Ok(()),
            Turn::Wait { file, until } => {
                Err(Failure::Waits(Wait::Break(file), Some(until.into())))
            }
        }
    }

    pub(super) fn dispose(&self, delete: bool) -> Result<(), Failure> {
        let &Change {
            core,
            open,
            file,
            waiting,
            ..
        } = self;
        open.require_any(access_mask::DELETE)?;
        if delete {
            let stat = file.handle.stat(waiting)?;
            if open.path(&core.files).is_root()
                || stat.attributes & file_attributes::FILE_ATTRIBUTE_READONLY != 0
            {
                return Err(NtStatus::CANNOT_DELETE.into());
            }
            if file.is_directory && !file.handle.is_empty_directory(waiting)? {
                return Err(NtStatus::DIRECTORY_NOT_EMPTY.into());
            }
            self.take_turn(|ticket, now, effects| {
                Ok(file
                    .file
                    .break_handle_caching(open.id, ticket, now, effects))
            })?;
        }
        match delete {
            true => core.mark(open),
            false => core.unmark(open),
        }
        file.file.set_delete_pending(delete);
        if delete
            && file.is_directory
            && let Some(name) = core.files.name_of(&file.file, open.id)
        {
            core.delete_pending(&name);
        }
        Ok(())
    }
}
fn target(rename: &FileRenameInformation<'_>) -> Result<SharePath, NtStatus> {
    if rename.root_directory != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let name = rename
        .file_name
        .to_string()
        .map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
    // smbclient and Windows send no leading backslash, some libraries do.
    let path = SharePath::parse(name.strip_prefix('\\').unwrap_or(&name))?;
    if path.is_root() {
        Err(NtStatus::OBJECT_NAME_INVALID)
    } else {
        Ok(path)
    }
}
