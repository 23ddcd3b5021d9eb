//! Oplocks: what is granted, what breaks, acknowledgement ([MS-SMB2] 3.3.4.6, 3.3.5.22.1).

use smb::wire::oplock_level;

use super::*;
use crate::file::breaks::INVALID_OPLOCK_PROTOCOL;

const II: u8 = oplock_level::SMB2_OPLOCK_LEVEL_II;
const NONE: u8 = oplock_level::SMB2_OPLOCK_LEVEL_NONE;
const EXCLUSIVE: u8 = oplock_level::SMB2_OPLOCK_LEVEL_EXCLUSIVE;
const BATCH: u8 = oplock_level::SMB2_OPLOCK_LEVEL_BATCH;
const LEASE: u8 = oplock_level::SMB2_OPLOCK_LEVEL_LEASE;

#[test]
fn the_only_open_gets_what_it_asks_for() {
    for level in [
        OplockLevel::None,
        OplockLevel::II,
        OplockLevel::Exclusive,
        OplockLevel::Batch,
    ] {
        let mut bench = Bench::new();
        assert_eq!(bench.create(file("a").oplock(level)).level(), level);
        bench.end();
    }
}

#[test]
fn a_second_open_waits_until_the_exclusive_oplock_is_level_two() {
    let mut bench = Bench::new();
    let one = bench
        .create(file("a").oplock(OplockLevel::Exclusive))
        .open();
    let second = file("a").batch();
    let waits = bench.create(second);
    assert_eq!(bench.breaks(), ["open 1 to II"]);
    // A further attempt waits without a further break.
    assert_eq!(bench.again(second, &waits), waits);
    assert!(bench.breaks().is_empty() && bench.ready().is_empty());
    assert_eq!(bench.acknowledge_oplock(one, II), Ok(OplockLevel::II));
    assert_eq!(bench.ready(), [waits.ticket()]);
    let granted = bench.again(second, &waits);
    assert_eq!(granted.level(), OplockLevel::II);
    assert!(bench.breaks().is_empty());
    bench.end();
}

#[test]
fn an_exclusive_oplock_does_not_break_for_a_sharing_violation() {
    let mut bench = Bench::new();
    let exclusive = file("a").oplock(OplockLevel::Exclusive).share(0);
    bench.create(exclusive);
    let came = bench.create(exclusive);
    assert_eq!(came, Came::Refused(NtStatus::SHARING_VIOLATION));
    let came = bench.create(exclusive.overwrite());
    assert_eq!(came, Came::Refused(NtStatus::SHARING_VIOLATION));
    assert!(bench.breaks().is_empty());
    bench.end();
}

#[test]
fn a_batch_oplock_breaks_before_sharing_is_refused() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").batch().share(0)).open();
    let second = file("a").access(DELETE);
    let waits = bench.create(second);
    assert_eq!(bench.breaks(), ["open 1 to II"]);
    bench.acknowledge_oplock(one, II).unwrap();
    let came = bench.again(second, &waits);
    assert_eq!(came, Came::Refused(NtStatus::SHARING_VIOLATION));
    // Nothing is left that a third could gain.
    let came = bench.create(second);
    assert_eq!(came, Came::Refused(NtStatus::SHARING_VIOLATION));
    assert!(bench.breaks().is_empty());
    bench.end();
}

#[test]
fn closing_instead_of_acknowledging_makes_room() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").batch().share(0)).open();
    let second = file("a").batch().share(0);
    let waits = bench.create(second);
    bench.close(one);
    assert_eq!(bench.ready(), [waits.ticket()]);
    assert_eq!(bench.again(second, &waits).level(), OplockLevel::Batch);
    bench.end();
}

#[test]
fn attributes_only_opens_break_nothing_and_get_no_oplock() {
    let mut bench = Bench::new();
    bench.create(file("a").batch());
    let attributes = access_mask::SYNCHRONIZE
        | access_mask::FILE_READ_ATTRIBUTES
        | access_mask::FILE_WRITE_ATTRIBUTES;
    let looks = bench.create(file("a").access(attributes).batch());
    assert_eq!(looks.level(), OplockLevel::None);
    assert!(bench.breaks().is_empty());
    // Any right beyond breaks, READ_CONTROL too.
    for right in [
        access_mask::FILE_READ_EA,
        access_mask::FILE_WRITE_EA,
        access_mask::FILE_EXECUTE,
        access_mask::READ_CONTROL,
        access_mask::WRITE_DAC,
        access_mask::WRITE_OWNER,
        DELETE,
    ] {
        let mut bench = Bench::new();
        bench.create(file("a").batch());
        bench.create(file("a").access(right)).ticket();
        assert_eq!(bench.breaks(), ["open 1 to II"]);
        bench.end();
    }
    bench.end();
}

