//! Draws the next step of a schedule. What it draws depends on the seed and on what the first
//! server has granted, so that most requests meet an open that lives and most breaks are
//! acknowledged at some time.

use smb::wire::{create_options, file_information_class as class, lock_flags};

use crate::player::{Break, Broken, Opened, Outstanding, Player};
use crate::random::Random;
use crate::step::{Action, Operation, Range, Set, Step};

mod create;

pub use create::Wishes;

/// Directories, relative to the schedule's own.
const DIRECTORIES: &[&str] = &["d", "e", "d\\sub"];

/// Files, relative to the schedule's own directory.
const FILES: &[&str] = &["a", "b", "d\\a", "d\\b", "e\\a", "d\\sub\\c"];

/// Access that holds FILE_WRITE_DATA, and access that holds DELETE.
const WRITES: u32 = 0x5200_0002;
const DELETES: u32 = 0x1201_0000;

/// A source of steps.
pub struct Generator {
    random: Random,
    wishes: Wishes,
    clients: Vec<usize>,
    next: u32,
    last: u32,
}

impl Generator {
    /// `steps` steps from `seed`, then as many as it takes to end what is open.
    pub fn new(seed: u64, steps: u32, wishes: Wishes) -> Self {
        let mut random = Random::new(seed);
        let clients = random.weighted(&[
            (4, vec![0, 1]),
            (2, vec![0, 0]),
            (3, vec![0, 0, 1]),
            (2, vec![0, 1, 2]),
            (2, vec![0, 0, 1, 1]),
            (1, vec![0, 1, 2, 2]),
        ]);
        Generator {
            random,
            wishes,
            clients,
            next: 1,
            last: steps,
        }
    }

    /// The connection of each client.
    pub fn clients(&self) -> &[usize] {
        &self.clients
    }

    /// The next step, or none at the end.
    pub fn next(&mut self, player: &Player) -> Option<Step> {
        let id = self.next;
        let (client, action) = if id <= self.last {
            self.draw(player)
        } else if id <= self.last + 64 {
            ending(player)?
        } else {
            return None;
        };
        self.next += 1;
        Some(Step { id, client, action })
    }

    fn draw(&mut self, player: &Player) -> (usize, Action) {
        let live: Vec<(u32, &Opened)> = live(player).collect();
        // The names must be there before anything can meet.
        if self.next <= 3 {
            let client = self.client();
            return (client, self.first_names());
        }
        if !player.breaks().is_empty() && self.random.chance(30) {
            let told = self.random.pick(player.breaks());
            if let Some(step) = self.acknowledge(player, &told) {
                return step;
            }
        }
        if self.random.chance(6)
            && let Some(waiting) = waiting(player.outstanding(), &mut self.random)
        {
            let cancel = Action::Cancel { step: waiting.step };
            return (waiting.client, cancel);
        }
        let wanted = 3 + self.clients.len();
        let create = if live.len() < wanted { 45 } else { 18 };
        if live.is_empty() || self.random.chance(create) {
            let client = self.client();
            return (client, self.create_or_compound(player));
        }
        let (open, opened) = self.random.pick(&live);
        let operation = self.operation(opened, player);
        let on = Action::On { open, operation };
        // Two requests in one frame, on opens of one session.
        if self.wishes.compounds && self.random.chance(4) {
            let operation = self.operation(opened, player);
            let parts = vec![on, Action::On { open, operation }];
            let related = false;
            return (opened.client, Action::Compound { related, parts });
        }
        (opened.client, on)
    }

    fn client(&mut self) -> usize {
        self.random.below(self.clients.len() as u64) as usize
    }

    /// The acknowledgment of `told`: right, or with a level that nobody offered.
    fn acknowledge(&mut self, player: &Player, told: &Break) -> Option<(usize, Action)> {
        let wrong = self.random.chance(12);
        let (client, mut action) = acknowledgment(player, told)?;
        if wrong {
            match &mut action {
                Action::AcknowledgeOplock { level, .. } => {
                    *level = self.random.pick(&[0, 1, 8, 9, 0xFF]);
                }
                Action::AcknowledgeLease { state, .. } => *state = self.random.below(8) as u32,
                _ => {}
            }
        }
        Some((client, action))
    }

