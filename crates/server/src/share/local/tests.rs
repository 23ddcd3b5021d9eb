use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, Instant};

use smb::FileTime;
use tempfile::TempDir;

use super::super::{FileHandle, FileStat, ReadError, Times};
use super::*;

mod escapes;
mod names;

const READONLY: u32 = 1;
const HIDDEN: u32 = 2;
const DIRECTORY: u32 = 0x10;
const ARCHIVE: u32 = 0x20;
const NORMAL: u32 = 0x80;

/// A share with a directory beside it that nobody may reach: `top/share`, `top/outside`.
struct Store {
    top: TempDir,
    backend: LocalBackend,
}

impl Store {
    fn new() -> Self {
        Self::with(LocalBackend::new)
    }

    fn with(new: impl Fn(&Path, LocalOptions) -> io::Result<LocalBackend>) -> Self {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("share")).unwrap();
        fs::create_dir(top.path().join("outside")).unwrap();
        fs::write(top.path().join("outside/secret"), "secret").unwrap();
        let backend = new(&top.path().join("share"), LocalOptions::default()).unwrap();
        Self { top, backend }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.top.path().join("share").join(name)
    }

    fn put(&self, name: &str, data: &str) {
        fs::write(self.path(name), data).unwrap();
    }

    fn try_open(&self, name: &str, mode: CreateMode, kind: KindWanted) -> Result<Opened, NtStatus> {
        self.open_as(name, mode, kind, true, true)
    }

    fn open_as(
        &self,
        name: &str,
        mode: CreateMode,
        kind: KindWanted,
        read: bool,
        write: bool,
    ) -> Result<Opened, NtStatus> {
        let path = &SharePath::parse(name)?;
        self.backend.open(&OpenParameters {
            path,
            mode,
            kind,
            read,
            write,
            attributes: 0,
        })
    }

    fn status(&self, name: &str) -> NtStatus {
        match self.try_open(name, CreateMode::Existing, KindWanted::Any) {
            Ok(_) => NtStatus::SUCCESS,
            Err(status) => status,
        }
    }

    fn open(&self, name: &str) -> Opened {
        self.try_open(name, CreateMode::Existing, KindWanted::Any)
            .unwrap()
    }

    fn create(&self, name: &str) -> Opened {
        self.try_open(name, CreateMode::CreateNew, KindWanted::File)
            .unwrap()
    }

    fn read(&self, name: &str) -> String {
        read(&*self.open(name).handle)
    }
}

fn read(handle: &dyn FileHandle) -> String {
    let mut buffer = [0; 4096];
    let count = handle.read(&mut buffer, 0, true).unwrap();
    String::from_utf8(buffer[..count].to_vec()).unwrap()
}

fn share_path(name: &str) -> SharePath {
    SharePath::parse(name).unwrap()
}

fn attributes(handle: &dyn FileHandle) -> u32 {
    handle.stat().unwrap().attributes
}

#[test]
fn open_modes() {
    let store = Store::new();
    store.put("file", "x");
    fs::create_dir(store.path("dir")).unwrap();
    use CreateMode::{CreateIfMissing, CreateNew, Existing};
    use KindWanted::{Any, Directory, File};
    let created = |name, mode, kind| {
        store
            .try_open(name, mode, kind)
            .map(|opened| opened.created)
            .map_err(|status| status)
    };
    assert_eq!(created("file", Existing, Any), Ok(false));
    assert_eq!(
        created("file", Existing, Directory),
        Err(NtStatus::NOT_A_DIRECTORY)
    );
    assert_eq!(
        created("dir", Existing, File),
        Err(NtStatus::FILE_IS_A_DIRECTORY)
    );
    assert_eq!(created("dir", Existing, Any), Ok(false));
    assert_eq!(created("", Existing, Any), Ok(false));
    assert_eq!(
        created("", Existing, File),
        Err(NtStatus::FILE_IS_A_DIRECTORY)
    );
    assert_eq!(
        created("", CreateNew, Directory),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        created("file", CreateNew, Any),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        created("FILE", CreateNew, Any),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        created("none", Existing, Any),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND)
    );
    assert_eq!(
        created("none\\x", CreateNew, Any),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        created("file\\x", Existing, Any),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        created("file\\x", CreateNew, Any),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(created("file", CreateIfMissing, File), Ok(false));
    assert_eq!(created("new", CreateIfMissing, File), Ok(true));
    assert_eq!(created("new dir", CreateIfMissing, Directory), Ok(true));
    assert_eq!(created("NEW DIR", CreateIfMissing, Directory), Ok(false));
    assert_eq!(created("new dir\\f", CreateNew, Any), Ok(true));
    assert!(store.path("new dir/f").is_file());
}

