//! A listing while sessions come and go: who stays is listed once, nobody twice.

use std::collections::{BTreeMap, BTreeSet};

use netsession::smb_client::Session;
use netsession::{Credentials, Options, Server, SessionFilter, SessionLevel};

use super::peer::Peer;
use super::{admin, connection_from};

/// Listings; each has a seed of its own.
const LISTINGS: u64 = 24;

/// Sessions there are at the start of each.
const STANDING: usize = 24;

/// splitmix64: what a seed brings is the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// Sessions of alice by client address; no address is used twice.
struct Crowd<'a> {
    peer: &'a Peer,
    present: BTreeMap<String, Session>,
    next: u16,
}

impl Crowd<'_> {
    async fn comes(&mut self) {
        let [high, low] = self.next.to_be_bytes();
        self.next += 1;
        let client = format!("127.1.{high}.{low}");
        let target = self.peer.target();
        let connection = connection_from(target, &client).await;
        let alice = Credentials::new("", "alice", "Al1ce.Pw");
        let session = Session::logon(&connection, &alice, target.host()).await;
        self.present.insert(client, session.unwrap());
    }

    async fn goes(&mut self, random: &mut Random) -> Option<String> {
        let place = random.below(self.present.len().max(1));
        let client = self.present.keys().nth(place)?.clone();
        let session = self.present.remove(&client)?;
        session.logoff().await.unwrap();
        Some(client)
    }
}

#[tokio::test]
async fn who_stays_is_listed_once() {
    let peer = Peer::own();
    let mut crowd = Crowd {
        peer: &peer,
        present: BTreeMap::new(),
        next: 1,
    };
    let mut pages = 0;
    for seed in 0..LISTINGS {
        let mut random = Random(seed);
        while crowd.present.len() < STANDING {
            crowd.comes().await;
        }
        let mut staying: BTreeSet<String> = crowd.present.keys().cloned().collect();
        let options = Options {
            page_bytes: random.below(600) as u32,
            ..Options::default()
        };
        let level = SessionLevel::ALL[random.below(5)];
        let mut server = Server::connect(peer.target(), &admin(), &options)
            .await
            .unwrap();
        let filter = SessionFilter {
            client: None,
            user: (random.below(2) == 0).then(|| "Alice".to_owned()),
        };
        let mut seen = BTreeSet::new();
        let mut sessions = server.sessions(&filter, level);
        while let Some(session) = sessions.next_session().await {
            let session = session.unwrap();
            let client = session.client().to_owned();
            assert!(seen.insert(client), "seed {seed}: {session:?} twice");
            for _ in 0..random.below(3) {
                match random.below(2) {
                    0 => crowd.comes().await,
                    _ => {
                        let gone = crowd.goes(&mut random).await;
                        staying.retain(|client| Some(client) != gone.as_ref());
                    }
                }
            }
            // A page is over: what follows was asked for after the change.
            pages += u32::from(futures_core::Stream::size_hint(&sessions).0 == 0);
        }
        drop(sessions);
        let missed: Vec<_> = staying.difference(&seen).collect();
        assert!(missed.is_empty(), "seed {seed}: {missed:?} missed");
        let has_caller = seen.contains("127.0.0.1");
        assert_eq!(has_caller, filter.user.is_none(), "seed {seed}");
        server.disconnect().await.unwrap();
    }
    assert!(
        u64::from(pages) > 3 * LISTINGS,
        "{pages} pages are hardly a test"
    );
}
