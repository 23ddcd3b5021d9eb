//! NetrRemoteTOD, opnum 28 ([MS-SRVS] 3.1.4.21): the server's time of day.

use rpc::Syntax;
use rpc::ndr::{Error, Reader, WideText, Writer};

use crate::NetApiStatus;

/// TIME_OF_DAY_INFO ([MS-SRVS] 2.2.4.105).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TimeOfDayInfo {
    /// Seconds since 1970-01-01 00:00 UTC.
    pub elapsedt: u32,
    /// Milliseconds since the server started.
    pub msecs: u32,
    /// Hour, UTC.
    pub hours: u32,
    /// Minute.
    pub mins: u32,
    /// Second.
    pub secs: u32,
    /// Hundredth of a second.
    pub hunds: u32,
    /// Minutes west of UTC; negative is east.
    pub timezone: i32,
    /// Resolution of the clock in units of 0.1 ms.
    pub tinterval: u32,
    /// Day of the month, from 1.
    pub day: u32,
    /// Month, from 1.
    pub month: u32,
    /// Year.
    pub year: u32,
    /// Day of the week, 0 is Sunday.
    pub weekday: u32,
}

/// The request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteTodRequest<S = String> {
    /// ServerName; a server ignores it.
    pub server_name: Option<S>,
}

impl<S: WideText> RemoteTodRequest<S> {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.unique_wide_string(self.server_name.as_ref());
        writer.into_stub()
    }
}

impl RemoteTodRequest {
    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        Ok(Self {
            server_name: reader.unique_wide_string("ServerName")?,
        })
    }
}

/// The reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoteTodResponse {
    /// The time; `None` on failure.
    pub info: Option<TimeOfDayInfo>,
    /// NERR_Success, or why there is none.
    pub result: NetApiStatus,
}

impl RemoteTodResponse {
    /// The stub.
    pub fn write(&self, syntax: Syntax) -> Vec<u8> {
        let mut writer = Writer::new(syntax);
        writer.pointer(self.info.is_some());
        if let Some(info) = &self.info {
            writer.u32(info.elapsedt);
            writer.u32(info.msecs);
            writer.u32(info.hours);
            writer.u32(info.mins);
            writer.u32(info.secs);
            writer.u32(info.hunds);
            writer.i32(info.timezone);
            writer.u32(info.tinterval);
            writer.u32(info.day);
            writer.u32(info.month);
            writer.u32(info.year);
            writer.u32(info.weekday);
        }
        writer.u32(self.result.0);
        writer.into_stub()
    }

    /// Reads the stub.
    pub fn read(syntax: Syntax, stub: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(syntax, stub);
        let info = if reader.pointer("BufferPtr")? {
            Some(TimeOfDayInfo {
                elapsedt: reader.u32("tod_elapsedt")?,
                msecs: reader.u32("tod_msecs")?,
                hours: reader.u32("tod_hours")?,
                mins: reader.u32("tod_mins")?,
                secs: reader.u32("tod_secs")?,
                hunds: reader.u32("tod_hunds")?,
                timezone: reader.i32("tod_timezone")?,
                tinterval: reader.u32("tod_tinterval")?,
                day: reader.u32("tod_day")?,
                month: reader.u32("tod_month")?,
                year: reader.u32("tod_year")?,
                weekday: reader.u32("tod_weekday")?,
            })
        } else {
            None
        };
        Ok(Self {
            info,
            result: NetApiStatus(reader.u32("result")?),
        })
    }
}
