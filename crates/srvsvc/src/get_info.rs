//! What the GetInfo methods have in common: a union of pointers to one structure, switched
//! by the Level that was asked for.

use rpc::Syntax;
use rpc::ndr::{Error, Reader, Writer};

use crate::NetApiStatus;
use crate::row::{ReadRow, Row};

/// The reply of a GetInfo method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetInfoResponse<R> {
    /// As asked, legal or not.
    pub level: u32,
    /// The structure; `None` on failure.
    pub info: Option<R>,
    /// NERR_Success, or why there is none.
    pub result: NetApiStatus,
}

impl<R> GetInfoResponse<R> {
    /// A reply without information.
    pub fn error(level: u32, result: NetApiStatus) -> Self {
        Self {
            level,
            info: None,
            result,
        }
    }
}

impl<R: Row> GetInfoResponse<R> {
    /// The stub. A level without an arm in the union has nothing behind its tag.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.union_tag(self.level);
        match &self.info {
            Some(info) if R::INFO_LEVELS.contains(&self.level) => {
                writer.pointer(true);
                writer.align_structure();
                info.write_fixed(self.level, &mut writer);
                info.write_deferred(self.level, &mut writer);
            }
            _ if R::INFO_LEVELS.contains(&self.level)
                || R::INFO_NULL_ARMS.contains(&self.level) =>
            {
                writer.pointer(false);
            }
            _ => {}
        }
        writer.u32(self.result.0);
        writer.into_stub()
    }
}

impl<'a, R: ReadRow<'a>> GetInfoResponse<R> {
    /// Reads the stub of a reply to a request for `level`.
    pub fn read(syntax: Syntax, level: u32, stub: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        reader.union_tag(level)?;
        let has_arm = R::INFO_LEVELS.contains(&level) || R::INFO_NULL_ARMS.contains(&level);
        let info = if has_arm && reader.pointer("information")? {
            reader.align_structure()?;
            let mut fixed = reader;
            let size = R::fixed_size(level, syntax);
            reader.skip("information", size)?;
            Some(R::read(level, &mut fixed, &mut reader)?)
        } else {
            None
        };
        Ok(Self {
            level,
            info,
            result: NetApiStatus(reader.u32("result")?),
        })
    }
}
