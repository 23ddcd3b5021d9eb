//! Change notification as the server's handlers use it: the table of watchers, and the kernel's
//! news of what other programs do.
//!
//! A handler that changes a watched directory says so twice: [`Notifier::expect`] before, so
//! that the kernel's event of it is not told as well, and what it did afterwards.
//!
//! ```text
//! if notifier.is_watched() {
//!     notifier.expect(&name, OwnChange::Created);
//! }
//! …create…
//! notifier.added(&name, is_directory);          // or unexpect(), if it failed
//! ```

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock, Weak};

use smb::wire::completion_filter::{
    FILE_NOTIFY_CHANGE_ATTRIBUTES, FILE_NOTIFY_CHANGE_EA, FILE_NOTIFY_CHANGE_LAST_ACCESS,
    FILE_NOTIFY_CHANGE_LAST_WRITE, FILE_NOTIFY_CHANGE_SECURITY, FILE_NOTIFY_CHANGE_SIZE,
};

use super::{Change, Ready, Rename, WatchRequest, WatchTable, Watched};
use crate::file::Ticket;
use crate::file::name::FileName;
use crate::share::local::inotify::{LocalChange, OwnChange, Watcher};

/// What another program's writing touches. The kernel does not tell whether the length has
/// changed; attributes, because Windows sets ARCHIVE.
const WRITTEN: u32 =
    FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE | FILE_NOTIFY_CHANGE_ATTRIBUTES;

/// What the kernel tells by one event: mode, owner, times, extended attributes.
const ATTRIBUTES: u32 = FILE_NOTIFY_CHANGE_ATTRIBUTES
    | FILE_NOTIFY_CHANGE_LAST_WRITE
    | FILE_NOTIFY_CHANGE_LAST_ACCESS
    | FILE_NOTIFY_CHANGE_EA
    | FILE_NOTIFY_CHANGE_SECURITY;

/// Change notification of one server.
pub(crate) struct Notifier {
    shared: Arc<Shared>,
    /// Started when the first directory of this machine is watched; none if that failed.
    local: OnceLock<Option<Watcher>>,
}

struct Shared {
    table: WatchTable,
    /// Takes the requests that became ready, from any thread.
    post: Box<dyn Fn(Ready) + Send + Sync>,
}

