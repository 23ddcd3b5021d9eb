//! A private smbd on loopback: the peer of our client, and the other subject of the tests.
//!
//! Needs root, because smbd becomes the user who has logged on. Its users exist only in
//! files that libnss_wrapper shows to it.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program;
use crate::subject::{ADMIN, ALICE, BOB, CAROL, Options, User};

/// The time smbd may take from its start to its first connection.
const START: Duration = Duration::from_secs(20);

/// A running smbd.
pub struct Samba {
    child: Child,
    address: SocketAddr,
    configuration: PathBuf,
}

impl Samba {
    /// Starts one that serves the folders of the shares in `folder` and keeps its state beside them.
    pub fn start(folder: &Path, options: &Options) -> Self {
        for _ in 0..3 {
            // Another process may take the port between our look and smbd's start.
            let port = free_port();
            if let Some(samba) = try_start(folder, options, port) {
                return samba;
            }
        }
        let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        panic!("smbd did not answer (it needs root):\n{log}");
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ids of all its processes.
    pub fn pids(&self) -> Vec<u32> {
        helpers(&self.configuration.to_string_lossy())
            .into_iter()
            .map(|pid| pid.as_raw_nonzero().get().cast_unsigned())
            .collect()
    }

    /// Ends it and the helpers it has started, which are known by its configuration file.
    pub fn stop(&mut self) {
        program::stop(&mut self.child);
        let ours = self.configuration.to_string_lossy().into_owned();
        for signal in [rustix::process::Signal::TERM, rustix::process::Signal::KILL] {
            let pids = helpers(&ours);
            if pids.is_empty() {
                break;
            }
            for pid in pids {
                let _ = rustix::process::kill_process(pid, signal);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

fn try_start(folder: &Path, options: &Options, port: u16) -> Option<Samba> {
    let state = folder.join("samba");
    for name in ["private", "lock", "state", "cache", "pid", "ncalrpc", "log"] {
        fs::create_dir_all(state.join(name)).expect("a folder");
    }
    fs::set_permissions(state.join("private"), fs::Permissions::from_mode(0o700)).expect("mode");
    write_users(&state);
    let configuration = state.join("smb.conf");
    fs::write(&configuration, settings(folder, &state, options, port)).expect("smb.conf");
    for user in [ADMIN, ALICE, BOB, CAROL] {
        add_user(&state, &configuration, user);
    }
    let disable = samba_command(&state, "smbpasswd")
        .arg("-c")
        .arg(&configuration)
        .args(["-L", "-d", CAROL.name])
        .output();
    assert!(
        disable.is_ok_and(|output| output.status.success()),
        "smbpasswd -d"
    );
    // NetrSessionEnum asks for the first, NetrSessionDel for the second.
    map_group(
        &state,
        &configuration,
        &[
            "ntgroup=Administrators",
            "sid=S-1-5-32-544",
            "unixgroup=smbadm",
            "type=builtin",
        ],
    );
    map_group(
        &state,
        &configuration,
        &[
            "ntgroup=Domain Admins",
            "rid=512",
            "unixgroup=smbdomadm",
            "type=domain",
        ],
    );
    let log = fs::File::create(folder.join("server.log")).expect("a log file");
    let mut child = samba_command(&state, "smbd")
        .args(["--foreground", "--debug-stdout"])
        .arg(format!("--configfile={}", configuration.display()))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second handle"))
        .stderr(log)
        .spawn()
        .expect("smbd can be started; `cargo xtask prerequisites` installs it");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let start = Instant::now();
    while start.elapsed() < START && matches!(child.try_wait(), Ok(None)) {
        if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
            return Some(Samba {
                child,
                address,
                configuration,
            });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Samba {
        child,
        address,
        configuration,
    }
    .stop();
    None
}

/// A command of Samba's that sees our users.
fn samba_command(state: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .env("LD_PRELOAD", "libnss_wrapper.so")
        .env("NSS_WRAPPER_PASSWD", state.join("passwd"))
        .env("NSS_WRAPPER_GROUP", state.join("group"));
    command
}

fn write_users(state: &Path) {
    let mut passwd =
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n".to_owned();
    for (user, id) in [ADMIN, ALICE, BOB, CAROL].iter().zip(60001..) {
        passwd += &format!("{}:x:{id}:60000::/nonexistent:/bin/false\n", user.name);
    }
    let group = format!(
        "root:x:0:\nnogroup:x:65534:\nsmbusers:x:60000:\nsmbadm:x:60100:{0}\nsmbdomadm:x:60101:{0}\n",
        ADMIN.name
    );
    fs::write(state.join("passwd"), passwd).expect("passwd");
    fs::write(state.join("group"), group).expect("group");
}

fn settings(folder: &Path, state: &Path, options: &Options, port: u16) -> String {
    let encryption = if options.encrypted {
        "required"
    } else {
        "default"
    };
    let signing = match options.signing_optional {
        true => "auto",
        false => "mandatory",
    };
    let (folder, state, data) = (folder.display(), state.display(), options.samba_share);
    format!(
        "[global]
workgroup = ANCHOR
netbios name = ANCHOR
server role = standalone server
interfaces = 127.0.0.1/8
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
server min protocol = SMB2_02
server signing = {signing}
server smb encrypt = {encryption}
passdb backend = tdbsam:{state}/private/passdb.tdb
private dir = {state}/private
lock directory = {state}/lock
state directory = {state}/state
cache directory = {state}/cache
pid directory = {state}/pid
ncalrpc dir = {state}/ncalrpc
log level = 1
map to guest = never
load printers = no
printing = bsd
printcap name = /dev/null
disable spoolss = yes
kernel oplocks = no
[data]
path = {folder}/data
read only = no
{data}
[docs]
path = {folder}/docs
read only = yes
[vault]
path = {folder}/vault
read only = no
server smb encrypt = required
"
    )
}

fn add_user(state: &Path, configuration: &Path, user: User) {
    let mut child = samba_command(state, "smbpasswd")
        .arg("-c")
        .arg(configuration)
        .args(["-L", "-s", "-a", user.name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("smbpasswd can be started; `cargo xtask prerequisites` installs it");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    write!(stdin, "{0}\n{0}\n", user.password).expect("it reads the password");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "smbpasswd -a {}: {}",
        user.name,
        String::from_utf8_lossy(&output.stderr)
    );
}

fn map_group(state: &Path, configuration: &Path, words: &[&str]) {
    // Fails if the mapping is there already, after a second try at starting.
    let _ = samba_command(state, "net")
        .arg("-s")
        .arg(configuration)
        .args(["groupmap", "add"])
        .args(words)
        .output();
}

/// Processes of Samba whose command line names `configuration`.
fn helpers(configuration: &str) -> Vec<rustix::process::Pid> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(configuration)
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            pids.push(pid);
        }
    }
    pids
}
