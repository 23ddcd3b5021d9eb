//! Both parts together, on a real directory.

use std::fs;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use smb::wire::completion_filter::FILE_NOTIFY_CHANGE_FILE_NAME;
use smb::wire::info::notify::FileNotifyInformation;
use smb::wire::notify_action::FILE_ACTION_ADDED;
use tempfile::TempDir;

use super::super::Answer;
use super::*;
use crate::share::local::{LocalBackend, LocalOptions};
use crate::share::{Backend, CreateMode, KindWanted, OpenParameters, SharePath, Waiting};

/// Nothing takes longer, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(20);

struct Scene {
    directory: TempDir,
    notifier: Notifier,
    ready: Receiver<Ready>,
}

impl Scene {
    fn new() -> Self {
        let (send, ready) = channel();
        let notifier = Notifier::new(move |tickets| {
            let _ = send.send(tickets);
        });
        Self {
            directory: tempfile::tempdir().unwrap(),
            notifier,
            ready,
        }
    }

    /// A request on the share's root, opened as a client does.
    fn watch(&self, open: u32, ticket: u64) -> Watched {
        let backend = LocalBackend::new(self.directory.path(), LocalOptions::default()).unwrap();
        let opened = backend.open(
            &OpenParameters {
                path: &SharePath::root(),
                mode: CreateMode::Existing,
                kind: KindWanted::Directory,
                read: true,
                write: false,
                attributes: 0,
                identity: None,
                stream: None,
            },
            Waiting::Allowed,
        );
        let opened = opened.unwrap();
        let directory = FileName::new(&backend.local_path(), &opened.path);
        let request = WatchRequest {
            tree: false,
            filter: FILE_NOTIFY_CHANGE_FILE_NAME,
            buffer_length: 1000,
            ticket: Ticket(ticket),
        };
        let path = opened.handle.watch_path();
        self.notifier
            .watch(open, &directory, path.as_deref(), request)
    }

    fn name(&self, entry: &str) -> FileName {
        let path = fs::canonicalize(self.directory.path()).unwrap();
        FileName::local(path.join(entry).to_str().unwrap())
    }

    fn touch(&self, entry: &str) {
        let path = self.directory.path().join(entry);
        assert!(Command::new("touch").arg(path).status().unwrap().success());
    }

    /// The ticket that is ready next, and the names that it is told were added.
    fn next(&self) -> (u64, Vec<String>) {
        let mut ready = self
            .ready
            .recv_timeout(LIMIT)
            .expect("nothing became ready");
        let (ticket, answer) = ready.pop().unwrap();
        let Answer::Changes(bytes) = answer else {
            panic!("{answer:?}");
        };
        let names = FileNotifyInformation::read_list(&bytes).map(|entry| {
            let entry = entry.unwrap();
            assert_eq!(entry.action, FILE_ACTION_ADDED);
            entry.file_name.to_string().unwrap()
        });
        (ticket.0, names.collect())
    }
}

#[test]
fn a_file_of_another_program_is_told() {
    let it = Scene::new();
    assert_eq!(it.watch(1, 1), Watched::Waits);
    it.touch("file");
    assert_eq!(it.next(), (1, vec!["file".to_owned()]));
}

#[test]
fn an_own_change_is_told_once() {
    let it = Scene::new();
    assert_eq!(it.watch(1, 1), Watched::Waits);
    let own = it.name("own");
    it.notifier.expect(&own, OwnChange::Created);
    fs::write(own.as_str(), "").unwrap();
    it.notifier.added(&own, false);
    assert_eq!(it.next(), (1, vec!["own".to_owned()]));
    assert_eq!(it.watch(1, 2), Watched::Waits);
    it.touch("other");
    assert_eq!(it.next(), (2, vec!["other".to_owned()]));
}

#[test]
fn a_closed_open_is_told_nothing_more() {
    let it = Scene::new();
    assert_eq!(it.watch(1, 1), Watched::Waits);
    it.notifier.close(1);
    assert_eq!(it.ready.recv().unwrap(), [(Ticket(1), Answer::Cleanup)]);
    assert!(!it.notifier.is_watched());
    assert!(!it.notifier.cancel(Ticket(1)));
    // The directory can be watched again, by an open of the same number as well.
    assert_eq!(it.watch(1, 2), Watched::Waits);
    it.touch("file");
    assert_eq!(it.next(), (2, vec!["file".to_owned()]));
}

#[test]
fn after_delete_pending_an_open_may_watch_again() {
    let it = Scene::new();
    assert_eq!(it.watch(1, 1), Watched::Waits);
    let (directory, _) = it
        .name("x")
        .split()
        .map(|(d, n)| (d.to_owned(), n.to_owned()))
        .unwrap();
    it.notifier.delete_pending(&FileName::local(&directory));
    assert_eq!(
        it.ready.recv().unwrap(),
        [(Ticket(1), Answer::DeletePending)]
    );
    assert_eq!(it.watch(1, 2), Watched::Waits);
    it.touch("file");
    assert_eq!(it.next(), (2, vec!["file".to_owned()]));
}
