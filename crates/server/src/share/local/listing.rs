//! Reading a directory.

use rustix::fd::AsFd;
use rustix::fs::{FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;

use super::super::name::check_component;

/// Bytes of directory entries that one system call may bring.
const BUFFER_BYTES: usize = 32 * 1024;

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
    for_each(directory, |name, file_type| match (name, file_type) {
        (
            Some(name),
            FileType::RegularFile | FileType::Directory | FileType::Symlink | FileType::Unknown,
        ) if check_component(name).is_ok() => each(name),
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
