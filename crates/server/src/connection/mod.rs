//! Connection ([MS-SMB2] 3.3.1.7): one task, which reads a frame, answers it and goes on.
//!
//! Work on a frame is synchronous; only reading and writing the stream awaits, and no lock
//! is held across it. What other tasks have for this client (a cancelled read, the end of
//! a session) reaches it through [`ConnectionHandle`].

mod chain;
mod create;
mod directory;
mod dispatch;
mod frame;
mod info;
mod io;
mod ioctl;
mod negotiate;
mod session_setup;
mod set_info;
mod spare;
mod tree;
mod window;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use smb::crypto::{Cipher, PreauthIntegrityHashValue, SigningAlgorithm};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::Shared;
use crate::application::SessionGlobalId;
use crate::open::Open;
use crate::session::Session;
use frame::FrameReader;
pub(crate) use io::fail_pending;
use session_setup::Logon;
use window::CommandSequenceWindow;

/// Connection.TransportName: SMB directly over TCP, the only transport there is.
const TRANSPORT_NAME: &str = r"\Device\NetbiosSmb";

/// The part of a connection that other tasks may touch.
pub(crate) struct ConnectionHandle {
    /// Connection.ClientName: printed address, IPv6 in brackets ([MS-SMB2] 3.3.5.1).
    pub(crate) client_name: Arc<str>,
    /// Connection.TransportName.
    pub(crate) transport_name: &'static str,
    outbox: Mutex<Vec<u8>>,
    notify: Notify,
}

impl ConnectionHandle {
    pub(crate) fn new(client_name: Arc<str>, transport_name: &'static str) -> Self {
        Self {
            client_name,
            transport_name,
            outbox: Mutex::default(),
            notify: Notify::new(),
        }
    }

    /// Puts a finished frame (with its length prefix) into the way to the client.
    pub(crate) fn send(&self, frame: &[u8]) {
        self.outbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(frame);
        self.notify.notify_one();
    }

    /// Makes the connection look at its sessions.
    pub(crate) fn wake(&self) {
        self.notify.notify_one();
    }