    fn operation(&mut self, opened: &Opened, player: &Player) -> Operation {
        let operation = self.any_operation(opened);
        match &operation {
            // smbd renames to the name that the file has whatever the access, and lists a
            // directory that was renamed by its old name.
            Operation::Set(Set::Rename { to, .. })
                if *to == opened.path && self.random.chance(95) =>
            {
                self.query()
            }
            Operation::List { .. } if opened.is_renamed => self.query(),
            // Our server deletes files, not names.
            Operation::Set(Set::Disposition(_)) if player.is_linked(&opened.path) => self.query(),
            Operation::Set(Set::Link { .. })
                if opened.create.options & create_options::FILE_DELETE_ON_CLOSE != 0 =>
            {
                self.query()
            }
            _ => operation,
        }
    }

    fn any_operation(&mut self, opened: &Opened) -> Operation {
        if opened.is_directory {
            return self.directory_operation(opened.create.access);
        }
        let locks = if self.wishes.locks { 14 } else { 0 };
        match self.random.weighted(&[
            (12, 0),
            (14, 1),
            (locks, 2),
            (16, 3),
            (10, 4),
            (2, 5),
            (18, 6),
        ]) {
            0 => Operation::Read {
                offset: self.offset(),
                length: self.random.pick(&[0, 1, 5, 10, 64]),
            },
            1 => Operation::Write {
                offset: self.offset(),
                // None of 0 bytes: smbd sets FILE_ATTRIBUTE_ARCHIVE for it.
                length: self.random.pick(&[1, 5, 10]),
            },
            2 => Operation::Lock {
                ranges: self.ranges(),
            },
            3 => Operation::Set(self.set(false, opened.create.access)),
            4 => self.query(),
            5 => Operation::Flush,
            _ => self.close(),
        }
    }

    fn directory_operation(&mut self, access: u32) -> Operation {
        match self
            .random
            .weighted(&[(20, 0), (12, 1), (12, 2), (1, 3), (20, 4), (3, 5)])
        {
            0 => Operation::List {
                pattern: self
                    .random
                    .pick(&["*", "*", "a", "?", "s*", "nothing"])
                    .to_owned(),
                restart: self.random.chance(60),
            },
            1 => Operation::Set(self.set(true, access)),
            2 => self.query(),
            3 => Operation::Flush,
            4 => self.close(),
            _ if self.wishes.notify => Operation::Notify {
                filter: self.random.pick(&[0x1, 0x2, 0x3, 0xFFF, 0x17]),
                tree: self.random.chance(40),
            },
            _ => Operation::Read {
                offset: 0,
                length: 4,
            },
        }
    }

    fn offset(&mut self) -> u64 {
        self.random
            .weighted(&[(8, 0), (4, 3), (4, 7), (2, 10), (2, 30), (1, 5000)])
    }

    fn close(&mut self) -> Operation {
        Operation::Close {
            post_query: self.random.chance(50),
        }
    }

    fn query(&mut self) -> Operation {
        Operation::Query {
            class: self.random.weighted(&[
                (4, class::FILE_BASIC_INFORMATION),
                (5, class::FILE_STANDARD_INFORMATION),
                (1, class::FILE_EA_INFORMATION),
                (1, class::FILE_ACCESS_INFORMATION),
                (1, class::FILE_POSITION_INFORMATION),
                (1, class::FILE_MODE_INFORMATION),
                (4, class::FILE_ALL_INFORMATION),
                (2, class::FILE_STREAM_INFORMATION),
                (2, class::FILE_NETWORK_OPEN_INFORMATION),
                (1, class::FILE_ATTRIBUTE_TAG_INFORMATION),
                (1, class::FILE_NORMALIZED_NAME_INFORMATION),
            ]),
        }
    }

    fn ranges(&mut self) -> Vec<Range> {
        const SHARED: u32 = lock_flags::SMB2_LOCKFLAG_SHARED_LOCK;
        const EXCLUSIVE: u32 = lock_flags::SMB2_LOCKFLAG_EXCLUSIVE_LOCK;
        const UNLOCK: u32 = lock_flags::SMB2_LOCKFLAG_UNLOCK;
        const NOW: u32 = lock_flags::SMB2_LOCKFLAG_FAIL_IMMEDIATELY;
        let count = self.random.weighted(&[(12, 1), (2, 2), (1, 3)]);
        let unlock = self.random.chance(40);
        (0..count)
            .map(|_| {
                let flags = match unlock {
                    true => UNLOCK,
                    false => self.random.weighted(&[
                        (4, SHARED | NOW),
                        (5, EXCLUSIVE | NOW),
                        (2, SHARED),
                        (3, EXCLUSIVE),
                    ]),
                };
                let odd = self.random.weighted(&[
                    (60, flags),
                    (1, 0),
                    (1, SHARED | EXCLUSIVE),
                    (1, UNLOCK | NOW),
                    (1, UNLOCK | SHARED),
                    (1, 0x20),
                ]);
                let (offset, length) = self.random.weighted(&[
                    (8, (0, 10)),
                    (6, (0, 5)),
                    (6, (5, 5)),
                    (4, (3, 4)),
                    (2, (5, 0)),
                    (1, (0, 0)),
                    (1, (10, 0)),
                    (1, (0, u64::MAX)),
                    (1, (u64::MAX, 1)),
                    (1, (u64::MAX, 2)),
                    (1, (1 << 63, 1 << 62)),
                ]);
                Range {
                    offset,
                    length,
                    flags: odd,
                }
            })
            .collect()
    }

