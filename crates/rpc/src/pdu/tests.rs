use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::{Syntax, SyntaxId, Uuid};

const SRVSVC: SyntaxId = SyntaxId {
    uuid: Uuid::from_groups(0x4b32_4fc8, 0x1670, 0x01d3, 0x1278, 0x5a47_bf6e_e188),
    version: 3,
    minor_version: 0,
};

/// What impacket 0.13.1 writes to the pipe for `dce.bind(srvs.MSRPC_UUID_SRVS)`.
#[rustfmt::skip]
const IMPACKET_BIND: &[u8] = &[
    0x05, 0x00, 0x0b, 0x03, 0x10, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0xb8, 0x10, 0xb8, 0x10, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
    0xc8, 0x4f, 0x32, 0x4b, 0x70, 0x16, 0xd3, 0x01, 0x12, 0x78, 0x5a, 0x47, 0xbf, 0x6e, 0xe1, 0x88,
    0x03, 0x00, 0x00, 0x00, 0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00,
    0x2b, 0x10, 0x48, 0x60, 0x02, 0x00, 0x00, 0x00,
];

fn bind() -> Bind {
    Bind {
        max_xmit_frag: 4280,
        max_recv_frag: 4280,
        assoc_group_id: 0,
        contexts: vec![PresentationContext {
            context_id: 0,
            abstract_syntax: SRVSVC,
            transfer_syntaxes: vec![Syntax::Ndr20.id()],
        }],
    }
}

fn bind_ack(address: &str) -> BindAck {
    BindAck {
        max_xmit_frag: 4280,
        max_recv_frag: 5840,
        assoc_group_id: 0x53f0,
        secondary_address: address.to_owned(),
        results: vec![
            ContextResult::Acceptance(Syntax::Ndr20.id()),
            ContextResult::ProviderRejection(ProviderReason::ABSTRACT_SYNTAX_NOT_SUPPORTED),
            ContextResult::NegotiateAck(2),
            ContextResult::Other(1, 7),
        ],
    }
}

#[test]
fn bind_known_bytes() {
    let header = Header::read(IMPACKET_BIND).unwrap();
    assert_eq!(header.packet_type, PacketType::BIND);
    assert_eq!(header.call_id, 1);
    assert_eq!(Bind::read(&header, IMPACKET_BIND), Ok(bind()));
    assert_eq!(bind().write(PacketType::BIND, 1), IMPACKET_BIND);
}

/// Laid out by hand from C706 12.6.4.4.
#[test]
fn bind_ack_known_bytes() {
    let ack = BindAck {
        results: bind_ack("").results[..1].to_vec(),
        ..bind_ack(r"\PIPE\srvsvc")
    };
    #[rustfmt::skip]
    let mut bytes = vec![
        5, 0, 12, 3, 0x10, 0, 0, 0, 68, 0, 0, 0, 2, 0, 0, 0,
        0xb8, 0x10, 0xd0, 0x16, 0xf0, 0x53, 0, 0, 13, 0,
        b'\\', b'P', b'I', b'P', b'E', b'\\', b's', b'r', b'v', b's', b'v', b'c', 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0,
    ];
    bytes.extend(Syntax::Ndr20.id().uuid.0);
    bytes.extend([2, 0, 0, 0]);
    assert_eq!(ack.write(PacketType::BIND_ACK, 2).len(), bytes.len());
    assert_eq!(ack.write(PacketType::BIND_ACK, 2), bytes);
}

#[test]
fn fault_known_bytes() {
    let fault = Fault {
        context_id: 1,
        status: crate::fault::OP_RNG_ERROR,
    };
    #[rustfmt::skip]
    let bytes = [
        5, 0, 3, 0x23, 0x10, 0, 0, 0, 32, 0, 0, 0, 9, 0, 0, 0,
        0, 0, 0, 0, 1, 0, 0, 0, 0x02, 0, 0x01, 0x1c, 0, 0, 0, 0,
    ];
    assert_eq!(fault.write(Flags::DID_NOT_EXECUTE, 9), bytes);
    assert_eq!(
        Fault::read(&Header::read(&bytes).unwrap(), &bytes),
        Ok(fault)
    );
}

#[test]
fn bind_nak_known_bytes() {
    let nak = BindNak {
        reason: NakReason::AUTHENTICATION_TYPE_NOT_RECOGNIZED,
    };
    let bytes = [
        5, 0, 13, 3, 0x10, 0, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 8, 0, 1, 5, 0,
    ];
    assert_eq!(nak.write(1), bytes);
    assert_eq!(
        BindNak::read(&Header::read(&bytes).unwrap(), &bytes),
        Ok(nak)
    );
}

#[test]
fn round_trips_of_any_address_length() {
    for length in 0..8 {
        let ack = bind_ack(&"p".repeat(length));
        let bytes = ack.write(PacketType::ALTER_CONTEXT_RESP, 3);
        let header = Header::read(&bytes).unwrap();
        assert_eq!(usize::from(header.frag_length), bytes.len());
        assert_eq!(BindAck::read(&header, &bytes), Ok(ack));
    }
}

