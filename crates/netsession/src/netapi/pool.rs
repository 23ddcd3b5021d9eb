//! Connections that wait for the next call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Settings;
use crate::blocking::Server;
use crate::{Error, Target};

/// How long a connection waits for another call before it is given up: a loop that works on
/// what it got goes on with it, and the server's list is soon rid of it.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// Connections that wait at most: as many threads as are likely to ask at once.
const MAX_IDLE: usize = 16;

/// Connections between calls.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    waiting: Vec<Waiting>,
    /// The process they belong to.
    process: u32,
}

#[derive(Debug)]
struct Waiting {
    server: Server,
    since: Instant,
    generation: u64,
}

impl Drop for Pool {
    fn drop(&mut self) {
        // In a forked child they must not be dropped, but forgotten.
        self.clear();
    }
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Lease {
    server: Server,
    is_reused: bool,
    generation: u64,
}

impl Lease {
    /// It has waited since an earlier call, and may have died meanwhile.
    pub(super) fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Makes a call.
    pub(super) fn run<T>(&mut self, call: impl AsyncFnOnce(&mut crate::Server) -> T) -> T {
        self.server.run(call)
    }
}

impl Pool {
    /// A connection: one that waits, or a new one.
    pub(super) fn take(&self, settings: &Settings, target: &Target) -> Result<Lease, Error> {
        match self.waiting(settings, target) {
            Some(lease) => Ok(lease),
            None => self.fresh(settings, target),
        }
    }

    /// A connection that has just proved to be alive: a failure of the next call cannot be
    /// due to its having waited.
    pub(super) fn checked(&self, settings: &Settings, target: &Target) -> Result<Lease, Error> {
        if let Some(mut lease) = self.waiting(settings, target)
            && lease.run(async |server| server.is_alive().await)
        {
            return Ok(lease);
        }
        self.fresh(settings, target)
    }

    /// A new connection.
    pub(super) fn fresh(&self, settings: &Settings, target: &Target) -> Result<Lease, Error> {
        Ok(Lease {
            server: Server::connect(target, &settings.credentials, &settings.options)?,
            is_reused: false,
            generation: settings.generation,
        })
    }

    /// Keeps the connection if it is of further use.
    pub(super) fn put_back(&self, lease: Lease) {
        if !lease.server.facts().is_worth_keeping() {
            return;
        }
        let mut idle = self.locked();
        if idle.waiting.len() < MAX_IDLE {
            idle.waiting.push(Waiting {
                server: lease.server,
                since: Instant::now(),
                generation: lease.generation,
            });
        }
    }

    /// Gives up all of them.
    pub(super) fn clear(&self) {
        let waiting = std::mem::take(&mut self.locked().waiting);
        drop(waiting);
    }

    fn waiting(&self, settings: &Settings, target: &Target) -> Option<Lease> {
        let mut idle = self.locked();
        idle.waiting.retain(|waiting| {
            waiting.since.elapsed() < IDLE_TIME && waiting.generation == settings.generation
        });
        let place = idle
            .waiting
            .iter()
            .rposition(|waiting| waiting.server.facts().target() == target)?;
        let waiting = idle.waiting.swap_remove(place);
        Some(Lease {
            server: waiting.server,
            is_reused: true,
            generation: waiting.generation,
        })
    }

    fn locked(&self) -> MutexGuard<'_, Idle> {
        // Only whole connections are put in and taken out.
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if idle.process != process {
            idle.process = process;
            // After a fork they are the parent's. Dropping them here would take its sockets
            // from the event queue that both share.
            std::mem::forget(std::mem::take(&mut idle.waiting));
        }
        idle
    }
}
