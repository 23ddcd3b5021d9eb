//! `netsession serve` and the socket for callers on its machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use netsession_tests::client::SHORT;
use netsession_tests::program;

/// A server that is stopped when dropped.
struct Served {
    child: Child,
    /// What it has printed until it was ready, and whether more came in time.
    lines: mpsc::Receiver<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        program::stop(&mut self.child);
    }
}

impl Served {
    fn line(&self) -> String {
        self.lines.recv_timeout(SHORT).expect("a line of `serve`")
    }
}

/// `serve` at a free port, as an ordinary user if this test is root, with this runtime
/// directory.
fn serve(folder: &Path, state: &str, words: &[&str]) -> Served {
    let mut command = Command::new(folder.join("serve"));
    command
        .arg("serve")
        .arg("--data-dir")
        .arg(folder.join(state))
        .args(["--listen", "127.0.0.1:0"])
        .args(words)
        .env_remove("NETSESSION_LOCAL_SOCKET")
        .env("XDG_RUNTIME_DIR", folder)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(folder.join(format!("{state}.log"))).expect("a log file"));
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command.spawn().expect("netsession can be started");
    let stdout = BufReader::new(child.stdout.take().expect("its output is a pipe"));
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    Served { child, lines }
}

const NOBODY: u32 = 65_534;

/// A folder where an ordinary user may do everything, with the program in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let everyone = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path(), everyone).expect("its mode");
    // By another process: a child that some other test starts meanwhile would inherit the
    // descriptor of a copy made here, and a program open for writing is not run.
    let mut copy = Command::new("cp");
    copy.arg(program::netsession())
        .arg(folder.path().join("serve"));
    program::run(&mut copy, SHORT).succeeded();
    folder
}

#[test]
fn the_second_server_of_a_user_goes_on_without() {
    let folder = folder();
    let socket = folder.path().join("netsession/srvsvc.sock");
    let first = serve(folder.path(), "first", &[]);
    assert!(first.line().starts_with("listening on 127.0.0.1:"));
    assert_eq!(first.line(), format!("local socket {}", socket.display()));
    assert!(socket.exists());

    // The place is the usual one: it serves files all the same.
    let second = serve(folder.path(), "second", &["--log", "warn"]);
    assert!(second.line().starts_with("listening on 127.0.0.1:"));
    drop(second);
    let log = fs::read_to_string(folder.path().join("second.log")).expect("its log");
    assert!(log.contains("another service listens there"), "{log}");
    assert!(log.contains(socket.to_str().expect("UTF-8")), "{log}");
    assert!(socket.exists(), "the first one's stays");

    // Asked for, it is an error.
    let path = socket.to_str().expect("UTF-8").to_owned();
    let mut third = serve(folder.path(), "third", &["--local-socket", &path]);
    let status = third.child.wait().expect("its end");
    assert_eq!(status.code(), Some(8));
    let log = fs::read_to_string(folder.path().join("third.log")).expect("its log");
    assert!(log.contains("--local-socket off"), "{log}");

    drop(first);
    assert!(!socket.exists(), "removed at the stop");
}

#[test]
fn off_is_off() {
    let folder = folder();
    let server = serve(folder.path(), "state", &["--local-socket", "off"]);
    assert!(server.line().starts_with("listening on 127.0.0.1:"));
    assert!(!folder.path().join("netsession/srvsvc.sock").exists());
    let mut server = server;
    program::stop(&mut server.child);
    assert_eq!(server.lines.iter().count(), 0, "no line for a socket");
}

#[test]
fn an_unknown_group_is_named() {
    let folder = folder();
    let words = ["--administrators-group", "no-such-group"];
    let mut server = serve(folder.path(), "state", &words);
    assert_eq!(server.child.wait().expect("its end").code(), Some(8));
    let log = fs::read_to_string(folder.path().join("state.log")).expect("its log");
    assert!(log.contains("no group named \"no-such-group\""), "{log}");
}
