//! A Server service with SMB sessions, local sockets in a temporary directory, and callers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use netsession::Credentials;
use netsession::smb_client::{Connection, Negotiation, Session, Transport};
use netsession_service::Service;
use netsession_service::account::{AccountFile, AccountName, Membership, NtHash};
use netsession_service::config::{LocalSocket, Overrides, ServeConfig};
use netsession_service::local::{self, LocalConfig, LocalEndpoint, LocalLimits, Peer};
use rpc::Syntax;
use rpc::association::client::{Association, Event, Limits};
use srvsvc::{NetApiStatus, SessionDelRequest, SessionEnumRequest, SessionEnumResponse, opnum};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Nothing takes this long.
pub const LIMIT: Duration = Duration::from_secs(30);

/// The group that has been configured.
pub const GROUP: u32 = 4_711;

/// A caller who is nobody: no such user, no such group.
pub const STRANGER: Peer = Peer {
    uid: 3_999_999_999,
    gid: 3_999_999_999,
    pid: None,
};

/// The same one as a member of the configured group.
pub const MEMBER: Peer = Peer {
    gid: GROUP,
    ..STRANGER
};

pub const ROOT: Peer = Peer {
    uid: 0,
    gid: 0,
    pid: None,
};

/// Everybody who connects is this one.
pub struct Pretended {
    uid: AtomicU32,
    gid: AtomicU32,
}

impl Pretended {
    pub fn new(peer: Peer) -> Arc<Self> {
        Arc::new(Self {
            uid: peer.uid.into(),
            gid: peer.gid.into(),
        })
    }

    pub fn set(&self, peer: Peer) {
        self.uid.store(peer.uid, Ordering::SeqCst);
        self.gid.store(peer.gid, Ordering::SeqCst);
    }
}

impl local::Credentials for Pretended {
    fn of(&self, _: &UnixStream) -> io::Result<Peer> {
        Ok(Peer {
            uid: self.uid.load(Ordering::SeqCst),
            gid: self.gid.load(Ordering::SeqCst),
            pid: None,
        })
    }
}

/// A service without a local socket of its own; tests add theirs.
pub struct Stage {
    pub service: Service,
    pub directory: TempDir,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(|_| LocalSocket::Off).await
    }

    pub async fn with(socket: impl FnOnce(&Path) -> LocalSocket) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let accounts = AccountFile::new(&state);
        for (name, password) in [("alice", "Al1ce.Pw"), ("bob", "B0b.Pw")] {
            let name = AccountName::new(name).unwrap();
            let hash = NtHash::of_password(password);
            accounts.add(&name, hash, Membership::default()).unwrap();
        }
        let config = config(&state, socket(directory.path()));
        Self {
            service: Service::start(config).await.unwrap(),
            directory,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("srvsvc.sock")
    }

    pub fn config(&self, credentials: Arc<dyn local::Credentials>) -> LocalConfig {
        LocalConfig {
            path: self.path(),
            administrators_group: Some(GROUP),
            server_name: Arc::from("SRV"),
            administration: self.service.application(),
            limits: LocalLimits::default(),
            credentials,
        }
    }

    /// A local socket at which everybody is `peer`.
    pub async fn endpoint(&self, peer: Peer) -> LocalEndpoint {
        self.limited(peer, LocalLimits::default()).await
    }

    pub async fn limited(&self, peer: Peer, limits: LocalLimits) -> LocalEndpoint {
        let config = LocalConfig {
            limits,
            ..self.config(Pretended::new(peer))
        };
        LocalEndpoint::start(config).await.unwrap()
    }

    /// A real SMB session over TCP.
    pub async fn log_on(&self, user: &str, password: &str) -> Session {
        let address = self.service.addresses()[0];
        let host = address.ip().to_string();
        let transport = Transport::connect(&host, address.port(), None, LIMIT);
        let transport = transport.await.unwrap();
        let negotiation = Negotiation::new("test").unwrap();
        let connection = Connection::negotiate(transport, &negotiation)
            .await
            .unwrap();
        let credentials = Credentials::new("", user, password);
        Session::logon(&connection, &credentials, "test")
            .await
            .unwrap()
    }

    pub fn sessions(&self) -> u32 {
        let application = self.service.application();
        application.sessions(Default::default(), None, 0).total
    }
}