#[test]
fn names_are_found_whatever_their_case() {
    let store = Store::new();
    fs::create_dir_all(store.path("Übung/Sub")).unwrap();
    store.put("Übung/Sub/File.TXT", "x");
    let opened = store.open("ÜBUNG\\sub\\file.txt");
    assert_eq!(opened.path.to_string(), "Übung\\Sub\\File.TXT");
    assert_eq!(store.open("übung\\SUB").path.to_string(), "Übung\\Sub");
    // The exact name comes first.
    store.put("A", "upper");
    store.put("a", "lower");
    assert_eq!(store.read("A"), "upper");
    assert_eq!(store.read("a"), "lower");
    // A new file goes into the directory as it is spelled there.
    let created = store.create("ÜBUNG\\SUB\\New");
    assert_eq!(created.path.to_string(), "Übung\\Sub\\New");
    assert!(store.path("Übung/Sub/New").is_file());
}

#[test]
fn the_index_follows_changes() {
    let store = Store::new();
    store.put("One", "1");
    assert_eq!(store.status("ONE"), NtStatus::SUCCESS);
    // By this server.
    store.create("Two");
    assert_eq!(store.open("TWO").path.to_string(), "Two");
    store.open("tWO").handle.unlink().unwrap();
    assert_eq!(store.status("TWO"), NtStatus::OBJECT_NAME_NOT_FOUND);
    // By another program.
    fs::rename(store.path("One"), store.path("Three")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(store.open("THREE").path.to_string(), "Three");
    assert_eq!(store.status("ONE"), NtStatus::OBJECT_NAME_NOT_FOUND);
}

#[test]
fn data() {
    let store = Store::new();
    let handle = store.create("f").handle;
    handle.write(b"hello", 3).unwrap();
    let mut buffer = [9; 16];
    assert_eq!(handle.read(&mut buffer, 0, true), Ok(8));
    assert_eq!(&buffer[..8], b"\0\0\0hello");
    assert_eq!(handle.read(&mut buffer, 8, true), Ok(0));
    assert_eq!(handle.read(&mut buffer, 100, false), Ok(0));
    assert_eq!(
        handle.read(&mut buffer, u64::MAX, true),
        Err(ReadError::Status(NtStatus::INVALID_PARAMETER))
    );
    assert_eq!(
        handle.write(b"x", i64::MAX as u64),
        Err(NtStatus::INVALID_PARAMETER)
    );
    assert_eq!(
        handle.write(b"x", u64::MAX),
        Err(NtStatus::INVALID_PARAMETER)
    );
    handle.set_end_of_file(4).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 4);
    handle.set_end_of_file(10).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 10);
    assert_eq!(
        handle.set_end_of_file(u64::MAX),
        Err(NtStatus::INVALID_PARAMETER)
    );
    handle.flush().unwrap();
    // Reservation keeps the length; a smaller one cuts.
    handle.set_allocation(1 << 20).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 10);
    assert!(handle.stat().unwrap().allocation_size >= 1 << 20);
    handle.set_allocation(2).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 2);
    assert_eq!(handle.set_allocation(1 << 60), Err(NtStatus::DISK_FULL));
}

