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
        let before = handle.stat(Waiting::Allowed).unwrap();
        let now = FileTime::from(std::time::SystemTime::now());
        assert!(now.saturating_since(before.creation_time) < Duration::from_secs(60));
        let [created, accessed, written] =
            [1_100_000_000, 1_200_000_000, 1_300_000_000].map(|at| FileTime::from_unix(at, 700));
        let times = Times {
            last_access_time: Some(accessed),
            ..Times::default()
        };
        handle.set_times(&times, Waiting::Allowed).unwrap();
        assert_eq!(
            handle.stat(Waiting::Allowed).unwrap().last_access_time,
            accessed
        );
        assert_eq!(
            handle.stat(Waiting::Allowed).unwrap().last_write_time,
            before.last_write_time
        );
        let times = Times {
            last_write_time: Some(written),
            ..Times::default()
        };
        handle.set_times(&times, Waiting::Allowed).unwrap();
        let times = Times {
            creation_time: Some(created),
            ..Times::default()
        };
        handle.set_times(&times, Waiting::Allowed).unwrap();
        let after = store.open(name).handle.stat(Waiting::Allowed).unwrap();
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
    handle
        .set_attributes(READONLY | ARCHIVE, Waiting::Allowed)
        .unwrap();
    assert_eq!(attributes(&*handle), READONLY | ARCHIVE);
    assert_eq!(fs::metadata(store.path("f")).unwrap().mode() & 0o222, 0);
    assert_eq!(store.status("f"), NtStatus::ACCESS_DENIED);
    assert!(
        store
            .open_as("f", CreateMode::Existing, KindWanted::Any, true, false)
            .is_ok()
    );
    handle.set_attributes(0, Waiting::Allowed).unwrap();
    assert_eq!(attributes(&*handle), READONLY | ARCHIVE);
    if xattrs_work(&store) {
        handle.set_attributes(NORMAL, Waiting::Allowed).unwrap();
        assert_eq!(attributes(&*handle), NORMAL);
        handle.set_attributes(HIDDEN, Waiting::Allowed).unwrap();
        assert_eq!(attributes(&*handle), HIDDEN);
        assert_eq!(entry(&store, "f").attributes, HIDDEN);
        let root = store.open("").handle;
        assert_eq!(attributes(&*root), DIRECTORY);
        root.set_attributes(DIRECTORY | HIDDEN | READONLY, Waiting::Allowed)
            .unwrap();
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
        identity: None,
        stream: None,
    };
    let handle = store
        .backend
        .open(&parameters, Waiting::Allowed)
        .unwrap()
        .handle;
    let hidden = if xattrs_work(&store) { HIDDEN } else { 0 };
    assert_eq!(attributes(&*handle), READONLY | ARCHIVE | hidden);
    // Who made it may still fill it.
    handle.write(b"data", 0, Waiting::Allowed).unwrap();
}

fn entry(store: &Store, name: &str) -> FileStat {
    store
        .open("")
        .handle
        .entry(name, Waiting::Allowed)
        .unwrap()
        .unwrap()
        .stat
}

/// Not every file system that tests run on has them.
fn xattrs_work(store: &Store) -> bool {
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(store.top.path(), "user.test", b"x", flags).is_ok()
}

#[test]
fn a_file_is_sparse_if_that_was_set() {
    let store = Store::new();
    let handle = store.create("f").handle;
    if !xattrs_work(&store) {
        return;
    }
    handle.set_sparse(true, Waiting::Allowed).unwrap();
    assert_eq!(attributes(&*handle), SPARSE_FILE | ARCHIVE);
    handle.set_attributes(HIDDEN, Waiting::Allowed).unwrap();
    assert_eq!(attributes(&*handle), SPARSE_FILE | HIDDEN);
    handle.set_sparse(false, Waiting::Allowed).unwrap();
    assert_eq!(attributes(&*handle), HIDDEN);
}
