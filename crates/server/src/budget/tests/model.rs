//! The accounts against a list of everything held: whatever is taken and returned, in
//! whatever order, both have the same sums and refuse the same.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const USERS: [&str; 3] = ["alice", "bob", "admin"];
const ADDRESSES: [&str; 3] = [HOME, AWAY, "2001:db8::1"];

#[derive(Clone, Debug)]
enum Step {
    Connect(usize),
    Disconnect(Index),
    Logon(Index, usize),
    End(Index),
    ForgetUser(Index),
    Charge(Index, Cost),
    ChargeConnection(Index, u32),
    Resize(Index, u32),
    Drop(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let cost = prop_oneof![
        Just(Cost::FILE),
        Just(Cost::PIPE),
        Just(Cost::PENDING_REQUEST),
        (1_u32..400).prop_map(|number| Cost::LOCK.times(number)),
        (0_u32..40_000).prop_map(Cost::bytes),
        (0_u32..9_000).prop_map(|bytes| Cost::FILE.and_bytes(bytes)),
    ];
    prop_oneof![
        4 => (0..ADDRESSES.len()).prop_map(Step::Connect),
        1 => any::<Index>().prop_map(Step::Disconnect),
        4 => (any::<Index>(), 0..USERS.len()).prop_map(|(at, user)| Step::Logon(at, user)),
        1 => any::<Index>().prop_map(Step::End),
        1 => any::<Index>().prop_map(Step::ForgetUser),
        8 => (any::<Index>(), cost).prop_map(|(at, cost)| Step::Charge(at, cost)),
        2 => (any::<Index>(), 0_u32..40_000)
            .prop_map(|(at, bytes)| Step::ChargeConnection(at, bytes)),
        2 => (any::<Index>(), 0_u32..40_000).prop_map(|(at, bytes)| Step::Resize(at, bytes)),
        4 => any::<Index>().prop_map(Step::Drop),
    ]
}

/// Somebody who holds things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Session(usize),
    User(usize),
    Address(usize),
    Server,
}

/// One thing, and everybody for whom it counts.
struct Entry {
    number: usize,
    who: Vec<Who>,
    cost: Cost,
    hard: bool,
}

/// The naive truth: a list.
struct Model {
    limits: Limits,
    entries: Vec<Entry>,
    next: usize,
}

impl Model {
    fn sum(&self, who: Who, resource: Resource) -> u64 {
        let entries = self.entries.iter().filter(|entry| entry.who.contains(&who));
        let parts = entries.flat_map(|entry| entry.cost.parts());
        let amounts = parts.filter(|part| part.0 == resource);
        amounts.map(|part| u64::from(part.1)).sum()
    }

    fn limit(&self, who: Who, resource: Resource, hard: bool) -> (Level, u64) {
        let limits = &self.limits;
        let (level, limit) = match who {
            Who::Session(_) => (Level::Session, limits.session[resource]),
            Who::User(_) => (Level::User, limits.user[resource]),
            Who::Address(_) if hard => (Level::Address, limits.address.hard[resource]),
            Who::Address(_) => (Level::Address, limits.address.general[resource]),
            Who::Server if hard => (Level::Server, limits.server.hard[resource]),
            Who::Server => (Level::Server, limits.server.general[resource]),
        };
        (level, limit.into())
    }

    fn charge(&mut self, who: Vec<Who>, cost: Cost, hard: bool) -> Result<usize, Refused> {
        for (resource, amount) in cost.parts() {
            for &one in &who {
                let (level, limit) = self.limit(one, resource, hard);
                if amount > 0 && self.sum(one, resource) + u64::from(amount) > limit {
                    return Err(Refused { level, resource });
                }
            }
        }
        self.next += 1;
        self.entries.push(Entry {
            number: self.next,
            who,
            cost,
            hard,
        });
        Ok(self.next)
    }

    fn remove(&mut self, number: usize) {
        self.entries.retain(|entry| entry.number != number);
    }

