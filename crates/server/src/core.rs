//! The server behind its connections: what they share, and how they reach each other.

mod application;
mod closing;
mod deletion;

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::Instant;

use smb::Guid;
use smb::auth::AcceptorConfig;
use tokio::runtime::Handle;
use tokio::sync::watch;

use deletion::Marks;

use crate::ServerConfig;
use crate::application::{EventKind, Events, Interest};
use crate::break_notification::break_notification;
use crate::budget::{self, Budget};
use crate::file::watch::{Notifier, Ready};
use crate::file::{Break, Effects, File, FileTable};
use crate::open::{FileOpen, GlobalOpenTable, Open};
use crate::outbox::Outbox;
use crate::outcome::Outcome;
use crate::pipe::PipeService;
use crate::session::GlobalSessionTable;
use crate::share::ShareList;
use crate::ticket::Ticket;

/// Everything that connections and administration share.
pub(crate) struct Core {
    pub(crate) config: ServerConfig,
    pub(crate) server_guid: Guid,
    /// What logons say of this server.
    pub(crate) acceptor: Arc<AcceptorConfig>,
    pub(crate) sessions: GlobalSessionTable,
    pub(crate) opens: GlobalOpenTable,
    pub(crate) files: FileTable,
    marks: Marks,
    pub(crate) notifier: Notifier,
    pub(crate) budget: Budget,
    pub(crate) shares: ShareList,
    pub(crate) pipes: RwLock<HashMap<Box<str>, Arc<dyn PipeService>>>,
    pub(crate) next_tree_connect: AtomicU32,
    pub(crate) connections: AtomicUsize,
    pub(crate) addresses: Mutex<Vec<SocketAddr>>,
    pub(crate) stop: watch::Sender<bool>,
    events: Events,
    /// Itself, for what goes on behind a call.
    this: Weak<Self>,
    outboxes: Mutex<Outboxes>,
    /// Opens that [`FileTable::open`] knows and `opens` does not yet, with their breaks.
    beginning: Mutex<HashMap<u32, Vec<Break>>>,
    /// Whose threads may wait for a store.
    pool: OnceLock<Handle>,
}

/// The connections that live, by number.
#[derive(Default)]
struct Outboxes {
    next: u32,
    by_number: HashMap<u32, Arc<Outbox>>,
    /// The connections of each client that has leases, by ClientGuid.
    lease_clients: HashMap<Guid, BTreeSet<u32>>,
}

impl Core {
    pub(crate) fn new(
        config: ServerConfig,
        server_guid: Guid,
        acceptor: AcceptorConfig,
        shares: ShareList,
    ) -> Arc<Self> {
        let limits = budget::Limits::of_this_machine(config.limits.descriptors);
        let connections = u32::try_from(config.limits.connections).unwrap_or(u32::MAX);
        let opens = u32::try_from(config.limits.opens_per_session).unwrap_or(u32::MAX);
        let limits = limits
            .with_connections(connections)
            .with_opens_per_session(opens);
        let limits = match config.limits.memory {
            Some(bytes) => limits.with_memory(bytes),
            None => limits,
        };
        let budget = Budget::new(limits);
        Arc::new_cyclic(|this: &Weak<Self>| {
            let core = this.clone();
            let notifier = Notifier::new(move |ready: Ready| {
                if let Some(core) = core.upgrade() {
                    for (ticket, answer) in ready {
                        core.resume(ticket, Outcome::changed(&answer));
                    }
                }
            });
            Self {
                config,
                server_guid,
                acceptor: Arc::new(acceptor),
                sessions: GlobalSessionTable::default(),
                opens: GlobalOpenTable::default(),
                files: FileTable::default(),
                marks: Marks::default(),
                notifier,
                budget,
                shares,
                pipes: RwLock::default(),
                next_tree_connect: AtomicU32::new(0),
                connections: AtomicUsize::new(0),
                addresses: Mutex::default(),
                stop: watch::Sender::new(false),
                events: Events::default(),
                this: this.clone(),
                outboxes: Mutex::default(),
                beginning: Mutex::default(),
                pool: OnceLock::new(),
            }
        })
    }

    /// A connection begins.
    pub(crate) fn connect(&self, client_name: Arc<str>, transport: &'static str) -> Arc<Outbox> {
        let mut outboxes = self.outboxes();
        loop {
            outboxes.next = outboxes.next.wrapping_add(1);
            let number = outboxes.next;
            // 0 and all ones are no AsyncIds that clients like.
            if number != 0 && number != u32::MAX && !outboxes.by_number.contains_key(&number) {
                let outbox = Arc::new(Outbox::new(number, client_name, transport));
                outboxes.by_number.insert(number, outbox.clone());
                return outbox;
            }
        }
    }

    /// A connection has ended: nothing waits on it any more.
    pub(crate) fn disconnect(&self, outbox: &Outbox) {
        outbox.close();
        let mut outboxes = self.outboxes();
        outboxes.by_number.remove(&outbox.number);
        if let Some(client_guid) = outbox.lease_client()
            && let Some(numbers) = outboxes.lease_clients.get_mut(&client_guid)
        {
            numbers.remove(&outbox.number);
            if numbers.is_empty() {
                outboxes.lease_clients.remove(&client_guid);
            }
        }
        if outboxes.by_number.is_empty() {
            outboxes.by_number = HashMap::new();
        }
    }

