//! LastWriteTime as clients see it: what they write moves it late, and what they set stays.
//!
//! A WRITE does not move the time at once ([MS-FSA] 2.1.4.17 leaves it to the file system
//! when). It moves when the first one is [`DELAY`] old, and before that when anybody flushes
//! the file, sets its length or its basic information, or when who has written closes it.
//! After the delay has moved it once, further WRITEs wait for one of these. A time that a
//! client sets holds against all of that until the last close. All of it is the file's, not
//! the open's; only a frozen time ([MS-FSCC] 2.4.7) is an open's.
//!
//! The kernel moves its own time (mtime) with each write, so the two differ while a file that has
//! been written is open: programs on the server's machine see each write; clients, whether they ask
//! an open, open the file or list its directory, see what is said here. A CLOSE gives the store the
//! time that clients were told, so that all agree from then on. If the server is ended before, the
//! kernel's time remains: the last write. A change that another program makes to the file ends all
//! of this: its time is shown, and stays.
//!
//! No clock is read: the time is an argument.

use std::sync::{Mutex, MutexGuard, PoisonError};

use smb::FileTime;

use crate::share::{FileStat, StoreResult};

/// How long the first WRITE is withheld: two seconds, in steps of 100 ns.
const DELAY: u64 = 2 * FileTime::PER_SECOND;

/// A time of the store that is this much later than the last change by clients is of a
/// change by another program; less may be the way from a request to the kernel.
const FOREIGN: u64 = 2 * FileTime::PER_SECOND;

/// The write time of one file, whoever has it open.
#[derive(Default)]
pub(crate) struct WriteTime(Mutex<Option<Box<Withheld>>>);

/// Of a file that was written, or whose time was set, since it was opened first.
struct Withheld {
    shown: FileTime,
    /// When a client changed the file or the time last.
    changed: FileTime,
    /// Opens whose writes `shown` does not tell yet.
    writers: Vec<u32>,
    /// When `shown` moves by itself.
    due: Option<FileTime>,
    /// It has moved by itself, or has been moved, and waits for a reason now.
    has_moved: bool,
    /// A client has set it.
    is_set: bool,
    /// Opens whose writes do not count.
    frozen: Vec<u32>,
    /// The store says something else.
    differs: bool,
}

impl WriteTime {
    /// Puts into what the store says what clients see.
    pub(crate) fn show(&self, stat: &mut FileStat, now: FileTime) {
        let mut place = self.lock();
        if let Some(withheld) = &mut *place {
            withheld.settle(now);
            if withheld.is_foreign(stat) {
                *place = None;
            } else {
                stat.last_write_time = withheld.shown;
            }
        }
    }

    /// An open is about to write. `stored` asks the store for the time until now.
    ///
    /// # Errors
    ///
    /// Those of `stored`; nothing has changed then.
    pub(crate) fn writing(
        &self,
        open: u32,
        now: FileTime,
        stored: impl FnOnce() -> StoreResult<FileTime>,
    ) -> StoreResult<()> {
        let mut place = self.begin(stored)?;
        let Some(withheld) = place.as_mut() else {
            return Ok(());
        };
        withheld.settle(now);
        withheld.differs = true;
        withheld.changed = now;
        if withheld.is_set || withheld.frozen.contains(&open) {
            return Ok(());
        }
        if !withheld.writers.contains(&open) {
            withheld.writers.push(open);
        }
        if !withheld.has_moved && withheld.due.is_none() {
            withheld.due = Some(FileTime(now.0.saturating_add(DELAY)));
        }
        Ok(())
    }

    /// FLUSH, or a SET_INFO that sets other things: what has been written is shown.
    pub(crate) fn show_written(&self, now: FileTime) {
        if let Some(withheld) = &mut *self.lock() {
            withheld.settle(now);
            if !withheld.writers.is_empty() {
                withheld.move_to(now);
            }
        }
    }

    /// The length was set, or the file overwritten; the store has moved its time.
    pub(crate) fn resized(&self, now: FileTime) {
        if let Some(withheld) = &mut *self.lock() {
            withheld.differs = true;
            withheld.changed = now;
            if !withheld.is_set {
                withheld.move_to(now);
            }
        }
    }

    /// A client has set the time, which the store has taken.
    pub(crate) fn set(&self, time: FileTime, now: FileTime) {
        let mut place = self.lock();
        let withheld = place.get_or_insert_with(|| Box::new(Withheld::at(time)));
        withheld.move_to(time);
        withheld.changed = now;
        withheld.is_set = true;
        withheld.differs = false;
    }

