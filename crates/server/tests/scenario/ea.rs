//! Extended attributes ([MS-SMB2] 3.3.5.9.1, 3.3.5.20.1, 3.3.5.21.1).

use smb::wire::info::{
    DirectoryEntry, FILE_NEED_EA, FileEaInformation, FileFullEaInformation, FileGetEaInformation,
    FullEaWriter, directory,
};
use smb::wire::{
    CreateContext, CreateContexts, CreateRequest, FileId, QueryDirectoryRequest,
    QueryDirectoryResponse, QueryInfoRequest, QueryInfoResponse, SetInfoRequest, Utf16,
    access_mask, create_context, create_options, file_information_class as class, info_type, utf16,
};

use super::raw::{Raw, SHARED, Wanted, created};
use super::*;

const RESTART: u32 = 1;
const SINGLE: u32 = 2;
const INDEX: u32 = 4;

/// Reads and writes extended attributes too.
const WITH_EAS: Wanted = Wanted {
    access: access_mask::FILE_ALL_ACCESS,
    ..SHARED
};

type Attribute = (String, Vec<u8>, u8);

fn attribute(name: &str, value: &str) -> Attribute {
    (name.to_owned(), value.into(), 0)
}

fn list(attributes: &[Attribute]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = FullEaWriter::new(&mut out, usize::MAX);
    for (name, value, flags) in attributes {
        let entry = FileFullEaInformation {
            flags: *flags,
            name: name.as_bytes(),
            value,
        };
        assert!(writer.push(&entry));
    }
    out
}

/// CREATE with the context `ExtA`.
async fn create(
    raw: &Raw,
    name: &str,
    wanted: Wanted,
    attributes: &[u8],
) -> Result<FileId, NtStatus> {
    let name = utf16(name);
    let contexts = [CreateContext {
        name: create_context::name::SMB2_CREATE_EA_BUFFER,
        data: attributes,
    }];
    let answer = raw
        .ask_patiently(Command::CREATE, |out| {
            CreateRequest {
                requested_oplock_level: 0,
                impersonation_level: 2,
                desired_access: wanted.access,
                file_attributes: 0,
                share_access: wanted.share,
                create_disposition: wanted.disposition,
                create_options: wanted.options,
                name: Utf16::new(&name).unwrap(),
                contexts: CreateContexts::from(&contexts[..]),
            }
            .write(out);
        })
        .await;
    created(&answer).map(|(file_id, _)| file_id)
}

/// QUERY_INFO of FileFullEaInformation: the status and what came.
async fn ask(raw: &Raw, query: QueryInfoRequest<'_>) -> (NtStatus, Vec<Attribute>) {
    let query = QueryInfoRequest {
        info_type: info_type::SMB2_0_INFO_FILE,
        file_info_class: class::FILE_FULL_EA_INFORMATION,
        ..query
    };
    let answer = raw
        .ask_patiently(Command::QUERY_INFO, |out| query.write(out))
        .await;
    let bytes = QueryInfoResponse::read(&answer.bytes);
    let bytes = bytes.map_or_else(|_| Vec::new(), |it| it.output_buffer.to_vec());
    let entries = FileFullEaInformation::read_list(&bytes).map(|entry| {
        let entry = entry.unwrap();
        let name = String::from_utf8(entry.name.to_vec()).unwrap();
        (name, entry.value.to_vec(), entry.flags)
    });
    (answer.status(), entries.collect())
}

fn query(file_id: FileId, room: u32, flags: u32) -> QueryInfoRequest<'static> {
    QueryInfoRequest {
        file_id,
        flags,
        output_buffer_length: room,
        ..QueryInfoRequest::default()
    }
}

/// All of them.
async fn all(raw: &Raw, file_id: FileId) -> (NtStatus, Vec<Attribute>) {
    let (status, mut attributes) = ask(raw, query(file_id, 60_000, RESTART)).await;
    // A file system has an order of its own.
    attributes.sort();
    (status, attributes)
}

async fn set(raw: &Raw, file_id: FileId, buffer: &[u8]) -> NtStatus {
    let request = SetInfoRequest {
        info_type: info_type::SMB2_0_INFO_FILE,
        file_info_class: class::FILE_FULL_EA_INFORMATION,
        file_id,
        buffer,
        ..SetInfoRequest::default()
    };
    raw.ask_patiently(Command::SET_INFO, |out| request.write(out))
        .await
        .status()
}