#[test]
fn reads_that_may_not_block_give_what_is_cached_or_nothing() {
    let store = Store::new();
    let handle = store.create("f").handle;
    let data = vec![7; 1 << 20];
    handle.write(&data, 0).unwrap();
    let mut buffer = vec![0; 1 << 21];
    match handle.read(&mut buffer, 0, false) {
        Ok(count) => assert_eq!(buffer[..count], data),
        Err(error) => assert_eq!(error, ReadError::WouldBlock),
    }
    // Out of the cache: whole or not at all.
    handle.flush().unwrap();
    let file = fs::File::open(store.path("f")).unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    match handle.read(&mut buffer, 0, false) {
        Ok(count) => assert_eq!(count, data.len()),
        Err(error) => assert_eq!(error, ReadError::WouldBlock),
    }
    assert_eq!(handle.read(&mut buffer, 0, true), Ok(data.len()));
    assert_eq!(handle.read(&mut buffer, 0, false), Ok(data.len()));
}

#[test]
fn directories_have_no_data() {
    let store = Store::new();
    let root = store.open("").handle;
    let status = NtStatus::INVALID_DEVICE_REQUEST;
    assert_eq!(
        root.read(&mut [0; 4], 0, true),
        Err(ReadError::Status(status))
    );
    assert_eq!(root.write(b"x", 0), Err(status));
    assert_eq!(root.set_end_of_file(0), Err(status));
    root.flush().unwrap();
    let stat = root.stat().unwrap();
    assert_eq!(
        (stat.end_of_file, stat.allocation_size, stat.links),
        (0, 0, 1)
    );
}

#[test]
fn an_open_without_access_gives_facts_only() {
    let store = Store::new();
    store.put("f", "secret");
    fs::set_permissions(store.path("f"), fs::Permissions::from_mode(0)).unwrap();
    let open = |read| store.open_as("f", CreateMode::Existing, KindWanted::Any, read, false);
    let handle = open(false).unwrap().handle;
    assert_eq!(handle.stat().unwrap().end_of_file, 6);
    let denied = ReadError::Status(NtStatus::ACCESS_DENIED);
    assert_eq!(handle.read(&mut [0; 8], 0, true), Err(denied));
    assert_eq!(handle.read(&mut [0; 8], 0, false), Err(denied));
    assert_eq!(handle.write(b"x", 0), Err(NtStatus::ACCESS_DENIED));
    // Root may read anything.
    if !rustix::process::geteuid().is_root() {
        assert_eq!(open(true).err(), Some(NtStatus::ACCESS_DENIED));
    }
    let time = FileTime::from_unix(1_000_000_000, 500);
    handle
        .set_times(&Times {
            last_write_time: Some(time),
            ..Times::default()
        })
        .unwrap();
    assert_eq!(handle.stat().unwrap().last_write_time, time);
}

#[test]
fn an_open_for_reading_can_be_overwritten_by_its_disposition() {
    let store = Store::new();
    store.put("f", "data");
    let handle = store
        .open_as("f", CreateMode::Existing, KindWanted::File, true, false)
        .unwrap()
        .handle;
    assert_eq!(handle.write(b"x", 0), Err(NtStatus::ACCESS_DENIED));
    handle.set_end_of_file(0).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 0);
}

#[test]
fn times() {
    let store = Store::new();
    for name in ["f", "d"] {
        let kind = if name == "d" {
            KindWanted::Directory
        } else {
            KindWanted::File
        };
        let handle = store
            .try_open(name, CreateMode::CreateNew, kind)
            .unwrap()
            .handle;
        let before = handle.stat().unwrap();
        let now = FileTime::from(std::time::SystemTime::now());
        assert!(now.saturating_since(before.creation_time) < Duration::from_secs(60));
        let [created, accessed, written] =
            [1_100_000_000, 1_200_000_000, 1_300_000_000].map(|at| FileTime::from_unix(at, 700));
        let times = Times {
            last_access_time: Some(accessed),
            ..Times::default()
        };
        handle.set_times(&times).unwrap();
        assert_eq!(handle.stat().unwrap().last_access_time, accessed);
        assert_eq!(
            handle.stat().unwrap().last_write_time,
            before.last_write_time
        );
        let times = Times {
            last_write_time: Some(written),
            ..Times::default()
        };
        handle.set_times(&times).unwrap();
        let times = Times {
            creation_time: Some(created),
            ..Times::default()
        };
        handle.set_times(&times).unwrap();
        let after = store.open(name).handle.stat().unwrap();
        assert_eq!(after.last_write_time, written);
        if xattrs_work(&store) {
            assert_eq!(after.creation_time, created);
            assert_eq!(entry(&store, name).creation_time, created);
        }
        assert_eq!(after.attributes, before.attributes);
    }
    let modified = fs::metadata(store.path("f")).unwrap();
    assert_eq!(
        (modified.mtime(), modified.mtime_nsec()),
        (1_300_000_000, 700)
    );
}

