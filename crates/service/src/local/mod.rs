//! The local socket: srvsvc for callers on this machine, without SMB and without a password.
//!
//! A Unix stream socket that carries the connection-oriented PDUs (C706 12) of `\PIPE\srvsvc`,
//! one after another, each framed by its own frag_length; one association per connection. The
//! caller is whom the kernel says ([`PeerCredentials`]): root, the user that the service runs
//! as and the members of one configured group are administrators, everybody else is an
//! authenticated user. Such a caller has no session, so it never ends its own.

mod connection;
mod limits;
mod peer;
mod place;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use server::application::Application;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use connection::Conversation;
pub use limits::LocalLimits;
use peer::Administrators;
pub use peer::{Credentials, GroupError, Peer, PeerCredentials};
use place::Place;
pub use place::PlaceError;

/// What a local socket is started with.
pub struct LocalConfig {
    /// Its path.
    pub path: PathBuf,
    /// Number of the group whose members are administrators ([`group_id`]).
    pub administrators_group: Option<u32>,
    /// What the server calls itself: the domain of the callers.
    pub server_name: Arc<str>,
    /// The server.
    pub administration: Arc<dyn Application>,
    /// Bounds.
    pub limits: LocalLimits,
    /// Where credentials come from.
    pub credentials: Arc<dyn Credentials>,
}

