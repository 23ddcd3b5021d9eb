//! The table against the naive model: random schedules of several clients on a file, its
//! stream, another file and a directory.

use proptest::prelude::*;

use super::model::*;
use super::*;

/// Both, driven by one schedule.
struct Trial {
    bench: Bench,
    model: Model,
    attempts: HashMap<u64, Attempt>,
    unlinks: Vec<(usize, Arc<File>)>,
}

fn client(number: u8) -> Guid {
    Guid([0xC0 + number; 16])
}

impl Trial {
    fn new() -> Self {
        Self {
            bench: Bench::new(),
            model: Model::default(),
            attempts: HashMap::new(),
            unlinks: Vec::new(),
        }
    }

    /// One step, out of 64 random bits.
    fn step(&mut self, bits: u64) {
        let pick = |shift: u32, among: u64| (bits >> shift) % 256 % among;
        let now = self.bench.now;
        let some_open = (!self.model.opens.is_empty()).then(|| {
            let at = pick(8, self.model.opens.len() as u64);
            self.model.opens[at as usize].open
        });
        match (pick(0, 32), some_open) {
            (0..=10, _) => {
                let attempt = attempt(bits);
                self.attempt(attempt, None);
            }
            (11..=14, _) if !self.attempts.is_empty() => {
                let mut tickets: Vec<u64> = self.attempts.keys().copied().collect();
                tickets.sort_unstable();
                let ticket = tickets[pick(8, tickets.len() as u64) as usize];
                let attempt = self.attempts[&ticket];
                self.attempt(attempt, Some(ticket));
            }
            (15..=18, Some(open)) => self.close(open),
            (19..=21, Some(open)) => {
                let breaking = self
                    .model
                    .opens
                    .iter()
                    .find(|open| open.oplock_break.is_some());
                let open = breaking.map_or(open, |breaking| breaking.open);
                let level = [0, 1, 1, 1, 8, 9, 0xFF, 0x33][pick(16, 8) as usize];
                let answer = self.bench.acknowledge_oplock(open, level);
                assert_eq!(answer, self.model.acknowledge_oplock(open, level, now));
            }
            (22..=25, _) => {
                let breaking = self
                    .model
                    .leases
                    .iter()
                    .find(|lease| lease.breaking.is_some());
                let key = breaking.map_or((0, 1), |lease| lease.key);
                let told = breaking
                    .and_then(|lease| lease.breaking)
                    .map_or(0, |told| told.0);
                // Most clients do as they are told.
                let kept = if pick(16, 4) == 0 {
                    pick(24, 8) as u32
                } else {
                    told
                };
                let Bench { table, effects, .. } = &mut self.bench;
                let answer =
                    table.acknowledge_lease(client(key.0), guid(key.1), kept, now, effects);
                assert_eq!(answer, self.model.acknowledge_lease(key, kept, now));
            }
            (26, _) => self.bench.pass(Duration::from_secs(pick(8, 30))),
            (27 | 28, Some(open)) => {
                self.bench.write(open);
                self.model.write(open, now);
            }
            (29, Some(open)) => {
                let ticket = 1_000_000 + u64::from(open);
                let waits = self.bench.break_handles(open).is_some();
                assert_eq!(waits, self.model.break_handles(open, ticket, now));
            }
            (30, Some(open)) => {
                let pending = pick(16, 3) == 0;
                let at = self
                    .model
                    .opens
                    .iter()
                    .position(|other| other.open == open)
                    .unwrap();
                self.model.pending[self.model.opens[at].target] = pending;
                self.bench.file(open).set_delete_pending(pending);
            }
            (31, Some(open)) => {
                let at = self
                    .model
                    .opens
                    .iter()
                    .find(|other| other.open == open)
                    .unwrap();
                let locks = pick(16, 2) == 0;
                self.model.locks[at.target] = locks;
                self.bench.file(open).set_has_locks(locks);
            }
            _ => self.removed(pick(16, 8) as usize),
        }
        self.compare();
    }

