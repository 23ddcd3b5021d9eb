//! TreeConnect ([MS-SMB2] 3.3.1.9).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use smb::FileTime;

use crate::share::Share;

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
