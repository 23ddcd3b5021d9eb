//! NetrFileEnum, NetrFileGetInfo and NetrFileClose ([MS-SRVS] 3.1.4.2 to 3.1.4.4).

use rpc::Syntax;
use server::application::{OpenRow, SessionFilter};
use srvsvc::{
    FileCloseRequest, FileEnumRequest, FileGetInfoRequest, FileInfo, GetInfoResponse, NetApiStatus,
    Row,
};

use super::endpoint::{Endpoint, PAGE, check_length, dword, given, stripped_client_name};
use super::page::{Asked, Room, Selection, pages};
use crate::policy::Operation;

/// How path names of pipes begin.
const PIPE_PREFIX: &str = r"\PIPE\";

impl Endpoint {
    pub(super) fn file_enum(&self, syntax: Syntax, request: &FileEnumRequest) -> Vec<u8> {
        let asked = Asked {
            syntax,
            level: request.level,
            resume_handle: request.resume_handle,
        };
        asked.answer(&self.select_files(request), |row| row.id, info)
    }

    fn select_files(&self, request: &FileEnumRequest) -> Result<Selection<OpenRow>, NetApiStatus> {
        self.require(Operation::FileEnum)?;
        let level = request.level;
        if !FileInfo::<&str>::ENUM_LEVELS.contains(&level) {
            return Err(NetApiStatus::INVALID_LEVEL);
        }
        let (base_path, name) = (given(&request.base_path), given(&request.user_name));
        check_length(base_path)?;
        check_length(name)?;
        let is_client = name.is_some_and(|name| name.starts_with(r"\\"));
        let client_name = name.filter(|_| is_client).map(stripped_client_name);
        let filter = SessionFilter {
            client_name: client_name.as_deref(),
            user_name: name.filter(|_| !is_client),
        };
        let room = Room::new(request.prefered_maximum_length);
        let after = request.resume_handle.unwrap_or(0);
        let selection = self.walk_files(filter, base_path, after, level, room);
        if selection.more && selection.rows.is_empty() {
            // Unlike the other enumerations this one has a code for it.
            return Err(NetApiStatus::BUF_TOO_SMALL);
        }
        Ok(selection)
    }

    /// As many rows as fit. The server knows how many there are, except below a path: these
    /// have to be looked at.
    fn walk_files(
        &self,
        filter: SessionFilter<'_>,
        base_path: Option<&str>,
        after: u32,
        level: u32,
        mut room: Room,
    ) -> Selection<OpenRow> {
        let most = match base_path {
            Some(_) => usize::MAX,
            None => room.most(FileInfo::<&str>::default().size(level)),
        };
        let limit = if filter == SessionFilter::default() {
            PAGE.min(most)
        } else {
            // Each page would cost what the whole does.
            most
        };
        let query = |after, limit| self.administration.opens(filter, after, limit);
        let mut selection = Selection {
            rows: Vec::new(),
            total: 0,
            more: false,
        };
        for page in pages(after, std::iter::repeat(limit), query, |row| row.id) {
            if base_path.is_none() {
                selection.total = dword(selection.rows.len()).saturating_add(page.total);
            }
            for row in page.rows {
                if let Some(base) = base_path {
                    if !is_prefix(base, &row.path_name) {
                        continue;
                    }
                    selection.total = selection.total.saturating_add(1);
                }
                if room.take(|| info(&row).size(level)) {
                    selection.rows.push(row);
                } else {
                    selection.more = true;
                }
            }
            if selection.more && base_path.is_none() {
                break;
            }
        }
        selection
    }

    pub(super) fn file_get_info(&self, syntax: Syntax, request: &FileGetInfoRequest) -> Vec<u8> {
        let level = request.level;
        let find = || {
            self.require(Operation::FileGetInfo)?;
            if !FileInfo::<&str>::INFO_LEVELS.contains(&level) {
                return Err(NetApiStatus::INVALID_LEVEL);
            }
            self.administration
                .open(request.file_id)
                .ok_or(NetApiStatus::FILE_ID_NOT_FOUND)
        };
        match find() {
            Ok(row) => {
                let result = NetApiStatus::SUCCESS;
                GetInfoResponse {
                    level,
                    info: Some(info(&row)),
                    result,
                }
                .write(syntax)
            }
            Err(status) => GetInfoResponse::<FileInfo>::error(level, status).write(syntax),
        }
    }

    pub(super) fn file_close(&self, request: &FileCloseRequest) -> NetApiStatus {
        match self.close(request.file_id) {
            Ok(()) => NetApiStatus::SUCCESS,
            Err(status) => status,
        }
    }

    fn close(&self, id: u32) -> Result<(), NetApiStatus> {
        self.require(Operation::FileClose)?;
        let row = self
            .administration
            .open(id)
            .ok_or(NetApiStatus::FILE_ID_NOT_FOUND)?;
        if Some(row.session) == self.session && row.path_name.starts_with(PIPE_PREFIX) {
            // It may be the pipe this call came over, whose answer could not leave.
            return Err(NetApiStatus::ACCESS_DENIED);
        }
        if self.administration.close_open(id, self.administrator()) {
            Ok(())
        } else {
            Err(NetApiStatus::FILE_ID_NOT_FOUND)
        }
    }
}

/// Does `path` begin with `base`, case aside?
fn is_prefix(base: &str, path: &str) -> bool {
    path.starts_with(base) || path.to_lowercase().starts_with(&base.to_lowercase())
}

fn info(row: &OpenRow) -> FileInfo<&str> {
    FileInfo {
        id: row.id,
        permissions: row.permissions,
        num_locks: row.num_locks,
        path_name: &row.path_name,
        user_name: &row.user_name,
    }
}
