//! `netsession` without a server: this machine's own service, through its Unix socket.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use netsession_tests::client::{SHORT, hold};
use netsession_tests::program::{self, Finished, run};
use netsession_tests::subject::{ALICE, BOB, Kind};
use netsession_tests::{Options, Subject};
use serde_json::Value;

fn socket(subject: &Subject) -> PathBuf {
    subject.outside().join("srvsvc.sock")
}

fn local(subject: &Subject, words: &[&str]) -> Finished {
    run(
        Command::new(program::netsession())
            .args(words)
            .arg("--local-socket")
            .arg(socket(subject))
            .env_remove("NETSESSION_USER"),
        SHORT,
    )
}

#[test]
fn list_show_and_end_without_a_password() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let (alice, bob) = (hold(&subject, ALICE), hold(&subject, BOB));
    let said = local(&subject, &["list", "--json"]).succeeded();
    let listing: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(listing["server"], "this machine", "{said}");
    assert_eq!(listing["level"], 502, "{said}");
    let users: Vec<&str> = listing["sessions"]
        .as_array()
        .expect("sessions")
        .iter()
        .map(|session| session["user"].as_str().expect("a user"))
        .collect();
    assert_eq!(
        users,
        ["alice", "bob"],
        "asking takes no session here: {said}"
    );

    local(&subject, &["list"])
        .succeeded()
        .says("2 sessions on this machine, level 502");
    let by_environment = run(
        Command::new(program::netsession())
            .args(["list", "--plain"])
            .env("NETSESSION_LOCAL_SOCKET", socket(&subject)),
        SHORT,
    );
    assert_eq!(by_environment.succeeded().stdout.lines().count(), 2);
    let said = local(
        &subject,
        &[
            "show",
            "--client",
            "127.0.0.1",
            "--user",
            "bob",
            "--format",
            "net",
        ],
    )
    .succeeded();
    assert!(
        said.stdout
            .starts_with("User name       bob\nComputer        127.0.0.1\n"),
        "{said}"
    );

    let said = local(
        &subject,
        &["end", "--client", "127.0.0.1", "--user", "bob", "--yes"],
    );
    said.succeeded().says("Ended bob on 127.0.0.1.");
    bob.finish(SHORT).succeeded().says("ended: 0xc0000203");
    let said = local(&subject, &["list", "--plain"]).succeeded();
    assert_eq!(said.stdout.lines().count(), 1, "{said}");
    local(&subject, &["doctor"])
        .succeeded()
        .says("Sessions can be listed at every level");
    drop(alice);
}

#[test]
fn who_is_no_administrator_here() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let nobody = |words: &[&str]| {
        run(
            Command::new(program::netsession())
                .args(words)
                .arg("--local-socket")
                .arg(socket(&subject))
                .uid(65534)
                .gid(65534),
            SHORT,
        )
    };
    for words in [
        &["list"][..],
        &["show", "--client", "a", "--user", "b"],
        &["end", "--user", "bob", "--yes"],
    ] {
        let said = nobody(words);
        assert_eq!(said.code, Some(5), "{said}");
        assert_eq!(said.stderr.lines().count(), 1, "{said}");
        assert!(
            said.stderr.contains("`netsession doctor` tells more"),
            "{said}"
        );
    }
    let said = nobody(&["doctor"]);
    assert_eq!(said.code, Some(5), "{said}");
    said.says("administrators_group");
}

#[test]
fn where_no_service_runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stale = folder.path().join("stale");
    drop(std::os::unix::net::UnixListener::bind(&stale).expect("a socket"));
    for socket in [folder.path().join("none"), stale] {
        for command in [
            &["list"][..],
            &["end", "--user", "bob", "--yes"],
            &["doctor"],
        ] {
            let said = run(
                Command::new(program::netsession())
                    .args(command)
                    .arg("--local-socket")
                    .arg(&socket),
                SHORT,
            );
            assert_eq!(said.code, Some(3), "{said}");
            assert!(said.said("NERR_ServerNotStarted"), "{said}");
            assert!(
                said.said("2114") && said.said("not running on this machine"),
                "{said}"
            );
        }
    }
    let said = run(
        Command::new(program::netsession()).args(["list", "srv", "--local-socket", "x"]),
        SHORT,
    );
    assert_eq!(said.code, Some(2), "one or the other: {said}");
}
