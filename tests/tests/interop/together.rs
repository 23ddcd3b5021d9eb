//! Several clients in the same files: locks, oplocks and leases that another client breaks, and
//! changes of which a client is told.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use netsession_tests::client::{SHORT, Speech, python, smb, smbclient};
use netsession_tests::subject::{ALICE, BOB};
use netsession_tests::{Options, Running, Subject};

/// `together.py WHAT`, in which two clients of smbprotocol's meet.
fn smbprotocol(what: &str) {
    let subject = Subject::with(Options {
        // What one makes is the other's as well.
        samba_share: "force create mode = 0666\nforce directory mode = 0777",
        ..Options::default()
    });
    if subject.is_samba() && what == "notify" {
        return; // SKIPS.md: smbd tells less, and some of it twice.
    }
    let data = subject.data();
    python(&subject, "together", &[what, &data.to_string_lossy()])
        .succeeded()
        .says(what);
}

#[test]
fn smbprotocol_locks() {
    smbprotocol("locks");
}

#[test]
fn smbprotocol_oplocks() {
    smbprotocol("oplocks");
}

#[test]
fn smbprotocol_leases() {
    smbprotocol("leases");
}

#[test]
fn smbprotocol_notify() {
    smbprotocol("notify");
}

/// smbclient's own words for a change: `0001 name`, the number of [MS-FSCC] 2.7.1.
const ADDED: &str = "0001 ";
const REMOVED: &str = "0002 ";
const OLD_NAME: &str = "0004 ";
const NEW_NAME: &str = "0005 ";

/// Waits until smbclient, which watches, has said all of `changes` in this order, others between
/// them or not; `again` is done until then every now and then.
#[track_caller]
fn told(watcher: &Running, changes: &[String], mut again: impl FnMut()) {
    /// Far more than a change takes to be told, also on this machine's own file system.
    const NOW_AND_THEN: Duration = Duration::from_secs(1);
    let start = Instant::now();
    let mut done = start;
    loop {
        let said = watcher.so_far();
        let mut lines = said.lines();
        // A last line may not be whole yet.
        if said.ends_with('\n')
            && changes
                .iter()
                .all(|change| lines.any(|line| line == change))
        {
            return;
        }
        assert!(
            start.elapsed() < SHORT,
            "not told of {changes:?} but of:\n{said}"
        );
        if done.elapsed() > NOW_AND_THEN {
            again();
            done = Instant::now();
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// What another client does, and what this machine's own shell does in the shared folder.
#[test]
fn smbclient_is_told_of_changes() {
    let subject = Subject::start();
    let local = tempfile::tempdir().expect("a temporary folder");
    let watched = subject.data().join("watched");
    fs::create_dir(&watched).expect("a folder");
    fs::set_permissions(&watched, fs::Permissions::from_mode(0o777)).expect("its mode");
    let speech = Speech::default();
    let client = smbclient(
        &subject,
        "data",
        ALICE,
        speech,
        local.path(),
        "notify watched",
    );
    // It buffers what it prints for who is no terminal.
    let mut lines = Command::new("stdbuf");
    lines
        .arg("-oL")
        .arg(client.get_program())
        .args(client.get_args());
    let watcher = Running::start(&mut lines);
    let shell = |script: &str| {
        let status = Command::new("sh")
            .args(["-ec", script])
            .current_dir(&watched)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{script}");
    };

    // Nothing tells when it begins to watch.
    told(&watcher, &[format!("{REMOVED}sign")], || {
        shell("touch sign; rm sign");
    });

    fs::write(local.path().join("small.txt"), "a few words\n").expect("a file");
    let commands = "put small.txt watched\\first; rename watched\\first watched\\second; \
                    del watched\\second; mkdir watched\\folder; \
                    put small.txt watched\\folder\\below; del watched\\folder\\below; \
                    rmdir watched\\folder";
    smb(&subject, "data", BOB, local.path(), commands).succeeded();
    let changes = [
        format!("{ADDED}first"),
        format!("{OLD_NAME}first"),
        format!("{NEW_NAME}second"),
        format!("{REMOVED}second"),
        format!("{ADDED}folder"),
        format!("{ADDED}folder\\below"),
        format!("{REMOVED}folder\\below"),
        format!("{REMOVED}folder"),
    ];
    told(&watcher, &changes, || {});

    shell("touch here; mv here there; rm there; mkdir inside; rmdir inside");
    let changes = [
        format!("{ADDED}here"),
        format!("{OLD_NAME}here"),
        format!("{NEW_NAME}there"),
        format!("{REMOVED}there"),
        format!("{ADDED}inside"),
        format!("{REMOVED}inside"),
    ];
    told(&watcher, &changes, || {});
}
