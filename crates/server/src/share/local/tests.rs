use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, Instant};

use smb::FileTime;
use tempfile::TempDir;

use super::super::{Cursor, ExtendedAttribute, FileHandle, FileStat, Names, StoreError, Times};
use super::*;

mod data;
mod escapes;
mod facts;
mod listing;
mod names;
mod streams;
mod waiting;

const READONLY: u32 = 1;
const HIDDEN: u32 = 2;
const DIRECTORY: u32 = 0x10;
const ARCHIVE: u32 = 0x20;
const NORMAL: u32 = 0x80;
const SPARSE_FILE: u32 = 0x200;

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

    fn try_open(&self, name: &str, mode: CreateMode, kind: KindWanted) -> StoreResult<Opened> {
        self.open_as(name, mode, kind, true, true)
    }

    fn open_as(
        &self,
        name: &str,
        mode: CreateMode,
        kind: KindWanted,
        read: bool,
        write: bool,
    ) -> StoreResult<Opened> {
        let path = &SharePath::parse(name)?;
        let parameters = OpenParameters {
            path,
            mode,
            kind,
            read,
            write,
            attributes: 0,
            identity: None,
            stream: None,
        };
        self.backend.open(&parameters, Waiting::Allowed)
    }

    fn status(&self, name: &str) -> NtStatus {
        match self.try_open(name, CreateMode::Existing, KindWanted::Any) {
            Ok(_) => NtStatus::SUCCESS,
            Err(error) => failure(error),
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

/// The status of a call that was allowed to wait.
fn failure(error: StoreError) -> NtStatus {
    match error {
        StoreError::Status(status) => status,
        StoreError::WouldWait => panic!("would wait though it may"),
    }
}

fn read(handle: &dyn FileHandle) -> String {
    let mut buffer = [0; 4096];
    let count = handle.read(&mut buffer, 0, Waiting::Allowed).unwrap();
    String::from_utf8(buffer[..count].to_vec()).unwrap()
}

/// All names of a directory.
fn listed(directory: &dyn FileHandle) -> Vec<String> {
    let (mut cursor, mut names) = (Cursor::Start, Names::default());
    while cursor != Cursor::End {
        directory
            .list(&mut cursor, &mut names, Waiting::Allowed)
            .unwrap();
    }
    names.iter().map(str::to_owned).collect()
}

fn share_path(name: &str) -> SharePath {
    SharePath::parse(name).unwrap()
}

fn attributes(handle: &dyn FileHandle) -> u32 {
    handle.stat(Waiting::Allowed).unwrap().attributes
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
    };
    assert_eq!(created("file", Existing, Any), Ok(false));
    assert_eq!(
        created("file", Existing, Directory),
        Err(NtStatus::NOT_A_DIRECTORY.into())
    );
    assert_eq!(
        created("dir", Existing, File),
        Err(NtStatus::FILE_IS_A_DIRECTORY.into())
    );
    assert_eq!(created("dir", Existing, Any), Ok(false));
    assert_eq!(created("", Existing, Any), Ok(false));
    assert_eq!(
        created("", Existing, File),
        Err(NtStatus::FILE_IS_A_DIRECTORY.into())
    );
    assert_eq!(
        created("", CreateNew, Directory),
        Err(NtStatus::OBJECT_NAME_COLLISION.into())
    );
    assert_eq!(
        created("file", CreateNew, Any),
        Err(NtStatus::OBJECT_NAME_COLLISION.into())
    );
    assert_eq!(
        created("FILE", CreateNew, Any),
        Err(NtStatus::OBJECT_NAME_COLLISION.into())
    );
    assert_eq!(
        created("none", Existing, Any),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND.into())
    );
    assert_eq!(
        created("none\\x", CreateNew, Any),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND.into())
    );
    assert_eq!(
        created("file\\x", Existing, Any),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND.into())
    );
    assert_eq!(
        created("file\\x", CreateNew, Any),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND.into())
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
    store.open("tWO").handle.unlink(Waiting::Allowed).unwrap();
    assert_eq!(store.status("TWO"), NtStatus::OBJECT_NAME_NOT_FOUND);
    // By another program.
    fs::rename(store.path("One"), store.path("Three")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(store.open("THREE").path.to_string(), "Three");
    assert_eq!(store.status("ONE"), NtStatus::OBJECT_NAME_NOT_FOUND);
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
    let denied: Option<StoreError> = Some(NtStatus::ACCESS_DENIED.into());
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
    assert_eq!(
        open("g").err(),
        Some(NtStatus::OBJECT_NAME_NOT_FOUND.into())
    );
    let handle = open("f").unwrap().handle;
    assert_eq!(read(&*handle), "data");
    assert_eq!(handle.unlink(Waiting::Allowed).err(), denied);
    assert_eq!(
        handle
            .rename(&share_path("g"), true, Waiting::Allowed)
            .err(),
        denied
    );
    assert_eq!(
        handle.link(&share_path("g"), true, Waiting::Allowed).err(),
        denied
    );
    assert_eq!(handle.set_end_of_file(0, Waiting::Allowed).err(), denied);
    assert_eq!(handle.set_allocation(0, Waiting::Allowed).err(), denied);
    assert_eq!(
        handle.set_attributes(HIDDEN, Waiting::Allowed).err(),
        denied
    );
    assert_eq!(
        handle.set_times(&Times::default(), Waiting::Allowed).err(),
        denied
    );
    assert_eq!(store.read_only_names(), ["f"]);
}

impl Store {
    fn read_only_names(&self) -> Vec<String> {
        let root = self.open_as("", CreateMode::Existing, KindWanted::Any, true, false);
        listed(&*root.unwrap().handle).split_off(2)
    }
}

#[test]
fn backend_facts() {
    let store = Store::new();
    let capacity = store.backend.capacity(Waiting::Allowed).unwrap();
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
