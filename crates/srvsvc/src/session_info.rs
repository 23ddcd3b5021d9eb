//! SESSION_INFO_0, _1, _2, _10 and _502 ([MS-SRVS] 2.2.4.11 to 2.2.4.15).

use crate::row::layout;

/// user_flags: logged on as guest.
pub const SESS_GUEST: u32 = 0x0000_0001;

/// user_flags: the password came unencrypted. An SMB2 server never sets it.
pub const SESS_NOENCRYPTION: u32 = 0x0000_0002;

/// The five levels of session information.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum SessionLevel {
    /// cname.
    Info0 = 0,
    /// cname, username, num_opens, time, idle_time, user_flags.
    Info1 = 1,
    /// Level 1 and cltype_name.
    Info2 = 2,
    /// cname, username, time, idle_time.
    Info10 = 10,
    /// Level 2 and transport.
    Info502 = 502,
}

impl SessionLevel {
    /// All of them, ascending.
    pub const ALL: [Self; 5] = [
        Self::Info0,
        Self::Info1,
        Self::Info2,
        Self::Info10,
        Self::Info502,
    ];
}

impl From<SessionLevel> for u32 {
    fn from(level: SessionLevel) -> Self {
        level as Self
    }
}

impl TryFrom<u32> for SessionLevel {
    /// The number that is no level; a caller turns it into ERROR_INVALID_LEVEL.
    type Error = u32;

    fn try_from(level: u32) -> Result<Self, u32> {
        Self::ALL
            .into_iter()
            .find(|&known| known as u32 == level)
            .ok_or(level)
    }
}

/// One session, with the fields of all levels. Reading fills those of the level at hand and
/// leaves the others empty or 0; writing sends those of the level at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionInfo<S = String> {
    /// Client computer, with or without a leading `\\`. All levels.
    pub cname: S,
    /// Bare account name. All levels but 0.
    pub username: S,
    /// Files, devices and pipes open now. Levels 1, 2, 502.
    pub num_opens: u32,
    /// Seconds since the session was created. All levels but 0.
    pub time: u32,
    /// Seconds since its last request. All levels but 0.
    pub idle_time: u32,
    /// [`SESS_GUEST`], [`SESS_NOENCRYPTION`]. Levels 1, 2, 502.
    pub user_flags: u32,
    /// Client software, empty for every SMB2 session. Levels 2, 502.
    pub cltype_name: S,
    /// Transport, such as `\Device\NetbiosSmb`. Level 502.
    pub transport: S,
}

layout! {
    SessionInfo;
    enum_levels: &[0, 1, 2, 10, 502];
    0 => text cname;
    1 => text cname, text username, long num_opens, long time, long idle_time, long user_flags;
    2 => text cname, text username, long num_opens, long time, long idle_time, long user_flags,
        text cltype_name;
    10 => text cname, text username, long time, long idle_time;
    502 => text cname, text username, long num_opens, long time, long idle_time, long user_flags,
        text cltype_name, text transport;
}
