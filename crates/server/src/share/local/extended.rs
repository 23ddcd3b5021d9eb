//! Extended attributes of clients and security descriptors, in extended attributes of the
//! file system: those of clients are `user.NAME` as Samba and local programs have them, the
//! descriptor is one of our own.

use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use rustix::fd::AsFd;
use rustix::fs::XattrFlags;
use rustix::io::Errno;
use smb::NtStatus;

use super::super::{ExtendedAttribute, MAX_EXTENDED_ATTRIBUTES};
use super::errno::status;

const SECURITY: &str = "user.netsession.security";

/// STATUS_INVALID_EA_NAME.
pub(super) const INVALID_EA_NAME: NtStatus = NtStatus(0x8000_0013);

/// In front of every name that a client sees.
const PREFIX: &str = "user.";

/// Beginnings of names that a client neither sees nor sets: ours, and what Samba keeps there
/// for itself.
const HIDDEN: &[&str] = &[
    "netsession.",
    "DOSATTRIB",
    "DosStream.",
    "SAMBA_",
    "org.netatalk.",
];

/// Most bytes of one value in the kernel (XATTR_SIZE_MAX), and of all names (XATTR_LIST_MAX).
const MAX_BYTES: usize = 65_536;

/// Longest name of an extended attribute on disk without the prefix: 255 bytes with it.
const MAX_NAME_BYTES: usize = 255 - PREFIX.len();

/// Longer than most descriptors.
const USUAL_DESCRIPTOR: usize = 1024;

/// Held for writing while something new has its name and not yet its descriptor: nobody
/// takes it for a file without one. One for all: a directory may be shared twice, and
/// descriptors of new files are few.
static SECURING: RwLock<()> = RwLock::new(());

/// The security descriptor kept at what `path` in `/proc` stands for.
pub(super) fn security(path: &str) -> Result<Option<Vec<u8>>, NtStatus> {
    let mut descriptor = vec![0; USUAL_DESCRIPTOR];
    match rustix::fs::getxattr(path, SECURITY, &mut descriptor[..]) {
        Ok(length) => {
            descriptor.truncate(length);
            Ok(Some(descriptor))
        }
        Err(Errno::RANGE) => value(path, SECURITY),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => Err(status(errno)),
    }
}

pub(super) fn set_security(path: &str, descriptor: &[u8]) -> Result<(), NtStatus> {
    set(path, SECURITY, descriptor)
}

/// Is a security descriptor kept at what `path` in `/proc` stands for? What cannot be asked
/// counts as one: who then reads it gets the error.
pub(super) fn has_security(path: &str) -> bool {
    let _complete = SECURING.read().unwrap_or_else(PoisonError::into_inner);
    is_kept(rustix::fs::getxattr(path, SECURITY, &mut [0_u8; 0][..]))
}

/// As [`has_security`], of an open file, not O_PATH.
pub(super) fn has_security_of(fd: impl AsFd) -> bool {
    let _complete = SECURING.read().unwrap_or_else(PoisonError::into_inner);
    is_kept(rustix::fs::fgetxattr(fd, SECURITY, &mut [0_u8; 0][..]))
}

fn is_kept(length: Result<usize, Errno>) -> bool {
    !matches!(length, Err(Errno::NODATA | Errno::OPNOTSUPP))
}

/// Until the guard is dropped, what has just been created is looked at by nobody.
pub(super) fn securing() -> RwLockWriteGuard<'static, ()> {
    SECURING.write().unwrap_or_else(PoisonError::into_inner)
}

/// In the order of the file system.
pub(super) fn list(path: &str) -> Result<Vec<ExtendedAttribute>, NtStatus> {
    let mut attributes = Vec::new();
    let mut bytes = 0;
    for name in names(path)? {
        let Some(value) = value(path, &format!("{PREFIX}{name}"))? else {
            continue;
        };
        bytes += name.len() + value.len();
        if bytes > MAX_EXTENDED_ATTRIBUTES {
            return Err(NtStatus::EA_TOO_LARGE);
        }
        attributes.push(ExtendedAttribute {
            name: name.into(),
            value,
        });
    }
    Ok(attributes)
}

/// An empty value removes it ([MS-FSCC] 2.4.16).
pub(super) fn set_one(path: &str, name: &str, value: &[u8]) -> Result<(), NtStatus> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains('\0') {
        return Err(INVALID_EA_NAME);
    }
    if is_hidden(name) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let known = names(path)?;
    let same = known.iter().find(|known| known.eq_ignore_ascii_case(name));
    let name = format!("{PREFIX}{}", same.map_or(name, String::as_str));
    if !value.is_empty() {
        return set(path, &name, value);
    }
    match rustix::fs::removexattr(path, name) {
        Ok(()) | Err(Errno::NODATA) => Ok(()),
        Err(errno) => Err(status(errno)),
    }
}

fn is_hidden(name: &str) -> bool {
    HIDDEN.iter().any(|hidden| {
        name.get(..hidden.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(hidden))
    })
}

/// Names that a client sees.
fn names(path: &str) -> Result<Vec<String>, NtStatus> {
    let mut list = vec![0; MAX_BYTES];
    let length = match rustix::fs::listxattr(path, &mut list[..]) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => return Err(NtStatus::EAS_NOT_SUPPORTED),
        Err(errno) => return Err(status(errno)),
    };
    let names = list[..length].split(|&byte| byte == 0);
    let names = names.filter_map(|name| std::str::from_utf8(name).ok()?.strip_prefix(PREFIX));
    Ok(names
        .filter(|name| !name.is_empty() && !is_hidden(name))
        .map(str::to_owned)
        .collect())
}

fn value(path: &str, name: &str) -> Result<Option<Vec<u8>>, NtStatus> {
    let mut value = vec![0; MAX_BYTES];
    match rustix::fs::getxattr(path, name, &mut value[..]) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => Err(status(errno)),
    }
}

fn set(path: &str, name: &str, value: &[u8]) -> Result<(), NtStatus> {
    match rustix::fs::setxattr(path, name, value, XattrFlags::empty()) {
        Ok(()) => Ok(()),
        // ext4 has one block for all of them.
        Err(Errno::TOOBIG | Errno::RANGE) => Err(NtStatus::EA_TOO_LARGE),
        Err(Errno::OPNOTSUPP) => Err(NtStatus::NOT_SUPPORTED),
        Err(errno) => Err(status(errno)),
    }
}
