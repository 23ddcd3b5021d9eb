//! The program `netsession`: lists and ends the sessions of SMB servers, and runs a
//! Server service of its own.
//!
//! What was typed ([`arguments`]) and what it means (each command's module) are two types;
//! every failure is one line and an exit code ([`failure`]).

mod account;
mod arguments;
mod demo;
mod doctor;
mod end;
mod failure;
mod generate;
mod list;
mod output;
mod password;
mod remote;
mod report;
mod row;
mod serve;
mod servers;
mod show;
mod text;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use failure::Failure;

/// glibc keeps what threads have freed in heaps of their own, of which one small piece in use
/// holds 64 MiB: after an attack with many buffers most of the memory stayed. This one gives
/// it back in the background.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::of_arguments(&error),
    };
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo => demo::run(),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Account(arguments) => account::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Show(arguments) => block_on(show::run(&arguments)),
        Command::End(arguments) => block_on(end::run(&arguments)),
        Command::Doctor(arguments) => block_on(doctor::run(&arguments)),
        Command::Man(arguments) => generate::man(&arguments),
        Command::Completions(arguments) => generate::completions(&arguments),
    }
}

/// Runs a command that talks to one server, on this thread: nothing of it goes on beside.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local("start the runtime", &error))?;
    let result = runtime.block_on(work);
    // A name lookup that is still under way after its time limit does not keep the program.
    runtime.shutdown_background();
    result
}
