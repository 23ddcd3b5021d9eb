//! `netsession list` of many servers: what they answer, and what becomes of those that do not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use netsession_tests::client::{SHORT, hold, netsession};
use netsession_tests::program::{self, Finished, run};
use netsession_tests::subject::{ADMIN, ALICE, Kind};
use netsession_tests::{Options, Subject, schema};
use serde_json::Value;

/// The limit for each server where one of them never answers.
const DEADLINE: Duration = Duration::from_secs(3);

/// Accepts connections, and does `answer` with each.
fn listener(answer: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    // The thread ends with the test's process.
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    address
}

/// Reads and never answers.
fn silent() -> String {
    listener(|mut stream| {
        thread::spawn(move || {
            let mut taken = [0; 4096];
            while stream.read(&mut taken).is_ok_and(|length| length > 0) {}
        });
    })
}

/// Nobody listens there.
fn closed() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").to_string()
}

/// Gives admin of a running server of ours another password.
fn change_password(subject: &Subject) {
    let state = subject.outside().join("state");
    let mut child = Command::new(program::netsession())
        .args(["account", "passwd", ADMIN.name, "--password-stdin"])
        .arg("--data-dir")
        .arg(state)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("netsession can be started");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    writeln!(stdin, "An0ther.Pw").expect("it reads the password");
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

/// Six servers that answer, one of them Samba, and six that fail.
struct Twelve {
    subjects: Vec<Subject>,
    /// In the order in which they are asked.
    names: Vec<String>,
}

impl Twelve {
    fn start() -> Self {
        let mut subjects: Vec<Subject> = (0..6)
            .map(|_| Subject::of(Kind::Netsession, Options::default()))
            .collect();
        subjects.push(Subject::of(Kind::Samba, Options::default()));
        change_password(&subjects[5]);
        // Samba starts a helper process for the first call.
        netsession(&["list", &subjects[6].host_and_port()]).succeeded();
        let mut names: Vec<String> = subjects.iter().map(Subject::host_and_port).collect();
        names.extend([
            closed(),
            silent(),
            listener(drop),
            listener(|mut stream| {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }),
            "no-such-host.invalid:445".to_owned(),
        ]);
        Self { subjects, names }
    }

    fn list(&self, words: &[&str]) -> Finished {
        let seconds = DEADLINE.as_secs().to_string();
        let mut all = vec!["list", "--deadline", &seconds];
        all.extend(self.names.iter().map(String::as_str));
        all.extend(words);
        let said = netsession(&all);
        assert_eq!(said.code, Some(9), "some failed: {said}");
        assert!(said.took < DEADLINE + Duration::from_secs(1), "{said}");
        said
    }
}

#[test]
fn twelve_servers_of_which_six_fail() {
    let twelve = Twelve::start();
    let held = hold(&twelve.subjects[0], ALICE);
    let kinds = [
        ("unreachable", 2),
        ("timed_out", 1),
        ("connection_lost", 1),
        ("protocol", 1),
        ("logon_failed", 1),
    ];

    let said = twelve.list(&["--json"]);
    let document: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let servers = document["servers"].as_array().expect("servers");
    let named: Vec<&str> = servers
        .iter()
        .map(|server| server["server"].as_str().expect("a name"))
        .collect();
    let typed: Vec<&str> = twelve
        .names
        .iter()
        .map(|name| name.strip_suffix(":445").unwrap_or(name))
        .collect();
    assert_eq!(named, typed, "{said}");
    for (index, server) in servers.iter().enumerate() {
        let level = match index {
            0..=4 => Some(502),
            6 => Some(1),
            _ => None,
        };
        assert_eq!(server["level"].as_u64(), level, "{server}");
        assert_eq!(server["error"].is_null(), level.is_some(), "{server}");
        let users: Vec<&str> = server["sessions"]
            .as_array()
            .expect("sessions")
            .iter()
            .map(|session| session["user"].as_str().expect("a user"))
            .collect();
        let expected: &[&str] = match (index, level) {
            (0, _) => &["alice", "admin"],
            (_, Some(_)) => &["admin"],
            (_, None) => &[],
        };
        assert_eq!(users, expected, "{server}");
    }
    assert_eq!(
        document["summary"],
        serde_json::json!({"servers": 12, "answered": 6, "failed": 6, "unfinished": 0, "sessions": 7})
    );
    for (kind, number) in kinds {
        let found = servers
            .iter()
            .filter(|server| server["error"]["kind"] == kind);
        assert_eq!(found.count(), number, "{kind}: {said}");
    }

    let said = twelve.list(&["--jsonl"]);
    let lines: Vec<Value> = said
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let number = |kind| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!(
        ["start", "session", "server", "failure", "summary"].map(number),
        [1, 7, 6, 6, 1],
        "{said}"
    );
    assert_eq!(lines[0]["type"], "start", "{said}");
    assert_eq!(lines[lines.len() - 1]["type"], "summary", "{said}");
    let late = &lines[lines.len() - 2];
    assert_eq!(
        late["error"]["kind"], "timed_out",
        "others come before it: {said}"
    );

    let said = twelve.list(&[]);
    assert!(said.stdout.starts_with("SERVER "), "{said}");
    let footer = said.stdout.lines().last().expect("a line");
    assert_eq!(
        footer,
        format!(
            "7 sessions on 6 servers, levels 502 (5 servers), 1 ({}); 6 of 12 failed",
            twelve.names[6]
        ),
        "{said}"
    );
    assert_eq!(
        said.stderr.lines().last(),
        Some("netsession: 6 of 12 servers failed"),
        "{said}"
    );
    assert_eq!(
        said.stderr.lines().count(),
        7,
        "a line for each failure: {said}"
    );

    let said = twelve.list(&["--csv", "--user", "ALICE"]);
    let server = &twelve.names[0];
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("server,client,user,"), "{said}");
    assert!(
        lines[1].starts_with(&format!("{server},127.0.0.1,alice,")),
        "{said}"
    );
    drop(held);
}

