//! Shares: what a tree connect leads to, and the trait that a store of files implements.
//!
//! The server owns names (validation), share modes, delete-pending and access masks;
//! a [`Backend`] only touches its store. All calls are synchronous; each says whether it may
//! wait for a device ([`Waiting`]).

mod extended_attribute;
mod list;
mod listing;
pub mod local;
mod mistake;
pub mod name;
pub(crate) mod short_name;

use std::fmt;
use std::sync::Arc;

use smb::wire::file_attributes;
use smb::wire::info::FileNetworkOpenInformation;
use smb::{FileTime, NtStatus};

use crate::account::Sid;

pub use extended_attribute::{ExtendedAttribute, MAX_EXTENDED_ATTRIBUTES, ea_size};
pub use list::{IPC_SHARE, ShareConfig};
pub(crate) use list::{Share, ShareKind, ShareList};
pub(crate) use listing::Enumeration;
pub use listing::{Cursor, Names};
pub(crate) use mistake::caught;
pub use name::{SharePath, StreamName};

/// What kind of file system object a [`FileHandle`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// Identifies one file within its share, whatever name it was opened by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileKey {
    /// Device number.
    pub device: u64,
    /// Inode number; also the 64-bit FileId of [MS-FSCC] 2.4.
    pub inode: u64,
}

/// Facts about a file, as the information classes of [MS-FSCC] 2.4 need them.
#[derive(Clone, Debug)]
pub struct FileStat {
    /// File or directory.
    pub kind: FileKind,
    /// Identity within the share.
    pub key: FileKey,
    /// CreationTime (birth time where the file system has it, else the oldest known).
    pub creation_time: FileTime,
    /// LastAccessTime.
    pub last_access_time: FileTime,
    /// LastWriteTime.
    pub last_write_time: FileTime,
    /// ChangeTime.
    pub change_time: FileTime,
    /// Bytes that the file occupies.
    pub allocation_size: u64,
    /// EndOfFile: its length in bytes (0 for a directory).
    pub end_of_file: u64,
    /// Number of hard links.
    pub links: u32,
    /// FILE_ATTRIBUTE_* bits ([MS-FSCC] 2.6); never 0 (NORMAL or DIRECTORY at least).
    pub attributes: u32,
    /// EaSize of its extended attributes, as [`ea_size`] tells it.
    pub ea_size: u32,
    /// A security descriptor is stored ([`FileHandle::security`]). An open file says so; an
    /// entry of a directory need not.
    pub has_security: bool,
}

impl FileStat {
    /// Times, sizes and attributes, as the responses to CREATE and CLOSE tell them.
    pub fn network_open(&self) -> FileNetworkOpenInformation {
        FileNetworkOpenInformation {
            creation_time: self.creation_time,
            last_access_time: self.last_access_time,
            last_write_time: self.last_write_time,
            change_time: self.change_time,
            allocation_size: self.allocation_size,
            end_of_file: self.end_of_file,
            file_attributes: self.attributes,
        }
    }
}

/// Whether an open may create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateMode {
    /// FILE_OPEN, FILE_OVERWRITE: the file must exist, else OBJECT_NAME_NOT_FOUND.
    Existing,
    /// FILE_OPEN_IF, FILE_OVERWRITE_IF, FILE_SUPERSEDE: opened, or created if missing.
    CreateIfMissing,
    /// FILE_CREATE: must not exist, else OBJECT_NAME_COLLISION.
    CreateNew,
}

/// Which kind of object the caller insists on (FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindWanted {
    /// Either; a new object is a file.
    Any,
    /// Else NOT_A_DIRECTORY; a new object is a directory.
    Directory,
    /// Else FILE_IS_A_DIRECTORY.
    File,
}

/// One open of a path. Never truncates: the server calls
/// [`FileHandle::set_end_of_file`] once share modes allow it.
#[derive(Clone, Debug)]
pub struct OpenParameters<'a> {
    /// Path below the share's root; empty for the root itself.
    pub path: &'a SharePath,
    /// May it create?
    pub mode: CreateMode,
    /// File or directory?
    pub kind: KindWanted,
    /// The handle will read data.
    pub read: bool,
    /// The handle will write data.
    pub write: bool,
    /// FILE_ATTRIBUTE_* bits for a new file.
    pub attributes: u32,
    /// On whose behalf; `None` for the server itself.
    pub identity: Option<&'a Identity>,
    /// A named stream of the file; `None` for its data. A store without streams answers
    /// OBJECT_NAME_INVALID.
    pub stream: Option<&'a str>,
    /// Asked before anything is created; `None` if nobody is to be asked. A store without
    /// [`Capabilities::security`] need not ask.
    pub creation: Option<&'a dyn CreationPolicy>,
}

