//! A server with sessions that are known.

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use netsession_tests::client::{SHORT, python_beside};
use netsession_tests::subject::{ADMIN, User};
use netsession_tests::{Kind, Options, Running, Subject};

use crate::call::Asked;

/// Where the calls go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Our server, over the network.
    Ours,
    /// Our server on this machine: `servername` NULL, the rights those of this process.
    ThisMachine,
    /// Samba's.
    Samba,
}

/// A session that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whose.
    pub user: &'static str,
    /// From where.
    pub client: &'static str,
    /// Files open in it.
    pub opens: u32,
}

/// The sessions, in the order in which they began: users and clients in every combination
/// that a filter can tell apart, and two sessions that no filter can.
pub const HELD: [Held; 5] = [
    held("alice", "127.0.0.2", 3),
    held("bob", "127.0.0.3", 1),
    held("alice", "127.0.0.3", 0),
    held("bob", "127.0.0.3", 2),
    held("bob", "127.0.0.2", 5),
];

const fn held(user: &'static str, client: &'static str, opens: u32) -> Held {
    Held {
        user,
        client,
        opens,
    }
}

/// Where those come from who ask over the network.
pub const CALLER: &str = "127.0.0.1";

/// A running server with [`HELD`].
pub struct Scene {
    /// The server.
    pub subject: Subject,
    /// Where the calls go.
    pub place: Place,
    /// Before the first session began, and when the last was there.
    began: Instant,
    there: Instant,
    _sessions: Running,
}

impl Scene {
    /// Starts the server and the sessions.
    pub fn start(place: Place) -> Self {
        let kind = match place {
            Place::Ours | Place::ThisMachine => Kind::Netsession,
            Place::Samba => Kind::Samba,
        };
        let subject = Subject::of(kind, Options::default());
        let ready = subject.outside().join("scene.ready");
        let mut words = vec![ready.to_string_lossy().into_owned()];
        words.extend(HELD.map(|held| format!("{}@{}:{}", held.user, held.client, held.opens)));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let began = Instant::now();
        let sessions = python_beside(&subject, "scene", &words);
        while !ready.exists() {
            assert!(began.elapsed() < SHORT, "the sessions never came");
            std::thread::sleep(Duration::from_millis(20));
        }
        let there = Instant::now();
        fs::remove_file(&ready).expect("the sign can be removed");
        Scene {
            subject,
            place,
            began,
            there,
            _sessions: sessions,
        }
    }

    /// As an administrator.
    pub fn asked(&self) -> Asked {
        self.asked_by(ADMIN)
    }

    /// As this user.
    pub fn asked_by(&self, user: User) -> Asked {
        Asked {
            server: match self.place {
                Place::ThisMachine => None,
                Place::Ours | Place::Samba => Some(self.subject.host_and_port()),
            },
            user,
            socket: self.subject.outside().join("srvsvc.sock"),
        }
    }

    /// Least and most whole seconds since the sessions began and since their last request,
    /// now.
    pub fn age(&self) -> Age {
        Age {
            least: self.there.elapsed().as_secs() as u32,
            most: self.began.elapsed().as_secs() as u32 + 1,
        }
    }
}

/// Bounds of a time, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Age {
    /// Since the last session was there.
    pub least: u32,
    /// Since before the first one, rounded up.
    pub most: u32,
}

/// A loopback address is what the tests take it for.
#[test]
fn the_clients_are_addresses() {
    for held in HELD {
        let address: IpAddr = held.client.parse().expect("an address");
        assert!(address.is_loopback() && held.client != CALLER);
    }
}
