//! Who is told of events, and the queue of each of them. Whoever publishes waits for nobody:
//! an event that finds its queue full is lost, and the subscriber is told how many were.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smb::FileTime;
use tokio::sync::Notify;

use super::event::{Event, EventKind, Interest};

/// The subscribers of one server.
#[derive(Default)]
pub(crate) struct Events {
    /// What at least one of them wants.
    wanted: AtomicU8,
    queues: Mutex<Vec<Arc<Queue>>>,
}

/// The events that are told one subscriber, from its subscription on.
pub struct Subscription {
    queue: Arc<Queue>,
}

/// What a subscriber is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something has happened.
    Event(Arc<Event>),
    /// So many events came here for which there was no room.
    Lost(u64),
}

struct Queue {
    interest: Interest,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    notices: VecDeque<Notice>,
    /// Nobody publishes or nobody listens any more.
    ended: bool,
}

impl Events {
    /// Publishes what `event` makes, which is made only if somebody wants it.
    pub(crate) fn publish(&self, interest: Interest, event: impl FnOnce() -> Event) {
        if self.wants(interest) {
            self.publish_wanted(interest, event());
        }
    }

    /// At least one subscriber wants such events.
    pub(crate) fn wants(&self, interest: Interest) -> bool {
        self.wanted.load(Ordering::Relaxed) & interest.bits() != 0
    }

    #[cold]
    fn publish_wanted(&self, interest: Interest, event: Event) {
        let event = Arc::new(event);
        let mut queues = self.queues();
        let before = queues.len();
        queues.retain(|queue| !queue.interest.meets(interest) || queue.push(&event));
        if queues.len() < before {
            self.count(&queues);
        }
    }

    pub(crate) fn subscribe(&self, interest: Interest) -> Subscription {
        let queue = Arc::new(Queue {
            interest,
            state: Mutex::default(),
            arrived: Notify::new(),
        });
        let mut queues = self.queues();
        queues.retain(|queue| !queue.state().ended);
        queues.push(queue.clone());
        self.count(&queues);
        Subscription { queue }
    }

    fn count(&self, queues: &[Arc<Queue>]) {
        let wanted = queues
            .iter()
            .fold(Interest::NONE, |all, queue| all | queue.interest);
        self.wanted.store(wanted.bits(), Ordering::Relaxed);
    }

    fn queues(&self) -> MutexGuard<'_, Vec<Arc<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        for queue in self.queues().drain(..) {
            queue.state().ended = true;
            queue.arrived.notify_one();
        }
    }
}

impl Queue {
    /// False if nobody listens any more.
    fn push(&self, event: &Arc<Event>) -> bool {
        let mut state = self.state();
        if state.ended {
            return false;
        }
        let is_full = state.notices.len() >= Subscription::CAPACITY;
        match state.notices.back_mut() {
            Some(Notice::Lost(lost)) if is_full => *lost += 1,
            _ if is_full => state.notices.push_back(Notice::Lost(1)),
            _ => state.notices.push_back(Notice::Event(event.clone())),
        }
        drop(state);
        self.arrived.notify_one();
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// Events that wait for one subscriber. A path has at most some 4 KiB, so that the
    /// slowest one keeps 16 MiB alive.
    pub const CAPACITY: usize = 4096;

    /// One that is told nothing.
    pub fn none() -> Self {
        Events::default().subscribe(Interest::NONE)
    }

    /// The next notice, if there is one.
    pub fn try_next(&mut self) -> Option<Notice> {
        self.queue.state().notices.pop_front()
    }

    /// Waits for the next notice; `None` once the server is no more. May be dropped
    /// anywhere: nothing is lost by that.
    pub async fn next(&mut self) -> Option<Notice> {
        loop {
            {
                let mut state = self.queue.state();
                if let Some(notice) = state.notices.pop_front() {
                    return Some(notice);
                }
                if state.ended {
                    return None;
                }
            }
            self.queue.arrived.notified().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.ended = true;
        state.notices = VecDeque::new();
    }
}

/// An event of this kind, now.
impl EventKind {
    pub(crate) fn at(self, time: FileTime) -> Event {
        Event { time, kind: self }
    }
}

#[cfg(test)]
mod tests;
