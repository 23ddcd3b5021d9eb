//! Information classes of files and file systems ([MS-SMB2] 3.3.5.20, 3.3.5.21), and FSCTLs
//! on files ([MS-FSA] 2.1.5.10).

use netsession::smb_client::{Open, TreeConnect};
use smb::wire::info::{FileBasicInformation, FileFsAttributeInformation, FileStandardInformation};
use smb::wire::{
    QueryInfoRequest, QueryInfoResponse, SetInfoRequest, access_mask, file_attributes,
    file_information_class as class, file_system_attributes, fs_information_class as fs_class,
    fsctl, info_type,
};

use super::*;

const FILE: u8 = info_type::SMB2_0_INFO_FILE;
const FILE_SYSTEM: u8 = info_type::SMB2_0_INFO_FILESYSTEM;

pub(super) async fn data(scene: &Scene) -> TreeConnect {
    let connection = scene.connect(ALICE).await;
    let session = logon(&connection, "alice").await;
    session.tree_connect("test", "data").await.unwrap()
}

/// QUERY_INFO: the status and what came.
pub(super) async fn query(
    open: &Open,
    info_type: u8,
    file_info_class: u8,
    length: usize,
) -> (NtStatus, Vec<u8>) {
    let request = QueryInfoRequest {
        info_type,
        file_info_class,
        output_buffer_length: length as u32,
        file_id: open.file_id(),
        ..QueryInfoRequest::default()
    };
    let response = open
        .tree()
        .request(Command::QUERY_INFO, length, |out| request.write(out))
        .await
        .unwrap();
    let answer = QueryInfoResponse::read(response.message());
    let status = response.status();
    (
        status,
        answer.map_or_else(|_| Vec::new(), |answer| answer.output_buffer.to_vec()),
    )
}

/// SET_INFO of a file class.
pub(super) async fn set(open: &Open, file_info_class: u8, buffer: &[u8]) -> NtStatus {
    let request = SetInfoRequest {
        info_type: FILE,
        file_info_class,
        file_id: open.file_id(),
        buffer,
        ..SetInfoRequest::default()
    };
    let response = open
        .tree()
        .request(Command::SET_INFO, buffer.len(), |out| request.write(out))
        .await
        .unwrap();
    response.status()
}

pub(super) async fn basic(open: &Open) -> FileBasicInformation {
    let (status, bytes) = query(open, FILE, class::FILE_BASIC_INFORMATION, 40).await;
    assert_eq!(status, NtStatus::SUCCESS);
    FileBasicInformation::read(&bytes).unwrap()
}

pub(super) async fn set_basic(open: &Open, basic: FileBasicInformation) -> NtStatus {
    let mut buffer = Vec::new();
    basic.write(&mut buffer);
    set(open, class::FILE_BASIC_INFORMATION, &buffer).await
}

fn root() -> Create {
    Create {
        create_options: 1,
        ..Create::open()
    }
}

/// Below its fixed part a class is refused, below its end it is cut.
#[tokio::test]
async fn each_class_has_a_least_length() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let directory = tree.create("", &root()).await.unwrap();
    let file = tree
        .create("a long name.text", &Create::overwrite())
        .await
        .unwrap();
    let of_file_system = [
        (1, 24),
        (3, 24),
        (4, 8),
        (5, 16),
        (6, 48),
        (7, 32),
        (8, 64),
        (11, 28),
    ];
    let of_file = [
        (4, 40),
        (5, 24),
        (6, 8),
        (7, 4),
        (8, 4),
        (9, 8),
        (14, 8),
        (16, 4),
        (17, 4),
        (18, 104),
        (21, 8),
        (22, 32),
        (28, 16),
        (34, 56),
        (35, 8),
        (48, 8),
        (59, 24),
    ];
    let all = of_file_system
        .map(|(number, least)| (&directory, FILE_SYSTEM, number, least))
        .into_iter()
        .chain(of_file.map(|(number, least)| (&file, FILE, number, least)));
    for (open, kind, number, least) in all {
        let (status, whole) = query(open, kind, number, 1_000).await;
        assert_eq!(status, NtStatus::SUCCESS, "{kind} {number}");
        for length in 0..=whole.len().max(least) {
            let (status, part) = query(open, kind, number, length).await;
            let expected = if length < least {
                NtStatus::INFO_LENGTH_MISMATCH
            } else if length < whole.len() {
                NtStatus::BUFFER_OVERFLOW
            } else {
                NtStatus::SUCCESS
            };
            assert_eq!(status, expected, "{kind} {number}, {length} bytes");
            if status != NtStatus::INFO_LENGTH_MISMATCH {
                assert_eq!(part.len(), length.min(whole.len()), "{kind} {number}");
            }
        }
    }
}

