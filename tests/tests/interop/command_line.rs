//! The program `netsession` as a client: against the chosen subject, against Samba, and
//! against hosts that do not behave.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use netsession_tests::client::{SHORT, hold, netsession};
use netsession_tests::program::{self, Finished, run};
use netsession_tests::subject::{ADMIN, ALICE, BOB, Kind};
use netsession_tests::{Options, Subject};
use serde_json::Value;

/// Exit codes, as `netsession --help` lists them.
mod exit {
    pub const USAGE: i32 = 2;
    pub const UNREACHABLE: i32 = 3;
    pub const LOGON_FAILED: i32 = 4;
    pub const ACCESS_DENIED: i32 = 5;
    pub const NO_SUCH_SESSION: i32 = 6;
    pub const PROTOCOL: i32 = 7;
}

/// The users of a listing in JSON.
#[track_caller]
fn users(said: &Finished) -> Vec<String> {
    let listing: Value = serde_json::from_str(&said.stdout)
        .unwrap_or_else(|error| panic!("not JSON ({error}): {said}"));
    assert_eq!(listing["schema_version"], 1, "{said}");
    let mut users: Vec<_> = listing["sessions"]
        .as_array()
        .unwrap_or_else(|| panic!("no sessions: {said}"))
        .iter()
        .map(|row| row["user"].as_str().unwrap_or("-").to_owned())
        .collect();
    users.sort();
    users
}

/// One line that says what was tried, what came back and what to do.
#[track_caller]
fn fails_with(said: &Finished, code: i32) {
    assert_eq!(said.code, Some(code), "{said}");
    assert_eq!(
        said.stderr.trim_end().lines().count(),
        1,
        "one line: {said}"
    );
    assert!(said.stderr.starts_with("netsession: "), "{said}");
    assert_eq!(said.stdout, "", "{said}");
}

/// `list` and `end` against a server of `kind`.
fn lists_and_ends(kind: Kind, options: Options) {
    let encrypted = options.encrypted;
    let subject = Subject::of(kind, options);
    let server = subject.host_and_port();
    let (alice, bob) = (hold(&subject, ALICE), hold(&subject, BOB));

    let said = netsession(&["list", &server, "--json"]).succeeded();
    assert_eq!(users(&said), ["admin", "alice", "bob"]);
    let levels: &[&str] = if kind == Kind::Samba {
        &["0", "1"]
    } else {
        &["0", "1", "2", "10", "502"]
    };
    for level in levels {
        let said = netsession(&["list", &server, "--level", level]).succeeded();
        let rows = said
            .stdout
            .lines()
            .filter(|line| line.starts_with("127.0.0.1 "))
            .count();
        assert_eq!(rows, 3, "{said}");
        assert!(said.stdout.starts_with("CLIENT"), "{said}");
        assert_eq!(said.said("alice"), *level != "0", "{said}");
    }
    let said = netsession(&[
        "list",
        &format!(r"\\127.0.0.1:{}", subject.port()),
        "--user",
        "bob",
        "--plain",
    ]);
    let said = said.succeeded();
    assert_eq!(said.stdout.lines().count(), 1, "{said}");
    assert!(said.stdout.starts_with("127.0.0.1\tbob\t"), "{said}");
    let said = netsession(&[
        "list",
        &format!("//{server}"),
        "--client",
        "127.0.0.1",
        "--csv",
    ])
    .succeeded();
    assert_eq!(said.stdout.lines().count(), 4, "{said}");
    netsession(&["show", &server, "--client", "127.0.0.1", "--user", "bob"])
        .succeeded()
        .says("bob");

    fails_with(&netsession(&["end", &server, "--user", "bob"]), exit::USAGE);
    let said = netsession(&["end", &server, "--user", "bob", "--dry-run"]).succeeded();
    assert!(said.said("bob") && !said.said("alice"), "{said}");
    let said = netsession(&["list", &server, "--json"]).succeeded();
    assert_eq!(
        users(&said),
        ["admin", "alice", "bob"],
        "a dry run ends nothing"
    );

    netsession(&[
        "end",
        &server,
        "--client",
        "127.0.0.1",
        "--user",
        "bob",
        "--yes",
    ])
    .succeeded()
    .says("Ended bob on 127.0.0.1");
    let ended = bob.finish(SHORT).succeeded();
    // A request encrypted for a session that is gone ends the connection ([MS-SMB2]
    // 3.3.5.2.1.1); Samba ends it in any case.
    if kind == Kind::Netsession && !encrypted {
        ended.says("ended: 0xc0000203");
    }
    let said = netsession(&["list", &server, "--json"]).succeeded();
    assert_eq!(users(&said), ["admin", "alice"], "alice goes on");
    fails_with(
        &netsession(&["end", &server, "--user", "bob", "--yes"]),
        exit::NO_SUCH_SESSION,
    );
    drop(alice);
}

