//! Scenarios on a pair of associations in memory, and single ends against written PDUs.

use proptest::prelude::*;

use super::*;
use crate::pdu::*;
use crate::{Interface, Syntax, SyntaxId, Uuid, fault};

static INTERFACES: [Interface; 1] = [SyntaxId {
    uuid: Uuid::from_groups(0x4b32_4fc8, 0x1670, 0x01d3, 0x1278, 0x5a47_bf6e_e188),
    version: 3,
    minor_version: 0,
}];

fn server() -> server::Association {
    server::Association::new(&INTERFACES, r"\PIPE\srvsvc", server::Limits::default())
}

/// Both ends, bound with the first of `syntaxes` that the server takes.
fn pair(syntaxes: &[Syntax]) -> (client::Association, server::Association) {
    let mut client = client::Association::new(INTERFACES[0], client::Limits::default());
    let mut server = server();
    let bind = client.bind(syntaxes);
    assert_eq!(server.handle_message(&bind), Ok(None));
    let event = client.handle(&server.poll_output().unwrap()).unwrap();
    assert!(matches!(event, Some(client::Event::Bound(_))));
    assert_eq!(server.poll_output(), None);
    (client, server)
}

fn context(context_id: u16, transfer_syntaxes: &[SyntaxId]) -> PresentationContext {
    PresentationContext {
        context_id,
        abstract_syntax: INTERFACES[0],
        transfer_syntaxes: transfer_syntaxes.to_vec(),
    }
}

fn bind(contexts: Vec<PresentationContext>) -> Bind {
    Bind {
        max_xmit_frag: 4280,
        max_recv_frag: 4280,
        assoc_group_id: 0,
        contexts,
    }
}

fn bound_server() -> server::Association {
    let mut server = server();
    let bind = bind(vec![context(0, &[Syntax::Ndr20.id()])]);
    assert_eq!(
        server.handle_message(&bind.write(PacketType::BIND, 1)),
        Ok(None)
    );
    server.poll_output().unwrap();
    server
}

fn request(stub: &[u8], flags: Flags, call_id: u32) -> Vec<u8> {
    Request {
        alloc_hint: 0,
        context_id: 0,
        opnum: 12,
        object: None,
        stub,
    }
    .write(flags, call_id)
}

fn fault_status(server: &mut server::Association) -> u32 {
    let bytes = server.poll_output().unwrap();
    let header = Header::read(&bytes).unwrap();
    assert_eq!(header.packet_type, PacketType::FAULT);
    Fault::read(&header, &bytes).unwrap().status
}

fn nak_reason(server: &mut server::Association) -> NakReason {
    let bytes = server.poll_output().unwrap();
    let header = Header::read(&bytes).unwrap();
    assert_eq!(header.packet_type, PacketType::BIND_NAK);
    BindNak::read(&header, &bytes).unwrap().reason
}

#[test]
fn calls_of_many_fragments_both_ways() {
    for (syntaxes, agreed) in [
        (&[Syntax::Ndr20][..], Syntax::Ndr20),
        (&[Syntax::Ndr64], Syntax::Ndr64),
        (&[Syntax::Ndr20, Syntax::Ndr64], Syntax::Ndr64),
    ] {
        let (mut client, mut server) = pair(syntaxes);
        assert_eq!(client.syntax(), Some(agreed));
        let question: Vec<u8> = (0..200_000u32).map(|i| i as u8).collect();
        let answer: Vec<u8> = (0..16_000_003u32).map(|i| (i % 251) as u8).collect();
        let fragments = client.request(12, question.clone()).unwrap();
        assert!(fragments.len() > 3);
        assert_eq!(client.request(12, Vec::new()), Err(client::Error::NotReady));
        let mut call = None;
        for fragment in fragments {
            assert!(call.is_none());
            call = server.handle_message(&fragment).unwrap();
        }
        let call = call.unwrap();
        assert_eq!(
            (call.opnum, call.syntax, &call.stub),
            (12, agreed, &question)
        );
        server.reply(&call, answer.clone());
        let mut left = server.output_len();
        let mut event = None;
        while let Some(fragment) = server.poll_output() {
            assert!(fragment.len() <= MAX_FRAG.into());
            left -= fragment.len();
            assert_eq!(server.output_len(), left);
            event = client.handle(&fragment).unwrap();
        }
        let Some(client::Event::Response { stub, .. }) = event else {
            panic!("{event:?}")
        };
        assert!(stub == answer);
    }
}

