//! What can go wrong, sorted by what the caller can do about it.

use std::fmt;

use smb::NtStatus;
use smb::auth;
use smb::wire::Command;
use srvsvc::NetApiStatus;

use crate::smb_client;

/// The sort of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call itself is wrong; nothing was sent.
    Usage,
    /// No SMB server answers there.
    Unreachable,
    /// The Server service is not running on this machine.
    ServerNotStarted,
    /// The server does not accept the credentials.
    LogonFailed,
    /// The user lacks the right.
    AccessDenied,
    /// No session fits the names.
    NoSuchSession,
    /// The server answers with another error.
    Refused,
    /// No answer within the limit.
    TimedOut,
    /// The answer breaks the protocol, or its signature is wrong.
    Protocol,
    /// The connection or the session ended in the middle.
    ConnectionLost,
}

/// The number that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// NET_API_STATUS: the result of a call, or the Win32 number of a transport failure.
    NetApiStatus(u32),
    /// NTSTATUS of an SMB2 response.
    NtStatus(NtStatus),
    /// Status of an RPC fault PDU (C706 12.6.4.7).
    Fault(u32),
}

/// A failure. Its `Display` is one line: what was tried, what came back, what to do.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    tried: String,
    detail: String,
    code: Option<Code>,
    source: Option<smb_client::Error>,
    /// It is about the service of this machine.
    is_local: bool,
}

impl Error {
    /// A mistake of the caller, found before anything was sent.
    pub(crate) fn usage(tried: String, detail: String) -> Self {
        Self::new(
            ErrorKind::Usage,
            tried,
            detail,
            Some(Code::NetApiStatus(87)),
        )
    }

    pub(crate) fn protocol(tried: String, detail: String) -> Self {
        Self::new(ErrorKind::Protocol, tried, detail, None)
    }

    pub(crate) fn new(kind: ErrorKind, tried: String, detail: String, code: Option<Code>) -> Self {
        Self(Box::new(Inner {
            kind,
            tried,
            detail,
            code,
            source: None,
            is_local: false,
        }))
    }

    /// The nonzero result of a call.
    pub(crate) fn net_api(tried: String, status: u32) -> Self {
        let kind = match status {
            5 | 65 => ErrorKind::AccessDenied,
            2221 | 2312 => ErrorKind::NoSuchSession,
            2114 => ErrorKind::ServerNotStarted,
            _ => ErrorKind::Refused,
        };
        Self::new(kind, tried, String::new(), Some(Code::NetApiStatus(status)))
    }

    /// An RPC fault.
    pub(crate) fn fault(tried: String, status: u32) -> Self {
        let kind = if status == 5 {
            ErrorKind::AccessDenied
        } else {
            ErrorKind::Refused
        };
        Self::new(kind, tried, String::new(), Some(Code::Fault(status)))
    }

    /// A failure of the SMB2 client.
    pub(crate) fn smb(tried: String, error: smb_client::Error) -> Self {
        use smb_client::Error as Smb;
        let (kind, code) = match &error {
            Smb::Connect(_) => (ErrorKind::Unreachable, Some(Code::NetApiStatus(53))),
            Smb::TimedOut => (ErrorKind::TimedOut, Some(Code::NetApiStatus(121))),
            Smb::Io(_) | Smb::Closed => (ErrorKind::ConnectionLost, Some(Code::NetApiStatus(64))),
            Smb::Downgraded(_)
            | Smb::Authentication(
                auth::Error::Mechanism | auth::Error::Unsupported(_) | auth::Error::Rejected,
            ) => (ErrorKind::LogonFailed, None),
            Smb::Authentication(auth::Error::TooLong) => {
                (ErrorKind::Usage, Some(Code::NetApiStatus(87)))
            }
            Smb::Authentication(_) => (ErrorKind::Protocol, None),
            Smb::Status { status, .. } => (kind_of(*status), Some(Code::NtStatus(*status))),
            Smb::Protocol(_) | Smb::Wire(_) | Smb::Signature | Smb::TooLong { .. } => {
                (ErrorKind::Protocol, None)
            }
            Smb::Unsupported(_) => (ErrorKind::Refused, Some(Code::NetApiStatus(50))),
            Smb::Usage(_) => (ErrorKind::Usage, Some(Code::NetApiStatus(87))),
        };
        let detail = match &error {
            // The code says it all.
            Smb::Status { .. } => String::new(),
            other => other.to_string(),
        };
        Self(Box::new(Inner {
            kind,
            tried,
            detail,
            code,
            source: Some(error),
            is_local: false,
        }))
    }

