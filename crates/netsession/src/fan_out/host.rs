//! One server of a fan-out, from its turn to its last event.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use srvsvc::SessionLevel;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Event, FanOut};
use crate::smb_client::{self, Transport, Turn};
use crate::{Code, Error, ErrorKind, Server, Target};

/// Pause until a file descriptor may have become free.
const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(20);

/// Nobody wants events any more.
pub(super) struct Gone;

/// Why a server's list ends early.
enum Stop {
    Failed(Error),
    Gone,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Asks one server and sends what it answers.
pub(super) async fn ask(
    fan_out: &FanOut,
    target: Arc<Target>,
    events: &Sender<Event>,
) -> Result<(), Gone> {
    let waiting = Instant::now();
    let patience = fan_out.options.connect_timeout.min(fan_out.deadline);
    let turn = Turn::wait(target.host(), patience).await;
    let started = match turn {
        Ok(_) => Instant::now(),
        Err(_) => waiting,
    };
    let mut host = Host {
        fan_out,
        target: &target,
        events,
        deadline: started + fan_out.deadline,
    };
    let asked = match turn {
        Ok(turn) => host.list(turn).await,
        Err(error) => Err(host.connecting(error).into()),
    };
    let elapsed = started.elapsed();
    let last = match asked {
        Ok((level, sessions)) => Event::Done {
            target,
            level,
            sessions,
            elapsed,
        },
        Err(Stop::Failed(error)) => Event::Failed {
            target,
            error,
            elapsed,
        },
        Err(Stop::Gone) => return Err(Gone),
    };
    events.send(last).await.map_err(|_| Gone)
}

struct Host<'a> {
    fan_out: &'a FanOut,
    target: &'a Arc<Target>,
    events: &'a Sender<Event>,
    deadline: Instant,
}

impl Host<'_> {
    async fn list(&mut self, turn: Turn) -> Result<(SessionLevel, usize), Stop> {
        let mut server = self.within(self.connect(turn)).await?;
        let filter = &self.fan_out.filter;
        let (level, mut sessions) = self
            .within(server.sessions_at(filter, self.fan_out.level))
            .await?;
        let mut number = 0;
        loop {
            let next = async { sessions.next_session().await.transpose() };
            let session = match self.within(next).await {
                Ok(Some(session)) => session,
                Ok(None) => return Ok((level, number)),
                // Of many servers most will not know the client or user that is looked for.
                Err(error) if error.kind() == ErrorKind::NoSuchSession => {
                    return Ok((level, number));
                }
                Err(error) => return Err(error.into()),
            };
            number += 1;
            let target = Arc::clone(self.target);
            self.send(Event::Session {
                target,
                level,
                session,
            })
            .await?;
        }
    }

    async fn connect(&self, turn: Turn) -> Result<Server, Error> {
        let (target, options) = (&**self.target, &self.fan_out.options);
        let credentials = &self.fan_out.credentials;
        if target.is_this_machine() {
            return Server::connect(target, credentials, options).await;
        }
        let limit = Instant::now() + options.connect_timeout;
        let transport = async {
            let remaining = limit.saturating_duration_since(Instant::now());
            let addresses = turn
                .resolve(target.host(), target.port(), remaining)
                .await?;
            loop {
                let remaining = limit.saturating_duration_since(Instant::now());
                match Transport::connect_to(&addresses, options.source_address, remaining).await {
                    Err(smb_client::Error::Connect(error)) if lacks_descriptors(&error) => {
                        if Instant::now() + DESCRIPTOR_PAUSE > limit {
                            return Err(smb_client::Error::Connect(error));
                        }
                        sleep(DESCRIPTOR_PAUSE).await;
                    }
                    other => return other,
                }
            }
        };
        let transport = transport.await.map_err(|error| self.connecting(error))?;
        Server::over(transport, target, credentials, options).await
    }

    fn connecting(&self, error: smb_client::Error) -> Error {
        Error::smb(format!("connecting to {}", self.target), error)
    }

    /// `work`, until the deadline.
    async fn within<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        timeout_at(self.deadline, work).await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::TimedOut,
                format!("asking {} for its sessions", self.target),
                format!(
                    "no complete answer within the {} s that each server has",
                    self.fan_out.deadline.as_secs_f64()
                ),
                Some(Code::NetApiStatus(121)),
            ))
        })
    }

    /// Sends an event; the server is not to blame for the time that takes.
    async fn send(&mut self, event: Event) -> Result<(), Stop> {
        match self.events.try_send(event) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(Stop::Gone),
            Err(TrySendError::Full(event)) => {
                let waiting = Instant::now();
                self.events.send(event).await.map_err(|_| Stop::Gone)?;
                self.deadline += waiting.elapsed();
                Ok(())
            }
        }
    }
}

/// EMFILE or ENFILE: other servers hold them and will give them back.
fn lacks_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}
