//! No path allocates more often than it says, and every path works.

use netsession_hot_paths::paths;

#[test]
fn each_path_allocates_as_often_as_it_says() {
    let mut wrong = Vec::new();
    for path in paths() {
        let mut round = (path.prepare)();
        // What a library sets up once is not the path's.
        round();
        let counted = allocation_counter::measure(&mut round).count_total;
        if path.allocations.is_some_and(|promised| counted != promised) {
            wrong.push(format!(
                "{}: {counted} allocations, {:?} expected",
                path.name, path.allocations
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
