//! What peers may make the server hold: who holds how much, and who is refused more.
//!
//! Whatever a peer can make grow is a [`Charge`]: taken before the thing is made, kept beside
//! it, and returned when both are dropped, even if that is after its session has ended. A
//! charge counts at once for the session, its user, its client address and the server. What
//! one of them refuses is taken from none of them.
//!
//! | Before a logon | After it |
//! |---|---|
//! | [`Budget::connection`] counts for the address and the server | [`Budget::session`]; the connection itself counts for the user too |
//! | [`Budget::begin_logon`]: the oldest half-done logon gives way to a new one | [`SessionAccount::charge`] |
//!
//! An ordinary user is refused when the server has reached its general limit, an administrator
//! at the hard one. Nobody knows who a connection will log on as, so a connection may come in
//! above the general limit too. It is then [`ConnectionAccount::is_in_reserve`]: only an
//! administrator can log on there.
//!
//! A charge and its return are a few atomic operations: no lock, no allocation. Locks are taken
//! where a connection, a session or a logon begins or ends.

mod account;
mod limits;
mod logons;
mod machine;
mod usage;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use smb::NtStatus;

use account::{Account, Holder};
pub(crate) use account::{Charge, Held};
pub(crate) use limits::Limits;
pub(crate) use logons::HalfLogon;
use logons::HalfLogons;
use machine::Machine;
pub use usage::Usage;

/// What can run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// File descriptors: of connections, open files, directories.
    Descriptors,
    /// Opens: of files, directories, pipes.
    Opens,
    /// Byte-range locks, granted or waited for.
    Locks,
    /// Directories watched for changes.
    Watchers,
    /// Requests that wait with an AsyncId.
    PendingRequests,
    /// Bytes of memory, those of all the others included.
    Bytes,
    /// TCP connections.
    Connections,
    /// Logons begun and not finished.
    Logons,
}

impl Resource {
    pub(crate) const COUNT: usize = 8;

    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Descriptors,
        Self::Opens,
        Self::Locks,
        Self::Watchers,
        Self::PendingRequests,
        Self::Bytes,
        Self::Connections,
        Self::Logons,
    ];
}

/// Who has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Session,
    User,
    Address,
    Server,
}

/// A limit was reached. To a client it is INSUFFICIENT_RESOURCES.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit of the {level:?} on {resource:?} is reached")]
pub(crate) struct Refused {
    /// Whose limit.
    pub(crate) level: Level,
    /// On what.
    pub(crate) resource: Resource,
}

impl From<Refused> for NtStatus {
    fn from(_: Refused) -> Self {
        Self::INSUFFICIENT_RESOURCES
    }
}

/// What one thing costs: some of one resource, and the descriptors and memory behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Memory, in bytes.
    pub(crate) bytes: u32,
    /// How many of `resource`; may be 0.
    pub(crate) count: u32,
    /// Of these, [`Resource::Descriptors`].
    pub(crate) descriptors: u16,
    /// What the thing is. Neither Bytes nor Descriptors, unless `count` is 0.
    pub(crate) resource: Resource,
}

impl Cost {
    /// A connection that does nothing: its task, its state, its client's name, the socket.
    pub(crate) const CONNECTION: Self = Self::one(Resource::Connections, 1, 1_280);
    /// A session that does nothing: its keys and its entries in the tables.
    pub(crate) const SESSION: Self = Self::bytes(1_152);
    /// A half-done logon: its acceptor, and the messages that its proof covers, two of them
    /// with up to 2 KiB.
    pub(crate) const LOGON: Self = Self::one(Resource::Logons, 0, 2 * 2_048 + 768);
    /// What stays of a half-done logon that had to give way, until its connection looks.
    pub(crate) const LOGON_SLOT: Self = Self::bytes(192);
    /// An open file or directory: its state, its path, its entry in the table of files.
    pub(crate) const FILE: Self = Self::one(Resource::Opens, 1, 1_024);
    /// An open pipe, with nothing in it.
    pub(crate) const PIPE: Self = Self::one(Resource::Opens, 0, 1_024);
    /// A byte-range lock.
    pub(crate) const LOCK: Self = Self::one(Resource::Locks, 0, 128);
    /// A watched directory, with no change kept for it.
    pub(crate) const WATCHER: Self = Self::one(Resource::Watchers, 0, 512);
    /// A request that waits, without the rest of its compound.
    pub(crate) const PENDING_REQUEST: Self = Self::one(Resource::PendingRequests, 0, 512);

