//! Frames on a TCP connection ([MS-SMB2] 2.1): four bytes of length, then the message.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Error, Turn};

/// What a frame may hold before NEGOTIATE has settled sizes: 64 KiB of payload and the
/// headers around it.
const INITIAL_LIMIT: usize = 128 * 1024;

/// Growth of the receive buffer. A length on the wire reserves no memory by itself, only
/// bytes that arrive do.
const CHUNK: usize = 64 * 1024;

/// How long an address may keep to itself before the next one is tried beside it ([RFC8305] 8).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// The length field has 24 bits.
const MAX_FRAME: usize = 0xFF_FFFF;

/// What frames can travel on: TCP, or an in-memory pair in tests.
pub trait Stream: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Stream for T {}

/// A connection that carries frames, with time limits. Dropping the future of a send or a
/// receive loses nothing: the next one goes on with the same frame.
#[derive(Debug)]
pub struct Transport {
    stream: Box<dyn Stream>,
    limit: usize,
    time_limit: Duration,
    deadline: Option<Instant>,
    outgoing: Outgoing,
    incoming: Incoming,
    /// A send or a receive has failed.
    broken: bool,
}

/// What is still to be sent.
#[derive(Debug, Default)]
struct Outgoing {
    head: Vec<u8>,
    message: Vec<u8>,
    sent: usize,
}

/// What has been received of a frame.
#[derive(Debug, Default)]
struct Incoming {
    prefix: [u8; 4],
    prefix_length: usize,
    message: Vec<u8>,
}

impl Transport {
    /// Connects to the first address of `host` that answers, from `source` if given.
    /// `limit` covers name resolution and all addresses, and is the limit of each
    /// exchange afterwards until [`Transport::set_time_limit`].
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::TimedOut`].
    pub async fn connect(
        host: &str,
        port: u16,
        source: Option<IpAddr>,
        limit: Duration,
    ) -> Result<Self, Error> {
        let deadline = Instant::now() + limit;
        let turn = Turn::wait(host, limit).await?;
        let remaining = || deadline.saturating_duration_since(Instant::now());
        let addresses = turn.resolve(host, port, remaining()).await?;
        let mut transport = Self::connect_to(&addresses, source, remaining()).await?;
        transport.set_time_limit(limit);
        Ok(transport)
    }

    /// Connects to the first of `addresses` that answers, from `source` if given: one that
    /// is silent gets the next one tried beside it ([RFC8305] 5). `limit` covers all of them, and is the limit of each exchange afterwards until
    /// [`Transport::set_time_limit`].
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::TimedOut`].
    pub async fn connect_to(
        addresses: &[SocketAddr],
        source: Option<IpAddr>,
        limit: Duration,
    ) -> Result<Self, Error> {
        let connected = connect(addresses, source);
        let stream = match timeout_at(Instant::now() + limit, connected).await {
            Ok(result) => result.map_err(Error::Connect)?,
            Err(_) => return Err(Error::TimedOut),
        };
        // Lock-step requests must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true).map_err(Error::Connect)?;
        Ok(Self::new(stream, limit))
    }

    /// Frames on an existing connection.
    pub fn new(stream: impl Stream + 'static, limit: Duration) -> Self {
        Self {
            stream: Box::new(stream),
            limit: INITIAL_LIMIT,
            time_limit: limit,
            deadline: None,
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            broken: false,
        }
    }

    /// Limit of each following send or receive.
    pub fn set_time_limit(&mut self, limit: Duration) {
        self.time_limit = limit;
    }

    /// Limit over several sends and receives, beside the limit of each.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Longest frame accepted from the network, in bytes (at most 2^24 − 1).
    pub fn set_frame_limit(&mut self, limit: usize) {
        self.limit = limit.min(MAX_FRAME);
    }

    /// Sends `message` as one frame.
    ///
    /// # Errors
    /// [`Error::Usage`] for 16 MiB and more; [`Error::Io`], [`Error::Closed`], [`Error::TimedOut`].
    pub async fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        self.send_owned(message.to_vec()).await
    }

    /// [`Transport::send`] without a copy.
    pub(super) async fn send_owned(&mut self, message: Vec<u8>) -> Result<(), Error> {
        if message.len() > MAX_FRAME {
            return Err(Error::Usage("a frame holds less than 16 MiB"));
        }
        let head = (message.len() as u32).to_be_bytes().to_vec();
        self.send_next(Outgoing {
            head,
            message,
            sent: 0,
        })
        .await
    }

    /// Sends bytes as they are, without a length (for tests of broken frames).
    ///
    /// # Errors
    /// As [`Transport::send`].
    pub async fn send_unframed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.send_next(Outgoing {
            message: bytes.to_vec(),
            ..Outgoing::default()
        })
        .await
    }

    /// Takes back the message of a send that was dropped, if none of it has left.
    pub(super) fn take_back(&mut self) -> bool {
        let is_whole = self.outgoing.sent == 0 && !self.outgoing.is_done();
        if is_whole {
            self.outgoing = Outgoing::default();
        }
        is_whole
    }

    /// Receives the message of one frame.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Protocol`] if it is no session message, [`Error::Io`],
    /// [`Error::Closed`], [`Error::TimedOut`].
    pub async fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let deadline = self.start()?;
        let work = self.incoming.read_frame(&mut self.stream, self.limit);
        let result = bounded(deadline, work).await;
        self.broken = result.is_err();
        result
    }

    /// [`Transport::send`], then [`Transport::receive`].
    ///
    /// # Errors
    /// Those of the two.
    pub async fn exchange(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.send(message).await?;
        self.receive().await
    }

    async fn send_next(&mut self, next: Outgoing) -> Result<(), Error> {
        // Half a frame would spoil all that follow.
        self.flush().await?;
        self.outgoing = next;
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let deadline = self.start()?;
        if self.outgoing.is_done() {
            return Ok(());
        }
        let result = bounded(deadline, self.outgoing.write(&mut self.stream)).await;
        self.broken = result.is_err();
        result
    }

    fn start(&self) -> Result<Instant, Error> {
        if self.broken {
            return Err(Error::Closed);
        }
        let limit = Instant::now() + self.time_limit;
        Ok(self.deadline.map_or(limit, |deadline| deadline.min(limit)))
    }
}

