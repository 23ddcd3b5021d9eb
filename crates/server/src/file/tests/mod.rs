//! Scenarios, one for each rule, and a naive model under random schedules.

mod deletion;
mod leases;
mod model;
mod naming;
mod oplocks;
mod schedules;
mod sharing;
mod threads;

use std::collections::HashMap;
use std::time::Duration;

use smb::wire::{access_mask, share_access};

use super::caching::Caching;
use super::*;

const ALL: u32 = access_mask::FILE_ALL_ACCESS;
const READ: u32 = access_mask::FILE_READ_DATA;
const WRITE: u32 = access_mask::FILE_WRITE_DATA;
const DELETE: u32 = access_mask::DELETE;
const ATTRIBUTES: u32 = access_mask::FILE_READ_ATTRIBUTES;

const SHARE_ALL: u32 = share_access::FILE_SHARE_READ
    | share_access::FILE_SHARE_WRITE
    | share_access::FILE_SHARE_DELETE;

/// A CREATE: of everything, sharing everything, caching nothing, unless told otherwise.
#[derive(Clone, Copy)]
struct Create {
    name: &'static str,
    stream: Option<&'static str>,
    is_directory: bool,
    access: u32,
    share_access: u32,
    effect: CreateEffect,
    delete_on_close: bool,
    caching: CachingRequest,
    ticket: Option<Ticket>,
}

fn file(name: &'static str) -> Create {
    Create {
        name,
        stream: None,
        is_directory: false,
        access: ALL,
        share_access: SHARE_ALL,
        effect: CreateEffect::Opened,
        delete_on_close: false,
        caching: CachingRequest::None,
        ticket: None,
    }
}

fn directory(name: &'static str) -> Create {
    Create {
        is_directory: true,
        ..file(name)
    }
}

impl Create {
    fn stream(self, stream: &'static str) -> Self {
        Self {
            stream: Some(stream),
            ..self
        }
    }

    fn access(self, access: u32) -> Self {
        Self { access, ..self }
    }

    fn share(self, share_access: u32) -> Self {
        Self {
            share_access,
            ..self
        }
    }

    fn effect(self, effect: CreateEffect) -> Self {
        Self { effect, ..self }
    }

    fn overwrite(self) -> Self {
        self.effect(CreateEffect::Overwritten)
    }

    fn delete_on_close(self) -> Self {
        Self {
            delete_on_close: true,
            ..self
        }
    }

    fn oplock(self, level: OplockLevel) -> Self {
        let caching = CachingRequest::Oplock(level);
        Self { caching, ..self }
    }

    fn batch(self) -> Self {
        self.oplock(OplockLevel::Batch)
    }

    fn lease_request(self, request: LeaseRequest) -> Self {
        let caching = CachingRequest::Lease(request);
        Self { caching, ..self }
    }

    /// A lease of the first version, of the one client that most scenarios have.
    fn lease(self, key: u8, state: &str) -> Self {
        self.lease_request(lease_request(key, state))
    }

    /// A lease of the second version.
    fn lease_v2(self, key: u8, state: &str, epoch: u16) -> Self {
        self.lease_request(LeaseRequest {
            version: 2,
            epoch,
            ..lease_request(key, state)
        })
    }
}

fn lease_request(key: u8, state: &str) -> LeaseRequest {
    LeaseRequest {
        client_guid: CLIENT,
        lease_key: guid(key),
        parent_lease_key: None,
        state: state_bits(state),
        version: 1,
        epoch: 0,
    }
}

const CLIENT: Guid = Guid([0xC1; 16]);

fn guid(number: u8) -> Guid {
    Guid([number; 16])
}

fn state_bits(state: &str) -> u32 {
    let bit = |letter, bit: Caching| state.contains(letter).then_some(bit.lease_state());
    bit('R', Caching::READ).unwrap_or(0)
        | bit('W', Caching::WRITE).unwrap_or(0)
        | bit('H', Caching::HANDLE).unwrap_or(0)
}

fn state_text(state: u32) -> String {
    format!("{:?}", Caching::from_lease_state(state)).replace('"', "")
}

/// What came of a CREATE.
#[derive(Debug, PartialEq)]
enum Came {
    Granted(u32, GrantedCaching),
    Refused(NtStatus),
    Waits(Ticket),
}

impl Came {
    fn open(&self) -> u32 {
        match self {
            Self::Granted(open, _) => *open,
            other => panic!("not granted: {other:?}"),
        }
    }

    fn level(&self) -> OplockLevel {
        match self {
            Self::Granted(_, GrantedCaching::Oplock(level)) => *level,
            other => panic!("no oplock: {other:?}"),
        }
    }

    fn granted_lease(&self) -> GrantedLease {
        match self {
            Self::Granted(_, GrantedCaching::Lease(lease)) => *lease,
            other => panic!("no lease: {other:?}"),
        }
    }

    /// The lease state; with `!` while it breaks.
    fn state(&self) -> String {
        let lease = self.granted_lease();
        let breaking = if lease.break_in_progress { "!" } else { "" };
        format!("{}{breaking}", state_text(lease.state))
    }

    fn ticket(&self) -> Ticket {
        match self {
            Self::Waits(ticket) => *ticket,
            other => panic!("does not wait: {other:?}"),
        }
    }
}

