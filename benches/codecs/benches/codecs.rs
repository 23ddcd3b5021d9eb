//! `cargo bench -p netsession-codecs`.

use criterion::{Criterion, criterion_group, criterion_main};
use netsession_codecs::{PATHS, parse_owned_page};

fn paths(criterion: &mut Criterion) {
    for path in PATHS {
        criterion.bench_function(path.name, |bencher| {
            let mut round = (path.prepare)();
            bencher.iter(&mut round);
        });
    }
    criterion.bench_function(
        "parse page, 1,000 x level 502, NDR, with text of its own",
        |bencher| {
            let mut round = parse_owned_page(rpc::Syntax::Ndr20);
            bencher.iter(&mut round);
        },
    );
}

criterion_group!(benches, paths);
criterion_main!(benches);