#[test]
fn files_of_servers() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let server = subject.host_and_port();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        format!("@{}", path.display())
    };
    let one = file(
        "one",
        &format!("# mine\n\n{server}  # this\n\\\\{server}\r\n"),
    );
    let said = netsession(&["list", &one, &server, "--plain"]).succeeded();
    assert_eq!(said.stdout.lines().count(), 1, "{said}");
    assert!(
        said.stdout
            .starts_with(&format!("{server}\t127.0.0.1\tadmin\t")),
        "{said}"
    );
    let note = format!("netsession: named more than once, asked once: {server}\n");
    assert_eq!(said.stderr, note, "{said}");
    let said = netsession(&["list", &one, "--json", "--quiet"]).succeeded();
    assert_eq!(said.stderr, "", "{said}");
    assert!(
        said.stdout.contains("\"servers\""),
        "a file is the form for several: {said}"
    );

    for (name, text, code, words) in [
        ("bad", "srv1\na b\n", 2, "bad, line 2: server name \"a b\""),
        ("empty", "# nothing\n", 2, "empty: no server in it"),
        ("bytes", "srv\n\u{0}\n", 2, "bytes, line 2: "),
    ] {
        let said = netsession(&["list", &server, &file(name, text)]);
        assert_eq!(said.code, Some(code), "{said}");
        assert!(said.stderr.contains(words), "{said}");
        assert_eq!(
            said.stdout, "",
            "nothing is asked before all is read: {said}"
        );
    }
    let said = netsession(&["list", "@/no/such/file"]);
    assert_eq!(said.code, Some(8), "{said}");

    let mut child = Command::new(program::netsession())
        .args(["list", "@-", "-U", &ADMIN.credentials(), "--plain"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("netsession can be started");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    writeln!(stdin, "{server}").expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with(&server));
}

#[test]
fn none_answered() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let server = subject.host_and_port();
    let (one, other) = (closed(), closed());
    let said = netsession(&["list", &one, &other]);
    assert_eq!(said.code, Some(3), "all for one reason: {said}");
    assert_eq!(said.stdout, "None of 2 servers answered.\n", "{said}");
    assert_eq!(said.stderr.lines().count(), 2, "told together: {said}");
    let said = netsession(&["list", &one, &server, "-U", "admin%wrong", "--jsonl"]);
    assert_eq!(said.code, Some(10), "for different reasons: {said}");
    let said = netsession(&["list", &server, &server, "-U", &ALICE.credentials()]);
    assert_eq!(said.code, Some(5), "{said}");
    said.says(&format!("`netsession doctor {server}` tells more"));
}

fn start(words: &[&str]) -> Child {
    Command::new(program::netsession())
        .args(words)
        .args(["-U", &ADMIN.credentials()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("netsession can be started")
}

#[test]
fn an_interrupt_stops_the_work_and_tells_what_is_known() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let (server, silent) = (subject.host_and_port(), silent());
    let mut child = start(&["list", &silent, &server, "--jsonl", "--deadline", "60"]);
    let mut lines = BufReader::new(child.stdout.take().expect("its output is a pipe")).lines();
    let mut text = String::new();
    // Rows come while the other server is still asked.
    while !text.contains("\"type\":\"server\"") {
        text += &lines.next().expect("more lines").expect("text");
        text.push('\n');
    }
    let pid = child.id().to_string();
    run(Command::new("kill").args(["-INT", &pid]), SHORT).succeeded();
    for line in lines {
        text += &line.expect("text");
        text.push('\n');
    }
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{text}");
    assert_eq!(schema::judge("list-line", true, &text), "", "{text}");
    let summary: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&summary["answered"], &summary["unfinished"]),
        (&1.into(), &1.into()),
        "{text}"
    );
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("its errors are a pipe");
    stderr.read_to_string(&mut said).expect("text");
    assert_eq!(said, "netsession: interrupted: 1 of 2 servers unfinished\n");
}

#[test]
fn a_reader_who_goes_ends_the_work_quietly() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let (server, silent) = (subject.host_and_port(), silent());
    for words in [
        &["list", &server, "--plain"][..],
        &["list", &silent, &server, "--jsonl", "--deadline", "60"],
    ] {
        let mut child = start(words);
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{words:?}");
    }
}

/// The judge that every other test relies on does find mistakes.
#[test]
fn the_schemas_refuse_what_they_do_not_describe() {
    let good = r#"{"schema_version":1,"server":"s","level":502,"sessions":[]}"#;
    assert_eq!(schema::judge("list", false, good), "");
    for bad in [
        "",
        "{}",
        &good.replace("502", "3"),
        &good.replace("[]", "[{}]"),
        &good.replace("\"server\":\"s\",", ""),
        &good.replace("}", ",\"more\":1}"),
    ] {
        assert_ne!(schema::judge("list", false, bad), "", "{bad}");
    }
    let line = r#"{"type":"start","schema_version":1,"servers":2}"#;
    assert_eq!(
        schema::judge("list-line", true, &format!("{line}\n{line}\n")),
        ""
    );
    assert_ne!(
        schema::judge("list-line", true, &format!("{line}\n{{}}\n")),
        ""
    );
}
