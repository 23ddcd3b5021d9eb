//! Threads that own connections: sockets, state and timers of a connection stay with one of
//! them, so that answering a request hands nothing to another thread.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

use crate::budget::ConnectionAccount;
use crate::connection;
use crate::core::Core;

/// Workers for each core. More than one, because a thread that has just answered sleeps
/// until the next request, and the kernel wakes another beside its client meanwhile:
/// measured, four for each core answer twice as many requests as one.
const WORKERS_FOR_EACH_CORE: usize = 4;

/// Fewest workers, on machines with one core.
const FEWEST_WORKERS: usize = 8;

/// Most workers: beyond it memory for threads buys nothing.
const MOST_WORKERS: usize = 256;

/// The worker threads of a server.
pub(crate) struct Workers {
    workers: Vec<Worker>,
    stop: watch::Sender<bool>,
}

struct Worker {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts the threads; they sleep until they have connections.
    ///
    /// # Errors
    /// If the system gives no thread or no epoll instance.
    pub(crate) fn start() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = (cores * WORKERS_FOR_EACH_CORE).clamp(FEWEST_WORKERS, MOST_WORKERS);
        let stop = watch::Sender::new(false);
        let mut workers = Self {
            workers: Vec::with_capacity(count),
            stop,
        };
        for number in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let handle = runtime.handle().clone();
            let mut stop = workers.stop.subscribe();
            let thread = std::thread::Builder::new()
                .name(format!("smb-{number}"))
                .spawn(move || {
                    // An error means that the sender is gone: the same.
                    let _ = runtime.block_on(stop.wait_for(|stop| *stop));
                    runtime.shutdown_background();
                })?;
            workers.workers.push(Worker {
                runtime: handle,
                connections: Arc::default(),
                thread: Some(thread),
            });
        }
        Ok(workers)
    }

    /// Serves a new connection on the worker that has the fewest.
    pub(crate) fn serve(
        &self,
        core: Arc<Core>,
        stream: std::net::TcpStream,
        peer: SocketAddr,
        account: ConnectionAccount,
    ) {
        let fewest = self
            .workers
            .iter()
            .min_by_key(|worker| worker.connections.load(Ordering::Relaxed));
        let Some(worker) = fewest else { return };
        let counted = Counted::new(worker.connections.clone());
        worker.runtime.spawn(async move {
            let _counted = counted;
            match TcpStream::from_std(stream) {
                Ok(stream) => connection::run(core, stream, peer.ip(), account).await,
                Err(error) => tracing::warn!(%peer, %error, "connection refused"),
            }
        });
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for worker in &mut self.workers {
            if let Some(thread) = worker.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// One connection of a worker, while it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
