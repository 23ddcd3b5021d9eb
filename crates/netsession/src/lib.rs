//! Sessions of an SMB server, asked and ended from Rust: NetSessionEnum, NetSessionGetInfo
//! and NetSessionDel over `\PIPE\srvsvc`.
//!
//! ```no_run
//! # async fn example() -> Result<(), netsession::Error> {
//! use netsession::{Credentials, Options, Server, SessionFilter, SessionLevel, Target};
//!
//! let target = Target::parse(r"\\srv")?;
//! let credentials = Credentials::parse(r"DOMAIN\admin%secret")?;
//! let mut server = Server::connect(&target, &credentials, &Options::default()).await?;
//! for session in server.sessions(&SessionFilter::default(), SessionLevel::Info502).await? {
//!     println!("{session:?}");
//! }
//! server.end(Some("192.0.2.10"), Some("alice")).await?;
//! server.disconnect().await
//! # }
//! ```

mod credentials;
mod error;
mod name;
mod options;
mod pipe;
mod server;
mod session_pages;
mod target;

pub mod blocking;
pub mod smb_client;

pub use credentials::Credentials;
pub use error::{Code, Error, ErrorKind};
pub use options::{Encryption, Options};
pub use rpc::Syntax;
pub use server::{Ended, Server, SessionFilter};
pub use session_pages::SessionPages;
pub use smb::crypto::{Cipher, SigningAlgorithm};
pub use smb::wire::Dialect;
pub use srvsvc::{
    NetApiStatus, SESS_GUEST, SESS_NOENCRYPTION, ServerInfo, SessionInfo, SessionLevel, ShareInfo,
};
pub use target::Target;
