//! DCE/RPC version 5 over a connection, for both ends: NDR 2.0 and NDR64 ([`ndr`]), PDUs
//! ([`pdu`]) and associations ([`association`]).
//!
//! No I/O and no clock: bytes come in, bytes and calls go out. Sources: C706 chapters 12 and
//! 14, [MS-RPCE]. Only the little-endian data representation is spoken: every named pipe
//! client known to this project uses it.

pub mod association;
pub mod fault;
pub mod ndr;
pub mod pdu;
mod syntax;

pub use syntax::{Interface, Syntax, SyntaxId, Uuid};
