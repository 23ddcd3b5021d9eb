//! `cargo xtask guest`: Linux's own SMB client, in a guest, against our server.
//! [docs/conformance.md](../../docs/conformance.md) says how to read it.

use std::path::Path;
use std::time::Instant;

use netsession_tests::Kind;
use netsession_tests::guest::{self, CHECKS, DIALECTS, Peer, Plan};

use crate::run::say;

/// The words behind `guest`.
pub const USAGE: &str = "\
  guest [DIALECT...] [CHECK...] [--all|--bounded] [--samba|--ksmbd] [--seed N]
                   Linux's own client (cifs.ko, Debian's kernel in qemu), two mounts of one share,
                   against our server: a line for each check. Without a name what fits into four
                   minutes; --all takes every check at every dialect, --bounded what fits into two
                   minutes; --samba asks a private smbd instead (as root), --ksmbd Linux's own
                   server in the guest; --seed is that of the random operations
";

/// Runs what `words` name.
pub fn guest(root: &Path, words: &[&str]) -> Result<(), String> {
    let (peer, plan) = parse(words)?;
    let start = Instant::now();
    guest::run(root, peer, &plan)?;
    say(&format!("the guest: {} s", start.elapsed().as_secs()));
    Ok(())
}

fn parse(words: &[&str]) -> Result<(Peer, Plan), String> {
    let mut peer = Peer::Outside(Kind::Netsession);
    let mut plan = Plan::short();
    let (mut dialects, mut checks) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    let mut seed = plan.seed;
    while let Some(word) = words.next() {
        if let Some(dialect) = DIALECTS.iter().find(|dialect| *dialect == word) {
            dialects.push(*dialect);
        } else if CHECKS.contains(word) {
            checks.push((*word).to_owned());
        } else {
            match *word {
                "--all" => plan = Plan::all(),
                "--bounded" => plan = Plan::bounded(),
                "--samba" => peer = Peer::Outside(Kind::Samba),
                "--ksmbd" => peer = Peer::Ksmbd,
                "--seed" => {
                    let number = words.next().and_then(|number| number.parse().ok());
                    seed = number.ok_or("--seed: a number")?;
                }
                word => {
                    return Err(format!(
                        "no `{word}`; dialects: {}; checks: {}\n{USAGE}",
                        DIALECTS.join(" "),
                        CHECKS.join(" ")
                    ));
                }
            }
        }
    }
    plan.seed = seed;
    if !dialects.is_empty() || !checks.is_empty() {
        let every = Plan::all();
        plan.dialects = match dialects.is_empty() {
            true => vec!["3.1.1"],
            false => dialects,
        };
        plan.checks = match checks.is_empty() {
            true => every.checks,
            false => checks,
        };
        plan.limit = every.limit;
    }
    Ok((peer, plan))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let (peer, plan) = parse(&["3.0", "fcntl", "--seed", "7"]).unwrap();
        assert_eq!(peer, Peer::Outside(Kind::Netsession));
        assert_eq!(parse(&["--ksmbd"]).unwrap().0, Peer::Ksmbd);
        assert_eq!(parse(&["--bounded"]).unwrap().1, Plan::bounded());
        assert_eq!((plan.dialects.as_slice(), plan.seed), (&["3.0"][..], 7));
        assert_eq!(plan.checks, ["fcntl"]);
        assert_eq!(parse(&["--all"]).unwrap().1, Plan::all());
        assert_eq!(parse(&[]).unwrap().1, Plan::short());
        assert_eq!(parse(&["fcntl"]).unwrap().1.dialects, ["3.1.1"]);
        assert!(parse(&["--quickly"]).is_err());
    }
}
