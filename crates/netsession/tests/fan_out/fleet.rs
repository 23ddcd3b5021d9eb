//! Many servers on loopback addresses: one service that listens on all of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread::JoinHandle;

use netsession::Target;
use service::Service;
use service::account::{AccountFile, AccountName, Membership, NtHash};
use service::config::{ListenAddress, LocalSocket, Overrides, ServeConfig};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A service on many addresses. Ends when dropped.
pub struct Fleet {
    targets: Vec<Target>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Its accounts; goes last.
    _directory: TempDir,
}

impl Fleet {
    /// Listens on `number` addresses from 127.`net`.0.1 on, each with a port of its own;
    /// `admin` is an administrator there, `alice`/Al1ce.Pw is not.
    pub fn start(net: u8, number: u16, password: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        std::fs::create_dir(&state).unwrap();
        add_account(&state, "admin", password, true);
        add_account(&state, "alice", "Al1ce.Pw", false);
        let listen = (1..=number)
            .map(|i| {
                let [high, low] = i.to_be_bytes();
                ListenAddress((Ipv4Addr::new(127, net, high, low), 0).into())
            })
            .collect();
        let config = ServeConfig::resolve(Overrides {
            listen: Some(listen),
            data_dir: Some(state),
            local_socket: Some(LocalSocket::Off),
            server_name: Some("SRV".parse().unwrap()),
            ..Overrides::default()
        })
        .unwrap();
        let (started, addresses) = std::sync::mpsc::channel();
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
                started.send(service.addresses().to_vec()).unwrap();
                let _ = stopped.await;
                service.stop().await;
            });
        });
        let targets = addresses.recv().unwrap().into_iter().map(target).collect();
        Self {
            targets,
            stop: Some(stop),
            thread: Some(thread),
            _directory: directory,
        }
    }

    /// Where it listens.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}

impl Drop for Fleet {
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

/// The target for an address.
pub fn target(address: SocketAddr) -> Target {
    Target::new(&address.ip().to_string(), address.port()).unwrap()
}

fn add_account(state: &Path, name: &str, password: &str, admin: bool) {
    let membership = Membership {
        admin,
        ..Membership::default()
    };
    let name = AccountName::new(name).unwrap();
    AccountFile::new(state)
        .add(&name, NtHash::of_password(password), membership)
        .unwrap();
}
