//! Names of CREATE ([MS-FSA] 2.1.5.1).

use super::raw::{Raw, SHARED, Wanted};
use super::*;

const OPEN: u32 = 1;
const CREATE: u32 = 2;
const OPEN_IF: u32 = 3;
const OVERWRITE_IF: u32 = 5;
const ANY: u32 = 0;
const DIRECTORY: u32 = 1;
const FILE: u32 = 0x40;

/// A name that ends with a separator opens and makes no file.
#[tokio::test]
async fn a_separator_at_the_end_means_a_directory() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    let (file, _) = raw.create("file.txt", SHARED).await.unwrap();
    raw.close(file).await;
    let directory = Wanted {
        options: DIRECTORY,
        ..SHARED
    };
    let (open, _) = raw.create("directory", directory).await.unwrap();
    raw.close(open).await;
    let invalid = Err(NtStatus::OBJECT_NAME_INVALID);
    for (name, disposition, options, expected) in [
        ("file.txt\\", OPEN, ANY, invalid),
        ("file.txt/", OPEN_IF, ANY, invalid),
        ("file.txt\\", OVERWRITE_IF, ANY, invalid),
        ("file.txt\\", CREATE, ANY, invalid),
        ("file.txt\\", OPEN, FILE, invalid),
        (
            "file.txt\\",
            OPEN,
            DIRECTORY,
            Err(NtStatus::NOT_A_DIRECTORY),
        ),
        ("none\\", OPEN, ANY, Err(NtStatus::OBJECT_NAME_NOT_FOUND)),
        ("none\\", OPEN, FILE, invalid),
        ("none\\", OPEN_IF, ANY, invalid),
        ("none\\", CREATE, ANY, invalid),
        ("directory\\", OPEN, ANY, Ok(())),
        ("directory\\", OPEN_IF, ANY, Ok(())),
        ("directory\\\\", OPEN, DIRECTORY, Ok(())),
        ("directory\\", OPEN, FILE, invalid),
        ("new\\", CREATE, DIRECTORY, Ok(())),
    ] {
        let wanted = Wanted {
            disposition,
            options,
            ..SHARED
        };
        let answer = raw.create(name, wanted).await;
        let status = answer.map(drop);
        assert_eq!(status, expected, "{name} {disposition} {options}");
        if let Ok((open, _)) = answer {
            raw.close(open).await;
        }
        assert!(!scene.directory.path().join("data/none").exists());
    }
}

/// `name::$DATA` is a file's data: no directory is opened by it.
#[tokio::test]
async fn the_type_of_data_means_a_file() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    let open = |name: &'static str, options| {
        let wanted = Wanted { options, ..SHARED };
        raw.create(name, wanted)
    };
    let (file, _) = open("file", ANY).await.unwrap();
    raw.close(file).await;
    let (directory, _) = open("directory", DIRECTORY).await.unwrap();
    raw.close(directory).await;
    for (name, options, expected) in [
        ("file::$DATA", ANY, Ok(())),
        ("file::$DATA", DIRECTORY, Err(NtStatus::NOT_A_DIRECTORY)),
        (
            "directory::$Data",
            DIRECTORY,
            Err(NtStatus::NOT_A_DIRECTORY),
        ),
        ("directory::$DATA", ANY, Err(NtStatus::FILE_IS_A_DIRECTORY)),
    ] {
        let status = open(name, options).await.map(drop);
        assert_eq!(status, expected, "{name} {options}");
    }
}

/// A file system of Unix has 255 bytes for a name, the protocol 255 code units.
#[tokio::test]
async fn a_name_may_be_too_long_for_the_disk() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    for (name, expected) in [
        ("n".repeat(255), Ok(())),
        ("語".repeat(85), Ok(())),
        ("語".repeat(86), Err(NtStatus::NAME_TOO_LONG)),
        ("語".repeat(255), Err(NtStatus::NAME_TOO_LONG)),
        ("語".repeat(256), Err(NtStatus::OBJECT_NAME_INVALID)),
        ("n".repeat(256), Err(NtStatus::OBJECT_NAME_INVALID)),
    ] {
        let status = raw.create(&name, SHARED).await.map(drop);
        assert_eq!(status, expected, "{name}");
    }
}

/// FileLinkInformation.
async fn link(raw: &Raw, file: smb::wire::FileId, name: &str) -> NtStatus {
    let name = smb::wire::utf16(name);
    let mut buffer = Vec::new();
    smb::wire::info::FileRenameInformation {
        replace_if_exists: false,
        root_directory: 0,
        file_name: smb::wire::Utf16::new(&name).unwrap(),
    }
    .write(&mut buffer);
    set(raw, file, 11, &buffer).await
}

async fn set(raw: &Raw, file_id: smb::wire::FileId, class: u8, buffer: &[u8]) -> NtStatus {
    let request = smb::wire::SetInfoRequest {
        info_type: 1,
        file_info_class: class,
        file_id,
        buffer,
        ..smb::wire::SetInfoRequest::default()
    };
    raw.ask_patiently(Command::SET_INFO, |out| request.write(out))
        .await
        .status()
}

/// Of two names of a file, the one goes by which it was deleted, whoever closes it last.
#[tokio::test]
async fn a_deleted_file_loses_the_name_that_was_deleted() {
    let scene = Scene::new(|_| {});
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "data").await;
    let (hers, _) = alice.create("hers", SHARED).await.unwrap();
    assert_eq!(link(&alice, hers, "his").await, NtStatus::SUCCESS);
    let (his, _) = bob.create("his", SHARED).await.unwrap();
    assert_eq!(set(&alice, hers, 13, &[1]).await, NtStatus::SUCCESS);
    assert_eq!(alice.close(hers).await, NtStatus::SUCCESS);
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
    let exists = |name| scene.directory.path().join("data").join(name).exists();
    assert_eq!((exists("hers"), exists("his")), (false, true));
}
