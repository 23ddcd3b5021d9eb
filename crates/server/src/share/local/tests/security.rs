//! Security descriptors of new files, and whether a file has one.

use std::sync::Mutex;

use super::super::super::CreationPolicy;
use super::*;

/// Says what it has been told to, and remembers what it was asked.
#[derive(Debug, Default)]
struct Policy {
    answer: Option<&'static [u8]>,
    refuses: bool,
    asked: Mutex<Vec<(Option<Vec<u8>>, FileKind)>>,
}

impl CreationPolicy for Policy {
    fn create(&self, parent: Option<&[u8]>, kind: FileKind) -> Result<Option<Vec<u8>>, NtStatus> {
        let asked = (parent.map(<[u8]>::to_vec), kind);
        self.asked.lock().unwrap().push(asked);
        if self.refuses {
            return Err(NtStatus::ACCESS_DENIED);
        }
        Ok(self.answer.map(<[u8]>::to_vec))
    }
}

fn open(
    store: &Store,
    name: &str,
    kind: KindWanted,
    stream: Option<&str>,
    policy: &Policy,
) -> StoreResult<Opened> {
    store.backend.open(
        &OpenParameters {
            path: &share_path(name),
            mode: CreateMode::CreateIfMissing,
            kind,
            read: false,
            write: false,
            attributes: 0,
            identity: None,
            creation: Some(policy),
            stream,
        },
        Waiting::Allowed,
    )
}

fn has_security(opened: &Opened) -> bool {
    opened.handle.stat(Waiting::Allowed).unwrap().has_security
}

#[test]
fn what_is_made_has_its_descriptor_from_the_start() {
    let store = Store::new();
    let policy = Policy {
        answer: Some(b"of the new one"),
        ..Policy::default()
    };
    let directory = open(&store, "d", KindWanted::Directory, None, &policy).unwrap();
    if directory.handle.security(Waiting::Allowed) == Ok(None) {
        return; // No extended attributes here.
    }
    let file = open(&store, r"d\f", KindWanted::File, None, &policy).unwrap();
    let of_stream = open(&store, r"d\g", KindWanted::Any, Some("s"), &policy).unwrap();
    for opened in [&directory, &file, &of_stream] {
        assert!(has_security(opened));
        assert_eq!(
            opened.handle.security(Waiting::Allowed),
            Ok(Some(b"of the new one".to_vec()))
        );
    }
    let of_directory = Some(b"of the new one".to_vec());
    assert_eq!(
        *policy.asked.lock().unwrap(),
        [
            (None, FileKind::Directory),
            (of_directory.clone(), FileKind::File),
            (of_directory, FileKind::File),
        ]
    );
    let again = open(&store, r"d\f", KindWanted::File, None, &policy).unwrap();
    assert!(!again.created && has_security(&again));
    assert_eq!(policy.asked.lock().unwrap().len(), 3, "only about new ones");
}

#[test]
fn what_is_refused_is_not_made() {
    let store = Store::new();
    let policy = Policy {
        refuses: true,
        ..Policy::default()
    };
    for (name, kind, stream) in [
        ("d", KindWanted::Directory, None),
        ("f", KindWanted::File, None),
        ("g", KindWanted::Any, Some("s")),
    ] {
        let refused = open(&store, name, kind, stream, &policy);
        assert_eq!(
            refused.err().map(failure),
            Some(NtStatus::ACCESS_DENIED),
            "{name}"
        );
        assert!(!store.path(name).exists(), "{name}");
    }
}

#[test]
fn a_descriptor_is_seen_as_soon_as_it_is_set() {
    let store = Store::new();
    let policy = Policy::default();
    let file = open(&store, "f", KindWanted::File, None, &policy).unwrap();
    let other = open(&store, "f", KindWanted::File, None, &policy).unwrap();
    assert!(!has_security(&file) && !has_security(&other));
    if file.handle.set_security(b"d", Waiting::Allowed).is_err() {
        return; // No extended attributes here.
    }
    assert!(has_security(&file) && has_security(&other));
    // Attributes and times are in another attribute: they leave it alone.
    other
        .handle
        .set_attributes(HIDDEN | ARCHIVE, Waiting::Allowed)
        .unwrap();
    let times = Times {
        change_time: Some(FileTime(1 << 56)),
        ..Times::default()
    };
    other.handle.set_times(&times, Waiting::Allowed).unwrap();
    assert!(has_security(&file) && has_security(&other));
    // And one that another program sets.
    store.put("local", "");
    let local = open(&store, "local", KindWanted::File, None, &policy).unwrap();
    assert!(!has_security(&local));
    let name = "user.netsession.security";
    let flags = rustix::fs::XattrFlags::empty();
    // A tick of the file system's clock later.
    let before = fs::metadata(store.path("local")).unwrap();
    let moved = || {
        let now = fs::metadata(store.path("local")).unwrap();
        (now.ctime(), now.ctime_nsec()) != (before.ctime(), before.ctime_nsec())
    };
    while !moved() {
        rustix::fs::setxattr(store.path("local"), name, b"d", flags).unwrap();
    }
    assert!(has_security(&local));
}
