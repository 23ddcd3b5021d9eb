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
