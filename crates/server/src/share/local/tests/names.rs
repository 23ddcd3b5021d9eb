//! Rename, link and unlink.

use super::*;

fn names(store: &Store) -> Vec<String> {
    listed(&*store.open("").handle).split_off(2)
}

#[test]
fn rename_moves_the_file_and_the_handle() {
    let store = Store::new();
    fs::create_dir(store.path("Dir")).unwrap();
    let handle = store.create("a").handle;
    handle.write(b"a", 0, Waiting::Allowed).unwrap();
    handle
        .rename(&share_path("b"), false, Waiting::Allowed)
        .unwrap();
    assert_eq!(names(&store), ["b", "Dir"]);
    handle
        .rename(&share_path("DIR\\c"), false, Waiting::Allowed)
        .unwrap();
    assert_eq!(names(&store), ["Dir"]);
    assert_eq!(store.read("dir\\C"), "a");
    handle.unlink(Waiting::Allowed).unwrap();
    assert!(
        store
            .open("Dir")
            .handle
            .is_empty_directory(Waiting::Allowed)
            .unwrap()
    );
    assert_eq!(
        handle.unlink(Waiting::Allowed),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND.into())
    );
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().links, 0);
}

#[test]
fn rename_onto_another_file() {
    let store = Store::new();
    store.put("a", "a");
    store.put("B", "B");
    let handle = store.open("a").handle;
    assert_eq!(
        handle.rename(&share_path("b"), false, Waiting::Allowed),
        Err(NtStatus::OBJECT_NAME_COLLISION.into())
    );
    assert_eq!(
        handle.rename(&share_path("B"), false, Waiting::Allowed),
        Err(NtStatus::OBJECT_NAME_COLLISION.into())
    );
    // The new name is spelled as asked.
    handle
        .rename(&share_path("b"), true, Waiting::Allowed)
        .unwrap();
    assert_eq!(names(&store), ["b"]);
    assert_eq!(store.read("B"), "a");
    fs::create_dir(store.path("d")).unwrap();
    assert_eq!(
        handle.rename(&share_path("d"), true, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
    store.put("r", "");
    store
        .open("r")
        .handle
        .set_attributes(READONLY, Waiting::Allowed)
        .unwrap();
    assert_eq!(
        handle.rename(&share_path("r"), true, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
    assert_eq!(
        handle.rename(&share_path("none\\x"), true, Waiting::Allowed),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND.into())
    );
    assert_eq!(
        handle.rename(&SharePath::root(), true, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
    handle.unlink(Waiting::Allowed).unwrap();
}

#[test]
fn rename_to_another_case_of_the_same_name() {
    let store = Store::new();
    store.put("file", "x");
    let handle = store.open("FILE").handle;
    handle
        .rename(&share_path("File"), false, Waiting::Allowed)
        .unwrap();
    assert_eq!(names(&store), ["File"]);
    handle
        .rename(&share_path("File"), false, Waiting::Allowed)
        .unwrap();
    assert_eq!(names(&store), ["File"]);
    handle.unlink(Waiting::Allowed).unwrap();
    assert!(names(&store).is_empty());
}

#[test]
fn rename_directories() {
    let store = Store::new();
    fs::create_dir_all(store.path("a/b")).unwrap();
    store.put("file", "");
    store.put("a/file", "");
    let handle = store.open("a").handle;
    assert_eq!(
        handle.rename(&share_path("a\\b\\c"), false, Waiting::Allowed),
        Err(NtStatus::INVALID_PARAMETER.into())
    );
    assert_eq!(
        handle.rename(&share_path("a\\file"), true, Waiting::Allowed),
        Err(NtStatus::INVALID_PARAMETER.into())
    );
    assert!(store.path("a/file").exists());
    handle
        .rename(&share_path("FILE"), true, Waiting::Allowed)
        .unwrap();
    assert_eq!(names(&store), ["FILE"]);
    assert!(store.path("FILE/b").is_dir());
    let root = store.open("").handle;
    assert_eq!(
        root.rename(&share_path("x"), false, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
}

#[test]
fn rename_onto_another_name_of_the_same_file() {
    let store = Store::new();
    store.put("a", "x");
    fs::hard_link(store.path("a"), store.path("b")).unwrap();
    let handle = store.open("a").handle;
    assert_eq!(
        handle.rename(&share_path("b"), false, Waiting::Allowed),
        Err(NtStatus::OBJECT_NAME_COLLISION.into())
    );
    handle
        .rename(&share_path("b"), true, Waiting::Allowed)
        .unwrap();
    assert_eq!(names(&store), ["b"]);
    handle.unlink(Waiting::Allowed).unwrap();
    assert!(names(&store).is_empty());
}

#[test]
fn link_gives_another_name() {
    let store = Store::new();
    store.put("a", "a");
    store.put("Other", "other");
    let handle = store.open("a").handle;
    handle
        .link(&share_path("b"), false, Waiting::Allowed)
        .unwrap();
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().links, 2);
    assert_eq!(
        handle.link(&share_path("OTHER"), false, Waiting::Allowed),
        Err(NtStatus::OBJECT_NAME_COLLISION.into())
    );
    handle
        .link(&share_path("OTHER"), true, Waiting::Allowed)
        .unwrap();
    handle
        .link(&share_path("OTHER"), true, Waiting::Allowed)
        .unwrap();
    assert_eq!(names(&store), ["a", "b", "OTHER"]);
    assert_eq!(store.read("other"), "a");
    // The handle keeps its own name.
    handle.unlink(Waiting::Allowed).unwrap();
    assert_eq!(names(&store), ["b", "OTHER"]);
    fs::create_dir(store.path("d")).unwrap();
    let directory = store.open("d").handle;
    assert_eq!(
        directory.link(&share_path("e"), false, Waiting::Allowed),
        Err(NtStatus::FILE_IS_A_DIRECTORY.into())
    );
    assert_eq!(
        handle.link(&share_path("d"), true, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
}

#[test]
fn unlink_spares_what_has_taken_the_name() {
    let store = Store::new();
    for name in ["a", "b"] {
        store.put(name, "old");
    }
    let [a, b] = ["a", "b"].map(|name| store.open(name).handle);
    // Gone: nothing to remove.
    fs::remove_file(store.path("a")).unwrap();
    store.put("a", "new");
    assert_eq!(
        a.unlink(Waiting::Allowed),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND.into())
    );
    assert_eq!(
        a.rename(&share_path("x"), true, Waiting::Allowed),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND.into())
    );
    // Moved: it is where it is.
    fs::rename(store.path("b"), store.path("moved")).unwrap();
    store.put("b", "new");
    assert_eq!(names(&store), ["a", "b", "moved"]);
    b.unlink(Waiting::Allowed).unwrap();
    assert_eq!(names(&store), ["a", "b"]);
    assert_eq!((&*store.read("a"), &*store.read("b")), ("new", "new"));
    // Out of the share: not ours to remove.
    let handle = store.open("a").handle;
    fs::rename(store.path("a"), store.top.path().join("outside/a")).unwrap();
    assert_eq!(
        handle.unlink(Waiting::Allowed),
        Err(NtStatus::OBJECT_NAME_NOT_FOUND.into())
    );
    assert!(store.top.path().join("outside/a").exists());
}

#[test]
fn a_rename_through_one_handle_moves_the_others() {
    let store = Store::new();
    fs::create_dir(store.path("d")).unwrap();
    store.put("d/f", "x");
    let [first, second, third] = ["d\\f"; 3].map(|name| store.open(name).handle);
    first
        .rename(&share_path("d\\g"), false, Waiting::Allowed)
        .unwrap();
    second
        .rename(&share_path("h"), false, Waiting::Allowed)
        .unwrap();
    first
        .rename(&share_path("d\\i"), false, Waiting::Allowed)
        .unwrap();
    // The directory above moves too.
    store
        .open("d")
        .handle
        .rename(&share_path("e"), false, Waiting::Allowed)
        .unwrap();
    assert!(store.path("e/i").exists());
    third.unlink(Waiting::Allowed).unwrap();
    assert!(
        store
            .open("e")
            .handle
            .is_empty_directory(Waiting::Allowed)
            .unwrap()
    );
}

#[test]
fn unlink_through_a_link_removes_the_link() {
    let store = Store::new();
    fs::create_dir(store.path("d")).unwrap();
    store.put("f", "x");
    symlink("f", store.path("to f")).unwrap();
    symlink("d", store.path("to d")).unwrap();
    store.open("to f").handle.unlink(Waiting::Allowed).unwrap();
    store.open("to d").handle.unlink(Waiting::Allowed).unwrap();
    assert_eq!(names(&store), ["d", "f"]);
}

#[test]
fn unlink_directories() {
    let store = Store::new();
    fs::create_dir(store.path("d")).unwrap();
    let handle = store.open("d").handle;
    // Even what is not shown keeps a directory.
    rustix::fs::mkfifoat(CWD, store.path("d/fifo"), Mode::RWXU).unwrap();
    assert!(!handle.is_empty_directory(Waiting::Allowed).unwrap());
    assert_eq!(
        handle.unlink(Waiting::Allowed),
        Err(NtStatus::DIRECTORY_NOT_EMPTY.into())
    );
    fs::remove_file(store.path("d/fifo")).unwrap();
    assert!(handle.is_empty_directory(Waiting::Allowed).unwrap());
    handle.unlink(Waiting::Allowed).unwrap();
    assert_eq!(store.status("d"), NtStatus::OBJECT_NAME_NOT_FOUND);
    assert_eq!(listed(&*handle), [".", ".."]);
    assert_eq!(
        store.open("").handle.unlink(Waiting::Allowed),
        Err(NtStatus::CANNOT_DELETE.into())
    );
}

#[test]
fn a_file_knows_its_directory() {
    let store = Store::new();
    fs::create_dir_all(store.path("a/b")).unwrap();
    let key = |name| store.open(name).handle.stat(Waiting::Allowed).unwrap().key;
    let parent = |handle: &dyn FileHandle| handle.parent_key(Waiting::Allowed).unwrap();
    let handle = store.create("a\\f").handle;
    assert_eq!(parent(&*handle), Some(key("a")));
    let target = share_path("a\\b\\g");
    handle.rename(&target, false, Waiting::Allowed).unwrap();
    assert_eq!(parent(&*handle), Some(key("a\\b")));
    fs::rename(store.path("a/b/g"), store.path("h")).unwrap();
    assert_eq!(parent(&*handle), Some(key("")));
    assert_eq!(parent(&*store.open("").handle), None);
    assert_eq!(parent(&*store.open("a").handle), Some(key("")));
}
