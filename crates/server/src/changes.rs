//! What the server's own operations change in a directory: whoever watches it is told, and
//! clients that cache it have to read it anew.

use smb::Guid;
use smb::wire::completion_filter::{
    FILE_NOTIFY_CHANGE_ATTRIBUTES, FILE_NOTIFY_CHANGE_CREATION, FILE_NOTIFY_CHANGE_EA,
    FILE_NOTIFY_CHANGE_LAST_ACCESS, FILE_NOTIFY_CHANGE_LAST_WRITE, FILE_NOTIFY_CHANGE_SIZE,
};
use smb::wire::file_information_class as class;
use smb::wire::info::FileBasicInformation;

use crate::core::Core;
use crate::file::watch::Rename;
use crate::file::{Effects, FileName};
use crate::open::{FileOpen, Open};
use crate::share::local::inotify::OwnChange;
use std::sync::atomic::Ordering;

/// What overwriting and superseding touch.
const OVERWRITTEN: u32 =
    FILE_NOTIFY_CHANGE_ATTRIBUTES | FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE;

/// What a WRITE touches.
pub(crate) const WRITTEN: u32 = FILE_NOTIFY_CHANGE_LAST_WRITE | FILE_NOTIFY_CHANGE_SIZE;

/// Whose lease on the directory stays: ClientGuid and ParentLeaseKey of who makes the change.
pub(crate) type ParentLease = Option<(Guid, Guid)>;

/// The FILE_NOTIFY_CHANGE_* bits that a SET_INFO of this class touches; 0 for none, and for
/// changes of names, which are told by those who make them.
pub(crate) fn touched_by_set_info(information_class: u8, buffer: &[u8]) -> u32 {
    match information_class {
        class::FILE_END_OF_FILE_INFORMATION
        | class::FILE_ALLOCATION_INFORMATION
        | class::FILE_VALID_DATA_LENGTH_INFORMATION => FILE_NOTIFY_CHANGE_SIZE,
        class::FILE_FULL_EA_INFORMATION => FILE_NOTIFY_CHANGE_EA | FILE_NOTIFY_CHANGE_ATTRIBUTES,
        class::FILE_BASIC_INFORMATION => {
            let Ok(basic) = FileBasicInformation::read(buffer) else {
                return 0;
            };
            let mut touched = 0;
            for (time, bit) in [
                (basic.creation_time, FILE_NOTIFY_CHANGE_CREATION),
                (basic.last_access_time, FILE_NOTIFY_CHANGE_LAST_ACCESS),
                (basic.last_write_time, FILE_NOTIFY_CHANGE_LAST_WRITE),
            ] {
                // 0, -1 and -2 set no time.
                if (time.0 as i64) > 0 {
                    touched |= bit;
                }
            }
            if basic.file_attributes != 0 {
                touched |= FILE_NOTIFY_CHANGE_ATTRIBUTES;
            }
            touched
        }
        _ => 0,
    }
}

impl Core {
    /// The server is about to make this change: the kernel's news of it is no news.
    pub(crate) fn expect(&self, name: &FileName, change: OwnChange) {
        if self.notifier.is_watched() {
            self.notifier.expect(name, change);
        }
    }

    /// The server is about to rename a file or directory.
    pub(crate) fn expect_rename(&self, old: &FileName, new: &FileName) {
        if self.notifier.is_watched() {
            self.notifier.expect_rename(&Rename {
                old,
                new,
                is_directory: false,
                replaced: None,
            });
        }
    }

    /// The change that was expected was not made.
    pub(crate) fn unexpect(&self, name: &FileName, change: OwnChange) {
        if self.notifier.is_watched() {
            self.notifier.unexpect(name, change);
        }
    }

    /// A new file, link or directory.
    pub(crate) fn added(&self, name: &FileName, is_directory: bool, by: ParentLease) {
        if self.notifier.is_watched() {
            self.notifier.added(name, is_directory);
        }
        self.directory_changed(name, by);
    }

    /// A file was overwritten or superseded.
    pub(crate) fn overwritten(&self, name: &FileName, by: ParentLease) {
        if self.notifier.is_watched() {
            self.notifier.modified(name, OVERWRITTEN);
        }
        self.directory_changed(name, by);
    }

    /// A file or directory was deleted.
    pub(crate) fn removed(&self, name: &FileName, is_directory: bool, by: ParentLease) {
        if self.notifier.is_watched() {
            self.notifier.removed(name, is_directory);
        }
        self.directory_changed(name, by);
    }

    /// A file or directory has got another name.
    pub(crate) fn renamed(
        &self,
        old: &FileName,
        new: &FileName,
        is_directory: bool,
        replaced: bool,
        by: ParentLease,
    ) {
        if self.notifier.is_watched() {
            self.notifier.renamed(&Rename {
                old,
                new,
                is_directory,
                replaced: replaced.then_some(new),
            });
        }
        self.directory_changed(old, by);
        self.directory_changed(new, by);
    }

    /// The data or attributes of an open file have changed; FILE_NOTIFY_CHANGE_* bits.
    pub(crate) fn modified(&self, open: &Open, file: &FileOpen, filter: u32) {
        if filter == 0 || !self.notifier.is_watched() && !self.files.has_directory_leases() {
            return;
        }
        let Some(name) = self.files.name_of(&file.file, open.id) else {
            return;
        };
        if self.notifier.is_watched() {
            self.notifier.expect(&name, OwnChange::Modified);
            self.notifier.modified(&name, filter);
        }
        self.directory_changed(&name, file.parent_lease());
    }

    /// What was written through this open is told now: FLUSH, CLOSE.
    pub(crate) fn tell_written(&self, open: &Open, file: &FileOpen) {
        if file.written.load(Ordering::Relaxed) != 0 {
            self.modified(open, file, file.written.swap(0, Ordering::Relaxed));
        }
    }

    /// A directory is going to be deleted.
    pub(crate) fn delete_pending(&self, directory: &FileName) {
        if self.notifier.is_watched() {
            self.notifier.delete_pending(directory);
        }
    }

    fn directory_changed(&self, name: &FileName, by: ParentLease) {
        if !self.files.has_directory_leases() {
            return;
        }
        if let Some(directory) = name.parent() {
            let mut effects = Effects::default();
            self.files
                .break_directory_leases(&directory, by, self.instant(), &mut effects);
            self.carry_out(effects);
        }
    }
}