#[test]
fn file_attributes() {
    let store = Store::new();
    let handle = store.create("f").handle;
    assert_eq!(attributes(&*handle), ARCHIVE);
    handle.set_attributes(READONLY | ARCHIVE).unwrap();
    assert_eq!(attributes(&*handle), READONLY | ARCHIVE);
    assert_eq!(fs::metadata(store.path("f")).unwrap().mode() & 0o222, 0);
    assert_eq!(store.status("f"), NtStatus::ACCESS_DENIED);
    assert!(
        store
            .open_as("f", CreateMode::Existing, KindWanted::Any, true, false)
            .is_ok()
    );
    handle.set_attributes(0).unwrap();
    assert_eq!(attributes(&*handle), READONLY | ARCHIVE);
    if xattrs_work(&store) {
        handle.set_attributes(NORMAL).unwrap();
        assert_eq!(attributes(&*handle), NORMAL);
        handle.set_attributes(HIDDEN).unwrap();
        assert_eq!(attributes(&*handle), HIDDEN);
        assert_eq!(entry(&store, "f").attributes, HIDDEN);
        let root = store.open("").handle;
        assert_eq!(attributes(&*root), DIRECTORY);
        root.set_attributes(DIRECTORY | HIDDEN | READONLY).unwrap();
        assert_eq!(attributes(&*root), DIRECTORY | HIDDEN | READONLY);
        // READONLY of a directory does not close it.
        store.create("g");
    }
}

#[test]
fn attributes_of_a_new_file() {
    let store = Store::new();
    let path = &share_path("f");
    let parameters = OpenParameters {
        path,
        mode: CreateMode::CreateNew,
        kind: KindWanted::File,
        read: false,
        write: true,
        attributes: READONLY | HIDDEN | DIRECTORY,
    };
    let handle = store.backend.open(&parameters).unwrap().handle;
    let hidden = if xattrs_work(&store) { HIDDEN } else { 0 };
    assert_eq!(attributes(&*handle), READONLY | ARCHIVE | hidden);
    // Who made it may still fill it.
    handle.write(b"data", 0).unwrap();
}

#[test]
fn a_read_only_share_changes_nothing() {
    let store = Store::with(|path, options| {
        fs::write(path.join("f"), "data").unwrap();
        LocalBackend::new(
            path,
            LocalOptions {
                read_only: true,
                ..options
            },
        )
    });
    let denied = Some(NtStatus::ACCESS_DENIED);
    assert_eq!(
        store
            .try_open("f", CreateMode::Existing, KindWanted::Any)
            .err(),
        denied
    );
    assert_eq!(
        store
            .try_open("g", CreateMode::CreateNew, KindWanted::Any)
            .err(),
        denied
    );
    let open = |name| store.open_as(name, CreateMode::Existing, KindWanted::Any, true, false);
    assert_eq!(open("g").err(), Some(NtStatus::OBJECT_NAME_NOT_FOUND));
    let handle = open("f").unwrap().handle;
    assert_eq!(read(&*handle), "data");
    assert_eq!(handle.unlink().err(), denied);
    assert_eq!(handle.rename(&share_path("g"), true).err(), denied);
    assert_eq!(handle.link(&share_path("g"), true).err(), denied);
    assert_eq!(handle.set_end_of_file(0).err(), denied);
    assert_eq!(handle.set_allocation(0).err(), denied);
    assert_eq!(handle.set_attributes(HIDDEN).err(), denied);
    assert_eq!(handle.set_times(&Times::default()).err(), denied);
    assert_eq!(store.read_only_names(), ["f"]);
}