#[test]
fn an_empty_reply_is_one_fragment() {
    let (mut client, mut server) = pair(&[Syntax::Ndr20]);
    let fragments = client.request(12, Vec::new()).unwrap();
    let call = server.handle_message(&fragments[0]).unwrap().unwrap();
    server.reply(&call, Vec::new());
    assert_eq!(server.output_len(), 24);
    let event = client.handle(&server.poll_output().unwrap()).unwrap();
    assert!(matches!(event, Some(client::Event::Response { stub, .. }) if stub.is_empty()));
    assert_eq!(server.output_len(), 0);
}

#[test]
fn the_smaller_fragment_size_is_kept() {
    for (asked, kept) in [
        (4280, 4280),
        (5840, 5840),
        (100, MIN_FRAG),
        (u16::MAX, MAX_FRAG),
    ] {
        let mut server = server();
        let bind = Bind {
            max_xmit_frag: asked,
            max_recv_frag: asked,
            ..bind(vec![context(0, &[Syntax::Ndr20.id()])])
        };
        server
            .handle_message(&bind.write(PacketType::BIND, 1))
            .unwrap();
        let bytes = server.poll_output().unwrap();
        let ack = BindAck::read(&Header::read(&bytes).unwrap(), &bytes).unwrap();
        assert_eq!((ack.max_xmit_frag, ack.max_recv_frag), (kept, kept));
        assert_eq!(ack.secondary_address, r"\PIPE\srvsvc");
        assert_ne!(ack.assoc_group_id, 0);
        let call = server
            .handle_message(&request(&[], Flags::WHOLE, 2))
            .unwrap()
            .unwrap();
        server.reply(&call, vec![0; 200_000]);
        let mut stub = 0;
        while let Some(fragment) = server.poll_output() {
            assert!(fragment.len() <= kept.into());
            stub += fragment.len() - 24;
            assert!(stub % 8 == 0 || server.output_len() == 0);
        }
        assert_eq!(stub, 200_000);
    }
}

/// What a Windows client binds: NDR20, NDR64, and the bind-time features.
#[test]
fn three_contexts_as_windows_offers_them() {
    let mut server = server();
    let bind = bind(vec![
        context(0, &[Syntax::Ndr20.id()]),
        context(1, &[Syntax::Ndr64.id()]),
        context(2, &[bind_time_features::offer(3)]),
    ]);
    server
        .handle_message(&bind.write(PacketType::BIND, 2))
        .unwrap();
    let bytes = server.poll_output().unwrap();
    let ack = BindAck::read(&Header::read(&bytes).unwrap(), &bytes).unwrap();
    assert_eq!(
        ack.results,
        [
            ContextResult::ProviderRejection(
                ProviderReason::PROPOSED_TRANSFER_SYNTAXES_NOT_SUPPORTED
            ),
            ContextResult::Acceptance(Syntax::Ndr64.id()),
            ContextResult::NegotiateAck(2),
        ]
    );
}

#[test]
fn both_syntaxes_in_one_context() {
    let mut server = server();
    let bind = bind(vec![context(4, &[Syntax::Ndr20.id(), Syntax::Ndr64.id()])]);
    server
        .handle_message(&bind.write(PacketType::BIND, 2))
        .unwrap();
    let bytes = server.poll_output().unwrap();
    let ack = BindAck::read(&Header::read(&bytes).unwrap(), &bytes).unwrap();
    assert_eq!(ack.results, [ContextResult::Acceptance(Syntax::Ndr64.id())]);
}

