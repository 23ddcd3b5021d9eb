//! What can be typed. Help, man pages and completions all come from here.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use service::config::{
    Dialect, Encryption, ListenAddress, LocalSocket, ServerName, ShareSpec, Signing,
};

use crate::failure::EXIT_CODES;

/// List and end the sessions of SMB servers, and serve files with sessions to list.
#[derive(Parser, Debug)]
#[command(name = "netsession", version, about, max_term_width = 100, after_help = EXIT_CODES)]
#[command(disable_help_subcommand = true, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show everything on this machine in a few seconds: serve, connect, list, end
    Demo,
    /// Run the Server service: share directories over SMB
    Serve(ServeArguments),
    /// Manage the accounts that may log on to `serve`
    Account(AccountArguments),
    /// List the sessions of a server
    List(ListArguments),
    /// Show one session with all its fields
    Show(ShowArguments),
    /// End the sessions of a client, of a user, or of a user on a client
    End(EndArguments),
    /// Write the man pages
    #[command(hide = true)]
    Man(ManArguments),
    /// Write completions for a shell to standard output
    #[command(hide = true)]
    Completions(CompletionsArguments),
}

/// `serve`.
#[derive(Args, Debug)]
#[command(after_help = SERVE_HELP)]
pub struct ServeArguments {
    /// Where accounts and other state live [default: /var/lib/netsession for root, else
    /// $XDG_STATE_HOME/netsession]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// Address to listen on, may be given several times; port 0 takes any free one [default: port
    /// 445 of every address]
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    pub listen: Vec<ListenAddress>,
    /// Share a directory, may be given several times
    #[arg(long = "share", value_name = "NAME=DIR[,ro][,encrypt]", value_hint = ValueHint::AnyPath)]
    pub shares: Vec<ShareSpec>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Refuse clients that cannot encrypt; the same as --encryption required
    #[arg(long, conflicts_with = "encryption")]
    pub encrypt: bool,
    /// Encryption of sessions: off, desired or required [default: desired]
    #[arg(long, value_name = "WHEN")]
    pub encryption: Option<Encryption>,
    /// Signing of sessions: required or enabled [default: required]
    #[arg(long, value_name = "WHEN")]
    pub signing: Option<Signing>,
    /// Lowest dialect: 2.0.2, 2.1, 3.0, 3.0.2 or 3.1.1 [default: 2.0.2]
    #[arg(long, value_name = "DIALECT")]
    pub min_dialect: Option<Dialect>,
    /// Highest dialect [default: 3.1.1]
    #[arg(long, value_name = "DIALECT")]
    pub max_dialect: Option<Dialect>,
    /// Computer name of this server, at most 15 characters [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<ServerName>,
    /// Comment that clients see beside the name
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Unix socket for callers on this machine, or `off` [default: /run/netsession/srvsvc.sock for
    /// root, else $XDG_RUNTIME_DIR/netsession/srvsvc.sock]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub local_socket: Option<LocalSocket>,
    /// Group of this machine whose members may list and end sessions through the local socket, as
    /// root and the user running the service may
    #[arg(long, value_name = "GROUP")]
    pub administrators_group: Option<String>,
    /// What to log on standard error: error, warn, info, debug, trace, or a filter by module such as
    /// netsession_server=debug
    #[arg(
        long,
        value_name = "FILTER",
        env = "NETSESSION_LOG",
        default_value = "warn"
    )]
    pub log: String,
}

/// `account`.
#[derive(Args, Debug)]
pub struct AccountArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: AccountCommand,
}

/// The commands of `account`.
#[derive(Subcommand, Debug)]
pub enum AccountCommand {
    /// Add an account
    Add(AddArguments),
    /// List the accounts
    List(AccountListArguments),
    /// Change the password of an account
    Passwd(PasswdArguments),
    /// Refuse logons of an account without removing it
    Disable(AccountName),
    /// Allow logons of a disabled account again
    Enable(AccountName),
    /// Remove an account
    Remove(AccountName),
}

/// Where the accounts are.
#[derive(Args, Debug)]
pub struct DataDir {
    /// Where the accounts live [default: /var/lib/netsession for root, else
    /// $XDG_STATE_HOME/netsession]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// Where a new password comes from.
#[derive(Args, Debug)]
pub struct NewPassword {
    /// Read the password from standard input (its first line) instead of asking for it
    #[arg(long)]
    pub password_stdin: bool,
}

/// `account add`.
#[derive(Args, Debug)]
pub struct AddArguments {
    /// Name of the account
    pub name: String,
    /// Put it into Administrators, who may list and end sessions
    #[arg(long)]
    pub admin: bool,
    /// Put it into Server Operators, who may list and end sessions as well
    #[arg(long)]
    pub server_operator: bool,
    #[command(flatten)]
    pub password: NewPassword,
    #[command(flatten)]
    pub data_dir: DataDir,
}

/// `account list`.
#[derive(Args, Debug)]
pub struct AccountListArguments {
    #[command(flatten)]
    pub format: Format,
    #[command(flatten)]
    pub data_dir: DataDir,
}

/// `account passwd`.
#[derive(Args, Debug)]
pub struct PasswdArguments {
    /// Name of the account
    pub name: String,
    #[command(flatten)]
    pub password: NewPassword,
    #[command(flatten)]
    pub data_dir: DataDir,
}

/// `account disable`, `enable`, `remove`.
#[derive(Args, Debug)]
pub struct AccountName {
    /// Name of the account
    pub name: String,
    #[command(flatten)]
    pub data_dir: DataDir,
}

/// How to print.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct Format {
    /// Print a JSON object (its schema_version is described in `netsession list --help`)
    #[arg(long, group = "format")]
    pub json: bool,
    /// Print comma-separated values with a heading
    #[arg(long, group = "format")]
    pub csv: bool,
    /// Print tab-separated values without a heading
    #[arg(long, group = "format")]
    pub plain: bool,
}

