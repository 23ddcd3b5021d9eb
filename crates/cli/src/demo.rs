//! `netsession demo`: the main job on one machine, with real SMB sessions over loopback.
//! Every claim it prints is checked; one that fails is a failure of the command.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use netsession::smb_client::{self, Connection, Create, Negotiation, Open, Session, Transport};
use netsession::{Credentials, Options, Server, SessionFilter, SessionLevel, Target};
use service::Service;
use service::account::{AccountFile, AccountName, Membership, NtHash};
use service::config::{ListenAddress, LocalSocket, Overrides, ServeConfig, ShareSpec};
use smb::NtStatus;
use tempfile::TempDir;

use crate::failure::{Exit, Failure};
use crate::output::{self, bold, emit};
use crate::row::Row;
use crate::text::count;

const SHARE: &str = "docs";
const REPORT: &str = "report.txt";
const NOTES: &str = "notes.txt";
const REPORT_TEXT: &str = "Quarterly report: all is well.\n";
const NOTES_TEXT: &str = "Notes: nothing ends by accident.\n";

/// The client computers. Linux takes every address of 127.0.0.0/8 as its own.
const DESK: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const LAPTOP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Loopback answers at once; who waits longer has found a fault.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Long enough for the times in the list to differ.
const PAUSE: Duration = Duration::from_millis(1200);

/// Runs the demonstration and cleans up.
pub fn run() -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::local("start the runtime", &error))?
        .block_on(perform())
}

async fn perform() -> Result<(), Failure> {
    let began = Instant::now();
    say(&format!(
        "{}\nEverything happens on this machine, over loopback, and is removed at the end.\n",
        bold("netsession demo: see who is connected to a file server, and end one session.")
    ))?;
    let stage = Stage::build().await?;
    let played = tokio::select! {
        played = stage.play() => played,
        // The temporary directory goes in any case.
        _ = tokio::signal::ctrl_c() => Err(Failure {
            exit: Exit::Local,
            message: "demo: interrupted".to_owned(),
        }),
    };
    let removed = stage.clear().await;
    played?;
    removed?;
    say(&format!(
        "\nDone in {:.1} s. The same with a server of your own:\n\
         \x20 netsession account add admin --admin --data-dir state\n\
         \x20 netsession serve --data-dir state --listen 127.0.0.1:1446 --share docs=DIRECTORY\n\
         \x20 netsession list 127.0.0.1:1446 -U admin\n",
        began.elapsed().as_secs_f64()
    ))
}

/// A running service with something to serve.
struct Stage {
    directory: TempDir,
    service: Service,
    address: SocketAddr,
    /// Of all three accounts, new in each run: others on this machine could log on too.
    password: String,
}

/// A user at a client computer with a file open.
struct Seat {
    session: Session,
    file: Open,
    what: &'static str,
    text: &'static str,
}

impl Stage {
    async fn build() -> Result<Self, Failure> {
        step(
            1,
            "Start the Server service with a share and three accounts",
        )?;
        let directory = tempfile::Builder::new()
            .prefix("netsession-demo-")
            .tempdir()
            .map_err(|error| Failure::local("make a temporary directory", &error))?;
        let state = directory.path().join("state");
        let password = random_password()?;
        add_accounts(&state, &password)?;
        let files = directory.path().join(SHARE);
        std::fs::create_dir(&files)
            .and_then(|()| std::fs::write(files.join(REPORT), REPORT_TEXT))
            .and_then(|()| std::fs::write(files.join(NOTES), NOTES_TEXT))
            .map_err(|error| Failure::local("write the files to share", &error))?;
        let share = ShareSpec::new(SHARE, &files)
            .map_err(|error| Failure::local("describe the share", &error))?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = ServeConfig::resolve(Overrides {
            local_socket: Some(LocalSocket::Off),
            listen: Some(vec![ListenAddress(listen)]),
            data_dir: Some(state),
            shares: vec![share],
            ..Overrides::default()
        })
        .map_err(|error| Failure::local("configure the service", &error))?;
        let service = Service::start(config)
            .await
            .map_err(|error| Failure::local("start the Server service", &error))?;
        let address = service.addresses().first().copied().unwrap_or(listen);
        say(&format!(
            "   It listens on {address} and shares {} as \"{SHARE}\".\n   \
             admin is a member of Administrators; alice and bob are ordinary users.\n",
            files.display()
        ))?;
        Ok(Self {
            directory,
            service,
            address,
            password,
        })
    }

