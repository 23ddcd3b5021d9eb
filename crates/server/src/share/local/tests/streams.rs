//! Named streams.

use super::*;

fn open(store: &Store, name: &str, stream: &str, mode: CreateMode) -> StoreResult<Opened> {
    let parameters = OpenParameters {
        path: &share_path(name),
        mode,
        kind: KindWanted::Any,
        read: true,
        write: true,
        attributes: 0,
        identity: None,
        creation: None,
        stream: Some(stream),
    };
    store.backend.open(&parameters, Waiting::Allowed)
}

fn status(result: StoreResult<Opened>) -> NtStatus {
    result.map_or_else(failure, |_| NtStatus::SUCCESS)
}

/// A store whose file system keeps extended attributes.
fn store() -> Option<Store> {
    let store = Store::new();
    let flags = rustix::fs::XattrFlags::empty();
    let works = rustix::fs::setxattr(store.top.path(), "user.test", b"x", flags).is_ok();
    works.then_some(store)
}

fn listed(handle: &dyn FileHandle) -> Vec<(String, u64)> {
    let streams = handle.streams(Waiting::Allowed).unwrap();
    let named = streams
        .iter()
        .filter_map(|one| Some((one.name.as_ref()?.to_string(), one.end_of_file)));
    named.collect()
}

#[test]
fn content_of_streams() {
    let Some(store) = store() else { return };
    for name in ["file", "folder"] {
        match name {
            "file" => drop(store.create(name)),
            _ => fs::create_dir(store.path(name)).unwrap(),
        }
        let base = store.open(name).handle;
        assert!(listed(&*base).is_empty());
        assert_eq!(
            status(open(&store, name, "first", CreateMode::Existing)),
            NtStatus::OBJECT_NAME_NOT_FOUND
        );
        let opened = open(&store, name, "First", CreateMode::CreateNew).unwrap();
        assert!(opened.created);
        let stream = opened.handle;
        stream.write(b"456", 3, Waiting::Allowed).unwrap();
        stream.write(b"123", 0, Waiting::Allowed).unwrap();
        // Found whatever the case, not made twice.
        assert_eq!(
            status(open(&store, name, "FIRST", CreateMode::CreateNew)),
            NtStatus::OBJECT_NAME_COLLISION
        );
        let again = open(&store, name, "fIRST", CreateMode::CreateIfMissing).unwrap();
        assert!(!again.created);
        let mut bytes = [0; 8];
        let count = again.handle.read(&mut bytes, 1, Waiting::Allowed).unwrap();
        assert_eq!(&bytes[..count], b"23456");
        assert_eq!(again.handle.read(&mut bytes, 9, Waiting::Allowed), Ok(0));
        again.handle.set_end_of_file(2, Waiting::Allowed).unwrap();
        let (of_stream, of_base) = (
            stream.stat(Waiting::Allowed).unwrap(),
            base.stat(Waiting::Allowed).unwrap(),
        );
        assert_eq!(of_stream.end_of_file, 2);
        assert_eq!(of_stream.key, of_base.key, "it has the number of its file");
        assert_eq!(of_stream.kind, FileKind::File);
        assert_eq!(of_base.end_of_file, 0);
        drop(open(&store, name, "another", CreateMode::CreateNew).unwrap());
        let expected = [("another".to_owned(), 0), ("First".to_owned(), 2)];
        assert_eq!(listed(&*base), expected);
        stream.unlink(Waiting::Allowed).unwrap();
        assert_eq!(listed(&*base), expected[..1]);
        assert!(stream.read(&mut bytes, 0, Waiting::Allowed).is_err());
    }
}

#[test]
fn a_stream_makes_its_file() {
    let Some(store) = store() else { return };
    assert_eq!(
        status(open(&store, "new", "s", CreateMode::Existing)),
        NtStatus::OBJECT_NAME_NOT_FOUND
    );
    assert!(
        open(&store, "new", "s", CreateMode::CreateNew)
            .unwrap()
            .created
    );
    assert_eq!(fs::read(store.path("new")).unwrap(), b"");
}

#[test]
fn a_stream_has_an_end() {
    let Some(store) = store() else { return };
    drop(store.create("file"));
    let stream = open(&store, "file", "s", CreateMode::CreateNew)
        .unwrap()
        .handle;
    let full = Err(StoreError::Status(NtStatus::DISK_FULL));
    assert_eq!(stream.write(&[1; 65_537], 0, Waiting::Allowed), full);
    assert_eq!(stream.write(b"x", 1 << 40, Waiting::Allowed), full);
    assert_eq!(stream.set_end_of_file(1 << 40, Waiting::Allowed), full);
    assert_eq!(stream.stat(Waiting::Allowed).unwrap().end_of_file, 0);
}

#[test]
fn a_directory_is_no_stream() {
    let Some(store) = store() else { return };
    drop(store.create("file"));
    let parameters = OpenParameters {
        path: &share_path("file"),
        mode: CreateMode::CreateIfMissing,
        kind: KindWanted::Directory,
        read: false,
        write: false,
        attributes: 0,
        identity: None,
        creation: None,
        stream: Some("s"),
    };
    let opened = store.backend.open(&parameters, Waiting::Allowed);
    assert_eq!(status(opened), NtStatus::NOT_A_DIRECTORY);
}