#[test]
fn against_our_server() {
    lists_and_ends(Kind::Netsession, Options::encrypted(false));
}

#[test]
fn against_our_server_encrypted() {
    lists_and_ends(Kind::Netsession, Options::encrypted(true));
}

#[test]
fn against_samba_with_signing_required() {
    lists_and_ends(Kind::Samba, Options::encrypted(false));
}

#[test]
fn against_samba_with_encryption_required() {
    lists_and_ends(Kind::Samba, Options::encrypted(true));
}

#[test]
fn who_may_not() {
    for kind in [Kind::Netsession, Kind::Samba] {
        let subject = Subject::of(kind, Options::default());
        let server = subject.host_and_port();
        let list = |credentials: &str| netsession(&["list", &server, "-U", credentials]);
        fails_with(&list("admin%wrong"), exit::LOGON_FAILED);
        fails_with(&list("nobody-here%wrong"), exit::LOGON_FAILED);
        fails_with(&list("carol%Car0l.Pw"), exit::LOGON_FAILED);
        fails_with(&list(&ALICE.credentials()), exit::ACCESS_DENIED);
        list(r".\admin%Adm1n.Pw").succeeded();
    }
}

#[test]
fn where_passwords_come_from() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let server = subject.host_and_port();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{}\n", ADMIN.password)).expect("a file");
    netsession(&[
        "list",
        &server,
        "-U",
        "admin",
        "--password-file",
        &file.to_string_lossy(),
    ])
    .succeeded();
    let command = || {
        let mut command = Command::new(program::netsession());
        command
            .args(["list", &server, "-U", "admin"])
            .env_remove("NETSESSION_CREDENTIALS");
        command
    };
    run(command().env("NETSESSION_PASSWORD", ADMIN.password), SHORT).succeeded();
    // Neither a password nor a terminal to ask on.
    let said = run(command().env_remove("NETSESSION_PASSWORD"), SHORT);
    fails_with(&said, exit::USAGE);
}

/// Runs `list` against a host that does `answer` with each connection.
fn against(answer: impl Fn(std::net::TcpStream) + Send + 'static) -> Finished {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    thread::spawn(move || {
        // The thread ends with the test's process.
        for stream in listener.incoming().flatten() {
            answer(stream);
        }
    });
    let start = Instant::now();
    let said = netsession(&["list", &address, "--timeout", "2"]);
    assert!(start.elapsed() < Duration::from_secs(10), "{said}");
    said
}

#[test]
fn a_host_that_is_not_there() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    drop(listener);
    fails_with(&netsession(&["list", &address]), exit::UNREACHABLE);
    fails_with(
        &netsession(&["list", "no-such-host.invalid:445"]),
        exit::UNREACHABLE,
    );
}

#[test]
fn a_host_that_says_nothing() {
    let said = against(|mut stream| {
        let mut taken = [0; 4096];
        while stream.read(&mut taken).is_ok_and(|length| length > 0) {}
    });
    fails_with(&said, exit::UNREACHABLE);
    assert!(said.took >= Duration::from_secs(2), "{said}");
}

#[test]
fn a_host_that_hangs_up() {
    fails_with(&against(drop), exit::UNREACHABLE);
}

#[test]
fn a_host_that_talks_garbage() {
    let garbage: &[&[u8]] = &[
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        // A frame of 16 MiB that never comes; an empty one; a short one.
        b"\x00\xff\xff\xff\xfeSMB",
        b"\x00\x00\x00\x00\x00\x00\x00\x00",
        b"\x00\x00\x00\x04\xfeSMB",
        // A whole frame that is not SMB, and one that is SMB1.
        b"\x00\x00\x00\x08garbage!",
        b"\x00\x00\x00\x23\xffSMB\x72\x00\x00\x00\x00\x98\x01\x28\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    ];
    for bytes in garbage {
        let said = against(move |mut stream| {
            let mut taken = [0; 4096];
            let _ = stream.read(&mut taken);
            let _ = stream.write_all(bytes);
        });
        assert!(
            matches!(said.code, Some(exit::PROTOCOL | exit::UNREACHABLE)),
            "{:?}: {said}",
            String::from_utf8_lossy(bytes)
        );
        assert_eq!(said.stderr.trim_end().lines().count(), 1, "{said}");
    }
    // A frame with bytes of a header that make no sense is a broken protocol and nothing else.
    let said = against(|mut stream| {
        let mut taken = [0; 4096];
        let _ = stream.read(&mut taken);
        let mut frame = vec![0, 0, 1, 0, 0xfe, b'S', b'M', b'B', 64, 0];
        frame.resize(4 + 256, 0xa5);
        let _ = stream.write_all(&frame);
        thread::sleep(Duration::from_secs(5));
    });
    fails_with(&said, exit::PROTOCOL);
}
