//! Passwords: where they come from.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, stderr, stdin};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Failure;

/// The variable with the password of who asks.
pub const VARIABLE: &str = "NETSESSION_PASSWORD";

/// Longest password, in bytes: NTLM counts the length of its UTF-16 form in 16 bits, and
/// Windows stops at 256 characters.
const MAX_BYTES: u64 = 4096;

/// The password of `user` for `server`: the file, else the variable, else a question.
/// `used_stdin`: standard input has been read to its end and tells nothing about a terminal.
pub fn of_user(
    user: &str,
    server: &str,
    file: Option<&Path>,
    used_stdin: bool,
) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = file {
        let tried = format!("read the password from {}", path.display());
        let file = File::open(path).map_err(|error| Failure::local(&tried, &error))?;
        return first_line(file).map_err(|error| Failure::local(&tried, &error));
    }
    if let Some(value) = std::env::var_os(VARIABLE) {
        return value.into_string().map(Zeroizing::new).map_err(|_| {
            Failure::usage(format!(
                "{VARIABLE} is not UTF-8; set it again, or use --password-file"
            ))
        });
    }
    let somebody_is_there = match used_stdin {
        true => stderr().is_terminal(),
        false => stdin().is_terminal(),
    };
    if !somebody_is_there {
        return Err(Failure::usage(format!(
            "no password for {user}, and no terminal to ask on; \
             give -U {user}%PASSWORD, --password-file FILE or {VARIABLE}"
        )));
    }
    ask(&format!("Password for {user} at {server}: "))
}

/// A password to set: the first line of standard input, or asked for twice. The variable does
/// not count here, it belongs to who asks. Empty ones are refused: anybody could log on.
pub fn new(user: &str, from_stdin: bool) -> Result<Zeroizing<String>, Failure> {
    let password = if from_stdin {
        first_line(stdin().lock())
            .map_err(|error| Failure::local("read the password from standard input", &error))?
    } else if stdin().is_terminal() {
        let first = ask(&format!("New password for {user}: "))?;
        if first != ask("The same again: ")? {
            return Err(Failure::usage(
                "the two passwords differ; nothing was changed",
            ));
        }
        first
    } else {
        return Err(Failure::usage(
            "no password, and no terminal to ask on; give --password-stdin and write it there",
        ));
    };
    if password.is_empty() {
        return Err(Failure::usage("the password is empty; nothing was changed"));
    }
    Ok(password)
}

fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(question)
        .map(Zeroizing::new)
        .map_err(|error| Failure::local("ask for the password", &error))
}

/// The first line without its end.
fn first_line(source: impl Read) -> std::io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    BufReader::new(source.take(MAX_BYTES + 1)).read_line(&mut line)?;
    if line.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other(format!(
            "it is longer than {MAX_BYTES} bytes"
        )));
    }
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_without_its_end() {
        for (bytes, password) in [
            ("a b \n", "a b "),
            ("secret\r\nmore", "secret"),
            ("x", "x"),
            ("", ""),
        ] {
            assert_eq!(*first_line(bytes.as_bytes()).unwrap(), password);
        }
        assert!(first_line(&b"\xff\n"[..]).is_err());
        assert!(first_line("x".repeat(5000).as_bytes()).is_err());
    }

    #[test]
    fn files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, "Adm1n.Pw\n").unwrap();
        assert_eq!(
            *of_user("admin", "srv", Some(&path), false).unwrap(),
            "Adm1n.Pw"
        );
        let missing =
            of_user("admin", "srv", Some(&directory.path().join("none")), false).unwrap_err();
        assert_eq!(missing.exit, crate::failure::Exit::Local);
    }
}
