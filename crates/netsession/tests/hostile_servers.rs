//! What the client makes of servers that are silent, wrong or dishonest. Each is a task on
//! a loopback socket; the dishonest ones speak SMB2 just far enough.

use std::time::{Duration, Instant, SystemTime};

use netsession::{Credentials, ErrorKind, Options, Server, Target};
use smb::auth::{Acceptor, AcceptorConfig, Step, nt_hash};
use smb::wire::negotiate_context::{PreauthIntegrityCapabilities, SHA_512, context_type};
use smb::wire::{
    Command, Dialect, Header, HeaderFlags, NegotiateContext, NegotiateResponse,
    SessionSetupRequest, SessionSetupResponse,
};
use smb::{FileTime, NtStatus};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn listen() -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, Target::new("127.0.0.1", port).unwrap())
}

async fn connect(target: &Target) -> netsession::Error {
    let options = Options {
        connect_timeout: Duration::from_millis(300),
        logon_timeout: Duration::from_millis(300),
        ..Options::default()
    };
    let credentials = Credentials::new("", "admin", "Adm1n.Pw");
    let started = Instant::now();
    let error = Server::connect(target, &credentials, &options)
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(3), "{error}");
    assert!(!error.to_string().contains('\n'));
    error
}

#[tokio::test]
async fn nobody_listens() {
    let (listener, target) = listen().await;
    drop(listener);
    let error = connect(&target).await;
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::Unreachable, 53),
        "{error}"
    );
}

#[tokio::test]
async fn silence() {
    let (_listener, target) = listen().await;
    let error = connect(&target).await;
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::TimedOut, 121),
        "{error}"
    );
}

/// Answers whatever comes first with these bytes, and stays.
async fn after_answer(bytes: Vec<u8>) -> netsession::Error {
    let (listener, target) = listen().await;
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_message(&mut stream).await;
        stream.write_all(&bytes).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    });
    let error = connect(&target).await;
    task.abort();
    error
}

#[tokio::test]
async fn garbage() {
    for bytes in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        // A frame of 16 MiB is announced.
        vec![0, 0xFF, 0xFF, 0xFF, 1],
        // A session message that is not SMB2.
        [&[0, 0, 0, 64][..], &[0x55; 64]].concat(),
        // An empty one.
        vec![0, 0, 0, 0],
        // A header that claims to be a request.
        frame(&{
            let mut message = Vec::new();
            Header::default().write(&mut message);
            message
        }),
    ] {
        let error = after_answer(bytes).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
}

#[tokio::test]
async fn a_frame_that_never_ends() {
    let error = after_answer(vec![0, 0, 1, 0, 0xFE, b'S']).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn hangs_up() {
    let (listener, target) = listen().await;
    tokio::spawn(async move { drop(listener.accept().await) });
    let error = connect(&target).await;
    assert_eq!(
        (error.kind(), error.net_api_status()),
        (ErrorKind::ConnectionLost, 64),
        "{error}"
    );
}

/// How the last SESSION_SETUP response lies.
#[derive(Clone, Copy)]
enum Lie {
    Unsigned,
    WrongSignature,
    Guest,
    Anonymous,
    /// Success without asking for a proof.
    AtOnce,
}

#[tokio::test]
async fn dishonest_logons() {
    for (lie, kind) in [
        (Lie::Unsigned, ErrorKind::Protocol),
        (Lie::WrongSignature, ErrorKind::Protocol),
        (Lie::Guest, ErrorKind::LogonFailed),
        (Lie::Anonymous, ErrorKind::LogonFailed),
        (Lie::AtOnce, ErrorKind::LogonFailed),
    ] {
        let (listener, target) = listen().await;
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            lie_to(&mut stream, lie).await;
        });
        let error = connect(&target).await;
        assert_eq!(error.kind(), kind, "{error}");
        task.abort();
    }
}

async fn lie_to(stream: &mut TcpStream, lie: Lie) {
    let request = read_message(stream).await;
    let preauth = PreauthIntegrityCapabilities {
        hash_algorithms: vec![SHA_512],
        salt: &[7; 32],
    }
    .to_bytes();
    let token = Acceptor::negotiate_token();
    respond(
        stream,
        &request,
        NtStatus::SUCCESS,
        HeaderFlags::default(),
        |out| {
            NegotiateResponse {
                security_mode: 1,
                dialect_revision: Dialect::SMB311,
                max_transact_size: 65536,
                max_read_size: 65536,
                max_write_size: 65536,
                security_buffer: &token,
                contexts: vec![NegotiateContext {
                    context_type: context_type::SMB2_PREAUTH_INTEGRITY_CAPABILITIES,
                    data: &preauth,
                }],
                ..NegotiateResponse::default()
            }
            .write(out);
        },
    )
    .await;
    let mut acceptor = Acceptor::new(AcceptorConfig::default());
    loop {
        let request = read_message(stream).await;
        let setup = SessionSetupRequest::read(&request).unwrap();
        let now = FileTime::from(SystemTime::now());
        let step = acceptor.step(setup.security_buffer, now, [1; 8], &mut |_, _| {
            Some(nt_hash("Adm1n.Pw"))
        });
        let (status, token) = match step {
            Step::Continue { token } if !matches!(lie, Lie::AtOnce) => {
                (NtStatus::MORE_PROCESSING_REQUIRED, token)
            }
            Step::Continue { token } | Step::Accepted { token, .. } => (NtStatus::SUCCESS, token),
            Step::Denied(status) => panic!("{status}"),
        };
        let done = status == NtStatus::SUCCESS;
        let signed = matches!(lie, Lie::WrongSignature) && done;
        let flags = if signed {
            HeaderFlags::SIGNED
        } else {
            HeaderFlags::default()
        };
        let session_flags = match lie {
            Lie::Guest => 1,
            Lie::Anonymous => 2,
            _ => 0,
        };
        respond(stream, &request, status, flags, |out| {
            SessionSetupResponse {
                session_flags,
                security_buffer: &token,
            }
            .write(out);
        })
        .await;
        if done {
            let _ = stream.read(&mut [0; 1]).await;
            return;
        }
    }
}

async fn respond(
    stream: &mut TcpStream,
    request: &[u8],
    status: NtStatus,
    flags: HeaderFlags,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let request = Header::read(request).unwrap();
    let mut message = Vec::new();
    Header {
        status,
        flags: flags | HeaderFlags::SERVER_TO_REDIR,
        credits: 64,
        session_id: if request.command == Command::NEGOTIATE {
            0
        } else {
            9
        },
        signature: [3; 16],
        ..request
    }
    .write(&mut message);
    body(&mut message);
    stream.write_all(&frame(&message)).await.unwrap();
}

fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes()[..], message].concat()
}

async fn read_message(stream: &mut TcpStream) -> Vec<u8> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).await.unwrap();
    let mut message = vec![0; u32::from_be_bytes(prefix) as usize];
    stream.read_exact(&mut message).await.unwrap();
    message
}
