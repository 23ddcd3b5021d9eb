//! Share and ShareList ([MS-SMB2] 3.3.1.5, 3.3.1.6).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::Backend;
use crate::application::ShareRow;

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
