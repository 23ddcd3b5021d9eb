//! The SMB2/3 server ([MS-SMB2] 3.3): connections, sessions, tree connects, opens and the
//! table of all sessions. It knows nothing of MS-SRVS; services come in as pipes
//! ([`pipe::PipeService`]) and administer through [`application::Application`].

pub mod account;
mod announcement;
pub mod application;
mod break_notification;
mod budget;
mod changes;
mod clock;
mod connection;
mod core;
mod counted;
mod file;
mod keys;
mod limits;
mod open;
mod outbox;
mod outcome;
mod owner;
pub mod pipe;
mod request;
mod response;
mod session;
pub mod share;
mod ticket;
mod tree_connect;
mod worker;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use smb::Guid;
use smb::auth::AcceptorConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::core::Core;
use account::AccountStore;
use application::{Application, Reason};
pub use budget::Usage;
pub use clock::{Clock, ManualClock, SystemClock};
pub use limits::Limits;
use pipe::PipeService;
pub use session::SessionState;
pub use share::{IPC_SHARE, ShareConfig};
use share::{Share, ShareList};
use worker::Workers;

/// How the server encrypts ([MS-SMB2] 3.3.1.5 EncryptData, RejectUnencryptedAccess).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Never offered.
    Off,
    /// Offered; shares that require it get it.
    Enabled,
    /// Every session must encrypt; clients that cannot are refused.
    Required,
}

/// What a server is started with.
pub struct ServerConfig {
    /// Computer name (NetBIOS style).
    pub name: Arc<str>,
    /// Comment shown by NetrServerGetInfo.
    pub comment: Arc<str>,
    /// Refuse unsigned requests of signed-in users. On unless somebody has a reason.
    pub signing_required: bool,
    /// Encryption policy.
    pub encryption: Encryption,
    /// Lowest dialect accepted, e.g. 0x0202.
    pub min_dialect: u16,
    /// Highest dialect accepted, e.g. 0x0311.
    pub max_dialect: u16,
    /// Bounds.
    pub limits: Limits,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who may log on.
    pub accounts: Arc<dyn AccountStore>,
}

/// An SMB2/3 server. Dropping it does not stop it; [`Server::shutdown`] does.
pub struct Server {
    core: Arc<Core>,
    listeners: Mutex<Vec<JoinHandle<()>>>,
    workers: OnceLock<Arc<Workers>>,
}

impl Server {
    /// A server with no share but IPC$, listening nowhere yet.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn new(config: ServerConfig) -> io::Result<Self> {
        let mut server_guid = Guid::default();
        getrandom::fill(&mut server_guid.0).map_err(io::Error::other)?;
        let shares = ShareList::default();
        shares.add(Share::ipc());
        let acceptor = AcceptorConfig {
            computer_name: config.name.to_uppercase(),
            domain_name: config.name.to_uppercase(),
            dns_computer_name: config.name.to_lowercase(),
            dns_domain_name: config.name.to_lowercase(),
        };
        Ok(Self {
            core: Core::new(config, server_guid, acceptor, shares),
            listeners: Mutex::default(),
            workers: OnceLock::new(),
        })
    }

    /// Offers a service on the pipe `name` (compared without case).
    pub fn register_pipe(&self, name: &str, service: Arc<dyn PipeService>) {
        let mut pipes = self
            .core
            .pipes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        pipes.insert(name.to_lowercase().into_boxed_str(), service);
    }

    /// Offers a share; false if its name is taken.
    pub fn add_share(&self, share: ShareConfig) -> bool {
        self.core.shares.add(Share::disk(share))
    }

    /// Administration of this server, and its events.
    pub fn application(&self) -> Arc<dyn Application> {
        self.core.clone()
    }

    /// What peers hold of this server now.
    pub fn usage(&self) -> Usage {
        self.core.budget.usage()
    }

    /// Descriptors that clients are not let have: they are for callers on the server's own
    /// machine, whom the budget does not count.
    pub fn local_descriptors(&self) -> usize {
        self.core.budget.limits().local_descriptors as usize
    }

    /// Listens on `address` and serves what connects, on threads of the server's own. Work
    /// that waits for a disk runs on the blocking threads of the current runtime. Gives the
    /// address, with the port that the system chose if it was 0.
    ///
    /// # Errors
    /// As the system reports them (address in use, no permission, no more threads).
    pub async fn listen(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        self.core.use_pool(Handle::current());
        let workers = match self.workers.get() {
            Some(workers) => workers.clone(),
            None => {
                let workers = Arc::new(Workers::start()?);
                self.workers.get_or_init(|| workers).clone()
            }
        };
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        self.core
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(address);
        let task = tokio::spawn(accept(self.core.clone(), listener, workers));
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(task);
        Ok(address)
    }

    /// Serves one connection that is already there (an in-memory pair in tests).
    pub async fn serve<S>(&self, stream: S, client: IpAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        match self.core.budget.connection(client) {
            Ok(account) => connection::run(self.core.clone(), stream, client, account).await,
            Err(refused) => tracing::warn!(%client, %refused, "connection refused"),
        }
    }

    /// Stops listening, ends every connection and closes every open; returns when done.
    pub async fn shutdown(&self) {
        self.core.stop.send_replace(true);
        let listeners = std::mem::take(
            &mut *self
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for listener in listeners {
            // Its port is free when the task has ended.
            let _ = listener.await;
        }
        for id in self.core.sessions.ids() {
            self.core.close_session(id, Reason::ServerStops);
        }
        // Connections leave at their next await; the bound only guards against a stuck disk.
        for _ in 0..500 {
            if self.core.connections.load(Ordering::Acquire) == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn accept(core: Arc<Core>, listener: TcpListener, workers: Arc<Workers>) {
    let mut stop = core.stop.subscribe();
    let mut refusals = Refusals::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let account = match core.budget.connection(peer.ip()) {
                    Ok(account) => account,
                    Err(refused) => {
                        refusals.tell(|times| {
                            tracing::warn!(%peer, %refused, times, "connections refused");
                        });
                        continue;
                    }
                };
                // Answers are whole frames: waiting to fill a segment only adds delay.
                let _ = stream.set_nodelay(true);
                match stream.into_std() {
                    Ok(stream) => workers.serve(core.clone(), stream, peer, account),
                    Err(error) => tracing::warn!(%peer, %error, "connection refused"),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                // Out of descriptors, most likely: give closing connections a moment.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// One line in the log for many refusals: a flood of connections must not fill a disk.
#[derive(Default)]
struct Refusals {
    told: Option<Instant>,
    times: u64,
}

impl Refusals {
    /// Time between two lines.
    const PAUSE: Duration = Duration::from_secs(10);

    fn tell(&mut self, line: impl FnOnce(u64)) {
        self.times += 1;
        if self.told.is_none_or(|told| told.elapsed() >= Self::PAUSE) {
            self.told = Some(Instant::now());
            line(std::mem::take(&mut self.times));
        }
    }
}