impl<'a> OpenParameters<'a> {
    /// To look at what is there: neither data nor a new file is wanted, and nobody is asked.
    pub fn look(path: &'a SharePath, kind: KindWanted) -> Self {
        Self {
            path,
            mode: CreateMode::Existing,
            kind,
            read: false,
            write: false,
            attributes: 0,
            identity: None,
            stream: None,
            creation: None,
        }
    }
}

/// Decides about a file or directory that an open would create.
pub trait CreationPolicy: fmt::Debug {
    /// Whether it may be created, in a directory of the security descriptor `parent` (`None`
    /// if none is stored), and the descriptor to store with it, so that nobody meets it
    /// without.
    ///
    /// # Errors
    ///
    /// The status that the open fails with.
    fn create(&self, parent: Option<&[u8]>, kind: FileKind) -> Result<Option<Vec<u8>>, NtStatus>;
}

/// On whose behalf a store is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Account name, as the account store spells it.
    pub account: Arc<str>,
    /// Security identifiers of the token, groups and well-known ones included.
    pub sids: Arc<[Sid]>,
    /// The local user to act as, where the store can.
    pub unix: Option<UnixUser>,
}

/// A user of the system that the server runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixUser {
    /// User number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// Numbers of the other groups.
    pub groups: Vec<u32>,
}

/// What a store can do beyond files, directories and their times; by default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It keeps several names of one file ([`FileHandle::link`]).
    pub hard_links: bool,
    /// It frees the space of a range ([`FileHandle::zero_range`]), tells which ranges have
    /// any ([`FileHandle::allocated_ranges`]) and keeps FILE_ATTRIBUTE_SPARSE_FILE.
    pub sparse: bool,
    /// It keeps named streams ([`OpenParameters::stream`]).
    pub streams: bool,
    /// It keeps extended attributes of clients.
    pub extended_attributes: bool,
    /// It keeps security descriptors.
    pub security: bool,
    /// Names that differ only in case are different files; clients are told, the search
    /// without regard to case goes on.
    pub case_sensitive: bool,
}

/// What [`Backend::open`] did.
pub struct Opened {
    /// The open file.
    pub handle: Arc<dyn FileHandle>,
    /// True if it did not exist before.
    pub created: bool,
    /// The path in the spelling of the store (case as on disk).
    pub path: SharePath,
}

/// Capacity of the store below a share ([MS-FSCC] 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Bytes of one allocation unit.
    pub unit_bytes: u32,
    /// Total allocation units.
    pub total_units: u64,
    /// Units free for the caller.
    pub caller_free_units: u64,
    /// Units free.
    pub free_units: u64,
}

/// One entry of a directory.
#[derive(Clone, Debug)]
pub struct DirectoryEntry {
    /// Its name; `.` and `..` included as the store's first two entries.
    pub name: String,
    /// Facts about it.
    pub stat: FileStat,
}

/// One named stream of a file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// Its name, without the file's and without a type; `None` for the file's data.
    pub name: Option<StreamName>,
    /// Its length in bytes.
    pub end_of_file: u64,
    /// Bytes that it occupies.
    pub allocation_size: u64,
}

/// New times; `None` leaves a time as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// CreationTime; a store without one ignores it.
    pub creation_time: Option<FileTime>,
    /// LastAccessTime.
    pub last_access_time: Option<FileTime>,
    /// LastWriteTime.
    pub last_write_time: Option<FileTime>,
    /// ChangeTime; a store that keeps its own ignores it.
    pub change_time: Option<FileTime>,
}

/// FILE_ATTRIBUTE_* bits that a client may set ([MS-FSCC] 2.6): READONLY, HIDDEN, SYSTEM,
/// ARCHIVE, TEMPORARY and OFFLINE.
pub const SETTABLE_ATTRIBUTES: u32 = file_attributes::FILE_ATTRIBUTE_READONLY
    | file_attributes::FILE_ATTRIBUTE_HIDDEN
    | file_attributes::FILE_ATTRIBUTE_SYSTEM
    | file_attributes::FILE_ATTRIBUTE_ARCHIVE
    | file_attributes::FILE_ATTRIBUTE_TEMPORARY
    | file_attributes::FILE_ATTRIBUTE_OFFLINE;

/// May a call wait for the store's device?
///
/// A connection's thread never waits: it asks with [`Waiting::Refused`] first, and what
/// would wait is asked again with [`Waiting::Allowed`] on a thread that may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Do it from memory, or fail with [`StoreError::WouldWait`] and nothing changed.
    Refused,
    /// Take the time that it takes.
    Allowed,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It would have to wait for a device; nothing has changed. Only with
    /// [`Waiting::Refused`].
    WouldWait,
    /// It failed.
    Status(NtStatus),
}

