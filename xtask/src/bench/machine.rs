//! The machine a run was made on.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Processor, cores, memory, kernel and Samba's version in one line.
pub fn line() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpuinfo, "model name").unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = field(&meminfo, "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or_else(String::new, |kib| {
            format!(", {:.0} GiB", kib / 1024.0 / 1024.0)
        });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{model}, {cores} cores{memory}, Linux {}, {}",
        kernel.trim(),
        samba()
    )
}

/// Samba and its version.
pub fn samba() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let said = Command::new("smbd")
        .arg("--version")
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let version = said.trim().strip_prefix("Version ").unwrap_or("?");
    format!("Samba {version}")
}

/// The commit of the checkout, with `+` if something in it is changed.
pub fn commit(root: &Path) -> String {
    let git = |words: &[&str]| {
        Command::new("git")
            .args(words)
            .current_dir(root)
            .output()
            .ok()
            .filter(|output| output.status.success())
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match git(&["rev-parse", "--short=10", "HEAD"]) {
        Some(commit) => {
            let clean = git(&["status", "--porcelain", "-uno"]).is_some_and(|text| text.is_empty());
            commit + if clean { "" } else { "+" }
        }
        None => "unknown".to_owned(),
    }
}

/// Now, in UTC.
pub fn date() -> String {
    Command::new("date")
        .args(["-u", "+%Y-%m-%d %H:%M UTC"])
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

/// The value behind `name` in a file of `name: value` lines.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let text = "MemTotal:       1024 kB\nmodel name\t: A: B\n";
        assert_eq!(field(text, "MemTotal"), Some("1024 kB"));
        assert_eq!(field(text, "model name"), Some("A: B"));
        assert_eq!(field(text, "model"), None);
    }
}
