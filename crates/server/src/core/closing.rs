//! How sessions, tree connects and opens end, whoever ends them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smb::NtStatus;

use super::Core;
use crate::application::{CloseReason, EventKind, Interest, Reason, SessionGlobalId};
use crate::file::Effects;
use crate::open::{FileOpen, Open, OpenKind};
use crate::outcome::Outcome;
use crate::session::Session;
use crate::share::{StoreError, Waiting, caught};
use crate::tree_connect::TreeConnect;

impl Core {
    /// [MS-SMB2] 3.3.4.12; false if there is none.
    pub(crate) fn close_session(self: &Arc<Self>, id: SessionGlobalId, reason: Reason) -> bool {
        let Some(session) = self.sessions.remove(id) else {
            return false;
        };
        session.set_closed();
        let (opens, trees) = {
            let mut tables = session.tables();
            tables.closed = true;
            (
                std::mem::take(&mut tables.opens),
                std::mem::take(&mut tables.tree_connects),
            )
        };
        for open in opens.values() {
            self.close_open(open, CloseReason::SessionEnd, Waiting::Refused);
        }
        for tree in trees.iter() {
            self.tree_disconnected(&session, tree);
        }
        drop(trees);
        if let Some(outbox) = self.outbox(session.owner.connection) {
            outbox.wake();
        }
        self.tell(reason.interest(), || {
            EventKind::SessionEnded(session.row(self.config.clock.now()), reason)
        });
        true
    }

    /// [MS-SMB2] 3.3.5.8.
    pub(crate) fn disconnect_tree(self: &Arc<Self>, session: &Session, tree: &TreeConnect) {
        let opens: Vec<_> = {
            let mut tables = session.tables();
            if tables.tree_connects.remove(tree.id).is_none() {
                // Its session has been closed meanwhile, or somebody else was first.
                return;
            }
            tables
                .opens
                .extract_if(.., |_, open| open.tree_connect.id == tree.id)
                .collect()
        };
        for (_, open) in opens {
            self.close_open(&open, CloseReason::TreeDisconnect, Waiting::Refused);
        }
        self.tree_disconnected(session, tree);
    }

    fn tree_disconnected(&self, session: &Session, tree: &TreeConnect) {
        self.tell(Interest::TREE_CONNECTS, || {
            EventKind::TreeDisconnected(session.tree_connect_row(tree, self.config.clock.now()))
        });
    }

    /// [MS-SMB2] 3.3.4.17. The caller has taken it out of Session.OpenTable. With
    /// [`Waiting::Refused`], what has to wait for the store is done after the call.
    pub(crate) fn close_open(
        self: &Arc<Self>,
        open: &Arc<Open>,
        reason: CloseReason,
        waiting: Waiting,
    ) -> bool {
        if !open.begin_close() {
            return false;
        }
        let interest = reason.interest();
        self.tell(interest, || {
            EventKind::Closed(open.row(&self.files), reason)
        });
        self.opens.remove(open.id);
        open.tree_connect.num_opens.fetch_sub(1, Ordering::Relaxed);
        open.owner.num_opens.fetch_sub(1, Ordering::Relaxed);
        match &open.kind {
            OpenKind::File(file) => self.close_file(open, file, waiting),
            OpenKind::Pipe(pipe) => {
                let (instance, readers) = pipe.close();
                for ticket in readers {
                    self.resume(ticket, Outcome::Ended(NtStatus::CANCELLED));
                }
                for ending in instance
                    .map(|mut pipe| pipe.take_close_after_reply())
                    .unwrap_or_default()
                {
                    self.close_session(ending.session, ending.reason);
                }
            }
        }
        true
    }

    fn close_file(self: &Arc<Self>, open: &Arc<Open>, file: &FileOpen, waiting: Waiting) {
        self.tell_written(open, file);
        let now = self.config.clock.now();
        let kept = caught(|| self.keep_write_time(open, file, now, waiting));
        if let Err(StoreError::WouldWait) = kept {
            let (core, open) = (self.clone(), open.clone());
            self.spawn_blocking(move || {
                if let OpenKind::File(file) = &open.kind {
                    let _ = core.keep_write_time(&open, file, now, Waiting::Allowed);
                }
            });
        }
        let (mut granted, mut ended) = (Vec::new(), Vec::new());
        file.file.close_locks(open.id, &mut granted, &mut ended);
        self.locks_granted(&granted);
        for ticket in ended {
            self.resume(ticket, Outcome::Ended(NtStatus::RANGE_NOT_LOCKED));
        }
        // Its name is known for as long as it is open.
        let name = self.files.name_of(&file.file, open.id);
        if file.is_directory {
            if let Some(name) = &name
                && file.file.delete_on_close(open.id)
            {
                self.delete_pending(name);
            }
            self.notifier.close(open.id);
        }
        if file.file.delete_on_close(open.id) {
            self.mark(open);
        }
        let mut effects = Effects::default();
        let closed = self
            .files
            .close(&file.file, open.id, self.instant(), &mut effects);
        self.carry_out(effects);
        if let Some(unlink) = closed.unlink {
            self.unlink(open.clone(), name, unlink, waiting);
        }
    }
}
