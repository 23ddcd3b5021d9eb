//! Leases ([MS-SMB2] 3.3.5.9.8, 3.3.5.9.11, 3.3.4.7, 3.3.5.22.2, 3.3.6.5).

use super::*;

#[test]
fn only_states_that_can_read_are_granted() {
    for (asked, granted) in [
        ("", ""),
        ("R", "R"),
        ("H", ""),
        ("W", ""),
        ("RH", "RH"),
        ("RW", "RW"),
        ("HW", ""),
        ("RWH", "RWH"),
    ] {
        let mut bench = Bench::new();
        let lease = bench.create(file("a").lease(1, asked));
        assert_eq!(lease.state(), granted);
        bench.end();
    }
}

#[test]
fn a_lease_is_upgraded_by_a_superset_and_never_downgraded() {
    let states = ["", "R", "RH", "RW", "RWH"];
    for held in states {
        for asked in states {
            let superset = held.chars().all(|bit| asked.contains(bit));
            let mut bench = Bench::new();
            bench.create(file("a").lease(1, held));
            let came = bench.create(file("a").lease(1, asked));
            assert_eq!(came.state(), if superset { asked } else { held });
            assert!(bench.breaks().is_empty());
            bench.end();
        }
    }
}

#[test]
fn an_upgrade_that_others_do_not_leave_whole_is_not_made() {
    for (held, other, asked, now) in [
        ("R", "R", "RH", "RH"),
        ("R", "R", "RWH", "R"),
        ("R", "RH", "RW", "R"),
        ("R", "RH", "RH", "RH"),
        ("RH", "R", "RWH", "RH"),
        ("RH", "RH", "R", "RH"),
    ] {
        let mut bench = Bench::new();
        bench.create(file("a").lease(1, held));
        assert_eq!(bench.create(file("a").lease(2, other)).state(), other);
        assert_eq!(bench.create(file("a").lease(1, asked)).state(), now);
        assert!(bench.breaks().is_empty());
        bench.end();
    }
}

#[test]
fn a_contending_lease_breaks_write_caching_alone() {
    for (held, asked, left, granted) in [
        ("R", "R", "R", "R"),
        ("R", "RH", "R", "RH"),
        ("R", "RW", "R", "R"),
        ("R", "RWH", "R", "RH"),
        ("RH", "R", "RH", "R"),
        ("RH", "RH", "RH", "RH"),
        ("RH", "RW", "RH", "R"),
        ("RH", "RWH", "RH", "RH"),
        ("RW", "R", "R", "R"),
        ("RW", "RH", "R", "RH"),
        ("RW", "RW", "R", "R"),
        ("RW", "RWH", "R", "RH"),
        ("RWH", "R", "RH", "R"),
        ("RWH", "RH", "RH", "RH"),
        ("RWH", "RW", "RH", "R"),
        ("RWH", "RWH", "RH", "RH"),
    ] {
        let mut bench = Bench::new();
        bench.create(file("a").lease(1, held));
        let second = file("a").lease(2, asked);
        let mut came = bench.create(second);
        if held == left {
            assert!(bench.breaks().is_empty());
        } else {
            assert_eq!(bench.breaks(), [format!("lease 1 {held}>{left}")]);
            assert_eq!(bench.acknowledge(1, left), Ok(left.to_owned()));
            came = bench.again(second, &came);
        }
        assert_eq!(came.state(), granted);
        // Asking for everything changes nothing now.
        assert_eq!(bench.create(file("a").lease(1, "RWH")).state(), left);
        assert!(bench.breaks().is_empty());
        bench.end();
    }
}

