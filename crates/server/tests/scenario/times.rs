//! When LastWriteTime moves, on a clock that moves when told; attributes.

use netsession::smb_client::{Open, TreeConnect};
use smb::wire::info::FileBasicInformation;
use smb::wire::info::directory::{Form, read_list};
use smb::wire::{
    CloseRequest, CloseResponse, QueryDirectoryRequest, QueryDirectoryResponse, Utf16, close,
    file_attributes as attribute, file_information_class as class,
};

use super::information::{basic, data, set, set_basic};
use super::*;

fn write_access() -> Create {
    Create {
        // FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE.
        desired_access: 0x0013_019F,
        create_disposition: 3,
        ..Create::open()
    }
}

async fn opened(tree: &TreeConnect) -> Open {
    tree.create("a", &write_access()).await.unwrap()
}

async fn write_time(open: &Open) -> FileTime {
    basic(open).await.last_write_time
}

fn with_write_time(last_write_time: FileTime) -> FileBasicInformation {
    FileBasicInformation {
        last_write_time,
        ..FileBasicInformation::default()
    }
}

/// CLOSE; gives the WriteTime of the answer.
async fn close_and_query(open: &Open) -> FileTime {
    let request = CloseRequest {
        flags: close::SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB,
        file_id: open.file_id(),
    };
    let response = open
        .tree()
        .request(Command::CLOSE, 0, |out| request.write(out))
        .await
        .unwrap();
    let response = response.success().unwrap();
    CloseResponse::read(response.message())
        .unwrap()
        .file
        .last_write_time
}

fn seconds(time: FileTime, more: u64) -> FileTime {
    FileTime(time.0 + more * FileTime::PER_SECOND)
}

#[tokio::test]
async fn a_write_is_told_after_two_seconds_and_the_next_one_at_the_close() {
    let scene = Scene::new(|_| {});
    let start = FileTime::from_unix(1_800_000_000, 0);
    let tree = data(&scene).await;
    let file = opened(&tree).await;
    let before = write_time(&file).await;
    file.write(0, b"one").await.unwrap();
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(write_time(&file).await, before);
    let other = opened(&tree).await;
    assert_eq!(write_time(&other).await, before, "it is the file's");
    scene.clock.advance(Duration::from_secs(2));
    assert_eq!(write_time(&file).await, seconds(start, 2));
    file.write(0, b"two").await.unwrap();
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(write_time(&file).await, seconds(start, 2));
    assert_eq!(close_and_query(&file).await, seconds(start, 8));
    assert_eq!(close_and_query(&other).await, seconds(start, 8));
    let again = opened(&tree).await;
    assert_eq!(write_time(&again).await, seconds(start, 8), "the store's");
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(close_and_query(&again).await, seconds(start, 8));
}

#[tokio::test]
async fn flush_length_and_basic_information_tell_a_write() {
    let scene = Scene::new(|_| {});
    let start = FileTime::from_unix(1_800_000_000, 0);
    let tree = data(&scene).await;
    let file = opened(&tree).await;
    for round in 1..=3 {
        scene.clock.advance(Duration::from_secs(10));
        file.write(0, b"1").await.unwrap();
        match round {
            1 => file.flush().await.unwrap(),
            2 => {
                let number = smb::wire::file_information_class::FILE_END_OF_FILE_INFORMATION;
                let status = set(&file, number, &1u64.to_le_bytes()).await;
                assert_eq!(status, NtStatus::SUCCESS);
            }
            _ => {
                let status = set_basic(&file, FileBasicInformation::default()).await;
                assert_eq!(status, NtStatus::SUCCESS);
            }
        }
        assert_eq!(write_time(&file).await, seconds(start, 10 * round));
    }
    scene.clock.advance(Duration::from_secs(10));
    let told = close_and_query(&file).await;
    assert_eq!(told, seconds(start, 30), "nothing more was written");
}

