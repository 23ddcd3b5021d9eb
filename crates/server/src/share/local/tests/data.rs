//! Reading, writing, lengths.

use super::*;

#[test]
fn data() {
    let store = Store::new();
    let handle = store.create("f").handle;
    handle.write(b"hello", 3).unwrap();
    let mut buffer = [9; 16];
    assert_eq!(handle.read(&mut buffer, 0, true), Ok(8));
    assert_eq!(&buffer[..8], b"\0\0\0hello");
    assert_eq!(handle.read(&mut buffer, 8, true), Ok(0));
    assert_eq!(handle.read(&mut buffer, 100, false), Ok(0));
    assert_eq!(
        handle.read(&mut buffer, u64::MAX, true),
        Err(ReadError::Status(NtStatus::INVALID_PARAMETER))
    );
    assert_eq!(
        handle.write(b"x", i64::MAX as u64),
        Err(NtStatus::INVALID_PARAMETER)
    );
    assert_eq!(
        handle.write(b"x", u64::MAX),
        Err(NtStatus::INVALID_PARAMETER)
    );
    handle.set_end_of_file(4).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 4);
    handle.set_end_of_file(10).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 10);
    assert_eq!(
        handle.set_end_of_file(u64::MAX),
        Err(NtStatus::INVALID_PARAMETER)
    );
    handle.flush().unwrap();
    // Reservation keeps the length; a smaller one cuts.
    handle.set_allocation(1 << 20).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 10);
    assert!(handle.stat().unwrap().allocation_size >= 1 << 20);
    handle.set_allocation(2).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 2);
    assert_eq!(handle.set_allocation(1 << 60), Err(NtStatus::DISK_FULL));
}

#[test]
fn reads_that_may_not_block_give_what_is_cached_or_nothing() {
    let store = Store::new();
    let handle = store.create("f").handle;
    let data = vec![7; 1 << 20];
    handle.write(&data, 0).unwrap();
    let mut buffer = vec![0; 1 << 21];
    match handle.read(&mut buffer, 0, false) {
        Ok(count) => assert_eq!(buffer[..count], data),
        Err(error) => assert_eq!(error, ReadError::WouldBlock),
    }
    // Out of the cache: whole or not at all.
    handle.flush().unwrap();
    let file = fs::File::open(store.path("f")).unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    match handle.read(&mut buffer, 0, false) {
        Ok(count) => assert_eq!(count, data.len()),
        Err(error) => assert_eq!(error, ReadError::WouldBlock),
    }
    assert_eq!(handle.read(&mut buffer, 0, true), Ok(data.len()));
    assert_eq!(handle.read(&mut buffer, 0, false), Ok(data.len()));
}

#[test]
fn directories_have_no_data() {
    let store = Store::new();
    let root = store.open("").handle;
    let status = NtStatus::INVALID_DEVICE_REQUEST;
    assert_eq!(
        root.read(&mut [0; 4], 0, true),
        Err(ReadError::Status(status))
    );
    assert_eq!(root.write(b"x", 0), Err(status));
    assert_eq!(root.set_end_of_file(0), Err(status));
    root.flush().unwrap();
    let stat = root.stat().unwrap();
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
    assert_eq!(handle.stat().unwrap().end_of_file, 6);
    let denied = ReadError::Status(NtStatus::ACCESS_DENIED);
    assert_eq!(handle.read(&mut [0; 8], 0, true), Err(denied));
    assert_eq!(handle.read(&mut [0; 8], 0, false), Err(denied));
    assert_eq!(handle.write(b"x", 0), Err(NtStatus::ACCESS_DENIED));
    // Root may read anything.
    if !rustix::process::geteuid().is_root() {
        assert_eq!(open(true).err(), Some(NtStatus::ACCESS_DENIED));
    }
    let time = FileTime::from_unix(1_000_000_000, 500);
    handle
        .set_times(&Times {
            last_write_time: Some(time),
            ..Times::default()
        })
        .unwrap();
    assert_eq!(handle.stat().unwrap().last_write_time, time);
}

#[test]
fn an_open_for_reading_can_be_overwritten_by_its_disposition() {
    let store = Store::new();
    store.put("f", "data");
    let handle = store
        .open_as("f", CreateMode::Existing, KindWanted::File, true, false)
        .unwrap()
        .handle;
    assert_eq!(handle.write(b"x", 0), Err(NtStatus::ACCESS_DENIED));
    handle.set_end_of_file(0).unwrap();
    assert_eq!(handle.stat().unwrap().end_of_file, 0);
}
