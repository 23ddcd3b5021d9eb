//! The command line of the load generator.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};
use netsession::Credentials;

use crate::siege::Siege;

/// SMB 3.1.1 sessions from many loopback addresses; prints one JSON object.
#[derive(Debug, Parser)]
#[command(name = "netsession-load")]
pub struct Arguments {
    /// Which server, as whom.
    #[command(flatten)]
    pub server: ServerArguments,
    /// Give up after this many seconds.
    #[arg(long, default_value_t = 900, global = true)]
    pub longest: u64,
    /// What to do.
    #[command(subcommand)]
    pub work: Work,
}

/// Which server, as whom.
#[derive(Args, Clone, Debug)]
pub struct ServerArguments {
    /// Address and port of the server, a loopback address
    #[arg(long)]
    pub server: SocketAddr,
    /// Who holds sessions: USER%PASSWORD
    #[arg(long, default_value = "alice%Al1ce.Pw")]
    pub user: Credentials,
    /// Who asks for sessions and ends them: USER%PASSWORD
    #[arg(long, default_value = "admin%Adm1n.Pw")]
    pub admin: Credentials,
    /// The share of the work on files
    #[arg(long, default_value = "data")]
    pub share: String,
    /// Encrypt every message of a session, instead of signing it
    #[arg(long)]
    pub encrypt: bool,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Work {
    /// Hold sessions until standard input ends; says when they are there
    Hold(Hold),
    /// Latency of NetrSessionEnum on a bound pipe
    Enum(Enum),
    /// Every session in pages, beside a bare copy of the same bytes
    EnumAll(EnumAll),
    /// Latency of NetrSessionEnum with both filters
    GetOne(GetOne),
    /// Latency of NetrSessionDel of one session
    Del(Del),
    /// One NetrSessionDel of many sessions, and the delay that others feel meanwhile
    DelMany(DelMany),
    /// Session set-ups per second
    Setup(Setup),
    /// Pairs of CREATE and CLOSE per second
    OpenClose(OpenClose),
    /// ECHO requests per second
    Echo(Echo),
    /// The bytes of ECHO over bare TCP connections, without any server of SMB
    BareEcho(Rate),
    /// Pairs of LOCK and UNLOCK per second, all on one file
    Lock(Rate),
    /// CREATE of a file of which another client has a batch oplock
    BreakOplock(BreakOplock),
    /// Changes told of directories that are watched
    Watch(Watch),
    /// ECHO while others create names that are not there
    CreateMissing(CreateMissing),
    /// Listing a directory from its open to its close
    ListDir(ListDir),
    /// An attack, beside clients who work and an administrator who ends it
    Siege(Siege),
}

/// `hold`.
#[derive(Args, Clone, Debug)]
pub struct Hold {
    /// Sessions, each with one tree connect
    #[arg(long)]
    pub sessions: u32,
    /// Sessions on each connection; each connection has an address of its own
    #[arg(long, default_value_t = 1)]
    pub per_connection: u32,
    /// Files open in each session
    #[arg(long, default_value_t = 0)]
    pub open_files: u32,
    /// Byte-range locks that the first session holds on one file
    #[arg(long, default_value_t = 0)]
    pub locks: u32,
}

/// `enum`.
#[derive(Args, Clone, Debug)]
pub struct Enum {
    /// Level: 0, 1, 2, 10 or 502
    #[arg(long, default_value_t = 1)]
    pub level: u32,
    /// Rows that must come
    #[arg(long)]
    pub rows: usize,
    /// Calls to measure
    #[arg(long, default_value_t = 200)]
    pub calls: usize,
    /// Bind with fragments of this many bytes; most clients take 4280
    #[arg(long)]
    pub fragment: Option<u16>,
    /// Bytes asked for in one READ, with --fragment
    #[arg(long, default_value_t = 65_536)]
    pub read: u32,
}

/// `enum-all`.
#[derive(Args, Clone, Debug)]
pub struct EnumAll {
    /// Level: 0, 1, 2, 10 or 502
    #[arg(long, default_value_t = 502)]
    pub level: u32,
    /// Rows that must come
    #[arg(long)]
    pub rows: usize,
    /// PreferedMaximumLength of a page, in bytes
    #[arg(long, default_value_t = 256 * 1024)]
    pub page: u32,
    /// How often, each way
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
}

/// `get-one`.
#[derive(Args, Clone, Debug)]
pub struct GetOne {
    /// Level: 0, 1, 2, 10 or 502
    #[arg(long, default_value_t = 502)]
    pub level: u32,
    /// Calls to measure
    #[arg(long, default_value_t = 1000)]
    pub calls: usize,
}

/// `del`.
#[derive(Args, Clone, Debug)]
pub struct Del {
    /// Sessions to set up and end, each from an address of its own
    #[arg(long, default_value_t = 200)]
    pub victims: u32,
}

/// `del-many`.
#[derive(Args, Clone, Debug)]
pub struct DelMany {
    /// Sessions to set up and end with one call
    #[arg(long, default_value_t = 10_000)]
    pub sessions: u32,
    /// Sessions on each connection
    #[arg(long, default_value_t = 50)]
    pub per_connection: u32,
    /// Whose sessions they are: USER%PASSWORD
    #[arg(long, default_value = "bob%B0b.Pw")]
    pub victim: Credentials,
}

/// `setup`.
#[derive(Args, Clone, Debug)]
pub struct Setup {
    /// Threads, each with one client
    #[arg(long, default_value_t = 4)]
    pub threads: u32,
    /// All sessions of a thread on one connection, instead of a new one for each
    #[arg(long)]
    pub same_connection: bool,
    /// How long
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
}

/// `open-close`.
#[derive(Args, Clone, Debug)]
pub struct OpenClose {
    /// How many clients, and how long.
    #[command(flatten)]
    pub rate: Rate,
    /// With a lease asked for, which must be granted
    #[arg(long)]
    pub lease: bool,
}

/// `echo`.
#[derive(Args, Clone, Debug)]
pub struct Echo {
    /// How many clients, and how long.
    #[command(flatten)]
    pub rate: Rate,
    /// Requests under way on each connection
    #[arg(long, default_value_t = 1)]
    pub outstanding: u32,
}

/// `break-oplock`.
#[derive(Args, Clone, Debug)]
pub struct BreakOplock {
    /// Oplocks broken
    #[arg(long, default_value_t = 500)]
    pub rounds: usize,
}

/// `watch`.
#[derive(Args, Clone, Debug)]
pub struct Watch {
    /// Directories watched
    #[arg(long, default_value_t = 1_000)]
    pub directories: u32,
    /// Files made, in each directory in turn
    #[arg(long, default_value_t = 10_000)]
    pub changes: u32,
}

/// `create-missing`.
#[derive(Args, Clone, Debug)]
pub struct CreateMissing {
    /// The directory, relative to the share
    #[arg(long)]
    pub name: String,
    /// Connections that create, each with its thread
    #[arg(long, default_value_t = 4)]
    pub connections: u32,
    /// How long
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
}

/// How many clients, and how long.
#[derive(Args, Clone, Debug)]
pub struct Rate {
    /// Connections, each with its thread
    #[arg(long, default_value_t = 4)]
    pub connections: u32,
    /// Wait for answers as an asynchronous program does (epoll), not in the system call
    #[arg(long)]
    pub asynchronous: bool,
    /// How long
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
}

/// `list-dir`.
#[derive(Args, Clone, Debug)]
pub struct ListDir {
    /// The directory, relative to the share
    #[arg(long)]
    pub name: String,
    /// Entries that must come, without `.` and `..`
    #[arg(long)]
    pub entries: usize,
    /// How often
    #[arg(long, default_value_t = 20)]
    pub rounds: usize,
    /// OutputBufferLength of a request, in bytes; smbclient asks for 64 KiB
    #[arg(long, default_value_t = 65_536)]
    pub buffer: u32,
}
