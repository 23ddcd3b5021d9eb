//! Extended attributes of clients and security descriptors, in extended attributes of the
//! file system: those of clients are `user.NAME` as Samba and local programs have them; the
//! descriptor, and which of the clients' are needed to understand the file, are ours.

use std::sync::{Mutex, PoisonError};

use rustix::fd::BorrowedFd;
use rustix::fs::XattrFlags;
use rustix::io::Errno;
use smb::NtStatus;

use super::super::{ExtendedAttribute, MAX_EXTENDED_ATTRIBUTES, ea_size};
use super::errno::status;

const SECURITY: &str = "user.netsession.security";

/// Names of attributes with FILE_NEED_EA, as they are spelled, each with a NUL.
const NEEDED: &str = "user.netsession.needed";

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

/// Where extended attributes are.
#[derive(Clone, Copy)]
pub(super) enum At<'a> {
    /// What this path leads to, if need be through a link in `/proc`.
    Path(&'a str),
    /// What this path names, a link itself.
    Link(&'a str),
    /// An open file, not O_PATH.
    Open(BorrowedFd<'a>),
}

impl At<'_> {
    /// Names of all of them; none where the file system has none.
    pub(super) fn names(self) -> Result<NameList, Errno> {
        let ask = |list: &mut [u8]| match self {
            Self::Path(path) => rustix::fs::listxattr(path, list),
            Self::Link(path) => rustix::fs::llistxattr(path, list),
            Self::Open(fd) => rustix::fs::flistxattr(fd, list),
        };
        let mut few = [0; 512];
        match ask(&mut few) {
            Ok(length) => Ok(NameList(few[..length].to_vec())),
            Err(Errno::RANGE) => {
                let mut list = vec![0; MAX_BYTES];
                let length = ask(&mut list)?;
                list.truncate(length);
                Ok(NameList(list))
            }
            Err(Errno::OPNOTSUPP) => Ok(NameList(Vec::new())),
            Err(errno) => Err(errno),
        }
    }

    /// The value of one, and how long it is.
    pub(super) fn value(self, name: &str, value: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Path(path) => rustix::fs::getxattr(path, name, value),
            Self::Link(path) => rustix::fs::lgetxattr(path, name, value),
            Self::Open(fd) => rustix::fs::fgetxattr(fd, name, value),
        }
    }

    fn length(self, name: &str) -> Result<usize, Errno> {
        match self {
            Self::Path(path) => rustix::fs::getxattr_query(path, name),
            Self::Link(path) => rustix::fs::lgetxattr_query(path, name),
            Self::Open(fd) => rustix::fs::fgetxattr_query(fd, name),
        }
    }
}

/// Names of extended attributes, as the kernel lists them: each with a NUL.
pub(super) struct NameList(Vec<u8>);

impl NameList {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are UTF-8.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let names = self.0.split(|&byte| byte == 0);
        names.filter_map(|name| std::str::from_utf8(name).ok())
    }

    /// Those that clients see, without the prefix.
    fn visible(&self) -> impl Iterator<Item = &str> {
        let names = self.iter().filter_map(|name| name.strip_prefix(PREFIX));
        names.filter(|name| ExtendedAttribute::is_name(name) && !is_hidden(name))
    }

    /// EaSize of those that clients see.
    pub(super) fn ea_size(&self, at: At<'_>) -> u32 {
        ea_size(self.visible().filter_map(|name| {
            let length = at.length(&format!("{PREFIX}{name}")).ok();
            Some((name, length.filter(|&length| length > 0)?))
        }))
    }
}

/// The security descriptor kept at what `path` in `/proc` stands for.
pub(super) fn security(path: &str) -> Result<Option<Vec<u8>>, NtStatus> {
    value(path, SECURITY)
}

pub(super) fn set_security(path: &str, descriptor: &[u8]) -> Result<(), NtStatus> {
    match set(path, SECURITY, descriptor) {
        Err(Errno::OPNOTSUPP) => Err(NtStatus::NOT_SUPPORTED),
        result => result.map_err(full),
    }
}

