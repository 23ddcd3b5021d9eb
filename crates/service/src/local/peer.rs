//! Who is at the other end of a local socket, and what that user may do.

use std::ffi::CString;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use server::account::{SID_ADMINISTRATORS, SID_AUTHENTICATED_USERS, SecurityContext};
use tokio::net::UnixStream;

/// The peer's credentials as the kernel keeps them from the moment of connecting
/// (SO_PEERCRED): nothing that the peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Effective user.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
    /// Process, if the kernel can name it here.
    pub pid: Option<i32>,
}

/// Where credentials come from: the kernel ([`PeerCredentials`]), or what a test pretends.
pub trait Credentials: Send + Sync + 'static {
    /// Credentials of the peer.
    ///
    /// # Errors
    /// If there are none; the peer is turned away.
    fn of(&self, stream: &UnixStream) -> io::Result<Peer>;
}

/// SO_PEERCRED.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerCredentials;

impl Credentials for PeerCredentials {
    fn of(&self, stream: &UnixStream) -> io::Result<Peer> {
        let credentials = stream.peer_cred()?;
        Ok(Peer {
            uid: credentials.uid(),
            gid: credentials.gid(),
            pid: credentials.pid(),
        })
    }
}

/// Who is an administrator at the local socket.
#[derive(Clone, Debug)]
pub(super) struct Administrators {
    /// The user that the service runs as.
    pub(super) own_uid: u32,
    /// The configured group.
    pub(super) group: Option<u32>,
}

impl Administrators {
    /// Root and the service's own user: administrators whatever their groups are.
    pub(super) fn has_user(&self, uid: u32) -> bool {
        uid == 0 || uid == self.own_uid
    }

    fn has_group(&self, gid: u32) -> bool {
        self.group == Some(gid)
    }

    /// Looks up name and groups. May wait for the name service (a directory server, perhaps):
    /// not for a thread that others need.
    pub(super) fn security_context(&self, peer: Peer, domain: &Arc<str>) -> SecurityContext {
        let user = reported("user", peer.uid, User::from_uid(Uid::from_raw(peer.uid)));
        let is_administrator = self.has_user(peer.uid)
            || self.has_group(peer.gid)
            || (self.group.is_some()
                && user
                    .as_ref()
                    .is_some_and(|user| self.has_group_of(&user.name, peer.gid)));
        context(peer, user.map(|user| user.name), domain, is_administrator)
    }

    /// What is known without the name service.
    pub(super) fn without_lookup(&self, peer: Peer, domain: &Arc<str>) -> SecurityContext {
        context(peer, None, domain, self.has_user(peer.uid))
    }

    fn has_group_of(&self, name: &str, gid: u32) -> bool {
        // A name with a NUL comes from no passwd database.
        let Ok(name) = CString::new(name) else {
            return false;
        };
        match getgrouplist(&name, Gid::from_raw(gid)) {
            Ok(groups) => groups.iter().any(|group| self.has_group(group.as_raw())),
            Err(error) => {
                tracing::warn!(user = ?name, %error, "local socket: groups of the user unknown");
                false
            }
        }
    }
}

/// Who cannot be looked up has a number for a name, as `ls` prints it, and no more rights
/// than that number.
fn context(
    peer: Peer,
    name: Option<String>,
    domain: &Arc<str>,
    is_administrator: bool,
) -> SecurityContext {
    let mut groups: Vec<Arc<str>> = vec![Arc::from(SID_AUTHENTICATED_USERS)];
    if is_administrator {
        groups.push(Arc::from(SID_ADMINISTRATORS));
    }
    SecurityContext {
        user_name: name.unwrap_or_else(|| peer.uid.to_string()).into(),
        domain: domain.clone(),
        sid: format!("S-1-22-1-{}", peer.uid).into(),
        groups: groups.into(),
        is_guest: false,
        is_anonymous: false,
    }
}

fn reported<T>(what: &str, id: u32, found: nix::Result<Option<T>>) -> Option<T> {
    found.unwrap_or_else(|error| {
        tracing::warn!(what, id, %error, "local socket: the name service failed");
        None
    })
}

/// Why a group's number is not known.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// There is none of that name.
    #[error("this machine has no group named {0:?}")]
    Unknown(String),
    /// The name service failed.
    #[error("the group {name:?} cannot be looked up: {problem}")]
    Lookup {
        /// The group.
        name: String,
        /// Why.
        problem: String,
    },
}

/// The number of a group. May wait for the name service.
pub(super) fn group_id(name: &str) -> Result<u32, GroupError> {
    let failed = |problem: &dyn Display| GroupError::Lookup {
        name: name.to_owned(),
        problem: problem.to_string(),
    };
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(GroupError::Unknown(name.to_owned())),
        Err(error) => Err(failed(&error)),
    }
}
