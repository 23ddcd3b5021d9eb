//! The client's end: one interface, one call at a time.

use super::fragments::{Fragments, Received};
use super::{MAX_FRAG, MIN_FRAG};
use crate::pdu::{
    self, Bind, BindAck, BindNak, ContextResult, Fault, Flags, Header, NakReason, PacketType,
    PresentationContext, ProviderReason, Request, Response,
};
use crate::{Interface, Syntax};

/// What an association holds at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one reply's stub. A row of a session costs some 200: this is for about a
    /// million of them.
    pub max_response_stub: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_response_stub: 256 << 20,
        }
    }
}

/// Why the association is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server sent what is no PDU.
    #[error(transparent)]
    Pdu(#[from] pdu::Error),
    /// The server sent a PDU that nothing asked for.
    #[error("PDU of type {} for call {call_id} came unasked", .packet_type.0)]
    UnexpectedPdu {
        /// Its type.
        packet_type: PacketType,
        /// Its call.
        call_id: u32,
    },
    /// The fragments of a reply are out of order.
    #[error("reply fragments of call {call_id} are out of order")]
    Fragments {
        /// The call.
        call_id: u32,
    },
    /// bind_nak.
    #[error("server refuses the bind, reason {}", .0.0)]
    BindNak(NakReason),
    /// The server has not this interface.
    #[error("server has no such interface (reason {})", .0.0)]
    Interface(ProviderReason),
    /// The server speaks none of the transfer syntaxes offered.
    #[error("server speaks none of the transfer syntaxes offered (reason {})", .0.0)]
    TransferSyntax(ProviderReason),
    /// The reply is larger than the limit.
    #[error("reply of more than {0} bytes")]
    TooLarge(usize),
    /// [`Association::request`] before the bind was answered, or during a call.
    #[error("the association is not ready for a call")]
    NotReady,
}

/// What the server's bytes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The bind, or alter_context, is accepted with this syntax.
    Bound(Syntax),
    /// The reply to the call.
    Response {
        /// The call.
        call_id: u32,
        /// Its results.
        stub: Vec<u8>,
    },
    /// The server answers with a fault instead.
    Fault {
        /// The call.
        call_id: u32,
        /// Why; see [`crate::fault`].
        status: u32,
    },
}

/// The client's end of an association.
///
/// - [`bind`](Self::bind) and [`request`](Self::request) give bytes to write to the pipe;
/// - [`handle`](Self::handle) takes what was read and says what it amounts to.
///
/// Read until there is an event: how much one fragment has is in its header, and no read
/// status of SMB is needed to know it.
#[derive(Debug)]
pub struct Association {
    interface: Interface,
    limits: Limits,
    /// Offered, by context id.
    offered: Vec<Syntax>,
    /// Context id and syntax of the context in use.
    context: Option<(u16, Syntax)>,
    max_xmit_frag: u16,
    /// What the bind asks for, in both directions.
    wanted_frag: u16,
    last_call_id: u32,
    awaited: Awaited,
    received: Received,
    stub: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Nothing,
    BindAck,
    AlterContextResp,
    FirstFragment,
    NextFragment,
}

impl Association {
    /// For calls to `interface`.
    pub fn new(interface: Interface, limits: Limits) -> Self {
        Self {
            interface,
            limits,
            offered: Vec::new(),
            context: None,
            max_xmit_frag: MIN_FRAG,
            wanted_frag: MAX_FRAG,
            last_call_id: 0,
            awaited: Awaited::Nothing,
            received: Received::default(),
            stub: Vec::new(),
        }
    }

    /// Fragments of at most `size` bytes, at least [`MIN_FRAG`]; without it [`MAX_FRAG`]. To
    /// be called before the bind.
    #[must_use]
    pub fn with_fragments_of(mut self, size: u16) -> Self {
        self.wanted_frag = size.clamp(MIN_FRAG, MAX_FRAG);
        self
    }

    /// The bind, offering each of `syntaxes` in a context of its own: servers that speak
    /// one of them reject the other contexts only. Of several accepted, the first counts.
    pub fn bind(&mut self, syntaxes: &[Syntax]) -> Vec<u8> {
        self.awaited = Awaited::BindAck;
        self.offer(PacketType::BIND, syntaxes)
    }

    /// alter_context: a new offer on a bound association. If the server rejects it, the
    /// context in use stays.
    pub fn alter_context(&mut self, syntaxes: &[Syntax]) -> Result<Vec<u8>, Error> {
        if self.awaited != Awaited::Nothing || self.context.is_none() {
            return Err(Error::NotReady);
        }
        self.awaited = Awaited::AlterContextResp;
        Ok(self.offer(PacketType::ALTER_CONTEXT, syntaxes))
    }

    /// The syntax agreed on, once bound.
    pub fn syntax(&self) -> Option<Syntax> {
        self.context.map(|(_, syntax)| syntax)
    }

