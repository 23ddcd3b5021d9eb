//! [`Connection`]: message ids, credits, signing and encryption around each exchange
//! ([MS-SMB2] 3.2.4.1, 3.2.5.1).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use smb::NtStatus;
use smb::crypto::PreauthIntegrityHashValue;
use smb::wire::{Command, Dialect, EchoRequest, Header, HeaderFlags};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::message::{Envelope, Response, authenticate, pack, unpack};
use super::negotiate::{Negotiated, Negotiation, negotiate};
use super::{Error, Transport};

/// Bytes of payload that one credit covers ([MS-SMB2] 3.1.5.2).
pub(super) const PAYLOAD_PER_CREDIT: usize = 65536;

/// Credits to hold: enough for one request of [`Negotiated::MAX_PAYLOAD`].
const CREDIT_TARGET: u32 = 256;

/// Messages that may come before the awaited response (interim responses, breaks,
/// notifications). A server that sends more is not answering.
const MAX_INTERLUDES: usize = 64;

/// A negotiated connection to a server. Clones share it.
#[derive(Clone, Debug)]
pub struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    negotiated: Negotiated,
    preauth: Option<PreauthIntegrityHashValue>,
    /// FSCTL_VALIDATE_NEGOTIATE_INFO has confirmed the negotiation.
    validated: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    next_message_id: u64,
    credits: u32,
    /// The request that waits for its response; left behind if its future is dropped.
    under_way: Option<Request>,
    /// Requests of dropped futures: their responses are read and thrown away.
    orphans: Vec<u64>,
}

/// A request that has been numbered.
#[derive(Clone, Copy, Debug)]
struct Request {
    message_id: u64,
    /// Message ids and credits.
    consumed: u32,
}

impl Connection {
    /// Negotiates on a fresh transport ([MS-SMB2] 3.2.4.2.2).
    ///
    /// # Errors
    /// [`Error::Status`], [`Error::Unsupported`] if no offered dialect, signing algorithm or
    /// cipher fits, [`Error::Protocol`] and the errors of [`Transport`].
    pub async fn negotiate(
        mut transport: Transport,
        negotiation: &Negotiation,
    ) -> Result<Self, Error> {
        let (negotiated, preauth, credits) = negotiate(&mut transport, negotiation).await?;
        // Room for the headers around the largest payload.
        let payload = negotiated.max_read_size.max(negotiated.max_transact_size) as usize;
        transport.set_frame_limit(payload.max(PAYLOAD_PER_CREDIT) + PAYLOAD_PER_CREDIT);
        Ok(Self {
            shared: Arc::new(Shared {
                negotiated,
                preauth,
                validated: AtomicBool::new(false),
                inner: Mutex::new(Inner {
                    transport,
                    next_message_id: 1,
                    credits,
                    under_way: None,
                    orphans: Vec::new(),
                }),
            }),
        })
    }

    /// What was negotiated.
    pub fn negotiated(&self) -> &Negotiated {
        &self.shared.negotiated
    }

    /// Limit of each following exchange's send and receive.
    pub async fn set_time_limit(&self, limit: Duration) {
        self.shared
            .inner
            .lock()
            .await
            .transport
            .set_time_limit(limit);
    }

    /// Limit over all following exchanges together.
    pub async fn set_deadline(&self, deadline: Option<Instant>) {
        self.shared
            .inner
            .lock()
            .await
            .transport
            .set_deadline(deadline);
    }

    /// Takes `count` message ids and returns the first. For messages built by hand.
    pub async fn take_message_ids(&self, count: u64) -> u64 {
        let mut inner = self.shared.inner.lock().await;
        let first = inner.next_message_id;
        inner.next_message_id = first.saturating_add(count);
        first
    }

    /// Credits the server has granted and that are not used yet.
    pub async fn credits(&self) -> u32 {
        self.shared.inner.lock().await.credits
    }

    /// Sends a message as it is and receives the next frame as it is: nothing is numbered,
    /// signed, encrypted or verified. For tests of malformed, unsigned or replayed messages.
    ///
    /// # Errors
    /// Those of [`Transport::exchange`].
    pub async fn exchange(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut inner = self.shared.inner.lock().await;
        inner.credits = inner.credits.saturating_sub(1);
        let answer = inner.transport.exchange(message).await?;
        if let Ok(header) = Header::read(&answer) {
            inner.credits = inner.credits.saturating_add(u32::from(header.credits));
        }
        Ok(answer)
    }

    /// Sends a message as it is, without waiting for an answer.
    ///
    /// # Errors
    /// Those of [`Transport::send`].
    pub async fn send(&self, message: &[u8]) -> Result<(), Error> {
        self.shared.inner.lock().await.transport.send(message).await
    }

    /// Receives the next frame as it is.
    ///
    /// # Errors
    /// Those of [`Transport::receive`].
    pub async fn receive(&self) -> Result<Vec<u8>, Error> {
        self.shared.inner.lock().await.transport.receive().await
    }

    /// ECHO without a session ([MS-SMB2] 3.2.4.11).
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn echo(&self) -> Result<(), Error> {
        let envelope = Envelope {
            command: Command::ECHO,
            session: None,
            session_id: 0,
            tree_id: 0,
            encrypt: false,
            payload: 0,
            preauth: None,
        };
        self.call(envelope, |out| EchoRequest.write(out))
            .await?
            .success()
            .map(drop)
    }

