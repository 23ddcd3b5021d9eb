//! The servers that `list` is told: names, and files of names.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, stdin};
use std::net::IpAddr;
use std::path::Path;

use netsession::Target;

use crate::failure::{Exit, Failure};

/// Longest file, in bytes: a quarter of a million names. Longer ones are no list of servers.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// What was typed, read.
#[derive(Debug, Default)]
pub struct Servers {
    /// Each once, in the order in which they were named.
    pub targets: Vec<Target>,
    /// Those that were named more than once.
    pub repeated: Vec<Target>,
    /// More than one was typed, or a file: the output names the server of each session. What
    /// stands in a file makes no difference, so that scripts know what they get.
    pub several: bool,
    /// Standard input has been read and cannot be asked for anything else.
    pub used_stdin: bool,
}

impl Servers {
    /// Reads all names before anything is asked. No words at all are this machine.
    ///
    /// # Errors
    /// [`Exit::Usage`] for a bad name, with its file and line; [`Exit::Local`] for a file
    /// that cannot be read.
    pub fn read(words: &[String]) -> Result<Self, Failure> {
        let mut servers = Self {
            several: words.len() > 1 || words.iter().any(|word| word.starts_with('@')),
            ..Self::default()
        };
        if words.is_empty() {
            servers.targets.push(Target::this_machine());
        }
        let mut known = HashSet::new();
        for word in words {
            match word.strip_prefix('@') {
                None => servers.add(&mut known, Target::parse(word)?),
                Some("") => {
                    return Err(Failure::usage(
                        "@ without a file; write @FILE, or @- for standard input",
                    ));
                }
                Some("-") if servers.used_stdin => {
                    return Err(Failure::usage("standard input (@-) can be read only once"));
                }
                Some("-") => {
                    servers.used_stdin = true;
                    servers.read_from(&mut known, "standard input", stdin().lock())?;
                }
                Some(path) => {
                    let file =
                        File::open(Path::new(path)).map_err(|error| unreadable(path, &error))?;
                    servers.read_from(&mut known, path, file)?;
                }
            }
        }
        Ok(servers)
    }

    fn read_from(
        &mut self,
        known: &mut HashSet<(String, u16)>,
        name: &str,
        source: impl Read,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        source
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(name, &error))?;
        if bytes.len() as u64 > MAX_FILE {
            let limit = format!("it is longer than {} MiB", MAX_FILE / 1024 / 1024);
            return Err(unreadable(name, &limit));
        }
        let mut found = false;
        // A byte order mark, as some editors put it there.
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let wrong = |what: &str| Failure {
                exit: Exit::Usage,
                message: format!("{name}, line {}: {what}", index + 1),
            };
            let line = std::str::from_utf8(line).map_err(|_| {
                wrong("not UTF-8 text; write one server a line, # starts a comment")
            })?;
            let server = without_comment(line);
            if server.is_empty() {
                continue;
            }
            let target = Target::parse(server).map_err(|error| wrong(&error.to_string()))?;
            self.add(known, target);
            found = true;
        }
        if !found {
            return Err(Failure {
                exit: Exit::Usage,
                message: format!("{name}: no server in it; write one a line, # starts a comment"),
            });
        }
        Ok(())
    }

    fn add(&mut self, known: &mut HashSet<(String, u16)>, target: Target) {
        // Case does not tell names apart, nor do zeros addresses.
        let host = match target.host().parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => target.host().to_lowercase(),
        };
        if known.insert((host, target.port())) {
            self.targets.push(target);
        } else if !self.repeated.contains(&target) {
            self.repeated.push(target);
        }
    }
}

/// A line up to `#` at its start or behind a space, without the space around it.
fn without_comment(line: &str) -> &str {
    let end = line
        .char_indices()
        .find(|&(at, c)| {
            c == '#'
                && line[..at]
                    .chars()
                    .next_back()
                    .is_none_or(char::is_whitespace)
        })
        .map_or(line.len(), |(at, _)| at);
    line[..end].trim()
}

fn unreadable(name: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure {
        exit: Exit::Local,
        message: format!("read the servers from {name}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Servers, Failure> {
        let mut servers = Servers::default();
        servers.read_from(&mut HashSet::new(), "servers.txt", text)?;
        Ok(servers)
    }

    fn names(targets: &[Target]) -> Vec<String> {
        targets.iter().map(Target::to_string).collect()
    }

    #[test]
    fn one_a_line_with_comments() {
        let text =
            "\u{feff}srv1\r\n\n# all of them\n  srv2:4450  # the second\n\\\\srv3\n[::1]:446#x\n";
        let error = read(text.as_bytes()).unwrap_err();
        assert!(
            error.message.starts_with("servers.txt, line 6: "),
            "{}",
            error.message
        );
        let text = text.replace("#x", " #x");
        let servers = read(text.as_bytes()).unwrap();
        assert_eq!(
            names(&servers.targets),
            ["srv1", "srv2:4450", "srv3", "[::1]:446"]
        );
    }

    #[test]
    fn a_bad_line_is_named_with_what_was_expected() {
        for (text, line) in [
            (&b"srv1\nsrv 2\n"[..], 2),
            (b"srv1:x\n", 1),
            (b"a\nb\n@c\n", 3),
            (b"a\n\xff\n", 2),
            (b"a,b/c\n", 1),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            assert!(
                error
                    .message
                    .starts_with(&format!("servers.txt, line {line}: ")),
                "{}",
                error.message
            );
            assert!(error.message.contains("write "), "{}", error.message);
        }
    }

    #[test]
    fn a_file_without_servers_is_not_this_machine() {
        for text in ["", "\n\n", "# nothing\n"] {
            let error = read(text.as_bytes()).unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            assert!(
                error.message.contains("no server in it"),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn each_once() {
        let text = "srv\nSRV:445\n\\\\srv\nsrv:446\n::1\n0:0::1\n";
        let servers = read(text.as_bytes()).unwrap();
        assert_eq!(names(&servers.targets), ["srv", "srv:446", "[::1]"]);
        assert_eq!(servers.repeated.len(), 3);
    }

    #[test]
    fn what_is_several_depends_on_what_was_typed() {
        let words = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            Servers::read(&words)
        };
        assert!(!words("srv").unwrap().several);
        assert!(words("srv SRV").unwrap().several);
        assert!(words("").unwrap().targets[0].is_this_machine());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one");
        std::fs::write(&path, "srv\n").unwrap();
        assert!(words(&format!("@{}", path.display())).unwrap().several);
        for (line, exit) in [
            ("@", Exit::Usage),
            ("@/no/such/file", Exit::Local),
            ("@/", Exit::Local),
            ("srv @/dev/null", Exit::Usage),
        ] {
            let error = words(line).unwrap_err();
            assert_eq!(error.exit, exit, "{line}: {}", error.message);
        }
    }
}