    /// The same failure, of the service of this machine: other advice helps.
    pub(crate) fn on_this_machine(mut self) -> Self {
        self.0.is_local = true;
        self
    }

    /// The sort.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The number that came back, if one did.
    pub fn code(&self) -> Option<Code> {
        self.0.code
    }

    /// What was tried.
    pub fn tried(&self) -> &str {
        &self.0.tried
    }

    /// The failure as one number, as the C functions return it ([MS-ERREF] 2.2).
    pub fn net_api_status(&self) -> u32 {
        match self.0.code {
            Some(Code::NetApiStatus(status)) => status,
            Some(Code::NtStatus(status)) => win32_of(status),
            Some(Code::Fault(status)) => win32_of_fault(status),
            None => match self.0.kind {
                ErrorKind::Usage => 87,
                ErrorKind::Unreachable => 53,
                ErrorKind::ServerNotStarted => 2114,
                ErrorKind::LogonFailed => 1326,
                ErrorKind::AccessDenied => 5,
                ErrorKind::NoSuchSession => 2312,
                ErrorKind::TimedOut => 121,
                ErrorKind::ConnectionLost => 64,
                ErrorKind::Refused | ErrorKind::Protocol => 1726,
            },
        }
    }

    /// The name of [`Error::net_api_status`] in the platform's headers, if this crate knows
    /// one: `ERROR_ACCESS_DENIED`, `NERR_ClientNameNotFound`.
    pub fn name(&self) -> Option<&'static str> {
        net_api_name(self.net_api_status())
    }

    /// It was SESSION_SETUP that failed.
    fn is_logon(&self) -> bool {
        matches!(
            &self.0.source,
            Some(smb_client::Error::Status {
                command: Command::SESSION_SETUP,
                ..
            })
        )
    }

    /// What the reader can do, if anything general can be said.
    pub fn advice(&self) -> Option<&'static str> {
        Some(match (self.0.kind, self.net_api_status()) {
            (ErrorKind::Usage, _) => return None,
            (ErrorKind::Unreachable, 1722) => {
                "the server speaks SMB but does not offer the srvsvc pipe; is its Server service running?"
            }
            (ErrorKind::Unreachable, _) => {
                "check the name and the port (TCP 445 unless given), and that a firewall lets it through"
            }
            (ErrorKind::ServerNotStarted, _) => "start it with `netsession serve`",
            (ErrorKind::LogonFailed, 1327) => {
                "an administrator has to lift the restriction of the account (an empty password, logon hours or computers)"
            }
            (ErrorKind::LogonFailed, 1330) => {
                "the user has to set a new password, or an administrator has to reset it"
            }
            (ErrorKind::LogonFailed, 1331) => "an administrator has to enable the account",
            (ErrorKind::LogonFailed, 1385) => {
                "an administrator has to let this user in over the network"
            }
            (ErrorKind::LogonFailed, 1909) => {
                "an administrator has to unlock the account, or wait until the lockout is over"
            }
            (ErrorKind::LogonFailed, _) => "check domain, user and password",
            (ErrorKind::AccessDenied, _) if self.is_logon() => {
                "the server may demand encryption (dialect 3.0 or later), or not let this user in over the network"
            }
            (ErrorKind::AccessDenied, _) if self.0.is_local => {
                "ask as root, as the user the service runs as, or as a member of its administrators group"
            }
            (ErrorKind::AccessDenied, _) => {
                "the user has to be in Administrators or Server Operators of that server"
            }
            (ErrorKind::NoSuchSession, _) => "list the sessions to see the names in use",
            (ErrorKind::Refused, 124) => "the server does not know this level; try 10, 1 or 0",
            (ErrorKind::Refused, 50) => "allow what the server offers, or change the server",
            (ErrorKind::Refused, _) => return None,
            (ErrorKind::Protocol, _) if self.0.is_local => {
                "what answers there is not the Server service of netsession"
            }
            (ErrorKind::ConnectionLost, _) if self.0.is_local => {
                "the service ended the connection; connect again"
            }
            (ErrorKind::TimedOut, _) => "the host may be overloaded; try again or raise the limit",
            (ErrorKind::Protocol, _) => {
                "what answers there is no SMB server, or somebody changed the messages"
            }
            (ErrorKind::ConnectionLost, _) => {
                "the server or an administrator ended the connection; connect again"
            }
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{}: ", inner.tried)?;
        match inner.code {
            Some(Code::NtStatus(status)) => write!(f, "{status}")?,
            Some(Code::Fault(status)) => {
                let win32 = win32_of_fault(status);
                write!(f, "RPC fault 0x{status:08X}, {}", NetApiNumber(win32))?;
            }
            // Our own findings: the text tells more than the number chosen for it.
            Some(Code::NetApiStatus(_)) if !inner.detail.is_empty() => {}
            Some(Code::NetApiStatus(status)) => write!(f, "{}", NetApiNumber(status))?,
            None => {}
        }
        if !inner.detail.is_empty() {
            if matches!(inner.code, Some(Code::NtStatus(_) | Code::Fault(_))) {
                f.write_str(", ")?;
            }
            f.write_str(&inner.detail)?;
            if let (Some(Code::NetApiStatus(status)), false) =
                (inner.code, inner.kind == ErrorKind::Usage)
            {
                write!(f, " ({})", NetApiNumber(status))?;
            }
        }
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|error| error as _)
    }
}

