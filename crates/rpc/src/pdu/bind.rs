//! bind, bind_ack, bind_nak, alter_context and alter_context_resp (C706 12.6.4.3 to
//! 12.6.4.5, 12.6.4.1, 12.6.4.2; [MS-RPCE] 2.2.2.4, 2.2.2.14).

use super::{Error, Flags, Header, Input, PacketType, finish};
use crate::{SyntaxId, Uuid};

/// First half of the transfer syntax that carries bind-time features, version 1.0: the
/// second half is the bitmask.
const BIND_TIME_FEATURES: [u8; 8] = [0x2c, 0x1c, 0xb7, 0x6c, 0x12, 0x98, 0x40, 0x45];

/// Bind-time feature negotiation ([MS-RPCE] 2.2.2.14, 3.3.1.5.3).
pub mod bind_time_features {
    use super::BIND_TIME_FEATURES;
    use crate::{SyntaxId, Uuid};

    /// SecurityContextMultiplexingSupported.
    pub const SECURITY_CONTEXT_MULTIPLEXING: u16 = 0x0001;
    /// KeepConnectionOnOrphanSupported.
    pub const KEEP_CONNECTION_ON_ORPHAN: u16 = 0x0002;

    /// The bitmask, if `transfer_syntax` is such an offer.
    pub fn read(transfer_syntax: SyntaxId) -> Option<u16> {
        let bytes = transfer_syntax.uuid.0;
        let is_offer = bytes[..8] == BIND_TIME_FEATURES
            && (transfer_syntax.version, transfer_syntax.minor_version) == (1, 0);
        is_offer.then(|| u16::from_le_bytes([bytes[8], bytes[9]]))
    }

    /// The transfer syntax that offers `bitmask`.
    pub fn offer(bitmask: u16) -> SyntaxId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&BIND_TIME_FEATURES);
        bytes[8..10].copy_from_slice(&bitmask.to_le_bytes());
        SyntaxId {
            uuid: Uuid(bytes),
            version: 1,
            minor_version: 0,
        }
    }
}

/// p_cont_elem_t.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentationContext {
    /// p_cont_id, chosen by the client.
    pub context_id: u16,
    /// The interface.
    pub abstract_syntax: SyntaxId,
    /// Transfer syntaxes in order of preference.
    pub transfer_syntaxes: Vec<SyntaxId>,
}

/// The body of bind and of alter_context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Most bytes in a fragment the client will send.
    pub max_xmit_frag: u16,
    /// Most bytes in a fragment the client takes.
    pub max_recv_frag: u16,
    /// Association group, 0 for a new one.
    pub assoc_group_id: u32,
    /// Presentation contexts.
    pub contexts: Vec<PresentationContext>,
}

impl Bind {
    /// Reads the body of `fragment`.
    pub fn read(header: &Header, fragment: &[u8]) -> Result<Self, Error> {
        let mut input = header.body(fragment)?;
        let Head {
            max_xmit_frag,
            max_recv_frag,
            assoc_group_id,
        } = Head::read(&mut input)?;
        let [count, _, _, _] = input.array("n_context_elem")?;
        let contexts = (0..count)
            .map(|_| read_context(&mut input))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            max_xmit_frag,
            max_recv_frag,
            assoc_group_id,
            contexts,
        })
    }

    /// Writes the fragment. At most 255 contexts and transfer syntaxes in each are sent.
    pub fn write(&self, packet_type: PacketType, call_id: u32) -> Vec<u8> {
        let mut out = Vec::new();
        Header::start(packet_type, Flags::WHOLE, call_id, &mut out);
        Head {
            max_xmit_frag: self.max_xmit_frag,
            max_recv_frag: self.max_recv_frag,
            assoc_group_id: self.assoc_group_id,
        }
        .write(&mut out);
        let count = u8::try_from(self.contexts.len()).unwrap_or(u8::MAX);
        out.extend_from_slice(&[count, 0, 0, 0]);
        for context in &self.contexts[..usize::from(count)] {
            out.extend_from_slice(&context.context_id.to_le_bytes());
            let syntaxes = u8::try_from(context.transfer_syntaxes.len()).unwrap_or(u8::MAX);
            out.extend_from_slice(&[syntaxes, 0]);
            write_syntax(context.abstract_syntax, &mut out);
            for &syntax in &context.transfer_syntaxes[..usize::from(syntaxes)] {
                write_syntax(syntax, &mut out);
            }
        }
        finish(&mut out);
        out
    }
}

