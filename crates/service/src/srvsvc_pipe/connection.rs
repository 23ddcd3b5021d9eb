//! NetrConnectionEnum ([MS-SRVS] 3.1.4.1): who uses a share, or what a computer uses.

use rpc::Syntax;
use server::application::{SessionFilter, TreeConnectRow};
use srvsvc::{
    ConnectionEnumRequest, ConnectionInfo, EnumResponse, NetApiStatus, Row, entries_that_fit,
};

use super::endpoint::{
    Endpoint, check_length, dword, given, same_name, seconds, stripped_client_name,
};
use crate::policy::Operation;

/// The tree connects asked for, and from which side they are shown.
struct Selection {
    rows: Vec<TreeConnectRow>,
    by_client: bool,
}

impl Endpoint {
    /// The resume handle is the id of the last row returned.
    pub(super) fn connection_enum(
        &self,
        syntax: Syntax,
        request: &ConnectionEnumRequest,
    ) -> Vec<u8> {
        let (level, handle) = (request.level, request.resume_handle);
        let Selection { rows, by_client } = match self.select_connections(request) {
            Ok(selection) => selection,
            Err(status) => {
                return EnumResponse::<Vec<ConnectionInfo>>::error(level, handle, status)
                    .write(syntax);
            }
        };
        let infos = rows.iter().map(|row| info(row, by_client));
        let fit = entries_that_fit(infos.clone(), level, request.prefered_maximum_length);
        let more = fit < rows.len();
        let last = rows[..fit].last().filter(|_| more).map_or(0, |row| row.id);
        EnumResponse {
            level,
            entries: infos.take(fit),
            total_entries: dword(rows.len()),
            resume_handle: handle.map(|_| last),
            result: if more {
                NetApiStatus::MORE_DATA
            } else {
                NetApiStatus::SUCCESS
            },
        }
        .write(syntax)
    }

    fn select_connections(
        &self,
        request: &ConnectionEnumRequest,
    ) -> Result<Selection, NetApiStatus> {
        self.require(Operation::ConnectionEnum)?;
        if !ConnectionInfo::<&str>::ENUM_LEVELS.contains(&request.level) {
            return Err(NetApiStatus::INVALID_LEVEL);
        }
        let qualifier = given(&request.qualifier).ok_or(NetApiStatus::INVALID_PARAMETER)?;
        check_length(Some(qualifier))?;
        let by_client = qualifier.starts_with(r"\\");
        let mut rows = if by_client {
            self.administration.tree_connects(SessionFilter {
                client_name: Some(&stripped_client_name(qualifier)),
                user_name: None,
            })
        } else {
            let shares = self.administration.shares();
            if !shares.iter().any(|share| same_name(&share.name, qualifier)) {
                return Err(NetApiStatus::NET_NAME_NOT_FOUND);
            }
            let mut rows = self.administration.tree_connects(SessionFilter::default());
            rows.retain(|row| same_name(&row.share_name, qualifier));
            rows
        };
        let after = request.resume_handle.unwrap_or(0);
        rows.retain(|row| row.id > after);
        Ok(Selection { rows, by_client })
    }
}

fn info(row: &TreeConnectRow, by_client: bool) -> ConnectionInfo<&str> {
    ConnectionInfo {
        id: row.id,
        connection_type: row.share_type,
        num_opens: row.num_opens,
        // A tree connect belongs to one session, and that to one user.
        num_users: 1,
        time: seconds(row.active),
        username: &row.user_name,
        netname: if by_client {
            &row.share_name
        } else {
            &row.client_name
        },
    }
}
