//! The server that the client is tested against.

use std::thread::JoinHandle;

use netsession::{Options, SessionLevel, Syntax, Target};
use service::Service;
use service::account::{AccountFile, AccountName, Membership, NtHash};
use service::config::{Encryption, LocalSocket, Overrides, ServeConfig, ShareSpec};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A server to ask. Ours ends when this is dropped.
pub struct Peer {
    target: Target,
    ours: Option<Ours>,
}

struct Ours {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Accounts, share and socket; goes last.
    directory: TempDir,
}

impl Drop for Ours {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

impl Peer {
    /// The one that the environment names, or ours with its default settings.
    pub fn start() -> Self {
        match std::env::var("NETSESSION_TEST_SERVER") {
            Ok(name) => Self {
                target: Target::parse(&name).unwrap(),
                ours: None,
            },
            Err(_) => Self::own(),
        }
    }

    /// Ours with its default settings, whatever the environment names.
    pub fn own() -> Self {
        Self::ours(Overrides::default())
    }

    /// Ours, requiring encryption.
    pub fn encrypting() -> Self {
        Self::ours(Overrides {
            encryption: Some(Encryption::Required),
            ..Overrides::default()
        })
    }

    /// Ours, with a local socket there.
    pub fn with_local_socket(path: &std::path::Path) -> Self {
        Self::ours(Overrides {
            local_socket: Some(LocalSocket::At(path.to_owned())),
            ..Overrides::default()
        })
    }

    fn ours(overrides: Overrides) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        add_accounts(&state);
        let data = directory.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let usual = LocalSocket::At(directory.path().join("local.sock"));
        let config = ServeConfig::resolve(Overrides {
            local_socket: Some(overrides.local_socket.clone().unwrap_or(usual)),
            listen: Some(vec!["127.0.0.1:0".parse().unwrap()]),
            data_dir: Some(state),
            server_name: Some("SRV".parse().unwrap()),
            shares: vec![ShareSpec::new("data", &data).unwrap()],
            ..overrides
        })
        .unwrap();
        let (started, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        // In its own thread, so that blocking clients can be tested too.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let service = Service::start(config).await.unwrap();
                started.send(service.addresses()[0]).unwrap();
                let _ = stopped.await;
                service.stop().await;
            });
        });
        let address = address.recv().unwrap();
        Self {
            target: Target::new(&address.ip().to_string(), address.port()).unwrap(),
            ours: Some(Ours {
                stop: Some(stop),
                thread: Some(thread),
                directory,
            }),
        }
    }

    /// Where it listens.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// How to ask ours through its socket.
    pub fn local_options(&self) -> Options {
        let ours = self.ours.as_ref().expect("a server of our own");
        Options {
            local_socket: Some(ours.directory.path().join("local.sock")),
            ..Options::default()
        }
    }

    /// Our own, of which more is known.
    pub fn is_ours(&self) -> bool {
        self.ours.is_some()
    }

    /// The levels it knows.
    pub fn levels(&self) -> Vec<SessionLevel> {
        let levels = match std::env::var("NETSESSION_TEST_LEVELS") {
            _ if self.is_ours() => "0,1,2,10,502".to_owned(),
            Ok(levels) => levels,
            Err(_) => "0,1".to_owned(),
        };
        levels
            .split(',')
            .map(|level| level.parse::<u32>().unwrap().try_into().unwrap())
            .collect()
    }

    /// Offers of transfer syntaxes that it can take.
    pub fn transfer_syntaxes(&self) -> Vec<Vec<Syntax>> {
        let mut offers = vec![vec![Syntax::Ndr20, Syntax::Ndr64]];
        if self.is_ours() {
            offers.extend([vec![Syntax::Ndr20], vec![Syntax::Ndr64]]);
        }
        offers
    }
}

fn add_accounts(state: &std::path::Path) {
    std::fs::create_dir(state).unwrap();
    let file = AccountFile::new(state);
    for (name, password) in [
        ("admin", "Adm1n.Pw"),
        ("alice", "Al1ce.Pw"),
        ("bob", "B0b.Pw"),
        ("carol", "Car0l.Pw"),
    ] {
        let membership = Membership {
            admin: name == "admin",
            ..Membership::default()
        };
        let name = AccountName::new(name).unwrap();
        file.add(&name, NtHash::of_password(password), membership)
            .unwrap();
    }
    let carol = AccountName::new("carol").unwrap();
    file.set_disabled(&carol, true).unwrap();
}