    fn take_outbox(&self) -> Vec<u8> {
        std::mem::take(&mut *self.outbox.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Answers to requests that arrived together go out together up to about this many bytes.
const ANSWERS_AT_ONCE: usize = 16 * 1024;
/// Frames handled before other tasks get their turn: requests may have no answer (CANCEL).
const FRAMES_AT_ONCE: usize = 256;

/// Why a connection is dropped ([MS-SMB2] 3.3.5.2 names each case).
#[derive(Debug, thiserror::Error)]
enum Disconnect {
    #[error("bad bytes: {0}")]
    Wire(#[from] smb::wire::Error),
    #[error("protocol violation: {0}")]
    Violation(&'static str),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the client does not take its answers")]
    WriteTimeout,
    #[error("no session within the time limit")]
    HandshakeTimeout,
    #[error("closed by the client")]
    Closed,
    #[error("the server stops")]
    Stopping,
}

/// What NEGOTIATE settled.
#[derive(Clone, Copy)]
struct Negotiated {
    dialect: u16,
    client_guid: smb::Guid,
    client_capabilities: u32,
    client_security_mode: u16,
    signing_algorithm: SigningAlgorithm,
    cipher: Option<Cipher>,
    /// Largest READ, WRITE, transaction.
    max_transact: u32,
    multi_credit: bool,
}

struct Connection {
    shared: Arc<Shared>,
    handle: Arc<ConnectionHandle>,
    negotiated: Option<Box<Negotiated>>,
    /// 3.1.1 only.
    preauth: Option<Box<PreauthIntegrityHashValue>>,
    sessions: HashMap<u64, Arc<Session>>,
    /// A client whose session was ended may be in the middle of long requests.
    had_session: bool,
    logons: HashMap<u64, Box<Logon>>,
    window: CommandSequenceWindow,
    /// AsyncId → the pipe on which that read waits.
    pending: HashMap<u64, Arc<Open>>,
    next_async_id: u64,
    /// Sessions to close once the answers so far have been written.
    close_after_reply: Vec<SessionGlobalId>,
    /// An SMB1 NEGOTIATE was answered with dialect 0x02FF.
    multi_protocol: bool,
    /// A handler found a reason to end the connection.
    disconnect: Option<&'static str>,
}

/// Serves one connection until it ends.
pub(crate) async fn run<S>(shared: Arc<Shared>, stream: S, client: IpAddr)
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    shared.connections.fetch_add(1, Ordering::AcqRel);
    let mut connection = Box::new(Connection::new(shared, client));
    let reason = connection.serve(stream).await;
    if let Err(reason) = reason {
        tracing::debug!(client = %connection.handle.client_name, %reason, "connection ended");
    }
    connection.end();
}

impl Connection {
    fn new(shared: Arc<Shared>, client: IpAddr) -> Self {
        let client_name = match client.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        Self {
            shared,
            handle: Arc::new(ConnectionHandle::new(client_name.into(), TRANSPORT_NAME)),
            negotiated: None,
            preauth: None,
            sessions: HashMap::new(),
            had_session: false,
            logons: HashMap::new(),
            window: CommandSequenceWindow::new(),
            pending: HashMap::new(),
            next_async_id: 1,
            close_after_reply: Vec::new(),
            multi_protocol: false,
            disconnect: None,
        }
    }

    async fn serve<S>(&mut self, mut stream: S) -> Result<(), Disconnect>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let mut stop = self.shared.stop.subscribe();
        if *stop.borrow() {
            return Err(Disconnect::Stopping);
        }
        let handle = self.handle.clone();
        let mut frames = FrameReader::default();
        // The age counts from when the connection last had a session, so that a client
        // whose only session was ended has time to log on again.
        let mut lonely_since = Instant::now();
        loop {
            let limit = self.frame_limit();
            let trusted = !self.sessions.is_empty();
            let lonely = self.sessions.is_empty();
            let handshake = self.shared.config.limits.handshake;
            if lonely && lonely_since.elapsed() >= handshake {
                // The timer below is not looked at while frames keep coming.
                return Err(Disconnect::HandshakeTimeout);
            }
            let length = tokio::select! {
                biased;
                _ = stop.changed() => {
                    self.flush(&mut stream).await?;
                    return Err(Disconnect::Stopping);
                }
                () = handle.notify.notified() => {
                    self.forget_closed_sessions();
                    if !lonely && self.sessions.is_empty() {
                        lonely_since = Instant::now();
                    }
                    self.flush(&mut stream).await?;
                    continue;
                }
                length = frames.next(&mut stream, limit, trusted) => length?,
                () = tokio::time::sleep_until(lonely_since + handshake), if lonely => {
                    return Err(Disconnect::HandshakeTimeout);
                }
            };
            let Some(length) = length else {
                return Err(Disconnect::Closed);
            };
            let (answers, outcome) = self.answer(&mut frames, length);
            if answers.is_empty() {
                tokio::task::consume_budget().await;
            }
            self.write(&mut stream, &answers).await?;
            spare::give_output(answers);
            self.flush(&mut stream).await?;
            outcome?;
            for id in std::mem::take(&mut self.close_after_reply) {
                self.shared.close_session(id);
            }
            if !lonely && self.sessions.is_empty() {
                lonely_since = Instant::now();
            }
        }
    }

    /// Answers the frame that is there, and those that came with it as long as the answers
    /// stay short: one write for all. What was answered is sent even if what came behind it
    /// ends the connection.
    fn answer(
        &mut self,
        frames: &mut FrameReader,
        length: usize,
    ) -> (Vec<u8>, Result<(), Disconnect>) {
        let mut answers = Vec::new();
        let mut next = Ok(Some(length));
        for _ in 0..FRAMES_AT_ONCE {
            let Ok(Some(length)) = next else { break };
            let now = self.shared.config.clock.now();
            let answer = match self.handle_frame(frames.frame(length), now) {
                Ok(answer) => answer,
                Err(reason) => return (answers, Err(reason)),
            };
            frames.consume(length);
            if answers.is_empty() {
                answers = answer;
            } else {
                answers.extend_from_slice(&answer);
            }
            if answers.len() >= ANSWERS_AT_ONCE || !self.close_after_reply.is_empty() {
                break;
            }
            next = frames.ready(self.frame_limit());
        }
        (answers, next.map(drop))
    }

    async fn flush<W: AsyncWrite + Unpin>(&self, output: &mut W) -> Result<(), Disconnect> {
        let waiting = self.handle.take_outbox();
        self.write(output, &waiting).await
    }

    async fn write<W: AsyncWrite + Unpin>(
        &self,
        output: &mut W,
        bytes: &[u8],
    ) -> Result<(), Disconnect> {
        if bytes.is_empty() {
            return Ok(());
        }
        match timeout(self.shared.config.limits.write, output.write_all(bytes)).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Disconnect::WriteTimeout),
        }
    }

    fn frame_limit(&self) -> usize {
        match &self.negotiated {
            Some(negotiated) if self.had_session => {
                negotiated.max_transact as usize + crate::limits::FRAME_OVERHEAD
            }
            Some(_) => crate::limits::FRAME_BEFORE_SESSION,
            None => crate::limits::FRAME_BEFORE_NEGOTIATE,
        }
    }

    /// A session that administration has ended leaves this connection's table too.
    fn forget_closed_sessions(&mut self) {
        if self.sessions.values().any(|session| session.is_closed()) {
            self.sessions.retain(|_, session| !session.is_closed());
            self.logons.retain(|_, logon| !logon.session_is_closed());
            self.pending
                .retain(|_, open| open.session.upgrade().is_some());
        }
    }

    /// The session that a request names, if it lives on this connection.
    fn session(&self, id: u64) -> Option<&Arc<Session>> {
        self.sessions
            .get(&id)
            .filter(|session| !session.is_closed())
    }

    /// [MS-SMB2] 3.3.7.1: loss of a connection.
    fn end(&mut self) {
        self.pending.clear();
        for (_, session) in self.sessions.drain() {
            self.shared.close_session(session.id);
        }
        self.shared.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Runs work that may wait for a disk without holding up other connections' tasks.
fn step_aside<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// A frame that is one response outside any request's turn: built, signed or sealed.
fn seal_alone(session: &Session, encrypted: bool, sign: bool, message: &[u8]) -> Vec<u8> {
    let mut chain = chain::Chain::new(encrypted.then_some(session));
    let start = chain.begin();
    chain.out.truncate(start);
    chain.out.extend_from_slice(message);
    chain.finish_message(start, sign.then_some(session));
    chain.into_frame()
}
