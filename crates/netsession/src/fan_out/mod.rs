//! Many servers at once: [`FanOut`].
//!
//! ```no_run
//! # async fn example() -> Result<(), netsession::Error> {
//! use netsession::fan_out::{Event, FanOut};
//! use netsession::{Credentials, Target};
//!
//! let targets = [Target::parse("srv1")?, Target::parse("srv2")?];
//! let fan_out = FanOut::new(Credentials::parse("admin%secret")?).jobs(256);
//! let mut events = fan_out.sessions(targets);
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Session { target, session, .. } => println!("{target} {session:?}"),
//!         Event::Done { .. } => {}
//!         Event::Failed { error, .. } => eprintln!("{error}"),
//!     }
//! }
//! println!("{} of {} answered", events.tally().answered(), events.tally().asked());
//! # Ok(())
//! # }
//! ```

mod blocking;
mod host;
mod tally;

use std::collections::{HashSet, VecDeque};
use std::panic;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use srvsvc::SessionLevel;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use crate::{Credentials, Error, LevelChoice, Options, SessionFilter, SessionInfo, Target};

pub use blocking::{BlockingEvents, Patience};
pub use tally::{Outcome, Tally};

/// Events that wait for a slow consumer. When so many do, no further one is read from the
/// servers.
const EVENTS: usize = 256;

/// Bytes of one page at most: some hundred sessions, so that what is under way stays small
/// with any number of servers.
const PAGE_BYTES: u32 = 16 * 1024;

/// How to ask many servers for their sessions.
#[derive(Clone, Debug)]
pub struct FanOut {
    credentials: Credentials,
    options: Options,
    jobs: usize,
    deadline: Duration,
    level: LevelChoice,
    filter: SessionFilter,
}

/// What happens while many servers are asked. For each server there are any number of
/// [`Event::Session`], then one [`Event::Done`] or [`Event::Failed`]; those of different
/// servers come mixed.
#[derive(Debug)]
pub enum Event {
    /// A server has this session.
    Session {
        /// The server.
        target: Arc<Target>,
        /// The level it answers at.
        level: SessionLevel,
        /// The session.
        session: SessionInfo,
    },
    /// A server's list is complete.
    Done {
        /// The server.
        target: Arc<Target>,
        /// The level it answered at.
        level: SessionLevel,
        /// How many sessions there were. With names to filter by, 0 is nothing special.
        sessions: usize,
        /// From its turn to its last answer.
        elapsed: Duration,
    },
    /// A server has not answered completely; what came from it before is only a part.
    Failed {
        /// The server.
        target: Arc<Target>,
        /// Why.
        error: Error,
        /// From its turn to the failure.
        elapsed: Duration,
    },
}

impl Event {
    /// The server that it comes from.
    pub fn target(&self) -> &Arc<Target> {
        match self {
            Self::Session { target, .. }
            | Self::Done { target, .. }
            | Self::Failed { target, .. } => target,
        }
    }
}

impl FanOut {
    /// Servers asked at the same time unless [`FanOut::jobs`] says otherwise.
    pub const DEFAULT_JOBS: usize = 64;

    /// Time for each server unless [`FanOut::deadline`] says otherwise.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