/// Those that clients see, in the order of the file system.
pub(super) fn list(path: &str) -> Result<Vec<ExtendedAttribute>, NtStatus> {
    let names = At::Path(path).names().map_err(status)?;
    let mut attributes = Vec::new();
    let mut bytes = 0;
    for name in names.visible() {
        let Some(value) = value(path, &format!("{PREFIX}{name}"))? else {
            continue;
        };
        // On the wire such a one is none.
        if value.is_empty() {
            continue;
        }
        let attribute = ExtendedAttribute {
            name: name.into(),
            value,
            need: false,
        };
        bytes += attribute.size();
        if bytes > MAX_EXTENDED_ATTRIBUTES {
            return Err(NtStatus::EA_TOO_LARGE);
        }
        attributes.push(attribute);
    }
    if names.iter().any(|name| name == NEEDED) {
        let needed = value(path, NEEDED)?.unwrap_or_default();
        let is_needed = |name: &str| {
            needed
                .split(|&byte| byte == 0)
                .any(|it| it == name.as_bytes())
        };
        for attribute in &mut attributes {
            attribute.need = is_needed(&attribute.name);
        }
    }
    Ok(attributes)
}

/// EaSize of those that clients see.
pub(super) fn size(at: At<'_>) -> u32 {
    at.names().map_or(0, |names| names.ea_size(at))
}

/// Held while they are changed: what was read then is still so. One for all, because changes
/// are rare and a directory may be shared twice.
static CHANGING: Mutex<()> = Mutex::new(());

/// Makes all of these changes, or none.
pub(super) fn change(path: &str, changes: &[ExtendedAttribute]) -> Result<(), NtStatus> {
    let _one_at_a_time = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    if changes.iter().any(|change| is_hidden(&change.name)) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if changes.iter().any(|one| one.name.len() > MAX_NAME_BYTES) {
        return Err(NtStatus::INVALID_EA_NAME);
    }
    let before = list(path)?;
    let after = ExtendedAttribute::change(before.clone(), changes)?;
    let Err(errno) = store(path, &before, &after) else {
        return Ok(());
    };
    // What did not fit has changed nothing, so what was there before fits.
    let now = list(path)?;
    let _ = store(path, &now, &before);
    Err(full(errno))
}

/// Makes `after` of `before`: first what goes, so that there is room for what comes.
fn store(
    path: &str,
    before: &[ExtendedAttribute],
    after: &[ExtendedAttribute],
) -> Result<(), Errno> {
    let find = |list: &[ExtendedAttribute], name: &str| {
        let found = list.iter().position(|one| *one.name == *name);
        found.map(|place| list[place].clone())
    };
    for gone in before {
        if find(after, &gone.name).is_none() {
            remove(path, &format!("{PREFIX}{}", gone.name))?;
        }
    }
    for new in after {
        if find(before, &new.name).is_none_or(|old| old.value != new.value) {
            set(path, &format!("{PREFIX}{}", new.name), &new.value)?;
        }
    }
    let needed = |list: &[ExtendedAttribute]| {
        let needed = list.iter().filter(|one| one.need);
        needed
            .map(|one| format!("{}\0", one.name))
            .collect::<String>()
    };
    let (old, new) = (needed(before), needed(after));
    match new.is_empty() {
        _ if old == new => Ok(()),
        true => remove(path, NEEDED),
        false => set(path, NEEDED, new.as_bytes()),
    }
}

fn is_hidden(name: &str) -> bool {
    HIDDEN.iter().any(|hidden| {
        name.get(..hidden.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(hidden))
    })
}

fn value(path: &str, name: &str) -> Result<Option<Vec<u8>>, NtStatus> {
    let mut value = vec![0; 4096];
    loop {
        match At::Path(path).value(name, &mut value) {
            Ok(length) => {
                value.truncate(length);
                return Ok(Some(value));
            }
            Err(Errno::RANGE) if value.len() < MAX_BYTES => value.resize(MAX_BYTES, 0),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            Err(errno) => return Err(status(errno)),
        }
    }
}

fn set(path: &str, name: &str, value: &[u8]) -> Result<(), Errno> {
    rustix::fs::setxattr(path, name, value, XattrFlags::empty())
}

fn remove(path: &str, name: &str) -> Result<(), Errno> {
    match rustix::fs::removexattr(path, name) {
        Err(Errno::NODATA) => Ok(()),
        result => result,
    }
}

fn full(errno: Errno) -> NtStatus {
    match errno {
        // ext4 has one block for all of them.
        Errno::TOOBIG | Errno::RANGE | Errno::NOSPC => NtStatus::EA_TOO_LARGE,
        Errno::OPNOTSUPP => NtStatus::EAS_NOT_SUPPORTED,
        errno => status(errno),
    }
}