impl From<NtStatus> for StoreError {
    fn from(status: NtStatus) -> Self {
        Self::Status(status)
    }
}

/// What a store answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// A store of files behind a share.
pub trait Backend: Send + Sync + 'static {
    /// Opens or creates. Never follows a way out of the share, never opens anything but
    /// regular files and directories (ACCESS_DENIED).
    fn open(&self, parameters: &OpenParameters<'_>, waiting: Waiting) -> StoreResult<Opened>;

    /// Free and total space.
    fn capacity(&self, waiting: Waiting) -> StoreResult<Capacity>;

    /// FileSystemName of FileFsAttributeInformation, for instance `NTFS`.
    fn file_system_name(&self) -> &str;

    /// Names the space that its [`FileKey`]s are numbers of: two stores with the same number
    /// mean the same file by the same key. 0 is the local file system, so that a directory
    /// which is shared twice has one set of keys; a store of its own chooses another.
    fn store(&self) -> u64;

    /// What it can do beyond what every store does.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// VolumeCreationTime of FileFsVolumeInformation ([MS-FSCC] 2.5.9); 0 if not known.
    fn creation_time(&self) -> FileTime {
        FileTime(0)
    }

    /// 32-bit volume serial number.
    fn volume_serial_number(&self) -> u32;

    /// Where the share lives, as an administrator reads it (NetrShareGetInfo path,
    /// and the head of NetrFileEnum path names).
    fn local_path(&self) -> String;
}

/// Most ranges that [`FileHandle::allocated_ranges`] gives: 16 bytes each on the wire, so
/// that an answer of 1 MiB holds them.
pub const MAX_ALLOCATED_RANGES: usize = 65_536;

