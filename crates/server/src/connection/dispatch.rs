//! Receiving any message ([MS-SMB2] 3.3.5.2): decryption, sequence, signature, session, tree
//! connect, compounds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smb::crypto::PreauthIntegrityHashValue;
use smb::wire::{self, Command, FileId, Header, HeaderFlags};
use smb::{FileTime, NtStatus};

use super::chain::Chain;
use super::{Connection, Disconnect};
use crate::limits::{ANSWER, ANSWER_OVERHEAD};
use crate::open::Open;
use crate::session::{Session, SessionState};
use crate::tree_connect::TreeConnect;

/// One request on its way through the server.
pub(super) struct Request<'a> {
    pub(super) header: Header,
    pub(super) message: &'a [u8],
    pub(super) now: FileTime,
    pub(super) encrypted: bool,
    pub(super) session: Option<Arc<Session>>,
    pub(super) tree_connect: Option<Arc<TreeConnect>>,
    /// The FileId of the compound so far, for related requests.
    pub(super) related_file: Option<FileId>,
    /// It is signed, and rightly.
    pub(super) signature_valid: bool,
    /// Last of its frame: only then may it wait.
    pub(super) last: bool,
    /// Bytes of data that the answer to its frame has room for.
    pub(super) room: usize,
}

/// How a request ended, beside the body that was written.
pub(super) struct Done {
    pub(super) status: NtStatus,
    /// For related requests behind this one.
    pub(super) file: Option<FileId>,
    /// TreeId of the response, if not the request's.
    pub(super) tree_id: Option<u32>,
    /// SessionId of the response, if not the request's.
    pub(super) session_id: Option<u64>,
    /// Sign with this session's key whether or not the request was signed.
    pub(super) sign: Option<Arc<Session>>,
    /// The request waits under this AsyncId.
    pub(super) async_id: Option<u64>,
}

impl From<NtStatus> for Done {
    fn from(status: NtStatus) -> Self {
        Self {
            status,
            file: None,
            tree_id: None,
            session_id: None,
            sign: None,
            async_id: None,
        }
    }
}

pub(super) type Answer = Result<Done, NtStatus>;

/// What related requests inherit ([MS-SMB2] 3.3.5.2.7.2).
#[derive(Default)]
struct Related {
    session_id: u64,
    tree_id: u32,
    file: Option<FileId>,
    status: NtStatus,
    /// At least one request came before.
    any: bool,
}

impl<'a> Request<'a> {
    pub(super) fn session(&self) -> Result<&Arc<Session>, NtStatus> {
        self.session.as_ref().ok_or(NtStatus::USER_SESSION_DELETED)
    }

    pub(super) fn tree_connect(&self) -> Result<&Arc<TreeConnect>, NtStatus> {
        self.tree_connect
            .as_ref()
            .ok_or(NtStatus::NETWORK_NAME_DELETED)
    }

    /// The answers of a compound are one frame: what would make it too long is not begun.
    pub(super) fn require_room(&self, data: u32) -> Result<(), NtStatus> {
        if data as usize > self.room {
            Err(NtStatus::INSUFFICIENT_RESOURCES)
        } else {
            Ok(())
        }
    }

    /// The open that a FileId names, all ones meaning the compound's.
    pub(super) fn open(&self, file: FileId) -> Result<Arc<Open>, NtStatus> {
        let all_ones = file.persistent == u64::MAX && file.volatile == u64::MAX;
        let file = match self.related_file {
            Some(related) if all_ones => related,
            _ => file,
        };
        let tables = self.session()?.tables();
        let open = tables
            .opens
            .get(&file.volatile)
            .ok_or(NtStatus::FILE_CLOSED)?;
        let tree = self.tree_connect()?;
        if u64::from(open.id) != file.persistent || open.tree_connect.id != tree.id {
            return Err(NtStatus::FILE_CLOSED);
        }
        Ok(open.clone())
    }
}

impl Connection {
    /// Answers one frame. An empty answer is legal (CANCEL).
    pub(super) fn handle_frame(
        &mut self,
        frame: &mut [u8],
        now: FileTime,
    ) -> Result<Vec<u8>, Disconnect> {
        match frame.get(..4) {
            Some(b"\xFESMB") => self.handle_messages(frame, None, now),
            Some(b"\xFDSMB") => {
                let transform = wire::transform::TransformHeader::read(frame)?;
                // [MS-SMB2] 3.3.5.2.1.1: an unknown session or a bad tag ends the connection.
                let session =
                    self.session(transform.session_id)
                        .cloned()
                        .ok_or(Disconnect::Violation(
                            "encrypted for no session of this connection",
                        ))?;
                let keys = session
                    .encryption_keys
                    .as_ref()
                    .ok_or(Disconnect::Violation(
                        "encrypted for a session without a cipher",
                    ))?;
                let messages = keys
                    .decryption
                    .open(frame)
                    .map_err(|_| Disconnect::Violation("encrypted bytes do not authenticate"))?;
                self.handle_messages(messages, Some(&session), now)
            }
            Some(b"\xFFSMB") => self.multi_protocol_negotiate(frame),
            _ => Err(Disconnect::Violation("no SMB protocol id")),
        }
    }

