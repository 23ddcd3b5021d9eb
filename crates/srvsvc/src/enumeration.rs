//! What the enumerations have in common: the level with its union of containers, the
//! preferred length, the total and the resume handle ([MS-SRVS] 2.2.4.21 and siblings).

use rpc::Syntax;
use rpc::ndr::{Error, Reader, Writer};

use crate::row::{ReadRow, Row};
use crate::{MAX_PREFERRED_LENGTH, NetApiStatus};

/// Bytes of a reply beside its rows, either syntax, generously.
const AROUND_ROWS: usize = 96;

/// Rows that are read of one stub. Without strings a row takes 4 bytes on the wire and over
/// a hundred in memory, so that the size of the stub bounds too little.
const MAX_ROWS: usize = 1 << 20;

/// The reply of an enumeration. `E` is what gives the rows: `Vec<SessionInfo>` after
/// reading; for writing anything that can be iterated twice, such as a slice or
/// `rows.iter().map(…)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnumResponse<E> {
    /// As asked, legal or not.
    pub level: u32,
    /// The rows.
    pub entries: E,
    /// Rows behind the resume position that pass the filters, returned or not.
    pub total_entries: u32,
    /// Where to go on; `None` exactly if the request had none.
    pub resume_handle: Option<u32>,
    /// NERR_Success, ERROR_MORE_DATA, or why there are no rows.
    pub result: NetApiStatus,
}

impl<R> EnumResponse<Vec<R>> {
    /// A reply without rows.
    pub fn error(level: u32, resume_handle: Option<u32>, result: NetApiStatus) -> Self {
        Self {
            level,
            entries: Vec::new(),
            total_entries: 0,
            resume_handle,
            result,
        }
    }
}

impl<E> EnumResponse<E>
where
    E: IntoIterator + Clone,
    E::Item: Row,
{
    /// The stub. Without rows the container has EntriesRead 0 and a NULL Buffer. A level
    /// without an arm in the union has nothing behind its tag.
    // Samba's clients know an empty default arm there; [MS-SRVS] declares none at all, so
    // that a stub built from it cannot read any reply to such a level.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        let has_arm = E::Item::ENUM_LEVELS.contains(&self.level);
        let count = if has_arm {
            self.reserve(&mut writer)
        } else {
            0
        };
        writer.u32(self.level);
        writer.union_tag(self.level);
        if has_arm {
            writer.pointer(true);
            self.write_container(count, &mut writer);
        } else if E::Item::ENUM_NULL_ARMS.contains(&self.level) {
            writer.pointer(false);
        }
        writer.u32(self.total_entries);
        writer.unique_u32(self.resume_handle);
        writer.u32(self.result.0);
        writer.into_stub()
    }

    /// Counts the rows and makes room for them: the page is the only allocation, a few
    /// bytes a string too large.
    fn reserve(&self, writer: &mut Writer) -> usize {
        let syntax = writer.syntax();
        let (mut count, mut deferred) = (0, 0);
        for row in self.entries.clone() {
            count += 1;
            deferred += row.deferred_bound(self.level, syntax);
        }
        writer.reserve(AROUND_ROWS + count * E::Item::fixed_size(self.level, syntax) + deferred);
        count
    }

    fn write_container(&self, count: usize, writer: &mut Writer) {
        writer.u32(u32::try_from(count).unwrap_or(u32::MAX));
        writer.pointer(count != 0);
        if count == 0 {
            return;
        }
        writer.count(count);
        for row in self.entries.clone() {
            row.write_fixed(self.level, writer);
        }
        for row in self.entries.clone() {
            row.write_deferred(self.level, writer);
        }
    }
}

impl<'a, R: ReadRow<'a>> EnumResponse<Vec<R>> {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        let level = reader.u32("Level")?;
        reader.union_tag(level)?;
        let entries = if R::ENUM_LEVELS.contains(&level) {
            read_arm(level, &mut reader)?
        } else {
            if R::ENUM_NULL_ARMS.contains(&level) && reader.pointer("container")? {
                return Err(Error::Arm { tag: level });
            }
            Vec::new()
        };
        Ok(Self {
            level,
            entries,
            total_entries: reader.u32("TotalEntries")?,
            resume_handle: reader.unique_u32("ResumeHandle")?,
            result: NetApiStatus(reader.u32("result")?),
        })
    }
}

/// The parameters every enumeration's request ends with.
pub(crate) struct RequestEnd {
    pub(crate) level: u32,
    pub(crate) prefered_maximum_length: u32,
    pub(crate) resume_handle: Option<u32>,
}

impl RequestEnd {
    /// Reads them; rows in the request are legal and dropped. Behind a level without an arm
    /// nothing can be read for certain, so the rest takes its defaults: no server looks at
    /// more than the level then.
    pub(crate) fn read<'a, R: ReadRow<'a>>(reader: &mut Reader<'a>) -> Result<Self, Error> {
        reader.align_structure()?;
        let level = reader.u32("Level")?;
        reader.union_tag(level)?;
        if !R::ENUM_LEVELS.contains(&level) {
            return Ok(Self {
                level,
                prefered_maximum_length: MAX_PREFERRED_LENGTH,
                resume_handle: None,
            });
        }
        read_arm::<R>(level, reader)?;
        Ok(Self {
            level,
            prefered_maximum_length: reader.u32("PreferedMaximumLength")?,
            resume_handle: reader.unique_u32("ResumeHandle")?,
        })
    }

    /// Writes them with an empty container.
    pub(crate) fn write<R: Row>(&self, writer: &mut Writer) {
        writer.align_structure();
        writer.u32(self.level);
        writer.union_tag(self.level);
        if R::ENUM_LEVELS.contains(&self.level) {
            writer.pointer(true);
            writer.u32(0);
            writer.pointer(false);
        } else if R::ENUM_NULL_ARMS.contains(&self.level) {
            writer.pointer(false);
        }
        writer.u32(self.prefered_maximum_length);
        writer.unique_u32(self.resume_handle);
    }
}

/// The arm: a pointer to EntriesRead and a pointer to that many rows.
fn read_arm<'a, R: ReadRow<'a>>(level: u32, reader: &mut Reader<'a>) -> Result<Vec<R>, Error> {
    if !reader.pointer("container")? {
        return Ok(Vec::new());
    }
    reader.align_structure()?;
    let entries_read = reader.u32("EntriesRead")? as usize;
    if !reader.pointer("Buffer")? {
        return Ok(Vec::new());
    }
    if entries_read > MAX_ROWS {
        return Err(Error::Count {
            what: "EntriesRead",
            count: entries_read as u64,
        });
    }
    let stride = R::fixed_size(level, reader.syntax());
    let mut fixed = reader.rows("Buffer", entries_read, stride)?;
    // `rows` has seen to it that the fixed parts of that many rows are there.
    let mut entries = Vec::with_capacity(entries_read);
    for _ in 0..entries_read {
        entries.push(R::read(level, &mut fixed, reader)?);
    }
    Ok(entries)
}
