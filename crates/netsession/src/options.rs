//! How to connect.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use rpc::Syntax;
use smb::wire::Dialect;

/// When messages are encrypted ([MS-SMB2] 3.2.4.1.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// When the server asks for it, for the session or for the share.
    #[default]
    IfRequired,
    /// Always; a server that cannot is refused.
    Required,
}

/// How to connect. Every message is signed as soon as the session has a key; there is no
/// switch for that.
#[derive(Clone, Debug)]
pub struct Options {
    /// Limit for name resolution and the TCP connection.
    pub connect_timeout: Duration,
    /// Limit from the first SMB message to the bound pipe. A Windows server delays a failed
    /// logon by 2 s.
    pub logon_timeout: Duration,
    /// Limit for one call (for an enumeration: one page).
    pub call_timeout: Duration,
    /// Dialects to offer, in any order. Below 3.1.1 the negotiation is validated afterwards
    /// (FSCTL_VALIDATE_NEGOTIATE_INFO).
    pub dialects: Vec<Dialect>,
    /// When messages are encrypted.
    pub encryption: Encryption,
    /// Transfer syntaxes to offer for the calls, at least one. Samba takes NDR 2.0 only, and
    /// Windows NDR64 only if it is offered.
    pub transfer_syntaxes: Vec<Syntax>,
    /// Local address to connect from.
    pub source_address: Option<IpAddr>,
    /// Unix socket of the Server service of this machine, for
    /// [`Target::this_machine`](crate::Target::this_machine). `None`: what the environment
    /// variable `NETSESSION_LOCAL_SOCKET` says, else the service's default places.
    pub local_socket: Option<PathBuf>,
    /// Bytes of one page of an enumeration (PreferedMaximumLength). A page is held in memory
    /// twice for a moment: who asks many servers at once takes less than the default of
    /// 256 KiB, which is a few thousand sessions. A server gives at least one session.
    pub page_bytes: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            logon_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(30),
            dialects: vec![
                Dialect::SMB311,
                Dialect::SMB302,
                Dialect::SMB300,
                Dialect::SMB210,
                Dialect::SMB202,
            ],
            encryption: Encryption::default(),
            transfer_syntaxes: vec![Syntax::Ndr20, Syntax::Ndr64],
            source_address: None,
            local_socket: None,
            page_bytes: 256 * 1024,
        }
    }
}
