//! Real clients, set up for a [`Subject`].

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::program::{self, Finished, Running, root};
use crate::subject::{ADMIN, Subject, User};

/// Enough for any short exchange, even with both cores busy.
pub const SHORT: Duration = Duration::from_secs(60);
/// For thousands of files or hundreds of megabytes.
pub const LONG: Duration = Duration::from_secs(300);

/// How smbclient speaks.
#[derive(Clone, Copy, Debug)]
pub struct Speech {
    /// The only dialect offered, in Samba's words (`SMB3_11`); `None` offers all from 2.0.2.
    pub dialect: Option<&'static str>,
    /// `sign` or `encrypt`.
    pub protection: &'static str,
}

impl Default for Speech {
    fn default() -> Self {
        Speech {
            dialect: None,
            protection: "sign",
        }
    }
}

/// smbclient on `share` as `user`, carrying out `commands` in the folder `local`.
pub fn smbclient(
    subject: &Subject,
    share: &str,
    user: User,
    speech: Speech,
    local: &Path,
    commands: &str,
) -> Command {
    let mut command = Command::new("smbclient");
    command
        .arg(format!("//127.0.0.1/{share}"))
        .args(["--port", &subject.port()])
        .args(["--user", &user.credentials()])
        .args(["--configfile", "/dev/null"])
        .arg(format!("--client-protection={}", speech.protection))
        .arg(format!(
            "--option=client min protocol={}",
            speech.dialect.unwrap_or("SMB2_02")
        ))
        .arg(format!(
            "--option=client max protocol={}",
            speech.dialect.unwrap_or("SMB3_11")
        ))
        .args(["--command", commands])
        .current_dir(local);
    command
}

/// Runs smbclient with its defaults, as [`smbclient`] does.
#[track_caller]
pub fn smb(subject: &Subject, share: &str, user: User, local: &Path, commands: &str) -> Finished {
    program::run(
        &mut smbclient(subject, share, user, Speech::default(), local, commands),
        SHORT,
    )
}

/// Runs rpcclient with `commands`, separated by `;`.
#[track_caller]
pub fn rpcclient(subject: &Subject, user: User, commands: &str) -> Finished {
    program::run(
        Command::new("rpcclient")
            .arg("127.0.0.1")
            .args(["--port", &subject.port()])
            .args(["--user", &user.credentials()])
            .args(["--configfile", "/dev/null"])
            .args(["--command", commands]),
        SHORT,
    )
}

/// `tests/python/NAME.py HOST PORT arguments…`, to its end.
#[track_caller]
pub fn python(subject: &Subject, name: &str, arguments: &[&str]) -> Finished {
    program::run(&mut python_command(subject, name, arguments), SHORT)
}

/// `tests/python/NAME.py HOST PORT arguments…`, beside the test.
#[track_caller]
pub fn python_beside(subject: &Subject, name: &str, arguments: &[&str]) -> Running {
    Running::start(&mut python_command(subject, name, arguments))
}

fn python_command(subject: &Subject, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program::python());
    command
        .arg("-B")
        .arg(root().join("tests/python").join(format!("{name}.py")))
        .args(["127.0.0.1", &subject.port()])
        .args(arguments)
        .env(
            "NETSESSION_SUBJECT",
            if subject.is_samba() {
                "samba"
            } else {
                "netsession"
            },
        )
        .env("PYTHONUNBUFFERED", "1");
    command
}

/// A session of `user` that reads a file again and again until that fails, and then says
/// `ended: STATUS`. It reads when this returns.
#[track_caller]
pub fn hold(subject: &Subject, user: User) -> Running {
    hold_from(subject, user, "127.0.0.1")
}

/// As [`hold`], from this loopback address.
#[track_caller]
pub fn hold_from(subject: &Subject, user: User, source: &str) -> Running {
    let sign = subject.data().join(format!("{}.reading", user.name));
    let _ = std::fs::remove_file(&sign);
    let held = python_beside(subject, "hold", &[user.name, source]);
    let start = Instant::now();
    while !sign.exists() {
        if start.elapsed() > SHORT {
            drop(held);
            panic!("{} never opened a file", user.name);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    held
}

/// `netsession WORDS…`, as ADMIN unless they say who.
#[track_caller]
pub fn netsession(words: &[&str]) -> Finished {
    let mut command = Command::new(program::netsession());
    command
        .args(words)
        .env_remove("NETSESSION_PASSWORD")
        .env_remove("NETSESSION_USER");
    if !words.contains(&"-U") {
        command.args(["-U", &ADMIN.credentials()]);
    }
    program::run(&mut command, SHORT)
}
