//! Half-done logons: those of an address and of the server in order of age, so that the
//! oldest can give way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::account::Account;
use super::{Charge, Cost, Level, Refused, Resource};

/// How often a new logon makes an old one give way before it is refused after all: others may
/// take the place, and a logon that is being worked on keeps it.
const ATTEMPTS: usize = 16;

/// Every half-done logon of a server.
#[derive(Default)]
pub(super) struct HalfLogons(Mutex<Table>);

#[derive(Default)]
struct Table {
    newest: u64,
    by_age: BTreeMap<u64, Entry>,
    by_address: BTreeSet<(IpAddr, u64)>,
}

struct Entry {
    address: IpAddr,
    slot: Weak<dyn GivesWay>,
}

trait GivesWay: Send + Sync {
    /// Drops the state and returns its charge, unless somebody works on it.
    fn give_way(&self);
}

/// A logon on its way, with its state until it is done or has given way.
pub(crate) struct HalfLogon<T> {
    slot: Arc<Slot<T>>,
    /// For the slot itself.
    _charge: Charge,
}

struct Slot<T> {
    number: u64,
    address: Arc<Account>,
    state: Mutex<Option<(T, Charge)>>,
}

impl<T: Send + 'static> HalfLogon<T> {
    pub(super) fn begin(address: &Arc<Account>, state: T) -> Result<Self, Refused> {
        let logons = &address.server().logons;
        let slot_charge = address.charge(Cost::LOGON_SLOT)?;
        let mut attempts = 0;
        let charge = loop {
            match address.charge(Cost::LOGON) {
                Ok(charge) => break charge,
                Err(refused) => {
                    attempts += 1;
                    let is_full = refused.resource == Resource::Logons;
                    if attempts > ATTEMPTS || !is_full || !logons.evict(refused.level, address) {
                        return Err(refused);
                    }
                }
            }
        };
        let slot = Arc::new(Slot {
            number: logons.number(),
            address: address.clone(),
            state: Mutex::new(Some((state, charge))),
        });
        let weak: Weak<Slot<T>> = Arc::downgrade(&slot);
        logons.insert(slot.number, address, weak);
        Ok(Self {
            slot,
            _charge: slot_charge,
        })
    }

    /// Works on the state; `None` if the logon had to give way. It does not meanwhile.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut state = self.slot.state();
        state.as_mut().map(|(state, _)| work(state))
    }

    /// Had the logon to give way?
    pub(crate) fn is_gone(&self) -> bool {
        self.slot.state().is_none()
    }
}

impl<T> Slot<T> {
    fn state(&self) -> MutexGuard<'_, Option<(T, Charge)>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send> GivesWay for Slot<T> {
    fn give_way(&self) {
        if let Ok(mut state) = self.state.try_lock() {
            let left = state.take();
            drop(state);
            drop(left);
        }
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        if let Some(address) = self.address.address() {
            self.address.server().logons.remove(self.number, address);
        }
    }
}

impl HalfLogons {
    /// How many there are that could give way.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let table = self.table();
        assert_eq!(table.by_age.len(), table.by_address.len());
        table.by_age.len()
    }

    fn number(&self) -> u64 {
        let mut table = self.table();
        table.newest += 1;
        table.newest
    }

    fn insert(&self, number: u64, account: &Account, slot: Weak<dyn GivesWay>) {
        let Some(address) = account.address() else {
            return;
        };
        let mut table = self.table();
        table.by_age.insert(number, Entry { address, slot });
        table.by_address.insert((address, number));
    }

    fn remove(&self, number: u64, address: IpAddr) {
        let mut table = self.table();
        table.by_age.remove(&number);
        table.by_address.remove(&(address, number));
    }

    /// Makes the oldest logon give way, of the address or of the server; false if there is none.
    fn evict(&self, level: Level, account: &Account) -> bool {
        let oldest = {
            let mut table = self.table();
            let number = match (level, account.address()) {
                (Level::Address, Some(address)) => {
                    let mut of_address = table.by_address.range((address, 0)..=(address, u64::MAX));
                    of_address.next().map(|&(_, number)| number)
                }
                _ => table.by_age.keys().next().copied(),
            };
            let entry = number.and_then(|number| table.by_age.remove(&number));
            if let (Some(number), Some(entry)) = (number, &entry) {
                table.by_address.remove(&(entry.address, number));
            }
            entry
        };
        // Outside the lock: the last reference to a slot takes it again.
        match oldest {
            Some(entry) => {
                if let Some(slot) = entry.slot.upgrade() {
                    slot.give_way();
                }
                true
            }
            None => false,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