#[tokio::test]
async fn a_time_that_was_set_outlives_the_writes_of_others() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let (file, other) = (opened(&tree).await, opened(&tree).await);
    file.write(0, b"1").await.unwrap();
    let day = FileTime::from_unix(1_700_000_000, 123_456_700);
    let status = set_basic(&other, with_write_time(day)).await;
    assert_eq!(status, NtStatus::SUCCESS);
    file.write(0, b"2").await.unwrap();
    scene.clock.advance(Duration::from_secs(5));
    file.flush().await.unwrap();
    assert_eq!(write_time(&file).await, day);
    other.close().await.unwrap();
    assert_eq!(close_and_query(&file).await, day);
    assert_eq!(write_time(&opened(&tree).await).await, day);
}

/// [MS-FSCC] 2.4.7.
#[tokio::test]
async fn a_frozen_time_does_not_move_until_it_is_thawed() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let file = opened(&tree).await;
    let before = basic(&file).await;
    let all = |time: i64| {
        let time = FileTime(time as u64);
        FileBasicInformation {
            creation_time: time,
            last_access_time: time,
            last_write_time: time,
            change_time: time,
            file_attributes: 0,
        }
    };
    assert_eq!(set_basic(&file, all(-3)).await, NtStatus::INVALID_PARAMETER);
    assert_eq!(set_basic(&file, all(-1)).await, NtStatus::SUCCESS);
    assert_eq!(basic(&file).await, before);
    file.write(0, b"1").await.unwrap();
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(write_time(&file).await, before.last_write_time);
    file.close().await.unwrap();

    let file = opened(&tree).await;
    assert_eq!(write_time(&file).await, before.last_write_time);
    assert_eq!(set_basic(&file, all(-1)).await, NtStatus::SUCCESS);
    assert_eq!(set_basic(&file, all(-2)).await, NtStatus::SUCCESS);
    file.write(0, b"1").await.unwrap();
    file.flush().await.unwrap();
    assert!(write_time(&file).await > before.last_write_time);
}

#[tokio::test]
async fn another_programs_change_is_shown_and_stays() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let file = opened(&tree).await;
    file.write(0, b"1").await.unwrap();
    file.flush().await.unwrap();
    let path = scene.directory.path().join("data/a");
    let changed = std::time::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let local = std::fs::File::options().write(true).open(&path).unwrap();
    local.set_modified(changed).unwrap();
    assert_eq!(write_time(&file).await, changed.into());
    file.close().await.unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().modified().unwrap(),
        changed
    );
}

#[tokio::test]
async fn attributes_are_kept_and_cleared() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let with = |file_attributes| Create {
        file_attributes,
        create_disposition: 5,
        ..write_access()
    };
    let wanted = attribute::FILE_ATTRIBUTE_HIDDEN
        | attribute::FILE_ATTRIBUTE_TEMPORARY
        | attribute::FILE_ATTRIBUTE_OFFLINE;
    let shown = wanted | attribute::FILE_ATTRIBUTE_ARCHIVE;
    for _ in 0..2 {
        let file = tree.create("a", &with(wanted)).await.unwrap();
        assert_eq!(basic(&file).await.file_attributes, shown);
        file.close().await.unwrap();
    }
    let file = opened(&tree).await;
    let to = |file_attributes| FileBasicInformation {
        file_attributes,
        ..FileBasicInformation::default()
    };
    assert_eq!(set_basic(&file, to(0)).await, NtStatus::SUCCESS);
    assert_eq!(basic(&file).await.file_attributes, shown);
    let none = attribute::FILE_ATTRIBUTE_NORMAL;
    assert_eq!(set_basic(&file, to(none)).await, NtStatus::SUCCESS);
    assert_eq!(basic(&file).await.file_attributes, none);
    let directory = attribute::FILE_ATTRIBUTE_DIRECTORY;
    let refused = set_basic(&file, to(directory)).await;
    assert_eq!(refused, NtStatus::INVALID_PARAMETER);

    let make = Create {
        create_disposition: 2,
        create_options: 1,
        ..write_access()
    };
    let directory = tree.create("d", &make).await.unwrap();
    let temporary = attribute::FILE_ATTRIBUTE_TEMPORARY;
    let refused = set_basic(&directory, to(temporary)).await;
    assert_eq!(refused, NtStatus::INVALID_PARAMETER);
    let temporary = Create {
        file_attributes: temporary,
        ..make
    };
    let refused = status(tree.create("e", &temporary).await);
    assert_eq!(refused, NtStatus::INVALID_PARAMETER);
}