    async fn play(&self) -> Result<(), Failure> {
        step(2, "Open SMB sessions to it, from two client computers")?;
        let desk = self.connect(DESK).await?;
        let alice = self
            .sit(&desk, "alice", REPORT, "alice on 127.0.0.2")
            .await?;
        let bob = self.sit(&desk, "bob", NOTES, "bob on 127.0.0.2").await?;
        let laptop = self.connect(LAPTOP).await?;
        let other_bob = self.sit(&laptop, "bob", REPORT, "bob on 127.0.0.3").await?;
        say(&format!(
            "   127.0.0.2  alice  has {SHARE}\\{REPORT} open\n   \
             127.0.0.2  bob    has {SHARE}\\{NOTES} open, over the same TCP connection as alice\n   \
             127.0.0.3  bob    has {SHARE}\\{REPORT} open\n   \
             A second passes, then alice reads her file again: her session is not idle any more.\n"
        ))?;
        tokio::time::sleep(PAUSE).await;
        alice.reads().await?;

        step(
            3,
            "List the sessions at every level of information, as admin",
        )?;
        let mut admin = self.admin().await?;
        for level in SessionLevel::ALL {
            self.list(&mut admin, level).await?;
        }
        say("   admin's own session is listed as well: it has the pipe \\PIPE\\srvsvc open.\n")?;

        step(4, "End the session of bob on 127.0.0.2, and no other")?;
        self.command("end", "--client 127.0.0.2 --user bob --yes")?;
        admin.end(Some("127.0.0.2"), Some("bob")).await?;
        say("   Ended bob on 127.0.0.2. Now all three read their files:\n")?;
        bob.is_gone().await?;
        alice.reads().await?;
        say("   alice on 127.0.0.2 reads on, over the same TCP connection\n")?;
        other_bob.reads().await?;
        say("   bob on 127.0.0.3 reads on: naming the client spared this session of his\n")?;

        step(5, "List again")?;
        let rows = self.list(&mut admin, SessionLevel::Info502).await?;
        let left = |client: &str, user: &str| {
            rows.iter()
                .any(|row| row.client == client && row.user.as_deref() == Some(user))
        };
        if left("127.0.0.2", "bob") || !left("127.0.0.2", "alice") || !left("127.0.0.3", "bob") {
            return Err(unexpected(
                "the list does not show exactly the session of bob missing",
            ));
        }
        for seat in [&alice, &other_bob] {
            seat.file
                .close()
                .await
                .map_err(|error| failed(seat.what, &error))?;
            seat.session
                .logoff()
                .await
                .map_err(|error| failed(seat.what, &error))?;
        }
        admin.disconnect().await?;
        Ok(())
    }

    async fn clear(self) -> Result<(), Failure> {
        step(6, "Stop the service and clean up")?;
        self.service.stop().await;
        let path = self.directory.path().to_owned();
        self.directory
            .close()
            .map_err(|error| Failure::local(format!("remove {}", path.display()), &error))?;
        say(&format!("   Stopped, and {} is removed.\n", path.display()))
    }

    async fn connect(&self, source: Ipv4Addr) -> Result<Connection, Failure> {
        let failed = |error| failed("connect", &error);
        let host = self.address.ip().to_string();
        let source = Some(IpAddr::V4(source));
        let transport = Transport::connect(&host, self.address.port(), source, TIME_LIMIT)
            .await
            .map_err(failed)?;
        let negotiation = Negotiation::new(&host).map_err(failed)?;
        Connection::negotiate(transport, &negotiation)
            .await
            .map_err(failed)
    }

