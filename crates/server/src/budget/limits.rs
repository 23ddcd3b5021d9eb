//! How much each session, user and address may hold, and all together.

use std::ops::{Index, IndexMut};

use super::{Cost, Machine, Resource};

/// A part of a whole, as a fraction.
#[derive(Clone, Copy)]
struct Part(u64, u64);

impl Part {
    const fn of(self, whole: u32) -> u32 {
        // At most the whole: every fraction here is below 1.
        (whole as u64 * self.0 / self.1) as u32
    }
}

/// A server needs some descriptors whatever the limit of the process says.
const LEAST_DESCRIPTORS: u64 = 256;
/// More are of no use, and their numbers would not fit the counts.
const MOST_DESCRIPTORS: u64 = 1 << 20;
/// For the service itself: listeners, accounts, roots of shares, and the directories that a
/// thread has open for a moment while it resolves a path.
const OWN_DESCRIPTORS: Part = Part(1, 16);
/// For callers on the server's machine: 1,000 of 20,000, as many as the local socket takes.
const LOCAL_DESCRIPTORS: Part = Part(1, 20);
/// For administrators only: of descriptors, of connections and of memory.
const RESERVE: Part = Part(1, 16);
/// Connections: 16,000 of 20,000. The other descriptors are for files.
const CONNECTIONS: Part = Part(4, 5);

/// Memory that peers may take: other programs and the cache of files need the rest.
const BYTES_OF_MEMORY: Part = Part(1, 4);
/// Less serves nobody: a user needs 16 MiB for one request of 8 MiB and its answer.
const LEAST_BYTES: u64 = 96 << 20;
/// More is only ever asked for by an attack: 100,000 idle sessions on a few connections take
/// 120 MiB. A user at his limit then holds 180 MiB.
pub(super) const MOST_BYTES: u64 = 768 << 20;

/// Of descriptors and connections for one user. Many servers have a single service account
/// that everything goes through; what is left serves others, and administrators have more.
const USER_DESCRIPTORS: Part = Part(3, 4);
/// Of memory, and of what is bounded by memory, for one user.
const USER_BYTES: Part = Part(1, 4);
/// Of descriptors and connections for one address: a terminal server or a network behind one
/// address.
const ADDRESS_DESCRIPTORS: Part = Part(1, 2);
/// Of memory, and of what is bounded by memory, for one address.
const ADDRESS_BYTES: Part = Part(1, 4);
/// Of half-done logons for one address.
const ADDRESS_LOGONS: Part = Part(1, 16);
/// Of a user's memory for one session, but at least [`ONE_REQUEST`].
const SESSION_BYTES: Part = Part(1, 2);
/// A request of 8 MiB and its answer, with what is around them.
const ONE_REQUEST: u32 = 17 << 20;

/// Windows' default.
const SESSION_OPENS: u32 = 16_384;
/// More than databases take: the largest that are known of hold tens of thousands.
const SESSION_LOCKS: u32 = 131_072;
/// A file manager watches what it shows; a synchronising client, each directory it copies.
const SESSION_WATCHERS: u32 = 16_384;
/// As many as the credits that clients ask for, and each watcher is one.
const SESSION_PENDING_REQUESTS: u32 = 24_576;
/// Half-done logons of the whole server: 64 MiB, unless memory is short.
const MOST_LOGONS: u32 = 16_384;
/// The part of all memory that half-done logons may take.
const LOGONS_OF_BYTES: Part = Part(1, 8);

/// A number for each resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amounts([u32; Resource::COUNT]);

impl Amounts {
    /// Bounds nothing.
    const ENDLESS: Self = Self([u32::MAX; Resource::COUNT]);

    fn each(number: impl Fn(Resource) -> u32) -> Self {
        Self(Resource::ALL.map(number))
    }
}

impl Index<Resource> for Amounts {
    type Output = u32;

    fn index(&self, resource: Resource) -> &u32 {
        &self.0[resource as usize]
    }
}

impl IndexMut<Resource> for Amounts {
    fn index_mut(&mut self, resource: Resource) -> &mut u32 {
        &mut self.0[resource as usize]
    }
}

/// Two limits: what ordinary users may fill, and what administrators and those who have not
/// logged on yet may fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) general: Amounts,
    /// Never below `general`.
    pub(crate) hard: Amounts,
}

impl Bound {
    pub(super) fn amounts(&self, hard: bool) -> &Amounts {
        if hard { &self.hard } else { &self.general }
    }
}

/// The limits of every session, every user, every address and the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) session: Amounts,
    pub(crate) user: Amounts,
    pub(crate) address: Bound,
    pub(crate) server: Bound,
    /// Descriptors kept back for the local socket: its callers are not counted here.
    pub(crate) local_descriptors: u32,
}