/// A server with one clock, and everything that its clients see.
struct Bench {
    table: FileTable,
    now: Instant,
    /// Open files by OpenGlobalId.
    opens: HashMap<u32, Arc<File>>,
    inodes: HashMap<String, u64>,
    next: u32,
    effects: Effects,
    /// Where a ticket waits, and until when.
    waiting: HashMap<Ticket, (Arc<File>, Instant)>,
}

impl Bench {
    fn new() -> Self {
        Self {
            table: FileTable::default(),
            now: Instant::now(),
            opens: HashMap::new(),
            inodes: HashMap::new(),
            next: 0,
            effects: Effects::default(),
            waiting: HashMap::new(),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    fn identity(&mut self, name: &str) -> FileIdentity {
        let next = self.inodes.len() as u64 + 1;
        let inode = *self.inodes.entry(name.to_owned()).or_insert(next);
        FileIdentity {
            store: 0,
            key: FileKey { device: 1, inode },
            stream: None,
        }
    }

    fn create(&mut self, create: Create) -> Came {
        let mut identity = self.identity(create.name);
        identity.stream = create.stream.map(Into::into);
        self.create_as(&identity, create)
    }

    /// By the name of `create`, but of the file that has this identity.
    fn create_as(&mut self, identity: &FileIdentity, create: Create) -> Came {
        self.next += 1;
        let open = self.next;
        let outcome = self.table.open(
            &OpenRequest {
                identity,
                open,
                name: &name(create.name),
                is_directory: create.is_directory,
                access: create.access,
                share_access: create.share_access,
                effect: create.effect,
                delete_on_close: create.delete_on_close,
                caching: create.caching,
                ticket: create.ticket.unwrap_or(Ticket(open.into())),
                again: create.ticket.is_some(),
            },
            self.now,
            &mut self.effects,
        );
        match outcome {
            OpenOutcome::Granted { file, caching } => {
                self.opens.insert(open, file);
                Came::Granted(open, caching)
            }
            OpenOutcome::Refused(status) => Came::Refused(status),
            OpenOutcome::Wait { file, until } => {
                let ticket = create.ticket.unwrap_or(Ticket(open.into()));
                self.waiting.insert(ticket, (file, until));
                Came::Waits(ticket)
            }
        }
    }

    /// The same CREATE once more, after it had waited.
    fn again(&mut self, create: Create, waited: &Came) -> Came {
        self.create(Create {
            ticket: Some(waited.ticket()),
            ..create
        })
    }

    fn close(&mut self, open: u32) -> Closed {
        let file = self.opens.remove(&open).expect("an open");
        self.table.close(&file, open, self.now, &mut self.effects)
    }

    fn file(&self, open: u32) -> &Arc<File> {
        &self.opens[&open]
    }

    fn write(&mut self, open: u32) {
        self.opens[&open].contend(open, self.now, &mut self.effects);
    }

    fn acknowledge_oplock(&mut self, open: u32, level: u8) -> Result<OplockLevel, NtStatus> {
        let file = &self.opens[&open];
        file.acknowledge_oplock(open, level, self.now, &mut self.effects)
    }

    fn acknowledge(&mut self, key: u8, state: &str) -> Result<String, NtStatus> {
        let kept = state_bits(state);
        let effects = &mut self.effects;
        let table = &self.table;
        let kept = table.acknowledge_lease(CLIENT, guid(key), kept, self.now, effects);
        kept.map(state_text)
    }

    /// Before a rename or a deletion through `open`: the ticket if it has to wait.
    fn break_handles(&mut self, open: u32) -> Option<Ticket> {
        let ticket = Ticket(1_000_000 + u64::from(open));
        let file = &self.opens[&open];
        match file.break_handle_caching(open, ticket, self.now, &mut self.effects) {
            Turn::Now => None,
            Turn::Wait { .. } => Some(ticket),
        }
    }

    /// The notifications since the last call, as text.
    fn breaks(&mut self) -> Vec<String> {
        let breaks = std::mem::take(&mut self.effects.breaks);
        let text = breaks.iter().map(|one| match one {
            Break::Oplock { open, level } => {
                format!("open {open} to {:?}", OplockLevel::from_wire(*level))
            }
            Break::Lease {
                lease_key,
                acknowledge,
                current_state,
                new_state,
                ..
            } => format!(
                "lease {} {}>{}{}",
                lease_key.0[0],
                state_text(*current_state),
                state_text(*new_state),
                if *acknowledge { "" } else { ", no answer" }
            ),
        });
        text.collect()
    }

    fn ready(&mut self) -> Vec<Ticket> {
        let mut ready = std::mem::take(&mut self.effects.ready);
        ready.sort_by_key(|ticket| ticket.0);
        ready
    }

    /// Closes everything; nothing may be left in any table.
    fn end(mut self) {
        let mut opens: Vec<u32> = self.opens.keys().copied().collect();
        opens.sort_unstable();
        for open in opens {
            let mut closed = self.close(open).unlink;
            while let Some(Unlink::File(file) | Unlink::Stream(file)) = closed {
                closed = self.table.removed(&file);
            }
        }
        for shard in &self.table.files {
            assert!(shard.lock().unwrap().is_empty());
        }
        for shard in &self.table.leases {
            assert!(shard.lock().unwrap().is_empty());
        }
        assert_eq!(self.table.names().len(), 0);
        assert_eq!(self.table.directory_leases.load(Ordering::SeqCst), 0);
    }
}

fn name(path: &str) -> FileName {
    let path = crate::share::SharePath::parse(&path.replace('/', "\\")).expect("a path");
    FileName::new("/srv/share", &path)
}