#[test]
fn oplocks_do_not_come_beside_handle_leases_nor_handle_leases_beside_oplocks() {
    for (held, left, granted) in [
        ("R", "R", OplockLevel::II),
        ("RH", "RH", OplockLevel::None),
        ("RW", "R", OplockLevel::II),
        ("RWH", "RH", OplockLevel::None),
    ] {
        for level in [OplockLevel::II, OplockLevel::Exclusive, OplockLevel::Batch] {
            let mut bench = Bench::new();
            bench.create(file("a").lease(1, held));
            let second = file("a").oplock(level);
            let mut came = bench.create(second);
            if held != left {
                bench.acknowledge(1, left).unwrap();
                came = bench.again(second, &came);
            }
            assert_eq!(came.level(), granted);
            bench.end();
        }
    }
    for level in [OplockLevel::II, OplockLevel::Exclusive, OplockLevel::Batch] {
        for asked in ["R", "RH", "RW", "RWH"] {
            let mut bench = Bench::new();
            let one = bench.create(file("a").oplock(level)).open();
            let second = file("a").lease(1, asked);
            let mut came = bench.create(second);
            if level != OplockLevel::II {
                assert_eq!(bench.breaks(), ["open 1 to II"]);
                let kept = OplockLevel::II.to_wire();
                bench.acknowledge_oplock(one, kept).unwrap();
                came = bench.again(second, &came);
            }
            assert_eq!(came.state(), "R");
            bench.end();
        }
    }
}

#[test]
fn opens_with_the_same_key_break_nothing() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RWH"));
    bench.create(file("a").lease(1, "RWH").overwrite()).open();
    assert!(bench.breaks().is_empty());
    // The same key of another client is another lease.
    let other = LeaseRequest {
        client_guid: guid(9),
        ..lease_request(1, "RWH")
    };
    bench.create(file("a").lease_request(other)).ticket();
    assert_eq!(bench.breaks(), ["lease 1 RWH>RH"]);
    bench.end();
}

#[test]
fn a_lease_key_names_one_file() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").lease(1, "RWH")).open();
    let refused = Came::Refused(NtStatus::INVALID_PARAMETER);
    assert_eq!(bench.create(file("b").lease(1, "RWH")), refused);
    assert_eq!(bench.create(directory("d").lease(1, "RWH")), refused);
    // A stream is a file of its own.
    assert_eq!(bench.create(file("a").stream("S").lease(1, "R")), refused);
    let check = |bench: &Bench, path| bench.table.check_lease_key(CLIENT, guid(1), &name(path));
    assert_eq!(check(&bench, "b"), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(check(&bench, "A"), Ok(()));
    bench.close(one);
    assert_eq!(check(&bench, "b"), Ok(()));
    assert_eq!(bench.create(file("b").lease(1, "RWH")).state(), "RWH");
    bench.end();
}

#[test]
fn a_lease_key_names_one_link() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RWH"));
    let identity = bench.identity("a");
    let came = bench.create_as(&identity, file("link").lease(1, "RWH"));
    assert_eq!(came, Came::Refused(NtStatus::INVALID_PARAMETER));
    bench.end();
}

#[test]
fn the_key_of_a_file_that_is_being_deleted_may_be_used_but_gives_nothing() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RWH").delete_on_close());
    assert_eq!(
        bench.table.check_lease_key(CLIENT, guid(1), &name("b")),
        Ok(())
    );
    let came = bench.create(file("b").lease(1, "RWH"));
    assert_eq!(came, Came::Granted(2, GrantedCaching::None));
    bench.end();
}

#[test]
fn a_lease_follows_renames() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").lease(1, "RWH")).open();
    bench.table.rename(bench.file(one), one, &name("new"));
    let identity = bench.identity("a");
    let came = bench.create_as(&identity, file("new").lease(1, ""));
    assert_eq!(came.state(), "RWH");
    bench.end();
}

#[test]
fn attributes_only_opens_break_no_lease() {
    for (access, breaks) in [
        (READ, true),
        (access_mask::FILE_READ_EA, true),
        (access_mask::FILE_READ_ATTRIBUTES, false),
        (access_mask::FILE_WRITE_ATTRIBUTES, false),
        (access_mask::SYNCHRONIZE, false),
        (access_mask::READ_CONTROL, false),
        (access_mask::WRITE_DAC, true),
        (DELETE, true),
    ] {
        let mut bench = Bench::new();
        bench.create(file("a").lease(1, "RWH"));
        let came = bench.create(file("a").access(access));
        assert_eq!(matches!(came, Came::Waits(_)), breaks, "{access:#x}");
        if !breaks {
            // It does not keep the lease from staying what it is.
            assert_eq!(bench.create(file("a").lease(1, "RWH")).state(), "RWH");
        }
        bench.end();
    }
}

