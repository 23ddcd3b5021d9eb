//! SESSION_INFO_0, _1, _2, _10 and _502 ([MS-SRVS] 2.2.4.11 to 2.2.4.15): what a server tells
//! of one session, one type for each level.

use std::fmt;
use std::time::Duration;

use srvsvc::{SESS_GUEST, SESS_NOENCRYPTION, SessionLevel};

/// One session, with what its level tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SessionInfo {
    /// Level 0.
    Info0(SessionInfo0),
    /// Level 1.
    Info1(SessionInfo1),
    /// Level 2.
    Info2(SessionInfo2),
    /// Level 10.
    Info10(SessionInfo10),
    /// Level 502.
    Info502(SessionInfo502),
}

/// SESSION_INFO_0: the client computer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionInfo0 {
    /// Client computer as the server spells it, with or without leading `\\`.
    pub cname: String,
}

/// SESSION_INFO_1: client, user and numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionInfo1 {
    /// Client computer as the server spells it, with or without leading `\\`.
    pub cname: String,
    /// Account name without its domain, empty for a session without a name.
    pub username: String,
    /// Files, devices and pipes open now.
    pub num_opens: u32,
    /// Since the session was created, in whole seconds.
    pub time: Duration,
    /// Since its last request, in whole seconds.
    pub idle_time: Duration,
    /// How the user logged on.
    pub user_flags: UserFlags,
}

/// SESSION_INFO_2: level 1 and the client's software.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionInfo2 {
    /// Client computer as the server spells it, with or without leading `\\`.
    pub cname: String,
    /// Account name without its domain, empty for a session without a name.
    pub username: String,
    /// Files, devices and pipes open now.
    pub num_opens: u32,
    /// Since the session was created, in whole seconds.
    pub time: Duration,
    /// Since its last request, in whole seconds.
    pub idle_time: Duration,
    /// How the user logged on.
    pub user_flags: UserFlags,
    /// Client software, empty for every SMB2 and SMB3 client.
    pub cltype_name: String,
}

/// SESSION_INFO_10: client, user and times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionInfo10 {
    /// Client computer as the server spells it, with or without leading `\\`.
    pub cname: String,
    /// Account name without its domain, empty for a session without a name.
    pub username: String,
    /// Since the session was created, in whole seconds.
    pub time: Duration,
    /// Since its last request, in whole seconds.
    pub idle_time: Duration,
}

/// SESSION_INFO_502: level 2 and the transport.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionInfo502 {
    /// Client computer as the server spells it, with or without leading `\\`.
    pub cname: String,
    /// Account name without its domain, empty for a session without a name.
    pub username: String,
    /// Files, devices and pipes open now.
    pub num_opens: u32,
    /// Since the session was created, in whole seconds.
    pub time: Duration,
    /// Since its last request, in whole seconds.
    pub idle_time: Duration,
    /// How the user logged on.
    pub user_flags: UserFlags,
    /// Client software, empty for every SMB2 and SMB3 client.
    pub cltype_name: String,
    /// Transport, such as `\Device\NetbiosSmb`.
    pub transport: String,
}

/// user_flags: a set of bits. Those without a name here survive.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct UserFlags(u32);

impl UserFlags {
    /// SESS_GUEST: logged on as guest.
    pub const GUEST: Self = Self(SESS_GUEST);
    /// SESS_NOENCRYPTION: the logon sent its password unencrypted. Nothing to do with the
    /// encryption of SMB 3; a server of SMB2 never sets it.
    pub const NOENCRYPTION: Self = Self(SESS_NOENCRYPTION);

    /// The set of these bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// All bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// No bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The user logged on as guest.
    pub const fn is_guest(self) -> bool {
        self.contains(Self::GUEST)
    }
}

impl std::ops::BitOr for UserFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// `GUEST | 0x10`, or `0x0` for none.
impl fmt::Debug for UserFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (flag, name) in [(Self::GUEST, "GUEST"), (Self::NOENCRYPTION, "NOENCRYPTION")] {
            if self.contains(flag) {
                rest &= !flag.0;
                f.write_str(name)?;
                if rest != 0 {
                    f.write_str(" | ")?;
                }
            }
        }
        match (rest, self.0) {
            (0, 1..) => Ok(()),
            _ => write!(f, "{rest:#x}"),
        }
    }
}

