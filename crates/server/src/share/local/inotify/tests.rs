//! Real directories, changed by other processes.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fd::AsRawFd;
use tempfile::TempDir;

use super::expected::EXPECTED_FOR;
use super::*;

mod mirror;

/// Nothing takes longer, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(20);

/// A directory, a watcher, and what it told.
struct Scene {
    directory: TempDir,
    watcher: Watcher,
    told: Receiver<Vec<LocalChange>>,
    /// Told, and not asked for yet.
    rest: Vec<LocalChange>,
    sentinels: u32,
}

impl Scene {
    fn new() -> Self {
        Self::bounded(usize::MAX)
    }

    fn bounded(limit: usize) -> Self {
        let (send, told) = channel();
        let tell = move |changes| {
            // The test may be over.
            let _ = send.send(changes);
        };
        Self {
            directory: tempfile::tempdir().unwrap(),
            watcher: Watcher::start_bounded(tell, limit).unwrap(),
            told,
            rest: Vec::new(),
            sentinels: 0,
        }
    }

    fn path(&self, name: &str) -> String {
        let path = self.directory.path().join(name);
        path.to_str().unwrap().trim_end_matches('/').to_owned()
    }

    /// Watches, and waits until everything below is watched.
    fn watch(&self, open: u32, name: &str, tree: bool) {
        let path = self.path(name);
        self.watcher.watch(open, &path, &path, tree);
        self.settle();
    }

    fn settle(&self) {
        let is_settled = || {
            let state = self.watcher.shared.state();
            state.scans.is_empty() && !state.is_scanning
        };
        wait_until("the tree is watched", is_settled);
    }

    /// Lets another process do something in the directory.
    fn run(&self, script: &str) {
        let mut shell = Command::new("sh");
        let shell = shell
            .args(["-ec", script])
            .current_dir(self.directory.path());
        assert!(shell.status().unwrap().success(), "{script}");
    }