    /// Memory alone: the names of a listing, part of a frame or of a pipe's request, an
    /// answer that has not been taken, buffered notifications.
    pub(crate) const fn bytes(bytes: u32) -> Self {
        Self {
            bytes,
            count: 0,
            descriptors: 0,
            resource: Resource::Bytes,
        }
    }

    const fn one(resource: Resource, descriptors: u16, bytes: u32) -> Self {
        Self {
            bytes,
            count: 1,
            descriptors,
            resource,
        }
    }

    /// So many of them, for things that are granted together, like the locks of one request.
    #[cfg(test)]
    pub(crate) fn times(self, number: u32) -> Self {
        Self {
            bytes: self.bytes.saturating_mul(number),
            count: self.count.saturating_mul(number),
            descriptors: u16::try_from(u32::from(self.descriptors).saturating_mul(number))
                .unwrap_or(u16::MAX),
            resource: self.resource,
        }
    }

    /// With memory beside it.
    pub(crate) fn and_bytes(self, bytes: u32) -> Self {
        Self {
            bytes: self.bytes.saturating_add(bytes),
            ..self
        }
    }

    fn parts(self) -> [(Resource, u32); 3] {
        [
            (self.resource, self.count),
            (Resource::Descriptors, self.descriptors.into()),
            (Resource::Bytes, self.bytes),
        ]
    }
}

/// Everything that peers hold of this server.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Server>);

/// The server's own account, and the way to those of users and addresses.
struct Server {
    limits: Limits,
    held: Held,
    /// Users and addresses of which something lives.
    accounts: Mutex<HashMap<Holder, Weak<Account>>>,
    logons: HalfLogons,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Server {
            limits,
            held: Held::default(),
            accounts: Mutex::default(),
            logons: HalfLogons::default(),
        }))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What all peers hold together.
    pub(crate) fn held(&self, resource: Resource) -> u32 {
        self.0.held.get(resource)
    }

    /// A connection from this address; refused if the address or the server has no place.
    pub(crate) fn connection(&self, address: IpAddr) -> Result<ConnectionAccount, Refused> {
        let account = self.account(Holder::Address(place(address)));
        let (charge, is_in_reserve) = match account.charge_as(Cost::CONNECTION, false) {
            Ok(charge) => (charge, false),
            Err(_) => (account.charge_as(Cost::CONNECTION, true)?, true),
        };
        Ok(ConnectionAccount {
            of_address: charge,
            of_user: None,
            last_session: None,
            is_in_reserve,
        })
    }

    /// A session of `user` on this connection. `user` is the name that tells users apart,
    /// with its domain if names of several are known. For an administrator
    /// ([`is_administrator`]) the hard limits hold.
    ///
    /// Refused if the user or the server has no place, or if the connection came in above the
    /// general limit and this is no administrator; then the connection is to be dropped.
    pub(crate) fn session(
        &self,
        connection: &mut ConnectionAccount,
        user: &str,
        is_administrator: bool,
    ) -> Result<SessionAccount, Refused> {
        if connection.is_in_reserve && !is_administrator {
            self.leave_reserve(connection)?;
        }
        let user = self.account(Holder::User(user.into()));
        if connection.of_user.is_none() {
            connection.of_user = Some(user.charge_as(Cost::CONNECTION, is_administrator)?);
        }
        let address = connection.of_address.account().clone();
        let session = Account::session(self.0.clone(), user, address, is_administrator);
        let charge = session.charge(Cost::SESSION)?;
        connection.last_session = Some(session);
        Ok(SessionAccount(charge))
    }

    /// A half-done logon on this connection, with its state.
    ///
    /// If the address or the server has too many, the oldest of that address or server gives
    /// way. To refuse the new one would let whoever fills the table keep everybody out until
    /// his logons time out. An honest logon takes two round trips: to push it out, an attacker
    /// has to begin as many logons as the table holds within that time.
    pub(crate) fn begin_logon<T: Send + 'static>(
        &self,
        connection: &ConnectionAccount,
        state: T,
    ) -> Result<HalfLogon<T>, Refused> {
        HalfLogon::begin(connection.of_address.account(), state)
    }

    /// The connection becomes an ordinary one if there is room by now.
    fn leave_reserve(&self, connection: &mut ConnectionAccount) -> Result<(), Refused> {
        let over = |held: u32, limit: u32| held > limit;
        let resource = Resource::Connections;
        let limits = &self.0.limits;
        let address = connection.of_address.account();
        if over(address.held(resource), limits.address.general[resource]) {
            let level = Level::Address;
            return Err(Refused { level, resource });
        }
        for resource in [resource, Resource::Descriptors, Resource::Bytes] {
            if over(self.held(resource), limits.server.general[resource]) {
                let level = Level::Server;
                return Err(Refused { level, resource });
            }
        }
        connection.is_in_reserve = false;
        Ok(())
    }

    fn account(&self, holder: Holder) -> Arc<Account> {
        let mut accounts = self.0.accounts();
        if let Some(account) = accounts.get(&holder).and_then(Weak::upgrade) {
            return account;
        }
        let account = Account::of(self.0.clone(), holder.clone());
        accounts.insert(holder, Arc::downgrade(&account));
        account
    }
}

