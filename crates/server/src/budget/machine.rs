//! [`Machine`]: how many descriptors and how much memory this process may use.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, getrlimit};

/// Taken where the system does not tell: a small machine.
const UNKNOWN_MEMORY: u64 = 1 << 30;

/// What limits are derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// RLIMIT_NOFILE as it is now; `u64::MAX` for no limit.
    pub(super) descriptors: u64,
    /// Of the machine, or of the control group if that may use less, in bytes.
    pub(super) memory_bytes: u64,
}

impl Machine {
    /// This one, as it is now.
    pub(super) fn read() -> Self {
        Self {
            descriptors: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            memory_bytes: memory_bytes(Path::new("/proc"), Path::new("/sys/fs/cgroup")),
        }
    }
}

/// The least of MemTotal and the limits of the control group and of those around it, in
/// version 2 (memory.max) or 1 (memory.limit_in_bytes).
fn memory_bytes(proc: &Path, groups: &Path) -> u64 {
    let meminfo = fs::read_to_string(proc.join("meminfo")).unwrap_or_default();
    let total = total_memory(&meminfo).unwrap_or(UNKNOWN_MEMORY);
    let membership = fs::read_to_string(proc.join("self/cgroup")).unwrap_or_default();
    let of_groups = membership.lines().filter_map(|line| {
        let (root, path, file) = match line.splitn(3, ':').collect::<Vec<_>>()[..] {
            ["0", "", path] => (groups.to_owned(), path, "memory.max"),
            [_, kinds, path] if kinds.split(',').any(|kind| kind == "memory") => {
                (groups.join("memory"), path, "memory.limit_in_bytes")
            }
            _ => return None,
        };
        // In a container the path may be that of the machine; the root is the container's.
        let paths = Path::new(path.trim_start_matches('/')).ancestors();
        let limits = paths.filter_map(|path| {
            let text = fs::read_to_string(root.join(path).join(file)).ok()?;
            text.trim().parse::<u64>().ok()
        });
        limits.min()
    });
    of_groups.min().map_or(total, |limit| limit.min(total))
}

/// MemTotal in bytes.
fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib = line.split_whitespace().next()?.parse::<u64>().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn read(files: &[(&str, &str)]) -> u64 {
        let folder = tree(files);
        memory_bytes(&folder.path().join("proc"), &folder.path().join("groups"))
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal: 4194304 kB\nMemFree: 1 kB\n");

    #[test]
    fn the_machine_if_there_is_no_group() {
        assert_eq!(read(&[MEMINFO]), 4 * GIB);
        assert_eq!(read(&[]), UNKNOWN_MEMORY);
    }

    #[test]
    fn the_least_of_the_groups_around() {
        let member = ("proc/self/cgroup", "0::/a/b\n");
        let inner = ("groups/a/b/memory.max", "3221225472\n");
        assert_eq!(read(&[MEMINFO, member, inner]), 3 * GIB);
        let outer = ("groups/a/memory.max", "1073741824\n");
        assert_eq!(read(&[MEMINFO, member, inner, outer]), GIB);
        let endless = ("groups/a/b/memory.max", "max\n");
        assert_eq!(read(&[MEMINFO, member, endless]), 4 * GIB);
        // A container's own root.
        let root = ("groups/memory.max", "2147483648\n");
        assert_eq!(read(&[MEMINFO, member, root]), 2 * GIB);
    }

    #[test]
    fn groups_of_the_first_version() {
        let member = ("proc/self/cgroup", "5:cpu:/x\n4:memory,pids:/a\n0::/\n");
        let limit = ("groups/memory/a/memory.limit_in_bytes", "536870912\n");
        assert_eq!(read(&[MEMINFO, member, limit]), GIB / 2);
        let none = (limit.0, "9223372036854771712\n");
        assert_eq!(read(&[MEMINFO, member, none]), 4 * GIB);
    }

    #[test]
    fn this_machine() {
        let machine = Machine::read();
        assert!(machine.descriptors >= 64);
        assert!(machine.memory_bytes >= 64 << 20);
    }
}
