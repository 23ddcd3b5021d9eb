//! The commands that ask servers: `list`, `show`, `end`, `doctor`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::format::SessionFormat;

/// Who asks, and how long and how well protected.
#[derive(Args, Debug)]
#[command(next_help_heading = "Access")]
pub struct Access {
    /// Who asks; what follows the first % is the password, which other users of this machine
    /// can see in the list of processes [default: the user who runs the program]
    #[arg(short = 'U', long, value_name = r"[DOMAIN\]USER[%PASSWORD]")]
    #[arg(env = "NETSESSION_USER", hide_env_values = true)]
    pub credentials: Option<String>,
    /// Read the password from the first line of a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
    /// Limit for connecting, for logging on and for each call, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// Limit for everything that is asked of one server together, in seconds [default: none; 30 for
    /// each of several servers]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub deadline: Option<f64>,
    /// Refuse servers that cannot encrypt
    #[arg(long)]
    pub encrypt: bool,
    /// Socket of this machine's own service, asked if no server is named [default:
    /// $NETSESSION_LOCAL_SOCKET, else /run/netsession/srvsvc.sock if it is there, else
    /// $XDG_RUNTIME_DIR/netsession/srvsvc.sock]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub local_socket: Option<PathBuf>,
    /// Local address to connect from
    #[arg(long, value_name = "ADDRESS", hide = true)]
    pub source_address: Option<IpAddr>,
}

/// A level of session information.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Client names only
    #[value(name = "0")]
    Info0,
    /// Client, user, opens, times, flags
    #[value(name = "1")]
    Info1,
    /// Level 1 and the type of client
    #[value(name = "2")]
    Info2,
    /// Client, user, times
    #[value(name = "10")]
    Info10,
    /// Level 2 and the transport
    #[value(name = "502")]
    Info502,
}

/// `list`.
#[derive(Args, Debug)]
#[command(after_help = LIST_HELP)]
pub struct ListArguments {
    /// host, host:port, \\host or //host[:port]; @FILE reads one a line (# starts a comment), @-
    /// reads standard input [default: this machine's own service]
    #[arg(value_name = "SERVER|@FILE")]
    #[arg(conflicts_with = "local_socket")]
    pub servers: Vec<String>,
    /// Only sessions of this client computer, as the list spells it (a leading \\ is optional)
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// Only sessions of this user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Level of information [default: the fullest that the server knows: 502, 2, 1, 10, 0]
    #[arg(long, hide_possible_values = true, value_name = "0|1|2|10|502")]
    pub level: Option<Level>,
    /// How many servers are asked at the same time, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOBS)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=MAX_JOBS))]
    pub jobs: u16,
    /// No progress bar, and no notes on standard error but errors
    #[arg(long, short)]
    pub quiet: bool,
    #[command(flatten, next_help_heading = "Output")]
    pub format: SessionFormat,
    #[command(flatten)]
    pub access: Access,
}

/// `show`.
#[derive(Args, Debug)]
#[command(after_help = SHOW_HELP)]
pub struct ShowArguments {
    /// host, host:port, \\host or //host[:port] [default: this machine's own service]
    #[arg(conflicts_with = "local_socket")]
    pub server: Option<String>,
    /// Client computer of the session
    #[arg(long, value_name = "NAME")]
    pub client: String,
    /// User of the session
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Level of information [default: the fullest that the server knows: 502, 2, 1, 10, 0]
    #[arg(long, hide_possible_values = true, value_name = "0|1|2|10|502")]
    pub level: Option<Level>,
    #[command(flatten, next_help_heading = "Output")]
    pub format: SessionFormat,
    #[command(flatten)]
    pub access: Access,
}

/// `end`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("which").args(["client", "user"]).multiple(true).required(true))]
#[command(after_help = "\
Ending a session closes its files without saving what the client still holds in memory. \
The sessions that match are listed first, with the number of files and pipes each has open. Without \
a terminal to ask on, --yes is needed.")]
pub struct EndArguments {
    /// host, host:port, \\host or //host[:port] [default: this machine's own service]
    #[arg(conflicts_with = "local_socket")]
    pub server: Option<String>,
    /// End sessions of this client computer, as `list` spells it (a leading \\ is optional)
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// End sessions of this user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Show what would be ended, and end nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub access: Access,
}

