//! Plays a schedule against one server: sends the request of a step, waits until the server
//! has nothing more to say, and notes what it has said.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use netsession::Credentials;
use netsession::smb_client::{Connection, Error, Negotiation, Session, Transport};
use netsession_tests::subject::ALICE;
use smb::NtStatus;
use smb::wire::{
    Command, Dialect, EchoRequest, FileId, Header, HeaderFlags, OplockBreak, compound,
};
use tokio::time::{Instant, timeout};

use crate::activity::Activity;
use crate::request::{Server, body};
use crate::step::{Action, Caching, Create, Operation, Set, Step};

mod receive;

/// Between two looks at a server that is at work, or has a request that must not wait:
/// smbd sends the interim response 0.5 ms after one that does.
const MOMENT: Duration = Duration::from_millis(1);

/// How long a request may take whose waiting nothing explains.
const PATIENCE: Duration = Duration::from_secs(8);

/// Limit of everything that cannot take long.
const LIMIT: Duration = Duration::from_secs(20);

/// Access that neither reads nor writes: FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
/// SYNCHRONIZE.
const LOOKING: u32 = 0x0010_0180;

/// The share of both servers.
const SHARE: &str = "data";

/// One server, and the clients that are connected to it.
pub struct Player {
    root: String,
    connections: Vec<Option<Connection>>,
    clients: Vec<Client>,
    opens: BTreeMap<u32, Opened>,
    outstanding: Vec<Outstanding>,
    /// Names of files that had several.
    linked: BTreeSet<String>,
    breaks: Vec<Break>,
    activity: Activity,
    /// ECHO requests on their way: connection and MessageId.
    echoes: Vec<(usize, u64)>,
    lines: Vec<String>,
    /// Oplock breaks of this step: an open may be broken before the answer that names it.
    broken: Vec<(usize, OplockBreak)>,
}

struct Client {
    connection: usize,
    session: Session,
    tree_id: u32,
}

/// An open that a step has made.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its FileId.
    pub file_id: FileId,
    /// Who has it.
    pub client: usize,
    /// How it was opened.
    pub create: Create,
    /// It is a directory.
    pub is_directory: bool,
    /// The oplock level it has now.
    pub level: u8,
    /// Its path now, if only this schedule's renames through opens of that path changed it.
    pub path: String,
    /// A byte range was locked by it, and may be unlocked again.
    pub has_locked: bool,
    /// It has been renamed.
    pub is_renamed: bool,
    /// It has been closed.
    pub is_closed: bool,
}

/// A request that has no final answer yet.
#[derive(Clone, Debug)]
pub struct Outstanding {
    /// The step.
    pub step: u32,
    /// Who has sent it.
    pub client: usize,
    /// What was sent.
    pub action: Action,
    /// The part of a compound, from 1; 0 if it is none.
    part: usize,
    message_id: u64,
    /// From the interim response.
    async_id: Option<u64>,
}

/// A break whose acknowledgment the server waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Break {
    /// The connection that was told.
    pub connection: usize,
    /// Of what.
    pub of: Broken,
}

/// What is broken.
#[derive(Clone, Debug, PartialEq)]
pub enum Broken {
    /// An open's oplock, to this level.
    Oplock {
        /// The open.
        open: u32,
        /// The new level.
        level: u8,
    },
    /// A lease, to this state.
    Lease {
        /// The number of the lease key, as text.
        key: String,
        /// The new state.
        state: u32,
    },
}

impl Server for Player {
    fn file_id(&self, step: u32) -> Option<FileId> {
        self.opens.get(&step).map(|open| open.file_id)
    }

    fn root(&self) -> &str {
        &self.root
    }
}

