//! No path allocates more than it says.

use netsession_codecs::PATHS;

#[test]
fn each_path_allocates_as_often_as_it_says() {
    let mut wrong = Vec::new();
    for path in PATHS {
        let mut round = (path.prepare)();
        // What a library sets up once is not the path's.
        round();
        let counted = allocation_counter::measure(&mut round).count_total;
        if counted != path.allocations {
            wrong.push(format!(
                "{}: {counted} allocations, {} expected",
                path.name, path.allocations
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
