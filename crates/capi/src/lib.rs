//! `libnetsession`: NetSessionEnum, NetSessionGetInfo and NetSessionDel for C, with the names,
//! types and layouts of lmshare.h and lmapibuf.h. The headers in `include/netsession` are the
//! documentation for its users.
//!
//! Invariants:
//! - No panic leaves an exported function: [`guard::guarded`] turns it into 2140.
//! - What is returned before the network answers is decided in this order: out parameters are
//!   reset, then pointers and text are judged (87), then the call is made.
//! - Every buffer handed out stands in [`buffer`]'s account until it is freed.
//! - Unsafe code lives in the modules that allow it below, each block with its reason.

#[allow(unsafe_code)]
mod buffer;
#[allow(unsafe_code)]
mod entry;
#[allow(unsafe_code)]
mod exports;
mod guard;
#[allow(unsafe_code)]
mod parameter;
mod settings;
#[allow(unsafe_code)]
mod signal;
mod status;
