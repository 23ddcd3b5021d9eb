//! A test for each rule; `model` compares random schedules with a naive table.

use smb::wire::completion_filter::{
    FILE_NOTIFY_CHANGE_ATTRIBUTES as ATTRIBUTES, FILE_NOTIFY_CHANGE_DIR_NAME as DIR_NAME,
    FILE_NOTIFY_CHANGE_FILE_NAME as FILE_NAME, FILE_NOTIFY_CHANGE_SIZE as SIZE,
    FILE_NOTIFY_CHANGE_STREAM_NAME as STREAM_NAME,
};
use smb::wire::info::notify::FileNotifyInformation;
use smb::wire::notify_action::{
    FILE_ACTION_ADDED as ADDED, FILE_ACTION_ADDED_STREAM as ADDED_STREAM,
    FILE_ACTION_MODIFIED as MODIFIED, FILE_ACTION_REMOVED as REMOVED,
    FILE_ACTION_RENAMED_NEW_NAME as NEW_NAME, FILE_ACTION_RENAMED_OLD_NAME as OLD_NAME,
};

use super::*;
use crate::share::SharePath;

mod model;

const NAMES: u32 = FILE_NAME | DIR_NAME;

fn name(path: &str) -> FileName {
    FileName::local(path)
}

fn request(ticket: u64) -> WatchRequest {
    WatchRequest {
        tree: false,
        filter: NAMES,
        buffer_length: 1000,
        ticket: Ticket(ticket),
    }
}

fn tree(ticket: u64) -> WatchRequest {
    WatchRequest {
        tree: true,
        ..request(ticket)
    }
}

/// Action and name of each entry.
fn entries(answer: &Answer) -> Vec<(u32, String)> {
    let Answer::Changes(bytes) = answer else {
        panic!("no list: {answer:?}");
    };
    FileNotifyInformation::read_list(bytes)
        .map(|entry| {
            let entry = entry.expect("well-formed");
            let name = entry.file_name.to_string().expect("UTF-16");
            (entry.action, name)
        })
        .collect()
}

fn list(entries: &[(u32, &str)]) -> Vec<(u32, String)> {
    let owned = |(action, name): &(u32, &str)| (*action, (*name).to_owned());
    entries.iter().map(owned).collect()
}

/// A table, and what its calls made ready.
#[derive(Default)]
struct Watches {
    table: WatchTable,
    ready: Ready,
}

impl Watches {
    fn waits(&self, open: u32, directory: &str, request: WatchRequest) {
        let watched = self.table.watch(open, &name(directory), request);
        assert_eq!(watched, Watched::Waits);
    }

    fn answer(&self, open: u32, directory: &str, request: WatchRequest) -> Answer {
        match self.table.watch(open, &name(directory), request) {
            Watched::Ready(answer) => answer,
            Watched::Waits => panic!("waits"),
        }
    }

    fn added(&mut self, path: &str) {
        let path = name(path);
        let change = Change::added(&path, false);
        self.table.changed(change, &mut self.ready);
    }

    fn modified(&mut self, path: &str, filter: u32) {
        let path = name(path);
        let change = Change::modified(&path, filter);
        self.table.changed(change, &mut self.ready);
    }

    fn renamed(&mut self, old: &str, new: &str, is_directory: bool, replaced: Option<&str>) {
        let (old, new, replaced) = (name(old), name(new), replaced.map(name));
        let rename = Rename {
            old: &old,
            new: &new,
            is_directory,
            replaced: replaced.as_ref(),
        };
        self.table.renamed(&rename, &mut self.ready);
    }

    /// The only request that is ready by now.
    fn only(&mut self) -> (u64, Answer) {
        assert_eq!(self.ready.len(), 1, "{:?}", self.ready);
        self.ready.pop().map(|(t, answer)| (t.0, answer)).unwrap()
    }
}

#[test]
fn a_change_answers_the_request_that_waits() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(7));
    it.added("/srv/a/new.txt");
    let (ticket, answer) = it.only();
    assert_eq!(ticket, 7);
    assert_eq!(entries(&answer), list(&[(ADDED, "new.txt")]));
    assert!(!it.table.cancel(Ticket(7)));
}

#[test]
fn a_change_between_two_requests_is_buffered() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    assert!(it.table.cancel(Ticket(1)));
    it.added("/srv/a/one");
    it.added("/srv/a/two");
    assert!(it.ready.is_empty());
    assert_eq!(it.table.buffered_bytes(), 12 + 6 + 2 + 12 + 6);
    let answer = it.answer(1, "/srv/a", request(2));
    assert_eq!(entries(&answer), list(&[(ADDED, "one"), (ADDED, "two")]));
    assert_eq!(it.table.buffered_bytes(), 0);
    it.waits(1, "/srv/a", request(3));
}

