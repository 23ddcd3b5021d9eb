//! NetrShareEnum and NetrShareGetInfo ([MS-SRVS] 3.1.4.8, 3.1.4.10).

use rpc::Syntax;
use server::application::ShareRow;
use srvsvc::{
    EnumResponse, GetInfoResponse, NetApiStatus, Row, ShareEnumRequest, ShareGetInfoRequest,
    ShareInfo, entries_that_fit,
};

use super::endpoint::{Endpoint, check_length, dword, same_name};
use crate::policy::Operation;

impl Endpoint {
    /// The resume handle counts shares in order of name.
    pub(super) fn share_enum(&self, syntax: Syntax, request: &ShareEnumRequest) -> Vec<u8> {
        let (level, handle) = (request.level, request.resume_handle);
        let refused = self.require(Operation::ShareEnum(level)).err().or_else(|| {
            let known = ShareInfo::<&str>::ENUM_LEVELS.contains(&level);
            (!known).then_some(NetApiStatus::INVALID_LEVEL)
        });
        if let Some(status) = refused {
            return EnumResponse::<Vec<ShareInfo>>::error(level, handle, status).write(syntax);
        }
        let shares = self.administration.shares();
        let start = (handle.unwrap_or(0) as usize).min(shares.len());
        let rows = &shares[start..];
        let fit = entries_that_fit(
            rows.iter().map(info),
            level,
            request.prefered_maximum_length,
        );
        let more = fit < rows.len();
        EnumResponse {
            level,
            entries: rows[..fit].iter().map(info),
            total_entries: dword(rows.len()),
            resume_handle: handle.map(|_| if more { dword(start + fit) } else { 0 }),
            result: if more {
                NetApiStatus::MORE_DATA
            } else {
                NetApiStatus::SUCCESS
            },
        }
        .write(syntax)
    }

    pub(super) fn share_get_info(&self, syntax: Syntax, request: &ShareGetInfoRequest) -> Vec<u8> {
        let level = request.level;
        let find = || {
            self.require(Operation::ShareGetInfo(level))?;
            if !ShareInfo::<&str>::INFO_LEVELS.contains(&level) {
                return Err(NetApiStatus::INVALID_LEVEL);
            }
            check_length(Some(&request.net_name))?;
            let mut shares = self.administration.shares().into_iter();
            shares
                .find(|share| same_name(&share.name, &request.net_name))
                .ok_or(NetApiStatus::NET_NAME_NOT_FOUND)
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
            Err(status) => GetInfoResponse::<ShareInfo>::error(level, status).write(syntax),
        }
    }
}

fn info(row: &ShareRow) -> ShareInfo<&str> {
    ShareInfo {
        netname: &row.name,
        share_type: row.share_type,
        remark: &row.remark,
        // User-level security: share-level permissions do not exist.
        permissions: 0,
        max_uses: row.max_uses,
        current_uses: row.current_uses,
        path: &row.path,
        // Manual caching, no access-based enumeration.
        flags: 0,
        // None: whoever may log on may connect.
        security_descriptor: Vec::new(),
    }
}
