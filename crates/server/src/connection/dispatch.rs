//! Receiving any message ([MS-SMB2] 3.3.5.2): decryption, sequence, signature, session, tree
//! connect, compounds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smb::crypto::PreauthIntegrityHashValue;
use smb::wire::{self, Command, FileId, Header, HeaderFlags};
use smb::{FileTime, NtStatus};

use super::compound::{Compound, Related};
use super::frame::FrameReader;
use super::{Connection, Disconnect};
use crate::application::Reason;
use crate::core::Core;
use crate::limits::{ANSWER, ANSWER_OVERHEAD, ANSWER_WITHOUT_CHARGE};
use crate::request::{Answer, Context, Done, Failure, Request, Wait};
use crate::response::{Answers, may_have_body};
use crate::session::{Session, SessionState};
use crate::share::{Waiting, caught};
use tokio::time::Instant;

/// A request that could not be answered at once.
pub(super) struct Suspended {
    /// Where its message begins in the bytes of the frame, and how long it is.
    pub(super) at: usize,
    pub(super) length: usize,
    pub(super) context: Context,
    pub(super) credits: u16,
    /// What it waits for, and until when.
    pub(super) wait: (Wait, Option<Instant>),
}

impl Connection {
    /// Answers one frame. An empty answer is legal (CANCEL, or all of it waits).
    pub(super) fn handle_frame(
        &mut self,
        frames: &mut FrameReader,
        length: usize,
        now: FileTime,
    ) -> Result<Answers, Disconnect> {
        let frame = frames.frame(length);
        let (offset, sealed) =
            match frame.get(..4) {
                Some(b"\xFESMB") => (0, None),
                Some(b"\xFDSMB") => {
                    let transform = wire::transform::TransformHeader::read(frame)?;
                    // [MS-SMB2] 3.3.5.2.1.1: an unknown session or a bad tag ends the connection.
                    let session = self.session(transform.session_id).cloned().ok_or(
                        Disconnect::Violation("encrypted for no session of this connection"),
                    )?;
                    let keys =
                        session
                            .keys()
                            .encryption_keys
                            .as_ref()
                            .ok_or(Disconnect::Violation(
                                "encrypted for a session without a cipher",
                            ))?;
                    let messages = keys.decryption.open(frame).map_err(|_| {
                        Disconnect::Violation("encrypted bytes do not authenticate")
                    })?;
                    (length - messages.len(), Some(session))
                }
                Some(b"\xFFSMB") => {
                    let answer = self.multi_protocol_negotiate(frame)?;
                    frames.consume(length);
                    return Ok(answer.into());
                }
                _ => return Err(Disconnect::Violation("no SMB protocol id")),
            };
        let mut compound = Compound::new(sealed);
        match self.go_on(&mut compound, &mut frame[offset..], now)? {
            None => {
                frames.consume(length);
                self.remember_preauth(compound.response.finish());
                Ok(compound.response.into_frame())
            }
            Some(mut suspended) => {
                let (bytes, from, charge) = frames.detach(length);
                suspended.at += from + offset;
                let mut answers = Answers::default();
                self.suspend(suspended, bytes, charge, compound, &mut answers)?;
                Ok(answers)
            }
        }
    }

    /// Answers the messages of `bytes` one after the other, until one has to wait.
    pub(super) fn go_on(
        &mut self,
        compound: &mut Compound,
        bytes: &mut [u8],
        now: FileTime,
    ) -> Result<Option<Suspended>, Disconnect> {
        let mut at = 0;
        loop {
            compound.messages += 1;
            if compound.messages > self.core.config.limits.compound_messages {
                return Err(Disconnect::Violation("too many messages in a compound"));
            }
            let rest = &mut bytes[at..];
            let header = Header::read(rest)?;
            let next = header.next_command as usize;
            if next != 0 && (!next.is_multiple_of(8) || next < Header::SIZE || next >= rest.len()) {
                return Err(Disconnect::Violation("NextCommand points nowhere"));
            }
            let length = if next == 0 { rest.len() } else { next };
            let last = next == 0;
            let message = &mut rest[..length];
            if let Some((context, credits, wait)) =
                self.handle_message(compound, header, message, last, now)?
            {
                return Ok(Some(Suspended {
                    at,
                    length,
                    context,
                    credits,
                    wait,
                }));
            }
            if last {
                return Ok(None);
            }
            at += length;
        }
    }

