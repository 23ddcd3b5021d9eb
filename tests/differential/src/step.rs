//! A schedule: who sends which request, in which order.
//!
//! A step names an open by the number of the step that made it, so that a schedule stays
//! valid when steps are taken out: what refers to a step that is gone is skipped.

use std::fmt;

use serde::{Deserialize, Serialize};
use smb::wire::{create_disposition, oplock_level};

/// Names an open in a related compound: that of the request before.
pub const PREVIOUS: u32 = 0;

/// Clients and what they do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Where it comes from.
    pub seed: u64,
    /// For each client the number of its connection. Two clients on one connection are two
    /// sessions of one ClientGuid.
    pub clients: Vec<usize>,
    /// In order.
    pub steps: Vec<Step>,
}

/// One request (or one compound).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its number, from 1; it stays the same when other steps are taken out.
    pub id: u32,
    /// Who sends it.
    pub client: usize,
    /// What is sent.
    pub action: Action,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// CREATE.
    Create(Create),
    /// A request on an open.
    On {
        /// The step that made it, or [`PREVIOUS`].
        open: u32,
        /// The request.
        operation: Operation,
    },
    /// CANCEL of a step that waits.
    Cancel {
        /// The step.
        step: u32,
    },
    /// OPLOCK_BREAK acknowledgment.
    AcknowledgeOplock {
        /// The open.
        open: u32,
        /// The level kept.
        level: u8,
    },
    /// Lease break acknowledgment.
    AcknowledgeLease {
        /// The number of the lease key.
        key: u8,
        /// The state kept.
        state: u32,
    },
    /// Several requests in one frame.
    Compound {
        /// Each on the open of the one before.
        related: bool,
        /// The requests: CREATE and those on opens.
        parts: Vec<Action>,
    },
}

/// CREATE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Create {
    /// Relative to the schedule's own directory.
    pub path: String,
    /// DesiredAccess.
    pub access: u32,
    /// ShareAccess.
    pub share: u32,
    /// CreateDisposition.
    pub disposition: u32,
    /// CreateOptions.
    pub options: u32,
    /// FileAttributes.
    pub attributes: u32,
    /// What may be cached.
    pub caching: Caching,
    /// With a create context MxAc.
    pub maximal_access: bool,
}

/// What a CREATE asks to cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Caching {
    /// RequestedOplockLevel.
    Oplock(u8),
    /// A lease.
    Lease {
        /// The number of the lease key: clients with the same number have different leases,
        /// because their ClientGuids differ.
        key: u8,
        /// LeaseState.
        state: u32,
        /// The second version: the epoch, and the number of the ParentLeaseKey.
        version_2: Option<(u16, Option<u8>)>,
    },
}

/// A request on an open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// READ.
    Read {
        /// Offset in bytes.
        offset: u64,
        /// Length in bytes.
        length: u32,
    },
    /// WRITE: the bytes are a letter that the step's number gives.
    Write {
        /// Offset in bytes.
        offset: u64,
        /// Length in bytes.
        length: u32,
    },
    /// LOCK.
    Lock {
        /// The ranges.
        ranges: Vec<Range>,
    },
    /// SET_INFO.
    Set(Set),
    /// QUERY_INFO of a file information class.
    Query {
        /// The class.
        class: u8,
    },
    /// QUERY_DIRECTORY.
    List {
        /// The pattern.
        pattern: String,
        /// From the beginning.
        restart: bool,
    },
    /// CHANGE_NOTIFY.
    Notify {
        /// CompletionFilter.
        filter: u32,
        /// SMB2_WATCH_TREE.
        tree: bool,
    },
    /// FLUSH.
    Flush,
    /// CLOSE.
    Close {
        /// SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB.
        post_query: bool,
    },
}

/// An element of LOCK.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Offset in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    /// Flags.
    pub flags: u32,
}

/// SET_INFO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Set {
    /// FileDispositionInformation.
    Disposition(bool),
    /// FileEndOfFileInformation.
    EndOfFile(u64),
    /// FileAllocationInformation.
    Allocation(u64),
    /// FileBasicInformation: attributes, and whether the times are set (to 2001).
    Basic {
        /// FileAttributes.
        attributes: u32,
        /// The times are set.
        times: bool,
    },
    /// FileRenameInformation.
    Rename {
        /// The new path, relative to the schedule's own directory.
        to: String,
        /// ReplaceIfExists.
        replace: bool,
    },
    /// FileLinkInformation.
    Link {
        /// The path of the link.
        to: String,
        /// ReplaceIfExists.
        replace: bool,
    },
    /// FilePositionInformation.
    Position(u64),
    /// FileModeInformation.
    Mode(u32),
}

