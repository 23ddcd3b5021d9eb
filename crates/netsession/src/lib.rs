//! Sessions of an SMB server, asked and ended from Rust: NetSessionEnum, NetSessionGetInfo
//! and NetSessionDel of any server that speaks [MS-SRVS], or of this machine.
//!
//! [`Server`] is a connection to one of them. [`blocking`] is the same without `async`,
//! [`fan_out`] asks many at once, [`netapi`] has the functions in the shape of netapi32,
//! [`adsi`] in that of ADSI's file service.
//!
//! # List
//!
//! ```
//! # mod doctest { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/server.rs")); }
//! # doctest::run(async |doctest::Given { address, .. }| {
//! use netsession::{Credentials, Options, Server, SessionFilter, SessionLevel, Target};
//!
//! let target = Target::parse(&address)?; // "srv", r"\\srv", "srv:4450", "[::1]:4450"
//! let credentials = Credentials::parse("admin%Adm1n.Pw")?; // or r"DOMAIN\admin%password"
//! let mut server = Server::connect(&target, &credentials, &Options::default()).await?;
//! let mut sessions = server.sessions(&SessionFilter::default(), SessionLevel::Info502);
//! while let Some(session) = sessions.next_session().await {
//!     let session = session?;
//!     println!("{} {:?} {:?}", session.client(), session.username(), session.idle_time());
//! }
//! # Ok(()) });
//! ```
//!
//! # Filter
//!
//! By client computer, by user, or by both; names that nobody bears are an error. A level is
//! what the server tells: [`SessionInfo`] has one variant for each.
//!
//! ```
//! # mod doctest { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/server.rs")); }
//! # doctest::run(async |doctest::Given { address, .. }| {
//! # use netsession::{Credentials, ErrorKind, Options, Server, SessionFilter, SessionInfo, SessionLevel, Target};
//! # let (target, credentials) = (Target::parse(&address)?, Credentials::parse("admin%Adm1n.Pw")?);
//! # let mut server = Server::connect(&target, &credentials, &Options::default()).await?;
//! let mut filter = SessionFilter { user: Some("alice".to_owned()), ..Default::default() };
//! let sessions = server.sessions(&filter, SessionLevel::Info10).collect().await?;
//! assert_eq!(sessions[0].client(), "127.0.0.9");
//!
//! filter.user = Some("nobody".to_owned());
//! let error = server.sessions(&filter, SessionLevel::Info10).collect().await.unwrap_err();
//! assert_eq!((error.kind(), error.net_api_status()), (ErrorKind::NoSuchSession, 2221));
//!
//! let one = server.session("127.0.0.9", "alice", SessionLevel::Info1).await?;
//! let SessionInfo::Info1(one) = one else { unreachable!("not the level asked for") };
//! assert!(one.num_opens == 1 && !one.user_flags.is_guest());
//! # Ok(()) });
//! ```
//!
//! # End
//!
//! The sessions of a user, of a computer, or of a user on a computer. Files that a session
//! has open are closed, without what the client still holds in memory.
//!
//! ```
//! # mod doctest { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/server.rs")); }
//! # doctest::run(async |doctest::Given { address, .. }| {
//! # use netsession::{Credentials, Ended, Options, Server, Target};
//! # let (target, credentials) = (Target::parse(&address)?, Credentials::parse("admin%Adm1n.Pw")?);
//! # let mut server = Server::connect(&target, &credentials, &Options::default()).await?;
//! match server.end(Some("127.0.0.9"), Some("alice")).await {
//!     Ok(Ended::Confirmed) => println!("ended"),
//!     Ok(Ended::ConnectionLost) => println!("it was this program's own session"),
//!     Err(error) => return Err(error), // what was tried, what came back, what to do
//! }
//! let again = server.end(Some("127.0.0.9"), Some("alice")).await.unwrap_err();
//! assert_eq!(again.name(), Some("NERR_ClientNameNotFound"));
//! server.disconnect().await?;
//! # Ok(()) });
//! ```
//!
//! # Page
//!
//! A listing asks for pages as they are needed, and for no more once it is dropped: a million
//! sessions cost no more memory than [`Options::page_bytes`]. It is a
//! [`Stream`](futures_core::Stream) for who has combinators, and an iterator in [`blocking`].
//!
//! ```
//! # mod doctest { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/server.rs")); }
//! # doctest::run_blocking(|doctest::Given { address, .. }| {
//! use netsession::blocking::Server;
//! # use netsession::{Credentials, Options, SessionFilter, SessionLevel, Target};
//! # let (target, credentials) = (Target::parse(&address)?, Credentials::parse("admin%Adm1n.Pw")?);
//!
//! let options = Options { page_bytes: 16 * 1024, ..Options::default() };
//! let mut server = Server::connect(&target, &credentials, &options)?;
//! let sessions = server.sessions(&SessionFilter::default(), SessionLevel::Info502);
//! for session in sessions.take(100) {
//!     let session = session?;
//!     println!("{} has {:?} opens", session.client(), session.num_opens());
//! }
//! # Ok(()) });
//! ```
//!
//! # This machine
//!
//! Through the Unix socket of its running service, without a password: root, the user the
//! service runs as and its administrators group may do everything.
//!
//! ```
//! # mod doctest { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/server.rs")); }
//! # doctest::run(async |doctest::Given { options, .. }| {
//! use netsession::{ErrorKind, Options, Server, SessionFilter, SessionLevel};
//!
//! let mut server = match Server::this_machine(&options).await {
//!     Err(error) if error.kind() == ErrorKind::ServerNotStarted => return Ok(()), // 2114
//!     connected => connected?,
//! };
//! let all = SessionFilter::default();
//! for session in server.sessions(&all, SessionLevel::Info2).collect().await? {
//!     println!("{session:?}");
//! }
//! # assert_eq!(server.sessions(&all, SessionLevel::Info2).collect().await?.len(), 1);
//! # Ok(()) });
//! ```

mod credentials;
mod error;
mod level_choice;
mod local_socket;
mod name;
mod neighbours;
mod options;
mod pipe;
mod progress;
mod server;
mod session_cursor;
mod session_enum;
mod session_info;
mod sessions;
mod target;
mod walk;

pub mod adsi;
pub mod blocking;
pub mod diagnosis;
pub mod fan_out;
pub mod netapi;
pub mod smb_client;

pub use credentials::Credentials;
pub use error::{Code, Error, ErrorKind};
pub use level_choice::LevelChoice;
pub use options::{Encryption, Options};
pub use rpc::Syntax;
pub use server::{Ended, Server, SessionFilter};
pub use session_cursor::SessionCursor;
pub use session_info::{
    SessionInfo, SessionInfo0, SessionInfo1, SessionInfo2, SessionInfo10, SessionInfo502, UserFlags,
};
pub use sessions::Sessions;
pub use smb::crypto::{Cipher, SigningAlgorithm};
pub use smb::wire::Dialect;
pub use srvsvc::{ConnectionInfo, FileInfo, NetApiStatus, ServerInfo, SessionLevel, ShareInfo};
pub use target::Target;
