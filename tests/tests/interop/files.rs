//! Files with smbclient, at every dialect, signed and encrypted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use netsession_tests::client::{LONG, SHORT, Speech, smb, smbclient};
use netsession_tests::program::run;
use netsession_tests::subject::{ALICE, BOB};
use netsession_tests::{Options, Subject, tree};
use tempfile::TempDir;

/// Files of the tree that goes there and back.
const FILES: usize = 2000;
/// Bytes of the file that goes there and back.
const LARGE: u64 = 300 << 20;

fn source() -> &'static Path {
    static SOURCE: OnceLock<TempDir> = OnceLock::new();
    SOURCE
        .get_or_init(|| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            tree::make(&folder.path().join("tree"), FILES);
            tree::make_file(&folder.path().join("large.bin"), LARGE);
            folder
        })
        .path()
}

/// Everything the mission asks of smbclient in one dialect.
fn everything(dialect: &'static str, protection: &'static str) {
    let subject = Subject::with(Options::encrypted(protection == "encrypt"));
    let speech = Speech {
        dialect: Some(dialect),
        protection,
    };
    let local = tempfile::tempdir().expect("a temporary folder");
    let client = |commands: &str, folder: &Path, limit| {
        run(
            &mut smbclient(&subject, "data", ALICE, speech, folder, commands),
            limit,
        )
    };

    fs::write(local.path().join("small.txt"), "a few words\n").expect("a file");
    let said = client(
        "put small.txt one.txt; mkdir folder; rename one.txt folder\\two.txt; \
         ls folder\\*; allinfo folder\\two.txt; get folder\\two.txt back.txt; \
         rm folder\\two.txt; rmdir folder; ls",
        local.path(),
        SHORT,
    )
    .succeeded()
    .says("two.txt")
    .says("attributes: A")
    .says("blocks available");
    assert!(!said.said("NT_STATUS"), "{said}");
    tree::assert_same_file(
        &local.path().join("small.txt"),
        &local.path().join("back.txt"),
    );
    assert_eq!(
        names(&subject.data()),
        Vec::<PathBuf>::new(),
        "the share is empty again"
    );

    let said = client("recurse; prompt; mput tree", source(), LONG).succeeded();
    assert!(!said.said("NT_STATUS"), "{said}");
    tree::assert_same(&source().join("tree"), &subject.data().join("tree"));
    let said = client("recurse; prompt; mget tree", local.path(), LONG).succeeded();
    assert!(!said.said("NT_STATUS"), "{said}");
    tree::assert_same(&source().join("tree"), &local.path().join("tree"));

    client("put large.bin", source(), LONG).succeeded();
    tree::assert_same_file(
        &source().join("large.bin"),
        &subject.data().join("large.bin"),
    );
    client("get large.bin", local.path(), LONG).succeeded();
    tree::assert_same_file(&source().join("large.bin"), &local.path().join("large.bin"));

    client("rm large.bin; deltree tree", local.path(), LONG).succeeded();
    assert_eq!(
        names(&subject.data()),
        Vec::<PathBuf>::new(),
        "the share is empty again"
    );
}