/// Short names and the valid length of data are set by who has privileges that nobody has here
/// ([MS-FSA] 2.1.5.15.14, 2.1.5.15.15).
#[tokio::test]
async fn what_takes_a_privilege_is_refused_for_lack_of_it() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let writes = Create {
        desired_access: access_mask::FILE_ALL_ACCESS,
        ..Create::overwrite()
    };
    let open = tree.create("a", &writes).await.unwrap();
    let name = |text: &str| {
        let name = smb::wire::utf16(text);
        let mut buffer = (name.len() as u32).to_le_bytes().to_vec();
        buffer.extend(name);
        buffer
    };
    let (valid, short) = (
        class::FILE_VALID_DATA_LENGTH_INFORMATION,
        class::FILE_SHORT_NAME_INFORMATION,
    );
    for (number, buffer, expected) in [
        (valid, vec![0; 8], NtStatus::PRIVILEGE_NOT_HELD),
        (valid, vec![0; 7], NtStatus::INFO_LENGTH_MISMATCH),
        (short, name("SHORT.TXT"), NtStatus::PRIVILEGE_NOT_HELD),
        (short, name("long name.text"), NtStatus::INVALID_PARAMETER),
        (short, name("\\A"), NtStatus::INVALID_PARAMETER),
        (short, vec![0; 3], NtStatus::INFO_LENGTH_MISMATCH),
    ] {
        let status = set(&open, number, &buffer).await;
        assert_eq!(status, expected, "{number} {buffer:?}");
    }
    let reads = tree.create("a", &Create::open()).await.unwrap();
    for (number, buffer) in [(valid, vec![0; 8]), (short, name("A"))] {
        let status = set(&reads, number, &buffer).await;
        assert_eq!(status, NtStatus::ACCESS_DENIED, "{number}");
    }
}

/// [MS-SMB2] 3.3.5.20.1.
#[tokio::test]
async fn the_normalized_name_came_with_dialect_3_1_1() {
    for (dialect, expected) in [
        (0x0302, NtStatus::NOT_SUPPORTED),
        (0x0311, NtStatus::SUCCESS),
    ] {
        let scene = Scene::new(|config| config.max_dialect = dialect);
        let tree = data(&scene).await;
        tree.create("Name", &Create::overwrite()).await.unwrap();
        let open = tree.create("NAME", &Create::open()).await.unwrap();
        let number = class::FILE_NORMALIZED_NAME_INFORMATION;
        let (status, name) = query(&open, FILE, number, 100).await;
        assert_eq!(status, expected);
        if status == NtStatus::SUCCESS {
            assert_eq!(name, b"\x08\0\0\0N\0a\0m\0e\0");
        }
    }
}

/// An input or output of FSCTL_SET_ZERO_DATA and FSCTL_QUERY_ALLOCATED_RANGES.
fn numbers(first: u64, second: u64) -> Vec<u8> {
    [first.to_le_bytes(), second.to_le_bytes()].concat()
}

