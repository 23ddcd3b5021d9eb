//! Every work, with small numbers, on our own server in this process.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use clap::Parser as _;
use netsession_load::arguments::Arguments;
use netsession_load::{Dial, Result, run};
use serde_json::Value;
use service::Service;
use service::account::{AccountFile, AccountName, Membership, NtHash};
use service::config::{LocalSocket, Overrides, ServeConfig, ShareSpec};
use tempfile::TempDir;
use tokio::sync::oneshot;

struct Peer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    directory: TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking());
        }
    }
}

impl Peer {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let accounts = AccountFile::new(&state);
        for (name, password) in [
            ("admin", "Adm1n.Pw"),
            ("alice", "Al1ce.Pw"),
            ("bob", "B0b.Pw"),
        ] {
            let membership = Membership {
                admin: name == "admin",
                ..Membership::default()
            };
            let name = AccountName::new(name).unwrap();
            accounts
                .add(&name, NtHash::of_password(password), membership)
                .unwrap();
        }
        let data = directory.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let config = ServeConfig::resolve(Overrides {
            listen: Some(vec!["127.0.0.1:0".parse().unwrap()]),
            data_dir: Some(state),
            server_name: Some("SRV".parse().unwrap()),
            local_socket: Some(LocalSocket::Off),
            shares: vec![ShareSpec::new("data", &data).unwrap()],
            ..Overrides::default()
        })
        .unwrap();
        let (started, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
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
        Peer {
            address: address.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
            directory,
        }
    }

    fn run(&self, words: &[&str]) -> Result<Value> {
        let server = self.address.to_string();
        let line = ["netsession-load", "--server", &server];
        let arguments = Arguments::try_parse_from(line.iter().chain(words)).unwrap();
        run(&Dial::new(arguments.server), &arguments.work)
    }
}

#[test]
fn latencies_count_what_they_say() {
    let peer = Peer::start();
    // Nobody but the administrator who asks.
    let words = ["enum", "--level", "1", "--calls", "5", "--rows", "1"];
    let measured = peer.run(&words).unwrap();
    assert_eq!(measured["calls"], 5);
    assert_eq!(measured["rows"], 1);
    let error = peer
        .run(&["enum", "--calls", "1", "--rows", "2"])
        .unwrap_err();
    assert!(error.to_string().contains("1 rows where 2"), "{error}");
    // Also encrypted.
    let measured = peer.run(&["--encrypt", "get-one", "--calls", "5"]).unwrap();
    assert_eq!(measured["calls"], 5);
}

#[test]
fn everything_in_pages() {
    let peer = Peer::start();
    let measured = peer
        .run(&["enum-all", "--rows", "1", "--rounds", "2", "--page", "512"])
        .unwrap();
    assert_eq!(measured["wire_s"].as_array().unwrap().len(), 2);
    assert_eq!(measured["copy_s"].as_array().unwrap().len(), 2);
    assert!(measured["bytes"].as_u64().unwrap() > 50, "{measured}");
}

#[test]
fn sessions_are_ended() {
    let peer = Peer::start();
    assert_eq!(peer.run(&["del", "--victims", "3"]).unwrap()["calls"], 3);
    let measured = peer
        .run(&["del-many", "--sessions", "20", "--per-connection", "7"])
        .unwrap();
    assert_eq!(measured["sessions"], 20);
    assert!(measured["probes"].as_u64().unwrap() > 10, "{measured}");
    assert!(
        measured["probe_during_maximum_us"].as_f64().unwrap() > 0.0,
        "{measured}"
    );
}

#[test]
fn rates() {
    let peer = Peer::start();
    for words in [
        &["setup", "--threads", "2"][..],
        &["setup", "--same-connection"],
        &["open-close", "--connections", "2"],
        &["open-close", "--connections", "2", "--lease"],
        &["lock", "--connections", "2"],
        &["bare-echo", "--connections", "2"],
        &["echo", "--connections", "2", "--outstanding", "16"],
        &["echo", "--connections", "2"],
        &["echo", "--connections", "2", "--asynchronous"],
        &["--encrypt", "echo", "--connections", "1"],
    ] {
        let words = [words, &["--seconds", "0.2"]].concat();
        let measured = peer.run(&words).unwrap();
        assert!(
            measured["per_second"].as_f64().unwrap() > 1.0,
            "{words:?} {measured}"
        );
    }
}

