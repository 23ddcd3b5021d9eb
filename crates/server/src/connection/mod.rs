//! Connection ([MS-SMB2] 3.3.1.7): one task, which reads a frame, answers it and goes on.
//!
//! Work on a frame is synchronous and never waits for a disk; only reading and writing the
//! stream awaits, and no lock is held across it. What others have for this client (a break,
//! the end of a session, an answer that is ready) reaches it through its
//! [`Outbox`](crate::outbox::Outbox).

mod change_notify;
mod close;
mod compound;
mod create;
mod directory;
mod dispatch;
mod ea;
mod frame;
mod info;
mod io;
mod ioctl;
mod lock;
mod negotiate;
mod oplock_break;
mod pending;
mod rename;
mod session_setup;
mod set_info;
mod spare;
mod tree;
mod waiting;
mod window;

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use smb::crypto::PreauthIntegrityHashValue;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::application::{Ending, Reason};
use crate::budget::{Charge, ConnectionAccount, Cost, HalfLogon, Refused};
use crate::core::Core;
use crate::limits::LAST_WORDS;
use crate::outbox::Outbox;
use crate::request::Negotiated;
use crate::response::Answers;
use crate::session::Session;
use frame::{FrameReader, Payer};
use session_setup::Logon;
use waiting::PendingRequests;
use window::CommandSequenceWindow;

/// Connection.TransportName: SMB directly over TCP, the only transport there is.
const TRANSPORT_NAME: &str = r"\Device\NetbiosSmb";

/// Answers to requests that arrived together go out together up to about this many bytes.
const ANSWERS_AT_ONCE: usize = 16 * 1024;
/// Frames handled before other tasks get their turn: requests may have no answer (CANCEL).
const FRAMES_AT_ONCE: usize = 256;

/// How long a connection keeps its worker awake for the next message of a client that logs on
/// or off. Such a client on this machine or in its rack answers sooner than a core that has
/// gone to sleep wakes up (some 60 µs in a virtual machine), and a logon takes two or three
/// messages. The worker's other connections are served meanwhile.
const STAY_AWAKE: Duration = Duration::from_micros(100);

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
    #[error("part of a frame, and nothing more within the time limit")]
    Stalled,
    #[error("no session within the time limit")]
    HandshakeTimeout,
    #[error("closed by the client")]
    Closed,
    #[error("the server stops")]
    Stopping,
}

struct Connection {
    core: Arc<Core>,
    outbox: Arc<Outbox>,
    /// What it holds of the server.
    account: ConnectionAccount,
    negotiated: Option<Box<Negotiated>>,
    /// 3.1.1 only.
    preauth: Option<Box<PreauthIntegrityHashValue>>,
    sessions: HashMap<u64, Arc<Session>>,
    /// A client whose session was ended may be in the middle of long requests.
    had_session: bool,
    logons: HashMap<u64, HalfLogon<Box<Logon>>>,
    /// The last message was one of a logon or a logoff: the next is near.
    logging_on: bool,
    window: CommandSequenceWindow,
    pending: PendingRequests,
    /// Sessions to close once the answers so far have been written.
    close_after_reply: Vec<Ending>,
    /// An SMB1 NEGOTIATE was answered with dialect 0x02FF.
    multi_protocol: bool,
    /// Why sessions end that are still there when it ends.
    ended: Reason,
}

/// Serves one connection until it ends.
pub(crate) async fn run<S>(core: Arc<Core>, stream: S, client: IpAddr, account: ConnectionAccount)
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    core.connections.fetch_add(1, Ordering::AcqRel);
    let mut connection = Box::new(Connection::new(core, client, account));
    if let Err(reason) = connection.serve(stream).await {
        if let Disconnect::Stopping = reason {
            connection.ended = Reason::ServerStops;
        }
        tracing::debug!(client = %connection.outbox.client_name, %reason, "connection ended");
    }
}

/// Ends after [`STAY_AWAKE`], and lets its worker look at the sockets again and again meanwhile.
/// The system's time counts, also where a test has stopped the runtime's.
async fn stay_awake() {
    let begun = std::time::Instant::now();
    while begun.elapsed() < STAY_AWAKE {
        tokio::task::yield_now().await;
    }
}

