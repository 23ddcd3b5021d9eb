//! OPLOCK_BREAK ([MS-SMB2] 2.2.23 to 2.2.25), for oplocks and for leases.

use zerocopy::little_endian::{U16, U32, U64};

use super::header::RawFileId;
use super::{Error, FileId, codec};
use crate::Guid;

/// The oplock form: notification, acknowledgment and response are alike
/// ([MS-SMB2] 2.2.23.1, 2.2.24.1, 2.2.25.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OplockBreak {
    /// [`oplock_level`](super::oplock_level). Open.
    pub oplock_level: u8,
    /// The open.
    pub file_id: FileId,
}

/// Lease break notification ([MS-SMB2] 2.2.23.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaseBreakNotification {
    /// The lease's new epoch; 0 for a lease of the first version.
    pub new_epoch: u16,
    /// 1 if the server waits for an acknowledgment.
    pub flags: u32,
    /// The lease.
    pub lease_key: Guid,
    /// [`lease_state`](super::lease_state) up to now.
    pub current_lease_state: u32,
    /// [`lease_state`](super::lease_state) from now on.
    pub new_lease_state: u32,
}

/// Lease break acknowledgment and response, which are alike ([MS-SMB2] 2.2.24.2,
/// 2.2.25.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaseBreakAcknowledgment {
    /// The lease.
    pub lease_key: Guid,
    /// [`lease_state`](super::lease_state) kept.
    pub lease_state: u32,
}

fixed!(Oplock, "OPLOCK_BREAK", 24 {
    oplock_level: u8,
    reserved: u8,
    reserved2: U32,
    file_id: RawFileId,
});

fixed!(Notification, "lease break notification", 44 {
    new_epoch: U16,
    flags: U32,
    lease_key: [u8; 16],
    current_lease_state: U32,
    new_lease_state: U32,
    break_reason: U32,
    access_mask_hint: U32,
    share_mask_hint: U32,
});

fixed!(Acknowledgment, "lease break acknowledgment", 36 {
    reserved: U16,
    flags: U32,
    lease_key: [u8; 16],
    lease_state: U32,
    lease_duration: U64,
});

impl OplockBreak {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error::StructureSize`] if it is a lease's.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Oplock>(message)?;
        Ok(Self {
            oplock_level: fixed.oplock_level,
            file_id: fixed.file_id.into(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Oplock {
            structure_size: U16::new(24),
            oplock_level: self.oplock_level,
            reserved: 0,
            reserved2: U32::ZERO,
            file_id: self.file_id.into(),
        };
        codec::put(out, &fixed);
    }
}

impl LeaseBreakNotification {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error::StructureSize`] if it is an oplock's.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Notification>(message)?;
        Ok(Self {
            new_epoch: fixed.new_epoch.get(),
            flags: fixed.flags.get(),
            lease_key: Guid(fixed.lease_key),
            current_lease_state: fixed.current_lease_state.get(),
            new_lease_state: fixed.new_lease_state.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Notification {
            structure_size: U16::new(44),
            new_epoch: self.new_epoch.into(),
            flags: self.flags.into(),
            lease_key: self.lease_key.0,
            current_lease_state: self.current_lease_state.into(),
            new_lease_state: self.new_lease_state.into(),
            break_reason: U32::ZERO,
            access_mask_hint: U32::ZERO,
            share_mask_hint: U32::ZERO,
        };
        codec::put(out, &fixed);
    }
}

impl LeaseBreakAcknowledgment {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error::StructureSize`] if it is an oplock's.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Acknowledgment>(message)?;
        Ok(Self {
            lease_key: Guid(fixed.lease_key),
            lease_state: fixed.lease_state.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Acknowledgment {
            structure_size: U16::new(36),
            reserved: U16::ZERO,
            flags: U32::ZERO,
            lease_key: self.lease_key.0,
            lease_state: self.lease_state.into(),
            lease_duration: U64::ZERO,
        };
        codec::put(out, &fixed);
    }
}
