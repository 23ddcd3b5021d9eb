//! Enumerations over a store that is no file system.

use smb::FileTime;
use smb::wire::file_information_class as class;
use smb::wire::query_directory_flags::{
    SMB2_INDEX_SPECIFIED, SMB2_REOPEN, SMB2_RESTART_SCANS, SMB2_RETURN_SINGLE_ENTRY,
};

use super::*;
use crate::share::{FileKey, FileKind, FileStat, Names, SharePath, Times};

/// Has the names "a0" to "a9", "b0" to "b9" and so on, three to a page.
struct Store {
    /// From this number on, entries have to be waited for.
    in_memory: usize,
}

const LETTERS: &str = "abcd";
const COUNT: usize = 40;

fn name_of(number: usize) -> String {
    let letter = LETTERS.as_bytes()[number / 10] as char;
    format!("{letter}{}", number % 10)
}

impl FileHandle for Store {
    fn stat(&self, _: Waiting) -> StoreResult<FileStat> {
        Ok(FileStat {
            kind: FileKind::File,
            key: FileKey {
                device: 1,
                inode: 7,
            },
            creation_time: FileTime(1),
            last_access_time: FileTime(2),
            last_write_time: FileTime(3),
            change_time: FileTime(4),
            allocation_size: 0,
            end_of_file: 0,
            links: 1,
            attributes: 0x20,
            ea_size: 0,
        })
    }

    fn list(&self, cursor: &mut Cursor, names: &mut Names, waiting: Waiting) -> StoreResult<()> {
        let start = match *cursor {
            Cursor::Start => 0,
            Cursor::At(place) => place as usize,
            Cursor::End => return Ok(()),
        };
        if waiting == Waiting::Refused && start >= self.in_memory {
            return Err(StoreError::WouldWait);
        }
        if start == 0 {
            names.push(".");
            names.push("..");
        }
        let end = COUNT.min(start + 3);
        (start..end).for_each(|number| names.push(&name_of(number)));
        *cursor = match end {
            COUNT => Cursor::End,
            end => Cursor::At(end as u64),
        };
        Ok(())
    }

    fn entry(&self, name: &str, waiting: Waiting) -> StoreResult<Option<share::DirectoryEntry>> {
        let number = (0..COUNT).position(|number| name_of(number) == name);
        if waiting == Waiting::Refused && number.is_some_and(|number| number >= self.in_memory) {
            return Err(StoreError::WouldWait);
        }
        // One that has vanished meanwhile.
        Ok((name != "b5").then_some(share::DirectoryEntry {
            name: name.to_owned(),
            stat: self.stat(waiting)?,
        }))
    }