    /// From now on writes of an open do not count: -1 as LastWriteTime.
    ///
    /// # Errors
    ///
    /// Those of `stored`.
    pub(crate) fn freeze(
        &self,
        open: u32,
        stored: impl FnOnce() -> StoreResult<FileTime>,
    ) -> StoreResult<()> {
        if let Some(withheld) = &mut *self.begin(stored)?
            && !withheld.frozen.contains(&open)
        {
            withheld.frozen.push(open);
        }
        Ok(())
    }

    /// They count again, and a time that was set holds no longer: -2.
    pub(crate) fn thaw(&self, open: u32) {
        if let Some(withheld) = &mut *self.lock() {
            withheld.frozen.retain(|frozen| *frozen != open);
            withheld.is_set = false;
        }
    }

    /// An open closes: what it has written is shown. True if the store has to be told
    /// [`WriteTime::to_store`].
    pub(crate) fn close(&self, open: u32, now: FileTime) -> bool {
        let mut place = self.lock();
        let Some(withheld) = place.as_mut() else {
            return false;
        };
        withheld.settle(now);
        if withheld.writers.contains(&open) {
            withheld.move_to(now);
            withheld.has_moved = false;
        }
        withheld.frozen.retain(|frozen| *frozen != open);
        withheld.differs && withheld.writers.is_empty()
    }

    /// What the store should say instead of `stat`; [`WriteTime::stored`] follows.
    pub(crate) fn to_store(&self, stat: &FileStat) -> Option<FileTime> {
        let mut place = self.lock();
        let withheld = place.as_mut()?;
        if withheld.is_foreign(stat) {
            *place = None;
            return None;
        }
        Some(withheld.shown).filter(|shown| *shown != stat.last_write_time)
    }

    /// The store says `time` now.
    pub(crate) fn stored(&self, time: FileTime) {
        if let Some(withheld) = &mut *self.lock()
            && withheld.shown == time
            && withheld.writers.is_empty()
        {
            withheld.differs = false;
        }
    }

    /// Its place, which is not empty.
    ///
    /// The store is asked with no lock held: it may take its time, and others look here on
    /// threads that must not wait. If two ask at once, neither has
    /// written before the first has put its answer here.
    fn begin(
        &self,
        stored: impl FnOnce() -> StoreResult<FileTime>,
    ) -> StoreResult<MutexGuard<'_, Option<Box<Withheld>>>> {
        let place = self.lock();
        if place.is_some() {
            return Ok(place);
        }
        drop(place);
        let time = stored()?;
        let mut place = self.lock();
        place.get_or_insert_with(|| Box::new(Withheld::at(time)));
        Ok(place)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Withheld>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Withheld {
    fn at(shown: FileTime) -> Self {
        Self {
            shown,
            changed: FileTime::default(),
            writers: Vec::new(),
            due: None,
            has_moved: false,
            is_set: false,
            frozen: Vec::new(),
            differs: false,
        }
    }

    /// Lets what is due have happened.
    fn settle(&mut self, now: FileTime) {
        if let Some(due) = self.due.filter(|due| *due <= now) {
            self.move_to(due);
        }
    }

    /// Has another program changed the file since?
    fn is_foreign(&self, stat: &FileStat) -> bool {
        let own_until = self.changed.max(self.shown).0.saturating_add(FOREIGN);
        stat.last_write_time.0 > own_until
    }

    fn move_to(&mut self, time: FileTime) {
        self.shown = time;
        self.writers.clear();
        self.due = None;
        self.has_moved = true;
    }
}

#[cfg(test)]
mod tests {
    use smb::NtStatus;

    use super::*;
    use crate::share::{FileKey, FileKind, StoreError};

    const SECOND: u64 = FileTime::PER_SECOND;
    const FIRST: u32 = 1;
    const SECOND_OPEN: u32 = 2;

    fn at(seconds: u64) -> FileTime {
        FileTime(1_000 * SECOND + seconds * SECOND)
    }

    fn stat(last_write_time: u64) -> FileStat {
        FileStat {
            kind: FileKind::File,
            key: FileKey {
                device: 0,
                inode: 0,
            },
            creation_time: at(0),
            last_access_time: at(0),
            last_write_time: at(last_write_time),
            change_time: at(0),
            allocation_size: 0,
            end_of_file: 0,
            links: 1,
            attributes: 0x20,
            ea_size: 0,
            has_security: false,
        }
    }

