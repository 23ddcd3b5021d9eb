//! Share and TreeConnect ([MS-SMB2] 3.3.1.6, 3.3.1.9).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use smb::FileTime;

use crate::application::ShareRow;
use crate::share::Backend;

/// Name of the share that leads to named pipes.
pub const IPC_SHARE: &str = "IPC$";

/// A share to be offered.
pub struct ShareConfig {
    /// Name, compared without case; without `\` and `/`.
    pub name: String,
    /// Comment.
    pub remark: String,
    /// Its files.
    pub backend: Arc<dyn Backend>,
    /// Refuses every change.
    pub read_only: bool,
    /// Share.EncryptData: requests must come encrypted.
    pub encrypt_data: bool,
    /// Most tree connects at once; `None` for no limit.
    pub max_uses: Option<u32>,
}

/// What a share leads to.
pub(crate) enum ShareKind {
    Disk { backend: Arc<dyn Backend> },
    Pipe,
}

pub(crate) struct Share {
    pub(crate) name: Arc<str>,
    pub(crate) remark: Arc<str>,
    pub(crate) kind: ShareKind,
    pub(crate) read_only: bool,
    pub(crate) encrypt_data: bool,
    pub(crate) max_uses: u32,
    pub(crate) current_uses: AtomicU32,
}

impl Share {
    pub(crate) fn disk(config: ShareConfig) -> Self {
        Self {
            name: config.name.into(),
            remark: config.remark.into(),
            kind: ShareKind::Disk {
                backend: config.backend,
            },
            read_only: config.read_only,
            encrypt_data: config.encrypt_data,
            max_uses: config.max_uses.unwrap_or(u32::MAX),
            current_uses: AtomicU32::new(0),
        }
    }

    pub(crate) fn ipc() -> Self {
        Self {
            name: IPC_SHARE.into(),
            remark: "Remote IPC".into(),
            kind: ShareKind::Pipe,
            read_only: false,
            encrypt_data: false,
            max_uses: u32::MAX,
            current_uses: AtomicU32::new(0),
        }
    }

    pub(crate) fn is_pipe(&self) -> bool {
        matches!(self.kind, ShareKind::Pipe)
    }

    /// STYPE_* ([MS-SRVS] 2.2.2.4); IPC$ is special (bit 31).
    pub(crate) fn share_type(&self) -> u32 {
        if self.is_pipe() { 0x8000_0003 } else { 0 }
    }

    pub(crate) fn row(&self) -> ShareRow {
        ShareRow {
            name: self.name.clone(),
            share_type: self.share_type(),
            remark: self.remark.clone(),
            path: match &self.kind {
                ShareKind::Disk { backend } => backend.local_path(),
                ShareKind::Pipe => String::new(),
            },
            current_uses: self.current_uses.load(Ordering::Relaxed),
            max_uses: self.max_uses,
        }
    }
}

/// ShareList ([MS-SMB2] 3.3.1.5).
#[derive(Default)]
pub(crate) struct ShareList(RwLock<BTreeMap<Box<str>, Arc<Share>>>);

impl ShareList {
    /// Adds it; false if the name is taken.
    pub(crate) fn add(&self, share: Share) -> bool {
        let mut shares = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let name = share.name.to_lowercase().into_boxed_str();
        if shares.contains_key(&name) {
            return false;
        }
        shares.insert(name, Arc::new(share));
        true
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Share>> {
        let shares = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shares.get(name.to_lowercase().as_str()).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Share>> {
        let shares = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shares.values().cloned().collect()
    }
}

/// One session's use of one share.
pub(crate) struct TreeConnect {
    /// TreeId on the wire and TreeGlobalId at once: unique in the server, never 0.
    pub(crate) id: u32,
    pub(crate) share: Arc<Share>,
    pub(crate) creation_time: FileTime,
    pub(crate) num_opens: AtomicU32,
    /// TreeConnect.MaximalAccess.
    pub(crate) maximal_access: u32,
}

/// Session.TreeConnectTable: few, most sessions have one, so that it is a list in order of
/// id.
#[derive(Default)]
pub(crate) struct TreeConnectTable(Vec<Arc<TreeConnect>>);

impl TreeConnectTable {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<TreeConnect>> {
        self.0.iter()
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Arc<TreeConnect>> {
        Some(&self.0[self.place(id).ok()?])
    }

    /// Adds one; one of the same id gives way.
    pub(crate) fn insert(&mut self, tree: Arc<TreeConnect>) {
        match self.place(tree.id) {
            Ok(place) => self.0[place] = tree,
            Err(place) => {
                if self.0.is_empty() {
                    // The first is often the only one; the next ones grow as lists do.
                    self.0.reserve_exact(1);
                }
                self.0.insert(place, tree);
            }
        }
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<Arc<TreeConnect>> {
        let place = self.place(id).ok()?;
        Some(self.0.remove(place))
    }

    fn place(&self, id: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |tree| tree.id)
    }
}

impl Drop for TreeConnect {
    fn drop(&mut self) {
        self.share.current_uses.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_in_order_of_id() {
        let share = Arc::new(Share::ipc());
        let tree = |id| {
            share.current_uses.fetch_add(1, Ordering::Relaxed);
            Arc::new(TreeConnect {
                id,
                share: share.clone(),
                creation_time: FileTime(0),
                num_opens: AtomicU32::new(0),
                maximal_access: 0,
            })
        };
        let mut table = TreeConnectTable::default();
        for id in [7, 3, 9, 3] {
            table.insert(tree(id));
        }
        let ids = |table: &TreeConnectTable| table.iter().map(|tree| tree.id).collect::<Vec<_>>();
        assert_eq!((ids(&table), table.len()), (vec![3, 7, 9], 3));
        assert_eq!(share.current_uses.load(Ordering::Relaxed), 3);
        assert_eq!(table.get(7).map(|tree| tree.id), Some(7));
        assert!(table.get(4).is_none() && table.remove(4).is_none());
        assert_eq!(table.remove(7).map(|tree| tree.id), Some(7));
        assert_eq!(ids(&table), [3, 9]);
        drop(table);
        assert_eq!(share.current_uses.load(Ordering::Relaxed), 0);
    }
}