#[test]
fn nothing_is_buffered_before_the_first_request() {
    let mut it = Watches::default();
    it.added("/srv/a/early");
    assert!(!it.table.is_watched());
    it.waits(1, "/srv/a", request(1));
    assert!(it.table.is_watched());
}

#[test]
fn requests_of_one_open_are_answered_in_order() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    it.waits(1, "/srv/a", request(2));
    it.added("/srv/a/x");
    assert_eq!(it.only().0, 1);
    it.added("/srv/a/y");
    let (ticket, answer) = it.only();
    assert_eq!((ticket, entries(&answer)), (2, list(&[(ADDED, "y")])));
}

#[test]
fn each_open_has_its_own_buffer() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    it.waits(2, "/srv/a", request(2));
    it.added("/srv/a/x");
    it.ready.sort_by_key(|(ticket, _)| ticket.0);
    let (one, two) = (it.ready.remove(0), it.ready.remove(0));
    assert_eq!((one.0, two.0), (Ticket(1), Ticket(2)));
    assert_eq!(one.1, two.1);
}

#[test]
fn filter_and_tree_of_the_first_request_stay_in_force() {
    let mut it = Watches::default();
    let first = WatchRequest {
        filter: ATTRIBUTES,
        ..request(1)
    };
    it.waits(1, "/srv/a", first);
    it.waits(1, "/srv/a", tree(2));
    it.added("/srv/a/x");
    it.modified("/srv/a/below/y", ATTRIBUTES);
    assert!(it.ready.is_empty());
    it.modified("/srv/a/x", ATTRIBUTES | SIZE);
    assert_eq!(entries(&it.only().1), list(&[(MODIFIED, "x")]));
}

#[test]
fn a_filter_without_valid_bits_never_matches() {
    let mut it = Watches::default();
    for (open, filter) in [(1, 0), (2, 0xFFFF_F000)] {
        let request = WatchRequest {
            filter,
            ..request(open.into())
        };
        it.waits(open, "/srv/a", request);
    }
    it.added("/srv/a/x");
    it.modified("/srv/a/x", 0xFFF);
    assert!(it.ready.is_empty());
}

#[test]
fn a_tree_is_watched_whole_and_a_directory_alone() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", tree(1));
    it.waits(2, "/srv/a", request(2));
    it.added("/srv/a/b/c/deep");
    let (ticket, answer) = it.only();
    assert_eq!(ticket, 1);
    assert_eq!(entries(&answer), list(&[(ADDED, "b\\c\\deep")]));
    it.added("/srv/ab/other");
    it.added("/srv/a");
    assert!(it.ready.is_empty());
}

#[test]
fn the_watched_directory_itself_is_not_told() {
    let mut it = Watches::default();
    let all = WatchRequest {
        filter: 0xFFF,
        ..tree(1)
    };
    it.waits(1, "/srv/a", all);
    it.modified("/srv/a", ATTRIBUTES);
    assert!(it.ready.is_empty());
}

#[test]
fn names_are_compared_without_case_and_told_as_spelled() {
    let mut it = Watches::default();
    it.waits(1, "/srv/Straße/ÄB", tree(1));
    it.added("/SRV/straße/äb/Sub/Neu.TXT");
    assert_eq!(entries(&it.only().1), list(&[(ADDED, "Sub\\Neu.TXT")]));
}

#[test]
fn a_share_within_a_share_tells_the_outer() {
    let inner = FileName::new("/srv/outer/inner/", &SharePath::parse("dir\\file").unwrap());
    let outer = FileName::new("/srv/outer", &SharePath::parse("inner\\dir\\file").unwrap());
    assert_eq!(inner, outer);
    let mut it = Watches::default();
    it.waits(1, "/srv/outer", tree(1));
    let change = Change::added(&inner, false);
    it.table.changed(change, &mut it.ready);
    assert_eq!(entries(&it.only().1), list(&[(ADDED, "inner\\dir\\file")]));
}

#[test]
fn the_root_of_the_file_system_can_be_watched() {
    let mut it = Watches::default();
    it.waits(1, "/", tree(1));
    it.waits(2, "/", request(2));
    it.added("/a/b");
    assert_eq!(entries(&it.only().1), list(&[(ADDED, "a\\b")]));
    it.added("/c");
    assert_eq!(it.only().0, 2);
}

#[test]
fn both_names_of_a_rename_come_in_one_answer() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    it.renamed("/srv/a/old", "/srv/a/new", false, None);
    let told = list(&[(OLD_NAME, "old"), (NEW_NAME, "new")]);
    assert_eq!(entries(&it.only().1), told);
}