#[test]
fn headers_that_are_none() {
    let mut bytes = IMPACKET_BIND.to_vec();
    bytes[0] = 4;
    assert_eq!(Header::read(&bytes), Err(Error::Version(4, 0)));
    bytes[0] = 5;
    bytes[4] = 0;
    assert_eq!(Header::read(&bytes), Err(Error::DataRepresentation([0; 4])));
    bytes[4] = 0x10;
    bytes[8] = 15;
    assert!(matches!(
        Header::read(&bytes),
        Err(Error::Length {
            frag_length: 15,
            ..
        })
    ));
    bytes[8] = 0x48;
    bytes[10] = 0x38;
    assert!(matches!(
        Header::read(&bytes),
        Err(Error::Length {
            auth_length: 0x38,
            ..
        })
    ));
}

/// The authentication verifier does not count as stub.
#[test]
fn verifier_is_left_out() {
    let request = Request {
        alloc_hint: 4,
        context_id: 0,
        opnum: 12,
        object: None,
        stub: &[7; 20],
    };
    let mut bytes = request.write(Flags::WHOLE, 1);
    bytes[10] = 8;
    let header = Header::read(&bytes).unwrap();
    assert_eq!(Request::read(&header, &bytes).unwrap().stub, [7; 4]);
}

/// A fragment cut to any length and relabelled so is refused or read, never a panic; cut
/// without relabelling it is refused.
#[test]
fn truncation_at_every_byte() {
    let request = Request {
        alloc_hint: 4,
        context_id: 0,
        opnum: 12,
        object: Some(SRVSVC.uuid),
        stub: &[],
    };
    let response = Response {
        alloc_hint: 0,
        context_id: 0,
        stub: &[],
    };
    for whole in [
        IMPACKET_BIND.to_vec(),
        bind_ack(r"\PIPE\srvsvc").write(PacketType::BIND_ACK, 1),
        request.write(Flags::WHOLE, 1),
        response.write(Flags::WHOLE, 1),
        Fault {
            context_id: 0,
            status: 5,
        }
        .write(Flags::default(), 1)[..28]
            .to_vec(),
    ] {
        let header = Header::read(&whole).unwrap();
        for end in 0..whole.len() {
            assert!(refused(&header, &whole[..end]), "{end} of {}", whole.len());
            let mut relabelled = whole[..end].to_vec();
            if end >= HEADER_SIZE {
                relabelled[8..10].copy_from_slice(&(end as u16).to_le_bytes());
                let header = Header::read(&relabelled).unwrap();
                assert!(refused(&header, &relabelled), "{end} of {}", whole.len());
            } else {
                Header::read(&relabelled).unwrap_err();
            }
        }
    }
}

fn refused(header: &Header, fragment: &[u8]) -> bool {
    match header.packet_type {
        PacketType::BIND => Bind::read(header, fragment).is_err(),
        PacketType::BIND_ACK => BindAck::read(header, fragment).is_err(),
        PacketType::REQUEST => Request::read(header, fragment).is_err(),
        PacketType::RESPONSE => Response::read(header, fragment).is_err(),
        _ => Fault::read(header, fragment).is_err(),
    }
}

fn syntax_id() -> impl Strategy<Value = SyntaxId> {
    (any::<[u8; 16]>(), any::<u16>(), any::<u16>()).prop_map(|(uuid, version, minor_version)| {
        SyntaxId {
            uuid: Uuid(uuid),
            version,
            minor_version,
        }
    })
}

proptest! {
    #[test]
    fn binds(
        numbers in any::<(u16, u16, u32)>(),
        contexts in vec((any::<u16>(), syntax_id(), vec(syntax_id(), 0..4)), 0..5),
    ) {
        let bind = Bind {
            max_xmit_frag: numbers.0,
            max_recv_frag: numbers.1,
            assoc_group_id: numbers.2,
            contexts: contexts
                .into_iter()
                .map(|(context_id, abstract_syntax, transfer_syntaxes)| PresentationContext {
                    context_id,
                    abstract_syntax,
                    transfer_syntaxes,
                })
                .collect(),
        };
        let bytes = bind.write(PacketType::ALTER_CONTEXT, 5);
        let header = Header::read(&bytes).unwrap();
        prop_assert_eq!(Bind::read(&header, &bytes), Ok(bind));
    }

    #[test]
    fn calls(
        alloc_hint in any::<u32>(),
        context_id in any::<u16>(),
        opnum in any::<u16>(),
        object in proptest::option::of(any::<[u8; 16]>()),
        stub in vec(any::<u8>(), 0..50),
    ) {
        let request = Request { alloc_hint, context_id, opnum, object: object.map(Uuid), stub: &stub };
        let bytes = request.write(Flags::FIRST, 5);
        prop_assert_eq!(Request::read(&Header::read(&bytes).unwrap(), &bytes), Ok(request));
        let response = Response { alloc_hint, context_id, stub: &stub };
        let bytes = response.write(Flags::LAST, 5);
        prop_assert_eq!(Response::read(&Header::read(&bytes).unwrap(), &bytes), Ok(response));
    }

    #[test]
    fn any_bytes(mut bytes in vec(any::<u8>(), 16..120), auth_length in 0u8..20) {
        bytes[..8].copy_from_slice(&[5, 0, 0, 3, 0x10, 0, 0, 0]);
        let length = (bytes.len() as u16).to_le_bytes();
        bytes[8..12].copy_from_slice(&[length[0], length[1], auth_length, 0]);
        if let Ok(header) = Header::read(&bytes) {
            let _ = Bind::read(&header, &bytes);
            let _ = BindAck::read(&header, &bytes);
            let _ = BindNak::read(&header, &bytes);
            let _ = Request::read(&header, &bytes);
            let _ = Response::read(&header, &bytes);
            let _ = Fault::read(&header, &bytes);
        }
    }
}
