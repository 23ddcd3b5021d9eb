use clap::Parser;
use netsession::{ErrorKind, Target};
use serde_json::Value;

use super::*;
use crate::arguments::{Arguments, Command};

fn arguments(words: &str) -> ListArguments {
    let line = format!("netsession list {words}");
    match Arguments::try_parse_from(line.split_whitespace())
        .unwrap()
        .command
    {
        Command::List(arguments) => arguments,
        other => panic!("{other:?}"),
    }
}

fn row(client: &str, user: &str) -> Row {
    Row {
        client: client.into(),
        user: Some(user.into()),
        opens: Some(1),
        connected_seconds: Some(61),
        idle_seconds: Some(5),
        user_flags: Some(0),
        flags: Some(Vec::new()),
        client_type: Some(String::new()),
        transport: Some(r"\Device\NetbiosSmb".into()),
    }
}

fn reason() -> Reason {
    Reason {
        kind: "unreachable",
        code: 53,
        name: Some("ERROR_BAD_NETPATH"),
        message: "connecting to c: refused".into(),
    }
}

/// Two servers that answer at different levels, their rows mixed, a third that fails after
/// one, and a fourth that says nothing.
fn survey(words: &str) -> String {
    let names = ["a", "b:4450", "c", "d"].map(str::to_owned);
    let mut report = Report::new(&arguments(words), true, &names, Output::default()).unwrap();
    let second = Duration::from_millis(1500);
    report.session(1, 502, row("192.0.2.1", "alice")).unwrap();
    report.session(0, 1, row("192.0.2.2", "bob")).unwrap();
    report.session(1, 502, row("192.0.2.3", "carol")).unwrap();
    report.session(2, 502, row("192.0.2.4", "dave")).unwrap();
    report.done(1, 502, 2, second).unwrap();
    report.failed(2, reason(), 1, second).unwrap();
    report.done(0, 1, 1, second).unwrap();
    report.end().unwrap();
    report.out.pending().to_owned()
}

#[test]
fn a_table_holds_the_rows_of_a_server_together() {
    assert_eq!(
        survey("x"),
        "SERVER  CLIENT           USER          OPENS  CONNECTED  IDLE  FLAGS\n\
         b:4450  192.0.2.1        alice             1      1m 1s    5s\n\
         b:4450  192.0.2.3        carol             1      1m 1s    5s\n\
         c       192.0.2.4        dave              1      1m 1s    5s\n\
         a       192.0.2.2        bob               1      1m 1s    5s\n\
         \n\
         4 sessions on 2 servers, levels 502 (1 server), 1 (a); 1 of 4 failed; \
         interrupted, 1 unfinished\n"
    );
}

#[test]
fn json_has_every_server_in_the_order_of_the_words() {
    let document: Value = serde_json::from_str(&survey("x --json")).unwrap();
    let servers = document["servers"].as_array().unwrap();
    let names: Vec<_> = servers.iter().map(|server| &server["server"]).collect();
    assert_eq!(names, ["a", "b:4450", "c", "d"]);
    assert_eq!(servers[0]["level"], 1);
    assert_eq!(servers[1]["sessions"].as_array().unwrap().len(), 2);
    assert!(servers[1]["error"].is_null());
    assert_eq!(servers[2]["error"]["code"], 53);
    assert_eq!(servers[2]["sessions"][0]["user"], "dave");
    assert_eq!(servers[3]["error"]["kind"], "interrupted");
    assert!(servers[3]["level"].is_null());
    assert_eq!(
        document["summary"],
        serde_json::json!({"servers": 4, "answered": 2, "failed": 1, "unfinished": 1, "sessions": 4})
    );
}

#[test]
fn lines_come_as_they_are_known() {
    let text = survey("x --jsonl");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let types: Vec<_> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "start", "session", "session", "session", "session", "server", "failure", "server",
            "summary"
        ]
    );
    assert_eq!(lines[1]["server"], "b:4450");
    assert_eq!(lines[1]["user"], "alice");
    assert_eq!(lines[6]["error"]["name"], "ERROR_BAD_NETPATH");
    assert_eq!(lines[6]["sessions"], 1);
    assert_eq!(lines[7]["elapsed_seconds"], 1.5);
    assert_eq!(lines[8]["unfinished"], 1);
}

