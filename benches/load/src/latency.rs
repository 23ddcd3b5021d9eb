//! Times of single calls, and what is told of them.

use std::time::Duration;

use serde_json::{Value, json};

/// The value at `share` (0 to 1) of the sorted times: the nearest rank, 0 if there is none.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.clamp(1, sorted.len().max(1)) - 1)
        .copied()
        .unwrap_or_default()
}

/// In microseconds.
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Count, extremes and percentiles in microseconds.
pub fn summary(mut times: Vec<Duration>) -> Value {
    times.sort_unstable();
    json!({
        "calls": times.len(),
        "minimum_us": micros(percentile(&times, 0.0)),
        "p50_us": micros(percentile(&times, 0.5)),
        "p90_us": micros(percentile(&times, 0.9)),
        "p99_us": micros(percentile(&times, 0.99)),
        "maximum_us": micros(percentile(&times, 1.0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(values: &[u64]) -> Vec<Duration> {
        values.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn nearest_rank() {
        let times = millis(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        for (share, expected) in [(0.0, 1), (0.1, 1), (0.5, 5), (0.51, 6), (0.9, 9), (1.0, 10)] {
            assert_eq!(
                percentile(&times, share),
                Duration::from_millis(expected),
                "{share}"
            );
        }
        assert_eq!(percentile(&millis(&[7]), 0.5), Duration::from_millis(7));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }

    #[test]
    fn the_summary_sorts() {
        let summary = summary(millis(&[30, 10, 20]));
        assert_eq!(summary["calls"], 3);
        assert_eq!(summary["minimum_us"], 10_000.0);
        assert_eq!(summary["p50_us"], 20_000.0);
        assert_eq!(summary["maximum_us"], 30_000.0);
    }
}
