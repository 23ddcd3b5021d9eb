//! Frames on a TCP connection ([MS-SMB2] 2.1): four bytes of length, then the message.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::Error;

/// What a frame may hold before NEGOTIATE has settled sizes: 64 KiB of payload and the
/// headers around it.
const INITIAL_LIMIT: usize = 128 * 1024;

/// Growth of the receive buffer. A length on the wire reserves no memory by itself, only
/// bytes that arrive do.
const CHUNK: usize = 64 * 1024;

/// The length field has 24 bits.
const MAX_FRAME: usize = 0xFF_FFFF;

/// What frames can travel on: TCP, or an in-memory pair in tests.
pub trait Stream: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Stream for T {}

/// A connection that carries frames, with time limits.
#[derive(Debug)]
pub struct Transport {
    stream: Box<dyn Stream>,
    limit: usize,
    time_limit: Duration,
    deadline: Option<Instant>,
    /// A frame is half sent or half read. Stays true if a future is dropped or fails.
    under_way: bool,
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
        let connected = async {
            let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
            connect(&addresses, source).await
        };
        Self::within(limit, connected).await
    }

    /// Connects to the first of `addresses` that answers, from `source` if given. `limit`
    /// covers all of them, and is the limit of each exchange afterwards until
    /// [`Transport::set_time_limit`].
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::TimedOut`].
    pub async fn connect_to(
        addresses: &[SocketAddr],
        source: Option<IpAddr>,
        limit: Duration,
    ) -> Result<Self, Error> {
        Self::within(limit, connect(addresses, source)).await
    }

    async fn within(
        limit: Duration,
        connected: impl Future<Output = io::Result<TcpStream>>,
    ) -> Result<Self, Error> {
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
            under_way: false,
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
        if message.len() > MAX_FRAME {
            return Err(Error::Usage("a frame holds less than 16 MiB"));
        }
        let prefix = (message.len() as u32).to_be_bytes();
        self.send_bytes(&prefix, message).await
    }

    /// Sends bytes as they are, without a length (for tests of broken frames).
    ///
    /// # Errors
    /// As [`Transport::send`].
    pub async fn send_unframed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.send_bytes(&[], bytes).await
    }

    /// Receives the message of one frame.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Protocol`] if it is no session message, [`Error::Io`],
    /// [`Error::Closed`], [`Error::TimedOut`].
    pub async fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let deadline = self.start()?;
        let message = bounded(deadline, read_frame(&mut self.stream, self.limit)).await?;
        self.under_way = false;
        Ok(message)
    }

    /// [`Transport::send`], then [`Transport::receive`].
    ///
    /// # Errors
    /// Those of the two.
    pub async fn exchange(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.send(message).await?;
        self.receive().await
    }

    async fn send_bytes(&mut self, head: &[u8], tail: &[u8]) -> Result<(), Error> {
        let deadline = self.start()?;
        bounded(deadline, write_both(&mut self.stream, head, tail)).await?;
        self.under_way = false;
        Ok(())
    }

    fn start(&mut self) -> Result<Instant, Error> {
        if self.under_way {
            return Err(Error::Closed);
        }
        self.under_way = true;
        let limit = Instant::now() + self.time_limit;
        Ok(self.deadline.map_or(limit, |deadline| deadline.min(limit)))
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
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for &address in addresses {
        match connect_to(address, source).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
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

async fn read_frame(stream: &mut Box<dyn Stream>, limit: usize) -> Result<Vec<u8>, Error> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).await.map_err(broken)?;
    // [RFC1002] 4.3.1: type 0 is a session message; directly over TCP no other exists.
    if prefix[0] != 0 {
        return Err(Error::Protocol("the frame is no session message"));
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > limit {
        return Err(Error::TooLong { length, limit });
    }
    let mut message = Vec::with_capacity(length.min(CHUNK));
    let mut rest = stream.take(length as u64);
    while message.len() < length {
        if message.len() == message.capacity() {
            message.reserve((length - message.len()).min(message.len().max(CHUNK)));
        }
        if rest.read_buf(&mut message).await.map_err(broken)? == 0 {
            return Err(Error::Closed);
        }
    }
    Ok(message)
}

async fn write_both(stream: &mut Box<dyn Stream>, head: &[u8], tail: &[u8]) -> Result<(), Error> {
    let mut parts = [IoSlice::new(head), IoSlice::new(tail)];
    let mut rest = &mut parts[..];
    // Drops leading empty parts.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        let written = stream.write_vectored(rest).await.map_err(broken)?;
        if written == 0 {
            return Err(Error::Closed);
        }
        IoSlice::advance_slices(&mut rest, written);
    }
    Ok(())
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
