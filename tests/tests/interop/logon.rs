//! Who is not let in, and what a wrong message gets.

use std::fs;

use netsession_tests::Subject;
use netsession_tests::client::{python, smb};
use netsession_tests::subject::{ALICE, CAROL, User};

#[test]
fn wrong_password_unknown_user_and_disabled_account() {
    let subject = Subject::start();
    python(&subject, "logon", &["refused"]).succeeded();
}

#[test]
fn smbclient_is_told_why() {
    let subject = Subject::start();
    let local = tempfile::tempdir().expect("a temporary folder");
    let cases = [
        (
            User {
                password: "wrong",
                ..ALICE
            },
            "NT_STATUS_LOGON_FAILURE",
        ),
        (
            User {
                name: "nobody-here",
                ..ALICE
            },
            "NT_STATUS_LOGON_FAILURE",
        ),
        (CAROL, "NT_STATUS_ACCOUNT_DISABLED"),
    ];
    for (user, status) in cases {
        smb(&subject, "data", user, local.path(), "ls")
            .failed()
            .says(status);
    }
    smb(&subject, "nothere", ALICE, local.path(), "ls")
        .failed()
        .says("NT_STATUS_BAD_NETWORK_NAME");
    smb(&subject, "data", ALICE, local.path(), "ls").succeeded();
}

#[test]
fn a_changed_byte_under_signing() {
    let subject = Subject::start();
    python(&subject, "logon", &["changed_byte"]).succeeded();
    for number in 0..5 {
        let file = subject.data().join(format!("signed{number}.txt"));
        assert_eq!(fs::read_to_string(file).expect("a file"), "the right words");
    }
}

#[test]
fn a_changed_byte_under_encryption() {
    let subject = Subject::start();
    python(&subject, "logon", &["changed_byte_encrypted"]).succeeded();
    for number in 0..3 {
        let file = subject.data().join(format!("sealed{number}.txt"));
        assert_eq!(fs::read_to_string(file).expect("a file"), "the right words");
    }
}

#[test]
fn nobody_in_particular() {
    let subject = Subject::start();
    let local = tempfile::tempdir().expect("a temporary folder");
    let anonymous = User {
        name: "",
        password: "",
    };
    smb(&subject, "data", anonymous, local.path(), "ls").failed();
    if !subject.is_samba() {
        // SKIPS.md: Samba opens its pipes for anonymous clients.
        smb(&subject, "IPC$", anonymous, local.path(), "open srvsvc").says("NT_STATUS_");
    }
}

#[test]
fn a_missing_signature() {
    let subject = Subject::start();
    python(&subject, "logon", &["unsigned"]).succeeded();
    let file = subject.data().join("unsigned.txt");
    assert_eq!(fs::read_to_string(file).expect("a file"), "the right words");
}

#[test]
fn a_replayed_session_setup() {
    let subject = Subject::start();
    python(&subject, "logon", &["replayed"]).succeeded();
}
