//! The programs in C and Python: a call as words, the answer as lines.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use netsession_tests::capi::{self, COMPILERS, Linkage};
use netsession_tests::client::SHORT;
use netsession_tests::program::{self, Finished, root, run};

use super::Driver;
use crate::call::{Answer, Asked, Call, Name, Row};

/// A program that makes one call.
pub struct Program {
    name: &'static str,
    /// The program, with what it has to know of its surroundings.
    command: fn() -> Command,
}

impl Program {
    /// crates/capi/tests/c/driver.c, linked with the installed library.
    pub fn c() -> Self {
        Program {
            name: "C",
            command: || capi::command(c_program()),
        }
    }

    /// crates/python/tests/driver.py, with the installed wheel.
    pub fn python() -> Self {
        Program {
            name: "Python",
            command: || {
                let python = program::wheel_python();
                assert!(
                    python.exists(),
                    "no {}; `cargo xtask test build` makes it",
                    python.display()
                );
                let mut command = Command::new(python);
                // From the wheel, not from the folder of its sources.
                command
                    .arg("-B")
                    .arg(root().join("crates/python/tests/driver.py"))
                    .current_dir("/");
                command
            },
        }
    }
}

/// Compiled by the first who asks.
fn c_program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = root().join("target/interop/functions");
        std::fs::create_dir_all(&folder).expect("a folder");
        let source = root().join("crates/capi/tests/c/driver.c");
        capi::compile(&source, COMPILERS[0], Linkage::Shared, &[], &folder)
    })
}

impl Driver for Program {
    fn name(&self) -> &'static str {
        self.name
    }

    fn call(&self, asked: &Asked, call: &Call) -> Answer {
        let mut command = (self.command)();
        command
            .args(words(asked, call))
            .env("NS_USER", asked.user.credentials())
            .env("NETSESSION_LOCAL_SOCKET", &asked.socket)
            .env_remove("NS_PORT");
        read(&run(&mut command, SHORT).succeeded())
    }
}

fn words(asked: &Asked, call: &Call) -> Vec<String> {
    let name = |name: Name| name.unwrap_or("-").to_owned();
    let server = asked.server.clone().unwrap_or_else(|| "-".to_owned());
    match *call {
        Call::Enum {
            client,
            user,
            level,
            prefmaxlen,
            resume,
        } => vec![
            "enum".to_owned(),
            server,
            level.to_string(),
            name(client),
            name(user),
            prefmaxlen.to_string(),
            resume.map_or_else(|| "-".to_owned(), |handle| handle.to_string()),
        ],
        Call::GetInfo {
            client,
            user,
            level,
        } => vec![
            "getinfo".to_owned(),
            server,
            level.to_string(),
            name(client),
            name(user),
        ],
        Call::Del { client, user } => vec!["del".to_owned(), server, name(client), name(user)],
    }
}

/// `status N`, for NetSessionEnum `entries N total M resume R`, and a line for each entry.
#[track_caller]
fn read(said: &Finished) -> Answer {
    let wrong = || -> ! { panic!("not what a driver says: {said}") };
    let number = |text: &str| text.parse::<u32>().unwrap_or_else(|_| wrong());
    let mut lines = said.stdout.lines();
    let status = lines.next().and_then(|line| line.strip_prefix("status "));
    let mut answer = Answer::status(number(status.unwrap_or_default()), said.to_string());
    for line in lines {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["entries", entries, "total", total, "resume", resume] => {
                answer.entries = Some(number(entries));
                answer.total = Some(number(total));
                answer.resume = (resume != "-").then(|| number(resume));
            }
            _ => answer.rows.push(row(line).unwrap_or_else(|| wrong())),
        }
    }
    answer
}

fn row(line: &str) -> Option<Row> {
    line.split('\t')
        .map(|field| field.split_once('='))
        .map(|pair| pair.map(|(member, value)| (member.to_owned(), value.to_owned())))
        .collect()
}
