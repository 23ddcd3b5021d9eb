//! How files that are marked for deletion go: by the names by which they were marked
//! ([MS-FSA] 2.1.5.5), whoever has them open last. A file of two names keeps the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Core;
use crate::file::{FileIdentity, FileName, Unlink};
use crate::open::{Open, OpenKind};
use crate::share::local::inotify::OwnChange;
use crate::share::{StoreError, Waiting, caught};

/// Opens that have marked their files for deletion, until these are gone; also such as have
/// been closed, whose charges they keep. Once a file is marked nobody opens it, so that there
/// are no more than the file had opens.
#[derive(Default)]
pub(crate) struct Marks(Mutex<HashMap<FileIdentity, Vec<Mark>>>);

/// An open, and the name by which it has the file open.
type Mark = (Arc<Open>, Option<FileName>);

impl Marks {
    fn lock(&self) -> MutexGuard<'_, HashMap<FileIdentity, Vec<Mark>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// The file of this open is to be deleted, by the name of this open.
    pub(crate) fn mark(&self, open: &Arc<Open>) {
        let Ok(file) = open.file() else {
            return;
        };
        // A stream has one name.
        if file.handle.stream_name().is_some() {
            return;
        }
        let name = self.files.name_of(&file.file, open.id);
        let mut marks = self.marks.lock();
        let marks = marks.entry(file.file.identity().clone()).or_default();
        if !marks.iter().any(|(_, marked)| *marked == name) {
            marks.push((open.clone(), name));
        }
    }

    /// The file of this open is not to be deleted after all.
    pub(crate) fn unmark(&self, open: &Open) {
        if let Ok(file) = open.file() {
            let marks = self.marks.lock().remove(file.file.identity());
            // An open that ends with it returns its charges.
            drop(marks);
        }
    }

    /// The last open of a file that is to be deleted has been closed; `name` is its own.
    pub(super) fn unlink(
        self: &Arc<Self>,
        open: Arc<Open>,
        name: Option<FileName>,
        unlink: Unlink,
        waiting: Waiting,
    ) {
        let marks = match &unlink {
            Unlink::File(gone) => self.marks.lock().remove(gone.identity()),
            Unlink::Stream(_) => None,
        };
        let marks = marks.unwrap_or_else(|| vec![(open.clone(), name)]);
        self.unlink_names(open, marks, unlink, waiting);
    }

    fn unlink_names(
        self: &Arc<Self>,
        open: Arc<Open>,
        mut marks: Vec<Mark>,
        unlink: Unlink,
        waiting: Waiting,
    ) {
        while let Some((marked, name)) = marks.pop() {
            let result = match (&marked.kind, &unlink) {
                (OpenKind::Pipe(_), _) => Ok(()),
                (OpenKind::File(file), Unlink::Stream(_)) => caught(|| file.handle.unlink(waiting)),
                (OpenKind::File(file), Unlink::File(_)) => {
                    if let Some(name) = &name {
                        self.expect(name, OwnChange::Removed);
                    }
                    let result = caught(|| file.handle.unlink_file(waiting));
                    match (&name, &result) {
                        (Some(name), Err(_)) => self.unexpect(name, OwnChange::Removed),
                        (Some(name), Ok(())) => {
                            self.removed(name, file.is_directory, file.parent_lease());
                        }
                        (None, _) => {}
                    }
                    result
                }
            };
            match result {
                Ok(()) => {}
                Err(StoreError::WouldWait) => {
                    marks.push((marked, name));
                    let core = self.clone();
                    self.spawn_blocking(move || {
                        core.unlink_names(open, marks, unlink, Waiting::Allowed);
                    });
                    return;
                }
                Err(StoreError::Status(status)) => {
                    tracing::debug!(%status, "delete on close failed");
                }
            }
        }
        // Behind a stream its file may have to go.
        let (Unlink::File(gone) | Unlink::Stream(gone)) = &unlink;
        if let Some(next) = self.files.removed(gone) {
            self.unlink(open, None, next, waiting);
        }
    }
}
