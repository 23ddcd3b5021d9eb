//! [`Waiting`]: a TCP connection for a client that has a thread to itself.
//!
//! A reader that waits in the system call needs one call for an answer; a runtime tries,
//! sleeps in epoll and reads twice. Where generator and server share the cores, what the
//! generator saves is what the measurement shows of the server.

use std::io::{self, BufReader, IoSlice, Read as _, Write as _};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read at once: more than any answer that is not data.
const BUFFER: usize = 64 * 1024;

/// Blocks its thread, so that it is of no use beside other tasks.
#[derive(Debug)]
pub(crate) struct Waiting {
    stream: BufReader<TcpStream>,
}

impl Waiting {
    /// Waits at most `limit` for bytes.
    pub(crate) fn new(stream: tokio::net::TcpStream, limit: Duration) -> io::Result<Self> {
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        Ok(Self {
            stream: BufReader::with_capacity(BUFFER, stream),
        })
    }
}

impl AsyncRead for Waiting {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.get_mut().stream.read(buffer.initialize_unfilled());
        Poll::Ready(read.map(|count| buffer.advance(count)))
    }
}

impl AsyncWrite for Waiting {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.get_mut().stream.get_mut().write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.get_mut().stream.get_mut().write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut().stream.get_ref();
        Poll::Ready(stream.shutdown(std::net::Shutdown::Write))
    }
}
