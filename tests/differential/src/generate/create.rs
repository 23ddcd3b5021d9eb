//! CREATE, alone and at the head of a compound.

use smb::wire::{
    access_mask, create_disposition as disposition, create_options as options, file_attributes,
    lease_state, oplock_level,
};

use super::{DIRECTORIES, FILES, Generator};
use crate::player::Player;
use crate::step::{Action, Caching, Create, Operation, PREVIOUS};

/// Access that neither reads nor writes the file: FILE_READ_ATTRIBUTES,
/// FILE_WRITE_ATTRIBUTES, SYNCHRONIZE.
const STAT: u32 = 0x0010_0180;

/// What schedules may contain.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// Oplocks and leases.
    pub caching: bool,
    /// Byte-range locks.
    pub locks: bool,
    /// Share access other than everything.
    pub sharing: bool,
    /// Compounds.
    pub compounds: bool,
    /// Change notification.
    pub notify: bool,
}

impl Generator {
    /// What begins every schedule: a directory, or a file.
    pub(super) fn first_names(&mut self) -> Action {
        let is_directory = self.next < 3;
        Action::Create(Create {
            path: match self.next {
                1 => "d",
                2 => self.random.pick(&["e", "d\\sub"]),
                _ => self.random.pick(&["a", "d\\a"]),
            }
            .to_owned(),
            access: access_mask::FILE_ALL_ACCESS,
            share: 7,
            disposition: disposition::FILE_OPEN_IF,
            options: match is_directory {
                true => options::FILE_DIRECTORY_FILE,
                false => options::FILE_NON_DIRECTORY_FILE,
            },
            attributes: 0,
            caching: Caching::Oplock(0),
            maximal_access: false,
        })
    }

    pub(super) fn create_or_compound(&mut self, player: &Player) -> Action {
        let create = self.create(player);
        if !self.wishes.compounds || !self.random.chance(12) {
            return Action::Create(create);
        }
        let is_directory = create.options & options::FILE_DIRECTORY_FILE != 0;
        let access = create.access;
        let mut parts = vec![Action::Create(create)];
        let middle = match is_directory {
            true => self.directory_operation(access),
            false => match self.random.below(4) {
                0 => self.query(),
                1 => Operation::Read {
                    offset: 0,
                    length: 10,
                },
                2 => Operation::Write {
                    offset: 0,
                    length: 5,
                },
                _ => Operation::Set(self.set(false, access)),
            },
        };
        // What may wait must not stand in the middle of a compound.
        if !matches!(
            middle,
            Operation::Lock { .. } | Operation::Notify { .. } | Operation::Close { .. }
        ) {
            parts.push(Action::On {
                open: PREVIOUS,
                operation: middle,
            });
        }
        if self.random.chance(60) {
            let operation = self.close();
            parts.push(Action::On {
                open: PREVIOUS,
                operation,
            });
        }
        match parts.len() {
            1 => parts.remove(0),
            _ => Action::Compound {
                related: true,
                parts,
            },
        }
    }

    fn create(&mut self, player: &Player) -> Create {
        let is_directory = self.random.chance(25);
        let path = match is_directory {
            true if self.random.chance(10) => "",
            true => self.random.pick(DIRECTORIES),
            // A name that is in use meets somebody.
            false => self.random.pick(FILES),
        };
        let mut path = path.to_owned();
        if !is_directory && self.random.chance(40) {
            let used: Vec<_> = super::live(player)
                .filter(|(_, open)| !open.is_directory)
                .collect();
            if !used.is_empty() {
                path = self.random.pick(&used).1.create.path.clone();
            }
        }
        let root = path.is_empty();
        let access = match root {
            true => access_mask::FILE_GENERIC_READ,
            false => self.access(),
        };
        // smbd takes who makes a file for one who reads or writes it, whatever it asked for.
        let only_opens = access & !STAT == 0;
        let mut options = self.options(is_directory, root);
        if player.is_linked(&path) {
            // Our server deletes files, not names.
            options &= !options::FILE_DELETE_ON_CLOSE;
        }
        // smbd 4.17 has no directory leases.
        let no_caching = options & options::FILE_DIRECTORY_FILE != 0;
        Create {
            access,
            share: match self.wishes.sharing && self.random.chance(30) {
                true => self.random.below(8) as u32,
                false => 7,
            },
            disposition: match root {
                true => disposition::FILE_OPEN,
                false if only_opens => disposition::FILE_OPEN,
                false => self.disposition(is_directory),
            },
            options,
            attributes: self.random.weighted(&[
                (8, 0),
                (4, file_attributes::FILE_ATTRIBUTE_NORMAL),
                (2, file_attributes::FILE_ATTRIBUTE_HIDDEN),
                (1, file_attributes::FILE_ATTRIBUTE_ARCHIVE),
                (1, file_attributes::FILE_ATTRIBUTE_SYSTEM),
            ]),
            caching: match no_caching || only_opens && self.random.chance(85) {
                // smbd grants who only looks a lease whatever else is open.
                true => Caching::Oplock(oplock_level::SMB2_OPLOCK_LEVEL_NONE),
                false => self.caching(&path, is_directory, player),
            },
            maximal_access: self.random.chance(5),
            path,
        }
    }

