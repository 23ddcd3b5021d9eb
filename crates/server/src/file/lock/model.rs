//! The same rules written down naively, word by word as in [MS-FSA] 2.1.4.10, 2.1.5.8 and
//! 2.1.5.9, and random schedules on which both must agree.

use smb::NtStatus;
use smb::wire::lock::LockElement;

use super::tests::{EXCLUSIVE, NOW, SHARED, UNLOCK, element};
use super::{Access, LockList, Locked};
use crate::file::Ticket;

#[derive(Clone, Copy, PartialEq)]
struct Lock {
    open: u32,
    offset: u64,
    length: u64,
    exclusive: bool,
}

#[derive(Default)]
struct Model {
    locks: Vec<Lock>,
    waiting: Vec<(Ticket, Lock)>,
}

fn overlap(offset: u64, length: u64, other: &Lock) -> bool {
    if (offset, length) == (0, 0) || (other.offset, other.length) == (0, 0) {
        return false;
    }
    let [offset, length] = [offset, length].map(i128::from);
    let [lock_offset, lock_length] = [other.offset, other.length].map(i128::from);
    let (last, lock_last) = (offset + length - 1, lock_offset + lock_length - 1);
    offset <= lock_last && last >= lock_offset
}

impl Model {
    fn conflicts(&self, wanted: &Lock, lock_intent: bool) -> bool {
        let meets = |lock: &&Lock| overlap(wanted.offset, wanted.length, lock);
        self.locks.iter().filter(meets).any(|lock| {
            if lock.exclusive {
                lock.open != wanted.open || wanted.exclusive && lock_intent
            } else {
                wanted.exclusive
            }
        })
    }

    fn lock(
        &mut self,
        open: u32,
        ranges: &[LockElement],
        ticket: Option<Ticket>,
    ) -> Result<Locked, NtStatus> {
        let allowed = [SHARED, EXCLUSIVE, SHARED | NOW, EXCLUSIVE | NOW];
        let legal = |one: &LockElement| {
            allowed.contains(&one.flags) && (one.flags & NOW != 0 || ranges.len() == 1)
        };
        if ranges.is_empty() || !ranges.iter().all(legal) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let before = self.locks.clone();
        for one in ranges {
            let lock = Lock {
                open,
                offset: one.offset,
                length: one.length,
                exclusive: one.flags & EXCLUSIVE != 0,
            };
            let end = u128::from(one.offset) + u128::from(one.length);
            let status = if end > 1 << 64 {
                NtStatus::INVALID_LOCK_RANGE
            } else if !self.conflicts(&lock, true) {
                self.locks.push(lock);
                continue;
            } else if let (Some(ticket), 0) = (ticket, one.flags & NOW) {
                self.waiting.push((ticket, lock));
                return Ok(Locked::Waits);
            } else {
                NtStatus::LOCK_NOT_GRANTED
            };
            self.locks = before;
            return Err(status);
        }
        Ok(Locked::Granted)
    }

    fn unlock(
        &mut self,
        open: u32,
        ranges: &[LockElement],
        granted: &mut Vec<Ticket>,
    ) -> Result<(), NtStatus> {
        let mut result = Err(NtStatus::INVALID_PARAMETER);
        for one in ranges {
            result = self.unlock_one(open, one);
            if result.is_err() {
                break;
            }
        }
        self.grant(granted);
        result
    }

    fn unlock_one(&mut self, open: u32, one: &LockElement) -> Result<(), NtStatus> {
        if one.flags != UNLOCK {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if u128::from(one.offset) + u128::from(one.length) > 1 << 64 {
            return Err(NtStatus::INVALID_LOCK_RANGE);
        }
        for exclusive in [true, false] {
            let lock = Lock {
                open,
                offset: one.offset,
                length: one.length,
                exclusive,
            };
            if let Some(found) = self.locks.iter().position(|held| *held == lock) {
                self.locks.remove(found);
                return Ok(());
            }
        }
        Err(NtStatus::RANGE_NOT_LOCKED)
    }

    fn close(&mut self, open: u32, granted: &mut Vec<Ticket>, ended: &mut Vec<Ticket>) {
        self.waiting.retain(|(ticket, lock)| {
            if lock.open == open {
                ended.push(*ticket);
            }
            lock.open != open
        });
        self.locks.retain(|lock| lock.open != open);
        self.grant(granted);
    }

    fn cancel(&mut self, ticket: Ticket) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|(waiting, _)| *waiting != ticket);
        self.waiting.len() < before
    }

    fn grant(&mut self, granted: &mut Vec<Ticket>) {
        for (ticket, lock) in std::mem::take(&mut self.waiting) {
            if self.conflicts(&lock, true) {
                self.waiting.push((ticket, lock));
            } else {
                self.locks.push(lock);
                granted.push(ticket);
            }
        }
    }

    fn check(&self, open: u32, offset: u64, length: u64, access: Access) -> bool {
        let wanted = Lock {
            open,
            offset,
            length,
            exclusive: access == Access::Write,
        };
        length == 0 || !self.conflicts(&wanted, false)
    }
}