/// An open file or directory of a [`Backend`].
pub trait FileHandle: Send + Sync + 'static {
    /// Changes of this file (its length, its names, its attributes) may have to wait for a
    /// device: they are asked for on a thread that may.
    fn changes_wait(&self) -> bool {
        true
    }

    /// Facts as of now.
    fn stat(&self, waiting: Waiting) -> StoreResult<FileStat>;

    /// Reads at `offset` into all of `buffer` as far as the file reaches; 0 at its end.
    fn read(&self, buffer: &mut [u8], offset: u64, waiting: Waiting) -> StoreResult<usize>;

    /// Writes all of `data` at `offset`.
    fn write(&self, data: &[u8], offset: u64, waiting: Waiting) -> StoreResult<()>;

    /// Makes data durable.
    fn flush(&self, waiting: Waiting) -> StoreResult<()>;

    /// Sets the length.
    fn set_end_of_file(&self, length: u64, waiting: Waiting) -> StoreResult<()>;

    /// Reserves (or releases) space beyond the end; never changes the length upward.
    fn set_allocation(&self, length: u64, waiting: Waiting) -> StoreResult<()>;

    /// Makes `length` bytes at `offset` zeros and frees their space (FSCTL_SET_ZERO_DATA,
    /// [MS-FSCC] 2.3.71); never changes the length of the file.
    fn zero_range(&self, offset: u64, length: u64, waiting: Waiting) -> StoreResult<()> {
        let _ = (offset, length, waiting);
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    /// Where in `length` bytes at `offset` the file has data, as (offset, length) in rising
    /// order (FSCTL_QUERY_ALLOCATED_RANGES, [MS-FSCC] 2.3.55); at most
    /// [`MAX_ALLOCATED_RANGES`], of which the last one then reaches to the end of what was
    /// asked, since ranges may cover more than has data.
    fn allocated_ranges(
        &self,
        offset: u64,
        length: u64,
        waiting: Waiting,
    ) -> StoreResult<Vec<(u64, u64)>> {
        let _ = (offset, length, waiting);
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    /// Sets or clears FILE_ATTRIBUTE_SPARSE_FILE (FSCTL_SET_SPARSE, [MS-FSCC] 2.3.69).
    fn set_sparse(&self, sparse: bool, waiting: Waiting) -> StoreResult<()> {
        let _ = (sparse, waiting);
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    /// Sets times.
    fn set_times(&self, times: &Times, waiting: Waiting) -> StoreResult<()>;

    /// The security descriptor that was set, self-relative ([MS-DTYP] 2.4.6); `None` if none
    /// was.
    fn security(&self, waiting: Waiting) -> StoreResult<Option<Vec<u8>>> {
        let _ = waiting;
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    /// Keeps a self-relative security descriptor, without looking into it. At most as long as
    /// the store can keep, else EA_TOO_LARGE.
    fn set_security(&self, descriptor: &[u8], waiting: Waiting) -> StoreResult<()> {
        let _ = (descriptor, waiting);
        Err(NtStatus::NOT_SUPPORTED.into())
    }

    /// All extended attributes, of at most [`MAX_EXTENDED_ATTRIBUTES`] bytes.
    fn extended_attributes(&self, waiting: Waiting) -> StoreResult<Vec<ExtendedAttribute>> {
        let _ = waiting;
        Err(NtStatus::EAS_NOT_SUPPORTED.into())
    }

    /// Makes these changes, as [`ExtendedAttribute::change`] describes: all of them, or none.
    fn change_extended_attributes(
        &self,
        changes: &[ExtendedAttribute],
        waiting: Waiting,
    ) -> StoreResult<()> {
        let _ = (changes, waiting);
        Err(NtStatus::EAS_NOT_SUPPORTED.into())
    }

    /// Sets FILE_ATTRIBUTE_* bits, of [`SETTABLE_ATTRIBUTES`] those that the store can. 0
    /// leaves all as they are; what has none of them, as FILE_ATTRIBUTE_NORMAL, clears all.
    fn set_attributes(&self, attributes: u32, waiting: Waiting) -> StoreResult<()>;

    /// Moves it to another name in the same share; `replace` allows an existing target.
    /// Later calls on this handle (unlink, rename) act on the new name.
    fn rename(&self, target: &SharePath, replace: bool, waiting: Waiting) -> StoreResult<()>;

    /// Gives it another name in the same share (FileLinkInformation).
    fn link(&self, target: &SharePath, replace: bool, waiting: Waiting) -> StoreResult<()>;

    /// The key of the directory that has the file's present name; `None` for the share's
    /// root, and where the store does not know.
    fn parent_key(&self, waiting: Waiting) -> StoreResult<Option<FileKey>> {
        let _ = waiting;
        Ok(None)
    }

    /// Of a stream: removes its file with all its streams, as `unlink` does of a file.
    fn unlink_file(&self, waiting: Waiting) -> StoreResult<()> {
        self.unlink(waiting)
    }

    /// Of a stream: its name, as it was created.
    fn stream_name(&self) -> Option<&StreamName> {
        None
    }

    /// Removes its name, if that still leads to this file. A directory must be empty
    /// (DIRECTORY_NOT_EMPTY).
    fn unlink(&self, waiting: Waiting) -> StoreResult<()>;

    /// The streams of this file or directory, or of the file whose stream this is: the data of
    /// a file first, then the named ones. A store without streams leaves that to the server.
    fn streams(&self, waiting: Waiting) -> StoreResult<Vec<StreamEntry>> {
        let _ = waiting;
        Ok(Vec::new())
    }

    /// True if a directory has no entries but `.` and `..`.
    fn is_empty_directory(&self, waiting: Waiting) -> StoreResult<bool>;

    /// Appends to `names` what follows `cursor` in this directory, and moves the cursor on:
    /// at least one name, unless that moves it to [`Cursor::End`]. From [`Cursor::Start`] on,
    /// `.` and `..` come first; a name that is there all the time comes once. A page is
    /// bounded, so that a large directory is never held whole. Facts about an entry come from
    /// [`FileHandle::entry`].
    fn list(&self, cursor: &mut Cursor, names: &mut Names, waiting: Waiting) -> StoreResult<()>;

    /// How the name that `name` means, whatever its case, is spelled in this directory; a
    /// store that can do better need not list it.
    fn find(&self, name: &str, waiting: Waiting) -> StoreResult<Option<String>> {
        let (mut cursor, mut names) = (Cursor::Start, Names::default());
        loop {
            while let Some(found) = names.peek() {
                if name::same_name(found, name) {
                    return Ok(Some(found.to_owned()));
                }
                names.advance();
            }
            if cursor == Cursor::End {
                return Ok(None);
            }
            self.list(&mut cursor, &mut names, waiting)?;
        }
    }

    /// The entry `name` of this directory; `None` if it has vanished or may not be shown
    /// (devices, links that lead out of the share).
    fn entry(&self, name: &str, waiting: Waiting) -> StoreResult<Option<DirectoryEntry>>;

    /// A path on this machine that leads to this directory as long as the handle lives,
    /// whatever becomes of its name; `None` if only the server itself changes the store.
    /// Changes that other programs make below it are told.
    fn watch_path(&self) -> Option<String> {
        None
    }
}