impl Connection {
    fn new(core: Arc<Core>, client: IpAddr, account: ConnectionAccount) -> Self {
        let client_name = match client.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let outbox = core.connect(client_name.into(), TRANSPORT_NAME);
        Self {
            core,
            pending: PendingRequests::new(outbox.number),
            outbox,
            account,
            negotiated: None,
            preauth: None,
            sessions: HashMap::new(),
            had_session: false,
            logons: HashMap::new(),
            logging_on: false,
            window: CommandSequenceWindow::new(),
            close_after_reply: Vec::new(),
            multi_protocol: false,
            ended: Reason::ConnectionLost,
        }
    }

    async fn serve<S>(&mut self, mut stream: S) -> Result<(), Disconnect>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let mut stop = self.core.stop.subscribe();
        if *stop.borrow() {
            return Err(Disconnect::Stopping);
        }
        let outbox = self.outbox.clone();
        let mut frames = FrameReader::default();
        // The age counts from when the connection last had a session, so that a client
        // whose only session was ended has time to log on again.
        let mut lonely_since = Instant::now();
        loop {
            let limit = self.frame_limit();
            let patience = self.core.config.limits.write;
            let lonely = self.sessions.is_empty();
            let mut handshake = self.core.config.limits.handshake;
            if self.account.is_in_reserve() {
                // The places of administrators are not to be kept by strangers.
                handshake /= 4;
            }
            if lonely && lonely_since.elapsed() >= handshake {
                // The timer below is not looked at while frames keep coming.
                return Err(Disconnect::HandshakeTimeout);
            }
            let wake_at = match (
                lonely.then(|| lonely_since + handshake),
                self.pending.deadline(),
            ) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            let near = std::mem::take(&mut self.logging_on);
            let length = tokio::select! {
                biased;
                _ = stop.changed() => {
                    self.deliver(&mut stream).await?;
                    return Err(Disconnect::Stopping);
                }
                () = outbox.notified() => {
                    self.forget_closed_sessions();
                    if !lonely && self.sessions.is_empty() {
                        lonely_since = Instant::now();
                    }
                    self.deliver(&mut stream).await?;
                    continue;
                }
                length = frames.next(&mut stream, limit, &*self, patience) => length?,
                () = stay_awake(), if near => continue,
                () = tokio::time::sleep_until(wake_at.unwrap_or_else(Instant::now)), if wake_at.is_some() => {
                    let mut answers = Answers::default();
                    self.look_at_time(&mut answers)?;
                    self.send(&mut stream, answers).await?;
                    continue;
                }
            };
            let Some(length) = length else {
                return Err(Disconnect::Closed);
            };
            let (answers, outcome) = self.answer(&mut frames, length);
            if answers.is_empty() {
                tokio::task::consume_budget().await;
            }
            self.send(&mut stream, answers).await?;
            self.deliver(&mut stream).await?;
            outcome?;
            self.close_after_reply();
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
    ) -> (Answers, Result<(), Disconnect>) {
        let mut answers = Answers::default();
        let mut next = Ok(Some(length));
        for _ in 0..FRAMES_AT_ONCE {
            let Ok(Some(length)) = next else { break };
            let now = self.core.config.clock.now();
            match self.handle_frame(frames, length, now) {
                Ok(answer) => answers.append(answer),
                Err(reason) => return (answers, Err(reason)),
            }
            if answers.len() >= ANSWERS_AT_ONCE
                || !self.close_after_reply.is_empty()
                // A break of the client's own making comes before the answers to later requests.
                || self.outbox.has_arrived()
            {
                break;
            }
            next = frames.ready(self.frame_limit());
        }
        (answers, next.map(drop))
    }

    /// Finishes what others have made ready, and sends it with what they have for the client.
    async fn deliver<W: AsyncWrite + Unpin>(&mut self, output: &mut W) -> Result<(), Disconnect> {
        loop {
            let Some(arrived) = self.outbox.take() else {
                return Ok(());
            };
            let mut answers = Answers::default();
            for (ticket, outcome) in arrived.resumed {
                self.resume(ticket, outcome, &mut answers)?;
                if answers.len() >= ANSWERS_AT_ONCE {
                    self.send(output, std::mem::take(&mut answers)).await?;
                }
            }
            self.send(output, answers).await?;
            self.write(output, &arrived.frames).await?;
            self.close_after_reply();
        }
    }

