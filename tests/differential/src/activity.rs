//! Whether a server is at work: the condition that a quiet time alone cannot tell on a busy
//! machine. A process for which a message waits in a socket is runnable, so a server whose
//! threads all sleep has nothing left to do but what a timer brings.

use std::fs;

/// The processes of a server.
#[derive(Debug)]
pub struct Activity {
    pids: Vec<u32>,
}

impl Activity {
    /// Those of `main` and its descendants, as they are now.
    pub fn of(main: u32) -> Self {
        let mut pids = vec![main];
        let mut next = 0;
        while let Some(pid) = pids.get(next).copied() {
            next += 1;
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            let children = children.unwrap_or_default();
            pids.extend(
                children
                    .split_whitespace()
                    .filter_map(|word| word.parse::<u32>().ok()),
            );
        }
        Activity { pids }
    }

    /// A thread of theirs runs, could run, or waits for a disk.
    pub fn is_busy(&self) -> bool {
        self.pids.iter().any(|pid| {
            let threads = fs::read_dir(format!("/proc/{pid}/task"));
            threads.into_iter().flatten().flatten().any(|thread| {
                let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
                // The name in parentheses may hold anything; the state follows the last one.
                let state = stat
                    .rsplit_once(") ")
                    .and_then(|(_, rest)| rest.chars().next());
                matches!(state, Some('R' | 'D'))
            })
        })
    }
}
