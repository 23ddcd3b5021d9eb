//! The server's end.
//!
//! | State | bind | alter_context | request | auth3, co_cancel, orphaned |
//! |---|---|---|---|---|
//! | new | bind_ack, or bind_nak | fault | fault | ignored |
//! | bound | bind_nak | alter_context_resp | call, or fault | ignored; orphaned drops its call |
//!
//! Anything else a server never receives: [`Error::UnexpectedPdu`], and the pipe is to be
//! dropped, as after every error.

use std::collections::VecDeque;

use super::fragments::{Fragments, Received};
use super::{MAX_FRAG, MIN_FRAG, negotiate_frag};
use crate::fault;
use crate::pdu::{
    self, Bind, BindAck, BindNak, ContextResult, Fault, Flags, Header, NakReason, PacketType,
    PresentationContext, ProviderReason, Request, Response, bind_time_features,
};
use crate::{Interface, Syntax, SyntaxId};

/// What an association holds at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one request's stub. The methods served take a few names; a client that
    /// sends rows along may need more, nobody needs a megabyte.
    pub max_request_stub: usize,
    /// Presentation contexts. Windows clients bind three at once.
    pub max_contexts: usize,
    /// Replies not yet fetched. Clients of a pipe wait for each reply; a few in flight are
    /// legal, a flood is not.
    pub max_queued_replies: usize,
    /// Bytes of replies not yet fetched beyond which no further request is taken.
    pub max_queued_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_request_stub: 1 << 20,
            max_contexts: 32,
            max_queued_replies: 32,
            max_queued_bytes: 64 << 20,
        }
    }
}

/// Why the pipe has to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The client sent what is no PDU.
    #[error(transparent)]
    Pdu(#[from] pdu::Error),
    /// The client sent a PDU that only servers send, or an unknown one.
    #[error("PDU of type {} from a client", .0.0)]
    UnexpectedPdu(PacketType),
    /// The client sends requests without fetching the replies.
    #[error("{replies} replies of {bytes} bytes wait to be fetched")]
    Flood {
        /// Replies waiting.
        replies: usize,
        /// Their bytes.
        bytes: usize,
    },
}

/// A complete request. Answer it with [`Association::reply`] or [`Association::fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// call_id.
    pub call_id: u32,
    /// Presentation context.
    pub context_id: u16,
    /// Which of the association's interfaces, as an index.
    pub interface: usize,
    /// Operation number, not checked.
    pub opnum: u16,
    /// Transfer syntax of the stub and of its reply.
    pub syntax: Syntax,
    /// The parameters.
    pub stub: Vec<u8>,
}

/// The server's end of an association.
///
/// - [`handle_message`](Self::handle_message) takes what the client wrote and
///   [`next_call`](Self::next_call) goes on with it;
/// - [`reply`](Self::reply) and [`fault`](Self::fault) answer calls;
/// - [`poll_output`](Self::poll_output) gives the fragments to be read by the client.
#[derive(Debug)]
pub struct Association {
    interfaces: &'static [Interface],
    secondary_address: &'static str,
    limits: Limits,
    /// Fragment size towards the client; `None` before the bind.
    max_xmit_frag: Option<u16>,
    contexts: Vec<Context>,
    received: Received,
    incoming: Option<Incoming>,
    output: VecDeque<Output>,
}

#[derive(Debug)]
struct Context {
    id: u16,
    interface: usize,
    syntax: Syntax,
}

/// A request whose last fragment has not come.
#[derive(Debug)]
struct Incoming {
    call: Call,
    /// It has been refused: its other fragments are dropped.
    refused: bool,
}

#[derive(Debug)]
enum Output {
    Pdu {
        call_id: u32,
        bytes: Vec<u8>,
    },
    Reply {
        call_id: u32,
        context_id: u16,
        fragments: Fragments,
    },
}

/// The association group of every association: no interface here keeps context handles, the
/// only thing a group shares (C706 12.6.3.1.2). A client's own number is echoed.
const ASSOC_GROUP_ID: u32 = 0x0001_5EED;

impl Association {
    /// A new association that offers `interfaces` and names `secondary_address`
    /// (`\PIPE\name`) when bound.
    pub fn new(
        interfaces: &'static [Interface],
        secondary_address: &'static str,
        limits: Limits,
    ) -> Self {
        Self {
            interfaces,
            secondary_address,
            limits,
            max_xmit_frag: None,
            contexts: Vec::new(),
            received: Received::default(),
            incoming: None,
            output: VecDeque::new(),
        }
    }

