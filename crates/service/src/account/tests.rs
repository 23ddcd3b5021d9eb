use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use server::account::{
    AccountStore, SID_ADMINISTRATORS, SID_AUTHENTICATED_USERS, SID_NETWORK, SID_SERVER_OPERATORS,
};
use smb::NtStatus;

use super::*;

fn name(text: &str) -> AccountName {
    AccountName::new(text).unwrap()
}

fn hash(byte: u8) -> NtHash {
    NtHash::new([byte; 16])
}

const ADMIN: Membership = Membership {
    admin: true,
    server_operator: false,
};
const NOBODY: Membership = Membership {
    admin: false,
    server_operator: false,
};

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[test]
fn names_follow_the_rules() {
    for good in ["a", "alice", "Jörg Müller", "PC$", "a.b", "用户", "a@b"] {
        assert!(AccountName::new(good).is_ok(), "{good}");
    }
    assert!(AccountName::new(&"x".repeat(256)).is_ok());
    assert_eq!(AccountName::new(""), Err(NameError::Empty));
    assert_eq!(
        AccountName::new(&"x".repeat(257)),
        Err(NameError::TooLong(257))
    );
    for bad in name::FORBIDDEN.chars().chain(['\0', '\n', '\u{7f}']) {
        let text = format!("a{bad}b");
        assert!(
            matches!(AccountName::new(&text), Err(NameError::Character { character, .. }) if character == bad)
        );
    }
    for bad in [" a", "a ", ".", ". .", "..."] {
        assert!(
            matches!(AccountName::new(bad), Err(NameError::Blank(_))),
            "{bad:?}"
        );
    }
}

#[test]
fn accounts_are_added_changed_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("a/b");
    let file = AccountFile::new(&state);
    assert_eq!(file.list().unwrap(), []);

    let alice = file.add(&name("Alice"), hash(1), ADMIN).unwrap();
    let bob = file.add(&name("bob"), hash(2), NOBODY).unwrap();
    assert!(alice.admin && !bob.admin);
    assert!(alice.sid.starts_with("S-1-5-21-") && alice.sid.ends_with("-1000"));
    assert!(bob.sid.ends_with("-1001"));
    assert!(
        matches!(file.add(&name("aLICE"), hash(3), NOBODY), Err(AccountError::Exists(n)) if n == "Alice")
    );

    file.set_disabled(&name("BOB"), true).unwrap();
    assert!(file.list().unwrap()[1].disabled);
    file.set_disabled(&name("bob"), false).unwrap();
    file.set_password(&name("bob"), hash(9)).unwrap();
    file.remove(&name("ALICE")).unwrap();
    assert!(matches!(
        file.remove(&name("alice")),
        Err(AccountError::NotFound(_))
    ));
    assert!(matches!(
        file.set_password(&name("x"), hash(1)),
        Err(AccountError::NotFound(_))
    ));

    let again = file.add(&name("alice"), hash(1), NOBODY).unwrap();
    assert!(
        again.sid.ends_with("-1002"),
        "a SID is never given out twice"
    );
    let listed: Vec<_> = file
        .list()
        .unwrap()
        .into_iter()
        .map(|a| a.name.to_string())
        .collect();
    assert_eq!(listed, ["bob", "alice"]);
}

#[test]
fn only_the_owner_can_read_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let file = AccountFile::new(&state);
    file.add(&name("alice"), hash(1), ADMIN).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(file.path()), 0o600);
    assert!(!state.join("accounts.toml.new").exists());
}

#[test]
fn concurrent_writers_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let file = AccountFile::new(directory.path());
            scope.spawn(move || {
                for number in 0..10 {
                    let name = name(&format!("user{writer}-{number}"));
                    file.add(&name, hash(writer), NOBODY).unwrap();
                }
            });
        }
    });
    let accounts = AccountFile::new(directory.path()).list().unwrap();
    let sids: std::collections::HashSet<_> = accounts.iter().map(|a| &a.sid).collect();
    assert_eq!((accounts.len(), sids.len()), (40, 40));
}