impl Server {
    fn accounts(&self) -> MutexGuard<'_, HashMap<Holder, Weak<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last one who had to do with this user or address is gone.
    fn forget(&self, holder: &Holder) {
        let mut accounts = self.accounts();
        // Somebody else may have begun a new account meanwhile.
        if accounts
            .get(holder)
            .is_some_and(|account| account.strong_count() == 0)
        {
            accounts.remove(holder);
        }
    }
}

/// What a connection holds. Dropped with it.
pub(crate) struct ConnectionAccount {
    of_address: Charge,
    /// The same for the user who logged on first.
    of_user: Option<Charge>,
    /// Who logged on last, even if that session has ended.
    last_session: Option<Arc<Account>>,
    is_in_reserve: bool,
}

impl ConnectionAccount {
    /// Above the general limit: for administrators only, and with less time to log on.
    pub(crate) fn is_in_reserve(&self) -> bool {
        self.is_in_reserve
    }

    /// Charges what no session on the connection answers for: whoever logged on last, so that
    /// nobody has more by losing his session; before the first logon the address and the
    /// server.
    pub(crate) fn charge(&self, cost: Cost) -> Result<Charge, Refused> {
        let last = self.last_session.as_ref();
        last.unwrap_or(self.of_address.account()).charge(cost)
    }

    /// The connection's last session has ended: the next user may be another.
    pub(crate) fn forget_user(&mut self) {
        self.of_user = None;
    }
}

/// What a session holds. It may be dropped before the charges made on it.
pub(crate) struct SessionAccount(Charge);

impl SessionAccount {
    /// Takes `cost` for the session, its user, its address and the server.
    pub(crate) fn charge(&self, cost: Cost) -> Result<Charge, Refused> {
        self.0.account().charge(cost)
    }

    /// What the session holds.
    #[cfg(test)]
    pub(crate) fn held(&self, resource: Resource) -> u32 {
        self.0.account().held(resource)
    }
}

/// Clients of one address. Whoever has one IPv6 address usually has all of its /64, so that
/// is one client; link-local addresses all share theirs.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_unicast_link_local() && !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64))
        }
        other => other,
    }
}

/// Does the reserve stand open to this user? Whoever may end sessions has to come in.
pub(crate) fn is_administrator(context: &crate::account::SecurityContext) -> bool {
    context.has(crate::account::SID_ADMINISTRATORS)
        || context.has(crate::account::SID_SERVER_OPERATORS)
}

#[cfg(test)]
mod tests;
