//! Reading, writing, lengths.

use super::*;

#[test]
fn data() {
    let store = Store::new();
    let handle = store.create("f").handle;
    handle.write(b"hello", 3, Waiting::Allowed).unwrap();
    let mut buffer = [9; 16];
    assert_eq!(handle.read(&mut buffer, 0, Waiting::Allowed), Ok(8));
    assert_eq!(&buffer[..8], b"\0\0\0hello");
    assert_eq!(handle.read(&mut buffer, 8, Waiting::Allowed), Ok(0));
    assert_eq!(handle.read(&mut buffer, 100, Waiting::Refused), Ok(0));
    assert_eq!(
        handle.read(&mut buffer, u64::MAX, Waiting::Allowed),
        Err(StoreError::Status(NtStatus::INVALID_PARAMETER))
    );
    assert_eq!(
        handle.write(b"x", i64::MAX as u64, Waiting::Allowed),
        Err(NtStatus::INVALID_PARAMETER.into())
    );
    assert_eq!(
        handle.write(b"x", u64::MAX, Waiting::Allowed),
        Err(NtStatus::INVALID_PARAMETER.into())
    );
    handle.set_end_of_file(4, Waiting::Allowed).unwrap();
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().end_of_file, 4);
    handle.set_end_of_file(10, Waiting::Allowed).unwrap();
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().end_of_file, 10);
    assert_eq!(
        handle.set_end_of_file(u64::MAX, Waiting::Allowed),
        Err(NtStatus::INVALID_PARAMETER.into())
    );
    handle.flush(Waiting::Allowed).unwrap();
    // Reservation keeps the length; a smaller one cuts.
    handle.set_allocation(1 << 20, Waiting::Allowed).unwrap();
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().end_of_file, 10);
    assert!(handle.stat(Waiting::Allowed).unwrap().allocation_size >= 1 << 20);
    handle.set_allocation(2, Waiting::Allowed).unwrap();
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().end_of_file, 2);
    assert_eq!(
        handle.set_allocation(1 << 60, Waiting::Allowed),
        Err(NtStatus::DISK_FULL.into())
    );
}

#[test]
fn reads_that_may_not_block_give_what_is_cached_or_nothing() {
    let store = Store::new();
    let handle = store.create("f").handle;
    let data = vec![7; 1 << 20];
    handle.write(&data, 0, Waiting::Allowed).unwrap();
    let mut buffer = vec![0; 1 << 21];
    match handle.read(&mut buffer, 0, Waiting::Refused) {
        Ok(count) => assert_eq!(buffer[..count], data),
        Err(error) => assert_eq!(error, StoreError::WouldWait),
    }
    // Out of the cache: whole or not at all.
    handle.flush(Waiting::Allowed).unwrap();
    let file = fs::File::open(store.path("f")).unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    match handle.read(&mut buffer, 0, Waiting::Refused) {
        Ok(count) => assert_eq!(count, data.len()),
        Err(error) => assert_eq!(error, StoreError::WouldWait),
    }
    assert_eq!(
        handle.read(&mut buffer, 0, Waiting::Allowed),
        Ok(data.len())
    );
    assert_eq!(
        handle.read(&mut buffer, 0, Waiting::Refused),
        Ok(data.len())
    );
}

#[test]
fn directories_have_no_data() {
    let store = Store::new();
    let root = store.open("").handle;
    let status = StoreError::Status(NtStatus::INVALID_DEVICE_REQUEST);
    assert_eq!(root.read(&mut [0; 4], 0, Waiting::Allowed), Err(status));
    assert_eq!(root.write(b"x", 0, Waiting::Allowed), Err(status));
    assert_eq!(root.set_end_of_file(0, Waiting::Allowed), Err(status));
    root.flush(Waiting::Allowed).unwrap();
    let stat = root.stat(Waiting::Allowed).unwrap();
    assert_eq!(
        (stat.end_of_file, stat.allocation_size, stat.links),
        (0, 0, 1)
    );
}

#[test]
fn an_open_without_access_gives_facts_only() {
    let store = Store::new();
    store.put("f", "secret");
    fs::set_permissions(store.path("f"), fs::Permissions::from_mode(0o000)).unwrap();
    let open = |read| store.open_as("f", CreateMode::Existing, KindWanted::Any, read, false);
    let handle = open(false).unwrap().handle;
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().end_of_file, 6);
    let denied = StoreError::Status(NtStatus::ACCESS_DENIED);
    assert_eq!(handle.read(&mut [0; 8], 0, Waiting::Allowed), Err(denied));
    assert_eq!(handle.read(&mut [0; 8], 0, Waiting::Refused), Err(denied));
    assert_eq!(
        handle.write(b"x", 0, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
    // Root may read anything.
    if !rustix::process::geteuid().is_root() {
        assert_eq!(open(true).err(), Some(NtStatus::ACCESS_DENIED.into()));
    }
    let time = FileTime::from_unix(1_000_000_000, 500);
    handle
        .set_times(
            &Times {
                last_write_time: Some(time),
                ..Times::default()
            },
            Waiting::Allowed,
        )
        .unwrap();
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().last_write_time, time);
}

#[test]
fn an_open_for_reading_can_be_overwritten_by_its_disposition() {
    let store = Store::new();
    store.put("f", "data");
    let handle = store
        .open_as("f", CreateMode::Existing, KindWanted::File, true, false)
        .unwrap()
        .handle;
    assert_eq!(
        handle.write(b"x", 0, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
    handle.set_end_of_file(0, Waiting::Allowed).unwrap();
    assert_eq!(handle.stat(Waiting::Allowed).unwrap().end_of_file, 0);
}

#[test]
fn holes_are_punched_and_told() {
    let store = Store::new();
    let handle = store.create("f").handle;
    let mib = 1 << 20;
    handle
        .write(&vec![7; 3 * mib], 0, Waiting::Allowed)
        .unwrap();
    let mib = mib as u64;
    handle.zero_range(mib, mib, Waiting::Allowed).unwrap();
    let stat = handle.stat(Waiting::Allowed).unwrap();
    assert_eq!(stat.end_of_file, 3 * mib);
    let mut byte = [1];
    for (at, expected) in [(mib - 1, 7), (mib, 0), (2 * mib - 1, 0), (2 * mib, 7)] {
        handle.read(&mut byte, at, Waiting::Allowed).unwrap();
        assert_eq!(byte[0], expected, "at {at}");
    }
    // Beyond the end nothing grows.
    handle
        .zero_range(2 * mib, 8 * mib, Waiting::Allowed)
        .unwrap();
    let stat = handle.stat(Waiting::Allowed).unwrap();
    assert_eq!(stat.end_of_file, 3 * mib);
    let ranges = |offset, length| handle.allocated_ranges(offset, length, Waiting::Allowed);
    assert_eq!(ranges(0, 8 * mib), Ok(vec![(0, mib)]));
    assert_eq!(ranges(4096, 8192), Ok(vec![(4096, 8192)]));
    assert_eq!(ranges(mib, mib), Ok(vec![]));
    assert_eq!(ranges(0, 0), Ok(vec![]));
    let invalid = Err(NtStatus::INVALID_PARAMETER.into());
    assert_eq!(ranges(1, i64::MAX as u64), invalid);
    assert_eq!(
        handle.zero_range(u64::MAX, 1, Waiting::Allowed),
        Err(NtStatus::INVALID_PARAMETER.into())
    );
    assert_eq!(handle.zero_range(5, 0, Waiting::Allowed), Ok(()));
}
