//! The byte-range locks of an open file ([MS-SMB2] 3.3.5.14, [MS-FSA] 2.1.5.8 to 2.1.5.10).

use std::sync::{MutexGuard, PoisonError};

use smb::NtStatus;
use smb::wire::lock::LockElement;

use super::lock::{Access, LockList, Locked};
use super::{File, Ticket};

impl File {
    /// Locks all ranges or none. With a ticket, a range that comes alone and is taken waits.
    ///
    /// # Errors
    ///
    /// Those of [`LockList::lock`].
    pub(crate) fn lock(
        &self,
        open: u32,
        ranges: &[LockElement],
        ticket: Ticket,
    ) -> Result<Locked, NtStatus> {
        let mut locks = self.locks();
        let result = locks
            .get_or_insert_default()
            .lock(open, ranges, Some(ticket));
        self.publish_locks(&mut locks);
        result
    }

    /// Unlocks; `granted` gets those who waited and have their lock now.
    ///
    /// # Errors
    ///
    /// Those of [`LockList::unlock`].
    pub(crate) fn unlock(
        &self,
        open: u32,
        ranges: &[LockElement],
        granted: &mut Vec<Ticket>,
    ) -> Result<(), NtStatus> {
        let mut locks = self.locks();
        let result = locks.get_or_insert_default().unlock(open, ranges, granted);
        self.publish_locks(&mut locks);
        result
    }

    /// Ends the locks of an open, and its waits.
    pub(crate) fn close_locks(
        &self,
        open: u32,
        granted: &mut Vec<Ticket>,
        ended: &mut Vec<Ticket>,
    ) {
        if !self.has_locks() {
            return;
        }
        let mut locks = self.locks();
        if let Some(list) = &mut *locks {
            list.close(open, granted, ended);
        }
        self.publish_locks(&mut locks);
    }

    /// Ends a wait for a lock; false if it has ended already.
    pub(crate) fn cancel_lock(&self, ticket: Ticket) -> bool {
        let mut locks = self.locks();
        let cancelled = locks.as_mut().is_some_and(|list| list.cancel(ticket));
        self.publish_locks(&mut locks);
        cancelled
    }

    /// May this open read or write these bytes? Takes no lock while nobody has locked any.
    ///
    /// # Errors
    ///
    /// FILE_LOCK_CONFLICT.
    pub(crate) fn check_range(
        &self,
        open: u32,
        offset: u64,
        length: u64,
        access: Access,
    ) -> Result<(), NtStatus> {
        if !self.has_locks() {
            return Ok(());
        }
        match &*self.locks() {
            Some(list) => list.check(open, offset, length, access),
            None => Ok(()),
        }
    }

    /// Open.LockCount.
    pub(crate) fn lock_count(&self, open: u32) -> u32 {
        if !self.has_locks() {
            return 0;
        }
        self.locks().as_ref().map_or(0, |list| list.count_of(open))
    }

    fn locks(&self) -> MutexGuard<'_, Option<Box<LockList>>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_locks(&self, locks: &mut Option<Box<LockList>>) {
        if locks.as_ref().is_some_and(|list| list.is_empty()) {
            *locks = None;
        }
        self.set_has_locks(locks.is_some());
    }
}