    /// Asks as this user, for all sessions at the fullest level of each server.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            options: with_small_pages(Options::default()),
            jobs: Self::DEFAULT_JOBS,
            deadline: Self::DEFAULT_DEADLINE,
            level: LevelChoice::default(),
            filter: SessionFilter::default(),
        }
    }

    /// How to connect to each, with the limits of each step. Pages of more than 16 KiB are
    /// made smaller.
    pub fn options(mut self, options: Options) -> Self {
        self.options = with_small_pages(options);
        self
    }

    /// Servers asked at the same time, at least 1. Each takes a file descriptor; if they
    /// run out, it waits for one within its deadline.
    ///
    /// A server that is silent keeps its place until its deadline, since nothing tells it
    /// from a slow one. With as many jobs as servers all of it ends within one deadline;
    /// with fewer, each further round of silent ones adds another, and one whose turn comes
    /// late ends that much later.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.max(1);
        self
    }

    /// Limit for each server from its turn to the end of its list, name lookup included,
    /// beside the limits of [`Options`]. A name that has to wait for a resolver, because
    /// hundreds of others hang, waits no longer than [`Options::connect_timeout`] or this,
    /// before its time runs. Time that it spends waiting for the consumer of the events does not
    /// count.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The information level.
    pub fn level(mut self, level: impl Into<LevelChoice>) -> Self {
        self.level = level.into();
        self
    }

    /// Which sessions. A server without any that fit has answered, with none.
    pub fn filter(mut self, filter: SessionFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Asks each of `targets`, in this order; one that comes twice is asked once. Nothing
    /// happens before the first poll, which has to be on a tokio runtime with time and I/O.
    ///
    /// Connections are closed without logging off, which ends their sessions as well.
    pub fn sessions(&self, targets: impl IntoIterator<Item = Target>) -> Events {
        let mut known = HashSet::new();
        let queue: VecDeque<_> = targets
            .into_iter()
            .map(Arc::new)
            .filter(|target| known.insert(Arc::clone(target)))
            .collect();
        Events {
            tally: Tally::new(queue.len()),
            state: State::Waiting(Arc::new(Job {
                fan_out: self.clone(),
                queue: Mutex::new(queue),
            })),
        }
    }

    /// As [`FanOut::sessions`], for callers without async: the servers are asked by threads
    /// of its own while the iterator is used.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Refused`] with 8 if the system has no threads or descriptors left.
    pub fn sessions_blocking(
        &self,
        targets: impl IntoIterator<Item = Target>,
    ) -> Result<BlockingEvents, Error> {
        BlockingEvents::new(self.sessions(targets))
    }
}

/// The events of a fan-out, as they come. Dropping it ends all work: tasks stop where they
/// wait, their sockets close. Only a name lookup that is under way keeps its thread until
/// the system's resolver gives up.
#[derive(Debug)]
pub struct Events {
    tally: Tally,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting(Arc<Job>),
    Running {
        events: mpsc::Receiver<Event>,
        workers: JoinSet<()>,
    },
}

/// What the workers share.
#[derive(Debug)]
struct Job {
    fan_out: FanOut,
    queue: Mutex<VecDeque<Arc<Target>>>,
}

impl Job {
    fn next(&self) -> Option<Arc<Target>> {
        // Nothing can panic between lock and unlock.
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    }
}

impl Events {
    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    /// What has come so far, of how many.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        if let State::Waiting(job) = &self.state {
            self.state = start(job, self.tally.asked());
        }
        let State::Running { events, workers } = &mut self.state else {
            return Poll::Ready(None);
        };
        if let Some(event) = ready!(events.poll_recv(context)) {
            self.tally.count(&event);
            return Poll::Ready(Some(event));
        }
        while let Some(ended) = ready!(workers.poll_join_next(context)) {
            // A fault of ours must not look like the end of the list.
            if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
                panic::resume_unwind(panic);
            }
        }
        Poll::Ready(None)
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.get_mut().poll_event(context)
    }
}

fn with_small_pages(mut options: Options) -> Options {
    options.page_bytes = options.page_bytes.min(PAGE_BYTES);
    options
}

fn start(job: &Arc<Job>, targets: usize) -> State {
    let (send, events) = mpsc::channel(EVENTS);
    let mut workers = JoinSet::new();
    let number = job.fan_out.jobs.min(targets);
    for _ in 0..number {
        let (job, send) = (Arc::clone(job), send.clone());
        workers.spawn(async move {
            while let Some(target) = job.next() {
                // In its own allocation, so that the worker keeps nothing between servers.
                let asked = Box::pin(host::ask(&job.fan_out, target, &send)).await;
                if asked.is_err() {
                    return;
                }
            }
        });
    }
    State::Running { events, workers }
}