impl Outgoing {
    fn is_done(&self) -> bool {
        self.sent == self.head.len() + self.message.len()
    }

    async fn write(&mut self, stream: &mut Box<dyn Stream>) -> Result<(), Error> {
        while !self.is_done() {
            let mut parts = [IoSlice::new(&self.head), IoSlice::new(&self.message)];
            let mut rest = &mut parts[..];
            IoSlice::advance_slices(&mut rest, self.sent);
            match stream.write_vectored(rest).await.map_err(broken)? {
                0 => return Err(Error::Closed),
                written => self.sent += written,
            }
        }
        // A transport at rest keeps no buffer.
        *self = Self::default();
        Ok(())
    }
}

impl Incoming {
    async fn read_frame(
        &mut self,
        stream: &mut Box<dyn Stream>,
        limit: usize,
    ) -> Result<Vec<u8>, Error> {
        while let rest @ [_, ..] = &mut self.prefix[self.prefix_length..] {
            match stream.read(rest).await.map_err(broken)? {
                0 => return Err(Error::Closed),
                count => self.prefix_length += count,
            }
        }
        // [RFC1002] 4.3.1: type 0 is a session message; directly over TCP no other exists.
        if self.prefix[0] != 0 {
            return Err(Error::Protocol("the frame is no session message"));
        }
        let length = u32::from_be_bytes(self.prefix) as usize;
        if length > limit {
            return Err(Error::TooLong { length, limit });
        }
        let message = &mut self.message;
        while message.len() < length {
            if message.len() == message.capacity() {
                let left = length - message.len();
                message.reserve_exact(left.min(message.len().max(CHUNK)));
            }
            let mut rest = stream.take((length - message.len()) as u64);
            if rest.read_buf(message).await.map_err(broken)? == 0 {
                return Err(Error::Closed);
            }
        }
        Ok(std::mem::take(self).message)
    }
}

async fn bounded<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout_at(deadline, work)
        .await
        .unwrap_or(Err(Error::TimedOut))
}

async fn connect(addresses: &[SocketAddr], source: Option<IpAddr>) -> io::Result<TcpStream> {
    if let [address] = addresses {
        return connect_to(*address, source).await;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut waiting = addresses.iter();
    // Dropping the set gives up those that are still trying.
    let mut trying = JoinSet::new();
    loop {
        let next = waiting.next();
        if let Some(&address) = next {
            trying.spawn(connect_to(address, source));
        }
        let answer = match waiting.len() {
            0 => trying.join_next().await,
            _ => match timeout(NEXT_ADDRESS, trying.join_next()).await {
                Ok(answer) => answer,
                Err(_) => continue,
            },
        };
        match answer {
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(error))) => last = error,
            Some(Err(_)) => {}
            None if next.is_none() => return Err(last),
            None => {}
        }
    }
}

async fn connect_to(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(source) = source {
        if source.is_ipv4() != address.is_ipv4() {
            return Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "the source address is of another family than the server's",
            ));
        }
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(address).await
}

fn broken(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Error::Closed,
        _ => Error::Io(error),
    }
}

#[cfg(test)]
mod tests;
