//! Rights on files, with Samba's smbcacls and with impacket.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use netsession_tests::client::{SHORT, python, smb};
use netsession_tests::program::{Finished, run};
use netsession_tests::subject::{ALICE, BOB, Kind, User};
use netsession_tests::{Options, Subject};

/// An address of this process alone: smbcacls knows no port but 445.
fn address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 77, high, low)
}

fn smbcacls(name: &str, user: User, words: &[&str]) -> Finished {
    let mut command = Command::new("smbcacls");
    command
        .args([&format!("//{}/data", address()), name])
        .args(["--user", &user.credentials()])
        .args(["--configfile", "/dev/null", "--numeric"])
        .args(words);
    run(&mut command, SHORT)
}

/// The SID that an account has: what it sees as the owner of a file of nobody in particular.
fn sid(user: User) -> String {
    let listed = smbcacls("/", user, &[]).succeeded();
    let owner = listed
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("OWNER:"));
    owner.expect("an owner").trim().to_owned()
}

/// Our own server alone: smbd takes who may set a descriptor from the system.
#[test]
fn smbcacls_lists_and_changes() {
    let options = Options {
        listen: Some(SocketAddr::from((address(), 445))),
        ..Options::default()
    };
    let subject = Subject::of(Kind::Netsession, options);
    let local = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(local.path().join("words"), "a few words\n").expect("a file");
    let client = |user: User, commands: &str| {
        let mut command = Command::new("smbclient");
        command
            .arg(format!("//{}/data", address()))
            .args(["--user", &user.credentials()])
            .args(["--configfile", "/dev/null", "--command", commands])
            .current_dir(local.path());
        run(&mut command, SHORT)
    };
    let (alice, bob) = (sid(ALICE), sid(BOB));
    client(ALICE, "mkdir hers; put words hers/words").succeeded();
    smbcacls("hers/words", BOB, &[])
        .succeeded()
        .says(&format!("OWNER:{bob}"))
        .says("ACL:S-1-1-0:0/0x10/0x001f01ff");

    let hers = format!("ACL:{alice}:ALLOWED/OI|CI/FULL");
    smbcacls("hers", ALICE, &["--set", &hers]).succeeded();
    smbcacls("hers", ALICE, &[])
        .succeeded()
        .says(&format!("ACL:{alice}:0/0x3/0x001f01ff"));
    smbcacls("hers", BOB, &[]).failed().says("ACCESS_DENIED");
    client(BOB, "ls hers/*").says("ACCESS_DENIED");

    // What is made there is hers too.
    client(ALICE, "put words hers/new").succeeded();
    smbcacls("hers/new", ALICE, &[])
        .succeeded()
        .says(&format!("ACL:{alice}:0/0x0/0x001f01ff"));
    client(BOB, "get hers/new stolen").says("ACCESS_DENIED");
    let reads = format!("ACL:{bob}:ALLOWED/0x0/READ");
    smbcacls("hers/new", ALICE, &["--add", &reads]).succeeded();
    client(BOB, "get hers/new read").succeeded();
    client(BOB, "put words hers/new").says("ACCESS_DENIED");
    smbcacls("hers/new", ALICE, &["--delete", &reads]).succeeded();
    client(BOB, "get hers/new again").says("ACCESS_DENIED");
    drop(subject);
}

/// impacket's structures read what the server tells, and make what it is told.
#[test]
fn impacket_reads_and_sets_descriptors() {
    let subject = Subject::start();
    if subject.is_samba() {
        return; // SKIPS.md: its descriptors are made of mode bits.
    }
    let local = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(local.path().join("words"), "a few words\n").expect("a file");
    smb(&subject, "data", ALICE, local.path(), "put words").succeeded();
    python(&subject, "security", &[]).succeeded().says("done");
}
