//! Repeats one path, for a profiler or callgrind: `hot-path-rounds NAME ROUNDS`. Without
//! arguments it prints the names.

use std::process::ExitCode;

use netsession_hot_paths::paths;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, rounds] = arguments.as_slice() else {
        paths().for_each(|path| println!("{}", path.name));
        return ExitCode::SUCCESS;
    };
    let path = paths().find(|path| path.name == name);
    let (Some(path), Ok(rounds)) = (path, rounds.parse::<u32>()) else {
        eprintln!("usage: hot-path-rounds NAME ROUNDS; without arguments it prints the names");
        return ExitCode::from(2);
    };
    let mut round = (path.prepare)();
    (0..rounds).for_each(|_| round());
    ExitCode::SUCCESS
}
