//! NetrSessionEnum and NetrSessionDel ([MS-SRVS] 3.1.4.5, 3.1.4.6).

use rpc::Syntax;
use server::application::{Ending, Reason, SessionFilter, SessionGlobalId, SessionRow};
use srvsvc::{
    NetApiStatus, Row, SESS_GUEST, SessionDelRequest, SessionEnumRequest, SessionInfo,
    SessionLevel, Text,
};

use super::endpoint::{Endpoint, PAGE, check_length, dword, given, seconds, stripped_client_name};
use super::page::{Asked, Room, Selection, pages};
use crate::policy::Operation;

impl Endpoint {
    pub(super) fn session_enum(&self, syntax: Syntax, request: &SessionEnumRequest) -> Vec<u8> {
        let level = request.level;
        let asked = Asked {
            syntax,
            level,
            resume_handle: request.resume_handle,
        };
        let position = |row: &SessionRow| row.id.0 as u32;
        asked.answer(&self.select(request), position, |row| info(row, level))
    }

    /// The text fixes no precedence of errors; ours is access, level, form of the name,
    /// lengths, resume position, result of the filter.
    fn select(&self, request: &SessionEnumRequest) -> Result<Selection<SessionRow>, NetApiStatus> {
        self.require(Operation::SessionEnum)?;
        SessionLevel::try_from(request.level).map_err(|_| NetApiStatus::INVALID_LEVEL)?;
        let client_name = given(&request.client_name);
        let user_name = given(&request.user_name);
        if client_name.is_some_and(|name| !name.starts_with(r"\\")) {
            return Err(NetApiStatus::INVALID_COMPUTER);
        }
        check_length(client_name)?;
        check_length(user_name)?;

        let after = self
            .administration
            .resume_position(request.resume_handle.unwrap_or(0));
        let client_name = client_name.map(stripped_client_name);
        let filter = SessionFilter {
            client_name: client_name.as_deref(),
            user_name,
        };
        let selection = self.walk(
            filter,
            after,
            request.level,
            request.prefered_maximum_length,
        );
        // A caller who goes on behind a position has had its rows already: that the others
        // have left meanwhile is no error.
        if selection.rows.is_empty() && after.is_none() {
            if client_name.is_some() {
                return Err(NetApiStatus::CLIENT_NAME_NOT_FOUND);
            }
            if user_name.is_some() {
                return Err(NetApiStatus::USER_NOT_FOUND);
            }
        }
        Ok(selection)
    }

    /// As many rows as fit `prefered_maximum_length`, at least one if there is any.
    fn walk(
        &self,
        filter: SessionFilter<'_>,
        after: Option<SessionGlobalId>,
        level: u32,
        prefered_maximum_length: u32,
    ) -> Selection<SessionRow> {
        let mut room = Room::new(prefered_maximum_length);
        // No row is smaller than one without text.
        let smallest = SessionInfo::<Text<'_>>::default().size(level);
        let limit = PAGE.min(room.most(smallest));
        let query = |after, limit| self.administration.sessions(filter, after, limit);
        let mut selection = Selection {
            rows: Vec::new(),
            total: 0,
            more: false,
        };
        for page in pages(after, std::iter::repeat(limit), query, |row| Some(row.id)) {
            let rows = &mut selection.rows;
            selection.total = dword(rows.len()).saturating_add(page.total);
            for row in page.rows {
                let fits = room.take(|| info(&row, level).size(level));
                if !fits && !rows.is_empty() {
                    selection.more = true;
                    return selection;
                }
                rows.push(row);
            }
        }
        selection
    }

    pub(super) fn session_del(&mut self, request: &SessionDelRequest) -> NetApiStatus {
        match self.delete(request) {
            Ok(()) => NetApiStatus::SUCCESS,
            Err(status) => status,
        }
    }

    fn delete(&mut self, request: &SessionDelRequest) -> Result<(), NetApiStatus> {
        self.require(Operation::SessionDel)?;
        let client_name = given(&request.client_name);
        let user_name = given(&request.user_name);
        if client_name.is_some_and(|name| !name.starts_with(r"\\")) {
            return Err(NetApiStatus::CLIENT_NAME_NOT_FOUND);
        }
        check_length(client_name)?;
        check_length(user_name)?;
        if client_name.is_none() && user_name.is_none() {
            // Never "end everything".
            return Err(NetApiStatus::INVALID_PARAMETER);
        }
        let client_name = client_name.map(stripped_client_name);
        let filter = SessionFilter {
            client_name: client_name.as_deref(),
            user_name,
        };

        let (mut matched, mut after) = (0u32, None);
        loop {
            let page = self.administration.sessions(filter, after, PAGE);
            let Some(last) = page.rows.last() else { break };
            after = Some(last.id);
            matched = matched.saturating_add(dword(page.rows.len()));
            for row in &page.rows {
                self.end(row);
            }
            if page.total as usize <= page.rows.len() {
                break;
            }
        }
        if matched == 0 {
            return Err(NetApiStatus::CLIENT_NAME_NOT_FOUND);
        }
        Ok(())
    }

    fn end(&mut self, row: &SessionRow) {
        let reason = Reason::Administrator(self.administrator());
        if Some(row.id) == self.session {
            let ending = Ending {
                session: row.id,
                reason,
            };
            if !self.close_after_reply.contains(&ending) {
                self.close_after_reply.push(ending);
            }
        } else {
            // One that has left meanwhile is ended too ([MS-SMB2] 3.3.4.12).
            self.administration.close_session(row.id, reason);
        }
    }
}

/// cname has `\\` at levels 0, 1, 2 and 10 and is bare at 502, as Windows shows 10 and 502.
fn info(row: &SessionRow, level: u32) -> SessionInfo<Text<'_>> {
    let is_bare = level == u32::from(SessionLevel::Info502);
    SessionInfo {
        cname: if is_bare {
            Text::from(&*row.client_name)
        } else {
            Text::unc(&row.client_name)
        },
        username: Text::from(&*row.user_name),
        num_opens: row.num_opens,
        time: seconds(row.active),
        idle_time: seconds(row.idle),
        user_flags: if row.is_guest { SESS_GUEST } else { 0 },
        // Empty for every SMB2 client ([MS-SMB2] 3.3.4.18).
        cltype_name: Text::default(),
        transport: Text::from(row.transport_name),
    }
}
