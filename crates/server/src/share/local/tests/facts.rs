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

#[test]
fn a_change_time_that_was_set_is_shown_until_something_changes() {
    let store = Store::new();
    let handle = store.create("f").handle;
    let shown = |handle: &dyn FileHandle| handle.stat(Waiting::Allowed).unwrap().change_time;
    let set = |time: FileTime| {
        let times = Times {
            creation_time: Some(time),
            last_access_time: Some(time),
            last_write_time: Some(time),
            change_time: Some(time),
        };
        handle.set_times(&times, Waiting::Allowed).unwrap();
    };
    // Before 1970, around it, and beyond what 32 bits hold.
    for seconds in [
        -63_158_400,
        -2,
        -1,
        0,
        1,
        4_294_967_295,
        10_000_000_000,
        15_032_385_535,
    ] {
        let time = FileTime::from_unix(seconds, 0);
        set(time);
        let stat = handle.stat(Waiting::Allowed).unwrap();
        assert_eq!(
            [
                stat.last_access_time,
                stat.last_write_time,
                stat.change_time
            ],
            [time; 3],
            "{seconds} s"
        );
        assert_eq!(shown(&*store.open("f").handle), time, "{seconds} s");
        let root = store.open("").handle;
        let entry = root.entry("f", Waiting::Allowed).unwrap().unwrap();
        assert_eq!(entry.stat.change_time, time, "{seconds} s");
    }
    let time = FileTime::from_unix(1_000_000_000, 0);
    let before = FileTime::from(std::time::SystemTime::now());
    let close = |time: FileTime| before.saturating_since(time) < Duration::from_secs(10);
    let changes: [&dyn Fn(); 4] = [
        &|| handle.write(b"x", 0, Waiting::Allowed).unwrap(),
        &|| handle.set_attributes(HIDDEN, Waiting::Allowed).unwrap(),
        &|| {
            let times = Times {
                last_write_time: Some(time),
                ..Times::default()
            };
            handle.set_times(&times, Waiting::Allowed).unwrap();
        },
        &|| fs::set_permissions(store.path("f"), fs::Permissions::from_mode(0o600)).unwrap(),
    ];
    for (number, change) in changes.iter().enumerate() {
        set(time);
        assert_eq!(shown(&*handle), time, "{number}");
        // The kernel's clock ticks in milliseconds.
        std::thread::sleep(Duration::from_millis(12));
        change();
        assert!(close(shown(&*handle)), "{number}");
        assert!(close(shown(&*store.open("f").handle)), "{number}");
    }
}

#[test]
fn normal_clears_the_attributes() {
    let store = Store::new();
    fs::create_dir(store.path("d")).unwrap();
    store.put("f", "");
    for (name, nothing, shown) in [
        ("f", NORMAL, NORMAL),
        ("d", DIRECTORY, DIRECTORY),
        ("d", NORMAL, DIRECTORY),
    ] {
        let handle = store.open(name).handle;
        handle
            .set_attributes(READONLY | HIDDEN, Waiting::Allowed)
            .unwrap();
        handle.set_attributes(0, Waiting::Allowed).unwrap();
        if xattrs_work(&store) {
            assert_eq!(attributes(&*handle) & READONLY, READONLY, "{name}");
        }
        handle.set_attributes(nothing, Waiting::Allowed).unwrap();
        assert_eq!(attributes(&*handle), shown, "{name}");
    }
}

#[test]
fn a_directory_is_never_temporary() {
    let store = Store::new();
    let handle = store.open("").handle;
    let temporary = 0x100;
    assert_eq!(
        handle.set_attributes(temporary, Waiting::Allowed),
        Err(NtStatus::INVALID_PARAMETER.into())
    );
    let handle = store.create("f").handle;
    handle.set_attributes(temporary, Waiting::Allowed).unwrap();
    if xattrs_work(&store) {
        assert_eq!(attributes(&*handle), temporary);
    }
}