impl Notifier {
    /// `post` gets every request that became ready, except those that [`Notifier::watch`]
    /// answers itself. It is called from the thread that made the change; no lock is held.
    pub(crate) fn new(post: impl Fn(Ready) + Send + Sync + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                table: WatchTable::default(),
                post: Box::new(post),
            }),
            local: OnceLock::new(),
        }
    }

    /// Does anybody watch anything? If not, changes need not be told, nor their names made.
    pub(crate) fn is_watched(&self) -> bool {
        self.shared.table.is_watched()
    }

    /// A CHANGE_NOTIFY request of `open`, which has `directory` open, with its
    /// [`watch_path`](crate::share::FileHandle::watch_path).
    pub(crate) fn watch(
        &self,
        open: u32,
        directory: &FileName,
        watch_path: Option<&str>,
        request: WatchRequest,
    ) -> Watched {
        let is_first = !self.shared.table.watches(open);
        let watched = self.shared.table.watch(open, directory, request);
        if let Some(path) = watch_path.filter(|_| is_first)
            && let Some(local) = self.start_local()
        {
            local.watch(open, directory.as_prefix(), path, request.tree);
        }
        watched
    }

    /// An open was closed: its requests end with NOTIFY_CLEANUP.
    pub(crate) fn close(&self, open: u32) {
        if let Some(local) = self.local() {
            local.unwatch(open);
        }
        self.tell(|table, ready| table.close(open, ready));
    }

    /// A request was cancelled; false if it does not wait any more.
    pub(crate) fn cancel(&self, ticket: Ticket) -> bool {
        self.shared.table.cancel(ticket)
    }

    /// The server is about to make this change.
    pub(crate) fn expect(&self, name: &FileName, change: OwnChange) {
        if let Some(local) = self.local() {
            local.expect(name.as_prefix(), change);
        }
    }

    /// The server is about to make this rename.
    pub(crate) fn expect_rename(&self, rename: &Rename<'_>) {
        self.expect(rename.old, OwnChange::RenamedFrom);
        self.expect(rename.new, OwnChange::RenamedTo);
        // The store takes the replaced file's spelling first, then the one asked for.
        if let Some(replaced) = rename.replaced.filter(|name| *name != rename.new) {
            self.expect(replaced, OwnChange::RenamedTo);
            self.expect(replaced, OwnChange::RenamedFrom);
        }
    }

    /// The change that was expected was not made.
    pub(crate) fn unexpect(&self, name: &FileName, change: OwnChange) {
        if let Some(local) = self.local() {
            local.unexpect(name.as_prefix(), change);
        }
    }

    /// A new file, link or directory.
    pub(crate) fn added(&self, name: &FileName, is_directory: bool) {
        self.changed(Change::added(name, is_directory));
    }

    /// A file or directory was deleted.
    pub(crate) fn removed(&self, name: &FileName, is_directory: bool) {
        self.tell(|table, ready| removed(table, name, is_directory, ready));
    }

    /// A file or directory with other data or attributes; FILE_NOTIFY_CHANGE_* bits.
    pub(crate) fn modified(&self, name: &FileName, filter: u32) {
        self.changed(Change::modified(name, filter));
    }

    /// Any change.
    pub(crate) fn changed(&self, change: Change<'_>) {
        self.tell(|table, ready| table.changed(change, ready));
    }

    /// A file or directory has got another name.
    pub(crate) fn renamed(&self, rename: &Rename<'_>) {
        if let Some(local) = self.local().filter(|_| rename.is_directory) {
            local.renamed(rename.old.as_prefix(), rename.new.as_prefix());
        }
        self.tell(|table, ready| table.renamed(rename, ready));
    }

    /// A directory will be deleted when its last open is closed: somebody has set its
    /// disposition, or closed it with delete-on-close.
    pub(crate) fn delete_pending(&self, directory: &FileName) {
        self.tell(|table, ready| table.delete_pending(directory, ready));
    }

    fn tell(&self, change: impl FnOnce(&WatchTable, &mut Ready)) {
        self.shared.tell(change);
    }

    fn local(&self) -> Option<&Watcher> {
        self.local.get()?.as_ref()
    }

    fn start_local(&self) -> Option<&Watcher> {
        let start = || {
            // The thread must not keep alive what it tells.
            let shared: Weak<Shared> = Arc::downgrade(&self.shared);
            let started = Watcher::start(move |changes| {
                if let Some(shared) = shared.upgrade() {
                    shared.tell(|table, ready| tell_local(table, &changes, ready));
                }
            });
            started
                .inspect_err(|error| {
                    tracing::warn!(%error, "no inotify: clients that watch are not told of what \
                        other programs change");
                })
                .ok()
        };
        self.local.get_or_init(start).as_ref()
    }
}

impl Shared {
    fn tell(&self, change: impl FnOnce(&WatchTable, &mut Ready)) {
        if self.table.is_watched() {
            let mut ready = Ready::new();
            change(&self.table, &mut ready);
            if !ready.is_empty() {
                (self.post)(ready);
            }
        }
    }
}

fn removed(table: &WatchTable, name: &FileName, is_directory: bool, ready: &mut Ready) {
    table.changed(Change::removed(name, is_directory), ready);
    if is_directory {
        table.directory_removed(name, ready);
    }
}

/// Tells what other programs have done.
fn tell_local(table: &WatchTable, changes: &[LocalChange], ready: &mut Ready) {
    let absolute = |name: &String| FileName::local(name);
    for change in changes {
        match change {
            LocalChange::Added { name, is_directory } => {
                table.changed(Change::added(&absolute(name), *is_directory), ready);
            }
            LocalChange::Deleted { name, is_directory } => {
                removed(table, &absolute(name), *is_directory, ready);
            }
            // Who watches within it watches on.
            LocalChange::MovedAway { name, is_directory } => {
                table.changed(Change::removed(&absolute(name), *is_directory), ready);
            }
            LocalChange::Renamed {
                old,
                new,
                is_directory,
            } => {
                let rename = Rename {
                    old: &absolute(old),
                    new: &absolute(new),
                    is_directory: *is_directory,
                    replaced: None,
                };
                table.renamed(&rename, ready);
            }
            LocalChange::Written { name } => {
                table.changed(Change::modified(&absolute(name), WRITTEN), ready);
            }
            LocalChange::Attributes { name } => {
                table.changed(Change::modified(&absolute(name), ATTRIBUTES), ready);
            }
            LocalChange::Lost => table.overflow(ready),
        }
    }
}