#[test]
fn an_attributes_only_open_may_hold_a_lease() {
    let mut bench = Bench::new();
    let looks = file("a").access(ATTRIBUTES).share(0).lease(1, "RWH");
    assert_eq!(bench.create(looks).state(), "RWH");
    assert_eq!(bench.create(file("a").lease(1, "")).state(), "RWH");
    bench.create(file("a").lease(2, "RWH")).ticket();
    assert_eq!(bench.breaks(), ["lease 1 RWH>RH"]);
    // An attributes-only open leaves the writer alone, and can cache nothing beside it.
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RWH"));
    let looks = file("a").access(ATTRIBUTES).lease(2, "RWH");
    assert_eq!(bench.create(looks).state(), "");
    assert!(bench.breaks().is_empty());
    bench.end();
}

#[test]
fn an_open_that_only_looks_does_not_keep_others_from_a_lease() {
    let mut bench = Bench::new();
    bench.create(file("a").access(ATTRIBUTES));
    assert_eq!(bench.create(file("a").lease(1, "RWH")).state(), "RWH");
    bench.end();
}

#[test]
fn a_sharing_violation_breaks_handle_caching_first() {
    let mut bench = Bench::new();
    bench.create(file("a").lease_v2(1, "RWH", 0x11));
    let second = file("a")
        .share(share_access::FILE_SHARE_READ)
        .lease_v2(2, "RWH", 0x22);
    let waits = bench.create(second);
    assert_eq!(bench.breaks(), ["lease 1 RWH>RW"]);
    bench.acknowledge(1, "RW").unwrap();
    let came = bench.again(second, &waits);
    assert_eq!(came, Came::Refused(NtStatus::SHARING_VIOLATION));
    let third = file("a").lease_v2(2, "RWH", 0x22);
    let waits = bench.create(third);
    assert_eq!(bench.breaks(), ["lease 1 RW>R"]);
    bench.acknowledge(1, "R").unwrap();
    let came = bench.again(third, &waits);
    assert_eq!(
        (came.state().as_str(), came.granted_lease().epoch),
        ("RH", 0x23)
    );
    let one = bench.create(file("a").lease_v2(1, "", 0)).granted_lease();
    assert_eq!(one.epoch, 0x14);
    bench.end();
}

#[test]
fn a_client_may_close_a_cached_handle_to_make_room() {
    let mut bench = Bench::new();
    let cached = bench.create(file("a").share(0).lease(1, "RH")).open();
    let waits = bench.create(file("a"));
    assert_eq!(bench.breaks(), ["lease 1 RH>R"]);
    bench.close(cached);
    assert_eq!(bench.ready(), [waits.ticket()]);
    bench.again(file("a"), &waits).open();
    bench.end();
}

#[test]
fn same_key_opens_go_on_during_a_break_and_see_it() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RWH"));
    let waits = bench.create(file("a"));
    assert_eq!(bench.breaks(), ["lease 1 RWH>RH"]);
    let same = bench.create(file("a").lease(1, "RWH"));
    assert_eq!(same.state(), "RWH!");
    bench.close(same.open());
    assert!(bench.breaks().is_empty());
    assert_eq!(bench.acknowledge(1, "RH"), Ok("RH".into()));
    bench.again(file("a"), &waits).open();
    bench.end();
}

