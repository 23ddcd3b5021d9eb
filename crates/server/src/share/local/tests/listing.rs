//! Directories.

use super::*;

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
    rustix::fs::mkfifoat(CWD, store.path("fifo"), Mode::RWXU).unwrap();
    symlink("b", store.path("link")).unwrap();
    symlink("../outside/secret", store.path("out")).unwrap();
    symlink("nowhere", store.path("dangling")).unwrap();
    let root = store.open("").handle;
    let names = root.names(Waiting::Allowed).unwrap();
    assert_eq!(names[..2], [".", ".."]);
    assert_eq!(
        names[2..],
        [".dot", "A", "b", "c.txt", "dangling", "dir", "link", "out"]
    );
    let shown = |name: &str| {
        root.entry(name, Waiting::Allowed)
            .unwrap()
            .map(|entry| entry.stat)
    };
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
        dir.entry("..", Waiting::Allowed).unwrap().unwrap().stat.key,
        root.stat(Waiting::Allowed).unwrap().key
    );
    assert!(!root.is_empty_directory(Waiting::Allowed).unwrap());
    assert!(dir.is_empty_directory(Waiting::Allowed).unwrap());
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
    let names = root.names(Waiting::Allowed).unwrap();
    assert_eq!(names.len(), 10_002);
    assert!(names[2..].is_sorted());
    for name in &names {
        assert_eq!(
            root.entry(name, Waiting::Allowed).unwrap().unwrap().name,
            *name
        );
    }
    for number in (0..10_000).step_by(7) {
        let opened = store.open(&format!("FILE {number:05}.TXT"));
        assert_eq!(opened.path.to_string(), format!("File {number:05}.txt"));
    }
}
