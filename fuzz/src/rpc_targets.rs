//! DCE/RPC fragments, and both ends of an association.

use rpc::Syntax;
use rpc::association::{client, server};
use rpc::pdu::{Bind, BindAck, BindNak, Fault, Header, Request, Response};

use crate::Target;

/// Every PDU's reader on the same bytes.
pub fn pdu(fragment: &[u8]) -> bool {
    let Ok(header) = Header::read(fragment) else {
        return false;
    };
    [
        Bind::read(&header, fragment).is_ok(),
        BindAck::read(&header, fragment).is_ok(),
        BindNak::read(&header, fragment).is_ok(),
        Request::read(&header, fragment).is_ok(),
        Response::read(&header, fragment).is_ok(),
        Fault::read(&header, fragment).is_ok(),
    ]
    .contains(&true)
}

fn server_end() -> server::Association {
    server::Association::new(
        &[srvsvc::INTERFACE],
        srvsvc::SECONDARY_ADDRESS,
        server::Limits::default(),
    )
}

/// Two ends that are bound, in context 0.
fn bound(syntax: Syntax) -> (client::Association, server::Association) {
    let mut server = server_end();
    let mut client = client::Association::new(srvsvc::INTERFACE, client::Limits::default());
    let bind = client.bind(&[syntax]);
    assert!(
        matches!(server.handle_message(&bind), Ok(None)),
        "a bind is no call"
    );
    while let Some(output) = server.poll_output() {
        client
            .handle(&output)
            .expect("the server's answer to our own bind");
    }
    assert!(client.syntax().is_some(), "bound");
    (client, server)
}

/// The server's end: the bytes as its first message, and after a bind.
pub fn association_server(message: &[u8]) -> bool {
    let mut calls = 0;
    for mut server in [server_end(), bound(Syntax::Ndr20).1, bound(Syntax::Ndr64).1] {
        let mut next = server.handle_message(message);
        while let Ok(Some(call)) = next {
            calls += 1;
            // Longer than a fragment of the smallest size.
            if call.opnum % 2 == 0 {
                server.reply(&call, vec![0; 5000]);
            } else {
                server.fault(&call, 0x1C01_0002);
            }
            next = server.next_call();
        }
        while server.poll_output().is_some() {}
    }
    calls > 0
}

/// The client's end: the bytes as the answer to its bind, and to a request.
pub fn association_client(bytes: &[u8]) -> bool {
    let mut client = client::Association::new(srvsvc::INTERFACE, client::Limits::default());
    client.bind(&[Syntax::Ndr20, Syntax::Ndr64]);
    let _ = client.handle(&with_call_id(bytes, 1));
    let (mut client, _) = bound(Syntax::Ndr20);
    client.request(12, vec![0; 100]).expect("it is bound");
    let bytes = with_call_id(bytes, 2);
    // In two pieces, as a pipe may give them.
    let (first, second) = bytes.split_at(bytes.len() / 2);
    client.handle(first).is_ok() && matches!(client.handle(second), Ok(Some(_)))
}

/// The call id that the client waits for, where the bytes have one.
fn with_call_id(bytes: &[u8], call_id: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(place) = bytes.get_mut(12..16) {
        place.copy_from_slice(&call_id.to_le_bytes());
    }
    bytes
}

/// The targets of this module.
pub const TARGETS: &[(&str, Target)] = &[
    ("pdu", pdu),
    ("association_server", association_server),
    ("association_client", association_client),
];
