//! A small tree there and back with clients of four other families.

use std::fs;
use std::process::Command;

use netsession_tests::client::{SHORT, python};
use netsession_tests::program::run;
use netsession_tests::subject::ALICE;
use netsession_tests::{Subject, tree};

const FILES: usize = 120;

fn with_python(client: &str) {
    let subject = Subject::start();
    let local = tempfile::tempdir().expect("a temporary folder");
    let (source, target) = (local.path().join("source"), local.path().join("target"));
    tree::make(&source, FILES);
    let paths = [source.to_string_lossy(), target.to_string_lossy()];
    python(&subject, "files", &[client, &paths[0], &paths[1]])
        .succeeded()
        .says("120 files");
    tree::assert_same(&source, &target);
    assert_eq!(fs::read_dir(subject.data()).expect("a folder").count(), 0);
}

#[test]
fn impacket() {
    with_python("impacket");
}

#[test]
fn smbprotocol() {
    with_python("smbprotocol");
}

#[test]
fn pysmb() {
    with_python("pysmb");
}

#[test]
fn rclone() {
    let subject = Subject::start();
    if subject.is_samba() {
        return; // SKIPS.md: rclone refuses unsigned interim responses.
    }
    let local = tempfile::tempdir().expect("a temporary folder");
    let (source, target) = (local.path().join("source"), local.path().join("target"));
    tree::make(&source, FILES);
    let obscured = run(
        Command::new("rclone").args(["obscure", ALICE.password]),
        SHORT,
    )
    .succeeded();
    let rclone = |words: &[&str], paths: &[&str]| {
        run(
            Command::new("rclone")
                .args([
                    "--config",
                    "/dev/null",
                    "--retries",
                    "1",
                    "--low-level-retries",
                    "1",
                ])
                .args(["--smb-host", "127.0.0.1", "--smb-port", &subject.port()])
                .args([
                    "--smb-user",
                    ALICE.name,
                    "--smb-pass",
                    obscured.stdout.trim(),
                ])
                .args(words)
                .args(paths),
            SHORT,
        )
        .succeeded()
    };
    let (source_path, target_path) = (source.to_string_lossy(), target.to_string_lossy());
    rclone(&["copy"], &[&source_path, ":smb:data/old/tree"]);
    rclone(
        &["check", "--download"],
        &[&source_path, ":smb:data/old/tree"],
    );
    // Not in the share's root: rclone then makes a folder of the name that it gives to `.`.
    rclone(&["mkdir"], &[":smb:data/new"]);
    rclone(&["moveto"], &[":smb:data/old/tree", ":smb:data/new/tree"]);
    rclone(&["copy"], &[":smb:data/new/tree", &target_path]);
    tree::assert_same(&source, &target);
    tree::assert_same(&source, &subject.data().join("new/tree"));
    rclone(&["purge"], &[":smb:data/new"]);
    rclone(&["rmdirs"], &[":smb:data/old"]);
    let left: Vec<_> = fs::read_dir(subject.data())
        .expect("a folder")
        .flatten()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
