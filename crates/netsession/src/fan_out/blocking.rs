//! The events of a fan-out for callers without async.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::{Event, Events, Tally};
use crate::{Code, Error, ErrorKind};

/// More threads do not help: the work is waiting.
const MAX_THREADS: usize = 4;

/// What [`BlockingEvents::next_within`] comes back with.
#[derive(Debug)]
pub enum Patience {
    /// An event.
    Event(Event),
    /// There are no more.
    Ended,
    /// Nothing within the time; ask again.
    RanOut,
}

/// The events of a fan-out; an iterator. Dropping it ends all work, as with [`Events`].
///
/// It must not be used inside an async runtime: it would panic, as every blocking call
/// there would stall it.
#[derive(Debug)]
pub struct BlockingEvents {
    events: Events,
    /// Taken when dropped.
    runtime: Option<Runtime>,
}

impl BlockingEvents {
    pub(super) fn new(events: Events) -> Result<Self, Error> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.min(MAX_THREADS))
            .thread_name("netsession-fan-out")
            .enable_all()
            .build()
            .map_err(|error| {
                let tried = "preparing to ask many servers".to_owned();
                let code = Some(Code::NetApiStatus(8));
                Error::new(ErrorKind::Refused, tried, error.to_string(), code)
            })?;
        Ok(Self {
            events,
            runtime: Some(runtime),
        })
    }

    /// The next event if it comes within `limit`: for callers who have to look after
    /// something else in between. The servers are asked on meanwhile.
    pub fn next_within(&mut self, limit: Duration) -> Patience {
        let Some(runtime) = &self.runtime else {
            return Patience::Ended;
        };
        let events = &mut self.events;
        match runtime.block_on(async { timeout(limit, events.next()).await }) {
            Ok(Some(event)) => Patience::Event(event),
            Ok(None) => Patience::Ended,
            Err(_) => Patience::RanOut,
        }
    }

    /// [`Events::tally`].
    pub fn tally(&self) -> &Tally {
        self.events.tally()
    }
}

impl Iterator for BlockingEvents {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let events = &mut self.events;
        self.runtime.as_ref()?.block_on(events.next())
    }
}

impl Drop for BlockingEvents {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not waiting makes this legal inside an async runtime too.
            runtime.shutdown_background();
        }
    }
}
