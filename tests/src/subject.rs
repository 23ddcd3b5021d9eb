//! The server under test.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use crate::program;
use crate::recording::Recording;
use crate::samba::Samba;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours.
    Netsession,
    /// Samba's smbd.
    Samba,
}

/// A user that every subject knows.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// Account name.
    pub name: &'static str,
    /// Password.
    pub password: &'static str,
}

impl User {
    /// As Samba's and our programs take it: `name%password`.
    pub fn credentials(self) -> String {
        format!("{}%{}", self.name, self.password)
    }
}

/// Member of Administrators.
pub const ADMIN: User = User {
    name: "admin",
    password: "Adm1n.Pw",
};
/// An ordinary user.
pub const ALICE: User = User {
    name: "alice",
    password: "Al1ce.Pw",
};
/// Another one.
pub const BOB: User = User {
    name: "bob",
    password: "B0b.Pw",
};
/// Her account is disabled.
pub const CAROL: User = User {
    name: "carol",
    password: "Car0l.Pw",
};

/// How the subject is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Refuse everything that is not encrypted, on every share.
    pub encrypted: bool,
    /// Take unsigned requests from clients that ask for no signing.
    pub signing_optional: bool,
    /// Where what it says and is told is written down ([`Recording`]), in pcap's format.
    pub recording: Option<PathBuf>,
    /// Where its folder is made; `None` for the usual place.
    pub parent: Option<PathBuf>,
    /// Where our server listens; `None` for a free port of loopback.
    pub listen: Option<SocketAddr>,
    /// More lines for the share `data` in the settings of Samba; no other server reads them.
    pub samba_share: &'static str,
}

impl Options {
    /// The default, and refusing everything that is not encrypted if so wanted.
    pub fn encrypted(encrypted: bool) -> Self {
        Options {
            encrypted,
            ..Options::default()
        }
    }
}

/// A running server with the shares `data` (read and write), `docs` (read only) and `vault`
/// (only over encrypted sessions), and the users [`ADMIN`], [`ALICE`], [`BOB`] and [`CAROL`]. Stopped when dropped.
pub struct Subject {
    kind: Kind,
    address: SocketAddr,
    recording: Option<Recording>,
    server: Server,
    // Last: the server goes before its folders.
    folder: TempDir,
}

enum Server {
    Netsession(Child),
    Samba(Samba),
}

impl Subject {
    /// The kind that `NETSESSION_SUBJECT` names.
    pub fn chosen() -> Kind {
        match std::env::var("NETSESSION_SUBJECT").as_deref() {
            Ok("samba") => Kind::Samba,
            Ok("netsession" | "") | Err(_) => Kind::Netsession,
            Ok(other) => panic!("NETSESSION_SUBJECT={other}: netsession or samba"),
        }
    }

    /// Starts the chosen kind, set up plainly (signing required, encryption on demand).
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// Starts the chosen kind.
    pub fn with(options: Options) -> Self {
        Self::of(Self::chosen(), options)
    }

    /// Starts this kind.
    pub fn of(kind: Kind, options: Options) -> Self {
        let parent = options.parent.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new()
            .prefix("netsession-test-")
            .tempdir_in(parent)
            .expect("a temporary folder");
        let open = |path: &Path, mode| {
            fs::create_dir_all(path).expect("a folder");
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
        };
        // Samba serves files as the user who has logged on.
        open(folder.path(), 0o755);
        open(&folder.path().join("data"), 0o777);
        open(&folder.path().join("docs"), 0o755);
        open(&folder.path().join("vault"), 0o777);
        fs::write(folder.path().join("docs/readme.txt"), "read only\n").expect("a file");
        let (server, address) = match kind {
            Kind::Netsession => {
                let (child, address) = netsession(folder.path(), &options);
                (Server::Netsession(child), address)
            }
            Kind::Samba => {
                let samba = Samba::start(folder.path(), &options);
                let address = samba.address();
                (Server::Samba(samba), address)
            }
        };
        let recording = options.recording.or_else(recording_wanted);
        let recording = recording.map(|file| Recording::start(address, &file));
        Subject {
            kind,
            address: recording.as_ref().map_or(address, Recording::address),
            recording,
            server,
            folder,
        }
    }

    /// The recording, if it is made.
    pub fn recording(&self) -> Option<&Recording> {
        self.recording.as_ref()
    }

