//! Who a client can be: the seam between logon and the store of accounts.

use std::sync::Arc;

use smb::NtStatus;

/// A security identifier, printed form (`S-1-5-32-544`).
pub type Sid = Arc<str>;

/// BUILTIN\Administrators ([MS-DTYP] 2.4.2.4).
pub const SID_ADMINISTRATORS: &str = "S-1-5-32-544";
/// BUILTIN\Server Operators.
pub const SID_SERVER_OPERATORS: &str = "S-1-5-32-549";
/// BUILTIN\Guests.
pub const SID_GUESTS: &str = "S-1-5-32-546";
/// NT AUTHORITY\Authenticated Users.
pub const SID_AUTHENTICATED_USERS: &str = "S-1-5-11";
/// NT AUTHORITY\NETWORK: in every token of a network logon.
pub const SID_NETWORK: &str = "S-1-5-2";
/// NT AUTHORITY\ANONYMOUS LOGON.
pub const SID_ANONYMOUS: &str = "S-1-5-7";

/// What the server knows of a user who has logged on ([MS-SMB2] 3.3.1.8 SecurityContext).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityContext {
    /// Bare account name, as stored (not as typed).
    pub user_name: Arc<str>,
    /// Account domain or computer name.
    pub domain: Arc<str>,
    /// The account's own, the same at every logon: what descriptors of files call it.
    pub sid: Sid,
    /// Groups of the token, well-known ones included.
    pub groups: Arc<[Sid]>,
    /// Logged on as guest.
    pub is_guest: bool,
    /// Anonymous (null session).
    pub is_anonymous: bool,
}

impl SecurityContext {
    /// Who has said no name and shown no password.
    pub(crate) fn nobody() -> Self {
        Self {
            user_name: "".into(),
            domain: "".into(),
            sid: SID_ANONYMOUS.into(),
            groups: [SID_NETWORK.into()].into(),
            is_guest: false,
            is_anonymous: true,
        }
    }

    /// Member of the group?
    pub fn has(&self, sid: &str) -> bool {
        self.groups.iter().any(|group| &**group == sid)
    }
}

/// One account as the store hands it to a logon.
#[derive(Clone)]
pub struct Account {
    /// MD4 of the UTF-16LE password.
    pub nt_hash: [u8; 16],
    /// What the session gets if the proof is right.
    pub security_context: Arc<SecurityContext>,
    /// `None` if it may log on; else the status that a right password gets
    /// (ACCOUNT_DISABLED, …). A wrong one always gets LOGON_FAILURE.
    pub refused: Option<NtStatus>,
}

/// A store of accounts.
pub trait AccountStore: Send + Sync + 'static {
    /// Looks a user up without regard to case. `domain` is as the client sent it: a local
    /// store may ignore it.
    fn account(&self, domain: &str, user_name: &str) -> Option<Account>;

    /// Context for anonymous logons; `None` refuses them.
    fn anonymous(&self) -> Option<Arc<SecurityContext>>;
}
