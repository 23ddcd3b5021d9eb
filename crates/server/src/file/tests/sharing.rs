//! Share modes ([MS-FSA] 2.1.5.1.2.2).

use super::*;

#[test]
fn each_right_needs_its_share_mode_from_both_sides() {
    let rights = [
        (READ, share_access::FILE_SHARE_READ),
        (access_mask::FILE_EXECUTE, share_access::FILE_SHARE_READ),
        (WRITE, share_access::FILE_SHARE_WRITE),
        (
            access_mask::FILE_APPEND_DATA,
            share_access::FILE_SHARE_WRITE,
        ),
        (DELETE, share_access::FILE_SHARE_DELETE),
    ];
    for (held, _) in rights {
        for (wanted, needed) in rights {
            for held_shares in 0..8 {
                for shares in 0..8 {
                    let mut bench = Bench::new();
                    bench.create(file("a").access(held).share(held_shares));
                    let came = bench.create(file("a").access(wanted).share(shares));
                    let held_needs = rights.iter().find(|(right, _)| *right == held).unwrap().1;
                    let fits = held_shares & needed != 0 && shares & held_needs != 0;
                    match fits {
                        true => assert_eq!(came.open(), 2),
                        false => assert_eq!(came, Came::Refused(NtStatus::SHARING_VIOLATION)),
                    }
                }
            }
        }
    }
}

#[test]
fn attributes_only_opens_neither_ask_nor_give_leave() {
    let mut bench = Bench::new();
    bench.create(file("a").share(0)).open();
    bench.create(file("a").access(ATTRIBUTES).share(0)).open();
    // READ_CONTROL alone meets no share mode either, only oplocks.
    let control = access_mask::READ_CONTROL;
    bench.create(file("a").access(control).share(0)).open();

    bench.create(file("b").access(ATTRIBUTES).share(0)).open();
    bench.create(file("b").share(0)).open();
    bench.end();
}

#[test]
fn an_open_that_overwrites_needs_write_sharing() {
    let mut bench = Bench::new();
    let reading = file("a").access(READ).share(share_access::FILE_SHARE_READ);
    bench.create(reading);
    let came = bench.create(file("a").access(ATTRIBUTES).overwrite());
    assert_eq!(came, Came::Refused(NtStatus::SHARING_VIOLATION));
    // What it overwrites with is not held afterwards.
    let mut bench = Bench::new();
    bench
        .create(file("a").access(ATTRIBUTES).overwrite())
        .open();
    bench.create(reading).open();
    bench.end();
}

#[test]
fn a_closed_open_denies_nothing() {
    let mut bench = Bench::new();
    let exclusive = bench.create(file("a").share(0)).open();
    let refused = bench.create(file("a"));
    assert_eq!(refused, Came::Refused(NtStatus::SHARING_VIOLATION));
    assert!(bench.close(exclusive).last);
    bench.create(file("a")).open();
    bench.end();
}

#[test]
fn streams_do_not_meet_each_others_share_modes() {
    let mut bench = Bench::new();
    bench.create(file("a").share(0)).open();
    bench.create(file("a").stream("ONE").share(0)).open();
    bench.create(file("a").stream("TWO").share(0)).open();
    let refused = bench.create(file("a").stream("ONE"));
    assert_eq!(refused, Came::Refused(NtStatus::SHARING_VIOLATION));
    bench.end();
}

#[test]
fn the_same_file_by_another_name_meets_its_share_modes() {
    let mut bench = Bench::new();
    bench.create(file("a").share(0)).open();
    let identity = bench.identity("a");
    let came = bench.create_as(&identity, file("link"));
    assert_eq!(came, Came::Refused(NtStatus::SHARING_VIOLATION));
    bench.end();
}

#[test]
fn a_renaming_open_needs_others_to_share_deletion() {
    let mut bench = Bench::new();
    let not_delete = SHARE_ALL & !share_access::FILE_SHARE_DELETE;
    let reader = file("a").access(READ).share(not_delete);
    let one = bench.create(reader).open();
    let two = bench.create(reader).open();
    let violation = Err(NtStatus::SHARING_VIOLATION);
    assert_eq!(bench.file(one).may_rename(one), violation);
    bench.close(two);
    // Its own refusal does not count.
    assert_eq!(bench.file(one).may_rename(one), Ok(()));
    let looks = bench.create(file("a").access(ATTRIBUTES).share(0)).open();
    assert_eq!(bench.file(one).may_rename(one), Ok(()));
    assert_eq!(bench.file(looks).may_rename(looks), violation);
    bench.end();
}