/// Prints a NET_API_STATUS with its name, if it has one.
struct NetApiNumber(u32);

impl fmt::Display for NetApiNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match net_api_name(self.0) {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "error {}", self.0),
        }
    }
}

/// The name of a number; srvsvc knows those of the calls, the rest come from this module's
/// own mappings.
fn net_api_name(status: u32) -> Option<&'static str> {
    if let Some(name) = NetApiStatus(status).name() {
        return Some(name);
    }
    Some(match status {
        67 => "ERROR_BAD_NET_NAME",
        71 => "ERROR_REQ_NOT_ACCEP",
        109 => "ERROR_BROKEN_PIPE",
        120 => "ERROR_CALL_NOT_IMPLEMENTED",
        121 => "ERROR_SEM_TIMEOUT",
        231 => "ERROR_PIPE_BUSY",
        232 => "ERROR_NO_DATA",
        233 => "ERROR_PIPE_NOT_CONNECTED",
        1130 => "ERROR_NOT_ENOUGH_SERVER_MEMORY",
        1314 => "ERROR_PRIVILEGE_NOT_HELD",
        1326 => "ERROR_LOGON_FAILURE",
        1327 => "ERROR_ACCOUNT_RESTRICTION",
        1330 => "ERROR_PASSWORD_EXPIRED",
        1331 => "ERROR_ACCOUNT_DISABLED",
        1385 => "ERROR_LOGON_TYPE_NOT_GRANTED",
        1450 => "ERROR_NO_SYSTEM_RESOURCES",
        1909 => "ERROR_ACCOUNT_LOCKED_OUT",
        _ => return None,
    })
}

fn kind_of(status: NtStatus) -> ErrorKind {
    match status {
        NtStatus::LOGON_FAILURE
        | NtStatus::ACCOUNT_RESTRICTION
        | NtStatus::ACCOUNT_DISABLED
        | NtStatus::ACCOUNT_LOCKED_OUT
        | NtStatus::PASSWORD_EXPIRED
        | NtStatus::LOGON_TYPE_NOT_GRANTED
        | NtStatus::NO_SUCH_USER
        | NtStatus::WRONG_PASSWORD => ErrorKind::LogonFailed,
        NtStatus::ACCESS_DENIED
        | NtStatus::PRIVILEGE_NOT_HELD
        | NtStatus::NETWORK_ACCESS_DENIED => ErrorKind::AccessDenied,
        NtStatus::USER_SESSION_DELETED
        | NtStatus::NETWORK_SESSION_EXPIRED
        | NtStatus::NETWORK_NAME_DELETED
        | NtStatus::PIPE_BROKEN
        | NtStatus::PIPE_DISCONNECTED
        | NtStatus::PIPE_CLOSING
        | NtStatus::FILE_CLOSED => ErrorKind::ConnectionLost,
        NtStatus::IO_TIMEOUT => ErrorKind::TimedOut,
        NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::BAD_NETWORK_NAME => ErrorKind::Unreachable,
        _ => ErrorKind::Refused,
    }
}

