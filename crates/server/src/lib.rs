//! The SMB2/3 server ([MS-SMB2] 3.3): connections, sessions, tree connects, opens and the
//! table of all sessions. It knows nothing of MS-SRVS; services come in as pipes
//! ([`pipe::PipeService`]) and administer through [`application::Application`].

pub mod account;
pub mod application;
mod clock;
mod connection;
mod counted;
#[allow(dead_code)]
mod file;
mod limits;
mod open;
pub mod pipe;
mod session;
pub mod share;
mod tree_connect;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use smb::Guid;
use smb::auth::AcceptorConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use account::AccountStore;
use application::{Application, SessionGlobalId};
pub use clock::{Clock, ManualClock, SystemClock};
pub use limits::Limits;
use open::{GlobalOpenTable, Open, OpenKind};
use pipe::PipeService;
use session::GlobalSessionTable;
pub use session::SessionState;
pub use tree_connect::{IPC_SHARE, ShareConfig};
use tree_connect::{Share, ShareKind, ShareList};

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

/// Everything that connections and administration share.
pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) server_guid: Guid,
    /// What logons say of this server.
    pub(crate) acceptor: Arc<AcceptorConfig>,
    pub(crate) sessions: GlobalSessionTable,
    pub(crate) opens: GlobalOpenTable,
    pub(crate) shares: ShareList,
    pub(crate) pipes: RwLock<HashMap<Box<str>, Arc<dyn PipeService>>>,
    pub(crate) next_tree_connect: AtomicU32,
    pub(crate) connections: AtomicUsize,
    pub(crate) addresses: Mutex<Vec<SocketAddr>>,
    pub(crate) stop: watch::Sender<bool>,
}

impl Shared {
    /// [MS-SMB2] 3.3.4.12.
    pub(crate) fn close_session(&self, id: SessionGlobalId) -> bool {
        let Some(session) = self.sessions.remove(id) else {
            return false;
        };
        session.set_closed();
        let (opens, trees) = {
            let mut tables = session.tables();
            tables.closed = true;
            (
                std::mem::take(&mut tables.opens),
                std::mem::take(&mut tables.tree_connects),
            )
        };
        for open in opens.values() {
            self.close_open(open);
        }
        drop(trees);
        session.connection.wake();
        true
    }

    /// [MS-SMB2] 3.3.4.17. The caller has taken it out of Session.OpenTable.
    pub(crate) fn close_open(&self, open: &Arc<Open>) -> bool {
        if !open.begin_close() {
            return false;
        }
        self.opens.remove(open.id);
        open.tree_connect.num_opens.fetch_sub(1, Ordering::Relaxed);
        if let Some(session) = open.session.upgrade() {
            session.num_opens.fetch_sub(1, Ordering::Relaxed);
        }
        match (&open.kind, &open.tree_connect.share.kind) {
            (OpenKind::File(file), ShareKind::Disk { files, .. }) => {
                let delete = file.delete_on_close.load(Ordering::Relaxed);
                if files.close(file.key, open.id, delete)
                    && let Err(status) = file.handle.unlink()
                {
                    tracing::debug!(%status, "delete on close failed");
                }
            }
            (OpenKind::Pipe(pipe), _) => {
                let (instance, pending) = {
                    let mut state = pipe.state();
                    state.closed = true;
                    (state.pipe.take(), std::mem::take(&mut state.pending))
                };
                for read in pending {
                    connection::fail_pending(&read, smb::NtStatus::CANCELLED);
                }
                for id in instance
                    .map(|mut pipe| pipe.take_close_after_reply())
                    .unwrap_or_default()
                {
                    self.close_session(id);
                }
            }
            (OpenKind::File(_), ShareKind::Pipe) => {}
        }
        true
    }
}

/// An SMB2/3 server. Dropping it does not stop it; [`Server::shutdown`] does.
pub struct Server {
    shared: Arc<Shared>,
    listeners: Mutex<Vec<JoinHandle<()>>>,
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
        Ok(Self {
            shared: Arc::new(Shared {
                server_guid,
                acceptor: Arc::new(AcceptorConfig {
                    computer_name: config.name.to_uppercase(),
                    domain_name: config.name.to_uppercase(),
                    dns_computer_name: config.name.to_lowercase(),
                    dns_domain_name: config.name.to_lowercase(),
                }),
                config,
                sessions: GlobalSessionTable::default(),
                opens: GlobalOpenTable::default(),
                shares,
                pipes: RwLock::default(),
                next_tree_connect: AtomicU32::new(0),
                connections: AtomicUsize::new(0),
                addresses: Mutex::default(),
                stop: watch::Sender::new(false),
            }),
            listeners: Mutex::default(),
        })
    }

    /// Offers a service on the pipe `name` (compared without case).
    pub fn register_pipe(&self, name: &str, service: Arc<dyn PipeService>) {
        let mut pipes = self
            .shared
            .pipes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        pipes.insert(name.to_lowercase().into_boxed_str(), service);
    }

    /// Offers a share; false if its name is taken.
    pub fn add_share(&self, share: ShareConfig) -> bool {
        self.shared.shares.add(Share::disk(share))
    }

    /// Administration of this server.
    pub fn application(&self) -> Application {
        Application::new(self.shared.clone())
    }

    /// Listens on `address` and serves what connects, in tasks of the current runtime.
    /// Gives the address, with the port that the system chose if it was 0.
    ///
    /// # Errors
    /// As the system reports them (address in use, no permission).
    pub async fn listen(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        self.shared
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(address);
        let task = tokio::spawn(accept(self.shared.clone(), listener));
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
        connection::run(self.shared.clone(), stream, client).await;
    }

    /// Stops listening, ends every connection and closes every open; returns when done.
    pub async fn shutdown(&self) {
        self.shared.stop.send_replace(true);
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
        for id in self.shared.sessions.ids() {
            self.shared.close_session(id);
        }
        // Connections leave at their next await; the bound only guards against a stuck disk.
        for _ in 0..500 {
            if self.shared.connections.load(Ordering::Acquire) == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let mut stop = shared.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                if shared.connections.load(Ordering::Acquire) >= shared.config.limits.connections {
                    tracing::warn!(%peer, "connection refused: limit reached");
                    continue;
                }
                // Answers are whole frames: waiting to fill a segment only adds delay.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection::run(shared.clone(), stream, peer.ip()));
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                // Out of descriptors, most likely: give closing connections a moment.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