#[test]
fn a_corrupt_file_is_reported_by_line_and_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let file = AccountFile::new(directory.path());
    let head = "version = 1\nmachine_sid = \"S-1-5-21-1-2-3\"\nnext_rid = 1001\n";
    let account = |name: &str, sid: &str, hash: &str| {
        format!("[[account]]\nname = \"{name}\"\nsid = \"{sid}\"\nnt_hash = \"{hash}\"\n")
    };
    let good = "S-1-5-21-1-2-3-1000";
    let zero = "0".repeat(32);
    let cases = [
        (
            "version = 2\nmachine_sid = \"\"\nnext_rid = 1\n".to_owned(),
            1,
            "version 1",
        ),
        (
            head.replace("S-1-5-21-1-2-3", "S-1-5-21-1-2"),
            2,
            "S-1-5-21-1-2-3",
        ),
        (format!("{head}next = 1\n"), 4, "unknown field `next`"),
        (format!("{head}{}", account("a/b", good, &zero)), 5, "'/'"),
        (
            format!("{head}{}", account("a", "S-1", &zero)),
            6,
            "sid must look like",
        ),
        (
            format!("{head}{}", account("a", good, "00")),
            7,
            "32 hexadecimal digits",
        ),
        (
            format!("{head}{}", account("a", good, &"é".repeat(16))),
            7,
            "32 hexadecimal digits",
        ),
        (
            format!(
                "{head}{}{}",
                account("a", good, &zero),
                account("A", good, &zero)
            ),
            9,
            "second account",
        ),
        (format!("{head}[[account]]\nname = \"half"), 5, ""),
    ];
    for (text, line, expected) in cases {
        write(file.path(), &text);
        let error = file.add(&name("new"), hash(1), NOBODY).unwrap_err();
        let message = error.to_string();
        assert!(
            matches!(error, AccountError::Corrupt { line: l, .. } if l == line),
            "{message}\n{text}"
        );
        assert!(
            message.contains("accounts.toml:") && message.contains(expected),
            "{message}"
        );
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
    }
}

#[test]
fn a_running_store_follows_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = AccountFile::new(directory.path());
    let store = FileAccountStore::open(directory.path(), "SRV").unwrap();
    assert!(store.is_empty() && store.account("", "alice").is_none());

    file.add(&name("Alice"), hash(1), ADMIN).unwrap();
    let account = store.account("ANY", "aLiCe").unwrap();
    assert_eq!((account.nt_hash, account.refused), ([1; 16], None));
    let context = &account.security_context;
    assert_eq!((&*context.user_name, &*context.domain), ("Alice", "SRV"));
    assert!(context.has(SID_ADMINISTRATORS) && !context.has(SID_SERVER_OPERATORS));
    assert!(context.has(SID_AUTHENTICATED_USERS) && context.has(SID_NETWORK));
    assert!(!context.is_guest && !context.is_anonymous);

    file.set_password(&name("alice"), hash(2)).unwrap();
    file.set_disabled(&name("alice"), true).unwrap();
    file.set_membership(
        &name("alice"),
        Membership {
            admin: false,
            server_operator: true,
        },
    )
    .unwrap();
    let account = store.account("", "alice").unwrap();
    assert_eq!(account.nt_hash, [2; 16]);
    assert_eq!(account.refused, Some(NtStatus::ACCOUNT_DISABLED));
    assert!(!account.security_context.has(SID_ADMINISTRATORS));
    assert!(account.security_context.has(SID_SERVER_OPERATORS));

    // A bad version keeps what was known; the next good one counts again.
    let good = std::fs::read_to_string(file.path()).unwrap();
    write(file.path(), "version = 'x'");
    assert!(store.account("", "alice").is_some());
    assert!(FileAccountStore::open(directory.path(), "SRV").is_err());
    write(file.path(), &good);
    file.remove(&name("alice")).unwrap();
    assert!(store.account("", "alice").is_none());
    assert!(store.anonymous().is_none());
}

#[test]
fn a_written_document_parses_to_itself() {
    let mut document = document::Document::empty([1, u32::MAX, 0]);
    for (index, text) in ["alice", "Jörg 'M' Müller", "用户", "a#b", "{x}"]
        .iter()
        .enumerate()
    {
        document.accounts.push(document::Record {
            summary: AccountSummary {
                name: name(text),
                sid: format!("S-1-5-21-1-2-3-{}", 1000 + index),
                disabled: index % 2 == 0,
                admin: index % 3 == 0,
                server_operator: index == 1,
            },
            nt_hash: NtHash::new(std::array::from_fn(|i| (i * 17 + index) as u8)),
        });
    }
    document.next_rid = 1005;
    assert_eq!(document::Document::parse(&document.write()), Ok(document));
}

#[test]
fn hashes_are_not_printed() {
    assert_eq!(format!("{:?}", hash(0xab)), "NtHash(..)");
}
