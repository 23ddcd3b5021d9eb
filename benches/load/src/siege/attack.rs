//! The attacker: several connections that want as much as they can get, and keep it.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use netsession::Credentials;
use netsession::smb_client::TreeConnect;
use netsession::smb_client::{Connection, Error as SmbError, Negotiation, Session, Transport};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::raw::RawStream;
use super::{Attack, Siege, hoard, logons};
use crate::{Dial, Error, Result};

/// What the attacker does at once.
const WORKERS: u32 = 8;
/// A server that does not answer the attacker for so long has given him up.
const EXCHANGE: Duration = Duration::from_secs(10);
/// After so many refusals one after the other, a worker keeps what it has.
const PATIENCE: u32 = 20;
/// Of the connections from one address.
const FIRST_PORT: u16 = 2_000;
/// The attacker's own machine is another one: here its work gives way to the server's.
const NICE: i32 = 10;

/// What the attack got. The server may have it back when this is dropped.
pub(super) struct Held {
    got: Got,
    kind: Attack,
    wanted: u32,
    runtime: Runtime,
}

/// What a worker got.
#[derive(Default)]
pub(super) struct Got {
    /// Things that the server let it have.
    count: u64,
    refused: u64,
    /// Why, and how often.
    reasons: BTreeMap<String, u64>,
    in_a_row: u32,
    /// Connections and what is on them.
    kept: Vec<Box<dyn Any + Send>>,
}

impl Got {
    /// One more.
    pub(super) fn one(&mut self) {
        self.count += 1;
        self.in_a_row = 0;
    }

    /// One that was refused.
    pub(super) fn refused(&mut self, reason: impl ToString) {
        self.refused += 1;
        self.in_a_row += 1;
        *self.reasons.entry(reason.to_string()).or_default() += 1;
    }

    /// Keeps something until the end.
    pub(super) fn keep(&mut self, thing: impl Any + Send) {
        self.kept.push(Box::new(thing));
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.refused += other.refused;
        self.kept.extend(other.kept);
        for (reason, times) in other.reasons {
            *self.reasons.entry(reason).or_default() += times;
        }
    }
}

/// One worker of the attack.
#[derive(Clone)]
pub(super) struct Attacker {
    dial: Dial,
    /// Which of the workers.
    pub(super) number: u32,
    deadline: Instant,
    /// What is left to want, shared by all.
    left: Arc<AtomicU32>,
    /// The next port of the address that all share.
    port: Arc<AtomicU16>,
}

impl Attacker {
    /// Whether to want one more.
    pub(super) fn wants_more(&self, got: &Got) -> bool {
        let take = |left: u32| left.checked_sub(1);
        got.in_a_row < PATIENCE
            && Instant::now() < self.deadline
            && self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_ok()
    }

    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// An address of this worker: none of them shares it.
    fn own_address(&self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, 66, 1, self.number as u8 + 1))
    }

    /// The address that all workers share.
    fn one_address(&self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, 66, 0, 1))
    }

    pub(super) fn user(&self) -> &Credentials {
        self.dial.user()
    }

    /// A connection from the address that all workers share. Its port is chosen here: the
    /// system looks longer for a free one the more are taken.
    pub(super) async fn stream_from_one(&self) -> Result<RawStream> {
        loop {
            let port = self.port.fetch_add(1, Ordering::Relaxed).max(FIRST_PORT);
            match self.stream((self.one_address(), port).into()).await {
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::AddrInUse => {}
                done => return done,
            }
        }
    }

    async fn stream(&self, source: SocketAddr) -> Result<RawStream> {
        let connecting = RawStream::connect(source, self.dial.address());
        match tokio::time::timeout(EXCHANGE, connecting).await {
            Ok(stream) => Ok(stream?),
            Err(_) => Err(Error::Smb(SmbError::TimedOut)),
        }
    }

    /// A negotiated connection, and the stream beneath it.
    pub(super) async fn connection(&self) -> Result<(Connection, RawStream)> {
        let stream = self.stream((self.own_address(), 0).into()).await?;
        let transport = Transport::new(stream.clone(), EXCHANGE);
        let host = self.dial.address().ip().to_string();
        let negotiation = Negotiation::new(&host)?;
        let connection = Connection::negotiate(transport, &negotiation).await?;
        Ok((connection, stream))
    }

    pub(super) async fn session(&self) -> Result<(Session, RawStream)> {
        let (connection, stream) = self.connection().await?;
        let session = self.dial.session(&connection, self.user()).await?;
        Ok((session, stream))
    }

    pub(super) async fn tree(&self, session: &Session, share: Option<&str>) -> Result<TreeConnect> {
        match share {
            None => self.dial.tree(session).await,
            Some(share) => {
                let host = self.dial.address().ip().to_string();
                Ok(session.tree_connect(&host, share).await?)
            }
        }
    }
}

impl Held {
    /// Grows until it has what it wants, is refused too often, or the time is up.
    pub(super) fn begin(dial: &Dial, siege: &Siege) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .on_thread_start(|| {
                // Without it the figures are only worse.
                let _ = rustix::process::setpriority_process(None, NICE);
            })
            .enable_all()
            .build()?;
        let left = Arc::new(AtomicU32::new(siege.count));
        let port = Arc::new(AtomicU16::new(FIRST_PORT));
        let deadline = Instant::now() + Duration::from_secs_f64(siege.seconds);
        let got = runtime.block_on(async {
            let mut workers = JoinSet::new();
            for number in 0..WORKERS {
                let attacker = Attacker {
                    dial: dial.clone(),
                    number,
                    deadline,
                    left: left.clone(),
                    port: port.clone(),
                };
                workers.spawn(work(siege.attack, attacker));
            }
            let mut got = Got::default();
            while let Some(done) = workers.join_next().await {
                got.join(done.map_err(|error| Error::Unexpected(error.to_string()))?);
            }
            Result::Ok(got)
        })?;
        Ok(Self {
            got,
            kind: siege.attack,
            wanted: siege.count,
            runtime,
        })
    }

    /// What it has now, for the report.
    pub(super) fn told(&self) -> Value {
        let _in_runtime = self.runtime.enter();
        let idle = self.got.kept.iter();
        let open = idle.filter_map(|kept| kept.downcast_ref::<RawStream>());
        let (closed, open): (Vec<_>, Vec<_>) = open.partition(|stream| stream.is_closed());
        let mut told = json!({
            "wanted": self.wanted,
            "got": self.got.count,
            "refused": self.got.refused,
            "reasons": self.got.reasons,
        });
        if matches!(self.kind, Attack::Idle | Attack::Frames) {
            told["still_open"] = open.len().into();
            told["closed_by_the_server"] = closed.len().into();
        }
        told
    }
}

async fn work(attack: Attack, attacker: Attacker) -> Got {
    let mut got = Got::default();
    let done = match attack {
        Attack::Handles => hoard::handles(&attacker, &mut got).await,
        Attack::Listings => hoard::listings(&attacker, &mut got).await,
        Attack::Pipes => hoard::pipes(&attacker, &mut got).await,
        Attack::Answers => hoard::answers(&attacker, &mut got).await,
        Attack::Frames => hoard::frames(&attacker, &mut got).await,
        Attack::Idle => logons::idle(&attacker, &mut got).await,
        Attack::Logons => logons::half(&attacker, &mut got).await,
    };
    if let Err(error) = done {
        got.refused(error);
    }
    got
}
