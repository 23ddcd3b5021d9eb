//! Names that lead out of a share ([MS-SMB2] 2.2.13, [MS-FSCC] 2.1.5): refused, and nothing
//! outside is touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use netsession_tests::Subject;
use netsession_tests::client::{python, smb};
use netsession_tests::subject::ADMIN;

/// Puts traps into the share and a secret beside it.
fn set_traps(subject: &Subject) {
    let (data, outside) = (subject.data(), subject.outside());
    let make = |path: &Path, words: &str| {
        fs::write(path, words).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).expect("its mode");
    };
    make(&outside.join("secret.txt"), "secret");
    make(&data.join("inside.txt"), "inside");
    fs::create_dir(data.join("folder")).expect("a folder");
    symlink("../secret.txt", data.join("link-file")).expect("a link");
    symlink("..", data.join("link-up")).expect("a link");
    symlink("/etc", data.join("link-folder")).expect("a link");
    symlink("/etc/passwd", data.join("link-absolute")).expect("a link");
    symlink("../new.txt", data.join("link-dangling")).expect("a link");
    drop(UnixListener::bind(data.join("socket")).expect("a socket"));
    let fifo = Command::new("mkfifo").arg(data.join("fifo")).status();
    assert!(fifo.is_ok_and(|status| status.success()));
    // /dev/null by another name; only root may make one, and the FIFO stands for it otherwise.
    let _ = Command::new("mknod")
        .arg(data.join("device"))
        .args(["c", "1", "3"])
        .output();
}

#[test]
fn a_way_out_of_the_share_is_refused() {
    let subject = Subject::start();
    if subject.is_samba() {
        return; // SKIPS.md: Samba opens FIFOs and normalises some of these names.
    }
    set_traps(&subject);
    let before = outside(&subject);
    python(&subject, "names", &[]).succeeded();
    assert_eq!(outside(&subject), before, "nothing outside has changed");
    assert_eq!(
        fs::read_to_string(subject.outside().join("secret.txt")).expect("it"),
        "secret"
    );
    assert_eq!(
        fs::read_to_string(subject.data().join("inside.txt")).expect("it"),
        "inside"
    );
}

#[test]
fn smbclient_finds_no_way_out_either() {
    let subject = Subject::start();
    set_traps(&subject);
    let local = tempfile::tempdir().expect("a temporary folder");
    fs::write(local.path().join("new.txt"), "new").expect("a file");
    let before = outside(&subject);
    for command in [
        "get link-file got.txt",
        "get link-absolute got.txt",
        "get link-folder\\passwd got.txt",
        "get link-up\\secret.txt got.txt",
        "put new.txt link-up\\new.txt",
        "put new.txt link-dangling",
        "rename inside.txt link-up\\new.txt",
        "mkdir link-up\\new",
        "rm link-up\\secret.txt",
    ] {
        let said = smb(&subject, "data", ADMIN, local.path(), command);
        assert!(said.said("NT_STATUS_"), "{said}");
        assert!(!local.path().join("got.txt").exists(), "{said}");
    }
    assert_eq!(outside(&subject), before, "nothing outside has changed");
}

/// Names and sizes of what lies beside the share, but for the server's own files.
fn outside(subject: &Subject) -> Vec<(String, u64)> {
    let mut names: Vec<_> = fs::read_dir(subject.outside())
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| {
            entry.file_type().expect("its type").is_file() && entry.file_name() != "server.log"
        })
        .map(|entry| {
            let length = entry.metadata().expect("its facts").len();
            (entry.file_name().to_string_lossy().into_owned(), length)
        })
        .collect();
    names.sort();
    names
}
