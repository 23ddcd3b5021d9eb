//! Shares: what a tree connect leads to, and the trait that a store of files implements.
//!
//! The server owns names (validation), share modes, delete-pending and access masks;
//! a [`Backend`] only touches its store. All calls are synchronous: the connection's
//! task runs them in place and steps aside for those that may block.

pub mod local;
pub mod name;

use std::sync::Arc;

use smb::{FileTime, NtStatus};

pub use name::SharePath;

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

/// How a read ended without data or error of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Would have to wait for the store (only with `may_block` false).
    WouldBlock,
    /// Failed.
    Status(NtStatus),
}

/// A store of files behind a share.
pub trait Backend: Send + Sync + 'static {
    /// Opens or creates. Never follows a way out of the share, never opens anything but
    /// regular files and directories (ACCESS_DENIED).
    fn open(&self, parameters: &OpenParameters<'_>) -> Result<Opened, NtStatus>;

    /// Free and total space.
    fn capacity(&self) -> Result<Capacity, NtStatus>;

    /// FileSystemName of FileFsAttributeInformation, for instance `NTFS`.
    fn file_system_name(&self) -> &str;

    /// 32-bit volume serial number.
    fn volume_serial_number(&self) -> u32;

    /// Where the share lives, as an administrator reads it (NetrShareGetInfo path,
    /// and the head of NetrFileEnum path names).
    fn local_path(&self) -> String;
}

/// An open file or directory of a [`Backend`].
pub trait FileHandle: Send + Sync + 'static {
    /// Facts as of now.
    fn stat(&self) -> Result<FileStat, NtStatus>;

    /// Reads at `offset` into all of `buffer` as far as the file reaches; 0 at its end.
    fn read(&self, buffer: &mut [u8], offset: u64, may_block: bool) -> Result<usize, ReadError>;

    /// Writes all of `data` at `offset`.
    fn write(&self, data: &[u8], offset: u64) -> Result<(), NtStatus>;

    /// Whether the data is in memory alone, so that neither [`FileHandle::write`] nor
    /// [`FileHandle::flush`] ever waits for a device, whatever their length.
    fn is_in_memory(&self) -> bool {
        false
    }

    /// Makes data durable.
    fn flush(&self) -> Result<(), NtStatus>;

    /// Sets the length.
    fn set_end_of_file(&self, length: u64) -> Result<(), NtStatus>;

    /// Reserves (or releases) space beyond the end; never changes the length upward.
    fn set_allocation(&self, length: u64) -> Result<(), NtStatus>;

    /// Sets times.
    fn set_times(&self, times: &Times) -> Result<(), NtStatus>;

    /// Sets FILE_ATTRIBUTE_* bits (READONLY, HIDDEN, SYSTEM, ARCHIVE as far as the store can).
    fn set_attributes(&self, attributes: u32) -> Result<(), NtStatus>;

    /// Moves it to another name in the same share; `replace` allows an existing target.
    /// Later calls on this handle (unlink, rename) act on the new name.
    fn rename(&self, target: &SharePath, replace: bool) -> Result<(), NtStatus>;

    /// Gives it another name in the same share (FileLinkInformation).
    fn link(&self, target: &SharePath, replace: bool) -> Result<(), NtStatus>;

    /// Removes its name, if that still leads to this file. A directory must be empty
    /// (DIRECTORY_NOT_EMPTY).
    fn unlink(&self) -> Result<(), NtStatus>;

    /// True if a directory has no entries but `.` and `..`.
    fn is_empty_directory(&self) -> Result<bool, NtStatus>;

    /// The names of a directory, `.` and `..` first, in one stable order; a snapshot taken now.
    /// Facts about an entry come from [`FileHandle::entry`].
    fn names(&self) -> Result<Vec<String>, NtStatus>;

    /// The entry `name` of this directory; `None` if it has vanished or may not be shown
    /// (devices, links that lead out of the share).
    fn entry(&self, name: &str) -> Result<Option<DirectoryEntry>, NtStatus>;

    /// A path on this machine that leads to this directory as long as the handle lives,
    /// whatever becomes of its name; `None` if only the server itself changes the store.
    /// Changes that other programs make below it are told.
    fn watch_path(&self) -> Option<String> {
        None
    }
}
