//! NetrSessionEnum, one call ([MS-SRVS] 3.1.4.5).

use srvsvc::{
    EnumResponse, NetApiStatus, SessionEnumRequest, SessionEnumResponse, SessionLevel, opnum,
};

use crate::level_choice::{another_level_may_do, lacks_level};
use crate::name::{given, matches};
use crate::session_info::SessionInfo0;
use crate::{Error, Server, SessionInfo};

/// Asked for instead of level 0, in this order: with user names, and first the one that
/// Windows lets the same callers see.
const WITH_USER_NAMES: [SessionLevel; 2] = [SessionLevel::Info10, SessionLevel::Info1];

impl Server {
    /// One page, with the entries typed.
    ///
    /// Samba ignores filters, and level 0 has no user name to filter by here. So a user's
    /// sessions are asked for at a level that names users, and told at level 0.
    pub(crate) async fn session_enum(
        &mut self,
        request: &SessionEnumRequest,
        level: SessionLevel,
        tried: &str,
    ) -> Result<EnumResponse<Vec<SessionInfo>>, Error> {
        let user = given(request.user_name.as_deref());
        if level != SessionLevel::Info0 || user.is_none() {
            return self.session_enum_as_it_is(request, level, tried).await;
        }
        for with_names in WITH_USER_NAMES {
            let request = SessionEnumRequest {
                level: with_names.into(),
                ..request.clone()
            };
            let response = self
                .session_enum_as_it_is(&request, with_names, tried)
                .await;
            match response {
                Ok(response)
                    if response.result == NetApiStatus::ACCESS_DENIED
                        || lacks_level(response.result) => {}
                Err(error) if another_level_may_do(&error) => {}
                Ok(mut response) => {
                    response.level = level.into();
                    response.entries.retain(|info| matches(info, None, user));
                    for info in &mut response.entries {
                        *info = without_user_name(info);
                    }
                    return Ok(response);
                }
                Err(error) => return Err(error),
            }
        }
        self.session_enum_as_it_is(request, level, tried).await
    }

    async fn session_enum_as_it_is(
        &mut self,
        request: &SessionEnumRequest,
        level: SessionLevel,
        tried: &str,
    ) -> Result<EnumResponse<Vec<SessionInfo>>, Error> {
        let syntax = self.syntax();
        let stub = self
            .call_as(opnum::NETR_SESSION_ENUM, request.write(syntax), tried)
            .await?;
        let response = SessionEnumResponse::read(syntax, &stub)
            .map_err(|error| self.malformed(tried, &error))?;
        if response.level != u32::from(level) {
            return Err(self.placed(Error::protocol(
                tried.to_owned(),
                format!(
                    "asked for level {}, got {}",
                    u32::from(level),
                    response.level
                ),
            )));
        }
        let typed = |row| SessionInfo::from_row(level, row);
        Ok(EnumResponse {
            level: response.level,
            entries: response.entries.into_iter().map(typed).collect(),
            total_entries: response.total_entries,
            resume_handle: response.resume_handle,
            result: response.result,
        })
    }
}

fn without_user_name(info: &SessionInfo) -> SessionInfo {
    SessionInfo::Info0(SessionInfo0 {
        cname: info.cname().to_owned(),
    })
}
