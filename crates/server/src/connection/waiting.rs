//! Requests of this connection that wait: how they are put aside, told of, cancelled and
//! finished ([MS-SMB2] 3.3.4.2, 3.3.5.16).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use smb::NtStatus;
use smb::wire::{Header, HeaderFlags};
use tokio::time::Instant;

use super::compound::Compound;
use super::dispatch::{Suspended, execute, named_file};
use super::pending::PendingRequest;
use super::{ANSWERS_AT_ONCE, Connection, Disconnect};
use crate::budget::{Charge, Cost};
use crate::outcome::{Executed, Outcome};
use crate::request::{Context, Done, Failure, Request, Wait};
use crate::response::Answers;
use crate::session::Session;
use crate::share::Waiting;
use crate::ticket::Ticket;

/// A store that answers within this time answers as if nothing had happened; after it the
/// client is told that its request waits. Clients give a request up after 10 seconds and
/// more; some, rclone among them, take an interim response that is not signed for a forgery.
const INTERIM_AFTER: Duration = Duration::from_secs(1);

/// Requests of one connection that other threads execute at the same time: enough to keep
/// a disk busy, and few enough that some dozens of connections to a disk that hangs leave
/// threads for the others.
const EXECUTED_AT_ONCE: usize = 16;

/// AsyncCommandList ([MS-SMB2] 3.3.1.7), with the requests that nobody has been told of.
#[derive(Default)]
pub(super) struct PendingRequests {
    connection: u32,
    next: u32,
    requests: HashMap<u64, Box<PendingRequest>>,
    /// Tickets of those that will be executed on another thread.
    queue: VecDeque<u64>,
    /// Number of those that are being executed there.
    running: usize,
}

impl PendingRequests {
    pub(super) fn new(connection: u32) -> Self {
        Self {
            connection,
            ..Self::default()
        }
    }

    /// A ticket that no waiting request has.
    pub(super) fn next_ticket(&mut self) -> Ticket {
        loop {
            self.next = self.next.wrapping_add(1);
            let ticket = Ticket::new(self.connection, self.next);
            if self.requests.is_empty() || !self.requests.contains_key(&ticket.0) {
                return ticket;
            }
        }
    }

    /// When the connection has to look at them although nobody wakes it.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.requests
            .values()
            .filter_map(|pending| match (pending.interim_at, pending.until) {
                (Some(interim), Some(until)) => Some(interim.min(until)),
                (one, other) => one.or(other),
            })
            .min()
    }
}

