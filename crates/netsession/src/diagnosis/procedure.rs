//! The steps, one after the other.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use smb::wire::session_flags;
use srvsvc::{NetApiStatus, SessionEnumRequest, SessionLevel};
use tokio::time::Instant;

use super::{
    Binding, Connecting, Diagnosis, LevelAnswer, Logon, Negotiation, Software, Step, smb1,
};
use crate::name::matches;
use crate::smb_client::{Connection, Session, Transport, Turn};
use crate::{Credentials, Error, ErrorKind, Options, Server, SessionFilter, SessionInfo, Target};

/// Addresses tried. A name with more is a mistake or an attack; each may take its time limit.
const MAX_ADDRESSES: usize = 8;

/// PreferedMaximumLength of the pages asked for, in bytes: one session at least, a few at most.
const SMALL_PAGE: u32 = 4096;

/// Sessions looked through for our own. With a filter by user, that is where it is; smbd,
/// which ignores filters, may have more than that.
const MAX_LOOKED_THROUGH: usize = 10_000;

/// All there are.
pub(super) const LEVELS: [SessionLevel; 5] = [
    SessionLevel::Info0,
    SessionLevel::Info1,
    SessionLevel::Info2,
    SessionLevel::Info10,
    SessionLevel::Info502,
];

/// SV_TYPE_SERVER_UNIX ([MS-SRVS] 2.2.2.7). smbd 4.17 sets it.
const SERVER_UNIX: u32 = 0x0000_0800;

/// PLATFORM_ID_NT ([MS-SRVS] 2.2.2.6).
const PLATFORM_NT: u32 = 500;

pub(super) async fn run(
    target: &Target,
    credentials: &Credentials,
    options: &Options,
    limit: Option<Duration>,
) -> Diagnosis {
    let started = Instant::now();
    let mut looked = Looking {
        diagnosis: Diagnosis {
            target: target.clone(),
            user: (!target.is_this_machine()).then(|| credentials.to_string()),
            resolution: None,
            connections: Vec::new(),
            negotiation: None,
            speaks_smb1: None,
            logon: None,
            binding: None,
            server_info: Vec::new(),
            software: None,
            levels: Vec::new(),
            own_session: None,
            cut_off: None,
            findings: Vec::new(),
            elapsed: Duration::ZERO,
        },
        target,
        credentials,
        options,
    };
    let work = async {
        if let Some(server) = looked.reach().await {
            looked.ask(server).await;
        }
    };
    let cut_off = match limit {
        Some(limit) => tokio::time::timeout(limit, work)
            .await
            .err()
            .and(Some(limit)),
        None => {
            work.await;
            None
        }
    };
    let mut diagnosis = looked.diagnosis;
    diagnosis.cut_off = cut_off;
    diagnosis.elapsed = started.elapsed();
    diagnosis
}

struct Looking<'a> {
    diagnosis: Diagnosis,
    target: &'a Target,
    credentials: &'a Credentials,
    options: &'a Options,
}