async fn ea_size(raw: &Raw, file_id: FileId) -> u32 {
    let request = QueryInfoRequest {
        info_type: info_type::SMB2_0_INFO_FILE,
        file_info_class: class::FILE_EA_INFORMATION,
        output_buffer_length: 4,
        file_id,
        ..QueryInfoRequest::default()
    };
    let answer = raw
        .ask_patiently(Command::QUERY_INFO, |out| request.write(out))
        .await;
    let answer = QueryInfoResponse::read(&answer.bytes).unwrap();
    FileEaInformation::read(answer.output_buffer)
        .unwrap()
        .ea_size
}

fn two() -> Vec<Attribute> {
    vec![
        attribute("EAONE", "VALUE1"),
        attribute("SECONDEA", "ValueTwo"),
    ]
}

#[tokio::test]
async fn set_read_replaced_and_removed() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    for (name, options) in [("file", 0), ("directory", 1)] {
        let wanted = Wanted {
            options,
            ..WITH_EAS
        };
        let (file, _) = raw.create(name, wanted).await.unwrap();
        let none = (NtStatus::NO_EAS_ON_FILE, Vec::new());
        assert_eq!(all(&raw, file).await, none);
        assert_eq!(ea_size(&raw, file).await, 0);
        assert_eq!(set(&raw, file, &list(&two())).await, NtStatus::SUCCESS);
        assert_eq!(all(&raw, file).await, (NtStatus::SUCCESS, two()));
        // 4, and 5 for each with its name and value.
        assert_eq!(ea_size(&raw, file).await, 4 + 16 + 21);
        let changes = [attribute("secondea", "new"), attribute("EaOne", "")];
        assert_eq!(set(&raw, file, &list(&changes)).await, NtStatus::SUCCESS);
        let one = vec![attribute("SECONDEA", "new")];
        assert_eq!(all(&raw, file).await, (NtStatus::SUCCESS, one));
        let gone = [attribute("SecondEA", ""), attribute("none", "")];
        assert_eq!(set(&raw, file, &list(&gone)).await, NtStatus::SUCCESS);
        assert_eq!(all(&raw, file).await, none);
        assert_eq!(raw.close(file).await, NtStatus::SUCCESS);
    }
}

#[tokio::test]
async fn what_is_no_list_or_no_name_changes_nothing() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    let (file, _) = raw.create("file", WITH_EAS).await.unwrap();
    assert_eq!(set(&raw, file, &list(&two())).await, NtStatus::SUCCESS);
    let mut cut = list(&two());
    cut.pop();
    for inconsistent in [&b""[..], b"\0\0\0\0", &cut] {
        let status = set(&raw, file, inconsistent).await;
        assert_eq!(status, NtStatus::EA_LIST_INCONSISTENT, "{inconsistent:?}");
    }
    for name in ["", "a:b", "a*", "a\u{1}", &"n".repeat(255)] {
        let changes = [attribute("EAONE", "other"), attribute(name, "value")];
        let status = set(&raw, file, &list(&changes)).await;
        assert_eq!(status, NtStatus::INVALID_EA_NAME, "{name}");
    }
    let flags = [("EAONE".to_owned(), b"other".to_vec(), 0x40)];
    let status = set(&raw, file, &list(&flags)).await;
    assert_eq!(status, NtStatus::INVALID_EA_NAME);
    let ours = [
        attribute("EAONE", "other"),
        attribute("netsession.security", "x"),
    ];
    let status = set(&raw, file, &list(&ours)).await;
    assert_eq!(status, NtStatus::ACCESS_DENIED);
    assert_eq!(all(&raw, file).await, (NtStatus::SUCCESS, two()));
}