#[test]
fn contexts_that_are_rejected() {
    let mut server = server();
    let other = SyntaxId {
        uuid: Uuid([7; 16]),
        version: 1,
        minor_version: 0,
    };
    let newer = SyntaxId {
        minor_version: 1,
        ..INTERFACES[0]
    };
    let mut contexts = vec![
        PresentationContext {
            abstract_syntax: other,
            ..context(0, &[Syntax::Ndr20.id()])
        },
        PresentationContext {
            abstract_syntax: newer,
            ..context(1, &[Syntax::Ndr20.id()])
        },
        context(2, &[other]),
        context(3, &[]),
        context(4, &[other, Syntax::Ndr20.id()]),
    ];
    contexts.extend((5..40).map(|id| context(id, &[Syntax::Ndr20.id()])));
    server
        .handle_message(&bind(contexts).write(PacketType::BIND, 2))
        .unwrap();
    let bytes = server.poll_output().unwrap();
    let ack = BindAck::read(&Header::read(&bytes).unwrap(), &bytes).unwrap();
    let reject = ContextResult::ProviderRejection;
    let accept = ContextResult::Acceptance(Syntax::Ndr20.id());
    assert_eq!(
        ack.results[..5],
        [
            reject(ProviderReason::ABSTRACT_SYNTAX_NOT_SUPPORTED),
            reject(ProviderReason::ABSTRACT_SYNTAX_NOT_SUPPORTED),
            reject(ProviderReason::PROPOSED_TRANSFER_SYNTAXES_NOT_SUPPORTED),
            reject(ProviderReason::PROPOSED_TRANSFER_SYNTAXES_NOT_SUPPORTED),
            accept,
        ]
    );
    assert_eq!(ack.results[35], accept);
    assert_eq!(
        ack.results[36],
        reject(ProviderReason::LOCAL_LIMIT_EXCEEDED)
    );
}

#[test]
fn alter_context_changes_the_syntax() {
    let (mut client, mut server) = pair(&[Syntax::Ndr20]);
    let alter = client.alter_context(&[Syntax::Ndr64]).unwrap();
    assert_eq!(server.handle_message(&alter), Ok(None));
    let event = client.handle(&server.poll_output().unwrap()).unwrap();
    assert_eq!(event, Some(client::Event::Bound(Syntax::Ndr64)));
    let fragments = client.request(12, vec![1]).unwrap();
    let call = server.handle_message(&fragments[0]).unwrap().unwrap();
    assert_eq!((call.context_id, call.syntax), (1, Syntax::Ndr64));
}

