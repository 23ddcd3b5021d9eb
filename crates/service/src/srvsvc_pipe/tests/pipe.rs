use rpc::association::client::{Association, Event, Limits};
use server::pipe::{Pipe, PipeRead};
use smb::NtStatus;
use srvsvc::{SessionEnumResponse, opnum};

use super::*;
use crate::srvsvc_pipe::SrvsvcPipe;

/// A client at the other end of a pipe.
struct Client {
    pipe: SrvsvcPipe,
    association: Association,
}

impl Client {
    fn bound(fake: &Fake, syntax: Syntax) -> Self {
        let pipe = SrvsvcPipe::new(admin(fake));
        let association = Association::new(srvsvc::INTERFACE, Limits::default());
        let mut client = Self { pipe, association };
        let bind = client.association.bind(&[syntax]);
        client.pipe.write(&bind).unwrap();
        assert_eq!(client.event(4096), Event::Bound(syntax));
        client
    }

    fn send(&mut self, opnum: u16, stub: Vec<u8>) {
        for fragment in self.association.request(opnum, stub).unwrap() {
            self.pipe.write(&fragment).unwrap();
        }
    }

    /// Reads in pieces of `max` bytes until something has happened.
    fn event(&mut self, max: usize) -> Event {
        loop {
            let available = self.pipe.available();
            match self.pipe.read(max) {
                PipeRead::Data { bytes, more } => {
                    assert!(bytes.len() <= max && !bytes.is_empty());
                    assert_eq!(self.pipe.available(), available - bytes.len());
                    assert!(!more || self.pipe.available() > 0);
                    if let Some(event) = self.association.handle(&bytes).unwrap() {
                        return event;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn response(&mut self, max: usize) -> Vec<u8> {
        match self.event(max) {
            Event::Response { stub, .. } => stub,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn calls_go_over_the_pipe_in_both_syntaxes_and_any_pieces() {
    let fake = Fake::default();
    for number in 0..500 {
        fake.log_on("192.0.2.1", &format!("user{number}"));
    }
    for syntax in BOTH {
        for max in [7, 100, 4096, 1 << 20] {
            let mut client = Client::bound(&fake, syntax);
            client.send(opnum::NETR_SESSION_ENUM, request(502).write(syntax));
            let stub = client.response(max);
            let response = SessionEnumResponse::read(syntax, &stub).unwrap();
            assert_eq!((response.result.0, response.entries.len()), (0, 500));
            assert_eq!(
                (client.pipe.available(), client.pipe.read(1)),
                (0, PipeRead::Empty)
            );
        }
    }
}

#[test]
fn fragments_are_messages_of_their_own() {
    let fake = Fake::default();
    for number in 0..2000 {
        fake.log_on("192.0.2.1", &format!("user{number}"));
    }
    let mut client = Client::bound(&fake, Ndr20);
    client.send(opnum::NETR_SESSION_ENUM, request(502).write(Ndr20));
    let mut messages = 0;
    while let PipeRead::Data { bytes, more } = client.pipe.read(1 << 20) {
        assert!(!more && bytes.len() <= usize::from(u16::MAX));
        messages += 1;
    }
    assert!(messages > 1);
}

#[test]
fn unknown_operations_and_bad_stubs_are_faults_and_the_pipe_goes_on() {
    let fake = Fake::with_sessions(&[("192.0.2.1", "caller")]);
    for syntax in BOTH {
        let mut client = Client::bound(&fake, syntax);
        for (opnum, stub, status) in [
            (0, Vec::new(), 0x1C01_0002),
            (4000, vec![1; 100], 0x1C01_0002),
            (opnum::NETR_SESSION_ENUM, Vec::new(), 0x6F7),
            (opnum::NETR_SESSION_DEL, vec![0xFF; 64], 0x6F7),
        ] {
            client.send(opnum, stub);
            assert!(matches!(client.event(4096), Event::Fault { status: s, .. } if s == status));
        }
        client.send(opnum::NETR_SESSION_ENUM, request(10).write(syntax));
        assert!(
            SessionEnumResponse::read(syntax, &client.response(4096))
                .unwrap()
                .result
                .is_success()
        );
    }
}

#[test]
fn a_truncated_stub_of_any_method_is_a_fault_or_an_answer() {
    let fake = Fake::with_sessions(&[("192.0.2.1", "caller"), ("192.0.2.2", "bob")]);
    let mut request = request(502);
    request.client_name = Some(r"\\192.0.2.9".to_owned());
    request.user_name = Some("nobody".to_owned());
    for syntax in BOTH {
        let stub = request.write(syntax);
        for length in 0..stub.len() {
            for opnum in 0..60 {
                let _ = admin(&fake).call(opnum, syntax, &stub[..length]);
            }
        }
    }
    assert_eq!(fake.ids(), [1, 2]);
}

#[test]
fn garbage_breaks_the_pipe_after_what_was_answered() {
    let mut pipe = SrvsvcPipe::new(admin(&Fake::default()));
    let mut association = Association::new(srvsvc::INTERFACE, Limits::default());
    let mut message = association.bind(&[Ndr20]);
    message.extend_from_slice(&[0xFF; 64]);
    pipe.write(&message).unwrap();
    assert!(matches!(
        pipe.read(4096),
        PipeRead::Data { more: false, .. }
    ));
    assert_eq!(pipe.read(4096), PipeRead::Broken);
    assert_eq!(pipe.write(&[0]), Err(NtStatus::PIPE_BROKEN));
}

#[test]
fn the_callers_session_is_handed_over_once() {
    let fake = Fake::with_sessions(&[("192.0.2.1", "caller")]);
    let mut client = Client::bound(&fake, Ndr20);
    let request = SessionDelRequest {
        server_name: None,
        client_name: None,
        user_name: Some("caller".to_owned()),
    };
    client.send(opnum::NETR_SESSION_DEL, request.write(Ndr20));
    assert_eq!(
        srvsvc::read_result(Ndr20, &client.response(4096))
            .unwrap()
            .0,
        0
    );
    assert_eq!(client.pipe.available(), 0);
    assert_eq!(client.pipe.take_close_after_reply(), [own_ending()]);
    assert_eq!(client.pipe.take_close_after_reply(), []);
    assert_eq!(fake.ids(), [1], "the server closes it, not the pipe");
}
