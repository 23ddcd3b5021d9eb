use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn find_on(
    index: &NameIndex,
    directory: &Path,
    name: &str,
    medium: Medium,
    waiting: Waiting,
) -> Result<Option<String>, Miss> {
    let directory = File::open(directory).unwrap();
    index.find(&directory, name, |_| medium, waiting)
}

fn find(index: &NameIndex, directory: &Path, name: &str) -> Option<String> {
    find_on(index, directory, name, Medium::Disk, Waiting::Allowed).unwrap()
}

fn changed(index: &NameIndex, directory: &Path, removed: Option<&str>, added: Option<&str>) {
    index.changed(File::open(directory).unwrap(), removed, added);
}

fn naive(directory: &Path, name: &str) -> Option<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|entry| same_name(entry, name)).min()
}

#[derive(Clone, Debug)]
enum Step {
    Create(String),
    Remove(String),
    Rename(String, String),
    /// Many at once, so that several reads of the queue are needed.
    Burst(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let name = || "[aAbBäÄ]{1,2}";
    prop_oneof![
        4 => name().prop_map(Step::Create),
        3 => name().prop_map(Step::Remove),
        2 => (name(), name()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => (0..20u8).prop_map(Step::Burst),
    ]
}

/// Makes the change; gives the names that went and came.
fn make(directory: &Path, step: &Step) -> Vec<(Option<String>, Option<String>)> {
    match step {
        Step::Create(name) => match File::create_new(directory.join(name)) {
            Ok(_) => vec![(None, Some(name.clone()))],
            Err(_) => vec![],
        },
        Step::Remove(name) => match fs::remove_file(directory.join(name)) {
            Ok(()) => vec![(Some(name.clone()), None)],
            Err(_) => vec![],
        },
        Step::Rename(from, to) => match fs::rename(directory.join(from), directory.join(to)) {
            Ok(()) => vec![(Some(from.clone()), Some(to.clone()))],
            Err(_) => vec![],
        },
        Step::Burst(count) => (0..*count)
            .map(|number| {
                let name = format!("{}{number}", "long name ".repeat(20));
                let _ = File::create(directory.join(&name));
                (None, Some(name))
            })
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Own and foreign changes in a directory that the kernel tells of: always right.
    #[test]
    fn a_watched_directory_agrees_with_its_listing(
        steps in proptest::collection::vec((step(), any::<bool>(), "[aAbBäÄ]{1,2}"), 1..40),
    ) {
        let top = TempDir::new().unwrap();
        let directory = top.path();
        let index = NameIndex::default();
        find(&index, directory, "x");
        for (step, own, asked) in steps {
            for (removed, added) in make(directory, &step) {
                if own {
                    changed(&index, directory, removed.as_deref(), added.as_deref());
                }
            }
            prop_assert_eq!(find(&index, directory, &asked), naive(directory, &asked));
        }
        prop_assert_eq!(index.scans.load(Ordering::Relaxed), 1);
    }

    /// Where only times tell: own changes are known at once.
    #[test]
    fn an_unwatched_directory_agrees_after_own_changes(
        steps in proptest::collection::vec((step(), "[aAbBäÄ]{1,2}"), 1..40),
    ) {
        let top = TempDir::new().unwrap();
        let directory = top.path();
        let index = NameIndex::default();
        let look = |name: &str| {
            find_on(&index, directory, name, Medium::Remote, Waiting::Allowed).unwrap()
        };
        look("x");
        for (step, asked) in steps {
            for (removed, added) in make(directory, &step) {
                changed(&index, directory, removed.as_deref(), added.as_deref());
            }
            prop_assert_eq!(look(&asked), naive(directory, &asked));
        }
    }
}

#[test]
fn foreign_changes_of_an_unwatched_directory_are_seen_within_a_second() {
    let top = TempDir::new().unwrap();
    let index = NameIndex::default();
    let look =
        |name: &str| find_on(&index, top.path(), name, Medium::Remote, Waiting::Allowed).unwrap();
    assert_eq!(look("NAME"), None);
    fs::write(top.path().join("name"), "").unwrap();
    let deadline = Instant::now() + 2 * UNSETTLED;
    while look("NAME").is_none() {
        assert!(Instant::now() < deadline, "the name is never found");
        std::thread::yield_now();
    }
}

#[test]
fn a_directory_is_read_once_however_many_ask() {
    let top = TempDir::new().unwrap();
    for number in 0..20_000 {
        fs::write(top.path().join(format!("File {number}")), "").unwrap();
    }
    let index = NameIndex::default();
    std::thread::scope(|scope| {
        for client in 0..8 {
            let (index, directory) = (&index, top.path());
            scope.spawn(move || {
                for number in 0..50 {
                    let name = format!("New {client} {number}");
                    assert_eq!(find(index, directory, &name), None);
                    fs::write(directory.join(&name), "").unwrap();
                    changed(index, directory, None, Some(&name));
                    assert_eq!(find(index, directory, &name.to_uppercase()), Some(name));
                }
                assert!(find(index, directory, "FILE 19999").is_some());
            });
        }
    });
    assert_eq!(index.scans.load(Ordering::Relaxed), 1);
}

#[test]
fn who_may_not_wait_does_not_scan() {
    let top = TempDir::new().unwrap();
    fs::write(top.path().join("Name"), "").unwrap();
    let index = NameIndex::default();
    let look = |medium, waiting| find_on(&index, top.path(), "NAME", medium, waiting);
    let refused = Waiting::Refused;
    assert!(matches!(look(Medium::Disk, refused), Err(Miss::WouldWait)));
    assert_eq!(index.scans.load(Ordering::Relaxed), 0);
    let found = Some("Name".to_owned());
    assert_eq!(look(Medium::Disk, Waiting::Allowed).unwrap(), found);
    // Once it is there, it is used.
    assert_eq!(look(Medium::Disk, refused).unwrap(), found);
    // A small directory in memory is read in place.
    let index = NameIndex::default();
    let in_memory = find_on(&index, top.path(), "NAME", Medium::Memory, refused);
    assert_eq!(in_memory.unwrap(), found);
}

#[test]
fn a_directory_that_is_gone_is_forgotten() {
    let top = TempDir::new().unwrap();
    let index = NameIndex::default();
    for _ in 0..3 {
        let directory = top.path().join("d");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("Name"), "").unwrap();
        assert_eq!(find(&index, &directory, "NAME").as_deref(), Some("Name"));
        fs::remove_dir_all(&directory).unwrap();
    }
    find(&index, top.path(), "x");
    let state = index.lock();
    assert_eq!(state.directories.len(), 1);
    assert_eq!(state.by_watch.len(), 1);
}

#[test]
fn a_lost_change_means_that_the_directory_is_read_again() {
    let top = TempDir::new().unwrap();
    let index = NameIndex::default();
    find(&index, top.path(), "x");
    // More than the kernel queues (max_queued_events, 16384 by default).
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let most: usize = most.trim().parse().unwrap();
    if most > 20_000 {
        return;
    }
    let (one, two) = (top.path().join("one"), top.path().join("two"));
    fs::write(&one, "").unwrap();
    for _ in 0..most / 4 + 1 {
        fs::rename(&one, &two).unwrap();
        fs::rename(&two, &one).unwrap();
    }
    fs::write(top.path().join("Last"), "").unwrap();
    assert_eq!(find(&index, top.path(), "LAST").as_deref(), Some("Last"));
    assert_eq!(index.scans.load(Ordering::Relaxed), 2);
}

#[test]
fn the_least_recently_used_goes_first() {
    let top = TempDir::new().unwrap();
    let index = NameIndex::default();
    let directory = |number: usize| top.path().join(format!("d{number}"));
    for number in 0..4 {
        fs::create_dir(directory(number)).unwrap();
        fs::write(directory(number).join("Name"), "").unwrap();
        find(&index, &directory(number), "x");
    }
    find(&index, &directory(0), "x");
    let key = |number| {
        Facts::of(File::open(directory(number)).unwrap())
            .unwrap()
            .key()
    };
    let mut state = index.lock();
    // As if the names took all that there is.
    let each = state.bytes / 4;
    state.bytes += MAX_BYTES - 2 * each;
    state.make_room(key(3));
    let left: Vec<_> = (0..4)
        .map(|n| state.directories.contains_key(&key(n)))
        .collect();
    assert_eq!(left, [true, false, false, true]);
    assert_eq!(state.by_watch.len(), 2);
}

/// What a name costs in a large directory; run by hand.
#[test]
#[ignore = "a measurement"]
fn a_large_directory() {
    for (base, medium) in [("/dev/shm", Medium::Memory), ("/tmp", Medium::Disk)] {
        let top = TempDir::new_in(base).unwrap();
        for number in 0..300_000 {
            File::create(top.path().join(format!("some file {number:06}"))).unwrap();
        }
        let index = NameIndex::default();
        let look = |name: &str| find_on(&index, top.path(), name, medium, Waiting::Allowed);
        let started = Instant::now();
        look("x").unwrap();
        let first = started.elapsed();
        let bytes = index.lock().bytes;
        let started = Instant::now();
        let count = 10_000;
        for number in 0..count {
            look(&format!("new {number}")).unwrap();
        }
        let each = started.elapsed() / count;
        println!("{base}: scan {first:?}, then {each:?} each, {bytes} bytes");
        let (started, top) = (Instant::now(), &top);
        std::thread::scope(|scope| {
            for client in 0..4 {
                let index = &index;
                scope.spawn(move || {
                    for number in 0..count / 4 {
                        let name = format!("new {client} {number}");
                        find_on(index, top.path(), &name, medium, Waiting::Allowed).unwrap();
                        File::create(top.path().join(&name)).unwrap();
                        changed(index, top.path(), None, Some(&name));
                    }
                });
            }
        });
        let each = started.elapsed() / count;
        println!("{base}: 4 clients, {each:?} for a create");
        assert_eq!(index.scans.load(Ordering::Relaxed), 1);
    }
}
