//! What can be typed. Help, man pages and completions all come from here.

mod client;
mod format;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use service::config::{
    Dialect, Encryption, ListenAddress, LocalSocket, ServerName, ShareSpec, Signing,
};

use crate::failure::EXIT_CODES;

pub use client::{Access, DoctorArguments, EndArguments, Level, ListArguments, ShowArguments};
pub use format::{AccountFormat, Format};

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
    /// List the sessions of this machine, of a server or of many servers
    List(ListArguments),
    /// Show one session with all its fields
    Show(ShowArguments),
    /// End the sessions of a client, of a user, or of a user on a client
    End(EndArguments),
    /// Find out why a server does not answer, or not to this user, and what to change
    Doctor(DoctorArguments),
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
    /// root, else $XDG_RUNTIME_DIR/netsession/srvsvc.sock, without that variable srvsvc.sock in the
    /// data directory]
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
    pub format: AccountFormat,
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

#[cfg(test)]
mod tests;