    pub(super) fn preauth(&self) -> Option<&PreauthIntegrityHashValue> {
        self.shared.preauth.as_ref()
    }

    pub(super) fn is_validated(&self) -> bool {
        self.shared.validated.load(Ordering::Relaxed)
    }

    pub(super) fn set_validated(&self) {
        self.shared.validated.store(true, Ordering::Relaxed);
    }

    /// Numbers, signs or encrypts, sends, and waits for the response, whatever its status.
    pub(super) async fn call(
        &self,
        envelope: Envelope<'_>,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Response, Error> {
        let mut inner = self.shared.inner.lock().await;
        let inner = &mut *inner;
        inner.settle_dropped();
        let (charge, consumed) = self.charge(envelope.payload);
        while inner.credits < consumed && !inner.orphans.is_empty() {
            let frame = inner.transport.receive().await?;
            let response = unpack(frame, envelope.session)?;
            if !inner.is_interlude(response.header()) {
                return Err(Error::Protocol("it belongs to no request of ours"));
            }
        }
        if inner.credits < consumed {
            return Err(Error::Usage(
                "the server granted too few credits for this size",
            ));
        }
        let message_id = inner.next_message_id;
        let header = Header {
            credit_charge: charge,
            status: NtStatus::SUCCESS,
            command: envelope.command,
            credits: CREDIT_TARGET
                .saturating_sub(inner.credits - consumed)
                .clamp(1, 128) as u16,
            flags: HeaderFlags::default(),
            next_command: 0,
            message_id,
            tree_id: envelope.tree_id,
            async_id: 0,
            session_id: envelope.session_id,
            signature: [0; 16],
        };
        let frame = pack(&header, &envelope, body)?;
        inner.next_message_id += u64::from(consumed);
        inner.credits -= consumed;
        if let Some(preauth) = envelope.preauth {
            preauth.update(&frame);
        }
        inner.under_way = Some(Request {
            message_id,
            consumed,
        });
        inner.transport.send_owned(frame).await?;
        let mut interludes = MAX_INTERLUDES + inner.orphans.len();
        while interludes > 0 {
            interludes -= 1;
            let frame = inner.transport.receive().await?;
            let response = unpack(frame, envelope.session)?;
            let header = response.header();
            if inner.is_interlude(header) {
                continue;
            }
            if header.message_id != message_id || header.command != envelope.command {
                return Err(Error::Protocol("it belongs to no request of ours"));
            }
            inner.credits = inner.credits.saturating_add(u32::from(header.credits));
            if is_interim(header) {
                continue;
            }
            inner.under_way = None;
            authenticate(&response, envelope.session, envelope.encrypt)?;
            return Ok(response);
        }
        Err(Error::Protocol("the server sends messages but no answer"))
    }

    /// A message as [`Connection::call`] would send it, before encryption.
    pub(super) async fn build(
        &self,
        envelope: Envelope<'_>,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Vec<u8>, Error> {
        let (charge, consumed) = self.charge(envelope.payload);
        let header = Header {
            credit_charge: charge,
            status: NtStatus::SUCCESS,
            command: envelope.command,
            credits: 1,
            flags: HeaderFlags::default(),
            next_command: 0,
            message_id: self.take_message_ids(u64::from(consumed)).await,
            tree_id: envelope.tree_id,
            async_id: 0,
            session_id: envelope.session_id,
            signature: [0; 16],
        };
        pack(&header, &envelope, body)
    }

    /// CreditCharge, and how many message ids and credits that means ([MS-SMB2] 3.2.4.1.5).
    fn charge(&self, payload: usize) -> (u16, u32) {
        let negotiated = &self.shared.negotiated;
        if negotiated.dialect == Dialect::SMB202 || !negotiated.supports_multi_credit() {
            return (0, 1);
        }
        // Payload sizes are at most 2^24.
        let charge = payload.div_ceil(PAYLOAD_PER_CREDIT).max(1) as u16;
        (charge, u32::from(charge))
    }
}

impl Inner {
    /// A call whose future was dropped is taken back if nothing of it has left; else its
    /// response will come some time.
    fn settle_dropped(&mut self) {
        let Some(request) = self.under_way.take() else {
            return;
        };
        if self.transport.take_back() {
            self.next_message_id = request.message_id;
            self.credits += request.consumed;
        } else {
            self.orphans.push(request.message_id);
        }
    }

    /// A message that nothing waits for: an oplock or lease break, a notification, the
    /// response of a dropped call.
    fn is_interlude(&mut self, header: &Header) -> bool {
        if header.message_id == u64::MAX {
            return true;
        }
        let orphan = self
            .orphans
            .iter()
            .position(|&message_id| message_id == header.message_id);
        if let Some(place) = orphan {
            self.credits = self.credits.saturating_add(u32::from(header.credits));
            if !is_interim(header) {
                self.orphans.swap_remove(place);
            }
        }
        orphan.is_some()
    }
}

/// [MS-SMB2] 3.2.5.1.5: the first response of an operation that takes time; another follows.
fn is_interim(header: &Header) -> bool {
    header.status == NtStatus::PENDING && header.flags.contains(HeaderFlags::ASYNC)
}