    /// Which server it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// True if it is Samba: for the differences in `tests/SKIPS.md`.
    pub fn is_samba(&self) -> bool {
        self.kind == Kind::Samba
    }

    /// Where it listens; where its recording does if one is made.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `host:port`.
    pub fn host_and_port(&self) -> String {
        self.address.to_string()
    }

    /// Its port.
    pub fn port(&self) -> String {
        self.address.port().to_string()
    }

    /// The folder behind the share `data`.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder that holds those of the shares: outside every share.
    pub fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// Process id of the server.
    pub fn pid(&self) -> u32 {
        match &self.server {
            Server::Netsession(child) => child.id(),
            Server::Samba(samba) => samba.pid(),
        }
    }

    /// Process ids of the server: smbd has one for each connection, and helpers.
    pub fn pids(&self) -> Vec<u32> {
        match &self.server {
            Server::Netsession(child) => vec![child.id()],
            Server::Samba(samba) => samba.pids(),
        }
    }

    /// Waits until the server has stopped by itself; its exit code (ours only).
    pub fn stopped(mut self) -> Option<i32> {
        let start = std::time::Instant::now();
        let Server::Netsession(child) = &mut self.server else {
            return None;
        };
        while start.elapsed() < START {
            if let Ok(Some(status)) = child.try_wait() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        match &mut self.server {
            Server::Netsession(child) => program::stop(child),
            Server::Samba(samba) => samba.stop(),
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
            let start = log.lines().count().saturating_sub(40);
            let end: Vec<&str> = log.lines().skip(start).collect();
            eprintln!("--- end of the server's log\n{}", end.join("\n"));
        }
    }
}

/// A new file in the folder that `NETSESSION_RECORD` names, if it does.
fn recording_wanted() -> Option<PathBuf> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let folder = PathBuf::from(std::env::var_os("NETSESSION_RECORD")?);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Some(folder.join(format!("{}-{number}.pcap", std::process::id())))
}

/// The time a server may take from its start to its first connection.
const START: Duration = Duration::from_secs(20);

fn netsession(folder: &Path, options: &Options) -> (Child, SocketAddr) {
    let state = folder.join("state");
    account(
        &state,
        &["add", ADMIN.name, "--admin"],
        Some(ADMIN.password),
    );
    account(&state, &["add", ALICE.name], Some(ALICE.password));
    account(&state, &["add", BOB.name], Some(BOB.password));
    account(&state, &["add", CAROL.name], Some(CAROL.password));
    account(&state, &["disable", CAROL.name], None);
    let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listen = options.listen.unwrap_or(free_port);
    let mut command = Command::new(program::netsession());
    command
        .arg("serve")
        .arg("--data-dir")
        .arg(&state)
        .args(["--listen", &listen.to_string()])
        .arg("--local-socket")
        .arg(folder.join("srvsvc.sock"))
        .arg("--share")
        .arg(format!("data={}", folder.join("data").display()))
        .arg("--share")
        .arg(format!("docs={},ro", folder.join("docs").display()))
        .arg("--share")
        .arg(format!("vault={},encrypt", folder.join("vault").display()));
    if options.encrypted {
        command.arg("--encrypt");
    }
    if options.signing_optional {
        command.args(["--signing", "enabled"]);
    }
    let log = fs::File::create(folder.join("server.log")).expect("a log file");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("netsession can be started");
    let lines = BufReader::new(child.stdout.take().expect("its output is a pipe")).lines();
    let (sender, receiver) = mpsc::channel();
    // Goes on reading, so that the server never waits for us.
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(address) = listening_on(&line) {
                let _ = sender.send(address);
            }
        }
    });
    match receiver.recv_timeout(START) {
        Ok(address) => (child, address),
        Err(_) => {
            program::stop(&mut child);
            let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
            panic!("netsession serve never said `listening on ADDRESS:PORT`:\n{log}");
        }
    }
}

fn listening_on(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("listening on ")?;
    address.split_whitespace().next()?.parse().ok()
}

fn account(state: &Path, words: &[&str], password: Option<&str>) {
    let mut command = Command::new(program::netsession());
    command
        .arg("account")
        .args(words)
        .arg("--data-dir")
        .arg(state);
    if password.is_some() {
        command.arg("--password-stdin");
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("netsession can be started");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    if let Some(password) = password {
        writeln!(stdin, "{password}").expect("it reads the password");
    }
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "netsession account {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