#[test]
fn small_fragments() {
    let peer = Peer::start();
    let words = ["enum", "--calls", "5", "--rows", "1", "--fragment", "4280"];
    let measured = peer.run(&words).unwrap();
    assert_eq!(
        (&measured["calls"], &measured["reads"]),
        (&5.into(), &0.into())
    );
}

#[test]
fn oplocks_and_changes() {
    let peer = Peer::start();
    let measured = peer.run(&["break-oplock", "--rounds", "5"]).unwrap();
    assert_eq!(measured["calls"], 5);
    let words = ["watch", "--directories", "20", "--changes", "100"];
    assert_eq!(peer.run(&words).unwrap()["told"], 100);
    std::fs::create_dir(peer.directory.path().join("data/large")).unwrap();
    let words = ["create-missing", "--name", "large", "--seconds", "0.2"];
    assert!(peer.run(&words).unwrap()["creates"].as_u64().unwrap() > 1);
}

#[test]
fn a_directory() {
    let peer = Peer::start();
    let many = peer.directory.path().join("data/many");
    std::fs::create_dir(&many).unwrap();
    for number in 0..700 {
        std::fs::write(many.join(format!("file {number}")), "").unwrap();
    }
    let list = |entries: &str| {
        peer.run(&[
            "list-dir",
            "--name",
            "many",
            "--entries",
            entries,
            "--rounds",
            "2",
        ])
    };
    assert_eq!(list("700").unwrap()["calls"], 2);
    let error = list("701").unwrap_err();
    assert!(error.to_string().contains("700 entries"), "{error}");
}

/// A few of each thing that a siege wants: the server has room for them all.
fn besieged(attack: &str, count: &str) -> Value {
    let peer = Peer::start();
    let data = peer.directory.path().join("data");
    std::fs::write(data.join("readable"), vec![0; 64 * 1024]).unwrap();
    std::fs::write(data.join("large"), vec![0; 8 << 20]).unwrap();
    std::fs::create_dir(data.join("many")).unwrap();
    let seen = peer
        .run(&["siege", attack, "--count", count, "--seconds", "10"])
        .unwrap();
    assert_eq!(seen["attack"]["refused"], 0, "{seen}");
    for others in ["honest", "newcomer", "administrator"] {
        assert_eq!(seen[others]["failures"], 0, "{seen}");
    }
    for kind in ["echo", "create_close", "read"] {
        let calls = |stretch: &str| seen["honest"][kind][stretch]["calls"].as_u64();
        assert!(
            calls("before") > Some(1) && calls("during") > Some(1),
            "{seen}"
        );
    }
    assert!(seen["ending"]["took_us"].as_f64().is_some(), "{seen}");
    seen
}

#[test]
fn a_siege_of_users() {
    let all = ["handles", "listings", "pipes", "answers", "frames"];
    std::thread::scope(|scope| {
        for attack in all {
            scope.spawn(move || {
                let seen = besieged(attack, "12");
                assert_eq!(seen["attack"]["got"], 12, "{attack} {seen}");
                // The attacker's sessions are gone, the administrator's own is there.
                let (before, after) = (
                    seen["ending"]["sessions_before"].as_u64(),
                    seen["ending"]["sessions_after"].as_u64(),
                );
                assert!(before > after && after >= Some(1), "{attack} {seen}");
            });
        }
    });
}

#[test]
fn a_siege_of_strangers() {
    let seen = besieged("idle", "50");
    assert_eq!(seen["attack"]["still_open"], 50, "{seen}");
    let seen = besieged("logons", "2");
    assert_eq!(seen["attack"]["got"], 2 * 1_024, "{seen}");
}
