//! The project's own commands: `cargo xtask test` and its parts.

use std::process::ExitCode;

mod prerequisites;
mod run;
mod test;

const USAGE: &str = "\
usage: cargo xtask <command>

  test [PART...]   everything that has to pass, or only the parts named, in this order:
                   format lint prerequisites build unit fuzz interop
  prerequisites    install what the interoperability tests need (Debian packages as root,
                   Python packages in target/interop/venv)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", parts @ ..] => test::test(parts),
        ["prerequisites"] => test::test(&["prerequisites"]),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
