//! What can change in a directory, and what is told of it.

use smb::wire::completion_filter::{
    FILE_NOTIFY_CHANGE_ATTRIBUTES, FILE_NOTIFY_CHANGE_CREATION, FILE_NOTIFY_CHANGE_DIR_NAME,
    FILE_NOTIFY_CHANGE_EA, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_NOTIFY_CHANGE_LAST_ACCESS,
    FILE_NOTIFY_CHANGE_LAST_WRITE, FILE_NOTIFY_CHANGE_SECURITY, FILE_NOTIFY_CHANGE_SIZE,
};
use smb::wire::notify_action::{
    FILE_ACTION_ADDED, FILE_ACTION_MODIFIED, FILE_ACTION_REMOVED, FILE_ACTION_RENAMED_NEW_NAME,
    FILE_ACTION_RENAMED_OLD_NAME,
};

use crate::file::name::FileName;

/// A change of one entry of a directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    /// The entry.
    pub(crate) name: &'a FileName,
    /// FILE_ACTION_*.
    pub(crate) action: u32,
    /// FILE_NOTIFY_CHANGE_* bits that it touches.
    pub(crate) filter: u32,
}

impl<'a> Change<'a> {
    /// A new file, link or directory.
    pub(crate) fn added(name: &'a FileName, is_directory: bool) -> Self {
        Self {
            name,
            action: FILE_ACTION_ADDED,
            filter: name_filter(is_directory),
        }
    }

    /// A file or directory that has gone.
    pub(crate) fn removed(name: &'a FileName, is_directory: bool) -> Self {
        Self {
            action: FILE_ACTION_REMOVED,
            ..Self::added(name, is_directory)
        }
    }

    /// A file or directory with other data or attributes.
    pub(crate) fn modified(name: &'a FileName, filter: u32) -> Self {
        Self {
            name,
            action: FILE_ACTION_MODIFIED,
            filter,
        }
    }
}

/// FILE_NOTIFY_CHANGE_DIR_NAME or _FILE_NAME.
fn name_filter(is_directory: bool) -> u32 {
    if is_directory {
        FILE_NOTIFY_CHANGE_DIR_NAME
    } else {
        FILE_NOTIFY_CHANGE_FILE_NAME
    }
}

/// A file or directory that has got another name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rename<'a> {
    /// As it was.
    pub(crate) old: &'a FileName,
    /// As it is.
    pub(crate) new: &'a FileName,
    /// A directory: what is watched below it is known by the new name from now on.
    pub(crate) is_directory: bool,
    /// The name, in its old spelling, of the file that `new` has replaced.
    pub(crate) replaced: Option<&'a FileName>,
}

impl<'a> Rename<'a> {
    /// What is told of it, in order ([MS-FSA] 2.1.5.15.11).
    pub(super) fn changes(&self) -> [Option<Change<'a>>; 3] {
        let (old, new) = (self.old, self.new);
        let filter = name_filter(self.is_directory);
        let named = |name, action| {
            Some(Change {
                name,
                action,
                filter,
            })
        };
        if self.replaced == Some(new) {
            // One name is gone; the other stands for another file now.
            let replaced = Change::modified(new, REPLACED);
            return [named(old, FILE_ACTION_REMOVED), Some(replaced), None];
        }
        let (gone, came) = if old.is_beside(new) {
            (FILE_ACTION_RENAMED_OLD_NAME, FILE_ACTION_RENAMED_NEW_NAME)
        } else {
            (FILE_ACTION_REMOVED, FILE_ACTION_ADDED)
        };
        let replaced = self.replaced.map(|name| Change::removed(name, false));
        [replaced, named(old, gone), named(new, came)]
    }
}

/// What another file under the same name touches.
const REPLACED: u32 = FILE_NOTIFY_CHANGE_ATTRIBUTES
    | FILE_NOTIFY_CHANGE_SIZE
    | FILE_NOTIFY_CHANGE_LAST_WRITE
    | FILE_NOTIFY_CHANGE_LAST_ACCESS
    | FILE_NOTIFY_CHANGE_CREATION
    | FILE_NOTIFY_CHANGE_SECURITY
    | FILE_NOTIFY_CHANGE_EA;
