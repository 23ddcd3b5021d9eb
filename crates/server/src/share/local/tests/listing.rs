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
    let names = listed(&*root);
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
    let names = listed(&*root);
    assert_eq!(names.len(), 10_002);
    assert_eq!(names[..2], [".", ".."]);
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

#[test]
fn a_small_directory_is_listed_in_order() {
    let store = Store::new();
    for number in (0..2_000).rev() {
        let letter = if number % 2 == 0 { "f" } else { "F" };
        store.put(&format!("{letter}ile {number:05}"), "");
    }
    let names = listed(&*store.open("").handle);
    assert_eq!(names.len(), 2_002);
    assert!(names[2..].is_sorted_by_key(|name| name.to_uppercase()));
}

/// What a page holds at most: a buffer of names beside a listing that is sorted.
const PAGE: usize = 96 * 1024;

#[test]
fn a_large_directory_is_listed_page_by_page() {
    let store = Store::new();
    let padding = "x".repeat(60);
    for number in 0..5_000 {
        store.put(&format!("{padding}{number}"), "");
    }
    let root = store.open("").handle;
    let (mut cursor, mut names) = (Cursor::Start, Names::default());
    let mut seen = std::collections::BTreeSet::new();
    let mut pages = 0;
    while cursor != Cursor::End {
        root.list(&mut cursor, &mut names, Waiting::Allowed)
            .unwrap();
        assert!(names.capacity() <= PAGE, "{} bytes", names.capacity());
        if pages == 0 {
            assert_eq!(names.iter().take(2).collect::<Vec<_>>(), [".", ".."]);
        }
        pages += 1;
        while let Some(name) = names.peek() {
            assert!(seen.insert(name.to_owned()), "{name} came twice");
            // What was given may go without disturbing the others, and what comes too.
            if pages % 2 == 1 && seen.len() > 2 {
                fs::remove_file(store.path(name)).unwrap();
            }
            names.advance();
        }
        store.put(&format!("new {pages}"), "");
    }
    assert!(pages > 2);
    let old = seen.iter().filter(|name| name.starts_with(&padding));
    assert_eq!(old.count(), 5_000);
    // Two cursors of one handle, and one that starts again.
    let (mut one, mut other) = (Cursor::Start, Cursor::Start);
    let (mut names_of_one, mut names_of_other) = (Names::default(), Names::default());
    while one != Cursor::End || other != Cursor::End {
        root.list(&mut one, &mut names_of_one, Waiting::Allowed)
            .unwrap();
        root.list(&mut other, &mut names_of_other, Waiting::Allowed)
            .unwrap();
    }
    let all = |names: &Names| names.iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(all(&names_of_one), all(&names_of_other));
    assert_eq!(all(&names_of_one).len(), listed(&*root).len());
}

#[test]
fn a_new_directory_is_listed_by_the_handle_that_made_it() {
    let store = Store::new();
    let made = store.try_open("d", CreateMode::CreateNew, KindWanted::Directory);
    let directory = made.unwrap().handle;
    store.put("d/f", "");
    assert_eq!(listed(&*directory), [".", "..", "f"]);
    // One that was opened for its attributes can be listed too.
    let open = store.open_as("d", CreateMode::Existing, KindWanted::Any, false, false);
    let handle = open.unwrap().handle;
    assert_eq!(listed(&*handle), [".", "..", "f"]);
    fs::remove_file(store.path("d/f")).unwrap();
    fs::remove_dir(store.path("d")).unwrap();
    assert_eq!(listed(&*directory), [".", ".."]);
}

#[test]
fn a_name_is_found_in_a_directory_whatever_its_case() {
    let store = Store::new();
    store.put("Name", "");
    store.put("both", "");
    store.put("BOTH", "");
    let root = store.open("").handle;
    let find = |name| root.find(name, Waiting::Allowed).unwrap();
    for (name, found) in [
        ("name", Some("Name")),
        ("both", Some("both")),
        ("Both", Some("BOTH")),
        (".", Some(".")),
        ("..", Some("..")),
        ("none", None),
        ("a/b", None),
    ] {
        assert_eq!(find(name).as_deref(), found, "{name}");
    }
}
