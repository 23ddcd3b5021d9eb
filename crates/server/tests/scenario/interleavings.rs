//! Many requests at once, in orders that nobody would write down: whatever waits for whatever,
//! every request is answered once, and no MessageId is signed twice. It is the nonce of
//! AES-GMAC ([MS-SMB2] 3.1.4.1); the server asserts the same of itself in debug builds.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use smb::crypto::SigningAlgorithm;
use smb::wire::lock::LockElement;
use smb::wire::{
    CloseRequest, CreateResponse, FileId, HeaderFlags, LeaseBreakAcknowledgment,
    LeaseBreakNotification, LockRequest, OplockBreak, ReadRequest, lock_flags, utf16,
};

use super::gate::{Call, Gate, Verdict};
use super::lease_client::{self, H, R, W, version_1, version_2};
use super::notify_client::{DIRECTORY, EVERYTHING, Watch};
use super::raw::{Raw, SHARED, Wanted, write_create};
use super::*;

/// Schedules that are tried; NETSESSION_SEEDS asks for more.
const SEEDS: u64 = 12;
const STEPS: usize = 250;
/// Requests of a client that are not answered: fewer than the credits that it has.
const MOST_OUTSTANDING: usize = 40;

/// xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}

/// An acknowledgement that the client owes.
enum Break {
    Oplock(OplockBreak),
    Lease(LeaseBreakAcknowledgment),
}

/// A client that keeps books.
struct Client {
    raw: Raw,
    /// Requests without a final response, with the AsyncId that an interim one told.
    outstanding: HashMap<u64, Option<u64>>,
    /// MessageIds of signed responses.
    signed: HashSet<u64>,
    opens: Vec<FileId>,
    breaks: Vec<Break>,
    is_ended: bool,
}

impl Client {
    fn new(raw: Raw) -> Self {
        let negotiated = raw.connection.negotiated();
        assert_eq!(negotiated.signing_algorithm, SigningAlgorithm::AES_GMAC);
        Self {
            raw,
            outstanding: HashMap::new(),
            signed: HashSet::new(),
            opens: Vec::new(),
            breaks: Vec::new(),
            is_ended: false,
        }
    }

