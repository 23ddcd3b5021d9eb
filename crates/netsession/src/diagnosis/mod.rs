//! [`diagnose`]: why a server can or cannot be asked for its sessions, step by step, and
//! what would have to change. Nothing is changed by it.

mod findings;
mod procedure;
mod smb1;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use rpc::Syntax;
use smb::Guid;
use smb::crypto::{Cipher, SigningAlgorithm};
use smb::wire::Dialect;
use srvsvc::{ServerInfo, SessionLevel};

use crate::{Credentials, Error, Options, SessionInfo, Target};

pub use findings::{Finding, Severity};

/// What was found out about a server. Steps that were not reached, or that there are none
/// of on this machine, are `None` or empty.
#[derive(Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The server.
    pub target: Target,
    /// The user that asked, `DOMAIN\user` or `anonymous`. On this machine `None`: the rights
    /// are those of the process.
    pub user: Option<String>,
    /// The addresses of the name, at least one.
    pub resolution: Option<Step<Vec<SocketAddr>>>,
    /// The addresses tried, in this order; all but the last failed.
    pub connections: Vec<Connecting>,
    /// NEGOTIATE ([MS-SMB2] 3.2.4.2.2).
    pub negotiation: Option<Step<Negotiation>>,
    /// After a failed negotiation: whether the server speaks SMB1, and so probably nothing
    /// else.
    pub speaks_smb1: Option<bool>,
    /// SESSION_SETUP ([MS-SMB2] 3.2.4.2.3).
    pub logon: Option<Step<Logon>>,
    /// The way to srvsvc: IPC$, its pipe, and the bind; on this machine the Unix socket and
    /// the bind.
    pub binding: Option<Step<Binding>>,
    /// NetrServerGetInfo at 100, 101 and 102, the number of each level with its answer.
    pub server_info: Vec<(u32, Step<ServerInfo>)>,
    /// What the answers look like.
    pub software: Option<Software>,
    /// NetrSessionEnum at 0, 1, 2, 10 and 502.
    pub levels: Vec<(SessionLevel, Step<LevelAnswer>)>,
    /// Who the server thinks we are: of the sessions of this user the one that began last,
    /// if a level with user names is open to us.
    pub own_session: Option<SessionInfo>,
    /// The limit of [`diagnose_within`], if it was over before everything was looked at.
    pub cut_off: Option<Duration>,
    /// What follows from all that, in the order of the steps.
    pub findings: Vec<Finding>,
    /// All steps together.
    pub elapsed: Duration,
}

/// How one step went, and how long it took.
#[derive(Debug)]
pub struct Step<T> {
    /// What it found, or why it failed.
    pub result: Result<T, Error>,
    /// Its time.
    pub elapsed: Duration,
}

/// A TCP connection tried.
#[derive(Debug)]
pub struct Connecting {
    /// Where to.
    pub address: SocketAddr,
    /// How it went.
    pub step: Step<()>,
}

/// What was negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negotiation {
    /// The dialect.
    pub dialect: Dialect,
    /// How messages are signed.
    pub signing_algorithm: SigningAlgorithm,
    /// The server insists on signatures. This client signs in any case.
    pub signing_required: bool,
    /// How messages can be encrypted; `None` if they cannot.
    pub cipher: Option<Cipher>,
    /// ServerGuid.
    pub server_guid: Guid,
    /// Capabilities, SMB2_GLOBAL_CAP_* ([MS-SMB2] 2.2.4).
    pub capabilities: u32,
    /// MaxTransactSize in bytes, as far as this client uses it: at most 8 MiB.
    pub max_transact_size: u32,
    /// MaxReadSize in bytes, likewise.
    pub max_read_size: u32,
    /// MaxWriteSize in bytes, likewise.
    pub max_write_size: u32,
}

/// A logon that worked, with NTLMv2.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Logon {
    /// SessionId.
    pub session_id: u64,
    /// The server made it a guest session (SMB2_SESSION_FLAG_IS_GUEST). Only if the
    /// credentials are anonymous; else this client refuses such a logon.
    pub guest: bool,
    /// The server made it an anonymous session (SMB2_SESSION_FLAG_IS_NULL). Likewise.
    pub anonymous: bool,
    /// Messages are signed; not in an anonymous session, which has no key.
    pub signed: bool,
    /// The whole session is encrypted.
    pub encrypted: bool,
}

/// An association with srvsvc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binding {
    /// The transfer syntax of the stubs.
    pub syntax: Syntax,
    /// Calls are encrypted, because the session or IPC$ is.
    pub encrypted: bool,
}

/// What came of asking for sessions at one level. Only a first small page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelAnswer {
    /// Sessions on the page.
    pub entries_read: usize,
    /// Sessions in all, as the server says.
    pub total_entries: u32,
}

/// What a server seems to be. None of them says so; it follows from their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Software {
    /// Samba's smbd: NT with the bit SV_TYPE_SERVER_UNIX, or a comment that begins with
    /// `Samba`.
    Samba,
    /// Windows, or a server that answers like it, such as this project's.
    WindowsLike,
}

impl Diagnosis {
    /// Sessions can be listed, at one level at least.
    pub fn can_list(&self) -> bool {
        self.levels.iter().any(|(_, step)| step.result.is_ok())
    }

    /// The gravest of the findings.
    pub fn severity(&self) -> Severity {
        let severities = self.findings.iter().map(|finding| finding.severity);
        severities.max().unwrap_or(Severity::Ok)
    }

    /// The fullest of what NetrServerGetInfo told.
    pub fn server(&self) -> Option<&ServerInfo> {
        let told = self.server_info.iter().rev();
        told.flat_map(|(_, step)| step.result.as_ref().ok()).next()
    }
}

/// Looks at each step on the way to a server's sessions. It takes as long as the server
/// does, each step within the limits of `options`; after a step that has failed those that
/// need it are left out. [`Target::this_machine`] is asked through its Unix socket.
///
/// A failure is a result here, never an error.
pub async fn diagnose(target: &Target, credentials: &Credentials, options: &Options) -> Diagnosis {
    look(target, credentials, options, None).await
}

/// [`diagnose`] with a limit for all steps together: what was found until then is told, and
/// where it ended.
pub async fn diagnose_within(
    limit: Duration,
    target: &Target,
    credentials: &Credentials,
    options: &Options,
) -> Diagnosis {
    look(target, credentials, options, Some(limit)).await
}

async fn look(
    target: &Target,
    credentials: &Credentials,
    options: &Options,
    limit: Option<Duration>,
) -> Diagnosis {
    let mut diagnosis = procedure::run(target, credentials, options, limit).await;
    diagnosis.findings = findings::of(&diagnosis);
    diagnosis
}

/// [`diagnose`] without async.
///
/// # Errors
/// [`crate::ErrorKind::Refused`] with 8 if the system has no descriptors left.
///
/// # Panics
/// Inside an async runtime.
pub fn diagnose_blocking(
    target: &Target,
    credentials: &Credentials,
    options: &Options,
) -> Result<Diagnosis, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            let tried = format!("preparing to look at {target}");
            let code = Some(crate::Code::NetApiStatus(8));
            Error::new(crate::ErrorKind::Refused, tried, error.to_string(), code)
        })?;
    Ok(runtime.block_on(diagnose(target, credentials, options)))
}
