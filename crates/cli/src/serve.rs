//! `netsession serve`: the Server service in the foreground.

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;

use service::Service;
use service::config::{Encryption, Overrides, ServeConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::arguments::ServeArguments;
use crate::failure::{Exit, Failure, complain};
use crate::output::emit;

/// Serves until SIGTERM or SIGINT.
pub fn run(arguments: &ServeArguments) -> Result<(), Failure> {
    start_log(&arguments.log)?;
    let config = config(arguments)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local("start the runtime", &error))?
        .block_on(serve(config))
}

async fn serve(config: ServeConfig) -> Result<(), Failure> {
    // Before anything is open, so that no signal is missed.
    let mut terminate = on(SignalKind::terminate())?;
    let mut interrupt = on(SignalKind::interrupt())?;
    service::raise_descriptor_limit();
    let no_shares = config.shares.is_empty();
    let data_dir = config.data_dir.clone();
    let service = Service::start(config)
        .await
        .map_err(|error| Failure::local("start the Server service", &error))?;
    if service.accounts().is_empty() {
        complain(&format!(
            "no accounts in {}, nobody can log on; add one with `netsession account add NAME \
             --data-dir {}`, it counts at once",
            data_dir.display(),
            data_dir.display()
        ));
    }
    if no_shares {
        complain("no shares, clients find nothing but IPC$; give --share NAME=DIR");
    }
    for address in service.addresses() {
        emit(format!("listening on {address}\n").as_bytes())?;
    }
    if let Some(path) = service.local_socket() {
        emit(format!("local socket {}\n", path.display()).as_bytes())?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    service.stop().await;
    Ok(())
}

fn on(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::local("wait for signals", &error))
}

fn config(arguments: &ServeArguments) -> Result<ServeConfig, Failure> {
    let file = arguments.config.clone().or_else(|| {
        std::env::var_os("NETSESSION_CONFIG")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    });
    ServeConfig::load(
        flags(arguments),
        |name| std::env::var_os(name),
        file.as_deref(),
    )
    .map_err(|error| Failure {
        exit: Exit::Local,
        message: format!("configuration: {error}"),
    })
}

fn flags(arguments: &ServeArguments) -> Overrides {
    Overrides {
        listen: (!arguments.listen.is_empty()).then(|| arguments.listen.clone()),
        data_dir: arguments.data_dir.clone(),
        server_name: arguments.server_name.clone(),
        comment: arguments.comment.clone(),
        signing: arguments.signing,
        encryption: if arguments.encrypt {
            Some(Encryption::Required)
        } else {
            arguments.encryption
        },
        min_dialect: arguments.min_dialect,
        max_dialect: arguments.max_dialect,
        local_socket: arguments.local_socket.clone(),
        administrators_group: arguments.administrators_group.clone(),
        shares: arguments.shares.clone(),
        ..Overrides::default()
    }
}

fn start_log(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(filter).map_err(|error| {
        Failure::usage(format!(
            "--log {filter:?}: {error}; write error, warn, info, debug, trace or MODULE=LEVEL"
        ))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .try_init()
        .map_err(|error| Failure {
            exit: Exit::Local,
            message: format!("start the log: {error}"),
        })
}
