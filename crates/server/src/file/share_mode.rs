//! Share modes of one stream ([MS-FSA] 2.1.5.1.2.2), as counts: whether one more open fits
//! does not depend on how many there are.

use smb::wire::{access_mask, share_access};

/// Rights and refusals of all opens that have a right which share modes speak of; the others
/// neither ask nor give leave.
#[derive(Default)]
pub(super) struct ShareModes {
    reading: u32,
    writing: u32,
    deleting: u32,
    denying_read: u32,
    denying_write: u32,
    denying_delete: u32,
}

const READING: u32 = access_mask::FILE_READ_DATA | access_mask::FILE_EXECUTE;
const WRITING: u32 = access_mask::FILE_WRITE_DATA | access_mask::FILE_APPEND_DATA;
const DELETING: u32 = access_mask::DELETE;

impl ShareModes {
    /// May an open with `access` that shares `shared` not come beside the present ones?
    pub(super) fn conflicts(&self, access: u32, shared: u32) -> bool {
        if access & (READING | WRITING | DELETING) == 0 {
            return false;
        }
        let refused = |right, bit, having, denying| {
            access & right != 0 && denying > 0 || shared & bit == 0 && having > 0
        };
        refused(
            READING,
            share_access::FILE_SHARE_READ,
            self.reading,
            self.denying_read,
        ) || refused(
            WRITING,
            share_access::FILE_SHARE_WRITE,
            self.writing,
            self.denying_write,
        ) || refused(
            DELETING,
            share_access::FILE_SHARE_DELETE,
            self.deleting,
            self.denying_delete,
        )
    }

    pub(super) fn add(&mut self, access: u32, shared: u32) {
        self.each(access, shared, |count| *count += 1);
    }

    /// Takes back an [`ShareModes::add`] with the same arguments.
    pub(super) fn remove(&mut self, access: u32, shared: u32) {
        self.each(access, shared, |count| *count -= 1);
    }

    /// Opens that do not share deletion.
    pub(super) fn denying_delete(&self) -> u32 {
        self.denying_delete
    }

    fn each(&mut self, access: u32, shared: u32, change: impl Fn(&mut u32)) {
        if access & (READING | WRITING | DELETING) == 0 {
            return;
        }
        for (applies, count) in [
            (access & READING != 0, &mut self.reading),
            (access & WRITING != 0, &mut self.writing),
            (access & DELETING != 0, &mut self.deleting),
            (
                shared & share_access::FILE_SHARE_READ == 0,
                &mut self.denying_read,
            ),
            (
                shared & share_access::FILE_SHARE_WRITE == 0,
                &mut self.denying_write,
            ),
            (
                shared & share_access::FILE_SHARE_DELETE == 0,
                &mut self.denying_delete,
            ),
        ] {
            if applies {
                change(count);
            }
        }
    }
}

/// Does an open with these rights and share modes deny deletion to others?
pub(super) fn denies_delete(access: u32, shared: u32) -> bool {
    access & (READING | WRITING | DELETING) != 0 && shared & share_access::FILE_SHARE_DELETE == 0
}