#[test]
fn acknowledging_more_than_was_left_is_refused() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RWH"));
    let second = file("a").overwrite();
    let waits = bench.create(second);
    assert_eq!(bench.breaks(), ["lease 1 RWH>"]);
    for more in ["RWH", "RW", "WH", "RH", "W", "H", "R"] {
        let refused = Err(NtStatus::REQUEST_NOT_ACCEPTED);
        assert_eq!(bench.acknowledge(1, more), refused);
    }
    assert!(bench.ready().is_empty());
    assert_eq!(bench.acknowledge(1, ""), Ok(String::new()));
    assert_eq!(bench.acknowledge(1, ""), Err(NtStatus::UNSUCCESSFUL));
    let unknown = bench.acknowledge(7, "");
    assert_eq!(unknown, Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    bench.again(second, &waits).open();
    assert!(bench.breaks().is_empty());
    assert_eq!(bench.create(file("a").lease(1, "")).state(), "");
    bench.end();
}

#[test]
fn acknowledging_less_than_was_left_is_fine() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RWH"));
    let waits = bench.create(file("a"));
    assert_eq!(bench.acknowledge(1, ""), Ok(String::new()));
    bench.again(file("a"), &waits).open();
    bench.end();
}

#[test]
fn a_deeper_break_follows_in_steps() {
    let mut bench = Bench::new();
    let first = bench
        .create(file("a").lease_v2(1, "RWH", 0x11))
        .granted_lease();
    assert_eq!(first.epoch, 0x12);
    let opens = bench.create(file("a"));
    assert_eq!(bench.breaks(), ["lease 1 RWH>RH"]);
    let overwrites = bench.create(file("a").overwrite());
    assert!(bench.breaks().is_empty());
    assert_eq!(bench.acknowledge(1, "RH"), Ok("RH".into()));
    assert_eq!(bench.breaks(), ["lease 1 RH>R"]);
    // Both go on waiting.
    assert_eq!(bench.again(file("a"), &opens), opens);
    assert_eq!(bench.again(file("a").overwrite(), &overwrites), overwrites);
    let same = bench.create(file("a").lease_v2(1, "RWH", 0));
    assert_eq!(
        (same.state().as_str(), same.granted_lease().epoch),
        ("RH!", 0x13)
    );
    assert!(bench.breaks().is_empty());
    assert_eq!(bench.acknowledge(1, "R"), Ok("R".into()));
    assert_eq!(bench.breaks(), ["lease 1 R>, no answer"]);
    bench.again(file("a"), &opens).open();
    bench.again(file("a").overwrite(), &overwrites).open();
    assert!(bench.breaks().is_empty());
    bench.end();
}

#[test]
fn overwriting_does_not_wait_for_readers_and_holders_of_handles() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RH"));
    bench.create(file("a").overwrite()).open();
    assert_eq!(bench.breaks(), ["lease 1 RH>"]);
    bench.create(file("a").overwrite()).open();
    assert!(bench.breaks().is_empty());
    assert_eq!(bench.create(file("a").lease(1, "")).state(), "RH!");
    assert_eq!(bench.acknowledge(1, ""), Ok(String::new()));
    bench.end();
}

#[test]
fn a_read_lease_breaks_without_acknowledgement() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "R"));
    bench.create(file("a").overwrite()).open();
    assert_eq!(bench.breaks(), ["lease 1 R>, no answer"]);
    assert_eq!(bench.create(file("a").lease(1, "")).state(), "");
    assert_eq!(bench.acknowledge(1, ""), Err(NtStatus::UNSUCCESSFUL));
    bench.end();
}

#[test]
fn writing_breaks_the_read_caching_of_others_and_not_its_own() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").lease(1, "RH")).open();
    let two = bench.create(file("a").lease(2, "R")).open();
    bench.create(file("a").oplock(OplockLevel::II)).open();
    bench.write(one);
    assert_eq!(bench.breaks(), ["lease 2 R>, no answer"]);
    bench.write(one);
    assert!(bench.breaks().is_empty());
    bench.write(two);
    assert_eq!(bench.breaks(), ["lease 1 RH>"]);
    // Its caching may be asked for anew.
    bench.acknowledge(1, "").unwrap();
    assert_eq!(bench.create(file("a").lease(2, "R")).state(), "R");
    bench.end();
}