#[test]
fn a_move_between_directories_is_told_as_removed_and_added() {
    let mut it = Watches::default();
    it.waits(1, "/srv", tree(1));
    it.waits(2, "/srv/a", request(2));
    it.waits(3, "/srv/b", request(3));
    it.renamed("/srv/a/x", "/srv/b/y", false, None);
    it.ready.sort_by_key(|(ticket, _)| ticket.0);
    let told: Vec<_> = it.ready.iter().map(|(_, answer)| entries(answer)).collect();
    let expected = [
        list(&[(REMOVED, "a\\x"), (ADDED, "b\\y")]),
        list(&[(REMOVED, "x")]),
        list(&[(ADDED, "y")]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_renamed_directory_matches_the_filter_for_directories() {
    let mut it = Watches::default();
    let files = WatchRequest {
        filter: FILE_NAME,
        ..request(1)
    };
    it.waits(1, "/srv/a", files);
    it.renamed("/srv/a/old", "/srv/a/new", true, None);
    assert!(it.ready.is_empty());
    it.renamed("/srv/a/old", "/srv/a/new", false, None);
    assert_eq!(it.only().0, 1);
}

#[test]
fn a_rename_that_replaces_tells_what_became_of_the_other_file() {
    let mut it = Watches::default();
    let all = WatchRequest {
        filter: 0xFFF,
        ..request(1)
    };
    it.waits(1, "/srv/a", all);
    it.renamed("/srv/a/tmp", "/srv/a/Doc", false, Some("/srv/a/Doc"));
    let told = list(&[(REMOVED, "tmp"), (MODIFIED, "Doc")]);
    assert_eq!(entries(&it.only().1), told);

    it.waits(1, "/srv/a", request(2));
    it.renamed("/srv/a/tmp", "/srv/a/Doc", false, Some("/srv/a/DOC"));
    let told = list(&[(REMOVED, "DOC"), (OLD_NAME, "tmp"), (NEW_NAME, "Doc")]);
    assert_eq!(entries(&it.only().1), told);
}

#[test]
fn what_is_watched_below_a_renamed_directory_stays_watched() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a/deep/er", request(1));
    it.waits(2, "/srv/a", tree(2));
    it.renamed("/srv/a", "/srv/b/c", true, None);
    assert!(it.ready.is_empty());
    it.added("/srv/a/deep/er/x");
    assert!(it.ready.is_empty());
    it.added("/srv/b/c/deep/er/x");
    assert_eq!(it.ready.len(), 2);
    it.ready.clear();
    it.table.close(1, &mut it.ready);
    it.table.close(2, &mut it.ready);
    assert!(!it.table.is_watched());
}

#[test]
fn the_same_change_twice_in_a_row_is_told_once() {
    let mut it = Watches::default();
    let sizes = WatchRequest {
        filter: SIZE | NAMES,
        ..request(1)
    };
    it.waits(1, "/srv/a", sizes);
    assert!(it.table.cancel(Ticket(1)));
    it.added("/srv/a/x");
    it.modified("/srv/a/x", SIZE);
    it.modified("/srv/a/x", SIZE);
    it.modified("/srv/a/X", SIZE);
    it.modified("/srv/a/x", SIZE);
    let told = list(&[
        (ADDED, "x"),
        (MODIFIED, "x"),
        (MODIFIED, "X"),
        (MODIFIED, "x"),
    ]);
    assert_eq!(entries(&it.answer(1, "/srv/a", request(2))), told);
}

#[test]
fn more_than_the_buffer_holds_is_told_as_enum_dir() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    assert!(it.table.cancel(Ticket(1)));
    for number in 0..100 {
        it.added(&format!("/srv/a/test{number}.txt"));
    }
    assert_eq!(it.table.buffered_bytes(), 0);
    assert_eq!(it.answer(1, "/srv/a", request(2)), Answer::EnumDir);
    // What comes afterwards is told again.
    it.waits(1, "/srv/a", request(3));
    it.added("/srv/a/x");
    assert_eq!(entries(&it.only().1), list(&[(ADDED, "x")]));
}

#[test]
fn a_list_exactly_as_long_as_the_buffer_fits() {
    for (short, fits) in [(0, true), (1, false)] {
        let mut it = Watches::default();
        let exact = WatchRequest {
            buffer_length: 12 + 2 + 2 + 12 + 4 - short,
            ..request(1)
        };
        it.waits(1, "/srv/a", exact);
        assert!(it.table.cancel(Ticket(1)));
        it.added("/srv/a/x");
        it.added("/srv/a/yz");
        let answer = it.answer(1, "/srv/a", request(2));
        assert_eq!(answer != Answer::EnumDir, fits);
    }
}

#[test]
fn a_request_without_room_is_told_of_the_event_alone() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    let none = WatchRequest {
        buffer_length: 0,
        ..request(2)
    };
    it.waits(1, "/srv/a", none);
    it.added("/srv/a/x");
    assert_eq!(entries(&it.only().1), list(&[(ADDED, "x")]));
    it.added("/srv/a/y");
    assert_eq!(it.only(), (2, Answer::EnumDir));
    // The list that did not fit is gone.
    it.waits(1, "/srv/a", request(3));
    it.added("/srv/a/z");
    assert_eq!(entries(&it.only().1), list(&[(ADDED, "z")]));
}