impl Player {
    /// Connects the clients; `clients` has the number of the connection of each. The
    /// schedule's own directory is `root`.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn start(
        address: SocketAddr,
        pid: u32,
        clients: &[usize],
        root: &str,
    ) -> Result<Self, Error> {
        let credentials = Credentials::parse(&ALICE.credentials())
            .map_err(|_| Error::Usage("the user of the tests is no user"))?;
        let host = address.ip().to_string();
        let mut connections = Vec::new();
        for _ in 0..clients.iter().max().map_or(0, |last| last + 1) {
            let transport = Transport::connect_to(&[address], None, LIMIT).await?;
            let negotiation = Negotiation {
                dialects: vec![Dialect::SMB311],
                ..Negotiation::new(&host)?
            };
            connections.push(Some(Connection::negotiate(transport, &negotiation).await?));
        }
        let mut logged_on = Vec::new();
        for &connection in clients {
            let Some(Some(stream)) = connections.get(connection) else {
                return Err(Error::Usage("a client without a connection"));
            };
            let session = Session::logon(stream, &credentials, &host).await?;
            let tree = session.tree_connect(&host, SHARE).await?;
            logged_on.push(Client {
                connection,
                tree_id: tree.id(),
                session,
            });
        }
        Ok(Player {
            root: root.to_owned(),
            connections,
            clients: logged_on,
            opens: BTreeMap::new(),
            outstanding: Vec::new(),
            linked: BTreeSet::new(),
            breaks: Vec::new(),
            activity: Activity::of(pid),
            echoes: Vec::new(),
            lines: Vec::new(),
            broken: Vec::new(),
        })
    }

    /// The opens of all steps, closed ones included.
    pub fn opens(&self) -> &BTreeMap<u32, Opened> {
        &self.opens
    }

    /// What has the file of a CREATE open already: `looking` (only its attributes), `plain`,
    /// `oplock`, `lease`, with `locks` that may be there; `linked` if it may be open by another
    /// name. Of a rename, `onto linked` if the new name is one. Empty for all else.
    pub fn beside(&self, step: &Step) -> String {
        let create = match step.action.parts().first() {
            Some(Action::Create(create)) => create,
            Some(Action::On {
                operation: Operation::Set(Set::Rename { to, .. }),
                ..
            }) if self.is_linked(to) => return " onto linked".to_owned(),
            _ => return String::new(),
        };
        let others = self
            .opens
            .values()
            .filter(|open| !open.is_closed && open.path == create.path);
        let mut kinds = BTreeSet::new();
        for open in others {
            kinds.insert(match open.create.caching {
                Caching::Oplock(_) if open.level == 0 && open.create.access & !LOOKING == 0 => {
                    "looking"
                }
                Caching::Oplock(_) if open.level == 0 => "plain",
                Caching::Oplock(_) => "oplock",
                Caching::Lease { .. } => "lease",
            });
            if open.has_locked {
                kinds.insert("locks");
            }
        }
        if self.is_linked(&create.path) {
            kinds.insert("linked");
        }
        let kinds: Vec<&str> = kinds.into_iter().collect();
        match kinds.len() {
            0 => String::new(),
            _ => format!(" beside {}", kinds.join("+")),
        }
    }

    /// Whether the file had several names once.
    pub fn is_linked(&self, path: &str) -> bool {
        self.linked.contains(path)
    }

    /// Requests without a final answer.
    pub fn outstanding(&self) -> &[Outstanding] {
        &self.outstanding
    }

    /// Breaks to acknowledge.
    pub fn breaks(&self) -> &[Break] {
        &self.breaks
    }

    /// How many clients.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// The connection of a client.
    pub fn connection_of(&self, client: usize) -> usize {
        self.clients[client].connection
    }

    /// Sends what `step` says; returns, in a fixed order, what the server has said until it
    /// was quiet: to this step and to those before it that still waited.
    pub async fn play(&mut self, step: &Step) -> Vec<String> {
        match self.frame(step).await {
            Some(frame) => {
                let connection = self.clients[step.client].connection;
                self.send(connection, &frame).await;
                self.settle(step.id).await;
            }
            None => self.lines.push(format!("#{} is skipped", step.id)),
        }
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort();
        lines
    }

    /// The frame of a step, `None` if it names what does not exist.
    async fn frame(&mut self, step: &Step) -> Option<Vec<u8>> {
        if let Action::Cancel { step: waiting } = step.action {
            return self.cancel(waiting);
        }
        let client = self.clients.get(step.client)?;
        let connection = self.connections[client.connection].clone()?;
        let parts = step.action.parts();
        let bodies: Option<Vec<_>> = parts.iter().map(|part| body(part, step.id, self)).collect();
        let bodies = bodies?;
        let first = connection.take_message_ids(parts.len() as u64).await;
        let related = matches!(step.action, Action::Compound { related: true, .. });
        let mut frame = Vec::new();
        for (number, ((command, body), action)) in bodies.iter().zip(parts).enumerate() {
            let start = frame.len();
            let message_id = first + number as u64;
            Header {
                credit_charge: 1,
                command: *command,
                credits: 1,
                flags: match related && number > 0 {
                    true => HeaderFlags::RELATED,
                    false => HeaderFlags::default(),
                },
                message_id,
                tree_id: client.tree_id,
                session_id: client.session.id(),
                ..Header::default()
            }
            .write(&mut frame);
            frame.extend_from_slice(body);
            if number + 1 < parts.len() {
                compound::link(&mut frame, start);
            }
            client.session.sign(&mut frame[start..]);
            self.outstanding.push(Outstanding {
                step: step.id,
                client: step.client,
                action: action.clone(),
                part: match parts.len() {
                    1 => 0,
                    _ => number + 1,
                },
                message_id,
                async_id: None,
            });
        }
        Some(frame)
    }

    fn cancel(&self, waiting: u32) -> Option<Vec<u8>> {
        let request = self
            .outstanding
            .iter()
            .find(|request| request.step == waiting)?;
        let client = &self.clients[request.client];
        let mut frame = Vec::new();
        Header {
            command: Command::CANCEL,
            flags: match request.async_id {
                Some(_) => HeaderFlags::ASYNC,
                None => HeaderFlags::default(),
            },
            message_id: request.message_id,
            async_id: request.async_id.unwrap_or_default(),
            tree_id: client.tree_id,
            session_id: client.session.id(),
            ..Header::default()
        }
        .write(&mut frame);
        smb::wire::cancel::CancelRequest.write(&mut frame);
        client.session.sign(&mut frame);
        Some(frame)
    }

    async fn send(&mut self, connection: usize, frame: &[u8]) {
        if let Some(stream) = &self.connections[connection]
            && let Err(error) = stream.send(frame).await
        {
            self.lost(connection, &error);
        }
    }

    fn lost(&mut self, connection: usize, error: &Error) {
        if self.connections[connection].take().is_some() {
            let line = format!("connection {connection}: lost, {error}");
            self.lines.push(line);
            let clients = &self.clients;
            self.outstanding
                .retain(|request| clients[request.client].connection != connection);
            self.echoes.retain(|(of, _)| *of != connection);
        }
    }

    /// Waits for the answers of `step`, final or interim, and until nothing more can come: an
    /// ECHO has come back on every connection, then every thread of the server slept, and
    /// a second ECHO brought nothing that had not been there before.
    async fn settle(&mut self, step: u32) {
        let start = Instant::now();
        self.echo_all().await;
        loop {
            // What a message to another process brings about is under way until then.
            while self.activity.is_busy() && start.elapsed() < PATIENCE {
                self.receive_for(MOMENT).await;
            }
            let before = self.said();
            self.echo_all().await;
            self.note_breaks();
            let waits = self
                .outstanding
                .iter()
                .any(|r| r.step == step && !self.may_wait(r));
            if self.said() == before && (!waits || start.elapsed() > PATIENCE) {
                break;
            }
            if waits {
                self.receive_for(MOMENT).await;
            }
        }
        for request in self
            .outstanding
            .iter()
            .filter(|request| request.step == step)
        {
            let interim = match request.async_id {
                Some(_) => "pending",
                None => "pending without an interim response",
            };
            self.lines.push(format!("{}: {interim}", name(request)));
        }
    }

    /// Whether something explains that this request has no answer: it waits by its nature, or
    /// an acknowledgment is missing.
    fn may_wait(&self, request: &Outstanding) -> bool {
        request.async_id.is_some()
            && (!self.breaks.is_empty()
                || matches!(
                    request.action,
                    Action::On {
                        operation: Operation::Lock { .. } | Operation::Notify { .. },
                        ..
                    }
                ))
    }

    /// Takes in what comes until `time` has passed without a message.
    async fn receive_for(&mut self, time: Duration) {
        while let Ok((connection, result)) = timeout(time, self.receive_any()).await {
            self.handle(connection, result);
        }
    }

    /// Sends an ECHO on every connection and takes in what comes until all are answered: a
    /// server answers it behind what it has to say already.
    async fn echo_all(&mut self) {
        for connection in 0..self.connections.len() {
            let Some(stream) = self.connections[connection].clone() else {
                continue;
            };
            let message_id = stream.take_message_ids(1).await;
            let mut frame = Vec::new();
            Header {
                credit_charge: 1,
                command: Command::ECHO,
                credits: 1,
                message_id,
                ..Header::default()
            }
            .write(&mut frame);
            EchoRequest.write(&mut frame);
            self.echoes.push((connection, message_id));
            self.send(connection, &frame).await;
        }
        while !self.echoes.is_empty() {
            match timeout(LIMIT, self.receive_any()).await {
                Ok((connection, result)) => self.handle(connection, result),
                Err(_) => {
                    for (connection, _) in std::mem::take(&mut self.echoes) {
                        self.lines.push(format!("connection {connection}: no ECHO"));
                    }
                }
            }
        }
    }

    /// The next frame of any connection. Giving the future up loses nothing.
    async fn receive_any(&self) -> (usize, Result<Vec<u8>, Error>) {
        type Receiving<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Error>> + 'a>>;
        let mut receiving: Vec<(usize, Receiving<'_>)> = Vec::new();
        for (number, connection) in self.connections.iter().enumerate() {
            if let Some(connection) = connection {
                receiving.push((number, Box::pin(connection.receive())));
            }
        }
        poll_fn(|context| {
            for (number, future) in &mut receiving {
                if let Poll::Ready(result) = future.as_mut().poll(context) {
                    return Poll::Ready((*number, result));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// `#5 CREATE`, or `#5.2 READ` in a compound.
fn name(request: &Outstanding) -> String {
    let what = match &request.action {
        Action::Create(_) => "CREATE",
        Action::On { operation, .. } => match operation {
            Operation::Read { .. } => "READ",
            Operation::Write { .. } => "WRITE",
            Operation::Lock { .. } => "LOCK",
            Operation::Set(_) => "SET_INFO",
            Operation::Query { .. } => "QUERY_INFO",
            Operation::List { .. } => "QUERY_DIRECTORY",
            Operation::Notify { .. } => "CHANGE_NOTIFY",
            Operation::Flush => "FLUSH",
            Operation::Close { .. } => "CLOSE",
        },
        Action::AcknowledgeOplock { .. } | Action::AcknowledgeLease { .. } => "ACKNOWLEDGE",
        Action::Cancel { .. } => "CANCEL",
        Action::Compound { .. } => "COMPOUND",
    };
    match request.part {
        0 => format!("#{} {what}", request.step),
        part => format!("#{}.{part} {what}", request.step),
    }
}
