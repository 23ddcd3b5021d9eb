//! CommandSequenceWindow and credits ([MS-SMB2] 3.3.1.1, 3.3.1.2).

use std::collections::BTreeSet;

/// Message ids that the client may use. Ids below `low` are used up, ids from `high` on are
/// not granted yet; of those between, `used` were used out of order.
#[derive(Debug)]
pub(super) struct CommandSequenceWindow {
    low: u64,
    high: u64,
    used: BTreeSet<u64>,
}

impl CommandSequenceWindow {
    /// Id 0 is granted: the first NEGOTIATE.
    pub(super) fn new() -> Self {
        Self {
            low: 0,
            high: 1,
            used: BTreeSet::new(),
        }
    }

    /// Uses `charge` ids from `first`; false if one of them is not to be had.
    pub(super) fn consume(&mut self, first: u64, charge: u16) -> bool {
        let charge = u64::from(charge.max(1));
        let Some(end) = first.checked_add(charge) else {
            return false;
        };
        if first < self.low || end > self.high || self.used.range(first..end).next().is_some() {
            return false;
        }
        if first == self.low {
            self.low = end;
            while self.used.remove(&self.low) {
                self.low += 1;
            }
        } else {
            self.used.extend(first..end);
        }
        true
    }

    /// Grants what was asked, at least one, as long as no more than `limit` ids are open.
    pub(super) fn grant(&mut self, asked: u16, limit: u32) -> u16 {
        let open = self.high - self.low;
        let room = u64::from(limit).saturating_sub(open);
        let granted = u64::from(asked.max(1)).min(room) as u16;
        self.high += u64::from(granted);
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_good_once() {
        let mut window = CommandSequenceWindow::new();
        assert!(window.consume(0, 0));
        assert!(!window.consume(0, 1), "used");
        assert!(!window.consume(1, 1), "not granted");
        assert_eq!(window.grant(4, 8), 4);
        assert!(window.consume(3, 2));
        assert!(!window.consume(4, 1), "part of a charge");
        assert!(window.consume(1, 2));
        assert!(window.used.is_empty());
        assert_eq!(window.low, 5);
        assert!(!window.consume(u64::MAX, 1));
    }

    #[test]
    fn grants_stop_at_the_limit() {
        let mut window = CommandSequenceWindow::new();
        assert!(window.consume(0, 1));
        assert_eq!(window.grant(100, 8), 8);
        assert_eq!(window.grant(1, 8), 0);
        assert!(window.consume(1, 8));
        assert_eq!(window.grant(0, 8), 1);
    }
}
