//! Who makes every change that is told has the same tree in the end.

use std::path::Path;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Make(String),
    Remove(String),
    Rename(String, String),
    Settle,
}

fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4)
        .prop_map(|components| components.join("/"))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => name().prop_map(Step::Make),
        2 => name().prop_map(Step::Remove),
        3 => (name(), name()).prop_map(|(old, new)| Step::Rename(old, new)),
        1 => Just(Step::Settle),
    ]
}

fn apply(names: &mut BTreeSet<String>, change: LocalChange) {
    match change {
        // Twice, if it was moved while its directory was listed.
        LocalChange::Added { name, .. } => {
            names.insert(name);
        }
        LocalChange::Deleted { name, .. } | LocalChange::MovedAway { name, .. } => {
            names.retain(|known| !places::is_at_or_below(known, &name));
        }
        LocalChange::Renamed { old, new, .. } => {
            let moved: Vec<_> = names
                .extract_if(.., |n| places::is_at_or_below(n, &old))
                .collect();
            names.retain(|known| !places::is_at_or_below(known, &new));
            names.extend(
                moved
                    .iter()
                    .map(|name| format!("{new}{}", &name[old.len()..])),
            );
            // Its old name may never have been told.
            names.insert(new);
        }
        LocalChange::Written { .. } | LocalChange::Attributes { .. } => {}
        LocalChange::Lost => panic!("lost"),
    }
}

/// Every name below `directory`.
fn names_below(directory: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        names.insert(path.to_str().unwrap().to_owned());
        if path.is_dir() {
            names.extend(names_below(&path));
        }
    }
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_mirror_of_the_tree_stays_right(steps in prop::collection::vec(step(), 1..40)) {
        let mut it = Scene::new();
        it.watch(1, "", true);
        for step in steps {
            // Many are impossible, and change nothing.
            let _ = match step {
                Step::Make(name) => fs::create_dir(it.path(&name)),
                Step::Remove(name) => fs::remove_dir(it.path(&name)),
                Step::Rename(old, new) => fs::rename(it.path(&old), it.path(&new)),
                Step::Settle => {
                    it.settle();
                    Ok(())
                }
            };
        }
        let real = names_below(it.directory.path());
        let mut names = BTreeSet::new();
        let told = it.told_by_now("");
        for change in told.into_iter().chain(std::mem::take(&mut it.rest)) {
            apply(&mut names, change);
        }
        let deadline = Instant::now() + LIMIT;
        // The kernel tells that something was moved, and not where to; that takes a moment.
        while names != real || it.watched() != real.len() + 1 {
            let left = deadline.saturating_duration_since(Instant::now());
            match it.told.recv_timeout(left.min(Duration::from_millis(20))) {
                Ok(told) => told.into_iter().for_each(|change| apply(&mut names, change)),
                Err(_) => prop_assert!(!left.is_zero(), "{names:?} is not {real:?}"),
            }
        }
        it.settle();
        for change in it.told.try_iter().flatten() {
            apply(&mut names, change);
        }
        prop_assert_eq!(&names, &real);
        prop_assert_eq!(it.watched(), real.len() + 1);
    }
}