/// RtlNtStatusToDosError for what an SMB server answers on the way to a pipe. A pipe that
/// is not there is, seen by an RPC client, a server that is not there.
fn win32_of(status: NtStatus) -> u32 {
    match status {
        NtStatus::ACCESS_DENIED => 5,
        NtStatus::PRIVILEGE_NOT_HELD => 1314,
        NtStatus::NETWORK_ACCESS_DENIED => 65,
        NtStatus::LOGON_FAILURE | NtStatus::NO_SUCH_USER | NtStatus::WRONG_PASSWORD => 1326,
        NtStatus::ACCOUNT_RESTRICTION => 1327,
        NtStatus::PASSWORD_EXPIRED => 1330,
        NtStatus::ACCOUNT_DISABLED => 1331,
        NtStatus::LOGON_TYPE_NOT_GRANTED => 1385,
        NtStatus::ACCOUNT_LOCKED_OUT => 1909,
        NtStatus::OBJECT_NAME_NOT_FOUND => 1722,
        NtStatus::BAD_NETWORK_NAME => 67,
        NtStatus::USER_SESSION_DELETED
        | NtStatus::NETWORK_SESSION_EXPIRED
        | NtStatus::NETWORK_NAME_DELETED
        | NtStatus::FILE_CLOSED => 64,
        NtStatus::PIPE_BROKEN => 109,
        NtStatus::PIPE_DISCONNECTED => 233,
        NtStatus::PIPE_CLOSING => 232,
        NtStatus::PIPE_BUSY | NtStatus::PIPE_NOT_AVAILABLE | NtStatus::INSTANCE_NOT_AVAILABLE => {
            231
        }
        NtStatus::IO_TIMEOUT => 121,
        NtStatus::NOT_SUPPORTED => 50,
        NtStatus::REQUEST_NOT_ACCEPTED => 71,
        NtStatus::INVALID_PARAMETER => 87,
        NtStatus::NO_MEMORY => 8,
        NtStatus::INSUFFICIENT_RESOURCES => 1450,
        NtStatus::INSUFF_SERVER_RESOURCES => 1130,
        _ => 1726,
    }
}

/// Fault codes of C706 appendix E and [MS-RPCE] 2.2.2; small numbers are Win32 already.
fn win32_of_fault(status: u32) -> u32 {
    match status {
        0x1C01_0002 => 1745,
        0x1C01_0003 => 1717,
        0x1C00_0006 => 1733,
        1..=0xFFFF => status,
        _ => 1726,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_number_name_and_advice() {
        let error = Error::net_api("ending \\\\a of bob on srv".to_owned(), 2312);
        assert_eq!(error.kind(), ErrorKind::NoSuchSession);
        assert_eq!(
            error.to_string(),
            "ending \\\\a of bob on srv: NERR_ClientNameNotFound (2312); \
             list the sessions to see the names in use"
        );
        let error = Error::smb(
            "logging on to srv as admin".to_owned(),
            smb_client::Error::Status {
                command: Command::SESSION_SETUP,
                status: NtStatus::LOGON_FAILURE,
            },
        );
        assert_eq!(
            (error.kind(), error.net_api_status()),
            (ErrorKind::LogonFailed, 1326)
        );
        assert_eq!(
            error.to_string(),
            "logging on to srv as admin: STATUS_LOGON_FAILURE (0xC000006D); \
             check domain, user and password"
        );
        let error = Error::fault("listing".to_owned(), 0x1C01_0002);
        assert_eq!(error.net_api_status(), 1745);
        assert_eq!(
            error.to_string(),
            "listing: RPC fault 0x1C010002, RPC_S_PROCNUM_OUT_OF_RANGE (1745)"
        );
        let error = Error::smb("connecting to srv".to_owned(), smb_client::Error::TimedOut);
        assert_eq!(
            error.to_string(),
            "connecting to srv: no answer within the time limit (ERROR_SEM_TIMEOUT (121)); \
             the host may be overloaded; try again or raise the limit"
        );
    }

    #[test]
    fn a_refused_account_names_what_an_administrator_has_to_do() {
        for (status, expected) in [
            (NtStatus::ACCOUNT_DISABLED, "enable the account"),
            (NtStatus::ACCOUNT_LOCKED_OUT, "unlock the account"),
            (NtStatus::PASSWORD_EXPIRED, "new password"),
            (NtStatus::ACCOUNT_RESTRICTION, "lift the restriction"),
            (NtStatus::LOGON_TYPE_NOT_GRANTED, "over the network"),
        ] {
            let refusal = smb_client::Error::Status {
                command: Command::SESSION_SETUP,
                status,
            };
            let error = Error::smb("logging on to srv as bob".to_owned(), refusal);
            assert_eq!(error.kind(), ErrorKind::LogonFailed);
            let line = error.to_string();
            assert!(line.contains("an administrator has to"), "{line}");
            assert!(line.contains(expected), "{line}");
            assert!(!line.contains("check domain"), "{line}");
        }
    }
}