/// How to reach a server and who asks.
#[derive(Args, Debug)]
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
    /// Refuse servers that cannot encrypt
    #[arg(long)]
    pub encrypt: bool,
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
    /// host, host:port, \\host or //host[:port]
    pub server: Option<String>,
    /// Only sessions of this client computer, as the list spells it (a leading \\ is optional)
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// Only sessions of this user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Level of information [default: the fullest that the server knows, from 502 down]
    #[arg(long, hide_possible_values = true, value_name = "0|1|2|10|502")]
    pub level: Option<Level>,
    #[command(flatten)]
    pub access: Access,
    #[command(flatten)]
    pub format: Format,
}

/// `show`.
#[derive(Args, Debug)]
pub struct ShowArguments {
    /// host, host:port, \\host or //host[:port]
    pub server: String,
    /// Client computer of the session
    #[arg(long, value_name = "NAME")]
    pub client: String,
    /// User of the session
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Level of information [default: the fullest that the server knows, from 502 down]
    #[arg(long, hide_possible_values = true, value_name = "0|1|2|10|502")]
    pub level: Option<Level>,
    #[command(flatten)]
    pub access: Access,
    #[command(flatten)]
    pub format: Format,
}

/// `end`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("which").args(["client", "user"]).multiple(true).required(true))]
#[command(after_help = "\
Ending a session closes its files without saving what the client still holds in memory. \
The sessions that match are listed first, with the number of files and pipes each has open. Without \
a terminal to ask on, --yes is needed.")]
pub struct EndArguments {
    /// host, host:port, \\host or //host[:port]
    pub server: String,
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

/// `man`.
#[derive(Args, Debug)]
pub struct ManArguments {
    /// Write a page for each command into this directory instead of the first to standard output
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out_dir: Option<PathBuf>,
}

/// `completions`.
#[derive(Args, Debug)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: clap_complete::Shell,
}

const SERVE_HELP: &str = "\
A share is NAME=DIR with options behind commas: ro (read only), encrypt (only over encrypted \
connections), max_uses=N, comment=TEXT (last).

Environment: NETSESSION_CONFIG, NETSESSION_DATA_DIR, NETSESSION_LISTEN (separated by commas), \
NETSESSION_SHARES (by semicolons), NETSESSION_SERVER_NAME, NETSESSION_COMMENT, NETSESSION_SIGNING, \
NETSESSION_ENCRYPTION, NETSESSION_MIN_DIALECT, NETSESSION_MAX_DIALECT, NETSESSION_LOCAL_SOCKET, \
NETSESSION_ADMINISTRATORS_GROUP, NETSESSION_LOG. Flags win over \
the environment, the environment over the file. Shares of all three add up; of one name the \
highest counts.

File:
  data_dir = \"/srv/state\"           # relative paths start at the file's directory
  listen = [\"192.0.2.1:445\"]
  server_name = \"FILES\"
  comment = \"\"
  signing = \"required\"              # or \"enabled\"
  encryption = \"desired\"            # or \"off\", \"required\"
  min_dialect = \"2.0.2\"
  max_dialect = \"3.1.1\"
  local_socket = \"/run/netsession/srvsvc.sock\"   # or \"off\"
  administrators_group = \"wheel\"   # no group if left out
  [[share]]
  name = \"data\"
  path = \"/srv/data\"
  read_only = false
  encrypt = false
  comment = \"\"
  max_uses = 10                     # no limit if left out
  [limits]                          # connections, sessions_per_connection,
  connections = 1000                # tree_connects_per_session, opens_per_session,
                                    # handshake_seconds, session_lifetime_seconds

When it is ready, it prints a line `listening on ADDRESS:PORT` for each address, \
and `local socket PATH`. SIGTERM and SIGINT \
close every open file and stop it.";

const LIST_HELP: &str = "\
Columns: CLIENT, USER, OPENS (files and pipes open now), CONNECTED (since the session began), IDLE \
(since its last request), FLAGS (guest, no-encryption); TYPE and TRANSPORT if --level asks for them. \
A dash stands for what the level does not tell.

--plain and --csv print client, user, opens, connected_seconds, idle_seconds, flags, client_type, \
transport; what the level does not tell is empty, and control characters in names are \
written as \\u{..}.

--json prints
  { \"schema_version\": 1, \"server\": \"host:port\", \"level\": 502, \"sessions\": [ {
      \"client\": \"192.0.2.10\", \"user\": \"alice\", \"opens\": 2, \"connected_seconds\": 61,
      \"idle_seconds\": 5, \"user_flags\": 0, \"flags\": [\"guest\"], \"client_type\": \"\",
      \"transport\": \"\\\\Device\\\\NetbiosSmb\" } ] }
where the level does not tell a field, it is null. Names are as the server sends them, without \
leading backslashes. schema_version changes only if a field is removed or changes its meaning.";

/// The longest --timeout: a day. Longer limits are typing accidents.
const MAX_TIMEOUT_SECONDS: f64 = 86_400.0;

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= MAX_TIMEOUT_SECONDS => Ok(value),
        _ => Err("write a number of seconds above 0, at most 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests;