    fn handle_messages(
        &mut self,
        frame: &mut [u8],
        sealed: Option<&Arc<Session>>,
        now: FileTime,
    ) -> Result<Vec<u8>, Disconnect> {
        let mut chain = Chain::new(sealed.map(|session| &**session));
        let mut related = Related::default();
        let mut rest = frame;
        let mut open_message: Option<(usize, Option<Arc<Session>>)> = None;
        for count in 0.. {
            if count >= self.shared.config.limits.compound_messages {
                return Err(Disconnect::Violation("too many messages in a compound"));
            }
            let header = Header::read(rest)?;
            let next = header.next_command as usize;
            if next != 0 && (!next.is_multiple_of(8) || next < Header::SIZE || next >= rest.len()) {
                return Err(Disconnect::Violation("NextCommand points nowhere"));
            }
            let (message, behind) = if next == 0 {
                (rest, &mut [][..])
            } else {
                rest.split_at_mut(next)
            };
            let last = behind.is_empty();
            self.handle_message(
                header,
                message,
                sealed,
                last,
                now,
                &mut related,
                &mut chain,
                &mut open_message,
            )?;
            if last {
                break;
            }
            rest = behind;
        }
        if let Some((start, sign)) = open_message {
            chain.finish_message(start, sign.as_deref());
            self.remember_preauth(&chain.out[start..]);
        }
        Ok(chain.into_frame())
    }

