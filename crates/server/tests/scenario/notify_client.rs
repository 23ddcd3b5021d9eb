//! A client that watches directories.

use smb::wire::info::FileNotifyInformation;
use smb::wire::{ChangeNotifyRequest, ChangeNotifyResponse, FileId};

use super::raw::{Message, Raw, SHARED, Wanted};
use super::*;

/// FILE_NOTIFY_CHANGE_FILE_NAME and FILE_NOTIFY_CHANGE_DIR_NAME.
pub const NAMES: u32 = 3;
/// Every FILE_NOTIFY_CHANGE_* bit.
pub const EVERYTHING: u32 = 0xFFF;

/// A directory that is to be watched.
pub const DIRECTORY: Wanted = Wanted {
    // FILE_LIST_DIRECTORY.
    access: 1,
    // FILE_DIRECTORY_FILE.
    options: 1,
    ..SHARED
};

/// FILE_ACTION_* and a name.
pub type Change = (u32, String);

pub fn change(action: u32, name: &str) -> Change {
    (action, name.to_owned())
}

/// What a CHANGE_NOTIFY response tells.
pub fn changes(answer: &Message) -> Vec<Change> {
    assert_eq!(answer.status(), NtStatus::SUCCESS);
    let response = ChangeNotifyResponse::read(&answer.bytes).unwrap();
    FileNotifyInformation::read_list(response.output_buffer)
        .map(|change| {
            let change = change.unwrap();
            (change.action, change.file_name.to_string().unwrap())
        })
        .collect()
}

/// How a directory is watched.
#[derive(Clone, Copy)]
pub struct Watch {
    pub filter: u32,
    pub tree: bool,
    pub length: u32,
}

impl Watch {
    pub fn of(filter: u32) -> Self {
        Self {
            filter,
            tree: false,
            length: 4_096,
        }
    }

    pub fn tree(filter: u32) -> Self {
        Self {
            tree: true,
            ..Self::of(filter)
        }
    }
}

impl Raw {
    pub async fn send_watch(&self, directory: FileId, watch: Watch) -> u64 {
        let request = ChangeNotifyRequest {
            flags: watch.tree.into(),
            output_buffer_length: watch.length,
            file_id: directory,
            completion_filter: watch.filter,
        };
        self.send(Command::CHANGE_NOTIFY, |out| request.write(out))
            .await
    }

    /// A watch that waits: its MessageId and AsyncId.
    pub async fn watch(&self, directory: FileId, watch: Watch) -> (u64, u64) {
        let id = self.send_watch(directory, watch).await;
        (id, self.interim(id).await)
    }

    /// What a watch that was answered at once tells.
    pub async fn kept(&self, directory: FileId, watch: Watch) -> Vec<Change> {
        let id = self.send_watch(directory, watch).await;
        changes(&self.end(id).await)
    }

    /// The changes of which this directory's open is told until one of `last`, which comes by
    /// itself. None may be told of twice.
    pub async fn watch_until(&self, directory: FileId, watch: Watch, last: &str) -> Vec<Change> {
        let mut told = Vec::new();
        while told.last().is_none_or(|(_, name)| name != last) {
            let id = self.send_watch(directory, watch).await;
            let mut answer = self.receive().await;
            if answer.is_interim() {
                answer = self.receive().await;
            }
            assert_eq!(answer.header.message_id, id);
            told.extend(changes(&answer));
        }
        told
    }
}