#[test]
fn an_attributes_only_open_that_creates_gets_an_oplock() {
    let mut bench = Bench::new();
    let created = file("a").access(ATTRIBUTES).effect(CreateEffect::Created);
    let one = bench.create(created.batch());
    assert_eq!(one.level(), OplockLevel::Batch);
    let waits = bench.create(file("a").batch());
    assert_eq!(bench.breaks(), ["open 1 to II"]);
    bench.acknowledge_oplock(one.open(), II).unwrap();
    let two = bench.again(file("a").batch(), &waits);
    assert_eq!(two.level(), OplockLevel::II);
    bench.write(two.open());
    assert_eq!(bench.breaks(), ["open 1 to None", "open 3 to None"]);
    bench.end();
}

#[test]
fn an_open_that_only_looks_does_not_keep_others_from_a_batch_oplock() {
    let mut bench = Bench::new();
    bench.create(file("a").access(ATTRIBUTES));
    assert_eq!(bench.create(file("a").batch()).level(), OplockLevel::Batch);
    bench.end();
}

#[test]
fn beside_an_open_without_oplock_only_level_two_is_granted() {
    let mut bench = Bench::new();
    bench.create(file("a"));
    assert_eq!(bench.create(file("a").batch()).level(), OplockLevel::II);
    assert!(bench.breaks().is_empty());
    bench.end();
}

#[test]
fn overwriting_breaks_to_none_and_opening_to_level_two() {
    for (effect, level, text) in [
        (CreateEffect::Opened, II, "open 1 to II"),
        (CreateEffect::Overwritten, NONE, "open 1 to None"),
        (CreateEffect::Superseded, NONE, "open 1 to None"),
    ] {
        for access in [ALL, ATTRIBUTES] {
            if access == ATTRIBUTES && effect == CreateEffect::Opened {
                continue;
            }
            let mut bench = Bench::new();
            let one = bench.create(file("a").batch()).open();
            let second = file("a").access(access).batch().effect(effect);
            let waits = bench.create(second);
            assert_eq!(bench.breaks(), [text]);
            bench.acknowledge_oplock(one, level).unwrap();
            assert_eq!(bench.again(second, &waits).level(), OplockLevel::II);
            bench.end();
        }
    }
}

#[test]
fn overwriting_breaks_level_two_without_waiting() {
    let mut bench = Bench::new();
    bench.create(file("a").oplock(OplockLevel::II));
    bench.create(file("a").oplock(OplockLevel::II));
    bench.create(file("a").overwrite()).open();
    assert_eq!(bench.breaks(), ["open 1 to None", "open 2 to None"]);
    bench.end();
}

#[test]
fn a_break_to_none_follows_for_who_overwrites_during_a_break_to_level_two() {
    let mut bench = Bench::new();
    let one = bench
        .create(file("a").oplock(OplockLevel::Exclusive))
        .open();
    let opens = file("a");
    let overwrites = file("a").overwrite();
    let first = bench.create(opens);
    let second = bench.create(overwrites);
    assert_eq!(bench.breaks(), ["open 1 to II"]);
    bench.acknowledge_oplock(one, II).unwrap();
    assert_eq!(bench.ready(), [first.ticket(), second.ticket()]);
    bench.again(opens, &first).open();
    bench.again(overwrites, &second).open();
    assert_eq!(bench.breaks(), ["open 1 to None"]);
    bench.end();
}

#[test]
fn writing_breaks_every_level_two_oplock_its_own_too() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").oplock(OplockLevel::II)).open();
    let two = bench.create(file("a").oplock(OplockLevel::II)).open();
    assert!(bench.file(one).may_break_read_caching());
    bench.write(two);
    assert_eq!(bench.breaks(), ["open 1 to None", "open 2 to None"]);
    assert!(!bench.file(one).may_break_read_caching());
    bench.write(one);
    assert!(bench.breaks().is_empty());
    bench.end();
}

#[test]
fn writing_does_not_break_the_writers_exclusive_oplock() {
    for level in [OplockLevel::Exclusive, OplockLevel::Batch] {
        let mut bench = Bench::new();
        let one = bench.create(file("a").oplock(level)).open();
        assert!(!bench.file(one).may_break_read_caching());
        bench.write(one);
        assert!(bench.breaks().is_empty());
        bench.end();
    }
}

#[test]
fn a_break_that_nobody_acknowledges_runs_out_to_none() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").batch()).open();
    let second = file("a").batch();
    let waits = bench.create(second);
    let (waiting_for, until) = bench.waiting[&waits.ticket()].clone();
    assert_eq!(until, bench.now + BREAK_TIMEOUT);
    bench.pass(BREAK_TIMEOUT - Duration::from_millis(1));
    waiting_for.timeout(bench.now, &mut bench.effects);
    assert!(bench.ready().is_empty());
    bench.pass(Duration::from_millis(1));
    waiting_for.timeout(bench.now, &mut bench.effects);
    assert_eq!(bench.ready(), [waits.ticket()]);
    assert_eq!(bench.again(second, &waits).level(), OplockLevel::II);
    assert_eq!(
        bench.file(one).caching(one),
        GrantedCaching::Oplock(OplockLevel::None)
    );
    let late = bench.acknowledge_oplock(one, II);
    assert_eq!(late, Err(INVALID_OPLOCK_PROTOCOL));
    bench.end();
}