fn names(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

#[test]
fn smbclient_at_2_0_2_signed() {
    everything("SMB2_02", "sign");
}

#[test]
fn smbclient_at_2_1_signed() {
    everything("SMB2_10", "sign");
}

#[test]
fn smbclient_at_3_0_signed() {
    everything("SMB3_00", "sign");
}

#[test]
fn smbclient_at_3_0_2_signed() {
    everything("SMB3_02", "sign");
}

#[test]
fn smbclient_at_3_1_1_signed() {
    everything("SMB3_11", "sign");
}

#[test]
fn smbclient_at_3_0_encrypted() {
    everything("SMB3_00", "encrypt");
}

#[test]
fn smbclient_at_3_0_2_encrypted() {
    everything("SMB3_02", "encrypt");
}

#[test]
fn smbclient_at_3_1_1_encrypted() {
    everything("SMB3_11", "encrypt");
}

/// A dialect that cannot encrypt gets nothing where encryption is required.
#[test]
fn required_encryption_refuses_2_1() {
    let subject = Subject::with(Options::encrypted(true));
    let speech = Speech {
        dialect: Some("SMB2_10"),
        protection: "sign",
    };
    let local = tempfile::tempdir().expect("a temporary folder");
    run(
        &mut smbclient(&subject, "data", ALICE, speech, local.path(), "ls"),
        SHORT,
    )
    .failed()
    .says("NT_STATUS_ACCESS_DENIED");
}

#[test]
fn one_share_may_require_encryption() {
    let subject = Subject::start();
    let local = tempfile::tempdir().expect("a temporary folder");
    fs::write(local.path().join("small.txt"), "a few words\n").expect("a file");
    let client = |dialect, protection, share| {
        let speech = Speech {
            dialect: Some(dialect),
            protection,
        };
        let commands = "put small.txt; ls";
        run(
            &mut smbclient(&subject, share, ALICE, speech, local.path(), commands),
            SHORT,
        )
    };
    // A client that can encrypt is told to, and one that cannot stays outside.
    client("SMB3_11", "sign", "vault")
        .succeeded()
        .says("small.txt");
    client("SMB3_00", "encrypt", "vault")
        .succeeded()
        .says("small.txt");
    client("SMB2_10", "sign", "vault")
        .failed()
        .says("NT_STATUS_ACCESS_DENIED");
    client("SMB2_10", "sign", "data")
        .succeeded()
        .says("small.txt");
}

/// An old client's first message offers SMB1 and SMB2 together.
#[test]
fn an_smb1_negotiate_leads_to_smb2() {
    let subject = Subject::start();
    let local = tempfile::tempdir().expect("a temporary folder");
    for dialect in ["SMB2_02", "SMB3_11"] {
        let speech = Speech {
            dialect: Some(dialect),
            protection: "sign",
        };
        let mut command = smbclient(&subject, "data", ALICE, speech, local.path(), "ls");
        // The last one counts.
        command.arg("--option=client min protocol=NT1");
        run(&mut command, SHORT)
            .succeeded()
            .says("blocks available");
    }
    // Nothing but SMB1 is refused.
    let mut command = smbclient(
        &subject,
        "data",
        ALICE,
        Speech::default(),
        local.path(),
        "ls",
    );
    command.args([
        "--option=client min protocol=NT1",
        "--option=client max protocol=NT1",
    ]);
    run(&mut command, SHORT).failed();
}

#[test]
fn a_read_only_share_refuses_changes() {
    let subject = Subject::start();
    let local = tempfile::tempdir().expect("a temporary folder");
    fs::write(local.path().join("small.txt"), "a few words\n").expect("a file");
    smb(&subject, "docs", BOB, local.path(), "get readme.txt").succeeded();
    for command in [
        "put small.txt",
        "rm readme.txt",
        "mkdir folder",
        "rename readme.txt other",
    ] {
        let said = smb(&subject, "docs", BOB, local.path(), command);
        assert!(
            said.said("NT_STATUS_ACCESS_DENIED") || said.said("NT_STATUS_MEDIA_WRITE_PROTECTED"),
            "{said}"
        );
    }
    let docs = subject.outside().join("docs");
    assert_eq!(names(&docs), [docs.join("readme.txt")]);
    assert_eq!(
        fs::read_to_string(docs.join("readme.txt")).expect("a file"),
        "read only\n"
    );
}

/// smbclient sets extended attributes, reads and removes them; local programs see the same.
#[test]
fn extended_attributes() {
    let subject = Subject::start();
    let local = tempfile::tempdir().expect("a temporary folder");
    fs::write(local.path().join("f"), "content").expect("a file");
    let said = smb(
        &subject,
        "data",
        ALICE,
        local.path(),
        "put f; mkdir d; setea f Author Alice; setea f COLOUR blue; setea d Kind folder; \
         geteas f; geteas d",
    )
    .succeeded()
    .says("Author (0) =")
    .says("COLOUR (0) =")
    .says("Kind (0) =");
    assert!(!said.said("NT_STATUS"), "{said}");
    let script = "import os, sys; print({n: os.getxattr(p, n) for p in sys.argv[1:] \
                  for n in os.listxattr(p) if not n.startswith('user.DOSATTRIB')})";
    let (file, folder) = (subject.data().join("f"), subject.data().join("d"));
    run(
        Command::new("python3")
            .args(["-c", script])
            .args([file, folder]),
        SHORT,
    )
    .succeeded()
    .says("'user.Author': b'Alice'")
    .says("'user.Kind': b'folder'");
    let said = smb(
        &subject,
        "data",
        ALICE,
        local.path(),
        "setea f author \"\"; geteas f",
    )
    .succeeded()
    .says("COLOUR (0) =");
    assert!(!said.said("Author"), "{said}");
    let refused = smb(&subject, "data", ALICE, local.path(), "setea f a:b c");
    assert!(refused.said("STATUS_INVALID_EA_NAME"), "{refused}");
}