    fn attempt(&mut self, attempt: Attempt, waited: Option<u64>) {
        let (name, stream, is_directory) = TARGETS[attempt.target];
        let create = Create {
            stream,
            is_directory,
            effect: attempt.effect,
            delete_on_close: attempt.delete_on_close,
            caching: match attempt.caching {
                Asked::Nothing => CachingRequest::None,
                Asked::Oplock(level) => CachingRequest::Oplock(level),
                Asked::Lease {
                    key,
                    state,
                    version,
                    epoch,
                } => CachingRequest::Lease(LeaseRequest {
                    client_guid: client(key.0),
                    lease_key: guid(key.1),
                    parent_lease_key: None,
                    state,
                    version,
                    epoch,
                }),
            },
            ticket: waited.map(Ticket),
            ..file(name)
                .access(attempt.access)
                .share(attempt.share_access)
        };
        let came = self.bench.create(create);
        let open = self.bench.next;
        let ticket = waited.unwrap_or(open.into());
        let again = waited.is_some();
        let expected = self
            .model
            .open(open, ticket, again, attempt, self.bench.now);
        let came = match came {
            Came::Refused(status) => Outcome::Refused(status),
            Came::Waits(_) => Outcome::Wait,
            Came::Granted(_, caching) => outcome_of(caching),
        };
        assert_eq!(came, expected);
        match came {
            Outcome::Wait => self.attempts.insert(ticket, attempt),
            _ => self.attempts.remove(&ticket),
        };
    }

    fn close(&mut self, open: u32) {
        let file = self.bench.file(open).clone();
        let closed = self.bench.close(open);
        if closed.last {
            file.set_has_locks(false);
        }
        let expected = self.model.close(open, self.bench.now);
        self.unlink(closed.unlink, expected);
    }

    fn unlink(&mut self, unlink: Option<Unlink>, expected: Option<usize>) {
        match (unlink, expected) {
            (None, None) => {}
            (Some(Unlink::File(file)), Some(target)) if target != 1 => {
                self.unlinks.push((target, file));
            }
            (Some(Unlink::Stream(file)), Some(1)) => self.unlinks.push((1, file)),
            (unlink, expected) => panic!("{:?} {expected:?}", unlink.is_some()),
        }
    }

    fn removed(&mut self, at: usize) {
        if at < self.unlinks.len() {
            let (target, file) = self.unlinks.swap_remove(at);
            let next = self.bench.table.removed(&file);
            let expected = self.model.removed(target);
            self.unlink(next, expected);
        }
    }

    fn compare(&mut self) {
        let breaks = std::mem::take(&mut self.bench.effects.breaks);
        let text = breaks.iter().map(|one| match one {
            Break::Oplock { open, level } => format!("open {open} to {level}"),
            Break::Lease {
                open,
                client_guid,
                lease_key,
                new_epoch,
                acknowledge,
                current_state,
                new_state,
            } => {
                let key = (client_guid.0[0] - 0xC0, lease_key.0[0]);
                let named = self.model.opens.iter().find(|other| other.open == *open);
                assert_eq!(named.unwrap().lease, Some(key));
                format!("lease {key:?} {current_state}>{new_state} {new_epoch} {acknowledge}")
            }
        });
        let mut text: Vec<String> = text.collect();
        text.sort_unstable();
        self.model.breaks.sort_unstable();
        assert_eq!(text, std::mem::take(&mut self.model.breaks));
        let ready: Vec<u64> = self.bench.ready().iter().map(|ticket| ticket.0).collect();
        let mut expected = std::mem::take(&mut self.model.ready);
        expected.sort_unstable();
        assert_eq!(ready, expected);
        for open in &self.model.opens {
            let file = self.bench.file(open.open);
            let lease = self
                .model
                .leases
                .iter()
                .find(|lease| open.lease == Some(lease.key));
            let expected = match lease {
                Some(lease) => lease_outcome(lease),
                None => Outcome::Oplock(OplockLevel::from_wire(open.oplock)),
            };
            assert_eq!(outcome_of(file.caching(open.open)), expected);
            let pending = self.model.pending[open.target] || self.model.pending[base(open.target)];
            assert_eq!(file.is_delete_pending(), pending);
        }
        for target in 0..TARGETS.len() {
            self.check_who_caches(target);
        }
    }