#[tokio::test]
async fn bits_that_no_create_has() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    opened(&tree).await.close().await.unwrap();
    let bits = || (0..32).map(|shift| 1u32 << shift);
    let (mut refused, mut options) = (0, 0);
    for bit in bits() {
        let attributes = Create {
            file_attributes: bit,
            ..Create::open()
        };
        if status(tree.create("a", &attributes).await) == NtStatus::INVALID_PARAMETER {
            refused |= bit;
        }
        let create = Create {
            create_options: bit,
            ..Create::open()
        };
        if status(tree.create("a", &create).await) == NtStatus::NOT_SUPPORTED {
            options |= bit;
        }
    }
    assert_eq!((refused, options), (0xFFFF_8048, 0x0010_2080));
    let mut denied = 0;
    for bit in bits() {
        let access = Create {
            desired_access: bit,
            ..Create::open()
        };
        let beside = Create {
            desired_access: bit | 1,
            ..Create::open()
        };
        let alone = status(tree.create("a", &access).await);
        assert_eq!(alone, status(tree.create("a", &beside).await), "{bit:#x}");
        denied |= match alone {
            NtStatus::SUCCESS => 0,
            NtStatus::ACCESS_DENIED | NtStatus::PRIVILEGE_NOT_HELD => bit,
            other => panic!("{other}"),
        };
    }
    assert_eq!(denied, 0x0DE0_FE00);
}

/// What a listing says of the file `a`.
async fn listed(tree: &TreeConnect) -> FileTime {
    let directory = Create {
        desired_access: 1,
        create_options: 1,
        ..Create::open()
    };
    let root = tree.create("", &directory).await.unwrap();
    let name = smb::wire::utf16("a");
    let request = QueryDirectoryRequest {
        file_information_class: class::FILE_DIRECTORY_INFORMATION,
        file_id: root.file_id(),
        output_buffer_length: 1_000,
        file_name: Utf16::new(&name).unwrap(),
        ..QueryDirectoryRequest::default()
    };
    let response = tree
        .request(Command::QUERY_DIRECTORY, 0, |out| request.write(out))
        .await
        .unwrap()
        .success()
        .unwrap();
    let answer = QueryDirectoryResponse::read(response.message()).unwrap();
    let mut entries = read_list(Form::Directory, answer.output_buffer);
    entries.next().unwrap().unwrap().last_write_time
}

#[tokio::test]
async fn a_listing_tells_the_write_time_that_an_open_tells() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let file = opened(&tree).await;
    let before = write_time(&file).await;
    file.write(0, b"one").await.unwrap();
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(listed(&tree).await, before);
    scene.clock.advance(Duration::from_secs(2));
    assert_eq!(listed(&tree).await, write_time(&file).await);
    let closed = close_and_query(&file).await;
    assert_eq!(listed(&tree).await, closed);
}

/// [MS-FSA] 2.1.5.15.2: what else is set through the open leaves it alone, until the client
/// says that it moves again.
#[tokio::test]
async fn a_change_time_that_was_set_stays_for_the_open() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let file = opened(&tree).await;
    let time = FileTime::from_unix(1_700_000_000, 0);
    let with = |change_time, file_attributes| FileBasicInformation {
        change_time,
        file_attributes,
        ..FileBasicInformation::default()
    };
    let zero = FileTime(0);
    assert_eq!(set_basic(&file, with(time, 0)).await, NtStatus::SUCCESS);
    for attributes in [
        attribute::FILE_ATTRIBUTE_HIDDEN,
        attribute::FILE_ATTRIBUTE_NORMAL,
    ] {
        set_basic(&file, with(zero, attributes)).await;
        assert_eq!(basic(&file).await.change_time, time);
    }
    let other = opened(&tree).await;
    set_basic(&other, with(zero, attribute::FILE_ATTRIBUTE_HIDDEN)).await;
    assert_ne!(basic(&file).await.change_time, time);
    let thaw = FileTime(-2_i64 as u64);
    set_basic(&file, with(time, 0)).await;
    set_basic(&file, with(thaw, 0)).await;
    assert_eq!(basic(&file).await.change_time, time);
    set_basic(&file, with(zero, attribute::FILE_ATTRIBUTE_NORMAL)).await;
    assert_ne!(basic(&file).await.change_time, time);
}