#[tokio::test]
async fn a_scan_goes_on_where_the_open_stands() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    let (file, _) = raw.create("file", WITH_EAS).await.unwrap();
    let attributes = ["one", "two", "three"].map(|name| attribute(name, "value"));
    assert_eq!(set(&raw, file, &list(&attributes)).await, NtStatus::SUCCESS);
    let (_, order) = ask(&raw, query(file, 60_000, RESTART)).await;
    let end = (NtStatus::NO_MORE_EAS, Vec::new());
    assert_eq!(ask(&raw, query(file, 60_000, 0)).await, end);

    let single = |flags| ask(&raw, query(file, 60_000, SINGLE | flags));
    let nth = |n: usize| (NtStatus::SUCCESS, vec![order[n].clone()]);
    assert_eq!(single(RESTART).await, nth(0));
    assert_eq!(single(0).await, nth(1));
    // From an index, which counts from 1: the open stays where it is.
    let from = |index| QueryInfoRequest {
        additional_information: index,
        ..query(file, 60_000, INDEX | RESTART)
    };
    let rest = (NtStatus::SUCCESS, order[1..].to_vec());
    assert_eq!(ask(&raw, from(2)).await, rest);
    for index in [0, 4, u32::MAX] {
        let nonexistent = (NtStatus::NONEXISTENT_EA_ENTRY, Vec::new());
        assert_eq!(ask(&raw, from(index)).await, nonexistent, "{index}");
    }
    assert_eq!(single(0).await, nth(2));
    assert_eq!(single(0).await, end);

    // As many whole entries as fit.
    let sizes = [1, 2, 3].map(|count| list(&order[..count]).len() as u32);
    for room in 0..=sizes[2] {
        let fits = sizes.iter().filter(|&&size| size <= room).count();
        let expected = match fits {
            0 => NtStatus::BUFFER_TOO_SMALL,
            3 => NtStatus::SUCCESS,
            _ => NtStatus::BUFFER_OVERFLOW,
        };
        let answer = ask(&raw, query(file, room, RESTART)).await;
        assert_eq!(answer, (expected, order[..fits].to_vec()), "{room}");
    }
}

#[tokio::test]
async fn asked_for_by_name() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    let (file, _) = raw.create("file", WITH_EAS).await.unwrap();
    assert_eq!(set(&raw, file, &list(&two())).await, NtStatus::SUCCESS);
    let named = async |names: &[&str]| {
        let names: Vec<_> = names
            .iter()
            .map(|name| FileGetEaInformation {
                name: name.as_bytes(),
            })
            .collect();
        let mut input_buffer = Vec::new();
        FileGetEaInformation::write_list(&mut input_buffer, &names);
        let query = QueryInfoRequest {
            input_buffer: &input_buffer,
            ..query(file, 60_000, 0)
        };
        ask(&raw, query).await
    };
    let expected = vec![
        attribute("SECONDEA", "ValueTwo"),
        attribute("none", ""),
        attribute("EAONE", "VALUE1"),
    ];
    let names = ["secondea", "none", "SecondEA", "EAONE"];
    assert_eq!(named(&names).await, (NtStatus::SUCCESS, expected));
    let invalid = (NtStatus::INVALID_EA_NAME, Vec::new());
    assert_eq!(named(&["EAONE", "a:b"]).await, invalid);
    let query = QueryInfoRequest {
        input_buffer: b"\0\0\0\0\x05",
        ..query(file, 60_000, 0)
    };
    let inconsistent = (NtStatus::EA_LIST_INCONSISTENT, Vec::new());
    assert_eq!(ask(&raw, query).await, inconsistent);
}

#[tokio::test]
async fn a_new_file_gets_those_of_its_create() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    let file = create(&raw, "file", WITH_EAS, &list(&two())).await.unwrap();
    assert_eq!(all(&raw, file).await, (NtStatus::SUCCESS, two()));
    assert_eq!(raw.close(file).await, NtStatus::SUCCESS);
    // An existing file keeps its own, unless it is overwritten.
    let other = list(&[attribute("EAONE", "other")]);
    let file = create(&raw, "file", WITH_EAS, &other).await.unwrap();
    assert_eq!(all(&raw, file).await, (NtStatus::SUCCESS, two()));
    assert_eq!(raw.close(file).await, NtStatus::SUCCESS);
    let overwrites = Wanted {
        disposition: 5,
        ..WITH_EAS
    };
    let file = create(&raw, "file", overwrites, &other).await.unwrap();
    let both = vec![attribute("EAONE", "other"), two()[1].clone()];
    assert_eq!(all(&raw, file).await, (NtStatus::SUCCESS, both));
    assert_eq!(raw.close(file).await, NtStatus::SUCCESS);

    // What is wrong with them is said before anything is made.
    let invalid = list(&[attribute("a:b", "value")]);
    let large = list(&["a", "b"].map(|name| attribute(name, &"v".repeat(40_000))));
    for (attributes, expected) in [
        (&b"\0"[..], NtStatus::EA_LIST_INCONSISTENT),
        (&invalid, NtStatus::INVALID_EA_NAME),
        (&large, NtStatus::EA_TOO_LARGE),
    ] {
        let refused = create(&raw, "new", WITH_EAS, attributes).await;
        assert_eq!(refused, Err(expected));
        assert!(!scene.directory.path().join("data/new").exists());
    }
}

