//! Starting and stopping the Server service.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use server::application::Application;
use server::share::local::{LocalBackend, LocalOptions};
use server::{Limits, Server, ServerConfig, ShareConfig, SystemClock};

use crate::account::{AccountError, FileAccountStore};
use crate::config::{
    Encryption, LimitOverrides, LocalSocket, SMB_PORT, ServeConfig, ShareSpec, Signing,
    default_local_socket,
};
use crate::journal::Journal;
use crate::local::{
    self, GroupError, LocalConfig, LocalEndpoint, LocalLimits, PeerCredentials, PlaceError,
};
use crate::srvsvc_pipe::SrvsvcService;

/// A running Server service. Dropping it does not stop it; [`Service::stop`] does.
pub struct Service {
    server: Server,
    accounts: Arc<FileAccountStore>,
    addresses: Vec<SocketAddr>,
    local: Option<LocalEndpoint>,
    journal: Journal,
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The account file cannot be used.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// The system gives no random numbers.
    #[error("cannot set up the server: {0}")]
    Server(io::Error),
    /// A share's directory cannot be used.
    #[error("cannot share {} as {name:?}: {source}", path.display())]
    Share {
        /// Share name.
        name: String,
        /// Its directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server refuses a share's name.
    #[error("the server has a share named {0:?} already")]
    ShareName(String),
    /// The group of local administrators cannot be used.
    #[error("administrators_group: {0}; name a group of this machine (`getent group`), or none")]
    Group(#[from] GroupError),
    /// The local socket cannot be used.
    #[error(
        "cannot listen on the local socket {}: {source}; choose another path with --local-socket \
         PATH, or do without: --local-socket off",
        path.display()
    )]
    LocalSocket {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: PlaceError,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}{}", advice(source, *address))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl Service {
    /// Starts everything in tasks of the current tokio runtime. On an error nothing is left
    /// running.
    ///
    /// # Errors
    /// Names the account file, the share or the address at fault.
    pub async fn start(config: ServeConfig) -> Result<Self, ServiceError> {
        let name = config.server_name.as_str();
        let accounts = Arc::new(FileAccountStore::open(&config.data_dir, name)?);
        let server = Server::new(ServerConfig {
            name: Arc::from(name),
            comment: Arc::from(config.comment.as_str()),
            signing_required: config.signing == Signing::Required,
            encryption: encryption(&config),
            min_dialect: config.min_dialect.revision(),
            max_dialect: config.max_dialect.revision(),
            limits: limits(&config.limits),
            clock: Arc::new(SystemClock),
            accounts: accounts.clone(),
        })
        .map_err(ServiceError::Server)?;
        server.register_pipe(srvsvc::PIPE_NAME, Arc::new(SrvsvcService));
        for share in &config.shares {
            add_share(&server, share)?;
        }
        let journal = Journal::start(&*server.application());
        let group = match config.administrators_group.as_deref() {
            Some(name) => Some(local::group_id(name).await?),
            None => None,
        };
        let started = async {
            let addresses = listen(&server, &config.listen).await?;
            Ok((addresses, listen_locally(&server, &config, group).await?))
        };
        match started.await {
            Ok((addresses, local)) => Ok(Self {
                server,
                accounts,
                addresses,
                local,
                journal,
            }),
            Err(error) => {
                server.shutdown().await;
                Err(error)
            }
        }
    }

    /// The accounts that may log on.
    pub fn accounts(&self) -> &FileAccountStore {
        &self.accounts
    }

    /// Where it listens, with the ports the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where callers on this machine are answered without a password, if anywhere.
    pub fn local_socket(&self) -> Option<&Path> {
        self.local.as_ref().map(LocalEndpoint::path)
    }

    /// Administration of the server.
    pub fn application(&self) -> Arc<dyn Application> {
        self.server.application()
    }

    /// Ends every session and connection and stops listening; returns when done.
    pub async fn stop(&self) {
        if let Some(local) = &self.local {
            local.stop().await;
        }
        self.server.shutdown().await;
        self.journal.stop().await;
    }
}

fn encryption(config: &ServeConfig) -> server::Encryption {
    match config.encryption {
        Encryption::Required => server::Encryption::Required,
        Encryption::Desired => server::Encryption::Enabled,
        // A share that requires it could not be used if it were not offered.
        Encryption::Off if config.shares.iter().any(|share| share.encrypt) => {
            server::Encryption::Enabled
        }
        Encryption::Off => server::Encryption::Off,
    }
}

