//! The project's own commands: `cargo xtask test` and its parts.

use std::process::ExitCode;

mod bench;
mod differential;
mod guest;
mod install;
mod prerequisites;
mod python;
mod run;
mod siege;
mod test;
mod torture;

const USAGE: &str = "\
usage: cargo xtask <command>

  test [PART...]   everything that has to pass, or only the parts named, in this order:
                   format lint prerequisites build unit fuzz python interop torture
                   siege differential guest; `quick` stands for format lint unit
  prerequisites    install what the tests need (Debian packages as root,
                   Python packages in target/interop/venv)
  differential [--bounded] [--seed N] [--schedules N] [--steps N] [--subjects A,B] [--jobs N] [...]
                   plays schedules of requests against our server and Samba and compares them;
                   --help says what else it takes
  install-capi --prefix DIR [--destdir DIR]
                   the C library, its headers and its pkg-config file
";

const BENCH_USAGE: &str = "\
  bench [NAME...] [--rounds N] [--quick] [--record] [--json FILE] [--write DOCUMENT]
        [--from FILE]
                   measures our server beside a private Samba and prints one table; as root.
                   --quick takes small numbers; --record keeps the counts of `instructions`
                   as those to compare with; --json says where the results go (else
                   target/bench/results.json); --write puts them into a document, with a plot;
                   --from takes earlier results instead of measuring. NAME is one of:
";

const SIEGE_USAGE: &str = "\
  siege [NAME...] [--bounded] [--json FILE]
                   attacks our server beside clients who work and an administrator who ends
                   it, and prints figures and targets. --bounded takes small numbers;
                   --json says where the results go (else target/bench/siege.json).
                   NAME is one of:
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", parts @ ..] => test::test(parts),
        ["prerequisites"] => test::test(&["prerequisites"]),
        ["torture", words @ ..] => test::root().and_then(|root| torture::torture(&root, words)),
        ["bench", words @ ..] => test::root().and_then(|root| bench::bench(&root, words)),
        ["siege", words @ ..] => test::root().and_then(|root| siege::siege(&root, words)),
        ["guest", words @ ..] => test::root().and_then(|root| guest::guest(&root, words)),
        ["differential", words @ ..] => {
            test::root().and_then(|root| differential::differential(&root, words))
        }
        ["install-capi", words @ ..] => {
            test::root().and_then(|root| install::install_capi(&root, words))
        }
        ["help" | "--help" | "-h"] => {
            print!("{}", usage());
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{}", usage());
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

fn usage() -> String {
    let (benches, attacks) = (bench::usage(), siege::usage());
    format!(
        "{USAGE}{}{}{BENCH_USAGE}{benches}{SIEGE_USAGE}{attacks}",
        torture::USAGE,
        guest::USAGE
    )
}
