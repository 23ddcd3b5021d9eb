//! What a file system keeps its files on, and so what may be done without waiting.

use rustix::fs::FsWord;

use super::super::{StoreError, StoreResult, Waiting};

/// Where the files of a file system are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// In memory alone (tmpfs): nothing waits.
    Memory,
    /// On a device of this machine: what the kernel has cached does not wait, and every
    /// change of a directory goes through this kernel, which can tell of it.
    Disk,
    /// On another machine, or on what is not known: everything may wait, and anybody may
    /// change it unseen.
    Remote,
}

/// f_type of statfs(2), as linux/magic.h and the file systems' own headers have it.
const MEMORY: &[u32] = &[
    0x0102_1994, // tmpfs
    0x8584_58F6, // ramfs
];
const DISK: &[u32] = &[
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // btrfs
    0xF2F5_2010, // F2FS
    0x2FC1_2FC1, // ZFS
    0xCA45_1A4E, // bcachefs
    0x794C_7630, // overlayfs
    0x3153_464A, // JFS
    0x5265_4973, // ReiserFS
    0x2011_BAB0, // exFAT
    0x4D44,      // FAT
    0x7366_746E, // ntfs3
];

impl Medium {
    pub(super) fn of_type(file_system: FsWord) -> Self {
        // Numbers of 32 bits, whatever the width and sign of the field.
        let file_system = file_system as u32;
        if MEMORY.contains(&file_system) {
            Self::Memory
        } else if DISK.contains(&file_system) {
            Self::Disk
        } else {
            Self::Remote
        }
    }

    /// For what reads or writes the device: WouldWait unless there is none, or it may.
    pub(super) fn check_device(self, waiting: Waiting) -> StoreResult<()> {
        match (self, waiting) {
            (_, Waiting::Allowed) | (Self::Memory, Waiting::Refused) => Ok(()),
            (Self::Disk | Self::Remote, Waiting::Refused) => Err(StoreError::WouldWait),
        }
    }

    /// For what the kernel holds in memory while a file is open: WouldWait if a server would
    /// be asked, unless it may.
    pub(super) fn check_server(self, waiting: Waiting) -> StoreResult<()> {
        match (self, waiting) {
            (_, Waiting::Allowed) | (Self::Memory | Self::Disk, Waiting::Refused) => Ok(()),
            (Self::Remote, Waiting::Refused) => Err(StoreError::WouldWait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_done_in_place() {
        let refused = |medium: Medium| {
            let device = medium.check_device(Waiting::Refused).is_ok();
            (device, medium.check_server(Waiting::Refused).is_ok())
        };
        assert_eq!(refused(Medium::of_type(0x0102_1994)), (true, true));
        assert_eq!(refused(Medium::of_type(0xEF53)), (false, true));
        // NFS, and a number that nobody knows.
        for other in [0x6969, 7] {
            assert_eq!(refused(Medium::of_type(other)), (false, false));
        }
        for medium in [Medium::Memory, Medium::Disk, Medium::Remote] {
            assert_eq!(medium.check_device(Waiting::Allowed), Ok(()));
            assert_eq!(medium.check_server(Waiting::Allowed), Ok(()));
        }
    }
}