/// p_provider_reason_t. Open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProviderReason(pub u16);

#[allow(missing_docs)] // the specification's names say it all
impl ProviderReason {
    pub const REASON_NOT_SPECIFIED: Self = Self(0);
    pub const ABSTRACT_SYNTAX_NOT_SUPPORTED: Self = Self(1);
    pub const PROPOSED_TRANSFER_SYNTAXES_NOT_SUPPORTED: Self = Self(2);
    pub const LOCAL_LIMIT_EXCEEDED: Self = Self(3);
}

/// p_result_t: the answer to one presentation context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextResult {
    /// acceptance (0) with this transfer syntax.
    Acceptance(SyntaxId),
    /// provider_rejection (2).
    ProviderRejection(ProviderReason),
    /// negotiate_ack (3) with the bitmask of features both ends have.
    NegotiateAck(u16),
    /// Any other result, with its reason.
    Other(u16, u16),
}

/// The body of bind_ack and of alter_context_resp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindAck {
    /// Most bytes in a fragment the server will send.
    pub max_xmit_frag: u16,
    /// Most bytes in a fragment the server takes.
    pub max_recv_frag: u16,
    /// Association group.
    pub assoc_group_id: u32,
    /// Secondary address, `\PIPE\name` on a named pipe; empty in alter_context_resp.
    pub secondary_address: String,
    /// One result for each context, in order.
    pub results: Vec<ContextResult>,
}

impl BindAck {
    /// Reads the body of `fragment`. A secondary address that is not ASCII is shown with
    /// U+FFFD; nobody uses it.
    pub fn read(header: &Header, fragment: &[u8]) -> Result<Self, Error> {
        let mut input = header.body(fragment)?;
        let size = input.0.len();
        let Head {
            max_xmit_frag,
            max_recv_frag,
            assoc_group_id,
        } = Head::read(&mut input)?;
        let length = input.u16("secondary address")?;
        let address = input.take("secondary address", length.into())?;
        let address = address.strip_suffix(&[0]).unwrap_or(address);
        // The body starts at 16, so alignment relative to it is that of the fragment.
        let padding = (size - input.0.len()).wrapping_neg() & 3;
        input.take("secondary address", padding)?;
        let [count, _, _, _] = input.array("n_results")?;
        let results = (0..count)
            .map(|_| read_result(&mut input))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            max_xmit_frag,
            max_recv_frag,
            assoc_group_id,
            secondary_address: String::from_utf8_lossy(address).into_owned(),
            results,
        })
    }

    /// Writes the fragment. At most 255 results, and an address of at most 255 bytes, are
    /// sent.
    pub fn write(&self, packet_type: PacketType, call_id: u32) -> Vec<u8> {
        let mut out = Vec::new();
        Header::start(packet_type, Flags::WHOLE, call_id, &mut out);
        Head {
            max_xmit_frag: self.max_xmit_frag,
            max_recv_frag: self.max_recv_frag,
            assoc_group_id: self.assoc_group_id,
        }
        .write(&mut out);
        let address = self.secondary_address.as_bytes();
        let address = &address[..address.len().min(255)];
        let length = if address.is_empty() {
            0
        } else {
            address.len() as u16 + 1
        };
        out.extend_from_slice(&length.to_le_bytes());
        if length != 0 {
            out.extend_from_slice(address);
            out.push(0);
        }
        out.resize(out.len().next_multiple_of(4), 0);
        let count = u8::try_from(self.results.len()).unwrap_or(u8::MAX);
        out.extend_from_slice(&[count, 0, 0, 0]);
        for &result in &self.results[..usize::from(count)] {
            write_result(result, &mut out);
        }
        finish(&mut out);
        out
    }
}

/// p_reject_reason_t, with [MS-RPCE]'s additions. Open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NakReason(pub u16);

