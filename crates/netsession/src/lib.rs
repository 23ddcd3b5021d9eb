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
//! let mut sessions = server.sessions(&SessionFilter::default(), SessionLevel::Info502);
//! while let Some(session) = sessions.next_session().await {
//!     println!("{:?}", session?);
//! }
//! drop(sessions);
//! server.end(Some("192.0.2.10"), Some("alice")).await?;
//! server.disconnect().await
//! # }
//! ```

mod credentials;
mod error;
mod level_choice;
mod local_socket;
mod name;
mod options;
mod pipe;
mod server;
mod session_cursor;
mod session_info;
mod sessions;
mod target;

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
pub use srvsvc::{FileInfo, NetApiStatus, ServerInfo, SessionLevel, ShareInfo};
pub use target::Target;