impl Looking<'_> {
    /// Up to the bind.
    async fn reach(&mut self) -> Option<Server> {
        let (target, options) = (self.target, self.options);
        let bound = if target.is_this_machine() {
            timed(Server::this_machine(options)).await
        } else {
            let addresses = self.resolve().await?;
            let (transport, address) = self.connect(&addresses).await?;
            let connection = self.negotiate(transport, address).await?;
            let session = self.log_on(&connection).await?;
            timed(Server::open_pipe(
                session,
                target,
                self.credentials,
                options,
            ))
            .await
        };
        let facts = |server: &Server| Binding {
            syntax: server.syntax(),
            encrypted: server.is_encrypted(),
        };
        let (step, server) = bound.split(facts);
        self.diagnosis.binding = Some(step);
        server
    }

    async fn resolve(&mut self) -> Option<Vec<SocketAddr>> {
        let (target, limit) = (self.target, self.options.connect_timeout);
        let step = timed(async {
            let turn = Turn::wait(target.host(), limit).await?;
            turn.resolve(target.host(), target.port(), limit).await
        })
        .await
        .map_err(|error| Error::smb(format!("looking up {}", target.host()), error))
        .into_step();
        let addresses = step.result.as_ref().ok().cloned();
        self.diagnosis.resolution = Some(step);
        addresses
    }

    async fn connect(&mut self, addresses: &[SocketAddr]) -> Option<(Transport, SocketAddr)> {
        let options = self.options;
        for &address in addresses.iter().take(MAX_ADDRESSES) {
            let (source, limit) = (options.source_address, options.connect_timeout);
            let connecting = async { Transport::connect_to(&[address], source, limit).await };
            let connected = timed(connecting)
                .await
                .map_err(|error| Error::smb(format!("connecting to {address}"), error));
            let (step, transport) = connected.split(|_| ());
            self.diagnosis
                .connections
                .push(Connecting { address, step });
            if let Some(transport) = transport {
                return Some((transport, address));
            }
        }
        None
    }

    async fn negotiate(&mut self, transport: Transport, address: SocketAddr) -> Option<Connection> {
        let step = timed(Server::negotiate(transport, self.target, self.options)).await;
        let (step, connection) = step.split(|connection| {
            let negotiated = connection.negotiated();
            Negotiation {
                dialect: negotiated.dialect,
                signing_algorithm: negotiated.signing_algorithm,
                signing_required: negotiated.signing_required,
                cipher: negotiated.cipher,
                server_guid: negotiated.server_guid,
                capabilities: negotiated.capabilities,
                max_transact_size: negotiated.max_transact_size,
                max_read_size: negotiated.max_read_size,
                max_write_size: negotiated.max_write_size,
            }
        });
        // A silent server will not say more to another question.
        if let Err(error) = &step.result
            && error.kind() != ErrorKind::TimedOut
        {
            let source = self.options.source_address;
            let answers = smb1::answers(address, source, self.options.connect_timeout).await;
            self.diagnosis.speaks_smb1 = Some(answers);
        }
        self.diagnosis.negotiation = Some(step);
        connection
    }

    async fn log_on(&mut self, connection: &Connection) -> Option<Session> {
        let logon = Server::log_on(connection, self.target, self.credentials, self.options);
        let (step, session) = timed(logon).await.split(|session| Logon {
            session_id: session.id(),
            guest: session.flags() & session_flags::SMB2_SESSION_FLAG_IS_GUEST != 0,
            anonymous: session.flags() & session_flags::SMB2_SESSION_FLAG_IS_NULL != 0,
            signed: session.is_signed(),
            encrypted: session.is_encrypted(),
        });
        self.diagnosis.logon = Some(step);
        session
    }

    /// What the server tells, until it stops answering.
    async fn ask(&mut self, mut server: Server) {
        for level in [100, 101, 102] {
            let step = timed(server.server_info(level)).await.into_step();
            let goes_on = goes_on(&step);
            self.diagnosis.server_info.push((level, step));
            if !goes_on {
                return;
            }
        }
        self.diagnosis.software = software(&self.diagnosis);
        for level in LEVELS {
            let step = timed(first_page(&mut server, level)).await.into_step();
            let goes_on = goes_on(&step);
            self.diagnosis.levels.push((level, step));
            if !goes_on {
                return;
            }
        }
        self.diagnosis.own_session = self.own_session(&mut server).await;
        // All has been said, whether this is heard or not.
        let _ = server.disconnect().await;
    }

    async fn own_session(&self, server: &mut Server) -> Option<SessionInfo> {
        if self.target.is_this_machine() || self.credentials.is_anonymous() {
            return None;
        }
        let open = self.diagnosis.levels.iter().rev();
        let (level, _) = open
            .filter(|(level, _)| *level != SessionLevel::Info0)
            .find(|(_, step)| step.result.is_ok())?;
        let user = self.credentials.user();
        // `user@domain`: the account's name is the first part.
        let user = user.split_once('@').map_or(user, |(name, _)| name);
        let filter = SessionFilter {
            client: None,
            user: Some(user.to_owned()),
        };
        let mut sessions = server.sessions(&filter, *level);
        let mut own: Option<SessionInfo> = None;
        for _ in 0..MAX_LOOKED_THROUGH {
            let Some(Ok(session)) = sessions.next_session().await else {
                break;
            };
            if matches(&session, None, Some(user))
                && own.as_ref().is_none_or(|own| session.time() <= own.time())
            {
                own = Some(session);
            }
        }
        own
    }
}

/// Asks for a little, to see whether it may be asked for.
async fn first_page(server: &mut Server, level: SessionLevel) -> Result<LevelAnswer, Error> {
    let number = u32::from(level);
    let tried = format!(
        "listing the sessions of {} at level {number}",
        server.target()
    );
    let request = SessionEnumRequest {
        server_name: server.target().server_name(),
        client_name: None,
        user_name: None,
        level: number,
        prefered_maximum_length: SMALL_PAGE,
        resume_handle: Some(0),
    };
    let response = server.session_enum(&request, level, &tried).await?;
    match response.result {
        NetApiStatus::SUCCESS | NetApiStatus::MORE_DATA => Ok(LevelAnswer {
            entries_read: response.entries.len(),
            total_entries: response.total_entries,
        }),
        result => Err(server.refused(tried, result)),
    }
}

pub(super) fn software(diagnosis: &Diagnosis) -> Option<Software> {
    let info = diagnosis.server()?;
    if info.platform_id != PLATFORM_NT {
        return None;
    }
    Some(
        match info.server_type & SERVER_UNIX != 0 || info.comment.starts_with("Samba") {
            true => Software::Samba,
            false => Software::WindowsLike,
        },
    )
}

/// The connection can carry another call.
fn goes_on<T>(step: &Step<T>) -> bool {
    step.result.as_ref().err().is_none_or(|error| {
        !matches!(
            error.kind(),
            ErrorKind::TimedOut | ErrorKind::ConnectionLost | ErrorKind::Protocol
        )
    })
}

/// A result before it is told, with its time.
struct Timed<T, E> {
    result: Result<T, E>,
    elapsed: Duration,
}

async fn timed<T, E>(work: impl Future<Output = Result<T, E>>) -> Timed<T, E> {
    let started = Instant::now();
    let result = work.await;
    Timed {
        result,
        elapsed: started.elapsed(),
    }
}

impl<T, E> Timed<T, E> {
    fn map_err<F>(self, change: impl FnOnce(E) -> F) -> Timed<T, F> {
        Timed {
            result: self.result.map_err(change),
            elapsed: self.elapsed,
        }
    }
}

impl<T> Timed<T, Error> {
    fn into_step(self) -> Step<T> {
        Step {
            result: self.result,
            elapsed: self.elapsed,
        }
    }

    /// What is told of it, and the thing itself.
    fn split<F>(self, facts: impl FnOnce(&T) -> F) -> (Step<F>, Option<T>) {
        let (result, thing) = match self.result {
            Ok(thing) => (Ok(facts(&thing)), Some(thing)),
            Err(error) => (Err(error), None),
        };
        let elapsed = self.elapsed;
        (Step { result, elapsed }, thing)
    }
}