    fn sent(&mut self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            assert!(self.outstanding.insert(id, None).is_none());
        }
    }

    /// Takes in what has come.
    async fn receive(&mut self) {
        loop {
            let frame = {
                let mut receiving = pin!(self.raw.connection.receive());
                let once = poll_fn(|context| match receiving.as_mut().poll(context) {
                    Poll::Ready(frame) => Poll::Ready(Some(frame.unwrap())),
                    Poll::Pending => Poll::Ready(None),
                });
                match once.await {
                    Some(frame) => frame,
                    None => return,
                }
            };
            let mut rest = &frame[..];
            while !rest.is_empty() {
                let header = Header::read(rest).unwrap();
                let length = match header.next_command as usize {
                    0 => rest.len(),
                    next => next,
                };
                let (message, behind) = rest.split_at(length);
                self.book(&header, message);
                rest = behind;
            }
        }
    }

    fn book(&mut self, header: &Header, message: &[u8]) {
        let id = header.message_id;
        let is_signed = header.flags.contains(HeaderFlags::SIGNED);
        if is_signed {
            assert!(self.raw.session.verify(message), "{id}");
            assert!(self.signed.insert(id), "{id} was signed before");
        }
        if id == u64::MAX {
            assert!(!is_signed);
            return self.break_told(message);
        }
        let known = self.outstanding.get_mut(&id);
        let known = known.unwrap_or_else(|| panic!("{id} {} is too much", header.command));
        let is_async = header.flags.contains(HeaderFlags::ASYNC);
        if is_async && header.status == NtStatus::PENDING {
            assert!(!is_signed, "an interim response");
            assert_eq!(known.replace(header.async_id), None, "{id} is told twice");
            return;
        }
        assert_eq!(is_async.then_some(header.async_id), *known, "{id}");
        // Who has no session any more has no key.
        assert!(
            is_signed || self.is_ended && header.status.is_error(),
            "{id}"
        );
        self.outstanding.remove(&id);
        if header.command == Command::CREATE && header.status == NtStatus::SUCCESS {
            let response = CreateResponse::read(message).unwrap();
            self.opens.push(response.file_id);
        }
    }

    fn break_told(&mut self, message: &[u8]) {
        if let Ok(told) = OplockBreak::read(message) {
            self.breaks.push(Break::Oplock(told));
        } else {
            let told = LeaseBreakNotification::read(message).unwrap();
            if told.flags & 1 != 0 {
                self.breaks.push(Break::Lease(LeaseBreakAcknowledgment {
                    lease_key: told.lease_key,
                    lease_state: told.new_lease_state,
                }));
            }
        }
    }

    async fn acknowledge(&mut self) {
        let Some(told) = self.breaks.pop() else {
            return;
        };
        let id = match told {
            Break::Oplock(told) => {
                self.raw
                    .send(Command::OPLOCK_BREAK, |out| told.write(out))
                    .await
            }
            Break::Lease(told) => {
                self.raw
                    .send(Command::OPLOCK_BREAK, |out| told.write(out))
                    .await
            }
        };
        self.sent([id]);
    }

    async fn cancel(&mut self, random: &mut Random) {
        // In the order of the seed, not of the map.
        let mut ids: Vec<_> = self.outstanding.iter().collect();
        ids.sort_unstable();
        if !ids.is_empty() {
            let (id, async_id) = random.of(&ids);
            self.raw.cancel(*id, *async_id).await;
        }
    }

    async fn create(&mut self, random: &mut Random) {
        let name = random.of(&["a", "b", "c"]);
        let wanted = Wanted {
            share: random.of(&[7, 7, 7, 3, 1, 0]),
            disposition: random.of(&[3, 3, 3, 1, 5]),
            options: random.of(&[0, 0, 0, 0x1000]),
            oplock: random.of(&[0, 0, 1, 8, 9]),
            ..SHARED
        };
        let key = random.below(3) as u8;
        let id = match random.below(6) {
            0 | 1 => {
                let lease = version_2(key, random.of(&[R, R | H, R | W | H]), 0);
                self.raw.send_create_leased(name, wanted, lease).await
            }
            2 => {
                let lease = version_1(key, R | W | H);
                self.raw.send_create_leased(name, wanted, lease).await
            }
            3 => self.raw.send_create("d", DIRECTORY).await,
            _ => self.raw.send_create(name, wanted).await,
        };
        self.sent([id]);
    }

    /// CREATE, READ and CLOSE, or LOCK, READ and CLOSE.
    async fn compound(&mut self, open: FileId, random: &mut Random) {
        let mut first = Vec::new();
        let (command, related) = if random.one_in(2) {
            write_create(&utf16(random.of(&["a", "b"])), SHARED, &mut first);
            (Command::CREATE, FileId::ALL_ONES)
        } else {
            lock_request(open, random).write(&mut first);
            (Command::LOCK, FileId::ALL_ONES)
        };
        let (mut read, mut close) = (Vec::new(), Vec::new());
        ReadRequest {
            length: 10,
            file_id: related,
            ..ReadRequest::default()
        }
        .write(&mut read);
        CloseRequest {
            file_id: related,
            ..CloseRequest::default()
        }
        .write(&mut close);
        let ids = self
            .raw
            .send_compound(&[
                (command, false, first),
                (Command::READ, true, read),
                (Command::CLOSE, true, close),
            ])
            .await;
        self.sent(ids);
    }

    async fn step(&mut self, random: &mut Random) {
        if self.opens.is_empty() || random.one_in(5) {
            return self.create(random).await;
        }
        let index = random.below(self.opens.len() as u64) as usize;
        let open = self.opens[index];
        let offset = random.below(20);
        let raw = &self.raw;
        let id = match random.below(16) {
            0..=2 => raw.send_read(open, offset, 10).await,
            3..=5 => raw.send_write(open, offset, b"0123456789").await,
            6 | 7 => {
                let request = lock_request(open, random);
                raw.send(Command::LOCK, |out| request.write(out)).await
            }
            8 => raw.send_watch(open, Watch::tree(EVERYTHING)).await,
            9 => raw.send_rename(open, random.of(&["a", "b", "c"])).await,
            10 | 11 => {
                self.opens.swap_remove(index);
                raw.send_close(open).await
            }
            12 => return self.compound(open, random).await,
            13 | 14 => return self.acknowledge().await,
            _ => return self.cancel(random).await,
        };
        self.sent([id]);
    }
}

fn lock_request(file_id: FileId, random: &mut Random) -> LockRequest {
    LockRequest {
        lock_sequence: 0,
        file_id,
        locks: vec![LockElement {
            offset: random.below(3),
            length: 2,
            flags: random.of(&[
                lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK,
                lock_flags::SMB2_LOCKFLAG_SHARED_LOCK,
                lock_flags::SMB2_LOCKFLAG_UNLOCK,
            ]),
        }],
    }
}

