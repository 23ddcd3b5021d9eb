//! Wireshark's decoder reads what the server sends: every kind of answer to five families of
//! clients, at every dialect, signed and unsigned, but not encrypted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use netsession_tests::client::{SHORT, Speech, python, rpcclient, smbclient};
use netsession_tests::program::{root, run};
use netsession_tests::subject::{ADMIN, ALICE};
use netsession_tests::tshark::{self, Frame};
use netsession_tests::{Kind, Options, Subject, tree};

/// The answers of which the recording must have some; [MS-SMB2] 2.2.1. CANCEL has none.
const LEAST: &[(u16, &str, usize)] = &[
    (0, "NEGOTIATE", 20),
    (1, "SESSION_SETUP", 40),
    (2, "LOGOFF", 10),
    (3, "TREE_CONNECT", 20),
    (4, "TREE_DISCONNECT", 20),
    (5, "CREATE", 500),
    (6, "CLOSE", 400),
    (7, "FLUSH", 10),
    (8, "READ", 50),
    (9, "WRITE", 50),
    (10, "LOCK", 50),
    (11, "IOCTL", 200),
    (13, "ECHO", 10),
    (14, "QUERY_DIRECTORY", 500),
    (15, "CHANGE_NOTIFY", 10),
    (16, "QUERY_INFO", 2000),
    (17, "SET_INFO", 100),
    (18, "OPLOCK_BREAK", 10),
];

/// The warning that an answer has been cut off where the client's buffer ends: tshark calls
/// what is cut off malformed.
const STATUS_BUFFER_OVERFLOW: u32 = 0x8000_0005;

#[test]
fn wireshark_decodes_what_the_server_sends() {
    if Subject::chosen() == Kind::Samba {
        return; // SKIPS.md: how smbd is decoded says nothing about ours.
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    // It stays, for who wants to look at it.
    let kept = root().join("target/interop");
    fs::create_dir_all(&kept).expect("a folder");
    let file = kept.join("recording.pcap");
    let subject = Subject::with(Options {
        signing_optional: true,
        recording: Some(file.clone()),
        ..Options::default()
    });
    with_smbprotocol(&subject);
    with_samba(&subject, folder.path());
    with_impacket(&subject, folder.path());
    subject.recording().expect("it is made").flush();

    let frames = tshark::decode(&file);
    let sent: Vec<&Frame> = frames.iter().filter(|frame| frame.from_server).collect();
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for command in sent.iter().flat_map(|frame| &frame.commands) {
        *answers.entry(*command).or_default() += 1;
    }
    println!("answers by command: {answers:?}");
    for (command, name, least) in LEAST {
        let seen = answers.get(command).copied().unwrap_or_default();
        assert!(
            seen >= *least,
            "{seen} answers to {name}, should be {least}"
        );
    }
    let calls = sent.iter().filter(|frame| frame.said.contains("Net"));
    let calls = calls
        .filter(|frame| frame.said.contains(" response"))
        .count();
    assert!(calls >= 30, "{calls} answers to calls, should be 30");

    let wrong: Vec<String> = sent
        .iter()
        .filter(|frame| frame.is_wrong && !is_cut_off(frame))
        .map(|frame| format!("{}: {:X?} {}", frame.number, frame.statuses, frame.said))
        .collect();
    assert!(
        wrong.is_empty(),
        "not decoded ({}):\n{}",
        file.display(),
        wrong.join("\n")
    );

    let encrypted = frames.iter().find(|frame| frame.said.contains("Encrypted"));
    assert_eq!(encrypted, None, "nothing to decode");
    // Every byte that is not TCP's belongs to a message of SMB2.
    let foreign = |frame: &&&Frame| frame.protocols.ends_with("nbss:data");
    assert_eq!(sent.iter().find(foreign), None);
}

fn is_cut_off(frame: &Frame) -> bool {
    frame.statuses.contains(&STATUS_BUFFER_OVERFLOW)
}

fn with_smbprotocol(subject: &Subject) {
    for (dialect, protection) in [
        ("2.0.2", "sign"),
        ("2.0.2", "plain"),
        ("2.1", "sign"),
        ("3.0", "sign"),
        ("3.0.2", "sign"),
        ("3.1.1", "sign"),
        ("3.1.1", "plain"),
    ] {
        python(subject, "everything", &[dialect, protection])
            .succeeded()
            .says("answers of");
    }
    let data = subject.data();
    for what in ["locks", "oplocks", "leases", "notify"] {
        python(subject, "together", &[what, &data.to_string_lossy()]).succeeded();
    }
}

fn with_samba(subject: &Subject, local: &Path) {
    fs::write(local.join("small.txt"), "a few words\n").expect("a file");
    for dialect in ["SMB2_02", "SMB2_10", "SMB3_00", "SMB3_11"] {
        let speech = Speech {
            dialect: Some(dialect),
            ..Speech::default()
        };
        let commands = "mkdir smbclient; cd smbclient; put small.txt; put small.txt small.txt:stream; \
            ls; dir *.txt; du; volume; allinfo small.txt; stat small.txt; altname small.txt; \
            utimes small.txt 2020:01:02-03:04:05 -1 -1 -1; setmode small.txt +r; \
            setmode small.txt -r; scopy small.txt copied.txt; hardlink small.txt linked.txt; \
            rename small.txt moved.txt; get moved.txt:stream back.txt; get missing.txt; \
            del *.txt; cd ..; rmdir smbclient; listconnect; logoff";
        run(
            &mut smbclient(subject, "data", ALICE, speech, local, commands),
            SHORT,
        );
    }
    fs::write(subject.data().join("secured.txt"), "x").expect("a file");
    for more in [
        &[][..],
        &["--add", "ACL:bob:ALLOWED/0/READ"],
        &["--numeric"],
    ] {
        run(
            Command::new("smbcacls")
                .arg("//127.0.0.1/data")
                .arg("secured.txt")
                .args(["--port", &subject.port()])
                .args(["--user", &ADMIN.credentials()])
                .args(["--configfile", "/dev/null"])
                .args(more),
            SHORT,
        );
    }
    rpcclient(
        subject,
        ADMIN,
        "srvinfo; netshareenumall; netsessenum; netremotetod; netfileenum; netconnenum data",
    );
}

fn with_impacket(subject: &Subject, local: &Path) {
    let source = local.join("source");
    tree::make(&source, 20);
    for client in ["impacket", "pysmb"] {
        let target = local.join(client);
        let paths = [source.to_string_lossy(), target.to_string_lossy()];
        fs::read_dir(subject.data())
            .expect("a folder")
            .flatten()
            .filter(|entry| entry.file_name() == "tree")
            .for_each(|entry| fs::remove_dir_all(entry.path()).expect("it goes"));
        python(
            subject,
            "files",
            &[client, &paths[0], &paths[1], "unencrypted"],
        )
        .succeeded();
    }
    for what in ["levels", "neighbours"] {
        python(subject, "srvsvc", &[what, "ndr20", "unencrypted"]).succeeded();
    }
}