#[test]
fn values_are_behind_the_server() {
    let text = survey("x --csv");
    assert!(text.starts_with("server,client,user,"), "{text}");
    assert_eq!(text.lines().count(), 5);
    assert!(
        text.contains("\nb:4450,192.0.2.1,alice,1,61,5,,,"),
        "{text}"
    );
    let text = survey("x --plain");
    assert_eq!(text.lines().count(), 4);
    assert!(text.starts_with("b:4450\t192.0.2.1\talice\t"), "{text}");
}

#[test]
fn formats_of_windows_name_the_server() {
    let text = survey("x --format net");
    assert!(text.starts_with("\\\\b:4450\nComputer  "), "{text}");
    // Not below those of the server that failed.
    assert_eq!(text.matches(net::END).count(), 2);
    assert_eq!(text.matches(net::HEADING).count(), 3);
    let text = survey("x --format smbsession");
    assert_eq!(text.matches("\n\nClientComputerName : ").count(), 3);
    assert!(text.contains("\nPSComputerName     : b:4450\n"), "{text}");
}

#[test]
fn nobody_answered() {
    let names = ["a".to_owned(), "b".to_owned()];
    let mut report = Report::new(&arguments("x"), true, &names, Output::default()).unwrap();
    for server in 0..2 {
        report.failed(server, reason(), 0, Duration::ZERO).unwrap();
    }
    report.end().unwrap();
    assert_eq!(report.out.pending(), "None of 2 servers answered.\n");
}

/// One server with these users.
fn one(words: &str, users: &[&str]) -> String {
    let names = ["srv".to_owned()];
    let mut report = Report::new(&arguments(words), false, &names, Output::default()).unwrap();
    for user in users {
        report.session(0, 502, row("192.0.2.1", user)).unwrap();
    }
    report.done(0, 502, users.len(), Duration::ZERO).unwrap();
    report.end().unwrap();
    report.out.pending().to_owned()
}

#[test]
fn one_server() {
    assert_eq!(
        one("srv", &["alice"]),
        "CLIENT     USER   OPENS  CONNECTED  IDLE  FLAGS\n\
         192.0.2.1  alice      1      1m 1s    5s\n\
         \n\
         1 session on srv, level 502\n"
    );
    assert_eq!(
        one("srv --user bob --client pc", &[]),
        "No sessions on srv of user bob from client pc.\n"
    );
    assert_eq!(one("srv --format net", &[]), net::NONE);
    assert_eq!(one("srv --csv", &[]).lines().count(), 1);
    assert_eq!(one("srv --plain", &[]), "");
    assert_eq!(one("srv --format smbsession", &[]), "");
    let document: Value = serde_json::from_str(&one("srv --json", &[])).unwrap();
    assert_eq!(document["sessions"], serde_json::json!([]));
    assert_eq!(document["level"], 502);
    assert_eq!(one("srv --jsonl", &["a", "b"]).lines().count(), 5);
}

#[test]
fn a_name_that_is_a_word_of_the_reason_changes_no_reason() {
    let error = |server: &str| Target::parse(&format!("{server}:x")).unwrap_err();
    let mut failures = Failures::default();
    for server in ["port", "number", "e"] {
        failures.add(server, &error(server));
    }
    let lines = failures.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("port, number, e: \"x\" is no port"),
        "{lines:?}"
    );
}

#[test]
fn failures_with_one_reason_are_one_line() {
    let error = |server: &str| Target::parse(&format!("{server}:x")).unwrap_err();
    let mut failures = Failures::default();
    assert_eq!(failures.exit(3), None);
    for server in 0..12 {
        let server = format!("s{server}");
        failures.add(&server, &error(&server));
    }
    assert_eq!(failures.number(), 12);
    let lines = failures.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("s0, s1, s2, s3, s4, s5, s6, s7 and 4 more (--jsonl names all): "),
        "{lines:?}"
    );
    assert_eq!(error("s").kind(), ErrorKind::Usage);
    assert_eq!(failures.exit(0), Some(crate::failure::Exit::Usage));
    assert_eq!(failures.exit(1), Some(crate::failure::Exit::SomeFailed));
}
