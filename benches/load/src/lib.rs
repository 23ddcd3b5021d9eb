//! The load generator: SMB 3.1.1 sessions with NTLMv2, signed or encrypted, from many
//! loopback addresses, and what they do to a server, measured.
//!
//! Built on the project's own client, which waits for each answer before it asks again: a
//! rate is that of so many clients without pipelining. Each command prints one JSON object.

pub mod addresses;
pub mod arguments;
mod bare;
mod beside;
mod caching;
mod client;
mod del;
mod enumeration;
mod fragments;
mod hold;
pub mod latency;
mod locks;
mod outstanding;
mod reply;
mod requests;
mod setup;
pub mod siege;
mod waiting;
mod watch;

use serde_json::Value;

pub use client::Dial;

use arguments::Work;

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client's end of SMB.
    #[error("{0}")]
    Smb(#[from] netsession::smb_client::Error),
    /// The client's end of srvsvc.
    #[error("{0}")]
    Netsession(#[from] netsession::Error),
    /// Bytes of SMB that are none.
    #[error("{0}")]
    Wire(#[from] smb::wire::Error),
    /// Threads, sockets, standard input.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The server did something, but not what was to be measured.
    #[error("{0}")]
    Unexpected(String),
}

/// What comes of the work.
pub type Result<T> = std::result::Result<T, Error>;

/// Does the work and gives what was measured.
///
/// # Errors
/// [`Error`]: a measurement of something else than what was asked for is none.
pub fn run(dial: &Dial, work: &Work) -> Result<Value> {
    match work {
        Work::Hold(hold) => hold::run(dial, hold),
        Work::Enum(list) => enumeration::list(dial, list),
        Work::EnumAll(all) => enumeration::all(dial, all),
        Work::GetOne(one) => enumeration::get_one(dial, one),
        Work::Del(del) => del::one_by_one(dial, del),
        Work::DelMany(del) => del::many(dial, del),
        Work::Setup(setup) => setup::run(dial, setup),
        Work::OpenClose(open_close) => requests::open_close(dial, open_close),
        Work::Echo(echo) => requests::echo(dial, echo),
        Work::BareEcho(rate) => bare::run(rate),
        Work::Lock(rate) => locks::pairs(dial, rate),
        Work::BreakOplock(rounds) => caching::break_oplock(dial, rounds),
        Work::Watch(watch) => watch::run(dial, watch),
        Work::CreateMissing(create) => beside::run(dial, create),
        Work::ListDir(list) => requests::list_dir(dial, list),
        Work::Siege(siege) => siege::run(dial, siege),
    }
}
