//! FILETIME ([MS-DTYP] 2.3.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: 100 ns steps since 1601-01-01 00:00 UTC ([MS-DTYP] 2.3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileTime(pub u64);

/// Steps between 1601-01-01 and 1970-01-01.
const UNIX_EPOCH_STEPS: i128 = 116_444_736_000_000_000;

impl FileTime {
    /// Steps in one second.
    pub const PER_SECOND: u64 = 10_000_000;

    /// Seconds and nanoseconds since the Unix epoch; times before 1601 become 0.
    pub fn from_unix(seconds: i64, nanoseconds: u32) -> Self {
        let steps = i128::from(seconds) * i128::from(Self::PER_SECOND)
            + i128::from(nanoseconds / 100)
            + UNIX_EPOCH_STEPS;
        Self(u64::try_from(steps).unwrap_or(0))
    }

    /// (seconds, nanoseconds) since the Unix epoch.
    pub fn to_unix(self) -> (i64, u32) {
        let steps = i128::from(self.0) - UNIX_EPOCH_STEPS;
        let per_second = i128::from(Self::PER_SECOND);
        // Both fit: |steps| < 2^64, so seconds < 2^41 and the remainder < 10^7.
        (
            steps.div_euclid(per_second) as i64,
            steps.rem_euclid(per_second) as u32 * 100,
        )
    }

    /// Time passed since `earlier`, zero if `earlier` lies in the future.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        let steps = self.0.saturating_sub(earlier.0);
        Duration::new(
            steps / Self::PER_SECOND,
            (steps % Self::PER_SECOND) as u32 * 100,
        )
    }
}

impl From<SystemTime> for FileTime {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::from_unix(after.as_secs() as i64, after.subsec_nanos()),
            Err(before) => {
                let steps = before.duration().as_nanos() / 100;
                Self((UNIX_EPOCH_STEPS as u128).saturating_sub(steps) as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_epoch_is_the_known_constant() {
        assert_eq!(FileTime::from_unix(0, 0).0, 116_444_736_000_000_000);
        assert_eq!(FileTime::from_unix(-11_644_473_600, 0).0, 0);
        assert_eq!(FileTime::from_unix(i64::MIN, 0).0, 0);
    }

    #[test]
    fn unix_round_trip() {
        for (seconds, nanoseconds) in [(0, 0), (1, 999_999_900), (-1, 100), (4_000_000_000, 5_000)]
        {
            assert_eq!(
                FileTime::from_unix(seconds, nanoseconds).to_unix(),
                (seconds, nanoseconds)
            );
        }
    }
}
