//! NET_API_STATUS: the codes that the network management functions return ([MS-SRVS]
//! 2.2.2.10, [MS-ERREF] 2.2). MS-SRVS prints ERROR_NOT_ENOUGH_MEMORY as 0; it is 8.

use std::fmt;

/// A result. Open: any Win32, NERR or RPC number is legal, those this project meets have
/// names and texts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetApiStatus(pub u32);

macro_rules! codes {
    ($($constant:ident = $value:literal, $name:literal, $text:literal;)*) => {
        impl NetApiStatus {
            $(#[doc = concat!($name, " (", stringify!($value), "): ", $text, ".")]
            pub const $constant: Self = Self($value);)*

            /// All codes with a name, ascending.
            pub const KNOWN: &'static [Self] = &[$(Self($value)),*];

            /// The name in the platform's headers, if this project knows the number.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }

            /// What it means, in a few words without a full stop.
            pub fn text(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    SUCCESS = 0, "NERR_Success", "done";
    ACCESS_DENIED = 5, "ERROR_ACCESS_DENIED", "this account lacks the right to do that";
    NOT_ENOUGH_MEMORY = 8, "ERROR_NOT_ENOUGH_MEMORY", "not enough memory for the answer";
    NOT_SUPPORTED = 50, "ERROR_NOT_SUPPORTED", "the server does not offer this call";
    BAD_NETPATH = 53, "ERROR_BAD_NETPATH", "no server of that name can be reached";
    NETNAME_DELETED = 64, "ERROR_NETNAME_DELETED", "the connection went away during the call";
    NETWORK_ACCESS_DENIED = 65, "ERROR_NETWORK_ACCESS_DENIED", "the server lets nobody in over the network here";
    INVALID_PARAMETER = 87, "ERROR_INVALID_PARAMETER", "a parameter is missing, too long or contradicts another";
    INVALID_LEVEL = 124, "ERROR_INVALID_LEVEL", "the call has no such information level";
    MORE_DATA = 234, "ERROR_MORE_DATA", "there are more entries than were returned";
    SERVICE_NOT_ACTIVE = 1062, "ERROR_SERVICE_NOT_ACTIVE", "the service is installed but not running";
    RPC_INVALID_BINDING = 1702, "RPC_S_INVALID_BINDING", "the RPC binding is not usable";
    RPC_UNKNOWN_IF = 1717, "RPC_S_UNKNOWN_IF", "the server has no srvsvc interface";
    RPC_SERVER_UNAVAILABLE = 1722, "RPC_S_SERVER_UNAVAILABLE", "no RPC server answers there";
    RPC_CALL_FAILED = 1726, "RPC_S_CALL_FAILED", "the remote call broke off";
    RPC_INVALID_TAG = 1733, "RPC_S_INVALID_TAG", "the server's stub does not know this level";
    RPC_PROCNUM_OUT_OF_RANGE = 1745, "RPC_S_PROCNUM_OUT_OF_RANGE", "the server does not have this operation";
    RPC_BAD_STUB_DATA = 1783, "RPC_X_BAD_STUB_DATA", "the parameters of the remote call cannot be read";
    NET_NOT_STARTED = 2102, "NERR_NetNotStarted", "the network software of the workstation is not running";
    UNKNOWN_SERVER = 2103, "NERR_UnknownServer", "the server is not known";
    SERVER_NOT_STARTED = 2114, "NERR_ServerNotStarted", "the Server service is not running on this machine";
    BUF_TOO_SMALL = 2123, "NERR_BufTooSmall", "the buffer does not hold even one entry";
    WKSTA_NOT_STARTED = 2138, "NERR_WkstaNotStarted", "the Workstation service is not running";
    INTERNAL_ERROR = 2140, "NERR_InternalError", "the other end failed in a way it does not explain";
    INVALID_API = 2142, "NERR_InvalidAPI", "the server does not know this function";
    USER_NOT_FOUND = 2221, "NERR_UserNotFound", "nobody of that user name has a session";
    NET_NAME_NOT_FOUND = 2310, "NERR_NetNameNotFound", "there is no share of that name";
    CLIENT_NAME_NOT_FOUND = 2312, "NERR_ClientNameNotFound", "no computer of that name has a session";
    FILE_ID_NOT_FOUND = 2314, "NERR_FileIdNotFound", "no open file has that number";
    INVALID_COMPUTER = 2351, "NERR_InvalidComputer", "that is not the form of a computer name (\\\\name)";
}

impl NetApiStatus {
    /// True for NERR_Success.
    pub fn is_success(self) -> bool {
        self == Self::SUCCESS
    }

    /// The Win32 number a client shows for the status of an RPC fault, as [MS-RPCE] clients
    /// map the codes this project can meet; other numbers pass unchanged.
    pub fn from_fault(status: u32) -> Self {
        match status {
            rpc::fault::OP_RNG_ERROR => Self::RPC_PROCNUM_OUT_OF_RANGE,
            rpc::fault::UNK_IF => Self::RPC_UNKNOWN_IF,
            rpc::fault::PROTO_ERROR => Self::RPC_CALL_FAILED,
            rpc::fault::INVALID_TAG => Self::RPC_INVALID_TAG,
            rpc::fault::REMOTE_NO_MEMORY => Self::NOT_ENOUGH_MEMORY,
            other => Self(other),
        }
    }
}

impl fmt::Display for NetApiStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.text()) {
            (Some(name), Some(text)) => write!(f, "{text} ({name}, {})", self.0),
            _ => write!(f, "NET_API_STATUS {}", self.0),
        }
    }
}

impl fmt::Debug for NetApiStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "NetApiStatus({})", self.0),
        }
    }
}

impl std::error::Error for NetApiStatus {}