#[tokio::test]
async fn holes_of_a_sparse_file() {
    const KIB: u64 = 1 << 10;
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let directory = tree.create("", &root()).await.unwrap();
    let number = fs_class::FILE_FS_ATTRIBUTE_INFORMATION;
    let (_, bytes) = query(&directory, FILE_SYSTEM, number, 1_000).await;
    let flags = FileFsAttributeInformation::read(&bytes)
        .unwrap()
        .file_system_attributes;
    assert_ne!(
        flags & file_system_attributes::FILE_SUPPORTS_SPARSE_FILES,
        0
    );

    let file = tree.create("a", &Create::overwrite()).await.unwrap();
    file.write(0, &vec![7; 256 * 1024]).await.unwrap();
    let ranges = numbers(0, 1 << 40);
    let allocated = async |room| {
        file.ioctl(fsctl::FSCTL_QUERY_ALLOCATED_RANGES, &ranges, room)
            .await
    };
    let zero = async |from, to| {
        let input = numbers(from, to);
        status(file.ioctl(fsctl::FSCTL_SET_ZERO_DATA, &input, 0).await)
    };
    assert_eq!(zero(64 * KIB, 128 * KIB).await, NtStatus::SUCCESS);
    let (_, whole) = allocated(16).await.unwrap();
    assert_eq!(whole, numbers(0, 256 * KIB), "not sparse yet");

    file.ioctl(fsctl::FSCTL_SET_SPARSE, &[], 0).await.unwrap();
    let attributes = basic(&file).await.file_attributes;
    assert_ne!(attributes & file_attributes::FILE_ATTRIBUTE_SPARSE_FILE, 0);
    let (_, both) = allocated(1_000).await.unwrap();
    let parts = [numbers(0, 64 * KIB), numbers(128 * KIB, 128 * KIB)];
    assert_eq!(both, parts.concat());
    let (overflow, first) = allocated(31).await.unwrap();
    assert_eq!(
        (overflow, first),
        (NtStatus::BUFFER_OVERFLOW, parts[0].clone())
    );
    assert_eq!(status(allocated(15).await), NtStatus::BUFFER_TOO_SMALL);

    assert_eq!(zero(5, 4).await, NtStatus::INVALID_PARAMETER);
    assert_eq!(zero(u64::MAX, u64::MAX).await, NtStatus::INVALID_PARAMETER);
    assert_eq!(zero(250 * KIB, 1 << 50).await, NtStatus::SUCCESS);
    let (_, bytes) = query(&file, FILE, class::FILE_STANDARD_INFORMATION, 24).await;
    let end = FileStandardInformation::read(&bytes).unwrap().end_of_file;
    assert_eq!(end, 256 * KIB, "zeroing changes no length");
    file.ioctl(fsctl::FSCTL_SET_SPARSE, &[0], 0).await.unwrap();
    let attributes = basic(&file).await.file_attributes;
    assert_eq!(attributes & file_attributes::FILE_ATTRIBUTE_SPARSE_FILE, 0);
    let of_directory = directory.ioctl(fsctl::FSCTL_SET_SPARSE, &[], 0).await;
    assert_eq!(
        status(of_directory),
        NtStatus::ACCESS_DENIED,
        "opened to read"
    );

    let reader = tree.create("a", &Create::open()).await.unwrap();
    let input = numbers(0, 1);
    let denied = reader.ioctl(fsctl::FSCTL_SET_ZERO_DATA, &input, 0).await;
    assert_eq!(status(denied), NtStatus::ACCESS_DENIED);
}

#[tokio::test]
async fn every_file_has_an_object_id_and_none_a_reparse_point() {
    let scene = Scene::new(|_| {});
    let tree = data(&scene).await;
    let get = async |open: &Open| {
        let code = fsctl::FSCTL_CREATE_OR_GET_OBJECT_ID;
        let (_, id) = open.ioctl(code, &[], 64).await.unwrap();
        assert_eq!(id.len(), 64);
        id
    };
    let first = tree.create("a", &Create::overwrite()).await.unwrap();
    let second = tree.create("b", &Create::overwrite()).await.unwrap();
    assert_ne!(get(&first).await, get(&second).await);
    let again = tree.create("a", &Create::open()).await.unwrap();
    assert_eq!(get(&first).await, get(&again).await);
    let code = fsctl::FSCTL_CREATE_OR_GET_OBJECT_ID;
    let short = first.ioctl(code, &[], 63).await;
    assert_eq!(status(short), NtStatus::INVALID_PARAMETER);
    let reparse = first
        .ioctl(fsctl::FSCTL_GET_REPARSE_POINT, &[], 1_000)
        .await;
    assert_eq!(status(reparse), NtStatus::NOT_A_REPARSE_POINT);
    let unknown = first.ioctl(0x0009_FFFC, &[], 0).await;
    assert_eq!(status(unknown), NtStatus::INVALID_DEVICE_REQUEST);
    first.close().await.unwrap();
    let closed = first.ioctl(code, &[], 64).await;
    assert_eq!(status(closed), NtStatus::FILE_CLOSED);
}
