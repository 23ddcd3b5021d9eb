//! What the session functions cost among ten sessions and among very many: one session found
//! by client and user, one ended, thousands ended at once while somebody else works, and the
//! whole list. The server is another process; its accounts admin (an administrator), alice,
//! bob and carol have one password.
//!
//! `cargo run --release -p netsession-service --example calls_among_many -- \
//!     127.0.0.1:1446 PASSWORD [SESSIONS]`

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use netsession::smb_client::{Connection, Negotiation, Session, Transport};
use netsession::{Credentials, Options, Server, Syntax, Target};
use srvsvc::{SessionDelRequest, SessionEnumRequest, SessionEnumResponse, opnum};

/// Sessions of one connection.
const EACH: usize = 50;
/// Calls behind a median of lists, and of ends.
const LISTS: usize = 2_000;
const ENDS: usize = 300;
const LIMIT: Duration = Duration::from_secs(60);

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Bench {
    address: SocketAddr,
    password: String,
    admin: Server,
    /// Client addresses used so far.
    clients: u32,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, password, sessions) = match &arguments[..] {
        [address, password] => (address, password, 100_000),
        [address, password, sessions] => (address, password, sessions.parse()?),
        _ => return Err("usage: calls_among_many ADDRESS:PORT PASSWORD [SESSIONS]".into()),
    };
    let address: SocketAddr = address.parse()?;
    let options = Options {
        transfer_syntaxes: vec![Syntax::Ndr20],
        ..Options::default()
    };
    let target = Target::new(&address.ip().to_string(), address.port())?;
    let credentials = Credentials::new("", "admin", password);
    let mut bench = Bench {
        address,
        password: password.clone(),
        admin: Server::connect(&target, &credentials, &options).await?,
        clients: 0,
    };
    // The caller's own session, one to look for, and eight others: ten.
    let _few = bench.log_on("alice", 8).await?;
    let few = bench.one_session("ten sessions").await?;
    let _many = bench.fill("alice", sessions).await?;
    let many = bench.one_session(&format!("{sessions} sessions")).await?;
    println!(
        "many to ten: list of one {:.2}, end of one {:.2}",
        ratio(many.0, few.0),
        ratio(many.1, few.1)
    );
    for count in [1_000, 2_500, 5_000, 10_000] {
        bench.end_at_once(count).await?;
    }
    bench.whole_list().await?;
    Ok(())
}

impl Bench {
    /// A connection from a client computer of its own, with sessions of one user.
    async fn log_on(&mut self, user: &str, count: usize) -> Result<Vec<Session>, Failure> {
        self.clients += 1;
        let [.., high, low] = self.clients.to_be_bytes();
        let source = IpAddr::V4(Ipv4Addr::new(127, 2, high, low));
        let host = self.address.ip().to_string();
        let transport = Transport::connect(&host, self.address.port(), Some(source), LIMIT).await?;
        let connection = Connection::negotiate(transport, &Negotiation::new(&host)?).await?;
        let credentials = Credentials::new("", user, &self.password);
        let mut sessions = Vec::with_capacity(count);
        for _ in 0..count {
            sessions.push(Session::logon(&connection, &credentials, &host).await?);
        }
        Ok(sessions)
    }

    async fn fill(&mut self, user: &str, count: usize) -> Result<Vec<Session>, Failure> {
        let mut sessions = Vec::with_capacity(count);
        while sessions.len() < count {
            let missing = count - sessions.len();
            sessions.extend(self.log_on(user, missing.min(EACH)).await?);
        }
        Ok(sessions)
    }

    /// Client name of the newest connection.
    fn client(&self) -> String {
        let [.., high, low] = self.clients.to_be_bytes();
        format!(r"\\127.2.{high}.{low}")
    }

    async fn list(&mut self, request: &SessionEnumRequest) -> Result<SessionEnumResponse, Failure> {
        let stub = request.write(Syntax::Ndr20);
        let stub = self.admin.call(opnum::NETR_SESSION_ENUM, &stub).await?;
        Ok(SessionEnumResponse::read(Syntax::Ndr20, &stub)?)
    }