/// `doctor`.
#[derive(Args, Debug)]
#[command(after_help = "\
Goes the way of `list` step by step, asks at every level and shows what each step found: the \
addresses of the name, the connection, dialect, signing and cipher, the logon, who the server takes \
this user for, and what the server is. What is wrong is said in sentences, with what to change and \
where. It changes nothing itself.")]
pub struct DoctorArguments {
    /// host, host:port, \\host or //host[:port] [default: this machine's own service]
    #[arg(conflicts_with = "local_socket")]
    pub server: Option<String>,
    /// Print one JSON object (docs/schema/doctor.json)
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub access: Access,
}

/// Enough to keep a network busy, few enough for the default limit of open files (1024).
const DEFAULT_JOBS: u16 = 64;

/// Each takes a port of this machine, of which it has about 28,000 by default.
const MAX_JOBS: i64 = 10_000;

const LIST_HELP: &str = "\
One server:
  netsession list                          this machine, over the socket of its service
  netsession list srv -U admin             another one
  netsession list srv --client 192.0.2.10 --level 502 --json

Many servers, each asked once, --jobs at a time, with one password:
  netsession list srv1 srv2 srv3:4450 -U admin
  netsession list @servers.txt --jobs 256 --deadline 10 --jsonl
  grep -v old servers.txt | netsession list @- -q --csv
Rows come as servers answer. Servers that fail are counted and named with their reason on standard \
error at the end. Exit code 9: some of them failed; 10: all, for different reasons; if all failed \
for one reason, its code. Ctrl-C stops the work, prints what is known, and exits with 130. `netsession --help` lists all \
exit codes.

Columns: SERVER (with several), CLIENT, USER, OPENS (files and pipes open now), CONNECTED (since \
the session began), IDLE (since its last request), FLAGS (guest, no-encryption); TYPE and TRANSPORT \
if --level asks for them. A dash stands for what the level does not tell.

--plain and --csv print client, user, opens, connected_seconds, idle_seconds, flags, client_type, \
transport, behind the server if more than one was typed or @FILE was; what the level does not tell \
is empty, and control characters in names are written as \\u{..}.

--json prints
  { \"schema_version\": 1, \"server\": \"srv\", \"level\": 502, \"sessions\": [ {
      \"client\": \"192.0.2.10\", \"user\": \"alice\", \"opens\": 2, \"connected_seconds\": 61,
      \"idle_seconds\": 5, \"user_flags\": 0, \"flags\": [\"guest\"], \"client_type\": \"\",
      \"transport\": \"\\\\Device\\\\NetbiosSmb\" } ] }
where the level does not tell a field, it is null. Of many servers it prints
  { \"schema_version\": 1, \"servers\": [ { \"server\", \"level\", \"sessions\", \"error\" } ], \"summary\" }
--jsonl prints lines of the types start, session, server, failure and summary. Names are as the \
server sends them, without leading backslashes. schema_version changes only if a field is removed \
or changes its meaning; docs/schema has the JSON Schemas.

--format net cuts long names as `net session` does. --format smbsession leaves empty what this \
protocol does not tell (SessionId, Dialect, ScopeName, ClusterNodeName).";

const SHOW_HELP: &str = "\
  netsession show srv --client 192.0.2.10 --user alice
Of several sessions of this user on this computer it shows the first in the order of the server, as \
NetSessionGetInfo does. --json prints the object of `list --json` with one session.";

/// The longest --timeout and --deadline: a day. Longer limits are typing accidents.
const MAX_SECONDS: f64 = 86_400.0;

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= MAX_SECONDS => Ok(value),
        _ => Err("write a number of seconds above 0, at most 86400".to_owned()),
    }
}