fn limits(overrides: &LimitOverrides) -> Limits {
    let mut limits = Limits::default();
    let count = |number: std::num::NonZeroU32| number.get() as usize;
    let seconds = |number: std::num::NonZeroU32| Duration::from_secs(number.get().into());
    if let Some(number) = overrides.connections {
        limits.connections = count(number);
    }
    if let Some(number) = overrides.sessions_per_connection {
        limits.sessions_per_connection = count(number);
    }
    if let Some(number) = overrides.tree_connects_per_session {
        limits.tree_connects_per_session = count(number);
    }
    if let Some(number) = overrides.opens_per_session {
        limits.opens_per_session = count(number);
    }
    if let Some(number) = overrides.handshake_seconds {
        limits.handshake = seconds(number);
    }
    if let Some(number) = overrides.session_lifetime_seconds {
        limits.session_lifetime = Some(seconds(number));
    }
    limits
}

fn add_share(server: &Server, share: &ShareSpec) -> Result<(), ServiceError> {
    let options = LocalOptions {
        read_only: share.read_only,
        ..LocalOptions::default()
    };
    let backend = LocalBackend::new(&share.path, options).map_err(|source| {
        let (name, path) = (share.name().to_owned(), share.path.clone());
        ServiceError::Share { name, path, source }
    })?;
    let added = server.add_share(ShareConfig {
        name: share.name().to_owned(),
        remark: share.comment.clone(),
        backend: Arc::new(backend),
        read_only: share.read_only,
        encrypt_data: share.encrypt,
        max_uses: share.max_uses,
    });
    if added {
        Ok(())
    } else {
        Err(ServiceError::ShareName(share.name().to_owned()))
    }
}

async fn listen_locally(
    server: &Server,
    config: &ServeConfig,
    administrators_group: Option<u32>,
) -> Result<Option<LocalEndpoint>, ServiceError> {
    let path = match &config.local_socket {
        LocalSocket::Off => return Ok(None),
        LocalSocket::At(path) => path.clone(),
        LocalSocket::Usual => default_local_socket(&config.data_dir),
    };
    let started = LocalEndpoint::start(LocalConfig {
        path: path.clone(),
        administrators_group,
        server_name: Arc::from(config.server_name.as_str()),
        administration: server.application(),
        limits: LocalLimits::within(server.local_descriptors()),
        credentials: Arc::new(PeerCredentials),
    });
    match started.await {
        Ok(endpoint) => Ok(Some(endpoint)),
        Err(source) => {
            let error = ServiceError::LocalSocket { path, source };
            if config.local_socket == LocalSocket::Usual {
                // Nobody asked for it: a second server of one machine serves files all the
                // same.
                tracing::warn!("{error}");
                return Ok(None);
            }
            Err(error)
        }
    }
}

async fn listen(
    server: &Server,
    addresses: &[SocketAddr],
) -> Result<Vec<SocketAddr>, ServiceError> {
    if addresses.is_empty() {
        return listen_everywhere(server).await;
    }
    let mut bound = Vec::with_capacity(addresses.len());
    for &address in addresses {
        let listening = server.listen(address).await;
        bound.push(listening.map_err(|source| ServiceError::Listen { address, source })?);
    }
    Ok(bound)
}

/// Port 445 of every address: where the IPv6 socket takes IPv4 too (the usual setting of
/// Linux), the second bind finds the port taken by the first.
async fn listen_everywhere(server: &Server) -> Result<Vec<SocketAddr>, ServiceError> {
    let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, SMB_PORT));
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, SMB_PORT));
    let mut bound: Vec<_> = server.listen(v6).await.into_iter().collect();
    match server.listen(v4).await {
        Ok(address) => bound.push(address),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && !bound.is_empty() => {}
        Err(source) => {
            return Err(ServiceError::Listen {
                address: v4,
                source,
            });
        }
    }
    Ok(bound)
}

fn advice(error: &io::Error, address: SocketAddr) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied if address.port() < 1024 => {
            " (ports below 1024 need root or CAP_NET_BIND_SERVICE; another port: --listen 127.0.0.1:4445)"
        }
        io::ErrorKind::AddrInUse => " (another program listens there)",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
