//! [`Dial`]: from an address to a session, and threads that each have one.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netsession::smb_client::{Connection, Negotiation, Session, Transport, TreeConnect};
use netsession::{Credentials, Dialect, Options, Server, Syntax, Target};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::ServerArguments;
use crate::waiting::Waiting;
use crate::{Error, Result};

/// Longer than any answer takes, even of a server with two thousand processes.
const EXCHANGE: Duration = Duration::from_secs(60);

/// How to reach the server.
#[derive(Clone, Debug)]
pub struct Dial {
    arguments: ServerArguments,
}

impl Dial {
    /// What the command line says.
    pub fn new(arguments: ServerArguments) -> Self {
        Self { arguments }
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.arguments.server
    }

    /// Who holds sessions.
    pub(crate) fn user(&self) -> &Credentials {
        &self.arguments.user
    }

    /// Who asks for sessions.
    pub(crate) fn admin(&self) -> &Credentials {
        &self.arguments.admin
    }

    fn host(&self) -> String {
        self.arguments.server.ip().to_string()
    }

    /// A connection of dialect 3.1.1 from this address, one of many on a runtime.
    pub(crate) async fn connection(&self, source: IpAddr) -> Result<Connection> {
        let port = self.arguments.server.port();
        let transport = Transport::connect(&self.host(), port, Some(source), EXCHANGE).await?;
        self.negotiated(transport).await
    }

    /// A connection that has its thread to itself.
    pub(crate) async fn own_connection(&self, source: IpAddr) -> Result<Connection> {
        self.negotiated(self.own_transport(source).await?).await
    }

    async fn own_transport(&self, source: IpAddr) -> Result<Transport> {
        let socket = match source {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.bind(SocketAddr::new(source, 0))?;
        let stream = socket.connect(self.arguments.server).await?;
        Ok(Transport::new(Waiting::new(stream, EXCHANGE)?, EXCHANGE))
    }

    async fn negotiated(&self, transport: Transport) -> Result<Connection> {
        let mut negotiation = Negotiation::new(&self.host())?;
        negotiation.dialects = vec![Dialect::SMB311];
        Ok(Connection::negotiate(transport, &negotiation).await?)
    }

    /// A session on it, signed or encrypted as the command line says.
    pub(crate) async fn session(
        &self,
        connection: &Connection,
        user: &Credentials,
    ) -> Result<Session> {
        let session = Session::logon(connection, user, &self.host()).await?;
        if self.arguments.encrypt {
            session.require_encryption()?;
        } else if !session.is_signed() || session.is_encrypted() {
            return Err(Error::Unexpected(
                "the session is not signed, or is encrypted though nobody asked".to_owned(),
            ));
        }
        Ok(session)
    }

    /// The share of the work on files.
    pub(crate) async fn tree(&self, session: &Session) -> Result<TreeConnect> {
        let share = &self.arguments.share;
        Ok(session.tree_connect(&self.host(), share).await?)
    }

    /// The Server service, bound, as administrator, on a thread of its own.
    pub(crate) async fn server(&self) -> Result<Server> {
        let target = Target::new(&self.host(), self.arguments.server.port())?;
        let options = Options {
            logon_timeout: EXCHANGE,
            call_timeout: EXCHANGE,
            dialects: vec![Dialect::SMB311],
            // The one that every server takes.
            transfer_syntaxes: vec![Syntax::Ndr20],
            ..Options::default()
        };
        let source = self.arguments.server.ip();
        let transport = self.own_transport(source).await?;
        Ok(Server::over(transport, &target, &self.arguments.admin, &options).await?)
    }
}

/// A runtime for one client on this thread.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// A runtime for many clients at once.
pub(crate) fn shared_runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

/// `work(0)` to `work(count - 1)`, each on a thread with a runtime of its own.
pub(crate) fn on_threads<T, F>(count: u32, work: impl Fn(u32) -> F + Sync) -> Result<Vec<T>>
where
    T: Send,
    F: Future<Output = Result<T>>,
{
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let work = &work;
                scope.spawn(move || runtime()?.block_on(work(number)))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(Error::Unexpected("a thread panicked".to_owned())))
            })
            .collect()
    })
}