    #[allow(clippy::type_complexity)]
    fn handle_message(
        &mut self,
        compound: &mut Compound,
        mut header: Header,
        message: &mut [u8],
        last: bool,
        now: FileTime,
    ) -> Result<Option<(Context, u16, (Wait, Option<Instant>))>, Disconnect> {
        if header.flags.contains(HeaderFlags::SERVER_TO_REDIR) {
            return Err(Disconnect::Violation("a response sent to the server"));
        }
        if header.command == Command::CANCEL {
            self.cancel(&header);
            return Ok(None);
        }
        let multi_credit = self.negotiated.as_ref().is_some_and(|n| n.multi_credit);
        let charge = if multi_credit {
            header.credit_charge
        } else {
            1
        };
        if !self.window.consume(header.message_id, charge) {
            return Err(Disconnect::Violation(
                "MessageId outside the granted window",
            ));
        }
        let credits = self
            .window
            .grant(header.credits, self.core.config.limits.credits);
        let related = &compound.related;
        let is_related = header.flags.contains(HeaderFlags::RELATED);
        if is_related && related.any {
            header.session_id = related.session_id;
            header.tree_id = related.tree_id;
        }
        let sealed = compound.sealed.as_ref();
        let session = self.session(header.session_id).cloned();
        let signature_valid = sealed.is_none()
            && header.flags.contains(HeaderFlags::SIGNED)
            && session
                .as_ref()
                .and_then(|session| session.keys().signing_key.as_ref())
                .is_some_and(|key| key.verify_in_place(message));
        let mut context = Context {
            header,
            now,
            session,
            tree_connect: None,
            related_file: if is_related { related.file } else { None },
            named_file: if last && !is_related {
                None
            } else {
                named_file(header.command, message)
            },
            signature_valid,
            last,
            room: (ANSWER - ANSWER_OVERHEAD).saturating_sub(compound.response.len()),
            ticket: self.pending.next_ticket(),
            follows_nothing: is_related && !(related.any && related.has_session),
            again: false,
            negotiated: self.negotiated.as_deref().copied(),
        };
        compound.response.begin();
        let answer = if context.follows_nothing || !is_known(header.command) {
            Err(NtStatus::INVALID_PARAMETER.into())
        } else if is_related && related.status.is_error() && related.file.is_none() {
            // What it builds on has failed.
            Err(related.status.into())
        } else {
            match self.admit(&mut context, sealed) {
                Ok(()) => {
                    let request = Request {
                        context: &context,
                        message,
                    };
                    self.execute(&request, compound.response.body())
                }
                Err(status) => Err(status.into()),
            }
        };
        let result = match answer {
            Ok(done) => Ok(done),
            Err(Failure::Status(status)) => Err(status),
            Err(Failure::Disconnect(reason)) => return Err(Disconnect::Violation(reason)),
            Err(Failure::WouldWait) => {
                compound.response.abandon();
                return Ok(Some((context, credits, (Wait::Store, None))));
            }
            Err(Failure::Waits(wait, until)) => {
                compound.response.abandon();
                return Ok(Some((context, credits, (wait, until))));
            }
        };
        self.conclude(compound, &context, result, credits, false);
        Ok(None)
    }

    /// Completes the message begun last, whose body has been written if it has one.
    pub(super) fn conclude(
        &mut self,
        compound: &mut Compound,
        context: &Context,
        result: Result<Done, NtStatus>,
        credits: u16,
        is_async: bool,
    ) {
        let done = result.unwrap_or_else(Done::from);
        let header = &context.header;
        tracing::trace!(
            client = %self.outbox.client_name,
            command = %header.command,
            message_id = header.message_id,
            status = %done.status,
            "answered"
        );
        let response = &mut compound.response;
        if response.body_so_far().is_empty() || !may_have_body(done.status) {
            response.error_body();
        }
        if let Some(mut charge) = done.charge {
            // A frame is shorter than 2^24. What was not needed is returned.
            let length = response.body_so_far().len() as u32;
            if length > ANSWER_WITHOUT_CHARGE && charge.resize(length).is_ok() {
                response.hold(charge);
            }
        }
        let session_id = done.session_id.unwrap_or(header.session_id);
        let tree_id = done.tree_id.unwrap_or(header.tree_id);
        let is_related = header.flags.contains(HeaderFlags::RELATED);
        let mut flags = HeaderFlags::SERVER_TO_REDIR;
        if is_related {
            flags |= HeaderFlags::RELATED;
        }
        if is_async {
            flags |= HeaderFlags::ASYNC;
        }
        let answer = Header {
            credit_charge: header.credit_charge,
            status: done.status,
            command: header.command,
            credits,
            flags,
            next_command: 0,
            message_id: header.message_id,
            tree_id: if is_async { 0 } else { tree_id },
            async_id: if is_async { context.ticket.0 } else { 0 },
            session_id,
            signature: [0; 16],
        };
        let was_signed = header.flags.contains(HeaderFlags::SIGNED);
        let sign = match &done.sign {
            Some(session) => Some(session),
            None if was_signed => context.session.as_ref(),
            None => None,
        };
        response.complete(&answer, sign.map(|session| session.keys().clone()));
        compound.related = Related {
            session_id,
            tree_id,
            file: done.file.or(context.named_file).or(context.related_file),
            status: done.status,
            any: !context.follows_nothing,
            has_session: done.status != NtStatus::USER_SESSION_DELETED,
        };
        self.close_after_reply.extend(done.close_after_reply);
        if let Some(open) = &done.announces {
            self.outbox.announce(&open.announcement);
        }
    }