#[test]
fn an_attempt_at_the_deadline_needs_no_timer() {
    let mut bench = Bench::new();
    bench.create(file("a").batch());
    let first = bench.create(file("a"));
    let second = bench.create(file("a"));
    bench.pass(BREAK_TIMEOUT);
    bench.again(file("a"), &first).open();
    // Whoever waited with it is told.
    assert_eq!(bench.ready(), [first.ticket(), second.ticket()]);
    bench.end();
}

#[test]
fn acknowledgements_that_cannot_be_are_refused_and_cost_the_oplock() {
    for (held, level, answer) in [
        (
            OplockLevel::Exclusive,
            EXCLUSIVE,
            Err(INVALID_OPLOCK_PROTOCOL),
        ),
        (OplockLevel::Exclusive, BATCH, Err(INVALID_OPLOCK_PROTOCOL)),
        (OplockLevel::Batch, EXCLUSIVE, Ok(OplockLevel::None)),
        (OplockLevel::Batch, BATCH, Err(INVALID_OPLOCK_PROTOCOL)),
        (OplockLevel::Batch, LEASE, Err(NtStatus::INVALID_PARAMETER)),
        (OplockLevel::Batch, 0x55, Err(INVALID_OPLOCK_PROTOCOL)),
        (OplockLevel::Batch, NONE, Ok(OplockLevel::None)),
    ] {
        let mut bench = Bench::new();
        let one = bench.create(file("a").oplock(held)).open();
        let early = bench.acknowledge_oplock(one, level);
        assert_eq!(early, Err(INVALID_OPLOCK_PROTOCOL));
        let caching = bench.file(one).caching(one);
        assert_eq!(caching, GrantedCaching::Oplock(held));
        let waits = bench.create(file("a"));
        assert_eq!(bench.acknowledge_oplock(one, level), answer);
        let caching = bench.file(one).caching(one);
        assert_eq!(caching, GrantedCaching::Oplock(OplockLevel::None));
        assert_eq!(bench.ready(), [waits.ticket()]);
        bench.end();
    }
}

#[test]
fn a_break_of_level_two_is_not_acknowledged() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").oplock(OplockLevel::II)).open();
    bench.write(one);
    assert_eq!(bench.breaks(), ["open 1 to None"]);
    let answer = bench.acknowledge_oplock(one, NONE);
    assert_eq!(answer, Err(INVALID_OPLOCK_PROTOCOL));
    let file = bench.file(one).clone();
    let answer = file.acknowledge_oplock(77, NONE, bench.now, &mut bench.effects);
    assert_eq!(answer, Err(NtStatus::FILE_CLOSED));
    bench.end();
}

#[test]
fn acknowledging_level_two_for_a_break_to_none_keeps_nothing() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").batch()).open();
    bench.create(file("a").overwrite()).ticket();
    assert_eq!(bench.acknowledge_oplock(one, II), Ok(OplockLevel::None));
    bench.end();
}

#[test]
fn who_gave_up_is_not_told() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").batch()).open();
    let waits = bench.create(file("a"));
    let (file_waited_for, _) = bench.waiting[&waits.ticket()].clone();
    file_waited_for.cancel(waits.ticket());
    bench.acknowledge_oplock(one, II).unwrap();
    assert!(bench.ready().is_empty());
    bench.end();
}

#[test]
fn locks_leave_no_shared_caching() {
    let mut bench = Bench::new();
    let one = bench.create(file("a")).open();
    bench.file(one).set_has_locks(true);
    assert!(bench.file(one).has_locks());
    assert_eq!(bench.create(file("a").batch()).level(), OplockLevel::None);
    assert_eq!(bench.create(file("a").lease(1, "RH")).state(), "");
    bench.end();
}

#[test]
fn streams_have_oplocks_of_their_own() {
    let mut bench = Bench::new();
    let batch = OplockLevel::Batch;
    assert_eq!(bench.create(file("a").batch()).level(), batch);
    assert_eq!(bench.create(file("a").stream("S").batch()).level(), batch);
    assert!(bench.breaks().is_empty());
    bench.create(file("a").stream("S").batch()).ticket();
    assert_eq!(bench.breaks(), ["open 2 to II"]);
    bench.end();
}

#[test]
fn directories_have_no_oplocks() {
    let mut bench = Bench::new();
    let came = bench.create(directory("d").batch());
    assert_eq!(came.level(), OplockLevel::None);
    bench.end();
}

#[test]
fn a_file_marked_for_deletion_is_refused_without_a_break() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").batch()).open();
    bench.file(one).set_delete_pending(true);
    let came = bench.create(file("a").access(READ));
    assert_eq!(came, Came::Refused(NtStatus::DELETE_PENDING));
    assert!(bench.breaks().is_empty());
    bench.end();
}

#[test]
fn a_thousand_opens_do_not_slow_the_next() {
    let mut bench = Bench::new();
    let opens: Vec<u32> = (0..1_000)
        .map(|_| bench.create(file("a").oplock(OplockLevel::II)).open())
        .collect();
    bench.write(opens[500]);
    assert_eq!(bench.breaks().len(), 1_000);
    assert_eq!(bench.file(opens[0]).open_count(), 1_000);
    bench.end();
}