impl Action {
    /// The requests it consists of.
    pub fn parts(&self) -> &[Action] {
        match self {
            Action::Compound { parts, .. } => parts,
            single => std::slice::from_ref(single),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} client {}: {}", self.id, self.client, self.action)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Create(create) => create.fmt(f),
            Action::On { open, operation } => match *open {
                PREVIOUS => operation.fmt(f),
                open => write!(f, "{operation} on #{open}"),
            },
            Action::Cancel { step } => write!(f, "CANCEL of #{step}"),
            Action::AcknowledgeOplock { open, level } => {
                write!(f, "ACKNOWLEDGE oplock {} on #{open}", oplock(*level))
            }
            Action::AcknowledgeLease { key, state } => {
                write!(f, "ACKNOWLEDGE lease {} key {key}", lease(*state))
            }
            Action::Compound { related, parts } => {
                f.write_str(if *related { "RELATED" } else { "COMPOUND" })?;
                for (number, part) in parts.iter().enumerate() {
                    write!(f, "{} {part}", if number == 0 { "" } else { ";" })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Create {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CREATE \"{}\" access {:#x} share {} {} options {:#x}",
            self.path,
            self.access,
            share(self.share),
            disposition(self.disposition),
            self.options,
        )?;
        if self.attributes != 0 {
            write!(f, " attributes {:#x}", self.attributes)?;
        }
        match &self.caching {
            Caching::Oplock(oplock_level::SMB2_OPLOCK_LEVEL_NONE) => {}
            Caching::Oplock(level) => write!(f, " oplock {}", oplock(*level))?,
            Caching::Lease {
                key,
                state,
                version_2,
            } => {
                write!(f, " lease {} key {key}", lease(*state))?;
                if let Some((epoch, parent)) = version_2 {
                    write!(f, " epoch {epoch}")?;
                    if let Some(parent) = parent {
                        write!(f, " parent {parent}")?;
                    }
                }
            }
        }
        if self.maximal_access {
            f.write_str(" MxAc")?;
        }
        Ok(())
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Read { offset, length } => write!(f, "READ {offset}+{length}"),
            Operation::Write { offset, length } => write!(f, "WRITE {offset}+{length}"),
            Operation::Lock { ranges } => {
                f.write_str("LOCK")?;
                for range in ranges {
                    write!(
                        f,
                        " {}+{} flags {:#x}",
                        range.offset, range.length, range.flags
                    )?;
                }
                Ok(())
            }
            Operation::Set(set) => write!(f, "SET_INFO {set}"),
            Operation::Query { class } => write!(f, "QUERY_INFO class {class}"),
            Operation::List { pattern, restart } => {
                let restart = if *restart { " restart" } else { "" };
                write!(f, "QUERY_DIRECTORY \"{pattern}\"{restart}")
            }
            Operation::Notify { filter, tree } => {
                let tree = if *tree { " tree" } else { "" };
                write!(f, "CHANGE_NOTIFY filter {filter:#x}{tree}")
            }
            Operation::Flush => f.write_str("FLUSH"),
            Operation::Close { post_query: true } => f.write_str("CLOSE postquery"),
            Operation::Close { post_query: false } => f.write_str("CLOSE"),
        }
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replacing = |replace: &bool| if *replace { " replace" } else { "" };
        match self {
            Set::Disposition(delete) => write!(f, "disposition {delete}"),
            Set::EndOfFile(size) => write!(f, "end of file {size}"),
            Set::Allocation(size) => write!(f, "allocation {size}"),
            Set::Basic { attributes, times } => {
                let times = if *times { " times" } else { "" };
                write!(f, "basic attributes {attributes:#x}{times}")
            }
            Set::Rename { to, replace } => write!(f, "rename \"{to}\"{}", replacing(replace)),
            Set::Link { to, replace } => write!(f, "link \"{to}\"{}", replacing(replace)),
            Set::Position(position) => write!(f, "position {position}"),
            Set::Mode(mode) => write!(f, "mode {mode:#x}"),
        }
    }
}

/// A lease state in letters.
pub fn lease(state: u32) -> String {
    let mut letters: String = [(1, 'R'), (2, 'H'), (4, 'W')]
        .into_iter()
        .filter_map(|(bit, letter)| (state & bit != 0).then_some(letter))
        .collect();
    if state & !7 != 0 {
        letters += &format!("+{:#x}", state & !7);
    }
    if letters.is_empty() {
        letters.push_str("none");
    }
    letters
}

/// An oplock level in a word.
pub fn oplock(level: u8) -> String {
    match level {
        oplock_level::SMB2_OPLOCK_LEVEL_NONE => "none".to_owned(),
        oplock_level::SMB2_OPLOCK_LEVEL_II => "II".to_owned(),
        oplock_level::SMB2_OPLOCK_LEVEL_EXCLUSIVE => "exclusive".to_owned(),
        oplock_level::SMB2_OPLOCK_LEVEL_BATCH => "batch".to_owned(),
        oplock_level::SMB2_OPLOCK_LEVEL_LEASE => "lease".to_owned(),
        other => format!("{other:#x}"),
    }
}

fn share(access: u32) -> String {
    let letters: String = [(1, 'R'), (2, 'W'), (4, 'D')]
        .into_iter()
        .filter_map(|(bit, letter)| (access & bit != 0).then_some(letter))
        .collect();
    if letters.is_empty() {
        return "none".to_owned();
    }
    letters
}

fn disposition(disposition: u32) -> String {
    match disposition {
        create_disposition::FILE_SUPERSEDE => "SUPERSEDE".to_owned(),
        create_disposition::FILE_OPEN => "OPEN".to_owned(),
        create_disposition::FILE_CREATE => "CREATE".to_owned(),
        create_disposition::FILE_OPEN_IF => "OPEN_IF".to_owned(),
        create_disposition::FILE_OVERWRITE => "OVERWRITE".to_owned(),
        create_disposition::FILE_OVERWRITE_IF => "OVERWRITE_IF".to_owned(),
        other => format!("disposition {other}"),
    }
}
