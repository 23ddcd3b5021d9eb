//! Repeats one path, for a profiler or callgrind: `codec-rounds NAME ROUNDS`. Without
//! arguments it prints the names.

use std::process::ExitCode;

use netsession_codecs::PATHS;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, rounds] = arguments.as_slice() else {
        PATHS.iter().for_each(|path| println!("{}", path.name));
        return ExitCode::SUCCESS;
    };
    let path = PATHS.iter().find(|path| path.name == name);
    let (Some(path), Ok(rounds)) = (path, rounds.parse::<u32>()) else {
        eprintln!("usage: codec-rounds NAME ROUNDS; without arguments it prints the names");
        return ExitCode::from(2);
    };
    let mut round = (path.prepare)();
    (0..rounds).for_each(|_| round());
    ExitCode::SUCCESS
}