/// A field that some levels have.
macro_rules! field {
    ($self:ident, $field:ident: $($level:ident)+ => $value:expr) => {
        match $self {
            $(Self::$level(info) => Some($value(&info.$field)),)+
            #[allow(unreachable_patterns)] // not reached for a field of all levels
            _ => None,
        }
    };
}

impl SessionInfo {
    /// The level.
    pub fn level(&self) -> SessionLevel {
        match self {
            Self::Info0(_) => SessionLevel::Info0,
            Self::Info1(_) => SessionLevel::Info1,
            Self::Info2(_) => SessionLevel::Info2,
            Self::Info10(_) => SessionLevel::Info10,
            Self::Info502(_) => SessionLevel::Info502,
        }
    }

    /// Client computer as the server spells it, with or without leading `\\`. All levels.
    pub fn cname(&self) -> &str {
        match self {
            Self::Info0(info) => &info.cname,
            Self::Info1(info) => &info.cname,
            Self::Info2(info) => &info.cname,
            Self::Info10(info) => &info.cname,
            Self::Info502(info) => &info.cname,
        }
    }

    /// Client computer without leading `\\`: for people, and to compare across levels.
    pub fn client(&self) -> &str {
        self.cname().trim_start_matches('\\')
    }

    /// Account name without its domain. Levels 1, 2, 10, 502.
    pub fn username(&self) -> Option<&str> {
        field!(self, username: Info1 Info2 Info10 Info502 => String::as_str)
    }

    /// Files, devices and pipes open now. Levels 1, 2, 502.
    pub fn num_opens(&self) -> Option<u32> {
        field!(self, num_opens: Info1 Info2 Info502 => u32::clone)
    }

    /// Since the session was created, in whole seconds. Levels 1, 2, 10, 502.
    pub fn time(&self) -> Option<Duration> {
        field!(self, time: Info1 Info2 Info10 Info502 => Duration::clone)
    }

    /// Since its last request, in whole seconds. Levels 1, 2, 10, 502.
    pub fn idle_time(&self) -> Option<Duration> {
        field!(self, idle_time: Info1 Info2 Info10 Info502 => Duration::clone)
    }

    /// How the user logged on. Levels 1, 2, 502.
    pub fn user_flags(&self) -> Option<UserFlags> {
        field!(self, user_flags: Info1 Info2 Info502 => UserFlags::clone)
    }

    /// Client software, empty for every SMB2 and SMB3 client. Levels 2, 502.
    pub fn cltype_name(&self) -> Option<&str> {
        field!(self, cltype_name: Info2 Info502 => String::as_str)
    }

    /// Transport, such as `\Device\NetbiosSmb`. Level 502.
    pub fn transport(&self) -> Option<&str> {
        field!(self, transport: Info502 => String::as_str)
    }

    /// What `level` has of a row that came over the wire.
    pub(crate) fn from_row(level: SessionLevel, row: srvsvc::SessionInfo) -> Self {
        let srvsvc::SessionInfo {
            cname,
            username,
            num_opens,
            time,
            idle_time,
            user_flags,
            cltype_name,
            transport,
        } = row;
        let time = Duration::from_secs(time.into());
        let idle_time = Duration::from_secs(idle_time.into());
        let user_flags = UserFlags(user_flags);
        match level {
            SessionLevel::Info0 => Self::Info0(SessionInfo0 { cname }),
            SessionLevel::Info1 => Self::Info1(SessionInfo1 {
                cname,
                username,
                num_opens,
                time,
                idle_time,
                user_flags,
            }),
            SessionLevel::Info2 => Self::Info2(SessionInfo2 {
                cname,
                username,
                num_opens,
                time,
                idle_time,
                user_flags,
                cltype_name,
            }),
            SessionLevel::Info10 => Self::Info10(SessionInfo10 {
                cname,
                username,
                time,
                idle_time,
            }),
            SessionLevel::Info502 => Self::Info502(SessionInfo502 {
                cname,
                username,
                num_opens,
                time,
                idle_time,
                user_flags,
                cltype_name,
                transport,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