/// xorshift64*: enough chance for a test, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    /// Near both ends of what an offset can be, the lower one mostly.
    fn range(&mut self, width: u64) -> (u64, u64) {
        let (offset, length) = (self.below(width), self.below(width / 2));
        match self.below(12) {
            0 => (u64::MAX - offset, length),
            1 => (offset, u64::MAX - self.below(width)),
            2 => (offset, 0),
            _ => (offset, length),
        }
    }

    fn lock_elements(&mut self, width: u64) -> Vec<LockElement> {
        let count = if self.one_in(4) { 1 + self.below(4) } else { 1 };
        let odd = [0, UNLOCK, SHARED | EXCLUSIVE | NOW, 0x20 | SHARED | NOW];
        (0..count)
            .map(|_| {
                let (offset, length) = self.range(width);
                let kind = if self.one_in(2) { SHARED } else { EXCLUSIVE };
                let now = if count > 1 && !self.one_in(20) || self.one_in(2) {
                    NOW
                } else {
                    0
                };
                let flags = if self.one_in(60) {
                    odd[self.below(4) as usize]
                } else {
                    kind | now
                };
                element(offset, length, flags)
            })
            .collect()
    }

    /// Mostly of what is locked.
    fn unlock_elements(&mut self, model: &Model, open: u32, width: u64) -> Vec<LockElement> {
        let count = if self.one_in(3) { 1 + self.below(4) } else { 1 };
        (0..count)
            .map(|_| {
                let own: Vec<_> = model.locks.iter().filter(|one| one.open == open).collect();
                let (offset, length) = if own.is_empty() || self.one_in(8) {
                    self.range(width)
                } else {
                    let lock = own[self.below(own.len() as u64) as usize];
                    (lock.offset, lock.length)
                };
                let flags = if self.one_in(40) {
                    SHARED | UNLOCK
                } else {
                    UNLOCK
                };
                element(offset, length, flags)
            })
            .collect()
    }
}

/// One schedule: `steps` calls by `opens` opens within `width` bytes.
fn run(seed: u64, steps: u64, opens: u64, width: u64) -> u64 {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (mut list, mut model) = (LockList::default(), Model::default());
    let mut waits = 0;
    for step in 0..steps {
        let told = format!("seed {seed}, step {step}");
        let open = dice.below(opens) as u32;
        let [mut granted, mut ended, mut model_granted, mut model_ended] =
            [const { Vec::new() }; 4];
        match dice.below(100) {
            0..50 => {
                let elements = dice.lock_elements(width);
                let ticket = (!dice.one_in(10)).then_some(Ticket(step));
                let result = list.lock(open, &elements, ticket);
                waits += u64::from(result == Ok(Locked::Waits));
                assert_eq!(result, model.lock(open, &elements, ticket), "{told}");
            }
            50..85 => {
                let elements = dice.unlock_elements(&model, open, width);
                assert_eq!(
                    list.unlock(open, &elements, &mut granted),
                    model.unlock(open, &elements, &mut model_granted),
                    "{told}"
                );
            }
            85..93 => {
                let ticket = match model.waiting.len() as u64 {
                    0 => Ticket(step),
                    count => model.waiting[dice.below(count) as usize].0,
                };
                assert_eq!(list.cancel(ticket), model.cancel(ticket), "{told}");
                assert!(!list.cancel(ticket), "{told}");
            }
            _ => {
                list.close(open, &mut granted, &mut ended);
                model.close(open, &mut model_granted, &mut model_ended);
                assert_eq!(list.count_of(open), 0, "{told}");
            }
        }
        assert_eq!((granted, ended), (model_granted, model_ended), "{told}");
        let (offset, length) = dice.range(width);
        for access in [Access::Read, Access::Write] {
            let result = list.check(open, offset, length, access);
            let allowed = model.check(open, offset, length, access);
            let expected = if allowed {
                Ok(())
            } else {
                Err(NtStatus::FILE_LOCK_CONFLICT)
            };
            assert_eq!(result, expected, "{told}: {access:?} {offset}+{length}");
        }
        let own = model.locks.iter().filter(|lock| lock.open == open).count();
        assert_eq!(list.count_of(open) as usize, own, "{told}");
        assert_eq!(list.count() as usize, model.locks.len(), "{told}");
        let empty = model.locks.is_empty() && model.waiting.is_empty();
        assert_eq!(list.is_empty(), empty, "{told}");
    }
    list.assert_sound();
    waits
}

#[test]
fn agrees_with_the_model_in_short_schedules() {
    let waits: u64 = (0..24_000).map(|seed| run(seed, 30, 4, 12)).sum();
    assert!(waits > 24_000, "conflicts are common: {waits} waits");
}

#[test]
fn agrees_with_the_model_in_long_schedules() {
    for seed in 0..12 {
        run(1_000_000 + seed, 2_500, 6, 400);
    }
    for seed in 0..4 {
        run(2_000_000 + seed, 3_000, 400, 60_000);
    }
}
