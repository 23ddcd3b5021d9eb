//! What is done in place, on which medium.

use super::*;
use crate::share::local::medium::Medium;

const REFUSED: Waiting = Waiting::Refused;

fn on(medium: Medium) -> Store {
    Store::with(|path, options| LocalBackend::on(medium, path, options))
}

impl Store {
    fn open_in_place(&self, name: &str, mode: CreateMode, kind: KindWanted) -> StoreResult<Opened> {
        let path = &SharePath::parse(name)?;
        let parameters = OpenParameters {
            path,
            mode,
            kind,
            read: true,
            write: true,
            attributes: 0,
            identity: None,
            creation: None,
            stream: None,
        };
        self.backend.open(&parameters, REFUSED)
    }
}

/// Every call that changes something or reads a directory, one after the other; each leaves
/// the file usable for the next.
fn calls(
    handle: &dyn FileHandle,
    directory: &dyn FileHandle,
) -> Vec<(&'static str, StoreResult<()>)> {
    let times = Times {
        change_time: Some(FileTime::from_unix(1_000_000_000, 0)),
        last_write_time: Some(FileTime::from_unix(1_000_000_000, 0)),
        ..Times::default()
    };
    vec![
        ("flush", handle.flush(REFUSED)),
        ("set_end_of_file", handle.set_end_of_file(7, REFUSED)),
        ("set_allocation", handle.set_allocation(8192, REFUSED)),
        ("zero_range", handle.zero_range(0, 4, REFUSED)),
        (
            "allocated_ranges",
            handle.allocated_ranges(0, 4, REFUSED).map(drop),
        ),
        ("set_times", handle.set_times(&times, REFUSED)),
        ("set_attributes", handle.set_attributes(HIDDEN, REFUSED)),
        ("link", handle.link(&share_path("link"), false, REFUSED)),
        (
            "rename",
            handle.rename(&share_path("moved"), false, REFUSED),
        ),
        ("unlink", handle.unlink(REFUSED)),
        (
            "is_empty_directory",
            directory.is_empty_directory(REFUSED).map(drop),
        ),
        ("entry", directory.entry("other", REFUSED).map(drop)),
        (
            "list",
            directory.list(&mut Cursor::Start, &mut Names::default(), REFUSED),
        ),
        ("find", directory.find("other", REFUSED).map(drop)),
    ]
}

#[test]
fn in_memory_everything_is_done_in_place() {
    let store = on(Medium::Memory);
    store.put("other", "");
    let created = store.open_in_place("f", CreateMode::CreateNew, KindWanted::File);
    let handle = created.unwrap().handle;
    handle.write(b"data", 0, REFUSED).unwrap();
    assert_eq!(handle.read(&mut [0; 8], 0, REFUSED), Ok(4));
    assert_eq!(handle.stat(REFUSED).unwrap().end_of_file, 4);
    let directory = store.open_in_place("", CreateMode::Existing, KindWanted::Any);
    for (call, result) in calls(&*handle, &*directory.unwrap().handle) {
        assert_eq!(result, Ok(()), "{call}");
    }
    let again = store.open_in_place("LINK", CreateMode::Existing, KindWanted::Any);
    assert_eq!(again.unwrap().path.to_string(), "link");
    assert!(store.backend.capacity(REFUSED).is_ok());
}

#[test]
fn on_disk_only_what_is_cached_is_done_in_place() {
    let store = on(Medium::Disk);
    store.put("f", "data");
    store.put("other", "");
    let would_wait = |result: StoreResult<Opened>| result.err() == Some(StoreError::WouldWait);
    let create = |name| store.open_in_place(name, CreateMode::CreateNew, KindWanted::Any);
    assert!(would_wait(create("new")));
    assert!(!store.path("new").exists());
    // Just made, so the kernel has it in memory; kernels before 5.12 cannot say so.
    let open = |name| store.open_in_place(name, CreateMode::Existing, KindWanted::Any);
    let handle = match open("f") {
        Err(StoreError::WouldWait) => return,
        opened => opened.unwrap().handle,
    };
    let directory = open("").unwrap().handle;
    assert_eq!(handle.stat(REFUSED).unwrap().end_of_file, 4);
    assert!(handle.parent_key(REFUSED).unwrap().is_some());
    assert!(store.backend.capacity(REFUSED).is_ok());
    for (call, result) in calls(&*handle, &*directory) {
        assert_eq!(result, Err(StoreError::WouldWait), "{call}");
    }
    assert_eq!(store.read("f"), "data");
    assert_eq!(attributes(&*handle) & HIDDEN, 0);
    match handle.write(b"DATA", 0, REFUSED) {
        Ok(()) => assert_eq!(store.read("f"), "DATA"),
        result => assert_eq!(result, Err(StoreError::WouldWait)),
    }
    // Another spelling needs the index, which is there after somebody has waited for it.
    assert!(would_wait(open("OTHER")));
    assert_eq!(store.open("OTHER").path.to_string(), "other");
    assert_eq!(open("OTHER").unwrap().path.to_string(), "other");
    let missing = || store.open_in_place("missing", CreateMode::Existing, KindWanted::Any);
    assert_eq!(store.status("missing"), NtStatus::OBJECT_NAME_NOT_FOUND);
    assert_eq!(
        missing().err(),
        Some(NtStatus::OBJECT_NAME_NOT_FOUND.into())
    );
}

#[test]
fn on_another_machine_nothing_is_done_in_place() {
    let store = on(Medium::Remote);
    store.put("f", "data");
    store.put("other", "");
    for (name, mode) in [("f", CreateMode::Existing), ("new", CreateMode::CreateNew)] {
        let opened = store.open_in_place(name, mode, KindWanted::Any);
        assert_eq!(opened.err(), Some(StoreError::WouldWait));
    }
    let (handle, directory) = (store.open("f").handle, store.open("").handle);
    assert_eq!(handle.stat(REFUSED).err(), Some(StoreError::WouldWait));
    assert_eq!(handle.parent_key(REFUSED), Err(StoreError::WouldWait));
    assert_eq!(store.backend.capacity(REFUSED), Err(StoreError::WouldWait));
    for (call, result) in calls(&*handle, &*directory) {
        assert_eq!(result, Err(StoreError::WouldWait), "{call}");
    }
    assert_eq!(store.read("f"), "data");
}

#[test]
fn attributes_that_nobody_has_read_lately_are_read_by_who_may_wait() {
    // A file that has long been there, if the system has one.
    let options = LocalOptions {
        read_only: true,
        ..LocalOptions::default()
    };
    let Ok(backend) = LocalBackend::on(Medium::Disk, Path::new("/etc"), options) else {
        return;
    };
    let path = &share_path("passwd");
    let parameters = OpenParameters {
        path,
        mode: CreateMode::Existing,
        kind: KindWanted::Any,
        read: true,
        write: false,
        attributes: 0,
        identity: None,
        creation: None,
        stream: None,
    };
    let Ok(opened) = backend.open(&parameters, Waiting::Allowed) else {
        return;
    };
    let changed = fs::metadata("/etc/passwd").unwrap().ctime();
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    if now.saturating_sub(changed as u64) < 60 {
        return;
    }
    let handle = opened.handle;
    assert_eq!(handle.stat(REFUSED).err(), Some(StoreError::WouldWait));
    handle.stat(Waiting::Allowed).unwrap();
    assert!(handle.stat(REFUSED).is_ok());
}
