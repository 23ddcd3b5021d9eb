//! One caller: reads PDUs, answers them in order, and holds one answer at a time.

use std::io;
use std::sync::Arc;

use rpc::association::server::{Association, Call, Limits};
use server::account::SecurityContext;
use server::application::Application;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::limits::LocalLimits;
use super::peer::Peer;
use crate::srvsvc_pipe::{Endpoint, INTERFACES};

/// Bytes read at once. A request is a few hundred.
const READ_SIZE: usize = 4_096;

/// Answers waiting at once that are not answers to calls (faults, acknowledgements): those
/// that one read can bring in any sensible way.
const MAX_QUEUED: usize = 32;

/// Why a connection ended, other than the caller's own wish.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error(transparent)]
    Protocol(#[from] rpc::association::server::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("no bind within the time limit")]
    Handshake,
    #[error("no request within the time limit")]
    Idle,
    #[error("the caller does not take its answer")]
    Write,
    #[error("the answer failed: {0}")]
    Answer(#[from] tokio::task::JoinError),
}

/// The service's end of one connection.
pub(super) struct Conversation {
    association: Association,
    endpoint: Endpoint,
}

impl Conversation {
    pub(super) fn new(
        administration: Arc<dyn Application>,
        context: SecurityContext,
        peer: Peer,
        max_request_stub: usize,
    ) -> Self {
        let limits = Limits {
            max_request_stub,
            max_queued_replies: MAX_QUEUED,
            ..Limits::default()
        };
        let pid = peer.pid.map(|pid| format!(", pid {pid}"));
        let place = format!("this machine (uid {}{})", peer.uid, pid.unwrap_or_default());
        Self {
            association: Association::new(&INTERFACES, srvsvc::SECONDARY_ADDRESS, limits),
            endpoint: Endpoint {
                session: None,
                security_context: Arc::new(context),
                client_name: place.into(),
                administration,
                close_after_reply: Vec::new(),
            },
        }
    }

    /// For the log.
    pub(super) fn caller(&self) -> Arc<str> {
        self.endpoint.client_name.clone()
    }

    fn answer(&mut self, call: &Call) {
        match self.endpoint.call(call.opnum, call.syntax, &call.stub) {
            Ok(stub) => self.association.reply(call, stub),
            Err(status) => self.association.fault(call, status),
        }
    }
}

/// Serves one caller until it leaves (`Ok`) or breaks a rule.
pub(super) async fn serve(
    mut stream: UnixStream,
    mut conversation: Conversation,
    limits: &LocalLimits,
) -> Result<(), Ended> {
    let mut deadline = Instant::now() + limits.handshake;
    loop {
        let read = timeout_at(deadline, read(&stream)).await;
        let bytes = read.map_err(|_| {
            if conversation.association.is_bound() {
                Ended::Idle
            } else {
                Ended::Handshake
            }
        })??;
        if bytes.is_empty() {
            return Ok(());
        }
        let mut next = conversation.association.handle_message(&bytes);
        drop(bytes);
        let mut has_answered = false;
        // Nothing more is taken up before the last answer has left: who does not read is not
        // answered.
        while let Ok(Some(call)) = next {
            conversation = answer(conversation, call).await?;
            has_answered |= send(&mut stream, &mut conversation.association, limits).await?;
            next = conversation.association.next_call();
        }
        has_answered |= send(&mut stream, &mut conversation.association, limits).await?;
        next?;
        if has_answered && conversation.association.is_bound() {
            deadline = Instant::now() + limits.idle;
        }
    }
}

/// What has come, at most [`READ_SIZE`]; nothing at the end of the stream. No buffer is held
/// while there is nothing.
async fn read(stream: &UnixStream) -> io::Result<Vec<u8>> {
    loop {
        stream.readable().await?;
        let mut bytes = Vec::with_capacity(READ_SIZE);
        match stream.try_read_buf(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok(bytes),
        }
    }
}

/// Ending a session closes files, and a list may be long: neither holds up the runtime.
async fn answer(mut conversation: Conversation, call: Call) -> Result<Conversation, Ended> {
    let answered = tokio::task::spawn_blocking(move || {
        conversation.answer(&call);
        conversation
    });
    Ok(answered.await?)
}

/// Sends what waits; whether anything did.
async fn send(
    stream: &mut UnixStream,
    association: &mut Association,
    limits: &LocalLimits,
) -> Result<bool, Ended> {
    let send_all = async {
        let mut has_sent = false;
        while let Some(fragment) = association.poll_output() {
            stream.write_all(&fragment).await?;
            has_sent = true;
        }
        Ok(has_sent)
    };
    timeout(limits.write, send_all)
        .await
        .unwrap_or(Err(Ended::Write))
}