    /// Session, signature, encryption and tree connect of a request, in the order of
    /// [MS-SMB2] 3.3.5.2.4 to 3.3.5.2.11.
    fn admit(
        &mut self,
        request: &mut Context,
        sealed: Option<&Arc<Session>>,
    ) -> Result<(), NtStatus> {
        let header = request.header;
        if header.command == Command::NEGOTIATE {
            return Ok(());
        }
        let Some(negotiated) = self.negotiated.as_deref().copied() else {
            return Err(NtStatus::INVALID_PARAMETER);
        };
        if !negotiated.multi_credit && header.credit_charge > 1 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if let Some(sealed) = sealed
            && sealed.id.0 != header.session_id
        {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let Some(session) = &request.session else {
            return match header.command {
                Command::SESSION_SETUP => Ok(()),
                Command::ECHO if header.session_id == 0 => Ok(()),
                _ => Err(NtStatus::USER_SESSION_DELETED),
            };
        };
        session.touch(request.now);
        let setup = header.command == Command::SESSION_SETUP;
        if sealed.is_none() {
            if header.flags.contains(HeaderFlags::SIGNED) {
                // A binding or a repeated logon signs its SESSION_SETUP with keys of its own.
                if !request.signature_valid && !setup {
                    return Err(NtStatus::ACCESS_DENIED);
                }
            } else if session.signing_required && !setup {
                return Err(NtStatus::ACCESS_DENIED);
            }
            if session.owner.encrypt_data && !setup {
                return Err(NtStatus::ACCESS_DENIED);
            }
        }
        if session.state(request.now) == SessionState::Expired
            && !matches!(
                header.command,
                Command::SESSION_SETUP | Command::LOGOFF | Command::CLOSE | Command::LOCK
            )
        {
            return Err(NtStatus::NETWORK_SESSION_EXPIRED);
        }
        if matches!(
            header.command,
            Command::SESSION_SETUP | Command::LOGOFF | Command::TREE_CONNECT | Command::ECHO
        ) {
            return Ok(());
        }
        let tree = session
            .tables()
            .tree_connects
            .get(header.tree_id)
            .cloned()
            .ok_or(NtStatus::NETWORK_NAME_DELETED)?;
        if tree.share.encrypt_data && sealed.is_none() {
            return Err(NtStatus::ACCESS_DENIED);
        }
        request.tree_connect = Some(tree);
        Ok(())
    }

    fn execute(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        self.logging_on = matches!(
            request.header.command,
            Command::NEGOTIATE | Command::SESSION_SETUP | Command::LOGOFF
        );
        match request.header.command {
            Command::NEGOTIATE => self.negotiate(request, out),
            Command::SESSION_SETUP => self.session_setup(request, out),
            Command::LOGOFF => self.logoff(request, out),
            Command::TREE_CONNECT => self.tree_connect(request, out),
            Command::TREE_DISCONNECT => self.tree_disconnect(request, out),
            Command::ECHO => self.echo(out),
            Command::CLOSE => {
                self.wait_for_others(request)?;
                execute(&self.core, request, Waiting::Refused, out)
            }
            _ => execute(&self.core, request, Waiting::Refused, out),
        }
    }

    /// Executes a request again that had to wait. What it stands on may be gone.
    pub(super) fn execute_again(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let session = request.session()?;
        if session.is_closed() {
            return Err(NtStatus::USER_SESSION_DELETED.into());
        }
        if let Some(tree) = &request.tree_connect
            && session.tables().tree_connects.get(tree.id).is_none()
        {
            return Err(NtStatus::NETWORK_NAME_DELETED.into());
        }
        self.execute(request, out)
    }

    /// [MS-SMB2] 3.3.5.5.3: hashes of half-done logons take in the server's answers.
    fn remember_preauth(&mut self, message: &[u8]) {
        let Ok(header) = Header::read(message) else {
            return;
        };
        match header.command {
            Command::NEGOTIATE => {
                if let Some(preauth) = &mut self.preauth {
                    preauth.update(message);
                }
            }
            Command::SESSION_SETUP if header.status == NtStatus::MORE_PROCESSING_REQUIRED => {
                if let Some(logon) = self.logons.get(&header.session_id) {
                    logon.with(|logon| logon.update_preauth(message));
                }
            }
            _ => {}
        }
    }

    /// A preauthentication hash that goes on from the connection's.
    pub(super) fn new_preauth(&self) -> Option<Box<PreauthIntegrityHashValue>> {
        self.preauth.clone()
    }

    fn echo(&mut self, out: &mut Vec<u8>) -> Answer {
        wire::EchoResponse.write(out);
        Ok(NtStatus::SUCCESS.into())
    }

    fn logoff(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let session = request.session()?;
        self.sessions.remove(&session.id.0);
        self.logons.remove(&session.id.0);
        self.core.close_session(session.id, Reason::Logoff);
        wire::LogoffResponse.write(out);
        Ok(NtStatus::SUCCESS.into())
    }

    pub(super) fn next_tree_connect_id(&self) -> u32 {
        loop {
            let id = self
                .core
                .next_tree_connect
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_add(1);
            if id != 0 && id != u32::MAX {
                return id;
            }
        }
    }
}

/// The commands that work on a share: on the connection's own thread first, and if the store
/// would wait, on one that may.
pub(super) fn execute(
    core: &Arc<Core>,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    caught(|| match request.header.command {
        Command::CREATE => super::create::create(core, request, waiting, out),
        Command::CLOSE => super::close::close(core, request, waiting, out),
        Command::FLUSH => super::io::flush(core, request, waiting, out),
        Command::READ => super::io::read(request, waiting, out),
        Command::WRITE => super::io::write(core, request, waiting, out),
        Command::IOCTL => super::ioctl::ioctl(core, request, waiting, out),
        Command::QUERY_DIRECTORY => super::directory::query_directory(core, request, waiting, out),
        Command::QUERY_INFO => super::info::query_info(core, request, waiting, out),
        Command::SET_INFO => super::set_info::set_info(core, request, waiting, out),
        Command::LOCK => super::lock::lock(core, request, out),
        Command::OPLOCK_BREAK => super::oplock_break::acknowledge(core, request, out),
        Command::CHANGE_NOTIFY => super::change_notify::change_notify(core, request, out),
        _ => Err(NtStatus::INVALID_PARAMETER.into()),
    })
}

/// The FileId in a request, unless it is that of the compound.
pub(super) fn named_file(command: Command, message: &[u8]) -> Option<FileId> {
    let file_id = match command {
        Command::CLOSE => wire::CloseRequest::read(message).ok()?.file_id,
        Command::FLUSH => wire::FlushRequest::read(message).ok()?.file_id,
        Command::READ => wire::ReadRequest::read(message).ok()?.file_id,
        Command::WRITE => wire::WriteRequest::read(message).ok()?.file_id,
        Command::LOCK => wire::LockRequest::read(message).ok()?.file_id,
        Command::IOCTL => wire::IoctlRequest::read(message).ok()?.file_id,
        Command::QUERY_DIRECTORY => wire::QueryDirectoryRequest::read(message).ok()?.file_id,
        Command::CHANGE_NOTIFY => wire::ChangeNotifyRequest::read(message).ok()?.file_id,
        Command::QUERY_INFO => wire::QueryInfoRequest::read(message).ok()?.file_id,
        Command::SET_INFO => wire::SetInfoRequest::read(message).ok()?.file_id,
        _ => return None,
    };
    let all_ones = file_id.persistent == u64::MAX && file_id.volatile == u64::MAX;
    (!all_ones).then_some(file_id)
}

/// Is there such a command?
fn is_known(command: Command) -> bool {
    command.0 <= Command::OPLOCK_BREAK.0
}