    /// A client has been granted a lease over this connection.
    pub(crate) fn add_lease_client(&self, client_guid: Guid, connection: u32) {
        let mut outboxes = self.outboxes();
        let Some(outbox) = outboxes.by_number.get(&connection) else {
            return;
        };
        if outbox.lease_client().is_none() {
            outbox.set_lease_client(client_guid);
            let numbers = outboxes.lease_clients.entry(client_guid).or_default();
            numbers.insert(connection);
        }
    }

    /// The oldest connection of a client that has leases: breaks of its leases are sent there
    /// ([MS-SMB2] 3.3.4.7 leaves the choice; Windows takes it as well).
    fn lease_connection(&self, client_guid: Guid) -> Option<Arc<Outbox>> {
        let outboxes = self.outboxes();
        let number = outboxes.lease_clients.get(&client_guid)?.first()?;
        outboxes.by_number.get(number).cloned()
    }

    /// Lets a waiting request go on, whichever connection it is of.
    pub(crate) fn resume(&self, ticket: Ticket, outcome: Outcome) {
        if let Some(outbox) = self.outbox(ticket.connection()) {
            outbox.resume(ticket, outcome);
        }
    }

    /// The connection of this number, if it lives.
    fn outbox(&self, number: u32) -> Option<Arc<Outbox>> {
        self.outboxes().by_number.get(&number).cloned()
    }

    fn outboxes(&self) -> MutexGuard<'_, Outboxes> {
        self.outboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on work that may wait runs on the threads of this runtime.
    pub(crate) fn use_pool(&self, pool: Handle) {
        let _ = self.pool.set(pool);
    }

    /// Runs work that may wait for a store on a thread that may.
    pub(crate) fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        match self
            .pool
            .get()
            .cloned()
            .or_else(|| Handle::try_current().ok())
        {
            Some(pool) => drop(pool.spawn_blocking(work)),
            // Outside of every runtime nobody else is held up.
            None => work(),
        }
    }

    /// Tells subscribers, if there are any, what `event` makes.
    pub(crate) fn tell(&self, interest: Interest, event: impl FnOnce() -> EventKind) {
        self.events
            .publish(interest, || event().at(self.config.clock.now()));
    }

    /// Somebody wants to be told of such events.
    pub(crate) fn wants(&self, interest: Interest) -> bool {
        self.events.wants(interest)
    }

    /// The time as breaks and waits count it.
    pub(crate) fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    /// From now on until [`Core::insert`] or [`Core::give_up`], breaks of this open are kept.
    pub(crate) fn begin_open(&self, open: u32) {
        self.beginning().insert(open, Vec::new());
    }

    /// The open has come to nothing.
    pub(crate) fn give_up(&self, open: u32) {
        self.beginning().remove(&open);
    }

    /// The open is there.
    pub(crate) fn insert(&self, open: Arc<Open>) {
        let mut beginning = self.beginning();
        self.opens.insert(open.clone());
        let Some(breaks) = beginning.remove(&open.id) else {
            return;
        };
        drop(beginning);
        for notice in breaks {
            self.send_break(&notice, &open);
        }
    }

    /// Does what a call of the table of files has made necessary.
    pub(crate) fn carry_out(&self, effects: Effects) {
        for notice in effects.breaks {
            let (Break::Oplock { open, .. } | Break::Lease { open, .. }) = notice;
            let found = match self.opens.get(open) {
                Some(open) => Some(open),
                None => {
                    let mut beginning = self.beginning();
                    if let Some(breaks) = beginning.get_mut(&open) {
                        breaks.push(notice);
                        continue;
                    }
                    // It may have come between the two looks; or it has been closed.
                    self.opens.get(open)
                }
            };
            if let Some(open) = found {
                self.send_break(&notice, &open);
            }
        }
        for ticket in effects.ready {
            self.resume(ticket, Outcome::Retry);
        }
    }

    /// A request that waits for a break of this file has reached its time.
    pub(crate) fn time_out(&self, file: &File) {
        let mut effects = Effects::default();
        file.timeout(self.instant(), &mut effects);
        self.carry_out(effects);
    }

    /// An open has changed data that others may have cached.
    pub(crate) fn contend(&self, open: &Open, file: &FileOpen) {
        if file.file.may_break_read_caching() {
            let mut effects = Effects::default();
            file.file.contend(open.id, self.instant(), &mut effects);
            self.carry_out(effects);
        }
    }

    /// These requests waited for a lock and hold it now.
    pub(crate) fn locks_granted(&self, tickets: &[Ticket]) {
        for ticket in tickets {
            self.resume(*ticket, Outcome::lock_granted());
        }
    }

    fn beginning(&self) -> MutexGuard<'_, HashMap<u32, Vec<Break>>> {
        self.beginning
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn send_break(&self, notice: &Break, open: &Open) {
        let frame = break_notification(notice, open);
        if let Break::Lease { client_guid, .. } = notice
            && open.announcement.is_announced()
            && let Some(outbox) = self.lease_connection(*client_guid)
        {
            outbox.send(&frame);
        } else if let Some(outbox) = self.outbox(open.owner.connection) {
            outbox.send_break(&open.announcement, &frame);
        }
    }
}
