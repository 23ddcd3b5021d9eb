//! The part of a connection that others may touch: what they have for its client, and what
//! they know of its waiting requests. The connection's own task looks into it when it is
//! woken; nobody else writes to the stream.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use smb::Guid;
use tokio::sync::Notify;

use crate::announcement::Announcement;
use crate::outcome::Outcome;
use crate::ticket::Ticket;

/// Connection, as seen by others.
pub(crate) struct Outbox {
    /// Number of the connection: unique while it lives. The upper half of its tickets.
    pub(crate) number: u32,
    /// Connection.ClientName: printed address, IPv6 in brackets ([MS-SMB2] 3.3.5.1).
    pub(crate) client_name: Arc<str>,
    /// Connection.TransportName.
    pub(crate) transport_name: &'static str,
    inbox: Mutex<Inbox>,
    /// Something is in the inbox.
    has_arrived: AtomicBool,
    notify: Notify,
    /// Whose leases may be broken through this connection.
    lease_client: OnceLock<Guid>,
}

#[derive(Default)]
struct Inbox {
    /// Finished frames with their length prefixes.
    frames: Vec<u8>,
    resumed: Vec<(Ticket, Outcome)>,
    /// Breaks of opens whose CREATE has not been answered yet.
    held: Vec<(u32, Vec<u8>)>,
    /// The connection has ended: nobody will look.
    closed: bool,
}

/// What had come in since the last look.
pub(crate) struct Arrived {
    /// Requests that go on.
    pub(crate) resumed: Vec<(Ticket, Outcome)>,
    /// Frames to be sent, behind the answers of `resumed`.
    pub(crate) frames: Vec<u8>,
}

impl Outbox {
    pub(crate) fn new(number: u32, client_name: Arc<str>, transport_name: &'static str) -> Self {
        Self {
            number,
            client_name,
            transport_name,
            inbox: Mutex::default(),
            has_arrived: AtomicBool::new(false),
            lease_client: OnceLock::new(),
            notify: Notify::new(),
        }
    }

    /// Puts a notification of a break (a frame with its length prefix) into the way to the
    /// client. It never overtakes the CREATE response that tells the client of its open.
    pub(crate) fn send_break(&self, open: &Announcement, frame: &[u8]) {
        let mut inbox = self.inbox();
        if inbox.closed {
            return;
        }
        if open.is_announced() {
            inbox.frames.extend_from_slice(frame);
            self.has_arrived.store(true, Ordering::Release);
        } else {
            inbox.held.push((open.id, frame.to_vec()));
        }
        drop(inbox);
        self.notify.notify_one();
    }

    /// The response that tells the client of this open is on its way.
    pub(crate) fn announce(&self, open: &Announcement) {
        let mut inbox = self.inbox();
        open.set_announced();
        if inbox.held.is_empty() {
            return;
        }
        self.has_arrived.store(true, Ordering::Release);
        let Inbox { frames, held, .. } = &mut *inbox;
        for (_, frame) in held.extract_if(.., |(id, _)| *id == open.id) {
            frames.extend_from_slice(&frame);
        }
        if held.is_empty() {
            *held = Vec::new();
        }
    }

    /// Lets a waiting request go on.
    pub(crate) fn resume(&self, ticket: Ticket, outcome: Outcome) {
        let mut inbox = self.inbox();
        if inbox.closed {
            // It may hold a session, and through it this outbox.
            drop(inbox);
            return;
        }
        inbox.resumed.push((ticket, outcome));
        self.has_arrived.store(true, Ordering::Release);
        drop(inbox);
        self.notify.notify_one();
    }

    /// The connection has ended. What is still here, and what comes, is dropped.
    pub(crate) fn close(&self) {
        let left = std::mem::replace(
            &mut *self.inbox(),
            Inbox {
                closed: true,
                ..Inbox::default()
            },
        );
        drop(left);
    }

    /// Makes the connection look at its sessions.
    pub(crate) fn wake(&self) {
        self.notify.notify_one();
    }

    /// Waits until somebody has something.
    pub(crate) async fn notified(&self) {
        self.notify.notified().await;
    }

    /// Has something come in since the last look?
    pub(crate) fn has_arrived(&self) -> bool {
        self.has_arrived.load(Ordering::Acquire)
    }

    pub(crate) fn take(&self) -> Option<Arrived> {
        if !self.has_arrived() {
            return None;
        }
        let mut inbox = self.inbox();
        self.has_arrived.store(false, Ordering::Release);
        Some(Arrived {
            resumed: std::mem::take(&mut inbox.resumed),
            frames: std::mem::take(&mut inbox.frames),
        })
    }

    /// The client of this connection has a lease.
    pub(crate) fn set_lease_client(&self, client_guid: Guid) {
        let _ = self.lease_client.set(client_guid);
    }

    pub(crate) fn lease_client(&self) -> Option<Guid> {
        self.lease_client.get().copied()
    }

    /// As [`Outbox::send_break`], for a break that tells of no single open.
    pub(crate) fn send(&self, frame: &[u8]) {
        let mut inbox = self.inbox();
        if inbox.closed {
            return;
        }
        inbox.frames.extend_from_slice(frame);
        self.has_arrived.store(true, Ordering::Release);
        drop(inbox);
        self.notify.notify_one();
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