    #[allow(clippy::too_many_arguments)]
    fn handle_message(
        &mut self,
        mut header: Header,
        message: &mut [u8],
        sealed: Option<&Arc<Session>>,
        last: bool,
        now: FileTime,
        related: &mut Related,
        chain: &mut Chain<'_>,
        open_message: &mut Option<(usize, Option<Arc<Session>>)>,
    ) -> Result<(), Disconnect> {
        if header.flags.contains(HeaderFlags::SERVER_TO_REDIR) {
            return Err(Disconnect::Violation("a response sent to the server"));
        }
        if header.command == Command::CANCEL {
            self.cancel(&header);
            return Ok(());
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
            .grant(header.credits, self.shared.config.limits.credits);
        let is_related = header.flags.contains(HeaderFlags::RELATED);
        if is_related && related.any {
            header.session_id = related.session_id;
            header.tree_id = related.tree_id;
        }

        if let Some((start, sign)) = open_message.take() {
            chain.link(start);
            chain.finish_message(start, sign.as_deref());
        }
        let start = chain.begin();
        let session = self.session(header.session_id).cloned();
        let signature_valid = sealed.is_none()
            && header.flags.contains(HeaderFlags::SIGNED)
            && session
                .as_ref()
                .and_then(|session| session.signing_key.as_ref())
                .is_some_and(|key| key.verify_in_place(message));
        let mut request = Request {
            header,
            message,
            now,
            encrypted: sealed.is_some(),
            session,
            tree_connect: None,
            related_file: if is_related { related.file } else { None },
            signature_valid,
            last,
            room: (ANSWER - ANSWER_OVERHEAD).saturating_sub(chain.out.len()),
        };
        let answer = if is_related && !related.any {
            Err(NtStatus::INVALID_PARAMETER)
        } else if is_related && related.status.is_error() && related.file.is_none() {
            // What it builds on has failed.
            Err(related.status)
        } else {
            self.admit(&mut request, sealed)
                .and_then(|()| self.execute(&request, &mut chain.out))
        };
        if let Some(reason) = self.disconnect {
            return Err(Disconnect::Violation(reason));
        }
        let done = match answer {
            Ok(done) => done,
            Err(status) => Done::from(status),
        };
        tracing::trace!(
            client = %self.handle.client_name,
            command = %request.header.command,
            message_id = request.header.message_id,
            status = %done.status,
            "answered"
        );
        let body_written = answer_has_body(&done, &chain.out, start);
        if !body_written {
            chain.out.truncate(start + Header::SIZE);
            wire::error_response(&mut chain.out, &[]);
        }

        let session_id = done.session_id.unwrap_or(request.header.session_id);
        let tree_id = done.tree_id.unwrap_or(request.header.tree_id);
        let mut flags = HeaderFlags::SERVER_TO_REDIR;
        if is_related {
            flags |= HeaderFlags::RELATED;
        }
        if done.async_id.is_some() {
            flags |= HeaderFlags::ASYNC;
        }
        let response = Header {
            credit_charge: request.header.credit_charge,
            status: done.status,
            command: request.header.command,
            credits,
            flags,
            next_command: 0,
            message_id: request.header.message_id,
            tree_id: if done.async_id.is_some() { 0 } else { tree_id },
            async_id: done.async_id.unwrap_or(0),
            session_id,
            signature: [0; 16],
        };
        chain.out[start..][..Header::SIZE].copy_from_slice(&response.to_bytes());

        let was_signed = request.header.flags.contains(HeaderFlags::SIGNED);
        let sign = match done.sign {
            // [MS-SMB2] 3.3.4.1.1: an interim response is never signed. Its MessageId is that
            // of the final one, and two messages under one nonce give AES-GMAC's key away.
            _ if done.async_id.is_some() => None,
            Some(session) => Some(session),
            None if was_signed => request.session.clone(),
            None => None,
        };
        *open_message = Some((start, sign));
        *related = Related {
            session_id,
            tree_id,
            file: done.file.or(if is_related { related.file } else { None }),
            status: done.status,
            any: true,
        };
        Ok(())
    }

    /// Session, signature, encryption and tree connect of a request, in the order of
    /// [MS-SMB2] 3.3.5.2.4 to 3.3.5.2.11.
    fn admit(
        &mut self,
        request: &mut Request<'_>,
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
            if session.encrypt_data && !setup {
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
        match request.header.command {
            Command::NEGOTIATE => self.negotiate(request, out),
            Command::SESSION_SETUP => self.session_setup(request, out),
            Command::LOGOFF => self.logoff(request, out),
            Command::TREE_CONNECT => self.tree_connect(request, out),
            Command::TREE_DISCONNECT => self.tree_disconnect(request, out),
            Command::CREATE => self.create(request, out),
            Command::CLOSE => self.close(request, out),
            Command::FLUSH => self.flush_file(request, out),
            Command::READ => self.read(request, out),
            Command::WRITE => self.write_file(request, out),
            Command::IOCTL => self.ioctl(request, out),
            Command::ECHO => self.echo(out),
            Command::QUERY_DIRECTORY => self.query_directory(request, out),
            Command::QUERY_INFO => self.query_info(request, out),
            Command::SET_INFO => self.set_info(request, out),
            // Byte-range locks and change notification come later; their absence is said.
            Command::LOCK | Command::CHANGE_NOTIFY | Command::OPLOCK_BREAK => {
                Err(NtStatus::NOT_SUPPORTED)
            }
            _ => Err(NtStatus::INVALID_PARAMETER),
        }
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
                if let Some(logon) = self.logons.get_mut(&header.session_id) {
                    logon.update_preauth(message);
                }
            }
            _ => {}
        }
    }

    /// A preauthentication hash that goes on from the connection's.
    pub(super) fn new_preauth(&self) -> Option<Box<PreauthIntegrityHashValue>> {
        self.preauth.clone()
    }

    /// CreditCharge must cover the larger of both payloads ([MS-SMB2] 3.3.5.2.5).
    pub(super) fn check_charge(&self, request: &Request<'_>, payload: u32) -> Result<(), NtStatus> {
        let Some(negotiated) = &self.negotiated else {
            return Err(NtStatus::INVALID_PARAMETER);
        };
        if payload > negotiated.max_transact {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let needed = payload.saturating_sub(1) / 65_536 + 1;
        if negotiated.multi_credit && u32::from(request.header.credit_charge.max(1)) < needed {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(())
    }

    fn echo(&mut self, out: &mut Vec<u8>) -> Answer {
        wire::EchoResponse.write(out);
        Ok(NtStatus::SUCCESS.into())
    }

    fn logoff(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        let session = request.session()?;
        self.sessions.remove(&session.id.0);
        self.logons.remove(&session.id.0);
        self.shared.close_session(session.id);
        wire::LogoffResponse.write(out);
        Ok(NtStatus::SUCCESS.into())
    }

    pub(super) fn next_tree_connect_id(&self) -> u32 {
        loop {
            let id = self
                .shared
                .next_tree_connect
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_add(1);
            if id != 0 && id != u32::MAX {
                return id;
            }
        }
    }
}

/// Errors and interim responses carry an error body; warnings with data their own.
fn answer_has_body(done: &Done, out: &[u8], start: usize) -> bool {
    out.len() > start + Header::SIZE
        && (done.status == NtStatus::SUCCESS
            || done.status == NtStatus::BUFFER_OVERFLOW
            || done.status == NtStatus::MORE_PROCESSING_REQUIRED)
}
