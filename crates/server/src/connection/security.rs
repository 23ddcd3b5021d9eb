//! QUERY_INFO and SET_INFO of security descriptors ([MS-SMB2] 3.3.5.20.3, 3.3.5.21.3).

use smb::NtStatus;
use smb::wire::{
    ErrorResponse, QueryInfoRequest, QueryInfoResponse, SecurityDescriptor, SetInfoRequest,
    access_mask, security_information,
};

use crate::access::{self, Token};
use crate::core::Core;
use crate::open::{FileOpen, Open};
use crate::request::{Answer, Done, Failure, Request};
use crate::session::Session;
use crate::share::{
    Backend, FileHandle, FileKind, FileStat, KindWanted, OpenParameters, SharePath, Waiting,
};

/// The parts that are sent and taken; other bits are passed over.
const PARTS: u32 = security_information::OWNER_SECURITY_INFORMATION
    | security_information::GROUP_SECURITY_INFORMATION
    | security_information::DACL_SECURITY_INFORMATION
    | security_information::SACL_SECURITY_INFORMATION
    | security_information::LABEL_SECURITY_INFORMATION;

/// [MS-SMB2] 3.3.5.20.3.
pub(super) fn query_security(
    core: &Core,
    request: &Request<'_>,
    query: &QueryInfoRequest<'_>,
    open: &Open,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let file = open.file().map_err(|_| NtStatus::NOT_SUPPORTED)?;
    let parts = query.additional_information;
    require_all(open, access::required_to_query(parts))?;
    let descriptor = descriptor_of(core, request, open, file, waiting)?;
    let answer = access::select(&descriptor, parts).to_bytes();
    let answer = answer.map_err(|_| NtStatus::INTERNAL_ERROR)?;
    if answer.len() > query.output_buffer_length as usize {
        too_small(request, answer.len() as u32, out);
        return Ok(Done::from(NtStatus::BUFFER_TOO_SMALL));
    }
    QueryInfoResponse {
        output_buffer: &answer,
    }
    .write(out);
    Ok(Done::from(NtStatus::SUCCESS))
}

/// [MS-SMB2] 3.3.5.21.3. The caller has seen to it that the share may be changed.
pub(super) fn set_security(
    core: &Core,
    request: &Request<'_>,
    set: &SetInfoRequest<'_>,
    open: &Open,
    waiting: Waiting,
) -> Result<(), Failure> {
    let file = open.file().map_err(|_| NtStatus::NOT_SUPPORTED)?;
    let parts = set.additional_information;
    require_all(open, access::required_to_set(parts))?;
    let new = SecurityDescriptor::read(set.buffer).map_err(|_| NtStatus::INVALID_SECURITY_DESCR)?;
    if access::required_to_set(parts) == 0 && parts & PARTS == 0 {
        return Ok(());
    }
    let token = &request.session()?.token();
    let before = descriptor_of(core, request, open, file, waiting)?;
    let after = access::apply(before, &new, parts, token)?;
    let bytes = after.to_bytes().map_err(|_| NtStatus::INVALID_ACL)?;
    file.handle.set_security(&bytes, waiting)?;
    Ok(())
}

/// What the caller may do in a directory of a share, by its descriptor alone.
pub(super) fn rights_on_directory(
    backend: &dyn Backend,
    session: &Session,
    path: &SharePath,
    waiting: Waiting,
) -> Result<u32, Failure> {
    let opened = backend.open(&OpenParameters::look(path, KindWanted::Directory), waiting)?;
    let stat = opened.handle.stat(waiting)?;
    rights_on(&*opened.handle, &stat, session, waiting)
}

/// What the caller may do with a file, by its descriptor alone.
pub(super) fn rights_on(
    handle: &dyn FileHandle,
    stat: &FileStat,
    session: &Session,
    waiting: Waiting,
) -> Result<u32, Failure> {
    // What the share lets in, and it lets in nobody without a name.
    let unprotected = match session.is_anonymous() {
        true => 0,
        false => access_mask::FILE_ALL_ACCESS,
    };
    if !stat.has_security {
        return Ok(unprotected);
    }
    let stored = handle.security(waiting)?;
    Ok(stored.map_or(unprotected, |stored| {
        access::maximal_access(&access::read_stored(&stored), &session.token())
    }))
}

fn descriptor_of(
    core: &Core,
    request: &Request<'_>,
    open: &Open,
    file: &FileOpen,
    waiting: Waiting,
) -> Result<SecurityDescriptor, Failure> {
    if let Some(stored) = file.handle.security(waiting)? {
        return Ok(access::read_stored(&stored));
    }
    let kind = match file.is_directory {
        true => FileKind::Directory,
        false => FileKind::File,
    };
    let is_root = open.path(&core.files).is_root();
    // Of the user whose session it is, whoever acts for him now.
    let user = Token::new(&request.session()?.security_context);
    Ok(access::default_descriptor(&user, kind, is_root))
}

fn require_all(open: &Open, rights: u32) -> Result<(), NtStatus> {
    match rights & !open.granted_access {
        0 => Ok(()),
        _ => Err(NtStatus::ACCESS_DENIED),
    }
}

/// Nothing is sent into less than the whole; how long that is stands in ErrorData, from
/// dialect 3.1.1 on in an error context.
fn too_small(request: &Request<'_>, needed: u32, out: &mut Vec<u8>) {
    const SMB2_ERROR_ID_DEFAULT: u32 = 0;
    let needed = needed.to_le_bytes();
    let context = [
        (needed.len() as u32).to_le_bytes(),
        SMB2_ERROR_ID_DEFAULT.to_le_bytes(),
        needed,
    ]
    .concat();
    let has_contexts = request.negotiated.is_some_and(|it| it.dialect >= 0x0311);
    ErrorResponse {
        error_context_count: u8::from(has_contexts),
        error_data: match has_contexts {
            true => &context,
            false => &needed,
        },
    }
    .write(out);
}