    fn access(&mut self) -> u32 {
        use access_mask::*;
        self.random.weighted(&[
            (14, FILE_ALL_ACCESS),
            (8, FILE_GENERIC_READ),
            (8, FILE_GENERIC_READ | FILE_GENERIC_WRITE),
            (6, FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE),
            (3, FILE_GENERIC_WRITE),
            (3, FILE_READ_DATA),
            (3, FILE_WRITE_DATA),
            (2, FILE_APPEND_DATA),
            (3, FILE_READ_ATTRIBUTES),
            (2, FILE_WRITE_ATTRIBUTES | FILE_READ_ATTRIBUTES),
            (1, FILE_READ_ATTRIBUTES | SYNCHRONIZE),
            (1, SYNCHRONIZE),
            (1, READ_CONTROL),
            (3, DELETE),
            (1, DELETE | FILE_READ_ATTRIBUTES),
            (1, FILE_EXECUTE),
            (2, MAXIMUM_ALLOWED),
            (1, GENERIC_READ),
            (1, GENERIC_WRITE),
            (1, GENERIC_ALL),
            (1, GENERIC_EXECUTE),
        ])
    }

    fn disposition(&mut self, is_directory: bool) -> u32 {
        let rare = if is_directory { 1 } else { 6 };
        self.random.weighted(&[
            (rare, disposition::FILE_SUPERSEDE),
            (25, disposition::FILE_OPEN),
            (8, disposition::FILE_CREATE),
            (25, disposition::FILE_OPEN_IF),
            (rare, disposition::FILE_OVERWRITE),
            (rare, disposition::FILE_OVERWRITE_IF),
        ])
    }

    fn options(&mut self, is_directory: bool, root: bool) -> u32 {
        let mut chosen = match is_directory {
            true => self
                .random
                .weighted(&[(9, options::FILE_DIRECTORY_FILE), (2, 0)]),
            false => self.random.weighted(&[
                (7, options::FILE_NON_DIRECTORY_FILE),
                (5, 0),
                (1, options::FILE_WRITE_THROUGH),
            ]),
        };
        if !root && self.random.chance(7) {
            chosen |= options::FILE_DELETE_ON_CLOSE;
        }
        if self.wishes.caching && self.random.chance(5) {
            chosen |= options::FILE_COMPLETE_IF_OPLOCKED;
        }
        if self.random.chance(2) {
            chosen ^= options::FILE_DIRECTORY_FILE;
        }
        chosen
    }

    fn caching(&mut self, path: &str, is_directory: bool, player: &Player) -> Caching {
        use oplock_level::*;
        if !self.wishes.caching || is_directory {
            return Caching::Oplock(SMB2_OPLOCK_LEVEL_NONE);
        }
        match self
            .random
            .weighted(&[(5, 0), (2, 1), (2, 2), (4, 3), (7, 4)])
        {
            0 => Caching::Oplock(SMB2_OPLOCK_LEVEL_NONE),
            1 => Caching::Oplock(SMB2_OPLOCK_LEVEL_II),
            2 => Caching::Oplock(SMB2_OPLOCK_LEVEL_EXCLUSIVE),
            3 => Caching::Oplock(SMB2_OPLOCK_LEVEL_BATCH),
            _ => self.lease(path, player),
        }
    }

    fn lease(&mut self, path: &str, player: &Player) -> Caching {
        // smbd grants no handle caching beside an open without oplock.
        let plain = super::live(player).any(|(_, open)| {
            open.create.path == path && open.level == oplock_level::SMB2_OPLOCK_LEVEL_NONE
        });
        let kept = match plain && self.random.chance(90) {
            true => !lease_state::SMB2_LEASE_HANDLE_CACHING,
            false => u32::MAX,
        };
        // Mostly the file's own key, so that opens of one client share a lease.
        let own = FILES.iter().position(|file| *file == path).unwrap_or(7) as u8;
        Caching::Lease {
            key: match self.random.below(12) {
                0 => 8,
                1 => 9,
                2 => self.random.below(FILES.len() as u64) as u8,
                _ => own,
            },
            state: self.random.weighted(&[
                (1, 0),
                (4, 1),
                (4, 3),
                (3, 5),
                (9, 7),
                (1, 2),
                (1, 4),
                (1, 6),
            ]) & kept,
            version_2: match self.random.below(5) {
                0 => None,
                1 => Some((self.random.pick(&[1, 100, 65534]), Some(20))),
                2 => Some((self.random.pick(&[1, 100]), None)),
                _ => Some((0, None)),
            },
        }
    }
}