    /// What must hold whatever happened: who may cache writes caches alone.
    fn check_who_caches(&self, target: usize) {
        let leases = self.model.other_leases(target, None);
        let leases = leases.iter().map(|at| self.model.leases[*at].state);
        let oplocks = self.model.oplock_holders(target);
        let oplocks = oplocks
            .iter()
            .map(|at| level_caching(self.model.opens[*at].oplock));
        let holders: Vec<u32> = leases.chain(oplocks).filter(|state| *state != 0).collect();
        assert!(holders.len() <= 1 || holders.iter().all(|state| state & W == 0));
        if let Some(open) = self.model.opens.iter().find(|open| open.target == target) {
            let readers = !holders.is_empty() && holders[0] & W == 0;
            assert_eq!(self.bench.file(open.open).may_break_read_caching(), readers);
        }
    }

    fn end(mut self) {
        while let Some(open) = self.model.opens.first().map(|open| open.open) {
            self.close(open);
        }
        while !self.unlinks.is_empty() {
            self.removed(0);
        }
        self.bench.end();
    }
}

fn outcome_of(caching: GrantedCaching) -> Outcome {
    match caching {
        GrantedCaching::None => Outcome::Nothing,
        GrantedCaching::Oplock(level) => Outcome::Oplock(level),
        GrantedCaching::Lease(lease) => Outcome::Lease(
            lease.state,
            lease.break_in_progress,
            lease.version,
            lease.epoch,
        ),
    }
}

fn attempt(bits: u64) -> Attempt {
    let pick = |shift: u32, among: u64| (bits >> shift) % 256 % among;
    let control = access_mask::READ_CONTROL;
    // Half of the opens share everything, or few would get far.
    let share_access = if pick(20, 2) == 0 {
        SHARE_ALL
    } else {
        pick(21, 8) as u32
    };
    Attempt {
        target: [0, 0, 0, 1, 1, 2, 3, 0][pick(8, 8) as usize],
        access: [
            ALL,
            READ,
            WRITE,
            DELETE,
            ATTRIBUTES,
            control,
            READ | WRITE,
            ALL,
        ][pick(12, 8) as usize],
        share_access,
        effect: [
            CreateEffect::Opened,
            CreateEffect::Opened,
            CreateEffect::Opened,
            CreateEffect::Opened,
            CreateEffect::Overwritten,
            CreateEffect::Superseded,
            CreateEffect::Created,
            CreateEffect::Opened,
        ][pick(28, 8) as usize],
        delete_on_close: pick(32, 12) == 0,
        caching: match pick(36, 8) {
            0 => Asked::Nothing,
            1 => Asked::Oplock(OplockLevel::II),
            2 => Asked::Oplock(OplockLevel::Exclusive),
            3 => Asked::Oplock(OplockLevel::Batch),
            _ => Asked::Lease {
                key: (pick(40, 2) as u8, 1 + pick(42, 3) as u8),
                state: [7, 7, 3, 3, 5, 1, 0, 6][pick(45, 8) as usize],
                version: 1 + pick(48, 2) as u8,
                epoch: pick(50, 4) as u16 * 0x5555,
            },
        },
    }
}

fn run(steps: Vec<u64>) {
    let mut trial = Trial::new();
    for bits in steps {
        trial.step(bits);
    }
    trial.end();
}

/// A few tests with a share of the schedules each, so that they run side by side.
macro_rules! shares {
    ($($name:ident)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(5_100))]

            $(#[test]
            fn $name(steps in prop::collection::vec(any::<u64>(), 1..60)) {
                run(steps);
            })*
        }
    };
}

shares!(schedules_as_in_the_model schedules_as_in_the_model_2 schedules_as_in_the_model_3 schedules_as_in_the_model_4);