/// A local socket that answers, in tasks of the runtime it was started in.
pub struct LocalEndpoint {
    path: PathBuf,
    stop: watch::Sender<bool>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

/// The number of a group of this machine.
///
/// # Errors
/// If there is none of that name, or the name service fails.
pub async fn group_id(name: &str) -> Result<u32, GroupError> {
    let owned = name.to_owned();
    let found = tokio::task::spawn_blocking(move || peer::group_id(&owned)).await;
    found.unwrap_or_else(|error| {
        Err(GroupError::Lookup {
            name: name.to_owned(),
            problem: error.to_string(),
        })
    })
}

impl LocalEndpoint {
    /// Makes the socket and answers at it. A socket there that nobody answers at is replaced.
    ///
    /// # Errors
    /// If another service answers there, or the system refuses.
    pub async fn start(config: LocalConfig) -> Result<Self, PlaceError> {
        let path = config.path.clone();
        let listening = tokio::task::spawn_blocking(move || Place::listen(&path)).await;
        let (place, listener) = listening.map_err(|error| PlaceError::System {
            tried: "listen",
            source: io::Error::other(error),
        })??;
        let listener = UnixListener::from_std(listener).map_err(|source| PlaceError::System {
            tried: "listen",
            source,
        })?;
        let (stop, stopped) = watch::channel(false);
        let path = place.path().to_owned();
        let acceptor = Acceptor::new(config, place);
        Ok(Self {
            path,
            stop,
            acceptor: Mutex::new(Some(tokio::spawn(acceptor.run(listener, stopped)))),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Drops every caller and removes the socket; returns when done.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let acceptor = self
            .acceptor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(acceptor) = acceptor {
            // It fails only if it panicked, and then it has dropped everything too.
            let _ = acceptor.await;
        }
    }
}

/// What all connections share.
struct Acceptor {
    place: Place,
    shared: Arc<Shared>,
}

struct Shared {
    administrators: Administrators,
    server_name: Arc<str>,
    administration: Arc<dyn Application>,
    limits: LocalLimits,
    credentials: Arc<dyn Credentials>,
    lookups: Arc<Semaphore>,
    places: Arc<Mutex<Places>>,
    /// Somebody was turned away since there was room last: said once, since whoever is can
    /// come again at once.
    is_full: AtomicBool,
}

/// Connections now.
#[derive(Default)]
struct Places {
    total: usize,
    by_user: HashMap<u32, usize>,
}

/// One of [`Places`], given back when dropped.
struct Ticket {
    places: Arc<Mutex<Places>>,
    uid: u32,
}

impl Acceptor {
    fn new(config: LocalConfig, place: Place) -> Self {
        let lookups = Arc::new(Semaphore::new(config.limits.lookups));
        Self {
            place,
            shared: Arc::new(Shared {
                administrators: Administrators {
                    own_uid: rustix::process::geteuid().as_raw(),
                    group: config.administrators_group,
                },
                server_name: config.server_name,
                administration: config.administration,
                limits: config.limits,
                credentials: config.credentials,
                lookups,
                places: Arc::default(),
                is_full: AtomicBool::new(false),
            }),
        }
    }

    async fn run(self, listener: UnixListener, mut stop: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                // A sender that is gone is an endpoint that was dropped: it goes on, as the
                // rest of the service does.
                Ok(_) = stop.wait_for(|stop| *stop) => break,
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    if let Some((peer, ticket)) = self.shared.admit(&stream) {
                        let shared = self.shared.clone();
                        connections.spawn(async move {
                            shared.serve(stream, peer).await;
                            drop(ticket);
                        });
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "local socket: accept failed");
                    // Out of descriptors, most likely: give closing connections a moment.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(listener);
        // No new caller finds it from here on; the others are dropped.
        let place = self.place;
        let removed = tokio::task::spawn_blocking(move || drop(place)).await;
        if let Err(error) = removed {
            tracing::warn!(%error, "local socket not removed");
        }
        connections.shutdown().await;
    }
}

impl Shared {
    /// Finds out who it is and whether there is a place.
    fn admit(&self, stream: &UnixStream) -> Option<(Peer, Ticket)> {
        let peer = match self.credentials.of(stream) {
            Ok(peer) => peer,
            Err(error) => {
                tracing::warn!(%error, "local socket: a caller without credentials is refused");
                return None;
            }
        };
        let Some(ticket) = self.ticket(peer.uid) else {
            if !self.is_full.swap(true, Ordering::Relaxed) {
                let uid = peer.uid;
                tracing::warn!(uid, "local socket: callers refused, limit reached");
            }
            return None;
        };
        self.is_full.store(false, Ordering::Relaxed);
        Some((peer, ticket))
    }

    fn ticket(&self, uid: u32) -> Option<Ticket> {
        let is_reserved = self.administrators.has_user(uid);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let room = if is_reserved {
            self.limits.connections
        } else {
            self.limits.connections.saturating_sub(self.limits.reserved)
        };
        let of_user = places.by_user.get(&uid).copied().unwrap_or(0);
        let has_enough = !is_reserved && of_user >= self.limits.connections_per_user;
        if places.total >= room || has_enough {
            return None;
        }
        places.total += 1;
        places.by_user.insert(uid, of_user + 1);
        Some(Ticket {
            places: self.places.clone(),
            uid,
        })
    }

    async fn serve(self: Arc<Self>, stream: UnixStream, peer: Peer) {
        let Some(conversation) = self.conversation(peer).await else {
            return;
        };
        let caller = conversation.caller();
        if let Err(reason) = connection::serve(stream, conversation, &self.limits).await {
            tracing::debug!(%caller, %reason, "local socket: connection ended");
        }
    }

    async fn conversation(self: &Arc<Self>, peer: Peer) -> Option<Conversation> {
        let lookup = tokio::time::timeout(self.limits.lookup, self.look_up(peer));
        let context = match lookup.await {
            Ok(Some(context)) => context,
            // What decides on these two needs no name service, so that they get in when it
            // does not answer.
            _ if self.administrators.has_user(peer.uid) => {
                self.administrators.without_lookup(peer, &self.server_name)
            }
            _ => {
                let uid = peer.uid;
                tracing::warn!(
                    uid,
                    "local socket: caller refused, the name service is silent"
                );
                return None;
            }
        };
        Some(Conversation::new(
            self.administration.clone(),
            context,
            peer,
            self.limits.max_request_stub,
        ))
    }

    /// `None` if the lookup did not end well.
    async fn look_up(self: &Arc<Self>, peer: Peer) -> Option<server::account::SecurityContext> {
        let permit = self.lookups.clone().acquire_owned().await.ok()?;
        let shared = self.clone();
        let looked_up = tokio::task::spawn_blocking(move || {
            let context = shared
                .administrators
                .security_context(peer, &shared.server_name);
            // Held by the thread: it goes on when nobody waits for it any more.
            drop(permit);
            context
        });
        looked_up.await.ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.total = places.total.saturating_sub(1);
        if let Some(count) = places.by_user.get_mut(&self.uid) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                places.by_user.remove(&self.uid);
            }
        }
    }
}
