//! Delete-pending and delete-on-close ([MS-FSA] 2.1.5.5, 2.1.5.15.3).

use super::*;

fn unlinks(closed: &Closed, file: &Arc<File>) -> bool {
    match &closed.unlink {
        Some(Unlink::File(other) | Unlink::Stream(other)) => Arc::ptr_eq(other, file),
        None => false,
    }
}

const PENDING: Came = Came::Refused(NtStatus::DELETE_PENDING);

#[test]
fn a_file_marked_for_deletion_goes_with_its_last_open() {
    let mut bench = Bench::new();
    let one = bench.create(file("a")).open();
    let two = bench.create(file("a")).open();
    let held = bench.file(one).clone();
    held.set_delete_pending(true);
    assert!(held.is_delete_pending());
    assert_eq!(bench.create(file("a")), PENDING);
    // Not even attributes can be looked at by a new open.
    assert_eq!(bench.create(file("a").access(ATTRIBUTES)), PENDING);
    assert!(bench.close(one).unlink.is_none());
    assert_eq!(bench.create(file("a")), PENDING);
    let closed = bench.close(two);
    assert!(closed.last && unlinks(&closed, &held));
    // No new open gets the doomed file before the store has removed it.
    assert_eq!(bench.create(file("a")), PENDING);
    assert!(bench.table.removed(&held).is_none());
    bench.create(file("a")).open();
    bench.end();
}

#[test]
fn a_mark_can_be_taken_back() {
    let mut bench = Bench::new();
    let one = bench.create(file("a")).open();
    bench.file(one).set_delete_pending(true);
    bench.file(one).set_delete_pending(false);
    bench.create(file("a")).open();
    assert!(bench.close(one).unlink.is_none());
    bench.create(file("a")).open();
    bench.end();
}

#[test]
fn delete_on_close_cannot_be_taken_back() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").delete_on_close()).open();
    let held = bench.file(one).clone();
    held.set_delete_pending(true);
    held.set_delete_pending(false);
    assert!(unlinks(&bench.close(one), &held));
    bench.table.removed(&held);
    bench.end();
}

#[test]
fn delete_on_close_takes_effect_when_that_open_closes() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").delete_on_close()).open();
    let two = bench.create(file("a")).open();
    let held = bench.file(one).clone();
    assert!(held.delete_on_close(one) && !held.delete_on_close(two));
    assert!(!held.is_delete_pending());
    assert!(bench.close(one).unlink.is_none());
    assert!(held.is_delete_pending());
    assert_eq!(bench.create(file("a")), PENDING);
    // Another open may still keep the file.
    held.set_delete_pending(false);
    let three = bench.create(file("a")).open();
    held.set_delete_on_close(three, true);
    bench.close(two);
    let closed = bench.close(three);
    assert!(unlinks(&closed, &held));
    bench.table.removed(&held);
    bench.end();
}

#[test]
fn delete_on_close_can_be_cleared_for_a_directory_that_filled() {
    let mut bench = Bench::new();
    let one = bench.create(directory("d").delete_on_close()).open();
    let held = bench.file(one).clone();
    held.set_delete_on_close(one, false);
    assert!(bench.close(one).unlink.is_none());
    bench.end();
}

#[test]
fn a_file_that_could_not_be_removed_can_be_opened() {
    let mut bench = Bench::new();
    let one = bench.create(directory("d").delete_on_close()).open();
    let held = bench.file(one).clone();
    assert!(unlinks(&bench.close(one), &held));
    bench.table.removed(&held);
    bench.create(directory("d")).open();
    // A second word about it does nothing.
    assert!(bench.table.removed(&held).is_none());
    bench.create(directory("d")).open();
    bench.end();
}

#[test]
fn closing_twice_does_nothing() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").delete_on_close()).open();
    let two = bench.create(file("a")).open();
    let held = bench.file(one).clone();
    bench.close(one);
    let again = bench.table.close(&held, one, bench.now, &mut bench.effects);
    assert!(!again.last && again.unlink.is_none());
    assert_eq!(bench.file(two).open_count(), 1);
    bench.end();
}

#[test]
fn a_deleted_file_waits_for_its_streams() {
    let mut bench = Bench::new();
    let one = bench.create(file("a")).open();
    let stream = bench.create(file("a").stream("S")).open();
    let held = bench.file(one).clone();
    held.set_delete_pending(true);
    assert!(bench.file(stream).is_delete_pending());
    assert_eq!(bench.create(file("a").stream("S")), PENDING);
    assert_eq!(bench.create(file("a").stream("NEW")), PENDING);
    let closed = bench.close(one);
    assert!(closed.last && closed.unlink.is_none());
    assert_eq!(bench.create(file("a")), PENDING);
    let closed = bench.close(stream);
    assert!(unlinks(&closed, &held));
    assert!(matches!(closed.unlink, Some(Unlink::File(_))));
    assert_eq!(bench.create(file("a").stream("S")), PENDING);
    bench.table.removed(&held);
    bench.create(file("a").stream("S")).open();
    bench.end();
}

#[test]
fn a_stream_is_deleted_alone() {
    let mut bench = Bench::new();
    let one = bench.create(file("a")).open();
    let stream = bench.create(file("a").stream("S").delete_on_close()).open();
    let held = bench.file(stream).clone();
    let closed = bench.close(stream);
    assert!(matches!(closed.unlink, Some(Unlink::Stream(_))));
    assert!(unlinks(&closed, &held));
    assert_eq!(bench.create(file("a").stream("S")), PENDING);
    bench.create(file("a")).open();
    // The file is marked and closed while the store removes the stream.
    let (base, opens) = (bench.file(one).clone(), [one, one + 3]);
    base.set_delete_pending(true);
    for open in opens {
        assert!(bench.close(open).unlink.is_none());
    }
    let next = bench.table.removed(&held);
    assert!(matches!(&next, Some(Unlink::File(file)) if Arc::ptr_eq(file, &base)));
    assert!(bench.table.removed(&base).is_none());
    bench.end();
}

#[test]
fn waiting_opens_are_told_of_a_close() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").batch().delete_on_close()).open();
    let waits = bench.create(file("a"));
    let held = bench.file(one).clone();
    assert!(unlinks(&bench.close(one), &held));
    assert_eq!(bench.ready(), [waits.ticket()]);
    assert_eq!(bench.again(file("a"), &waits), PENDING);
    bench.table.removed(&held);
    bench.again(file("a"), &waits).open();
    bench.end();
}

#[test]
fn deletion_breaks_the_handle_caching_of_others() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RH"));
    let two = bench.create(file("a").access(DELETE)).open();
    let ticket = bench.break_handles(two).unwrap();
    assert_eq!(bench.breaks(), ["lease 1 RH>R"]);
    bench.pass(BREAK_TIMEOUT);
    assert_eq!(bench.break_handles(two), None);
    assert_eq!(bench.ready(), [ticket]);
    bench.end();
}