#[tokio::test]
async fn who_knows_nothing_of_them_opens_no_file_that_needs_them() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    let ignorant = Wanted {
        options: create_options::FILE_NO_EA_KNOWLEDGE,
        ..WITH_EAS
    };
    let denied = create(&raw, "file", ignorant, &list(&two())).await;
    assert_eq!(denied, Err(NtStatus::ACCESS_DENIED));
    let (file, _) = raw.create("file", WITH_EAS).await.unwrap();
    assert_eq!(set(&raw, file, &list(&two())).await, NtStatus::SUCCESS);
    let (other, _) = raw.create("file", ignorant).await.unwrap();
    assert_eq!(raw.close(other).await, NtStatus::SUCCESS);
    let needed = vec![("EAONE".to_owned(), b"1".to_vec(), FILE_NEED_EA)];
    assert_eq!(set(&raw, file, &list(&needed)).await, NtStatus::SUCCESS);
    let both = vec![needed[0].clone(), two()[1].clone()];
    assert_eq!(all(&raw, file).await, (NtStatus::SUCCESS, both));
    let denied = raw.create("file", ignorant).await;
    assert_eq!(denied, Err(NtStatus::ACCESS_DENIED));
    assert!(raw.create("file", WITH_EAS).await.is_ok());
    let gone = list(&[attribute("EAONE", "")]);
    assert_eq!(set(&raw, file, &gone).await, NtStatus::SUCCESS);
    assert!(raw.create("file", ignorant).await.is_ok());
}

#[tokio::test]
async fn rights_to_them_are_their_own() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    let (file, _) = raw.create("file", WITH_EAS).await.unwrap();
    assert_eq!(set(&raw, file, &list(&two())).await, NtStatus::SUCCESS);
    for (access, reads, writes) in [
        (access_mask::FILE_READ_EA, true, false),
        (access_mask::FILE_WRITE_EA, false, true),
        (
            access_mask::FILE_READ_ATTRIBUTES | access_mask::FILE_WRITE_ATTRIBUTES,
            false,
            false,
        ),
    ] {
        let wanted = Wanted { access, ..WITH_EAS };
        let (other, _) = raw.create("file", wanted).await.unwrap();
        let status = |may| match may {
            true => NtStatus::SUCCESS,
            false => NtStatus::ACCESS_DENIED,
        };
        assert_eq!(all(&raw, other).await.0, status(reads), "{access:x}");
        let set = set(&raw, other, &list(&two())).await;
        assert_eq!(set, status(writes), "{access:x}");
        assert_eq!(raw.close(other).await, NtStatus::SUCCESS);
    }
}

#[tokio::test]
async fn a_listing_tells_their_size() {
    let scene = Scene::new(|_| {});
    let raw = Raw::connect(&scene, ALICE, "alice", "data").await;
    for (name, attributes) in [("none", vec![]), ("two", two())] {
        let (file, _) = raw.create(name, WITH_EAS).await.unwrap();
        if !attributes.is_empty() {
            assert_eq!(set(&raw, file, &list(&attributes)).await, NtStatus::SUCCESS);
        }
        assert_eq!(raw.close(file).await, NtStatus::SUCCESS);
    }
    let directory = Wanted {
        access: access_mask::FILE_LIST_DIRECTORY,
        options: 1,
        ..SHARED
    };
    let (root, _) = raw.create("", directory).await.unwrap();
    let pattern = utf16("*");
    let request = QueryDirectoryRequest {
        file_information_class: class::FILE_ID_BOTH_DIRECTORY_INFORMATION,
        file_id: root,
        output_buffer_length: 60_000,
        file_name: Utf16::new(&pattern).unwrap(),
        ..QueryDirectoryRequest::default()
    };
    let answer = raw
        .ask_patiently(Command::QUERY_DIRECTORY, |out| request.write(out))
        .await;
    let answer = QueryDirectoryResponse::read(&answer.bytes).unwrap();
    let size = |name: &str| {
        let entries = directory::read_list(directory::Form::IdBoth, answer.output_buffer);
        let found = entries
            .map(Result::unwrap)
            .find(|entry: &DirectoryEntry<'_>| entry.file_name.to_string().unwrap() == name);
        found.unwrap().ea_size
    };
    assert_eq!((size("none"), size("two")), (0, 41));
}
