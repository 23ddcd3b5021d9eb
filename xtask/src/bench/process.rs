//! Processor time and memory of a server's processes, from /proc (proc(5)).

use std::fs;
use std::time::{Duration, Instant};

/// USER_HZ: what /proc counts in, whatever the kernel's own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of these processes and of the children they have waited for, in seconds.
/// A child that is still there is to be among `pids` itself.
pub fn processor_seconds(pids: &[u32]) -> f64 {
    let ticks = pids.iter().filter_map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(fields(&stat).sum::<u64>())
    });
    ticks.sum::<u64>() as f64 / TICKS_PER_SECOND
}

/// Processor time of the children that this process has waited for, in seconds.
pub fn children_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let times = fields(&stat).skip(2).take(2).sum::<u64>();
    times as f64 / TICKS_PER_SECOND
}

/// The times utime, stime, cutime and cstime. The command's name, in parentheses, may hold anything.
fn fields(stat: &str) -> impl Iterator<Item = u64> {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let times = fields.split_whitespace().skip(11).take(4);
    times.filter_map(|time| time.parse().ok())
}

/// A line of smaps_rollup, summed over these processes, in KiB.
fn rollup(pids: &[u32], name: &str) -> f64 {
    let sizes = pids.iter().filter_map(|pid| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        kib(&text, name)
    });
    sizes.sum()
}

fn kib(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| {
        let value = line.strip_prefix(name)?.strip_prefix(':')?;
        value.split_whitespace().next()?.parse().ok()
    })
}

/// Proportional set size in KiB: pages that several processes share count once.
pub fn proportional_kib(pids: &[u32]) -> f64 {
    rollup(pids, "Pss")
}

/// Resident set size in KiB.
pub fn resident_kib(pids: &[u32]) -> f64 {
    rollup(pids, "Rss")
}

/// Starts the peak of a process' resident set afresh.
pub fn reset_peak(pid: u32) -> Result<(), String> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")
        .map_err(|error| format!("could not reset the peak of process {pid}: {error}"))
}

/// The peak since then, in KiB.
pub fn peak_kib(pid: u32) -> Option<f64> {
    kib(
        &fs::read_to_string(format!("/proc/{pid}/status")).ok()?,
        "VmHWM",
    )
}

/// How long a size must stay as it is: the server's allocator gives back after 2 s what has
/// been freed.
const SETTLED: Duration = Duration::from_secs(3);

/// Waits until `value` has changed by less than half a percent for [`SETTLED`], for 20 s at
/// most: a server frees and allocates a little behind the last answer.
pub fn settled(value: impl Fn() -> f64) -> f64 {
    let start = Instant::now();
    let (mut last, mut since) = (value(), start);
    while start.elapsed() < Duration::from_secs(20) && since.elapsed() < SETTLED {
        std::thread::sleep(Duration::from_millis(200));
        let now = value();
        if (now - last).abs() > last.abs() * 0.005 {
            (last, since) = (now, Instant::now());
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_command_may_hold_anything() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1 0 99";
        assert_eq!(fields(stat).collect::<Vec<_>>(), [100, 20, 3, 4]);
        assert_eq!(fields("42 (short) S 1 2 3").count(), 0);
    }

    #[test]
    fn our_own_process() {
        let pids = [std::process::id()];
        let before = processor_seconds(&pids);
        let start = Instant::now();
        let mut sum = 0_u64;
        while start.elapsed() < Duration::from_millis(300) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        // Others may have had the core meanwhile, but not all of that time.
        assert!(processor_seconds(&pids) > before);
        assert!(resident_kib(&pids) >= proportional_kib(&pids));
        assert!(proportional_kib(&pids) > 100.0);
        assert!(peak_kib(pids[0]).is_some_and(|peak| peak > 100.0));
    }

    #[test]
    fn a_process_that_is_gone_counts_nothing() {
        assert_eq!(processor_seconds(&[u32::MAX]), 0.0);
        assert_eq!(resident_kib(&[u32::MAX]), 0.0);
    }

    #[test]
    fn settling_ends() {
        let calls = std::cell::Cell::new(0.0);
        let value = settled(|| {
            calls.set(calls.get() + 1.0);
            if calls.get() < 3.0 { calls.get() } else { 3.0 }
        });
        assert_eq!(value, 3.0);
    }
}
