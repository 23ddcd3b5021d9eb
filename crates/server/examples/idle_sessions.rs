//! What an idle session costs a server: opens sessions with one tree connect each from many
//! loopback addresses, holds them, and prints by how much the server's resident memory grew.
//! The server is another process on this machine, ours or any other.
//!
//! `cargo run --release -p netsession-server --example idle_sessions -- \
//!     127.0.0.1:1446 PID USER PASSWORD SHARE SESSIONS SESSIONS_PER_CONNECTION [HOLD_SECONDS]`

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use netsession::Credentials;
use netsession::smb_client::{Connection, Negotiation, Session, Transport, TreeConnect};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Set-ups at once: enough to keep the server busy.
const AT_ONCE: usize = 32;
const LIMIT: Duration = Duration::from_secs(60);

struct Work {
    address: SocketAddr,
    credentials: Credentials,
    share: String,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, pid, user, password, share, sessions, each, hold) = match &arguments[..] {
        [a, b, c, d, e, f, g] => (a, b, c, d, e, f, g, "0"),
        [a, b, c, d, e, f, g, h] => (a, b, c, d, e, f, g, h.as_str()),
        _ => {
            return Err(
                "usage: idle_sessions ADDRESS:PORT PID USER PASSWORD SHARE SESSIONS \
                        SESSIONS_PER_CONNECTION [HOLD_SECONDS]"
                    .into(),
            );
        }
    };
    let pid: u32 = pid.parse()?;
    let (sessions, each): (usize, usize) = (sessions.parse()?, each.parse()?);
    let work = Arc::new(Work {
        address: address.parse()?,
        credentials: Credentials::new("", user, password),
        share: share.clone(),
    });

    // What the first ones make the server set up for good is not theirs.
    let warm_up = hold_all(&work, each.max(AT_ONCE), each).await?;
    drop(warm_up);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = resident(pid)?;
    let began = Instant::now();
    let held = hold_all(&work, sessions, each).await?;
    let took = began.elapsed();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = resident(pid)?;
    println!(
        "{sessions} sessions, {each} to a connection, in {:.1} s: resident {before} KiB before, \
         {after} KiB after, {:.2} KiB for each session",
        took.as_secs_f64(),
        (after as f64 - before as f64) / sessions as f64
    );
    tokio::time::sleep(Duration::from_secs(hold.parse()?)).await;
    drop(held);
    Ok(())
}

async fn hold_all(
    work: &Arc<Work>,
    sessions: usize,
    each: usize,
) -> Result<Vec<(Session, TreeConnect)>, Failure> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 0..sessions.div_ceil(each) {
        let work = work.clone();
        let place = places.clone().acquire_owned().await?;
        let count = each.min(sessions - number * each);
        tasks.spawn(async move {
            let held = connection(&work, number, count).await;
            drop(place);
            held
        });
    }
    let mut held = Vec::with_capacity(sessions);
    while let Some(done) = tasks.join_next().await {
        held.extend(done??);
    }
    Ok(held)
}

async fn connection(
    work: &Work,
    number: usize,
    count: usize,
) -> Result<Vec<(Session, TreeConnect)>, Failure> {
    // All of 127.0.0.0/8 is this machine.
    let [.., high, low] = u32::try_from(number)?.to_be_bytes();
    let source = IpAddr::V4(Ipv4Addr::new(127, 1, high, low));
    let host = work.address.ip().to_string();
    let transport = Transport::connect(&host, work.address.port(), Some(source), LIMIT).await?;
    let connection = Connection::negotiate(transport, &Negotiation::new(&host)?).await?;
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        let session = Session::logon(&connection, &work.credentials, &host).await?;
        let tree = session.tree_connect(&host, &work.share).await?;
        held.push((session, tree));
    }
    Ok(held)
}

/// KiB of the process that are in memory.
fn resident(pid: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(size.ok_or("no VmRSS")?.trim().parse()?)
}
