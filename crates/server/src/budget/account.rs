//! [`Account`]: what a session, a user or an address holds; [`Charge`]: one thing held.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::limits::Amounts;
use super::{Cost, Level, Refused, Resource, Server};

/// Counts of everything, none of them ever above its limit.
///
/// 32 bits are enough: [`super::limits::MOST_BYTES`] is less than 4 GiB.
#[derive(Default)]
pub(crate) struct Held([AtomicU32; Resource::COUNT]);

impl Held {
    pub(crate) fn get(&self, resource: Resource) -> u32 {
        self.0[resource as usize].load(Ordering::Relaxed)
    }

    /// Adds if the sum stays within the limit.
    fn take(&self, resource: Resource, amount: u32, limits: &Amounts) -> bool {
        let limit = limits[resource];
        let add = |held: u32| held.checked_add(amount).filter(|&sum| sum <= limit);
        // Nothing else is published by these counts, so they need no order among themselves.
        self.0[resource as usize]
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .is_ok()
    }

    fn give(&self, resource: Resource, amount: u32) {
        let before = self.0[resource as usize].fetch_sub(amount, Ordering::Relaxed);
        debug_assert!(before >= amount, "more {resource:?} returned than taken");
    }
}

/// A user or an address, as the table of accounts knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    User(Arc<str>),
    Address(IpAddr),
}

enum Kind {
    Session {
        user: Arc<Account>,
        address: Arc<Account>,
        is_administrator: bool,
    },
    Holder(Holder),
}

/// What a session, a user or an address holds.
pub(super) struct Account {
    held: Held,
    server: Arc<Server>,
    kind: Kind,
}

/// One of the counts that a charge goes to.
type Rung<'a> = (Level, &'a Held, &'a Amounts);

impl Account {
    pub(super) fn of(server: Arc<Server>, holder: Holder) -> Arc<Self> {
        Arc::new(Self {
            held: Held::default(),
            server,
            kind: Kind::Holder(holder),
        })
    }

    pub(super) fn session(
        server: Arc<Server>,
        user: Arc<Self>,
        address: Arc<Self>,
        is_administrator: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            held: Held::default(),
            server,
            kind: Kind::Session {
                user,
                address,
                is_administrator,
            },
        })
    }

    pub(super) fn held(&self, resource: Resource) -> u32 {
        self.held.get(resource)
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// The address, of an address.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match &self.kind {
            Kind::Holder(Holder::Address(address)) => Some(*address),
            _ => None,
        }
    }

    pub(super) fn charge(self: &Arc<Self>, cost: Cost) -> Result<Charge, Refused> {
        self.charge_as(cost, self.may_use_reserve())
    }

    /// As [`Account::charge`], within the hard limits or the general ones.
    pub(super) fn charge_as(self: &Arc<Self>, cost: Cost, hard: bool) -> Result<Charge, Refused> {
        let parts = cost.parts();
        for (index, &(resource, amount)) in parts.iter().enumerate() {
            if let Err(refused) = self.take(resource, amount, hard) {
                for &(resource, amount) in &parts[..index] {
                    self.give(resource, amount);
                }
                return Err(refused);
            }
        }
        let account = self.clone();
        Ok(Charge { account, cost })
    }

    /// Nobody knows yet who will log on at an address.
    fn may_use_reserve(&self) -> bool {
        match self.kind {
            Kind::Session {
                is_administrator, ..
            } => is_administrator,
            Kind::Holder(_) => true,
        }
    }

    fn take(&self, resource: Resource, amount: u32, hard: bool) -> Result<(), Refused> {
        if amount == 0 {
            return Ok(());
        }
        // The nearest first: who is at his own limit does not even touch what others share.
        let (rungs, count) = self.rungs(hard);
        for (index, (level, held, limits)) in rungs[..count].iter().enumerate() {
            if !held.take(resource, amount, limits) {
                for (_, held, _) in &rungs[..index] {
                    held.give(resource, amount);
                }
                return Err(Refused {
                    level: *level,
                    resource,
                });
            }
        }
        Ok(())
    }

    fn give(&self, resource: Resource, amount: u32) {
        if amount == 0 {
            return;
        }
        let (rungs, count) = self.rungs(true);
        for (_, held, _) in &rungs[..count] {
            held.give(resource, amount);
        }
    }

    /// Where a charge on this account goes, and how many of the four there are.
    fn rungs(&self, hard: bool) -> ([Rung<'_>; 4], usize) {
        let limits = &self.server.limits;
        let server = (
            Level::Server,
            &self.server.held,
            limits.server.amounts(hard),
        );
        let of_address = limits.address.amounts(hard);
        match &self.kind {
            Kind::Session { user, address, .. } => (
                [
                    (Level::Session, &self.held, &limits.session),
                    (Level::User, &user.held, &limits.user),
                    (Level::Address, &address.held, of_address),
                    server,
                ],
                4,
            ),
            Kind::Holder(Holder::Address(_)) => {
                let address = (Level::Address, &self.held, of_address);
                ([address, server, server, server], 2)
            }
            // What the address and the server have counted already.
            Kind::Holder(Holder::User(_)) => {
                let user = (Level::User, &self.held, &limits.user);
                ([user, server, server, server], 1)
            }
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Kind::Holder(holder) = &self.kind {
            self.server.forget(holder);
        }
    }
}

/// One thing held: returns what it took when it is dropped.
#[must_use = "what was taken is returned at once"]
pub(crate) struct Charge {
    account: Arc<Account>,
    cost: Cost,
}

impl Charge {
    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// What was taken.
    #[cfg(test)]
    pub(crate) fn cost(&self) -> Cost {
        self.cost
    }

    /// The thing has grown or shrunk to so many bytes. If it may not grow, the charge stays
    /// as it was.
    pub(crate) fn resize(&mut self, bytes: u32) -> Result<(), Refused> {
        let (account, before) = (&self.account, self.cost.bytes);
        if bytes > before {
            let hard = account.may_use_reserve();
            account.take(Resource::Bytes, bytes - before, hard)?;
        } else {
            account.give(Resource::Bytes, before - bytes);
        }
        self.cost.bytes = bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        for (resource, amount) in self.cost.parts() {
            self.account.give(resource, amount);
        }
    }
}
