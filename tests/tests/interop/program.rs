//! The program as a person meets it: the demo, accounts, the configuration file, stopping.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use netsession_tests::client::{SHORT, hold, netsession, smb};
use netsession_tests::program::{self, Finished, run};
use netsession_tests::subject::{ADMIN, ALICE, BOB, Kind, User};
use netsession_tests::{Options, Subject};

#[test]
fn the_demo() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = run(
        Command::new(program::netsession())
            .arg("demo")
            .env("TMPDIR", folder.path()),
        Duration::from_secs(30),
    )
    .succeeded()
    .says("STATUS_USER_SESSION_DELETED (0xC0000203)");
    for level in ["0", "1", "2", "10", "502"] {
        assert!(said.said(&format!("--level {level}\n")), "{said}");
    }
    let left: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .flatten()
        .collect();
    assert!(left.is_empty(), "it cleans up: {left:?}");
}

#[test]
fn accounts_of_a_running_server() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let state = subject.outside().join("state");
    let local = tempfile::tempdir().expect("a temporary folder");
    let account = |words: &[&str]| {
        run(
            Command::new(program::netsession())
                .arg("account")
                .args(words)
                .arg("--data-dir")
                .arg(&state),
            SHORT,
        )
    };
    let ls = |user: User| smb(&subject, "data", user, local.path(), "ls");

    for entry in fs::read_dir(&state).expect("a folder").flatten() {
        let mode = entry.metadata().expect("its facts").permissions().mode();
        assert_eq!(
            mode & 0o077,
            0,
            "{} is for its owner only",
            entry.path().display()
        );
    }
    account(&["list"])
        .succeeded()
        .says("admin")
        .says("alice")
        .says("carol")
        .says("disabled");
    ls(ALICE).succeeded();
    account(&["disable", "alice"]).succeeded();
    ls(ALICE).failed().says("NT_STATUS_ACCOUNT_DISABLED");
    account(&["enable", "ALICE"]).succeeded();
    ls(ALICE).succeeded();
    let passwd = Command::new("sh")
        .arg("-c")
        .arg("echo N3w.Pw | \"$1\" account passwd alice --password-stdin --data-dir \"$2\"")
        .arg("sh")
        .arg(program::netsession())
        .arg(&state)
        .output()
        .expect("a shell");
    assert!(
        passwd.status.success(),
        "{}",
        String::from_utf8_lossy(&passwd.stderr)
    );
    ls(ALICE).failed().says("NT_STATUS_LOGON_FAILURE");
    ls(User {
        password: "N3w.Pw",
        ..ALICE
    })
    .succeeded();
    account(&["remove", "bob"]).succeeded();
    ls(BOB).failed().says("NT_STATUS_LOGON_FAILURE");
    account(&["remove", "bob"]).failed();
    ls(ADMIN).succeeded();
}

/// `serve` with a file that says `words` must not start; the one line it prints.
fn refused(words: &str) -> Finished {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("netsession.toml");
    fs::write(&file, words).expect("a file");
    let said = run(
        Command::new(program::netsession())
            .arg("serve")
            .arg("--data-dir")
            .arg(folder.path())
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(&file),
        SHORT,
    )
    .failed()
    .says("netsession.toml");
    assert_eq!(
        said.stderr.trim_end().lines().count(),
        1,
        "one line: {said}"
    );
    said
}

#[test]
fn a_wrong_configuration_names_file_line_and_choice() {
    let said = refused("comment = \"\"\nsinging = \"required\"\n");
    assert!(
        said.said("singing") && said.said("signing") && said.said("2"),
        "{said}"
    );
    let said = refused("\n\nsigning = \"sometimes\"\n");
    assert!(
        said.said("sometimes") && said.said("required") && said.said("3"),
        "{said}"
    );
}

#[test]
fn sigterm_and_sigint_close_every_open() {
    for signal in ["-TERM", "-INT"] {
        let subject = Subject::of(Kind::Netsession, Options::default());
        let held = [hold(&subject, ALICE), hold(&subject, BOB)];
        let pid = subject.pid().to_string();
        run(Command::new("kill").args([signal, &pid]), SHORT).succeeded();
        for client in held {
            client.finish(SHORT).succeeded().says("ended: ");
        }
        assert_eq!(subject.stopped(), Some(0), "{signal}: a clean exit");
    }
}

#[test]
fn without_arguments_help_is_given() {
    let said = run(&mut Command::new(program::netsession()), SHORT);
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.said("Usage: netsession"), "{said}");
    netsession(&["--help"]).succeeded().says("Exit codes");
    let said = netsession(&["list", "a server with spaces"]);
    assert_eq!(said.code, Some(2), "{said}");
}
