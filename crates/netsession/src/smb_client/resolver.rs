//! Name resolution in which names without an answer hold up nothing else: neither other
//! names nor the end of a runtime.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::time::timeout;

use super::Error;

/// Names under way in this process. getaddrinfo cannot be interrupted: a name that its
/// server does not answer keeps a thread for as long as resolv.conf says, whoever has
/// stopped waiting for it. So many threads may hang before further names have to wait.
const MAX_LOOKUPS: usize = 256;

/// Stack of a lookup's thread, in bytes; name service modules use some 100 KiB.
const STACK: usize = 512 * 1024;

static LOOKUPS: Semaphore = Semaphore::const_new(MAX_LOOKUPS);

/// A turn to look a name up. Not needed for addresses, and for no host at all.
pub(crate) struct Turn {
    /// Goes back when the lookup has ended.
    _permit: Option<SemaphorePermit<'static>>,
}

impl Turn {
    /// Waits for one, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Connect`]: the names of others hang.
    pub(crate) async fn wait(host: &str, limit: Duration) -> Result<Self, Error> {
        if host.is_empty() || host.parse::<IpAddr>().is_ok() {
            return Ok(Self { _permit: None });
        }
        match timeout(limit, LOOKUPS.acquire()).await {
            Ok(Ok(permit)) => Ok(Self {
                _permit: Some(permit),
            }),
            Ok(Err(_)) | Err(_) => Err(Error::Connect(io::Error::new(
                io::ErrorKind::TimedOut,
                "the name was not looked up: the name server leaves too many others unanswered",
            ))),
        }
    }

    /// The addresses of the host with this port, at least one, each once.
    ///
    /// # Errors
    /// [`Error::Connect`] with the resolver's reason, [`Error::TimedOut`].
    pub(crate) async fn resolve(
        self,
        host: &str,
        port: u16,
        limit: Duration,
    ) -> Result<Vec<SocketAddr>, Error> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let (send, receive) = oneshot::channel();
        let name = host.to_owned();
        // A thread of its own, not one of the runtime's pool: that one is shared, and a
        // runtime does not end before its last lookup.
        thread::Builder::new()
            .name("netsession-resolver".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let found = (name.as_str(), port).to_socket_addrs().map(distinct);
                drop(self);
                // Nobody may be waiting any more.
                let _ = send.send(found);
            })
            .map_err(Error::Connect)?;
        match timeout(limit, receive).await {
            Ok(Ok(Ok(addresses))) if !addresses.is_empty() => Ok(addresses),
            Ok(Ok(Err(error))) => Err(Error::Connect(error)),
            Ok(Ok(Ok(_)) | Err(_)) => Err(Error::Connect(io::Error::new(
                io::ErrorKind::NotFound,
                "the name has no address",
            ))),
            Err(_) => Err(Error::TimedOut),
        }
    }
}

/// getaddrinfo gives an address once for each kind of socket on some systems.
fn distinct(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    async fn resolve(host: &str) -> Result<Vec<SocketAddr>, Error> {
        let turn = Turn::wait(host, LIMIT).await?;
        turn.resolve(host, 445, LIMIT).await
    }

    #[tokio::test]
    async fn addresses_and_names() {
        assert_eq!(
            resolve("::1").await.unwrap(),
            ["[::1]:445".parse().unwrap()]
        );
        let found = resolve("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|a| a.ip().is_loopback()));
        assert_eq!(found, distinct(found.iter().copied()));
    }

    #[tokio::test]
    async fn without_a_turn_names_wait_and_addresses_do_not() {
        let all = LOOKUPS.acquire_many(MAX_LOOKUPS as u32).await.unwrap();
        let limit = Duration::from_millis(20);
        assert!(Turn::wait("127.0.0.1", limit).await.is_ok());
        let error = Turn::wait("localhost", limit).await.err().unwrap();
        assert!(error.to_string().contains("not looked up"), "{error}");
        drop(all);
        assert!(Turn::wait("localhost", LIMIT).await.is_ok());
    }
}