#[test]
fn authentication_is_refused() {
    let mut with_auth = bind(vec![context(0, &[Syntax::Ndr20.id()])]).write(PacketType::BIND, 1);
    with_auth.extend([10, 2, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    let length = (with_auth.len() as u16).to_le_bytes();
    with_auth[8..12].copy_from_slice(&[length[0], length[1], 4, 0]);
    let mut fresh = server();
    fresh.handle_message(&with_auth).unwrap();
    assert_eq!(
        nak_reason(&mut fresh),
        NakReason::AUTHENTICATION_TYPE_NOT_RECOGNIZED
    );

    let mut server = bound_server();
    with_auth[2] = PacketType::ALTER_CONTEXT.0;
    server.handle_message(&with_auth).unwrap();
    assert_eq!(fault_status(&mut server), fault::ACCESS_DENIED);
    with_auth[2] = PacketType::AUTH3.0;
    assert_eq!(server.handle_message(&with_auth), Ok(None));
    assert_eq!(server.poll_output(), None);
}

#[test]
fn pdus_that_do_not_fit_the_state() {
    let mut fresh = server();
    fresh
        .handle_message(&request(&[], Flags::WHOLE, 3))
        .unwrap();
    assert_eq!(fault_status(&mut fresh), fault::PROTO_ERROR);
    let alter = bind(vec![context(0, &[])]).write(PacketType::ALTER_CONTEXT, 1);
    fresh.handle_message(&alter).unwrap();
    assert_eq!(fault_status(&mut fresh), fault::PROTO_ERROR);
    fresh
        .handle_message(&bind(Vec::new()).write(PacketType::BIND, 1))
        .unwrap();
    assert_eq!(nak_reason(&mut fresh), NakReason::REASON_NOT_SPECIFIED);

    let mut server = bound_server();
    let again = bind(vec![context(0, &[Syntax::Ndr20.id()])]);
    server
        .handle_message(&again.write(PacketType::BIND, 4))
        .unwrap();
    assert_eq!(nak_reason(&mut server), NakReason::REASON_NOT_SPECIFIED);
    // A later fragment of no call.
    server
        .handle_message(&request(&[], Flags::LAST, 5))
        .unwrap();
    assert_eq!(fault_status(&mut server), fault::PROTO_ERROR);
    // A context nobody bound.
    let stray = Request {
        alloc_hint: 0,
        context_id: 9,
        opnum: 0,
        object: None,
        stub: &[],
    };
    server
        .handle_message(&stray.write(Flags::WHOLE, 6))
        .unwrap();
    assert_eq!(fault_status(&mut server), fault::UNK_IF);
    // What only servers send ends the pipe.
    let ack = Fault {
        context_id: 0,
        status: 0,
    }
    .write(Flags::default(), 7);
    assert_eq!(
        server.handle_message(&ack),
        Err(server::Error::UnexpectedPdu(PacketType::FAULT))
    );
}

#[test]
fn another_rpc_version_is_told_ours() {
    let mut bytes = bind(vec![context(0, &[])]).write(PacketType::BIND, 1);
    bytes[0] = 4;
    let mut fresh = server();
    assert_eq!(fresh.handle_message(&bytes), Ok(None));
    assert_eq!(
        nak_reason(&mut fresh),
        NakReason::PROTOCOL_VERSION_NOT_SUPPORTED
    );
    assert!(bound_server().handle_message(&bytes).is_err());
}

#[test]
fn a_request_above_the_limit_is_dropped_whole() {
    let mut server = server::Association::new(
        &INTERFACES,
        "",
        server::Limits {
            max_request_stub: 100,
            ..server::Limits::default()
        },
    );
    let bind = bind(vec![context(0, &[Syntax::Ndr20.id()])]).write(PacketType::BIND, 1);
    server.handle_message(&bind).unwrap();
    server.poll_output().unwrap();
    for (flags, faults) in [
        (Flags::FIRST, false),
        (Flags::default(), true),
        (Flags::default(), false),
    ] {
        assert_eq!(
            server.handle_message(&request(&[0; 60], flags, 2)),
            Ok(None)
        );
        assert_eq!(server.output_len() != 0, faults);
        if faults {
            assert_eq!(fault_status(&mut server), fault::REMOTE_NO_MEMORY);
        }
    }
    assert_eq!(
        server.handle_message(&request(&[0; 60], Flags::LAST, 2)),
        Ok(None)
    );
    assert_eq!(server.output_len(), 0);
    // The association lives on.
    assert!(
        server
            .handle_message(&request(&[0; 60], Flags::WHOLE, 3))
            .unwrap()
            .is_some()
    );
}

#[test]
fn what_a_client_makes_it_hold_is_told() {
    let mut server = bound_server();
    let idle = server.held();
    assert!(idle < 100, "{idle}");
    let half = request(&[0; 4_000], Flags::FIRST, 2);
    server.handle_message(&half[..3_000]).unwrap();
    assert!(server.held() >= 3_000, "part of a fragment");
    server.handle_message(&half[3_000..]).unwrap();
    assert!(
        (4_000..12_000).contains(&server.held()),
        "part of a request"
    );
    let call = server
        .handle_message(&request(&[1], Flags::LAST, 2))
        .unwrap()
        .unwrap();
    assert!(server.held() <= idle, "an answer is under way");
    server.reply(&call, vec![0; 100_000]);
    server.poll_output().unwrap();
    assert!(server.held() >= 100_000, "a reply is there until its end");
    while server.poll_output().is_some() {}
    assert!(server.held() <= idle);
    // Many requests in one message, and the beginning of another.
    let mut message = request(&[0; 100], Flags::FIRST, 3).repeat(2_000);
    message.extend(&half[..50]);
    server.handle_message(&message).unwrap();
    assert!(server.held() < 2_000, "{}", server.held());
}

#[test]
fn orphaned_drops_the_call_and_its_reply() {
    let mut server = bound_server();
    let mut orphaned = request(&[], Flags::WHOLE, 2)[..16].to_vec();
    orphaned[2] = PacketType::ORPHANED.0;
    orphaned[8] = 16;
    // Half a request.
    server
        .handle_message(&request(&[1], Flags::FIRST, 2))
        .unwrap();
    server.handle_message(&orphaned).unwrap();
    server
        .handle_message(&request(&[2], Flags::LAST, 2))
        .unwrap();
    assert_eq!(fault_status(&mut server), fault::PROTO_ERROR);
    // Half a reply.
    let call = server
        .handle_message(&request(&[], Flags::WHOLE, 2))
        .unwrap()
        .unwrap();
    server.reply(&call, vec![0; 10_000]);
    server.poll_output().unwrap();
    server.handle_message(&orphaned).unwrap();
    assert_eq!(server.poll_output(), None);
    orphaned[2] = PacketType::CO_CANCEL.0;
    assert_eq!(server.handle_message(&orphaned), Ok(None));
}

#[test]
fn several_pdus_in_one_message() {
    let mut server = bound_server();
    let message: Vec<u8> = (1..4)
        .flat_map(|id| request(&[id as u8], Flags::WHOLE, id))
        .collect();
    let mut call = server.handle_message(&message).unwrap();
    for id in 1..4 {
        let current = call.unwrap();
        assert_eq!(
            (current.call_id, current.stub.as_slice()),
            (id, &[id as u8][..])
        );
        server.reply(&current, vec![id as u8]);
        call = server.next_call().unwrap();
    }
    assert_eq!(call, None);
    for id in 1..4 {
        let bytes = server.poll_output().unwrap();
        assert_eq!(Header::read(&bytes).unwrap().call_id, id);
    }
}

#[test]
fn a_flood_ends_the_pipe() {
    let mut server = bound_server();
    for id in 0..32 {
        let call = server
            .handle_message(&request(&[], Flags::WHOLE, id))
            .unwrap()
            .unwrap();
        server.reply(&call, vec![0; 4]);
    }
    assert!(matches!(
        server.handle_message(&request(&[], Flags::WHOLE, 99)),
        Err(server::Error::Flood { replies: 32, .. })
    ));
}

#[test]
fn faults_reach_the_client() {
    let (mut client, mut server) = pair(&[Syntax::Ndr20]);
    for status in [fault::OP_RNG_ERROR, fault::BAD_STUB_DATA] {
        let fragments = client.request(999, Vec::new()).unwrap();
        let call = server.handle_message(&fragments[0]).unwrap().unwrap();
        server.fault(&call, status);
        let event = client.handle(&server.poll_output().unwrap()).unwrap();
        assert!(matches!(event, Some(client::Event::Fault { status: got, .. }) if got == status));
    }
}

#[test]
fn the_client_names_why_it_is_not_bound() {
    let bind_to = |interface, syntaxes: &[Syntax]| {
        let mut client = client::Association::new(interface, client::Limits::default());
        let mut server = server();
        server.handle_message(&client.bind(syntaxes)).unwrap();
        client.handle(&server.poll_output().unwrap())
    };
    let other = SyntaxId {
        version: 4,
        ..INTERFACES[0]
    };
    assert!(matches!(
        bind_to(other, &[Syntax::Ndr20]),
        Err(client::Error::Interface(_))
    ));

    let mut client = client::Association::new(INTERFACES[0], client::Limits::default());
    client.bind(&[Syntax::Ndr20]);
    let nak = BindNak {
        reason: NakReason::LOCAL_LIMIT_EXCEEDED,
    }
    .write(1);
    assert_eq!(
        client.handle(&nak),
        Err(client::Error::BindNak(NakReason::LOCAL_LIMIT_EXCEEDED))
    );
}

#[test]
fn the_client_refuses_what_it_did_not_ask_for() {
    let respond = |flags, call_id| {
        Response {
            alloc_hint: 0,
            context_id: 0,
            stub: &[0; 60],
        }
        .write(flags, call_id)
    };
    let fresh = || {
        let (mut client, _) = pair(&[Syntax::Ndr20]);
        client.request(1, Vec::new()).unwrap();
        client
    };
    assert!(matches!(
        fresh().handle(&respond(Flags::WHOLE, 7)),
        Err(client::Error::UnexpectedPdu { call_id: 7, .. })
    ));
    assert!(matches!(
        fresh().handle(&respond(Flags::LAST, 2)),
        Err(client::Error::Fragments { .. })
    ));
    let mut client = fresh();
    assert_eq!(client.handle(&respond(Flags::FIRST, 2)), Ok(None));
    assert!(matches!(
        client.handle(&respond(Flags::FIRST, 2)),
        Err(client::Error::Fragments { .. })
    ));
    let (mut idle, _) = pair(&[Syntax::Ndr20]);
    assert!(idle.handle(&respond(Flags::WHOLE, 1)).is_err());

    let limits = client::Limits {
        max_response_stub: 100,
    };
    let mut client = client::Association::new(INTERFACES[0], limits);
    let mut server = server();
    server
        .handle_message(&client.bind(&[Syntax::Ndr20]))
        .unwrap();
    client.handle(&server.poll_output().unwrap()).unwrap();
    client.request(1, Vec::new()).unwrap();
    client.handle(&respond(Flags::FIRST, 2)).unwrap();
    assert_eq!(
        client.handle(&respond(Flags::LAST, 2)),
        Err(client::Error::TooLarge(100))
    );
}

proptest! {
    /// A conversation cut into messages anywhere is the same conversation.
    #[test]
    fn pieces_of_any_size(cuts in proptest::collection::vec(1usize..50, 1..40)) {
        let (mut client, mut server) = pair(&[Syntax::Ndr20]);
        let sent: Vec<u8> = client.request(5, vec![3; 300]).unwrap().concat();
        let mut call = None;
        feed(&sent, &cuts, |piece| call = server.handle_message(piece).unwrap());
        let call = call.unwrap();
        server.reply(&call, vec![4; 3000]);
        let answer: Vec<u8> = std::iter::from_fn(|| server.poll_output()).flatten().collect();
        let mut event = None;
        feed(&answer, &cuts, |piece| event = client.handle(piece).unwrap());
        let is_whole = matches!(event, Some(client::Event::Response { stub, .. }) if stub == [4; 3000]);
        prop_assert!(is_whole);
    }

    /// Messages of any content end in an error or an answer.
    #[test]
    fn any_messages(
        bound in any::<bool>(),
        messages in proptest::collection::vec(
            (prop_oneof![0u8..20, any::<u8>()], any::<u8>(), 0u8..4, proptest::collection::vec(any::<u8>(), 0..100)),
            0..10,
        ),
    ) {
        let mut server = if bound { bound_server() } else { server() };
        let (mut client, _) = pair(&[Syntax::Ndr64]);
        client.request(1, Vec::new()).unwrap();
        for (packet_type, flags, call_id, body) in messages {
            let mut message = vec![5, 0, packet_type, flags, 0x10, 0, 0, 0];
            message.extend((16 + body.len() as u16).to_le_bytes());
            message.extend([0, 0, call_id, 0, 0, 0]);
            message.extend(body);
            let _ = client.handle(&message);
            match server.handle_message(&message) {
                Ok(Some(call)) => server.reply(&call, call.stub.clone()),
                Ok(None) => {}
                Err(_) => break,
            }
            while server.poll_output().is_some() {}
        }
    }
}

fn feed(mut bytes: &[u8], cuts: &[usize], mut take: impl FnMut(&[u8])) {
    let mut cuts = cuts.iter().cycle();
    while let Some(&cut) = cuts.next()
        && !bytes.is_empty()
    {
        let (piece, rest) = bytes.split_at(cut.min(bytes.len()));
        take(piece);
        bytes = rest;
    }
}
