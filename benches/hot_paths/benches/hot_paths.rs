//! `cargo bench -p netsession-hot-paths`.

use criterion::{Criterion, criterion_group, criterion_main};

fn paths(criterion: &mut Criterion) {
    for path in netsession_hot_paths::paths() {
        criterion.bench_function(path.name, |bencher| {
            let mut round = (path.prepare)();
            bencher.iter(&mut round);
        });
    }
}

criterion_group!(benches, paths);
criterion_main!(benches);