    fn set(&mut self, is_directory: bool, access: u32) -> Set {
        // smbd 4.17 spoils the open where the size is set without the access.
        let may_write = access & WRITES != 0;
        let size = if is_directory || !may_write { 0 } else { 8 };
        let may_delete = access & DELETES != 0;
        match self.random.weighted(&[
            (10, 0),
            (size, 1),
            (size / 4, 2),
            (6, 3),
            (12, 4),
            (if is_directory { 0 } else { 2 }, 5),
            (1, 6),
            (1, 7),
        ]) {
            // smbd takes a deletion back for who has no right to delete.
            0 => Set::Disposition(self.random.chance(if may_delete { 75 } else { 97 })),
            1 => Set::EndOfFile(self.random.pick(&[0, 1, 4, 9, 20, 6000])),
            2 => Set::Allocation(self.random.pick(&[0, 4, 4096, 8192])),
            3 => Set::Basic {
                attributes: self.random.weighted(&[
                    (4, 0),
                    (3, 0x20),
                    (2, 0x02),
                    (2, 0x80),
                    (1, 0x01),
                    (1, 0x26),
                    (1, 0x10),
                ]),
                times: self.random.chance(30),
            },
            4 => Set::Rename {
                to: self.target(is_directory),
                replace: self.random.chance(50),
            },
            5 => Set::Link {
                to: self.target(false),
                replace: self.random.chance(40),
            },
            6 => Set::Position(self.random.pick(&[0, 5, 1 << 40])),
            _ => Set::Mode(self.random.pick(&[0, 2, 4, 0x10])),
        }
    }

    fn target(&mut self, is_directory: bool) -> String {
        let own = if is_directory { DIRECTORIES } else { FILES };
        match self.random.below(12) {
            0 => self.random.pick(DIRECTORIES),
            1 => self.random.pick(FILES),
            2 => "nowhere\\a",
            3 => "new",
            _ => self.random.pick(own),
        }
        .to_owned()
    }
}

fn live(player: &Player) -> impl Iterator<Item = (u32, &Opened)> {
    let opens = player.opens().iter().filter(|(_, open)| !open.is_closed);
    opens.map(|(step, open)| (*step, open))
}

fn waiting<'a>(requests: &'a [Outstanding], random: &mut Random) -> Option<&'a Outstanding> {
    match requests.len() {
        0 => None,
        count => requests.get(random.below(count as u64) as usize),
    }
}

/// The acknowledgment that `told` asks for, and a client to send it.
fn acknowledgment(player: &Player, told: &Break) -> Option<(usize, Action)> {
    match &told.of {
        Broken::Oplock { open, level } => {
            let client = player.opens().get(open)?.client;
            let (open, level) = (*open, *level);
            Some((client, Action::AcknowledgeOplock { open, level }))
        }
        Broken::Lease { key, state } => {
            let key = key.parse().ok()?;
            let (client, _) = (0..player.clients())
                .map(|client| (client, player.connection_of(client)))
                .find(|(_, connection)| *connection == told.connection)?;
            let state = *state;
            Some((client, Action::AcknowledgeLease { key, state }))
        }
    }
}

/// What ends a schedule: acknowledgments while somebody waits for them, then closes.
fn ending(player: &Player) -> Option<(usize, Action)> {
    let told = player.breaks().iter();
    if let Some(step) = told.filter_map(|told| acknowledgment(player, told)).next() {
        return Some(step);
    }
    let (open, opened) = live(player).next()?;
    let operation = Operation::Close { post_query: true };
    Some((opened.client, Action::On { open, operation }))
}