    fn resize(&mut self, number: usize, bytes: u32) -> Result<(), Refused> {
        let at = self.entries.iter().position(|entry| entry.number == number);
        let at = at.unwrap();
        let before = self.entries[at].cost.bytes;
        if bytes > before {
            let (who, hard) = (self.entries[at].who.clone(), self.entries[at].hard);
            let more = self.charge(who, Cost::bytes(bytes - before), hard)?;
            self.remove(more);
        }
        self.entries[at].cost.bytes = bytes;
        Ok(())
    }
}

struct Connected {
    account: ConnectionAccount,
    address: usize,
    entry: usize,
    user_entry: Option<usize>,
    /// Number and user of the session begun last.
    last_session: Option<(usize, usize)>,
    reserve: bool,
}

struct LoggedOn {
    account: SessionAccount,
    number: usize,
    user: usize,
    address: usize,
    entry: usize,
}

struct Both {
    budget: Budget,
    model: Model,
    connections: Vec<Connected>,
    sessions: Vec<LoggedOn>,
    charges: Vec<(Charge, usize)>,
    begun: usize,
}

fn at<T>(list: &mut [T], index: Index) -> Option<&mut T> {
    match list.len() {
        0 => None,
        length => list.get_mut(index.index(length)),
    }
}

fn taken<T>(list: &mut Vec<T>, index: Index) -> Option<T> {
    match list.len() {
        0 => None,
        length => Some(list.swap_remove(index.index(length))),
    }
}

fn is_administrator(user: usize) -> bool {
    USERS[user] == "admin"
}

impl Both {
    fn new() -> Self {
        let limits = small();
        Self {
            budget: Budget::new(limits.clone()),
            model: Model {
                limits,
                entries: Vec::new(),
                next: 0,
            },
            connections: Vec::new(),
            sessions: Vec::new(),
            charges: Vec::new(),
            begun: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Connect(address) => self.connect(address),
            Step::Disconnect(index) => {
                if let Some(left) = taken(&mut self.connections, index) {
                    self.model.remove(left.entry);
                    left.user_entry
                        .into_iter()
                        .for_each(|entry| self.model.remove(entry));
                }
            }
            Step::Logon(index, user) => self.log_on(index, user),
            Step::End(index) => {
                if let Some(ended) = taken(&mut self.sessions, index) {
                    self.model.remove(ended.entry);
                }
            }
            Step::ForgetUser(index) => {
                if let Some(connection) = at(&mut self.connections, index) {
                    connection.account.forget_user();
                    let entry = connection.user_entry.take();
                    entry.into_iter().for_each(|entry| self.model.remove(entry));
                }
            }
            Step::Charge(index, cost) => {
                if let Some(session) = at(&mut self.sessions, index) {
                    let who = who(session.number, session.user, session.address);
                    let expected = self.model.charge(who, cost, is_administrator(session.user));
                    let charge = session.account.charge(cost);
                    self.compare(charge, expected);
                }
            }
            Step::ChargeConnection(index, bytes) => {
                if let Some(connection) = at(&mut self.connections, index) {
                    let (who, hard) = match connection.last_session {
                        Some((number, user)) => (
                            who(number, user, connection.address),
                            is_administrator(user),
                        ),
                        None => (vec![Who::Address(connection.address), Who::Server], true),
                    };
                    let expected = self.model.charge(who, Cost::bytes(bytes), hard);
                    let charge = connection.account.charge(Cost::bytes(bytes));
                    self.compare(charge, expected);
                }
            }
            Step::Resize(index, bytes) => {
                if let Some((charge, number)) = at(&mut self.charges, index) {
                    let expected = self.model.resize(*number, bytes);
                    assert_eq!(charge.resize(bytes), expected);
                }
            }
            Step::Drop(index) => {
                if let Some((charge, number)) = taken(&mut self.charges, index) {
                    drop(charge);
                    self.model.remove(number);
                }
            }
        }
    }