    fn shown(time: &WriteTime, now: u64) -> FileTime {
        let place = &mut *time.lock();
        let withheld = place.as_mut().unwrap();
        withheld.settle(at(now));
        withheld.shown
    }

    fn write(time: &WriteTime, open: u32, now: u64) {
        time.writing(open, at(now), || Ok(at(0))).unwrap();
    }

    #[test]
    fn the_first_write_is_shown_after_two_seconds_and_the_second_at_the_close() {
        let time = WriteTime::default();
        write(&time, FIRST, 10);
        assert_eq!(shown(&time, 11), at(0));
        write(&time, FIRST, 11);
        assert_eq!(shown(&time, 13), at(12), "two seconds after the first");
        write(&time, FIRST, 14);
        assert_eq!(shown(&time, 20), at(12));
        assert!(time.close(FIRST, at(21)));
        assert_eq!(time.to_store(&stat(14)), Some(at(21)));
        assert_eq!(shown(&time, 22), at(21));
        time.stored(at(21));
        assert!(!time.close(SECOND_OPEN, at(23)));
    }

    #[test]
    fn a_close_moves_nothing_that_was_shown() {
        let time = WriteTime::default();
        write(&time, FIRST, 10);
        time.show_written(at(11));
        assert_eq!(shown(&time, 11), at(11));
        time.show_written(at(12));
        assert!(time.close(FIRST, at(15)));
        assert_eq!(time.to_store(&stat(10)), Some(at(11)));
    }

    #[test]
    fn who_has_not_written_shows_nothing_by_closing() {
        let time = WriteTime::default();
        write(&time, FIRST, 10);
        assert!(!time.close(SECOND_OPEN, at(11)), "the writer closes later");
        assert_eq!(shown(&time, 11), at(0));
        assert!(time.close(FIRST, at(11)));
        assert_eq!(time.to_store(&stat(10)), Some(at(11)));
    }

    #[test]
    fn a_length_that_is_set_shows_now() {
        let time = WriteTime::default();
        write(&time, FIRST, 10);
        time.resized(at(11));
        assert_eq!(shown(&time, 11), at(11));
        time.resized(at(12));
        assert_eq!(shown(&time, 20), at(12));
    }

    #[test]
    fn a_time_that_was_set_holds() {
        let time = WriteTime::default();
        write(&time, FIRST, 10);
        time.set(at(500), at(10));
        write(&time, FIRST, 11);
        time.resized(at(12));
        time.show_written(at(13));
        assert_eq!(shown(&time, 20), at(500));
        assert!(time.close(FIRST, at(21)), "the store has moved on");
        assert_eq!(time.to_store(&stat(12)), Some(at(500)));
        time.stored(at(500));
        assert!(!time.close(SECOND_OPEN, at(22)));
    }

    #[test]
    fn a_time_that_was_set_and_nothing_written_is_the_stores() {
        let time = WriteTime::default();
        time.set(at(500), at(10));
        assert!(!time.close(FIRST, at(21)));
    }

    #[test]
    fn writes_of_a_frozen_open_do_not_count_until_it_is_thawed() {
        let time = WriteTime::default();
        time.freeze(FIRST, || Ok(at(0))).unwrap();
        write(&time, FIRST, 10);
        assert_eq!(shown(&time, 15), at(0));
        write(&time, SECOND_OPEN, 16);
        assert_eq!(shown(&time, 19), at(18), "others do");
        time.thaw(FIRST);
        write(&time, FIRST, 20);
        time.show_written(at(21));
        assert_eq!(shown(&time, 21), at(21));
    }

    #[test]
    fn a_change_by_another_program_is_shown_and_stays() {
        let time = WriteTime::default();
        write(&time, FIRST, 10);
        time.show_written(at(11));
        let mut now = stat(40);
        time.show(&mut now, at(50));
        assert_eq!(now.last_write_time, at(40));
        write(&time, FIRST, 60);
        assert!(time.close(FIRST, at(61)));
        assert_eq!(time.to_store(&stat(70)), None);
    }

    #[test]
    fn a_store_that_fails_leaves_nothing() {
        let time = WriteTime::default();
        let failed = time.writing(FIRST, at(0), || Err(NtStatus::ACCESS_DENIED.into()));
        assert_eq!(failed, Err(StoreError::Status(NtStatus::ACCESS_DENIED)));
        assert!(time.lock().is_none());
    }
}