    fn close_after_reply(&mut self) {
        for ending in std::mem::take(&mut self.close_after_reply) {
            self.core.close_session(ending.session, ending.reason);
        }
    }

    /// Writes answers; what was charged for them is returned.
    async fn send<W: AsyncWrite + Unpin>(
        &self,
        output: &mut W,
        answers: Answers,
    ) -> Result<(), Disconnect> {
        self.write(output, answers.before()).await?;
        self.write(output, answers.bytes()).await?;
        spare::give_output(answers.into_buffer());
        Ok(())
    }

    async fn write<W: AsyncWrite + Unpin>(
        &self,
        output: &mut W,
        bytes: &[u8],
    ) -> Result<(), Disconnect> {
        if bytes.is_empty() {
            return Ok(());
        }
        // Nearly always the stream takes everything at once.
        let taken = poll_fn(|cx| {
            let written = Pin::new(&mut *output).poll_write(cx, bytes);
            Poll::Ready(match written {
                Poll::Ready(written) => written,
                Poll::Pending => Ok(0),
            })
        });
        let rest = &bytes[taken.await?..];
        if !rest.is_empty() {
            // An idle connection has no room for this.
            Box::pin(self.write_patiently(output, rest)).await?;
        }
        Ok(())
    }

    /// Writes to a stream that does not take everything at once.
    async fn write_patiently<W: AsyncWrite + Unpin>(
        &self,
        output: &mut W,
        mut bytes: &[u8],
    ) -> Result<(), Disconnect> {
        let patience = self.core.config.limits.write;
        let mut last_words = None;
        let mut was_woken = false;
        while !bytes.is_empty() {
            let end = Instant::now() + patience;
            let end = last_words.map_or(end, |last| end.min(last));
            tokio::select! {
                biased;
                written = output.write(bytes) => match written? {
                    0 => return Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into()),
                    count => bytes = &bytes[count..],
                },
                () = tokio::time::sleep_until(end) => return Err(Disconnect::WriteTimeout),
                () = self.outbox.notified(), if last_words.is_none() => {
                    was_woken = true;
                    let mut sessions = self.sessions.values();
                    if !self.sessions.is_empty() && sessions.all(|session| session.is_closed()) {
                        last_words = Some(Instant::now() + LAST_WORDS);
                    }
                }
            }
        }
        if was_woken {
            // What has come is looked at now that this has been written.
            self.outbox.wake();
        }
        Ok(())
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

    /// A session that administration has ended leaves this connection's table too, and
    /// requests of sessions that are no more end.
    fn forget_closed_sessions(&mut self) {
        self.end_requests_of_closed_sessions();
        if self.sessions.values().any(|session| session.is_closed()) {
            self.sessions.retain(|_, session| !session.is_closed());
            if self.sessions.is_empty() {
                self.account.forget_user();
            }
            self.logons
                .retain(|_, logon| logon.with(|logon| !logon.session_is_closed()) == Some(true));
        }
    }

    /// The session that a request names, if it lives on this connection.
    fn session(&self, id: u64) -> Option<&Arc<Session>> {
        self.sessions
            .get(&id)
            .filter(|session| !session.is_closed())
    }
}

/// [MS-SMB2] 3.3.7.1: loss of a connection. It is one too if the task that serves it panics,
/// or its runtime ends.
impl Drop for Connection {
    fn drop(&mut self) {
        self.core.disconnect(&self.outbox);
        self.forget_requests();
        for (_, session) in std::mem::take(&mut self.sessions) {
            self.core.close_session(session.id, self.ended.clone());
        }
        self.core.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Payer for Connection {
    fn is_trusted(&self) -> bool {
        // Whoever has lost his session is charged as before.
        self.had_session
    }

    fn charge(&self, session_id: u64, bytes: u32) -> Result<Charge, Refused> {
        let cost = Cost::bytes(bytes);
        let any = || self.sessions.values().next();
        match self.session(session_id).or_else(any) {
            Some(session) => session.account.charge(cost),
            None => self.account.charge(cost),
        }
    }
}
