//! The program `netsession-load`; see the library.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use netsession_load::arguments::Arguments;
use netsession_load::{Dial, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let longest = Duration::from_secs(arguments.longest);
    // Whatever hangs, a measurement ends.
    std::thread::spawn(move || {
        std::thread::sleep(longest);
        eprintln!(
            "netsession-load: gave up after {} s (--longest)",
            longest.as_secs()
        );
        std::process::exit(3);
    });
    match run(&Dial::new(arguments.server), &arguments.work) {
        Ok(measured) => {
            // Who has seen enough may have closed the pipe.
            let _ = writeln!(std::io::stdout(), "{measured}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("netsession-load: {error}");
            ExitCode::FAILURE
        }
    }
}