impl Limits {
    /// Limits for this process on this machine, as they are now, unless the configuration
    /// says less or more. The limit of descriptors should have been raised before.
    pub(crate) fn of_this_machine(descriptors: Option<u64>) -> Self {
        let machine = Machine::read();
        Self::derive(
            descriptors.unwrap_or(machine.descriptors),
            machine.memory_bytes,
        )
    }

    /// Limits for a process that may have `descriptors` open, on a machine or in a control
    /// group with so many bytes of memory.
    pub(crate) fn derive(descriptors: u64, memory_bytes: u64) -> Self {
        let descriptors = descriptors.clamp(LEAST_DESCRIPTORS, MOST_DESCRIPTORS) as u32;
        // Fractions are of numbers that fit; more memory than the most changes nothing.
        let memory = memory_bytes.min(u32::MAX.into()) as u32;
        let memory = u64::from(BYTES_OF_MEMORY.of(memory)).clamp(LEAST_BYTES, MOST_BYTES) as u32;
        let local_descriptors = LOCAL_DESCRIPTORS.of(descriptors);
        let for_peers = descriptors - OWN_DESCRIPTORS.of(descriptors) - local_descriptors;
        Self::of_whole(
            for_peers,
            CONNECTIONS.of(descriptors),
            memory,
            local_descriptors,
        )
    }

    /// As configured: fewer connections than the descriptors would do for, never more, because
    /// files need some too.
    pub(crate) fn with_connections(&self, connections: u32) -> Self {
        let hard = &self.server.hard;
        let limits = Self::of_whole(
            hard[Resource::Descriptors],
            connections.clamp(1, hard[Resource::Connections]),
            hard[Resource::Bytes],
            self.local_descriptors,
        );
        limits.with_opens_per_session(self.session[Resource::Opens])
    }

    /// As configured: so much memory for all peers together.
    pub(crate) fn with_memory(&self, bytes: u32) -> Self {
        let hard = &self.server.hard;
        let limits = Self::of_whole(
            hard[Resource::Descriptors],
            hard[Resource::Connections],
            bytes.clamp(LEAST_BYTES as u32, MOST_BYTES as u32),
            self.local_descriptors,
        );
        limits.with_opens_per_session(self.session[Resource::Opens])
    }

    /// As configured.
    pub(crate) fn with_opens_per_session(mut self, opens: u32) -> Self {
        self.session[Resource::Opens] = opens;
        self
    }

    pub(super) fn of_whole(
        descriptors: u32,
        connections: u32,
        bytes: u32,
        local_descriptors: u32,
    ) -> Self {
        let hard = Amounts::each(|resource| match resource {
            Resource::Descriptors => descriptors,
            Resource::Connections => connections,
            Resource::Bytes => bytes,
            Resource::Logons => MOST_LOGONS.min(LOGONS_OF_BYTES.of(bytes) / Cost::LOGON.bytes),
            Resource::Opens => bytes / Cost::PIPE.bytes,
            Resource::Locks => bytes / Cost::LOCK.bytes,
            Resource::Watchers => bytes / Cost::WATCHER.bytes,
            Resource::PendingRequests => bytes / Cost::PENDING_REQUEST.bytes,
        });
        let general = Amounts::each(|resource| match resource {
            // The oldest give way, whoever they are.
            Resource::Logons => hard[resource],
            _ => hard[resource] - RESERVE.of(hard[resource]),
        });
        let user = Amounts::each(|resource| {
            match resource {
                Resource::Descriptors | Resource::Connections => USER_DESCRIPTORS,
                _ => USER_BYTES,
            }
            .of(general[resource])
        });
        Self {
            session: session(&user),
            user,
            address: address(&general),
            server: Bound { general, hard },
            local_descriptors,
        }
    }
}

fn address(server: &Amounts) -> Bound {
    let general = Amounts::each(|resource| {
        let part = match resource {
            Resource::Descriptors | Resource::Connections => ADDRESS_DESCRIPTORS,
            Resource::Logons => ADDRESS_LOGONS,
            _ => ADDRESS_BYTES,
        };
        part.of(server[resource]).max(1)
    });
    // So that an administrator comes in from where an ordinary user fills his address.
    let hard = Amounts::each(|resource| match resource {
        Resource::Logons => general[resource],
        _ => general[resource] + RESERVE.of(server[resource]),
    });
    Bound { general, hard }
}

fn session(user: &Amounts) -> Amounts {
    let mut session = Amounts::ENDLESS;
    session[Resource::Opens] = SESSION_OPENS;
    session[Resource::Locks] = SESSION_LOCKS;
    session[Resource::Watchers] = SESSION_WATCHERS;
    session[Resource::PendingRequests] = SESSION_PENDING_REQUESTS;
    let bytes = user[Resource::Bytes];
    session[Resource::Bytes] = SESSION_BYTES.of(bytes).max(ONE_REQUEST.min(bytes));
    session
}