    async fn end(&mut self, client: Option<String>, user: &str) -> Result<(), Failure> {
        let request = SessionDelRequest {
            server_name: None,
            client_name: client,
            user_name: Some(user.to_owned()),
        };
        let stub = request.write(Syntax::Ndr20);
        let stub = self.admin.call(opnum::NETR_SESSION_DEL, &stub).await?;
        match srvsvc::read_result(Syntax::Ndr20, &stub)?.0 {
            0 => Ok(()),
            code => Err(format!("NetrSessionDel answered {code}").into()),
        }
    }

    /// Medians: list of one session by client and user, and its end.
    async fn one_session(&mut self, among: &str) -> Result<(Duration, Duration), Failure> {
        let held = self.log_on("bob", 1).await?;
        let request = SessionEnumRequest {
            client_name: Some(self.client()),
            user_name: Some("bob".to_owned()),
            ..everything(502)
        };
        let mut lists = Vec::with_capacity(LISTS);
        for _ in 0..LISTS {
            let began = Instant::now();
            let response = self.list(&request).await?;
            lists.push(began.elapsed());
            if (response.entries.len(), response.total_entries) != (1, 1) {
                return Err("not the one session".into());
            }
        }
        drop(held);
        let mut ends = Vec::with_capacity(ENDS);
        for _ in 0..ENDS {
            let held = self.log_on("bob", 1).await?;
            let client = self.client();
            let began = Instant::now();
            self.end(Some(client), "bob").await?;
            ends.push(began.elapsed());
            drop(held);
        }
        let (list, end) = (median(&mut lists), median(&mut ends));
        println!("among {among}: list of one {list:.1?}, end of one {end:.1?}");
        Ok((list, end))
    }

    /// Thousands of one user's at once, while somebody else asks for echoes.
    async fn end_at_once(&mut self, count: usize) -> Result<(), Failure> {
        let crowd = self.fill("carol", count).await?;
        let other = self.log_on("alice", 1).await?.remove(0);
        let done = Arc::new(AtomicBool::new(false));
        let quiet = echoes(&other, 2_000, &AtomicBool::new(false)).await?;
        let echoing = tokio::spawn({
            let done = done.clone();
            async move { echoes(&other, usize::MAX, &done).await }
        });
        let began = Instant::now();
        self.end(None, "carol").await?;
        let took = began.elapsed();
        done.store(true, Ordering::Release);
        let busy = echoing.await??;
        println!(
            "{count} ended at once in {took:.1?}, {:.2} µs each; another's echo at worst {busy:.1?}, \
             {quiet:.1?} before",
            took.as_secs_f64() * 1e6 / count as f64
        );
        drop(crowd);
        Ok(())
    }

    async fn whole_list(&mut self) -> Result<(), Failure> {
        for page in [64 << 10, 256 << 10, 1 << 20, u32::MAX] {
            let mut request = SessionEnumRequest {
                prefered_maximum_length: page,
                ..everything(502)
            };
            let (mut rows, mut pages, mut slowest) = (0, 0, Duration::ZERO);
            let began = Instant::now();
            loop {
                let asked = Instant::now();
                let response = self.list(&request).await?;
                slowest = slowest.max(asked.elapsed());
                rows += response.entries.len();
                pages += 1;
                request.resume_handle = response.resume_handle;
                if response.result.0 != 234 {
                    break;
                }
            }
            println!(
                "whole list at level 502, pages of {page} bytes: {rows} rows in {:.1?}, {pages} \
                 pages, the slowest {slowest:.1?}",
                began.elapsed()
            );
        }
        Ok(())
    }
}

/// The slowest of at most `count` echoes.
async fn echoes(session: &Session, count: usize, done: &AtomicBool) -> Result<Duration, Failure> {
    let mut worst = Duration::ZERO;
    for _ in 0..count {
        if done.load(Ordering::Acquire) {
            break;
        }
        let began = Instant::now();
        session.echo().await?;
        worst = worst.max(began.elapsed());
    }
    Ok(worst)
}

fn everything(level: u32) -> SessionEnumRequest {
    SessionEnumRequest {
        level,
        prefered_maximum_length: u32::MAX,
        resume_handle: Some(0),
        ..SessionEnumRequest::default()
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
