//! Information classes packed by smbprotocol, read and written back; then cut.

use super::*;
use crate::FileTime;
use crate::wire::info::directory::{self, Form};
use crate::wire::info::*;

const TIME: u64 = 133_500_000_000_000_000;

/// An information class against its vector; reserved bytes at the end may be missing.
macro_rules! known_info {
    ($test:ident, $type:ident, $value:expr, reserved $reserved:literal) => {
        #[test]
        fn $test() {
            let bytes = vector(stringify!($type));
            #[allow(clippy::match_single_binding)]
            match $value {
                value => {
                    let mut written = Vec::new();
                    value.write(&mut written);
                    assert_eq!(written, bytes);
                    assert_eq!($type::read(&bytes), Ok(value));
                }
            }
            let first = first_success(&bytes, |bytes| $type::read(bytes).is_ok());
            assert_eq!(first, bytes.len() - $reserved);
        }
    };
}

known_info!(file_basic_information, FileBasicInformation, FileBasicInformation {
    creation_time: FileTime(TIME),
    last_access_time: FileTime(TIME),
    last_write_time: FileTime(TIME),
    change_time: FileTime(TIME),
    file_attributes: 0x20,
}, reserved 4);
known_info!(file_standard_information, FileStandardInformation, FileStandardInformation {
    allocation_size: 4096,
    end_of_file: 5,
    number_of_links: 2,
    delete_pending: true,
    directory: false,
}, reserved 2);
known_info!(file_name_information, FileNameInformation, FileNameInformation {
    file_name: Utf16::new(&utf16(r"\a.txt")).unwrap(),
}, reserved 0);
known_info!(file_rename_information, FileRenameInformation, FileRenameInformation {
    replace_if_exists: true,
    root_directory: 0,
    file_name: Utf16::new(&utf16("b.txt")).unwrap(),
}, reserved 0);
known_info!(file_fs_full_size_information, FileFsFullSizeInformation, FileFsFullSizeInformation {
    total_allocation_units: 1000,
    caller_available_allocation_units: 400,
    actual_available_allocation_units: 500,
    sectors_per_allocation_unit: 8,
    bytes_per_sector: 512,
}, reserved 0);
known_info!(file_fs_volume_information, FileFsVolumeInformation, FileFsVolumeInformation {
    volume_creation_time: FileTime(TIME),
    volume_serial_number: 0xCAFE,
    supports_objects: false,
    volume_label: Utf16::new(&utf16("disk")).unwrap(),
}, reserved 0);

#[test]
fn directory_entries() {
    let (file_name, short_name) = (utf16("a.txt"), utf16("A~1.TXT"));
    let forms = [
        ("FileDirectoryInformation", Form::Directory),
        ("FileFullDirectoryInformation", Form::Full),
        ("FileIdFullDirectoryInformation", Form::IdFull),
        ("FileBothDirectoryInformation", Form::Both),
        ("FileIdBothDirectoryInformation", Form::IdBoth),
        ("FileNamesInformation", Form::Names),
    ];
    for (name, form) in forms {
        let mut entry = DirectoryEntry {
            file_index: 3,
            file_name: Utf16::new(&file_name).unwrap(),
            ..DirectoryEntry::default()
        };
        if form != Form::Names {
            entry.creation_time = FileTime(TIME);
            entry.last_access_time = FileTime(TIME);
            entry.last_write_time = FileTime(TIME);
            entry.change_time = FileTime(TIME);
            entry.end_of_file = 5;
            entry.allocation_size = 4096;
            entry.file_attributes = 0x20;
        }
        if !matches!(form, Form::Names | Form::Directory) {
            entry.ea_size = 6;
        }
        if matches!(form, Form::Both | Form::IdBoth) {
            entry.short_name = Utf16::new(&short_name).unwrap();
        }
        if matches!(form, Form::IdFull | Form::IdBoth) {
            entry.file_id = 77;
        }
        let bytes = vector(name);
        let read: Vec<_> = directory::read_list(form, &bytes).collect();
        assert_eq!(read, [Ok(entry)], "{name}");
        let mut written = Vec::new();
        assert!(directory::Writer::new(form, &mut written, 4096).push(&entry));
        assert_eq!(written, bytes, "{name}");
        for length in 1..bytes.len() {
            assert!(directory::read_list(form, &bytes[..length]).any(|entry| entry.is_err()));
        }
    }
}

#[test]
fn file_notify_information() {
    let name = utf16("a.txt");
    let change = FileNotifyInformation {
        action: 4,
        file_name: Utf16::new(&name).unwrap(),
    };
    let bytes = vector("FILE_NOTIFY_INFORMATION");
    assert_eq!(
        FileNotifyInformation::read_list(&bytes).collect::<Vec<_>>(),
        [Ok(change)]
    );
    let mut written = Vec::new();
    assert!(FileNotifyInformation::write_list(
        &mut written,
        22,
        &[change]
    ));
    assert_eq!(written, bytes);
    assert!(!FileNotifyInformation::write_list(
        &mut written,
        21,
        &[change]
    ));
    for length in 1..bytes.len() {
        assert!(FileNotifyInformation::read_list(&bytes[..length]).any(|entry| entry.is_err()));
    }
}

#[test]
fn file_full_ea_information() {
    let attributes = [
        FileFullEaInformation {
            flags: FILE_NEED_EA,
            name: b"EAONE",
            value: b"VALUE1",
        },
        FileFullEaInformation {
            flags: 0,
            name: b"SECONDEA",
            value: b"ValueTwo",
        },
    ];
    let bytes = vector("FILE_FULL_EA_INFORMATION");
    let read: Result<Vec<_>, _> = FileFullEaInformation::read_list(&bytes).collect();
    assert_eq!(read, Ok(attributes.to_vec()));
    let mut written = Vec::new();
    let mut writer = FullEaWriter::new(&mut written, bytes.len());
    assert!(attributes.iter().all(|attribute| writer.push(attribute)));
    assert_eq!(written, bytes);
    for limit in 0..bytes.len() {
        let mut written = Vec::new();
        let mut writer = FullEaWriter::new(&mut written, limit);
        let fits = attributes.iter().filter(|one| writer.push(one)).count();
        assert!(fits < 2 && writer.is_empty() == (fits == 0), "{limit}");
        assert!(written.len() <= limit);
    }
    for length in 1..bytes.len() {
        assert!(FileFullEaInformation::read_list(&bytes[..length]).any(|entry| entry.is_err()));
    }
}

#[test]
fn file_get_ea_information() {
    let names = [b"EAONE".as_slice(), b"SECONDEA"].map(|name| FileGetEaInformation { name });
    let bytes = vector("FILE_GET_EA_INFORMATION");
    let read: Result<Vec<_>, _> = FileGetEaInformation::read_list(&bytes).collect();
    assert_eq!(read, Ok(names.to_vec()));
    let mut written = Vec::new();
    FileGetEaInformation::write_list(&mut written, &names);
    assert_eq!(written, bytes);
    for length in 1..bytes.len() {
        assert!(FileGetEaInformation::read_list(&bytes[..length]).any(|entry| entry.is_err()));
    }
}

/// A name is told from its value by the NUL between them.
#[test]
fn names_of_extended_attributes_end_with_nul() {
    let mut bytes = vector("FILE_FULL_EA_INFORMATION");
    assert_eq!(bytes[13], 0);
    bytes[13] = b'!';
    let first = FileFullEaInformation::read_list(&bytes).next();
    assert!(first.is_some_and(|entry| entry.is_err()));
}
