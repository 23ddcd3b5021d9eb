//! Times and attributes.

use super::*;

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

fn entry(store: &Store, name: &str) -> FileStat {
    store.open("").handle.entry(name).unwrap().unwrap().stat
}

/// Not every file system that tests run on has them.
fn xattrs_work(store: &Store) -> bool {
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(store.top.path(), "user.test", b"x", flags).is_ok()
}