    /// A bind has been acknowledged.
    pub fn is_bound(&self) -> bool {
        self.max_xmit_frag.is_some()
    }

    /// Takes one message. A complete request comes back as a call; answer it, then ask
    /// [`next_call`](Self::next_call) until that has none.
    pub fn handle_message(&mut self, message: &[u8]) -> Result<Option<Call>, Error> {
        self.received.extend(message);
        self.next_call()
    }

    /// Goes on with what the last message brought.
    pub fn next_call(&mut self) -> Result<Option<Call>, Error> {
        while let Some((header, fragment)) = self.next_fragment()? {
            if let Some(call) = self.handle_fragment(&header, &fragment)? {
                return Ok(Some(call));
            }
        }
        Ok(None)
    }

    /// Answers `call`.
    pub fn reply(&mut self, call: &Call, stub: Vec<u8>) {
        let max_frag = self.max_xmit_frag.unwrap_or(MIN_FRAG);
        self.output.push_back(Output::Reply {
            call_id: call.call_id,
            context_id: call.context_id,
            fragments: Fragments::new(stub, max_frag, Response::HEAD_SIZE),
        });
    }

    /// Answers `call` with a fault ([`crate::fault`]).
    pub fn fault(&mut self, call: &Call, status: u32) {
        self.push_fault(call.call_id, call.context_id, status);
    }