impl Store {
    fn read_only_names(&self) -> Vec<String> {
        let root = self.open_as("", CreateMode::Existing, KindWanted::Any, true, false);
        root.unwrap().handle.names().unwrap().split_off(2)
    }
}

#[test]
fn listing_shows_files_and_directories_only() {
    let store = Store::new();
    for name in ["b", "A", "c.txt", ".dot"] {
        store.put(name, name);
    }
    fs::create_dir(store.path("dir")).unwrap();
    for hidden in ["back\\slash", "co:lon", "star*", "new\nline"] {
        store.put(hidden, "");
    }
    use std::os::unix::ffi::OsStrExt;
    fs::write(
        store
            .top
            .path()
            .join("share")
            .join(std::ffi::OsStr::from_bytes(b"\xFF\xFE")),
        "",
    )
    .unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, store.path("fifo"), Mode::RWXU).unwrap();
    symlink("b", store.path("link")).unwrap();
    symlink("../outside/secret", store.path("out")).unwrap();
    symlink("nowhere", store.path("dangling")).unwrap();
    let root = store.open("").handle;
    let names = root.names().unwrap();
    assert_eq!(names[..2], [".", ".."]);
    assert_eq!(
        names[2..],
        [".dot", "A", "b", "c.txt", "dangling", "dir", "link", "out"]
    );
    let shown = |name: &str| root.entry(name).unwrap().map(|entry| entry.stat);
    for name in [
        "out",
        "dangling",
        "fifo",
        "none",
        "back\\slash",
        "dir/..",
        "",
        "../outside",
    ] {
        assert!(shown(name).is_none(), "{name:?}");
    }
    assert_eq!(shown("b").unwrap().end_of_file, 1);
    assert_eq!(shown("link").unwrap().key, shown("b").unwrap().key);
    assert_eq!(shown("dir").unwrap().kind, FileKind::Directory);
    // The root of a share is its own parent.
    assert_eq!(shown("..").unwrap().key, shown(".").unwrap().key);
    let dir = store.open("dir").handle;
    assert_eq!(
        dir.entry("..").unwrap().unwrap().stat.key,
        root.stat().unwrap().key
    );
    assert!(!root.is_empty_directory().unwrap());
    assert!(dir.is_empty_directory().unwrap());
}

#[test]
fn ten_thousand_entries() {
    let store = Store::new();
    let started = Instant::now();
    for number in 0..10_000 {
        store.create(&format!("File {number:05}.txt"));
    }
    // Without the index each creation would read the directory so far.
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    let root = store.open("").handle;
    let names = root.names().unwrap();
    assert_eq!(names.len(), 10_002);
    assert!(names[2..].is_sorted());
    for name in &names {
        assert_eq!(root.entry(name).unwrap().unwrap().name, *name);
    }
    for number in (0..10_000).step_by(7) {
        let opened = store.open(&format!("FILE {number:05}.TXT"));
        assert_eq!(opened.path.to_string(), format!("File {number:05}.txt"));
    }
}

#[test]
fn backend_facts() {
    let store = Store::new();
    let capacity = store.backend.capacity().unwrap();
    assert!(capacity.unit_bytes >= 512 && capacity.total_units >= capacity.free_units);
    assert!(store.backend.local_path().ends_with("/share"));
    assert_eq!(
        store.backend.volume_serial_number(),
        store.backend.volume_serial_number()
    );
    assert!(LocalBackend::new(Path::new("/nonexistent"), LocalOptions::default()).is_err());
    store.put("f", "");
    assert!(LocalBackend::new(&store.path("f"), LocalOptions::default()).is_err());
}

fn entry(store: &Store, name: &str) -> FileStat {
    store.open("").handle.entry(name).unwrap().unwrap().stat
}

/// Not every file system that tests run on has them.
fn xattrs_work(store: &Store) -> bool {
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(store.top.path(), "user.test", b"x", flags).is_ok()
}
