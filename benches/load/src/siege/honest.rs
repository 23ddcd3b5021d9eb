//! Clients who only work: one who has been there all the time, and newcomers.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use netsession::Credentials;
use netsession::smb_client::{Create, Open, Session, TreeConnect};
use serde_json::{Value, json};

use super::stage::Stage;
use crate::client::runtime;
use crate::latency::summary;
use crate::{Dial, Result};

/// Between two rounds: a client that works, not one that floods.
const PAUSE: Duration = Duration::from_millis(3);
/// Between two newcomers.
const NEXT: Duration = Duration::from_millis(200);
/// Bytes of one READ.
const READ: u32 = 64 * 1024;
/// What they open and read.
const FILE: &str = "readable";

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 67, 0, last))
}

/// Times of one kind of request, before the attack and during it.
#[derive(Default)]
struct Times {
    before: Vec<Duration>,
    during: Vec<Duration>,
}

impl Times {
    fn add(&mut self, stage: &Stage, start: Instant, was_attack: bool) {
        // A request that began before the attack and met it counts for the attack.
        match was_attack || stage.is_attack() {
            true => self.during.push(start.elapsed()),
            false => self.before.push(start.elapsed()),
        }
    }

    fn told(self) -> Value {
        json!({ "before": summary(self.before), "during": summary(self.during) })
    }
}

#[derive(Default)]
struct Worked {
    echo: Times,
    create_close: Times,
    read: Times,
}

/// Somebody with a session, a share and an open file.
struct Client {
    session: Session,
    tree: TreeConnect,
    file: Open,
}

impl Client {
    async fn arrive(dial: &Dial, user: &Credentials, source: IpAddr) -> Result<Self> {
        let connection = dial.own_connection(source).await?;
        let session = dial.session(&connection, user).await?;
        let tree = dial.tree(&session).await?;
        let file = tree.create(FILE, &Create::open()).await?;
        Ok(Self {
            session,
            tree,
            file,
        })
    }

    async fn round(&self, stage: &Stage, worked: &mut Worked) -> Result<()> {
        let (start, was) = (Instant::now(), stage.is_attack());
        self.session.echo().await?;
        worked.echo.add(stage, start, was);
        let (start, was) = (Instant::now(), stage.is_attack());
        let open = self.tree.create(FILE, &Create::open()).await?;
        open.close().await?;
        worked.create_close.add(stage, start, was);
        let (start, was) = (Instant::now(), stage.is_attack());
        self.file.read(0, READ).await?;
        worked.read.add(stage, start, was);
        Ok(())
    }
}

/// Works until the siege is over; comes again if he is thrown out.
pub(super) fn work(dial: &Dial, user: &Credentials, stage: &Stage) -> Value {
    let Ok(runtime) = runtime() else {
        return json!({ "failed": "no runtime" });
    };
    let mut worked = Worked::default();
    let mut failures = Vec::new();
    runtime.block_on(async {
        let mut client = None;
        while !stage.is_over() {
            let round = async {
                if client.is_none() {
                    client = Some(Client::arrive(dial, user, address(1)).await?);
                }
                match &client {
                    Some(client) => client.round(stage, &mut worked).await,
                    None => Ok(()),
                }
            };
            if let Err(error) = round.await
                && !stage.is_over()
            {
                failures.push(error.to_string());
                client = None;
                std::thread::sleep(NEXT);
            }
            std::thread::sleep(PAUSE);
        }
    });
    json!({
        "echo": worked.echo.told(),
        "create_close": worked.create_close.told(),
        "read": worked.read.told(),
        "failures": failures.len(),
        "first_failure": failures.first(),
    })
}

/// One after the other comes, opens a file and goes.
pub(super) fn arrive(dial: &Dial, user: &Credentials, stage: &Stage) -> Value {
    let Ok(runtime) = runtime() else {
        return json!({ "failed": "no runtime" });
    };
    let mut times = Times::default();
    let mut failures = Vec::new();
    while !stage.is_over() {
        let (start, was) = (Instant::now(), stage.is_attack());
        let visit = async {
            let client = Client::arrive(dial, user, address(2)).await?;
            times.add(stage, start, was);
            Ok::<_, crate::Error>(client.session.logoff().await?)
        };
        if let Err(error) = runtime.block_on(visit) {
            failures.push(error.to_string());
        }
        std::thread::sleep(NEXT);
    }
    json!({
        "logon": times.told(),
        "failures": failures.len(),
        "first_failure": failures.first(),
    })
}
