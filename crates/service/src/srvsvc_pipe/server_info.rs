//! NetrServerGetInfo and NetrRemoteTOD ([MS-SRVS] 3.1.4.17, 3.1.4.21).

use rpc::Syntax;
use smb::FileTime;
use srvsvc::{
    GetInfoResponse, NetApiStatus, RemoteTodResponse, Row, ServerGetInfoRequest, ServerInfo,
    TimeOfDayInfo,
};

use super::endpoint::Endpoint;
use crate::policy::Operation;

/// PLATFORM_ID_NT.
const PLATFORM_ID: u32 = 500;
/// The version that clients expect of a server with SMB 3.1.1.
const VERSION: (u32, u32) = (10, 0);
/// SV_TYPE_WORKSTATION, SV_TYPE_SERVER, SV_TYPE_NT, SV_TYPE_SERVER_NT ([MS-SRVS] 2.2.2.7).
const SERVER_TYPE: u32 = 0x0000_0001 | 0x0000_0002 | 0x0000_1000 | 0x0000_8000;

impl Endpoint {
    pub(super) fn server_get_info(
        &self,
        syntax: Syntax,
        request: &ServerGetInfoRequest,
    ) -> Vec<u8> {
        let level = request.level;
        let refused = self
            .require(Operation::ServerGetInfo(level))
            .err()
            .or_else(|| {
                let known = ServerInfo::<&str>::INFO_LEVELS.contains(&level);
                (!known).then_some(NetApiStatus::INVALID_LEVEL)
            });
        if let Some(status) = refused {
            return GetInfoResponse::<ServerInfo>::error(level, status).write(syntax);
        }
        let facts = self.administration.server_facts();
        let info = ServerInfo::<&str> {
            platform_id: PLATFORM_ID,
            name: &facts.name,
            version_major: VERSION.0,
            version_minor: VERSION.1,
            server_type: SERVER_TYPE,
            comment: &facts.comment,
            // No limit, and idle sessions are not ended.
            users: u32::MAX,
            disc: u32::MAX,
            // It does not announce itself to browsers.
            hidden: 1,
            announce: 0,
            anndelta: 0,
            licenses: 0,
            userpath: "",
        };
        let result = NetApiStatus::SUCCESS;
        GetInfoResponse {
            level,
            info: Some(info),
            result,
        }
        .write(syntax)
    }

    pub(super) fn remote_tod(&self, syntax: Syntax) -> Vec<u8> {
        match self.require(Operation::RemoteTod) {
            Ok(()) => {
                let info = Some(time_of_day(self.administration.now()));
                RemoteTodResponse {
                    info,
                    result: NetApiStatus::SUCCESS,
                }
            }
            Err(result) => RemoteTodResponse { info: None, result },
        }
        .write(syntax)
    }
}

/// The time zone is given as UTC: the server knows no other.
pub(super) fn time_of_day(now: FileTime) -> TimeOfDayInfo {
    const DAY: i64 = 86_400;
    let (seconds, nanoseconds) = now.to_unix();
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY) as u32);
    let (year, month, day) = civil_date(days);
    let milliseconds = seconds
        .wrapping_mul(1000)
        .wrapping_add(i64::from(nanoseconds / 1_000_000));
    TimeOfDayInfo {
        elapsedt: u32::try_from(seconds.max(0)).unwrap_or(u32::MAX),
        // From any point on; the field wraps after 49 days.
        msecs: milliseconds as u32,
        hours: second / 3600,
        mins: second / 60 % 60,
        secs: second % 60,
        hunds: nanoseconds / 10_000_000,
        timezone: 0,
        tinterval: 1,
        day,
        month,
        year,
        // 1970-01-01 was a Thursday.
        weekday: (days + 4).rem_euclid(7) as u32,
    }
}

/// (year, month, day) of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil_date(days: i64) -> (u32, u32, u32) {
    // Years that begin in March put the leap day last; 400 of them have 146,097 days, and
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // FILETIME reaches from 1601 to the year 60056, so all three are small and positive.
    (year as u32, month as u32, day as u32)
}