#[allow(missing_docs)] // the specification's names say it all
impl NakReason {
    pub const REASON_NOT_SPECIFIED: Self = Self(0);
    pub const TEMPORARY_CONGESTION: Self = Self(1);
    pub const LOCAL_LIMIT_EXCEEDED: Self = Self(2);
    pub const PROTOCOL_VERSION_NOT_SUPPORTED: Self = Self(4);
    pub const AUTHENTICATION_TYPE_NOT_RECOGNIZED: Self = Self(8);
    pub const INVALID_CHECKSUM: Self = Self(9);
}

/// The body of bind_nak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindNak {
    /// provider_reject_reason.
    pub reason: NakReason,
}

impl BindNak {
    /// Reads the body of `fragment`; the versions behind the reason are left alone.
    pub fn read(header: &Header, fragment: &[u8]) -> Result<Self, Error> {
        let mut input = header.body(fragment)?;
        Ok(Self {
            reason: NakReason(input.u16("provider_reject_reason")?),
        })
    }

    /// Writes the fragment, with 5.0 as the one version supported.
    pub fn write(&self, call_id: u32) -> Vec<u8> {
        let mut out = Vec::new();
        Header::start(PacketType::BIND_NAK, Flags::WHOLE, call_id, &mut out);
        out.extend_from_slice(&self.reason.0.to_le_bytes());
        out.extend_from_slice(&[1, 5, 0]);
        finish(&mut out);
        out
    }
}

/// What the bodies of bind and bind_ack begin with.
struct Head {
    max_xmit_frag: u16,
    max_recv_frag: u16,
    assoc_group_id: u32,
}

impl Head {
    fn read(input: &mut Input<'_>) -> Result<Self, Error> {
        Ok(Self {
            max_xmit_frag: input.u16("max_xmit_frag")?,
            max_recv_frag: input.u16("max_recv_frag")?,
            assoc_group_id: input.u32("assoc_group_id")?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.max_xmit_frag.to_le_bytes());
        out.extend_from_slice(&self.max_recv_frag.to_le_bytes());
        out.extend_from_slice(&self.assoc_group_id.to_le_bytes());
    }
}

fn read_context(input: &mut Input<'_>) -> Result<PresentationContext, Error> {
    let context_id = input.u16("p_cont_id")?;
    let [count, _] = input.array("n_transfer_syn")?;
    let abstract_syntax = read_syntax(input)?;
    let transfer_syntaxes = (0..count)
        .map(|_| read_syntax(input))
        .collect::<Result<_, _>>()?;
    Ok(PresentationContext {
        context_id,
        abstract_syntax,
        transfer_syntaxes,
    })
}

fn read_syntax(input: &mut Input<'_>) -> Result<SyntaxId, Error> {
    Ok(SyntaxId {
        uuid: Uuid(input.array("if_uuid")?),
        version: input.u16("if_version")?,
        minor_version: input.u16("if_version")?,
    })
}

fn write_syntax(syntax: SyntaxId, out: &mut Vec<u8>) {
    out.extend_from_slice(&syntax.uuid.0);
    out.extend_from_slice(&syntax.version.to_le_bytes());
    out.extend_from_slice(&syntax.minor_version.to_le_bytes());
}

fn read_result(input: &mut Input<'_>) -> Result<ContextResult, Error> {
    let result = input.u16("result")?;
    let reason = input.u16("reason")?;
    let syntax = read_syntax(input)?;
    Ok(match result {
        0 => ContextResult::Acceptance(syntax),
        2 => ContextResult::ProviderRejection(ProviderReason(reason)),
        3 => ContextResult::NegotiateAck(reason),
        other => ContextResult::Other(other, reason),
    })
}

fn write_result(result: ContextResult, out: &mut Vec<u8>) {
    let (result, reason, syntax) = match result {
        ContextResult::Acceptance(syntax) => (0, 0, syntax),
        ContextResult::ProviderRejection(reason) => (2, reason.0, SyntaxId::default()),
        ContextResult::NegotiateAck(bitmask) => (3, bitmask, SyntaxId::default()),
        ContextResult::Other(result, reason) => (result, reason, SyntaxId::default()),
    };
    out.extend_from_slice(&u16::to_le_bytes(result));
    out.extend_from_slice(&reason.to_le_bytes());
    write_syntax(syntax, out);
}
