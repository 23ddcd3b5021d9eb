// A server for the examples in the documentation, in the same process: admin/Adm1n.Pw is an
// administrator, and alice is connected from 127.0.0.9.

use netsession::{Credentials, Error, Options, Server, Target};
use service::Service;
use service::account::{AccountFile, AccountName, Membership, NtHash};
use service::config::{LocalSocket, Overrides, ServeConfig};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// What an example is given.
#[allow(dead_code)] // No example needs all of it.
pub struct Given {
    /// `host:port`.
    pub address: String,
    /// Options with the local socket.
    pub options: Options,
}

/// Runs an async example.
#[allow(dead_code)]
pub fn run(example: impl AsyncFnOnce(Given) -> Result<(), Error>) {
    let (runtime, service, given, _directory) = start();
    let result = runtime.block_on(async {
        let alice = alice(&given).await;
        let result = example(given).await;
        drop(alice);
        result
    });
    runtime.block_on(service.stop());
    result.unwrap();
}

/// Runs an example that blocks.
#[allow(dead_code)]
pub fn run_blocking(example: impl FnOnce(Given) -> Result<(), Error>) {
    let (runtime, service, given, _directory) = start();
    let alice = runtime.block_on(alice(&given));
    let result = example(given);
    drop(alice);
    runtime.block_on(service.stop());
    result.unwrap();
}

fn start() -> (Runtime, Service, Given, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let accounts = AccountFile::new(directory.path());
    for (name, password) in [("admin", "Adm1n.Pw"), ("alice", "Al1ce.Pw")] {
        let membership = Membership {
            admin: name == "admin",
            ..Membership::default()
        };
        let name = AccountName::new(name).unwrap();
        let hash = NtHash::of_password(password);
        accounts.add(&name, hash, membership).unwrap();
    }
    let socket = directory.path().join("local.sock");
    let config = ServeConfig::resolve(Overrides {
        listen: Some(vec!["127.0.0.1:0".parse().unwrap()]),
        data_dir: Some(directory.path().to_owned()),
        local_socket: Some(LocalSocket::At(socket.clone())),
        ..Overrides::default()
    });
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let service = runtime.block_on(Service::start(config.unwrap())).unwrap();
    let given = Given {
        address: service.addresses()[0].to_string(),
        options: Options {
            local_socket: Some(socket),
            ..Options::default()
        },
    };
    (runtime, service, given, directory)
}

async fn alice(given: &Given) -> Server {
    let options = Options {
        source_address: Some("127.0.0.9".parse().unwrap()),
        ..Options::default()
    };
    let target = Target::parse(&given.address).unwrap();
    let credentials = Credentials::parse("alice%Al1ce.Pw").unwrap();
    let alice = Server::connect(&target, &credentials, &options).await;
    alice.unwrap()
}