    /// Everything that is told until `wanted` is.
    fn until(&mut self, wanted: &LocalChange) -> Vec<LocalChange> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(at) = self.rest.iter().position(|change| change == wanted) {
                let rest = self.rest.split_off(at + 1);
                return std::mem::replace(&mut self.rest, rest);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.told.recv_timeout(left) {
                Ok(changes) => self.rest.extend(changes),
                Err(_) => panic!("not told: {wanted:?}; but {:?}", self.rest),
            }
        }
    }

    /// Everything that another process's `script` makes the watcher tell. `directory` is
    /// watched; a file made there afterwards shows the end.
    fn told_of(&mut self, directory: &str, script: &str) -> Vec<LocalChange> {
        self.run(script);
        self.settle();
        self.told_by_now(directory)
    }

    fn told_by_now(&mut self, directory: &str) -> Vec<LocalChange> {
        self.sentinels += 1;
        let sentinel = format!("{directory}sentinel{}", self.sentinels);
        // Made by link(), so that it is one event.
        let outside = self.directory.path().with_extension("outside");
        fs::write(&outside, "").unwrap();
        fs::hard_link(&outside, self.path(&sentinel)).unwrap();
        fs::remove_file(&outside).unwrap();
        let mut told = self.until(&self.added(&sentinel, false));
        told.pop();
        told
    }

    fn added(&self, name: &str, is_directory: bool) -> LocalChange {
        let name = self.path(name);
        LocalChange::Added { name, is_directory }
    }

    fn deleted(&self, name: &str, is_directory: bool) -> LocalChange {
        let name = self.path(name);
        LocalChange::Deleted { name, is_directory }
    }

    fn moved_away(&self, name: &str, is_directory: bool) -> LocalChange {
        let name = self.path(name);
        LocalChange::MovedAway { name, is_directory }
    }

    fn renamed(&self, old: &str, new: &str, is_directory: bool) -> LocalChange {
        LocalChange::Renamed {
            old: self.path(old),
            new: self.path(new),
            is_directory,
        }
    }

    fn written(&self, name: &str) -> LocalChange {
        let name = self.path(name);
        LocalChange::Written { name }
    }

    fn attributes(&self, name: &str) -> LocalChange {
        let name = self.path(name);
        LocalChange::Attributes { name }
    }

    /// Directories that the kernel watches.
    fn watched(&self) -> usize {
        let fd = self.watcher.shared.inotify.as_raw_fd();
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
        info.lines()
            .filter(|line| line.starts_with("inotify"))
            .count()
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn what_another_process_does_to_a_file_is_told() {
    let mut it = Scene::new();
    it.watch(1, "", false);
    let told = it.told_of("", "touch new");
    assert_eq!(told.first(), Some(&it.added("new", false)));
    let told = it.told_of("", "echo text >> new");
    assert_eq!(told, [it.written("new")]);
    let told = it.told_of("", "chmod 600 new");
    assert_eq!(told, [it.attributes("new")]);
    let told = it.told_of("", "mv new other");
    assert_eq!(told, [it.renamed("new", "other", false)]);
    let told = it.told_of("", "rm other");
    assert_eq!(told, [it.deleted("other", false)]);
}

#[test]
fn what_another_process_does_to_a_directory_is_told() {
    let mut it = Scene::new();
    it.watch(1, "", false);
    let told = it.told_of("", "mkdir new");
    assert_eq!(told, [it.added("new", true)]);
    let told = it.told_of("", "mv new other; rmdir other");
    let expected = [it.renamed("new", "other", true), it.deleted("other", true)];
    assert_eq!(told, expected);
    assert_eq!(it.watched(), 1);
}

#[test]
fn what_comes_and_goes_from_where_nobody_watches_is_told() {
    let mut it = Scene::new();
    it.run("mkdir watched other; touch other/file; mkdir other/directory");
    it.watch(1, "watched", false);
    let told = it.told_of("watched/", "mv other/file other/directory watched");
    let expected = [
        it.added("watched/file", false),
        it.added("watched/directory", true),
    ];
    assert_eq!(told, expected);
    it.run("mv watched/file watched/directory other");
    it.until(&it.moved_away("watched/file", false));
    it.until(&it.moved_away("watched/directory", true));
}

#[test]
fn a_move_between_two_watched_directories_is_one_change() {
    let mut it = Scene::new();
    it.run("mkdir a b; touch a/file");
    it.watch(1, "a", false);
    it.watch(2, "b", false);
    let told = it.told_of("a/", "mv a/file b/other");
    assert_eq!(told, [it.renamed("a/file", "b/other", false)]);
}

#[test]
fn a_directory_alone_is_not_a_tree() {
    let mut it = Scene::new();
    it.run("mkdir below");
    it.watch(1, "", false);
    assert_eq!(it.told_of("", "touch below/file"), []);
}

#[test]
fn what_is_below_a_tree_is_told() {
    let mut it = Scene::new();
    it.run("mkdir -p a/b/c; mkdir outside; ln -s ../outside a/link");
    it.watch(1, "a", true);
    assert_eq!(it.watched(), 3);
    let told = it.told_of("a/", "mkdir a/b/c/d; touch outside/file");
    assert_eq!(told, [it.added("a/b/c/d", true)]);
    let told = it.told_of("a/", "mkdir a/b/c/d/e");
    assert_eq!(told, [it.added("a/b/c/d/e", true)]);
}

#[test]
fn what_is_made_before_a_new_directory_is_watched_is_told_once() {
    let mut it = Scene::new();
    it.watch(1, "", true);
    let mut expected = BTreeSet::new();
    for round in 0..20 {
        it.run(&format!(
            "mkdir -p r{round}/a/b; mkdir r{round}/a/c; mkdir r{round}/a/b/d"
        ));
        let names = ["", "/a", "/a/b", "/a/c", "/a/b/d"];
        expected.extend(names.map(|name| it.path(&format!("r{round}{name}"))));
    }
    let mut told = BTreeSet::new();
    while told.len() < expected.len() {
        let changes = it.told.recv_timeout(LIMIT).expect("not everything is told");
        for change in changes {
            let LocalChange::Added { name, is_directory } = change else {
                panic!("{change:?}");
            };
            assert!(is_directory && told.insert(name));
        }
    }
    assert_eq!(it.told_by_now(""), []);
    assert_eq!(told, expected);
}

#[test]
fn what_is_below_a_renamed_directory_is_told_by_its_new_name() {
    let mut it = Scene::new();
    it.run("mkdir -p a/b");
    it.watch(1, "", true);
    let told = it.told_of("", "mv a z; mkdir z/b/c");
    let expected = [it.renamed("a", "z", true), it.added("z/b/c", true)];
    assert_eq!(told, expected);
    // An open of a directory within goes on being told when the tree is closed.
    it.watch(2, "z/b", false);
    it.watcher.unwatch(1);
    assert_eq!(it.watched(), 1);
    let told = it.told_of("z/b/", "rmdir z/b/c");
    assert_eq!(told, [it.deleted("z/b/c", true)]);
}

#[test]
fn what_leaves_a_tree_is_watched_no_longer() {
    let mut it = Scene::new();
    it.run("mkdir -p tree/a/b other");
    it.watch(1, "tree", true);
    assert_eq!(it.watched(), 3);
    it.run("mv tree/a other");
    it.until(&it.moved_away("tree/a", true));
    assert_eq!(it.watched(), 1);
    it.run("mv other/a tree/z");
    it.until(&it.added("tree/z", true));
    it.settle();
    assert_eq!(it.watched(), 3);
}

#[test]
fn own_changes_are_not_told() {
    let mut it = Scene::new();
    it.run("mkdir a");
    it.watch(1, "", true);
    let (x, y, z) = (it.path("a/x"), it.path("y"), it.path("z"));
    it.watcher.expect(&x, OwnChange::Created);
    fs::write(&x, "text").unwrap();
    it.watcher.expect(&x, OwnChange::RenamedFrom);
    it.watcher.expect(&y, OwnChange::RenamedTo);
    fs::rename(&x, &y).unwrap();
    it.watcher.expect(&y, OwnChange::Modified);
    fs::write(&y, "more").unwrap();
    it.watcher.expect(&y, OwnChange::Removed);
    fs::remove_file(&y).unwrap();
    it.watcher.expect(&z, OwnChange::Created);
    fs::create_dir(&z).unwrap();
    let inside = format!("{z}/inside");
    it.watcher.expect(&inside, OwnChange::Created);
    fs::create_dir(&inside).unwrap();
    assert_eq!(it.told_by_now(""), []);
    it.settle();
    assert_eq!(it.watched(), 4);
    // The same done by another is told.
    let told = it.told_of("", "mkdir a/x; rmdir a/x");
    assert_eq!(told, [it.added("a/x", true), it.deleted("a/x", true)]);
}

#[test]
fn an_own_rename_of_a_directory_keeps_what_is_below_watched() {
    let mut it = Scene::new();
    it.run("mkdir -p a/b");
    it.watch(1, "", true);
    let (a, z) = (it.path("a"), it.path("z"));
    for _ in 0..20 {
        it.watcher.expect(&a, OwnChange::RenamedFrom);
        it.watcher.expect(&z, OwnChange::RenamedTo);
        fs::rename(&a, &z).unwrap();
        it.watcher.renamed(&a, &z);
        let told = it.told_of("", "mkdir z/b/c; rmdir z/b/c");
        assert_eq!(told, [it.added("z/b/c", true), it.deleted("z/b/c", true)]);
        assert_eq!(it.watched(), 3);
        it.run("mv z a");
        it.until(&it.renamed("z", "a", true));
    }
}

#[test]
fn a_change_that_was_not_made_is_not_expected() {
    let mut it = Scene::new();
    it.watch(1, "", false);
    let name = it.path("x");
    it.watcher.expect(&name, OwnChange::Created);
    it.watcher.unexpect(&name, OwnChange::Created);
    assert_eq!(it.told_of("", "mkdir x"), [it.added("x", true)]);
}

#[test]
fn an_own_change_is_expected_for_some_seconds() {
    let (mut expected, start) = (Expected::default(), Instant::now());
    let late = start + EXPECTED_FOR + Duration::from_nanos(1);
    expected.add("/a", OwnChange::Created, start);
    expected.add("/b", OwnChange::Created, start);
    assert!(expected.take("/a", OwnChange::Created, start));
    assert!(!expected.take("/a", OwnChange::Created, start));
    assert!(!expected.take("/a", OwnChange::Removed, start));
    for _ in 0..2 {
        assert!(expected.take("/a", OwnChange::Modified, start));
    }
    assert!(!expected.take("/a", OwnChange::Modified, late));
    assert!(!expected.take("/b", OwnChange::Created, late));
}

#[test]
fn the_kernel_watches_as_long_as_an_open_does() {
    let it = Scene::new();
    it.run("mkdir -p a/b/c d");
    it.watch(1, "a", true);
    it.watch(2, "a/b", false);
    it.watch(3, "a/b", true);
    it.watch(4, "d", false);
    it.watch(5, "d", false);
    assert_eq!(it.watched(), 4);
    it.watcher.unwatch(1);
    assert_eq!(it.watched(), 3);
    it.watcher.unwatch(3);
    assert_eq!(it.watched(), 2);
    for open in [2, 4] {
        it.watcher.unwatch(open);
    }
    assert_eq!(it.watched(), 1);
    // Nothing is counted twice.
    it.watch(5, "d", true);
    it.watcher.unwatch(5);
    assert_eq!(it.watched(), 0);
    assert!(!it.watcher.is_active());
}

#[test]
fn deleted_directories_are_forgotten() {
    let mut it = Scene::new();
    it.run("mkdir -p a/b/c");
    it.watch(1, "", true);
    it.watch(2, "a/b", false);
    it.run("rm -r a");
    it.until(&it.deleted("a", true));
    wait_until("forgotten", || {
        it.watcher.shared.state().places.names(1).len() == 1 && it.watched() == 1
    });
    // Another one of that name has nothing to do with it.
    it.run("mkdir -p a/b");
    it.settle();
    it.watch(3, "a/b", false);
    it.watcher.unwatch(2);
    it.watcher.unwatch(1);
    assert_eq!(it.watched(), 1);
}

#[test]
fn of_a_tree_that_is_too_large_the_top_alone_is_watched() {
    let mut it = Scene::bounded(4);
    it.run("mkdir -p a/b a/c a/d a/e a/f");
    it.watch(1, "a", true);
    assert_eq!(it.watched(), 1);
    let told = it.told_of("a/", "mkdir a/b/x; mkdir a/g");
    assert_eq!(told, [it.added("a/g", true)]);
    // Opens are not bounded by it.
    for (open, name) in (2..).zip(["a/b", "a/c", "a/d", "a/e", "a/f"]) {
        it.watch(open, name, false);
    }
    assert_eq!(it.watched(), 6);
}

#[test]
fn a_tree_may_be_as_large_as_the_limit() {
    let it = Scene::bounded(4);
    it.run("mkdir -p a/b a/c a/d");
    it.watch(1, "a", true);
    assert_eq!(it.watched(), 4);
    // What leaves the tree makes room.
    it.run("rmdir a/b");
    wait_until("forgotten", || it.watched() == 3);
    it.run("mkdir a/e");
    wait_until("watched", || it.watched() == 4);
}

#[test]
fn lost_events_are_told() {
    let mut it = Scene::new();
    it.watch(1, "", true);
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let most: usize = most.trim().parse().unwrap();
    {
        // The thread cannot go on.
        let shared = Arc::clone(&it.watcher.shared);
        let _state = shared.state();
        let name = it.path("file");
        for _ in 0..most {
            fs::write(&name, "").unwrap();
            fs::remove_file(&name).unwrap();
        }
        // Nobody is told of it, but it must be found.
        fs::create_dir(it.path("missed")).unwrap();
    }
    it.until(&LocalChange::Lost);
    it.settle();
    wait_until("found", || it.watched() == 2);
}

#[test]
fn what_no_client_can_see_is_not_told() {
    use std::os::unix::ffi::OsStrExt;
    let mut it = Scene::new();
    it.watch(1, "", true);
    let odd = it
        .directory
        .path()
        .join(std::ffi::OsStr::from_bytes(b"\xFF"));
    fs::create_dir(odd).unwrap();
    assert_eq!(it.told_of("", "mkdir 'a\\b' 'a:b'"), []);
    assert_eq!(it.watched(), 1);
}

#[test]
fn a_directory_is_watched_by_what_leads_to_it() {
    let mut it = Scene::new();
    it.run("mkdir -p a/b");
    let directory = fs::File::open(it.path("a")).unwrap();
    let name = it.path("a");
    it.run("mv a z; mkdir a");
    let at = format!("/proc/self/fd/{}", directory.as_raw_fd());
    it.watcher.watch(1, &name, &at, true);
    it.settle();
    drop(directory);
    it.run("mkdir a/not; mkdir z/b/c");
    let told = it.until(&it.added("a/b/c", true));
    assert_eq!(told.len(), 1);
}

#[test]
fn what_cannot_be_watched_is_no_error() {
    let it = Scene::new();
    it.run("touch file");
    for (open, name) in [(1, "file"), (2, "missing")] {
        for tree in [false, true] {
            it.watch(open, name, tree);
        }
    }
    assert_eq!(it.watched(), 0);
}

#[test]
fn the_thread_ends_with_its_watcher() {
    let it = Scene::new();
    it.watch(1, "", true);
    let shared = Arc::downgrade(&it.watcher.shared);
    drop(it);
    wait_until("ended", || shared.upgrade().is_none());
}