#[test]
fn a_lease_break_that_nobody_acknowledges_runs_out_to_none() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").lease(1, "RWH")).open();
    let second = file("a").lease(2, "RWH");
    let waits = bench.create(second);
    bench.pass(BREAK_TIMEOUT);
    let two = bench.again(second, &waits);
    assert_eq!(two.state(), "RH");
    assert_eq!(bench.acknowledge(1, "RH"), Err(NtStatus::UNSUCCESSFUL));
    assert_eq!(bench.create(file("a").lease(1, "")).state(), "");
    bench.breaks();
    bench.write(one);
    assert_eq!(bench.breaks(), ["lease 2 RH>"]);
    bench.write(two.open());
    assert!(bench.breaks().is_empty());
    bench.close(two.open());
    assert_eq!(bench.create(file("a").lease(1, "R")).state(), "R");
    assert_eq!(bench.create(file("a").lease(1, "RWH")).state(), "RWH");
    bench.end();
}

#[test]
fn the_epoch_counts_changes_and_the_version_stays() {
    let mut bench = Bench::new();
    let epoch = |came: &Came| (came.granted_lease().version, came.granted_lease().epoch);
    let came = bench.create(file("a").lease_v2(1, "R", 0x4711));
    assert_eq!(epoch(&came), (2, 0x4712));
    let came = bench.create(file("a").lease(1, "RH"));
    assert_eq!(epoch(&came), (2, 0x4713));
    let came = bench.create(file("a").lease_v2(1, "RH", 0x11));
    assert_eq!(epoch(&came), (2, 0x4713));
    bench.create(file("a").lease_v2(1, "RWH", 0x11)).open();
    bench.create(file("a")).ticket();
    let Break::Lease { new_epoch, .. } = bench.effects.breaks[0] else {
        panic!("a lease breaks");
    };
    assert_eq!(new_epoch, 0x4715);
    // A lease of the first version tells none.
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "R"));
    let came = bench.create(file("a").lease_v2(1, "RWH", 0x4711));
    assert_eq!(epoch(&came), (1, 0));
    bench.create(file("a")).ticket();
    let Break::Lease { new_epoch, .. } = bench.effects.breaks[0] else {
        panic!("a lease breaks");
    };
    assert_eq!(new_epoch, 0);
    bench.end();
}

#[test]
fn the_epoch_wraps() {
    let mut bench = Bench::new();
    let came = bench.create(file("a").lease_v2(1, "R", u16::MAX));
    assert_eq!(came.granted_lease().epoch, 0);
    bench.end();
}

#[test]
fn a_break_names_an_open_that_is_still_there() {
    let mut bench = Bench::new();
    bench.create(file("a").lease(1, "RWH"));
    let two = bench.create(file("a").lease(1, "RWH")).open();
    bench.close(two);
    bench.create(file("a").lease(2, "RWH")).ticket();
    let Break::Lease {
        open, client_guid, ..
    } = bench.effects.breaks[0]
    else {
        panic!("a lease breaks");
    };
    assert_eq!((open, client_guid), (1, CLIENT));
    bench.end();
}

#[test]
fn a_lease_ends_with_its_last_open() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").lease(1, "RWH")).open();
    let two = bench.create(file("a").lease(1, "RWH")).open();
    bench.close(one);
    let waits = bench.create(file("a"));
    assert_eq!(bench.breaks(), ["lease 1 RWH>RH"]);
    bench.close(two);
    assert_eq!(bench.ready(), [waits.ticket()]);
    let gone = bench.acknowledge(1, "RH");
    assert_eq!(gone, Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    bench.again(file("a"), &waits).open();
    bench.end();
}

