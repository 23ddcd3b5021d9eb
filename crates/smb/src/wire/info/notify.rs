//! FILE_NOTIFY_INFORMATION ([MS-FSCC] 2.7.1): what CHANGE_NOTIFY reports.

use zerocopy::little_endian::U32;

use super::chain::{self, Builder, Entries};
use crate::wire::{Error, Utf16, codec};

/// One change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileNotifyInformation<'a> {
    /// [`notify_action`](crate::wire::notify_action).
    pub action: u32,
    /// Relative to the directory watched.
    pub file_name: Utf16<'a>,
}

const WHAT: &str = "FILE_NOTIFY_INFORMATION";

/// NextEntryOffset, Action, FileNameLength.
const FIXED: usize = 12;

impl<'a> FileNotifyInformation<'a> {
    /// The entries of a list.
    pub fn read_list(bytes: &'a [u8]) -> impl Iterator<Item = Result<Self, Error>> {
        Entries::new(WHAT, FIXED, bytes).map(|entry| {
            let entry = entry?;
            let ([_, action, length], _) = codec::prefix::<[U32; 3]>(WHAT, entry)?;
            Ok(Self {
                action: action.get(),
                file_name: chain::name(WHAT, entry, FIXED, length.get())?,
            })
        })
    }

    /// Appends a list of at most `limit` bytes. False, and an unfinished list, if it
    /// does not fit: the server then answers STATUS_NOTIFY_ENUM_DIR without a list.
    pub fn write_list(out: &mut Vec<u8>, limit: usize, changes: &[Self]) -> bool {
        let mut builder = Builder::new(out, limit, 4);
        changes.iter().all(|change| {
            let (name, length) = codec::clip_long(change.file_name.as_bytes());
            builder.push(FIXED + name.len(), |out| {
                codec::put(out, &[0, change.action, length].map(U32::new));
                out.extend_from_slice(name);
            })
        })
    }
}
