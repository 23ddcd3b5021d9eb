//! Messages that somebody has changed.

use netsession::smb_client::Session;
use netsession::{ErrorKind, Options, Server, SessionFilter, Target};
use smb::NtStatus;
use smb::wire::{Command, EchoRequest, Header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::peer::Peer;
use super::{LIMIT, admin, connection};

#[tokio::test]
async fn raw_messages() {
    let peer = Peer::start();
    let target = peer.target();
    let connection = connection(target, |_| {}).await;
    let session = Session::logon(&connection, &admin(), target.host())
        .await
        .unwrap();
    let tree = session.tree_connect(target.host(), "IPC$").await.unwrap();
    if session.is_encrypted() {
        assert!(!peer.is_ours());
        return;
    }
    let good = session
        .message(Command::ECHO, tree.id(), |out| EchoRequest.write(out))
        .await
        .unwrap();
    let answer = connection.exchange(&good).await.unwrap();
    assert_eq!(Header::read(&answer).unwrap().status, NtStatus::SUCCESS);
    assert!(session.verify(&answer));
    let mut bad = session
        .message(Command::TREE_DISCONNECT, tree.id(), |out| {
            EchoRequest.write(out)
        })
        .await
        .unwrap();
    bad[50] ^= 1;
    match connection.exchange(&bad).await {
        Ok(answer) => {
            assert_eq!(
                Header::read(&answer).unwrap().status,
                NtStatus::ACCESS_DENIED
            )
        }
        Err(error) => assert!(!peer.is_ours(), "{error}"),
    }
}

/// Whatever single bit of the server's messages somebody changes from the first logon
/// message on, the client does not accept it.
#[tokio::test]
async fn tampered_answers() {
    let peer = Peer::start();
    let target = peer.target();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = Target::new("127.0.0.1", listener.local_addr().unwrap().port()).unwrap();
    // NEGOTIATE, two SESSION_SETUPs, TREE_CONNECT, CREATE, bind, request.
    for victim in 0..7 {
        let proxy = async {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = tokio::net::TcpStream::connect((target.host(), target.port()))
                .await
                .unwrap();
            for message in 0.. {
                let Ok(request) = read_frame(&mut client).await else {
                    return;
                };
                server.write_all(&request).await.unwrap();
                let Ok(mut answer) = read_frame(&mut server).await else {
                    return;
                };
                if message == victim {
                    // A capability bit in NEGOTIATE, the end of any other message.
                    let place = if victim == 0 {
                        4 + 64 + 24
                    } else {
                        answer.len() - 1
                    };
                    answer[place] ^= 1;
                }
                client.write_all(&answer).await.unwrap();
            }
        };
        let client = async {
            let options = Options {
                logon_timeout: LIMIT,
                ..Options::default()
            };
            let mut server = Server::connect(&near, &admin(), &options).await?;
            server
                .sessions(&SessionFilter::default(), peer.levels()[0])
                .collect()
                .await
        };
        let (result, ()) = tokio::join!(client, proxy);
        let error = result.unwrap_err();
        assert!(
            matches!(
                error.kind(),
                // A changed challenge makes the proof wrong, which the server finds.
                ErrorKind::Protocol | ErrorKind::LogonFailed | ErrorKind::Refused
            ),
            "message {victim}: {error}"
        );
    }
}

async fn read_frame(stream: &mut tokio::net::TcpStream) -> std::io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    stream.read_exact(&mut frame).await?;
    let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
    frame.resize(4 + length, 0);
    stream.read_exact(&mut frame[4..]).await?;
    Ok(frame)
}