/// Where the connections are served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Threads {
    /// On one thread, and time passes when told.
    One,
    /// On several; time passes by itself.
    Several,
}

impl Threads {
    async fn advance(self, time: Duration) {
        match self {
            Self::One => tokio::time::advance(time).await,
            Self::Several => tokio::task::yield_now().await,
        }
    }
}

/// Something happens to the store, the time, or a session.
async fn disturb(
    scene: &Scene,
    gate: &Gate,
    clients: &mut Vec<Client>,
    random: &mut Random,
    threads: Threads,
) {
    const CALLS: [Call; 6] = [
        Call::Open,
        Call::Stat,
        Call::Read,
        Call::Write,
        Call::Rename,
        Call::Unlink,
    ];
    match random.below(40) {
        0..=3 => gate.hold(&[random.of(&CALLS)]),
        4..=5 => gate.open(),
        6..=15 if gate.number_held() > 0 => {
            let failed = Verdict::Fail(NtStatus::DISK_FULL);
            gate.release(random.of(&[Verdict::Go, Verdict::Go, Verdict::Go, failed]));
        }
        16..=25 => {
            let time = Duration::from_millis(random.below(2_000));
            threads.advance(time).await;
        }
        26 => threads.advance(Duration::from_secs(36)).await,
        27 if random.one_in(4) => {
            let client = &mut clients[0];
            client.is_ended = true;
            super::end(&*scene.application(), client.raw.session.id());
        }
        28 if random.one_in(4) && clients.len() > 2 => drop(clients.pop()),
        _ => {}
    }
}

/// Everything that is still outstanding ends.
async fn end(gate: &Gate, clients: &mut [Client], threads: Threads) {
    let begin = std::time::Instant::now();
    loop {
        gate.open();
        for client in &mut *clients {
            client.receive().await;
            while !client.breaks.is_empty() && !client.is_ended {
                client.acknowledge().await;
            }
            for (id, async_id) in &client.outstanding {
                client.raw.cancel(*id, *async_id).await;
            }
        }
        if clients.iter().all(|client| client.outstanding.is_empty()) {
            return;
        }
        if begin.elapsed() > LIMIT {
            for client in clients {
                println!("{:?}", client.outstanding);
            }
            panic!("requests that are not answered");
        }
        threads.advance(Duration::from_millis(100)).await;
        std::thread::yield_now();
    }
}

async fn run(seed: u64, threads: Threads) {
    // Who has lost his session stays.
    let scene = Scene::new(|config| config.limits.handshake = LIMIT * 1_000);
    let gate = Gate::of(&scene);
    std::fs::create_dir(scene.data().join("d")).unwrap();
    let before = scene.server.usage();
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut clients = Vec::new();
    for (guid, user, share) in [
        (1, "alice", "slow"),
        (1, "alice", "slow"),
        (2, "bob", "data"),
        (3, "bob", "slow"),
    ] {
        let raw = lease_client::connect(&scene, guid, user, share).await;
        clients.push(Client::new(raw));
    }
    for _ in 0..STEPS {
        let index = random.below(clients.len() as u64) as usize;
        let client = &mut clients[index];
        if client.outstanding.len() < MOST_OUTSTANDING && !client.is_ended {
            client.step(&mut random).await;
        }
        disturb(&scene, &gate, &mut clients, &mut random, threads).await;
        for _ in 0..random.below(8) {
            tokio::task::yield_now().await;
        }
        for client in &mut clients {
            client.receive().await;
        }
    }
    end(&gate, &mut clients, threads).await;
    drop(clients);
    until("everything is given back", || {
        scene.rows().is_empty() && scene.opens() == 0 && scene.server.usage() == before
    })
    .await;
}

async fn run_all(threads: Threads) {
    let seeds = std::env::var("NETSESSION_SEEDS");
    let seeds = seeds.ok().and_then(|seeds| seeds.parse().ok());
    for seed in 1..=seeds.unwrap_or(SEEDS) {
        println!("seed {seed}");
        run(seed, threads).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_request_is_answered_once_and_no_nonce_is_used_twice() {
    run_all(Threads::One).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_same_holds_with_connections_on_several_threads() {
    run_all(Threads::Several).await;
}
