//! Sessions and open files as ADSI shows them: IADsFileServiceOperations, IADsCollection,
//! IADsSession and IADsResource of the WinNT: provider, over the same calls as the rest of
//! this crate.
//!
//! A script that ends the sessions of a user on Windows,
//!
//! ```vb
//! Set fso = GetObject("WinNT://srv/LanmanServer,FileService")
//! For Each session In fso.Sessions
//!     WScript.Echo session.User, session.Computer, session.ConnectTime
//!     If session.User = "alice" Then fso.Sessions.Remove session.Name
//! Next
//! ```
//!
//! reads here, without async ([`blocking`]; the same with `.await` without it):
//!
//! ```
//! # mod doctest { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/server.rs")); }
//! # doctest::run_blocking(|doctest::Given { address, .. }| { (|| -> netsession::adsi::Result<()> {
//! # let path = &format!("WinNT://{address}/LanmanServer,FileService");
//! use netsession::adsi::blocking::get_object;
//! use netsession::{Credentials, Options};
//!
//! // path is "WinNT://srv/LanmanServer,FileService"
//! let credentials = Credentials::parse("admin%Adm1n.Pw")?;
//! let fso = get_object(path, &credentials, &Options::default())?;
//! for session in fso.sessions().new_enum()? {
//!     println!("{} {} {:?}", session.user(), session.computer(), session.connect_time());
//!     if session.user() == "alice" {
//!         fso.sessions().remove(&session.name())?;
//!     }
//! }
//! # assert_eq!(fso.sessions().new_enum()?.count(), 1);
//! # Ok(()) })().unwrap(); Ok(()) });
//! ```
//!
//! Properties have methods, and names for who knows them only at run time. What is wrong has
//! a number:
//!
//! ```
//! # mod doctest { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/server.rs")); }
//! # doctest::run_blocking(|doctest::Given { address, .. }| { (|| -> netsession::adsi::Result<()> {
//! # let path = &format!("WinNT://{address}/LanmanServer");
//! # let credentials = netsession::Credentials::parse("admin%Adm1n.Pw")?;
//! # let fso = netsession::adsi::blocking::get_object(path, &credentials, &Default::default())?;
//! use netsession::adsi::{HResult, Value};
//!
//! println!("{}", fso.description()?);
//! assert_eq!(fso.get("MaxUserCount")?, Value::Long(-1));
//!
//! let mut session = fso.sessions().get_object(r"alice\127.0.0.9")?;
//! assert_eq!(session.user(), "alice");
//! assert_eq!(session.get("Computer")?, Value::from("127.0.0.9"));
//!
//! for resource in fso.resources().new_enum()? {
//!     println!("{} {} {}", resource.user(), resource.path(), resource.lock_count());
//!     if resource.user() == "alice" {
//!         fso.resources().remove(&resource.name())?;
//!     }
//! }
//!
//! fso.sessions().remove(&session.name())?;
//! let error = session.get_info().unwrap_err();
//! assert_eq!(error.hresult(), HResult(0x80070908));
//! assert_eq!(error.hresult().name(), Some("NERR_ClientNameNotFound"));
//! # Ok(()) })().unwrap(); Ok(()) });
//! ```
//!
//! | ADSI | Here | Call |
//! |---|---|---|
//! | `GetObject(path)`, `OpenDSObject` | [`get_object`] | connects |
//! | `fso.Sessions`, `fso.Resources` | [`FileService::sessions`], [`FileService::resources`] | none |
//! | `For Each` (`_NewEnum`) | [`SessionsCollection::new_enum`], [`ResourcesCollection::new_enum`] | NetSessionEnum, NetFileEnum |
//! | `GetObject(name)` | [`SessionsCollection::get_object`], [`ResourcesCollection::get_object`] | NetSessionGetInfo, NetFileEnum |
//! | `Remove(name)` | [`SessionsCollection::remove`], [`ResourcesCollection::remove`] | NetSessionDel, NetFileClose |
//! | `session.User`, `session.Get("User")` | [`Session::user`], [`Session::get`] | none |
//! | `session.GetInfo` | [`Session::get_info`] | NetSessionGetInfo |
//! | `fso.Description`, `fso.Get("MaxUserCount")` | [`FileService::description`], [`FileService::get`] | NetServerGetInfo, once |
//! | `fso.Status` | [`FileService::status`] | NetServerGetInfo |
//! | `Err.Number` | [`Error::hresult`] | |
//!
//! # What is chosen here
//!
//! Where ADSI's documents leave something open, or cannot hold here:
//!
//! - **Times** are seconds. The documents say seconds in one place and minutes in another; the
//!   values behind them are seconds.
//! - **A session's Name** is `user\computer`, compared without case. Two sessions may share it:
//!   `remove` ends both. A session without a user name cannot be named alone, so that removing
//!   it is [`HResult::E_ADS_BAD_PARAMETER`] rather than the end of all sessions of its computer.
//! - **A resource's Name** is the number of the open, in decimal.
//! - **UserPath** needs a domain that the calls do not give: the one in the path of the binding
//!   (`WinNT://DOM/srv/LanmanServer`), or else the server, whose own account it then is.
//! - **The server** in a path may be an address, an IPv6 address in square brackets, and have a
//!   port (`WinNT://srv:1445/LanmanServer`), which the paths of its objects keep. `.` is this
//!   machine through its local socket, without a password; `localhost` is asked over TCP. The
//!   domain in a path chooses no server and no account.
//! - **Binding connects**, so that a wrong name or password shows there.
//! - **Sessions are asked for** at level 10, which needs the weakest right and carries all four
//!   values; of a server that lacks it at 1, 2 or 502.
//! - **Threads** may share everything; the WinNT: provider does not promise that.
//! - **Properties** with no value here (those of the service control manager, GUID) are
//!   [`HResult::E_ADS_PROPERTY_NOT_FOUND`], names the class does not have
//!   [`HResult::E_ADS_PROPERTY_NOT_SUPPORTED`]. `get` knows those of IADs too.
//! - **Not here:** starting and stopping the service (E_NOTIMPL), the shares in the service
//!   (IADsContainer; [`Server::shares`](crate::Server::shares) lists them), FPNW.
//!
//! # Errors
//!
//! Every failure has an HRESULT: 0x8007nnnn for the Win32 or NERR number nnnn of a call (never
//! ERROR_MORE_DATA), or one of ADSI's own.
//!
//! | HRESULT | When |
//! |---|---|
//! | 0x80070005 | the user may not do it |
//! | 0x80070035 | the server cannot be reached |
//! | 0x8007052E | user or password are wrong |
//! | 0x80070842 | `.`: the Server service of this machine is not running |
//! | 0x80070908 | no session of this name, or it has ended |
//! | 0x8007090A | no open of this number, or it has been closed |
//! | 0x80070040 | the connection was lost; the next call connects again |
//! | 0x80005000 | the path is none |
//! | 0x80005004 | the path names something other than a file service |
//! | 0x80005006, 0x8000500D | the property is unknown, has no value |
//! | 0x80005008 | the name of an item has the wrong form |
//! | 0x80004001 | not made here |

mod ads_path;
mod binding;
pub mod blocking;
mod collection;
mod error;
mod file_service;
mod hresult;
pub mod identity;
mod place;
mod resource;
mod session;
mod value;

pub use ads_path::AdsPath;
pub use collection::{Enumerator, ResourcesCollection, SessionsCollection};
pub use error::{Error, Result};
pub use file_service::{FileService, ServiceStatus};
pub use hresult::HResult;
pub use resource::Resource;
pub use session::Session;
pub use value::Value;

use crate::{Credentials, Options};

/// Binds to the file service that `path` names,
/// `WinNT://[domain/]server/LanmanServer[,FileService]`.
///
/// # Errors
/// [`HResult::E_ADS_BAD_PATHNAME`], [`HResult::E_ADS_UNKNOWN_OBJECT`], and those of
/// connecting: 0x80070035 if the server cannot be reached, 0x8007052E if the logon failed,
/// 0x80070842 if it is this machine's and does not run.
pub async fn get_object(
    path: &str,
    credentials: &Credentials,
    options: &Options,
) -> Result<FileService> {
    FileService::bind(&AdsPath::parse(path)?, credentials, options).await
}