#[test]
fn a_file_with_open_streams_is_not_renamed() {
    let mut bench = Bench::new();
    let open = bench.create(file("a")).open();
    let stream = bench.create(file("a").stream("S")).open();
    let denied = Err(NtStatus::ACCESS_DENIED);
    assert_eq!(bench.file(open).may_rename(open), denied);
    bench.close(stream);
    assert_eq!(bench.file(open).may_rename(open), Ok(()));
    bench.end();
}

#[test]
fn nothing_moves_into_a_directory_that_is_open_for_deletion_or_to_be_left_alone() {
    let mut bench = Bench::new();
    let looking = bench.create(directory("d").access(READ)).open();
    let d = bench.identity("d");
    let violation = Err(NtStatus::SHARING_VIOLATION);
    assert_eq!(bench.table.may_move_into(&d), Ok(()));
    let deleting = bench.create(directory("d").access(DELETE)).open();
    assert_eq!(bench.table.may_move_into(&d), violation);
    bench.close(deleting);
    let alone = directory("d")
        .access(READ)
        .share(SHARE_ALL & !share_access::FILE_SHARE_WRITE);
    let alone = bench.create(alone).open();
    assert_eq!(bench.table.may_move_into(&d), violation);
    bench.close(alone);
    assert_eq!(bench.table.may_move_into(&d), Ok(()));
    bench.close(looking);
    assert_eq!(bench.table.may_move_into(&d), Ok(()));
    bench.end();
}

#[test]
fn nothing_comes_into_a_directory_that_is_to_be_deleted() {
    let mut bench = Bench::new();
    let one = bench.create(directory("d")).open();
    let d = bench.identity("d");
    assert!(!bench.table.is_directory_doomed(&name("d/a")));
    bench.file(one).set_delete_pending(true);
    let pending = Err(NtStatus::DELETE_PENDING);
    assert_eq!(bench.table.may_move_into(&d), pending);
    assert!(bench.table.is_doomed(&d));
    assert!(bench.table.is_directory_doomed(&name("D/a")));
    assert!(!bench.table.is_directory_doomed(&name("d")));
    bench.file(one).set_delete_pending(false);
    assert!(!bench.table.is_directory_doomed(&name("d/a")));
    let file = bench.create(file("f")).open();
    bench.file(file).set_delete_pending(true);
    assert!(!bench.table.is_directory_doomed(&name("f/a")));
    bench.end();
}

#[test]
fn an_entry_of_the_table_is_small() {
    use crate::file::state::Entry;
    // Beside it: the entry, its name (a node and its bytes) and a place in two tables.
    let file = size_of::<File>() + 2 * size_of::<usize>();
    assert!(file <= 304, "{file}");
    assert!(size_of::<Entry>() <= 24, "{}", size_of::<Entry>());
}

/// With the file its streams would go.
#[test]
fn a_stream_that_is_not_shared_for_deletion_keeps_its_file() {
    let refused = Came::Refused(NtStatus::SHARING_VIOLATION);
    let all = share_access::FILE_SHARE_READ
        | share_access::FILE_SHARE_WRITE
        | share_access::FILE_SHARE_DELETE;
    let without = all & !share_access::FILE_SHARE_DELETE;
    let deletes = || file("a").access(DELETE).share(all);
    let mut bench = Bench::new();
    let first = bench.create(file("a").stream("S").share(without)).open();
    let second = bench.create(file("a").stream("T").share(without)).open();
    assert_eq!(bench.create(deletes()), refused);
    bench.create(file("a").access(READ).share(all)).open();
    bench.close(first);
    assert_eq!(bench.create(deletes()), refused);
    bench.close(second);
    let open = bench.create(deletes()).open();
    bench.close(open);
    // Who looks at attributes keeps nothing, and streams that share deletion do not.
    let looks = file("a").stream("S").access(ATTRIBUTES).share(0);
    bench.create(looks).open();
    bench.create(file("a").stream("T").share(all)).open();
    bench.create(deletes()).open();
    bench.end();
}
