//! Rights on files at CREATE: on what is there, by its descriptor and that of its directory;
//! on a directory in which something is made ([MS-FSA] 2.1.5.1).

use std::fmt;

use smb::NtStatus;
use smb::wire::create_context::name::{
    SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST, SMB2_CREATE_SD_BUFFER,
};
use smb::wire::{
    CreateRequest, SecurityDescriptor, access_mask, create_disposition, create_options,
};

use super::file::Place;
use super::plan::Plan;
use crate::access;
use crate::connection::security;
use crate::request::Failure;
use crate::session::Session;
use crate::share::{CreationPolicy, FileKind, FileStat, Opened};

/// Rights that the caller has by privilege, whatever a descriptor says, and those of them that
/// MAXIMUM_ALLOWED stands for.
pub(super) fn privileges(session: &Session, create: &CreateRequest<'_>) -> (u32, u32) {
    if !session.is_administrator() {
        return (0, 0);
    }
    match create.create_options & create_options::FILE_OPEN_FOR_BACKUP_INTENT {
        0 => (access::BY_PRIVILEGE, 0),
        _ => (
            access::BY_PRIVILEGE | access::FOR_BACKUP,
            access::FOR_BACKUP,
        ),
    }
}

/// Descriptors of what a CREATE makes.
pub(super) struct NewSecurity<'a> {
    session: &'a Session,
    /// The context SecD.
    given: Option<SecurityDescriptor>,
    /// May make something everywhere.
    restores: bool,
}

impl<'a> NewSecurity<'a> {
    pub(super) fn new(session: &'a Session, create: &CreateRequest<'_>) -> Result<Self, NtStatus> {
        let given = match create.contexts.find(SMB2_CREATE_SD_BUFFER) {
            None => None,
            Some(context) => Some(
                SecurityDescriptor::read(context.data)
                    .map_err(|_| NtStatus::INVALID_SECURITY_DESCR)?,
            ),
        };
        let (_, for_backup) = privileges(session, create);
        Ok(Self {
            session,
            given,
            restores: for_backup != 0,
        })
    }
}

impl fmt::Debug for NewSecurity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSecurity")
            .field("session", &self.session.id)
            .field("given", &self.given)
            .finish()
    }
}

impl CreationPolicy for NewSecurity<'_> {
    /// Where neither the directory nor the request says anything nothing is stored.
    fn create(&self, parent: Option<&[u8]>, kind: FileKind) -> Result<Option<Vec<u8>>, NtStatus> {
        if parent.is_none() && self.session.is_anonymous() {
            return Err(NtStatus::ACCESS_DENIED);
        }
        if parent.is_none() && self.given.is_none() {
            return Ok(None);
        }
        let token = &self.session.token();
        let parent = match parent {
            Some(stored) => access::read_stored(stored),
            None => access::default_descriptor(token, FileKind::Directory, false),
        };
        if !self.restores {
            access::may_create_in(&parent, token, kind)?;
        }
        let given = self.given.as_ref();
        let new = access::create_security_descriptor(&parent, given, kind, token)?;
        let bytes = new.to_bytes().map_err(|_| NtStatus::INVALID_ACL)?;
        Ok(Some(bytes))
    }
}

impl Place<'_> {
    /// May what is there be opened so; with MAXIMUM_ALLOWED, what is granted.
    pub(super) fn check_rights(
        &self,
        create: &CreateRequest<'_>,
        plan: &mut Plan,
        opened: &Opened,
        stat: &FileStat,
    ) -> Result<(), Failure> {
        let session = self.request.session()?;
        if !stat.has_security && !session.is_anonymous() {
            return Ok(());
        }
        let (privileges, for_backup) = privileges(session, create);
        let asked = match plan.maximum_allowed {
            true => access::map_generic(create.desired_access & !access_mask::MAXIMUM_ALLOWED),
            false => plan.access,
        };
        let needed = asked | overwriting(create, plan);
        let own = self.own_rights(opened, stat)?;
        let missing = needed & !(own | privileges);
        let mut from_parent = 0;
        if plan.maximum_allowed || missing & access::from_parent(u32::MAX) != 0 {
            from_parent = self.rights_from_parent(opened)?;
        }
        if missing & !from_parent != 0 {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        plan.access = match plan.maximum_allowed {
            true => asked | (own | from_parent | for_backup) & self.tree.maximal_access,
            false => asked,
        };
        if plan.access == 0 {
            // The most of nothing.
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        Ok(())
    }

    /// For the context MxAc.
    pub(super) fn maximal_access(
        &self,
        create: &CreateRequest<'_>,
        opened: &Opened,
        stat: &FileStat,
    ) -> Result<u32, Failure> {
        let share = self.tree.maximal_access;
        let asked = create
            .contexts
            .find(SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST);
        if asked.is_none() || !stat.has_security {
            return Ok(share);
        }
        Ok((self.own_rights(opened, stat)? | self.rights_from_parent(opened)?) & share)
    }

    /// What the descriptor of an open file gives the caller.
    fn own_rights(&self, opened: &Opened, stat: &FileStat) -> Result<u32, Failure> {
        let session = self.request.session()?;
        security::rights_on(&*opened.handle, stat, session, self.waiting)
    }

    /// What the directory of an open file adds.
    fn rights_from_parent(&self, opened: &Opened) -> Result<u32, Failure> {
        let Some(parent) = opened.path.parent() else {
            return Ok(0);
        };
        let session = self.request.session()?;
        let on_parent =
            security::rights_on_directory(self.backend, session, &parent, self.waiting)?;
        Ok(access::from_parent(on_parent))
    }
}

/// What the disposition takes beside DesiredAccess ([MS-FSA] 2.1.5.1.2).
fn overwriting(create: &CreateRequest<'_>, plan: &Plan) -> u32 {
    if !plan.overwrites {
        return 0;
    }
    let both = access_mask::FILE_WRITE_EA | access_mask::FILE_WRITE_ATTRIBUTES;
    match create.create_disposition {
        create_disposition::FILE_SUPERSEDE => both | access_mask::DELETE,
        _ => both | access_mask::FILE_WRITE_DATA,
    }
}
