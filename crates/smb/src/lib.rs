//! SMB2/3: wire formats, cryptography and authentication, for both ends.
//!
//! No I/O, no clock, no tasks: bytes, keys, random numbers and times come in as
//! arguments; bytes and decisions go out. Sources: [MS-SMB2] 2 and 3.1.4,
//! [MS-FSCC], [MS-SPNG], [MS-NLMP].

mod file_time;
mod guid;
mod status;

pub mod auth;
pub mod crypto;
pub mod wire;

pub use file_time::FileTime;
pub use guid::Guid;
pub use status::NtStatus;
