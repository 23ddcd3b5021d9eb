//! Man pages and completions, from the definition of the arguments.

use clap::CommandFactory;

use crate::arguments::{Arguments, CompletionsArguments, ManArguments};
use crate::failure::Failure;
use crate::output::emit;

/// `netsession man`.
pub fn man(arguments: &ManArguments) -> Result<(), Failure> {
    match &arguments.out_dir {
        Some(directory) => {
            let tried = || format!("write the man pages to {}", directory.display());
            std::fs::create_dir_all(directory)
                .and_then(|()| clap_mangen::generate_to(Arguments::command(), directory))
                .map_err(|error| Failure::local(tried(), &error))
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command())
                .render(&mut page)
                .map_err(|error| Failure::local("make the man page", &error))?;
            emit(&page)
        }
    }
}

/// `netsession completions`.
pub fn completions(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "netsession",
        &mut script,
    );
    emit(&script)
}
