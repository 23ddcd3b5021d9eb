//! Error numbers as NTSTATUS values.

use rustix::io::Errno;
use smb::NtStatus;

use super::super::{StoreError, Waiting};

/// For operations on an open file or on a name in an open directory.
pub(super) fn status(errno: Errno) -> NtStatus {
    match errno {
        Errno::NOENT => NtStatus::OBJECT_NAME_NOT_FOUND,
        Errno::NOTDIR | Errno::LOOP => NtStatus::OBJECT_PATH_NOT_FOUND,
        Errno::EXIST => NtStatus::OBJECT_NAME_COLLISION,
        Errno::ISDIR => NtStatus::FILE_IS_A_DIRECTORY,
        Errno::NOTEMPTY => NtStatus::DIRECTORY_NOT_EMPTY,
        Errno::ACCESS | Errno::PERM | Errno::BADF => NtStatus::ACCESS_DENIED,
        Errno::ROFS => NtStatus::MEDIA_WRITE_PROTECTED,
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => NtStatus::DISK_FULL,
        Errno::NAMETOOLONG => NtStatus::NAME_TOO_LONG,
        Errno::MFILE | Errno::NFILE => NtStatus::TOO_MANY_OPENED_FILES,
        Errno::NOMEM => NtStatus::NO_MEMORY,
        Errno::MLINK => NtStatus::TOO_MANY_LINKS,
        Errno::XDEV => NtStatus::NOT_SAME_DEVICE,
        Errno::INVAL | Errno::OVERFLOW => NtStatus::INVALID_PARAMETER,
        // EAGAIN on an open: somebody holds a lease on the file.
        Errno::BUSY | Errno::TXTBSY | Errno::AGAIN => NtStatus::SHARING_VIOLATION,
        Errno::OPNOTSUPP | Errno::NOSYS => NtStatus::NOT_SUPPORTED,
        Errno::NXIO | Errno::NODEV => NtStatus::NO_SUCH_DEVICE,
        Errno::STALE => NtStatus::FILE_CLOSED,
        _ => NtStatus::UNEXPECTED_IO_ERROR,
    }
}

/// For the resolution of a path beneath the root, where EXDEV means a way out of it. While
/// waiting is refused, EAGAIN says that the kernel has not all of it in memory, and EXDEV
/// also that it leads to another file system, which may be slow.
pub(super) fn resolution_error(errno: Errno, waiting: Waiting) -> StoreError {
    match (errno, waiting) {
        (Errno::XDEV | Errno::AGAIN, Waiting::Refused) => StoreError::WouldWait,
        (Errno::XDEV, Waiting::Allowed) => NtStatus::ACCESS_DENIED.into(),
        (errno, _) => status(errno).into(),
    }
}

/// As [`resolution_error`], for a path whose last component is not the last of the request.
pub(super) fn parent_error(errno: Errno, waiting: Waiting) -> StoreError {
    match errno {
        Errno::NOENT => NtStatus::OBJECT_PATH_NOT_FOUND.into(),
        errno => resolution_error(errno, waiting),
    }
}