    /// Logs a user on over `connection`, opens a file and reads it.
    async fn sit(
        &self,
        connection: &Connection,
        user: &str,
        file: &str,
        what: &'static str,
    ) -> Result<Seat, Failure> {
        let failed = |error| failed(what, &error);
        let host = self.address.ip().to_string();
        let credentials = Credentials::new("", user, &self.password);
        let session = Session::logon(connection, &credentials, &host)
            .await
            .map_err(failed)?;
        let tree = session.tree_connect(&host, SHARE).await.map_err(failed)?;
        let open = tree.create(file, &Create::open()).await.map_err(failed)?;
        let text = if file == REPORT {
            REPORT_TEXT
        } else {
            NOTES_TEXT
        };
        let seat = Seat {
            session,
            file: open,
            what,
            text,
        };
        seat.reads().await?;
        Ok(seat)
    }

    async fn admin(&self) -> Result<Server, Failure> {
        let target = Target::new(&self.address.ip().to_string(), self.address.port())?;
        let credentials = Credentials::new("", "admin", &self.password);
        let options = Options {
            connect_timeout: TIME_LIMIT,
            logon_timeout: TIME_LIMIT,
            call_timeout: TIME_LIMIT,
            ..Options::default()
        };
        Ok(Server::connect(&target, &credentials, &options).await?)
    }

    async fn list(&self, admin: &mut Server, level: SessionLevel) -> Result<Vec<Row>, Failure> {
        let number = u32::from(level);
        self.command("list", &format!("--level {number}"))?;
        let sessions = admin
            .sessions(&SessionFilter::default(), level)
            .collect()
            .await?;
        let rows: Vec<Row> = sessions.into_iter().map(|info| Row::new(&info)).collect();
        let all_columns = matches!(level, SessionLevel::Info2 | SessionLevel::Info502);
        let table = output::table(rows.iter(), all_columns);
        for line in table.lines() {
            say(&format!("   {line}\n"))?;
        }
        say(&format!("   ({})\n\n", count(rows.len(), "session")))?;
        Ok(rows)
    }

    /// Shows what one would type.
    fn command(&self, name: &str, rest: &str) -> Result<(), Failure> {
        say(&format!(
            "   $ netsession {name} {} -U admin {rest}\n",
            self.address
        ))
    }
}

impl Seat {
    /// The file can be read and has the right content.
    async fn reads(&self) -> Result<(), Failure> {
        let length = self.text.len() as u32;
        let data = self
            .file
            .read(0, length)
            .await
            .map_err(|error| failed(self.what, &error))?;
        if data[..] != *self.text.as_bytes() {
            return Err(unexpected(&format!(
                "{} reads something else from the file",
                self.what
            )));
        }
        Ok(())
    }

    /// The next request is refused because the session is gone.
    async fn is_gone(&self) -> Result<(), Failure> {
        match self.file.read(0, 1).await {
            Err(error) if error.status() == Some(NtStatus::USER_SESSION_DELETED) => say(&format!(
                "   {} gets {}: the session is gone\n",
                self.what,
                NtStatus::USER_SESSION_DELETED
            )),
            Err(error) => Err(failed(self.what, &error)),
            Ok(_) => Err(unexpected(&format!(
                "{} still reads after the end",
                self.what
            ))),
        }
    }
}

fn add_accounts(state: &Path, password: &str) -> Result<(), Failure> {
    let file = AccountFile::new(state);
    for (name, admin) in [("admin", true), ("alice", false), ("bob", false)] {
        let tried = |error: &dyn std::fmt::Display| Failure::local("add the accounts", error);
        let account = AccountName::new(name).map_err(|error| tried(&error))?;
        let membership = Membership {
            admin,
            ..Membership::default()
        };
        file.add(&account, NtHash::of_password(password), membership)
            .map_err(|error| tried(&error))?;
    }
    Ok(())
}

fn random_password() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::local("make a password", &error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn step(number: u32, title: &str) -> Result<(), Failure> {
    say(&format!("\n{}\n", bold(&format!("{number}. {title}"))))
}

fn say(text: &str) -> Result<(), Failure> {
    emit(text.as_bytes())
}

fn failed(what: &str, error: &smb_client::Error) -> Failure {
    Failure {
        exit: Exit::Refused,
        message: format!("demo: {what}: {error}"),
    }
}

fn unexpected(what: &str) -> Failure {
    Failure {
        exit: Exit::Refused,
        message: format!("demo: {what}; this is a defect, please report it"),
    }
}
