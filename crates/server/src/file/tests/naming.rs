//! Names of open files.

use proptest::prelude::*;

use super::*;
use crate::share::SharePath;

fn called(bench: &Bench, open: u32) -> String {
    let file = bench.file(open);
    let name = bench.table.name_of(file, open).expect("an open");
    name.as_str().to_owned()
}

#[test]
fn names_are_absolute_and_know_their_way_back() {
    let path = SharePath::parse(r"d\x").unwrap();
    for (root, text) in [
        ("/srv/share", "/srv/share/d/x"),
        ("/srv/share/", "/srv/share/d/x"),
        ("/", "/d/x"),
        ("memory", "memory/d/x"),
    ] {
        let name = FileName::new(root, &path);
        assert_eq!(name.as_str(), text);
        assert_eq!(name.below(root), Some(path.clone()));
    }
    let root = FileName::new("/", &SharePath::root());
    assert_eq!((root.as_str(), root.parent()), ("/", None));
    let name = FileName::new("/srv/share", &path);
    assert_eq!(name.below("/SRV"), SharePath::parse(r"share\d\x").ok());
    assert_eq!(name.below("/srv/other"), None);
    assert_eq!(name.below("/srv/share/d/x/y"), None);
    assert_eq!(name.parent().unwrap().as_str(), "/srv/share/d");
    assert!(name.same_as(&FileName::new(
        "/Srv",
        &SharePath::parse(r"SHARE\D\X").unwrap()
    )));
}

#[test]
fn a_rename_is_one_of_every_open_with_that_name() {
    let mut bench = Bench::new();
    let one = bench.create(file("d/a")).open();
    let two = bench.create(file("d/A")).open();
    let stream = bench.create(file("d/a").stream("S")).open();
    let identity = bench.identity("d/a");
    let three = bench.create_as(&identity, file("D/A")).open();
    let linked = bench.create_as(&identity, file("link")).open();
    // Another file, though its name differs by case alone.
    assert_eq!(called(&bench, two), "/srv/share/d/A");
    bench.table.rename(bench.file(one), one, &name("e/b"));
    for open in [one, three, stream] {
        assert_eq!(called(&bench, open), "/srv/share/e/b");
    }
    assert_eq!(called(&bench, two), "/srv/share/d/A");
    assert_eq!(called(&bench, linked), "/srv/share/link");
    bench.table.rename(bench.file(one), one, &name("e/B"));
    assert_eq!(called(&bench, three), "/srv/share/e/B");
    bench.end();
}

#[test]
fn a_rename_of_a_directory_is_one_of_everything_below() {
    let mut bench = Bench::new();
    let below = bench.create(file("d/e/x")).open();
    let dir = bench.create(directory("d")).open();
    let beside = bench.create(file("dd")).open();
    assert!(bench.table.any_open_below(&name("d")));
    bench.table.rename(bench.file(dir), dir, &name("f/g"));
    assert_eq!(called(&bench, below), "/srv/share/f/g/e/x");
    assert_eq!(called(&bench, dir), "/srv/share/f/g");
    assert_eq!(called(&bench, beside), "/srv/share/dd");
    assert!(!bench.table.any_open_below(&name("d")));
    assert!(bench.table.any_open_below(&name("F")));
    // Nowhere to go.
    bench.table.rename(bench.file(dir), dir, &name("f/g/h"));
    assert_eq!(called(&bench, dir), "/srv/share/f/g");
    bench.close(below);
    assert!(!bench.table.any_open_below(&name("f/g")));
    assert!(bench.table.any_open_below(&name("f")));
    bench.end();
}

#[test]
fn a_new_file_by_the_name_of_a_replaced_one_has_its_own_name() {
    let mut bench = Bench::new();
    let replaced = bench.create(file("x")).open();
    let new = bench.create(file("new")).open();
    bench.table.rename(bench.file(new), new, &name("x"));
    bench.table.rename(bench.file(new), new, &name("y"));
    assert_eq!(called(&bench, replaced), "/srv/share/x");
    assert_eq!(called(&bench, new), "/srv/share/y");
    let other = FileIdentity {
        store: 0,
        key: FileKey {
            device: 1,
            inode: 77,
        },
        stream: None,
    };
    let other = bench.create_as(&other, file("x")).open();
    bench.table.rename(bench.file(other), other, &name("z"));
    assert_eq!(called(&bench, replaced), "/srv/share/x");
    bench.end();
}

#[test]
fn one_directory_through_two_shares_is_one() {
    let mut bench = Bench::new();
    let open = bench.create(file("d/x")).open();
    let wide = FileName::new("/srv", &SharePath::parse(r"share\d").unwrap());
    assert!(bench.table.any_open_below(&wide));
    let identity = bench.identity("d/x");
    assert_eq!(bench.table.get(&identity).unwrap().open_count(), 1);
    bench.close(open);
    assert!(!bench.table.any_open_below(&wide));
    bench.end();
}

/// Names against a list of all of them.
#[derive(Clone, Debug)]
enum Step {
    Open(usize, usize),
    Close(usize),
    Rename(usize, usize),
}

const PATHS: [&str; 8] = ["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "f/a"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4usize, 0..PATHS.len()).prop_map(|(file, path)| Step::Open(file, path)),
        2 => (0..8usize).prop_map(Step::Close),
        2 => (0..8usize, 0..PATHS.len()).prop_map(|(open, path)| Step::Rename(open, path)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn names_are_those_of_a_list(steps in prop::collection::vec(step(), 1..40)) {
        let mut bench = Bench::new();
        // (open, file, name)
        let mut model: Vec<(u32, usize, FileName)> = Vec::new();
        for step in steps {
            match step {
                Step::Open(number, path) => {
                    let path = PATHS[path];
                    // A store has one file by a name.
                    let taken = |(_, other, called): &(u32, usize, FileName)| {
                        *other != number && called.same_as(&name(path))
                    };
                    if model.iter().any(taken) {
                        continue;
                    }
                    let identity = bench.identity(&number.to_string());
                    let open = bench.create_as(&identity, file(path)).open();
                    model.push((open, number, name(path)));
                }
                Step::Close(at) if at < model.len() => {
                    bench.close(model.remove(at).0);
                }
                Step::Rename(at, path) if at < model.len() => {
                    let (open, _, old) = model[at].clone();
                    let new = name(PATHS[path]);
                    // Nor does it replace a directory that has entries, nor move one below
                    // itself.
                    let taken = |(_, _, name): &(u32, usize, FileName)| name.starts_with(&new);
                    if model.iter().any(taken) || new.starts_with(&old) {
                        continue;
                    }
                    bench.table.rename(bench.file(open), open, &new);
                    for (_, _, name) in &mut model {
                        if name.starts_with(&old) {
                            let rest = name.as_str()[old.as_str().len()..].replace('/', "\\");
                            let path = format!("{}{rest}", new.below("/srv/share").unwrap());
                            *name = FileName::new("/srv/share", &SharePath::parse(&path).unwrap());
                        }
                    }
                }
                _ => {}
            }
            for (open, _, name) in &model {
                prop_assert_eq!(called(&bench, *open), name.as_str());
            }
            for path in PATHS {
                let directory = name(path);
                let below = model.iter().any(|(_, _, name)| {
                    name.starts_with(&directory) && !name.same_as(&directory)
                });
                prop_assert_eq!(bench.table.any_open_below(&directory), below);
            }
        }
        bench.end();
    }
}