pub fn config(state: &Path, local_socket: LocalSocket) -> ServeConfig {
    ServeConfig::resolve(Overrides {
        listen: Some(vec!["127.0.0.1:0".parse().unwrap()]),
        data_dir: Some(state.to_owned()),
        server_name: Some("SRV".parse().unwrap()),
        local_socket: Some(local_socket),
        ..Overrides::default()
    })
    .unwrap()
}

/// A client of the local socket.
pub struct Caller {
    pub stream: UnixStream,
    association: Association,
    syntax: Syntax,
}

impl Caller {
    pub async fn bound(path: &Path, syntax: Syntax) -> Self {
        Self::bind(path, syntax).await.unwrap()
    }

    /// Fails if the connection is closed instead of the bind answered.
    pub async fn bind(path: &Path, syntax: Syntax) -> io::Result<Self> {
        let mut caller = Self {
            stream: UnixStream::connect(path).await?,
            association: Association::new(srvsvc::INTERFACE, Limits::default()),
            syntax,
        };
        let bind = caller.association.bind(&[syntax]);
        caller.stream.write_all(&bind).await?;
        assert_eq!(caller.event().await?, Event::Bound(syntax));
        Ok(caller)
    }

    async fn event(&mut self) -> io::Result<Event> {
        let mut bytes = vec![0; 70_000];
        loop {
            let read = self.stream.read(&mut bytes);
            let read = tokio::time::timeout(LIMIT, read).await.unwrap()?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(event) = self.association.handle(&bytes[..read]).unwrap() {
                return Ok(event);
            }
        }
    }

    /// The bytes of a request, made ready to send.
    pub fn request(&mut self, opnum: u16, stub: Vec<u8>) -> Vec<u8> {
        self.association.request(opnum, stub).unwrap().concat()
    }

    pub async fn call(&mut self, opnum: u16, stub: Vec<u8>) -> Result<Vec<u8>, u32> {
        let request = self.request(opnum, stub);
        self.stream.write_all(&request).await.unwrap();
        match self.event().await.unwrap() {
            Event::Response { stub, .. } => Ok(stub),
            Event::Fault { status, .. } => Err(status),
            other => panic!("{other:?}"),
        }
    }

    pub async fn enumerate(&mut self, request: &SessionEnumRequest) -> SessionEnumResponse {
        let stub = request.write(self.syntax);
        let stub = self.call(opnum::NETR_SESSION_ENUM, stub).await.unwrap();
        SessionEnumResponse::read(self.syntax, &stub).unwrap()
    }

    pub async fn list(&mut self, level: u32) -> SessionEnumResponse {
        self.enumerate(&everything(level)).await
    }

    pub async fn delete(&mut self, client: Option<&str>, user: Option<&str>) -> NetApiStatus {
        let request = SessionDelRequest {
            server_name: None,
            client_name: client.map(str::to_owned),
            user_name: user.map(str::to_owned),
        };
        let stub = request.write(self.syntax);
        let stub = self.call(opnum::NETR_SESSION_DEL, stub).await.unwrap();
        srvsvc::read_result(self.syntax, &stub).unwrap()
    }

    /// Waits for the end of the stream, or its reset.
    pub async fn closed(&mut self) {
        let mut bytes = vec![0; 70_000];
        let ended = async { while matches!(self.stream.read(&mut bytes).await, Ok(1..)) {} };
        tokio::time::timeout(LIMIT, ended).await.unwrap();
    }
}

pub fn everything(level: u32) -> SessionEnumRequest {
    SessionEnumRequest {
        server_name: None,
        client_name: None,
        user_name: None,
        level,
        prefered_maximum_length: u32::MAX,
        resume_handle: Some(0),
    }
}