#[test]
fn after_a_first_request_without_room_none_gets_a_list() {
    let mut it = Watches::default();
    let tiny = WatchRequest {
        buffer_length: 1,
        ..request(1)
    };
    it.waits(1, "/srv/a", tiny);
    it.added("/srv/a/x");
    assert_eq!(it.only(), (1, Answer::EnumDir));
    it.waits(1, "/srv/a", request(2));
    it.added("/srv/a/y");
    assert_eq!(it.only(), (2, Answer::EnumDir));
}

#[test]
fn a_buffer_never_holds_more_than_its_limit() {
    let mut it = Watches::default();
    let huge = WatchRequest {
        buffer_length: u32::MAX,
        ..request(1)
    };
    assert_eq!(huge.most_bytes(), MAX_BUFFER);
    it.waits(1, "/srv/a", huge);
    assert!(it.table.cancel(Ticket(1)));
    for number in 0..MAX_BUFFER / 16 {
        it.added(&format!("/srv/a/{number}"));
        assert!(it.table.buffered_bytes() <= MAX_BUFFER as usize);
    }
    assert_eq!(it.answer(1, "/srv/a", huge), Answer::EnumDir);
}

#[test]
fn a_closed_open_ends_its_requests_with_cleanup() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    it.waits(1, "/srv/a", request(2));
    it.table.close(1, &mut it.ready);
    let both = [(Ticket(1), Answer::Cleanup), (Ticket(2), Answer::Cleanup)];
    assert_eq!(it.ready, both);
    assert_eq!(Answer::Cleanup.status(), NtStatus::NOTIFY_CLEANUP);
    assert!(!it.table.is_watched());
    assert!(!it.table.watches(1));
    // The next open of this number begins anew.
    it.waits(1, "/srv/b", request(3));
}

#[test]
fn a_directory_that_will_be_deleted_ends_its_requests() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    it.waits(2, "/srv", request(2));
    let directory = name("/SRV/A");
    it.table.delete_pending(&directory, &mut it.ready);
    assert_eq!(it.only(), (1, Answer::DeletePending));
    // It was not deleted after all.
    it.waits(1, "/srv/a", request(3));
    it.added("/srv/a/x");
    assert_eq!(it.only().0, 3);
}

#[test]
fn the_open_of_a_deleted_directory_never_watches_its_successor() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    it.waits(2, "/srv/a/b", tree(2));
    let directory = name("/srv/a");
    it.table.directory_removed(&directory, &mut it.ready);
    it.ready.sort_by_key(|(ticket, _)| ticket.0);
    let both = [
        (Ticket(1), Answer::DeletePending),
        (Ticket(2), Answer::DeletePending),
    ];
    assert_eq!(it.ready, both);
    it.ready.clear();
    it.waits(3, "/srv/a", request(3));
    assert_eq!(it.answer(1, "/srv/a", request(4)), Answer::DeletePending);
    it.added("/srv/a/x");
    assert_eq!(it.only().0, 3);
}

#[test]
fn missed_changes_are_told_to_everybody() {
    let mut it = Watches::default();
    it.waits(1, "/srv/a", request(1));
    it.waits(2, "/srv/b", request(2));
    assert!(it.table.cancel(Ticket(2)));
    it.table.overflow(&mut it.ready);
    assert_eq!(it.only(), (1, Answer::EnumDir));
    assert_eq!(it.answer(2, "/srv/b", request(3)), Answer::EnumDir);
}

#[test]
fn streams_are_named_after_their_file() {
    let mut it = Watches::default();
    let streams = WatchRequest {
        filter: STREAM_NAME,
        ..request(1)
    };
    it.waits(1, "/srv/a", streams);
    let stream = name("/srv/a/file").with_stream("author");
    let change = Change {
        name: &stream,
        action: ADDED_STREAM,
        filter: STREAM_NAME,
    };
    it.table.changed(change, &mut it.ready);
    assert_eq!(
        entries(&it.only().1),
        list(&[(ADDED_STREAM, "file:author")])
    );
}

/// Time is not measured, but with a scan of all watchers this test would take minutes.
#[test]
fn many_watched_directories_cost_a_change_nothing() {
    let mut it = Watches::default();
    for open in 0..50_000 {
        it.waits(open, &format!("/srv/share/dir{open}"), request(open.into()));
    }
    for number in 0..50_000 {
        it.added(&format!("/srv/share/dir{number}/file"));
    }
    assert_eq!(it.ready.len(), 50_000);
    for open in 0..50_000 {
        it.table.close(open, &mut it.ready);
    }
    assert!(!it.table.is_watched());
}
