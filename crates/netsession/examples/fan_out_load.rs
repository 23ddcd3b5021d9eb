//! Measures a fan-out: many servers on loopback addresses, some of them silent.
//!
//!     cargo run --release -p netsession --example fan_out_load -- \
//!         [--servers 1000] [--silent 10] [--jobs 1000] [--deadline 5] [--runtime multi|single]
//!
//! The servers run in a child process, so that the memory of this one is the client's alone.
//! Prints one `name value` per line; `kib_per_server` is the growth of the peak resident set
//! divided by the servers in flight. Ends with 1 if an answer is missing, if it took longer
//! than the deadline and a second, or if a server in flight costs more than 100 KiB.
//! Needs two file descriptors per server and the addresses 127.81.0.0/16 (Linux).

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, ExitCode, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use netsession::fan_out::{Event, FanOut};
use netsession::{Credentials, ErrorKind, Target};
use rustix::process::{Resource, getrlimit, setrlimit};
use service::Service;
use service::account::{AccountFile, AccountName, Membership, NtHash};
use service::config::{ListenAddress, LocalSocket, Overrides, ServeConfig};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PASSWORD: &str = "Adm1n.Pw";

/// What a server in flight may cost, in KiB.
const LIMIT_KIB: u64 = 100;

struct Settings {
    serve: bool,
    servers: usize,
    silent: usize,
    jobs: usize,
    deadline: Duration,
    single_thread: bool,
}

fn main() -> ExitCode {
    let done = settings().and_then(|settings| match settings.serve {
        true => serve(&settings).map(|()| true),
        false => measure(&settings),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fan_out_load: {error}");
            ExitCode::from(2)
        }
    }
}

fn settings() -> Result<Settings> {
    let mut settings = Settings {
        serve: false,
        servers: 1000,
        silent: 10,
        jobs: 1000,
        deadline: Duration::from_secs(5),
        single_thread: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--serve" => settings.serve = true,
            "--servers" => settings.servers = number(&value()?)?,
            "--silent" => settings.silent = number(&value()?)?,
            "--jobs" => settings.jobs = number(&value()?)?,
            "--deadline" => settings.deadline = Duration::from_secs_f64(number(&value()?)?),
            "--runtime" => settings.single_thread = value()? == "single",
            _ => return Err(format!("{word} is no option; see the head of this file").into()),
        }
    }
    if settings.silent > settings.servers || settings.servers > usize::from(u16::MAX) {
        return Err("--silent is at most --servers, and that at most 65535".into());
    }
    Ok(settings)
}

fn number<T: FromStr<Err: Error + 'static>>(text: &str) -> Result<T> {
    Ok(text.parse()?)
}

/// The servers: prints their addresses, ends when its input does.
#[tokio::main]
async fn serve(settings: &Settings) -> Result<()> {
    raise_descriptors()?;
    let directory = tempfile::tempdir()?;
    let name = AccountName::new("admin")?;
    let admin = Membership {
        admin: true,
        ..Membership::default()
    };
    AccountFile::new(directory.path()).add(&name, NtHash::of_password(PASSWORD), admin)?;
    let mut services = Vec::new();
    let mut silent = Vec::new();
    let mut addresses = String::new();
    for i in 0..settings.servers {
        let [.., high, low] = i.to_be_bytes();
        let address = SocketAddr::from((Ipv4Addr::new(127, 81, high, low), 0));
        let address = if is_silent(settings, i) {
            let listener = TcpListener::bind(address)?;
            let address = listener.local_addr()?;
            silent.push(listener);
            address
        } else {
            let config = ServeConfig::resolve(Overrides {
                listen: Some(vec![ListenAddress(address)]),
                data_dir: Some(directory.path().to_owned()),
                local_socket: Some(LocalSocket::Off),
                server_name: Some("SRV".parse()?),
                ..Overrides::default()
            })?;
            let service = Service::start(config).await?;
            let address = service.addresses()[0];
            services.push(service);
            address
        };
        addresses.push_str(&format!("{address}\n"));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{addresses}")?;
    out.flush()?;
    std::thread::spawn(move || {
        // Accepted and never answered.
        let mut streams = Vec::new();
        for listener in silent.iter().cycle() {
            let _ = listener.set_nonblocking(true);
            streams.extend(listener.accept());
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

/// Spread over the list.
fn is_silent(settings: &Settings, i: usize) -> bool {
    let (silent, servers) = (settings.silent, settings.servers);
    (i + 1) * silent / servers != i * silent / servers
}

/// A service needs a descriptor to listen and one for the connection.
fn raise_descriptors() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Ends with this process: its input closes.
struct Servers(Child);

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn start_servers() -> Result<(Servers, Vec<Target>)> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--serve")
        .args(std::env::args_os().skip(1))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    let servers = Servers(child);
    let mut targets = Vec::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            return Ok((servers, targets));
        }
        targets.push(Target::parse(&line)?);
    }
    Err("the servers did not start; are there enough file descriptors?".into())
}

fn measure(settings: &Settings) -> Result<bool> {
    raise_descriptors()?;
    let (_servers, targets) = start_servers()?;
    let runtime = match settings.single_thread {
        true => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
        false => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?,
    };
    let fan_out = FanOut::new(Credentials::new("", "admin", PASSWORD))
        .jobs(settings.jobs)
        .deadline(settings.deadline);
    let before = peak_kib()?;
    let started = Instant::now();
    let mut events = fan_out.sessions(targets);
    let mut last_answer = Duration::ZERO;
    runtime.block_on(async {
        while let Some(event) = events.next().await {
            match event {
                Event::Done { .. } => last_answer = started.elapsed(),
                Event::Failed { error, .. } if error.kind() != ErrorKind::TimedOut => {
                    eprintln!("{error}");
                }
                _ => {}
            }
        }
    });
    let wall = started.elapsed();
    let growth = peak_kib()?.saturating_sub(before);
    let tally = events.tally();
    let in_flight = settings.jobs.min(tally.asked()).max(1);
    let per_server = growth.div_ceil(in_flight as u64);
    println!("servers {}", tally.asked());
    println!("answered {}", tally.answered());
    println!("failed {}", tally.failed());
    println!("sessions {}", tally.sessions());
    println!("last_answer_ms {}", last_answer.as_millis());
    println!("wall_ms {}", wall.as_millis());
    println!("deadline_ms {}", settings.deadline.as_millis());
    println!("in_flight {in_flight}");
    println!("peak_growth_kib {growth}");
    println!("kib_per_server {per_server}");
    Ok(tally.answered() == settings.servers - settings.silent
        && wall <= settings.deadline + Duration::from_secs(1)
        && per_server <= LIMIT_KIB)
}

/// Peak resident set of this process.
fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("/proc/self/status has no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
