//! Reading a directory.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;
use smb::NtStatus;

use super::super::name::{check_component, upcase};
use super::super::{Cursor, Names};
use super::errno::status;

/// Bytes of directory entries that one system call may bring.
const BUFFER_BYTES: usize = 32 * 1024;

/// A directory whose names take no more bytes is listed in the order of NTFS, which clients
/// expect that show names as they come; a larger one in the order of the file system, a
/// buffer at a time.
const SORTED_BYTES: usize = 64 * 1024;

/// Where the descriptor of an open directory stands.
#[derive(Default)]
pub(super) struct Pages(Mutex<Cursor>);

impl Pages {
    /// The names that follow `cursor` in `directory`, which is open for reading or not.
    pub(super) fn list(
        &self,
        directory: &OwnedFd,
        is_readable: bool,
        cursor: &mut Cursor,
        names: &mut Names,
    ) -> Result<(), NtStatus> {
        if is_readable {
            let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // A file system may find a place again only as long as nothing is removed: who
            // goes on where he stands does not look for it.
            if *place != *cursor || *cursor == Cursor::Start {
                seek(directory.as_fd(), *cursor).map_err(status)?;
            }
            let result = next(directory.as_fd(), cursor, names);
            *place = *cursor;
            return result.map_err(status);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let own = match rustix::fs::openat(directory, ".", flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                // Removed while open, as above.
                give(cursor, names, Names::default(), Cursor::End);
                return Ok(());
            }
            own => own.map_err(status)?,
        };
        seek(own.as_fd(), *cursor)
            .and_then(|()| next(own.as_fd(), cursor, names))
            .map_err(status)
    }
}

fn seek(directory: BorrowedFd<'_>, cursor: Cursor) -> Result<(), Errno> {
    match cursor {
        Cursor::Start => rustix::fs::seek(directory, SeekFrom::Start(0)).map(drop),
        Cursor::At(place) => rustix::fs::seek(directory, SeekFrom::Start(place)).map(drop),
        Cursor::End => Ok(()),
    }
}

/// Reads on from where `directory` stands, which `cursor` says. Nothing changes if it fails.
fn next(directory: BorrowedFd<'_>, cursor: &mut Cursor, names: &mut Names) -> Result<(), Errno> {
    let mut page = Names::default();
    let wanted = match cursor {
        Cursor::Start => SORTED_BYTES,
        Cursor::At(_) => 1,
        Cursor::End => return Ok(()),
    };
    let mut place = None;
    let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
    let mut entries = RawDir::new(directory, &mut buffer);
    let reached = loop {
        if let Some(place) = place
            && entries.is_buffer_empty()
            && page.len() >= wanted
        {
            break Cursor::At(place);
        }
        let Some(entry) = entries.next() else {
            break Cursor::End;
        };
        let entry = match entry {
            // Removed while open: nothing is in it any more.
            Err(Errno::NOENT) => break Cursor::End,
            entry => entry?,
        };
        place = Some(entry.next_entry_cookie());
        let name = entry.file_name().to_bytes();
        if let Ok(name) = std::str::from_utf8(name)
            && is_visible(name, entry.file_type())
        {
            page.push(name);
        }
    };
    give(cursor, names, page, reached);
    Ok(())
}

/// Appends what has been read from `cursor` to `reached`.
fn give(cursor: &mut Cursor, names: &mut Names, page: Names, reached: Cursor) {
    let page = match (*cursor, reached) {
        (Cursor::Start, Cursor::End) => sorted(&page),
        _ => page,
    };
    if *cursor == Cursor::Start {
        names.push(".");
        names.push("..");
    }
    names.append(page);
    *cursor = reached;
}

fn sorted(names: &Names) -> Names {
    let mut list: Vec<&str> = names.iter().collect();
    list.sort_unstable_by(|a, b| {
        let (folded_a, folded_b) = (a.chars().map(upcase), b.chars().map(upcase));
        folded_a.cmp(folded_b).then_with(|| a.cmp(b))
    });
    let mut sorted = Names::with_capacity(names.len());
    list.into_iter().for_each(|name| sorted.push(name));
    sorted
}

/// Of this name and type, may a share show it? Links and entries of unknown type are looked
/// at when they are asked for.
fn is_visible(name: &str, file_type: FileType) -> bool {
    use FileType::{Directory, RegularFile, Symlink, Unknown};
    matches!(file_type, RegularFile | Directory | Symlink | Unknown)
        && check_component(name).is_ok()
}

/// Calls `each` with the name and type of every entry but `.` and `..` until it says false.
/// Names that are no UTF-8 come as `None`.
pub(super) fn for_each(
    directory: impl AsFd,
    mut each: impl FnMut(Option<&str>, FileType) -> bool,
) -> Result<(), Errno> {
    match read(directory, &mut each) {
        // Removed while open: nothing is in it any more.
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

/// As [`for_each`], with what a share may show, as far as names and types tell: links and
/// entries of unknown type are among them.
pub(super) fn for_each_visible(
    directory: impl AsFd,
    mut each: impl FnMut(&str) -> bool,
) -> Result<(), Errno> {
    for_each(directory, |name, file_type| match name {
        Some(name) if is_visible(name, file_type) => each(name),
        _ => true,
    })
}

fn read(
    directory: impl AsFd,
    each: &mut dyn FnMut(Option<&str>, FileType) -> bool,
) -> Result<(), Errno> {
    // An open of its own has a position of its own.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(directory, ".", flags, Mode::empty())?;
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    let mut entries = RawDir::new(fd, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if !each(std::str::from_utf8(name).ok(), entry.file_type()) {
            break;
        }
    }
    Ok(())
}