    /// The fragments of a call, each to be written as one message.
    pub fn request(&mut self, opnum: u16, stub: Vec<u8>) -> Result<Vec<Vec<u8>>, Error> {
        let Some((context_id, _)) = self.context else {
            return Err(Error::NotReady);
        };
        if self.awaited != Awaited::Nothing {
            return Err(Error::NotReady);
        }
        let call_id = self.next_call_id();
        self.awaited = Awaited::FirstFragment;
        self.stub = Vec::new();
        let mut fragments = Fragments::new(stub, self.max_xmit_frag, Request::HEAD_SIZE);
        let mut written = Vec::new();
        while let Some((stub, left, first, last)) = fragments.next_part() {
            let alloc_hint = u32::try_from(left).unwrap_or(u32::MAX);
            let request = Request {
                alloc_hint,
                context_id,
                opnum,
                object: None,
                stub,
            };
            written.push(request.write(flags(first, last), call_id));
        }
        Ok(written)
    }

    /// Takes bytes the server sent, in pieces of any size. `None`: read more.
    pub fn handle(&mut self, bytes: &[u8]) -> Result<Option<Event>, Error> {
        self.received.extend(bytes);
        while let Some((header, fragment)) = self.received.next()? {
            if let Some(event) = self.handle_fragment(&header, &fragment)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn offer(&mut self, packet_type: PacketType, syntaxes: &[Syntax]) -> Vec<u8> {
        let first_id = self.offered.len();
        self.offered.extend_from_slice(syntaxes);
        let contexts = (first_id..self.offered.len())
            .map(|id| PresentationContext {
                context_id: id as u16,
                abstract_syntax: self.interface,
                transfer_syntaxes: vec![self.offered[id].id()],
            })
            .collect();
        let bind = Bind {
            max_xmit_frag: self.wanted_frag,
            max_recv_frag: self.wanted_frag,
            assoc_group_id: 0,
            contexts,
        };
        bind.write(packet_type, self.next_call_id())
    }

    fn next_call_id(&mut self) -> u32 {
        self.last_call_id = self.last_call_id.wrapping_add(1);
        self.last_call_id
    }

    fn handle_fragment(
        &mut self,
        header: &Header,
        fragment: &[u8],
    ) -> Result<Option<Event>, Error> {
        let Header {
            packet_type,
            call_id,
            ..
        } = *header;
        if call_id != self.last_call_id {
            return Err(Error::UnexpectedPdu {
                packet_type,
                call_id,
            });
        }
        match (self.awaited, packet_type) {
            (Awaited::BindAck, PacketType::BIND_NAK) => {
                Err(Error::BindNak(BindNak::read(header, fragment)?.reason))
            }
            (Awaited::BindAck, PacketType::BIND_ACK)
            | (Awaited::AlterContextResp, PacketType::ALTER_CONTEXT_RESP) => self
                .handle_acknowledgement(&BindAck::read(header, fragment)?)
                .map(Some),
            (Awaited::FirstFragment | Awaited::NextFragment, PacketType::RESPONSE) => {
                self.handle_response(header, &Response::read(header, fragment)?)
            }
            (
                Awaited::AlterContextResp | Awaited::FirstFragment | Awaited::NextFragment,
                PacketType::FAULT,
            ) => {
                let fault = Fault::read(header, fragment)?;
                self.awaited = Awaited::Nothing;
                self.stub = Vec::new();
                Ok(Some(Event::Fault {
                    call_id,
                    status: fault.status,
                }))
            }
            _ => Err(Error::UnexpectedPdu {
                packet_type,
                call_id,
            }),
        }
    }

    fn handle_acknowledgement(&mut self, ack: &BindAck) -> Result<Event, Error> {
        if self.awaited == Awaited::BindAck {
            self.max_xmit_frag = ack.max_recv_frag.clamp(MIN_FRAG, MAX_FRAG);
        }
        self.awaited = Awaited::Nothing;
        let first_id = self.offered.len().saturating_sub(ack.results.len());
        let mut rejection = ProviderReason::REASON_NOT_SPECIFIED;
        for (id, result) in (first_id..self.offered.len()).zip(&ack.results) {
            let syntax = self.offered[id];
            match *result {
                ContextResult::Acceptance(accepted) if accepted == syntax.id() => {
                    self.context = Some((id as u16, syntax));
                    return Ok(Event::Bound(syntax));
                }
                ContextResult::ProviderRejection(reason) => rejection = reason,
                _ => {}
            }
        }
        if rejection == ProviderReason::ABSTRACT_SYNTAX_NOT_SUPPORTED {
            Err(Error::Interface(rejection))
        } else {
            Err(Error::TransferSyntax(rejection))
        }
    }

    fn handle_response(
        &mut self,
        header: &Header,
        response: &Response<'_>,
    ) -> Result<Option<Event>, Error> {
        let call_id = header.call_id;
        let first = header.flags.contains(Flags::FIRST);
        if first != (self.awaited == Awaited::FirstFragment) {
            return Err(Error::Fragments { call_id });
        }
        if self.stub.len() + response.stub.len() > self.limits.max_response_stub {
            return Err(Error::TooLarge(self.limits.max_response_stub));
        }
        self.stub.extend_from_slice(response.stub);
        if !header.flags.contains(Flags::LAST) {
            self.awaited = Awaited::NextFragment;
            return Ok(None);
        }
        self.awaited = Awaited::Nothing;
        Ok(Some(Event::Response {
            call_id,
            stub: std::mem::take(&mut self.stub),
        }))
    }
}

fn flags(first: bool, last: bool) -> Flags {
    let mut flags = Flags::default();
    if first {
        flags = flags | Flags::FIRST;
    }
    if last {
        flags = flags | Flags::LAST;
    }
    flags
}