    fn connect(&mut self, at: usize) {
        let who = || vec![Who::Address(at), Who::Server];
        let expected = self.model.charge(who(), Cost::CONNECTION, false);
        let expected = match expected {
            Ok(entry) => Ok((entry, false)),
            Err(_) => {
                let entry = self.model.charge(who(), Cost::CONNECTION, true);
                entry.map(|entry| (entry, true))
            }
        };
        match (self.budget.connection(address(ADDRESSES[at])), expected) {
            (Ok(account), Ok((entry, reserve))) => {
                assert_eq!(account.is_in_reserve(), reserve);
                self.connections.push(Connected {
                    account,
                    address: at,
                    entry,
                    user_entry: None,
                    last_session: None,
                    reserve,
                });
            }
            (result, expected) => assert_eq!(result.err(), expected.err()),
        }
    }

    fn log_on(&mut self, index: Index, user: usize) {
        let Some(connection) = at(&mut self.connections, index) else {
            return;
        };
        let is_administrator = is_administrator(user);
        let model = &mut self.model;
        let account = &mut connection.account;
        let result = self.budget.session(account, USERS[user], is_administrator);
        if connection.reserve && !is_administrator {
            let over =
                |who, resource| model.sum(who, resource) > model.limit(who, resource, false).1;
            let address = Who::Address(connection.address);
            let full = over(address, Resource::Connections)
                || [
                    Resource::Connections,
                    Resource::Descriptors,
                    Resource::Bytes,
                ]
                .iter()
                .any(|&resource| over(Who::Server, resource));
            if full {
                assert!(result.is_err());
                return;
            }
            connection.reserve = false;
        }
        assert_eq!(connection.account.is_in_reserve(), connection.reserve);
        if connection.user_entry.is_none() {
            match model.charge(vec![Who::User(user)], Cost::CONNECTION, true) {
                Ok(entry) => connection.user_entry = Some(entry),
                Err(refused) => return assert_eq!(result.err(), Some(refused)),
            }
        }
        self.begun += 1;
        let who = who(self.begun, user, connection.address);
        match (result, model.charge(who, Cost::SESSION, is_administrator)) {
            (Ok(account), Ok(entry)) => {
                connection.last_session = Some((self.begun, user));
                self.sessions.push(LoggedOn {
                    account,
                    number: self.begun,
                    user,
                    address: connection.address,
                    entry,
                });
            }
            (result, expected) => assert_eq!(result.err(), expected.err()),
        }
    }

    fn compare(&mut self, charge: Result<Charge, Refused>, expected: Result<usize, Refused>) {
        match (charge, expected) {
            (Ok(charge), Ok(number)) => self.charges.push((charge, number)),
            (charge, expected) => assert_eq!(charge.err(), expected.err()),
        }
    }

    fn check(&self) {
        let user = |name: &str| Holder::User(name.into());
        for resource in Resource::ALL {
            let sum = |who| self.model.sum(who, resource);
            let held = self.budget.held(resource);
            assert_eq!(u64::from(held), sum(Who::Server), "{resource:?}");
            assert!(held <= self.model.limits.server.hard[resource]);
            for (number, name) in USERS.iter().enumerate() {
                let held = self.budget.account(user(name)).held(resource);
                assert_eq!(
                    u64::from(held),
                    sum(Who::User(number)),
                    "{name} {resource:?}"
                );
            }
            for (number, text) in ADDRESSES.iter().enumerate() {
                let holder = Holder::Address(place(address(text)));
                let held = self.budget.account(holder).held(resource);
                assert_eq!(
                    u64::from(held),
                    sum(Who::Address(number)),
                    "{text} {resource:?}"
                );
            }
            for session in &self.sessions {
                let held = session.account.held(resource);
                assert_eq!(u64::from(held), sum(Who::Session(session.number)));
            }
        }
    }
}

fn who(session: usize, user: usize, address: usize) -> Vec<Who> {
    vec![
        Who::Session(session),
        Who::User(user),
        Who::Address(address),
        Who::Server,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn sums_are_those_of_the_list(steps in vec(step(), 1..150), charges_first in any::<bool>()) {
        let mut both = Both::new();
        for step in &steps {
            both.step(step);
            both.check();
        }
        let Both { budget, connections, sessions, charges, .. } = both;
        if charges_first {
            drop(charges);
            drop((sessions, connections));
        } else {
            drop((connections, sessions));
            drop(charges);
        }
        assert_empty(&budget);
    }
}