impl Connection {
    /// Puts a request aside. `answers` gets what can be said now.
    pub(super) fn suspend(
        &mut self,
        suspended: Suspended,
        bytes: Vec<u8>,
        bytes_charge: Option<Charge>,
        compound: Compound,
        answers: &mut Answers,
    ) -> Result<(), Disconnect> {
        let Suspended {
            at,
            length,
            context,
            credits,
            wait: (wait, until),
        } = suspended;
        let works_on = works_on(&context, &bytes[at..][..length]);
        let mut cost = Cost::PENDING_REQUEST;
        if bytes_charge.is_none() {
            cost = cost.and_bytes(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        let charge = match &context.session {
            Some(session) => session.account.charge(cost),
            None => self.account.charge(cost),
        };
        let now = Instant::now();
        let by_itself = !matches!(wait, Wait::Store | Wait::Others | Wait::Memory);
        let pending = Box::new(PendingRequest {
            works_on,
            interim_at: Some(if by_itself { now } else { now + INTERIM_AFTER }),
            patience: None,
            context,
            bytes,
            at,
            length,
            compound,
            wait,
            until,
            credits,
            running: false,
            early: None,
            charge: charge.ok(),
            bytes_charge,
        });
        let no_room = pending.charge.is_none()
            || self.pending.requests.len() >= self.core.config.limits.pending_requests;
        // What has come to its end meanwhile, a lock that was granted for instance, needs no
        // room: its outcome is on its way, and must not be lost.
        if no_room && (self.forget(&pending) || !by_itself) {
            return self.finish(
                pending,
                Err(NtStatus::INSUFFICIENT_RESOURCES),
                None,
                answers,
            );
        }
        self.wait(pending, answers);
        Ok(())
    }

    /// Registers a request whose wait is known; tells the client of it if its end is not.
    fn wait(&mut self, mut pending: Box<PendingRequest>, answers: &mut Answers) {
        let ticket = pending.context.ticket;
        if pending.interim_at.is_some_and(|at| at <= Instant::now()) {
            self.tell(&mut pending, answers);
        }
        if pending.waits_for_store() {
            self.pending.queue.push_back(ticket.0);
        }
        if matches!(pending.wait, Wait::Memory) {
            let patience = self.core.config.limits.write;
            pending
                .patience
                .get_or_insert_with(|| Instant::now() + patience);
        }
        self.pending.requests.insert(ticket.0, pending);
        self.execute_queued();
    }

    /// Sends what the compound has so far and an interim response.
    fn tell(&mut self, pending: &mut PendingRequest, answers: &mut Answers) {
        let next = pending.compound.next_response();
        let sofar = std::mem::replace(&mut pending.compound.response, next);
        answers.append(sofar.into_frame());
        let header = &pending.context.header;
        let interim = Header {
            status: NtStatus::PENDING,
            credits: std::mem::take(&mut pending.credits),
            flags: HeaderFlags::SERVER_TO_REDIR | HeaderFlags::ASYNC,
            next_command: 0,
            tree_id: 0,
            async_id: pending.context.ticket.0,
            signature: [0; 16],
            ..*header
        };
        let mut response = pending.compound.next_response();
        response.begin();
        response.error_body();
        // [MS-SMB2] 3.3.4.1.1: never signed. Its MessageId is that of the final response, and
        // two messages under one nonce give the key of AES-GMAC away.
        response.complete(&interim, None);
        answers.append(response.into_frame());
        pending.interim_at = None;
    }

    /// Hands requests that wait for a store to threads that may wait.
    fn execute_queued(&mut self) {
        while self.pending.running < EXECUTED_AT_ONCE {
            let Some(ticket) = self.pending.queue.pop_front() else {
                if self.pending.queue.capacity() > 64 {
                    self.pending.queue = VecDeque::new();
                }
                return;
            };
            let Some(pending) = self.pending.requests.get_mut(&ticket) else {
                continue;
            };
            pending.running = true;
            self.pending.running += 1;
            let core = self.core.clone();
            let outbox = self.outbox.clone();
            let context = pending.context.clone();
            let bytes = std::mem::take(&mut pending.bytes);
            // Who has gone meanwhile still answers for what the thread holds.
            let charge = pending.charge.take();
            let bytes_charge = pending.bytes_charge.take();
            let message = pending.at..pending.at + pending.length;
            let mut response = pending.compound.next_response();
            let work = move || {
                response.begin();
                let request = Request {
                    context: &context,
                    message: &bytes[message],
                };
                let body = response.body();
                let result = execute(&core, &request, Waiting::Allowed, body);
                let executed = Executed {
                    bytes,
                    charge,
                    bytes_charge,
                    response,
                    result,
                };
                outbox.resume(context.ticket, Outcome::Executed(Box::new(executed)));
            };
            self.core.spawn_blocking(work);
        }
    }

    /// Somebody has made a request ready.
    pub(super) fn resume(
        &mut self,
        ticket: Ticket,
        outcome: Outcome,
        answers: &mut Answers,
    ) -> Result<(), Disconnect> {
        let executed = matches!(outcome, Outcome::Executed(_));
        if executed {
            self.pending.running -= 1;
        }
        let Some(mut pending) = self.pending.requests.remove(&ticket.0) else {
            return Ok(());
        };
        if pending.running && !executed {
            // It is kept until the other thread has given the request back.
            pending.early = Some(outcome);
            self.pending.requests.insert(ticket.0, pending);
            return Ok(());
        }
        match outcome {
            Outcome::Retry => self.retry(pending, answers),
            Outcome::Ended(status) => {
                self.forget(&pending);
                if pending.waits_for_store() {
                    self.pending.queue.retain(|queued| *queued != ticket.0);
                }
                self.finish(pending, Err(status), None, answers)
            }
            Outcome::Answered(status, body) => {
                if let Wait::Lock(open) = &pending.wait {
                    let request = Request {
                        context: &pending.context,
                        message: &pending.bytes[pending.at..][..pending.length],
                    };
                    super::lock::remember(&request, open);
                }
                self.finish(pending, Ok(Done::from(status)), Some(&body), answers)
            }
            Outcome::Executed(executed) => self.executed(pending, *executed, answers),
        }
    }

    fn executed(
        &mut self,
        mut pending: Box<PendingRequest>,
        executed: Executed,
        answers: &mut Answers,
    ) -> Result<(), Disconnect> {
        pending.running = false;
        pending.bytes = executed.bytes;
        pending.charge = executed.charge;
        pending.bytes_charge = executed.bytes_charge;
        let closed = |session: &Arc<Session>| session.is_closed();
        let is_closed = pending.context.session.as_ref().is_some_and(closed);
        let result = match executed.result {
            Err(Failure::Disconnect(reason)) => return Err(Disconnect::Violation(reason)),
            // Too late: what was asked for is no longer the client's.
            Ok(done) if is_closed => {
                self.close_after_reply.extend(done.close_after_reply);
                Err(NtStatus::CANCELLED)
            }
            Err(failure) if is_closed => {
                if let Failure::Waits(wait, _) = failure {
                    pending.wait = wait;
                    self.forget(&pending);
                }
                Err(NtStatus::CANCELLED)
            }
            Ok(done) => Ok(done),
            Err(Failure::Status(status)) => Err(status),
            Err(Failure::WouldWait) => Err(NtStatus::INTERNAL_ERROR),
            Err(Failure::Waits(wait, until)) => {
                pending.wait = wait;
                pending.until = until;
                if !matches!(pending.wait, Wait::Memory) {
                    pending.interim_at = pending.interim_at.map(|_| Instant::now());
                }
                let ticket = pending.context.ticket;
                let early = pending.early.take();
                self.wait(pending, answers);
                if let Some(outcome) = early {
                    self.resume(ticket, outcome, answers)?;
                }
                // A CLOSE waits for stores only: not for what waits for something else now.
                return self.retry_waiting_for_others(answers);
            }
        };
        if pending.compound.response.is_empty() {
            pending.compound.response = executed.response;
            self.finish(pending, result, None, answers)?;
        } else {
            let body = executed.response.body_so_far();
            self.finish(pending, result, Some(body), answers)?;
        }
        self.retry_waiting_for_others(answers)?;
        self.execute_queued();
        Ok(())
    }

    fn retry(
        &mut self,
        mut pending: Box<PendingRequest>,
        answers: &mut Answers,
    ) -> Result<(), Disconnect> {
        pending.context.now = self.core.config.clock.now();
        pending.context.again = true;
        pending.compound.response.begin();
        let request = Request {
            context: &pending.context,
            message: &pending.bytes[pending.at..][..pending.length],
        };
        let result = self.execute_again(&request, pending.compound.response.body());
        let (wait, until) = match result {
            Ok(done) => return self.complete(pending, Ok(done), answers),
            Err(Failure::Status(status)) => return self.complete(pending, Err(status), answers),
            Err(Failure::Disconnect(reason)) => return Err(Disconnect::Violation(reason)),
            Err(Failure::WouldWait) => (Wait::Store, None),
            Err(Failure::Waits(Wait::Memory, _)) if pending.has_lost_patience() => {
                return self.complete(pending, Err(NtStatus::INSUFFICIENT_RESOURCES), answers);
            }
            Err(Failure::Waits(wait, until)) => (wait, until),
        };
        pending.compound.response.abandon();
        pending.wait = wait;
        pending.until = until;
        self.wait(pending, answers);
        Ok(())
    }

    /// Finishes a request, with a body that was written elsewhere, one that another thread
    /// has left in the response, or none.
    fn finish(
        &mut self,
        mut pending: Box<PendingRequest>,
        result: Result<Done, NtStatus>,
        body: Option<&[u8]>,
        answers: &mut Answers,
    ) -> Result<(), Disconnect> {
        let response = &mut pending.compound.response;
        response.begin();
        if let Some(body) = body {
            response.body().extend_from_slice(body);
        }
        self.complete(pending, result, answers)
    }

    /// Completes the message begun last, and goes on with the rest of the compound.
    fn complete(
        &mut self,
        pending: Box<PendingRequest>,
        result: Result<Done, NtStatus>,
        answers: &mut Answers,
    ) -> Result<(), Disconnect> {
        let is_async = pending.is_async();
        let credits = pending.credits;
        let PendingRequest {
            mut compound,
            mut bytes,
            context,
            at,
            length,
            bytes_charge,
            ..
        } = *pending;
        self.conclude(&mut compound, &context, result, credits, is_async);
        let behind = at + length;
        if !context.last {
            let now = self.core.config.clock.now();
            if let Some(mut suspended) = self.go_on(&mut compound, &mut bytes[behind..], now)? {
                suspended.at += behind;
                return self.suspend(suspended, bytes, bytes_charge, compound, answers);
            }
        }
        answers.append(compound.response.into_frame());
        Ok(())
    }

    /// What has to be done because time has passed.
    pub(super) fn look_at_time(&mut self, answers: &mut Answers) -> Result<(), Disconnect> {
        let now = Instant::now();
        let due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        let tickets: Vec<u64> = self
            .pending
            .requests
            .iter()
            .filter(|(_, pending)| due(pending.interim_at) || due(pending.until))
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in tickets {
            if answers.len() >= ANSWERS_AT_ONCE {
                // The others are due at the next look, as soon as these have been written.
                break;
            }
            let Some(mut pending) = self.pending.requests.remove(&ticket) else {
                continue;
            };
            if due(pending.interim_at) {
                self.tell(&mut pending, answers);
            }
            if due(pending.until) && !pending.running {
                pending.until = None;
                if let Wait::Break(file) = &pending.wait {
                    self.core.time_out(file);
                }
                let memory = matches!(pending.wait, Wait::Memory);
                self.retry(pending, answers)?;
                if memory {
                    self.retry_waiting_for_others(answers)?;
                }
            } else {
                self.pending.requests.insert(ticket, pending);
            }
        }
        Ok(())
    }

    /// [MS-SMB2] 3.3.5.16: finds the waiting request by AsyncId or MessageId; no answer of
    /// its own.
    pub(super) fn cancel(&mut self, header: &Header) {
        let by_async = header.flags.contains(HeaderFlags::ASYNC);
        let found = self.pending.requests.values().find(|pending| {
            let context = &pending.context;
            context.header.session_id == header.session_id
                && if by_async {
                    context.ticket.0 == header.async_id
                } else {
                    context.header.message_id == header.message_id
                }
        });
        if let Some(pending) = found
            && self.forget(pending)
        {
            self.outbox
                .resume(pending.context.ticket, Outcome::Ended(NtStatus::CANCELLED));
        }
    }

    /// Requests of sessions that have been closed end, unless the end of their opens ends
    /// them.
    pub(super) fn end_requests_of_closed_sessions(&mut self) {
        for pending in self.pending.requests.values() {
            let closed = |session: &Arc<Session>| session.is_closed();
            if pending.context.session.as_ref().is_some_and(closed) && self.forget(pending) {
                self.outbox
                    .resume(pending.context.ticket, Outcome::Ended(NtStatus::CANCELLED));
            }
        }
    }

    /// The connection has ended: nobody waits for its requests any more.
    pub(super) fn forget_requests(&mut self) {
        for (_, pending) in std::mem::take(&mut self.pending.requests) {
            self.forget(&pending);
        }
    }

    /// Takes a request out of the queue in which it waits. False if it is in none (any more):
    /// then it ends by itself.
    fn forget(&self, pending: &PendingRequest) -> bool {
        let ticket = pending.context.ticket;
        match &pending.wait {
            Wait::Store => !pending.running,
            Wait::Others => false,
            Wait::Memory => true,
            Wait::Pipe(open) => open.forget_pipe_read(ticket),
            Wait::Break(file) => {
                file.cancel(ticket);
                true
            }
            Wait::Change => self.core.notifier.cancel(ticket),
            Wait::Lock(open) => open.file().is_ok_and(|file| file.file.cancel_lock(ticket)),
        }
    }

    /// CLOSE waits for what still works on its open.
    pub(super) fn wait_for_others(&self, request: &Request<'_>) -> Result<(), Failure> {
        if self.pending.requests.is_empty() {
            return Ok(());
        }
        let Ok(close) = smb::wire::CloseRequest::read(request.message) else {
            return Ok(());
        };
        let volatile = request.resolve(close.file_id).volatile;
        let busy = |pending: &PendingRequest| {
            matches!(pending.wait, Wait::Store | Wait::Memory) && pending.works_on == Some(volatile)
        };
        if self.pending.requests.values().any(|pending| busy(pending)) {
            return Err(Failure::Waits(Wait::Others, None));
        }
        Ok(())
    }

    fn retry_waiting_for_others(&mut self, answers: &mut Answers) -> Result<(), Disconnect> {
        let waiting: Vec<u64> = self
            .pending
            .requests
            .iter()
            .filter(|(_, pending)| matches!(pending.wait, Wait::Others))
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in waiting {
            if let Some(pending) = self.pending.requests.remove(&ticket) {
                self.retry(pending, answers)?;
            }
        }
        Ok(())
    }
}

/// The open that a request works on: CLOSE waits for it, however the client has sent both.
fn works_on(context: &Context, message: &[u8]) -> Option<u64> {
    let file_id = named_file(context.header.command, message).or(context.related_file)?;
    Some(file_id.volatile)
}