    fn read(&self, _: &mut [u8], _: u64, _: Waiting) -> StoreResult<usize> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn write(&self, _: &[u8], _: u64, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn flush(&self, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn set_end_of_file(&self, _: u64, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn set_allocation(&self, _: u64, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn set_times(&self, _: &Times, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn set_attributes(&self, _: u32, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn rename(&self, _: &SharePath, _: bool, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn link(&self, _: &SharePath, _: bool, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn unlink(&self, _: Waiting) -> StoreResult<()> {
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    fn is_empty_directory(&self, _: Waiting) -> StoreResult<bool> {
        Ok(false)
    }
}

struct Open {
    handle: Store,
    enumeration: Mutex<Option<Box<Enumeration>>>,
}

impl Open {
    fn new() -> Self {
        Self {
            handle: Store { in_memory: COUNT },
            enumeration: Mutex::default(),
        }
    }

    /// The names that one request brings.
    fn query(
        &self,
        name: &str,
        flags: u8,
        limit: u32,
        waiting: Waiting,
    ) -> Result<Vec<String>, StoreError> {
        let name = utf16(name);
        let query = QueryDirectoryRequest {
            file_information_class: class::FILE_NAMES_INFORMATION,
            flags,
            file_index: 5,
            file_id: smb::wire::FileId::default(),
            file_name: Utf16::new(&name).unwrap(),
            output_buffer_length: limit,
        };
        let bytes = entries(&self.handle, &self.enumeration, &query, &|_| {}, waiting)?;
        assert!(bytes.len() <= limit as usize);
        let read = smb::wire::info::directory::read_list(Form::Names, &bytes);
        Ok(read
            .map(|entry| entry.unwrap().file_name.to_string().unwrap())
            .collect())
    }

    fn next(&self, name: &str, flags: u8) -> Result<Vec<String>, StoreError> {
        self.query(name, flags, 4096, Waiting::Allowed)
    }

    /// All names from here on, so many bytes at a time.
    fn rest(&self, name: &str, limit: u32, waiting: Waiting) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            match self.query(name, 0, limit, waiting) {
                Ok(names) => all.extend(names),
                Err(StoreError::WouldWait) => {
                    all.extend(self.query(name, 0, limit, Waiting::Allowed).unwrap());
                }
                Err(error) => {
                    assert_eq!(error, NtStatus::NO_MORE_FILES.into());
                    return all;
                }
            }
        }
    }
}

fn everything() -> Vec<String> {
    let mut names = vec![".".to_owned(), "..".to_owned()];
    names.extend((0..COUNT).map(name_of).filter(|name| name != "b5"));
    names
}

#[test]
fn entries_come_once_however_large_the_answers_are() {
    for limit in [16, 17, 40, 100, 4096] {
        let names = Open::new().rest("*", limit, Waiting::Allowed);
        assert_eq!(names, everything(), "{limit}");
    }
}

#[test]
fn nothing_is_lost_when_the_store_would_wait() {
    for in_memory in [0, 1, 4, 17, 39] {
        for limit in [16, 100, 4096] {
            let open = Open {
                handle: Store { in_memory },
                ..Open::new()
            };
            let names = open.rest("*", limit, Waiting::Refused);
            assert_eq!(names, everything(), "{in_memory} {limit}");
        }
    }
    // Who may not wait for the store does not wait for another request either.
    let open = Open::new();
    let held = open.enumeration.lock().unwrap();
    let refused = open.query("*", 0, 4096, Waiting::Refused);
    assert_eq!(refused, Err(StoreError::WouldWait));
    drop(held);
    assert!(open.query("*", 0, 4096, Waiting::Refused).is_ok());
}

#[test]
fn the_end_is_no_more_files_and_no_match_no_such_file() {
    let open = Open::new();
    let no_such_file = Err(NtStatus::NO_SUCH_FILE.into());
    let no_more_files = Err(NtStatus::NO_MORE_FILES.into());
    assert_eq!(open.next("x*", 0), no_such_file);
    assert_eq!(open.next("x*", SMB2_REOPEN), no_such_file);
    assert_eq!(open.next("c?", SMB2_REOPEN).unwrap().len(), 10);
    assert_eq!(open.next("c?", 0), no_more_files);
    assert_eq!(open.next("c?", 0), no_more_files);
    // A name without wildcards, in another spelling, and one that is not there.
    assert_eq!(open.next("D3", SMB2_REOPEN).unwrap(), ["d3"]);
    assert_eq!(open.next("D3", 0), no_more_files);
    assert_eq!(open.next("none", SMB2_REOPEN), no_such_file);
    assert_eq!(open.next("b5", SMB2_REOPEN), no_such_file);
    assert_eq!(open.next("..", SMB2_REOPEN).unwrap(), [".."]);
    assert_eq!(
        open.next("a/b", SMB2_REOPEN),
        Err(NtStatus::OBJECT_NAME_INVALID.into())
    );
}

#[test]
fn scans_start_again() {
    let open = Open::new();
    let first = SMB2_RETURN_SINGLE_ENTRY;
    assert_eq!(open.next("a*", first).unwrap(), ["a0"]);
    // The pattern of the first request stays.
    assert_eq!(open.next("b*", first).unwrap(), ["a1"]);
    // An index is passed over: entries have none.
    assert_eq!(open.next("", first | SMB2_INDEX_SPECIFIED).unwrap(), ["a2"]);
    assert_eq!(open.next("", first | SMB2_RESTART_SCANS).unwrap(), ["a0"]);
    assert_eq!(open.next("c*", first | SMB2_RESTART_SCANS).unwrap(), ["c0"]);
    assert_eq!(open.next("", first).unwrap(), ["c1"]);
    assert_eq!(open.next("d*", first | SMB2_REOPEN).unwrap(), ["d0"]);
    assert_eq!(open.next("", first | SMB2_REOPEN).unwrap(), ["."]);
}

#[test]
fn what_holds_not_one_entry_is_refused() {
    let open = Open::new();
    let mismatch = Err(NtStatus::INFO_LENGTH_MISMATCH.into());
    for limit in [0, 11] {
        assert_eq!(open.query("*", 0, limit, Waiting::Allowed), mismatch);
    }
    assert_eq!(open.query("c1", 0, 15, Waiting::Allowed), mismatch);
    // The entry is not lost by that.
    assert_eq!(open.query("c1", 0, 16, Waiting::Allowed).unwrap(), ["c1"]);
}

#[test]
fn an_enumeration_holds_no_more_than_a_page() {
    let open = Open::new();
    open.next("a*", SMB2_RETURN_SINGLE_ENTRY).unwrap();
    let enumeration = open.enumeration.lock().unwrap();
    assert!(enumeration.as_ref().unwrap().bytes() < 512);
}