    /// The next fragment for the client, at most max_xmit_frag bytes.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        match self.output.front_mut()? {
            Output::Reply {
                call_id,
                context_id,
                fragments,
            } => {
                let (call_id, context_id) = (*call_id, *context_id);
                let (stub, left, first, last) = fragments.next_part()?;
                let mut flags = Flags::default();
                if first {
                    flags = flags | Flags::FIRST;
                }
                if last {
                    flags = flags | Flags::LAST;
                }
                let alloc_hint = u32::try_from(left).unwrap_or(u32::MAX);
                let fragment = Response {
                    alloc_hint,
                    context_id,
                    stub,
                }
                .write(flags, call_id);
                if last {
                    self.output.pop_front();
                }
                Some(fragment)
            }
            Output::Pdu { bytes, .. } => {
                let bytes = std::mem::take(bytes);
                self.output.pop_front();
                Some(bytes)
            }
        }
    }

    /// Bytes that [`poll_output`](Self::poll_output) still has to give, over all fragments.
    pub fn output_len(&self) -> usize {
        self.output.iter().map(Output::len).sum()
    }

    /// Bytes of memory that the client makes this end hold: of a request that has not come to
    /// its end, and of replies that have not been fetched.
    pub fn held(&self) -> usize {
        let incoming = self.incoming.as_ref();
        self.received.held()
            + incoming.map_or(0, |incoming| incoming.call.stub.capacity())
            + self.output.iter().map(Output::held).sum::<usize>()
    }

    fn next_fragment(&mut self) -> Result<Option<(Header, Vec<u8>)>, Error> {
        match self.received.next() {
            Err(pdu::Error::Version(..)) if self.max_xmit_frag.is_none() => {
                // What follows is not to be understood; the client learns why and leaves.
                self.received = Received::default();
                self.push_nak(0, NakReason::PROTOCOL_VERSION_NOT_SUPPORTED);
                Ok(None)
            }
            next => Ok(next?),
        }
    }

    fn handle_fragment(&mut self, header: &Header, fragment: &[u8]) -> Result<Option<Call>, Error> {
        let (replies, bytes) = (self.output.len(), self.output_len());
        if replies >= self.limits.max_queued_replies || bytes >= self.limits.max_queued_bytes {
            return Err(Error::Flood { replies, bytes });
        }
        match header.packet_type {
            PacketType::BIND => self.handle_bind(header, fragment)?,
            PacketType::ALTER_CONTEXT => self.handle_alter_context(header, fragment)?,
            PacketType::REQUEST => return self.handle_request(header, fragment),
            PacketType::ORPHANED => self.forget(header.call_id),
            // Calls are answered before anything else is read, so there is none to cancel;
            // and no authentication to complete, since the bind that began it was refused.
            PacketType::CO_CANCEL | PacketType::AUTH3 => {}
            other => return Err(Error::UnexpectedPdu(other)),
        }
        Ok(None)
    }

    fn handle_bind(&mut self, header: &Header, fragment: &[u8]) -> Result<(), Error> {
        let bind = Bind::read(header, fragment)?;
        if header.auth_length != 0 {
            self.push_nak(
                header.call_id,
                NakReason::AUTHENTICATION_TYPE_NOT_RECOGNIZED,
            );
        } else if self.max_xmit_frag.is_some() || bind.contexts.is_empty() {
            self.push_nak(header.call_id, NakReason::REASON_NOT_SPECIFIED);
        } else {
            self.max_xmit_frag = Some(negotiate_frag(bind.max_recv_frag));
            let ack = self.acknowledge(&bind, self.secondary_address);
            self.push_pdu(
                header.call_id,
                ack.write(PacketType::BIND_ACK, header.call_id),
            );
        }
        Ok(())
    }

    fn handle_alter_context(&mut self, header: &Header, fragment: &[u8]) -> Result<(), Error> {
        let bind = Bind::read(header, fragment)?;
        if self.max_xmit_frag.is_none() {
            self.push_fault(header.call_id, 0, fault::PROTO_ERROR);
        } else if header.auth_length != 0 {
            self.push_fault(header.call_id, 0, fault::ACCESS_DENIED);
        } else {
            let ack = self.acknowledge(&bind, "");
            let ack = ack.write(PacketType::ALTER_CONTEXT_RESP, header.call_id);
            self.push_pdu(header.call_id, ack);
        }
        Ok(())
    }

    fn acknowledge(&mut self, bind: &Bind, secondary_address: &str) -> BindAck {
        let results = bind
            .contexts
            .iter()
            .map(|context| self.judge(context, bind))
            .collect();
        BindAck {
            max_xmit_frag: self.max_xmit_frag.unwrap_or(MIN_FRAG),
            max_recv_frag: bind.max_xmit_frag.clamp(MIN_FRAG, MAX_FRAG),
            assoc_group_id: match bind.assoc_group_id {
                0 => ASSOC_GROUP_ID,
                theirs => theirs,
            },
            secondary_address: secondary_address.to_owned(),
            results,
        }
    }

    /// Decides on one presentation context and takes it up if it is acceptable.
    fn judge(&mut self, context: &PresentationContext, bind: &Bind) -> ContextResult {
        if let [only] = context.transfer_syntaxes[..]
            && let Some(offered) = bind_time_features::read(only)
        {
            // An orphaned PDU ends a call and never the pipe.
            return ContextResult::NegotiateAck(
                offered & bind_time_features::KEEP_CONNECTION_ON_ORPHAN,
            );
        }
        let reject = ContextResult::ProviderRejection;
        let wanted = context.abstract_syntax;
        let Some(interface) = self.interfaces.iter().position(|ours| serves(ours, wanted)) else {
            return reject(ProviderReason::ABSTRACT_SYNTAX_NOT_SUPPORTED);
        };
        let mut syntax = None;
        for offered in context
            .transfer_syntaxes
            .iter()
            .copied()
            .filter_map(Syntax::from_id)
        {
            if syntax.is_none() || offered == Syntax::Ndr64 {
                syntax = Some(offered);
            }
        }
        let Some(syntax) = syntax else {
            return reject(ProviderReason::PROPOSED_TRANSFER_SYNTAXES_NOT_SUPPORTED);
        };
        let known = self
            .contexts
            .iter()
            .position(|known| known.id == context.context_id);
        if known.is_none() && self.contexts.len() >= self.limits.max_contexts {
            return reject(ProviderReason::LOCAL_LIMIT_EXCEEDED);
        }
        // Windows servers take one syntax for an interface, NDR64 where both are offered;
        // clients may rely on being told which.
        if syntax == Syntax::Ndr20 && offers_ndr64(bind, wanted) {
            return reject(ProviderReason::PROPOSED_TRANSFER_SYNTAXES_NOT_SUPPORTED);
        }
        let taken = Context {
            id: context.context_id,
            interface,
            syntax,
        };
        match known {
            Some(index) => self.contexts[index] = taken,
            None => self.contexts.push(taken),
        }
        ContextResult::Acceptance(syntax.id())
    }

    fn handle_request(&mut self, header: &Header, fragment: &[u8]) -> Result<Option<Call>, Error> {
        let request = Request::read(header, fragment)?;
        if header.flags.contains(Flags::FIRST) {
            self.start_call(header, &request);
        } else if self
            .incoming
            .as_ref()
            .is_none_or(|i| i.call.call_id != header.call_id)
        {
            self.push_fault(header.call_id, request.context_id, fault::PROTO_ERROR);
            return Ok(None);
        }
        let Some(incoming) = &mut self.incoming else {
            return Ok(None);
        };
        if !incoming.refused {
            let size = incoming.call.stub.len() + request.stub.len();
            if size > self.limits.max_request_stub {
                incoming.refused = true;
                incoming.call.stub = Vec::new();
                self.push_fault(header.call_id, request.context_id, fault::REMOTE_NO_MEMORY);
            } else {
                incoming.call.stub.extend_from_slice(request.stub);
            }
        }
        if !header.flags.contains(Flags::LAST) {
            return Ok(None);
        }
        let complete = self.incoming.take().filter(|incoming| !incoming.refused);
        Ok(complete.map(|incoming| incoming.call))
    }

    /// Begins a call at its first fragment, or refuses it. An unfinished one is given up:
    /// without concurrent multiplexing a client sends one call at a time.
    fn start_call(&mut self, header: &Header, request: &Request<'_>) {
        let context = self
            .contexts
            .iter()
            .find(|context| context.id == request.context_id);
        let refusal = if self.max_xmit_frag.is_none() {
            Some(fault::PROTO_ERROR)
        } else if header.auth_length != 0 {
            Some(fault::ACCESS_DENIED)
        } else if context.is_none() {
            Some(fault::UNK_IF)
        } else {
            None
        };
        let (interface, syntax) = context.map_or((0, Syntax::Ndr20), |context| {
            (context.interface, context.syntax)
        });
        self.incoming = Some(Incoming {
            call: Call {
                call_id: header.call_id,
                context_id: request.context_id,
                interface,
                opnum: request.opnum,
                syntax,
                stub: Vec::new(),
            },
            refused: refusal.is_some(),
        });
        if let Some(status) = refusal {
            self.push_fault(header.call_id, request.context_id, status);
        }
    }

    /// orphaned: the client no longer wants the call.
    fn forget(&mut self, call_id: u32) {
        self.incoming
            .take_if(|incoming| incoming.call.call_id == call_id);
        self.output.retain(|output| match output {
            Output::Pdu { call_id: id, .. } | Output::Reply { call_id: id, .. } => *id != call_id,
        });
    }

    fn push_nak(&mut self, call_id: u32, reason: NakReason) {
        self.push_pdu(call_id, BindNak { reason }.write(call_id));
    }

    fn push_fault(&mut self, call_id: u32, context_id: u16, status: u32) {
        let flags = match status {
            fault::OP_RNG_ERROR | fault::UNK_IF | fault::PROTO_ERROR => Flags::DID_NOT_EXECUTE,
            _ => Flags::default(),
        };
        self.push_pdu(call_id, Fault { context_id, status }.write(flags, call_id));
    }

    fn push_pdu(&mut self, call_id: u32, bytes: Vec<u8>) {
        self.output.push_back(Output::Pdu { call_id, bytes });
    }
}

impl Output {
    fn len(&self) -> usize {
        match self {
            Self::Pdu { bytes, .. } => bytes.len(),
            Self::Reply { fragments, .. } => fragments.len(),
        }
    }

    fn held(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Pdu { bytes, .. } => bytes.capacity(),
                Self::Reply { fragments, .. } => fragments.held(),
            }
    }
}

/// An interface serves clients of its own major version and of no later minor version (C706
/// 6.2.3.3).
fn serves(ours: &Interface, wanted: SyntaxId) -> bool {
    ours.uuid == wanted.uuid
        && ours.version == wanted.version
        && ours.minor_version >= wanted.minor_version
}

fn offers_ndr64(bind: &Bind, interface: SyntaxId) -> bool {
    bind.contexts.iter().any(|context| {
        context.abstract_syntax == interface
            && context.transfer_syntaxes.contains(&Syntax::Ndr64.id())
    })
}