#[test]
fn a_file_occupies_no_less_than_its_length() {
    let store = Store::new();
    let handle = store.create("f").handle;
    let size = || handle.stat(Waiting::Allowed).unwrap().allocation_size;
    assert_eq!(size(), 0);
    handle.write(b"x", 0, Waiting::Allowed).unwrap();
    assert_eq!(size(), 4096);
    handle.set_end_of_file(1 << 20, Waiting::Allowed).unwrap();
    assert_eq!(size(), 1 << 20);
    if xattrs_work(&store) {
        handle.set_sparse(true, Waiting::Allowed).unwrap();
        assert!(size() < 1 << 20);
        handle.set_sparse(false, Waiting::Allowed).unwrap();
    }
    handle.set_end_of_file(0, Waiting::Allowed).unwrap();
    handle.set_allocation(1 << 20, Waiting::Allowed).unwrap();
    assert_eq!(size(), 1 << 20);
}

#[test]
fn extended_attributes_and_security_are_kept() {
    let store = Store::new();
    fs::create_dir(store.path("d")).unwrap();
    store.put("f", "");
    if !xattrs_work(&store) {
        return;
    }
    let wait = Waiting::Allowed;
    for name in ["f", "d"] {
        // O_PATH is enough.
        let open = store.open_as(name, CreateMode::Existing, KindWanted::Any, false, false);
        let handle = open.unwrap().handle;
        assert_eq!(handle.security(wait), Ok(None));
        handle.set_security(b"descriptor", wait).unwrap();
        assert_eq!(handle.security(wait), Ok(Some(b"descriptor".to_vec())));
        handle.set_attributes(HIDDEN, wait).unwrap();
        assert_eq!(handle.extended_attributes(wait), Ok(vec![]));
        let set = |name: &str, value: &[u8]| {
            let change = ExtendedAttribute {
                name: name.into(),
                value: value.to_vec(),
                need: false,
            };
            handle.change_extended_attributes(&[change], wait)
        };
        set("EAone", b"1").unwrap();
        set("SECOND", b"two").unwrap();
        set("EAONE", b"changed").unwrap();
        let all = || {
            let list = handle.extended_attributes(wait).unwrap();
            let mut list: Vec<_> = list
                .into_iter()
                .map(|one| {
                    (
                        String::from(one.name),
                        String::from_utf8(one.value).unwrap(),
                    )
                })
                .collect();
            list.sort();
            list
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(all(), [pair("EAone", "changed"), pair("SECOND", "two")]);
        let size = || handle.stat(wait).unwrap().ea_size;
        assert_eq!(size(), 4 + 17 + 14);
        // What other programs have there, if it has a name for the wire.
        let path = store.path(name);
        for (name, value) in [
            ("user.of.others", "x"),
            ("user.no:name", "x"),
            ("user.e", ""),
        ] {
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::setxattr(&path, name, value.as_bytes(), flags).unwrap();
        }
        assert_eq!(all().len(), 3);
        assert_eq!(size(), 4 + 17 + 14 + 15);
        set("second", b"").unwrap();
        set("of.others", b"").unwrap();
        set("none", b"").unwrap();
        assert_eq!(all(), [pair("EAone", "changed")]);
        let denied = set("NetSession.security", b"x");
        assert_eq!(denied, Err(NtStatus::ACCESS_DENIED.into()));
        for name in ["", "nul\0", &"x".repeat(251)] {
            let invalid = set(name, b"x");
            assert_eq!(invalid, Err(NtStatus::INVALID_EA_NAME.into()), "{name:?}");
        }
        // More than the file system takes: all is as it was before.
        let large = ["EAone", "large", "larger"].map(|name| ExtendedAttribute {
            name: name.into(),
            value: vec![1; 21_000],
            need: false,
        });
        match handle.change_extended_attributes(&large, wait) {
            Ok(()) => assert_eq!(handle.extended_attributes(wait).unwrap().len(), 3),
            refused => {
                assert_eq!(refused, Err(NtStatus::EA_TOO_LARGE.into()));
                assert_eq!(all(), [pair("EAone", "changed")]);
            }
        }
        let too_large = set("large", &[1; 65_600]);
        assert_eq!(too_large, Err(NtStatus::EA_TOO_LARGE.into()));
        assert_eq!(handle.security(wait), Ok(Some(b"descriptor".to_vec())));
        assert_eq!(attributes(&*handle) & HIDDEN, HIDDEN);
    }
}
