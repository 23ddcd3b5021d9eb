//! What a client may cache of a file: caching states, the oplock levels as caching states,
//! and the opens that break nothing ([MS-SMB2] 2.2.13.2.8, [MS-FSA] 2.1.1.10, 2.1.4.12).

use std::time::Duration;

use smb::wire::{access_mask, lease_state, oplock_level};

/// How long a client has to acknowledge a break ([MS-SMB2] 3.3.2.1, 3.3.2.5). Windows and
/// Samba give 35 seconds: less than the 60 after which clients give up a request.
pub(crate) const BREAK_TIMEOUT: Duration = Duration::from_secs(35);

/// A combination of read, handle and write caching, with the bits of a lease state.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Caching(u8);

impl Caching {
    pub(crate) const NONE: Self = Self(lease_state::SMB2_LEASE_NONE as u8);
    pub(crate) const READ: Self = Self(lease_state::SMB2_LEASE_READ_CACHING as u8);
    pub(crate) const HANDLE: Self = Self(lease_state::SMB2_LEASE_HANDLE_CACHING as u8);
    pub(crate) const WRITE: Self = Self(lease_state::SMB2_LEASE_WRITE_CACHING as u8);

    /// Bits that are no caching are dropped: clients may send any.
    pub(crate) fn from_lease_state(state: u32) -> Self {
        Self(state as u8 & (Self::READ.0 | Self::HANDLE.0 | Self::WRITE.0))
    }

    /// As LeaseState on the wire.
    pub(crate) fn lease_state(self) -> u32 {
        self.0.into()
    }

    pub(crate) fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Nothing can be cached without read caching ([MS-SMB2] 3.3.1.4 lists the states).
    pub(crate) fn or_none(self) -> Self {
        if self.any(Self::READ) {
            self
        } else {
            Self::NONE
        }
    }
}

impl std::fmt::Debug for Caching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letter = |bit, letter| if self.any(bit) { letter } else { "" };
        f.write_str("\"")?;
        f.write_str(letter(Self::READ, "R"))?;
        f.write_str(letter(Self::WRITE, "W"))?;
        f.write_str(letter(Self::HANDLE, "H"))?;
        f.write_str("\"")
    }
}

/// Open.OplockLevel of an open without a lease ([MS-SMB2] 3.3.1.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum OplockLevel {
    #[default]
    None,
    II,
    Exclusive,
    Batch,
}

impl OplockLevel {
    /// What CREATE asks for; a number that is no level asks for none.
    pub(crate) fn from_wire(level: u8) -> Self {
        match level {
            oplock_level::SMB2_OPLOCK_LEVEL_II => Self::II,
            oplock_level::SMB2_OPLOCK_LEVEL_EXCLUSIVE => Self::Exclusive,
            oplock_level::SMB2_OPLOCK_LEVEL_BATCH => Self::Batch,
            _ => Self::None,
        }
    }

    pub(crate) fn to_wire(self) -> u8 {
        match self {
            Self::None => oplock_level::SMB2_OPLOCK_LEVEL_NONE,
            Self::II => oplock_level::SMB2_OPLOCK_LEVEL_II,
            Self::Exclusive => oplock_level::SMB2_OPLOCK_LEVEL_EXCLUSIVE,
            Self::Batch => oplock_level::SMB2_OPLOCK_LEVEL_BATCH,
        }
    }

    /// What the level lets its open cache.
    pub(crate) fn caching(self) -> Caching {
        match self {
            Self::None => Caching::NONE,
            Self::II => Caching::READ,
            Self::Exclusive => Caching::READ.with(Caching::WRITE),
            Self::Batch => Caching::READ.with(Caching::WRITE).with(Caching::HANDLE),
        }
    }

    /// The level that gives as much of `caching` as an oplock can.
    pub(crate) fn for_caching(caching: Caching) -> Self {
        if !caching.any(Caching::READ) {
            Self::None
        } else if !caching.any(Caching::WRITE) {
            Self::II
        } else if !caching.any(Caching::HANDLE) {
            Self::Exclusive
        } else {
            Self::Batch
        }
    }

    /// Exclusive or batch: only one open of a file may have it.
    pub(crate) fn is_exclusive(self) -> bool {
        matches!(self, Self::Exclusive | Self::Batch)
    }
}

/// Rights that neither meet share modes nor break an oplock ([MS-FSA] 2.1.4.12, OPEN).
const OPLOCK_ATTRIBUTES_ONLY: u32 = access_mask::SYNCHRONIZE
    | access_mask::FILE_READ_ATTRIBUTES
    | access_mask::FILE_WRITE_ATTRIBUTES;

/// Rights that break no lease: READ_CONTROL too ([MS-FSA] 2.1.4.12, OPEN).
const LEASE_ATTRIBUTES_ONLY: u32 = OPLOCK_ATTRIBUTES_ONLY | access_mask::READ_CONTROL;

/// Does an open with `access` break no oplock?
pub(super) fn breaks_no_oplock(access: u32) -> bool {
    access & !OPLOCK_ATTRIBUTES_ONLY == 0
}

/// Does an open with `access` break no lease?
pub(super) fn breaks_no_lease(access: u32) -> bool {
    access & !LEASE_ATTRIBUTES_ONLY == 0
}