#[test]
fn renaming_waits_until_others_cache_no_handles() {
    let mut bench = Bench::new();
    let one = bench.create(file("a").lease(1, "RH")).open();
    bench.create(file("a").lease(2, "RH"));
    bench.create(file("a").lease(3, "R"));
    let ticket = bench.break_handles(one);
    assert_eq!(bench.breaks(), ["lease 2 RH>R"]);
    assert_eq!(bench.break_handles(one), ticket);
    assert!(bench.breaks().is_empty());
    bench.acknowledge(2, "R").unwrap();
    assert_eq!(bench.ready(), [ticket.unwrap()]);
    assert_eq!(bench.break_handles(one), None);
    assert_eq!(bench.create(file("a").lease(1, "")).state(), "RH");
    bench.end();
}

#[test]
fn directories_have_leases_of_the_second_version_without_write_caching() {
    let mut bench = Bench::new();
    let first = bench.create(directory("d").lease(1, "RWH"));
    assert_eq!(first, Came::Granted(1, GrantedCaching::None));
    let second = bench.create(directory("d").lease_v2(1, "RWH", 0x22));
    assert_eq!(
        (second.state().as_str(), second.granted_lease().epoch),
        ("RH", 0x23)
    );
    bench.end();
}

#[test]
fn a_change_of_a_directory_breaks_its_leases_but_the_parent_lease_of_who_made_it() {
    let mut bench = Bench::new();
    bench.create(directory("d").lease_v2(2, "RWH", 0x22));
    bench.create(directory("d").lease_v2(3, "R", 0));
    let parent = LeaseRequest {
        parent_lease_key: Some(guid(2)),
        version: 2,
        ..lease_request(4, "RWH")
    };
    let child = bench
        .create(file("d/x").lease_request(parent))
        .granted_lease();
    assert_eq!(child.parent_lease_key, Some(guid(2)));
    let Bench {
        table,
        now,
        effects,
        ..
    } = &mut bench;
    table.break_directory_leases(&name("D"), Some((CLIENT, guid(2))), *now, effects);
    assert_eq!(bench.breaks(), ["lease 3 R>, no answer"]);
    let Bench {
        table,
        now,
        effects,
        ..
    } = &mut bench;
    table.break_directory_leases(&name("d"), None, *now, effects);
    assert_eq!(bench.breaks(), ["lease 2 RH>"]);
    bench.acknowledge(2, "").unwrap();
    let anew = bench.create(directory("d").lease_v2(2, "RWH", 0x222));
    assert_eq!(
        (anew.state().as_str(), anew.granted_lease().epoch),
        ("RH", 0x25)
    );
    bench.end();
}

#[test]
fn handles_cached_below_a_directory_or_of_a_replaced_file_are_broken() {
    let mut bench = Bench::new();
    let cached = bench.create(file("d/e/x").lease(1, "RH")).open();
    bench.create(file("d/y").lease(2, "R"));
    bench.create(file("f").lease(3, "RH"));
    let ticket = Ticket(99);
    let turn =
        bench
            .table
            .break_handle_caching_below(&name("d"), ticket, bench.now, &mut bench.effects);
    assert!(matches!(turn, Turn::Wait { .. }));
    assert_eq!(bench.breaks(), ["lease 1 RH>R"]);
    bench.close(cached);
    assert_eq!(bench.ready(), [ticket]);
    let turn =
        bench
            .table
            .break_handle_caching_below(&name("d"), ticket, bench.now, &mut bench.effects);
    assert!(matches!(turn, Turn::Now));

    for (path, acknowledged) in [("f", false), ("f", true), ("none", true)] {
        let identity = bench.identity(path);
        let Bench {
            table,
            now,
            effects,
            ..
        } = &mut bench;
        let turn = table.break_for_replacement(&identity, ticket, *now, effects);
        match (path, acknowledged) {
            ("f", false) => {
                assert!(matches!(turn, Ok(Turn::Wait { .. })));
                assert_eq!(bench.breaks(), ["lease 3 RH>R"]);
                bench.acknowledge(3, "R").unwrap();
            }
            ("f", true) => assert!(matches!(turn, Err(NtStatus::ACCESS_DENIED))),
            _ => assert!(matches!(turn, Ok(Turn::Now))),
        }
    }
    bench.end();
}
